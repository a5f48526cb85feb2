//go:build !wasip1

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/hosts/wasm/build"
	"github.com/tcpkit/tcpkit/hosts/wasm/skeleton"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/examples/logger"
)

// imports is all that the module asks of its host.
var imports = []string{
	"tcpkit.plugin [127 127 127] [126]", // (i32, i32, i32) -> i64
	"wasi_snapshot_preview1.args_get",
	"wasi_snapshot_preview1.args_sizes_get",
	"wasi_snapshot_preview1.clock_time_get",
	"wasi_snapshot_preview1.environ_get",
	"wasi_snapshot_preview1.environ_sizes_get",
	"wasi_snapshot_preview1.fd_write",
	"wasi_snapshot_preview1.poll_oneoff",
	"wasi_snapshot_preview1.proc_exit",
	"wasi_snapshot_preview1.random_get",
	"wasi_snapshot_preview1.sched_yield",
}

// exports is all that it offers.
var exports = []string{"_initialize", "tcpkit_buffer", "tcpkit_plugin", "tcpkit_plugin_error", "tcpkit_plugin_import", "tcpkit_plugin_room", "tcpkit_transfer"}

// gzipMax is the budget of the module as it is served, compressed.
const gzipMax = 1_000_000

// unwanted is what the module is not built from, since each costs a third of
// its budget.
var unwanted = []string{"fmt", "os", "encoding/json", "reflect"}

var transfers = []skeleton.Options{
	{Seed: 1, Octets: 1 << 18, Loss: 50, Delay: 10 * clock.Millisecond, Family: wire.IPv4},
	{Seed: 2, Octets: 1 << 16, Loss: 100, Delay: 40 * clock.Millisecond, Family: wire.IPv6},
}

func TestModule(t *testing.T) {
	wasm, err := build.Module(context.Background(), "")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "tcpkit.wasm")
	require.NoError(t, os.WriteFile(file, wasm, 0o644))

	t.Run("size", func(t *testing.T) { checkSize(t, wasm) })

	ctx := context.Background()
	cache := wazero.NewCompilationCache()
	t.Cleanup(func() { require.NoError(t, cache.Close(ctx)) })
	t.Run("imports", func(t *testing.T) { checkNames(t, newHost(t, cache, wasm)) })
	t.Run("same result", func(t *testing.T) { checkResults(t, newHost(t, cache, wasm)) })
	t.Run("plugin", func(t *testing.T) { checkPlugin(t, newHost(t, cache, wasm)) })
	t.Run("node", func(t *testing.T) { checkNode(t, file) })
	t.Run("bad calls", func(t *testing.T) { checkBadCalls(t, newHost(t, cache, wasm)) })
}

// A host is the module in wazero, in the place of a page.
type host struct {
	*testing.T
	compiled wazero.CompiledModule
	module   api.Module
	runtime  wazero.Runtime
	page     *page // nil: no plugins
}

func newHost(t *testing.T, cache wazero.CompilationCache, wasm []byte) *host {
	t.Helper()
	ctx := context.Background()
	h := &host{T: t, runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(cache))}
	t.Cleanup(func() { require.NoError(t, h.runtime.Close(ctx)) })
	wasi_snapshot_preview1.MustInstantiate(ctx, h.runtime)
	_, err := h.runtime.NewHostModuleBuilder(abi.ImportModule).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, tab api.Module, stack []uint64) {
			stack[0] = uint64(h.page.plugin(ctx, tab, uint32(stack[0]), abi.Hook(stack[1]), uint32(stack[2])))
		}),
			[]api.ValueType{api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32}, []api.ValueType{api.ValueTypeI64}).
		Export(abi.ImportPlugin).Instantiate(ctx)
	require.NoError(t, err)
	h.compiled, err = h.runtime.CompileModule(ctx, wasm)
	require.NoError(t, err)
	h.module, err = h.runtime.InstantiateModule(ctx, h.compiled,
		wazero.NewModuleConfig().WithName("tab").WithStartFunctions("_initialize").WithStderr(os.Stderr))
	require.NoError(t, err)
	return h
}

// call calls an export and returns what it left in the buffer.
func (h *host) call(name string, args ...uint64) (int32, []byte) {
	h.Helper()
	results, err := h.module.ExportedFunction(name).Call(context.Background(), args...)
	require.NoError(h, err, name)
	n := int32(results[0])
	left, ok := h.module.Memory().Read(h.buffer(0), uint32(max(n, -n)))
	require.True(h, ok)
	return n, bytes.Clone(left)
}

func (h *host) buffer(size int) uint32 {
	h.Helper()
	results, err := h.module.ExportedFunction("tcpkit_buffer").Call(context.Background(), uint64(size))
	require.NoError(h, err)
	return uint32(results[0])
}

func (h *host) put(b []byte) uint64 {
	h.Helper()
	require.True(h, h.module.Memory().Write(h.buffer(len(b)), b))
	return uint64(len(b))
}

func (h *host) transfer(o skeleton.Options) skeleton.Result {
	h.Helper()
	n, left := h.call("tcpkit_transfer", h.put(o.Append(nil)))
	require.Positive(h, n, "%s", left)
	r, ok := skeleton.ParseResult(left)
	require.True(h, ok)
	return r
}

// native runs the same in this process.
func native(t *testing.T, o skeleton.Options) skeleton.Result {
	t.Helper()
	w, err := skeleton.New(o)
	require.NoError(t, err)
	return w.Run()
}

func checkSize(t *testing.T, wasm []byte) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(wasm)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	t.Logf("%d octets, %d compressed", len(wasm), b.Len())
	require.Less(t, b.Len(), gzipMax, "what was added is too large; go list -deps says what it brought along")
}

func checkNames(t *testing.T, h *host) {
	var got []string
	for _, f := range h.compiled.ImportedFunctions() {
		module, name, _ := f.Import()
		text := module + "." + name
		if module == abi.ImportModule {
			text += fmt.Sprint(" ", f.ParamTypes(), " ", f.ResultTypes())
		}
		got = append(got, text)
	}
	slices.Sort(got)
	require.Equal(t, imports, got, "every host of the module, in whatever language, has these and no others")
	require.Empty(t, h.compiled.ImportedMemories())

	got = nil
	for name := range h.compiled.ExportedFunctions() {
		got = append(got, name)
	}
	slices.Sort(got)
	require.Equal(t, exports, got)
}

func checkResults(t *testing.T, h *host) {
	for _, o := range transfers {
		want := native(t, o)
		require.True(t, want.Finished, "%+v", want)
		require.Positive(t, want.Lost)
		require.Equal(t, want, h.transfer(o), "the same options are the same run, on %s/%s and in WASM", runtime.GOOS, runtime.GOARCH)
		require.Equal(t, want, h.transfer(o), "and again")
	}
}

// checkPlugin runs the file that plugins/examples/logger runs natively, through
// the module's one import.
func checkPlugin(t *testing.T, h *host) {
	o := transfers[0]
	n, why := h.call("tcpkit_plugin", 1, h.put(logger.Module))
	require.Negative(t, n, "nobody runs plugins yet")
	require.Contains(t, string(why), "load plugin 1: the page that embeds tcpkit runs no plugins")

	h.page = newPage(t)
	n, why = h.call("tcpkit_plugin", 1, h.put(logger.Module))
	require.Zero(t, n, "%s", why)
	want := native(t, o)
	require.Equal(t, want, h.transfer(o), "who watches changes nothing")
	n, why = h.call("tcpkit_plugin_error")
	require.Zero(t, n, "%s", why)

	w, err := skeleton.New(o)
	require.NoError(t, err)
	w.Run()
	var pairs []byte
	for _, e := range w.Transitions(skeleton.Client) {
		pairs = append(pairs, e.From, e.To)
	}
	var count [4]byte
	seen := make([]byte, len(pairs))
	require.Len(t, h.page.running, 1)
	for _, plugin := range h.page.running {
		require.True(t, plugin.ReadMemory(logger.CountAt, count[:]))
		require.True(t, plugin.ReadMemory(logger.PairsAt, seen))
		require.NoError(t, plugin.Close())
	}
	require.Equal(t, uint32(len(pairs)/2), wire.Le32(count[:]))
	require.Equal(t, pairs, seen, "the plugin saw every change of state of the client")

	gone := h.transfer(o)
	require.Greater(t, gone.Events, want.Events, "that it fails is an event")
	gone.Client, gone.Events = want.Client, want.Events
	require.Equal(t, want, gone, "a plugin that is gone harms no connection")
	n, why = h.call("tcpkit_plugin_error")
	require.Negative(t, n)
	require.Contains(t, string(why), "plugin 1 at tcpkit_transition: trapped")
}

func checkBadCalls(t *testing.T, h *host) {
	n, why := h.call("tcpkit_transfer", 1<<31)
	require.Negative(t, n)
	require.Contains(t, string(why), "tcpkit_buffer")
	n, why = h.call("tcpkit_transfer", 0)
	require.Negative(t, n)
	require.Contains(t, string(why), "damaged")
	n, why = h.call("tcpkit_plugin", 1, h.put([]byte("no module")))
	require.Negative(t, n)
	require.Contains(t, string(why), "not a WASM module")
	large := h.buffer(1 << 20)
	require.Equal(t, large, h.buffer(1<<20), "the buffer stays where it is until it grows")
}

func TestPackages(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", ".")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	out, err := cmd.Output()
	require.NoError(t, err)
	deps := strings.Fields(string(out))
	require.Contains(t, deps, "github.com/tcpkit/tcpkit/core")
	for _, name := range unwanted {
		require.NotContains(t, deps, name, "go list -deps says who wants it")
	}
}
