package logger_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/examples/logger"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// keep is an engine that remembers its last instance, to look into its memory.
type keep struct {
	*wazero.Engine
	last *wazero.Instance
}

func (k *keep) Start(wasm []byte, host plugins.Imports, fuel int64) (plugins.Instance, error) {
	i, err := k.Engine.Start(wasm, host, fuel)
	if err == nil {
		k.last = i.(*wazero.Instance)
	}
	return i, err
}

type pair struct{ from, to tcp.State }

// seen reads what the plugin has kept.
func seen(t *testing.T, i *wazero.Instance) []pair {
	t.Helper()
	var count [4]byte
	require.True(t, i.ReadMemory(logger.CountAt, count[:]))
	n := wire.Le32(count[:])
	require.LessOrEqual(t, n, uint32(logger.Pairs))
	b := make([]byte, 2*n)
	require.True(t, i.ReadMemory(logger.PairsAt, b))
	var pairs []pair
	for ; len(b) > 0; b = b[2:] {
		pairs = append(pairs, pair{tcp.State(b[0]), tcp.State(b[1])})
	}
	return pairs
}

// ofConnections leaves the listeners out, of which the log has nothing.
func ofConnections(pairs []pair) []pair {
	return slices.DeleteFunc(pairs, func(p pair) bool {
		return p == pair{tcp.Closed, tcp.Listen} || p == pair{tcp.Listen, tcp.Closed}
	})
}

// A witness notes the transitions of both hosts.
type witness [2][]pair

// See is sim.Observer.
func (o *witness) See(_ *sim.World, s *sim.Sight) {
	if s.What == sim.Happened && s.Event.Kind == event.Transition {
		o[s.Host] = append(o[s.Host], pair{tcp.State(s.Event.From), tcp.State(s.Event.To)})
	}
}

// transfer is a world in which one connection goes from the first SYN to the end of
// TIME-WAIT, with loss.
func transfer(t *testing.T) sim.Config {
	c, err := core.Profile("linux")
	require.NoError(t, err)
	cfg := sim.Transfer(c, wire.IPv4, 50_000, sim.Channel{Delay: 10 * clock.Millisecond, Loss: 50_000})
	cfg.Seed, cfg.Capture = 3, true
	return cfg
}

func run(t *testing.T, cfg sim.Config) (*sim.World, *witness) {
	w, err := sim.New(&cfg)
	require.NoError(t, err)
	o := &witness{}
	w.Observe(o)
	require.NoError(t, w.Finish())
	return w, o
}

// TestSeesEveryTransition runs that world with and without the plugin on both hosts.
func TestSeesEveryTransition(t *testing.T) {
	engine, err := wazero.New(wazero.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	without, _ := run(t, transfer(t))
	require.Positive(t, without.Count().Lost)

	cfg := transfer(t)
	var instances [2]*wazero.Instance
	var loaded [2]*plugins.Plugin
	for host := range instances {
		k := keep{Engine: engine}
		p, err := plugins.Load(&k, logger.Module, plugins.Options{Name: "logger"})
		require.NoError(t, err)
		set := plugins.NewSet()
		set.Add(p)
		require.Equal(t, tcp.Mask(tcp.StepTransition), set.Mask(), "it is called for what it exports")
		cfg.Hosts[host].Hook, cfg.Hosts[host].Hooks = set, set.Mask()
		instances[host], loaded[host] = k.last, p
	}
	with, noted := run(t, cfg)

	client := []pair{
		{tcp.Closed, tcp.SynSent}, {tcp.SynSent, tcp.Established}, {tcp.Established, tcp.FinWait1},
		{tcp.FinWait1, tcp.FinWait2}, {tcp.FinWait2, tcp.TimeWait}, {tcp.TimeWait, tcp.Closed},
	}
	require.Equal(t, client, seen(t, instances[sim.TransferClient]), "a handshake, an active close and the wait")
	for host, i := range instances {
		require.NoError(t, loaded[host].Err())
		require.Equal(t, noted[host], ofConnections(seen(t, i)), "the plugin saw what the log has, in its order")
	}
	require.Equal(t, without.Hash(), with.Hash(), "who watches changes nothing (THREATS P16)")
	require.Equal(t, without.Captured(), with.Captured(), "the packets are the same, octet by octet")
}
