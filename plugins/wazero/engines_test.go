package wazero_test

import (
	"bytes"
	"encoding/gob"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/internal/assemble"
	"github.com/tcpkit/tcpkit/plugins/internal/calls"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// TestSame holds wazero's compiler, wazero's interpreter and Node's engine to the
// same results, memory, fuel, commands and traps, for modules of all kinds.
func TestSame(t *testing.T) {
	rows := sameRows(t)
	want := inWazero(t, rows, wazero.Config{})
	for _, class := range []string{
		"ok", "unreachable", "out of bounds", "not in the table", "divide by zero", "too large", "used up", "exited with code 3",
		"refused", "start function", "log 2", "metric", "arm", "inject", "set",
	} {
		require.Contains(t, want, class, "the rows show everything")
	}
	requireSame(t, want, inWazero(t, rows, wazero.Config{Interpreter: true}), "wazero's interpreter")
	requireSame(t, want, inNode(t, rows), "Node's engine")
}

// requireSame says where two texts begin to differ, in which row.
func requireSame(t *testing.T, want, got, engine string) {
	row := ""
	other := strings.Split(got, "\n")
	for n, line := range strings.Split(want, "\n") {
		if strings.HasPrefix(line, "row ") {
			row = line
		}
		require.Less(t, n, len(other), "%s, %s", engine, row)
		require.Equal(t, line, other[n], "%s, %s, line %d", engine, row, n)
	}
	require.Equal(t, want, got, engine)
}

func inWazero(t *testing.T, rows []calls.Row, cfg wazero.Config) string {
	e := newEngine(t, cfg)
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(calls.Run(e, row))
	}
	return b.String()
}

// inNode runs the rows in an engine of plugins in WASM, whose embedder is Node.
func inNode(t *testing.T, rows []calls.Row) string {
	node := need.Tool(t, "node", "nodejs")
	driver := filepath.Join(t.TempDir(), "driver.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-o", driver, "./testdata/driver")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	embedder, err := filepath.Abs("../../hosts/wasm/js/plugins.mjs")
	require.NoError(t, err)
	// Files, since Node reads and writes pipes only as far as it likes.
	in, err := os.Create(filepath.Join(t.TempDir(), "rows"))
	require.NoError(t, err)
	defer in.Close()
	require.NoError(t, gob.NewEncoder(in).Encode(rows))
	_, err = in.Seek(0, io.SeekStart)
	require.NoError(t, err)
	result, err := os.Create(filepath.Join(t.TempDir(), "result"))
	require.NoError(t, err)
	defer result.Close()
	var messages bytes.Buffer
	cmd := exec.Command(node, "--no-warnings", "testdata/driver/run.mjs", driver, embedder)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, result, &messages
	require.NoError(t, cmd.Run(), "%s", &messages)
	text, err := os.ReadFile(result.Name())
	require.NoError(t, err)
	return string(text)
}

// sameRows are the small modules, all shipped ones, and a guest compiled from Go.
func sameRows(t *testing.T) (rows []calls.Row) {
	add := func(name string, module []byte) *calls.Row {
		rows = append(rows, calls.Row{
			Name: name, Module: rewritten(t, module), Seed: uint64(len(rows)), Start: 100_000_000, Fuel: 1_000_000, Calls: 12,
		})
		return &rows[len(rows)-1]
	}
	for _, m := range smallModules() {
		add(m.name, m.module)
	}
	shipped, err := filepath.Glob("../examples/*/*.wasm")
	require.NoError(t, err)
	require.NotEmpty(t, shipped)
	for _, file := range shipped {
		module, err := os.ReadFile(file)
		require.NoError(t, err)
		add(filepath.Base(file), module).Calls = 200
	}
	for _, fuel := range []int64{0, 1, 50, 200, 20_000} {
		add("loop with little fuel", hook(0x03, 0x40, 0x0c, 0x00, 0x0b, 0x00)).Fuel = fuel
	}
	row := add("Go", goGuest(t))
	row.First, row.Calls, row.Fuel = []byte{0, 1, 3, 4, 6, 2, 7, 5, 8}, 18, 4_000_000
	row = add("Go with little fuel", goGuest(t))
	row.First, row.Calls, row.Fuel = []byte{0, 1, 3, 4, 6}, 20, 30_000
	row = add("Go with little fuel to start", goGuest(t))
	row.Start = 10_000
	return rows
}

type small struct {
	name   string
	module []byte
}

func smallModules() (all []small) {
	add := func(name string, module []byte) { all = append(all, small{name, module}) }
	for _, name := range slices.Sorted(maps.Keys(trapping)) {
		add(name, hook(trapping[name].body...))
	}
	add("pass", hook(assemble.Pass...))
	add("recursion", hook(0x10, 0x02))
	add("call of nothing", assemble.WithTable(hook(0x41, 0x00, 0x11, 0x02, 0x00)))
	add("call beyond the table", assemble.WithTable(hook(0x41, 0x02, 0x11, 0x02, 0x00)))
	add("memory grows", hook(0x41, 0x01, 0x40, 0x00, 0xac)) // and says from where
	add("memory grows too much", hook(0x41, 0x80, 0x08, 0x40, 0x00, 0xac))
	add("size of memory", hook(0x3f, 0x00, 0xac))
	add("fill", hook(0x41, 0x80, 0x08, 0x41, 0x07, 0x41, 0x80, 0x01, 0xfc, 0x0b, 0x00, 0x42, 0x01))
	add("sum of the record", hook(
		0x41, 0x00, 0x29, 0x03, 0x80, 0x08, // i64.load 1024
		0x41, 0x00, 0x29, 0x03, 0x88, 0x08, // i64.load 1032
		0x7c,                                     // i64.add
		0x41, 0x00, 0x29, 0x03, 0x90, 0x08, 0x85, // xor i64.load 1040
	))
	for _, name := range slices.Sorted(maps.Keys(nans)) {
		body := nans[name]
		add(name, hook(join(body, []byte{0xbd})...))                                                          // i64.reinterpret_f64
		add(name+" stored", hook(join([]byte{0x41, 0x00}, body, []byte{0x39, 0x03, 0x80, 0x08, 0x42, 0})...)) // f64.store 1024
		add(name+" as f32", hook(join(body, []byte{0xb6, 0xbc, 0xac})...))                                    // i32.reinterpret_f32 of f32.demote_f64
	}
	add("start function", assemble.Module(assemble.ABI(abi.Version), assemble.Init(1024), assemble.Hook(abi.ExportArriving, assemble.Pass),
		assemble.Func{Name: "start", Start: true, Body: []byte{0x41, 0x00, 0x41, 0x05, 0x36, 0x02, 0x00}}))
	add("start function that traps", assemble.Module(assemble.ABI(abi.Version), assemble.Func{Name: "start", Start: true, Body: assemble.Trap}))
	add("start function that asks", assemble.Module(functions[fMetric], assemble.ABI(abi.Version),
		assemble.Func{Name: "start", Start: true, Body: invoke(0, c32(1), c64(1))}))
	add("wrong types", hook(0x42, 0, 0x42, 0, 0x6a, 0x1a, 0x42, 0))
	add("unknown import", assemble.Module(assemble.Func{Module: "tcpkit", Name: "lag"}, assemble.ABI(abi.Version), assemble.Init(1024)))
	add("no buffer", assemble.Module(assemble.ABI(abi.Version), assemble.Init(0), assemble.Hook(abi.ExportArriving, assemble.Pass)))
	add("buffer outside", assemble.Module(assemble.ABI(abi.Version), assemble.Init(65000), assemble.Hook(abi.ExportArriving, assemble.Pass)))
	add("init that traps", assemble.Module(assemble.ABI(abi.Version),
		assemble.Func{Name: abi.ExportInit, Args: []byte{vI32}, Results: []byte{vI32}, Body: assemble.Trap}))
	add("batch", assemble.Plugin(assemble.Func{Name: abi.ExportBatch, Args: []byte{vI32}, Results: []byte{vI64}, Body: []byte{0x20, 0x00, 0xad}}))

	drop := []byte{0x1a}
	word := []byte{0x41, 0x00, 0x29, 0x03, 0x80, 0x08} // i64.load 1024
	add("random", asking(invoke(fRandom), invoke(fRandom), []byte{0x7d}))
	add("now", asking(invoke(fNow)))
	add("kept", asking(invoke(fSet, word, c64(5)), drop, invoke(fGet, word), invoke(fSet, c64(1), invoke(fGet, c64(1)), []byte{0x42, 1, 0x7c}), wide, add1))
	add("log", asking(invoke(fLog, c32(2), c32(1024), c32(40)), invoke(fLog, c32(-1), c32(0), c32(3000)), assemble.Pass))
	add("log outside", asking(invoke(fLog, c32(2), c32(65535), c32(2)), assemble.Pass))
	add("metric", asking(invoke(fMetric, c32(-2), word), assemble.Pass))
	add("arm", asking(invoke(fArm, c32(1), word), assemble.Pass))
	add("inject", asking(invoke(fInject, c32(1024), c32(128)), wide, invoke(fInject, c32(0), c32(2000)), wide, add1))
	add("inject outside", asking(invoke(fInject, c32(1024), c32(65000)), wide))
	add("host for ever", asking([]byte{0x03, 0x40}, invoke(fMetric, c32(1), c64(1)), []byte{0x0c, 0x00, 0x0b, 0x00}))
	for _, name := range slices.Sorted(maps.Keys(wasiCalls)) {
		add(name, wasiCalls[name].module)
	}
	return all
}

var add1 = []byte{0x7c}

// nans are f64 that are not what every machine makes of them.
var nans = map[string][]byte{
	"NaN with a payload": {0x44, 1, 2, 3, 4, 5, 6, 0xf7, 0xff},
	"NaN of 0/0":         join(zero, zero, []byte{0xa3}),
	"NaN negated":        join(zero, zero, []byte{0xa3, 0x9a}),
	"NaN of a root":      {0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0xbf, 0x9f}, // f64.sqrt of -1
	"NaN of a sum":       join([]byte{0x44, 9, 0, 0, 0, 0, 0, 0xf8, 0x7f}, []byte{0x44, 7, 0, 0, 0, 0, 0, 0xf8, 0xff, 0xa0}),
	"NaN of a smaller":   join([]byte{0x44, 9, 0, 0, 0, 0, 0, 0xf0, 0x7f}, zero, []byte{0xa4}),
	"NaN and sign":       join([]byte{0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, zero, zero, []byte{0xa3, 0x9a, 0xa6}), // copysign
	"NaN by f32":         {0x43, 5, 0, 0xc0, 0xff, 0xbb},                                                         // f64.promote_f32
}

var zero = []byte{0x44, 0, 0, 0, 0, 0, 0, 0, 0}
