package fuel

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each bomb is refused before an engine sees it, and the message says which
// bound it breaks.
//
// Proves: P04
func TestBombs(t *testing.T) {
	n := list(i32)
	times := func(n int, b ...any) (out []byte) {
		part := code(b...)
		for range n {
			out = append(out, part...)
		}
		return out
	}
	with := func(change func(*source)) []byte {
		s := one(n, n, nil, get(0))
		change(&s)
		return s.bytes()
	}
	body := func(parts ...any) []byte { return one(n, nil, nil, parts...).bytes() }
	loads := one(n, nil, nil, get(0), times(20000, 0x28, 2, 0), opDrop)
	for range 60 {
		loads.funcs = append(loads.funcs, fn{"", 0, nil, loads.funcs[0].code})
	}
	payments := one(n, nil, nil, get(0), times(32000, 0xbe, 0xbc), opDrop) // canonical NaNs
	for range 50 {
		payments.funcs = append(payments.funcs, fn{"", 0, nil, payments.funcs[0].code})
	}

	for name, c := range map[string]struct {
		wasm []byte
		want string
	}{
		"the file":  {append(body(), make([]byte, 4<<20)...), "octets; at most 4194304"},
		"functions": {with(func(s *source) { s.funcs = append(s.funcs, make([]fn, 10000)...) }), "section function, octet 19: it has 10001 functions; at most 10000"},
		"types":     {with(func(s *source) { s.types = append(s.types, make([]funcType, 10000)...) }), "section type, octet 12: it has 10001 types"},
		"arguments": {with(func(s *source) { s.types = append(s.types, funcType{times(101, i32), nil}) }), "it has 101 arguments; at most 100"},
		"results":   {with(func(s *source) { s.types = append(s.types, funcType{nil, times(101, i32)}) }), "it has 101 results; at most 100"},
		"globals":   {with(func(s *source) { s.globals = make([][]byte, 10001); fill(s.globals, code(i32, 0, c32(0), opEnd)) }), "section global, octet 29: it has 10001 globals"},
		"exports":   {with(func(s *source) { s.exports = make([][]byte, 10000); fill(s.exports, code(1, 'x', 0, 0)) }), "exports; at most 10000"},
		"elements": {with(func(s *source) {
			s.tables = [][]byte{{typeFuncref, 0, 1}}
			s.elements = [][]byte{code(1, 0, u32(20000), make([]byte, 20000))}
		}), "it has 20000 elements; at most 16384"},
		"data":          {with(func(s *source) { s.data = make([][]byte, 65537); fill(s.data, code(1, 0)) }), "it has 65537 segments; at most 65536"},
		"memory":        {with(func(s *source) { s.memory = code(0, u32(17)) }), "section memory, octet 24: it has 17 pages; at most 16"},
		"a table":       {with(func(s *source) { s.tables = [][]byte{code(typeFuncref, 0, u32(1<<27))} }), "section table, octet 25: it has 134217728 entries; at most 16384"},
		"tables":        {with(func(s *source) { s.tables = make([][]byte, 5); fill(s.tables, []byte{typeFuncref, 0, 1}) }), "it has 5 tables; at most 4"},
		"a body":        {body(times(1<<16, opNop)), "octets of code; at most 65536"},
		"locals":        {one(n, nil, times(1024, i64), opNop).bytes(), "section code, function 0 (f), octet 46: it has 1025 locals; at most 1024"},
		"operands":      {body(times(1025, get(0)), times(1025, opDrop)), "it has 1025 values on the operand stack; at most 1024"},
		"blocks":        {body(times(4100, get(0), when(nil))), "it has 4097 basic blocks; at most 4096"},
		"dead blocks":   {body(block(block(br(1)), times(4100, get(0), when(nil)))), "basic blocks; at most 4096"},
		"nesting":       {body(times(1025, opBlock, typeEmpty), times(1025, opEnd)), "blocks in each other; at most 1024"},
		"br_table":      {body(get(0), opBrTable, u32(5000), make([]byte, 5001)), "it has 5000 labels; at most 4096"},
		"br_tables":     {body(block(get(0), opBrTable, u32(4000), make([]byte, 4001)), get(0), opBrTable, u32(4000), make([]byte, 4001)), "it has 8000 labels of its br_tables; at most 4096"},
		"calls":         {one(nil, nil, nil, times(4097, call(0))).bytes(), "it has 4097 calls; at most 4096"},
		"locals in all": {one(n, nil, times(1000, i64), times(1000, get(0), when(nil))).bytes(), "locals in all its basic blocks; at most"},
		"work":          {loads.bytes(), "units of work for a compiler; at most"},
		"what it pays":  {payments.bytes(), "octets of code when it pays fuel; at most"},
		"a count":       {code("\x00asm", list(1, 0, 0, 0), list(sectionType, 5, 0x8f, 0x4e, 0x60, 0, 0)), "it ends before its types do"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Rewrite(c.wasm, DefaultLimits())
			runtime.ReadMemStats(&after)
			require.ErrorContains(t, err, c.want)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20), "octets of memory")
		})
	}
}

func fill(entries [][]byte, b []byte) {
	for i := range entries {
		entries[i] = b
	}
}

// What plugins do without is refused by its name, and the message says how to
// build without it.
//
// Proves: P02
func TestUnsupported(t *testing.T) {
	n := list(i32)
	with := func(change func(*source)) []byte {
		s := one(n, n, nil, get(0))
		change(&s)
		return s.bytes()
	}
	imports := func(entry ...byte) []byte {
		return code(magic, byte(sectionImport), sized(code(1, 1, 'm', 1, 'x', entry)))
	}
	body := func(parts ...any) []byte { return one(n, nil, nil, parts...).bytes() }
	for name, c := range map[string]struct {
		wasm []byte
		want string
	}{
		"SIMD":                     {body(0xfd, 12, make([]byte, 16), opDrop), "function 0 (f), octet 45: it uses SIMD; build without it, with clang -mno-simd128"},
		"SIMD in a type":           {with(func(s *source) { s.types = append(s.types, funcType{list(typeV128), nil}) }), "it uses SIMD"},
		"SIMD in a local":          {one(n, nil, list(typeV128)).bytes(), "it uses SIMD"},
		"SIMD in a constant":       {with(func(s *source) { s.globals = [][]byte{code(i32, 0, 0xfd, 12, make([]byte, 16), opEnd)} }), "it uses SIMD"},
		"atomics":                  {body(0xfe, 3, 0), "it uses threads and atomics"},
		"a shared memory":          {with(func(s *source) { s.memory = list(3, 1, 2) }), "it uses threads and atomics"},
		"return_call":              {body(0x12, 0), "it uses tail calls; build without them"},
		"return_call_indirect":     {body(get(0), 0x13, 0, 0), "it uses tail calls"},
		"try":                      {body(0x06, typeEmpty, opEnd), "it uses exceptions"},
		"throw":                    {body(0x08, 0), "it uses exceptions"},
		"try_table":                {body(0x1f, typeEmpty, 0, opEnd), "it uses exceptions"},
		"a tag":                    {code(magic, byte(sectionTag), sized(list(1, 0, 0))), "it uses exceptions"},
		"an imported tag":          {imports(4, 0, 0), "it uses exceptions"},
		"call_ref":                 {body(0x14, 0), "it uses typed references"},
		"a typed reference":        {one(n, nil, list(0x64)).bytes(), "it uses typed references"},
		"a struct":                 {code(magic, byte(sectionType), sized(list(1, 0x5f, 0))), "it uses garbage-collected objects"},
		"struct.new":               {body(0xfb, 0, 0), "it uses garbage-collected objects"},
		"a 64-bit memory":          {with(func(s *source) { s.memory = list(4, 1) }), "it uses 64-bit memories"},
		"two memories":             {code(magic, byte(sectionMemory), sized(list(2, 0, 1, 0, 1))), "it uses more than one memory"},
		"a second memory used":     {body(get(0), 0x28, 0x40, 1, 0, opDrop), "it uses more than one memory"},
		"memory.size of a second":  {body(opMemorySize, 1, opDrop), "it uses more than one memory"},
		"data for a second memory": {with(func(s *source) { s.data = [][]byte{code(2, 1, c32(0), opEnd, 0)} }), "it uses more than one memory"},
		"a sum as a constant":      {with(func(s *source) { s.globals = [][]byte{code(i32, 0, c32(0), c32(1), opI32Add, opEnd)} }), "it uses constant expressions that calculate"},
		"an imported memory":       {imports(2, 0, 1), "section import, octet 15: it uses an import that is no function; define memories"},
		"an imported table":        {imports(1, typeFuncref, 0, 1), "an import that is no function"},
		"an imported global":       {imports(3, i32, 0), "an import that is no function"},
		"a component":              {[]byte("\x00asm\x0d\x00\x01\x00"), "octet 4: this is a component; build a core module"},
		"another version":          {[]byte("\x00asm\x02\x00\x00\x00"), "octet 4: this is not version 1 of WASM"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Rewrite(c.wasm, DefaultLimits())
			require.ErrorIs(t, err, Unsupported)
			require.Contains(t, err.Error(), c.want)
			var e *Error
			require.True(t, errors.As(err, &e))
			require.NotEmpty(t, e.Mend)
		})
	}
}

const magic = "\x00asm\x01\x00\x00\x00"

// The rewritten module has more globals, locals and types than the original,
// which must not get at them; nor may it have their names.
func TestHidden(t *testing.T) {
	n := list(i32)
	two := func(parts ...any) source {
		return source{types: []funcType{{n, list(i32, i32)}}, funcs: []fn{{"f", 0, nil, code(parts...)}}}
	}
	for name, c := range map[string]struct {
		source source
		want   string
	}{
		"the fuel":             {one(n, nil, nil, c64(1<<40), opGlobalSet, 0), "there is no global 0"},
		"the depth":            {one(n, nil, nil, opGlobalGet, 1, opDrop), "there is no global 1"},
		"a local":              {one(n, nil, nil, c64(1<<40), set(1)), "there is no local 1"},
		"a local by tee":       {one(n, nil, nil, c64(1<<40), tee(1), opDrop), "there is no local 1"},
		"the type of a block":  {two(opBlock, 1, get(0), get(0), opEnd), "there is no type 1"},
		"the block":            {one(n, nil, nil, br(1)), "there is no block 1"},
		"another export of it": {source{exports: [][]byte{code(1, 'x', 3, 0)}}, "there is no global 0"},
		"the fuel's name":      {source{exports: [][]byte{code(sized([]byte(Global)), 0, 0)}}, "it exports tcpkit_fuel, which is what the rewriter adds; rename the export"},
		"the depth's name":     {source{exports: [][]byte{code(sized([]byte(DepthGlobal)), 0, 0)}}, "it exports tcpkit_depth"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Rewrite(c.source.bytes(), DefaultLimits())
			require.Error(t, err)
			require.Contains(t, err.Error(), c.want)
			require.Equal(t, strings.Contains(name, "name"), errors.Is(err, Reserved))
		})
	}
	_, err := Rewrite(two(get(0), get(0)).bytes(), DefaultLimits())
	require.NoError(t, err)
}

// Octets that are no module, or not all of one, are refused with the place.
func TestDamaged(t *testing.T) {
	whole := hosting(fn{"f", 0, nil, c64(1)}).bytes()
	_, err := Rewrite(whole, DefaultLimits())
	require.NoError(t, err)
	for n := range whole {
		out, err := Rewrite(whole[:n], DefaultLimits())
		if err == nil {
			continue // it ends between sections, and needs none of those that follow
		}
		require.ErrorIs(t, err, Damaged, "%d", n)
		require.Nil(t, out)
	}
	for name, c := range map[string]struct {
		wasm []byte
		want string
	}{
		"no module":             {[]byte("(module)"), "octet 0: this is no WASM module; build the plugin, for WAT with wat2wasm"},
		"a section twice":       {code(magic, byte(sectionType), 1, 0, byte(sectionType), 1, 0), "octet 11: section type is out of its place"},
		"an unknown section":    {code(magic, 77, 0), "octet 8: there is no section 77"},
		"a long section":        {code(magic, byte(sectionType), 2, 0, 0), "section type, octet 11: the section is longer"},
		"a number of 6 octets":  {code(magic, byte(sectionType), 6, 0x80, 0x80, 0x80, 0x80, 0x80, 0), "a number is larger than 32 bits"},
		"a number of 33 bits":   {code(magic, byte(sectionType), 5, 0xff, 0xff, 0xff, 0xff, 0x1f), "a number is larger than 32 bits"},
		"i32.const of 33 bits":  {one(nil, nil, nil, opI32Const, 0x80, 0x80, 0x80, 0x80, 0x10, opDrop).bytes(), "a number is larger than 32 bits"},
		"i64.const of 65 bits":  {one(nil, nil, nil, opI64Const, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, opDrop).bytes(), "a number is larger than 64 bits"},
		"a name not in UTF-8":   {source{exports: [][]byte{code(1, 0xff, 0, 0)}}.bytes(), "a name is not UTF-8"},
		"no code":               {code(magic, byte(sectionType), 4, 1, 0x60, 0, 0, byte(sectionFunction), 2, 1, 0), "as many functions"},
		"no opcode":             {one(nil, nil, nil, 0x27).bytes(), "0x27 is no instruction"},
		"no prefixed opcode":    {one(nil, nil, nil, opPrefix, 18).bytes(), "there is no instruction 0xfc 18"},
		"no end":                {one(nil, nil, nil, opBlock, typeEmpty).bytes(), "it ends too early"},
		"code behind the end":   {one(nil, nil, nil, opEnd, opNop).bytes(), "there is code behind the function's end"},
		"an else without an if": {one(nil, nil, nil, opElse).bytes(), "an else belongs to no if"},
		"no operand":            {one(nil, nil, nil, opDrop).bytes(), "an instruction lacks operands"},
		"a value too many":      {one(nil, nil, nil, c32(1)).bytes(), "a block leaves another number of values than its type says"},
		"no function to call":   {one(nil, nil, nil, call(5)).bytes(), "there is no function 5"},
		"least above most":      {source{memory: list(1, 2, 1)}.bytes(), "it cannot have at most 1 pages"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Rewrite(c.wasm, DefaultLimits())
			require.ErrorIs(t, err, Damaged)
			require.Contains(t, err.Error(), c.want)
		})
	}
}
