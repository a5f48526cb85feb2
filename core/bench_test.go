package core

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// bulk moves octets from a to b as fast as it goes: each turn the sender fills
// its buffer and the receiver empties its own.
type bulk struct {
	*pair
	from, to *Conn
	src, dst []byte
	moved    int
}

func newBulk(t testing.TB, link packet.Link) *bulk {
	p := newPairOn(t, config("linux"), link)
	b := &bulk{pair: p, src: make([]byte, 64<<10), dst: make([]byte, 64<<10)}
	b.from, b.to = p.connect(wire.IPv4)
	for range 2000 {
		b.turn() // windows and buffers grow to what they will be
	}
	b.moved = 0
	return b
}

func (b *bulk) turn() {
	b.now = b.now.Add(20 * clock.Microsecond)
	_, _ = b.from.Write(b.now, b.src)
	for b.carry(b.a, b.b) || b.carry(b.b, b.a) {
	}
	for {
		n, err := b.to.Read(b.now, b.dst)
		b.moved += n
		if err != nil {
			break
		}
	}
	if next := min(b.a.Deadline(), b.b.Deadline()); next <= b.now {
		b.a.Expire(b.now)
		b.b.Expire(b.now)
	}
}

// PEERS.md: both ends in one process, on one goroutine, everything on.
func BenchmarkBulk(b *testing.B) {
	for name, link := range map[string]packet.Link{
		"mtu=1500": ethernet,
		"mtu=64k":  {MTU: 65535},
		"offload":  {MTU: 1500, Checksum: true, MaxSuper: 65535},
	} {
		b.Run(name, func(b *testing.B) {
			w := newBulk(b, link)
			before := w.a.Stats().SegmentsOut + w.b.Stats().SegmentsOut
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				w.turn()
			}
			b.SetBytes(int64(w.moved / b.N))
			b.ReportMetric(float64(w.moved)*8/float64(b.Elapsed().Nanoseconds()), "Gbit/s")
			segments := w.a.Stats().SegmentsOut + w.b.Stats().SegmentsOut - before
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(segments), "ns/segment")
		})
	}
}

// What a hook costs that passes each segment, and one that has each built anew: in
// both stacks, each segment leaves and arrives.
func BenchmarkBulkHooked(b *testing.B) {
	for _, c := range []struct {
		name    string
		verdict tcp.Verdict
		steps   tcp.HookMask
	}{
		{"none", tcp.Pass, 0},
		{"left and arrived", tcp.Pass, tcp.Mask(tcp.StepLeft, tcp.StepArrived)},
		{"pass", tcp.Pass, tcp.Mask(tcp.StepLeaving, tcp.StepArriving)},
		{"identity", tcp.Mutated, tcp.Mask(tcp.StepLeaving, tcp.StepArriving)},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newBulk(b, ethernet)
			if c.steps != 0 {
				w.a.SetHook(&quiet{verdict: c.verdict}, c.steps)
				w.b.SetHook(&quiet{verdict: c.verdict}, c.steps)
			}
			before := w.a.Stats().SegmentsOut + w.b.Stats().SegmentsOut
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				w.turn()
			}
			segments := w.a.Stats().SegmentsOut + w.b.Stats().SegmentsOut - before
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(segments), "ns/segment")
		})
	}
}

// The established path allocates nothing.
func TestBulkAllocatesNothing(t *testing.T) {
	for _, link := range []packet.Link{ethernet, {MTU: 1500, Checksum: true, MaxSuper: 65535}} {
		w := newBulk(t, link)
		require.Zero(t, testing.AllocsPerRun(200, w.turn))
		require.Greater(t, w.moved, 1<<20)
	}
}

// Nor do segments for which there is no connection.
func TestRepliesAllocateNothing(t *testing.T) {
	cfg := config("linux")
	r := newRaw(t, cfg)
	flooded(r)
	syn := packet.Packet{Bytes: segment(r.remote, r.local, wire.TCP{Flags: wire.SYN, Window: 9, Options: synOptions}, "")}
	stray := packet.Packet{Bytes: segment(r.remote, at("10.0.0.1", 9), wire.TCP{Flags: wire.ACK}, "")}
	echo := packet.Packet{Bytes: icmpPacket(addr("10.0.0.2"), addr("10.0.0.1"), wire.ICMP{Type: wire.ICMPEcho, Body: []byte("x")})}
	var p packet.Packet
	all := func() {
		r.now = r.now.Add(clock.Second)
		for _, q := range []*packet.Packet{&syn, &stray, &echo} {
			r.s.Input(r.now, q)
		}
		n := 0
		for r.s.Output(r.now, &p) {
			n++
		}
		require.Equal(t, 3, n)
	}
	for range 10 {
		all()
	}
	require.LessOrEqual(t, testing.AllocsPerRun(100, all), 1.0, "require.Equal boxes its arguments")
}

// exchange is a connection from its SYN to TIME-WAIT: connect, request, answer,
// and a close of four segments that the client begins.
func (p *pair) exchange(l *Listener, b []byte) {
	c, err := p.a.Dial(p.now, wire.AddrPort{}, at("10.0.0.2", 80), nil)
	if err != nil {
		p.Fatal(err)
	}
	p.pump()
	s, err := l.Accept(p.now)
	if err != nil {
		p.Fatal(err)
	}
	_, _ = c.Write(p.now, b)
	p.pump()
	_, _ = s.Read(p.now, b)
	_, _ = s.Write(p.now, b)
	p.pump()
	_, _ = c.Read(p.now, b)
	_ = c.CloseWrite(p.now)
	p.pump()
	_ = s.Close(p.now)
	p.pump()
	_ = c.Close(p.now)
	p.pump()
	for _, st := range []*Stack{p.a, p.b} {
		for _, ok := st.NextReady(); ok; _, ok = st.NextReady() {
		}
	}
}

// Connections a second on the virtual clock, so that TIME-WAIT passes.
func BenchmarkConnectClose(b *testing.B) {
	p := newPair(b, config("linux"))
	l := p.listen(p.b, 80, 10)
	buf := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		p.exchange(l, buf)
		p.now = p.now.Add(5 * clock.Millisecond)
		p.a.Expire(p.now)
		p.b.Expire(p.now)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "conn/s")
}

func BenchmarkRoundTrip(b *testing.B) {
	p := newPair(b, config("linux"))
	c, s := p.connect(wire.IPv4)
	buf := make([]byte, 1)
	b.ReportAllocs()
	for b.Loop() {
		p.now = p.now.Add(clock.Microsecond)
		_, _ = c.Write(p.now, buf)
		p.pump()
		_, _ = s.Read(p.now, buf)
		_, _ = s.Write(p.now, buf)
		p.pump()
		if _, err := c.Read(p.now, buf); err != nil {
			b.Fatal(err)
		}
		p.a.Expire(p.now)
		p.b.Expire(p.now)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "trips/s")
}

// The cost of finding a connection among very many.
func BenchmarkLookup(b *testing.B) {
	for name, n := range map[string]int{"1": 1, "100k": 100_000} {
		b.Run(name, func(b *testing.B) {
			s := newStack(b, config("linux"), ethernet, "10.0.0.1/24")
			tuples := make([]tcp.Tuple, n)
			for i := range tuples {
				tuples[i] = tupleOf(uint32(i) * 7919)
				_, _ = s.newConn(&s.cfg.TCP, tuples[i])
			}
			i := 0
			for b.Loop() {
				s.last = 0
				if s.lookup(&tuples[i]) == 0 {
					b.Fatal("not found")
				}
				if i += 7919; i >= n {
					i %= n
				}
			}
		})
	}
}

// idleHeap is the heap that an idle established connection takes. Each has sent and
// received before it became idle.
func idleHeap(t testing.TB, n int) float64 {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	p := newPair(t, config("linux"))
	l := p.listen(p.b, 80, 10)
	before := heap()
	buf := make([]byte, 1000)
	for range n {
		c := p.dial(p.a, at("10.0.0.2", 80))
		p.pump()
		s := p.accept(l)
		_, _ = c.Write(p.now, buf)
		_, _ = s.Write(p.now, buf)
		p.run(clock.Second)
		_, _ = s.Read(p.now, buf)
		_, _ = c.Read(p.now, buf)
	}
	p.run(clock.Minute)
	defer runtime.KeepAlive(p)
	return float64(heap()-before) / float64(2*n)
}

// An idle connection takes less than 900 octets of heap.
func TestIdleConnectionsAreSmall(t *testing.T) {
	require.Less(t, idleHeap(t, 2000), 900.0)
}

// What an idle established connection costs.
func BenchmarkIdle(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(idleHeap(b, 10_000), "B/conn")
	}
}
