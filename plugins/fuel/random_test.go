package fuel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A writer makes programs that are valid, by chance: two functions of (i32,
// i32) -> i32 that call each other, with blocks, loops, ifs, branches forwards and
// back, br_table, dead code, memory, a table and a global of i64.
type writer struct {
	*rand.Rand
	labels []label
	left   int  // instructions until it comes to an end
	inner  bool // this is the function that the other calls
}

// A label is that of a frame: whether a branch to it takes a value.
type label struct{ value bool }

const (
	randomLocals = 5 // i32; of them 2 arguments
	randomFloat  = 5 // f64
)

func (w *writer) local() []byte { return u32(w.IntN(randomLocals)) }

// value puts an i32 on the stack.
func (w *writer) value(depth int) []byte {
	w.left--
	if depth <= 0 || w.left < 0 {
		if w.IntN(2) == 0 {
			return c32(int32(w.Uint32() >> w.IntN(32)))
		}
		return code(opLocalGet, w.local())
	}
	v := func() []byte { return w.value(depth - 1) }
	kind := w.IntN(20)
	if w.inner && (kind >= 13 && kind <= 15) && w.IntN(10) > 0 {
		kind = 16
	}
	switch kind {
	case 0, 1, 2, 3:
		return code(v(), v(), 0x6a+w.IntN(3))
	case 4:
		return code(v(), v(), 0x71+w.IntN(8))
	case 5:
		return code(v(), v(), 0x46+w.IntN(10))
	case 6:
		if w.IntN(10) == 0 {
			return code(v(), v(), 0x6d+w.IntN(4)) // may trap
		}
		return code(v(), v(), c32(1), 0x72, 0x6e+2*w.IntN(2))
	case 7:
		return code(v(), c32(0xffff), 0x71, 0x28, 0, u32(w.IntN(100)))
	case 8:
		return code(v(), opLocalTee, w.local())
	case 9:
		return code(v(), v(), v(), opSelect)
	case 10:
		return w.framed(depth, opBlock)
	case 11:
		return w.framed(depth, opIf)
	case 12:
		return w.framed(depth, opLoop)
	case 13, 14:
		return code(v(), v(), opCall, w.callee())
	case 15:
		if w.IntN(10) == 0 {
			return code(v(), v(), v(), c32(3), 0x71, opCallIndirect, 1, 0) // the fourth entry is empty
		}
		return code(v(), v(), c32(int32(w.callee())-1), opCallIndirect, 1, 0)
	case 16:
		return code(v(), opCall, 0)
	case 17:
		return code(v(), 0xb7, opLocalGet, randomFloat, 0xa0, opLocalTee, randomFloat, opI64OfF64, opGlobalGet, 0, 0x85, 0xa7)
	case 18:
		return code(v(), c32(7), 0x71, opMemoryGrow, 0)
	default:
		return code(v(), 0x45)
	}
}

// callee is the other function, seldom a recursion.
func (w *writer) callee() int {
	if w.inner || w.IntN(10) == 0 {
		return 1 + w.IntN(2)
	}
	return 2
}

// framed is a frame that leaves an i32.
func (w *writer) framed(depth int, op byte) []byte {
	var head, tail []byte
	if op == opIf {
		head = w.value(depth - 1)
	}
	w.labels = append(w.labels, label{op != opLoop})
	body := code(w.statements(depth-1), w.value(depth-1))
	if op == opIf {
		tail = code(opElse, w.statements(depth-1), w.value(depth-1))
	}
	w.labels = w.labels[:len(w.labels)-1]
	return code(head, op, i32, body, tail, opEnd)
}

// statements leave the stack as it is.
func (w *writer) statements(depth int) (out []byte) {
	for range w.IntN(5) {
		if depth <= 0 || w.left < 0 {
			return out
		}
		out = append(out, w.statement(depth-1)...)
	}
	return out
}

func (w *writer) statement(depth int) []byte {
	w.left--
	v := func() []byte { return w.value(depth) }
	switch w.IntN(16) {
	case 0, 1:
		return code(v(), opLocalSet, w.local())
	case 2:
		return code(v(), c32(0xffff), 0x71, v(), 0x36, 0, u32(w.IntN(100)))
	case 3:
		return code(v(), c32(0xffff), 0x71, opLocalGet, randomFloat, opF64Store, 0, 0)
	case 4:
		return code(v(), c32(0x7fff), 0x71, v(), v(), c32(0x7fff), 0x71, prefix(opMemoryFill, 0))
	case 5:
		return code(v(), c32(0x7fff), 0x71, v(), c32(0x7fff), 0x71, v(), c32(0x7fff), 0x71, prefix(opMemoryCopy, 0, 0))
	case 6:
		return code(v(), 0xac, opGlobalSet, 0)
	case 7, 8:
		return w.void(depth, opBlock)
	case 9, 10:
		return w.void(depth, opIf)
	case 11, 12:
		return w.void(depth, opLoop)
	case 13:
		return w.branch(depth)
	case 14:
		return code(v(), opDrop)
	default:
		return code(opNop)
	}
}

func (w *writer) void(depth int, op byte) []byte {
	var head, tail []byte
	if op == opIf {
		head = w.value(depth - 1)
	}
	w.labels = append(w.labels, label{})
	body := w.statements(depth)
	if op == opIf && w.IntN(2) == 0 {
		tail = code(opElse, w.statements(depth))
	}
	if op == opLoop && w.IntN(2) == 0 {
		n := w.local()
		body = code(body, opLocalGet, n, c32(1), opI32Sub, opLocalTee, n, c32(7), 0x71, opBrIf, 0)
	}
	w.labels = w.labels[:len(w.labels)-1]
	return code(head, op, typeEmpty, body, tail, opEnd)
}

// branch leaves a frame, perhaps, or traps; what follows a branch may be dead.
func (w *writer) branch(depth int) []byte {
	to := w.IntN(len(w.labels))
	l := w.labels[len(w.labels)-1-to]
	var value, after []byte
	if l.value {
		value, after = w.value(depth-1), []byte{opDrop}
	}
	switch w.IntN(8) {
	case 0:
		return code(value, opBr, u32(to))
	case 1:
		return code(w.value(depth-1), opReturn)
	case 2:
		if w.IntN(4) == 0 {
			return []byte{opUnreachable}
		}
		fallthrough
	case 3:
		labels := u32(3)
		for range 4 {
			labels = append(labels, u32(w.alike(to))...)
		}
		return code(value, w.value(depth-1), opBrTable, labels)
	default:
		return code(value, w.value(depth-1), opBrIf, u32(to), after)
	}
}

// alike is a label that takes what another does.
func (w *writer) alike(to int) int {
	other := w.IntN(len(w.labels))
	if w.labels[len(w.labels)-1-other].value == w.labels[len(w.labels)-1-to].value {
		return other
	}
	return to
}

func randomProgram(seed uint64) source {
	w := &writer{Rand: rand.New(rand.NewPCG(seed, 0))}
	body := func() []byte {
		w.left = 40 + w.IntN(120)
		w.labels = []label{{true}}
		out := w.statements(5)
		return code(out, w.value(5))
	}
	locals := list(i32, i32, i32, f64)
	outer := body()
	w.inner = true
	inner := body()
	return source{
		types:    []funcType{{list(i32), list(i32)}, {list(i32, i32), list(i32)}},
		imports:  []string{"host"},
		funcs:    []fn{{"f", 1, locals, outer}, {"", 1, locals, inner}},
		tables:   [][]byte{{typeFuncref, 1, 4, 4}},
		memory:   list(1, 1, 16),
		globals:  [][]byte{code(i64, 1, c64(1), opEnd)},
		elements: [][]byte{code(0, c32(0), opEnd, 3, 1, 2, 1)},
	}
}

// counting returns the module with a counter in the place of the fuel, which
// goes up before every single instruction.
func counting(t testing.TB, s source) []byte {
	wasm := s.bytes()
	counter, spare := u32(len(s.globals)), 0
	up := func(n int64) []byte { return code(opGlobalGet, counter, c64(n), 0x7c, opGlobalSet, counter) }
	by := func(cost ...any) []byte {
		return code(opLocalTee, u32(spare), opGlobalGet, counter, opLocalGet, u32(spare), code(cost...), 0x7c, opGlobalSet, counter)
	}
	s.funcs = append([]fn{}, s.funcs...)
	walk(t, wasm, func(f *function) {
		i := f.module.function - f.imported
		var out []byte
		spare = f.locals
		for at := f.at; len(f.frames) > 0; at = f.at {
			f.instruction()
			switch wasm[at] {
			case opBlock, opLoop, opElse, opNop:
			case opEnd:
				if len(f.frames) == 0 {
					continue
				}
			case opMemoryGrow:
				most := code(c32(16), opLocalGet, u32(spare), c32(16), opI32LtU, opSelect)
				out = append(out, by(most, opI64ExtendU, c64(8192), 0x7e)...)
				out = append(out, up(51)...)
			case opPrefix:
				out = append(out, by(c32(3), opI32ShrU, opI64ExtendU)...)
				out = append(out, up(11)...)
			case opCall:
				out = append(out, up(map[bool]int64{true: 51, false: 1}[wasm[at+1] == 0])...)
			default:
				out = append(out, up(1)...)
			}
			out = append(out, wasm[at:f.at]...)
		}
		s.funcs[i].code = out
		s.funcs[i].locals = append(s.funcs[i].locals[:len(s.funcs[i].locals):len(s.funcs[i].locals)], i32)
	})
	s.exports = [][]byte{
		code(sized([]byte(Global)), 3, counter),
		code(sized([]byte(DepthGlobal)), 3, u32(len(s.globals)+1)),
	}
	s.globals = append(s.globals[:len(s.globals):len(s.globals)], code(i64, 1, c64(0), opEnd), code(i32, 1, c32(0), opEnd))
	return s.bytes()
}

// walk calls visit with each function, ready for its first instruction.
func walk(t testing.TB, wasm []byte, visit func(*function)) {
	m := module{reader: reader{file: wasm}, limits: DefaultLimits()}
	m.read()
	require.Nil(t, m.err)
	m.at, m.end = m.bodies.from, m.bodies.to
	for i := range m.bodies.n {
		m.function = m.imported + i
		f := function{module: &m, functionType: m.types[m.functions[m.function]]}
		size := m.u32()
		f.end = m.at + int(size)
		f.read()
		require.Nil(t, m.err)
		f.at, f.live, f.height = f.instructions.from, true, 0
		f.open(opBlock, signature{returns: f.returns})
		f.pay()
		visit(&f)
		require.Nil(t, m.err)
		m.end = m.bodies.to
	}
}

// checkRandom compares a random program with what becomes of it: wazero's
// compiler and its interpreter end in the same place with the same fuel; where
// it ends by itself, so does the original, with the same result and memory, having
// done as many instructions as were paid.
func checkRandom(t testing.TB, seed uint64) (pays job, want outcome) {
	const budget = 200_000
	s := randomProgram(seed)
	args := []uint64{uint64(uint32(seed * 2654435761)), seed % 100}
	pays = job{rewritten(t, s, seed), "f", args, false, budget}
	want = compiler(t, []job{pays})[0]
	got := interpreter(t, []job{pays})[0]
	require.Equal(t, want, got, "interpreter, seed %d", seed)
	if want.Fuel < 0 || want.Depth+200 > DefaultLimits().Depth {
		require.True(t, want.Trapped, seed)
		return pays, want // the original may go on for ever
	}
	counted := compiler(t, []job{{counting(t, s), "f", args, false, 0}})[0]
	if want.Trapped {
		require.GreaterOrEqual(t, want.Fuel, int64(0), seed)
	} else {
		require.Equal(t, int64(budget)-want.Fuel, counted.Fuel, "the original does as many instructions as are paid, seed %d", seed)
	}
	original := compiler(t, []job{{s.bytes(), "f", args, false, 0}})[0]
	original.Fuel, original.Depth = want.Fuel, want.Depth
	require.Equal(t, want, original, "original, seed %d", seed)
	return pays, want
}

// Programs by chance end alike, and pay alike, in every engine.
//
// Proves: P16
func TestRandomPrograms(t *testing.T) {
	programs := 1000
	if testing.Short() {
		programs = 200
	}
	var jobs []job
	var want []outcome
	ended, ranOut := 0, 0
	for seed := range programs {
		j, o := checkRandom(t, uint64(seed))
		jobs, want = append(jobs, j), append(want, o)
		switch {
		case !o.Trapped:
			ended++
		case o.Fuel < 0:
			ranOut++
		}
	}
	t.Logf("%d of %d came to an end, %d ran out of fuel", ended, programs, ranOut)
	require.Greater(t, ended, programs/4, "the programs are worth something")
	require.Greater(t, ranOut, programs/50)
	for i, o := range node(t, jobs) {
		require.Equal(t, want[i], o, "node, seed %d", i)
	}
}

func FuzzRandomPrograms(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(func(t *testing.T, seed uint64) { checkRandom(t, seed) })
}
