package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

func TestListenAddresses(t *testing.T) {
	s := newStack(t, config("linux"), ethernet, "10.0.0.1/24", "10.0.0.9/24", "fd00::1/64")
	listen := func(local wire.AddrPort) (*Listener, error) { return s.Listen(0, local, ListenOptions{}) }
	anyone := func(port uint16) wire.AddrPort { return wire.AddrPort{Port: port} }
	_, err := listen(at("10.0.0.2", 80))
	require.Equal(t, tcp.ErrAddrNotAvail, err)
	one, err := listen(at("10.0.0.1", 80))
	require.NoError(t, err)
	_, err = listen(at("10.0.0.1", 80))
	require.Equal(t, tcp.ErrAddrInUse, err)
	_, err = listen(anyone(80))
	require.Equal(t, tcp.ErrAddrInUse, err, "it would take what the other has")
	nine, err := listen(at("10.0.0.9", 80))
	require.NoError(t, err)
	six, err := listen(at("::", 80))
	require.NoError(t, err, "all of IPv6 is none of IPv4")
	four, err := listen(at("0.0.0.0", 81))
	require.NoError(t, err)
	both, err := listen(anyone(82))
	require.NoError(t, err)
	for local, want := range map[wire.AddrPort]*Listener{
		at("10.0.0.1", 80): one, at("10.0.0.9", 80): nine, at("fd00::1", 80): six,
		at("10.0.0.9", 81): four, at("fd00::1", 81): nil,
		at("10.0.0.1", 82): both, at("fd00::1", 82): both, at("10.0.0.1", 83): nil,
	} {
		require.Same(t, want, s.listenerFor(local), "%v", local)
	}
	one.Close(0)
	one.Close(0)
	require.Nil(t, s.listenerFor(at("10.0.0.1", 80)))
	require.Same(t, nine, s.listenerFor(at("10.0.0.9", 80)))
	free, err := listen(anyone(0))
	require.NoError(t, err)
	require.GreaterOrEqual(t, free.Addr().Port, s.cfg.PortLow)
	require.Equal(t, one.Slot(), free.Slot(), "slots are used again")
	require.Same(t, free, s.Listener(free.Slot()))
	_, err = one.Accept(0)
	require.Equal(t, tcp.ErrClosing, err)
}

// As on Linux: backlog+1 connections wait; then a SYN is dropped, and so is the
// ACK that would complete a handshake.
func TestBacklog(t *testing.T) {
	r := newRaw(t, config("linux"))
	l := r.listen(1)
	syn := func(port uint16) {
		r.remote.Port = port
		r.send(wire.TCP{Seq: 0, Flags: wire.SYN, Window: 1000}, "")
	}
	ack := func(port uint16, g got) {
		r.remote.Port = port
		r.send(wire.TCP{Seq: 1, Ack: g.Seq.Add(1), Flags: wire.ACK, Window: 1000}, "")
	}
	syn(1)
	ack(1, r.one())
	syn(2)
	two := r.one()
	ack(2, two)
	require.Equal(t, 2, l.Waiting())
	syn(3)
	r.none("the accept queue is full: the SYN is dropped")
	require.Equal(t, uint64(1), r.drops(rule.DropAcceptQueueFull))

	c, err := l.Accept(r.now)
	require.NoError(t, err)
	syn(3)
	three := r.one()
	syn(9)
	r.one()
	syn(4)
	four := r.one() // with a cookie, since two half-open connections are all that backlog 1 allows
	require.Equal(t, 2, l.HalfOpen())
	r.remote.Port = 9
	r.send(wire.TCP{Seq: 1, Flags: wire.RST}, "")
	require.Equal(t, 1, l.HalfOpen())
	ack(3, three)
	ack(4, four)
	r.none("the queue is full again")
	require.Equal(t, 2, l.Waiting())
	require.Equal(t, 0, l.HalfOpen())
	_, err = l.Accept(r.now)
	require.NoError(t, err)
	ack(4, four)
	require.Equal(t, 2, l.Waiting(), "the ACK comes again and is taken")
	require.Equal(t, at("10.0.0.2", 1), c.Remote())

	// Half-open while the queue fills: its ACK is ignored, a bad one is not.
	_, err = l.Accept(r.now)
	require.NoError(t, err)
	_, err = l.Accept(r.now)
	require.NoError(t, err)
	syn(5)
	five := r.one()
	for _, port := range []uint16{6, 7} {
		syn(port)
		ack(port, r.one())
	}
	require.Equal(t, 2, l.Waiting())
	ack(5, five)
	r.none("the ACK is ignored")
	require.Equal(t, 1, l.HalfOpen())
	five.Seq++
	ack(5, five)
	require.Equal(t, wire.RST, r.one().Flags, "an ACK of something else is answered all the same")
	five.Seq--
	_, err = l.Accept(r.now)
	require.NoError(t, err)
	ack(5, five)
	require.Equal(t, 0, l.HalfOpen())
	require.Equal(t, 2, l.Waiting())
}

func TestHalfOpenEnds(t *testing.T) {
	r := newRaw(t, config("linux"))
	l := r.listen(5)
	r.send(wire.TCP{Seq: 0, Flags: wire.SYN, Window: 1000}, "")
	r.one()
	require.Equal(t, 1, l.HalfOpen())
	r.send(wire.TCP{Seq: 1, Flags: wire.RST}, "")
	r.none("a reset is not answered")
	require.Equal(t, 0, l.HalfOpen(), "MUST-11: back to LISTEN")
	require.Zero(t, r.s.Conns())
	require.Equal(t, clock.Never, r.s.Deadline())

	// Nobody answers the SYN-ACK: it goes again, and in the end it is forgotten.
	r.send(wire.TCP{Seq: 0, Flags: wire.SYN, Window: 1000}, "")
	again := len(r.replies())
	for r.s.Deadline() != clock.Never {
		r.now = r.s.Deadline()
		r.s.Expire(r.now)
		again += len(r.replies())
	}
	require.Equal(t, 1+int(r.s.cfg.TCP.SynAckRetries), again)
	require.Equal(t, 0, l.HalfOpen())
	require.Zero(t, r.s.Conns())
}

// Closing a listener resets what nobody has accepted.
func TestListenerClose(t *testing.T) {
	r := newRaw(t, config("linux"))
	l := r.listen(5)
	r.open()
	r.remote.Port++
	r.send(wire.TCP{Seq: 0, Flags: wire.SYN, Window: 1000}, "")
	r.one()
	require.Equal(t, 2, r.s.Conns())
	l.Close(r.now)
	resets := r.replies()
	require.Len(t, resets, 2)
	for _, g := range resets {
		require.Equal(t, wire.RST|wire.ACK, g.Flags)
	}
	require.Zero(t, r.s.Conns())
	_, ok := r.s.NextReady()
	require.False(t, ok)
	r.send(wire.TCP{Seq: 0, Flags: wire.SYN}, "")
	require.Equal(t, wire.RST|wire.ACK, r.one().Flags, "the port is closed")
}

// A connection that its peer resets before anybody accepts it is still accepted,
// and then tells what happened.
func TestResetBeforeAccept(t *testing.T) {
	r := newRaw(t, config("linux"))
	l := r.listen(5)
	r.open()
	r.send(wire.TCP{Seq: 1, Flags: wire.RST}, "")
	r.none("")
	c, err := l.Accept(r.now)
	require.NoError(t, err)
	_, err = c.Read(r.now, make([]byte, 1))
	require.Equal(t, tcp.ErrReset, err)
	require.NoError(t, c.Close(r.now))
	r.none("")
	require.Zero(t, r.s.Conns())
	r.open()
	require.Equal(t, 1, r.s.Conns(), "the name is free")
}

// THREATS S03.
//
// Proves: S03
func TestSmallMSSIsRefused(t *testing.T) {
	for _, r := range []*raw{newRaw(t, config("rfc9293")), newRaw6(t, config("rfc9293"))} {
		r.listen(5)
		for _, mss := range []uint16{0, 1, 8, 48, 63, 215, 216, 1460} {
			r.remote.Port++
			r.send(wire.TCP{Flags: wire.SYN, Window: 100, Options: wire.Options{Has: wire.HasMSS, MSS: mss}}, "")
			require.Equal(t, mss >= 216, len(r.replies()) == 1, "MSS %d", mss)
		}
		require.Equal(t, uint64(6), r.drops(rule.DropSmallMSS))
	}
}

// Simultaneous open through two stacks: MUST-10.
//
// Proves: MUST-10
func TestSimultaneousOpen(t *testing.T) {
	p := newPair(t, config("linux"))
	a, err := p.a.Dial(p.now, at("10.0.0.1", 7), at("10.0.0.2", 8), nil)
	require.NoError(t, err)
	b, err := p.b.Dial(p.now, at("10.0.0.2", 8), at("10.0.0.1", 7), nil)
	require.NoError(t, err)
	var syn, other = p.p, p.p
	require.True(t, p.a.Output(p.now, &syn))
	require.True(t, p.b.Output(p.now, &other))
	p.a.Input(p.now, &other)
	p.b.Input(p.now, &syn)
	p.pump()
	require.Equal(t, tcp.Established, a.State())
	require.Equal(t, tcp.Established, b.State())
}
