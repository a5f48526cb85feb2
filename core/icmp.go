package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// inputICMP is RFC 792 and, for IPv6, RFC 4443: what TCP and ping need of them.
func (s *Stack) inputICMP(now clock.Instant, b []byte) rule.Drop {
	var m wire.ICMP
	if why := wire.ParseICMP(b, &s.ip, &m); why != rule.NotDropped {
		return why
	}
	if s.ip.Dst.Is6() {
		return s.icmp6(now, &m)
	}
	return s.icmp4(now, &m)
}

func (s *Stack) icmp4(now clock.Instant, m *wire.ICMP) rule.Drop {
	switch m.Type {
	case wire.ICMPEcho:
		return s.echo(m, wire.ICMPEchoReply, wire.ProtocolICMP)
	case wire.ICMPUnreachable:
		if m.Code == wire.ICMPFragNeeded {
			return s.tooBig(now, m)
		}
		err, hard := unreachable4(m.Code)
		return s.icmpError(now, m, err, hard)
	case wire.ICMPTimeExceeded, wire.ICMPParameter:
		// RFC 9293 §3.9.2.2 MUST-56: soft errors.
		return s.icmpError(now, m, tcp.ErrHostUnreachable, false)
	default:
		// RFC 6633 §4: source quench is ignored in silence (MUST-55).
		return rule.DropICMPType
	}
}

func (s *Stack) icmp6(now clock.Instant, m *wire.ICMP) rule.Drop {
	switch m.Type {
	case wire.ICMPv6Echo:
		return s.echo(m, wire.ICMPv6EchoReply, wire.ProtocolICMPv6)
	case wire.ICMPv6Unreachable:
		err, hard := unreachable6(m.Code)
		return s.icmpError(now, m, err, hard)
	case wire.ICMPv6PacketTooBig:
		return s.tooBig(now, m)
	case wire.ICMPv6TimeExceeded, wire.ICMPv6Parameter:
		return s.icmpError(now, m, tcp.ErrHostUnreachable, false)
	default:
		return rule.DropICMPType
	}
}

// echo answers an echo request with its own data (RFC 1122 §3.2.2.6, RFC 4443
// §4.2). A request comes whole, so its answer fits the link as well as it did.
func (s *Stack) echo(m *wire.ICMP, answer, protocol uint8) rule.Drop {
	if !s.cfg.Echo {
		return rule.DropICMPType
	}
	p := s.replies.slot()
	if p == nil {
		return rule.DropReplyQueueFull
	}
	ip := wire.IP{Src: s.ip.Dst, Dst: s.ip.Src, Protocol: protocol, TTL: s.cfg.TCP.TTL, TOS: s.ip.TOS &^ 3}
	p.Bytes = wire.AppendIP(p.Bytes, &ip, wire.ICMPHeaderLen+len(m.Body))
	p.Bytes = wire.AppendICMP(p.Bytes, &ip, &wire.ICMP{Type: answer, ID: m.ID, Seq: m.Seq, Body: m.Body})
	s.stats.EchoReplies++
	return rule.NotDropped
}

// unreachable4 translates the codes of RFC 1122 §3.2.2.1. Hard are those of
// which RFC 9293 §3.9.2.2 SHLD-26 says so; 6 to 15 are administrative variants
// of the first two.
func unreachable4(code uint8) (err tcp.Error, hard bool) {
	switch code {
	case wire.ICMPProtUnreachable:
		return tcp.ErrProtocolUnreachable, true
	case wire.ICMPPortUnreachable:
		return tcp.ErrRefused, true
	case wire.ICMPNetUnreachable, 6, 9, 11:
		return tcp.ErrNetUnreachable, false
	default:
		return tcp.ErrHostUnreachable, false
	}
}

// unreachable6 translates the codes of RFC 4443 §3.1.
func unreachable6(code uint8) (err tcp.Error, hard bool) {
	switch code {
	case wire.ICMPv6PortFailed:
		return tcp.ErrRefused, true
	case wire.ICMPv6NoRoute:
		return tcp.ErrNetUnreachable, false
	case wire.ICMPv6Prohibited, wire.ICMPv6PolicyFailed, wire.ICMPv6RouteReject:
		return tcp.ErrProhibited, false
	default:
		return tcp.ErrHostUnreachable, false
	}
}

// quoted finds the connection that an ICMP error is about. RFC 9293 §3.9.2.2
// MUST-54 wants it taken there; RFC 5927 §4.1 wants proof that the error answers
// something that is in flight, which an attacker off the path has to guess.
func (s *Stack) quoted(m *wire.ICMP) (*Conn, *wire.IP, rule.Drop) {
	ip := &s.quote
	var q wire.QuotedTCP
	if why := wire.ParseQuote(m.Body, ip, &q); why != rule.NotDropped {
		return nil, nil, why
	}
	if ip.Src != s.ip.Dst {
		return nil, nil, rule.DropICMPQuote
	}
	t := tcp.Tuple{
		Local:  wire.AddrPort{Addr: ip.Src, Port: q.SrcPort},
		Remote: wire.AddrPort{Addr: ip.Dst, Port: q.DstPort},
	}
	r := s.lookup(&t)
	if r <= 0 {
		return nil, nil, rule.DropNoConnection
	}
	c := s.conns[r-1]
	if !c.tcb.MayQuote(q.Seq) {
		return nil, nil, rule.DropICMPSequence
	}
	return c, ip, rule.NotDropped
}

// icmpError takes an error to its connection, which knows what it means in its
// state: hard errors end an open and are soft once it is synchronized.
func (s *Stack) icmpError(now clock.Instant, m *wire.ICMP, err tcp.Error, hard bool) rule.Drop {
	c, _, why := s.quoted(m)
	if why != rule.NotDropped {
		return why
	}
	c.tcb.ICMPError(now, err, hard, uint16(m.Type)<<8|uint16(m.Code))
	s.after(now, c)
	return rule.NotDropped
}

// mtuFloor6 is what every IPv6 link takes, RFC 8200 §5.
const mtuFloor6 = 1280

// tooBig is path MTU discovery, RFC 1191 §3 and RFC 8201 §4.
func (s *Stack) tooBig(now clock.Instant, m *wire.ICMP) rule.Drop {
	c, quote, why := s.quoted(m)
	if why != rule.NotDropped {
		return why
	}
	// A router cannot have found a packet too big that fits (RFC 5927 §7.2).
	if int64(m.MTU) >= int64(quote.TotalLen) && !c.tcb.MayFit() {
		return rule.DropICMPQuote
	}
	mtu := int(m.MTU)
	if mtu == 0 && quote.Src.Is4() {
		mtu = plateau(quote.TotalLen)
	}
	// The connection knows how low it may go (THREATS S29).
	c.tcb.PathMTU(now, mtu)
	s.after(now, c)
	return rule.NotDropped
}

// plateau is RFC 1191 §5 and its table 7-1: what to try below a packet that was
// too big for a router that does not say what it takes.
func plateau(size int) int {
	for _, p := range [...]int{32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296} {
		if p < size {
			return p
		}
	}
	return 68
}
