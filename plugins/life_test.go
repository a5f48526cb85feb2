package plugins_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

var errBroken = errors.New("broken")

// stepOf is where a hook is called, noStep if it is at none.
func stepOf(t *testing.T, h abi.Hook) (tcp.Step, bool) {
	mask := chain(load(t, &fake{}, of(h))).Mask()
	for step := range tcp.Steps {
		if mask.Has(step) {
			return step, true
		}
	}
	return 0, false
}

// TestTrapEverywhere has a plugin that traps in each hook, in each state: nothing
// of the record is changed, and the engine goes on.
//
// Proves: P12
func TestTrapEverywhere(t *testing.T) {
	for _, h := range engineHooks() {
		step, ok := stepOf(t, h)
		if !ok {
			continue
		}
		for state := tcp.Closed; state <= tcp.TimeWait; state++ {
			f := &fake{on: func(c *call) int64 {
				clear(c.b)
				return c.trap(errBroken)
			}}
			b := newBench(load(t, f, of(h), "grants header options payload"))
			r, want := segment(step, 10), segment(step, 10)
			r.From, want.From = state, state
			require.Equal(t, tcp.Pass, b.at(r))
			require.Equal(t, want, stripped(r))
			require.ErrorIs(t, b.Plugins()[0].Err(), errBroken)
			require.EqualError(t, b.Plugins()[0].Err(), "plugin plugin at "+plugins.Export(h)+": broken; find the place by logging: what a call has logged is kept when it traps")
			require.Equal(t, []plugins.Why{plugins.WhyTrap}, b.whys())
			require.Equal(t, 1, f.closed, "the instance is discarded")
			require.Equal(t, r.Now.Add(clock.Second), b.Deadline())
		}
	}
}

// TestBackoff has a plugin that traps at times: a fresh instance, which knows
// nothing, has its place after 1, 2, 4 and 4 seconds.
//
// Proves: P12
func TestBackoff(t *testing.T) {
	traps := false
	f := &fake{on: func(c *call) int64 {
		if traps {
			return c.trap(errBroken)
		}
		c.b[abi.StateAt]++
		c.host.Set(1, c.host.Get(1)+1)
		require.Equal(t, byte(1), c.b[abi.StateAt], "what it knew is lost")
		require.Equal(t, int64(1), c.host.Get(1))
		return int64(abi.Pass) | abi.FieldState<<8
	}}
	b := newBench(load(t, f, of(abi.HookArriving), "state 8"))
	now := clock.Instant(0)
	at := func() {
		r := segment(tcp.StepArriving, 0)
		r.Now = now
		require.Equal(t, tcp.Pass, b.at(r))
	}
	for i, wait := range []clock.Duration{1, 1, 1, 1} {
		traps = false
		at()
		traps = true
		at()
		require.Equal(t, now.Add(wait*clock.Second), b.Deadline())
		calls := len(f.calls)
		at()
		require.Len(t, f.calls, calls, "while it is away nobody is called")
		b.expire(now.Add(wait*clock.Second - 1))
		require.Equal(t, i+1, f.started)
		now = now.Add(wait * clock.Second)
		b.expire(now)
		require.Equal(t, i+2, f.started)
		require.Equal(t, i+1, f.closed)
		now = now.Add(61 * clock.Second)
	}
	// Strikes that are not so far apart.
	traps = true
	at()
	now = now.Add(clock.Second)
	b.expire(now)
	at()
	require.Equal(t, now.Add(2*clock.Second), b.Deadline())
}

// TestThreeStrikes has a plugin that is out after exactly three within 60 s, and
// after ten in all, and never comes back.
//
// Proves: P15
func TestThreeStrikes(t *testing.T) {
	for _, c := range []struct {
		gap     clock.Duration
		strikes int
	}{{20 * clock.Second, 3}, {30 * clock.Second, 3}, {30*clock.Second + 1, 10}, {5 * clock.Minute, 10}} {
		for name, do := range map[string]func(c *call) int64{
			"trap":        func(c *call) int64 { return c.trap(errBroken) },
			"fuel":        func(c *call) int64 { return c.trap(plugins.ErrFuel) },
			"bad verdict": func(*call) int64 { return 99 },
			"bad change":  func(*call) int64 { return mutated(abi.FieldSeq) },
		} {
			f := &fake{on: do}
			b := newBench(load(t, f, of(abi.HookArriving)))
			now := clock.Instant(0)
			for range 20 {
				b.expire(now)
				r := segment(tcp.StepArriving, 0)
				r.Now = now
				require.Equal(t, tcp.Pass, b.at(r))
				now = now.Add(c.gap)
			}
			require.Len(t, f.calls, c.strikes, "%s every %v", name, c.gap)
			require.Equal(t, plugins.OutStruck, b.Plugins()[0].Out())
			require.Equal(t, f.started, f.closed)
			require.Zero(t, b.Mask())
			require.Equal(t, clock.Never, b.Deadline())
			whys := b.whys()
			require.Equal(t, plugins.WhyOut, whys[len(whys)-1], "the last that is told of it")
		}
	}
}

// TestRestartFails has a plugin whose fresh instance fails too.
func TestRestartFails(t *testing.T) {
	f := &fake{on: func(c *call) int64 { return c.trap(errBroken) }}
	b := newBench(load(t, f, of(abi.HookArriving)))
	b.at(segment(tcp.StepArriving, 0))
	f.startErr = errBroken
	for range 10 {
		b.expire(b.Deadline())
	}
	require.Equal(t, plugins.OutStruck, b.Plugins()[0].Out())
	require.Equal(t, []plugins.Why{plugins.WhyTrap, plugins.WhyTrap, plugins.WhyTrap, plugins.WhyOut}, b.whys())
}

// TestGuard compares what happens to segments when a plugin fails that is in mode
// open, and one that is in mode guard.
//
// Proves: P14
func TestGuard(t *testing.T) {
	for _, guard := range []bool{false, true} {
		mode, want := "mode open", tcp.Pass
		if guard {
			mode, want = "mode guard", tcp.DropIt
		}
		for _, step := range []tcp.Step{tcp.StepArriving, tcp.StepLeaving, tcp.StepMoving, tcp.StepMoved, tcp.StepSyn, tcp.StepIngress, tcp.StepEgress} {
			fails := false
			f := &fake{on: func(c *call) int64 {
				if fails {
					return c.trap(errBroken)
				}
				return 0
			}}
			b := newBench(load(t, f, engineHooks(), mode, "filter * port=80", "grants observe"))
			require.Equal(t, tcp.Pass, b.at(segment(step, 10)))
			fails = true
			for range 5 {
				r := segment(step, 10)
				require.Equal(t, want, b.at(r), "while it fails, while it waits, and when it is out")
				other := segment(step, 10)
				other.Tuple.Local.Port = 81
				require.Equal(t, tcp.Pass, b.at(other), "it would not have been asked about that one")
				b.expire(b.Deadline())
			}
			require.Equal(t, plugins.OutStruck, b.Plugins()[0].Out())
			require.Equal(t, want, b.at(segment(step, 10)))
			require.Equal(t, tcp.Pass, b.at(established(tcp.StepTransition)), "there is nothing to drop")
			whys := b.whys()
			if guard {
				require.Equal(t, plugins.WhyAbsent, whys[len(whys)-1], "each is an event")
			}
			// Its user can take it away.
			require.NoError(t, b.Remove("plugin", 0, &b.log))
			require.Equal(t, tcp.Pass, b.at(segment(step, 10)))
		}
	}
}

// TestPollBudget has plugins that use all of their fuel for each of 100
// connections at one instant: what they may use together is bounded, and at the
// next instant they are called again.
//
// Proves: P13
func TestPollBudget(t *testing.T) {
	const hook, poll = 1_000_000, 5_000_000
	f := &fake{fuel: hook}
	b := newBench(load(t, f, of(abi.HookArriving), "budget large"))
	for now := range clock.Instant(3) {
		for range 100 {
			r := segment(tcp.StepArriving, 0)
			r.Now = now
			require.Equal(t, tcp.Pass, b.at(r))
		}
	}
	s := b.Plugins()[0].Stats()
	require.Equal(t, uint64(3*poll/hook), s.Calls)
	require.Equal(t, uint64(3*poll), s.Fuel)
	require.Equal(t, uint64(hook), s.Most)
	require.Equal(t, uint64(300-3*poll/hook), s.Skipped, "the others are skipped and counted")
	require.Zero(t, s.Strikes)
	require.Contains(t, b.whys(), plugins.WhySkipped)

	// A small plugin uses little, and is not skipped.
	f = &fake{fuel: 200}
	b = newBench(load(t, f, of(abi.HookArriving), "budget small"))
	for range 10000 {
		b.at(segment(tcp.StepArriving, 0))
	}
	require.Len(t, f.calls, 10000)
}

// TestAnswersSayWhatMends is what an author reads whose hook has given an answer that
// it may not give.
func TestAnswersSayWhatMends(t *testing.T) {
	drop := int64(abi.Drop)
	for name, c := range map[string]struct {
		hook   abi.Hook
		grants string
		answer int64
		says   string
	}{
		"no grant": {abi.HookLeaving, "grants observe", int64(abi.Mutated) | abi.FieldTOS<<8,
			"plugin plugin at tcpkit_segment_leaving: it returned mutated tos without the grant header; ask for it in the manifest: grants observe header"},
		"not there": {abi.HookTransition, "grants observe header", drop,
			"plugin plugin at tcpkit_transition: it returned drop, which is no verdict that this tcpkit obeys there; there may be pass, reset, go to"},
		"nowhere": {abi.HookLost, "grants observe", 99,
			"plugin plugin at tcpkit_lost: it returned verdict 99, which is no verdict that this tcpkit obeys there; there may be pass"},
		"negative": {abi.HookLost, "grants observe", -7,
			"plugin plugin at tcpkit_lost: it returned -7, which is no verdict that this tcpkit obeys there; there may be pass"},
		"another field": {abi.HookRTT, "grants cc", int64(abi.Mutated) | abi.FieldSeq<<8,
			"plugin plugin at tcpkit_rtt: it returned mutated seq, which is no verdict that this tcpkit obeys there; there may be pass, mutated args"},
	} {
		f := &fake{on: func(*call) int64 { return c.answer }}
		b := newBench(load(t, f, of(c.hook), c.grants))
		step, _ := stepOf(t, c.hook)
		b.at(segment(step, 0))
		require.EqualError(t, b.Plugins()[0].Err(), c.says, name)
	}
}

// TestFuel has a plugin that runs out of it.
func TestFuel(t *testing.T) {
	for class, budget := range map[string]int64{"budget small": 10_000, "budget medium": 100_000, "budget large": 1_000_000, "budget go": 1_000_000, "budget hook 77": 77} {
		f := &fake{fuel: budget}
		b := newBench(load(t, f, of(abi.HookArriving), class))
		b.at(segment(tcp.StepArriving, 0))
		require.NoError(t, b.Plugins()[0].Err())
		f.fuel++
		b.at(segment(tcp.StepArriving, 0))
		require.ErrorIs(t, b.Plugins()[0].Err(), plugins.ErrFuel)
		require.EqualError(t, b.Plugins()[0].Err(),
			"plugin plugin at tcpkit_segment_arriving: it used up its fuel; do less there, or ask for more with a line budget in the manifest")
	}
}

// TestDepth has a plugin that is called while it is being called, which cannot be.
//
// Proves: P11
func TestDepth(t *testing.T) {
	f := &fake{}
	var b *bench
	f.on = func(*call) int64 {
		require.Equal(t, tcp.Pass, b.at(segment(tcp.StepArriving, 0)))
		return 0
	}
	b = newBench(load(t, f, of(abi.HookArriving)))
	b.at(segment(tcp.StepArriving, 0))
	require.Len(t, f.calls, 1)
}
