package fuel

// A source is a module for a test, in parts.
type source struct {
	types    []funcType
	imports  []string // functions of module "env"; the type of each is its index
	funcs    []fn
	tables   [][]byte
	memory   []byte // its bounds; none without
	globals  [][]byte
	exports  [][]byte // beside the functions that have names
	start    []byte
	elements [][]byte
	data     [][]byte
	count    bool   // a data count section
	extra    []byte // sections at the end
}

type funcType struct{ takes, returns []byte }

type fn struct {
	name   string // "" exports nothing
	typ    byte
	locals []byte
	code   []byte // without the end
}

const (
	i32 = typeI32
	i64 = typeI64
	f32 = typeF32
	f64 = typeF64
)

func list(types ...byte) []byte { return types }

// one is a module of one exported function, with a page of memory.
func one(takes, returns, locals []byte, body ...any) source {
	return source{
		types:  []funcType{{takes, returns}},
		funcs:  []fn{{"f", 0, locals, code(body...)}},
		memory: list(0, 1),
	}
}

func (s source) bytes() []byte {
	var types, imports, functions, exports, bodies [][]byte
	for _, t := range s.types {
		types = append(types, code(byte(typeFunction), sized(t.takes), sized(t.returns)))
	}
	for i, name := range s.imports {
		imports = append(imports, code(sized([]byte("env")), sized([]byte(name)), byte(0), byte(i)))
	}
	for i, f := range s.funcs {
		functions = append(functions, []byte{f.typ})
		if f.name != "" {
			exports = append(exports, code(sized([]byte(f.name)), byte(0), u32(len(s.imports)+i)))
		}
		body := u32(len(f.locals))
		for _, l := range f.locals {
			body = append(body, 1, l)
		}
		bodies = append(bodies, sized(code(body, f.code, byte(opEnd))))
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	part := func(id byte, entries [][]byte) {
		if len(entries) == 0 {
			return
		}
		content := u32(len(entries))
		for _, e := range entries {
			content = append(content, e...)
		}
		out = code(out, id, sized(content))
	}
	part(sectionType, types)
	part(sectionImport, imports)
	part(sectionFunction, functions)
	part(sectionTable, s.tables)
	if s.memory != nil {
		part(sectionMemory, [][]byte{s.memory})
		exports = append(exports, code(sized([]byte("memory")), byte(2), byte(0)))
	}
	part(sectionGlobal, s.globals)
	part(sectionExport, append(exports, s.exports...))
	if s.start != nil {
		out = code(out, byte(sectionStart), sized(s.start))
	}
	part(sectionElement, s.elements)
	if s.count {
		out = code(out, byte(sectionDataCount), sized(u32(len(s.data))))
	}
	part(sectionCode, bodies)
	part(sectionData, s.data)
	return append(out, s.extra...)
}

func sized(b []byte) []byte { return append(u32(len(b)), b...) }

func u32(n int) []byte { return appendU32(nil, uint32(n)) }

// code puts opcodes, octets and parts together. A number without a type is an
// opcode or a small index.
func code(parts ...any) []byte {
	var out []byte
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			out = append(out, byte(p))
		case byte:
			out = append(out, p)
		case []byte:
			out = append(out, p...)
		case string:
			out = append(out, p...)
		case rune:
			out = append(out, byte(p))
		}
	}
	return out
}

func get(l int) []byte         { return code(opLocalGet, u32(l)) }
func set(l int) []byte         { return code(opLocalSet, u32(l)) }
func tee(l int) []byte         { return code(opLocalTee, u32(l)) }
func c32(v int32) []byte       { return appendSigned([]byte{opI32Const}, int64(v)) }
func c64(v int64) []byte       { return appendSigned([]byte{opI64Const}, v) }
func call(f int) []byte        { return code(opCall, u32(f)) }
func br(label int) []byte      { return code(opBr, u32(label)) }
func brIf(label int) []byte    { return code(opBrIf, u32(label)) }
func block(body ...any) []byte { return code(opBlock, typeEmpty, code(body...), opEnd) }
func loop(body ...any) []byte  { return code(opLoop, typeEmpty, code(body...), opEnd) }
func prefix(op byte, immediates ...any) []byte {
	return code(opPrefix, op, code(immediates...))
}

// when is an if of no value.
func when(then []byte, otherwise ...any) []byte {
	if otherwise == nil {
		return code(opIf, typeEmpty, then, opEnd)
	}
	return code(opIf, typeEmpty, then, opElse, code(otherwise...), opEnd)
}
