package plugins_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// watcher counts up what it is told in batches.
func watcher(seen *[]uint64) *fake {
	return &fake{on: func(c *call) int64 {
		if c.Hook != abi.HookBatch {
			return 0
		}
		for i := range c.n {
			record := c.b[i*abi.BatchSize:]
			*seen = append(*seen, uint64(wire.Le16(record[abi.OffsetHook:]))<<32|uint64(wire.Le32(record[abi.OffsetPacket:])))
		}
		return 0
	}}
}

// TestBatches has an observer that is told of many records at once: in their
// order, each once, none later than 100 ms.
func TestBatches(t *testing.T) {
	var seen []uint64
	f := watcher(&seen)
	b := newBench(load(t, f, of(abi.HookBatch), "hooks segment_arrived rtt", "batch 4", "filter * port=80"))
	require.Equal(t, tcp.Mask(tcp.StepArrived, tcp.StepRTT), b.Mask())
	var want []uint64
	at := func(step tcp.Step, hook abi.Hook, now clock.Instant) {
		r := segment(step, 0)
		r.Now, r.Packet = now, uint32(len(want))
		want = append(want, uint64(hook)<<32|uint64(r.Packet))
		require.Equal(t, tcp.Pass, b.at(r))
	}
	for range 3 {
		at(tcp.StepArrived, abi.HookArrived, 1000)
	}
	other := segment(tcp.StepArrived, 0)
	other.Tuple.Local.Port = 81
	b.at(other)
	require.Empty(t, f.calls)
	require.Equal(t, clock.Instant(1000).Add(100*clock.Millisecond), b.Deadline())
	at(tcp.StepRTT, abi.HookRTT, 2000)
	require.Equal(t, of(abi.HookBatch), f.calls, "it is full")
	require.Equal(t, clock.Never, b.Deadline())
	at(tcp.StepRTT, abi.HookRTT, 3000)
	b.expire(b.Deadline() - 1)
	require.Len(t, f.calls, 1)
	b.expire(b.Deadline())
	require.Len(t, f.calls, 2)
	at(tcp.StepArrived, abi.HookArrived, 4000)
	b.Drain(4000, &b.log)
	require.Equal(t, want, seen)
	b.Drain(4000, &b.log)
	require.Len(t, f.calls, 3, "with nothing to tell it is not called")

	bad := &fake{on: func(*call) int64 { return mutated(abi.FieldSeq) }}
	b = newBench(load(t, bad, of(abi.HookBatch), "hooks segment_arrived", "batch 2", "grants header"))
	b.at(segment(tcp.StepArrived, 0))
	b.at(segment(tcp.StepArrived, 0))
	require.Equal(t, []plugins.Why{plugins.WhyBad}, b.whys(), "it is too late to change anything")
}

// TestReplace swaps a plugin for another one under load: no record is lost and
// none comes twice, and what was kept of connections goes on.
//
// Proves: P20
func TestReplace(t *testing.T) {
	var seen []uint64
	kept := 0
	maker := func() *fake {
		f := watcher(&seen)
		batches := f.on
		f.on = func(c *call) int64 {
			switch c.Hook {
			case abi.HookArriving:
				c.put32(abi.StateAt, c.u32(abi.StateAt)+1)
				kept = int(c.u32(abi.StateAt))
				return int64(abi.Pass) | abi.FieldState<<8
			case abi.HookDrain:
				c.host.Set(1, c.host.Get(1)+10)
			}
			return batches(c)
		}
		return f
	}
	hooks, manifest := of(abi.HookArriving, abi.HookBatch, abi.HookDrain), []string{"name a", "hooks segment_arriving segment_arrived", "batch 7", "state 8"}
	first := maker()
	b := newBench(load(t, &fake{}, of(abi.HookArriving)), load(t, first, hooks, manifest...))
	var want []uint64
	old := first
	for i := range 1000 {
		b.at(segment(tcp.StepArriving, 0))
		r := segment(tcp.StepArrived, 0)
		r.Packet = uint32(i)
		b.at(r)
		want = append(want, uint64(abi.HookArrived)<<32|uint64(i))
		if i%10 == 9 {
			f := maker()
			next := load(t, f, hooks, append(manifest, "version 2")...)
			require.NoError(t, b.Replace("a", next, 0, &b.log))
			require.Equal(t, abi.HookDrain, old.calls[len(old.calls)-1], "the last that it is called for")
			require.Equal(t, 1, old.closed)
			require.Equal(t, "a", next.Name())
			old = f
		}
	}
	b.Drain(0, &b.log)
	require.Equal(t, want, seen)
	require.Equal(t, 1000, kept)
	require.Equal(t, []string{"plugin", "a"}, b.Names())
	require.Contains(t, b.whys(), plugins.WhyReplaced)

	// What is in the store is handed over by tcpkit_drain, or not at all.
	var got int64
	reader := func() *fake { return &fake{on: func(c *call) int64 { got = c.host.Get(1); return 0 }} }
	require.NoError(t, b.Replace("a", load(t, reader(), of(abi.HookArriving)), 0, &b.log))
	b.at(segment(tcp.StepArriving, 0))
	require.Equal(t, int64(1010), got)
	require.NoError(t, b.Replace("a", load(t, reader(), of(abi.HookArriving)), 0, &b.log))
	b.at(segment(tcp.StepArriving, 0))
	require.Zero(t, got)
	require.EqualError(t, b.Replace("b", nil, 0, nil), `replace plugin b: there is no such plugin; is a meant?`)
}

// TestStateOfConnections is freed with them.
func TestStateOfConnections(t *testing.T) {
	f := &fake{on: func(c *call) int64 {
		c.b[abi.StateAt]++
		f := c.b[abi.StateAt]
		c.host.Metric(0, int64(f))
		return int64(abi.Pass) | abi.FieldState<<8
	}}
	b := newBench(load(t, f, of(abi.HookArriving), "state 1"))
	require.True(t, b.Mask().Has(tcp.StepClosed), "to hear of their end")
	at := func(step tcp.Step, conn uint32) {
		r := segment(step, 0)
		r.Conn = conn
		b.at(r)
	}
	for range 3 {
		at(tcp.StepArriving, 1)
	}
	at(tcp.StepArriving, 2)
	require.Equal(t, plugins.Metric{Count: 4, Sum: 7, Min: 1, Max: 3}, b.Plugins()[0].Metrics()[0])
	at(tcp.StepClosed, 1)
	at(tcp.StepArriving, 1)
	at(tcp.StepArriving, 2)
	require.Equal(t, plugins.Metric{Count: 6, Sum: 10, Min: 1, Max: 3}, b.Plugins()[0].Metrics()[0])
	at(tcp.StepArriving, 0)
	require.Equal(t, []plugins.Why{plugins.WhyBad}, b.whys(), "of no connection nothing is kept")
}
