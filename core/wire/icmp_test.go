package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/wire"
)

var (
	v4 = wire.IP{Src: mustAddr("10.0.0.1"), Dst: mustAddr("10.0.0.2"), Protocol: wire.ProtocolICMP, TTL: 64}
	v6 = wire.IP{Src: mustAddr("fe80::1"), Dst: mustAddr("fe80::2"), Protocol: wire.ProtocolICMPv6, TTL: 64}
)

// Proves: RFC 792 §3
func TestICMPRoundTrip(t *testing.T) {
	body := []byte("the body, of an odd length")[:25]
	for _, c := range []struct {
		name string
		ip   *wire.IP
		m    wire.ICMP
		head string // before the checksum and after it
	}{
		{"echo", &v4, wire.ICMP{Type: wire.ICMPEcho, ID: 0x1234, Seq: 0x5678}, "0800" + "12345678"},
		{"echo reply", &v4, wire.ICMP{Type: wire.ICMPEchoReply, ID: 1, Seq: 2}, "0000" + "00010002"},
		{"port unreachable", &v4, wire.ICMP{Type: wire.ICMPUnreachable, Code: wire.ICMPPortUnreachable}, "0303" + "00000000"},
		{"fragmentation needed", &v4, wire.ICMP{Type: wire.ICMPUnreachable, Code: wire.ICMPFragNeeded, MTU: 1400}, "0304" + "00000578"},
		{"time exceeded", &v4, wire.ICMP{Type: wire.ICMPTimeExceeded}, "0b00" + "00000000"},
		{"parameter problem", &v4, wire.ICMP{Type: wire.ICMPParameter, Pointer: 9}, "0c00" + "09000000"},
		{"echo 6", &v6, wire.ICMP{Type: wire.ICMPv6Echo, ID: 0x1234, Seq: 0x5678}, "8000" + "12345678"},
		{"echo reply 6", &v6, wire.ICMP{Type: wire.ICMPv6EchoReply, ID: 1, Seq: 2}, "8100" + "00010002"},
		{"unreachable 6", &v6, wire.ICMP{Type: wire.ICMPv6Unreachable, Code: wire.ICMPv6PortFailed}, "0104" + "00000000"},
		{"packet too big", &v6, wire.ICMP{Type: wire.ICMPv6PacketTooBig, MTU: 0x12345678}, "0200" + "12345678"},
		{"time exceeded 6", &v6, wire.ICMP{Type: wire.ICMPv6TimeExceeded}, "0300" + "00000000"},
		{"parameter problem 6", &v6, wire.ICMP{Type: wire.ICMPv6Parameter, Code: 1, Pointer: 40}, "0401" + "00000028"},
	} {
		c.m.Body = body
		b := wire.AppendICMP([]byte("front"), c.ip, &c.m)
		require.Equal(t, "front", string(b[:5]), "it appends")
		b = b[5:]
		require.Equal(t, unhex(c.head), append(append([]byte(nil), b[:2]...), b[4:8]...), c.name)
		got := wire.ICMP{ID: 9, Seq: 9, MTU: 9, Pointer: 9}
		require.Equal(t, rule.NotDropped, wire.ParseICMP(b, c.ip, &got), c.name)
		require.Equal(t, c.m, got, c.name)
		for bit := range 8 * len(b) {
			b[bit/8] ^= 1 << (bit % 8)
			require.Equal(t, rule.DropICMPChecksum, wire.ParseICMP(b, c.ip, &got), "%s: a flipped bit %d is found", c.name, bit)
			b[bit/8] ^= 1 << (bit % 8)
		}
		for n := range 8 {
			require.Equal(t, rule.DropICMPTruncated, wire.ParseICMP(b[:n], c.ip, &got), c.name)
		}
	}
}

// RFC 792: the IPv4 checksum is of the message alone.
//
// Proves: RFC 792 §3
func TestICMPChecksumScope(t *testing.T) {
	m := wire.ICMP{Type: wire.ICMPEcho, ID: 1, Seq: 1}
	elsewhere := v4
	elsewhere.Src = mustAddr("192.0.2.1")
	require.Equal(t, wire.AppendICMP(nil, &v4, &m), wire.AppendICMP(nil, &elsewhere, &m))
	require.Equal(t, uint16(0xffff), naiveSum(wire.AppendICMP(nil, &v4, &m), 0))
	elsewhere = v6
	elsewhere.Src = mustAddr("fe80::9")
	require.NotEqual(t, wire.AppendICMP(nil, &v6, &m), wire.AppendICMP(nil, &elsewhere, &m), "RFC 4443 §2.3")
}

// quoted returns a whole TCP packet of ours.
func quoted(ip wire.IP, data int) []byte {
	ip.Protocol = wire.ProtocolTCP
	b := wire.AppendIP(nil, &ip, 20+data)
	off := len(b)
	b = wire.AppendTCP(b, &wire.TCP{SrcPort: 1025, DstPort: 80, Seq: 0xfedcba98, Flags: wire.ACK})
	b = append(b, make([]byte, data)...)
	wire.FinishTCP(b, &ip, off, false)
	return b
}

// A quote may be cut anywhere; 8 octets of TCP are enough.
func TestQuoteOfEveryLength(t *testing.T) {
	for _, ip := range []wire.IP{v4, v6} {
		whole := quoted(ip, 1000)
		header := len(whole) - 1020
		for n := range 100 {
			var h wire.IP
			var q wire.QuotedTCP
			got := wire.ParseQuote(whole[:n], &h, &q)
			if n < header+8 {
				require.Equal(t, rule.DropICMPQuote, got, "%v %d octets", ip.Src.Family(), n)
				continue
			}
			require.Equal(t, rule.NotDropped, got, "%v %d octets", ip.Src.Family(), n)
			require.Equal(t, wire.QuotedTCP{SrcPort: 1025, DstPort: 80, Seq: 0xfedcba98}, q)
			require.Equal(t, []wire.Addr{ip.Src, ip.Dst}, []wire.Addr{h.Src, h.Dst})
			require.Equal(t, len(whole), h.TotalLen)
		}
	}
}

func TestQuotesOfOtherThings(t *testing.T) {
	var h wire.IP
	var q wire.QuotedTCP
	change := func(b []byte, i int, v byte) []byte {
		b[i] = v
		return b
	}
	for name, b := range map[string][]byte{
		"UDP":                        change(quoted(v4, 0), 9, wire.ProtocolUDP),
		"UDP 6":                      change(quoted(v6, 0), 6, wire.ProtocolUDP),
		"a later fragment":           change(quoted(v4, 0), 7, 1),
		"a short header length":      change(quoted(v4, 0), 0, 0x44),
		"a header beyond the quote":  change(quoted(v4, 0), 0, 0x4f),
		"another version":            change(quoted(v4, 0), 0, 0x55),
		"an extension of 2048":       change(change(quoted(v6, 0), 6, wire.ProtocolRouting), 41, 255),
		"a fragment of IPv6":         change(change(quoted(v6, 0), 6, wire.ProtocolFragment), 43, 8),
		"a quote inside of a quote":  change(quoted(v4, 0), 9, wire.ProtocolICMP),
		"an ICMPv6 quote in a quote": change(quoted(v6, 0), 6, wire.ProtocolICMPv6),
	} {
		require.Equal(t, rule.DropICMPQuote, wire.ParseQuote(b, &h, &q), name)
	}
	changed := change(change(quoted(v4, 0), 8, 1), 1, 0x88)
	require.Equal(t, rule.NotDropped, wire.ParseQuote(changed, &h, &q), "routers change TTL and TOS, and not each the checksum")
	require.Equal(t, rule.NotDropped, wire.ParseQuote(change(quoted(v4, 0), 6, 0x20), &h, &q), "the first fragment has the ports")
}

// FuzzICMP: a message that was read, once written, is the same but for the
// words that mean nothing.
func FuzzICMP(f *testing.F) {
	f.Add(wire.AppendICMP(nil, &v4, &wire.ICMP{Type: wire.ICMPEcho, ID: 1, Seq: 2, Body: []byte("ping")}), false)
	f.Add(wire.AppendICMP(nil, &v4, &wire.ICMP{Type: wire.ICMPUnreachable, Code: 4, MTU: 1400, Body: quoted(v4, 0)}), false)
	f.Add(wire.AppendICMP(nil, &v6, &wire.ICMP{Type: wire.ICMPv6PacketTooBig, MTU: 1280, Body: quoted(v6, 0)}), true)
	f.Fuzz(func(t *testing.T, b []byte, six bool) {
		ip := &v4
		if six {
			ip = &v6
		}
		var m, again wire.ICMP
		if len(b) >= 8 { // or the fuzzer would have to find checksums
			b = append([]byte(nil), b...)
			wire.PutBe16(b[2:], 0)
			acc := uint64(0)
			if six {
				acc = wire.PseudoHeader(ip.Src, ip.Dst, wire.ProtocolICMPv6, len(b))
			}
			wire.PutBe16(b[2:], ^wire.Fold(wire.Sum(b, acc)))
		}
		why := wire.ParseICMP(b, ip, &m)
		require.Equal(t, len(b) < 8, why != rule.NotDropped)
		if why != rule.NotDropped {
			return
		}
		require.Equal(t, rule.NotDropped, wire.ParseICMP(wire.AppendICMP(nil, ip, &m), ip, &again))
		require.Equal(t, m.Type, again.Type)
		require.Equal(t, m.Body, again.Body)
		m.Body, again.Body = nil, nil
		require.Equal(t, m, again)
	})
}

func FuzzQuote(f *testing.F) {
	f.Add(quoted(v4, 0))
	f.Add(quoted(v6, 0)[:48])
	f.Add(ipv6(wire.ProtocolHopByHop, pad(wire.ProtocolTCP, 0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h wire.IP
		var q wire.QuotedTCP
		if wire.ParseQuote(b, &h, &q) == rule.NotDropped {
			require.LessOrEqual(t, h.HeaderLen+8, len(b))
			require.Equal(t, uint8(wire.ProtocolTCP), h.Protocol)
		}
	})
}

// What ParseIP takes and is TCP, ParseQuote takes too, and says the same.
func TestQuoteAgreesWithTheParsers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ip := header.Draw(t, "ip")
		ip.Protocol = wire.ProtocolTCP
		tcp := tcpHeader.Draw(t, "tcp")
		segment := wire.AppendTCP(nil, &tcp)
		b := append(wire.AppendIP(nil, &ip, len(segment)), segment...)
		var want, got wire.IP
		var q wire.QuotedTCP
		require.Equal(t, rule.NotDropped, wire.ParseIP(b, &want))
		require.Equal(t, rule.NotDropped, wire.ParseQuote(b, &got, &q))
		require.Equal(t, want, got)
		require.Equal(t, wire.QuotedTCP{SrcPort: tcp.SrcPort, DstPort: tcp.DstPort, Seq: tcp.Seq}, q)
	})
}
