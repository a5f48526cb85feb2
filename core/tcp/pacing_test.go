package tcp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// pacedEnd is an end with an SRTT of 100 ms and a congestion window of 20 segments
// of 1000 octets, of which the first ten have been acknowledged.
func pacedEnd(t testing.TB, v variant, cfg tcp.Config) *end {
	cfg.MaxMSS, cfg.Pacing, cfg.SendBuffer, cfg.SendBufferMax = 1000, true, 1<<20, 1<<20
	e := newEnd(t, v, cfg)
	e.synReceived()
	e.pass(100 * ms)
	e.in(". 1(0) ack 1 win 65535")
	e.write(10_000)
	require.Len(t, e.took(), 10, "the initial window goes at once")
	e.pass(100 * ms)
	return e
}

// departures are the times at which segments with data left, from start on.
func (e *end) departures(start clock.Instant) (at []clock.Duration) {
	for i := range e.sent {
		if len(e.sent[i].payload) > 0 {
			at = append(at, e.sent[i].at.Sub(start))
		}
	}
	e.sent = e.sent[:0]
	return at
}

// A host whose timers are late by up to Slack loses nothing of the rate: what was due
// in between goes together. One that claims to be in time, and is not, loses all but
// one segment at each timer.
func TestPacingWithLateTimers(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for slack, want := range map[clock.Duration][]int{0: {1, 1, 1, 1, 1}, 10 * ms: {5, 4, 4, 4, 3}} {
			e := pacedEnd(t, v, tcp.Linux())
			e.env.Slack = slack
			start := e.now
			e.in(". 1(0) ack 10001 win 65535")
			e.write(20_000) // at 400,000 octets a second, so 2.5 ms each
			for range 4 {
				e.now = e.now.Add(10 * ms)
				e.c.Expire(e.now)
				e.drain()
			}
			got := make([]int, 5)
			for _, at := range e.departures(start) {
				got[at/(10*ms)]++
			}
			require.Equal(t, want, got, "in each 10 ms, with a slack of %d", slack)
		}
	})
}

// With pacing what the window lets out is spread: below half of ssthresh at twice
// cwnd/SRTT, above it at 1.2 times.
//
// Proves: Linux: tcp_pacing_ss_ratio
func TestPacing(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := pacedEnd(t, v, tcp.Linux())
		start := e.now
		e.in(". 1(0) ack 10001 win 65535")
		e.write(20_000)
		e.pass(200 * ms)
		// The window is 20,000 octets: 400,000 a second, so 2.5 ms each. The first was
		// late by almost 100 ms and makes up for half of its time.
		want := []clock.Duration{0, 1250 * clock.Microsecond}
		for len(want) < 20 {
			want = append(want, want[len(want)-1]+2500*clock.Microsecond)
		}
		require.Equal(t, want, e.departures(start))
		require.Equal(t, uint64(400_000), e.c.Info(e.now).PacingRate)

		cfg := tcp.Linux()
		cfg.PacingSlowStart, cfg.PacingAvoidance = 100, 50
		e = pacedEnd(t, v, cfg)
		require.Equal(t, uint64(100_000), e.c.Info(e.now).PacingRate, "ten segments in 100 ms")
	})
}

// A bound of the user's paces whatever the configuration says, and 0 takes it away.
//
// Proves: Linux: SO_MAX_PACING_RATE
func TestMaxPacingRate(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, rate := range []uint64{1, 1000, 50_000, 1 << 20, 1 << 40, 1<<64 - 1} {
			e := newEnd(t, v, tcp.Linux())
			e.cfg.SendBuffer, e.cfg.SendBufferMax = 1<<20, 1<<20
			e.c.Init(&e.env, &e.cfg, 1, e.tuple())
			e.passive(65535, scale(7))
			e.c.SetMaxPacingRate(rate)
			e.write(14_600)
			e.ackAll(65535)
			start := e.now
			e.sent = e.sent[:0]
			e.write(14_600)
			e.pass(10 * second)
			at := e.departures(start)
			if rate >= 1<<40 {
				require.GreaterOrEqual(t, len(at), 10)
				require.Less(t, at[9], ms, "so fast that it does not matter")
				continue
			}
			require.Equal(t, rate == 1, len(at) == 0, "at one octet a second the next goes after 1460 s")
			gap := clock.Duration(1460 * uint64(second) / rate)
			for i := 2; i < min(len(at), 10, int(200*ms/gap)); i++ { // before the timeout
				require.Equal(t, gap, at[i]-at[i-1], "%d octets a second", rate)
			}
			e.c.SetMaxPacingRate(0)
			e.pass(clock.Hour)
			require.Empty(t, e.c.Settled())
		}
	})
}

// Without pacing the window goes out at once: Linux paces only with another queue
// than its default or a controller that asks for it.
func TestNoPacing(t *testing.T) {
	e := newEnd(t, variants[0], tcp.Linux()).passive(65535)
	e.write(14_600)
	e.pass(100 * ms)
	e.ackAll(65535)
	start := e.now
	e.sent = e.sent[:0]
	e.write(29_200)
	require.Equal(t, make([]clock.Duration, 20), e.departures(start))
}

// What is lost is sent again no faster than what is new.
func TestPacedRetransmissions(t *testing.T) {
	e := pacedEnd(t, variants[0], tcp.Linux())
	start := e.now
	e.pass(clock.Second)
	at := e.departures(start)
	require.NotEmpty(t, at, "the timeout")
	start = e.now
	e.in(". 1(0) ack 1001 win 65535")
	e.in(". 1(0) ack 2001 win 65535")
	e.in(". 1(0) ack 3001 win 65535")
	e.pass(50 * ms)
	at = e.departures(start)
	require.NotEmpty(t, at)
	for i := 1; i < len(at); i++ {
		require.Positive(t, at[i]-at[i-1], fmt.Sprint(at))
	}
}

// A packet that the link cuts counts for as many segments as it becomes: else the
// initial window, which is not paced, would be one of super-packets.
//
// Proves: Linux: SO_MAX_PACING_RATE
func TestPacingOfSuperPackets(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		cfg := tcp.Linux()
		cfg.MaxMSS, cfg.SendBuffer, cfg.SendBufferMax = 1000, 1<<20, 1<<20
		e := newEnd(t, v, cfg)
		e.env.Link.MaxSuper = 65535
		e.passive(65535, scale(7))
		e.write(10_000)
		e.in(". 1(0) ack 10001 win 65535")
		require.Len(t, e.took(), 1, "the initial window in one packet")
		info := e.c.Info(e.now)
		require.Equal(t, uint32(10), info.DataSegsOut)
		require.Equal(t, uint32(11), info.SegsOut, "with the SYN-ACK")
		e.c.SetMaxPacingRate(100_000)
		start := e.now
		e.write(4000)
		e.pass(100 * ms)
		require.Equal(t, []clock.Duration{0, 20 * ms}, e.departures(start), "two segments each")
	})
}
