package wazero_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	tetratelabs "github.com/tetratelabs/wazero"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/fuel"
	"github.com/tcpkit/tcpkit/plugins/internal/assemble"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// bare is what wazero itself takes for a call with 64 octets in and out.
func bare(b testing.TB) func() {
	ctx := context.Background()
	r := tetratelabs.NewRuntime(ctx)
	b.Cleanup(func() { require.NoError(b, r.Close(ctx)) })
	m, err := r.Instantiate(ctx, hook(assemble.Pass...))
	require.NoError(b, err)
	f, memory := m.ExportedFunction(abi.ExportArriving), m.Memory()
	var octets [64]byte
	stack := make([]uint64, 1)
	return func() {
		memory.Write(1024, octets[:])
		_ = f.CallWithStack(ctx, stack)
		back, _ := memory.Read(1024, 64)
		copy(octets[:], back)
	}
}

func BenchmarkBare(b *testing.B) {
	call := bare(b)
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
}

// BenchmarkCall is what this package takes for a record of 128 octets in, and a
// part of 16 out.
func BenchmarkCall(b *testing.B) {
	i := start(b, newEngine(b, wazero.Config{}), hook(assemble.Pass...), nil)
	image := make([]byte, abi.RecordSize)
	parts := []plugins.Part{{At: 0, Size: abi.RecordSize}}
	fuel := new(int64)
	b.ReportAllocs()
	for b.Loop() {
		*fuel = plenty
		_, _ = i.Call(abi.HookArriving, 0, image, parts, fuel)
		_ = i.Fetch(image, plugins.Part{At: 64, Size: 16})
	}
}

// segmentHook is all that a hook at a segment costs the engine: the record is made,
// the plugin called, its verdict judged. THREATS, PEERS: at most 3 times bare.
func segmentHook(b testing.TB, body []byte, manifest ...string) func() {
	module := assemble.WithManifest(hook(body...), manifest...)
	p, err := plugins.Load(newEngine(b, wazero.Config{}), module, plugins.Options{})
	require.NoError(b, err)
	set := plugins.NewSet()
	set.Add(p)
	r := tcp.Record{
		Step: tcp.StepArriving, From: tcp.Established, To: tcp.Established, Conn: 1, Now: 1, Segment: true, TTL: 64,
		Tuple: tcp.Tuple{
			Local:  wire.AddrPort{Addr: wire.AddrFrom4([4]byte{10, 0, 0, 1}), Port: 1},
			Remote: wire.AddrPort{Addr: wire.AddrFrom4([4]byte{10, 0, 0, 2}), Port: 2},
		},
		TCP:     wire.TCP{Flags: wire.ACK, Seq: 1, Ack: 1, Window: 1000},
		Send:    tcp.SendSpace{UNA: 1, NXT: 1, WND: 1000},
		Receive: tcp.ReceiveSpace{NXT: 1, WND: 100000},
		Payload: make([]byte, 1448),
	}
	r.TCP.Options.Has = wire.HasTimestamps
	now := clock.Instant(0)
	return func() {
		now++
		r.Now = now
		set.At(&r)
	}
}

func BenchmarkSegmentHook(b *testing.B) {
	mutate := []byte{
		0x41, 0x00, 0x41, 0x40, 0x3b, 0x01, 0xca, 0x08, // i32.store16 offset=1024+74: the window
		0x42, 0x81, 0x10, // Mutated | FieldWindow<<8
	}
	for _, c := range []struct {
		name     string
		body     []byte
		manifest string
	}{
		{"pass", assemble.Pass, "sections none"},
		{"mutate", mutate, "grants header\nsections none"},
	} {
		b.Run(c.name, func(b *testing.B) {
			hook := segmentHook(b, c.body, c.manifest)
			b.ReportAllocs()
			for b.Loop() {
				hook()
			}
			hooked, alone := quickest(hook), quickest(bare(b))
			b.ReportMetric(hooked, "ns-quickest")
			b.ReportMetric(alone, "ns-bare")
			b.ReportMetric(hooked/alone, "x-bare")
		})
	}
}

// quickest is what a call takes while nothing else has the machine.
func quickest(call func()) float64 {
	const calls = 2000
	best := time.Duration(math.MaxInt64)
	for range 1000 {
		begun := time.Now()
		for range calls {
			call()
		}
		best = min(best, time.Since(begun))
	}
	return float64(best) / calls
}

func TestSegmentHookAllocatesNothing(t *testing.T) {
	hook := segmentHook(t, assemble.Pass, "sections none")
	require.Zero(t, testing.AllocsPerRun(1000, hook))
}

// load loads a file as a program does that has just begun.
func load(b *testing.B, cfg wazero.Config, module []byte) {
	e, err := wazero.New(cfg)
	require.NoError(b, err)
	limits := fuel.DefaultLimits()
	limits.Pages = 256
	code, err := e.Rewrite(module, limits)
	require.NoError(b, err)
	i, err := e.Start(code, &recorder{}, plenty)
	require.NoError(b, err)
	_, err = i.ABI()
	require.NoError(b, err)
	require.NoError(b, i.Init(abi.PayloadAt))
	b.StopTimer()
	require.NoError(b, e.Close())
	b.StartTimer()
}

// BenchmarkLoadSmall loads a plugin of some 150 octets: it is checked, rewritten,
// compiled, started. Issue: less than 5 ms.
func BenchmarkLoadSmall(b *testing.B) {
	module := hook(assemble.Pass...)
	b.ReportMetric(float64(len(module)), "octets")
	for range b.N {
		load(b, wazero.Config{}, module)
	}
}

func BenchmarkLoadSmallCached(b *testing.B) {
	cfg := wazero.Config{Cache: b.TempDir()}
	load(b, cfg, hook(assemble.Pass...))
	b.ResetTimer()
	for range b.N {
		load(b, cfg, hook(assemble.Pass...))
	}
}

// BenchmarkLoadGoCached loads a guest compiled from Go, from the cache: less than
// 50 ms.
func BenchmarkLoadGoCached(b *testing.B) {
	cfg := wazero.Config{Cache: b.TempDir()}
	load(b, cfg, goGuest(b))
	b.ResetTimer()
	for range b.N {
		load(b, cfg, goGuest(b))
	}
}

func BenchmarkLoadGoCold(b *testing.B) {
	goGuest(b)
	b.ResetTimer()
	for range b.N {
		load(b, wazero.Config{}, goGuest(b))
	}
}
