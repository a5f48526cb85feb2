package fuel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

func instantiate(t *testing.T, wasm []byte) (api.Module, error) {
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCoreFeatures(features))
	t.Cleanup(func() { rt.Close(ctx) })
	return rt.Instantiate(ctx, wasm)
}

// The start function has Limits.StartFuel, and what it leaves is there to see.
//
// Proves: P05
func TestStart(t *testing.T) {
	s := one(nil, nil, nil, c32(3), opDrop)
	s.start = u32(0)
	l := DefaultLimits()
	l.StartFuel = 7
	out, err := Rewrite(s.bytes(), l)
	require.NoError(t, err)
	m, err := instantiate(t, out)
	require.NoError(t, err)
	require.Equal(t, uint64(5), m.ExportedGlobal(Global).Get())

	s = one(nil, nil, nil, loop(br(0)))
	s.start = u32(0)
	_, err = instantiate(t, rewritten(t, s))
	require.ErrorContains(t, err, "unreachable")
}

// The module's own bounds stay where they are tighter.
//
// Proves: P03
func TestBounds(t *testing.T) {
	for _, c := range []struct {
		own  []byte
		most uint32
	}{{list(0, 1), 16}, {list(1, 1, 3), 3}, {code(1, 1, u32(65536)), 16}, {list(1, 16, 16), 16}} {
		out := rewritten(t, source{memory: c.own, tables: [][]byte{code(typeFuncref, 1, 0, u32(-1))}})
		m, err := instantiate(t, out)
		require.NoError(t, err)
		most, ok := m.ExportedMemory("memory").Definition().Max()
		require.True(t, ok)
		require.Equal(t, c.most, most, "% x", c.own)
		require.True(t, bytes.Contains(out, code(byte(sectionTable), 7, 1, typeFuncref, 1, 0, u32(16384))))
	}
}

// Names of functions are kept for messages, and those that lie about their number
// are not: an engine may ask for as much memory.
func TestNames(t *testing.T) {
	s := one(nil, nil, nil, opUnreachable)
	names := func(content ...any) []byte {
		return code(byte(sectionCustom), sized(code(sized([]byte("name")), code(content...))))
	}
	first := code(1, 0, sized([]byte("first")))
	s.extra = code(byte(sectionCustom), sized(code(sized([]byte("tcpkit.manifest")), "name x\n")), names(0, 2, 1, 'm', 1, sized(first)))
	out := rewritten(t, s)
	require.True(t, bytes.HasSuffix(out, names(1, sized(first))))
	require.NotContains(t, string(out), "manifest")
	m, err := instantiate(t, out)
	require.NoError(t, err)
	_, err = m.ExportedFunction("f").Call(context.Background())
	require.ErrorContains(t, err, "first()")

	for name, bad := range map[string][]byte{
		"more than there are": names(1, sized(code(u32(1<<28), 0, sized([]byte("first"))))),
		"of no function":      names(1, sized(code(1, 1, sized([]byte("first"))))),
		"twice":               names(1, sized(code(2, 0, sized([]byte("first")), 0, sized([]byte("first"))))),
		"cut off":             names(1, sized(code(1, 0, 9, "first"))),
		"something behind":    names(1, sized(code(1, 0, sized([]byte("first")), 0))),
		"no subsection":       names(1, 200, "first"),
	} {
		s.extra = bad
		require.NotContains(t, string(rewritten(t, s)), "first", name)
	}
}

// A rewritten module is kept under a key that has Version in it: a change of what
// is written needs another one.
func TestVersion(t *testing.T) {
	h := sha256.New()
	for _, p := range programs() {
		h.Write(rewritten(t, p.source))
	}
	for _, f := range opcodes() {
		h.Write(rewritten(t, hosting(f)))
	}
	for seed := range uint64(20) {
		h.Write(rewritten(t, randomProgram(seed)))
	}
	require.Equal(t, "fuel-2 19ba9034fe5db992", fmt.Sprintf("%s %x", Version, h.Sum(nil)[:8]), "what is written has changed: change Version, and this line with it")
}

func ExampleRewrite() {
	// (module (func (export "f") (loop (br 0))))
	wasm := []byte("\x00asm\x01\x00\x00\x00" + "\x01\x04\x01\x60\x00\x00" + "\x03\x02\x01\x00" + "\x07\x05\x01\x01f\x00\x00" + "\x0a\x09\x01\x07\x00\x03\x40\x0c\x00\x0b\x0b")
	pays, err := Rewrite(wasm, DefaultLimits())
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	defer rt.Close(ctx)
	m, _ := rt.Instantiate(ctx, pays)
	left := m.ExportedGlobal(Global).(api.MutableGlobal)
	left.Set(1000)
	_, err = m.ExportedFunction("f").Call(ctx)
	fmt.Println(err != nil, int64(left.Get()))
	// Output: true -1
}
