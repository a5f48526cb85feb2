package main

import (
	"flag"
	"fmt"
	"net/netip"
	"runtime"
	"runtime/debug"
	"sort"
	"time"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

func init() { commands["core"] = coreMain }

// A corePair is two tcpkit stacks driven from one goroutine: no scheduler, no
// lock and no copy between them is in the figures. Everything that the linux
// profile has is on: checksums both ways, SACK, timestamps, CUBIC, timers.
// Time is virtual: it goes on by tick for each turn.
type corePair struct {
	now  clock.Instant
	tick clock.Duration
	a, b *core.Stack
	pkt  packet.Packet
	segs uint64 // packets that went over the link, either way
}

func newCorePair(mtu int) (*corePair, error) {
	p := &corePair{now: clock.Instant(clock.Second), tick: 5 * clock.Microsecond}
	one := func(own netip.Addr, key byte) (*core.Stack, error) {
		cfg, err := core.Profile("linux")
		if err != nil {
			return nil, err
		}
		cfg.Secret[0] = key
		s, err := core.New(cfg, packet.Link{MTU: mtu})
		if err != nil {
			return nil, err
		}
		return s, s.AddAddr(wire.Prefix{Addr: wireAddr(own), Bits: 24})
	}
	var err error
	if p.a, err = one(addrA, 1); err != nil {
		return nil, err
	}
	p.b, err = one(addrB, 2)
	return p, err
}

func wireAddr(a netip.Addr) wire.Addr { return wire.AddrFrom4(a.As4()) }

// move hands over what from has to send, and drains as a host does.
func (p *corePair) move(from, to *core.Stack) bool {
	from.Expire(p.now)
	any := false
	for from.Output(p.now, &p.pkt) {
		to.Input(p.now, &p.pkt)
		p.segs++
		any = true
	}
	drainReady(from)
	drainReady(to)
	return any
}

func drainReady(s *core.Stack) {
	for {
		if _, ok := s.NextReady(); !ok {
			return
		}
	}
}

// turn moves both ways and lets time go on.
func (p *corePair) turn() bool {
	x := p.move(p.a, p.b)
	y := p.move(p.b, p.a)
	p.now = p.now.Add(p.tick)
	return x || y
}

// jump lets time go on to the next deadline when nothing moves: a delayed ACK,
// a retransmission.
func (p *corePair) jump() {
	if at := min(p.a.Deadline(), p.b.Deadline()); at != clock.Never && at > p.now {
		p.now = at
	}
}

// open connects a to the listener of b.
func (p *corePair) open(l *core.Listener) (c, s *core.Conn, err error) {
	if c, err = p.a.Dial(p.now, wire.AddrPort{}, l.Addr(), nil); err != nil {
		return nil, nil, err
	}
	for range 4 {
		p.turn()
		if s, err = l.Accept(p.now); err == nil {
			return c, s, nil
		}
	}
	return nil, nil, fmt.Errorf("core: handshake: %v, %w", c.State(), err)
}

func (p *corePair) listen(port uint16) (*core.Listener, error) {
	return p.b.Listen(p.now, wire.AddrPort{Addr: wireAddr(addrB), Port: port}, core.ListenOptions{Backlog: 128})
}

func coreMain(args []string) error {
	fs := flag.NewFlagSet("core", flag.ExitOnError)
	test := fs.String("test", "all", "all|bulk|rr|crr|idle")
	mtu := fs.Int("mtu", 1500, "MTU")
	runs := fs.Int("runs", 5, "runs")
	dur := fs.Duration("dur", 1500*time.Millisecond, "length of a run")
	others := fs.Int("others", 0, "bulk: idle connections beside the busy one")
	n := fs.Int("n", 100000, "idle: connections")
	prof := fs.String("cpuprofile", "", "write a CPU profile")
	fs.Parse(args)
	defer profile(*prof)()
	name := fmt.Sprintf("core tcpkit mtu=%d", *mtu)
	if *others > 0 {
		name += fmt.Sprintf(" beside %d idle", *others)
	}
	is := func(t string) bool { return *test == t || *test == "all" }
	if is("bulk") {
		if err := coreBulk(name, *mtu, *runs, *dur, *others); err != nil {
			return err
		}
	}
	if is("rr") {
		if err := coreRR(name, *mtu, *runs, *dur/3); err != nil {
			return err
		}
	}
	if is("crr") {
		if err := coreCRR(name, *mtu, *runs, *dur/3); err != nil {
			return err
		}
	}
	if is("idle") {
		return coreIdle(name, *mtu, *n)
	}
	return nil
}

func coreBulk(name string, mtu, runs int, dur time.Duration, others int) error {
	p, err := newCorePair(mtu)
	if err != nil {
		return err
	}
	if _, err := p.openMany(others); err != nil {
		return err
	}
	l, err := p.listen(80)
	if err != nil {
		return err
	}
	c, s, err := p.open(l)
	if err != nil {
		return err
	}
	src, dst := make([]byte, 64<<10), make([]byte, 64<<10)
	for i := range src {
		src[i] = byte(i * 7)
	}
	var gbps, perSeg, nsSeg []float64
	for r := 0; r <= runs; r++ {
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		s0, t0, n := p.segs, time.Now(), 0
		for i := 0; i%16 != 0 || time.Since(t0) < dur; i++ {
			for {
				if _, err := c.Write(p.now, src); err != nil {
					if err != tcp.ErrWouldBlock {
						return err
					}
					break
				}
			}
			x := p.move(p.a, p.b)
			for {
				k, err := s.Read(p.now, dst)
				if err != nil {
					if err != tcp.ErrWouldBlock {
						return err
					}
					break
				}
				n += k
			}
			y := p.move(p.b, p.a)
			p.now = p.now.Add(p.tick)
			if !x && !y {
				p.jump()
			}
		}
		el := time.Since(t0).Seconds()
		runtime.ReadMemStats(&m1)
		if r > 0 {
			segs := float64(p.segs - s0)
			gbps = append(gbps, float64(n)*8/el/1e9)
			perSeg = append(perSeg, float64(m1.Mallocs-m0.Mallocs)/segs)
			nsSeg = append(nsSeg, el*1e9/segs)
		}
	}
	report(name+" bulk", "Gbit/s", gbps, "one goroutine, both ends")
	report(name+" bulk", "ns/segment", nsSeg, "both ends, ACKs counted")
	report(name+" bulk", "allocs/segment", perSeg, "")
	return nil
}

func coreRR(name string, mtu, runs int, dur time.Duration) error {
	p, err := newCorePair(mtu)
	if err != nil {
		return err
	}
	l, err := p.listen(80)
	if err != nil {
		return err
	}
	c, s, err := p.open(l)
	if err != nil {
		return err
	}
	c.SetNoDelay(p.now, true)
	s.SetNoDelay(p.now, true)
	var one [1]byte
	var rate, p50, p99 []float64
	lat := make([]float64, 0, 1<<22)
	for r := 0; r <= runs; r++ {
		lat = lat[:0]
		t0 := time.Now()
		last := t0
		for last.Sub(t0) < dur {
			if _, err := c.Write(p.now, one[:]); err != nil {
				return fmt.Errorf("rr: %w", err)
			}
			p.move(p.a, p.b)
			if _, err := s.Read(p.now, one[:]); err != nil {
				return fmt.Errorf("rr: %w", err)
			}
			if _, err := s.Write(p.now, one[:]); err != nil {
				return fmt.Errorf("rr: %w", err)
			}
			p.move(p.b, p.a)
			if _, err := c.Read(p.now, one[:]); err != nil {
				return fmt.Errorf("rr: %w", err)
			}
			p.now = p.now.Add(p.tick)
			now := time.Now()
			lat = append(lat, float64(now.Sub(last).Nanoseconds()))
			last = now
		}
		if r > 0 {
			rate = append(rate, float64(len(lat))/last.Sub(t0).Seconds())
			sort.Float64s(lat)
			p50, p99 = append(p50, lat[len(lat)/2]), append(p99, lat[len(lat)*99/100])
		}
	}
	report(name+" rr", "round trips/s", rate, "")
	report(name+" rr", "p50 ns/round trip", p50, "")
	report(name+" rr", "p99 ns/round trip", p99, "")
	return nil
}

// coreCRR opens, sends one request, and closes with four segments, the client
// first. The clock goes on by 3 ms for each connection, so that TIME-WAIT (one
// minute) holds some 20,000 records and ends as many as begin.
func coreCRR(name string, mtu, runs int, dur time.Duration) error {
	p, err := newCorePair(mtu)
	if err != nil {
		return err
	}
	l, err := p.listen(80)
	if err != nil {
		return err
	}
	request, buf := make([]byte, 100), make([]byte, 256)
	one := func() error {
		c, s, err := p.open(l)
		if err != nil {
			return err
		}
		if _, err := c.Write(p.now, request); err != nil {
			return err
		}
		p.move(p.a, p.b)
		if n, err := s.Read(p.now, buf); n != len(request) || err != nil {
			return fmt.Errorf("request: %d octets, %w", n, err)
		}
		if err := c.Close(p.now); err != nil {
			return err
		}
		p.move(p.a, p.b) // the client's FIN
		p.move(p.b, p.a) // its ACK
		if _, err := s.Read(p.now, buf); err != tcp.ErrEOF {
			return fmt.Errorf("no end of stream after the client's FIN: %w", err)
		}
		if err := s.Close(p.now); err != nil {
			return err
		}
		p.move(p.b, p.a) // the server's FIN
		p.move(p.a, p.b) // its ACK
		p.now = p.now.Add(3 * clock.Millisecond)
		return nil
	}
	var rate, perConn []float64
	for r := 0; r <= runs; r++ {
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		t0, k := time.Now(), 0
		for ; k%16 != 0 || time.Since(t0) < dur; k++ {
			if err := one(); err != nil {
				return fmt.Errorf("crr %d: %w", k, err)
			}
		}
		el := time.Since(t0).Seconds()
		runtime.ReadMemStats(&m1)
		if r > 0 {
			rate = append(rate, float64(k)/el)
			perConn = append(perConn, float64(m1.Mallocs-m0.Mallocs)/float64(k))
		}
	}
	st := p.a.Stats()
	if st.TimeWaitEvicted > 0 || st.PortsExhausted > 0 || st.ResetsOut > 0 {
		return fmt.Errorf("crr: not all closed well: %d TIME-WAIT evicted, %d ports exhausted, %d resets", st.TimeWaitEvicted, st.PortsExhausted, st.ResetsOut)
	}
	report(name+" crr", "connections/s", rate, "connect, 100 B request, four-way close, client first; TIME-WAIT passes")
	report(name+" crr", "allocs/connection", perConn, "both ends")
	return nil
}

// openMany opens n connections, 25,000 to a port.
func (p *corePair) openMany(n int) ([]*core.Conn, error) {
	const per = 25000
	conns := make([]*core.Conn, 0, 2*n)
	var l *core.Listener
	for i := range n {
		if i%per == 0 {
			var err error
			if l, err = p.listen(uint16(6000 + i/per)); err != nil {
				return nil, err
			}
		}
		c, s, err := p.open(l)
		if err != nil {
			return nil, fmt.Errorf("connection %d: %w", i, err)
		}
		conns = append(conns, c, s)
	}
	return conns, nil
}

func coreIdle(name string, mtu, n int) error {
	p, err := newCorePair(mtu)
	if err != nil {
		return err
	}
	heap := func() float64 {
		runtime.GC()
		debug.FreeOSMemory()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	h0 := heap()
	conns, err := p.openMany(n)
	if err != nil {
		return err
	}
	// The caller's own list of handles is not the stack's.
	own := float64(cap(conns)) * 8
	per := (heap() - h0 - own) / float64(2*n)
	gauge = nil
	report(fmt.Sprintf("%s idle n=%d", name, n), "heap B/endpoint", []float64{per}, "TCB, table entry, counters, both ends' own")
	runtime.KeepAlive(conns)
	runtime.KeepAlive(p)
	return nil
}
