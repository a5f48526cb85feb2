package examples_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
)

func at(t testing.TB, address string, port uint16) wire.AddrPort {
	t.Helper()
	a, err := wire.ParseAddr(address)
	require.NoError(t, err)
	return wire.AddrPort{Addr: a, Port: port}
}

// newStack is a stack at 10.0.0.last, without timestamps, with plugins or none.
func newStack(t testing.TB, last byte, change func(*core.Config), set *plugins.Set) *core.Stack {
	t.Helper()
	c, err := core.Profile("linux")
	require.NoError(t, err)
	c.Secret[0], c.TCP.Timestamps = last, false
	if change != nil {
		change(&c)
	}
	s, err := core.New(c, packet.Link{MTU: 1500})
	require.NoError(t, err)
	require.NoError(t, s.AddAddr(wire.Prefix{Addr: wire.AddrFrom4([4]byte{10, 0, 0, last}), Bits: 24}))
	if set != nil {
		s.SetHook(set, set.Mask())
	}
	return s
}

// A stranger is somebody on the wire of a stack, who sends what he likes under any
// address.
type stranger struct {
	testing.TB
	s     *core.Stack
	now   clock.Instant
	local wire.AddrPort // of the stack
}

func newStranger(t testing.TB, change func(*core.Config), set *plugins.Set) *stranger {
	r := &stranger{t, newStack(t, 1, change, set), clock.Instant(clock.Second), at(t, "10.0.0.1", 80)}
	return r
}

func (r *stranger) listen(o core.ListenOptions) *core.Listener {
	l, err := r.s.Listen(r.now, wire.AddrPort{Port: r.local.Port}, o)
	require.NoError(r, err)
	return l
}

func (r *stranger) send(from wire.AddrPort, t wire.TCP, payload string) {
	t.SrcPort, t.DstPort = from.Port, r.local.Port
	header := wire.AppendTCP(nil, &t)
	ip := wire.IP{Src: from.Addr, Dst: r.local.Addr, Protocol: wire.ProtocolTCP, TTL: 64}
	b := wire.AppendIP(nil, &ip, len(header)+len(payload))
	n := len(b)
	b = append(append(b, header...), payload...)
	wire.FinishTCP(b, &ip, n, false)
	r.s.Input(r.now, &packet.Packet{Bytes: b})
}

// answers are the segments that come out.
func (r *stranger) answers() (all []wire.TCP) {
	var p packet.Packet
	for r.s.Output(r.now, &p) {
		var ip wire.IP
		var t wire.TCP
		require.Zero(r, wire.ParseIP(p.Bytes, &ip))
		require.Zero(r, wire.ParseTCP(p.Bytes[ip.HeaderLen:], &t))
		all = append(all, t)
	}
	return all
}

// syn sends a SYN, and returns the SYN-ACK, if there is one.
func (r *stranger) syn(from wire.AddrPort, o wire.Options) (answer wire.TCP, ok bool) {
	o.Has |= wire.HasMSS
	o.MSS = 1460
	r.send(from, wire.TCP{Seq: 99, Flags: wire.SYN, Window: 65535, Options: o}, "")
	all := r.answers()
	if len(all) == 0 {
		return answer, false
	}
	require.Len(r, all, 1)
	return all[0], true
}

// A couple is two stacks on one wire.
type couple struct {
	testing.TB
	now  clock.Instant
	a, b *core.Stack
	seen func(from *core.Stack, packet []byte) // nil: nobody looks
}

func (c *couple) settle() {
	carry := func(from, to *core.Stack) (some bool) {
		var p packet.Packet
		for from.Output(c.now, &p) {
			some = true
			if c.seen != nil {
				c.seen(from, p.Bytes)
			}
			to.Input(c.now, &p)
		}
		return some
	}
	for carry(c.a, c.b) || carry(c.b, c.a) {
	}
}

// read takes all that a connection has received.
func read(t testing.TB, now clock.Instant, c *core.Conn) string {
	b := make([]byte, 1<<17)
	n, err := c.Read(now, b)
	if n == 0 {
		require.Error(t, err)
	}
	return string(b[:n])
}
