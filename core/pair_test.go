package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

func prefix(s string) wire.Prefix {
	p, err := wire.ParsePrefix(s)
	if err != nil {
		panic(err)
	}
	return p
}

func addr(s string) wire.Addr {
	a, err := wire.ParseAddr(s)
	if err != nil {
		panic(err)
	}
	return a
}

func at(a string, port uint16) wire.AddrPort { return wire.AddrPort{Addr: addr(a), Port: port} }

func config(name string) Config {
	c, err := Profile(name)
	if err != nil {
		panic(err)
	}
	c.Secret = [16]byte{1, 2, 3}
	return c
}

var ethernet = packet.Link{MTU: 1500}

func newStack(t testing.TB, cfg Config, link packet.Link, addrs ...string) *Stack {
	s, err := New(cfg, link)
	require.NoError(t, err)
	for _, a := range addrs {
		require.NoError(t, s.AddAddr(prefix(a)))
	}
	return s
}

// pair is two stacks on one wire.
type pair struct {
	testing.TB
	now  clock.Instant
	a, b *Stack
	p    packet.Packet
	pass func(from *Stack, p *packet.Packet) bool // nil: all
	sent int
}

func newPair(t testing.TB, cfg Config) *pair { return newPairOn(t, cfg, ethernet) }

func newPairOn(t testing.TB, cfg Config, link packet.Link) *pair {
	other := cfg
	other.Secret[5] = 77
	p := &pair{
		TB: t, now: clock.Instant(clock.Second),
		a: newStack(t, cfg, link, "10.0.0.1/24"), b: newStack(t, other, link, "10.0.0.2/24"),
	}
	if link.MTU >= 1280 {
		require.NoError(t, p.a.AddAddr(prefix("fd00::1/64")))
		require.NoError(t, p.b.AddAddr(prefix("fd00::2/64")))
	}
	return p
}

// pump carries packets until both stacks are quiet.
func (p *pair) pump() {
	for p.carry(p.a, p.b) || p.carry(p.b, p.a) {
	}
}

func (p *pair) carry(from, to *Stack) bool {
	any := false
	for from.Output(p.now, &p.p) {
		any = true
		p.sent++
		if p.pass == nil || p.pass(from, &p.p) {
			to.Input(p.now, &p.p)
		}
	}
	return any
}

// run lets time pass, timer by timer.
func (p *pair) run(d clock.Duration) {
	end := p.now.Add(d)
	p.pump()
	for {
		next := min(p.a.Deadline(), p.b.Deadline())
		if next > end {
			break
		}
		p.now = max(p.now, next)
		p.a.Expire(p.now)
		p.b.Expire(p.now)
		p.pump()
	}
	p.now = end
}

func (p *pair) listen(s *Stack, port uint16, backlog int) *Listener {
	l, err := s.Listen(p.now, wire.AddrPort{Port: port}, ListenOptions{Backlog: backlog})
	require.NoError(p, err)
	return l
}

func (p *pair) dial(s *Stack, remote wire.AddrPort) *Conn {
	c, err := s.Dial(p.now, wire.AddrPort{}, remote, nil)
	require.NoError(p, err)
	return c
}

func (p *pair) accept(l *Listener) *Conn {
	c, err := l.Accept(p.now)
	require.NoError(p, err, "a connection should be waiting")
	return c
}

// connect opens a connection from a to b.
func (p *pair) connect(family wire.Family) (a, b *Conn) {
	l := p.b.listenerFor(wire.AddrPort{Addr: p.b.addrs[0].Addr, Port: 80})
	if l == nil {
		l = p.listen(p.b, 80, 128)
	}
	remote := at("10.0.0.2", 80)
	if family == wire.IPv6 {
		remote = at("fd00::2", 80)
	}
	a = p.dial(p.a, remote)
	p.pump()
	b = p.accept(l)
	require.Equal(p, tcp.Established, a.State())
	require.Equal(p, tcp.Established, b.State())
	for ok := true; ok; _, ok = p.a.NextReady() {
	}
	for ok := true; ok; _, ok = p.b.NextReady() {
	}
	return a, b
}

func readAll(t testing.TB, now clock.Instant, c *Conn) ([]byte, error) {
	var all []byte
	b := make([]byte, 4096)
	for {
		n, err := c.Read(now, b)
		all = append(all, b[:n]...)
		if err != nil {
			return all, err
		}
		require.Positive(t, n)
	}
}

// raw is somebody on the wire of one stack who sends whatever he likes.
type raw struct {
	testing.TB
	s             *Stack
	now           clock.Instant
	local, remote wire.AddrPort // as the stack sees it: remote is us
	mangle        func(b []byte) []byte
}

func newRaw(t testing.TB, cfg Config) *raw {
	return &raw{
		TB: t, s: newStack(t, cfg, ethernet, "10.0.0.1/24", "fd00::1/64"),
		now: clock.Instant(clock.Second), local: at("10.0.0.1", 80), remote: at("10.0.0.2", 1000),
	}
}

func newRaw6(t testing.TB, cfg Config) *raw {
	r := newRaw(t, cfg)
	r.local, r.remote = at("fd00::1", 80), at("fd00::2", 1000)
	return r
}

func segment(src, dst wire.AddrPort, t wire.TCP, payload string) []byte {
	t.SrcPort, t.DstPort = src.Port, dst.Port
	header := wire.AppendTCP(nil, &t)
	ip := wire.IP{Src: src.Addr, Dst: dst.Addr, Protocol: wire.ProtocolTCP, TTL: 64}
	b := wire.AppendIP(nil, &ip, len(header)+len(payload))
	n := len(b)
	b = append(append(b, header...), payload...)
	wire.FinishTCP(b, &ip, n, false)
	return b
}

func (r *raw) send(t wire.TCP, payload string) { r.packet(segment(r.remote, r.local, t, payload)) }

func (r *raw) packet(b []byte) {
	if r.mangle != nil {
		b = r.mangle(b)
	}
	r.s.Input(r.now, &packet.Packet{Bytes: b})
}

// got is a segment that came out.
type got struct {
	wire.TCP
	ip      wire.IP
	payload string
}

// replies drains what the stack sends. Each packet must be well-formed.
func (r *raw) replies() []got {
	var all []got
	var p packet.Packet
	for r.s.Output(r.now, &p) {
		all = append(all, parse(r.TB, p.Bytes))
	}
	return all
}

func parse(t testing.TB, b []byte) got {
	var g got
	require.Equal(t, rule.NotDropped, wire.ParseIP(b, &g.ip), "the stack sent a bad IP header")
	require.Equal(t, len(b), g.ip.TotalLen)
	require.Equal(t, uint8(wire.ProtocolTCP), g.ip.Protocol)
	upper := b[g.ip.HeaderLen:]
	require.Equal(t, rule.NotDropped, wire.ParseTCP(upper, &g.TCP))
	require.True(t, wire.VerifyTCP(upper, &g.ip), "RFC 9293 MUST-2: the sender makes the checksum")
	require.Zero(t, g.Options.Has&(wire.HasMalformed|wire.HasUnknown))
	g.payload = string(upper[g.HeaderLen:])
	return g
}

func (r *raw) one() got {
	all := r.replies()
	require.Len(r, all, 1, "one answer is expected")
	return all[0]
}

func (r *raw) none(why string) { require.Empty(r, r.replies(), why) }

func (r *raw) drops(why rule.Drop) uint64 { return r.s.Stats().Drops[why] }

// open completes a handshake with a listener of the stack and returns the last
// SYN-ACK; our next sequence number is 1.
func (r *raw) open() got {
	r.send(wire.TCP{Seq: 0, Flags: wire.SYN, Window: 65535, Options: wire.Options{Has: wire.HasMSS, MSS: 1460}}, "")
	synAck := r.one()
	require.Equal(r, wire.SYN|wire.ACK, synAck.Flags)
	r.send(wire.TCP{Seq: 1, Ack: synAck.Seq.Add(1), Flags: wire.ACK, Window: 65535}, "")
	return synAck
}

func (r *raw) listen(backlog int) *Listener {
	l, err := r.s.Listen(r.now, wire.AddrPort{Port: r.local.Port}, ListenOptions{Backlog: backlog})
	require.NoError(r, err)
	return l
}
