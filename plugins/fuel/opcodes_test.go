package fuel

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// An operator is a run of opcodes that take and return values of the same types.
type operator struct {
	first, last byte
	takes       string // "iIfF": i32, i64, f32, f64
	returns     byte
}

var operators = []operator{
	{0x45, 0x45, "i", 'i'}, {0x46, 0x4f, "ii", 'i'}, {0x50, 0x50, "I", 'i'}, {0x51, 0x5a, "II", 'i'},
	{0x5b, 0x60, "ff", 'i'}, {0x61, 0x66, "FF", 'i'},
	{0x67, 0x69, "i", 'i'}, {0x6a, 0x78, "ii", 'i'}, {0x79, 0x7b, "I", 'I'}, {0x7c, 0x8a, "II", 'I'},
	{0x8b, 0x91, "f", 'f'}, {0x92, 0x98, "ff", 'f'}, {0x99, 0x9f, "F", 'F'}, {0xa0, 0xa6, "FF", 'F'},
	{0xa7, 0xa7, "I", 'i'}, {0xa8, 0xa9, "f", 'i'}, {0xaa, 0xab, "F", 'i'}, {0xac, 0xad, "i", 'I'},
	{0xae, 0xaf, "f", 'I'}, {0xb0, 0xb1, "F", 'I'}, {0xb2, 0xb3, "i", 'f'}, {0xb4, 0xb5, "I", 'f'},
	{0xb6, 0xb6, "F", 'f'}, {0xb7, 0xb8, "i", 'F'}, {0xb9, 0xba, "I", 'F'}, {0xbb, 0xbb, "f", 'F'},
	{0xbc, 0xbc, "f", 'i'}, {0xbd, 0xbd, "F", 'I'}, {0xbe, 0xbe, "i", 'f'}, {0xbf, 0xbf, "I", 'F'},
	{0xc0, 0xc1, "i", 'i'}, {0xc2, 0xc4, "I", 'I'},
}

var saturating = []operator{{0, 1, "f", 'i'}, {2, 3, "F", 'i'}, {4, 5, "f", 'I'}, {6, 7, "F", 'I'}}

func cf32(bits uint32) []byte {
	return binary.LittleEndian.AppendUint32([]byte{opF32Const}, bits)
}

func cf64(bits uint64) []byte {
	return binary.LittleEndian.AppendUint64([]byte{opF64Const}, bits)
}

// operand is the nth of some values of a type, the third and fourth of floats
// being NaNs.
func operand(t byte, n int) []byte {
	switch t {
	case 'i':
		return c32([]int32{7, -3, 31, math.MinInt32}[n%4])
	case 'I':
		return c64([]int64{7, -3, 63, math.MinInt64}[n%4])
	case 'f':
		return cf32([]uint32{math.Float32bits(2.5), math.Float32bits(-0.5), 0x7fa00001, 0xffc12345}[n%4])
	default:
		return cf64([]uint64{math.Float64bits(2.5), math.Float64bits(-0.5), 0x7ff4000000000001, 0xfff8123456789abc}[n%4])
	}
}

// asInteger turns a value into the i64 that is compared.
func asInteger(t byte) []byte {
	return map[byte][]byte{'i': {opI64ExtendU}, 'I': nil, 'f': {opI32OfF32, opI64ExtendU}, 'F': {opI64OfF64}}[t]
}

// opcodes returns a function of each opcode that is taken, with name and result.
// NaNs, and what traps on them, are of TestNaN.
func opcodes() (all []fn) {
	add := func(body ...any) { all = append(all, fn{"f", 0, nil, code(body...)}) }
	for _, o := range operators {
		for op := int(o.first); op <= int(o.last); op++ {
			for n := range 2 {
				if n == 1 && slices.Contains([]int{0x91, 0x9f, 0xbe, 0xbf}, op) {
					continue // the square root of less than nothing, or its like: a NaN
				}
				var body []byte
				for i := range len(o.takes) {
					body = append(body, operand(o.takes[i], (i+n)%2)...)
				}
				add(body, op, asInteger(o.returns))
			}
		}
	}
	for _, o := range saturating {
		for op := o.first; op <= o.last; op++ {
			for n := range 4 {
				add(operand(o.takes[0], n), prefix(op), asInteger(o.returns))
			}
		}
	}
	for op := 0x28; op <= 0x35; op++ { // loads
		t := "iIfFiiiiIIIIII"[op-0x28]
		add(c32(16), op, 0, 3, asInteger(t))
	}
	for op := 0x36; op <= 0x3e; op++ { // stores
		t := "iIfFiiIII"[op-0x36]
		add(c32(100), operand(t, 1), op, 0, 4, c32(100), 0x29, 0, 4)
	}
	extend := opI64ExtendU
	add(opMemorySize, 0, extend)
	add(c32(1), opMemoryGrow, 0, extend)
	add(c32(0), c32(0), c32(8), prefix(opMemoryInit, 1, 0), prefix(opDataDrop, 1), c32(0), 0x29, 0, 0)
	add(c32(8), c32(16), c32(8), prefix(opMemoryCopy, 0, 0), c32(8), 0x29, 0, 0)
	add(c32(8), c32(0x5a), c32(7), prefix(opMemoryFill, 0), c32(8), 0x29, 0, 0)
	add(c32(1), c32(0), c32(2), prefix(opTableInit, 1, 0), prefix(opElemDrop, 1), c32(1), opTableGet, 0, opRefIsNull, extend)
	add(c32(1), c32(0), c32(1), prefix(opTableCopy, 0, 0), c32(1), opTableGet, 0, opRefIsNull, extend)
	add(opRefNull, typeFuncref, c32(2), prefix(opTableGrow, 0), extend)
	add(prefix(opTableSize, 0), extend)
	add(c32(0), opRefNull, typeFuncref, c32(2), prefix(opTableFill, 0), c32(0), opTableGet, 0, opRefIsNull, extend)
	add(c32(2), opRefFunc, 0, opTableSet, 0, c32(2), opTableGet, 0, opRefIsNull, extend)
	add(opRefNull, typeExternref, opRefIsNull, extend)
	add(c64(5), opGlobalSet, 0, opGlobalGet, 0, opNop)
	add(c64(1), c64(2), c32(0), opSelect)
	add(c64(1), c64(2), c32(1), opSelectTyped, 1, i64)
	add(c64(1), c64(2), opDrop)
	add(cf32(0x40490fdb), asInteger('f'))
	add(code(opBlock, i64, c64(3), c32(1), brIf(0), opEnd))
	add(code(opLoop, i64, c64(3), opEnd))
	add(c32(1), opIf, i64, c64(3), opElse, c64(4), opEnd)
	add(block(c32(0), opBrTable, 0, 0), c64(3), opReturn)
	add(block(br(0)), c64(1))
	add(call(0))
	add(c32(0), opCallIndirect, 0, 0)
	all = append(all, fn{"f", 0, list(i64), code(c64(4), tee(0), set(0), get(0))})
	return all
}

// A host for every opcode: memory, a table, a global, segments, and a function 0
// to call.
func hosting(f fn) source {
	return source{
		types:    []funcType{{nil, list(i64)}},
		funcs:    []fn{{"", 0, nil, c64(99)}, f},
		tables:   [][]byte{{typeFuncref, 0, 4}},
		memory:   list(0, 1),
		globals:  [][]byte{code(i64, 1, c64(1), opEnd)},
		elements: [][]byte{code(0, c32(0), opEnd, 1, 0), code(1, 0, 2, 0, 0)},
		data:     [][]byte{code(0, c32(16), opEnd, sized([]byte("0123456789abcdef"))), code(1, sized([]byte("segments")))},
		count:    true,
	}
}

// Every opcode that is taken does what it did, and costs the same in all engines.
func TestOpcodes(t *testing.T) {
	seen := map[byte]bool{opUnreachable: true} // TestRunsOut
	seenPrefixed := map[byte]bool{}
	var jobs []job
	for _, f := range opcodes() {
		s := hosting(f)
		note(t, s.bytes(), seen, seenPrefixed)
		jobs = append(jobs, job{s.bytes(), "f", nil, false, 0}, job{rewritten(t, s, f.code), "f", nil, false, 1 << 40})
	}
	for op, o := range operations {
		require.Equal(t, o.immediate != refused, seen[byte(op)], "0x%02x: is it taken, and is it tested?", op)
	}
	require.Len(t, seenPrefixed, len(prefixed))
	var first []outcome
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			got := e.run(t, jobs)
			for i := 0; i < len(got); i += 2 {
				before, after := got[i], got[i+1]
				require.Positive(t, int64(1<<40)-after.Fuel)
				after.Fuel = 0
				require.Equal(t, before, after, "% x", opcodes()[i/2].code)
			}
			if first == nil {
				first = got
			}
			require.Equal(t, first, got)
		})
	}
}

// note enters the opcodes of a module.
func note(t *testing.T, wasm []byte, seen, seenPrefixed map[byte]bool) {
	walk(t, wasm, func(f *function) {
		for len(f.frames) > 0 {
			op := wasm[f.at]
			seen[op] = true
			if op == opPrefix {
				seenPrefixed[wasm[f.at+1]] = true
			}
			f.instruction()
		}
	})
}

// A NaN has no sign and no payload where a module could see them: the same bits
// in all engines, whatever the operation that made it.
//
// Proves: P16
func TestNaN(t *testing.T) {
	const (
		canonical32 = 0x7fc00000
		canonical64 = 0x7ff8000000000000
	)
	zero32, zero64 := cf32(0), cf64(0)
	makers32 := [][]byte{
		cf32(0xffc12345), cf32(0x7fa00001),
		code(zero32, zero32, 0x95),                                                // 0/0
		code(cf32(0xbf800000), 0x91),                                              // sqrt(-1)
		code(cf32(0x7f800000), cf32(0x7f800000), 0x93),                            // inf-inf
		code(cf32(0xffc12345), 0x8c), code(cf64(1<<63>>1|1<<62|0xffff<<48), 0xb6), // neg, demote
		code(cf32(0xffe00001), zero32, 0x96), code(cf32(0x7fa00001), 0x8d), // min, ceil
	}
	makers64 := [][]byte{
		cf64(0xfff8123456789abc), cf64(0x7ff4000000000001),
		code(zero64, zero64, 0xa3), code(cf64(0xbff0000000000000), 0x9f), code(cf64(0x7ff0000000000000), cf64(0x7ff0000000000000), 0xa1),
		code(cf64(0xfff8123456789abc), 0x9a), code(cf32(0xffc12345), 0xbb), code(cf64(0xfff8123456789abc), zero64, 0xa5),
	}
	one32, one64 := cf32(0x3f800000), cf64(0x3ff0000000000000)
	var jobs []job
	var want []uint64
	add := func(w uint64, body ...any) {
		jobs = append(jobs, job{rewritten(t, hosting(fn{"f", 0, nil, code(body...)})), "f", nil, false, 1000})
		want = append(want, w)
	}
	for _, m := range makers32 {
		add(canonical32, m, asInteger('f'))
		add(canonical32, c32(0), m, opF32Store, 0, 0, c32(0), 0x35, 0, 0)
		add(0x3f800000, one32, m, opF32Copysign, asInteger('f'))
	}
	for _, m := range makers64 {
		add(canonical64, m, asInteger('F'))
		add(canonical64, c32(0), m, opF64Store, 0, 0, c32(0), 0x29, 0, 0)
		add(0x3ff0000000000000, one64, m, opF64Copysign, asInteger('F'))
	}
	// What is no NaN stays.
	add(0x80000000, cf32(0x80000000), asInteger('f'))
	add(0xff800000, cf32(0xff800000), asInteger('f'))
	add(1, cf64(1), asInteger('F'))
	add(0xbff0000000000000, one64, cf64(1<<63), opF64Copysign, asInteger('F'))
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			for i, o := range e.run(t, jobs) {
				require.Equal(t, []uint64{want[i]}, o.Results, "%d", i)
			}
		})
	}
}
