package core

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

var synOptions = wire.Options{
	Has: wire.HasMSS | wire.HasWindowScale | wire.HasSACKPermitted | wire.HasTimestamps,
	MSS: 1400, WindowScale: 9, TSVal: 4711,
}

// flooded is a listener whose half-open connections are as many as may be.
func flooded(r *raw) *Listener {
	l := r.listen(4)
	for range 5 { // one more than the backlog, as on Linux
		r.remote.Port++
		r.send(wire.TCP{Flags: wire.SYN, Window: 100, Options: synOptions}, "")
		r.one()
	}
	require.Equal(r, 5, l.HalfOpen())
	r.remote.Port++
	return l
}

// A connection that began with a cookie is like one that did not, and the SYN-ACK
// that carried it too.
func TestCookieOpensAConnection(t *testing.T) {
	for _, fresh := range []func(testing.TB, Config) *raw{newRaw, newRaw6} {
		r := fresh(t, config("linux"))
		l := r.listen(0)
		r.send(wire.TCP{Seq: 100, Flags: wire.SYN, Window: 100, Options: synOptions}, "")
		plain := r.one()
		r.remote.Port++
		r.send(wire.TCP{Seq: 100, Flags: wire.SYN, Window: 100, Options: synOptions}, "")
		g := r.one()
		synAck := g
		require.Equal(t, uint64(1), r.s.Stats().CookiesSent)
		require.Equal(t, 1, l.HalfOpen(), "nothing is remembered")
		require.Equal(t, plain.Flags, g.Flags)
		require.Equal(t, plain.Ack, g.Ack)
		require.Equal(t, plain.Window, g.Window)
		require.Equal(t, plain.Options.Has, g.Options.Has)
		require.Equal(t, plain.Options.MSS, g.Options.MSS)
		require.Equal(t, plain.Options.WindowScale, g.Options.WindowScale)
		require.Equal(t, uint32(4711), g.Options.TSEcr)
		require.Equal(t, plain.ip.TTL, g.ip.TTL)
		require.Equal(t, plain.ip.DontFragment, g.ip.DontFragment)

		r.now = r.now.Add(50 * clock.Millisecond)
		r.send(wire.TCP{
			Seq: 101, Ack: g.Seq.Add(1), Flags: wire.ACK, Window: 7,
			Options: wire.Options{Has: wire.HasTimestamps, TSVal: 4800, TSEcr: g.Options.TSVal},
		}, "request")
		require.Equal(t, uint64(1), r.s.Stats().CookiesAccepted)
		require.Equal(t, uint64(1), r.s.Stats().Established)
		require.Equal(t, 1, l.HalfOpen())
		c, err := l.Accept(r.now)
		require.NoError(t, err)
		require.Equal(t, tcp.Established, c.State())
		data, _ := readAll(t, r.now, c)
		require.Equal(t, "request", string(data))
		r.replies()
		_, err = c.Write(r.now, make([]byte, 5000))
		require.NoError(t, err)
		sent := r.replies()
		require.NotEmpty(t, sent)
		require.Len(t, sent[0].payload, 1360-12, "the largest MSS of the table that was offered, less timestamps")
		total := 0
		for _, g := range sent {
			total += len(g.payload)
			require.True(t, g.Options.Has.Has(wire.HasTimestamps))
			require.GreaterOrEqual(t, int32(g.Options.TSVal-synAck.Options.TSVal), int32(0))
		}
		require.Equal(t, 2*1348, total, "whole segments fill the window, scaled as the SYN said: 7<<9")
	}
}

func TestCookieWithoutTimestamps(t *testing.T) {
	r := newRaw(t, config("linux"))
	l := flooded(r)
	o := synOptions
	o.Has &^= wire.HasTimestamps
	r.send(wire.TCP{Seq: 100, Flags: wire.SYN, Window: 100, Options: o}, "")
	g := r.one()
	require.Equal(t, wire.HasMSS, g.Options.Has, "nowhere to keep the rest")
	r.send(wire.TCP{Seq: 101, Ack: g.Seq.Add(1), Flags: wire.ACK, Window: 1000}, "")
	require.Equal(t, 1, l.Waiting())
}

// THREATS S14: of random ACKs at most one is taken, and all others are reset.
//
// Proves: S14
func TestForgedCookies(t *testing.T) {
	n := release.Count(100_000, 1_000_000)
	cfg := config("linux")
	cfg.ResetInterval = 0
	r := newRaw(t, cfg)
	flooded(r)
	r.send(wire.TCP{Flags: wire.SYN, Window: 100}, "") // so that cookies are expected
	r.one()
	tuple := tcp.Tuple{Local: r.local, Remote: r.remote}
	var seg tcp.Segment
	seg.Tuple = tuple
	taken := 0
	for i := range uint64(n) {
		x := siphash.Words2(siphash.Key{K0: 9}, i, 0)
		seg.Seq, seg.Ack = seq.Value(x), seq.Value(x>>32)
		if good, why := r.s.openCookie(r.now, r.s.listeners[0], &seg); good {
			taken++
		} else {
			require.Equal(t, rule.DropCookie, why)
		}
	}
	require.LessOrEqual(t, taken, 1)
	r.send(wire.TCP{Seq: 5, Ack: 6, Flags: wire.ACK}, "")
	require.Equal(t, wire.RST, r.one().Flags)
	require.Equal(t, uint64(1), r.drops(rule.DropCookie))
}

// THREATS S14: a cookie is good for one name and for two slots.
//
// Proves: S14
func TestCookieElsewhereOrLater(t *testing.T) {
	cfg := config("linux")
	for name, c := range map[string]struct {
		change func(r *raw, ack *wire.TCP)
		good   bool
	}{
		"as it was":          {func(*raw, *wire.TCP) {}, true},
		"in the next slot":   {func(r *raw, _ *wire.TCP) { r.now = clock.Instant(2*cfg.CookieSlot) - 1 }, true},
		"after two slots":    {func(r *raw, _ *wire.TCP) { r.now = clock.Instant(2 * cfg.CookieSlot) }, false},
		"from another port":  {func(r *raw, _ *wire.TCP) { r.remote.Port++ }, false},
		"from another host":  {func(r *raw, _ *wire.TCP) { r.remote.Addr = addr("10.0.0.3") }, false},
		"of another SYN":     {func(_ *raw, t *wire.TCP) { t.Seq++ }, false},
		"with another MSS":   {func(_ *raw, t *wire.TCP) { t.Ack += 2 }, false},
		"with a SYN":         {func(_ *raw, t *wire.TCP) { t.Flags |= wire.SYN }, false},
		"as a reset as well": {func(_ *raw, t *wire.TCP) { t.Flags |= wire.RST }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRaw(t, cfg)
			l := flooded(r)
			r.send(wire.TCP{Seq: 100, Flags: wire.SYN, Window: 100}, "")
			ack := wire.TCP{Seq: 101, Ack: r.one().Seq.Add(1), Flags: wire.ACK, Window: 100}
			c.change(r, &ack)
			r.send(ack, "")
			if c.good {
				require.Equal(t, 1, l.Waiting())
				r.none("")
				return
			}
			require.Equal(t, 0, l.Waiting())
			for _, g := range r.replies() {
				require.Equal(t, wire.RST, g.Flags)
			}
		})
	}
}

// Where no cookie was sent none is believed.
func TestCookieOnlyWhenExpected(t *testing.T) {
	r := newRaw(t, config("linux"))
	l := r.listen(5)
	tuple := tcp.Tuple{Local: r.local, Remote: r.remote}
	iss := r.s.cookie(&tuple, 100, r.s.cookieSlot(r.now), 3)
	r.send(wire.TCP{Seq: 101, Ack: iss.Add(1), Flags: wire.ACK, Window: 100}, "")
	require.Equal(t, wire.RST, r.one().Flags)
	require.Equal(t, 0, l.Waiting())
}

// THREATS S13: a flood of SYNs takes no more than the backlog, and an honest
// client beside it connects.
//
// Proves: S13
func TestSynFlood(t *testing.T) {
	n := release.Count(20_000, 1_000_000)
	p := newPair(t, config("linux"))
	l := p.listen(p.b, 80, 128)
	before := heap()
	syn := func(i int) {
		from := wire.AddrPort{Addr: wire.AddrFrom4([4]byte{172, 16, byte(i >> 16), byte(i >> 8)}), Port: uint16(i)}
		p.p.Bytes = segment(from, at("10.0.0.2", 80), wire.TCP{Flags: wire.SYN, Window: 1000}, "")
		p.b.Input(p.now, &p.p)
		for p.b.Output(p.now, &p.p) {
		}
	}
	for i := range n {
		syn(i)
	}
	require.LessOrEqual(t, p.b.Conns(), 130)
	const one = int(unsafe.Sizeof(Conn{})) + 1024 // with its places in the tables, and the room of replies
	require.LessOrEqual(t, heap()-before, 130*one, "of the heap")
	p.sent = 0
	a := p.dial(p.a, at("10.0.0.2", 80))
	p.pump()
	require.Equal(t, tcp.Established, a.State())
	require.LessOrEqual(t, p.sent, 6, "three round trips at most")
	b := p.accept(l)
	_, err := a.Write(p.now, []byte("hello"))
	require.NoError(t, err)
	p.pump()
	got, _ := readAll(t, p.now, b)
	require.Equal(t, "hello", string(got))

	off := config("linux")
	off.SynCookies = false
	r := newRaw(t, off)
	flooded(r)
	r.send(wire.TCP{Flags: wire.SYN, Window: 100}, "")
	r.none("without cookies the SYN is dropped")
	require.Equal(t, uint64(1), r.drops(rule.DropBacklogFull))
}
