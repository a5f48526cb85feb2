package sim

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

var families = []wire.Family{wire.IPv4, wire.IPv6}

func profile(name string) core.Config {
	c, err := core.Profile(name)
	if err != nil {
		panic(err)
	}
	return c
}

// hostN is host n of a test's network.
func hostN(n int, c core.Config) Host {
	return Host{
		Core: c, Link: packet.Link{MTU: 1500},
		Addrs: []wire.Prefix{
			{Addr: wire.AddrFrom4([4]byte{10, 0, 0, byte(n + 1)}), Bits: 24},
			{Addr: wire.AddrFrom16([16]byte{0: 0xfd, 15: byte(n + 1)}), Bits: 64},
		},
		Listens: []Listen{{Port: 80, Backlog: 128}},
	}
}

// pair is two hosts of one profile, 10 ms apart, without faults.
func pair(name string, flows ...Flow) Config {
	c := profile(name)
	slow := Channel{Delay: 10 * clock.Millisecond}
	cfg := Config{
		Seed: 1, Hosts: []Host{hostN(0, c), hostN(1, c)}, Links: []Link{{A: 0, B: 1, AB: slow, BA: slow}},
		Flows: flows, MaxEvents: 1_000_000,
	}
	for i := range cfg.Flows {
		f := &cfg.Flows[i]
		f.Users[0].Host, f.Users[1].Host = 0, 1
		if f.Port == 0 {
			f.Port = 80
		}
		if f.Meet && f.LocalPort == 0 {
			f.LocalPort = 5000
		}
	}
	return cfg
}

func users(one, two []Step) [2]User { return [2]User{{Steps: one}, {Steps: two}} }

func world(t testing.TB, cfg Config) *World {
	w, err := New(&cfg)
	require.NoError(t, err)
	return w
}

func finish(t testing.TB, cfg Config) *World {
	w := world(t, cfg)
	require.NoError(t, w.Finish())
	return w
}

var (
	half      = Step{Op: CloseWrite}
	eof       = Step{Op: AwaitEOF}
	connected = Step{Op: AwaitConnected}
	never     = Step{Op: SetPace, N: 1}
	hold      = Step{Op: Hold}
)

func write(n uint64) Step          { return Step{Op: Write, N: n} }
func wait(d clock.Duration) Step   { return Step{Op: Wait, For: d} }
func ends(w *World) (a, b Outcome) { return w.Outcome(0, 0), w.Outcome(0, 1) }
func state(w *World, u int) string { return w.Conn(0, u).State().String() }
func ofFamily(f Flow, v wire.Family) Flow {
	f.Family = v
	return f
}

// exchanges are connections that go well, one for each way in and out.
var exchanges = []struct {
	name string
	flow Flow
}{
	{"question and answer", Flow{Sure: true, Users: users([]Step{write(3000), half, eof}, []Step{eof, write(5000)})}},
	{"server closes first", Flow{Sure: true, Users: users([]Step{write(100), eof}, []Step{{Op: AwaitRead, N: 100}, write(4000), half, eof})}},
	{"simultaneous close", Flow{Sure: true, Users: users(
		[]Step{connected, wait(50 * clock.Millisecond), half, eof}, []Step{wait(40 * clock.Millisecond), half, eof})}},
	{"simultaneous open", Flow{Sure: true, Meet: true, Port: 90, Users: users([]Step{write(2000), half, eof}, []Step{write(1000), half, eof})}},
	{"many segments", Flow{Sure: true, Users: users([]Step{write(30_000), half, eof}, []Step{write(100), half, eof})}},
}

// Each packet of each exchange, in both directions and families, is lost, doubled
// and spoilt, comes late, and its double comes late: all ends well.
func TestEachPacketInTurn(t *testing.T) {
	const s = clock.Second
	faults := []Planned{
		{Fate: Lose}, {Fate: Spoil}, {Fate: Double}, {Fate: Double, By: 25 * clock.Millisecond}, {Fate: Double, By: 40 * s},
		{Fate: Delay, By: 15 * clock.Millisecond}, {Fate: Delay, By: 300 * clock.Millisecond}, {Fate: Delay, By: 5 * s}, {Fate: Delay, By: 150 * s},
	}
	runs, profiles := 0, []string{"linux", "rfc9293"}
	if testing.Short() {
		profiles = profiles[:1]
	}
	for _, x := range exchanges {
		for _, family := range families {
			for _, name := range profiles {
				calm := finish(t, pair(name, ofFamily(x.flow, family)))
				for direction := range 2 {
					require.GreaterOrEqual(t, calm.Ordinal(direction), uint32(3))
					for n := range calm.Ordinal(direction) {
						for _, f := range faults {
							f.Direction, f.Ordinal = direction, n+1
							cfg := pair(name, ofFamily(x.flow, family))
							cfg.Plan = []Planned{f}
							w := world(t, cfg)
							if err := w.Finish(); err != nil || w.Planned()[0] != 1 {
								t.Fatalf("%s, %s, %v: packet %d of direction %d, %v by %v: %v", x.name, name, family, n+1, direction, f.Fate, f.By, err)
							}
							runs++
						}
					}
				}
			}
		}
	}
	t.Logf("%d runs", runs)
}

// Every two packets of an exchange are lost.
func TestEachTwoPacketsLost(t *testing.T) {
	runs := 0
	for _, x := range exchanges[:4] {
		calm := finish(t, pair("linux", x.flow))
		last := uint32(calm.Count().Packets)
		for i := uint32(1); i <= last; i++ {
			for j := i + 1; j <= last+2; j++ {
				cfg := pair("linux", x.flow)
				cfg.Plan = []Planned{{Packet: i, Fate: Lose}, {Packet: j, Fate: Lose}}
				if err := world(t, cfg).Finish(); err != nil {
					t.Fatalf("%s, packets %d and %d: %v", x.name, i, j, err)
				}
				runs++
			}
		}
	}
	t.Logf("%d runs", runs)
}

// A copy made half-way ends like the original, event by event, and what happens
// to one is not seen by the other.
func TestCloneHalfWay(t *testing.T) {
	seeds := uint64(30)
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		whole, err := randomWorld(seed)
		require.NoError(t, err)
		require.NoError(t, whole.Finish())
		w, err := randomWorld(seed)
		require.NoError(t, err)
		for range whole.Count().Events / 2 {
			require.True(t, w.Step())
		}
		c := w.Clone()
		require.Equal(t, w.Fingerprint(), c.Fingerprint(), "seed %d", seed)
		before := w.Hash()
		require.Equal(t, before, c.Hash())
		require.NoError(t, c.Finish())
		require.Equal(t, before, w.Hash(), "the original has not moved, seed %d", seed)
		require.NoError(t, w.Finish())
		require.Equal(t, whole.Hash(), w.Hash(), "stopping half-way changes nothing, seed %d", seed)
		require.Equal(t, whole.Hash(), c.Hash(), "the copy ends like the original, seed %d", seed)
		require.Equal(t, whole.Count(), c.Count(), "seed %d", seed)
		require.Equal(t, whole.Edges(), c.Edges(), "seed %d", seed)
	}
}

// A call with nothing to do does nothing: a host whose deadline has not come and
// whose Output is drained is asked in vain.
func TestIdleCallsDoNothing(t *testing.T) {
	most := 3000
	if testing.Short() {
		most = 300
	}
	for seed := range uint64(3) {
		w, err := randomWorld(seed)
		require.NoError(t, err)
		for i := 0; i < most && w.Step(); i++ {
			if w.Next() <= w.Now() {
				continue
			}
			print, hash := w.Fingerprint(), w.Hash()
			for h := range w.hosts {
				s := w.Stack(h)
				s.Expire(w.Now())
				require.False(t, s.Output(w.Now(), new(packet.Packet)))
				_, ready := s.NextReady()
				require.False(t, ready)
			}
			require.Equal(t, print, w.Fingerprint(), "seed %d, event %d", seed, i)
			require.Equal(t, hash, w.Hash(), "seed %d, event %d", seed, i)
		}
	}
}

// Fingerprint counts times from now and numbers from where they began: the same
// exchange an hour later looks the same at every step, and one that has gone
// another way does not.
func TestFingerprintIsRelative(t *testing.T) {
	for _, x := range exchanges {
		// NewReno: CUBIC remembers by the clock when the last ACK came.
		cfg, late := pair("rfc9293", x.flow), pair("rfc9293", x.flow)
		late.Start = clock.Instant(clock.Second + clock.Hour)
		a, b := world(t, cfg), world(t, late)
		seen := map[uint64]bool{}
		for n := 0; ; n++ {
			moved := a.Step()
			require.Equal(t, moved, b.Step())
			if !moved {
				break
			}
			require.Equal(t, a.Fingerprint(), b.Fingerprint(), "%s, event %d", x.name, n)
			seen[a.Fingerprint()] = true
		}
		require.Greater(t, len(seen), 8, "states differ from each other")
	}
}

// A fault on one link changes nothing on another: what is drawn there, and what
// its hosts do.
func TestFaultsShiftNothingElse(t *testing.T) {
	build := func(plan ...Planned) *World {
		bad := Channel{Delay: 20 * clock.Millisecond, Jitter: 5 * clock.Millisecond, Loss: 50_000, Duplicate: 20_000, Reorder: 50_000, Hold: clock.Second}
		f := Flow{Port: 80, Users: users([]Step{write(100_000), half, eof}, []Step{write(50_000), half, eof})}
		g := f
		f.Users[1].Host, g.Users[0].Host, g.Users[1].Host = 1, 2, 3
		c := profile("linux")
		cfg := Config{
			Seed: 5, Calm: clock.Instant(clock.Minute), Plan: plan, Flows: []Flow{f, g},
			Hosts: []Host{hostN(0, c), hostN(1, c), hostN(2, c), hostN(3, c)},
			Links: []Link{{A: 0, B: 1, AB: bad, BA: bad}, {A: 2, B: 3, AB: bad, BA: bad}},
		}
		return finish(t, cfg)
	}
	hash := func(w *World, h int) uint64 { return w.Stack(h).Log().Hash() }
	a, b := build(), build(Planned{Direction: 0, Ordinal: 2, Fate: Lose})
	require.NotEqual(t, hash(a, 0), hash(b, 0))
	require.Equal(t, hash(a, 2), hash(b, 2))
	require.Equal(t, hash(a, 3), hash(b, 3))
}

// THREATS S25: sequence numbers wrap in every exchange. The time at which a world
// starts decides where its numbers begin (RFC 6528 §3).
//
// Proves: S25, RFC 6528 §3
func TestSequenceNumbersWrap(t *testing.T) {
	starts := []seq.Value{0, 1, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<32 - 1, 1<<32 - 2, 1<<32 - 2000, 1<<31 - 2000}
	for _, x := range exchanges {
		for side := range 2 {
			for _, want := range starts {
				cfg := pair("linux", x.flow)
				cfg.Start = clock.Instant(clock.Second)
				var iss seq.Value
				for range 4 { // the second user's number is drawn later; its time moves along
					w := world(t, cfg)
					for w.Conn(0, side) == nil && w.Step() {
					}
					iss = w.Conn(0, side).View().Send.ISS
					cfg.Start = cfg.Start.Add(clock.Duration(want.From(iss)) * 4 * clock.Microsecond)
				}
				require.Equal(t, want, iss)
				cfg.Links[0].AB.Loss, cfg.Links[0].BA.Loss = 100_000, 100_000
				cfg.Calm = cfg.Start.Add(20 * clock.Second)
				require.NoError(t, world(t, cfg).Finish(), "%s, side %d begins at %d", x.name, side, want)
			}
		}
	}
}

// Every edge of Figure 5 that users at both ends can take.
func TestFigure5(t *testing.T) {
	abort := Step{Op: Abort}
	cases := map[string]Config{
		"aborted in SYN-SENT":            pair("linux", Flow{Users: users([]Step{abort}, nil)}),
		"closed in SYN-SENT":             pair("linux", Flow{Users: users([]Step{{Op: Close}}, nil)}),
		"aborted in ESTABLISHED":         pair("linux", Flow{Users: users([]Step{connected, abort}, []Step{eof})}),
		"aborted in FIN-WAIT-1":          pair("linux", Flow{Users: users([]Step{connected, half, abort}, []Step{eof})}),
		"aborted in FIN-WAIT-2":          pair("linux", Flow{Users: users([]Step{connected, half, wait(clock.Second), abort}, []Step{eof, wait(clock.Minute)})}),
		"aborted in CLOSE-WAIT":          pair("linux", Flow{Users: users([]Step{half, eof}, []Step{eof, abort})}),
		"aborted in CLOSING":             pair("linux", Flow{Users: users([]Step{connected, half, eof, abort}, []Step{half, eof})}),
		"aborted in LAST-ACK":            pair("linux", Flow{Users: users([]Step{half, eof}, []Step{eof, half, abort})}),
		"aborted in TIME-WAIT":           pair("linux", Flow{Users: users([]Step{half, eof, abort}, []Step{eof})}),
		"refused":                        pair("linux", Flow{Port: 7, Users: users([]Step{eof}, nil)}),
		"nobody answers":                 pair("linux", Flow{Users: users([]Step{eof}, nil)}),
		"the open is given up at once":   pair("linux", Flow{Users: users([]Step{wait(15 * clock.Millisecond), abort}, nil)}),
		"a crossing open is aborted":     pair("linux", Flow{Meet: true, Port: 90, Users: users([]Step{wait(15 * clock.Millisecond), abort}, []Step{eof})}),
		"closed while opens cross":       pair("linux", Flow{Meet: true, Port: 90, Users: users([]Step{wait(15 * clock.Millisecond), {Op: Close}}, []Step{half, eof})}),
		"FIN and its ACK in one segment": pair("linux", Flow{Users: users([]Step{connected, half, eof}, []Step{eof})}),
	}
	dead := cases["nobody answers"]
	dead.Outages = []Outage{{Direction: -1, Until: clock.Never}}
	cases["nobody answers"] = dead
	// The SYN arrives, the SYN-ACK does not, and the second SYN is of another
	// connection: who was passive goes back to LISTEN.
	again := cases["the open is given up at once"]
	again.Plan = []Planned{{Direction: 1, Ordinal: 1, Fate: Delay, By: clock.Second}}
	cases["the open is given up at once"] = again
	for _, x := range exchanges {
		cases[x.name] = pair("linux", x.flow)
	}
	var edges Edges
	names := make([]string, 0, len(cases))
	for name := range cases {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		w := world(t, cases[name])
		require.NoError(t, w.Finish(), name)
		e := w.Edges()
		edges.Add(&e)
	}
	requireEdges(t, &edges, false)
}

// unreached are the edges of Figure 5 that no two users can take here.
var unreached = map[[2]tcp.State]string{
	{tcp.Listen, tcp.SynSent}:        "SEND on a listener is not offered",
	{tcp.SynReceived, tcp.CloseWait}: "the ACK that comes with the FIN establishes first",
	{tcp.FinWait1, tcp.TimeWait}:     "the ACK of our FIN leads to FIN-WAIT-2 first, in the same segment",
}

// requireEdges asks that all other edges are taken; that from LISTEN to CLOSED where
// programs exit.
func requireEdges(t *testing.T, edges *Edges, exits bool) {
	for _, e := range tcp.Edges() {
		t.Logf("%8d  %v to %v", edges[e.From][e.To], e.From, e.To)
		_, not := unreached[[2]tcp.State{e.From, e.To}]
		not = not || !exits && e.From == tcp.Listen && e.To == tcp.Closed
		require.Equal(t, not, edges[e.From][e.To] == 0, "%v to %v: %s", e.From, e.To, unreached[[2]tcp.State{e.From, e.To}])
	}
}
