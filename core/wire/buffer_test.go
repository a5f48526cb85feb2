package wire_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/wire"
)

// What a buffer held before never reaches a header: into a buffer full of 0xA5
// the same octets are written as into a new one.
//
// Proves: S32
func TestNoStaleOctetReachesAHeader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ip := header.Draw(t, "ip")
		tcp := tcpHeader.Draw(t, "tcp")
		m := wire.ICMP{Type: rapid.Uint8().Draw(t, "type"), Code: rapid.Uint8Max(5).Draw(t, "code"), Body: []byte("body")}
		write := func(b []byte) []byte {
			start := len(b)
			b = wire.AppendIP(b, &ip, 100)
			off := len(b)
			b = wire.AppendTCP(b, &tcp)
			wire.FinishTCP(b[start:], &ip, off-start, false)
			b = wire.AppendIP(b, &ip, 12)
			return wire.AppendICMP(b, &ip, &m)
		}
		poisoned := bytes.Repeat([]byte{0xa5}, 300)
		require.Equal(t, write(nil), write(poisoned[:0]))
		short := bytes.Repeat([]byte{0xa5}, 31) // grows on the way
		require.Equal(t, write(nil), write(short[:0]))
		require.Equal(t, write(make([]byte, 7))[7:], write(poisoned[:7])[7:])
	})
}

// dataSegment returns a packet of n octets of data, with timestamps, as on a
// connection that is established.
func dataSegment(ip *wire.IP, n int) []byte {
	b := wire.AppendIP(nil, ip, 32+n)
	off := len(b)
	b = wire.AppendTCP(b, &dataHeader)
	b = append(b, content(n, 0)...)
	wire.FinishTCP(b, ip, off, false)
	return b
}

var dataHeader = wire.TCP{
	SrcPort: 1025, DstPort: 80, Seq: 1000, Ack: 2000, Flags: wire.ACK | wire.PSH, Window: 65535,
	Options: wire.Options{Has: wire.HasTimestamps, TSVal: 1, TSEcr: 2},
}

func tcpOver(ip wire.IP) wire.IP {
	ip.Protocol = wire.ProtocolTCP
	return ip
}

func TestNothingAllocates(t *testing.T) {
	for _, base := range []wire.IP{v4, v6} {
		ip := tcpOver(base)
		packet := dataSegment(&ip, 1000)
		quote := quoted(base, 10)
		sack := dataHeader
		sack.Options.Has |= wire.HasSACK
		sack.Options.SACKCount = 3
		buf := make([]byte, 0, 2048)
		var h wire.IP
		var tcp wire.TCP
		var m wire.ICMP
		var q wire.QuotedTCP
		require.Zero(t, testing.AllocsPerRun(100, func() {
			if wire.ParseIP(packet, &h) != rule.NotDropped || wire.ParseTCP(packet[h.HeaderLen:], &tcp) != rule.NotDropped ||
				!wire.VerifyTCP(packet[h.HeaderLen:], &h) || wire.ParseQuote(quote, &h, &q) != rule.NotDropped {
				panic("parse")
			}
			buf = wire.AppendIP(buf[:0], &ip, 60)
			off := len(buf)
			buf = wire.AppendTCP(buf, &sack)
			wire.FinishTCP(buf, &ip, off, false)
			if wire.ParseTCP(buf[off:], &tcp) != rule.NotDropped || tcp.Options.SACKCount != 3 {
				panic("parse")
			}
			buf = wire.AppendICMP(buf[:0], &base, &wire.ICMP{Type: wire.ICMPEcho, Body: quote})
			if wire.ParseICMP(buf, &base, &m) != rule.NotDropped {
				panic("parse")
			}
		}))
	}
}

func benchmarkParse(b *testing.B, base wire.IP) {
	ip := tcpOver(base)
	packet := dataSegment(&ip, 1448)
	var h wire.IP
	var tcp wire.TCP
	for b.Loop() {
		if wire.ParseIP(packet, &h) != rule.NotDropped || wire.ParseTCP(packet[h.HeaderLen:h.TotalLen], &tcp) != rule.NotDropped {
			b.Fatal("parse")
		}
	}
}

func BenchmarkParse4(b *testing.B) { benchmarkParse(b, v4) }
func BenchmarkParse6(b *testing.B) { benchmarkParse(b, v6) }

func benchmarkAppend(b *testing.B, base wire.IP) {
	ip := tcpOver(base)
	buf := make([]byte, 0, 2048)
	for b.Loop() {
		buf = wire.AppendIP(buf[:0], &ip, 32)
		buf = wire.AppendTCP(buf, &dataHeader)
	}
}

func BenchmarkAppend4(b *testing.B) { benchmarkAppend(b, v4) }
func BenchmarkAppend6(b *testing.B) { benchmarkAppend(b, v6) }

func BenchmarkParseSACK(b *testing.B) {
	h := dataHeader
	h.Options.Has |= wire.HasSACK
	h.Options.SACKCount = 3
	segment := wire.AppendTCP(nil, &h)
	var tcp wire.TCP
	for b.Loop() {
		if wire.ParseTCP(segment, &tcp) != rule.NotDropped {
			b.Fatal("parse")
		}
	}
}

func BenchmarkAppendSACK(b *testing.B) {
	h := dataHeader
	h.Options.Has |= wire.HasSACK
	h.Options.SACKCount = 3
	buf := make([]byte, 0, 2048)
	for b.Loop() {
		buf = wire.AppendTCP(buf[:0], &h)
	}
}

func BenchmarkFinish1448(b *testing.B) {
	ip := tcpOver(v4)
	packet := dataSegment(&ip, 1448)
	for b.Loop() {
		wire.FinishTCP(packet, &ip, 20, false)
	}
}

func BenchmarkVerify1448(b *testing.B) {
	ip := tcpOver(v4)
	packet := dataSegment(&ip, 1448)
	for b.Loop() {
		if !wire.VerifyTCP(packet[20:], &ip) {
			b.Fatal("verify")
		}
	}
}
