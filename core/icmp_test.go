package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

func icmpPacket(src, dst wire.Addr, m wire.ICMP) []byte {
	ip := wire.IP{Src: src, Dst: dst, Protocol: wire.ProtocolICMP, TTL: 64}
	if src.Is6() {
		ip.Protocol = wire.ProtocolICMPv6
	}
	message := wire.AppendICMP(nil, &ip, &m)
	return append(wire.AppendIP(nil, &ip, len(message)), message...)
}

// quoting is an ICMP message from a router about the given packet.
func (r *raw) quoting(m wire.ICMP, quote []byte) {
	router := addr("10.0.0.254")
	if r.local.Addr.Is6() {
		router = addr("fd00::254")
	}
	m.Body = quote
	r.packet(icmpPacket(router, r.local.Addr, m))
}

// sentPacket is a packet as the stack might have sent it, with the given number.
func (r *raw) sentPacket(s seq.Value, size int) []byte {
	return segment(r.local, r.remote, wire.TCP{Seq: s, Flags: wire.ACK}, string(make([]byte, size)))
}

func TestEcho(t *testing.T) {
	for _, c := range []struct {
		src, dst        string
		request, answer uint8
	}{
		{"10.0.0.2", "10.0.0.1", wire.ICMPEcho, wire.ICMPEchoReply},
		{"fd00::2", "fd00::1", wire.ICMPv6Echo, wire.ICMPv6EchoReply},
	} {
		r := newRaw(t, config("linux"))
		m := wire.ICMP{Type: c.request, ID: 7, Seq: 9, Body: []byte("are you there?")}
		r.packet(icmpPacket(addr(c.src), addr(c.dst), m))
		var p packet.Packet
		require.True(t, r.s.Output(r.now, &p))
		require.False(t, r.s.Output(r.now, &p))
		var ip wire.IP
		var got wire.ICMP
		require.Equal(t, rule.NotDropped, wire.ParseIP(p.Bytes, &ip))
		require.Equal(t, addr(c.dst), ip.Src)
		require.Equal(t, addr(c.src), ip.Dst)
		require.Equal(t, rule.NotDropped, wire.ParseICMP(p.Bytes[ip.HeaderLen:], &ip, &got))
		m.Type = c.answer
		require.Equal(t, m, got)
		require.Equal(t, uint64(1), r.s.Stats().EchoReplies)

		// An answer, an echo to everybody, and one with a bad checksum get nothing.
		r.packet(p.Bytes)
		m.Type = c.request
		r.packet(icmpPacket(addr(c.src), addr("10.0.0.255"), m))
		b := icmpPacket(addr(c.src), addr(c.dst), m)
		b[len(b)-1] ^= 1
		r.packet(b)
		require.False(t, r.s.Output(r.now, &p))
		require.Equal(t, uint64(1), r.drops(rule.DropICMPChecksum))
		off := config("linux")
		off.Echo = false
		r = newRaw(t, off)
		r.packet(icmpPacket(addr(c.src), addr(c.dst), m))
		require.False(t, r.s.Output(r.now, &p))
	}
}

// In SYN-SENT hard errors end the open, and on Linux the others too; the errors
// are those of each code.
func TestICMPEndsOpen(t *testing.T) {
	for _, profile := range []string{"linux", "rfc9293"} {
		for _, c := range []struct {
			six  bool
			m    wire.ICMP
			err  tcp.Error
			hard bool
		}{
			{false, wire.ICMP{Type: 3, Code: 0}, tcp.ErrNetUnreachable, false},
			{false, wire.ICMP{Type: 3, Code: 1}, tcp.ErrHostUnreachable, false},
			{false, wire.ICMP{Type: 3, Code: 2}, tcp.ErrProtocolUnreachable, true},
			{false, wire.ICMP{Type: 3, Code: 3}, tcp.ErrRefused, true},
			{false, wire.ICMP{Type: 3, Code: 5}, tcp.ErrHostUnreachable, false},
			{false, wire.ICMP{Type: 3, Code: 13}, tcp.ErrHostUnreachable, false},
			{false, wire.ICMP{Type: 11}, tcp.ErrHostUnreachable, false},
			{true, wire.ICMP{Type: 1, Code: 0}, tcp.ErrNetUnreachable, false},
			{true, wire.ICMP{Type: 1, Code: 3}, tcp.ErrHostUnreachable, false},
			{true, wire.ICMP{Type: 1, Code: 4}, tcp.ErrRefused, true},
			{true, wire.ICMP{Type: 3, Code: 0}, tcp.ErrHostUnreachable, false},
		} {
			r := newRaw(t, config(profile))
			if c.six {
				r = newRaw6(t, config(profile))
			}
			conn, err := r.s.Dial(r.now, r.local, r.remote, nil)
			require.NoError(t, err)
			syn := r.one()
			r.quoting(c.m, r.sentPacket(syn.Seq.Add(1), 0))
			require.Equal(t, tcp.SynSent, conn.State(), "another number is not believed")
			require.Equal(t, uint64(1), r.drops(rule.DropICMPSequence))
			r.quoting(c.m, r.sentPacket(syn.Seq, 0))
			r.none("an error is not answered")
			if c.hard || profile == "linux" {
				require.Equal(t, tcp.Closed, conn.State(), "%+v", c.m)
				require.Equal(t, c.err, conn.Err())
			} else {
				require.Equal(t, tcp.SynSent, conn.State(), "%+v", c.m)
				require.Equal(t, c.err, conn.Info(r.now).SoftError)
			}
		}
	}
}

// MUST-54, MUST-56, THREATS S29: once synchronized no ICMP error ends a
// connection, and those that do not quote what is in flight are not even noted.
//
// Proves: MUST-54, MUST-56, S29
func TestICMPIsSoftOnceSynchronized(t *testing.T) {
	r := newRaw(t, config("linux"))
	l := r.listen(5)
	g := r.open()
	c, err := l.Accept(r.now)
	require.NoError(t, err)
	next := g.Seq.Add(1)
	_, err = c.Write(r.now, []byte("data"))
	require.NoError(t, err)
	require.Equal(t, next, r.one().Seq)
	for _, typ := range []uint8{3, 11, 12} {
		for code := range uint8(16) {
			for _, s := range []seq.Value{next.Sub(1), next.Add(5), next.Add(1 << 30)} {
				r.quoting(wire.ICMP{Type: typ, Code: code, MTU: 100}, r.sentPacket(s, 100))
			}
		}
	}
	require.Zero(t, c.Info(r.now).SoftError, "wrong numbers are ignored")
	require.Equal(t, uint64(3*16*3), r.drops(rule.DropICMPSequence))
	for _, typ := range []uint8{3, 4, 5, 11, 12} {
		for code := range uint8(16) {
			if typ != 3 || code != wire.ICMPFragNeeded {
				r.quoting(wire.ICMP{Type: typ, Code: code}, r.sentPacket(next, 4))
			}
		}
	}
	require.Equal(t, tcp.Established, c.State())
	require.NotZero(t, c.Info(r.now).SoftError, "SHLD-25: but its user may know")
	require.Equal(t, uint64(2*16), r.drops(rule.DropICMPType), "MUST-55: source quench, and redirect")
	r.none("nothing is answered")

	// About somebody else, or cut short.
	other := *r
	other.remote.Port++
	other.quoting(wire.ICMP{Type: 3, Code: 3}, other.sentPacket(next, 4))
	require.Equal(t, uint64(1), r.drops(rule.DropNoConnection))
	r.quoting(wire.ICMP{Type: 3, Code: 3}, r.sentPacket(next, 4)[:27])
	r.quoting(wire.ICMP{Type: 3, Code: 3}, segment(r.remote, r.local, wire.TCP{Seq: next}, ""))
	require.Equal(t, uint64(2), r.drops(rule.DropICMPQuote))
}

// RFC 1191, RFC 8201: the path MTU goes down to what a router says, not below the
// floor, and what was too big goes again in smaller segments.
//
// Proves: RFC 1191 §6.4, RFC 8201 §5.4
func TestPathMTU(t *testing.T) {
	for _, c := range []struct {
		six  bool
		mtu  uint32
		want int // the largest packet after that
	}{
		{false, 1400, 1400}, {false, 68, 552}, {false, 0, 1492}, {false, 1500, 1500}, {false, 9000, 1500}, {false, 1499, 1499},
		{true, 1400, 1400}, {true, 1280, 1280}, {true, 0, 1500}, {true, 1279, 1500}, {true, 1500, 1500}, {true, 1 << 31, 1500},
	} {
		p := newPair(t, config("linux"))
		family, router, m := wire.IPv4, addr("10.0.0.254"), wire.ICMP{Type: 3, Code: 4, MTU: c.mtu}
		if c.six {
			family, router, m = wire.IPv6, addr("fd00::254"), wire.ICMP{Type: wire.ICMPv6PacketTooBig, MTU: c.mtu}
		}
		a, b := p.connect(family)
		_, err := a.Write(p.now, make([]byte, 5000))
		require.NoError(t, err)
		var big packet.Packet
		require.True(t, p.a.Output(p.now, &big))
		require.Len(t, big.Bytes, 1500)
		for p.a.Output(p.now, &p.p) {
			// lost: they do not fit
		}
		m.Body = big.Bytes[:min(len(big.Bytes), 500)]
		p.a.Input(p.now, &packet.Packet{Bytes: icmpPacket(router, a.Local().Addr, m)})
		largest := 0
		var last []byte
		p.pass = func(s *Stack, q *packet.Packet) bool {
			if s == p.a {
				last = append(last[:0], q.Bytes...)
			}
			largest = max(largest, len(q.Bytes))
			return true
		}
		p.pump()
		if c.want < 1500 {
			got, _ := readAll(t, p.now, b)
			require.Len(t, got, 5000, "all goes again at once, mtu %d", c.mtu)
			require.Equal(t, c.want, largest, "mtu %d", c.mtu)
			require.Equal(t, uint32(c.want), a.Info(p.now).PMTU)
			var ip wire.IP
			require.Equal(t, rule.NotDropped, wire.ParseIP(last, &ip))
			if !c.six {
				require.Equal(t, c.mtu >= 552 || c.mtu == 0, ip.DontFragment, "S29: below the floor routers may fragment")
			}
		} else {
			require.Zero(t, largest, "a lie changes nothing")
			require.Equal(t, uint32(1500), a.Info(p.now).PMTU)
		}
		p.run(10 * clock.Second)
		_, err = a.Write(p.now, make([]byte, 5000))
		require.NoError(t, err)
		largest = 0
		p.run(clock.Second)
		require.LessOrEqual(t, largest, c.want)
	}
}
