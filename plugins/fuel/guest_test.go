package fuel

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// goGuest builds testdata/guest.
func goGuest(t testing.TB) []byte {
	out := filepath.Join(t.TempDir(), "guest.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, "./testdata/guest")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", text)
	wasm, err := os.ReadFile(out)
	require.NoError(t, err)
	return wasm
}

// forGo are the Limits of a Go guest: it begins with 2 MiB of memory.
func forGo() Limits {
	l := DefaultLimits()
	l.Pages = 256
	return l
}

// A Go guest runs when it pays. What it takes is in doc.go: budgets are fixed
// from it.
func TestGoGuest(t *testing.T) {
	wasm := goGuest(t)
	_, err := Rewrite(wasm, DefaultLimits())
	require.ErrorIs(t, err, TooLarge)
	require.ErrorContains(t, err, "pages; at most 16 are taken")

	pays, err := Rewrite(wasm, forGo())
	require.NoError(t, err)
	for _, c := range []struct {
		name   string
		config wazero.RuntimeConfig
	}{{"compiler", wazero.NewRuntimeConfigCompiler()}, {"interpreter", wazero.NewRuntimeConfigInterpreter()}} {
		t.Run(c.name, func(t *testing.T) {
			ctx := context.Background()
			rt := wazero.NewRuntimeWithConfig(ctx, c.config.WithCoreFeatures(features))
			defer rt.Close(ctx)
			wasi_snapshot_preview1.MustInstantiate(ctx, rt)
			m, err := rt.InstantiateWithConfig(ctx, pays, wazero.NewModuleConfig().WithStartFunctions())
			require.NoError(t, err)
			left := m.ExportedGlobal(Global).(api.MutableGlobal)
			const budget = 1 << 40
			run := func(name string, args ...uint64) (uint64, int64) {
				left.Set(budget)
				r, err := m.ExportedFunction(name).Call(ctx, args...)
				require.NoError(t, err, name)
				require.Zero(t, m.ExportedGlobal(DepthGlobal).Get(), "depth is given back")
				used := budget - int64(left.Get())
				t.Logf("%s%v: %d of fuel, %d pages", name, args, used, m.Memory().Size()>>16)
				if len(r) == 0 {
					return 0, used
				}
				return r[0], used
			}
			_, used := run("_initialize")
			require.Less(t, used, int64(5_000_000))
			sum, _ := run("add", 40, 2)
			require.Equal(t, uint64(42), sum)
			_, used = run("add", 40, 2)
			require.Less(t, used, int64(5_000))
			_, used = run("collect")
			require.Less(t, used, int64(20_000_000))
			run("collect")
			sum, _ = run("tree", 10)
			require.Equal(t, uint64(3060), sum)
			run("tree", 14)
			run("collect")
			n, _ := run("deep", 300)
			require.Equal(t, uint64(300), n)
		})
	}
}
