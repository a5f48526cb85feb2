package script

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/wire"
)

// icmpName is a word for a type, or for a code of that type.
type icmpName struct {
	name       string
	kind, code uint8
}

// What the words mean in either family. A word of the other family's means
// what comes nearest, so that a script can run in both.
var icmp4Types = [...]icmpName{
	{"echo_reply", wire.ICMPEchoReply, 0},
	{"unreachable", wire.ICMPUnreachable, 0},
	{"source_quench", wire.ICMPSourceQuench, 0},
	{"redirect", 5, 0},
	{"echo_request", wire.ICMPEcho, 0},
	{"time_exceeded", wire.ICMPTimeExceeded, 0},
	{"parameter_problem", wire.ICMPParameter, 0},
	{"packet_too_big", wire.ICMPUnreachable, wire.ICMPFragNeeded},
}

var icmp6Types = [...]icmpName{
	{"echo_reply", wire.ICMPv6EchoReply, 0},
	{"unreachable", wire.ICMPv6Unreachable, 0},
	{"echo_request", wire.ICMPv6Echo, 0},
	{"time_exceeded", wire.ICMPv6TimeExceeded, 0},
	{"parameter_problem", wire.ICMPv6Parameter, 0},
	{"packet_too_big", wire.ICMPv6PacketTooBig, 0},
}

var icmp4Codes = [...]icmpName{
	{"net_unreachable", wire.ICMPUnreachable, wire.ICMPNetUnreachable},
	{"host_unreachable", wire.ICMPUnreachable, wire.ICMPHostUnreachable},
	{"protocol_unreachable", wire.ICMPUnreachable, wire.ICMPProtUnreachable},
	{"port_unreachable", wire.ICMPUnreachable, wire.ICMPPortUnreachable},
	{"frag_needed", wire.ICMPUnreachable, wire.ICMPFragNeeded},
	{"source_route_failed", wire.ICMPUnreachable, wire.ICMPRouteFailed},
	{"net_unknown", wire.ICMPUnreachable, 6},
	{"host_unknown", wire.ICMPUnreachable, 7},
	{"source_host_isolated", wire.ICMPUnreachable, 8},
	{"net_prohibited", wire.ICMPUnreachable, 9},
	{"host_prohibited", wire.ICMPUnreachable, 10},
	{"net_unreachable_for_tos", wire.ICMPUnreachable, 11},
	{"host_unreachable_for_tos", wire.ICMPUnreachable, 12},
	{"admin_prohibited", wire.ICMPUnreachable, 13},
	{"ttl_exceeded", wire.ICMPTimeExceeded, 0},
	{"reassembly_exceeded", wire.ICMPTimeExceeded, 1},
	{"ttl", wire.ICMPTimeExceeded, 0},
	{"frag", wire.ICMPTimeExceeded, 1},
}

var icmp6Codes = [...]icmpName{
	{"no_route", wire.ICMPv6Unreachable, wire.ICMPv6NoRoute},
	{"net_unreachable", wire.ICMPv6Unreachable, wire.ICMPv6NoRoute},
	{"admin_prohibited", wire.ICMPv6Unreachable, wire.ICMPv6Prohibited},
	{"not_neighbour", wire.ICMPv6Unreachable, wire.ICMPv6BeyondScope},
	{"address_unreachable", wire.ICMPv6Unreachable, wire.ICMPv6AddrFailed},
	{"addr_unreachable", wire.ICMPv6Unreachable, wire.ICMPv6AddrFailed},
	{"host_unreachable", wire.ICMPv6Unreachable, wire.ICMPv6AddrFailed},
	{"port_unreachable", wire.ICMPv6Unreachable, wire.ICMPv6PortFailed},
	{"policy_failed", wire.ICMPv6Unreachable, wire.ICMPv6PolicyFailed},
	{"reject_route", wire.ICMPv6Unreachable, wire.ICMPv6RouteReject},
	{"hop_limit", wire.ICMPv6TimeExceeded, 0},
	{"ttl_exceeded", wire.ICMPv6TimeExceeded, 0},
	{"reassembly_exceeded", wire.ICMPv6TimeExceeded, 1},
	{"header_field", wire.ICMPv6Parameter, 0},
	{"next_header", wire.ICMPv6Parameter, 1},
}

func icmpTables(f wire.Family) (types, codes []icmpName) {
	if f == wire.IPv6 {
		return icmp6Types[:], icmp6Codes[:]
	}
	return icmp4Types[:], icmp4Codes[:]
}

// number reads the type and code of m for a family.
func (m *ICMPMessage) numbers(f wire.Family) (kind, code uint8, ok bool) {
	types, codes := icmpTables(f)
	// RFC 8201 §3: IPv6 has a type of its own for what IPv4 has a code for, and
	// the next header of RFC 4443 §3.4 for a protocol.
	if f == wire.IPv6 && m.Type == "unreachable" && m.Code == "frag_needed" {
		return wire.ICMPv6PacketTooBig, 0, true
	}
	if f == wire.IPv6 && m.Type == "unreachable" && m.Code == "protocol_unreachable" {
		return wire.ICMPv6Parameter, 1, true
	}
	if v, err := strconv.ParseUint(m.Type, 10, 8); err == nil {
		kind, ok = uint8(v), true
	}
	for _, n := range types {
		if n.name == m.Type {
			kind, code, ok = n.kind, n.code, true
		}
	}
	if !ok || m.Code == "" {
		return kind, code, ok
	}
	if v, err := strconv.ParseUint(m.Code, 10, 8); err == nil {
		return kind, uint8(v), true
	}
	for _, n := range codes {
		if n.name == m.Code && n.kind == kind {
			return kind, n.code, true
		}
	}
	return kind, code, false
}

// injectICMP builds the ICMP message m about f.
func (f *flow) injectICMP(m *ICMPMessage, h *wire.IP) (b []byte, why string) {
	kind, code, ok := m.numbers(f.local.Addr.Family())
	if !ok {
		return nil, "the ICMP message " + m.Type + " " + m.Code + " is not known for this version of IP"
	}
	w := wire.ICMP{Type: kind, Code: code, MTU: m.MTU, ID: uint16(m.ID)}
	h.Protocol = wire.ProtocolICMP
	if h.Src.Is6() {
		h.Protocol = wire.ProtocolICMPv6
	}
	switch {
	case m.Quote == QuoteUDP || m.Quote == QuoteRaw:
		return nil, "an ICMP message that quotes something other than TCP is not supported"
	case m.Type == "echo_request" || m.Type == "echo_reply":
		w.Body = make([]byte, 8)
	default:
		w.Body = f.quote(m)
	}
	body := wire.AppendICMP(nil, h, &w)
	return append(wire.AppendIP(nil, h, len(body)), body...), ""
}

// quote is the head of the segment of the stack that m is about.
func (f *flow) quote(m *ICMPMessage) []byte {
	h := wire.IP{Src: f.local.Addr, Dst: f.remote.Addr, TTL: 63, Protocol: wire.ProtocolTCP, DontFragment: true}
	b := wire.AppendIP(nil, &h, wire.TCPHeaderLen+int(m.QuoteLen))
	b = append16(append16(b, f.local.Port), f.remote.Port)
	b = append32(b, f.ours.toWire(m.QuoteSeq))
	b = append32(b, 0)
	b = append32(b, 0x50100000)
	return append32(b, 0)
}

// describeICMP puts a message of the stack into words.
func describeICMP(f wire.Family, w *wire.ICMP) *ICMPMessage {
	m := &ICMPMessage{Type: strconv.Itoa(int(w.Type)), Code: strconv.Itoa(int(w.Code)), MTU: w.MTU, HasMTU: w.MTU != 0, ID: uint32(w.ID), HasID: w.ID != 0}
	types, codes := icmpTables(f)
	for _, n := range codes {
		if n.kind == w.Type && n.code == w.Code {
			m.Code = n.name
			break
		}
	}
	for _, n := range types {
		if n.kind == w.Type {
			m.Type = n.name
			break
		}
	}
	if m.Code == "0" {
		m.Code = ""
	}
	return m
}
