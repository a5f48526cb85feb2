package wire

import "github.com/tcpkit/tcpkit/core/rule"

// Numbers of upper layers and of IPv6 extension headers, as the headers carry
// them.
const (
	ProtocolHopByHop           = 0
	ProtocolICMP               = 1
	ProtocolTCP                = 6
	ProtocolUDP                = 17
	ProtocolRouting            = 43
	ProtocolFragment           = 44
	ProtocolICMPv6             = 58
	ProtocolNone               = 59
	ProtocolDestinationOptions = 60
)

// The lengths of the headers without options.
const (
	IPv4HeaderLen = 20
	IPv6HeaderLen = 40
)

// extensionMax bounds the chain of IPv6 extension headers. RFC 8200 §4.1 lets
// each occur once, destination options twice; no sender has use for more.
const extensionMax = 8

// IP is what the headers of both families say.
type IP struct {
	Src, Dst     Addr
	Protocol     uint8  // the upper layer, after the extension headers
	TOS          uint8  // DSCP and ECN
	TTL          uint8  // or hop limit
	DontFragment bool   // IPv4
	Fragment     bool   // of a datagram in more than one piece
	SourceRouted bool   // a source route or routing header is there
	ID           uint16 // IPv4
	FlowLabel    uint32 // IPv6
	HeaderLen    int    // where the upper layer begins
	TotalLen     int    // where it ends; what the buffer has beyond is padding
}

// ParseIP reads the IP header at the front of b and fills in h as far as it
// gets. For the reasons DropIPFragment and DropSourceRoute that is all of h.
// A nil reason means that b[h.HeaderLen:h.TotalLen] is the upper layer.
func ParseIP(b []byte, h *IP) rule.Drop {
	if len(b) < IPv4HeaderLen {
		return rule.DropIPTruncated
	}
	switch b[0] >> 4 {
	case 4:
		return parseIPv4(b, h)
	case 6:
		return parseIPv6(b, h, false)
	default:
		return rule.DropIPVersion
	}
}

// parseIPv4 is RFC 791 §3.1.
//
//	 0                   1                   2                   3
//	+-------+-------+---------------+-------------------------------+  0
//	|Version|  IHL  |      TOS      |          total length         |
//	+-------+-------+---------------+-----+-------------------------+  4
//	|           identification      |0 D M|     fragment offset     |
//	+---------------+---------------+-----+-------------------------+  8
//	|  time to live |    protocol   |        header checksum        |
//	+---------------+---------------+-------------------------------+ 12
//	|                             source                            |
//	+---------------------------------------------------------------+ 16
//	|                          destination                          |
//	+---------------------------------------------------------------+ 20
func parseIPv4(b []byte, h *IP) rule.Drop {
	fillIPv4(b, h)
	// RFC 791 §3.1: a header is five words at least, and counts in the total.
	switch {
	case h.HeaderLen < IPv4HeaderLen || h.TotalLen < h.HeaderLen:
		return rule.DropIPHeader
	case h.TotalLen > len(b):
		return rule.DropIPTruncated
	case h.HeaderLen == IPv4HeaderLen && Fold(sum20(b)) != 0xffff,
		h.HeaderLen > IPv4HeaderLen && Fold(Sum(b[:h.HeaderLen], 0)) != 0xffff:
		// RFC 1122 §3.2.1.2: a bad checksum is discarded in silence.
		return rule.DropIPChecksum
	}
	if h.HeaderLen > IPv4HeaderLen {
		if why := walkIPv4Options(b[IPv4HeaderLen:h.HeaderLen], h); why != rule.NotDropped {
			return why
		}
	}
	if h.Fragment {
		return rule.DropIPFragment
	}
	return rule.NotDropped
}

// fillIPv4 copies out the fixed fields, sane or not. b holds at least 20 octets.
func fillIPv4(b []byte, h *IP) {
	p := (*[IPv4HeaderLen]byte)(b)
	fragment := Be16(p[6:8])
	h.Src = addr4(Be32(p[12:16]))
	h.Dst = addr4(Be32(p[16:20]))
	h.Protocol = p[9]
	h.TOS = p[1]
	h.TTL = p[8]
	h.DontFragment = fragment&0x4000 != 0
	h.Fragment = fragment&0x3fff != 0
	h.SourceRouted = false
	h.ID = Be16(p[4:6])
	h.FlowLabel = 0
	h.HeaderLen = int(p[0]&0xf) * 4
	h.TotalLen = int(Be16(p[2:4]))
}

// IPv4 options, RFC 791 §3.1.
const (
	ipOptionEnd         = 0
	ipOptionNop         = 1
	ipOptionLooseRoute  = 131
	ipOptionStrictRoute = 137
)

// walkIPv4Options checks that the options o fill their room and looks for a
// source route. RFC 1122 §3.2.1.8: all others may be ignored.
func walkIPv4Options(o []byte, h *IP) rule.Drop {
	for len(o) > 0 && o[0] != ipOptionEnd {
		if o[0] == ipOptionNop {
			o = o[1:]
			continue
		}
		if len(o) < 2 || o[1] < 2 || int(o[1]) > len(o) {
			return rule.DropIPHeader
		}
		if o[0] == ipOptionLooseRoute || o[0] == ipOptionStrictRoute {
			h.SourceRouted = true
			// RFC 791 §3.1: the route is at its end when the pointer is past it.
			if o[1] < 3 || o[2] <= o[1] {
				return rule.DropSourceRoute
			}
		}
		o = o[o[1]:]
	}
	return rule.NotDropped
}

// parseIPv6 is RFC 8200 §3. A quoted header counts more octets than the quote
// holds.
//
//	+-------+---------------+---------------------------------------+  0
//	|Version| traffic class |               flow label              |
//	+-------+---------------+-------+---------------+---------------+  4
//	|         payload length        |  next header  |   hop limit   |
//	+-------------------------------+---------------+---------------+  8
//	|                        source (16 octets)                     |
//	|                     destination (16 octets)                   |
//	+---------------------------------------------------------------+ 40
func parseIPv6(b []byte, h *IP, quoted bool) rule.Drop {
	if len(b) < IPv6HeaderLen {
		return rule.DropIPTruncated
	}
	p := (*[IPv6HeaderLen]byte)(b)
	first := Be32(p[0:4])
	h.Src = Addr{Be64(p[8:16]), Be64(p[16:24]), IPv6}
	h.Dst = Addr{Be64(p[24:32]), Be64(p[32:40]), IPv6}
	h.Protocol = p[6]
	h.TOS = uint8(first >> 20)
	h.TTL = p[7]
	h.DontFragment = false
	h.Fragment = false
	h.SourceRouted = false
	h.ID = 0
	h.FlowLabel = first & 0xfffff
	h.HeaderLen = IPv6HeaderLen
	h.TotalLen = IPv6HeaderLen + int(Be16(p[4:6]))
	if !quoted {
		if h.TotalLen > len(b) {
			return rule.DropIPTruncated
		}
		b = b[:h.TotalLen]
	}
	switch h.Protocol {
	case ProtocolHopByHop, ProtocolRouting, ProtocolFragment, ProtocolDestinationOptions:
		return walkExtensions(b, h)
	default:
		return rule.NotDropped
	}
}

// walkExtensions is RFC 8200 §4: it moves h over the chain of extension headers
// in b to the upper layer.
func walkExtensions(b []byte, h *IP) rule.Drop {
	for n := 0; ; n++ {
		switch h.Protocol {
		case ProtocolHopByHop:
			// RFC 8200 §4.1: only right after the IPv6 header.
			if n > 0 {
				return rule.DropIPExtension
			}
		case ProtocolRouting, ProtocolFragment, ProtocolDestinationOptions:
		default:
			return rule.NotDropped
		}
		rest := b[h.HeaderLen:]
		if n == extensionMax || len(rest) < 8 {
			return rule.DropIPExtension
		}
		length := 8
		if h.Protocol != ProtocolFragment {
			length += 8 * int(rest[1])
		}
		if length > len(rest) {
			return rule.DropIPExtension
		}
		kind := h.Protocol
		h.Protocol = rest[0]
		h.HeaderLen += length
		switch kind {
		case ProtocolFragment:
			// RFC 6946 §4: a fragment that is the whole packet is no fragment.
			if Be16(rest[2:4])&0xfff9 != 0 {
				h.Fragment = true
				return rule.DropIPFragment
			}
		case ProtocolRouting:
			// RFC 8200 §4.4: with no segments left a type that is not known is
			// skipped, otherwise the packet is discarded. RFC 5095 §3 wants type 0
			// treated so too.
			h.SourceRouted = true
			if rest[3] != 0 {
				return rule.DropSourceRoute
			}
		default:
			if !skippable(rest[2:length]) {
				return rule.DropIPExtension
			}
		}
	}
}

// skippable is RFC 8200 §4.2: it reports whether the options o fill their room
// and each may be skipped by who does not know it, which the two highest bits
// of its type say.
func skippable(o []byte) bool {
	for len(o) > 0 {
		if o[0] == 0 { // Pad1
			o = o[1:]
			continue
		}
		if o[0]>>6 != 0 || len(o) < 2 || int(o[1])+2 > len(o) {
			return false
		}
		o = o[int(o[1])+2:]
	}
	return true
}

// AppendIP appends to b the header that h describes, of the family of h.Src,
// for payload octets to follow. HeaderLen and TotalLen are not read; the header
// is of 20 or 40 octets. It panics if h has no address or payload is beyond
// what the length field holds.
func AppendIP(b []byte, h *IP, payload int) []byte {
	if h.Src.family == IPv6 {
		return appendIPv6(b, h, payload)
	}
	total := IPv4HeaderLen + payload
	if h.Src.family != IPv4 || uint(total) > 0xffff {
		panic("wire: AppendIP needs a source address, and a payload that a packet can hold")
	}
	b, part := room(b, IPv4HeaderLen)
	p := (*[IPv4HeaderLen]byte)(part)
	var fragment uint16
	if h.DontFragment {
		fragment = 0x4000
	}
	first := 0x4500_0000 | uint32(h.TOS)<<16 | uint32(total)
	second := uint32(h.ID)<<16 | uint32(fragment)
	third := uint32(h.TTL)<<24 | uint32(h.Protocol)<<16
	src, dst := uint32(h.Src.lo), uint32(h.Dst.lo)
	third |= uint32(^Fold(uint64(first) + uint64(second) + uint64(third) + uint64(src) + uint64(dst)))
	PutBe32(p[0:4], first)
	PutBe32(p[4:8], second)
	PutBe32(p[8:12], third)
	PutBe32(p[12:16], src)
	PutBe32(p[16:20], dst)
	return b
}

func appendIPv6(b []byte, h *IP, payload int) []byte {
	if uint(payload) > 0xffff {
		panic("wire: AppendIP needs a payload that a packet can hold")
	}
	b, part := room(b, IPv6HeaderLen)
	p := (*[IPv6HeaderLen]byte)(part)
	PutBe32(p[0:4], 6<<28|uint32(h.TOS)<<20|h.FlowLabel&0xfffff)
	PutBe32(p[4:8], uint32(payload)<<16|uint32(h.Protocol)<<8|uint32(h.TTL))
	PutBe64(p[8:16], h.Src.hi)
	PutBe64(p[16:24], h.Src.lo)
	PutBe64(p[24:32], h.Dst.hi)
	PutBe64(p[32:40], h.Dst.lo)
	return b
}
