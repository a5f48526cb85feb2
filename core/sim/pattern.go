package sim

import "github.com/tcpkit/tcpkit/core/wire"

// A pattern is a stream that a reader knows without being told: octet i is a
// function of key and i.
type pattern uint64

// patternOf gives the stream that one side of a flow writes.
func patternOf(flow int32, side uint8) pattern {
	return pattern(uint64(flow)<<1|uint64(side))*0x9e3779b97f4a7c15 + 1
}

// word is octets 8i to 8i+7, the lowest first.
func (p pattern) word(i uint64) uint64 {
	x := uint64(p) + i*0xbf58476d1ce4e5b9
	x = (x ^ x>>30) * 0x94d049bb133111eb
	return x ^ x>>29
}

// fill writes octets from at on.
func (p pattern) fill(b []byte, at uint64) {
	for len(b) > 0 && at%8 != 0 {
		b[0] = byte(p.word(at/8) >> (at % 8 * 8))
		b, at = b[1:], at+1
	}
	for ; len(b) >= 8; b, at = b[8:], at+8 {
		wire.PutLe64(b, p.word(at/8))
	}
	for i := range b {
		b[i] = byte(p.word(at/8) >> (i * 8))
	}
}

// matches reports whether b is the stream's octets from at on.
func (p pattern) matches(b []byte, at uint64) bool {
	for len(b) > 0 && at%8 != 0 {
		if b[0] != byte(p.word(at/8)>>(at%8*8)) {
			return false
		}
		b, at = b[1:], at+1
	}
	for ; len(b) >= 8; b, at = b[8:], at+8 {
		if wire.Le64(b) != p.word(at/8) {
			return false
		}
	}
	for i := range b {
		if b[i] != byte(p.word(at/8)>>(i*8)) {
			return false
		}
	}
	return true
}
