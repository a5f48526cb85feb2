package wazero_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/internal/hostile"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// controllerOf is a plugin as a controller, and the plugin.
func controllerOf(t testing.TB, e plugins.Engine, name string) (cc.Controller, *plugins.Plugin) {
	t.Helper()
	p, err := plugins.Load(e, hostile.Module(name, "grants cc\n"), plugins.Options{Name: name})
	require.NoError(t, err)
	set := plugins.NewSet()
	set.Add(p)
	c := set.Controller()
	require.NotNil(t, c)
	require.Equal(t, c, set.Controller(), "it is the same each time")
	t.Cleanup(func() { require.NoError(t, set.Close()) })
	return c, p
}

// lossy is 4 MiB over a path that loses now and then.
func lossy(t testing.TB) *sim.Comparison {
	t.Helper()
	c, err := core.Profile("")
	require.NoError(t, err)
	return &sim.Comparison{
		Seed: 3, Core: c, Octets: 4 << 20,
		Way:  sim.Channel{Delay: 10 * clock.Millisecond, Rate: 12_500_000, Queue: 250_000, Loss: 2000},
		Back: sim.Channel{Delay: 10 * clock.Millisecond},
	}
}

// A controller that traps, or has no answer to a loss, costs the connection its
// controller: CUBIC goes on, and the data arrives.
//
// Proves: P12, P14
func TestControllerFallsBack(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	for _, name := range []string{"cc-trap", "cc-silent"} {
		c, p := controllerOf(t, e, name)
		r, err := sim.Compare(lossy(t), c)
		require.NoError(t, err, name)
		require.Equal(t, uint64(4<<20), r[0].Octets, name)
		require.Equal(t, uint64(1), r[0].Fallbacks, name)
		require.Equal(t, name == "cc-trap", p.Err() != nil, "%v", p.Err())
	}
}

// A controller that asks for everything, and then for nothing, is kept within
// bounds.
func TestControllerIsClamped(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	c, p := controllerOf(t, e, "cc-wild")
	r, err := sim.Compare(lossy(t), c)
	require.NoError(t, err, "the simulator's invariants hold")
	require.Equal(t, uint64(4<<20), r[0].Octets)
	require.Zero(t, r[0].Fallbacks)
	require.NoError(t, p.Err())
}

// Half a controller is refused, with what is missing.
func TestHalfAController(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	_, err := plugins.Load(e, hostile.Module("cc-silent", "grants observe\n"), plugins.Options{})
	require.ErrorContains(t, err, "grants cc")
	_, err = plugins.Load(e, hostile.Module("cc-silent", "grants cc\nhooks cc_ack cc_loss\n"), plugins.Options{})
	require.ErrorContains(t, err, "without tcpkit_cc_rto")
}

// whyOf is the reason of the newest event of a plugin on a host.
func whyOf(w *sim.World, host int32) (why plugins.Why) {
	for _, e := range w.Recent() {
		if e.Host == host && e.Kind == event.Plugin {
			why = plugins.Why(uint32(e.B))
		}
	}
	return why
}

// A controller that fails in the middle of a transfer fails alone: the data arrives,
// the other plugins and the connection go on, and the log of the stack has why.
//
// Proves: P12, P15
func TestControllerFailsAlone(t *testing.T) {
	const octets = 1 << 20
	for name, why := range map[string]plugins.Why{"cc-trap": plugins.WhyTrap, "cc-loop": plugins.WhyFuel, "cc-detach": plugins.WhyDetached} {
		e := newEngine(t, wazero.Config{})
		set := plugins.NewSet()
		set.Add(loadHostile(t, e, name, "grants cc\n"))
		set.Add(loadHostile(t, e, "greedy", "grants observe\n"))
		cfg := sim.Transfer(lossy(t).Core, wire.IPv4, octets, lossy(t).Way)
		cfg.Seed = 5
		client := &cfg.Hosts[sim.TransferClient]
		client.Hook, client.Hooks, client.Core.TCP.Controller = set, set.Mask(), set.Controller()
		w, err := sim.New(&cfg)
		require.NoError(t, err)
		stack := w.Stack(sim.TransferClient)
		for stack.Stats().Fallbacks == 0 {
			require.True(t, w.Step(), "%s has not failed", name)
		}
		require.Equal(t, why, whyOf(w, sim.TransferClient), name)
		pair := w.Hook(sim.TransferClient).(*plugins.Set).Plugins()
		failed, other := pair[0].Stats(), pair[1].Stats()
		require.NoError(t, w.Finish())
		r := transferRun{world: w}
		r.intact(t, octets)
		require.Equal(t, uint64(1), stack.Stats().Fallbacks, name)
		require.Zero(t, w.Stack(sim.TransferServer).Stats().Fallbacks, name)
		require.Equal(t, failed.Calls, pair[0].Stats().Calls, "%s is not asked again for this connection", name)
		require.Greater(t, pair[1].Stats().Calls, other.Calls)
		require.NoError(t, pair[1].Err())
	}
}
