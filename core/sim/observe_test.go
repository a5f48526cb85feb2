package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A witness counts what it is told.
type witness struct {
	what   [Broke + 1]int
	lost   [losses]int
	events map[event.Kind]int
	read   uint64
	wrong  int
	texts  []string
}

func (o *witness) See(w *World, s *Sight) {
	o.what[s.What]++
	switch s.What {
	case Lost:
		o.lost[s.Why]++
	case Happened:
		if o.events == nil {
			o.events = map[event.Kind]int{}
		}
		o.events[s.Event.Kind]++
	case Read:
		o.read += s.N
		if s.Wrong {
			o.wrong++
		}
	case Broke:
		o.texts = append(o.texts, s.Text)
	}
}

// An observer is told of every packet, event and octet, and changes nothing.
func TestObserver(t *testing.T) {
	for seed := range uint64(20) {
		plain, err := randomWorld(seed)
		require.NoError(t, err)
		require.NoError(t, plain.Finish())

		seen, err := randomWorld(seed)
		require.NoError(t, err)
		o := &witness{}
		seen.Observe(o)
		require.NoError(t, seen.Finish())
		require.Equal(t, plain.Hash(), seen.Hash(), "seed %d", seed)

		n := seen.Count()
		require.EqualValues(t, n.Packets, o.what[Sent])
		require.EqualValues(t, n.Lost, o.lost[LostPlanned]+o.lost[LostChance]+o.lost[LostOutage])
		require.EqualValues(t, n.Unroutable, o.lost[LostNobody])
		require.EqualValues(t, n.TooBig, o.lost[LostTooBig])
		require.EqualValues(t, n.Overflowed, o.lost[LostQueue])
		require.EqualValues(t, n.Read, o.read)
		require.Zero(t, o.wrong)
		events := uint64(0)
		for h := range seen.cfg.Hosts {
			require.Zero(t, seen.Stack(h).Log().Lost())
			events += seen.Stack(h).Log().Count()
		}
		require.EqualValues(t, events, o.what[Happened])
	}
}

// talk is a client and a server that the client writes to.
func talk(steps, others []Step) Config {
	cfg := Transfer(profile("linux"), wire.IPv4, 1, Channel{Delay: 10 * clock.Millisecond})
	cfg.Flows[0].Users[0].Steps, cfg.Flows[0].Users[1].Steps = steps, others
	return cfg
}

// Faults can be planned for what a packet is, and when.
func TestPlannedByKind(t *testing.T) {
	for _, c := range []struct {
		fault Planned
		sent  int // SYNs until the server has answered
	}{
		{Planned{Some: true, Match: Match{Flags: wire.SYN}, Nth: 1, Fate: Lose}, 2},
		{Planned{Some: true, Match: Match{Flags: wire.SYN}, Fate: Lose, Until: clock.Instant(3500 * clock.Millisecond)}, 4},
		{Planned{Some: true, Match: Match{Flags: wire.SYN}, Nth: 1, From: clock.Instant(1500 * clock.Millisecond), Fate: Lose}, 1},
		{Planned{Some: true, Match: Match{Flags: wire.ACK}, Nth: 1, Fate: Lose}, 1},
	} {
		cfg := talk([]Step{{Op: AwaitConnected}, {Op: Write, N: 100}}, []Step{{Op: AwaitEOF}})
		cfg.Plan = []Planned{c.fault}
		cfg.Capture = true
		w, err := New(&cfg)
		require.NoError(t, err)
		half := w.Clone()
		require.NoError(t, w.Finish())
		require.NoError(t, half.Finish())
		require.Equal(t, w.Hash(), half.Hash(), "a clone counts by itself")
		syns := 0
		for _, p := range w.Captured() {
			var ip wire.IP
			var seg wire.TCP
			require.Zero(t, wire.ParseIP(p.Bytes, &ip))
			require.Zero(t, wire.ParseTCP(p.Bytes[ip.HeaderLen:], &seg))
			if seg.Flags == wire.SYN {
				syns++
			}
		}
		require.Equal(t, c.sent, syns, "%+v", c.fault)
	}
}

// Who has crashed says nothing; who has come back knows nothing of before.
func TestCrashAndBoot(t *testing.T) {
	alive := Step{Op: SetKeepalive, For: 10 * clock.Second, Every: clock.Second, N: 3}
	for _, c := range []struct {
		boot bool
		want tcp.Error
		at   clock.Duration
	}{
		{false, tcp.ErrTimeout, 13 * clock.Second},
		{true, tcp.ErrReset, 10 * clock.Second},
	} {
		cfg := talk([]Step{alive, {Op: Hold}}, []Step{{Op: Hold}})
		cfg.Turns = []Turn{{At: clock.Instant(2 * clock.Second), Host: TransferServer, What: Crash}}
		if c.boot {
			cfg.Turns = append(cfg.Turns, Turn{At: clock.Instant(3 * clock.Second), Host: TransferServer, What: Boot})
		}
		w, err := New(&cfg)
		require.NoError(t, err)
		o := &witness{}
		w.Observe(o)
		for w.Outcome(0, 0).Err == tcp.NoError {
			before := w.Fingerprint()
			require.Equal(t, before, w.Clone().Fingerprint())
			require.True(t, w.Step())
		}
		require.Equal(t, c.want, w.Outcome(0, 0).Err)
		require.InDelta(t, float64(c.at), float64(w.Now().Sub(clock.Instant(clock.Second))), float64(100*clock.Millisecond))
		require.Equal(t, c.boot, w.Up(TransferServer))
		require.Equal(t, !c.boot, o.lost[LostDead] > 0)
		require.Equal(t, uint64(1), w.Edges()[tcp.SynReceived][tcp.Established], "the edges of its first life count")
	}
}

// Whose programs exit has his system close.
func TestShut(t *testing.T) {
	cfg := talk([]Step{{Op: AwaitEOF}}, []Step{{Op: Hold}})
	cfg.Turns = []Turn{{At: clock.Instant(2 * clock.Second), Host: TransferServer, What: Shut}}
	w, err := New(&cfg)
	require.NoError(t, err)
	require.NoError(t, w.Run(clock.Instant(5*clock.Second)))
	require.True(t, w.Outcome(0, 0).EOF)
	require.Equal(t, tcp.NoError, w.Outcome(0, 0).Err)
	require.Nil(t, w.Stack(TransferServer).Listener(0))
}

// A router says that a host cannot be reached: an open fails at once.
func TestOutageTold(t *testing.T) {
	cfg := talk([]Step{{Op: AwaitConnected}}, nil)
	cfg.Outages = []Outage{{Direction: -1, Until: clock.Instant(clock.Hour), Told: true}}
	w, err := New(&cfg)
	require.NoError(t, err)
	require.NoError(t, w.Run(clock.Instant(2*clock.Second)))
	require.Equal(t, tcp.ErrHostUnreachable, w.Outcome(0, 0).Err)
}

// A connection that nobody has opened stays where strangers are kept: here the
// client's side is gone when the server's accepts it.
func TestStrangers(t *testing.T) {
	for _, keep := range []bool{false, true} {
		cfg := talk([]Step{{Op: Abort}}, nil)
		cfg.KeepStrangers = keep
		// The SYN comes twice, the second time when the flow has its server already.
		cfg.Flows[0].Users[0].Steps = []Step{{Op: AwaitConnected}, {Op: CloseWrite}, {Op: AwaitEOF}}
		cfg.Flows[0].Users[1].Steps = []Step{{Op: AwaitEOF}, {Op: Close}}
		cfg.Flows = append(cfg.Flows, Flow{Port: 80, At: clock.Instant(clock.Hour), Users: cfg.Flows[0].Users})
		w, err := New(&cfg)
		require.NoError(t, err)
		w.ends[1].state, w.ends[1].fin = done, true // whoever it was for is there no more
		require.NoError(t, w.Run(clock.Instant(clock.Minute)))
		require.EqualValues(t, 1, w.Count().Strangers)
		want := tcp.NoError
		if !keep {
			want = tcp.ErrReset
		}
		require.Equal(t, want, w.Outcome(0, 0).Err)
		require.Equal(t, keep, w.Outcome(0, 0).EOF, "a stranger closes when the other end has")
	}
}

// What is tolerated is told, and the run goes on.
func TestTolerate(t *testing.T) {
	for _, tolerate := range []bool{false, true} {
		cfg := talk([]Step{{Op: AwaitConnected}, {Op: Write, N: 100}}, []Step{{Op: AwaitEOF}})
		cfg.Tolerate = tolerate
		w, err := New(&cfg)
		require.NoError(t, err)
		o := &witness{}
		w.Observe(o)
		w.Run(clock.Instant(1025 * clock.Millisecond))
		w.ends[0].written = 50 // as if the other end read what was not written
		err = w.Run(clock.Instant(10 * clock.Second))
		require.Equal(t, tolerate, err == nil)
		require.NotEmpty(t, o.texts)
		if tolerate {
			require.Contains(t, o.texts, "more is read than was written")
			require.EqualValues(t, len(o.texts), w.Broken())
		} else {
			require.Len(t, o.texts, 1)
		}
	}
}

// A stopper has seen enough at some packet.
type stopper struct{ after int }

func (o *stopper) See(w *World, s *Sight) {
	if s.What == Sent {
		if o.after--; o.after == 0 {
			w.Stop()
		}
	}
}

// An observer that stops the world is told of nothing more that is sent, whoever was
// sending, and the world takes no more steps.
func TestStop(t *testing.T) {
	for seed := range uint64(20) {
		for after := 1; after < 200; after += 13 {
			w, err := randomWorld(seed)
			require.NoError(t, err)
			o := &stopper{after}
			w.Observe(o)
			if err := w.Finish(); o.after > 0 {
				continue // it has sent fewer
			} else {
				require.NoError(t, err)
			}
			require.Zero(t, o.after, "seed %d", seed)
			require.False(t, w.Step())
			require.False(t, w.Clone().Step())
		}
	}
}
