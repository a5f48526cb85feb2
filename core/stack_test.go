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

var families = []wire.Family{wire.IPv4, wire.IPv6}

func TestProfiles(t *testing.T) {
	for _, name := range Profiles() {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, config(name))
			a, b := p.connect(wire.IPv4)
			_, err := a.Write(p.now, []byte("hello"))
			require.NoError(t, err)
			p.run(clock.Second)
			got, err := readAll(t, p.now, b)
			require.Equal(t, tcp.ErrWouldBlock, err)
			require.Equal(t, "hello", string(got))
		})
	}
	_, err := Profile("windows")
	require.Equal(t, tcp.ErrInvalid, err)
}

func TestNewRefusesNonsense(t *testing.T) {
	bad := config("linux")
	bad.PortLow = bad.PortHigh + 1
	_, err := New(bad, ethernet)
	require.Equal(t, tcp.ErrInvalid, err)
	_, err = New(config("linux"), packet.Link{MTU: 60})
	require.Equal(t, tcp.ErrInvalid, err)
	s := newStack(t, config("linux"), ethernet, "10.0.0.1/24")
	for a, want := range map[string]error{
		"10.0.0.1/24": tcp.ErrExists, "10.0.0.255/24": tcp.ErrInvalid, "224.0.0.1/24": tcp.ErrInvalid,
		"0.0.0.0/0": tcp.ErrInvalid, "255.255.255.255/32": tcp.ErrInvalid, "::/64": tcp.ErrInvalid,
	} {
		require.Equal(t, want, s.AddAddr(prefix(a)), a)
	}
	require.Len(t, s.Addrs(), 1)
}

// Handshake, data both ways, and a close from both ends; what is ready is told.
func TestConversation(t *testing.T) {
	for _, family := range families {
		t.Run(family.String(), func(t *testing.T) {
			p := newPair(t, config("linux"))
			l := p.listen(p.b, 80, 5)
			remote := at("10.0.0.2", 80)
			if family == wire.IPv6 {
				remote = at("fd00::2", 80)
			}
			a := p.dial(p.a, remote)
			require.Equal(t, tcp.SynSent, a.State())
			p.pump()
			r, ok := p.a.NextReady()
			require.True(t, ok)
			require.Same(t, a, r.Conn)
			require.NotZero(t, r.What&Connected)
			r, ok = p.b.NextReady()
			require.True(t, ok)
			require.Same(t, l, r.Listener)
			require.Equal(t, Acceptable, r.What)
			b := p.accept(l)
			require.Equal(t, a.Local(), b.Remote())
			require.Equal(t, a.Remote(), b.Local())
			_, ok = p.b.NextReady()
			require.False(t, ok)

			_, err := b.Read(p.now, make([]byte, 10))
			require.Equal(t, tcp.ErrWouldBlock, err)
			n, err := a.Write(p.now, []byte("question"))
			require.NoError(t, err)
			require.Equal(t, 8, n)
			p.pump()
			r, ok = p.b.NextReady()
			require.True(t, ok)
			require.Same(t, b, r.Conn)
			require.NotZero(t, r.What&Readable)
			got, _ := readAll(t, p.now, b)
			require.Equal(t, "question", string(got))
			_, err = b.Write(p.now, []byte("answer"))
			require.NoError(t, err)
			require.NoError(t, b.CloseWrite(p.now))
			p.run(clock.Second)
			got, err = readAll(t, p.now, a)
			require.Equal(t, tcp.ErrEOF, err)
			require.Equal(t, "answer", string(got))
			require.Equal(t, tcp.CloseWait, a.State())
			require.Equal(t, tcp.FinWait2, b.State())

			require.NoError(t, a.Close(p.now))
			p.run(clock.Second)
			require.Zero(t, p.a.Conns(), "LAST-ACK has ended and the slot is free")
			require.Equal(t, tcp.TimeWait, b.State())
			require.NoError(t, b.Close(p.now))
			p.pump()
			require.Zero(t, p.b.Conns(), "a record is left")
			require.Equal(t, 1, p.b.TimeWaits())
			p.run(p.b.cfg.TCP.TimeWait)
			require.Zero(t, p.b.TimeWaits(), "2 MSL later it is gone")
			require.Equal(t, clock.Never, p.b.Deadline())
			require.Equal(t, clock.Never, p.a.Deadline())

			_, err = a.Write(p.now, []byte("x"))
			require.Error(t, err, "the handle is dead")
			require.Error(t, a.Close(p.now))
		})
	}
}

func TestBulkBothWays(t *testing.T) {
	for _, link := range []packet.Link{ethernet, {MTU: 1500, Checksum: true, MaxSuper: 65535}, {MTU: 576}, {MTU: 65535}} {
		p := newPairOn(t, config("linux"), link)
		a, b := p.connect(wire.IPv4)
		data := make([]byte, 3<<20)
		for i := range data {
			data[i] = byte(i * 7 >> 3)
		}
		type end struct {
			c         *Conn
			sent      int
			got       []byte
			buf       [40000]byte
			closed, e bool
		}
		ends := []*end{{c: a}, {c: b}}
		for round := 0; !ends[0].e || !ends[1].e; round++ {
			require.Less(t, round, 100000, "it comes to an end")
			for _, e := range ends {
				if !e.closed {
					n, err := e.c.Write(p.now, data[e.sent:])
					if err != nil {
						require.Equal(t, tcp.ErrWouldBlock, err)
					}
					if e.sent += n; e.sent == len(data) {
						require.NoError(t, e.c.CloseWrite(p.now))
						e.closed = true
					}
				}
				for {
					n, err := e.c.Read(p.now, e.buf[:])
					e.got = append(e.got, e.buf[:n]...)
					if err != nil {
						e.e = err == tcp.ErrEOF
						break
					}
				}
			}
			p.run(clock.Millisecond)
		}
		for _, e := range ends {
			require.True(t, bytes.Equal(data, e.got), "what arrives is what was sent")
		}
		require.Zero(t, p.a.Stats().Retransmits, "nothing was lost on this wire")
	}
}

func TestDialToClosedPortIsRefused(t *testing.T) {
	for _, remote := range []wire.AddrPort{at("10.0.0.2", 9), at("fd00::2", 9)} {
		p := newPair(t, config("linux"))
		c := p.dial(p.a, remote)
		p.pump()
		require.Equal(t, tcp.Closed, c.State())
		require.Equal(t, tcp.ErrRefused, c.Err())
		r, ok := p.a.NextReady()
		require.True(t, ok)
		require.NotZero(t, r.What&Closed)
		require.Equal(t, 1, p.a.Conns(), "its user still holds it")
		require.NoError(t, c.Close(p.now))
		p.pump()
		require.Zero(t, p.a.Conns())
		require.Equal(t, clock.Never, p.a.Deadline())
		require.Equal(t, uint64(1), p.b.Stats().Drops[rule.DropNoConnection])
	}
}

// RFC 9293 §3.9.2.3 MUST-46.
//
// Proves: RFC 9293 §3.9.2.3, MUST-46
func TestDialRefusesBadAddresses(t *testing.T) {
	s := newStack(t, config("linux"), ethernet, "10.0.0.1/24", "fd00::1/64")
	for _, a := range []string{"255.255.255.255", "224.0.0.1", "0.0.0.0", "ff02::1", "::", "10.0.0.255", "10.0.0.1"} {
		_, err := s.Dial(0, wire.AddrPort{}, at(a, 80), nil)
		require.Equal(t, tcp.ErrInvalid, err, a)
	}
	_, err := s.Dial(0, wire.AddrPort{}, at("10.0.0.2", 0), nil)
	require.Equal(t, tcp.ErrInvalid, err)
	_, err = s.Dial(0, at("10.0.0.7", 0), at("10.0.0.2", 80), nil)
	require.Equal(t, tcp.ErrAddrNotAvail, err, "not an address of ours")
	_, err = s.Dial(0, at("fd00::1", 0), at("10.0.0.2", 80), nil)
	require.Equal(t, tcp.ErrAddrNotAvail, err, "another family")
	_, err = s.Dial(0, at("10.0.0.1", 5), at("10.0.0.2", 80), nil)
	require.NoError(t, err)
	_, err = s.Dial(0, at("10.0.0.1", 5), at("10.0.0.2", 80), nil)
	require.Equal(t, tcp.ErrExists, err)
}

// RFC 9293 §3.9.1.1 MUST-44: the source address that fits the destination.
//
// Proves: RFC 9293 §3.9.1.1, MUST-44
func TestSourceAddress(t *testing.T) {
	s := newStack(t, config("linux"), ethernet, "10.0.0.1/24", "10.0.1.1/24", "fe80::1/64", "fd00::1/64")
	for remote, want := range map[string]string{
		"10.0.1.9": "10.0.1.1", "10.0.0.9": "10.0.0.1", "8.8.8.8": "10.0.0.1",
		"fe80::9": "fe80::1", "fd00::9": "fd00::1", "2001:db8::1": "fd00::1",
	} {
		require.Equal(t, addr(want), s.sourceFor(addr(remote)), remote)
	}
}

// THREATS S17, RFC 9293 §3.9.2.3 MUST-57 and MUST-63.
//
// Proves: S17, RFC 9293 §3.9.2.3, MUST-57, MUST-63
func TestBadAddressesAreIgnored(t *testing.T) {
	syn := wire.TCP{Seq: 1, Flags: wire.SYN, Window: 1000}
	mcast6 := addr("ff02::1")
	for _, c := range []struct {
		src, dst wire.AddrPort
		why      rule.Drop
	}{
		{at("10.0.0.1", 80), at("10.0.0.1", 80), rule.DropBadSource}, // LAND
		{at("fd00::1", 80), at("fd00::1", 80), rule.DropBadSource},
		{at("10.0.0.1", 81), at("10.0.0.1", 80), rule.DropBadSource},
		{at("255.255.255.255", 1), at("10.0.0.1", 80), rule.DropBadSource},
		{at("10.0.0.255", 1), at("10.0.0.1", 80), rule.DropBadSource},
		{at("224.0.0.1", 1), at("10.0.0.1", 80), rule.DropBadSource},
		{at("0.0.0.0", 1), at("10.0.0.1", 80), rule.DropBadSource},
		{at("127.0.0.1", 1), at("10.0.0.1", 80), rule.DropBadSource},
		{at("::", 1), at("fd00::1", 80), rule.DropBadSource},
		{at("ff02::1", 1), at("fd00::1", 80), rule.DropBadSource},
		{at("10.0.0.2", 1), at("10.0.0.255", 80), rule.DropBroadcast},
		{at("10.0.0.2", 1), at("255.255.255.255", 80), rule.DropBroadcast},
		{at("10.0.0.2", 1), at("224.0.0.1", 80), rule.DropBroadcast},
		{at("fd00::2", 1), wire.AddrPort{Addr: mcast6, Port: 80}, rule.DropBroadcast},
		{at("10.0.0.2", 1), at("10.0.0.3", 80), rule.DropNotOurs},
		{at("fd00::2", 1), at("fd00::3", 80), rule.DropNotOurs},
	} {
		r := newRaw(t, config("linux"))
		r.listen(5)
		r.packet(segment(c.src, c.dst, syn, ""))
		r.none("nothing answers this")
		require.Zero(t, r.s.Conns())
		require.Equal(t, uint64(1), r.drops(c.why), "%v to %v", c.src, c.dst)
	}
}

// THREATS S35 and S23: what cannot be a whole packet for TCP is dropped, counted
// and forgotten.
//
// Proves: S35, S23, RFC 791 §3.1
func TestFragmentsAndBadPackets(t *testing.T) {
	good := func(r *raw) []byte {
		return segment(r.remote, r.local, wire.TCP{Seq: 1, Flags: wire.SYN, Window: 1000}, "data")
	}
	refresh := func(b []byte) []byte {
		wire.PutBe16(b[10:12], 0)
		wire.PutBe16(b[10:12], ^wire.Fold(wire.Sum(b[:20], 0)))
		return b
	}
	for name, c := range map[string]struct {
		why    rule.Drop
		mangle func(b []byte) []byte
	}{
		"more fragments": {rule.DropIPFragment, func(b []byte) []byte { b[6] |= 0x20; return refresh(b) }},
		"offset":         {rule.DropIPFragment, func(b []byte) []byte { b[7] = 1; return refresh(b) }},
		"ip checksum":    {rule.DropIPChecksum, func(b []byte) []byte { b[10] ^= 1; return b }},
		"tcp checksum":   {rule.DropTCPChecksum, func(b []byte) []byte { b[len(b)-1] ^= 1; return b }},
		"truncated":      {rule.DropIPTruncated, func(b []byte) []byte { return b[:len(b)-1] }},
		"nothing":        {rule.DropIPTruncated, func(b []byte) []byte { return nil }},
		"version":        {rule.DropIPVersion, func(b []byte) []byte { b[0] = 0x55; return b }},
		"offset of data": {rule.DropTCPOffset, func(b []byte) []byte { b[32] = 0x40; return b }},
		"udp":            {rule.DropProtocol, func(b []byte) []byte { b[9] = 17; return refresh(b) }},
		"icmp6 over v4":  {rule.DropProtocol, func(b []byte) []byte { b[9] = 58; return refresh(b) }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRaw(t, config("linux"))
			r.listen(5)
			r.packet(c.mangle(good(r)))
			r.none("no answer to garbage")
			require.Equal(t, uint64(1), r.drops(c.why))
			require.Zero(t, r.s.Conns())
		})
	}
}

// THREATS S35 (CVE-2018-5391): fragments, tiny, overlapping, the first, the last and
// those between, of both families, leave nothing but a counter.
//
// Proves: S35
func TestFragmentsLeaveNothing(t *testing.T) {
	for _, r := range []*raw{newRaw(t, config("linux")), newRaw6(t, config("linux"))} {
		r.listen(5)
		whole := segment(r.remote, r.local, wire.TCP{Seq: 1, Flags: wire.SYN, Window: 1000}, "data that has been cut")
		header := 20
		if r.local.Addr.Is6() {
			header = 40
		}
		count := uint64(0)
		upper := whole[header:]
		for _, size := range []int{8, 16, 24, len(upper)} {
			for at := 0; at < len(upper); at += 8 {
				part := upper[at:min(at+size, len(upper))]
				more := at+size < len(upper)
				if at == 0 && !more {
					continue // that is no fragment
				}
				b := append([]byte(nil), whole[:header]...)
				if header == 20 {
					b = append(b, part...)
					wire.PutBe16(b[2:], uint16(len(b)))
					wire.PutBe16(b[6:], uint16(at/8))
					if more {
						b[6] |= 0x20
					}
					wire.PutBe16(b[10:], 0)
					wire.PutBe16(b[10:], ^wire.Fold(wire.Sum(b[:20], 0)))
				} else {
					b[6] = wire.ProtocolFragment
					b = append(b, wire.ProtocolTCP, 0, byte(at>>8), byte(at), 0, 0, 0, 1)
					if more {
						b[header+3] |= 1
					}
					b = append(b, part...)
					wire.PutBe16(b[4:], uint16(len(b)-header))
				}
				r.packet(b)
				r.none("no fragment is answered")
				count++
			}
		}
		require.Equal(t, count, r.drops(rule.DropIPFragment))
		require.Zero(t, r.s.Conns())
		require.Zero(t, r.s.env.Pool.InUse())
		require.Equal(t, clock.Never, r.s.Deadline())
	}
}

// RFC 9293 §3.1 MUST-3, and offload: a partial checksum is believed only from a
// link that may deliver one.
//
// Proves: RFC 9293 §3.1, MUST-3
func TestPartialChecksum(t *testing.T) {
	for _, may := range []bool{false, true} {
		s := newStack(t, config("linux"), packet.Link{MTU: 1500, Checksum: may}, "10.0.0.1/24")
		b := segment(at("10.0.0.2", 1), at("10.0.0.1", 80), wire.TCP{Flags: wire.SYN}, "")
		ip := wire.IP{Src: addr("10.0.0.2"), Dst: addr("10.0.0.1")}
		wire.FinishTCP(b, &ip, 20, true)
		s.Input(0, &packet.Packet{Bytes: b, Partial: true})
		var p packet.Packet
		require.Equal(t, may, s.Output(0, &p), "a reset only if the segment counts")
	}
}

// One connection with much to send does not hold up another.
func TestConnectionsTakeTurns(t *testing.T) {
	p := newPair(t, config("linux"))
	a1, b1 := p.connect(wire.IPv4)
	a2, b2 := p.connect(wire.IPv4)
	big := make([]byte, 200000)
	for range 100 { // open the congestion windows
		for _, c := range []*Conn{a1, a2} {
			_, _ = c.Write(p.now, big[:20000])
		}
		p.run(clock.Millisecond)
		_, _ = readAll(t, p.now, b1)
		_, _ = readAll(t, p.now, b2)
		p.run(clock.Millisecond)
	}
	_, err := a1.Write(p.now, big)
	require.NoError(t, err)
	_, err = a2.Write(p.now, big)
	require.NoError(t, err)
	run, longest, last, switches := 0, 0, uint16(0), 0
	var pkt packet.Packet
	for p.a.Output(p.now, &pkt) {
		g := parse(t, pkt.Bytes)
		if g.SrcPort == last {
			run++
		} else {
			run, last = 1, g.SrcPort
			switches++
		}
		longest = max(longest, run)
	}
	require.LessOrEqual(t, longest, p.a.cfg.Burst)
	require.Greater(t, switches, 2)
}

// A slot is used again, an id is not; an old handle does not touch the new.
func TestSlotsAndIds(t *testing.T) {
	p := newPair(t, config("linux"))
	c := p.dial(p.a, at("10.0.0.2", 9))
	p.pump()
	require.NoError(t, c.Close(p.now))
	p.pump()
	d := p.dial(p.a, at("10.0.0.2", 9))
	require.Equal(t, c.Slot(), d.Slot())
	require.Equal(t, c.ID()+1, d.ID())
	require.Same(t, d, p.a.Conn(d.Slot()))
	require.Nil(t, p.a.Conn(99))
	c.Abort(p.now)
	require.Equal(t, tcp.ErrNotExist, c.CloseWrite(p.now))
	require.Equal(t, tcp.SynSent, d.State())
}

// Proves: H05
func TestMaxConns(t *testing.T) {
	cfg := config("linux")
	cfg.MaxConns = 2
	r := newRaw(t, cfg)
	r.listen(10)
	for i := range 3 {
		r.remote.Port = uint16(1000 + i)
		r.send(wire.TCP{Flags: wire.SYN, Window: 100}, "")
	}
	require.Len(t, r.replies(), 2)
	require.Equal(t, uint64(1), r.drops(rule.DropResources))
	_, err := r.s.Dial(r.now, wire.AddrPort{}, at("10.0.0.2", 80), nil)
	require.Equal(t, tcp.ErrResources, err)
}

// THREATS S36: a call does a bounded part of what is due, and nothing is lost.
//
// Proves: S36
func TestExpireInParts(t *testing.T) {
	cfg := config("linux")
	cfg.ExpireBudget = 10
	s := newStack(t, cfg, ethernet, "10.0.0.1/24")
	n := release.Count(95, 100_000)
	for i := range n {
		_, err := s.Dial(0, wire.AddrPort{}, at("10.0.0.2", 80+uint16(i%10)), nil)
		require.NoError(t, err)
	}
	var p packet.Packet
	for s.Output(0, &p) {
	}
	now := s.Deadline()
	require.Equal(t, clock.Instant(clock.Second), now)
	sent := 0
	for calls := 0; s.Deadline() <= now; calls++ {
		require.LessOrEqual(t, calls, n/10+1)
		s.Expire(now)
		part := 0
		for s.Output(now, &p) {
			part++
		}
		require.LessOrEqual(t, part, 10)
		sent += part
	}
	require.Equal(t, n, sent)
}
