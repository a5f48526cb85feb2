package logger_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/hosts/wasm/skeleton"
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

func logged(events []event.Event) []pair {
	var pairs []pair
	for _, e := range events {
		pairs = append(pairs, pair{tcp.State(e.From), tcp.State(e.To)})
	}
	return pairs
}

// TestSeesEveryTransition runs a connection from the first SYN to the end of
// TIME-WAIT, with loss, with and without the plugin on both of its ends.
func TestSeesEveryTransition(t *testing.T) {
	engine, err := wazero.New(wazero.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	options := skeleton.Options{Seed: 3, Octets: 50_000, Loss: 50, Delay: 10 * clock.Millisecond}

	var plain []byte
	without, err := skeleton.New(options)
	require.NoError(t, err)
	without.Tap = &plain
	alone := without.Run()
	require.True(t, alone.Finished)
	require.Positive(t, alone.Lost)

	var watched []byte
	with, err := skeleton.New(options)
	require.NoError(t, err)
	with.Tap = &watched
	var instances [2]*wazero.Instance
	var loaded [2]*plugins.Plugin
	for end := range instances {
		k := keep{Engine: engine}
		p, err := plugins.Load(&k, logger.Module, plugins.Options{Name: "logger"})
		require.NoError(t, err)
		set := plugins.NewSet()
		set.Add(p)
		require.Equal(t, tcp.Mask(tcp.StepTransition), set.Mask(), "it is called for what it exports")
		with.Stack(end).SetHook(set, set.Mask())
		instances[end], loaded[end] = k.last, p
	}
	result := with.Run()

	client := []pair{
		{tcp.Closed, tcp.SynSent}, {tcp.SynSent, tcp.Established}, {tcp.Established, tcp.FinWait1},
		{tcp.FinWait1, tcp.FinWait2}, {tcp.FinWait2, tcp.TimeWait}, {tcp.TimeWait, tcp.Closed},
	}
	require.Equal(t, client, seen(t, instances[skeleton.Client]), "a handshake, an active close and the wait")
	for end, i := range instances {
		require.NoError(t, loaded[end].Err())
		require.Equal(t, logged(with.Transitions(end)), ofConnections(seen(t, i)), "the plugin saw what the log has, in its order")
	}
	require.Equal(t, alone, result, "who watches changes nothing (THREATS P16)")
	require.Equal(t, plain, watched, "the packets are the same, octet by octet")
}
