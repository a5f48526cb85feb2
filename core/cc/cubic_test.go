package cc_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/cc/cctest"
	"github.com/tcpkit/tcpkit/core/clock"
)

// oracle is RFC 9438 §4.2 to §4.5 in floats, in segments and seconds, an ACK at
// a time.
type oracle struct{ cwnd, max, prior, est, k, t float64 }

func newOracle(cwnd, max, prior float64) *oracle {
	o := &oracle{cwnd: cwnd, max: math.Max(max, cwnd), prior: prior, est: cwnd}
	o.k = math.Cbrt((o.max - cwnd) / 0.4)
	return o
}

func (o *oracle) curve(t float64) float64 { return 0.4*math.Pow(t-o.k, 3) + o.max }

func (o *oracle) ack(acked, step, rtt float64) {
	o.t += step
	alpha := 3 * (1 - 0.7) / (1 + 0.7)
	if o.est >= o.prior {
		alpha = 1
	}
	o.est += alpha * acked / o.cwnd
	if o.curve(o.t) < o.est {
		o.cwnd = math.Max(o.cwnd, o.est)
		return
	}
	target := math.Min(math.Max(o.curve(o.t+rtt), o.cwnd), 1.5*o.cwnd)
	o.cwnd += acked * (target - o.cwnd) / o.cwnd
}

// The window is that of the formula, through the concave and the convex region
// and in the Reno-friendly one, within 1 % or the one segment to which the curve
// is cut.
//
// Proves: RFC 9438 §4.1, RFC 9438 §4.2
func TestCubicCurve(t *testing.T) {
	for _, path := range []struct {
		segments float64
		rtt      clock.Duration
		seconds  int64
	}{
		{10, 10 * clock.Millisecond, 10}, // Reno-friendly
		{100, 20 * clock.Millisecond, 20},
		{200, 100 * clock.Millisecond, 20},
		{1000, 100 * clock.Millisecond, 25},
		{1000, 300 * clock.Millisecond, 30},
		{10000, 500 * clock.Millisecond, 30},
	} {
		f := cctest.NewFlow(cc.Cubic{})
		f.RTT = path.rtt
		f.Cwnd = uint32(path.segments) * mss
		f.Lose()
		o := newOracle(float64(f.Cwnd)/mss, path.segments, path.segments)
		rtt := float64(path.rtt) / 1e9
		end := f.Now.Add(clock.Duration(path.seconds) * clock.Second)
		first := true
		for f.Now < end {
			segments := f.Cwnd / mss
			for range segments {
				step := f.RTT / clock.Duration(segments)
				f.Now = f.Now.Add(step)
				ack := f.Ack(mss)
				f.Controller.OnAck(&f.State, &ack)
				if first {
					step, first = 0, false // the first ACK starts the epoch
				}
				o.ack(1, float64(step)/1e9, rtt)
			}
			require.InDelta(t, o.cwnd, float64(f.Cwnd)/mss, math.Max(1, o.cwnd/100),
				"loss at %v, RTT %v, %v s into the epoch, K %v", path.segments, path.rtt, o.t, o.k)
		}
	}
}

// RFC 9438 §4.7: the second loss, below the plateau of the first, sets the
// plateau lower than the window.
//
// Proves: RFC 9438 §4.7
func TestCubicFastConvergence(t *testing.T) {
	plateau := func(loseAt uint32) uint32 {
		f := cctest.NewFlow(cc.Cubic{})
		f.Cwnd = 1000 * mss
		f.Lose()
		f.Round()
		f.Cwnd = loseAt * mss
		f.Lose()
		for range 60 { // up to the flat part
			f.Round()
		}
		return f.Cwnd / mss
	}
	require.InEpsilon(t, 1000, plateau(1000), 0.03, "K is 9.1 s: almost back at once")
	require.InEpsilon(t, 800*17/20, plateau(800), 0.03, "0.85 of the window")
}

// RFC 9438 §4.8: after a timeout the epoch begins on its plateau, where slow
// start ended.
//
// Proves: RFC 9438 §4.8
func TestCubicTimeout(t *testing.T) {
	f := cctest.NewFlow(cc.Cubic{})
	f.Cwnd = 1000 * mss
	f.Controller.OnRTO(&f.State, f.Now, f.Cwnd)
	require.Equal(t, uint32(700*mss), f.Ssthresh)
	f.Cwnd = mss
	for f.Cwnd < f.Ssthresh {
		f.Round()
	}
	f.Round()
	require.InEpsilon(t, 700*mss, f.Cwnd, 0.01)
	for range 10 { // 1 s: the curve adds 0.4 segments, Reno 6
		f.Round()
	}
	require.InEpsilon(t, 706*mss, f.Cwnd, 0.01)
}

// RFC 9438 §5.8: time in which the application has nothing to send is not on the
// curve.
//
// Proves: RFC 9438 §5.8
func TestCubicApplicationLimited(t *testing.T) {
	f := cctest.NewFlow(cc.Cubic{})
	f.Cwnd = 1000 * mss
	f.Lose()
	f.Round()
	idle := *f
	for range 300 {
		idle.Now = idle.Now.Add(idle.RTT)
		ack := idle.Ack(mss)
		ack.CwndLimited = false
		idle.Controller.OnAck(&idle.State, &ack)
	}
	paused := *f
	paused.Now = paused.Now.Add(clock.Minute) // and with no ACK at all
	for range 20 {
		f.Round()
		idle.Round()
		paused.Round()
	}
	require.Equal(t, f.Cwnd, idle.Cwnd)
	require.InEpsilon(t, f.Cwnd, paused.Cwnd, 0.02)
}

// The ACK that ends recovery counts for congestion avoidance, as in Linux.
func TestCubicAckThatEndsRecovery(t *testing.T) {
	f := cctest.NewFlow(cc.Cubic{})
	f.Lose()
	ack := f.Ack(7 * mss)
	f.Controller.OnAck(&f.State, &ack)
	require.Equal(t, uint32(8*mss), f.Cwnd)
}

// RFC 9438 §4.4: the target is at most half as much again as the window, even
// where the curve is far above it.
//
// Proves: RFC 9438 §4.4
func TestCubicTargetIsBounded(t *testing.T) {
	f := cctest.NewFlow(cc.Cubic{})
	f.RTT = 20 * clock.Second // the curve adds 3200 segments in one round trip
	f.Lose()
	f.Round()
	before := f.Cwnd
	ack := f.Ack(f.Cwnd)
	f.Controller.OnAck(&f.State, &ack)
	require.Equal(t, before+before/2, f.Cwnd)
}

// RFC 9438 §4.9: undo leads back to the place on the curve, here far up in the
// convex region, where a new epoch would begin on a plateau.
//
// Proves: RFC 9438 §4.9
func TestCubicUndoGoesOn(t *testing.T) {
	f := cctest.NewFlow(cc.Cubic{})
	f.Cwnd = 1000 * mss
	f.Lose()
	for range 200 { // 20 s, and K is 9.1 s
		f.Round()
	}
	straight := *f
	f.Controller.OnLoss(&f.State, f.Now, f.Cwnd)
	f.Cwnd = f.Ssthresh
	f.Controller.Undo(&f.State, f.Now)
	for range 20 {
		straight.Round()
		f.Round()
	}
	require.Greater(t, straight.Cwnd, uint32(1500*mss))
	require.InEpsilon(t, straight.Cwnd, f.Cwnd, 0.001)
}

// After idleness the window climbs from where slow start ended, and doesn't jump
// to what Reno would have had before.
func TestCubicIdleBeginsAnEpoch(t *testing.T) {
	f := cctest.NewFlow(cc.Cubic{})
	f.RTT = 10 * clock.Millisecond // Reno-friendly
	f.Cwnd = 40 * mss
	f.Lose()
	for range 100 {
		f.Round()
	}
	f.Now = f.Now.Add(clock.Minute)
	f.Controller.OnIdle(&f.State, f.Now, clock.Minute, clock.Second)
	f.Cwnd = f.Ssthresh // slow start has led there
	before := f.Cwnd
	ack := f.Ack(mss)
	f.Controller.OnAck(&f.State, &ack)
	require.LessOrEqual(t, f.Cwnd, before+mss)
}
