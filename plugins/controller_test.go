package plugins_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

var halfController = of(abi.HookCCAck, abi.HookCCLoss, abi.HookCCRTO)

// begun is the state of a connection of 20 segments that k has begun, at 0.
func begun(k cc.Controller) *cc.State {
	s := cc.NewState(k, 20_000, 1000, 0)
	k.Init(&s, 0)
	return &s
}

// owned is the controller of a Set that is the hook of a stack: its log has what
// becomes of it.
func owned(b *bench) cc.Controller { return b.Own(b.Controller(), &b.log) }

// An ACK for which the fuel of the instant does not suffice is not told, and that is
// all; congestion needs an answer, which CUBIC then gives.
//
// Proves: P13
func TestControllerIsSkipped(t *testing.T) {
	f := &fake{on: func(c *call) int64 { c.put32(abi.CCCwnd, c.u32(abi.CCCwnd)+1); return mutated(abi.FieldArgs) }, fuel: 600_000}
	b := newBench(load(t, f, halfController, "grants cc", "budget large"))
	k := owned(b)
	s := begun(k)
	for range 20 {
		k.OnAck(s, &cc.Ack{Now: 5, Acked: 1000})
	}
	require.Equal(t, uint32(20_009), s.Cwnd, "5000000 are enough for nine calls")
	require.False(t, s.Failed)
	require.Equal(t, plugins.WhySkipped, b.whys()[0])
	k.OnAck(s, &cc.Ack{Now: 6, Acked: 1000})
	require.Equal(t, uint32(20_010), s.Cwnd, "the clock goes on")
	for range 9 {
		k.OnAck(s, &cc.Ack{Now: 6, Acked: 1000})
	}
	k.OnLoss(s, 6, 20_000)
	require.True(t, s.Failed)
}

// A controller has no segment beside which it could inject one, answers with no
// verdict of other hooks, and is silent if it passes a loss.
func TestControllerAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		on     func(c *call) int64
		why    []plugins.Why
		failed bool
	}{
		"injects": {func(c *call) int64 { c.host.Inject(make([]byte, abi.RecordSize)); return mutated(0) }, []plugins.Why{plugins.WhyMutation}, true},
		"drops":   {func(*call) int64 { return int64(abi.Drop) }, []plugins.Why{plugins.WhyBad}, true},
		"flags":   {func(*call) int64 { return mutated(abi.FieldFlags) }, []plugins.Why{plugins.WhyBad}, true},
		"noise":   {func(*call) int64 { return -1 }, []plugins.Why{plugins.WhyBad}, true},
		"leaves":  {func(*call) int64 { return int64(abi.Detach) | 7<<8 }, []plugins.Why{plugins.WhyDetached}, true},
		"passes":  {func(*call) int64 { return int64(abi.Pass) }, nil, true},
		"answers": {func(*call) int64 { return mutated(0) }, nil, false},
	} {
		b := newBench(load(t, &fake{on: c.on}, halfController, "grants cc inject"))
		k := owned(b)
		s := begun(k)
		k.OnLoss(s, 5, 20_000)
		require.Equal(t, c.failed, s.Failed, name)
		require.Equal(t, c.why, b.whys(), name)
	}
}

// A mark is a loss for a controller that has no hook for it: the window goes down
// too, unless it is the controller's own.
func TestControllerWithoutECN(t *testing.T) {
	for wants, cwnd := range map[string]uint32{"wants samples": 10_000, "wants window": 20_000} {
		f := &fake{on: func(c *call) int64 { c.put32(abi.CCSsthresh, c.u32(abi.CCInFlight)/2); return mutated(abi.FieldArgs) }}
		k := owned(newBench(load(t, f, halfController, "grants cc", wants)))
		s := begun(k)
		k.OnECN(s, 5, 20_000)
		require.Equal(t, []abi.Hook{abi.HookCCLoss}, f.calls)
		require.Equal(t, cwnd, s.Cwnd, wants)
	}
}

// A plugin that gets the place of a controller goes on with what that has kept, or
// begins anew in the same window.
func TestControllerTakesOver(t *testing.T) {
	hooks := append(of(abi.HookCCInit), halfController...)
	keeping := func(n uint32) *fake {
		return &fake{on: func(c *call) int64 {
			if c.Hook == abi.HookCCInit {
				c.put32(abi.CCCwnd, 99_000)
			}
			if !c.has(abi.SectionState) {
				return mutated(abi.FieldArgs)
			}
			if c.Hook == abi.HookCCInit {
				c.put32(abi.StateAt, n)
			}
			c.put32(abi.StateAt, c.u32(abi.StateAt)+1)
			return mutated(abi.FieldArgs | abi.FieldState)
		}}
	}
	for name, c := range map[string]struct {
		manifest []string
		kept     uint64
		calls    []abi.Hook
		wants    cc.Wants
	}{
		"the same":      {[]string{"grants cc", "state 8"}, 103, of(abi.HookCCAck), cc.WantsMore},
		"another":       {[]string{"grants cc", "state 16"}, 502, of(abi.HookCCInit, abi.HookCCAck), cc.WantsMore},
		"wants more":    {[]string{"grants cc", "state 8", "wants window"}, 502, of(abi.HookCCInit, abi.HookCCAck), cc.WantsMore | cc.OwnsWindow},
		"keeps nothing": {[]string{"grants cc"}, 0, of(abi.HookCCInit, abi.HookCCAck), cc.WantsMore},
	} {
		b := newBench(load(t, keeping(100), hooks, "name mine", "grants cc", "state 8"))
		k := owned(b)
		s := begun(k)
		s.Cwnd, s.Ssthresh, s.PacingRate = 30_000, 15_000, 7
		k.OnAck(s, &cc.Ack{Now: 5, Acked: 1000})
		f := keeping(500)
		require.NoError(t, b.Replace("mine", load(t, f, hooks, c.manifest...), clock.Instant(6), &b.log))
		require.Same(t, k, b.Controller())
		k.OnAck(s, &cc.Ack{Now: 7, Acked: 1000})
		require.Equal(t, c.calls, f.calls, name)
		if c.kept > 0 {
			require.Equal(t, c.kept, s.More.Priv[0], name)
		}
		require.Equal(t, []uint32{30_000, 15_000}, []uint32{s.Cwnd, s.Ssthresh}, name)
		require.Equal(t, c.wants, s.Wants, name)
		require.False(t, s.Failed, name)
		k.OnAck(s, &cc.Ack{Now: 8, Acked: 1000})
		require.Len(t, f.calls, len(c.calls)+1, "%s: once", name)
	}
}
