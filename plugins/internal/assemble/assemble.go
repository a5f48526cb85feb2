package assemble

import "github.com/tcpkit/tcpkit/plugins/abi"

// Types of values.
const (
	I32 = 0x7f
	I64 = 0x7e
)

// A Func is a function that the module exports, or, with a Module, imports.
type Func struct {
	Module  string
	Name    string
	Args    []byte
	Results []byte
	Body    []byte // without locals and the end
	Start   bool   // it runs when the module is instantiated
}

// Bodies.
var (
	Trap = []byte{0x00} // unreachable
	Pass = Const64(0)
)

// Const32 is a body that returns v.
func Const32(v int64) []byte { return append([]byte{0x41}, signed(v)...) }

// Const64 is the same with an i64.
func Const64(v int64) []byte { return append([]byte{0x42}, signed(v)...) }

// ABI returns the export that tells the version.
func ABI(version uint32) Func {
	return Func{Name: abi.ExportABI, Results: []byte{I32}, Body: Const32(int64(version))}
}

// Init returns the export that offers a buffer.
func Init(at uint32) Func {
	return Func{Name: abi.ExportInit, Args: []byte{I32}, Results: []byte{I32}, Body: Const32(int64(int32(at)))}
}

// Hook returns the export of a hook.
func Hook(name string, body []byte) Func {
	return Func{Name: name, Results: []byte{I64}, Body: body}
}

// Plugin returns a module of the version of this host, with a buffer at 1024,
// one page of memory and the hooks.
func Plugin(hooks ...Func) []byte {
	return Module(append([]Func{ABI(abi.Version), Init(1024)}, hooks...)...)
}

// Module returns a module of functions, with one page of memory that can grow.
func Module(funcs ...Func) []byte {
	var types, imports, functions, exports, code [][]byte
	index := byte(0)
	var start []byte
	for _, imported := range []bool{true, false} {
		for _, f := range funcs {
			if imported != (f.Module != "") {
				continue
			}
			t := byte(len(types))
			types = append(types, join([]byte{0x60}, vector(f.Args), vector(f.Results)))
			if imported {
				imports = append(imports, join(vector([]byte(f.Module)), vector([]byte(f.Name)), []byte{0, t}))
			} else {
				functions = append(functions, []byte{t})
				exports = append(exports, join(vector([]byte(f.Name)), []byte{0, index}))
				body := join([]byte{0}, f.Body, []byte{0x0b})
				code = append(code, vector(body))
				if f.Start {
					start = []byte{8, 1, index}
				}
			}
			index++
		}
	}
	exports = append(exports, join(vector([]byte(abi.ExportMemory)), []byte{2, 0}))
	b := []byte("\x00asm\x01\x00\x00\x00")
	b = append(b, section(1, types...)...)
	b = append(b, section(2, imports...)...)
	b = append(b, section(3, functions...)...)
	b = append(b, section(5, []byte{0, 1})...)
	b = append(b, section(7, exports...)...)
	b = append(b, start...)
	return append(b, section(10, code...)...)
}

// WithManifest adds a manifest to a module.
func WithManifest(module []byte, lines ...string) []byte {
	var text []byte
	for _, l := range lines {
		text = append(append(text, l...), '\n')
	}
	return append(module, join([]byte{0}, vector(join(vector([]byte(abi.ManifestSection)), text)))...)
}

func section(id byte, entries ...[]byte) []byte {
	content := unsigned(len(entries))
	for _, e := range entries {
		content = append(content, e...)
	}
	return join([]byte{id}, vector(content))
}

func vector(b []byte) []byte { return append(unsigned(len(b)), b...) }

func join(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// unsigned and signed are LEB128.
func unsigned(v int) []byte {
	var b []byte
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

func signed(v int64) []byte {
	var b []byte
	for v < -64 || v > 63 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}

// WithTable returns a module with a table of two entries for functions, in which
// there is nothing.
func WithTable(module []byte) []byte {
	table := section(4, []byte{0x70, 0, 2})
	at := 8
	for at < len(module) && module[at] < 5 {
		size, shift := 0, 0
		at++
		for more := true; more; at++ {
			size |= int(module[at]&0x7f) << shift
			shift += 7
			more = module[at] >= 0x80
		}
		at += size
	}
	return join(module[:at], table, module[at:])
}
