package fuel

import (
	"strconv"
	"unicode/utf8"
)

// A reader takes a part of a file apart. The first thing that cannot be stays
// as err; from then on there is nothing left to read, and numbers are 0.
type reader struct {
	file     []byte
	at, end  int
	section  string
	function int
	err      *Error
}

func (r *reader) fail(p Problem, at int, what, mend string) {
	if r.err == nil {
		r.err = &Error{Problem: p, What: what, Section: r.section, Function: r.function, Offset: at, Mend: mend}
	}
	r.at = r.end
}

const rebuild = "build the module again"

func (r *reader) damaged(at int, what string) { r.fail(Damaged, at, what, rebuild) }

// limit refuses n of something beyond the most that is allowed.
func (r *reader) limit(at int, what string, n uint64, most int) bool {
	if n <= uint64(max(most, 0)) {
		return true
	}
	r.fail(TooLarge, at, "it has "+strconv.FormatUint(n, 10)+" "+what, "at most "+strconv.Itoa(most)+" are taken")
	return false
}

// below checks that i is an index of n things.
func (r *reader) below(at int, what string, i uint32, n int) bool {
	if r.err == nil && uint64(i) >= uint64(n) {
		r.damaged(at, "there is no "+what+" "+strconv.FormatUint(uint64(i), 10))
	}
	return r.err == nil
}

func (r *reader) more() bool { return r.at < r.end }

func (r *reader) octet() byte {
	if r.at >= r.end {
		r.damaged(r.at, "it ends too early")
		return 0
	}
	c := r.file[r.at]
	r.at++
	return c
}

// skip passes over n octets.
func (r *reader) skip(n uint32) {
	if int64(n) > int64(r.end-r.at) {
		r.damaged(r.at, "it ends too early")
		return
	}
	r.at += int(n)
}

// u32 reads an unsigned LEB128 number of 32 bits.
func (r *reader) u32() uint32 {
	if r.at < r.end {
		if c := r.file[r.at]; c < 0x80 {
			r.at++
			return uint32(c)
		}
	}
	start := r.at
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		c := r.octet()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	r.damaged(start, "a number is larger than 32 bits")
	return 0
}

// signed passes over a signed LEB128 number and returns it.
func (r *reader) signed(bits int) int64 {
	start := r.at
	var v int64
	for shift := 0; shift < bits; shift += 7 {
		c := r.octet()
		v |= int64(c&0x7f) << shift
		if c >= 0x80 {
			continue
		}
		// What the last octet has beyond the width repeats the sign.
		if left := bits - shift; left < 7 {
			if high := int8(c<<1) >> left; high != 0 && high != -1 {
				break
			}
		}
		if shift+7 < 64 && c&0x40 != 0 {
			v |= -1 << (shift + 7)
		}
		return v
	}
	r.damaged(start, "a number is larger than "+strconv.Itoa(bits)+" bits")
	return 0
}

// count reads how many entries follow, each of an octet at least.
func (r *reader) count(what string, most int) int {
	start := r.at
	n := r.u32()
	if !r.limit(start, what, uint64(n), most) {
		return 0
	}
	if int64(n) > int64(r.end-r.at) {
		r.damaged(start, "it ends before its "+what+" do")
		return 0
	}
	return int(n)
}

// name reads a name.
func (r *reader) name() string {
	start := r.at
	n := r.u32()
	from := r.at
	r.skip(n)
	if r.err != nil {
		return ""
	}
	s := r.file[from:r.at]
	if !utf8.Valid(s) {
		r.damaged(start, "a name is not UTF-8")
		return ""
	}
	return string(s)
}

// Types of values.
const (
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeF32       = 0x7d
	typeF64       = 0x7c
	typeV128      = 0x7b
	typeFuncref   = 0x70
	typeExternref = 0x6f
	typeFunction  = 0x60
	typeEmpty     = 0x40
)

// valueType reads the type of a value.
func (r *reader) valueType() byte {
	start := r.at
	switch t := r.octet(); t {
	case typeI32, typeI64, typeF32, typeF64, typeFuncref, typeExternref:
		return t
	default:
		r.badType(start, t)
		return 0
	}
}

// referenceType reads the type of a reference.
func (r *reader) referenceType() byte {
	start := r.at
	t := r.octet()
	if t != typeFuncref && t != typeExternref {
		r.badType(start, t)
	}
	return t
}

func (r *reader) badType(at int, t byte) {
	switch t {
	case typeV128:
		r.unsupported(at, simd)
	case 0x63, 0x64, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x71, 0x72, 0x73, 0x74:
		r.unsupported(at, typedReferences)
	default:
		r.damaged(at, "0x"+hex(t)+" is no type that fits here")
	}
}

func hex(c byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[c>>4], digits[c&15]})
}
