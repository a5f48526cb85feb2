package tcp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// times gives when something leaves, in the next d, in milliseconds from now on.
func (e *end) times(d clock.Duration) (at []int) {
	start := e.now
	e.took()
	e.pass(d)
	for i := range e.sent {
		at = append(at, int(e.sent[i].at.Sub(start)/ms))
	}
	e.sent = e.sent[:0]
	return at
}

// MUST-20 to MUST-23: when SYNs go again, and when the open is given up.
//
// Proves: MUST-20, MUST-21, MUST-22, MUST-23
func TestSynSchedule(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, c := range []struct {
			name   string
			cfg    tcp.Config
			active []int // seconds
			dead   int
			answer []int // of the SYN-ACK
			gone   int
		}{
			{"linux", tcp.Linux(), []int{1, 2, 3, 4, 5, 7, 11, 19, 35, 67}, 131, []int{1, 3, 7, 15, 31}, 63},
			{"rfc9293", tcp.RFC9293(), []int{1, 3, 7, 15, 31, 63, 123, 183}, 243, []int{1, 3, 7, 15, 31, 63, 123, 183}, 243},
		} {
			for i := range c.active {
				c.active[i] *= 1000
			}
			for i := range c.answer {
				c.answer[i] *= 1000
			}
			e := newEnd(t, v, c.cfg)
			e.synSent()
			start := e.now
			require.Equal(t, c.active, e.times(clock.Duration(c.dead)*second-1), c.name)
			require.Equal(t, tcp.SynSent, e.c.State())
			require.NotZero(t, e.c.TakeReady()&tcp.ReadyError, "R1")
			e.pass(1)
			require.Equal(t, tcp.Closed, e.c.State())
			require.Equal(t, tcp.ErrTimeout, e.c.Err())
			require.Equal(t, clock.Duration(c.dead)*second, e.now.Sub(start))
			e.out("in silence")

			e = newEnd(t, v, c.cfg)
			e.synReceived()
			require.Equal(t, c.answer, e.times(clock.Duration(c.gone)*second-1), c.name)
			require.Equal(t, tcp.SynReceived, e.c.State())
			e.pass(1)
			require.Equal(t, tcp.Closed, e.c.State())
		}
	})
}

// A user timeout in SYN-SENT, in the linux profile: SCENARIOS, C15.
func TestSynUserTimeout(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		cfg := tcp.Linux()
		cfg.UserTimeout = 4500 * ms
		e := newEnd(t, v, cfg)
		e.synSent()
		e.pass(4500*ms - 1)
		require.Equal(t, tcp.SynSent, e.c.State())
		e.pass(1)
		require.Equal(t, tcp.Closed, e.c.State())
		require.Equal(t, tcp.ErrTimeout, e.c.Err())
	})
}

// U2, R2: data that nobody acknowledges. The clock of the linux profile runs from
// the first resend; the connection ends at the first timeout after it is over.
func TestDataIsGivenUp(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux()).passive(60000)
		e.write(100)
		e.out("sent", "P. 1(100) ack 1")
		require.Equal(t, uint32(200_000), e.c.Info(e.now).RTO)
		at := []int{}
		for now, d := 0, 200; now < 924_600; d = min(2*d, 120_000) {
			now += d
			at = append(at, now)
		}
		// 0.2 0.6 1.4 .. 204.6 324.6 .. 924.6: 924.4 s after the first.
		require.Equal(t, 924_600, at[len(at)-1])
		require.Equal(t, at, e.times(1044_600*ms))
		require.Equal(t, tcp.Established, e.c.State())
		require.NotZero(t, e.c.TakeReady()&tcp.ReadyError, "SHLD-9: R1")
		e.pass(ms) // the RTO is a little more than 200 ms
		require.Equal(t, tcp.Closed, e.c.State())
		require.Equal(t, tcp.ErrTimeout, e.c.Err())
		e.out("in silence")

		e = newEnd(t, v, tcp.RFC9293()).passive(60000)
		e.write(100)
		e.took()
		require.Equal(t, []int{1000, 3000, 7000, 15000, 31000, 63000, 123000, 183000, 243000}, e.times(303*second-1))
		require.Equal(t, tcp.Established, e.c.State())
		e.pass(ms)
		require.Equal(t, tcp.ErrTimeout, e.c.Err())
	})
}

// MUST-21: R2 is the user's, for one connection, and may be infinite.
//
// Proves: MUST-21
func TestR2IsTheUsers(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, cfg := range []tcp.Config{tcp.Linux(), tcp.RFC9293()} {
			cfg.RTOMax = clock.Hour
			e := newEnd(t, v, cfg).passive(60000)
			e.c.SetR2(255)
			e.write(100)
			e.pass(366 * 24 * clock.Hour)
			require.Equal(t, tcp.Established, e.c.State(), "for ever")
			e.c.SetR2(3)
			e.pass(2 * clock.Hour)
			require.Equal(t, tcp.Closed, e.c.State())
		}
	})
}

// U1, SCENARIOS: USER_TIMEOUT of 5 s on data: resends at 0.2 0.6 1.4 3.0, dead 5 s
// after the first of them in the linux profile; 5 s after the data in the other.
func TestUserTimeoutOnData(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		cfg := tcp.Linux()
		cfg.UserTimeout = 5 * second
		e := newEnd(t, v, cfg).passive(60000)
		e.write(100)
		e.took()
		require.Equal(t, []int{200, 600, 1400, 3000}, e.times(5200*ms-1))
		require.Equal(t, tcp.Established, e.c.State())
		e.pass(ms)
		require.Equal(t, tcp.Closed, e.c.State())
		e.out("in silence")

		cfg = tcp.RFC9293()
		cfg.UserTimeout = 5 * second
		e = newEnd(t, v, cfg).passive(60000)
		e.write(100)
		e.took()
		require.Equal(t, []int{1000, 3000}, e.times(5*second-1))
		e.pass(1)
		require.Equal(t, tcp.Closed, e.c.State())
		require.Equal(t, tcp.ErrUserTimeout, e.c.Err())

		// What is acknowledged in time begins the time anew, in every state that has
		// something in flight.
		e = newEnd(t, v, cfg).passive(60000)
		e.write(100)
		e.pass(3 * second)
		e.in(". 1(0) ack 51 win 60000")
		e.pass(4 * second)
		require.Equal(t, tcp.Established, e.c.State())
		e.pass(1 * second)
		require.Equal(t, tcp.Closed, e.c.State())
		for _, s := range []tcp.State{tcp.FinWait1, tcp.Closing, tcp.LastAck} {
			e := reach(t, v, cfg, s)
			e.pass(5 * second)
			require.Equal(t, tcp.Closed, e.c.State(), "U-16: %v", s)
			require.Equal(t, tcp.ErrUserTimeout, e.c.Err())
		}
	})
}

// K rows of SCENARIOS: keepalive.
func TestKeepaliveSchedule(t *testing.T) {
	open := func(t *testing.T, v variant, cfg tcp.Config) *end { return newEnd(t, v, cfg).passive(60000) }
	each(t, func(t *testing.T, v variant) {
		// K1, MUST-25: off by default.
		e := open(t, v, tcp.Linux())
		require.Empty(t, e.times(30*24*clock.Hour))
		require.Equal(t, clock.Never, e.c.Deadline())

		// K2b: 7200, 75, 9.
		e = open(t, v, tcp.Linux())
		e.c.SetKeepalive(e.now, true, 0, 0, 0)
		var at []int
		for i := range 9 {
			at = append(at, 7200_000+i*75_000)
		}
		require.Equal(t, at, e.times(7875*second-1))
		require.Equal(t, tcp.Established, e.c.State())
		e.pass(1)
		require.Equal(t, tcp.ErrTimeout, e.c.Err(), "after the ninth and one more interval")
		e.out("the peer is told", "R. 1(0) ack 1")

		// K2a: an answer begins the idle time anew.
		e = open(t, v, tcp.Linux())
		e.c.SetKeepalive(e.now, true, 0, 0, 0)
		for range 5 {
			require.Equal(t, []string{"7200.000 . 0(0) ack 1"}, e.timed(7200*second), "SHLD-12, K4")
			e.in(". 1(0) ack 1 win 60000")
			e.out("nothing answers the answer")
		}
		// K2c: a peer that has begun anew answers by a reset.
		e.pass(7200 * second)
		e.in("R 1(0)")
		require.Equal(t, tcp.ErrReset, e.c.Err())

		// Idle 2, interval 1, count 3.
		short := tcp.Linux()
		short.Keepalive, short.KeepaliveIdle, short.KeepaliveInterval, short.KeepaliveCount = true, 2*second, second, 3
		e = open(t, v, short)
		require.Equal(t, []int{2000, 3000, 4000, 5000}, e.times(10*second), "three probes and a reset")
		require.Equal(t, wire.RST|wire.ACK, e.last.Flags)
		require.Equal(t, tcp.ErrTimeout, e.c.Err())

		// U3: with a user timeout the count does not matter.
		long := short
		long.UserTimeout = 7500 * ms
		e = open(t, v, long)
		require.Equal(t, []int{2000, 3000, 4000, 5000, 6000, 7000, 8000}, e.times(20*second), "probes to 7 s, a reset at 8")
		require.Equal(t, wire.RST|wire.ACK, e.last.Flags)
		long.UserTimeout = 1000 * ms
		e = open(t, v, long)
		require.Equal(t, []int{2000, 3000}, e.times(20*second), "one probe, a reset")
		require.Equal(t, wire.RST|wire.ACK, e.last.Flags)

		// MUST-26: not while something is outstanding.
		short.RTOMin = clock.Hour
		short.RTOMax = 2 * clock.Hour
		e = open(t, v, short)
		e.write(1)
		e.took()
		require.Empty(t, e.times(30*clock.Minute))
		e.in(". 1(0) ack 2 win 60000")
		require.Equal(t, 2000, e.times(clock.Minute)[0], "a full interval after what came last")

		// MUST-24: off again.
		e = open(t, v, short)
		e.c.SetKeepalive(e.now, false, 0, 0, 0)
		require.Empty(t, e.times(clock.Hour))
	})
}

// D6, MUST-35 to MUST-37, SHLD-29, SHLD-30: zero-window probes double their
// interval up to the largest RTO, and go on as long as they are answered.
//
// Proves: MUST-35, MUST-36, MUST-37, SHLD-29, SHLD-30
func TestZeroWindowProbes(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux()).passive(0)
		require.Empty(t, e.times(clock.Hour), "no data, no probe")
		e.write(100)
		for past, d := 0, 200; past < 1000_000; d = min(2*d, 120_000) {
			past += d
			e.pass(clock.Duration(d)*ms - ms) // from the answer on, as Linux counts
			e.out("not yet")
			e.pass(ms + ms/2) // the RTO is a little more than 200 ms
			e.out("just the probe, at its time", ". 0(0) ack 1")
			e.in(". 1(0) ack 1 win 0")
			e.out("its answer needs none")
		}
		for range 24 * 30 * 5 {
			e.pass(2 * clock.Minute)
			require.Len(t, e.took(), 1)
			e.in(". 1(0) ack 1 win 0")
		}
		require.Equal(t, tcp.Established, e.c.State(), "MUST-37: after days")
		e.in(". 1(0) ack 1 win 100")
		e.out("the window is open", "P. 1(100) ack 1")

		// Without answers it ends.
		e = newEnd(t, v, tcp.Linux()).passive(0)
		e.write(100)
		e.pass(clock.Hour)
		require.Equal(t, tcp.ErrTimeout, e.c.Err())
		require.Len(t, e.took(), 15)

		// With an octet, in the rfc9293 profile: probes are resends of it.
		e = newEnd(t, v, tcp.RFC9293()).passive(0)
		e.write(100)
		for i, s := range e.timed(100 * second) {
			require.Equal(t, fmt.Sprintf("%d.000 . 1(1) ack 1", 1<<i*2-1), s)
		}
		e.in(". 1(0) ack 2 win 1000")
		e.out("the rest", "P. 2(99) ack 1")
		for range 24 * 30 {
			e.in(fmt.Sprintf(". 1(0) ack %d win 0", int32(e.top-e.iss)))
			if e.c.Unacked() == 0 {
				e.write(100)
			}
			e.pass(clock.Hour / 60)
		}
		require.Equal(t, tcp.Established, e.c.State())
	})
}

// MUST-35, SHLD-17: a window that closes over what is in flight: resends are
// probes, and do not end the connection while the peer answers.
//
// Proves: MUST-35, SHLD-17
func TestZeroWindowOverTheFlight(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, cfg := range []tcp.Config{tcp.Linux(), tcp.RFC9293()} {
			e := newEnd(t, v, cfg).passive(60000)
			e.write(5000)
			e.took()
			e.in(". 1(0) ack 1461 win 0")
			for range 600 {
				e.pass(10 * second)
				for _, s := range e.took() {
					require.Equal(t, ". 1461(1460) ack 1", s)
					e.in(". 1(0) ack 1461 win 0")
				}
			}
			require.Equal(t, tcp.Established, e.c.State())
			e.in(". 1(0) ack 1461 win 60000")
			for i := 0; e.c.Unacked() > 0; i++ {
				require.Less(t, i, 50)
				e.pass(10 * second)
				e.ackAll(60000)
			}

			e = newEnd(t, v, cfg).passive(60000)
			e.write(5000)
			e.in(". 1(0) ack 1461 win 0")
			e.pass(clock.Hour)
			require.Equal(t, tcp.ErrTimeout, e.c.Err(), "without answers it ends")
		}
	})
}

// MUST-18: the RTO at each step of a series of round trips is the reference's, RFC
// 6298 §2; Karn's rule and the backoff around a loss.
//
// Proves: MUST-18, RFC 6298 §2
func TestRTOReference(t *testing.T) {
	series := []clock.Duration{
		100 * ms, 100 * ms, 250 * ms, 10 * ms, 10 * ms, 10 * ms, 3 * second, 40 * ms, 41 * ms, 1, 77 * second, 5 * ms,
	}
	for i := range 30 {
		series = append(series, clock.Duration(i)*7*ms+ms)
	}
	each(t, func(t *testing.T, v variant) {
		for _, linux := range []bool{true, false} {
			cfg := tcp.RFC9293()
			if linux {
				cfg = tcp.Linux()
			}
			cfg.RTOMax = 200 * second
			cfg.RTOInitial = 150 * second // nothing is sent again
			cfg.RTOMin = 150 * second
			e := newEnd(t, v, cfg).passive(60000)
			// The handshake took no time; G is a nanosecond.
			srtt, rttvar := int64(1), int64(0)
			for i, trip := range series {
				e.write(10)
				e.now = e.now.Add(trip)
				e.in(fmt.Sprintf(". 1(0) ack %d win 60000", 1+10*(i+1)))
				r := int64(trip)
				d := srtt - r
				if d < 0 {
					d = -d
				}
				rttvar = rttvar + (d-rttvar)/4
				srtt = srtt + (r-srtt)/8
				info := e.c.Info(e.now)
				require.Equal(t, uint32(srtt/1000), info.RTT, "SRTT after %d", i)
				require.Equal(t, uint32(rttvar/1000), info.RTTVar, "RTTVAR after %d", i)
				rto := max(srtt+4*rttvar, int64(cfg.RTOMin))
				if linux {
					rto = srtt + max(4*rttvar, int64(cfg.RTOMin))
				}
				require.Equal(t, uint32(min(rto, int64(cfg.RTOMax))/1000), info.RTO, "RTO after %d", i)
				e.took()
			}
		}

		// Karn: no sample of what went twice, and the backoff stays until new data has
		// been acknowledged that went once.
		e := newEnd(t, v, tcp.Linux())
		e.synReceived()
		e.pass(100 * ms)
		e.in(". 1(0) ack 1 win 60000")
		require.Equal(t, uint32(300_000), e.c.Info(e.now).RTO, "100 + max(4*50, 200) ms")
		e.write(10)
		e.pass(1000 * ms)
		require.Equal(t, uint32(1200_000), e.c.Info(e.now).RTO, "resends at 0.3 and 0.9 s")
		e.in(". 1(0) ack 11 win 60000")
		require.Equal(t, uint32(100_000), e.c.Info(e.now).RTT)
		require.Equal(t, uint32(1200_000), e.c.Info(e.now).RTO)
		e.write(10)
		e.pass(100 * ms)
		e.in(". 1(0) ack 21 win 60000")
		require.Less(t, e.c.Info(e.now).RTO, uint32(310_000))
	})
}

// MUST-18, RFC 7323 §4: timestamps tell which of two transmissions was answered.
//
// Proves: MUST-18, RFC 7323 §4
func TestRTOWithTimestamps(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux())
		e.synReceived(stamp(5, 0))
		e.pass(100 * ms)
		e.in(". 1(0) ack 1 win 60000", stamp(6, e.last.Options.TSVal))
		e.write(10)
		first := e.last.Options.TSVal
		e.pass(350 * ms)
		require.Equal(t, first+300, e.last.Options.TSVal, "sent again at 300 ms")
		e.in(". 1(0) ack 11 win 60000", stamp(7, first+300))
		require.Equal(t, uint32(100_000-50_000/8), e.c.Info(e.now).RTT, "50 ms")
		require.Zero(t, e.c.Info(e.now).Backoff)
	})
}
