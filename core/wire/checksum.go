package wire

import "math/bits"

// The checksum of RFC 1071. A partial sum is any uint64 that is right modulo
// 2^16-1, so the sums of parts may be added, a 16-bit word of a header too, as
// long as the carry out of the top is put back in at the bottom.

// sum20 is the sum of the first 20 octets of b: an IPv4 header without options.
func sum20(b []byte) uint64 {
	p := (*[20]byte)(b)
	acc, carry := bits.Add64(Be64(p[0:8]), Be64(p[8:16]), 0)
	acc, carry = bits.Add64(acc, uint64(Be32(p[16:20])), carry)
	return acc + carry
}

// Fold returns the 16-bit one's complement sum of acc, not inverted.
func Fold(acc uint64) uint16 {
	acc = acc>>32 + acc&0xffffffff
	acc = acc>>16&0xffff + acc>>32 + acc&0xffff
	acc = acc>>16 + acc&0xffff
	return uint16(acc>>16 + acc)
}

// PseudoHeader returns the partial sum of the pseudo-header: RFC 9293 §3.1 for
// IPv4, RFC 8200 §8.1 for IPv6. The length is the upper layer's.
func PseudoHeader(src, dst Addr, proto uint8, length int) uint64 {
	// What the words of an IPv4 address have beside its octets, 0xffff and zeros,
	// is nothing modulo 2^16-1.
	acc, carry := bits.Add64(uint64(proto)+uint64(length), src.hi, 0)
	acc, carry = bits.Add64(acc, src.lo, carry)
	acc, carry = bits.Add64(acc, dst.hi, carry)
	acc, carry = bits.Add64(acc, dst.lo, carry)
	return acc + carry
}
