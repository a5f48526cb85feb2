package wire

import "math/bits"

// Sum adds the 16-bit words of b to acc. An odd octet at the end counts as the
// upper half of a word, so only the last part of a message may have one.
func Sum(b []byte, acc uint64) uint64 {
	// WebAssembly has no addition with carry. RFC 1071 §2(1) defers carries: in 64 bits
	// those of a sum of 32-bit words have room for 2^32 words, more than a slice has
	// here. §2(B): the sum may be made in the other byte order and swapped at the end,
	// which in 64 bits is a rotation by 8. Two sums keep two adders busy.
	var s0, s1 uint64
	for len(b) >= 64 {
		p := (*[64]byte)(b)
		s0 += uint64(Le32(p[0:4])) + uint64(Le32(p[8:12])) + uint64(Le32(p[16:20])) + uint64(Le32(p[24:28]))
		s1 += uint64(Le32(p[4:8])) + uint64(Le32(p[12:16])) + uint64(Le32(p[20:24])) + uint64(Le32(p[28:32]))
		s0 += uint64(Le32(p[32:36])) + uint64(Le32(p[40:44])) + uint64(Le32(p[48:52])) + uint64(Le32(p[56:60]))
		s1 += uint64(Le32(p[36:40])) + uint64(Le32(p[44:48])) + uint64(Le32(p[52:56])) + uint64(Le32(p[60:64]))
		b = b[64:]
	}
	s0 += s1
	for len(b) >= 4 {
		s0 += uint64(Le32(b))
		b = b[4:]
	}
	for i, c := range b { // fewer than 4 octets
		s0 += uint64(c) << (8 * i)
	}
	s0, carry := bits.Add64(bits.RotateLeft64(s0, 8), acc, 0)
	return s0 + carry
}
