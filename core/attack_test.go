package core

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

// heap is the octets of the heap that are in use.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// inject gives a stack a segment of somebody who is on neither end of the pair.
func (p *pair) inject(to *Stack, b []byte) {
	p.p.Bytes = append(p.p.Bytes[:0], b...)
	to.Input(p.now, &packet.Packet{Bytes: p.p.Bytes})
}

// THREATS S04 (CVE-2018-5390): whoever sends single octets at random places of a
// large window has no more held of them than twice the buffer, and whoever sends
// beside him delivers as much as without him. TestReassemblyIsBounded counts the
// steps.
//
// Proves: S04
func TestOctetsAtRandomGaps(t *testing.T) {
	const buffer = 1 << 20
	segments := release.Count(10_000, 100_000)
	for _, family := range families {
		delivered := func(attack bool) (octets int) {
			cfg := config("linux")
			cfg.TCP.ReceiveBuffer, cfg.TCP.ReceiveBufferMax = buffer, buffer
			p := newPair(t, cfg)
			a, b := p.connect(family)
			us, him := at("10.0.0.2", 80), at("10.0.0.66", 666)
			if family == wire.IPv6 {
				us, him = at("fd00::2", 80), at("fd00::66", 666)
			}
			var theirs seq.Value // the stack's ISS to him
			p.pass = func(_ *Stack, k *packet.Packet) bool {
				g := parse(t, k.Bytes)
				if g.DstPort == him.Port && g.Flags.Has(wire.SYN) {
					theirs = g.Seq
				}
				return g.DstPort != him.Port
			}
			p.inject(p.b, segment(him, us, wire.TCP{Flags: wire.SYN, Window: 1000, Options: wire.Options{Has: wire.HasWindowScale}}, ""))
			p.pump()
			p.inject(p.b, segment(him, us, wire.TCP{Seq: 1, Ack: theirs.Add(1), Flags: wire.ACK, Window: 1000}, ""))
			victim := p.accept(p.b.listenerFor(us))
			random := rand.New(rand.NewPCG(4, 4))
			block, got := make([]byte, 64<<10), make([]byte, 1<<20)
			for range 100 {
				for range segments / 100 {
					if attack {
						at := seq.Value(3 + random.Uint32N(buffer-3))
						p.inject(p.b, segment(him, us, wire.TCP{Seq: at, Ack: theirs.Add(1), Flags: wire.ACK, Window: 1000}, "x"))
					}
				}
				_, _ = a.Write(p.now, block)
				p.run(clock.Millisecond)
				n, _ := b.Read(p.now, got)
				octets += n
				require.LessOrEqual(t, victim.Status(p.now).Memory, 2*buffer)
			}
			if attack {
				require.NotZero(t, victim.Status(p.now).Memory)
				require.Zero(t, victim.Readable())
			}
			return octets
		}
		quiet, beset := delivered(false), delivered(true)
		require.Positive(t, quiet)
		require.GreaterOrEqual(t, beset*10, quiet*9)
		t.Logf("%v: %d octets without, %d with", family, quiet, beset)
	}
}

// THREATS S27: each of very many segments to closed ports and to listeners, from
// many addresses and from few, with all sets of flags, is answered by one packet at
// most that is no longer than it was; one address gets its burst and its rate; and
// a reset is not answered.
//
// Proves: S27
func TestReflection(t *testing.T) {
	count := release.Count(20_000, 1_000_000)
	for _, fresh := range []func(testing.TB, Config) *raw{newRaw, newRaw6} {
		r := fresh(t, config("linux"))
		random := rand.New(rand.NewPCG(27, 1))
		in, out, resets := 0, 0, map[wire.Addr]int{}
		var p packet.Packet
		for range count {
			r.now = r.now.Add(clock.Microsecond)
			from := r.remote
			if random.IntN(2) == 0 { // else one and the same
				b := from.Addr.As16()
				b[15], b[14] = byte(2+random.IntN(200)), byte(random.IntN(200))
				if from.Addr.Is4() {
					from.Addr = wire.AddrFrom4([4]byte{10, 0, b[14], b[15]})
				} else {
					from.Addr = wire.AddrFrom16(b)
				}
			}
			from.Port = uint16(1 + random.IntN(65535))
			h := wire.TCP{Seq: seq.Value(random.Uint32()), Ack: seq.Value(random.Uint32()), Flags: wire.Flags(random.IntN(256)), Window: 99}
			b := segment(from, wire.AddrPort{Addr: r.local.Addr, Port: uint16(1 + random.IntN(65535))}, h, "")
			in += len(b)
			r.packet(b)
			answers := 0
			for r.s.Output(r.now, &p) {
				g := parse(t, p.Bytes)
				require.True(t, g.Flags.Has(wire.RST))
				require.False(t, h.Flags.Has(wire.RST), "a reset is not answered")
				require.LessOrEqual(t, len(p.Bytes), len(b))
				out += len(p.Bytes)
				resets[g.ip.Dst]++
				answers++
			}
			require.LessOrEqual(t, answers, 1)
		}
		require.LessOrEqual(t, out, in)
		rate := int(clock.Duration(count)*clock.Microsecond/r.s.cfg.ResetInterval) + 1
		for a, n := range resets {
			require.LessOrEqual(t, n, r.s.cfg.ResetBurst+rate, "%v", a)
		}
		require.Positive(t, resets[r.remote.Addr])
		require.NotZero(t, r.s.Stats().ResetsWithheld)
		require.Zero(t, r.s.Conns())
		t.Logf("%d octets in, %d out, %d to one", in, out, resets[r.remote.Addr])
	}
}

// hoard is a peer who opens n connections and has each hold the worst that he can
// think of: much to be sent, SACKed octet by octet; octets with a gap before each;
// data that nobody reads.
func hoard(r *raw, l *Listener, n int) {
	ack := wire.TCP{Flags: wire.ACK, Window: 65535}
	options := wire.Options{Has: wire.HasMSS | wire.HasSACKPermitted | wire.HasWindowScale, MSS: 48, WindowScale: 8}
	block := make([]byte, 8<<10)
	for i := range n {
		r.remote.Port = uint16(1 + i)
		r.send(wire.TCP{Flags: wire.SYN, Window: 65535, Options: options}, "")
		answer := r.replies()
		if len(answer) == 0 {
			continue // refused: memory is short
		}
		ack.Seq, ack.Ack, ack.Options = 1, answer[0].Seq.Add(1), wire.Options{}
		r.send(ack, "")
		c, err := l.Accept(r.now)
		require.NoError(r, err)
		_, _ = c.Write(r.now, block)
		r.replies()
		for range 6 { // a larger window
			ack.Ack = ack.Ack.Add(seq.Size(c.Info(r.now).Unacked) * 48 / 2)
			r.send(ack, "")
			r.replies()
		}
		ack.Options.Has, ack.Options.SACKCount = wire.HasSACK, 4
		for at := ack.Ack.Add(1); at.Before(ack.Ack.Add(2048)); {
			for j := range 4 {
				ack.Options.SACK[j] = wire.SACKBlock{Left: at, Right: at.Add(1)}
				at = at.Add(2)
			}
			r.send(ack, "")
			r.replies()
		}
		ack.Options = wire.Options{}
		for k := range 70 {
			ack.Seq = seq.Value(3000 - k*40)
			r.send(ack, "x")
			r.replies()
		}
		ack.Seq = 1
		r.send(ack, "read by nobody")
		r.replies()
	}
}

// besideBuffers is what a connection takes of the heap at the worst beside its
// buffers, which Config.Memory bounds: the record of what is in flight, and of what
// was held.
const besideBuffers = 16 << 10

// THREATS S30: many connections with the worst that each can hold stay within the
// budget of buffers, and the heap within that and besideBuffers for each, and a
// tenth.
//
// Proves: S30
func TestWorstLayouts(t *testing.T) {
	n := release.Count(150, 10_000)
	for _, fresh := range []func(testing.TB, Config) *raw{newRaw, newRaw6} {
		cfg := config("linux")
		cfg.Memory = n * 24 << 10
		before := heap()
		r := fresh(t, cfg)
		hoard(r, r.listen(100), n)
		used, buffers, conns := heap()-before, r.s.env.Pool.InUse(), r.s.Conns()
		require.Greater(t, conns, n/2)
		require.LessOrEqual(t, buffers, cfg.Memory)
		require.LessOrEqual(t, used, (cfg.Memory+conns*besideBuffers)/10*11)
		t.Logf("%d connections: heap %d KiB, buffers %d KiB of %d KiB, so %d octets beside them for each", conns, used>>10,
			buffers>>10, cfg.Memory>>10, (used-buffers)/conns)
		runtime.KeepAlive(r)
	}
}

// THREATS S30: as memory is used up what arrives early is dropped first, then no SYN
// is taken, and only when that has lasted connections are aborted, the oldest first.
// At the end a window that was offered still stands (SHLD-14).
//
// Proves: S30, SHLD-14
func TestLadderInOrder(t *testing.T) {
	for _, fresh := range []func(testing.TB, Config) *raw{newRaw, newRaw6} {
		cfg := config("linux")
		cfg.Memory = 256 * tcp.ChunkSize
		r := fresh(t, cfg)
		l := r.listen(10)
		port := r.remote.Port
		offered := r.open()
		_, err := l.Accept(r.now)
		require.NoError(t, err)
		probe := func(h wire.TCP, from uint16, payload string) (*raw, []got) {
			c := *r
			c.s = r.s.Clone()
			c.remote.Port = from
			c.send(h, payload)
			return &c, c.replies()
		}
		early, syns := 0, 0
		for conns := 1; syns == 0; conns++ {
			require.Less(t, conns, 300)
			c, _ := probe(wire.TCP{Seq: 1000, Ack: offered.Seq.Add(1), Flags: wire.ACK, Window: 65535}, port, "early")
			if early == 0 && c.s.env.Pool.InUse() == r.s.env.Pool.InUse() {
				early = conns
				require.Equal(t, uint64(1), c.drops(rule.DropMemory))
			}
			if _, answer := probe(wire.TCP{Flags: wire.SYN, Window: 9}, 9999, ""); len(answer) == 0 {
				syns = conns
				break
			}
			r.remote.Port = port + uint16(conns)
			g := r.open()
			_, err := l.Accept(r.now)
			require.NoError(t, err)
			r.send(wire.TCP{Seq: 1, Ack: g.Seq.Add(1), Flags: wire.ACK, Window: 65535}, "kept")
			r.replies()
		}
		t.Logf("early data goes at %d chunks of 256, SYNs at %d", early, syns)
		require.Greater(t, early, 256*7/8-2)
		require.Greater(t, syns, early)
		require.Zero(t, r.s.Stats().MemoryAborts)
		_, answer := probe(wire.TCP{Seq: 1, Ack: offered.Seq.Add(1), Flags: wire.ACK, Window: 65535}, port, "in order")
		require.NotEmpty(t, answer)
		require.GreaterOrEqual(t, int(answer[0].Window)+8, int(offered.Window), "what was offered stands")
		for calls := 0; r.s.short(); calls++ {
			require.Less(t, calls, 1000)
			r.now = r.s.Deadline()
			r.s.Expire(r.now)
			r.replies()
		}
		require.GreaterOrEqual(t, r.now, clock.Instant(clock.Second).Add(cfg.MemoryPatience))
		require.Positive(t, r.s.Stats().MemoryAborts)
		require.Less(t, r.s.Stats().MemoryAborts, uint64(40), "no more of them than needed")
	}
}
