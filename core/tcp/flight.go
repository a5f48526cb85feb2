package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
)

// A sent is a stretch of sequence space that was sent at one time and has had
// one fate so far.
type sent struct {
	start, end seq.Value
	at         clock.Instant // when it was last sent
	flags      sentFlags
}

type sentFlags uint8

const (
	sacked sentFlags = 1 << iota // the peer has it, beyond a hole
	lost                         // taken for lost, and not sent again since
	resent                       // sent again, and the answer is still out
	twice                        // was sent more than once: Karn's rule
)

func (s *sent) len() seq.Size { return s.end.From(s.start) }

// flight is what is out: the stretches of [SND.UNA, SND.NXT) in order, without
// a gap, and how many octets of them are in which class. Stretches are split
// where a SACK or an ACK cuts them, and joined when they were sent in one burst.
//
//	una                                   nxt
//	 |  lost  |  resent  | sacked | fresh  |
type flight struct {
	list   []sent
	head   int // list[head:] is live
	sacked seq.Size
	lost   seq.Size
	resent seq.Size
	hint   seq.Value // no lost stretch begins before it, while lost is not 0
}

// flightMax bounds the stretches of one connection. Beyond it a SACK that
// would split one is forgotten, which RFC 2018 §8 allows, and bursts are joined.
const flightMax = 4096

// burstMax is how much is joined to one stretch: it is also what one
// retransmission decision covers.
const burstMax = 64 << 10

func (f *flight) live() []sent { return f.list[f.head:] }

func (f *flight) empty() bool { return f.head == len(f.list) }

// add notes that [start, end) was sent for the first time.
func (f *flight) add(start, end seq.Value, now clock.Instant) {
	if n := len(f.list); n > f.head {
		l := &f.list[n-1]
		if l.flags == 0 && (l.at == now && end.From(l.start) <= burstMax || n-f.head >= flightMax) {
			l.end, l.at = end, now
			return
		}
	}
	if f.head > 64 && f.head > len(f.list)/2 {
		n := copy(f.list, f.list[f.head:])
		f.list, f.head = f.list[:n], 0
	}
	f.list = append(f.list, sent{start: start, end: end, at: now})
}

// find gives the index of the stretch that holds v, or the length of the list.
func (f *flight) find(v seq.Value) int {
	lo, hi := f.head, len(f.list)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if f.list[mid].end.AtOrBefore(v) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// split cuts stretch i at v, so that one begins there; it reports whether one
// does. At the bound it refuses.
func (f *flight) split(i int, v seq.Value) bool {
	s := &f.list[i]
	if s.start == v || s.end == v {
		return true
	}
	if len(f.list)-f.head >= flightMax {
		return false
	}
	f.list = append(f.list, sent{})
	copy(f.list[i+1:], f.list[i:])
	f.list[i].end, f.list[i+1].start = v, v
	return true
}

// class keeps the sums: it takes n octets with these flags out or in.
func (f *flight) count(fl sentFlags, n seq.Size, in bool) {
	if !in {
		n = 0 - n
	}
	if fl&sacked != 0 {
		f.sacked += n
	}
	if fl&lost != 0 {
		f.lost += n
	}
	if fl&resent != 0 {
		f.resent += n
	}
}

// setFlags replaces the flags of stretch i.
func (f *flight) setFlags(i int, fl sentFlags) {
	s := &f.list[i]
	if fl&lost != 0 && (f.lost == 0 || s.start.Before(f.hint)) {
		f.hint = s.start
	}
	f.count(s.flags, s.len(), false)
	s.flags = fl
	f.count(s.flags, s.len(), true)
}

// acked is what an ACK took out of the flight.
type acked struct {
	fresh seq.Size      // octets not SACKed before
	last  clock.Instant // when the latest stretch that was sent once was sent
	timed bool          // there is such a stretch
	again bool          // something acknowledged had been sent more than once
}

// ack takes out all before una.
func (f *flight) ack(una seq.Value) (a acked) {
	for f.head < len(f.list) {
		s := &f.list[f.head]
		if s.start.AtOrAfter(una) {
			break
		}
		end := seq.Min(s.end, una)
		n := end.From(s.start)
		if s.flags&sacked == 0 {
			a.fresh += n
		}
		if s.flags&twice != 0 {
			a.again = true
		} else if s.flags&sacked == 0 {
			a.last, a.timed = s.at, true
		}
		f.count(s.flags, n, false)
		if end != s.end {
			s.start = end
			break
		}
		f.head++
	}
	if f.empty() {
		f.list, f.head = f.list[:0], 0
	}
	return a
}

// sack marks what [left, right) covers and has not been marked. It returns the
// octets newly marked and the latest time at which one of them was sent once.
func (f *flight) sack(left, right seq.Value) (a acked) {
	if !left.Before(right) {
		return a
	}
	for i := f.find(left); i < len(f.list) && f.list[i].start.Before(right); i++ {
		if f.list[i].flags&sacked != 0 {
			continue
		}
		if f.list[i].start.Before(left) {
			if !f.split(i, left) {
				continue
			}
			i++
		}
		if f.list[i].end.After(right) && !f.split(i, right) {
			break
		}
		s := &f.list[i]
		a.fresh += s.len()
		if s.flags&twice == 0 {
			a.last, a.timed = s.at, true
		}
		f.setFlags(i, s.flags&twice|sacked)
	}
	return a
}

// mark takes for lost what of [left, right) is neither SACKed nor lost; what
// was sent again only with again.
func (f *flight) mark(left, right seq.Value, again bool) (marked seq.Size) {
	for i := f.find(left); i < len(f.list) && f.list[i].start.Before(right); i++ {
		s := &f.list[i]
		if s.flags&(sacked|lost) != 0 || s.flags&resent != 0 && !again {
			continue
		}
		if s.end.After(right) && !f.split(i, right) {
			break
		}
		s = &f.list[i]
		marked += s.len()
		f.setFlags(i, s.flags&twice|lost)
	}
	return marked
}

// renege forgets every SACK (RFC 2018 §8: the receiver may have dropped it).
func (f *flight) renege() {
	for i := f.head; i < len(f.list); i++ {
		if fl := f.list[i].flags; fl&sacked != 0 {
			f.setFlags(i, fl&^sacked)
		}
	}
}

// nextLost gives the index of the first lost stretch, or -1.
func (f *flight) nextLost() int {
	if f.lost == 0 {
		return -1
	}
	for i := f.find(f.hint); i < len(f.list); i++ {
		if f.list[i].flags&lost != 0 {
			f.hint = f.list[i].start
			return i
		}
	}
	return -1
}

// again notes that the first n octets of stretch i were sent again.
func (f *flight) again(i int, n seq.Size, now clock.Instant) {
	if s := &f.list[i]; n < s.len() && !f.split(i, s.start.Add(n)) {
		// No room to split: the whole stretch counts as sent again; what was not
		// is found by the next timeout.
		n = s.len()
	}
	f.setFlags(i, twice|resent)
	f.list[i].at = now
}

func (f *flight) reset() { *f = flight{list: f.list[:0]} }

func (f *flight) clone() *flight {
	c := *f
	c.list = append([]sent(nil), f.live()...)
	c.head = 0
	return &c
}

// spares keeps the records that idle connections have given back.
type spares struct {
	flights []*flight
	holds   []*reassembly
}

const sparesMax = 1024

func (e *Env) takeFlight() *flight {
	if n := len(e.spare.flights); n > 0 {
		f := e.spare.flights[n-1]
		e.spare.flights = e.spare.flights[:n-1]
		return f
	}
	return &flight{list: make([]sent, 0, 4)}
}

func (e *Env) giveFlight(f *flight) {
	f.reset()
	if len(e.spare.flights) < sparesMax {
		e.spare.flights = append(e.spare.flights, f)
	}
}

func (e *Env) takeReassembly() *reassembly {
	if n := len(e.spare.holds); n > 0 {
		r := e.spare.holds[n-1]
		e.spare.holds = e.spare.holds[:n-1]
		return r
	}
	return &reassembly{}
}

func (e *Env) giveReassembly(r *reassembly) {
	*r = reassembly{}
	if len(e.spare.holds) < sparesMax {
		e.spare.holds = append(e.spare.holds, r)
	}
}

// Clone copies what the environment holds by itself. Its hook stays the same.
func (e *Env) Clone() Env {
	c := *e
	c.Log, c.Pool, c.spare = e.Log.Clone(), e.Pool.Clone(), spares{}
	return c
}
