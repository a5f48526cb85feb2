package walk

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A World is two hosts on one wire. A's hook is the one that is looked at.
type World struct {
	testing.TB
	A, B  *core.Stack
	probe *probe
	now   clock.Instant
	a, b  wire.Addr
	keeps func(fromA bool, h *wire.TCP) bool // packets that the wire swallows; nil: none
	sent  []wire.TCP                         // what A has sent
	p     packet.Packet

	// Of the path, as far as it has come.
	la, lb *core.Listener
	ca, cb *core.Conn
}

// ports of listeners, and of connections that are opened to them.
const (
	portA, portB = 1001, 1002
)

func newWorld(t testing.TB, six bool, hook Hook) *World {
	w := &World{TB: t, now: clock.Instant(clock.Hour), probe: &probe{next: hook}}
	names := [2]string{"10.0.0.1", "10.0.0.2"}
	if six {
		names = [2]string{"fd00::1", "fd00::2"}
	}
	for i, name := range names {
		cfg, err := core.Profile("rfc9293")
		require.NoError(t, err)
		cfg.Secret[0] = byte(i)
		s, err := core.New(cfg, packet.Link{MTU: 1500})
		require.NoError(t, err)
		a, err := wire.ParseAddr(name)
		require.NoError(t, err)
		require.NoError(t, s.AddAddr(wire.Prefix{Addr: a, Bits: 24}))
		if i == 0 {
			w.A, w.a = s, a
			s.SetHook(w.probe, hook.Mask()|watched)
		} else {
			w.B, w.b = s, a
		}
	}
	return w
}

// pump carries packets until both hosts are quiet. What both send at once crosses.
func (w *World) pump() {
	for any := true; any; {
		fromA, fromB := w.drain(w.A), w.drain(w.B)
		w.carry(fromA, w.B)
		w.carry(fromB, w.A)
		any = len(fromA)+len(fromB) > 0
	}
}

func (w *World) drain(from *core.Stack) (list [][]byte) {
	for from.Output(w.now, &w.p) {
		list = append(list, slices.Clone(w.p.Bytes))
	}
	return list
}

func (w *World) carry(list [][]byte, to *core.Stack) {
	for _, b := range list {
		h := w.read(b)
		if to == w.B {
			w.sent = append(w.sent, h)
		}
		if w.keeps == nil || !w.keeps(to == w.B, &h) {
			to.Input(w.now, &packet.Packet{Bytes: b})
		}
	}
}

// read takes a packet apart, which has to be as every receiver wants it.
func (w *World) read(b []byte) (h wire.TCP) {
	var ip wire.IP
	require.Equal(w, rule.NotDropped, wire.ParseIP(b, &ip))
	require.Len(w, b, ip.TotalLen)
	require.Equal(w, rule.NotDropped, wire.ParseTCP(b[ip.HeaderLen:], &h))
	require.True(w, wire.VerifyTCP(b[ip.HeaderLen:], &ip), "RFC 9293 §3.1 MUST-2: the checksum is right")
	return h
}

// pass lets time pass, timer by timer.
func (w *World) pass(d clock.Duration) {
	end := w.now.Add(d)
	for w.pump(); ; w.pump() {
		next := min(w.A.Deadline(), w.B.Deadline())
		if next > end {
			break
		}
		w.now = max(w.now, next)
		w.A.Expire(w.now)
		w.B.Expire(w.now)
	}
	w.now = end
}

// send gives A a segment that B has never sent: with B's place in its connection,
// as far as A knows it.
func (w *World) send(flags wire.Flags) {
	v := w.ca.View()
	w.forge(wire.TCP{Seq: v.Receive.NXT, Ack: v.Send.NXT, Flags: flags, Window: 1000})
}

func (w *World) forge(h wire.TCP) {
	local, remote := w.ca.Local(), w.ca.Remote()
	h.SrcPort, h.DstPort = remote.Port, local.Port
	header := wire.AppendTCP(nil, &h)
	ip := wire.IP{Src: remote.Addr, Dst: local.Addr, Protocol: wire.ProtocolTCP, TTL: 64}
	b := wire.AppendIP(nil, &ip, len(header))
	n := len(b)
	b = append(b, header...)
	wire.FinishTCP(b, &ip, n, false)
	w.A.Input(w.now, &packet.Packet{Bytes: b})
	w.pump()
}

// The users' calls. Those of a world in which the hook has stopped a segment may have
// nobody to be made on.

func (w *World) listenA() {
	var err error
	w.la, err = w.A.Listen(w.now, wire.AddrPort{Port: portA}, core.ListenOptions{Backlog: 5})
	require.NoError(w, err)
}

func (w *World) listenB() {
	var err error
	w.lb, err = w.B.Listen(w.now, wire.AddrPort{Port: portB}, core.ListenOptions{Backlog: 5})
	require.NoError(w, err)
}

// dialA opens a connection to B, from portA.
func (w *World) dialA() {
	c, err := w.A.Dial(w.now, wire.AddrPort{Addr: w.a, Port: portA}, wire.AddrPort{Addr: w.b, Port: portB}, nil)
	require.NoError(w, err)
	w.ca = c
}

// dialB opens a connection to A, from portB.
func (w *World) dialB() {
	c, err := w.B.Dial(w.now, wire.AddrPort{Addr: w.b, Port: portB}, wire.AddrPort{Addr: w.a, Port: portA}, nil)
	require.NoError(w, err)
	w.cb = c
}

// find gives A's connection with B, whoever holds it.
func (w *World) find() *core.Conn {
	return w.A.Find(&tcp.Tuple{Local: wire.AddrPort{Addr: w.a, Port: portA}, Remote: wire.AddrPort{Addr: w.b, Port: portB}})
}

// accept gives both users the connection that has been opened, if it has.
func (w *World) accept() {
	w.pump()
	for _, x := range []struct {
		l *core.Listener
		c **core.Conn
	}{{w.la, &w.ca}, {w.lb, &w.cb}} {
		if x.l != nil && *x.c == nil {
			if c, err := x.l.Accept(w.now); err == nil {
				*x.c = c
			}
		}
	}
}

// open is an active open of A's that has come to an end.
func (w *World) open() {
	w.listenB()
	w.dialA()
	w.accept()
}

// cross has both ends open at once, and both SYNs on their way.
func (w *World) cross() {
	w.dialA()
	w.dialB()
}

func (w *World) shut(c *core.Conn) {
	if c != nil {
		_ = c.CloseWrite(w.now)
	}
	w.pump()
}

func (w *World) close(c *core.Conn) {
	if c != nil {
		_ = c.Close(w.now)
	}
	w.pump()
}

func (w *World) abort(c *core.Conn) {
	if c != nil {
		c.Abort(w.now)
	}
	w.pump()
}

func (w *World) write(c *core.Conn) {
	if c != nil {
		_, _ = c.Write(w.now, []byte("octets"))
	}
	w.pump()
}

// swallow has the wire keep what one end sends from here on; with none of flags,
// all of it, else segments that have them.
func (w *World) swallow(fromA bool, flags wire.Flags) {
	w.keeps = func(from bool, h *wire.TCP) bool { return from == fromA && h.Flags&flags == flags }
}

func (w *World) deliver() { w.keeps = nil }
