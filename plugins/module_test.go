package plugins_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/examples/logger"
	"github.com/tcpkit/tcpkit/plugins/internal/assemble"
)

func TestInspect(t *testing.T) {
	m, err := plugins.Inspect(logger.Module)
	require.NoError(t, err)
	require.Empty(t, m.Imports)
	require.Equal(t, []plugins.Func{
		{Name: "memory", Type: "memory"},
		{Name: "tcpkit_abi", Type: "() -> i32"},
		{Name: "tcpkit_init", Type: "(i32) -> i32"},
		{Name: "tcpkit_transition", Type: "() -> i64"},
	}, m.Exports)

	m, err = plugins.Inspect(assemble.Module(
		assemble.Func{Name: "two", Args: []byte{0x7d, 0x7c}, Results: []byte{assemble.I32, assemble.I64}, Body: assemble.Trap},
		assemble.Func{Module: "host", Name: "f", Args: []byte{assemble.I64}},
	))
	require.NoError(t, err)
	require.Equal(t, []plugins.Func{{Module: "host", Name: "f", Type: "(i64) -> ()"}}, m.Imports)
	require.Equal(t, "(f32, f64) -> (i32, i64)", m.Exports[0].Type, "imported functions are counted first")
}

func TestInspectDamaged(t *testing.T) {
	whole := 0
	for n := range len(logger.Module) {
		if _, err := plugins.Inspect(logger.Module[:n]); err == nil {
			whole++
		}
	}
	require.Equal(t, 6, whole, "cut off between its six sections it is a module still, with less in it")
	_, err := plugins.Inspect([]byte("MZ      "))
	require.ErrorContains(t, err, "not a WASM module")
	_, err = plugins.Inspect([]byte("\x00asm\x0d\x00\x01\x00"))
	require.ErrorContains(t, err, "component")
	_, err = plugins.Inspect(make([]byte, 5<<20))
	require.ErrorContains(t, err, "5242880 octets; at most 4194304")
}

func FuzzInspect(f *testing.F) {
	f.Add(logger.Module)
	f.Add(assemble.Module(assemble.Func{Module: "a", Name: "b"}, assemble.ABI(abi.Version)))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := plugins.Inspect(b)
		if err != nil {
			require.Empty(t, m, "an error comes alone")
			return
		}
		for _, fn := range append(m.Imports, m.Exports...) {
			require.NotEmpty(t, fn.Type)
		}
	})
}
