package build

import "encoding/binary"

// Instructions that are looked at, core specification §5.4.
const (
	opBlock     = 0x02
	opIf        = 0x04
	opBr        = 0x0c
	opBrIf      = 0x0d
	opBrTable   = 0x0e
	opReturn    = 0x0f
	opCall      = 0x10
	opCallTable = 0x11
	opDrop      = 0x1a
	opSelect    = 0x1b
	opLocalGet  = 0x20
	opLocalSet  = 0x21
	opLocalTee  = 0x22
	opGlobalGet = 0x23
	opGlobalSet = 0x24
	opLoad      = 0x28 // the first of them
	opStore     = 0x36 // likewise
	opMemSize   = 0x3f
	opMemGrow   = 0x40
	opConst64   = 0x42
	opFloat32   = 0x43
	opFloat64   = 0x44
	opEqz32     = 0x45 // the first without an operand of its own
	opAdd64     = 0x7c
	opWrap      = 0xa7
	opExtend    = 0xad
	opLast      = 0xc4 // of those without a prefix
	opPrefix    = 0xfc
)

// packCode is a code section with addresses folded in every function, and without
// what is unused. names are those of the functions; with another number of them
// nobody knows which is which, and all stay.
func packCode(body []byte, names []string) ([]byte, error) {
	r := reader{b: body}
	n := r.number()
	out := binary.AppendUvarint(nil, uint64(n))
	for k := 0; k < n && !r.bad; k++ {
		f := r.take(r.number())
		if len(names) == n && isUnused(names[k]) {
			f = unreachable
		} else {
			f = foldAddresses(f)
		}
		out = binary.AppendUvarint(out, uint64(len(f)))
		out = append(out, f...)
	}
	if r.bad || len(r.b) > 0 {
		return nil, errDamaged
	}
	return out, nil
}

// An instruction is where it stands in the octets of its function.
type instruction struct {
	op       byte
	from, to int
	value    int64  // of a constant
	align    uint64 // of a load or a store
	offset   uint64 // likewise
	moved    bool   // the offset is another now
	gone     bool
}

// A value is what is known of one on the stack: how far it is on the way to an
// address that can be folded, and the first of the instructions that made it.
type value struct {
	step  uint8
	first int
}

// The way to it: extend, const, add, wrap, one right after the other.
const (
	stepNone uint8 = iota
	stepExtend
	stepConst
	stepSum
	stepAddress
)

// foldAddresses turns
//
//	i64.extend_i32_u, i64.const N, i64.add, i32.wrap_i64 ... load or store
//
// which is how Go's compiler addresses its own stack, into the access alone with an
// offset that is N larger. The two differ where the sum goes beyond 4 GiB: there the
// second traps, and no object of Go's begins there. A function with an instruction
// that Go's compiler does not use is left as it is.
func foldAddresses(f []byte) []byte {
	r := reader{b: f}
	for n := r.number(); n > 0 && !r.bad; n-- { // groups of locals
		r.number()
		r.take(1)
	}
	start := len(f) - len(r.b)
	list, ok := decode(f, start)
	if !ok || r.bad {
		return f
	}
	fold(list)
	out := append([]byte(nil), f[:start]...)
	for i := range list {
		switch c := &list[i]; {
		case c.gone:
		case c.moved:
			out = append(out, c.op)
			out = binary.AppendUvarint(out, c.align)
			out = binary.AppendUvarint(out, c.offset)
		default:
			out = append(out, f[c.from:c.to]...)
		}
	}
	return out
}

// fold marks what can go.
func fold(list []instruction) {
	var stack []value
	pop := func() (v value) {
		if n := len(stack); n > 0 {
			v, stack = stack[n-1], stack[:n-1]
		}
		return v
	}
	push := func(v value) { stack = append(stack, v) }
	// next is the value one step further on, if v is the one before and was made just now.
	next := func(v value, step uint8, i int) value {
		if v.step == step-1 && v.first == i-int(step)+1 {
			return value{step, v.first}
		}
		return value{}
	}
	access := func(v value, c *instruction) {
		if v.step != stepAddress {
			return
		}
		sum := c.offset + uint64(list[v.first+1].value)
		if sum >= 1<<31 {
			return
		}
		c.offset, c.moved = sum, true
		for k := range 4 {
			list[v.first+k].gone = true
		}
	}
	for i := range list {
		c := &list[i]
		switch op := c.op; {
		case op == opExtend:
			pop()
			push(value{stepExtend, i})
		case op == opConst64 && c.value >= 0:
			v := value{}
			if n := len(stack); n > 0 {
				v = next(stack[n-1], stepConst, i)
			}
			push(v)
		case op == opAdd64:
			b := pop()
			pop()
			push(next(b, stepSum, i))
		case op == opWrap:
			push(next(pop(), stepAddress, i))
		case op >= opStore && op < opMemSize:
			pop()
			access(pop(), c)
		case op >= opLoad && op < opStore:
			access(pop(), c)
			push(value{})
		case op == opLocalGet || op == opGlobalGet || op == opConst || op == opConst64 || op == opFloat32 || op == opFloat64 || op == opMemSize:
			push(value{})
		case op == opLocalSet || op == opGlobalSet || op == opDrop:
			pop()
		case op == opLocalTee || unary(op):
			pop()
			push(value{})
		case op >= opEqz32 && op <= opLast:
			pop()
			pop()
			push(value{})
		default: // control, calls: what is below is not known any more
			stack = stack[:0]
		}
	}
}

// unary reports whether an instruction takes one value and makes one.
func unary(op byte) bool {
	switch {
	case op == opEqz32, op == 0x50, op == opMemGrow: // eqz
	case op >= 0x67 && op <= 0x69, op >= 0x79 && op <= 0x7b: // clz, ctz, popcnt
	case op >= 0x8b && op <= 0x91, op >= 0x99 && op <= 0x9f: // abs to sqrt
	case op >= 0xa7 && op <= opLast: // conversions, extensions
	default:
		return false
	}
	return true
}

// decode takes the instructions of a function apart.
func decode(f []byte, start int) (list []instruction, ok bool) {
	r := reader{b: f[start:]}
	for len(r.b) > 0 && !r.bad {
		c := instruction{from: len(f) - len(r.b), op: r.take(1)[0]}
		switch op := c.op; {
		case op >= opBlock && op <= opIf, op == opMemSize, op == opMemGrow:
			r.take(1) // Go's blocks have no type, or one of a value
		case op == opBr, op == opBrIf, op == opCall, op >= opLocalGet && op <= opGlobalSet:
			r.number()
		case op == opBrTable:
			for n := r.number(); n >= 0 && !r.bad; n-- {
				r.number()
			}
		case op == opCallTable:
			r.number()
			r.number()
		case op >= opLoad && op < opMemSize:
			c.align, c.offset = uint64(r.number()), uint64(r.number())
		case op == opConst:
			r.signed()
		case op == opConst64:
			c.value = r.signed64()
		case op == opFloat32:
			r.take(4)
		case op == opFloat64:
			r.take(8)
		case op == opPrefix:
			switch sub := r.number(); {
			case sub < 8: // conversions that saturate
			case sub == 10: // memory.copy
				r.take(2)
			case sub == 11: // memory.fill
				r.take(1)
			default:
				return nil, false
			}
		case op < opBlock, op == 0x05, op == opEnd, op == opReturn, op == opDrop, op == opSelect, op >= opEqz32 && op <= opLast:
		default:
			return nil, false
		}
		c.to = len(f) - len(r.b)
		list = append(list, c)
	}
	return list, !r.bad
}
