package fuel

import "strconv"

// A function is one of the module's, while its code is looked at.
type function struct {
	*module
	functionType
	instructions span // in the file, without the declarations of locals
	runs         span // those declarations
	locals       int

	frames  []frame
	height  int  // of the operand stack
	highest int  // that it gets
	live    bool // what comes next can be reached
	pays    int  // index of the edit that pays for what comes next
	blocks  int  // basic ones
	targets int  // of all br_tables
	calls   int
	weighs  bool // it calls functions that may call others
	edits   []edit
}

// A frame is a block, loop, if, or the function itself, that is open.
type frame struct {
	op             byte
	takes, returns int
	base           int  // height of the operand stack below what it takes
	pays           int  // what pays for the instruction before it
	outermost      int  // frame that a branch or return from inside leads to, or itself
	reached        bool // its beginning can be reached
	reaches        bool // its end can, by a branch or from the first half of an if
}

// An edit is code that the rewriter puts into a function.
type edit struct {
	at    int // in the file, before what stands there
	frame int // how many frames are open there
	kind  editKind
	op    byte  // the instruction that it is for
	cost  int64 // of editPay
}

type editKind uint8

const (
	editPay       editKind = iota // for the instructions of a block
	editLength                    // for an instruction that costs by length
	editReturn                    // before a return
	editStore                     // before a call and unreachable: the global gets what is left
	editReturned                  // after a call
	editCanonical                 // one NaN for all
)

// read reads the function, which ends at f.end, and decides on the edits.
func (f *function) read() {
	*f = function{module: f.module, functionType: f.functionType, frames: f.frames[:0], edits: f.edits[:0]}
	f.runs.from = f.at
	locals := uint64(f.takes)
	for range f.count("runs of locals", f.limits.Locals) {
		locals += uint64(f.u32())
		f.valueType()
	}
	f.runs.to = f.at
	if !f.limit(f.runs.from, "locals", locals, f.limits.Locals) {
		return
	}
	f.locals = int(locals)
	f.instructions = span{f.at, f.end}
	f.live = true
	f.open(opBlock, signature{returns: f.returns})
	f.pay()
	for f.err == nil && len(f.frames) > 0 {
		f.instruction()
	}
	if f.err == nil && f.more() {
		f.damaged(f.at, "there is code behind the function's end")
	}
	f.work += f.blocks*f.blocks/workBlocks + f.blocks*f.locals*workCrossing
	f.limit(f.at, "units of work for a compiler", uint64(f.work), f.limits.Work)
}

// How long compiling takes, in plain instructions, was measured with wazero: an
// access of memory, which is checked, takes as long as so many more; each local in
// each basic block as so many; and basic blocks as this part of their square.
const (
	workAccess   = 16
	workCrossing = 2
	workBlocks   = 4
)

// edit puts an edit before the octet at.
func (f *function) edit(kind editKind, at int, op byte) {
	if f.live {
		f.edits = append(f.edits, edit{at: at, frame: len(f.frames), kind: kind, op: op})
	}
}

// pay begins a basic block here. The edit that pays for it gets its cost as its
// instructions are read. A block that cannot be reached may be compiled too: it
// counts, and pays nothing.
func (f *function) pay() {
	f.blocks++
	f.limit(f.at, "basic blocks", uint64(f.blocks), f.limits.Blocks)
	f.limit(f.at, "locals in all its basic blocks", uint64(f.blocks*f.locals), f.limits.Crossings)
	if f.live {
		f.pays = len(f.edits)
		f.edit(editPay, f.at, 0)
	}
}

// cost is for the block that the instruction read is in.
func (f *function) cost(n int64) {
	if f.live {
		f.edits[f.pays].cost += n
	}
}

func (f *function) pop(n int) {
	f.height -= n
	if base := f.frames[len(f.frames)-1].base; f.height < base {
		if f.live {
			f.damaged(f.at, "an instruction lacks operands")
		}
		f.height = base // code that cannot be reached has whatever it needs
	}
}

func (f *function) push(n int) {
	f.height += n
	f.highest = max(f.highest, f.height)
}

func (f *function) instruction() {
	at := f.at
	op := f.octet()
	switch op {
	case opBlock, opLoop, opElse, opEnd, opNop: // free
	default:
		f.cost(1)
	}
	o := operations[op]
	f.work++
	if o.immediate == memoryArg {
		f.work += workAccess
	}
	f.pop(int(o.takes))
	switch o.immediate {
	case refused:
		f.unknown(at, op)
	case special:
		f.special(at, op)
	default:
		f.immediate(at, o.immediate)
		switch op {
		case opF32Store, opF64Store, opF32Copysign, opF64Copysign, opI32OfF32, opI64OfF64:
			f.edit(editCanonical, at, op)
		case opF32Sqrt, opF32Mul, opF32Div, opF64Sqrt, opF64Mul, opF64Div, opF32OfF64, opF64OfF32:
			f.cost(costFloat)
		case opMemoryGrow:
			f.cost(costGrow)
			f.edit(editLength, at, op)
		}
	}
	if f.err == nil {
		f.push(int(o.leaves))
		f.limit(at, "values on the operand stack", uint64(f.height), f.limits.Operands)
	}
}

// immediate reads what stands behind an opcode. The rewritten module has locals
// and globals that this one has not: it must not come by them.
func (f *function) immediate(at int, i immediate) {
	switch i {
	case localIndex:
		f.below(at, "local", f.u32(), f.locals)
	case globalIndex:
		f.below(at, "global", f.u32(), f.globals.n)
	case anyIndex:
		f.u32()
	case twoIndices:
		f.u32()
		f.u32()
	case memoryArg:
		if f.u32() >= 32 {
			f.unsupported(at, manyMemories)
		}
		f.u32()
	case aMemory:
		f.onlyMemory(at)
	case twoMemories:
		f.onlyMemory(at)
		f.onlyMemory(at)
	case indexAndMemory:
		f.u32()
		f.onlyMemory(at)
	case number32:
		f.signed(32)
	case number64:
		f.signed(64)
	case octets4:
		f.skip(4)
	case octets8:
		f.skip(8)
	case reference:
		f.referenceType()
	}
}

func (f *function) onlyMemory(at int) {
	if f.octet() != 0 {
		f.unsupported(at, manyMemories)
	}
}

func (f *function) special(at int, op byte) {
	switch op {
	case opUnreachable:
		f.edit(editStore, at, op)
		f.dead()
	case opBlock:
		f.open(op, f.blockType())
	case opLoop, opIf:
		f.open(op, f.blockType())
		f.pay()
	case opElse:
		f.otherwise(at)
	case opEnd:
		f.close(at)
	case opBr:
		f.branch(at)
		f.dead()
	case opBrIf:
		f.branch(at)
		f.pay()
	case opBrTable:
		n := f.count("labels", f.limits.Targets)
		f.targets += n
		f.limit(at, "labels of its br_tables", uint64(f.targets), f.limits.Targets)
		for range n + 1 {
			f.branch(at)
		}
		f.dead()
	case opReturn:
		f.edit(editReturn, at, op)
		f.leave(0)
		f.dead()
	case opCall:
		if i := f.functionIndex(); f.err == nil {
			if i < uint32(f.imported) {
				f.cost(costHost)
			} else {
				f.weighs = true
			}
			f.call(at, f.types[f.functions[i]].signature)
		}
	case opCallIndirect:
		t := f.typeIndex()
		f.u32() // the table
		if f.err == nil {
			f.weighs = true
			f.call(at, f.types[t].signature)
		}
	case opSelectTyped:
		if f.count("types", 1) != 1 {
			f.damaged(at, "select has one type")
		}
		f.valueType()
	case opPrefix:
		f.prefixed(at)
	}
}

func (f *function) call(at int, s signature) {
	f.calls++
	f.limit(at, "calls", uint64(f.calls), f.limits.Calls)
	f.pop(s.takes)
	f.push(s.returns)
	f.edit(editStore, at, opCall)
	f.edit(editReturned, f.at, opCall)
}

func (f *function) prefixed(at int) {
	op := f.u32()
	if uint64(op) >= uint64(len(prefixed)) {
		f.damaged(at, "there is no instruction 0xfc "+strconv.FormatUint(uint64(op), 10))
		return
	}
	o := prefixed[op]
	f.pop(int(o.takes))
	f.immediate(at, o.immediate)
	f.push(int(o.leaves))
	switch op {
	case opMemoryInit, opMemoryCopy, opMemoryFill, opTableInit, opTableCopy, opTableFill:
		f.cost(costBulk)
		f.edit(editLength, at, byte(op))
	case opTableGrow:
		f.cost(costGrow)
		f.edit(editLength, at, byte(op))
	}
}

// blockType reads how many values a block takes and returns.
func (f *function) blockType() signature {
	if f.more() {
		switch f.file[f.at] {
		case typeEmpty:
			f.at++
			return signature{}
		case typeI32, typeI64, typeF32, typeF64, typeFuncref, typeExternref:
			f.at++
			return signature{returns: 1}
		}
	}
	at := f.at
	t := f.signed(33)
	switch {
	case f.err != nil:
	case t < 0:
		f.badType(at, f.file[at])
	case t >= int64(len(f.types)):
		f.below(at, "type", uint32(t), len(f.types))
	default:
		return f.types[t].signature
	}
	return signature{}
}

func (f *function) open(op byte, s signature) {
	if len(f.frames) > 0 {
		f.pop(s.takes)
	}
	f.limit(f.at, "blocks in each other", uint64(len(f.frames)), f.limits.Nesting)
	f.frames = append(f.frames, frame{
		op: op, takes: s.takes, returns: s.returns, base: f.height,
		pays: f.pays, outermost: len(f.frames), reached: f.live,
	})
	f.push(s.takes)
}

// branch reads a label.
func (f *function) branch(at int) {
	label := f.u32()
	f.below(at, "block", label, len(f.frames))
	if f.err == nil {
		f.leave(len(f.frames) - 1 - int(label))
	}
}

// leave takes note of a branch to the label of a frame.
func (f *function) leave(to int) {
	if f.live {
		f.frames[to].reaches = true
		innermost := &f.frames[len(f.frames)-1]
		innermost.outermost = min(innermost.outermost, to)
	}
}

// dead says that what comes next cannot be reached.
func (f *function) dead() {
	f.live = false
	f.height = f.frames[len(f.frames)-1].base
}

// returned checks what a frame, or one half of an if, leaves behind.
func (f *function) returned(at int, top *frame) {
	if f.live && f.height != top.base+top.returns {
		f.damaged(at, "a block leaves another number of values than its type says")
	}
}

func (f *function) otherwise(at int) {
	top := &f.frames[len(f.frames)-1]
	if top.op != opIf {
		f.damaged(at, "an else belongs to no if")
		return
	}
	f.returned(at, top)
	top.op = opElse
	top.reaches = top.reaches || f.live
	f.live = top.reached
	f.height = top.base
	f.push(top.takes)
	f.pay()
}

func (f *function) close(at int) {
	i := len(f.frames) - 1
	top := f.frames[i]
	f.returned(at, &top)
	f.frames = f.frames[:i]
	if i == 0 {
		return
	}
	switch top.op {
	case opBlock, opElse:
		f.live = f.live || top.reaches
	case opIf:
		f.live = f.live || top.reaches || top.reached
	case opLoop: // its label is at its beginning
	}
	f.height = top.base
	outer := &f.frames[i-1]
	outer.outermost = min(outer.outermost, top.outermost)
	if !f.live {
		f.height = outer.base
		f.pay()
		return
	}
	f.push(top.returns)
	// What comes next is done as often as what stood before the frame, unless
	// a branch leads past it.
	f.pays = top.pays
	if top.outermost < i {
		f.pay()
	}
}
