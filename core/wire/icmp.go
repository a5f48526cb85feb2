package wire

import (
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
)

// Types and codes of ICMP (RFC 792, RFC 1191 §4) and ICMPv6 (RFC 4443) that
// mean something to TCP and to ping.
const (
	ICMPEchoReply       = 0
	ICMPUnreachable     = 3
	ICMPSourceQuench    = 4
	ICMPEcho            = 8
	ICMPTimeExceeded    = 11
	ICMPParameter       = 12
	ICMPNetUnreachable  = 0 // codes of ICMPUnreachable
	ICMPHostUnreachable = 1
	ICMPProtUnreachable = 2
	ICMPPortUnreachable = 3
	ICMPFragNeeded      = 4
	ICMPRouteFailed     = 5

	ICMPv6Unreachable  = 1
	ICMPv6PacketTooBig = 2
	ICMPv6TimeExceeded = 3
	ICMPv6Parameter    = 4
	ICMPv6Echo         = 128
	ICMPv6EchoReply    = 129
	ICMPv6NoRoute      = 0 // codes of ICMPv6Unreachable
	ICMPv6Prohibited   = 1
	ICMPv6BeyondScope  = 2
	ICMPv6AddrFailed   = 3
	ICMPv6PortFailed   = 4
	ICMPv6PolicyFailed = 5
	ICMPv6RouteReject  = 6
)

// ICMPHeaderLen is the length of what stands before the body of a message.
const ICMPHeaderLen = 8

// ICMP is a message of either family. What the second word of the header means
// depends on the type; the fields that it does not mean are zero.
type ICMP struct {
	Type, Code uint8
	ID, Seq    uint16 // echo and its reply
	MTU        uint32 // fragmentation needed, packet too big
	Pointer    uint32 // parameter problem
	Body       []byte // the data of an echo, or the quoted packet
}

// word is what the second word of a message's header holds.
type word uint8

const (
	wordUnused word = iota
	wordEcho
	wordMTU16
	wordMTU32
	wordPointer8
	wordPointer32
)

func (m *ICMP) word(f Family) word {
	if f == IPv6 {
		switch m.Type {
		case ICMPv6Echo, ICMPv6EchoReply:
			return wordEcho
		case ICMPv6PacketTooBig:
			return wordMTU32
		case ICMPv6Parameter:
			return wordPointer32
		default:
			return wordUnused
		}
	}
	switch {
	case m.Type == ICMPEcho || m.Type == ICMPEchoReply:
		return wordEcho
	case m.Type == ICMPUnreachable && m.Code == ICMPFragNeeded:
		return wordMTU16
	case m.Type == ICMPParameter:
		return wordPointer8
	default:
		return wordUnused
	}
}

// ParseICMP reads the ICMP message b, the upper layer of a packet from ip.Src
// to ip.Dst, and verifies its checksum. Body is the rest of b.
func ParseICMP(b []byte, ip *IP, m *ICMP) rule.Drop {
	if len(b) < ICMPHeaderLen {
		return rule.DropICMPTruncated
	}
	if Fold(Sum(b, icmpPseudoHeader(ip, len(b)))) != 0xffff {
		return rule.DropICMPChecksum
	}
	*m = ICMP{Type: b[0], Code: b[1], Body: b[ICMPHeaderLen:]}
	v := Be32(b[4:8])
	switch m.word(ip.Src.family) {
	case wordEcho:
		m.ID, m.Seq = uint16(v>>16), uint16(v)
	case wordMTU16:
		m.MTU = v & 0xffff
	case wordMTU32:
		m.MTU = v
	case wordPointer8:
		m.Pointer = v >> 24
	case wordPointer32:
		m.Pointer = v
	case wordUnused:
	}
	return rule.NotDropped
}

// icmpPseudoHeader is zero for IPv4, whose ICMP has none (RFC 792), and that of
// RFC 4443 §2.3 for IPv6.
func icmpPseudoHeader(ip *IP, length int) uint64 {
	if ip.Src.family != IPv6 {
		return 0
	}
	return PseudoHeader(ip.Src, ip.Dst, ProtocolICMPv6, length)
}

// AppendICMP appends the message m, for a packet from ip.Src to ip.Dst, with
// its body and its checksum.
func AppendICMP(b []byte, ip *IP, m *ICMP) []byte {
	var v uint32
	switch m.word(ip.Src.family) {
	case wordEcho:
		v = uint32(m.ID)<<16 | uint32(m.Seq)
	case wordMTU16:
		v = m.MTU & 0xffff
	case wordPointer8:
		v = m.Pointer << 24
	case wordMTU32:
		v = m.MTU
	case wordPointer32:
		v = m.Pointer
	case wordUnused:
	}
	start := len(b)
	b = append(b, m.Type, m.Code, 0, 0)
	b = append32(b, v)
	b = append(b, m.Body...)
	message := b[start:]
	PutBe16(message[2:4], ^Fold(Sum(message, icmpPseudoHeader(ip, len(message)))))
	return b
}

// QuotedTCP is what an ICMP error has to quote of the segment that it is about.
type QuotedTCP struct {
	SrcPort, DstPort uint16
	Seq              seq.Value
}

// ParseQuote reads the packet that an ICMP error quotes: its IP header into ip
// and the first 8 octets of its TCP header into t. It is a packet of ours, from
// ip.Src, cut anywhere after those (RFC 792; RFC 4443 §2.4 (c)), and a router on
// the way may have changed its checksums, TTL and TOS. ip.TotalLen is the length
// that it had, so it may be beyond the end of body.
func ParseQuote(body []byte, ip *IP, t *QuotedTCP) rule.Drop {
	if len(body) < IPv4HeaderLen {
		return rule.DropICMPQuote
	}
	switch body[0] >> 4 {
	case 4:
		fillIPv4(body, ip)
		// Of a fragment only the first has the ports.
		if ip.HeaderLen < IPv4HeaderLen || Be16(body[6:8])&0x1fff != 0 {
			return rule.DropICMPQuote
		}
	case 6:
		if parseIPv6(body, ip, true) != rule.NotDropped {
			return rule.DropICMPQuote
		}
	default:
		return rule.DropICMPQuote
	}
	if ip.Protocol != ProtocolTCP || len(body)-ip.HeaderLen < 8 {
		return rule.DropICMPQuote
	}
	b := body[ip.HeaderLen:]
	t.SrcPort = Be16(b[0:2])
	t.DstPort = Be16(b[2:4])
	t.Seq = seq.Value(Be32(b[4:8]))
	return rule.NotDropped
}
