package fuel

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// workloads are guests that do nothing but calculate.
func workloads() map[string]struct {
	source source
	arg    uint64
} {
	n := list(i32)
	dec := code(get(0), c32(1), opI32Sub, tee(0), brIf(0))
	shift := func(op byte, by int32) []byte { return code(get(1), get(1), c32(by), op, 0x73, set(1)) }
	const size = 60000
	return map[string]struct {
		source source
		arg    uint64
	}{
		// The worst there is: one turn takes a cycle, and has to pay.
		"empty-loop": {one(n, n, nil, loop(dec), get(0)), 1_000_000},
		"xorshift":   {one(n, n, n, c32(1), set(1), loop(shift(0x74, 13), shift(0x76, 17), shift(0x74, 5), dec), get(1)), 300_000},
		"if-else": {one(n, n, n, loop(
			get(0), c32(64), 0x71, when(code(get(1), get(0), opI32Add, set(1)), get(1), get(0), 0x73, set(1)), dec), get(1)), 1_000_000},
		"fill-octets": {one(n, n, nil, loop(get(0), c32(0xffff), 0x71, get(0), 0x3a, 0, 0, dec), get(0)), 1_000_000},
		"fibonacci":   {programs()[18].source, 24},
		// i, j, count
		"sieve": {one(n, n, list(i32, i32, i32), loop(
			c32(0), c32(0), c32(size), prefix(opMemoryFill, 0), c32(2), set(1), c32(0), set(3),
			loop(
				block(get(1), 0x2d, 0, 0, brIf(0),
					get(3), c32(1), opI32Add, set(3),
					get(1), c32(1), 0x74, set(2),
					block(loop(
						get(2), c32(size), 0x4f, brIf(1),
						get(2), c32(1), 0x3a, 0, 0,
						get(2), get(1), opI32Add, set(2), br(0)))),
				get(1), c32(1), opI32Add, tee(1), c32(size), opI32LtU, brIf(0)),
			dec), get(3)), 3},
	}
}

// BenchmarkFuel runs workloads as they are and rewritten, in wazero's compiler.
// The aim is a ratio of at most 1.5.
//
// Other ways were measured before this one was taken, over these workloads and some
// compiled from C (SHA-256, CRC-32, quicksort, a product of matrices, a switch in a
// loop; these take 1.0 to 1.2 times as long):
//
//   - the counter in the global rather than in a local: 2.0 for empty-loop, 1.8 for
//     fill-octets, and a Go guest takes 1.16 times as long to compile;
//   - an if with unreachable in it in each block, rather than a branch to the one at
//     the end: 1.4 for the switch rather than 1.1, 1.8 for if-else rather than 0.8;
//   - a test where functions and loops begin only: no faster;
//   - depth counted at each call rather than in the function that is called: 1.57 for
//     fibonacci rather than 1.29.
func BenchmarkFuel(b *testing.B) {
	for name, w := range workloads() {
		b.Run(name, func(b *testing.B) {
			compare(b, w.source.bytes(), rewritten(b, w.source), "f", w.arg)
		})
	}
	b.Run("go-mix", func(b *testing.B) {
		wasm := goGuest(b)
		pays, err := Rewrite(wasm, forGo())
		require.NoError(b, err)
		compare(b, wasm, pays, "mix", 20)
	})
}

// compare reports how much longer a call takes when it pays. Both take turns, and
// the best time of each counts.
func compare(b *testing.B, original, pays []byte, name string, arg uint64) {
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCoreFeatures(features))
	defer rt.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, rt)
	var calls [2]func() time.Duration
	for i, wasm := range [][]byte{original, pays} {
		m, err := rt.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
		require.NoError(b, err)
		f := m.ExportedFunction(name)
		left, metered := m.ExportedGlobal(Global).(api.MutableGlobal)
		calls[i] = func() time.Duration {
			if metered {
				left.Set(1 << 60)
			}
			start := time.Now()
			_, err := f.Call(ctx, arg)
			took := time.Since(start)
			require.NoError(b, err)
			return took
		}
	}
	best := [2]time.Duration{time.Hour, time.Hour}
	for rounds := 0; b.Loop() || rounds < 20; rounds++ {
		for i, call := range calls {
			best[i] = min(best[i], call())
		}
	}
	b.ReportMetric(float64(best[0].Microseconds()), "µs-before")
	b.ReportMetric(float64(best[1].Microseconds()), "µs-after")
	b.ReportMetric(float64(best[1])/float64(best[0]), "ratio")
}

func BenchmarkRewrite(b *testing.B) {
	wasm := goGuest(b)
	b.SetBytes(int64(len(wasm)))
	for b.Loop() {
		if _, err := Rewrite(wasm, forGo()); err != nil {
			b.Fatal(err)
		}
	}
}
