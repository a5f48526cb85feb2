package fuel

// frameWeight is what a function weighs beside its locals and operands, in values
// of 8 octets: the return address, what an engine saves of its own, and the locals
// that the rewriter adds. It also keeps the number of frames below what wazero's
// interpreter takes, which is 2000.
const frameWeight = 24

// What instructions cost beside the 1 for each, so that none takes much longer for
// its fuel than others: where an engine leaves its own code, and what is as long as
// the operand says.
const (
	costHost    = 50         // a call of a host function
	costGrow    = 50         // memory.grow, table.grow
	costFloat   = 20         // of floats what takes long where they are all but zero
	costBulk    = 10         // memory.init, copy, fill, and those of tables
	octetsShift = 3          // 1 for 8 octets, and for each entry of a table
	costPage    = 65536 >> 3 // of memory.grow: what clearing it costs
)

// Locals that the rewriter adds to a function, behind its own.
const (
	localFuel   = iota // i64: what is left, between calls
	localLength        // i32: an operand
	localF32           // an operand
	localF64
	addedLocals
)

var addedTypes = [addedLocals]byte{typeI64, typeI32, typeF32, typeF64}

// An emitter writes a function anew.
type emitter struct {
	*function
	out    []byte
	weight int64
	label  uint32 // of the block behind which the function traps
}

// emit appends f with its edits:
//
//	block                   ;; $out
//	  fuel = Global
//	  if (DepthGlobal += weight) > Limits.Depth: br $out
//	  block (results)       ;; stands for the function's own label
//	    its instructions, in which blocks begin with
//	      if (fuel -= cost) < 0: br $out
//	  end
//	  Global = fuel
//	  DepthGlobal -= weight
//	  return
//	end
//	Global = fuel
//	unreachable
func (f *function) emit(out []byte) []byte {
	e := emitter{function: f, out: out, weight: int64(f.locals + f.highest + frameWeight)}
	e.declare()
	e.op(opBlock, typeEmpty)
	e.get(f.fuelGlobal())
	e.setLocal(localFuel)
	if f.weighs {
		e.enter()
	}
	e.op(opBlock)
	e.results()
	at := f.instructions.from
	for i := range f.edits {
		d := &f.edits[i]
		e.out = append(e.out, f.file[at:d.at]...)
		at = d.at
		e.label = uint32(d.frame)
		e.put(d)
	}
	e.out = append(e.out, f.file[at:f.instructions.to]...) // with the end
	e.exit()
	e.op(opReturn, opEnd)
	e.store()
	e.op(opUnreachable, opEnd)
	return e.out
}

// results writes the type of a block that returns what the function does.
func (e *emitter) results() {
	switch e.returns {
	case 0:
		e.op(typeEmpty)
	case 1:
		e.op(e.file[e.functionType.results.to-1])
	default:
		e.out = appendSigned(e.out, int64(e.block))
	}
}

// declare writes the declarations of locals.
func (e *emitter) declare() {
	r := reader{file: e.file, at: e.runs.from, end: e.runs.to}
	e.out = appendU32(e.out, r.u32()+addedLocals)
	e.out = append(e.out, e.file[r.at:r.end]...)
	for _, t := range addedTypes {
		e.out = append(e.out, 1, t)
	}
}

func (e *emitter) put(d *edit) {
	switch d.kind {
	case editPay:
		if d.cost > 0 {
			e.getLocal(localFuel)
			e.const64(d.cost)
			e.take()
		}
	case editLength:
		e.teeLocal(localLength)
		e.getLocal(localFuel)
		e.length(d.op)
		e.take()
	case editReturn:
		e.exit()
	case editStore:
		e.store()
	case editReturned:
		e.get(e.fuelGlobal())
		e.setLocal(localFuel)
	case editCanonical:
		e.canonical(d.op)
	}
}

// enter bounds the depth of calls.
func (e *emitter) enter() {
	e.get(e.depthGlobal())
	e.const32(e.weight)
	e.op(opI32Add)
	e.set(e.depthGlobal())
	e.get(e.depthGlobal())
	e.const32(int64(e.limits.Depth))
	e.op(opI32GtS)
	e.branchOut()
}

// take takes the upper operand from the lower, which is the fuel.
func (e *emitter) take() {
	e.op(opI64Sub)
	e.teeLocal(localFuel)
	e.const64(0)
	e.op(opI64LtS)
	e.branchOut()
}

// length puts on the stack what an instruction costs by its last operand.
func (e *emitter) length(op byte) {
	e.getLocal(localLength)
	switch op {
	case opMemoryInit, opMemoryCopy, opMemoryFill:
		e.const32(octetsShift)
		e.op(opI32ShrU, opI64ExtendU)
	case opTableInit, opTableCopy, opTableFill:
		e.op(opI64ExtendU)
	case opTableGrow:
		e.atMost(e.limits.Table)
		e.op(opI64ExtendU)
	case opMemoryGrow:
		e.atMost(e.limits.Pages)
		e.op(opI64ExtendU)
		e.const64(costPage)
		e.op(opI64Mul)
	}
}

// atMost cuts the length to what can be had: asking for more costs no more.
func (e *emitter) atMost(most uint32) {
	e.const32(int64(int32(most)))
	e.getLocal(localLength)
	e.const32(int64(int32(most)))
	e.op(opI32LtU, opSelect)
}

// canonical replaces a NaN on the stack by the canonical one.
func (e *emitter) canonical(op byte) {
	switch op {
	case opF32Store, opF32Copysign, opI32OfF32:
		e.teeLocal(localF32)
		e.op(opF32Const, 0, 0, 0xc0, 0x7f)
		e.getLocal(localF32)
		e.getLocal(localF32)
		e.op(opF32Eq, opSelect)
	default:
		e.teeLocal(localF64)
		e.op(opF64Const, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)
		e.getLocal(localF64)
		e.getLocal(localF64)
		e.op(opF64Eq, opSelect)
	}
}

// exit is for where the function returns.
func (e *emitter) exit() {
	e.store()
	if e.weighs {
		e.get(e.depthGlobal())
		e.const32(e.weight)
		e.op(opI32Sub)
		e.set(e.depthGlobal())
	}
}

// store gives the global what is left.
func (e *emitter) store() {
	e.getLocal(localFuel)
	e.set(e.fuelGlobal())
}

func (e *emitter) op(ops ...byte) { e.out = append(e.out, ops...) }

func (e *emitter) indexed(op byte, i uint32) { e.out = appendU32(append(e.out, op), i) }

func (e *emitter) get(global uint32) { e.indexed(opGlobalGet, global) }
func (e *emitter) set(global uint32) { e.indexed(opGlobalSet, global) }

func (e *emitter) getLocal(added uint32) { e.indexed(opLocalGet, uint32(e.locals)+added) }
func (e *emitter) setLocal(added uint32) { e.indexed(opLocalSet, uint32(e.locals)+added) }
func (e *emitter) teeLocal(added uint32) { e.indexed(opLocalTee, uint32(e.locals)+added) }

func (e *emitter) branchOut() { e.indexed(opBrIf, e.label) }

func (e *emitter) const32(v int64) { e.out = appendSigned(append(e.out, opI32Const), v) }
func (e *emitter) const64(v int64) { e.out = appendSigned(append(e.out, opI64Const), v) }
