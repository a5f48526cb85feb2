package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A hook at the link does to packets of all protocols what a link may do to them:
// lose, delay, double, spoil and mark them. What it makes of a packet need not be one
// any more. Whoever gets it shall find that out, so packets have their checksums
// first.

// ingress takes a packet that has arrived past the hook.
func (s *Stack) ingress(now clock.Instant, p *packet.Packet) {
	q := &s.wire
	q.Set(p)
	wholeChecksum(q)
	r := s.env.Record(now, tcp.StepIngress)
	v, changed := s.hookLink(r, q, 65535)
	h := tcp.HeldPacket{Packet: *q, Number: s.env.Packet, Passed: tcp.Mask(tcp.StepIngress)}
	switch {
	case v == tcp.DropIt:
		s.env.DropAtHook(now, 0)
		return
	case v != tcp.Pass && !s.env.Postpone(now, v, r.Arg, &h):
		return
	case changed:
		p = q
	}
	s.receive(now, p)
}

// egress takes a packet that is to leave, and that is in p, past the hook, and reports
// whether it leaves now.
func (s *Stack) egress(now clock.Instant, p *packet.Packet) bool {
	passed := s.env.Passed
	s.env.Passed = 0
	if !s.env.Hooks.Has(tcp.StepEgress) || passed.Has(tcp.StepEgress) {
		return true
	}
	q := &s.wire
	q.Set(p)
	wholeChecksum(q)
	s.env.Packet = s.packets
	r := s.env.Record(now, tcp.StepEgress)
	r.Leaving = true
	v, changed := s.hookLink(r, q, s.env.Link.MTU)
	leaves := true
	h := tcp.HeldPacket{Packet: *q, Passed: passed | tcp.Mask(tcp.StepEgress), Leaving: true}
	switch {
	case v == tcp.DropIt:
		s.env.DropAtHook(now, 0)
		leaves = false
	case v != tcp.Pass && !s.env.Postpone(now, v, r.Arg, &h):
		leaves = false
	case changed:
		p.Set(q)
	}
	s.env.Packet = 0
	if !leaves {
		s.stats.PacketsOut--
	}
	return leaves
}

// hookLink asks the hook about the packet q, and makes it what the hook has made of
// it, if that is at most so many octets: changed tells whether. The verdict is Pass if
// it goes on.
func (s *Stack) hookLink(r *tcp.Record, q *packet.Packet, most int) (v tcp.Verdict, changed bool) {
	r.Payload, r.TOS = q.Bytes, tos(q.Bytes)
	was := r.TOS
	v = s.env.Hook.At(r)
	switch v {
	case tcp.Mutated, tcp.Delay, tcp.Duplicate:
	case tcp.DropIt:
		return v, false
	default:
		return tcp.Pass, false
	}
	if len(r.Payload) == 0 || len(r.Payload) > most {
		s.env.Stats.ChangesIgnored++
		return tcp.Pass, false
	}
	q.Bytes = append(q.Bytes[:0], r.Payload...)
	if r.TOS != was {
		setTOS(q.Bytes, r.TOS)
	}
	if v == tcp.Mutated {
		v = tcp.Pass
	}
	return v, true
}

// wholeChecksum gives p the TCP checksum that its link would have made.
func wholeChecksum(p *packet.Packet) {
	var ip wire.IP
	if p.Partial && wire.ParseIP(p.Bytes, &ip) == rule.NotDropped && ip.TotalLen-ip.HeaderLen >= wire.TCPHeaderLen {
		wire.FinishTCP(p.Bytes[:ip.TotalLen], &ip, ip.HeaderLen, false)
	}
	p.Partial = false
}

// tos is the octet of DSCP and ECN of a packet, 0 if it is none.
func tos(b []byte) uint8 {
	switch {
	case len(b) >= wire.IPv4HeaderLen && b[0]>>4 == 4:
		return b[1]
	case len(b) >= wire.IPv6HeaderLen && b[0]>>4 == 6:
		return b[0]<<4 | b[1]>>4
	}
	return 0
}

// setTOS changes it, and the checksum of an IPv4 header with it (RFC 1624 §3), as a
// router does that marks a packet.
func setTOS(b []byte, to uint8) {
	switch {
	case len(b) >= wire.IPv4HeaderLen && b[0]>>4 == 4:
		was := wire.Be16(b[0:2])
		b[1] = to
		sum := uint64(^wire.Be16(b[10:12])) + uint64(^was) + uint64(wire.Be16(b[0:2]))
		wire.PutBe16(b[10:12], ^wire.Fold(sum))
	case len(b) >= wire.IPv6HeaderLen && b[0]>>4 == 6:
		b[0], b[1] = b[0]&0xf0|to>>4, b[1]&0x0f|to<<4
	}
}
