package wazero_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/sim"
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
