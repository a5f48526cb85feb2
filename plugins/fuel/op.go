package fuel

// Opcodes that mean something to the rewriter.
const (
	opUnreachable  = 0x00
	opNop          = 0x01
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opDrop         = 0x1a
	opSelect       = 0x1b
	opSelectTyped  = 0x1c
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableGet     = 0x25
	opTableSet     = 0x26
	opF32Store     = 0x38
	opF64Store     = 0x39
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32LtU       = 0x49
	opI32GtS       = 0x4a
	opI64LtS       = 0x53
	opF32Eq        = 0x5b
	opF64Eq        = 0x61
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI32ShrU      = 0x76
	opI64Sub       = 0x7d
	opI64Mul       = 0x7e
	opF32Sqrt      = 0x91
	opF32Mul       = 0x94
	opF32Div       = 0x95
	opF32Copysign  = 0x98
	opF64Sqrt      = 0x9f
	opF64Mul       = 0xa2
	opF64Div       = 0xa3
	opF64Copysign  = 0xa6
	opF32OfF64     = 0xb6 // f32.demote_f64
	opF64OfF32     = 0xbb // f64.promote_f32
	opI64ExtendU   = 0xad // i64.extend_i32_u
	opI32OfF32     = 0xbc // i32.reinterpret_f32
	opI64OfF64     = 0xbd // i64.reinterpret_f64
	opRefNull      = 0xd0
	opRefIsNull    = 0xd1
	opRefFunc      = 0xd2
	opPrefix       = 0xfc // followed by one of these:

	opMemoryInit = 8
	opDataDrop   = 9
	opMemoryCopy = 10
	opMemoryFill = 11
	opTableInit  = 12
	opElemDrop   = 13
	opTableCopy  = 14
	opTableGrow  = 15
	opTableSize  = 16
	opTableFill  = 17
)

// immediate is what stands behind an opcode.
type immediate uint8

const (
	refused    immediate = iota // no opcode that is taken
	special                     // its own case in function.instruction
	plain                       // nothing
	anyIndex                    // a number of 32 bits that the engine checks
	twoIndices                  // two of them
	localIndex
	globalIndex
	memoryArg      // alignment and offset
	aMemory        // the index of the memory, 0
	twoMemories    // two of them
	indexAndMemory // a number, and the memory
	number32       // signed
	number64
	octets4
	octets8
	reference // the type of a reference
)

// An operation is the shape of an instruction: what stands behind the opcode, and
// how many operands it takes and leaves.
type operation struct {
	immediate
	takes, leaves uint8
}

// shapes gives runs of opcodes their operation.
var shapes = [...]struct {
	first, last byte
	operation
}{
	{opUnreachable, opLoop, operation{special, 0, 0}},
	{opIf, opIf, operation{special, 1, 0}},
	{opElse, opElse, operation{special, 0, 0}},
	{opEnd, opBr, operation{special, 0, 0}},
	{opBrIf, opBrTable, operation{special, 1, 0}},
	{opReturn, opCall, operation{special, 0, 0}},
	{opCallIndirect, opCallIndirect, operation{special, 1, 0}},
	{opDrop, opDrop, operation{plain, 1, 0}},
	{opSelect, opSelect, operation{plain, 3, 1}},
	{opSelectTyped, opSelectTyped, operation{special, 3, 1}},
	{opLocalGet, opLocalGet, operation{localIndex, 0, 1}},
	{opLocalSet, opLocalSet, operation{localIndex, 1, 0}},
	{opLocalTee, opLocalTee, operation{localIndex, 1, 1}},
	{opGlobalGet, opGlobalGet, operation{globalIndex, 0, 1}},
	{opGlobalSet, opGlobalSet, operation{globalIndex, 1, 0}},
	{opTableGet, opTableGet, operation{anyIndex, 1, 1}},
	{opTableSet, opTableSet, operation{anyIndex, 2, 0}},
	{0x28, 0x35, operation{memoryArg, 1, 1}}, // loads
	{0x36, 0x3e, operation{memoryArg, 2, 0}}, // stores
	{opMemorySize, opMemorySize, operation{aMemory, 0, 1}},
	{opMemoryGrow, opMemoryGrow, operation{aMemory, 1, 1}},
	{opI32Const, opI32Const, operation{number32, 0, 1}},
	{opI64Const, opI64Const, operation{number64, 0, 1}},
	{opF32Const, opF32Const, operation{octets4, 0, 1}},
	{opF64Const, opF64Const, operation{octets8, 0, 1}},
	{0x45, 0x45, operation{plain, 1, 1}}, // i32.eqz
	{0x46, 0x4f, operation{plain, 2, 1}}, // comparisons of i32
	{0x50, 0x50, operation{plain, 1, 1}}, // i64.eqz
	{0x51, 0x66, operation{plain, 2, 1}}, // comparisons of i64, f32, f64
	{0x67, 0x69, operation{plain, 1, 1}}, // i32.clz, ctz, popcnt
	{0x6a, 0x78, operation{plain, 2, 1}},
	{0x79, 0x7b, operation{plain, 1, 1}}, // i64.clz, ctz, popcnt
	{0x7c, 0x8a, operation{plain, 2, 1}},
	{0x8b, 0x91, operation{plain, 1, 1}}, // f32.abs to sqrt
	{0x92, 0x98, operation{plain, 2, 1}},
	{0x99, 0x9f, operation{plain, 1, 1}}, // f64.abs to sqrt
	{0xa0, 0xa6, operation{plain, 2, 1}},
	{0xa7, 0xc4, operation{plain, 1, 1}}, // conversions, sign extensions
	{opRefNull, opRefNull, operation{reference, 0, 1}},
	{opRefIsNull, opRefIsNull, operation{plain, 1, 1}},
	{opRefFunc, opRefFunc, operation{anyIndex, 0, 1}},
	{opPrefix, opPrefix, operation{special, 0, 0}},
}

// operations are shapes by opcode.
var operations = func() (table [256]operation) {
	for _, s := range shapes {
		for op := int(s.first); op <= int(s.last); op++ {
			table[op] = s.operation
		}
	}
	return table
}()

// prefixed are the operations behind opPrefix.
var prefixed = [...]operation{
	// Conversions that saturate.
	{plain, 1, 1}, {plain, 1, 1}, {plain, 1, 1}, {plain, 1, 1}, {plain, 1, 1}, {plain, 1, 1}, {plain, 1, 1}, {plain, 1, 1},
	opMemoryInit: {indexAndMemory, 3, 0}, opDataDrop: {anyIndex, 0, 0}, opMemoryCopy: {twoMemories, 3, 0}, opMemoryFill: {aMemory, 3, 0},
	opTableInit: {twoIndices, 3, 0}, opElemDrop: {anyIndex, 0, 0}, opTableCopy: {twoIndices, 3, 0},
	opTableGrow: {anyIndex, 2, 1}, opTableSize: {anyIndex, 0, 1}, opTableFill: {anyIndex, 3, 0},
}

// A feature is a part of WASM that plugins do without.
type feature struct{ what, mend string }

var (
	simd            = feature{"SIMD", "build without it, with clang -mno-simd128"}
	threads         = feature{"threads and atomics", "build without them, with clang -mno-atomics"}
	tailCalls       = feature{"tail calls", "build without them, with clang -mno-tail-call"}
	exceptions      = feature{"exceptions", "build without them, with clang -fno-wasm-exceptions"}
	garbage         = feature{"garbage-collected objects", "build for linear memory"}
	typedReferences = feature{"typed references", "build without them"}
	memory64        = feature{"64-bit memories or tables", "build for wasm32"}
	manyMemories    = feature{"more than one memory", "build with one"}
	extendedConst   = feature{"constant expressions that calculate", "build without them, with clang -mno-extended-const"}
	importedState   = feature{"an import that is no function", "define memories, tables and globals in the module and export them"}
)

func (r *reader) unsupported(at int, f feature) {
	r.fail(Unsupported, at, "it uses "+f.what, f.mend)
}

// unknown refuses an opcode.
func (r *reader) unknown(at int, op byte) {
	switch op {
	case 0x06, 0x07, 0x08, 0x09, 0x0a, 0x18, 0x19, 0x1f:
		r.unsupported(at, exceptions)
	case 0x12, 0x13:
		r.unsupported(at, tailCalls)
	case 0x14, 0x15, 0xd3, 0xd4, 0xd5, 0xd6:
		r.unsupported(at, typedReferences)
	case 0xfb:
		r.unsupported(at, garbage)
	case 0xfd:
		r.unsupported(at, simd)
	case 0xfe:
		r.unsupported(at, threads)
	default:
		r.damaged(at, "0x"+hex(op)+" is no instruction")
	}
}
