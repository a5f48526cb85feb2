package fuel

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A program is a module whose fuel is counted by hand.
type program struct {
	name   string
	source source
	args   []uint64
	wide   bool
	want   []uint64
	fuel   int64 // that it takes
}

func programs() []program {
	i := list(i32)
	fibonacci := source{
		types: []funcType{{i, i}},
		funcs: []fn{{"f", 0, nil, code(
			get(0), c32(2), opI32LtU, code(opIf, i32, get(0), opElse,
				get(0), c32(1), opI32Sub, call(0), get(0), c32(2), opI32Sub, call(0), opI32Add, opEnd),
		)}},
	}
	return []program{
		{"nothing", one(nil, nil, nil), nil, false, nil, 0},
		{"straight", one(i, i, nil, get(0), c32(2), opI32Add), []uint64{3}, false, []uint64{5}, 3},
		{"nop, block, loop, end are free", one(nil, nil, nil, opNop, block(loop(opNop))), nil, false, nil, 0},
		// Each iteration: 4, and 3 more with the br_if.
		{"a loop", one(i, i, i,
			loop(get(1), get(0), opI32Add, set(1), get(0), c32(1), opI32Sub, tee(0), brIf(0)), get(1)),
			[]uint64{10}, false, []uint64{55}, 10*9 + 1},
		{"an if with both arms: the first", one(i, i, nil, get(0), code(opIf, i32, c32(1), c32(2), opI32Add, opElse, c32(7), opEnd), opNop),
			[]uint64{1}, false, []uint64{3}, 2 + 3},
		{"an if with both arms: the second", one(i, i, nil, get(0), code(opIf, i32, c32(1), c32(2), opI32Add, opElse, c32(7), opEnd), opNop),
			[]uint64{0}, false, []uint64{7}, 2 + 1},
		{"behind an if", one(i, i, nil, get(0), when(code(c32(3), set(0))), get(0)), []uint64{1}, false, []uint64{3}, 2 + 2 + 1},
		{"behind an if that is not done", one(i, i, nil, get(0), when(code(c32(3), set(0))), get(0)), []uint64{0}, false, []uint64{0}, 2 + 1},
		{"br_if taken", one(i, i, nil, block(get(0), brIf(0), c32(5), set(0)), get(0)), []uint64{9}, false, []uint64{9}, 2 + 1},
		{"br_if not taken", one(i, i, nil, block(get(0), brIf(0), c32(5), set(0)), get(0)), []uint64{0}, false, []uint64{5}, 2 + 2 + 1},
		{"a branch past what follows", one(i, i, nil, block(block(get(0), brIf(1)), c32(5), set(0)), get(0)), []uint64{9}, false, []uint64{9}, 2 + 1},
		{"and not past it", one(i, i, nil, block(block(get(0), brIf(1)), c32(5), set(0)), get(0)), []uint64{0}, false, []uint64{5}, 2 + 2 + 1},
		{"return", one(i, i, nil, get(0), when(code(c32(4), opReturn)), c32(6)), []uint64{1}, false, []uint64{4}, 2 + 2},
		{"no return", one(i, i, nil, get(0), when(code(c32(4), opReturn)), c32(6)), []uint64{0}, false, []uint64{6}, 2 + 1},
		{"br to the function's label", one(i, i, nil, get(0), get(0), brIf(0), opDrop, c32(8)), []uint64{4}, false, []uint64{4}, 3},
		{"what cannot be reached is free", one(nil, i, nil, c32(1), opReturn, opI32Add, opDrop, c32(2), block(c32(4), opDrop)), nil, false, []uint64{1}, 2},
		{"br_table", one(i, i, nil,
			block(block(block(get(0), opBrTable, u32(2), 0, 1, 2), c32(10), opReturn), c32(20), opReturn), c32(30)),
			[]uint64{1}, false, []uint64{20}, 2 + 2},
		{"br_table, beyond its labels", one(i, i, nil,
			block(block(block(get(0), opBrTable, u32(2), 0, 1, 2), c32(10), opReturn), c32(20), opReturn), c32(30)),
			[]uint64{7}, false, []uint64{30}, 2 + 1},
		// fib(n) is done 2*fib(n+1)-1 times, fib(n+1) of them with n < 2.
		{"recursion", fibonacci, []uint64{10}, false, []uint64{55}, 89*(4+1) + 88*(4+9)},
		{"a host function", source{
			types: []funcType{{i, i}}, imports: []string{"host"}, funcs: []fn{{"f", 0, nil, code(get(0), call(0), c32(1), opI32Add)}},
		}, []uint64{3}, false, []uint64{5}, 4 + 50},
		{"call_indirect", source{
			types: []funcType{{i, i}}, tables: [][]byte{{typeFuncref, 0, 2}}, elements: [][]byte{code(0, c32(1), opEnd, 1, 1)},
			funcs: []fn{{"f", 0, nil, code(get(0), c32(1), opCallIndirect, 0, 0)}, {"", 0, nil, code(get(0), c32(9), opI32Add)}},
		}, []uint64{3}, false, []uint64{12}, 3 + 3},
		{"more results than one", source{
			types: []funcType{{i, list(i32, i64)}, {nil, list(i32, i64)}},
			funcs: []fn{{"f", 0, nil, code(get(0), call(1))}, {"", 0, nil, code(get(0), c64(-1), get(0), brIf(0), opDrop, opDrop, c32(1), c64(2))}},
		}, []uint64{3}, false, []uint64{3, 1<<64 - 1}, 2 + 4},
		{"a loop with a result and an argument", source{
			types: []funcType{{i, i}},
			funcs: []fn{{"f", 0, nil, code(c32(0), opLoop, 0, get(0), opI32Add, get(0), c32(1), opI32Sub, tee(0), brIf(0), opEnd)}},
		}, []uint64{4}, false, []uint64{10}, 1 + 4*7},
		{"a square root", one(i, i, nil, get(0), 0xb7, opF64Sqrt, 0xaa), []uint64{16}, false, []uint64{4}, 4 + 20},
		{"a product of floats", one(i, i, nil, get(0), 0xb7, get(0), 0xb7, opF64Mul, 0xaa), []uint64{4}, false, []uint64{16}, 6 + 20},
		{"memory.fill costs 1 for 8 octets", one(i, nil, nil, c32(8), c32(0xaa), get(0), prefix(opMemoryFill, 0)), []uint64{100}, false, nil, 4 + 10 + 12},
		{"memory.copy", one(i, nil, nil, c32(0), c32(64), get(0), prefix(opMemoryCopy, 0, 0)), []uint64{65536 - 64}, false, nil, 4 + 10 + 8192 - 8},
		{"memory.grow costs what clearing does", one(i, i, nil, get(0), opMemoryGrow, 0), []uint64{2}, false, []uint64{1}, 2 + 50 + 2*8192},
		{"memory.grow beyond the limit", one(i, i, nil, get(0), opMemoryGrow, 0), []uint64{1 << 31}, false, []uint64{1<<32 - 1}, 2 + 50 + 16*8192},
		{"table.grow", source{
			types: []funcType{{i, i}}, tables: [][]byte{{typeFuncref, 0, 2}},
			funcs: []fn{{"f", 0, nil, code(opRefNull, typeFuncref, get(0), prefix(opTableGrow, 0))}},
		}, []uint64{5}, false, []uint64{2}, 3 + 50 + 5},
		{"table.grow beyond the limit", source{
			types: []funcType{{i, i}}, tables: [][]byte{{typeFuncref, 0, 2}},
			funcs: []fn{{"f", 0, nil, code(opRefNull, typeFuncref, get(0), prefix(opTableGrow, 0))}},
		}, []uint64{1<<32 - 1}, false, []uint64{1<<32 - 1}, 3 + 50 + 16384},
		{"table.fill", source{
			types: []funcType{{i, i}}, tables: [][]byte{{typeFuncref, 0, 20}},
			funcs: []fn{{"f", 0, nil, code(c32(0), opRefNull, typeFuncref, get(0), prefix(opTableFill, 0), c32(0))}},
		}, []uint64{20}, false, []uint64{0}, 5 + 10 + 20},
	}
}

func rewritten(t testing.TB, s source, about ...any) []byte {
	t.Helper()
	out, err := Rewrite(s.bytes(), DefaultLimits())
	require.NoError(t, err, about...)
	return out
}

// A program does the same when it pays, and pays what is counted: with one less
// it does not come to its end.
func TestPrograms(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			var jobs []job
			for _, p := range programs() {
				original, pays := p.source.bytes(), rewritten(t, p.source, p.name)
				jobs = append(jobs,
					job{original, "f", p.args, p.wide, 0},
					job{pays, "f", p.args, p.wide, p.fuel},
					job{pays, "f", p.args, p.wide, p.fuel - 1})
			}
			got := e.run(t, jobs)
			for i, p := range programs() {
				before, after, short := got[3*i], got[3*i+1], got[3*i+2]
				require.False(t, before.Trapped, p.name)
				require.Equal(t, append([]uint64{}, p.want...), append([]uint64{}, before.Results...), p.name)
				require.Equal(t, before, after, "%s: the same, and nothing left of the fuel", p.name)
				if p.fuel > 0 {
					require.True(t, short.Trapped, p.name)
					require.Negative(t, short.Fuel, p.name)
				}
			}
		})
	}
}

// What would not end does, in the same place in every engine.
//
// Proves: P01, P02, P16
func TestRunsOut(t *testing.T) {
	n := list(i32)
	jobs := map[string]job{}
	add := func(name string, s source, arg uint64) {
		jobs[name] = job{rewritten(t, s), "f", []uint64{arg}, false, 1_000_003}
	}
	add("a loop for ever", one(n, nil, nil, loop(br(0))), 0)
	add("a loop for ever that does something", one(n, nil, nil, loop(get(0), c32(1), opI32Add, set(0), block(get(0), brIf(1), br(1)))), 0)
	add("a tree of 2^40 calls", one(n, n, nil, get(0), code(opIf, i32, get(0), c32(1), opI32Sub, call(0), get(0), c32(1), opI32Sub, call(0), opI32Add, opElse, c32(1), opEnd)), 40)
	add("a recursion of 10^6", one(n, n, nil, get(0), code(opIf, i32, get(0), c32(1), opI32Sub, call(0), opElse, c32(1), opEnd)), 1e6)
	add("a fill of all memory, again and again", one(n, nil, nil, loop(c32(0), c32(0), c32(65536), prefix(opMemoryFill, 0), br(0))), 0)
	add("memory.grow in a loop", one(n, nil, nil, loop(c32(1), opMemoryGrow, 0, opDrop, br(0))), 0)
	add("division by zero", one(n, n, nil, c32(1), get(0), 0x6d), 0)
	add("unreachable behind a loop", one(n, nil, nil, loop(get(0), c32(1), opI32Sub, tee(0), brIf(0)), opUnreachable), 1000)
	var first map[string]outcome
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			got := map[string]outcome{}
			for name, j := range jobs {
				o := e.run(t, []job{j})[0]
				require.True(t, o.Trapped, name)
				got[name] = o
			}
			require.Negative(t, got["a loop for ever"].Fuel)
			require.Negative(t, got["a tree of 2^40 calls"].Fuel)
			require.Positive(t, got["a recursion of 10^6"].Fuel, "it is the depth that ends it")
			require.Equal(t, int64(1_000_003-1000*5-1), got["unreachable behind a loop"].Fuel)
			if first == nil {
				first = got
			}
			require.Equal(t, first, got, "as in wazero's compiler")
		})
	}
}
