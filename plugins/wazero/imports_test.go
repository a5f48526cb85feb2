package wazero_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/internal/assemble"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// A recorder notes what plugins ask for.
type recorder struct {
	asked []string
	time  int64
	draws uint64
	kept  map[int64]int64
	full  bool
}

func (r *recorder) note(format string, args ...any) {
	r.asked = append(r.asked, fmt.Sprintf(format, args...))
}

func (r *recorder) Log(level uint32, text []byte) { r.note("log %d %q", level, text) }
func (r *recorder) Metric(id uint32, value int64) { r.note("metric %d %d", id, value) }
func (r *recorder) Arm(id uint32, after int64)    { r.note("arm %d %d", id, after) }
func (r *recorder) Now() int64                    { return r.time }
func (r *recorder) Get(key int64) int64           { return r.kept[key] }
func (r *recorder) Inject(record []byte) bool     { r.note("inject %x", record); return !r.full }
func (r *recorder) Random() uint64 {
	r.draws++
	return r.draws * 0x9e3779b97f4a7c15
}
func (r *recorder) Set(key, value int64) bool {
	if r.kept == nil {
		r.kept = map[int64]int64{}
	}
	r.kept[key] = value
	return !r.full
}

const (
	vI32 = assemble.I32
	vI64 = assemble.I64
)

// The imports, in the order of their indices in the modules here.
const (
	fLog = iota
	fMetric
	fNow
	fRandom
	fGet
	fSet
	fArm
	fInject
)

var functions = []assemble.Func{
	{Module: "tcpkit", Name: "log", Args: []byte{vI32, vI32, vI32}},
	{Module: "tcpkit", Name: "metric", Args: []byte{vI32, vI64}},
	{Module: "tcpkit", Name: "now", Results: []byte{vI64}},
	{Module: "tcpkit", Name: "random", Results: []byte{vI64}},
	{Module: "tcpkit", Name: "get", Args: []byte{vI64}, Results: []byte{vI64}},
	{Module: "tcpkit", Name: "set", Args: []byte{vI64, vI64}, Results: []byte{vI32}},
	{Module: "tcpkit", Name: "arm", Args: []byte{vI32, vI64}},
	{Module: "tcpkit", Name: "inject", Args: []byte{vI32, vI32}, Results: []byte{vI32}},
}

// asking is a plugin whose hook for arriving segments has the body, in which
// functions are called by their indices.
func asking(body ...[]byte) []byte {
	return assemble.Module(append(append([]assemble.Func(nil), functions...),
		assemble.ABI(abi.Version), assemble.Init(1024), assemble.Hook(abi.ExportArriving, join(body...)))...)
}

func invoke(index byte, args ...[]byte) []byte { return join(join(args...), []byte{0x10, index}) }

var (
	c32  = assemble.Const32
	c64  = assemble.Const64
	add  = []byte{0x7c}
	wide = []byte{0xad} // i64.extend_i32_u
)

// TestImports calls each function once.
func TestImports(t *testing.T) {
	module := asking(
		invoke(fLog, c32(2), c32(1024), c32(3)),
		invoke(fMetric, c32(7), c64(-70)),
		invoke(fArm, c32(3), c64(30)),
		invoke(fSet, c64(-5), c64(1000)), wide,
		invoke(fInject, c32(1024), c32(4)), wide, add,
		invoke(fGet, c64(-5)), add,
		invoke(fNow), add,
		invoke(fRandom), add,
	)
	both(t, func(t *testing.T, e *wazero.Engine) {
		r := &recorder{time: 1_000_000}
		i := start(t, e, module, r)
		image := make([]byte, abi.RecordSize)
		copy(image, "abcd")
		fuel := int64(plenty)
		result, err := i.Call(abi.HookArriving, 0, image, []plugins.Part{{At: 0, Size: abi.RecordSize}}, &fuel)
		require.NoError(t, err)
		require.Equal(t, 1+1+1000+1_000_000+r.draws*0x9e3779b97f4a7c15, uint64(result))
		require.Equal(t, []string{`log 2 "abc"`, "metric 7 -70", "arm 3 30", "inject 61626364"}, r.asked)
		require.GreaterOrEqual(t, plenty-fuel, int64(8*abi.ImportCost+3+4), "each costs")

		r.full = true
		full, err := call(i, image)
		require.NoError(t, err)
		require.Equal(t, uint64(result)-2+0x9e3779b97f4a7c15, uint64(full), "there is no room")
	})
}

func TestImportsWithBadAddresses(t *testing.T) {
	drop := []byte{0x1a}
	for name, body := range map[string][]byte{
		"log beyond the end":    invoke(fLog, c32(0), c32(65535), c32(2)),
		"log that overflows":    invoke(fLog, c32(0), c32(-1), c32(-1)),
		"inject beyond the end": join(invoke(fInject, c32(65536), c32(1)), drop),
		"inject of everything":  join(invoke(fInject, c32(1), c32(65536)), drop),
	} {
		both(t, func(t *testing.T, e *wazero.Engine) {
			r := &recorder{}
			_, err := call(start(t, e, asking(body, assemble.Pass), r), make([]byte, abi.RecordSize))
			require.Equal(t, plugins.Trap(abi.TrapMemory), err, name)
			require.Empty(t, r.asked)
		})
	}
}

// A long text is cut, and paid for as far as it is kept.
func TestLogIsCut(t *testing.T) {
	both(t, func(t *testing.T, e *wazero.Engine) {
		r := &recorder{}
		_, err := call(start(t, e, asking(invoke(fLog, c32(0), c32(0), c32(65536)), assemble.Pass), r), make([]byte, abi.RecordSize))
		require.NoError(t, err)
		require.Len(t, r.asked, 1)
		require.Greater(t, len(r.asked[0]), abi.LogSize)
	})
}

// What imports cost ends a call too, without an instruction that pays.
func TestImportsUseFuel(t *testing.T) {
	module := asking(invoke(fMetric, c32(1), c64(1)), invoke(fMetric, c32(2), c64(2)), assemble.Pass)
	both(t, func(t *testing.T, e *wazero.Engine) {
		r := &recorder{}
		i := start(t, e, module, r)
		fuel := int64(2*abi.ImportCost - 1)
		_, err := i.Call(abi.HookArriving, 0, nil, nil, &fuel)
		require.ErrorIs(t, err, plugins.ErrFuel)
		require.EqualError(t, err, "it used up its fuel")
		require.Zero(t, fuel)
		require.Equal(t, []string{"metric 1 1"}, r.asked)
	})
}

func TestUnknownImport(t *testing.T) {
	for _, f := range []assemble.Func{
		{Module: "tcpkit", Name: "lag", Args: []byte{vI32, vI32, vI32}},
		{Module: "tcpkit", Name: "log", Args: []byte{vI32, vI32}},
		{Module: "env", Name: "log"},
		{Module: "wasi_snapshot_preview1", Name: "path_open"},
	} {
		_, err := newEngine(t, wazero.Config{}).Start(rewritten(t, assemble.Module(f, assemble.ABI(1))), &recorder{}, plenty)
		require.Error(t, err, "THREATS P06")
	}
}

func BenchmarkHostCall(b *testing.B) {
	i := start(b, newEngine(b, wazero.Config{}), asking(invoke(fNow)), &recorder{})
	fuel := new(int64)
	b.ReportAllocs()
	for b.Loop() {
		*fuel = plenty
		_, _ = i.Call(abi.HookArriving, 0, nil, nil, fuel)
	}
}
