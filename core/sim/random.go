package sim

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	wires "github.com/tcpkit/tcpkit/core/wire"
)

// draws are the numbers of a random scenario, in the order in which they are
// asked for.
type draws struct {
	key siphash.Key
	n   uint64
}

func (d *draws) below(n uint64) uint64 {
	d.n++
	return siphash.PRF(d.key, 2, 0, d.n) % n
}

func (d *draws) oneIn(n uint64) bool { return d.below(n) == 0 }

// Random is the scenario of a seed: two hosts of one of the profiles, links with
// faults until a minute has passed, and so many flows whose applications write,
// read, close early or late, abort, or open from both ends.
func Random(seed uint64, flows int) Config {
	d := &draws{key: siphash.Key{K0: seed, K1: 1}}
	profile := []string{"linux", "linux", "rfc9293", "embedded", "lab"}[d.below(5)]
	cfg, err := core.Profile(profile)
	if err != nil {
		panic("sim: no profile " + profile)
	}
	// Without keepalive the end whose peer's reset was lost would wait for ever.
	cfg.TCP.Keepalive, cfg.TCP.KeepaliveIdle, cfg.TCP.KeepaliveInterval = true, 2*clock.Minute, 10*clock.Second
	a, b := "10.1.0.1/24", "10.1.0.2/24"
	if d.oneIn(2) {
		a, b = "fd00::1/64", "fd00::2/64"
	}
	mtus := []int{1500, 1500, 1280, 9000, 576}
	mtu := mtus[d.below(4)]
	if a[0] == '1' {
		mtu = mtus[d.below(5)]
	}
	c := Config{
		Seed: seed,
		Link: Link{
			Delay: clock.Duration(d.below(100)) * clock.Millisecond, Jitter: clock.Duration(d.below(20)) * clock.Millisecond,
			Loss: uint32(d.below(50_000)), Dup: uint32(d.below(20_000)), Reorder: uint32(d.below(30_000)), Corrupt: uint32(d.below(20_000)),
		},
		CalmAt: clock.Instant(clock.Minute),
	}
	if d.oneIn(4) {
		c.Link.Loss = uint32(d.below(300_000))
	}
	if d.oneIn(3) {
		c.Link.Rate, c.Link.Queue = 50_000+d.below(1_000_000), 5+int(d.below(50))
	}
	for _, text := range []string{a, b} {
		p, err := wires.ParsePrefix(text)
		if err != nil {
			panic("sim: no prefix " + text)
		}
		c.Hosts = append(c.Hosts, Host{Core: cfg, Addr: p, MTU: mtu, Ports: []uint16{80}})
	}
	at := clock.Instant(clock.Second)
	for i := range flows {
		at = at.Add(clock.Duration(d.below(500)) * clock.Millisecond)
		f := Flow{To: 1, At: at, Port: 80, Client: d.end(), Server: d.end()}
		if !f.Server.HalfClose {
			f.Client.HalfClose = true // else each would wait for the other's FIN
		}
		if d.oneIn(2) {
			f.From, f.To = 1, 0
		}
		if d.oneIn(10) {
			f.Cross, f.Port = true, uint16(2000+2*i)
		}
		c.Flows = append(c.Flows, f)
	}
	return c
}

// end draws one application.
func (d *draws) end() End {
	e := End{HalfClose: d.oneIn(2)}
	switch d.below(4) {
	case 0:
		e.Send = uint32(d.below(100))
	case 1, 2:
		e.Send = uint32(d.below(20_000))
	case 3:
		e.Send = uint32(d.below(200_000))
	}
	if d.oneIn(6) {
		e.CloseAt = 1 + clock.Duration(d.below(5000))*clock.Millisecond
		e.Abort = d.oneIn(2)
	}
	if d.oneIn(5) {
		e.ReadStep, e.ReadEvery = 1+uint32(d.below(3000)), clock.Duration(1+d.below(100))*clock.Millisecond
	}
	return e
}

// Ended tells what is left of a world in which nothing happens any more, "" if
// all connections have ended and given everything back.
func (w *World) Ended() string {
	for i := range w.hosts {
		s := w.hosts[i].stack
		switch {
		case s.Conns() > 0:
			for slot := 0; ; slot++ {
				if c := s.Conn(slot); c != nil {
					return "a connection has not ended, it is in " + c.State().String()
				}
			}
		case s.TimeWaits() > 0:
			return "a record in TIME-WAIT has no end"
		case s.Deadline() != clock.Never:
			return "a timer runs for nothing"
		}
	}
	return ""
}

// Missing lists the edges of Figure 5 that were not seen.
func (e *Edges) Missing() (m []tcp.Edge) {
	for _, edge := range tcp.Edges() {
		if e[edge.From]>>edge.To&1 == 0 {
			m = append(m, edge)
		}
	}
	return m
}
