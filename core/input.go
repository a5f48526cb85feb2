package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Input takes in a packet from the link. It does not keep p, whatever it holds.
func (s *Stack) Input(now clock.Instant, p *packet.Packet) {
	s.stats.PacketsIn++
	s.packets++
	s.env.Packet = s.packets
	if s.watched {
		s.inputPacket(now, p)
	} else {
		s.receive(now, p)
	}
	s.env.Packet = 0
	s.watchMemory(now)
}

// receive takes in a packet that the link has let through.
func (s *Stack) receive(now clock.Instant, p *packet.Packet) {
	if why := s.input(now, p); why != rule.NotDropped {
		s.drop(now, why)
	}
	s.seg.Payload = nil
}

func (s *Stack) input(now clock.Instant, p *packet.Packet) rule.Drop {
	ip := &s.ip
	if why := wire.ParseIP(p.Bytes, ip); why != rule.NotDropped {
		return why
	}
	if why := s.checkAddresses(); why != rule.NotDropped {
		return why
	}
	b := p.Bytes[ip.HeaderLen:ip.TotalLen]
	switch ip.Protocol {
	case wire.ProtocolTCP:
		return s.inputTCP(now, p, b)
	case wire.ProtocolICMP:
		if ip.Dst.Is4() {
			return s.inputICMP(now, b)
		}
	case wire.ProtocolICMPv6:
		if ip.Dst.Is6() {
			return s.inputICMP(now, b)
		}
	}
	return rule.DropProtocol
}

func (s *Stack) inputTCP(now clock.Instant, p *packet.Packet, b []byte) rule.Drop {
	ip, seg := &s.ip, &s.seg
	if why := wire.ParseTCP(b, &seg.TCP); why != rule.NotDropped {
		return why
	}
	// RFC 9293 §3.1 MUST-3. A partial checksum has never left this machine; a link
	// that cannot deliver one has not.
	if !(p.Partial && s.env.Link.Checksum) && !wire.VerifyTCP(b, ip) {
		return rule.DropTCPChecksum
	}
	seg.Payload = b[seg.HeaderLen:]
	seg.Tuple = tcp.Tuple{
		Local:  wire.AddrPort{Addr: ip.Dst, Port: seg.DstPort},
		Remote: wire.AddrPort{Addr: ip.Src, Port: seg.SrcPort},
	}
	seg.TOS, seg.TTL, seg.Count = ip.TOS, ip.TTL, 1
	if size := int(p.SegmentSize); size > 0 && len(seg.Payload) > size {
		seg.Count = uint16((len(seg.Payload) + size - 1) / size)
	}
	if s.env.Hooks != 0 {
		return s.inputHooked(now, seg, b[wire.TCPHeaderLen:seg.HeaderLen])
	}
	return s.segment(now, seg)
}

// segment takes a segment to whom it is for.
func (s *Stack) segment(now clock.Instant, seg *tcp.Segment) rule.Drop {
	switch r := s.who(&seg.Tuple); {
	case r > 0:
		return s.arrives(now, s.conns[r-1], seg)
	case r < 0:
		return s.arrivesWaiting(now, int32(-r-1), seg)
	}
	s.env.Stats.SegmentsIn++
	s.logSegment(now, event.SegmentIn, 0, &seg.TCP, len(seg.Payload))
	if l := s.listenerFor(seg.Tuple.Local); l != nil {
		return s.arrivesListen(now, l, seg)
	}
	// RFC 9293 §3.10.7.1: in CLOSED all goes, and what is not a reset gets one.
	s.drop(now, rule.DropNoConnection)
	return s.reset(now, seg)
}

// arrives takes a segment to its connection.
func (s *Stack) arrives(now clock.Instant, c *Conn, seg *tcp.Segment) rule.Drop {
	if s.mustWait(c, seg) {
		return rule.DropAcceptQueueFull
	}
	if sndNxt, ok := c.tcb.Reopens(seg); ok {
		if l := s.listenerFor(seg.Tuple.Local); l != nil {
			return s.reopen(now, l, seg, sndNxt, func() {
				c.tcb.EndWait(now)
				s.unname(c)
				s.after(now, c)
			})
		}
	}
	c.tcb.Arrives(now, seg)
	s.after(now, c)
	return rule.NotDropped
}

// mustWait reports whether the ACK that would complete the handshake has to wait
// while the user does not accept: it is dropped as if the network had, and our
// SYN-ACK or the peer's data brings the next.
func (s *Stack) mustWait(c *Conn, seg *tcp.Segment) bool {
	const others = wire.SYN | wire.RST
	return c.flags&connHalfOpen != 0 && s.listeners[c.listener-1].full() &&
		seg.Flags&(wire.ACK|others) == wire.ACK && c.tcb.SeqInFlight(seg.Ack.Sub(seq.Size(1)))
}
