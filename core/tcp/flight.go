package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A sent is a stretch of sequence space that was sent at one time and has had
// one fate so far.
type sent struct {
	start, end seq.Value
	at         clock.Instant // when it was last sent
	segs       uint32        // segments that it was sent in
	size       uint16        // octets of each of them but the last
	flags      sentFlags
}

type sentFlags uint8

const (
	sacked sentFlags = 1 << iota // the peer has it, beyond a hole
	lost                         // taken for lost, and not sent again since
	resent                       // sent again, and the answer is still out
	twice                        // was sent more than once: Karn's rule
	probe                        // was sent again as a probe, not taken for lost
)

func (s *sent) len() seq.Size { return s.end.From(s.start) }

// last is the length of the last segment of s, at least an octet: what was gathered
// may be of segments of several sizes.
func (s *sent) last() seq.Size {
	n, others := s.len(), seq.Size(s.segs-1)*seq.Size(s.size)
	return max(n-min(others, n), 1)
}

// before is how many segments of s lie before its octet v, one that v cuts among
// them.
func (s *sent) before(v seq.Value) uint32 {
	if s.segs == 1 {
		return 1
	}
	return min((uint32(v.From(s.start))+uint32(s.size)-1)/uint32(s.size), s.segs)
}

// flight is what is out: the stretches of [SND.UNA, SND.NXT) in order, without
// a gap, and how many octets of them are in which class. Stretches are split
// where a SACK or an ACK cuts them; they are joined when they were sent in one
// burst, and when the peer has both.
//
//	una                                   nxt
//	 |  lost  |  resent  | sacked | fresh  |
//
// What was sent once has a time that only grows along the sequence space; what
// was sent again is in a queue by its time. So RACK finds what is overdue at the
// beginning of the two, without a look at the rest.
type flight struct {
	list       []sent
	head       int // list[head:] is live
	queue      []sentAgain
	first      int // queue[first:] is live
	sacked     seq.Size
	lost       seq.Size
	resent     seq.Size
	sackedSegs uint32
	runs       int               // stretches that are SACKed: no two of them touch
	hint       seq.Value         // no lost stretch begins before it, while lost is not 0
	judged     seq.Value         // nothing before it was sent once and is neither SACKed nor lost
	row        uint32            // duplicate ACKs since SND.UNA has moved, without SACK
	limit      seq.Value         // SND.NXT at that time, or when the recovery began: more of them there can't be
	told       [4]wire.SACKBlock // the blocks of the last ACK, which tell nothing new
	budget     int               // steps that are left to this ACK
	steps      uint64            // those taken so far, which tests bound (THREATS S02)
	gone       seq.Size          // octets taken for lost since the controller was told
	relost     bool              // of what was last found lost some had been sent again
	rack       rackSegment
	watched    bool      // with StepLost:
	marked     []stretch // what was taken for lost and the hook was not told of
}

// A stretch is a part of the sequence space.
type stretch struct{ from, to seq.Value }

// A sentAgain is a stretch that went again at a time. It means something as long
// as the flight knows of the same time there.
type sentAgain struct {
	start, end seq.Value
	at         clock.Instant
}

// Bounds of one connection (THREATS S02). Beyond them a SACK is forgotten, which
// RFC 2018 §8 allows, and bursts are joined.
const (
	flightMax = 4096 // stretches
	runsMax   = 128  // SACKed ones

	// Inner steps that one ACK may cost: for its SACK blocks, of which one is looked
	// at only if a search may still be afforded, and for what they show to be lost.
	// What takes a stretch to another state is no such step: it was paid for when the
	// stretch was sent.
	sackSteps   = 36
	lossSteps   = 28
	searchSteps = 13
)

// burstMax is how much is joined to one stretch: it is also what one
// retransmission decision covers.
const burstMax = 64 << 10

func (f *flight) live() []sent { return f.list[f.head:] }

func (f *flight) empty() bool { return f.head == len(f.list) }

func (f *flight) full() bool { return len(f.list)-f.head >= flightMax }

// spend takes one step off what this ACK may cost, and reports whether it was
// left.
func (f *flight) spend() bool {
	if f.budget == 0 {
		return false
	}
	f.charge(1)
	return true
}

func (f *flight) charge(steps int) {
	f.budget = max(f.budget-steps, 0)
	f.steps += uint64(steps)
}

// add notes that [start, end) was sent for the first time, in segments of size
// octets but for the last.
func (f *flight) add(start, end seq.Value, size uint16, now clock.Instant) {
	s := sent{start: start, end: end, at: now, size: size, segs: 1}
	if n := uint32(s.len()); n > uint32(size) {
		s.segs = (n + uint32(size) - 1) / uint32(size)
	}
	if f.empty() {
		f.judged, f.limit = start, start
	}
	if n := len(f.list); n > f.head {
		l := &f.list[n-1]
		// Only behind whole segments: else it would be unclear where they end.
		burst := l.at == now && size <= l.size && uint32(l.len()) == l.segs*uint32(l.size)
		if l.flags == 0 && (burst && end.From(l.start) <= burstMax || f.full()) {
			l.end, l.at, l.segs = end, now, l.segs+s.segs
			return
		}
	}
	if f.head > 64 && f.head > len(f.list)/2 {
		n := copy(f.list, f.list[f.head:])
		f.list, f.head = f.list[:n], 0
	}
	f.list = append(f.list, s)
}

// find gives the index of the stretch that holds v, or the length of the list.
func (f *flight) find(v seq.Value) int {
	i, steps := f.search(v)
	f.charge(steps)
	return i
}

// search is find for those who say themselves what it costs.
func (f *flight) search(v seq.Value) (i, steps int) {
	lo, hi := f.head, len(f.list)
	for lo < hi {
		steps++
		mid := int(uint(lo+hi) >> 1)
		if f.list[mid].end.AtOrBefore(v) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, steps
}

// open makes room for one more stretch behind stretch i, which keeps its index or
// has the one before: the new index is returned. The shorter side moves.
func (f *flight) open(i int) int {
	if f.head > 0 && i-f.head < len(f.list)-i {
		copy(f.list[f.head-1:], f.list[f.head:i+1])
		f.head--
		return i - 1
	}
	f.list = append(f.list, sent{})
	copy(f.list[i+1:], f.list[i:])
	return i
}

// remove takes stretch i out and returns the index of the one that followed it.
func (f *flight) remove(i int) int {
	if i-f.head < len(f.list)-i {
		copy(f.list[f.head+1:i+1], f.list[f.head:i])
		f.head++
		return i + 1
	}
	copy(f.list[i:], f.list[i+1:])
	f.list = f.list[:len(f.list)-1]
	return i
}

// split cuts stretch i at v and returns the index of the one that begins there;
// ok is false when there is none, since at the bound it refuses.
func (f *flight) split(i int, v seq.Value) (at int, ok bool) {
	s := &f.list[i]
	switch {
	case s.start == v:
		return i, true
	case s.end == v:
		return i + 1, true
	case f.full():
		return i, false
	}
	n := s.before(v)
	i = f.open(i)
	l, r := &f.list[i], &f.list[i+1]
	*r = *l
	l.end, l.segs = v, n
	r.start, r.segs = v, max(r.segs-n, 1) // both count a segment that v cuts
	return i + 1, true
}

// count keeps the sums: it takes n octets with these flags out or in.
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

// acked is what an ACK took out of the flight, or marked there.
type acked struct {
	fresh  seq.Size      // octets not SACKed before
	segs   uint32        // and in how many segments they were
	sentAt clock.Instant // when the latest of them was sent, for the last time
	last   clock.Instant // when the latest stretch that was sent once was sent
	timed  bool          // there is such a stretch
	again  bool          // something acknowledged had been sent more than once
	low    seq.Value     // the end of the first such stretch, if timed
	rack   rackSegment   // the latest to be sent, RFC 8985 §6.2 step 2
}

// delivered takes s in, which the peer is now known to have, up to end.
func (a *acked) delivered(s *sent, end seq.Value, segs uint32, trust clock.Instant) {
	a.fresh += end.From(s.start)
	a.segs += segs
	a.sentAt = max(a.sentAt, s.at)
	if s.flags&twice == 0 {
		if !a.timed || end.Before(a.low) {
			a.low = end
		}
		if !a.timed || s.at.After(a.last) {
			a.last = s.at
		}
		a.timed = true
	} else if s.at.After(trust) {
		return // perhaps it is the first transmission that has arrived
	}
	if r := (rackSegment{at: s.at, end: end, known: true}); !a.rack.known || r.after(&a.rack) {
		a.rack = r
	}
}

// ack takes out all before una. What was sent again since trust says nothing about
// the time that it took.
func (f *flight) ack(una seq.Value, trust clock.Instant, a *acked) {
	for f.head < len(f.list) {
		s := &f.list[f.head]
		if s.start.AtOrAfter(una) {
			break
		}
		end, segs := s.end, s.segs
		if una.Before(end) {
			end, segs = una, min(s.before(una), s.segs-1)
		}
		if s.flags&sacked == 0 {
			a.delivered(s, end, segs, trust)
		} else {
			f.sackedSegs -= segs
		}
		a.again = a.again || s.flags&twice != 0
		f.count(s.flags, end.From(s.start), false)
		if end != s.end {
			s.start, s.segs = end, s.segs-segs
			break
		}
		if s.flags&sacked != 0 {
			f.runs--
		}
		f.head++
	}
	if f.empty() {
		f.list, f.head = f.list[:0], 0
		f.queue, f.first = f.queue[:0], 0
	}
	if f.judged.Before(una) {
		f.judged = una
	}
}

// sack marks what [left, right) covers and has not been marked, and adds it to a.
// It is not empty. It reports whether there was room and time for all of it.
func (f *flight) sack(left, right seq.Value, trust clock.Instant, a *acked) bool {
	for i := f.find(left); i < len(f.list) && f.list[i].start.Before(right); i++ {
		s := &f.list[i]
		if s.flags&sacked != 0 {
			if !f.spend() {
				return false
			}
			continue
		}
		beside := s.start.AtOrAfter(left) && i > f.head && f.list[i-1].flags&sacked != 0 ||
			s.end.AtOrBefore(right) && i+1 < len(f.list) && f.list[i+1].flags&sacked != 0
		if !beside && f.runs >= runsMax {
			f.spend()
			return false
		}
		var ok bool
		if i, ok = f.cut(i, left, right); !ok {
			return false
		}
		i = f.take(i, trust, a)
	}
	return true
}

// cut splits stretch i so that one of them lies in [left, right), and returns its
// index.
func (f *flight) cut(i int, left, right seq.Value) (at int, ok bool) {
	if f.list[i].start.Before(left) {
		if i, ok = f.split(i, left); !ok {
			return i, false
		}
	}
	if f.list[i].end.After(right) {
		if i, ok = f.split(i, right); !ok {
			return i, false
		}
		i--
	}
	return i, true
}

// take marks stretch i as SACKed, joins it with those beside it that are, and
// returns the index of the whole.
func (f *flight) take(i int, trust clock.Instant, a *acked) int {
	s := &f.list[i]
	a.delivered(s, s.end, s.segs, trust)
	f.setFlags(i, s.flags&twice|sacked)
	f.sackedSegs += s.segs
	f.runs++
	if i+1 < len(f.list) && f.list[i+1].flags&sacked != 0 {
		i = f.join(i)
	}
	if i > f.head && f.list[i-1].flags&sacked != 0 {
		i = f.join(i - 1)
	}
	return i
}

// join makes one of the SACKed stretches i and i+1, and returns its index.
func (f *flight) join(i int) int {
	l, r := &f.list[i], &f.list[i+1]
	r.start, r.segs, r.size, r.flags = l.start, l.segs+r.segs, max(l.size, r.size), l.flags|r.flags
	r.at = max(l.at, r.at)
	f.runs--
	return f.remove(i)
}

// mark takes for lost what of [left, right) is neither SACKed nor lost; what
// was sent again only with again.
func (f *flight) mark(left, right seq.Value, again bool) (marked seq.Size) {
	for i := f.find(left); i < len(f.list) && f.list[i].start.Before(right); i++ {
		s := &f.list[i]
		if s.flags&(sacked|lost) != 0 || s.flags&resent != 0 && !again {
			continue
		}
		var ok bool
		if i, ok = f.cut(i, s.start, right); !ok {
			break
		}
		marked += f.lose(i)
	}
	return marked
}

// markLarger takes for lost what went in segments of more than size octets, and what
// fits behind it in its last one when it goes again.
func (f *flight) markLarger(size seq.Size) (marked seq.Size) {
	rest := seq.Size(0) // octets of the last segment that has room
	for i := range f.live() {
		s := &f.list[f.head+i]
		n := s.len()
		if s.flags&(sacked|lost) != 0 || seq.Size(s.size) <= size && (rest == 0 || rest+n > size) {
			rest = 0
			continue
		}
		marked += f.lose(f.head + i)
		rest = (rest + n) % size
	}
	return marked
}

// loseBefore takes for lost what lies before stretch end, was sent once and has not
// been looked at yet.
func (f *flight) loseBefore(end int) (marked seq.Size) {
	for i := f.find(f.judged); i < end; i++ {
		s := &f.list[i]
		if s.flags&(sacked|lost|twice) == 0 {
			marked += f.lose(i)
		} else if !f.spend() {
			break
		}
		f.judged = s.end
	}
	return marked
}

// loseHead takes the first n octets for lost, if they are what is missing.
func (f *flight) loseHead(n seq.Size) seq.Size {
	if s := &f.list[f.head]; s.flags&(sacked|lost|resent) == 0 {
		if i, ok := f.cut(f.head, s.start, s.start.Add(n)); ok {
			return f.lose(i)
		}
	}
	return 0
}

// lose takes stretch i for lost.
func (f *flight) lose(i int) seq.Size {
	f.setFlags(i, f.list[i].flags&twice|lost)
	n := f.list[i].len()
	f.gone += n
	if f.watched {
		f.note(f.list[i].start, f.list[i].end)
	}
	return n
}

// note adds to what the hook will be told of.
func (f *flight) note(from, to seq.Value) {
	if k := len(f.marked) - 1; k >= 0 && f.marked[k].to == from {
		f.marked[k].to = to
		return
	}
	f.marked = append(f.marked, stretch{from, to})
}

// renege forgets every SACK (RFC 2018 §8: the receiver may have dropped it).
func (f *flight) renege() {
	for i := range f.live() {
		if s := &f.list[f.head+i]; s.flags&sacked != 0 {
			s.flags &^= sacked
		}
	}
	f.sacked, f.sackedSegs, f.runs = 0, 0, 0
	f.judged = f.list[f.head].start
	f.told = [4]wire.SACKBlock{}
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

// gather joins to stretch i those behind it that have the same fate, until n octets
// are there: what was sent in small segments goes again in large ones. It returns
// the index of the whole.
func (f *flight) gather(i int, n seq.Size) int {
	for i+1 < len(f.list) && f.list[i].len() < n && f.list[i].flags == f.list[i+1].flags {
		l, r := &f.list[i], &f.list[i+1]
		r.start, r.segs, r.size = l.start, l.segs+r.segs, max(l.size, r.size)
		i = f.remove(i)
	}
	return i
}

// again notes that the first n octets of stretch i were sent again, in one segment.
func (f *flight) again(i int, n seq.Size, now clock.Instant) {
	s := &f.list[i]
	if n < s.len() {
		i, _ = f.cut(i, s.start, s.start.Add(n))
		s = &f.list[i]
		// Without room to split the whole stretch counts as sent again; what was not
		// is found by the next timeout.
	}
	if s.len() == n {
		s.segs, s.size = 1, uint16(n)
	}
	fl := twice | resent
	if s.flags&lost == 0 {
		fl |= probe
	}
	f.setFlags(i, fl)
	s = &f.list[i]
	s.at = now
	if f.first > 64 && f.first > len(f.queue)/2 {
		k := copy(f.queue, f.queue[f.first:])
		f.queue, f.first = f.queue[:k], 0
	}
	if len(f.queue)-f.first >= flightMax {
		f.first++ // the oldest is left to the timeout
	}
	f.queue = append(f.queue, sentAgain{start: s.start, end: s.end, at: now})
}

// tally counts segments: all that are out, those that were taken for lost, sent
// again or not, and those that were sent again.
func (f *flight) tally() (out, gone, again uint32) {
	for _, s := range f.live() {
		out += s.segs
		if s.flags&lost != 0 || s.flags&(resent|probe) == resent {
			gone += s.segs
		}
		if s.flags&resent != 0 {
			again += s.segs
		}
	}
	return out, gone, again
}

func (f *flight) fingerprint(h *siphash.Hash, iss seq.Value, now clock.Instant) {
	for _, s := range f.live() {
		h.WriteUint64(uint64(s.start-iss)<<32 | uint64(s.end-iss))
		h.WriteUint64(uint64(now.Sub(s.at))<<8 | uint64(s.flags))
		h.WriteUint64(uint64(s.size)<<32 | uint64(s.segs))
	}
	h.WriteUint64(uint64(f.row)<<32 | uint64(f.limit-iss))
	for _, e := range f.queue[f.first:] {
		h.WriteUint64(uint64(e.start-iss)<<32 | uint64(e.end-iss))
		h.WriteUint64(uint64(now.Sub(e.at)))
	}
	if f.rack.known {
		h.WriteUint64(uint64(now.Sub(f.rack.at)))
		h.WriteUint64(uint64(f.rack.end - iss))
	}
}

func (f *flight) reset() { *f = flight{list: f.list[:0], queue: f.queue[:0], marked: f.marked[:0]} }

func (f *flight) clone() *flight {
	c := *f
	c.list, c.head = append([]sent(nil), f.live()...), 0
	c.queue, c.first = append([]sentAgain(nil), f.queue[f.first:]...), 0
	c.marked = nil // it is empty between two calls
	return &c
}
