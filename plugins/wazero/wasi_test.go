package wazero_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/internal/assemble"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// guest is testdata/guest, compiled once.
var guest = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "guest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "guest.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", file, "./testdata/guest")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if cmd.Stderr = os.Stderr; cmd.Run() != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

func goGuest(t testing.TB) []byte {
	t.Helper()
	wasm, err := guest()
	require.NoError(t, err)
	return wasm
}

// do has the Go guest do what its record says.
func do(i plugins.Instance, what byte) (int64, error) { return call(i, []byte{127: 0, 0: what}) }

func TestGoGuest(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	r := &recorder{}
	i := start(t, e, goGuest(t), r)
	require.NotZero(t, r.draws, "its runtime has asked for a seed")
	for what, want := range map[byte]int64{0: 0, 3: 3, 4: 11} {
		result, err := do(i, what)
		require.NoError(t, err)
		require.Equal(t, want, result)
	}
	require.Empty(t, r.asked)
	_, err := do(i, 1)
	require.NoError(t, err)
	require.Equal(t, []string{`log 2 "hello 42"`, `log 2 "no end"`}, r.asked, "what it prints is in the log, by lines")

	for what, want := range map[byte]string{
		2: `log 2 "panic: runtime error: index out of range [2] with length 0"`,
		7: `log 2 "fatal error: all goroutines are asleep - deadlock!"`,
	} {
		both(t, func(t *testing.T, e *wazero.Engine) {
			r := &recorder{}
			_, err := do(start(t, e, goGuest(t), r), what)
			require.Equal(t, plugins.Trap(abi.TrapUnreachable), err, "how Go ends in a library")
			require.Equal(t, want, r.asked[0])
		})
	}
}

// The same draws are the same run.
func TestGoGuestDrawsItsSeed(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	orders := map[int64]bool{}
	for n := range 6 {
		result, err := do(start(t, e, goGuest(t), &recorder{draws: uint64(n / 2)}), 6)
		require.NoError(t, err)
		orders[result] = true
	}
	require.Len(t, orders, 3)
}

// wasi is a plugin with one WASI function, whose hook has the body.
func wasi(name string, args int, body ...[]byte) []byte {
	results := []byte{vI32}
	if name == "proc_exit" {
		results = nil
	}
	return assemble.Module(
		assemble.Func{Module: "wasi_snapshot_preview1", Name: name, Args: []byte{vI32, vI32, vI32, vI32}[:args], Results: results},
		assemble.Func{Module: "wasi_snapshot_preview1", Name: "clock_time_get", Args: []byte{vI32, vI64, vI32}, Results: []byte{vI32}},
		assemble.ABI(abi.Version), assemble.Init(1024), assemble.Hook(abi.ExportArriving, join(body...)))
}

// TestSleep has a plugin wait for a clock, for an instant and for a file.
func TestSleep(t *testing.T) {
	const out, count, clock = 1024 + 192, 1024 + 400, 1024 + 408
	module := wasi("poll_oneoff", 4,
		invoke(0, c32(1024), c32(out), c32(3), c32(count)), wide,
		invoke(1, c32(1), c64(0), c32(clock)), wide, add)
	le := binary.LittleEndian
	both(t, func(t *testing.T, e *wazero.Engine) {
		r := &recorder{}
		i := start(t, e, module, r)
		image := make([]byte, 416)
		le.PutUint64(image, 0xa1)
		le.PutUint64(image[24:], 3600e9)
		le.PutUint64(image[48:], 0xa2)
		image[48+8] = 2 // fd_write
		le.PutUint64(image[96:], 0xa3)
		le.PutUint64(image[96+24:], 5)
		image[96+40] = 1 // absolute, and over
		fuel := int64(plenty)
		result, err := i.Call(abi.HookArriving, 0, image, []plugins.Part{{At: 0, Size: 192}}, &fuel)
		require.NoError(t, err)
		require.Zero(t, result)
		require.NoError(t, i.Fetch(image, plugins.Part{At: 0, Size: 416}))
		require.Equal(t, uint32(3), le.Uint32(image[400:]))
		require.Equal(t, uint64(3600e9+1), le.Uint64(image[408:]), "an hour has passed, at once")
		for k, want := range []struct {
			user        uint64
			errno, kind byte
		}{{0xa1, 0, 0}, {0xa2, 8, 2}, {0xa3, 0, 0}} {
			event := image[192+32*k:]
			require.Equal(t, want.user, le.Uint64(event))
			require.Equal(t, []byte{want.errno, 0, want.kind}, event[8:11])
		}
		require.Zero(t, r.time, "for nobody else")
	})
}

func TestSleepForEver(t *testing.T) {
	var w plugins.WASI
	r := &recorder{time: 7}
	w.Sleep(r, 1<<64-1, false)
	require.Equal(t, int64(1<<63-1), w.Clock(r))
	w.Sleep(r, 1<<64-1, false)
	require.Equal(t, int64(1<<63-1), w.Clock(r))
}

// wasiCalls are plugins that make one call, mostly with arguments that cannot be,
// and how they end.
var wasiCalls = map[string]struct {
	module []byte
	want   int64
	trap   error
}{
	"a file":           {wasi("fd_write", 4, invoke(0, c32(3), c32(0), c32(0), c32(0)), wide), 8, nil},
	"too many vectors": {wasi("fd_write", 4, invoke(0, c32(1), c32(0), c32(17), c32(0)), wide), 28, nil},
	"vectors outside":  {wasi("fd_write", 4, invoke(0, c32(1), c32(65530), c32(1), c32(0)), wide), 0, plugins.Trap(abi.TrapMemory)},
	"too much chance":  {wasi("random_get", 2, invoke(0, c32(0), c32(4097)), wide), 28, nil},
	"chance outside":   {wasi("random_get", 2, invoke(0, c32(-1), c32(2)), wide), 0, plugins.Trap(abi.TrapMemory)},
	"nothing to wait":  {wasi("poll_oneoff", 4, invoke(0, c32(0), c32(0), c32(0), c32(0)), wide), 28, nil},
	"too much to wait": {wasi("poll_oneoff", 4, invoke(0, c32(0), c32(0), c32(17), c32(0)), wide), 28, nil},
	"no arguments":     {wasi("args_get", 2, invoke(0, c32(-1), c32(-1)), wide), 0, nil},
	"no environment":   {wasi("environ_sizes_get", 2, invoke(0, c32(8), c32(16)), wide), 0, nil},
	"sizes outside":    {wasi("args_sizes_get", 2, invoke(0, c32(8), c32(65533)), wide), 0, plugins.Trap(abi.TrapMemory)},
	"exit":             {wasi("proc_exit", 1, invoke(0, c32(3)), c64(0)), 0, plugins.Trap(abi.TrapExit | 3<<8)},
	"others may go on": {wasi("sched_yield", 0, invoke(0), wide), 0, nil},
}

func TestWASI(t *testing.T) {
	for name, c := range wasiCalls {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, e *wazero.Engine) {
				result, err := call(start(t, e, c.module, &recorder{}), make([]byte, abi.RecordSize))
				if c.trap != nil {
					require.Equal(t, c.trap, err)
					return
				}
				require.NoError(t, err)
				require.Equal(t, c.want, result)
			})
		})
	}
}

// What one call writes is bounded, and it is told so.
func TestWriteIsShort(t *testing.T) {
	module := wasi("fd_write", 4, invoke(0, c32(1), c32(1024), c32(2), c32(1040)), wide, []byte{0x41, 0, 0x35, 2, 0x90, 8}, add)
	both(t, func(t *testing.T, e *wazero.Engine) {
		r := &recorder{}
		i := start(t, e, module, r)
		image := make([]byte, abi.RecordSize)
		for k, size := range []uint32{3000, 3000} {
			binary.LittleEndian.PutUint32(image[8*k:], 2048)
			binary.LittleEndian.PutUint32(image[8*k+4:], size)
		}
		result, err := call(i, image)
		require.NoError(t, err)
		require.Equal(t, int64(abi.WASISize), result)
		require.Len(t, r.asked, 1, "one line, cut")
	})
}

// What is written in more lines than the log could keep is cut short, since each line
// takes time. THREATS P01, P19.
func TestWriteHasFewLines(t *testing.T) {
	var w plugins.WASI
	r := &recorder{}
	for range 3 {
		w.Write(r, 1, bytes.Repeat([]byte{'\n'}, 4000))
	}
	w.Done(r)
	require.Equal(t, 65, len(r.asked))
	w.Write(r, 1, []byte("of the next call\n"))
	require.Equal(t, 66, len(r.asked))
}
