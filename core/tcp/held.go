package tcp

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/siphash"
)

// A HeldPacket is one that a hook keeps back, or has added, with where it goes on.
type HeldPacket struct {
	packet.Packet
	At      clock.Instant // when it goes on; Never: when the hook releases Tag
	Tag     uint64
	Conn    uint32   // of a segment that leaves: whose it is, 0 if nobody's
	Number  uint32   // of one that has arrived: its ordinal
	Passed  HookMask // the steps that it has behind it
	Leaving bool
	Ours    bool // a hook has made it
}

// Held is the packets that hooks keep back. They go on in order of their times, and
// of one time in the order in which they came. What there is no room for is dropped.
type Held struct {
	Packets, Octets int // the bounds
	slots           []HeldPacket
	free            []int32
	coming          []int32 // slots in order of At
	leaving         []int32 // slots whose time to leave has come
	octets          int
}

// spareRoom is how much room for a packet is kept when it has gone.
const spareRoom = 2048

// Len is how many packets are kept.
func (h *Held) Len() int { return len(h.coming) + len(h.leaving) }

// Next is when the first of them goes on, Never if none does by itself.
func (h *Held) Next() clock.Instant {
	if len(h.coming) == 0 {
		return clock.Never
	}
	return h.slots[h.coming[0]].At
}

// add takes in a copy of p, and reports false if there is no room.
func (h *Held) add(p *HeldPacket) bool {
	if h.Len() >= h.Packets || h.octets+len(p.Bytes) > h.Octets {
		return false
	}
	var i int32
	if n := len(h.free); n > 0 {
		i, h.free = h.free[n-1], h.free[:n-1]
	} else {
		i = int32(len(h.slots))
		h.slots = append(h.slots, HeldPacket{})
	}
	s := &h.slots[i]
	room := s.Packet
	*s = *p
	s.Packet = room
	s.Set(&p.Packet)
	h.octets += len(p.Bytes)
	h.insert(i)
	return true
}

// insert puts slot i behind all that go on no later.
func (h *Held) insert(i int32) {
	at := len(h.coming)
	for at > 0 && h.slots[h.coming[at-1]].At > h.slots[i].At {
		at--
	}
	h.coming = slices.Insert(h.coming, at, i)
}

// Due moves what goes on now out of the way of what does later: a packet that
// arrives is put into p, of which the room is used again; those that leave are for
// TakeLeaving. It returns false when nothing that arrives is due.
func (h *Held) Due(now clock.Instant, p *HeldPacket) bool {
	for h.Next() <= now && h.Next() != clock.Never {
		i := h.coming[0]
		h.coming = slices.Delete(h.coming, 0, 1)
		if h.slots[i].Leaving {
			h.leaving = append(h.leaving, i)
			continue
		}
		h.take(i, p)
		return true
	}
	return false
}

// TakeLeaving puts the next packet whose time to leave has come into p, and returns
// false if there is none.
func (h *Held) TakeLeaving(p *HeldPacket) bool {
	if len(h.leaving) == 0 {
		return false
	}
	i := h.leaving[0]
	h.leaving = slices.Delete(h.leaving, 0, 1)
	h.take(i, p)
	return true
}

// take gives slot i back.
func (h *Held) take(i int32, p *HeldPacket) {
	s := &h.slots[i]
	room := p.Packet
	*p = *s
	p.Packet = room
	p.Set(&s.Packet)
	h.octets -= len(s.Bytes)
	*s = HeldPacket{Packet: s.Packet}
	if s.Reset(); cap(s.Bytes) > spareRoom {
		s.Bytes = nil
	}
	h.free = append(h.free, i)
}

// release lets what was held with a tag go on at a time.
func (h *Held) release(at clock.Instant, tag uint64) {
	first, _ := slices.BinarySearchFunc(h.coming, clock.Never, func(i int32, never clock.Instant) int {
		if h.slots[i].At < never {
			return -1
		}
		return 0
	})
	for n := first; n < len(h.coming); n++ {
		if i := h.coming[n]; h.slots[i].Tag == tag {
			h.coming = slices.Delete(h.coming, n, n+1)
			h.slots[i].At = at
			h.insert(i) // before n
		}
	}
}

// ReleaseAll lets everything go on that has no time, since nobody is there any more to
// say when.
func (h *Held) ReleaseAll() {
	for _, i := range h.coming {
		if s := &h.slots[i]; s.At == clock.Never {
			s.At = HeldOver
		}
	}
	for n, i := range h.coming {
		for ; n > 0 && h.slots[h.coming[n-1]].At > h.slots[i].At; n-- {
			h.coming[n] = h.coming[n-1]
		}
		h.coming[n] = i
	}
}

// HeldOver is a time that has come.
const HeldOver = clock.Instant(-1 << 63)

func (h *Held) clone() Held {
	c := *h
	c.slots, c.free = slices.Clone(h.slots), slices.Clone(h.free)
	c.coming, c.leaving = slices.Clone(h.coming), slices.Clone(h.leaving)
	for i := range c.slots {
		c.slots[i].Bytes = slices.Clone(h.slots[i].Bytes)
	}
	return c
}

// Fingerprint adds what is kept, with how long it still is.
func (h *Held) Fingerprint(f *siphash.Hash, now clock.Instant) {
	for _, list := range [...][]int32{h.leaving, h.coming} {
		for _, i := range list {
			s := &h.slots[i]
			left := max(s.At.Sub(now), 0)
			if s.At == clock.Never {
				left = clock.Duration(clock.Never)
			}
			flags := uint64(s.Passed) << 2
			if s.Leaving {
				flags |= 1
			}
			if s.Ours {
				flags |= 2
			}
			f.WriteUint64(uint64(left))
			f.WriteUint64(s.Tag)
			f.WriteUint64(flags)
			f.WriteUint64(siphash.Sum64(siphash.Key{}, s.Bytes))
		}
	}
}

// Check says what is wrong with the books, or "".
func (h *Held) Check() string {
	octets := 0
	for _, i := range h.leaving {
		octets += len(h.slots[i].Bytes)
	}
	for n, i := range h.coming {
		octets += len(h.slots[i].Bytes)
		if n > 0 && h.slots[h.coming[n-1]].At > h.slots[i].At {
			return "what a hook holds is out of order"
		}
	}
	switch {
	case octets != h.octets:
		return "the octets that a hook holds are not those that are counted"
	case h.Len() > h.Packets || octets > h.Octets:
		return "a hook holds more than it may"
	case h.Len()+len(h.free) != len(h.slots):
		return "a place for what hooks hold is lost"
	}
	return ""
}
