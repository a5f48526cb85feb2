package core

import (
	"math/bits"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

// stuck is a pair where many connections hold memory of b and make no progress:
// what b has written nobody reads.
func stuck(t *testing.T, memory int) (*pair, []*Conn, *Listener) {
	cfg := config("linux")
	cfg.Memory = memory
	p := newPair(t, cfg)
	p.a = newStack(t, config("linux"), ethernet, "10.0.0.1/24") // with memory enough
	l := p.listen(p.b, 80, 1000)
	var conns []*Conn
	for range 40 {
		c, err := p.a.Dial(p.now, wire.AddrPort{}, at("10.0.0.2", 80), nil)
		require.NoError(t, err)
		require.NoError(t, c.SetReceiveBuffer(p.now, 4096))
		p.pump()
		conns = append(conns, p.accept(l))
	}
	block := make([]byte, 64<<10)
	for range 40 {
		for _, c := range conns {
			_, _ = c.Write(p.now, block)
		}
		p.run(10 * clock.Millisecond)
		require.LessOrEqual(t, p.b.env.Pool.InUse(), memory, "the budget holds")
	}
	return p, conns, l
}

// THREATS S15, MUST-37: with memory left, a peer that keeps its window closed and
// answers probes keeps its connection for ever.
//
// Proves: S15, MUST-37
func TestZeroWindowsStayWhileThereIsMemory(t *testing.T) {
	p, conns, _ := stuck(t, 64<<20)
	p.run(24 * clock.Hour)
	require.Zero(t, p.b.Stats().MemoryAborts)
	for _, c := range conns {
		require.Equal(t, tcp.Established, c.State())
	}
}

// THREATS S15, S30: when memory stays used up the oldest go, no sooner and no more
// of them than needed.
//
// Proves: S15, S30
func TestMemoryLadder(t *testing.T) {
	p, conns, l := stuck(t, 2<<20)
	require.True(t, p.b.full())
	_, err := conns[39].Write(p.now, []byte("x"))
	require.Equal(t, tcp.ErrWouldBlock, err, "Write takes nothing")

	// No SYN is taken.
	late := p.dial(p.a, at("10.0.0.2", 80))
	p.pump()
	require.Equal(t, tcp.SynSent, late.State())
	require.Equal(t, uint64(1), p.b.Stats().Drops[rule.DropMemory])

	require.Zero(t, p.b.Stats().MemoryAborts)
	p.run(p.b.cfg.MemoryPatience)
	aborts := p.b.Stats().MemoryAborts
	require.NotZero(t, aborts, "the patience is over")
	require.Less(t, aborts, uint64(20), "most stay")
	for i, c := range conns {
		if i < int(aborts) {
			require.Equal(t, tcp.ErrResources, c.Err(), "the oldest first: %d of %d", i, aborts)
		} else {
			require.Equal(t, tcp.Established, c.State())
		}
	}
	require.False(t, p.b.env.Pool.Pressed())
	p.run(10 * clock.Second)
	require.Equal(t, tcp.Established, late.State(), "and there is room again")
	require.Equal(t, 1, l.Waiting())
}

// THREATS S15: very many connections at a closed window. Below pressure all of them
// stay, and are probed; above it some are aborted until the budget holds, and
// TestMemoryLadder says which.
//
// Proves: S15, MUST-37
func TestVeryManyZeroWindows(t *testing.T) {
	n := release.Count(200, 10_000)
	for _, family := range families {
		for _, c := range []struct {
			each  int // octets of memory for each
			stays bool
		}{{16 << 10, true}, {6 << 10, false}} {
			cfg := config("linux")
			cfg.TCP.SendBuffer, cfg.TCP.SendBufferMax = 8<<10, 8<<10
			cfg.TCP.ReceiveBuffer, cfg.TCP.ReceiveBufferMax = 4<<10, 4<<10
			p := newPair(t, cfg)
			cfg.Memory = n * c.each
			p.b = newStack(t, cfg, ethernet, "10.0.0.2/24", "fd00::2/64")
			var conns []*Conn
			for range n {
				_, b := p.connect(family)
				conns = append(conns, b)
			}
			block := make([]byte, 16<<10)
			for range 20 { // until the peers' buffers are full too
				for _, b := range conns {
					_, _ = b.Write(p.now, block)
				}
				p.run(clock.Second)
			}
			require.LessOrEqual(t, p.b.env.Pool.InUse(), cfg.Memory)
			p.run(clock.Hour)
			aborts := int(p.b.Stats().MemoryAborts)
			require.LessOrEqual(t, p.b.env.Pool.InUse(), cfg.Memory)
			require.False(t, p.b.short())
			require.Equal(t, c.stays, aborts == 0, "%d", aborts)
			require.Less(t, aborts, n/2, "no more than needed")
			stay := 0
			for _, b := range conns {
				if b.State() == tcp.Established {
					stay++
				} else {
					require.Equal(t, tcp.ErrResources, b.Err())
				}
			}
			require.Equal(t, n-aborts, stay)
			require.NotZero(t, p.b.Stats().ZeroWindowProbes)
			t.Logf("%v, %d octets each: %d of %d aborted", family, c.each, aborts, n)
		}
	}
}

// Memory that is used up by connections that do make progress is no reason to
// abort any.
func TestBusyMemoryAbortsNobody(t *testing.T) {
	cfg := config("linux")
	cfg.Memory, cfg.MemoryPatience = 512<<10, clock.Second
	p := newPair(t, cfg)
	l := p.listen(p.b, 80, 100)
	var from, to []*Conn
	for range 20 {
		from = append(from, p.dial(p.a, at("10.0.0.2", 80)))
		p.pump()
		to = append(to, p.accept(l))
	}
	block := make([]byte, 64<<10)
	read, full := 0, false
	for range 300 {
		for _, c := range from {
			_, _ = c.Write(p.now, block)
		}
		full = full || p.a.full()
		p.run(10 * clock.Millisecond)
		for _, c := range to {
			n, _ := c.Read(p.now, block)
			read += n
		}
	}
	require.True(t, full)
	require.Zero(t, p.a.Stats().MemoryAborts+p.b.Stats().MemoryAborts)
	require.Greater(t, read, 3<<20)
}

// A writer who found memory used up, and has nothing in flight whose ACK would
// tell him, is told when there is some again.
func TestWriterHearsOfMemory(t *testing.T) {
	cfg := config("linux")
	cfg.Memory, cfg.TCP.SendBuffer, cfg.TCP.SendBufferMax = 1<<20, 2<<20, 2<<20
	p := newPair(t, cfg)
	idle, _ := p.connect(wire.IPv4)
	hog, _ := p.connect(wire.IPv4)
	block := make([]byte, 64<<10)
	for !p.a.full() {
		_, err := hog.Write(p.now, block)
		require.NoError(t, err)
	}
	_, err := idle.Write(p.now, block)
	require.Equal(t, tcp.ErrWouldBlock, err)
	for _, ok := p.a.NextReady(); ok; _, ok = p.a.NextReady() {
	}
	hog.Abort(p.now)
	p.run(clock.Second)
	r, ok := p.a.NextReady()
	require.True(t, ok)
	require.Same(t, idle, r.Conn)
	require.NotZero(t, r.What&Writable)
}

// What Held counts for a connection and a record is what they take.
func TestHeld(t *testing.T) {
	if bits.UintSize == 64 {
		require.InDelta(t, connOctets, int(unsafe.Sizeof(Conn{})), 63, "the allocator's step")
		require.InDelta(t, HeldWaiting, int(unsafe.Sizeof(waiting{})), 15)
	}
	p := newPair(t, config("linux"))
	l := p.listen(p.b, 80, 8)
	require.Zero(t, p.b.Held())
	c := p.dial(p.a, at("10.0.0.2", 80))
	p.pump()
	d := p.accept(l)
	require.Equal(t, connOctets, p.b.Held())
	require.Equal(t, connOctets, d.Held())
	_, err := c.Write(p.now, make([]byte, 10))
	require.NoError(t, err)
	p.pump()
	require.Equal(t, connOctets+tcp.ChunkSize, p.b.Held(), "what was not read")
	require.NoError(t, c.Close(p.now))
	p.pump()
	_, err = d.Read(p.now, make([]byte, 10))
	require.NoError(t, err)
	require.NoError(t, d.Close(p.now))
	p.pump()
	require.Zero(t, p.b.Held())
	require.Equal(t, HeldWaiting, p.a.Held())
}
