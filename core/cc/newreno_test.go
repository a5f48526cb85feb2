package cc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/cc/cctest"
	"github.com/tcpkit/tcpkit/core/clock"
)

// RFC 5681 §3.1: above ssthresh one MSS a round trip, whatever the ACKs cover.
//
// Proves: RFC 5681 §3.1
func TestNewRenoOneSegmentPerRound(t *testing.T) {
	for _, perAck := range []uint32{1, 2, 5} {
		f := cctest.NewFlow(cc.NewReno{})
		f.PerAck = perAck
		f.Cwnd = 64 * mss
		f.Lose()
		require.Equal(t, uint32(32*mss), f.Cwnd)
		for round := uint32(1); round <= 50; round++ {
			f.Round()
			require.InDelta(t, (32+round)*mss, f.Cwnd, mss, "round %d", round)
		}
	}
}

// The ACK that ends recovery counts for congestion avoidance, as in Linux.
func TestNewRenoAckThatEndsRecovery(t *testing.T) {
	f := cctest.NewFlow(cc.NewReno{})
	f.Lose()
	ack := f.Ack(7 * mss)
	f.Controller.OnAck(&f.State, &ack)
	require.Equal(t, uint32(6*mss), f.Cwnd)
}

// An ACK never adds more than one MSS, however much it covers.
func TestNewRenoStretchAck(t *testing.T) {
	f := cctest.NewFlow(cc.NewReno{})
	f.Lose()
	for range 10 {
		before := f.Cwnd
		ack := f.Ack(1000 * mss)
		f.Controller.OnAck(&f.State, &ack)
		require.Equal(t, before+mss, f.Cwnd)
	}
}

// After idleness slow start leads back to three quarters of what was reached.
func TestNewRenoIdleRemembers(t *testing.T) {
	f := cctest.NewFlow(cc.NewReno{})
	f.Cwnd = 64 * mss
	f.Lose()
	f.Cwnd = 80 * mss
	f.Controller.OnIdle(&f.State, f.Now, 2*clock.Second, clock.Second)
	require.Equal(t, uint32(10*mss), f.Cwnd)
	require.Equal(t, uint32(60*mss), f.Ssthresh)
}
