package wazero_test

import (
	"cmp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/examples/logger"
	"github.com/tcpkit/tcpkit/plugins/internal/assemble"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

func newEngine(t testing.TB, cfg wazero.Config) *wazero.Engine {
	t.Helper()
	cfg.CompileTime = cmp.Or(cfg.CompileTime, 5*time.Minute)
	e, err := wazero.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

// plenty is more fuel than any of these modules uses.
const plenty = 1 << 40

// start runs a module up to its init.
func start(t testing.TB, e *wazero.Engine, module []byte, host plugins.Imports) *wazero.Instance {
	t.Helper()
	i, err := e.Start(rewritten(t, module), host, plenty)
	require.NoError(t, err)
	require.NoError(t, i.Init(abi.PayloadAt))
	return i.(*wazero.Instance)
}

// both runs a test in the compiler and in the interpreter.
func both(t *testing.T, test func(t *testing.T, e *wazero.Engine)) {
	t.Run("compiler", func(t *testing.T) { test(t, newEngine(t, wazero.Config{})) })
	t.Run("interpreter", func(t *testing.T) { test(t, newEngine(t, wazero.Config{Interpreter: true})) })
}

func hook(body ...byte) []byte {
	return assemble.Plugin(assemble.Hook(abi.ExportArriving, body))
}

// call calls the hook of arriving segments with a whole record.
func call(i plugins.Instance, image []byte) (int64, error) {
	fuel := int64(plenty)
	return i.Call(abi.HookArriving, 0, image, []plugins.Part{{At: 0, Size: abi.RecordSize}}, &fuel)
}

// TestRecordCrosses has the plugin judge by what it reads, and change the record.
func TestRecordCrosses(t *testing.T) {
	body := []byte{
		0x41, 0x00, // i32.const 0
		0x41, 0x00, // i32.const 0
		0x28, 0x02, 0xd0, 0x08, // i32.load offset=1024+80, the payload's length
		0x36, 0x02, 0xd4, 0x08, // i32.store offset=1024+84, TSval
		0x41, 0x00,
		0x35, 0x02, 0xd0, 0x08, // i64.load32_u offset=1024+80
	}
	both(t, func(t *testing.T, e *wazero.Engine) {
		i := start(t, e, hook(body...), nil)
		image := make([]byte, abi.PayloadAt)
		wire.PutLe32(image[abi.SegmentPayload:], 1448)
		result, err := call(i, image)
		require.NoError(t, err)
		require.Equal(t, int64(1448), result, "it has read the record")
		require.Zero(t, wire.Le32(image[abi.SegmentTSVal:]), "nothing comes back unasked")
		require.NoError(t, i.Fetch(image, plugins.Part{At: abi.SegmentTSVal, Size: 4}))
		require.Equal(t, uint32(1448), wire.Le32(image[abi.SegmentTSVal:]))

		fuel := int64(plenty)
		_, err = i.Call(abi.HookLeaving, 0, image, nil, &fuel)
		require.ErrorContains(t, err, "does not export tcpkit_segment_leaving")
		outside := plugins.Part{At: abi.PayloadAt - 1, Size: 2}
		_, err = i.Call(abi.HookArriving, 0, image, []plugins.Part{outside}, &fuel)
		require.Equal(t, plugins.ErrRoom, err)
		require.Equal(t, plugins.ErrRoom, i.Fetch(image, outside))
		require.Equal(t, plugins.ErrRoom, i.Fetch(image, plugins.Part{At: 1<<32 - 1, Size: 2}), "without overflow")
		require.NoError(t, i.Close())
		_, err = call(i, image)
		require.EqualError(t, err, "the plugin has been closed")
		require.NoError(t, i.Close(), "once more does no harm")
	})
}

// THREATS P08 and P03.
func TestMemoryGrowsInTheCall(t *testing.T) {
	body := []byte{
		0x41, 0x01, 0x40, 0x00, 0x1a, // memory.grow 1, and whether it could
		0x41, 0x00, 0x41, 0x07, 0x36, 0x02, 0xd4, 0x08, // i32.store offset=1024+84: 7
		0x42, 0x00,
	}
	for _, interpreter := range []bool{false, true} {
		i := start(t, newEngine(t, wazero.Config{Pages: 16, Interpreter: interpreter}), hook(body...), nil)
		for range 20 {
			image := make([]byte, abi.RecordSize)
			_, err := call(i, image)
			require.NoError(t, err)
			require.NoError(t, i.Fetch(image, plugins.Part{At: abi.SegmentTSVal, Size: 4}))
			require.Equal(t, uint32(7), wire.Le32(image[abi.SegmentTSVal:]), "what is read back stands where memory is now")
		}
		require.False(t, i.ReadMemory(16<<16, make([]byte, 1)), "it has grown to 16 pages and no more")
		require.True(t, i.ReadMemory(16<<16-1, make([]byte, 1)))
	}
}

// trapping are bodies of hooks, and how they end.
var trapping = map[string]struct {
	trap plugins.Trap
	body []byte
}{
	"unreachable": {abi.TrapUnreachable, assemble.Trap},
	"memory":      {abi.TrapMemory, []byte{0x41, 0x7f, 0x29, 0x03, 0x00}},                         // i64.load of -1
	"divide":      {abi.TrapDivide, []byte{0x42, 0x01, 0x42, 0x00, 0x7f}},                         // i64.div_s 1, 0
	"overflow":    {abi.TrapRange, join(minInt64, []byte{0x42, 0x7f, 0x7f})},                      // i64.div_s of the lowest, -1
	"conversion":  {abi.TrapRange, []byte{0x43, 0x00, 0x00, 0xc0, 0x7f, 0xae}},                    // i64.trunc_f32_s of NaN
	"too large":   {abi.TrapRange, []byte{0x43, 0x00, 0x00, 0x80, 0x7f, 0xae}},                    // of infinity
	"data":        {abi.TrapMemory, []byte{0x41, 0x7f, 0x41, 0, 0x41, 2, 0xfc, 0x0b, 0, 0x42, 0}}, // memory.fill
}

func TestTraps(t *testing.T) {
	for name, c := range trapping {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, e *wazero.Engine) {
				i := start(t, e, hook(c.body...), nil)
				result, err := call(i, make([]byte, abi.RecordSize))
				require.Equal(t, abi.Trapped, result)
				require.Equal(t, c.trap, err)
			})
		})
	}
}

// THREATS P01, P02 and P05.
func TestFuel(t *testing.T) {
	loop := []byte{0x03, 0x40, 0x0c, 0x00, 0x0b, 0x00}
	both(t, func(t *testing.T, e *wazero.Engine) {
		i := start(t, e, hook(loop...), nil)
		fuel := int64(1_000_000)
		_, err := i.Call(abi.HookArriving, 0, nil, nil, &fuel)
		require.ErrorIs(t, err, plugins.ErrFuel)
		require.Zero(t, fuel)

		i = start(t, e, hook(assemble.Pass...), nil)
		fuel = 100
		_, err = i.Call(abi.HookArriving, 0, nil, nil, &fuel)
		require.NoError(t, err)
		require.Equal(t, int64(99), fuel, "what is left")

		i = start(t, e, hook(0x10, 0x02), nil) // calls itself, the third function
		_, err = call(i, make([]byte, abi.RecordSize))
		require.Equal(t, plugins.Trap(abi.TrapUnreachable), err, "not the host's stack")

		_, err = e.Start(rewritten(t, assemble.Module(assemble.Func{Name: abi.ExportInitialize, Body: loop})), nil, 1000)
		require.ErrorIs(t, err, plugins.ErrFuel)
		require.EqualError(t, err, "_initialize: it used up its fuel")
		_, err = e.Start(rewritten(t, assemble.Module(assemble.Func{Name: "start", Body: loop, Start: true})), nil, 1000)
		require.EqualError(t, err, "its start function, which has to do with the fuel for it: trapped: unreachable")
	})
}

func TestStartFunctionHasNoHost(t *testing.T) {
	module := assemble.Module(functions[fMetric], assemble.Func{Name: "start", Start: true, Body: invoke(0, c32(1), c64(1))})
	both(t, func(t *testing.T, e *wazero.Engine) {
		r := &recorder{}
		_, err := e.Start(rewritten(t, module), r, plenty)
		require.ErrorIs(t, err, plugins.Trap(abi.TrapEarly))
		require.Empty(t, r.asked)
	})
}

// minInt64 is i64.const of the lowest number.
var minInt64 = []byte{0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f}

func join(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// THREATS P07.
func TestBuffer(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	offer := func(at uint32) error {
		i, err := e.Start(rewritten(t, assemble.Module(
			assemble.ABI(abi.Version), assemble.Init(at), assemble.Hook(abi.ExportArriving, assemble.Pass))), nil, plenty)
		require.NoError(t, err)
		defer i.Close()
		version, err := i.ABI()
		require.NoError(t, err)
		require.Equal(t, uint32(abi.Version), version)
		return i.Init(abi.PayloadAt)
	}
	const page = 64 << 10
	require.NoError(t, offer(page-abi.PayloadAt))
	require.EqualError(t, offer(0), "tcpkit_init returned 0, which says that the plugin cannot run; return the address of a buffer of 576 octets")
	for _, at := range []uint32{page - abi.PayloadAt + 1, page, 1<<32 - 1, 1 << 31} {
		require.ErrorContains(t, offer(at), "but the plugin's memory ends at 65536; offer one within it, or make the memory larger", at)
	}
}

func TestRefused(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	// i32.add of an i64, which package fuel does not look at
	_, err := e.Start(rewritten(t, hook(0x42, 0, 0x42, 0, 0x6a, 0x1a, 0x42, 0)), nil, plenty)
	require.ErrorContains(t, err, "compile: ", "types are the engine's to judge")
	_, err = e.Start(hook(assemble.Pass...), nil, plenty)
	require.ErrorContains(t, err, "compile: the module pays no fuel")
	_, err = e.Start(rewritten(t, assemble.Plugin(assemble.Hook(abi.ExportArriving, assemble.Pass),
		assemble.Func{Name: abi.ExportInitialize, Body: assemble.Trap})), nil, plenty)
	require.EqualError(t, err, "_initialize: trapped: unreachable")
	i, err := e.Start(rewritten(t, assemble.Module(
		assemble.Func{Name: abi.ExportABI, Results: []byte{assemble.I32}, Body: assemble.Trap},
		assemble.Func{Name: abi.ExportInit, Args: []byte{assemble.I32}, Results: []byte{assemble.I32}, Body: assemble.Trap})), nil, plenty)
	require.NoError(t, err)
	_, err = i.ABI()
	require.EqualError(t, err, "tcpkit_abi: trapped: unreachable")
	require.EqualError(t, i.Init(1), "tcpkit_init: trapped: unreachable")
}

func TestInstancesShareNothing(t *testing.T) {
	both(t, func(t *testing.T, e *wazero.Engine) {
		one, two := start(t, e, logger.Module, nil), start(t, e, logger.Module, nil)
		transition := func(i plugins.Instance) {
			fuel := int64(plenty)
			_, err := i.Call(abi.HookTransition, 0, make([]byte, abi.RecordSize), []plugins.Part{{At: 0, Size: abi.RecordSize}}, &fuel)
			require.NoError(t, err)
		}
		transition(one)
		require.NoError(t, one.Close(), "the other one goes on")
		transition(two)
		var count [4]byte
		require.True(t, two.ReadMemory(logger.CountAt, count[:]))
		require.Equal(t, [4]byte{1}, count)
		require.False(t, two.ReadMemory(1<<16, count[:]))
	})
}

func TestInstancesAreBounded(t *testing.T) {
	e := newEngine(t, wazero.Config{Instances: 2})
	one := start(t, e, logger.Module, nil)
	start(t, e, hook(assemble.Pass...), nil)
	_, err := e.Start(rewritten(t, logger.Module), nil, plenty)
	require.EqualError(t, err, "2 plugins are running, which is all that may at once")
	require.NoError(t, one.Close())
	require.NoError(t, one.Close())
	start(t, e, logger.Module, nil)
	_, err = e.Start(rewritten(t, logger.Module), nil, plenty)
	require.Error(t, err, "one that is closed twice leaves one place")
}

// What has run stays compiled for a while, and not all that ever has.
func TestModulesComeAndGo(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	for n := range int64(40) {
		i := start(t, e, hook(assemble.Const64(n)...), nil)
		result, err := call(i, make([]byte, abi.RecordSize))
		require.NoError(t, err)
		require.Equal(t, n, result)
		require.NoError(t, i.Close())
	}
	require.Equal(t, 16, e.Modules())
	start(t, e, hook(assemble.Const64(39)...), nil)
	require.Equal(t, 16, e.Modules())
}

// THREATS P04: compiling is not for ever.
func TestCompileTime(t *testing.T) {
	_, err := newEngine(t, wazero.Config{CompileTime: 1}).Start(rewritten(t, goGuest(t)), nil, plenty)
	require.ErrorContains(t, err, "compile: ")
	require.ErrorContains(t, err, "deadline")
}

func TestClosedEngine(t *testing.T) {
	e, err := wazero.New(wazero.Config{})
	require.NoError(t, err)
	i := start(t, e, logger.Module, nil)
	require.NoError(t, e.Close())
	_, err = e.Start(rewritten(t, logger.Module), nil, plenty)
	require.EqualError(t, err, "the engine of plugins is closed")
	var fuel int64 = plenty
	_, err = i.Call(abi.HookTransition, 0, nil, nil, &fuel)
	require.EqualError(t, err, "the plugin has been closed")
	require.NoError(t, i.Close())
	require.NoError(t, e.Close())
}

// While one plugin is compiled, others end and are started again: nobody's packets wait
// for a compiler.
func TestOthersGoOnWhileCompiling(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	module := hook(assemble.Pass...)
	pays := rewritten(t, module)
	first := start(t, e, module, nil)
	done := make(chan struct{})
	e.Compiling(func() {
		go func() {
			defer close(done)
			_ = first.Close()
			again, err := e.Start(pays, nil, plenty)
			if err == nil {
				_ = again.Close()
			}
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Error("a plugin waits for the compilation of another")
		}
	})
}
