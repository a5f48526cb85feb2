package core

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

// What one connection has left in memory never leaves with another's segments: after
// a stack's buffers have all held 0xA5, a payload has just the octets that were written,
// and a packet is no longer than its header says.
//
// Proves: S32
func TestNoOldOctetLeaves(t *testing.T) {
	const poison, octet = 0xa5, 'b'
	p := newPair(t, config("linux"))
	send := func(fill byte, size int) {
		a, b := p.connect(wire.IPv4)
		full := bytes.Repeat([]byte{fill}, 1<<16)
		got := make([]byte, 1<<16)
		for sent, read := 0, 0; read < size; p.run(clock.Millisecond) {
			n, _ := a.Write(p.now, full[:min(len(full), size-sent)])
			sent += n
			n, _ = b.Read(p.now, got)
			require.Equal(t, n, bytes.Count(got[:n], []byte{fill}), "the stream is what was written")
			read += n
		}
		a.Abort(p.now)
		p.run(clock.Second)
	}
	octets := release.Count(2<<20, 1500<<20)
	send(poison, 8<<20)
	packets := 0
	p.p.Bytes = bytes.Repeat([]byte{poison}, 2000)[:0]
	p.pass = func(_ *Stack, k *packet.Packet) bool {
		var ip wire.IP
		var seg wire.TCP
		require.Equal(t, rule.NotDropped, wire.ParseIP(k.Bytes, &ip))
		require.Equal(t, ip.TotalLen, len(k.Bytes))
		require.Equal(t, rule.NotDropped, wire.ParseTCP(k.Bytes[ip.HeaderLen:], &seg))
		payload := k.Bytes[ip.HeaderLen+seg.HeaderLen:]
		require.Equal(t, len(payload), bytes.Count(payload, []byte{octet}))
		packets++
		return true
	}
	send(octet, octets)
	require.Greater(t, packets, octets/1500)
	t.Logf("%d packets", packets)
}

// A datagram that may not be fragmented has the identification 0, so that it tells
// nothing and has nothing to collide with.
//
// Proves: RFC 6864 §4.1, MAY-4, S33
func TestAtomicDatagramsHaveNoIdentification(t *testing.T) {
	p := newPair(t, config("linux"))
	seen := 0
	p.pass = func(_ *Stack, k *packet.Packet) bool {
		var ip wire.IP
		require.Equal(t, rule.NotDropped, wire.ParseIP(k.Bytes, &ip))
		require.True(t, ip.DontFragment)
		require.Zero(t, ip.ID)
		seen++
		return seen != 5 // what is sent again, too
	}
	a, _ := p.connect(wire.IPv4)
	_, err := a.Write(p.now, make([]byte, 3000))
	require.NoError(t, err)
	p.run(10 * clock.Second)
	require.Greater(t, seen, 6)
}

// The user who wants no reports of errors hears of none that is soft; what ends the
// connection is told all the same.
//
// Proves: SHLD-20
func TestErrorReportsCanBeOff(t *testing.T) {
	for _, on := range []bool{true, false} {
		cfg := config("linux")
		cfg.TCP.SoftErrors = on
		r := newRaw(t, cfg)
		l := r.listen(5)
		g := r.open()
		c, err := l.Accept(r.now)
		require.NoError(t, err)
		_, err = c.Write(r.now, []byte("data"))
		require.NoError(t, err)
		r.one()
		r.quoting(wire.ICMP{Type: 3, Code: 1}, r.sentPacket(g.Seq.Add(1), 4))
		told := false
		for ready, ok := r.s.NextReady(); ok; ready, ok = r.s.NextReady() {
			told = told || ready.What&SoftError != 0
		}
		require.Equal(t, on, told, "a soft error")
		require.Equal(t, tcp.ErrHostUnreachable, c.Info(r.now).SoftError, "who asks is told")
		require.NoError(t, c.Err())
		r.send(wire.TCP{Flags: wire.RST, Seq: g.Ack}, "")
		require.ErrorIs(t, c.Err(), tcp.ErrReset, "a hard one")
	}
}
