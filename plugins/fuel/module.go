package fuel

import "strconv"

// Sections, by id.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
	sectionTag
	sections
)

var sectionNames = [sections]string{
	"custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "data count", "tag",
}

// sectionOrder is the order in which sections stand in a file.
var sectionOrder = [sections]uint8{
	sectionType: 1, sectionImport: 2, sectionFunction: 3, sectionTable: 4, sectionMemory: 5, sectionGlobal: 6, sectionExport: 7,
	sectionStart: 8, sectionElement: 9, sectionDataCount: 10, sectionCode: 11, sectionData: 12,
}

// A span is a part of the file.
type span struct{ from, to int }

// A signature is how many values a function or a block takes and returns.
type signature struct{ takes, returns int }

// A functionType is the type of a function.
type functionType struct {
	signature
	results span   // the types of what it returns, with their number
	block   uint32 // type of a block that takes nothing and returns the same, if that is more than one value
}

// bounds are the least and the most that a memory or a table holds.
type bounds struct{ least, most uint32 }

type table struct {
	bounds
	element byte
}

// A module is what is known of a file before its code is looked at.
type module struct {
	reader
	limits    Limits
	content   [sections]span // of each section; the zero span is one that is not there
	types     []functionType
	typed     vector   // they, as they stand in the file
	added     uint32   // types that blocks need
	imported  int      // functions
	functions []uint32 // the type of each, the imported ones first
	names     []string // of each, from its export
	tables    []table
	memory    bounds
	memories  int
	globals   vector
	exports   vector
	bodies    vector
	work      int  // of compiling what has been read
	named     span // content of the custom section "name"
}

// A vector is entries of a section that are copied, or read later.
type vector struct {
	span
	n int
}

// read takes the file apart. It does not look into code.
func (m *module) read() {
	m.end = len(m.file)
	m.function = -1
	if !m.limit(0, "octets", uint64(len(m.file)), m.limits.Size) {
		return
	}
	if m.end < 8 || string(m.file[:4]) != "\x00asm" {
		m.fail(Damaged, 0, "this is no WASM module", "build the plugin, for WAT with wat2wasm")
		return
	}
	if string(m.file[4:8]) != "\x01\x00\x00\x00" {
		if m.file[6] == 1 {
			m.fail(Unsupported, 4, "this is a component", "build a core module")
		} else {
			m.fail(Unsupported, 4, "this is not version 1 of WASM", "build a core module of version 1")
		}
		return
	}
	m.at = 8
	last := uint8(0)
	for m.more() {
		start := m.at
		id := m.octet()
		size := m.u32()
		from := m.at
		m.skip(size)
		switch {
		case m.err != nil:
			return
		case id == sectionTag:
			m.unsupported(start, exceptions)
			return
		case int(id) >= sections:
			m.damaged(start, "there is no section "+strconv.Itoa(int(id)))
			return
		case id != sectionCustom && sectionOrder[id] <= last:
			m.damaged(start, "section "+sectionNames[id]+" is out of its place")
			return
		}
		end := m.end
		m.section, m.at, m.end = sectionNames[id], from, m.at
		if id == sectionCustom {
			m.readCustom()
		} else {
			last = sectionOrder[id]
			m.content[id] = span{from, m.end}
			m.readSection(id)
		}
		if m.more() {
			m.damaged(m.at, "the section is longer than what is in it")
		}
		if m.err != nil {
			return
		}
		m.section, m.end = "", end
	}
	if m.bodies.n != len(m.functions)-m.imported {
		m.damaged(m.end, "the code section has not as many functions as the function section")
	}
}

// readCustom passes over a section that means nothing to an engine. The names of
// functions are kept, for messages.
func (m *module) readCustom() {
	if m.name() == "name" {
		m.named = span{m.at, m.end}
	}
	m.at = m.end
}

func (m *module) readSection(id byte) {
	switch id {
	case sectionType:
		m.readTypes()
	case sectionImport:
		m.readImports()
	case sectionFunction:
		for range m.count("functions", m.limits.Functions) {
			m.functions = append(m.functions, m.typeIndex())
		}
	case sectionTable:
		for range m.count("tables", m.limits.Tables) {
			m.readTable()
		}
	case sectionMemory:
		start := m.at
		m.memories = m.count("memories", m.end)
		if m.memories > 1 {
			m.unsupported(start, manyMemories)
		}
		for range m.memories {
			m.memory = m.bounds("pages", m.limits.Pages, 65536)
		}
	case sectionGlobal:
		m.readGlobals()
	case sectionExport:
		m.readExports()
	case sectionStart:
		m.functionIndex()
	case sectionElement:
		for range m.count("segments", m.limits.Segments) {
			m.readElements()
		}
	case sectionCode: // read by rewriteCode, when all else is known
		m.bodies = m.vector("functions", m.limits.Functions)
		m.at = m.end
	case sectionData:
		for range m.count("segments", m.limits.Segments) {
			m.readData()
		}
	case sectionDataCount:
		start := m.at
		m.limit(start, "segments of data", uint64(m.u32()), m.limits.Segments)
	}
}

func (m *module) readTypes() {
	m.typed = m.vector("types", m.limits.Types)
	for i := range m.typed.n {
		start := m.at
		switch form := m.octet(); form {
		case typeFunction:
		case 0x4e, 0x4f, 0x50, 0x5e, 0x5f:
			m.unsupported(start, garbage)
		default:
			m.damaged(start, "0x"+hex(form)+" is no type of a function")
		}
		t := functionType{block: uint32(i)}
		t.takes = m.values("arguments")
		t.results.from = m.at
		t.returns = m.values("results")
		t.results.to = m.at
		if t.returns > 1 && t.takes > 0 {
			t.block = uint32(m.typed.n) + m.added
			m.added++
		}
		m.types = append(m.types, t)
	}
}

func (m *module) values(what string) int {
	n := m.count(what, m.limits.Values)
	for range n {
		m.valueType()
	}
	return n
}

// vector begins to read entries.
func (m *module) vector(what string, most int) vector {
	n := m.count(what, most)
	return vector{span{m.at, m.end}, n}
}

func (m *module) typeIndex() uint32 {
	start := m.at
	t := m.u32()
	m.below(start, "type", t, len(m.types))
	return t
}

func (m *module) functionIndex() uint32 {
	start := m.at
	f := m.u32()
	m.below(start, "function", f, len(m.functions))
	return f
}

func (m *module) readImports() {
	for range m.count("imports", m.limits.Imports) {
		m.name()
		m.name()
		start := m.at
		switch kind := m.octet(); kind {
		case 0:
			m.functions = append(m.functions, m.typeIndex())
			m.imported++
		case 1, 2, 3:
			m.unsupported(start, importedState)
		case 4:
			m.unsupported(start, exceptions)
		default:
			m.damaged(start, "there is no kind "+strconv.Itoa(int(kind))+" of import")
		}
	}
}

// bounds reads the least and the most of a memory or table, and cuts the most
// to what is allowed. No file may say more than highest.
func (m *module) bounds(what string, allowed, highest uint32) bounds {
	start := m.at
	flags := m.octet()
	switch {
	case flags > 7:
		m.damaged(start, "0x"+hex(flags)+" is no beginning of bounds")
	case flags&4 != 0:
		m.unsupported(start, memory64)
	case flags&2 != 0:
		m.unsupported(start, threads)
	}
	start = m.at
	b := bounds{m.u32(), allowed}
	m.limit(start, what, uint64(b.least), int(allowed))
	if flags&1 != 0 {
		start = m.at
		most := m.u32()
		if most < b.least || most > highest {
			m.damaged(start, "it cannot have at most "+strconv.FormatUint(uint64(most), 10)+" "+what)
		}
		b.most = min(most, allowed)
	}
	return b
}

func (m *module) readTable() {
	start := m.at
	element := m.octet()
	if element == typeEmpty { // followed by a value to begin with
		m.unsupported(start, typedReferences)
		return
	}
	if m.err == nil {
		m.at = start
		element = m.referenceType()
	}
	m.tables = append(m.tables, table{m.bounds("entries", m.limits.Table, 1<<32-1), element})
}

func (m *module) readGlobals() {
	m.globals = m.vector("globals", m.limits.Globals)
	for range m.globals.n {
		m.valueType()
		start := m.at
		switch mutable := m.octet(); {
		case mutable&2 != 0:
			m.unsupported(start, threads)
		case mutable > 1:
			m.damaged(start, "a global is mutable or not")
		}
		m.constant()
	}
}

// constant reads a constant expression.
func (m *module) constant() {
	start := m.at
	switch op := m.octet(); op {
	case opI32Const:
		m.signed(32)
	case opI64Const:
		m.signed(64)
	case opF32Const:
		m.skip(4)
	case opF64Const:
		m.skip(8)
	case opRefNull:
		m.referenceType()
	case opRefFunc:
		m.functionIndex()
	case opGlobalGet:
		// It could only be an imported one.
		m.unsupported(start, extendedConst)
	default:
		if operations[op].immediate == refused {
			m.unknown(start, op)
		} else {
			m.unsupported(start, extendedConst)
		}
		return
	}
	start = m.at
	if op := m.octet(); op != opEnd && m.err == nil {
		m.unsupported(start, extendedConst)
	}
}

func (m *module) readExports() {
	m.exports = m.vector("exports", m.limits.Exports)
	m.names = make([]string, len(m.functions))
	for range m.exports.n {
		start := m.at
		name := m.name()
		if name == Global || name == DepthGlobal {
			m.fail(Reserved, start, "it exports "+name+", which is what the rewriter adds", "rename the export")
		}
		start = m.at
		switch kind := m.octet(); kind {
		case 0:
			if f := m.functionIndex(); m.err == nil {
				m.names[f] = name
			}
		case 1, 2:
			m.u32()
		case 3: // not those that are added
			m.below(start, "global", m.u32(), m.globals.n)
		case 4:
			m.unsupported(start, exceptions)
		default:
			m.damaged(start, "there is no kind "+strconv.Itoa(int(kind))+" of export")
		}
	}
}

func (m *module) readElements() {
	start := m.at
	flags := m.u32()
	if flags > 7 {
		m.damaged(start, "there is no such kind of segment")
		return
	}
	passive, explicit, expressions := flags&1 != 0, flags&2 != 0, flags&4 != 0
	if !passive {
		if explicit {
			m.u32() // the table
		}
		m.constant()
	}
	if passive || explicit {
		start = m.at
		if expressions {
			m.referenceType()
		} else if kind := m.octet(); kind != 0 {
			m.damaged(start, "0x"+hex(kind)+" is no kind of element")
		}
	}
	for range m.count("elements", int(m.limits.Table)) {
		if expressions {
			m.constant()
		} else {
			m.functionIndex()
		}
	}
}

func (m *module) readData() {
	start := m.at
	switch flags := m.u32(); flags {
	case 0:
		m.constant()
	case 1:
	case 2:
		start = m.at
		if m.u32() != 0 {
			m.unsupported(start, manyMemories)
		}
		m.constant()
	default:
		m.damaged(start, "there is no such kind of segment")
	}
	m.skip(m.u32())
}
