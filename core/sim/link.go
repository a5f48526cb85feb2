package sim

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/siphash"
)

// Million is the whole of which a Link's chances are parts.
const Million = 1_000_000

// A Link is one direction between two hosts. Chances are parts of a million.
type Link struct {
	Delay   clock.Duration
	Jitter  clock.Duration // up to so much is added; packets still stay in order
	Loss    uint32
	Dup     uint32
	Reorder uint32 // such a packet goes without Delay, past those before it
	Corrupt uint32 // one bit of such a packet is turned
	Rate    uint64 // octets a second; 0: no bound
	Queue   int    // packets that may wait for Rate; 0: no bound
	Down    bool   // nothing passes
}

// A Fault is what a plan does to one packet.
type Fault uint8

// The faults.
const (
	Lose Fault = iota + 1
	Double
	Turn // one bit
	Late // by By
)

// A Planned fault is for the packet with that ordinal, from 0, that is given to
// the link from one host to the other.
type Planned struct {
	From, To int
	Ordinal  uint32
	Fault    Fault
	By       clock.Duration
}

// What chances are for.
const (
	forLoss siphash.Purpose = iota + 100
	forDup
	forReorder
	forCorrupt
	forJitter
	forBit
)

// wire is a link at work.
type wire struct {
	Link
	ordinal uint32        // of the next packet
	lastAt  clock.Instant // when the latest packet arrives, to keep order
	freeAt  clock.Instant // when Rate has room again
	waiting int           // packets that wait for Rate, an upper bound
}

// A flying packet is on its way.
type flying struct {
	at    clock.Instant
	order uint64 // of those that arrive at one time the first sent comes first
	to    int
	bytes []byte
}

func (a *flying) before(b *flying) bool { return a.at < b.at || a.at == b.at && a.order < b.order }

// flight is a heap of packets by arrival.
type flight []flying

func (f *flight) push(p flying) {
	h := append(*f, p)
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h[i].before(&h[up]) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
	*f = h
}

func (f *flight) pop() flying {
	h := *f
	first := h[0]
	n := len(h) - 1
	h[0], h[n] = h[n], flying{}
	h = h[:n]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < n; child++ {
			if h[child].before(&h[least]) {
				least = child
			}
		}
		if least == i {
			break
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
	*f = h
	return first
}

// carry gives a packet to the link between two hosts.
func (w *World) carry(from, to int, b []byte) {
	l := &w.links[from*len(w.hosts)+to]
	n := l.ordinal
	l.ordinal++
	id := uint64(from)<<32 | uint64(to)
	chance := func(p siphash.Purpose, parts uint32) bool {
		return parts > 0 && siphash.PRF(w.key, p, id, uint64(n))%Million < uint64(parts)
	}
	lose, dup, turn := l.Down || chance(forLoss, l.Loss), chance(forDup, l.Dup), chance(forCorrupt, l.Corrupt)
	late := clock.Duration(0)
	for _, f := range w.plan {
		if f.From != from || f.To != to || f.Ordinal != n {
			continue
		}
		switch f.Fault {
		case Lose:
			lose = true
		case Double:
			dup = true
		case Turn:
			turn = true
		case Late:
			late = f.By
		}
	}
	if lose {
		w.Lost++
		return
	}
	at := w.now
	if l.Rate > 0 {
		if l.freeAt < at {
			l.freeAt = at
		}
		took := clock.Duration(uint64(len(b)) * uint64(clock.Second) / l.Rate)
		if l.Queue > 0 && l.freeAt.Sub(at) > took*clock.Duration(l.Queue) {
			w.Lost++
			return
		}
		l.freeAt = l.freeAt.Add(took)
		at = l.freeAt
	}
	if !chance(forReorder, l.Reorder) {
		at = at.Add(l.Delay)
		if l.Jitter > 0 {
			at = at.Add(clock.Duration(siphash.PRF(w.key, forJitter, id, uint64(n)) % uint64(l.Jitter)))
		}
		if at < l.lastAt {
			at = l.lastAt
		}
		if late == 0 {
			l.lastAt = at
		}
	}
	at = at.Add(late)
	w.launch(at, to, b)
	if dup {
		w.launch(at, to, b)
	}
	if turn {
		bit := siphash.PRF(w.key, forBit, id, uint64(n)) % uint64(len(b)*8)
		last := &w.air[w.find(w.order-1)]
		last.bytes[bit/8] ^= 1 << (bit % 8)
		w.Turned++
	}
}

func (w *World) launch(at clock.Instant, to int, b []byte) {
	own := w.room(len(b))
	copy(own, b)
	w.air.push(flying{at: at, order: w.order, to: to, bytes: own})
	w.order++
}

// find gives the place of a packet in the air.
func (w *World) find(order uint64) int {
	for i := range w.air {
		if w.air[i].order == order {
			return i
		}
	}
	panic("sim: a packet that was just launched is not in the air")
}

// room takes a slice that an earlier packet has left.
func (w *World) room(n int) []byte {
	if k := len(w.spare); k > 0 {
		b := w.spare[k-1]
		w.spare = w.spare[:k-1]
		if cap(b) >= n {
			return b[:n]
		}
	}
	return make([]byte, n, max(n, 2048))
}
