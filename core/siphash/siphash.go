package siphash

import "math/bits"

// Key is the secret.
type Key struct{ K0, K1 uint64 }

// KeyFrom returns the key whose octets are b.
func KeyFrom(b [16]byte) Key {
	return Key{le64(b[:8]), le64(b[8:])}
}

// Purpose separates the uses of one key. The named constants live with their
// users and must differ.
type Purpose uint64

// PRF returns the pseudorandom number that belongs to its arguments.
func PRF(k Key, purpose Purpose, id, ordinal uint64) uint64 {
	h := New(k)
	h.WriteUint64(uint64(purpose))
	h.WriteUint64(id)
	h.WriteUint64(ordinal)
	return h.Sum64()
}

// Words2 returns the hash of two words: Sum64 of their 16 octets.
func Words2(k Key, w0, w1 uint64) uint64 {
	h := New(k)
	h.WriteUint64(w0)
	h.WriteUint64(w1)
	return h.Sum64()
}

// Words returns the hash of five words: Sum64 of their 40 octets. Two addresses,
// two ports and a purpose fit.
func Words(k Key, w0, w1, w2, w3, w4 uint64) uint64 {
	h := New(k)
	h.WriteUint64(w0)
	h.WriteUint64(w1)
	h.WriteUint64(w2)
	h.WriteUint64(w3)
	h.WriteUint64(w4)
	return h.Sum64()
}

// Sum64 returns the hash of b.
func Sum64(k Key, b []byte) uint64 {
	h := New(k)
	length := uint64(len(b))
	for ; len(b) >= 8; b = b[8:] {
		h.WriteUint64(le64(b))
	}
	last := length << 56
	for i, c := range b {
		last |= uint64(c) << (8 * i)
	}
	return h.finish(last)
}

// Hash is a hash of words that is still being fed. It is plain data: a copy
// goes its own way. The zero value is not ready; New makes one.
type Hash struct {
	v0, v1, v2, v3 uint64
	length         uint64
}

// New returns a Hash that has been fed nothing.
func New(k Key) Hash {
	return Hash{
		v0: k.K0 ^ 0x736f6d6570736575,
		v1: k.K1 ^ 0x646f72616e646f6d,
		v2: k.K0 ^ 0x6c7967656e657261,
		v3: k.K1 ^ 0x7465646279746573,
	}
}

// WriteUint64 feeds the eight octets of w, lowest first.
func (h *Hash) WriteUint64(w uint64) {
	v0, v1, v2, v3 := h.v0, h.v1, h.v2, h.v3^w
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	h.v0, h.v1, h.v2, h.v3 = v0^w, v1, v2, v3
	h.length += 8
}

// Sum64 returns the hash of what was fed so far and leaves h as it is.
func (h *Hash) Sum64() uint64 { return h.finish(h.length << 56) }

// finish returns the hash once last, the octets that fill no word and the
// length in the top one, has gone in too.
func (h *Hash) finish(last uint64) uint64 {
	v0, v1, v2, v3 := h.v0, h.v1, h.v2, h.v3^last
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0 ^= last
	v2 ^= 0xff
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	return v0 ^ v1 ^ v2 ^ v3
}

// round is SipRound.
func round(v0, v1, v2, v3 uint64) (uint64, uint64, uint64, uint64) {
	v0 += v1
	v2 += v3
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 = bits.RotateLeft64(v0, 32) + v3
	v2 += v1
	v1 = bits.RotateLeft64(v1, 17) ^ v2
	v3 = bits.RotateLeft64(v3, 21) ^ v0
	v2 = bits.RotateLeft64(v2, 32)
	return v0, v1, v2, v3
}

func le64(b []byte) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}
