//go:build !wasm

package wire

import "math/bits"

// Sum adds the 16-bit words of b to acc. An odd octet at the end counts as the
// upper half of a word, so only the last part of a message may have one.
func Sum(b []byte, acc uint64) uint64 {
	// RFC 1071 §2(B): the sum may be made in the other byte order and swapped at
	// the end. In 64 bits the swap is a rotation by 8. Two chains of additions
	// with carry keep two adders busy; a carry out of four words cannot fill up
	// again, so adding it ends the chain.
	var s0, s1, carry uint64
	for len(b) >= 64 {
		p := (*[64]byte)(b)
		s0, carry = bits.Add64(s0, Le64(p[0:8]), 0)
		s0, carry = bits.Add64(s0, Le64(p[8:16]), carry)
		s0, carry = bits.Add64(s0, Le64(p[16:24]), carry)
		s0, carry = bits.Add64(s0, Le64(p[24:32]), carry)
		s0 += carry
		s1, carry = bits.Add64(s1, Le64(p[32:40]), 0)
		s1, carry = bits.Add64(s1, Le64(p[40:48]), carry)
		s1, carry = bits.Add64(s1, Le64(p[48:56]), carry)
		s1, carry = bits.Add64(s1, Le64(p[56:64]), carry)
		s1 += carry
		b = b[64:]
	}
	if len(b) >= 32 {
		p := (*[32]byte)(b)
		s0, carry = bits.Add64(s0, Le64(p[0:8]), 0)
		s0, carry = bits.Add64(s0, Le64(p[8:16]), carry)
		s0, carry = bits.Add64(s0, Le64(p[16:24]), carry)
		s0, carry = bits.Add64(s0, Le64(p[24:32]), carry)
		s0 += carry
		b = b[32:]
	}
	s0, carry = bits.Add64(s0, s1, 0)
	s0 += carry
	for len(b) >= 8 {
		s0, carry = bits.Add64(s0, Le64(b), 0)
		s0 += carry
		b = b[8:]
	}
	var last uint64 // fewer than 8 octets
	if len(b) >= 4 {
		last = uint64(Le32(b))
		b = b[4:]
	}
	for i, c := range b {
		last += uint64(c) << (8 * i)
	}
	s0, carry = bits.Add64(s0, last, 0)
	s0, carry = bits.Add64(bits.RotateLeft64(s0+carry, 8), acc, 0)
	return s0 + carry
}
