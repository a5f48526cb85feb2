package fuel

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// recursions are functions that call themselves for ever, with frames of many
// shapes: what they hold is needed behind the call.
func recursions() map[string]source {
	pushes := func(n int) (out []byte) {
		for i := range n {
			out = append(out, code(get(0), c32(int32(i)), opI32Add)...)
		}
		return out
	}
	repeat := func(n int, b ...byte) (out []byte) {
		for range n {
			out = append(out, b...)
		}
		return out
	}
	var sets, sums []byte
	for i := range 1000 {
		sets = append(sets, code(get(0), c32(int32(i)), opI32Add, set(1+i))...)
		sums = append(sums, code(get(1+i), opI32Add)...)
	}
	var arguments []byte
	for i := range 100 {
		arguments = append(arguments, code(get(i), c32(1), opI32Add)...)
	}
	n := list(i32)
	deeper := code(get(0), c32(1), opI32Add)
	return map[string]source{
		"next to nothing":  one(nil, nil, nil, call(0)),
		"an argument":      one(n, n, nil, deeper, call(0), get(0), opI32Add),
		"a thousand local": one(n, n, repeat(1000, i32), sets, deeper, call(0), sums),
		"operands":         one(n, n, nil, pushes(1000), call(0), repeat(999, opI32Add)),
		"f64 operands":     one(n, n, nil, pushes(1), repeat(999, append(get(0), 0xb7)...), get(0), call(0), opDrop, repeat(998, 0xa0), opDrop),
		"a hundred arguments": {
			types: []funcType{{n, n}, {repeat(100, i32), n}},
			funcs: []fn{{"f", 0, nil, code(repeat(100, get(0)...), call(1))}, {"", 1, nil, code(arguments, call(1), repeat(1, get(99)...), opI32Add)}},
		},
		"call_indirect": {
			types: []funcType{{n, n}}, tables: [][]byte{{typeFuncref, 0, 1}}, elements: [][]byte{code(0, c32(0), opEnd, 1, 0)},
			funcs: []fn{{"f", 0, nil, code(deeper, c32(0), opCallIndirect, 0, 0, get(0), opI32Add)}},
		},
	}
}

// Depth ends a recursion before any engine's own stack does: that would be in
// another place in each. Node gets a third of the stack that it has of itself.
//
// Proves: P02
func TestDepth(t *testing.T) {
	for name, s := range recursions() {
		t.Run(name, func(t *testing.T) {
			var args []uint64
			if len(s.types[0].takes) > 0 {
				args = []uint64{1}
			}
			j := []job{{rewritten(t, s), "f", args, false, 1 << 40}}
			want := compiler(t, j)[0]
			require.True(t, want.Trapped)
			require.Positive(t, want.Fuel)
			require.Greater(t, want.Depth, DefaultLimits().Depth*9/10)
			got := interpreter(t, j)[0]
			require.Equal(t, want, got, "wazero's interpreter")
			got = nodeWith(t, j, "--stack-size=328")[0]
			require.Equal(t, want, got, "node")
			got = nodeWith(t, j, "--stack-size=328", "--liftoff-only")[0]
			require.Equal(t, want, got, "node's baseline compiler")
		})
	}
}
