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
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/tcpkit/tcpkit/hosts/wasm/build"
	"github.com/tcpkit/tcpkit/hosts/wasm/kit"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/examples"
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

// gzipMax is the budget of the module as it is served, compressed.
const gzipMax = 1_000_000

// unwanted is what the module is not built from, since each costs a third of
// its budget.
var unwanted = []string{"fmt", "os", "encoding/json", "reflect"}

func TestModule(t *testing.T) {
	wasm, err := build.Module(context.Background(), "")
	require.NoError(t, err)

	t.Run("size", func(t *testing.T) { checkSize(t, wasm) })

	ctx := context.Background()
	cache := wazero.NewCompilationCache()
	t.Cleanup(func() { require.NoError(t, cache.Close(ctx)) })
	t.Run("names", func(t *testing.T) { checkNames(t, newHost(t, cache, wasm)) })
	t.Run("hostile", func(t *testing.T) { checkHostile(t, newHost(t, cache, wasm)) })
	t.Run("buffer", func(t *testing.T) { checkBuffer(t, newHost(t, cache, wasm)) })
	file := filepath.Join(t.TempDir(), "tcpkit.wasm")
	require.NoError(t, os.WriteFile(file, wasm, 0o644))
	t.Run("types", func(t *testing.T) { checkTypes(t, file) })
	t.Run("library", func(t *testing.T) {
		require.Empty(t, node(t, "", "testdata/library.mjs", file, "../../plugins/examples/logger/logger.wasm"))
	})
	t.Run("scenarios", func(t *testing.T) { checkScenarios(t, file) })
	t.Run("examples", func(t *testing.T) { checkExamples(t, file) })
	t.Run("browser", func(t *testing.T) { checkBrowser(t, wasm) })
	t.Run("plugins", func(t *testing.T) { checkPlugins(t, newHost(t, cache, wasm)) })
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
	if n == kit.Again {
		return n, nil
	}
	left, _ := h.module.Memory().Read(h.buffer(0), uint32(max(n, -n))) // a handle is no size
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
	require.Equal(t, documented(t), got, "doc.go lists what the module exports")
}

// documented are the exports that the package's documentation lists.
func documented(t *testing.T) []string {
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	names := []string{"_initialize", abi.ExportImport, abi.ExportRoom}
	for _, m := range regexp.MustCompile(`(?m)^//\t(tcpkit_\w+) *\(`).FindAllSubmatch(text, -1) {
		names = append(names, string(m[1]))
	}
	slices.Sort(names)
	return names
}

func checkBuffer(t *testing.T, h *host) {
	n, why := h.call("tcpkit_file", 1<<31, 1<<31)
	require.Negative(t, n)
	require.Contains(t, string(why), "tcpkit_buffer")
	large := h.buffer(1 << 20)
	require.Equal(t, large, h.buffer(1<<20), "the buffer stays where it is until it grows")
	require.Zero(t, h.buffer(1<<30), "there is a bound")
}

// checkPlugins runs every shipped plugin beside the module, through its one import,
// and natively: events, packets and errors are the same.
func checkPlugins(t *testing.T, h *host) {
	module := caller{T: t, call: h.call, put: h.put}
	n, why := h.call("tcpkit_file", 6, h.put(append([]byte("logger"), logger.Module...)))
	require.Zero(t, n, "%s", why)
	n, why = module.stack("10.0.0.1 plugin logger", 0)
	require.Negative(t, n, "nobody runs plugins yet")
	require.Contains(t, string(why), "the page that embeds tcpkit runs no plugins")
	h.page = newPage(t)
	alone := module.transfer("")
	require.Contains(t, alone, "all has come")
	require.Equal(t, alone, native(t).transfer(""), "the same options are the same run, on %s/%s and in WASM", runtime.GOOS, runtime.GOARCH)
	differ := 0
	for _, name := range examples.Names() {
		file, ok := examples.Module(name)
		require.True(t, ok, name)
		module.file(name, file)
		beside := native(t)
		beside.file(name, file)
		got := module.transfer(name)
		require.Equal(t, beside.transfer(name), got, name)
		if strings.Contains(got, "all has come") && got != alone {
			differ++
		}
	}
	require.Greater(t, differ, 2, "plugins that do something are among them")
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
