package tcp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// Two gigabytes without loss lie half the sequence space behind the start: what is
// remembered of the last recovery, here none, must not seem to lie ahead then.
func TestFastRetransmitAfterTwoGigabytes(t *testing.T) {
	v := variants[0]
	e := newEnd(t, v, tcp.Linux())
	e.env.Link.MTU, e.env.Link.Checksum = 65535, true
	e.c.Init(&e.env, &e.cfg, 1, e.tuple())
	e.c.OpenPassive(e.now, e.iss, 0, e.segment("S 0(0) win 65535", mss(65000), scale(14)))
	e.drain()
	e.in(". 1(0) ack 1 win 100")
	e.took()
	ack := e.segment(". 1(0) ack 1 win 100")
	b := make([]byte, 65000)
	for at := e.iss + 1; at-e.iss < 1<<31+100_000; {
		_, err := e.c.Write(e.now, b)
		require.NoError(t, err)
		for e.c.Output(e.now, &e.p) {
			at += 65000
		}
		ack.Ack = at
		e.c.Arrives(e.now, ack)
	}
	for range 4 {
		e.write(65000)
	}
	e.took()
	e.c.Arrives(e.now, ack)
	e.c.Arrives(e.now, ack)
	e.out("two duplicates")
	e.c.Arrives(e.now, ack)
	e.drain()
	require.Len(t, e.sent, 1, "the third brings a fast retransmit")
	require.Equal(t, ack.Ack, e.sent[0].Seq)
}

// RFC 6582 §3.2 step 1: duplicates at the very end of a recovery may be of what it
// has sent needlessly, so they begin none. RFC 3042 §2: nor do they let more than
// two segments out.
//
// Proves: RFC 6582 §3.2, RFC 3042 §2
func TestDuplicatesBehindARecovery(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		cfg := tcp.Linux()
		cfg.RecoveryLasts = false
		e := newEnd(t, v, cfg).passive(60000)
		e.write(40 * 1460)
		require.Len(t, e.took(), 10, "the initial window")
		for range 3 {
			e.in(". 1(0) ack 1 win 60000")
		}
		require.Equal(t, ". 1(1460) ack 1", e.took()[2], "two by limited transmit, one again")
		e.in(fmt.Sprintf(". 1(0) ack %d win 60000", 1+12*1460))
		e.took()
		require.Equal(t, tcp.Open, e.c.Info(e.now).CaState)
		n := 0
		for range 30 {
			e.in(fmt.Sprintf(". 1(0) ack %d win 60000", 1+12*1460))
			for _, s := range e.took() {
				require.NotEqual(t, fmt.Sprintf(". %d(1460) ack 1", 1+12*1460), s, "nothing is sent again")
				n++
			}
		}
		require.LessOrEqual(t, n, 2)
	})
}

// RFC 6675 §5: what was lost while the sender came back from a timeout is known at
// the end of that, since SACKs have shown it. It must not wait for the timer.
//
// Proves: RFC 6675 §5
func TestLossFoundAtTheEndOfARecovery(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		cfg := tcp.Linux()
		cfg.RACK, cfg.FRTO = false, false
		e := newEnd(t, v, cfg).passive(60000, sackOK)
		e.write(40 * 1460)
		require.Len(t, e.took(), 10)
		at := func(n int) uint32 { return uint32(1 + n*1460) }
		e.pass(300 * ms)
		e.out("all are lost", ". 1(1460) ack 1")
		for _, n := range []int{1, 3, 7} {
			e.in(fmt.Sprintf(". 1(0) ack %d win 60000", at(n)))
		}
		require.Contains(t, e.took(), fmt.Sprintf(". %d(1460) ack 1", at(13)), "new data after the old")
		require.Equal(t, tcp.Loss, e.c.Info(e.now).CaState)
		// Segment 10, new, is lost; what the ones behind it say arrives first.
		e.in(fmt.Sprintf(". 1(0) ack %d win 60000", at(7)), e.sack(at(11), at(14)))
		e.took()
		e.in(fmt.Sprintf(". 1(0) ack %d win 60000", at(10)), e.sack(at(11), at(14)))
		require.Contains(t, e.took(), fmt.Sprintf(". %d(1460) ack 1", at(10)))
		require.Equal(t, tcp.Recovery, e.c.Info(e.now).CaState)
	})
}

// RFC 6582 §3.2 step 3: at the end of a recovery cwnd is no more than what is then
// in flight and a segment, by which the duplicates before count no more.
//
// Proves: RFC 6582 §3.2
func TestWindowAfterARecoveryWithoutSACK(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		cfg := tcp.RFC9293()
		cfg.InitialWindow = 10
		e := newEnd(t, v, cfg).passive(60000)
		e.write(20 * 1460)
		require.Len(t, e.took(), 10, "the initial window")
		for range 11 {
			e.in(". 1(0) ack 1 win 60000")
		}
		flight := uint32(len(e.took())-3) * 1460 // two by limited transmit, one again
		require.Equal(t, uint32(4*1460), flight)
		e.in(fmt.Sprintf(". 1(0) ack %d win 60000", 1+12*1460))
		i := e.c.Info(e.now)
		require.Equal(t, tcp.Open, i.CaState)
		require.GreaterOrEqual(t, i.Cwnd, flight+1460)
	})
}

// THREATS S20: duplicate ACKs that stand for nothing halve the window once, and let
// out no more than what was in flight when the recovery began, once more.
//
// Proves: S20
func TestForgedDuplicates(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, cfg := range []tcp.Config{tcp.Linux(), tcp.RFC9293()} {
			cfg.InitialWindow = 10
			e := newEnd(t, v, cfg).passive(65535)
			e.write(44 * 1460)
			require.Len(t, e.took(), 10)
			for range 1000 {
				e.in(". 1(0) ack 1 win 65535")
			}
			out := e.took()
			require.LessOrEqual(t, len(out), 20, "%v", out)
			require.Contains(t, out, ". 1(1460) ack 1", "the fast retransmit")
			i := e.c.Info(e.now)
			require.GreaterOrEqual(t, i.SndSsthresh, uint32(5), "once")
			require.Equal(t, uint64(1), e.env.Stats.FastRetransmits)
		}
	})
}

// RFC 8985 §6.2 step 1: the shortest round trip is one of late, so that a path that
// has become longer is not taken for one that reorders little.
func TestShortestRoundTripIsForgotten(t *testing.T) {
	e := newEnd(t, variants[0], tcp.Linux()).passive(60000, sackOK)
	at := 1
	trip := func(d clock.Duration) uint32 {
		e.write(100)
		e.pass(d)
		at += 100
		e.in(fmt.Sprintf(". 1(0) ack %d win 60000", at))
		e.took()
		return e.c.Info(e.now).MinRTT
	}
	e.pass(6 * 60 * second) // the handshake took no time here
	require.Equal(t, uint32(10_000), trip(10*ms))
	require.Equal(t, uint32(10_000), trip(50*ms))
	e.pass(6 * 60 * second)
	require.Equal(t, uint32(50_000), trip(50*ms))
}
