package wazero_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/examples/logger"
	"github.com/tcpkit/tcpkit/plugins/internal/assemble"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

func newEngine(t testing.TB, cfg wazero.Config) *wazero.Engine {
	t.Helper()
	e, err := wazero.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func hook(body []byte) []byte {
	return assemble.Plugin(assemble.Hook(abi.ExportArriving, body))
}

var record = tcp.SegmentRecord{
	Now: 1, Conn: 2, State: tcp.Established,
	Tuple: tcp.Tuple{
		Local:  wire.AddrPort{Addr: wire.AddrFrom4([4]byte{10, 0, 0, 1}), Port: 1},
		Remote: wire.AddrPort{Addr: wire.AddrFrom4([4]byte{10, 0, 0, 2}), Port: 2},
	},
	TCP: wire.TCP{Flags: wire.ACK}, Length: 1448,
}

func TestVerdict(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	for result, want := range map[abi.Verdict]tcp.Verdict{abi.Pass: tcp.Pass, abi.Drop: tcp.DropIt} {
		p, err := plugins.Load(e, "test", hook(assemble.Const64(int64(result))))
		require.NoError(t, err)
		require.Equal(t, want, p.Segment(&record))
		require.NoError(t, p.Err())
		require.NoError(t, p.Close())
	}
}

// TestRecordCrosses has the plugin judge by what it reads, and change the record.
func TestRecordCrosses(t *testing.T) {
	// i64.load32_u from the buffer, the payload's length; and it is stored where
	// TSval stands.
	body := []byte{
		0x41, 0x00, // i32.const 0
		0x41, 0x00, // i32.const 0
		0x28, 0x02, 0xf8, 0x08, // i32.load offset=1024+120
		0x36, 0x02, 0xfc, 0x08, // i32.store offset=1024+124
		0x41, 0x00,
		0x35, 0x02, 0xf8, 0x08, // i64.load32_u offset=1024+120
	}
	i, err := newEngine(t, wazero.Config{}).Start(hook(body))
	require.NoError(t, err)
	require.NoError(t, i.Init(abi.BufferSize))
	b := plugins.AppendSegment(nil, &record)
	result, err := i.Call(abi.HookArriving, b)
	require.NoError(t, err)
	require.Equal(t, int64(1448), result, "it has read the record")
	require.Equal(t, uint32(1448), wire.Le32(b[abi.SegmentTSVal:]), "what it changed comes back")

	_, err = i.Call(abi.HookLeaving, b)
	require.ErrorContains(t, err, "does not export tcpkit_segment_leaving")
	_, err = i.Call(abi.HookArriving, make([]byte, abi.BufferSize+1))
	require.ErrorContains(t, err, "larger than the buffer")
	require.NoError(t, i.Close())
	_, err = i.Call(abi.HookArriving, b)
	require.Error(t, err, "it is closed")
}

func TestMemoryGrowsInTheCall(t *testing.T) {
	body := []byte{
		0x41, 0x01, 0x40, 0x00, 0x1a, // memory.grow 1, and whether it could
		0x41, 0x00, 0x41, 0x07, 0x36, 0x02, 0xfc, 0x08, // i32.store offset=1024+124: 7
		0x42, 0x00,
	}
	i, err := newEngine(t, wazero.Config{}).Start(hook(body))
	require.NoError(t, err)
	require.NoError(t, i.Init(abi.BufferSize))
	for range 20 {
		b := plugins.AppendSegment(nil, &record)
		_, err := i.Call(abi.HookArriving, b)
		require.NoError(t, err)
		require.Equal(t, uint32(7), wire.Le32(b[abi.SegmentTSVal:]), "what is read back stands where memory is now: THREATS P08")
	}
	require.False(t, i.(*wazero.Instance).ReadMemory(16<<16, make([]byte, 1)), "it has grown to 16 pages and no more: THREATS P03")
	require.True(t, i.(*wazero.Instance).ReadMemory(16<<16-1, make([]byte, 1)))
}

func TestTrap(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	recursion := []byte{0x10, 0x02} // calls itself, the third function
	for name, body := range map[string][]byte{"unreachable": assemble.Trap, "stack overflow": recursion} {
		p, err := plugins.Load(e, "test", hook(body))
		require.NoError(t, err)
		require.Equal(t, tcp.Pass, p.Segment(&record))
		require.ErrorContains(t, p.Err(), "tcpkit_segment_arriving plugin test: trapped: ")
		require.ErrorContains(t, p.Err(), name)
	}
}

func TestBuffer(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	load := func(at uint32) error {
		_, err := plugins.Load(e, "test", assemble.Module(
			assemble.ABI(abi.Version), assemble.Init(at), assemble.Hook(abi.ExportArriving, assemble.Pass)))
		return err
	}
	const page = 64 << 10
	require.NoError(t, load(page-abi.BufferSize))
	require.EqualError(t, load(0), "load plugin test: tcpkit_init returned 0, which says that the plugin cannot run")
	for _, at := range []uint32{page - abi.BufferSize + 1, page, 1<<32 - 1, 1 << 31} {
		require.ErrorContains(t, load(at), "but the plugin's memory ends at 65536; offer one within it, or make the memory larger",
			"THREATS P07: %d", at)
	}
}

func TestRefused(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	_, err := plugins.Load(e, "test", hook([]byte{0xfe}))
	require.ErrorContains(t, err, "load plugin test: compile: ", "code is the engine's to judge")
	_, err = plugins.Load(e, "test", assemble.Plugin(assemble.Hook(abi.ExportArriving, assemble.Pass),
		assemble.Func{Name: abi.ExportInitialize, Body: assemble.Trap}))
	require.ErrorContains(t, err, "load plugin test: start: ", "_initialize is called")
}

func TestInstancesShareNothing(t *testing.T) {
	e := newEngine(t, wazero.Config{Cache: t.TempDir()})
	var instances [2]plugins.Instance
	for n := range instances {
		i, err := e.Start(logger.Module)
		require.NoError(t, err)
		require.NoError(t, i.Init(abi.BufferSize))
		instances[n] = i
	}
	transition := tcp.TransitionRecord{From: tcp.Closed, To: tcp.SynSent, Rule: rule.OpenActive}
	_, err := instances[0].Call(abi.HookTransition, plugins.AppendTransition(nil, &transition))
	require.NoError(t, err)
	require.NoError(t, instances[0].Close(), "the other one goes on")
	_, err = instances[1].Call(abi.HookTransition, plugins.AppendTransition(nil, &transition))
	require.NoError(t, err)
	var count [4]byte
	require.True(t, instances[1].(*wazero.Instance).ReadMemory(logger.CountAt, count[:]))
	require.Equal(t, [4]byte{1}, count)
	require.False(t, instances[1].(*wazero.Instance).ReadMemory(1<<16, count[:]))
}

func TestCacheThatCannotBe(t *testing.T) {
	file := t.TempDir() + "/file"
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := wazero.New(wazero.Config{Cache: file})
	require.ErrorContains(t, err, "open the cache of compiled plugins: ")
}

func TestCallAllocatesNothing(t *testing.T) {
	p, err := plugins.Load(newEngine(t, wazero.Config{}), "test", hook(assemble.Pass))
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(1000, func() { p.Segment(&record) }))
	require.NoError(t, p.Err())
}

func BenchmarkSegment(b *testing.B) {
	p, err := plugins.Load(newEngine(b, wazero.Config{}), "test", hook(assemble.Pass))
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		p.Segment(&record)
	}
	require.NoError(b, p.Err())
}

func BenchmarkTransition(b *testing.B) {
	p, err := plugins.Load(newEngine(b, wazero.Config{}), "logger", logger.Module)
	require.NoError(b, err)
	r := tcp.TransitionRecord{From: tcp.Closed, To: tcp.SynSent}
	b.ReportAllocs()
	for b.Loop() {
		p.Transition(&r)
	}
	require.NoError(b, p.Err())
}
