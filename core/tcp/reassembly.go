package tcp

import (
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// holdMax is how many stretches beyond RCV.NXT are held at once (THREATS S04).
// Their octets lie in the receive buffer, whose bound they share; what one more
// stretch costs is its place in the list.
const holdMax = 64

// A held is a stretch [start, end) that arrived beyond RCV.NXT.
type held struct {
	start, end seq.Value
}

// reassembly knows which octets beyond RCV.NXT are in the receive buffer. They
// stand at their place already; only the books are here.
//
//	RCV.NXT     list[0]      list[1]
//	   |  gap  |=======| gap |======|
type reassembly struct {
	list   [holdMax]held // in order, apart from each other
	n      int
	recent [4]seq.Value // an octet of each stretch that was touched last, the latest first
	known  int          // how many of them
	steps  uint64       // inner steps of all calls so far, which tests bound (THREATS S04)
}

// find gives the first stretch that ends at or after v.
func (r *reassembly) find(v seq.Value) int {
	lo, hi := 0, r.n
	for lo < hi {
		r.steps++
		mid := int(uint(lo+hi) >> 1)
		if r.list[mid].end.Before(v) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// room makes place for [start, end) and reports whether it may be noted: where it
// touches no stretch and the list is full, the farthest goes. What the user waits
// for lies near RCV.NXT; the peer sends the rest again (RFC 2018 §8).
func (r *reassembly) room(start, end seq.Value) bool {
	if r.n < holdMax {
		return true
	}
	if i := r.find(start); i < r.n && r.list[i].start.AtOrBefore(end) {
		return true
	}
	last := r.list[r.n-1]
	if start.After(last.start) {
		return false
	}
	r.n--
	r.forget(last.start, last.end)
	return true
}

// gap gives the first part of [start, end) that is not held; empty when all is.
func (r *reassembly) gap(start, end seq.Value) (from, to seq.Value) {
	for i := r.find(start); i < r.n && r.list[i].start.Before(end); i++ {
		r.steps++
		h := &r.list[i]
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

// overlap gives the first part of [start, end) that is held; empty when none is.
func (r *reassembly) overlap(start, end seq.Value) (from, to seq.Value) {
	i := r.find(start.Add(1))
	if i == r.n || r.list[i].start.AtOrAfter(end) {
		return start, start
	}
	return seq.Max(start, r.list[i].start), seq.Min(end, r.list[i].end)
}

// insert notes [start, end), for which there is room, and joins what it touches.
func (r *reassembly) insert(start, end seq.Value) {
	i := r.find(start)
	j := i
	for j < r.n && r.list[j].start.AtOrBefore(end) {
		r.steps++
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
	r.list[i] = held{start: start, end: end}
	r.forget(start, end)
	r.known = min(r.known+1, len(r.recent))
	copy(r.recent[1:r.known], r.recent[:])
	r.recent[0] = start
}

// forget takes what lies in [start, end) off the list of what is recent.
func (r *reassembly) forget(start, end seq.Value) {
	k := 0
	for _, v := range r.recent[:r.known] {
		r.steps++
		if v.Before(start) || v.AtOrAfter(end) {
			r.recent[k] = v
			k++
		}
	}
	r.known = k
}

// reached takes out the stretches that nxt has reached and returns how far the
// data now goes without a gap.
func (r *reassembly) reached(nxt seq.Value) seq.Value {
	k := 0
	for k < r.n && r.list[k].start.AtOrBefore(nxt) {
		r.steps++
		nxt = seq.Max(nxt, r.list[k].end)
		k++
	}
	if k > 0 {
		r.forget(r.list[0].start, nxt)
		copy(r.list[:], r.list[k:r.n])
		r.n -= k
	}
	return nxt
}

// blocks appends SACK blocks to the n that are there, the most recent first (RFC
// 2018 §4), up to room, and returns how many there are then.
func (r *reassembly) blocks(dst *[4]wire.SACKBlock, n, room int) int {
	for _, v := range r.recent[:r.known] {
		if n >= room {
			break
		}
		h := &r.list[r.find(v.Add(1))]
		dst[n] = wire.SACKBlock{Left: h.start, Right: h.end}
		n++
	}
	return n
}

// end is the right edge of the last stretch.
func (r *reassembly) end() seq.Value { return r.list[r.n-1].end }
