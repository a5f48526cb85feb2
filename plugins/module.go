package plugins

import (
	"strconv"

	"github.com/tcpkit/tcpkit/plugins/abi"
)

// A Func is a function that a module imports or exports.
type Func struct {
	Module string // where it is imported from
	Name   string
	Type   string // "(i32) -> i64"
}

// A Module is what the file of a module says of itself, before any of it runs.
type Module struct {
	Imports []Func // memories, tables and globals too, with their kind as the Type
	Exports []Func // likewise

	Manifest []byte // what its section abi.ManifestSection holds
}

// maxModule is the largest file that is looked at. THREATS P04.
const maxModule = 4 << 20

// maxEntries is how many types, imports, functions or exports a module may have.
// THREATS P04.
const maxEntries = 10000

// Inspect reads what a module imports and exports. It does not look at code:
// whether that is valid is the engine's to say.
func Inspect(wasm []byte) (Module, error) {
	var m Module
	if len(wasm) > maxModule {
		return m, Error("the module has " + strconv.Itoa(len(wasm)) + " octets; at most " + strconv.Itoa(maxModule) + " are taken")
	}
	const magic = "\x00asm"
	if len(wasm) < 8 || string(wasm[:4]) != magic {
		return m, Error("this is not a WASM module; build the plugin, for WAT with wat2wasm")
	}
	if string(wasm[4:8]) != "\x01\x00\x00\x00" {
		return m, Error("this is not a core WASM module of version 1; a component must be built as a core module")
	}
	r := reader{b: wasm[8:]}
	var s tables
	for len(r.b) > 0 && !r.bad {
		id := r.octet()
		section := reader{b: r.take(r.u32())}
		if id == customSection {
			// Others may have a custom section that is damaged; ours may not.
			if section.name() == abi.ManifestSection && !section.bad {
				m.Manifest = section.b
			}
			continue
		}
		s.read(id, &section)
		r.bad = r.bad || section.bad
	}
	if !r.bad {
		r.bad = !s.resolve(&m)
	}
	if r.bad {
		return Module{}, Error("the module is damaged or cut off; build it again")
	}
	return m, nil
}

// tables is what is read of a module, in terms of its indices.
type tables struct {
	types            []string
	functions        []uint32 // index of the type, of imported functions first
	imports, exports []entry
}

type entry struct {
	Func
	kind  uint8
	index uint32
}

var kinds = [...]string{"function", "table", "memory", "global"}

const (
	kindFunction  = 0
	customSection = 0
)

func (s *tables) read(id uint8, r *reader) {
	switch id {
	case 1:
		for range r.count() {
			if r.octet() != 0x60 {
				r.bad = true
				return
			}
			s.types = append(s.types, r.signature())
		}
	case 2:
		for range r.count() {
			e := entry{Func: Func{Module: r.name(), Name: r.name()}, kind: r.octet()}
			if e.kind == kindFunction {
				e.index = r.u32()
				s.functions = append(s.functions, e.index)
			} else {
				r.skipImport(e.kind)
			}
			s.imports = append(s.imports, e)
		}
	case 3:
		for range r.count() {
			s.functions = append(s.functions, r.u32())
		}
	case 7:
		for range r.count() {
			e := entry{Func: Func{Name: r.name()}, kind: r.octet()}
			e.index = r.u32()
			s.exports = append(s.exports, e)
		}
	}
}

// resolve replaces indices by types. It reports false if one leads nowhere.
func (s *tables) resolve(m *Module) bool {
	for _, e := range s.imports {
		if !s.typed(&e, e.index) {
			return false
		}
		m.Imports = append(m.Imports, e.Func)
	}
	for _, e := range s.exports {
		index := e.index
		if e.kind == kindFunction {
			if int64(index) >= int64(len(s.functions)) {
				return false
			}
			index = s.functions[index]
		}
		if !s.typed(&e, index) {
			return false
		}
		m.Exports = append(m.Exports, e.Func)
	}
	return true
}

func (s *tables) typed(e *entry, index uint32) bool {
	switch {
	case int(e.kind) >= len(kinds):
		return false
	case e.kind != kindFunction:
		e.Type = kinds[e.kind]
	case int64(index) >= int64(len(s.types)):
		return false
	default:
		e.Type = s.types[index]
	}
	return true
}

// A reader takes a module apart. After the first octet that cannot be it is bad,
// and gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) octet() uint8 {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

// u32 reads an unsigned LEB128 number of at most 5 octets.
func (r *reader) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		c := r.octet()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			r.bad = r.bad || v > 1<<32-1
			return uint32(v)
		}
	}
	r.bad = true
	return 0
}

// u64 passes over an unsigned LEB128 number of at most 10 octets.
func (r *reader) u64() {
	for range 10 {
		if r.octet() < 0x80 {
			return
		}
	}
	r.bad = true
}

// count reads how many entries follow.
func (r *reader) count() uint32 {
	n := r.u32()
	// Each entry takes an octet at least.
	if n > maxEntries || int64(n) > int64(len(r.b)) {
		r.bad = true
		return 0
	}
	return n
}

func (r *reader) take(n uint32) []byte {
	if int64(n) > int64(len(r.b)) {
		r.bad = true
		r.b = nil
		return nil
	}
	part := r.b[:n]
	r.b = r.b[n:]
	return part
}

func (r *reader) name() string { return string(r.take(r.u32())) }

func (r *reader) values() (text string, n uint32) {
	var b []byte
	n = r.count()
	for i := range n {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, r.value()...)
	}
	return string(b), n
}

// signature reads the type of a function.
func (r *reader) signature() string {
	args, _ := r.values()
	results, n := r.values()
	if n != 1 {
		results = "(" + results + ")"
	}
	return "(" + args + ") -> " + results
}

func (r *reader) value() string {
	switch r.octet() {
	case 0x7f:
		return "i32"
	case 0x7e:
		return "i64"
	case 0x7d:
		return "f32"
	case 0x7c:
		return "f64"
	case 0x7b:
		return "v128"
	case 0x70, 0x6f:
		return "ref"
	default:
		r.bad = true
		return ""
	}
}

// skipImport passes over the type of an import that is no function.
func (r *reader) skipImport(kind uint8) {
	switch kind {
	case 1: // table
		r.value()
		r.limits()
	case 2: // memory
		r.limits()
	case 3: // global
		r.value()
		r.octet()
	default:
		r.bad = true
	}
}

func (r *reader) limits() {
	has := r.octet()
	r.u64()
	if has&1 != 0 {
		r.u64()
	}
}
