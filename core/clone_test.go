package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// world is a pair whose wire loses packets by their number, so that there is
// recovery, reassembly and backoff in it, and whose users do the same thing in
// every run.
type world struct {
	*pair
	seed    uint64
	packets uint64
	step    int
	six     bool // IPv6
}

func newWorld(t testing.TB, seed uint64, profile string) *world {
	w := &world{pair: newPair(t, config(profile)), seed: seed}
	for _, s := range []*Stack{w.a, w.b} {
		s.Log().SetMask(event.All)
		s.Log().SetLimit(0)
	}
	w.lossy()
	w.listen(w.b, 80, 2)
	return w
}

func (w *world) lossy() {
	w.pass = func(*Stack, *packet.Packet) bool {
		w.packets++
		return siphash.Words2(siphash.Key{K0: w.seed, K1: 1}, w.packets, 0)%11 != 0
	}
}

// clone copies both stacks in the middle of whatever they do.
func (w *world) clone() *world {
	p := *w.pair
	p.a, p.b = w.a.Clone(), w.b.Clone()
	p.p = packet.Packet{}
	v := &world{pair: &p, seed: w.seed, packets: w.packets, step: w.step, six: w.six}
	v.lossy()
	return v
}

// act lets the users do one step and time pass.
func (w *world) act() {
	w.step++
	random := func(what uint64) uint64 { return siphash.Words2(siphash.Key{K0: w.seed, K1: 2}, uint64(w.step), what) }
	if w.step%7 == 1 {
		// Where there are slots for few connections this may fail.
		to := at("10.0.0.2", 80)
		if w.six {
			to = at("fd00::2", 80)
		}
		_, _ = w.a.Dial(w.now, wire.AddrPort{}, to, nil)
	}
	if l := w.b.Listener(0); random(0)%3 == 0 {
		_, _ = l.Accept(w.now)
	}
	b := make([]byte, 3000)
	for i, s := range []*Stack{w.a, w.b} {
		for r, ok := s.NextReady(); ok; r, ok = s.NextReady() {
			if r.Conn != nil && r.What&Readable != 0 {
				w.read(r.Conn, b)
			}
		}
		for slot, c := range s.conns {
			if c == nil || c.flags&(connHalfOpen|connQueued|connOrphan) != 0 || c.tcb.Released() {
				continue
			}
			switch x := random(uint64(2 + slot*2 + i)); x % 64 {
			case 0:
				_ = c.Close(w.now)
			case 1:
				c.Abort(w.now)
			case 2, 9, 10:
				_ = c.CloseWrite(w.now)
			case 3, 4, 5, 6, 7, 8:
				w.read(c, b)
			default:
				_, _ = c.Write(w.now, b[:x>>8%3000])
			}
		}
	}
	w.run(clock.Duration(random(1) % uint64(300*clock.Millisecond)))
}

// read takes what there is, and closes behind the peer's last octet.
func (w *world) read(c *Conn, b []byte) {
	for {
		if _, err := c.Read(w.now, b); err == tcp.ErrEOF {
			_ = c.Close(w.now)
		} else if err == nil {
			continue
		}
		return
	}
}

func (w *world) state() [4]uint64 {
	return [4]uint64{w.a.Fingerprint(w.now), w.b.Fingerprint(w.now), w.a.Log().Hash(), w.b.Log().Hash()}
}

// The same inputs give the same run, and so does a copy of the half of it: every
// packet, every event.
func TestCloneGoesOnInTheSameWay(t *testing.T) {
	w, again := newWorld(t, 5, "linux"), newWorld(t, 5, "linux")
	waits := 0
	for step := range 150 {
		v := w.clone()
		require.Equal(t, w.state(), v.state(), "a copy is equal")
		for range 5 {
			v.act()
		}
		ahead := w.clone()
		for range 5 {
			ahead.act()
		}
		require.Equal(t, v.state(), ahead.state(), "both go on in the same way, step %d", step)
		w.act()
		again.act()
		waits += w.a.TimeWaits() + w.b.TimeWaits()
		require.Equal(t, w.state(), again.state(), "and what the copies did has not been seen")
	}
	require.Greater(t, w.a.Log().Count(), uint64(1000))
	require.NotZero(t, w.a.Stats().Retransmits, "the wire was bad enough")
	require.NotZero(t, waits, "TIME-WAIT was among it")
	w.end()
}

// end closes what is open; after an hour nothing is left of it.
func (w *world) end() {
	w.pass = nil
	for _, s := range []*Stack{w.a, w.b} {
		for _, c := range s.conns {
			if c != nil && c.flags&(connHalfOpen|connQueued) == 0 {
				_ = c.Close(w.now)
			}
		}
		if l := s.Listener(0); l != nil {
			l.Close(w.now)
		}
	}
	w.run(clock.Hour)
	for _, s := range []*Stack{w.a, w.b} {
		require.Zero(w, s.Conns(), "seed %d", w.seed)
		require.Zero(w, s.TimeWaits())
		require.Zero(w, s.env.Pool.InUse(), "all chunks are given back")
		require.Equal(w, clock.Never, s.Deadline())
		require.Zero(w, s.table.n)
		require.Zero(w, s.output.n+s.ready.n)
	}
}

// Whatever users and a bad wire do, in the end all is given back.
func TestWorldsEnd(t *testing.T) {
	seeds := uint64(100)
	if testing.Short() {
		seeds = 20
	}
	var packets, resent uint64
	for _, profile := range Profiles() {
		for seed := range seeds {
			w := newWorld(t, seed, profile)
			for range 60 {
				w.act()
			}
			w.end()
			packets += w.packets
			resent += w.a.Stats().Retransmits + w.b.Stats().Retransmits
		}
	}
	t.Logf("%d packets, %d segments sent again", packets, resent)
	require.Greater(t, packets, 100*seeds)
	require.Greater(t, resent, seeds)
}

// A fingerprint knows states apart, and takes those for one that differ only in
// when and where they are.
func TestFingerprint(t *testing.T) {
	run := func(secret byte, start clock.Duration, data string) uint64 {
		cfg := config("linux")
		cfg.Secret[0] = secret
		p := newPair(t, cfg)
		p.now = p.now.Add(start)
		l := p.listen(p.b, 80, 5)
		// Ports are drawn by the secret: give them.
		a, err := p.a.Dial(p.now, at("10.0.0.1", 5000), at("10.0.0.2", 80), nil)
		require.NoError(t, err)
		p.pump()
		p.accept(l)
		_, err = a.Write(p.now, []byte(data))
		require.NoError(t, err)
		return p.a.Fingerprint(p.now)
	}
	require.Equal(t, run(1, 0, "x"), run(2, 0, "x"), "initial sequence numbers are left out")
	require.Equal(t, run(1, 0, "x"), run(1, clock.Hour, "x"), "so is the time of day")
	require.NotEqual(t, run(1, 0, "x"), run(1, 0, "y"))
}
