package fuel

// Names of the exports that are added.
const (
	// Global is a mutable i64. The host sets it before each call to what the
	// call may use, and finds in it what is left: below zero it has run out.
	Global = "tcpkit_fuel"
	// DepthGlobal is a mutable i32, what the functions weigh that wait for one
	// that they have called. It is 0 between calls, but after a trap.
	DepthGlobal = "tcpkit_depth"
)

// Version changes with whatever Rewrite returns for the same module. With the
// Limits and a hash of the original it is the key of a rewritten module.
const Version = "fuel-2"

// Rewrite checks a module and returns one that pays fuel, or an *Error.
func Rewrite(wasm []byte, l Limits) ([]byte, error) {
	m := module{reader: reader{file: wasm}, limits: l}
	m.read()
	code := m.rewriteCode()
	if m.err != nil {
		return nil, m.err
	}
	return m.write(code), nil
}

// rewriteCode returns the content of the code section.
func (m *module) rewriteCode() []byte {
	if m.err != nil {
		return nil
	}
	m.section = sectionNames[sectionCode]
	m.at, m.end = m.bodies.from, m.bodies.to
	out := make([]byte, 0, 2*(m.end-m.at)+16)
	out = appendU32(out, uint32(m.bodies.n))
	f := function{module: m}
	var body []byte
	for i := range m.bodies.n {
		m.function = m.imported + i
		f.functionType = m.types[m.functions[m.function]]
		body = f.rewrite(body[:0])
		if m.err != nil {
			m.nameFunction()
			return nil
		}
		out = append(appendU32(out, uint32(len(body))), body...)
		if !m.limit(m.at, "octets of code when it pays fuel", uint64(len(out)), m.limits.Code) {
			return nil
		}
	}
	if m.more() {
		m.function = -1
		m.damaged(m.at, "the section is longer than what is in it")
	}
	return out
}

// rewrite reads the next function and appends it anew.
func (f *function) rewrite(out []byte) []byte {
	start := f.at
	size := f.u32()
	if !f.limit(start, "octets of code", uint64(size), f.limits.Body) {
		return nil
	}
	from, end := f.at, f.end
	f.skip(size)
	if f.err != nil {
		return nil
	}
	f.at, f.end = from, f.at
	f.read()
	f.end = end
	if f.err != nil {
		return nil
	}
	return f.emit(out)
}

// nameFunction puts the name of the function into the error.
func (m *module) nameFunction() {
	if m.function < len(m.names) {
		m.err.Name = m.names[m.function]
	}
}

// write puts the sections together again.
func (m *module) write(code []byte) []byte {
	out := make([]byte, 0, len(m.file)+len(code)+256)
	out = append(out, m.file[:8]...)
	for _, id := range [...]byte{
		sectionType, sectionImport, sectionFunction, sectionTable, sectionMemory, sectionGlobal, sectionExport,
		sectionStart, sectionElement, sectionDataCount, sectionCode, sectionData,
	} {
		var content []byte
		switch id {
		case sectionType:
			content = m.writeTypes()
		case sectionTable:
			content = m.writeTables()
		case sectionMemory:
			content = m.writeMemory()
		case sectionGlobal:
			content = m.writeGlobals()
		case sectionExport:
			content = m.writeExports()
		case sectionCode:
			content = code
		default:
			content = m.file[m.content[id].from:m.content[id].to]
		}
		if len(content) > 0 {
			out = appendU32(append(out, id), uint32(len(content)))
			out = append(out, content...)
		}
	}
	return m.appendNames(out)
}

// writeTypes adds those of blocks.
func (m *module) writeTypes() []byte {
	if m.typed.n == 0 {
		return nil
	}
	out := appendU32(nil, uint32(m.typed.n)+m.added)
	out = append(out, m.file[m.typed.from:m.typed.to]...)
	for i, t := range m.types {
		if t.block != uint32(i) {
			out = append(out, typeFunction, 0)
			out = append(out, m.file[t.results.from:t.results.to]...)
		}
	}
	return out
}

func (m *module) writeTables() []byte {
	if len(m.tables) == 0 {
		return nil
	}
	out := appendU32(nil, uint32(len(m.tables)))
	for _, t := range m.tables {
		out = t.append(append(out, t.element))
	}
	return out
}

func (m *module) writeMemory() []byte {
	if m.memories == 0 {
		return nil
	}
	return m.memory.append([]byte{1})
}

func (b bounds) append(out []byte) []byte {
	return appendU32(appendU32(append(out, 1), b.least), b.most)
}

func (m *module) fuelGlobal() uint32  { return uint32(m.globals.n) }
func (m *module) depthGlobal() uint32 { return uint32(m.globals.n) + 1 }

func (m *module) writeGlobals() []byte {
	out := appendU32(nil, uint32(m.globals.n)+2)
	out = append(out, m.file[m.globals.from:m.globals.to]...)
	out = append(appendSigned(append(out, typeI64, 1, opI64Const), m.limits.StartFuel), opEnd)
	return append(out, typeI32, 1, opI32Const, 0, opEnd)
}

func (m *module) writeExports() []byte {
	out := appendU32(nil, uint32(m.exports.n)+2)
	out = append(out, m.file[m.exports.from:m.exports.to]...)
	out = appendU32(append(appendName(out, Global), 3), m.fuelGlobal())
	return appendU32(append(appendName(out, DepthGlobal), 3), m.depthGlobal())
}

func appendName(out []byte, name string) []byte {
	return append(appendU32(out, uint32(len(name))), name...)
}

func appendU32(out []byte, v uint32) []byte {
	for ; v >= 0x80; v >>= 7 {
		out = append(out, byte(v)|0x80)
	}
	return append(out, byte(v))
}

func appendSigned(out []byte, v int64) []byte {
	for v < -64 || v > 63 {
		out = append(out, byte(v)|0x80)
		v >>= 7
	}
	return append(out, byte(v)&0x7f)
}
