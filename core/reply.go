package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// replies is a ring of packets that answer something without there being a
// connection: resets, echo replies, SYN-ACKs with cookies, the ACKs of TIME-WAIT.
// Each arriving packet adds one at most (THREATS S27). Slots keep their room.
type replies struct {
	slots []packet.Packet
	first int
	n     int
	max   int
}

// slot returns the place of the next reply, nil when all are taken.
func (r *replies) slot() *packet.Packet {
	if r.n == r.max {
		return nil
	}
	i := r.first + r.n
	if i >= r.max {
		i -= r.max
	}
	for i >= len(r.slots) {
		r.slots = append(r.slots, packet.Packet{})
	}
	r.n++
	p := &r.slots[i]
	p.Reset()
	return p
}

// take moves the oldest reply into p.
func (r *replies) take(p *packet.Packet) {
	p.Set(&r.slots[r.first])
	r.n--
	if r.first++; r.first == r.max || r.n == 0 && r.first >= len(r.slots) {
		r.first = 0
	}
}

func (r *replies) clone() replies {
	c := *r
	c.slots = make([]packet.Packet, len(r.slots))
	for i := range r.n {
		j := (r.first + i) % r.max
		c.slots[j].Set(&r.slots[j])
	}
	return c
}

// reply queues a segment that no TCB sends. who is the record that does, or 0.
func (s *Stack) reply(now clock.Instant, who ref, r *tcp.Reply) rule.Drop {
	p := s.replies.slot()
	if p == nil {
		return rule.DropReplyQueueFull
	}
	id := uint32(0)
	if who < 0 {
		id = s.wait.records[-who-1].ID
	}
	var t wire.TCP
	var ip wire.IP
	tcp.AppendReply(p, r, s.env.Link, &t, &ip)
	payload := 0
	if s.env.Hooks&tcp.LeavingSteps != 0 {
		if !s.mayLeave(now, who, p, &t, &ip) {
			s.replies.n--
			return rule.NotDropped
		}
		payload = tcp.PayloadLen(p, &ip)
	}
	tcp.FinishReply(p, &ip)
	s.env.Stats.SegmentsOut++
	s.logSegment(now, event.SegmentOut, id, &t, payload)
	if s.env.Hooks.Has(tcp.StepLeft) {
		s.env.Left(s.leaving(now, tcp.StepLeft, who, &t, &ip), p, &t, &ip)
	}
	if r.Flags.Has(wire.RST) {
		s.env.Stats.ResetsOut++
	}
	return rule.NotDropped
}

// resets bounds the resets that one address is sent. It remembers when each
// address may be sent the next, as if they went out evenly; an address may be
// ahead of that by the burst. Addresses share a fixed table by a keyed hash, a few
// in each row, and whoever comes new takes the place of the one that is least
// ahead: so a flood from many addresses does not make the table forget the one
// that is flooded, and nothing that one address does can be seen at another that
// does not share its row; who does is not to be found out (THREATS S05, S33).
type resets [1 << 7][8]resetPlace

type resetPlace struct {
	who  uint64
	next clock.Instant
}

// place returns the place of who, which may be somebody else's still.
func (r *resets) place(who uint64) *resetPlace {
	row := &r[who%uint64(len(r))]
	least := &row[0]
	for i := range row {
		p := &row[i]
		if p.who == who {
			return p
		}
		if p.next < least.next {
			least = p
		}
	}
	return least
}

// mayReset reports whether addr may be sent a reset now, and counts it.
func (s *Stack) mayReset(now clock.Instant, addr wire.Addr) bool {
	if s.cfg.ResetInterval == 0 {
		return true
	}
	hi, lo := addr.Words()
	who := siphash.Words2(s.keys.source, hi, lo)
	p := s.resets.place(who)
	if p.who != who || p.next < now {
		*p = resetPlace{who: who, next: now}
	}
	if p.next.Sub(now) >= s.cfg.ResetInterval*clock.Duration(s.cfg.ResetBurst) {
		return false
	}
	p.next = p.next.Add(s.cfg.ResetInterval)
	return true
}

// reset answers a segment for a connection that does not exist (§3.10.7.1).
func (s *Stack) reset(now clock.Instant, seg *tcp.Segment) rule.Drop {
	r, ok := tcp.ResetFor(seg)
	if !ok {
		return rule.NotDropped
	}
	r.TTL = s.cfg.TCP.TTL
	if !s.mayReset(now, seg.Tuple.Remote.Addr) {
		s.stats.ResetsWithheld++
		return rule.NotDropped
	}
	return s.reply(now, 0, &r)
}
