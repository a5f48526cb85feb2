package wazero_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	tetratelabs "github.com/tetratelabs/wazero"

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
