package core

import (
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

// synWith are the options of a SYN with a cookie.
func synWith(k tcp.Cookie) wire.Options {
	return wire.Options{Has: wire.HasMSS | wire.HasFastOpen, MSS: 1460, FastOpenLen: k.Len, FastOpenExp: k.Exp, FastOpen: k.Octets}
}

// askFor asks the stack for the cookie of r.remote and forgets the connection.
func askFor(r *raw) tcp.Cookie {
	r.send(wire.TCP{Flags: wire.SYN, Window: 65535, Options: synWith(tcp.Cookie{})}, "")
	g := r.one()
	k, ok := tcp.CookieOf(&g.Options)
	require.True(r, ok, "a cookie is given")
	r.send(wire.TCP{Seq: 1, Flags: wire.RST}, "")
	r.none("a reset has no answer")
	return k
}

// pass lets time pass, timer by timer.
func pass(r *raw, d clock.Duration) {
	r.replies()
	for end := r.now.Add(d); ; {
		next := min(r.s.Deadline(), end)
		r.now = max(r.now, next)
		r.s.Expire(r.now)
		r.replies()
		if next == end {
			return
		}
	}
}

// A cookie is the one that Linux makes of the same key and addresses, so that a
// farm of servers may have both.
//
// Proves: RFC 7413 §6.3.4
func TestFastOpenCookieIsLinuxs(t *testing.T) {
	set := siphash.KeyFrom([16]byte{
		0xa1, 0xa1, 0xa1, 0xa1, 0xb2, 0xb2, 0xb2, 0xb2, 0xc3, 0xc3, 0xc3, 0xc3, 0xd4, 0xd4, 0xd4, 0xd4,
	})
	for _, c := range []struct {
		key            siphash.Key
		client, server string
		want           string
	}{
		{set, "192.0.2.1", "192.168.0.1", "3021b9d889017eeb"},
		{set, "fd3d:fa7b:d17d::1", "fd3d:0a0b:17d6::1", "c1d1e9742a47a9bc"},
		{siphash.Key{}, "192.0.2.1", "192.168.0.1", "b7c12350a90dc8f5"},
		{siphash.Key{}, "fd3d:fa7b:d17d::1", "fd3d:0a0b:17d6::1", "82af1a8f9a205c34"},
	} {
		k := FastOpenCookie(c.key, addr(c.client), addr(c.server))
		require.Equal(t, c.want, hex.EncodeToString(k.Octets[:k.Len]))
	}
}

// Nobody makes up a cookie: not by guessing, not from one that is nearly right, of
// another client, another server, another length, or another key.
//
// Proves: RFC 7413 §4.1.2
func TestForgedFastOpenCookies(t *testing.T) {
	for _, fresh := range []func(testing.TB, Config) *raw{newRaw, newRaw6} {
		r := fresh(t, config("linux"))
		l := r.listen(8)
		l.SetFastOpen(8, FastOpenKeys{})
		good := askFor(r)
		try := func(k tcp.Cookie, why string) {
			r.remote.Port++
			r.send(wire.TCP{Flags: wire.SYN, Window: 65535, Options: synWith(k)}, "data")
			g := r.one()
			if g.Ack != 1 {
				require.Equal(t, uint32(1), uint32(g.Ack), why)
			}
			r.send(wire.TCP{Seq: 1, Flags: wire.RST}, "")
		}
		for bit := range 64 {
			k := good
			k.Octets[bit/8] ^= 1 << (bit % 8)
			try(k, fmt.Sprintf("bit %d", bit))
		}
		for n := uint8(4); n <= 16; n += 2 {
			if n != good.Len {
				k := good
				k.Len = n
				clear(k.Octets[min(n, good.Len):])
				try(k, fmt.Sprintf("%d octets", n))
			}
		}
		for i := range release.Count(20_000, 300_000) {
			k := tcp.Cookie{Len: 8}
			wire.PutBe32(k.Octets[:], uint32(siphash.Words2(siphash.Key{K0: 7}, uint64(i), 0)))
			wire.PutBe32(k.Octets[4:], uint32(siphash.Words2(siphash.Key{K0: 7}, uint64(i), 1)))
			try(k, "a guess")
		}
		client := r.remote
		r.remote.Addr = addr(map[bool]string{false: "10.0.0.3", true: "fd00::3"}[client.Addr.Is6()])
		try(good, "another client")
		r.remote = client
		l.SetFastOpen(8, FastOpenKeys{Number: 1})
		try(good, "another key")
		l.SetFastOpen(8, FastOpenKeys{})
		require.Zero(t, r.s.Stats().FastOpens)

		r.remote.Port++
		r.send(wire.TCP{Flags: wire.SYN, Window: 65535, Options: synWith(good)}, "data")
		require.Equal(t, uint32(5), uint32(r.one().Ack), "the good one is good still")
	}
}

// SYNs with good cookies open no more connections than the listener allows, and
// hold no more memory; the others are ordinary ones, and then SYN cookies.
//
// Proves: RFC 7413 §5.1, S13
func TestFastOpenFlood(t *testing.T) {
	cfg := config("linux")
	r := newRaw(t, cfg)
	l := r.listen(64)
	l.SetFastOpen(16, FastOpenKeys{})
	good := askFor(r)
	data := string(make([]byte, 1400))
	for range 50_000 {
		r.remote.Port++
		r.send(wire.TCP{Flags: wire.SYN, Window: 65535, Options: synWith(good)}, data)
		r.replies()
	}
	require.Equal(t, uint64(16), r.s.Stats().FastOpens)
	require.LessOrEqual(t, r.s.Conns(), 16+65)
	require.Equal(t, 16*tcp.ChunkSize, r.s.env.Pool.InUse(), "a chunk each")
	require.Equal(t, 16, l.Waiting())

	// Accepted and answered, they count until their handshake is over.
	var conns []*Conn
	for range 16 {
		c, err := l.Accept(r.now)
		require.NoError(t, err)
		conns = append(conns, c)
		_, err = c.Write(r.now, []byte("answer"))
		require.NoError(t, err)
	}
	r.replies()
	opens := func() bool {
		before := r.s.Stats().FastOpens
		r.remote.Port++
		r.send(wire.TCP{Flags: wire.SYN, Window: 65535, Options: synWith(good)}, "x")
		r.replies()
		return r.s.Stats().FastOpens > before
	}
	require.False(t, opens())

	pass(r, 64*clock.Second) // the ordinary ones have timed out
	require.Zero(t, l.HalfOpen())
	require.False(t, opens())

	// Who resets what he has not asked for makes no room for a minute.
	for _, c := range conns {
		p := segment(c.Remote(), c.Local(), wire.TCP{Seq: 1401, Flags: wire.RST}, "")
		r.packet(p)
		require.Equal(t, tcp.ErrReset, c.Err())
	}
	pass(r, 59*clock.Second)
	require.False(t, opens())
	pass(r, clock.Second)
	require.True(t, opens())
	for range 15 {
		require.True(t, opens())
	}
	require.False(t, opens(), "each reset makes room once")
}

// A farm's backup key, and the keys that a stack draws by itself.
//
// Proves: RFC 7413 §4.1.2
func TestFastOpenKeys(t *testing.T) {
	r := newRaw(t, config("linux"))
	l := r.listen(64)
	l.SetFastOpen(64, FastOpenKeys{})
	drawn := askFor(r)
	other := config("linux")
	other.Secret[0]++
	s := newRaw(t, other)
	s.listen(8).SetFastOpen(8, FastOpenKeys{})
	require.NotEqual(t, drawn, askFor(s), "another secret, another key")

	cfg := *r.s.Config()
	cfg.FastOpenKeys = FastOpenKeys{Key: [2]siphash.Key{{K0: 1}, {K0: 2}}, Number: 2}
	require.NoError(t, r.s.SetConfig(cfg))
	first := askFor(r)
	require.NotEqual(t, drawn, first)
	old := FastOpenCookie(siphash.Key{K0: 2}, r.remote.Addr, r.local.Addr)
	r.remote.Port++
	r.send(wire.TCP{Flags: wire.SYN, Window: 65535, Options: synWith(old)}, "data")
	g := r.one()
	require.Equal(t, uint32(5), uint32(g.Ack), "the backup's cookie is good")
	k, _ := tcp.CookieOf(&g.Options)
	require.Equal(t, first, k, "and exchanged")
}

// A client remembers so many servers, those it used last; what it knows of one
// pair of addresses says nothing about another.
//
// Proves: RFC 7413 §4.1.3
func TestFastOpenServersAreBounded(t *testing.T) {
	cfg := config("linux")
	cfg.FastOpenServers = 8
	r := newRaw(t, cfg)
	require.NoError(t, r.s.AddAddr(prefix("10.0.0.9/24")))
	server := func(i int) wire.AddrPort {
		return wire.AddrPort{Addr: wire.AddrFrom4([4]byte{10, 0, 1, byte(i)}), Port: 80}
	}
	learn := func(local, remote wire.AddrPort, cookie byte) {
		c, n, err := r.s.DialFastOpen(r.now, local, remote, nil, []byte("data"))
		require.NoError(t, err)
		g := r.one()
		require.Len(t, g.payload, n)
		o := synWith(tcp.Cookie{Len: 4, Octets: [16]byte{cookie, byte(remote.Port)}})
		r.packet(segment(remote, c.Local(), wire.TCP{Ack: g.Seq.Add(1), Flags: wire.SYN | wire.ACK, Window: 1000, Options: o}, ""))
		r.replies()
		require.Equal(t, tcp.Established, c.State())
		c.Abort(r.now)
		r.replies()
	}
	for i := range 100 {
		learn(wire.AddrPort{}, server(i), byte(i))
		require.LessOrEqual(t, len(r.s.fast.servers), 8)
	}
	for i := range 100 {
		require.Equal(t, i >= 92, r.s.CanFastOpen(r.now, wire.AddrPort{}, server(i), nil), "server %d", i)
	}
	require.False(t, r.s.CanFastOpen(r.now, at("10.0.0.9", 0), server(99), nil), "from another of our addresses")
	learn(at("10.0.0.9", 0), server(99), 200)
	require.False(t, r.s.CanFastOpen(r.now, wire.AddrPort{}, server(92), nil), "the one used longest ago has gone")
	learn(wire.AddrPort{}, server(93), 7)
	learn(wire.AddrPort{}, server(1), 7)
	require.True(t, r.s.CanFastOpen(r.now, wire.AddrPort{}, server(93), nil), "used again")
	require.False(t, r.s.CanFastOpen(r.now, wire.AddrPort{}, server(94), nil))

	d := r.s.Clone()
	require.Equal(t, r.s.Fingerprint(r.now), d.Fingerprint(r.now))
	d.FlushFastOpen()
	require.NotEqual(t, r.s.Fingerprint(r.now), d.Fingerprint(r.now))
	require.False(t, d.CanFastOpen(r.now, wire.AddrPort{}, server(93), nil))
	require.True(t, r.s.CanFastOpen(r.now, wire.AddrPort{}, server(93), nil), "the other has them still")
}

// Each black hole in a row makes Fast Open rest twice as long, up to 64 times; one
// connection that works ends that.
//
// Proves: RFC 7413 §4.1.3.1
func TestFastOpenRests(t *testing.T) {
	cfg := config("linux")
	cfg.FastOpenBlackhole = 100 * clock.Second
	r := newRaw(t, cfg)
	to := at("10.0.0.2", 80)
	can := func() bool { return r.s.CanFastOpen(r.now, wire.AddrPort{}, to, nil) }
	// works is a connection that opens and gets data.
	works := func(carries int) {
		c, n, err := r.s.DialFastOpen(r.now, wire.AddrPort{}, to, nil, []byte("data"))
		require.NoError(t, err)
		require.Equal(t, carries, n)
		g := r.one()
		send := func(h wire.TCP, payload string) { r.packet(segment(to, c.Local(), h, payload)) }
		send(wire.TCP{Ack: g.Seq.Add(1).Add(seq.Size(n)), Flags: wire.SYN | wire.ACK, Window: 1000, Options: synWith(tcp.Cookie{Len: 8})}, "")
		send(wire.TCP{Seq: 1, Ack: g.Seq.Add(1).Add(seq.Size(n)), Flags: wire.ACK, Window: 1000}, "answer")
		r.replies()
		require.Equal(t, 6, c.Readable())
		c.Abort(r.now)
		r.replies()
	}
	works(0)
	for _, rest := range []clock.Duration{100, 200, 400, 800, 1600, 3200, 6400, 6400} {
		require.True(t, can())
		c, n, err := r.s.DialFastOpen(r.now, wire.AddrPort{}, to, nil, []byte("data"))
		require.NoError(t, err)
		require.Equal(t, 4, n)
		pass(r, 2*clock.Second)
		require.True(t, can(), "two timeouts are not enough")
		pass(r, clock.Second)
		require.False(t, can())
		c.Abort(r.now)
		pass(r, rest*clock.Second-clock.Millisecond)
		require.False(t, can(), "%d s", rest)
		pass(r, clock.Millisecond)
	}
	works(4)
	require.Zero(t, r.s.fast.pauses)
}

// Over a wire that loses and repeats packets, data of SYNs is delivered like any
// other: in order, complete, and here once, since no connection has ended before
// its duplicates are gone. The invariants hold after every step, and a clone goes
// on the same way.
//
// Proves: RFC 7413 §4.2.2
func TestFastOpenOverALossyWire(t *testing.T) {
	seeds := uint64(300)
	if testing.Short() {
		seeds = 60
	}
	fast := uint64(0)
	for seed := range seeds {
		for _, profile := range []string{"linux", "rfc9293"} {
			fast += fastOverLossyWire(t, seed, profile)
		}
	}
	require.Greater(t, fast, seeds, "most SYNs carried data")
}

func fastOverLossyWire(t *testing.T, seed uint64, profile string) uint64 {
	cfg := config(profile)
	cfg.FastOpenPause = 0
	p := newPair(t, cfg)
	l, err := p.b.Listen(p.now, wire.AddrPort{Port: 80}, ListenOptions{Backlog: 8, FastOpen: 8})
	require.NoError(t, err)
	first, _, err := p.a.DialFastOpen(p.now, wire.AddrPort{}, at("10.0.0.2", 80), nil, nil)
	require.NoError(t, err)
	p.pump()
	require.NoError(t, first.Close(p.now))
	require.NoError(t, p.accept(l).Close(p.now))
	p.pump()

	drawn := uint64(0)
	p.pass = func(from *Stack, pk *packet.Packet) bool {
		drawn++
		return siphash.Words2(siphash.Key{K0: seed}, drawn, 0)%4 != 0
	}
	request, answer := make([]byte, 5000), make([]byte, 20000)
	for i := range request {
		request[i] = byte(i * 7)
	}
	for i := range answer {
		answer[i] = byte(i * 13)
	}
	c, sent, err := p.a.DialFastOpen(p.now, wire.AddrPort{}, at("10.0.0.2", 80), nil, request)
	require.NoError(t, err)
	require.NotZero(t, sent, "there is a cookie")
	var d *Conn
	var gotRequest, gotAnswer []byte
	answered, done := 0, false
	room := make([]byte, 4096)
	for step := 0; !done; step++ {
		require.Less(t, step, 5000, "seed %d %s: it ends", seed, profile)
		if sent < len(request) {
			n, _ := c.Write(p.now, request[sent:])
			sent += n
		} else if c.State() == tcp.Established {
			require.NoError(t, c.CloseWrite(p.now))
		}
		if d == nil && l.Waiting() > 0 {
			d = p.accept(l)
		}
		if d != nil {
			for n, err := d.Read(p.now, room); err == nil; n, err = d.Read(p.now, room) {
				gotRequest = append(gotRequest, room[:n]...)
			}
			if n, err := d.Write(p.now, answer[answered:]); err == nil {
				if answered += n; answered == len(answer) {
					require.NoError(t, d.CloseWrite(p.now))
				}
			}
		}
		n, err := c.Read(p.now, room)
		gotAnswer = append(gotAnswer, room[:n]...)
		done = err == tcp.ErrEOF && d != nil && len(gotRequest) == len(request)
		if c.Err() != nil {
			require.NoError(t, c.Err(), "seed %d %s", seed, profile)
		}
		p.pump()
		for _, s := range []*Stack{p.a, p.b} {
			why, _ := s.Check()
			require.Empty(t, why, "seed %d %s", seed, profile)
		}
		if step%5 == 0 {
			x := p.b.Clone()
			require.Equal(t, p.b.Fingerprint(p.now), x.Fingerprint(p.now))
		}
		next := min(p.a.Deadline(), p.b.Deadline())
		if next != clock.Never {
			p.now = max(p.now, next)
		}
		p.a.Expire(p.now)
		p.b.Expire(p.now)
		p.pump()
	}
	require.Equal(t, request, gotRequest, "seed %d %s", seed, profile)
	require.Equal(t, answer, gotAnswer, "seed %d %s", seed, profile)
	require.Zero(t, l.fast.pending, "seed %d %s: no handshake is open", seed, profile)
	return p.b.Stats().FastOpens
}

// Fast Open is for who asks for it: a stack without it dials as before, and a
// listener without it ignores the option (FastOpenEnabled, off by default).
//
// Proves: RFC 7413 §4.2
func TestFastOpenIsOff(t *testing.T) {
	cfg := config("linux")
	cfg.FastOpen = 0
	r := newRaw(t, cfg)
	_, _, err := r.s.DialFastOpen(r.now, wire.AddrPort{}, r.remote, nil, []byte("data"))
	require.Equal(t, tcp.ErrUnsupported, err)
	require.False(t, r.s.CanFastOpen(r.now, wire.AddrPort{}, r.remote, nil))
	_, err = r.s.Dial(r.now, wire.AddrPort{}, r.remote, nil)
	require.NoError(t, err)
	require.False(t, r.one().Options.Has.Has(wire.HasFastOpen))

	r = newRaw(t, config("linux"))
	r.listen(8)
	r.send(wire.TCP{Flags: wire.SYN, Window: 65535, Options: synWith(tcp.Cookie{})}, "")
	require.False(t, r.one().Options.Has.Has(wire.HasFastOpen))
}

// Established, a connection of Fast Open allocates as little as any other.
func TestFastOpenAllocatesNothingOnceOpen(t *testing.T) {
	p := newPair(t, config("linux"))
	l, err := p.b.Listen(p.now, wire.AddrPort{Port: 80}, ListenOptions{Backlog: 8, FastOpen: 8})
	require.NoError(t, err)
	_, _, err = p.a.DialFastOpen(p.now, wire.AddrPort{}, at("10.0.0.2", 80), nil, nil)
	require.NoError(t, err)
	p.pump()
	p.accept(l)
	c, n, err := p.a.DialFastOpen(p.now, wire.AddrPort{}, at("10.0.0.2", 80), nil, []byte("request"))
	require.NoError(t, err)
	require.Equal(t, 7, n)
	p.pump()
	d := p.accept(l)
	b := make([]byte, 8192)
	exchange := func() {
		_, _ = c.Write(p.now, b[:3000])
		p.pump()
		for n, _ := d.Read(p.now, b); n > 0; n, _ = d.Read(p.now, b) {
		}
		p.run(50 * clock.Millisecond)
	}
	exchange()
	require.Zero(t, testing.AllocsPerRun(50, exchange))
}
