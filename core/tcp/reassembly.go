package tcp

import (
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// holdMax is how many stretches beyond RCV.NXT are held at once (THREATS S04).
const holdMax = 64

// A held is a stretch [start, end) that arrived beyond RCV.NXT.
type held struct {
	start, end seq.Value
	age        uint32 // the higher, the more recently it was touched
}

// reassembly knows which octets beyond RCV.NXT are in the receive buffer. They
// stand at their place already; only the books are here.
//
//	RCV.NXT     list[0]      list[1]
//	   |  gap  |=======| gap |======|
type reassembly struct {
	list [holdMax]held // in order, apart from each other
	n    int
	age  uint32
}

// fits reports whether [start, end) can be noted: whether it touches a stretch
// that is held or there is room for one more.
func (r *reassembly) fits(start, end seq.Value) bool {
	if r.n < holdMax {
		return true
	}
	i := r.find(start)
	return i < r.n && r.list[i].start.AtOrBefore(end)
}

// find gives the first stretch that ends at or after v.
func (r *reassembly) find(v seq.Value) int {
	i := 0
	for i < r.n && r.list[i].end.Before(v) {
		i++
	}
	return i
}

// gap gives the first part of [start, end) that is not held; empty when all is.
func (r *reassembly) gap(start, end seq.Value) (from, to seq.Value) {
	for i := range r.n {
		h := &r.list[i]
		if h.end.AtOrBefore(start) {
			continue
		}
		if h.start.AtOrAfter(end) {
			break
		}
		if start.Before(h.start) {
			return start, h.start
		}
		start = h.end
		if start.AtOrAfter(end) {
			return end, end
		}
	}
	return start, end
}

// insert notes [start, end), which fits, and joins what it touches.
func (r *reassembly) insert(start, end seq.Value) {
	r.age++
	i := r.find(start)
	j := i
	for j < r.n && r.list[j].start.AtOrBefore(end) {
		start, end = seq.Min(start, r.list[j].start), seq.Max(end, r.list[j].end)
		j++
	}
	switch {
	case j == i:
		copy(r.list[i+1:r.n+1], r.list[i:r.n])
		r.n++
	case j > i+1:
		copy(r.list[i+1:], r.list[j:r.n])
		r.n -= j - i - 1
	}
	r.list[i] = held{start: start, end: end, age: r.age}
}

// reached takes out the stretches that nxt has reached and returns how far the
// data now goes without a gap.
func (r *reassembly) reached(nxt seq.Value) seq.Value {
	k := 0
	for k < r.n && r.list[k].start.AtOrBefore(nxt) {
		nxt = seq.Max(nxt, r.list[k].end)
		k++
	}
	if k > 0 {
		copy(r.list[:], r.list[k:r.n])
		r.n -= k
	}
	return nxt
}

// blocks fills in SACK blocks, the most recent first (RFC 2018 §4), at most room.
func (r *reassembly) blocks(dst *[4]wire.SACKBlock, room int) (n uint8) {
	var before uint32 = 1<<32 - 1
	for int(n) < min(room, 4, r.n) {
		best := -1
		for i := range r.n {
			if a := r.list[i].age; a < before && (best < 0 || a > r.list[best].age) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		before = r.list[best].age
		dst[n] = wire.SACKBlock{Left: r.list[best].start, Right: r.list[best].end}
		n++
	}
	return n
}

// end is the right edge of the last stretch.
func (r *reassembly) end() seq.Value { return r.list[r.n-1].end }
