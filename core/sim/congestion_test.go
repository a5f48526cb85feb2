package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

const ms = clock.Millisecond

// listening is a controller that wants to hear of everything, and notes it.
type listening struct {
	cc.Cubic
	wants    cc.Wants
	acks     []cc.Ack
	reports  []cc.Report
	sent     []cc.Sent
	timers   []clock.Instant
	released int
}

func (l *listening) Name() string                       { return "listening" }
func (l *listening) Wants() cc.Wants                    { return l.wants }
func (l *listening) OnSent(_ *cc.State, e *cc.Sent)     { l.sent = append(l.sent, *e) }
func (l *listening) OnRelease(*cc.State, clock.Instant) { l.released++ }

func (l *listening) OnAck(s *cc.State, a *cc.Ack) {
	l.acks = append(l.acks, *a)
	l.Cubic.OnAck(s, a)
}

func (l *listening) OnReport(s *cc.State, r *cc.Report) {
	l.reports = append(l.reports, *r)
	s.More.TimerAt = r.Now.Add(5 * ms)
}

func (l *listening) OnTimer(s *cc.State, now clock.Instant) {
	l.timers = append(l.timers, now)
	if len(l.timers)%2 == 1 {
		s.More.TimerAt = 0 // long ago
	}
}

const everything = cc.WantsSamples | cc.WantsReport | cc.WantsSent | cc.WantsRelease

// controlled is a transfer of n octets from host 0 over a link, under a controller.
func controlled(k cc.Controller, n uint64, way Channel) Config {
	cfg := pair("linux", Flow{Sure: true, Users: users([]Step{write(n), half, eof}, []Step{eof})})
	cfg.Hosts[0].Core.TCP.Controller = k
	cfg.Links[0].AB = way
	way.Loss = 0
	cfg.Links[0].BA = way
	return cfg
}

// The rate samples of a connection that fills a link are the rate of the link, in
// octets of data; those of one that does not are marked.
func TestRateSamples(t *testing.T) {
	l := &listening{wants: everything}
	way := Channel{Delay: 10 * ms, Rate: 1_500_000}
	w := finish(t, controlled(l, 3_000_000, way))
	info := w.Stack(0).Stats()
	require.Zero(t, info.Retransmits)
	require.Equal(t, uint64(3_000_001), l.acks[len(l.acks)-1].Total, "and the FIN")
	full, close := 0, 0
	for _, a := range l.acks {
		rate := uint64(0)
		if a.Interval > 0 {
			rate = a.Delivered * uint64(clock.Second) / uint64(a.Interval)
		}
		require.Less(t, rate, uint64(1_530_000), "never more than the link brings: 1448 of 1500 octets, and it rounds")
		if a.Now > clock.Instant(1300*ms) && !a.AppLimited {
			full++
			if rate > 1_400_000 && rate < 1_460_000 {
				close++
			}
		}
	}
	require.Greater(t, full, 500)
	require.Greater(t, close, full*95/100, "of %d samples", full)
	octets := uint64(0)
	for _, e := range l.sent {
		require.False(t, e.Again)
		octets += uint64(e.Octets)
	}
	require.Equal(t, uint64(3_000_000), octets)
	require.Equal(t, 1, l.released)

	// One segment each 50 ms on the same link.
	l = &listening{wants: everything}
	cfg := controlled(l, 0, way)
	var steps []Step
	for range 50 {
		steps = append(steps, write(1000), wait(50*ms))
	}
	cfg.Flows[0].Users[0].Steps = append(steps, half, eof)
	finish(t, cfg)
	limited := 0
	for _, a := range l.acks {
		if a.AppLimited {
			limited++
		}
	}
	require.Greater(t, limited, 40, "of %d", len(l.acks))
}

// Reports are for round trips, and hold what their ACKs said. Timers come when they
// were asked for, and never at once.
func TestReportsAndTimers(t *testing.T) {
	l := &listening{wants: everything}
	w := finish(t, controlled(l, 3_000_000, Channel{Delay: 10 * ms, Rate: 5_000_000, Loss: 10_000}))
	acked, losses := uint64(0), uint64(0)
	for i, r := range l.reports {
		acked, losses = acked+r.Acked, losses+r.Losses
		if i > 0 {
			require.Greater(t, r.Now.Sub(l.reports[i-1].Now), 19*ms)
		}
		require.NotZero(t, r.Acks)
	}
	last := l.acks[len(l.acks)-1]
	require.Greater(t, len(l.reports), int(last.Now.Sub(clock.Instant(clock.Second))/(60*ms)))
	require.InDelta(t, 3_000_000, acked, 300_000, "all but the last round trip")
	sum := uint64(0)
	for _, a := range l.acks {
		sum += uint64(a.Losses)
	}
	require.InDelta(t, sum, losses, 20_000)
	again := uint64(0)
	for _, e := range l.sent {
		if e.Again {
			again += uint64(e.Octets)
		}
	}
	require.NotZero(t, w.Stack(0).Stats().Retransmits)
	require.InDelta(t, again, sum, 10_000, "what is lost goes again")
	require.GreaterOrEqual(t, len(l.timers), len(l.reports))
	for i := 1; i < len(l.timers); i++ {
		require.GreaterOrEqual(t, l.timers[i].Sub(l.timers[i-1]), ms)
	}
}

// To hear of everything changes nothing.
func TestListeningChangesNothing(t *testing.T) {
	way := Channel{Delay: 10 * ms, Rate: 5_000_000, Loss: 10_000}
	plain := finish(t, controlled(cc.Cubic{}, 1_000_000, way))
	l := &silent{listening{wants: everything}}
	require.Equal(t, plain.Count().Packets, finish(t, controlled(l, 1_000_000, way)).Count().Packets)
	require.NotEmpty(t, l.acks)
}

type silent struct{ listening }

func (*silent) OnReport(*cc.State, *cc.Report) {}

// bad is a controller that is broken in one way.
type bad struct {
	cc.NewReno
	wants cc.Wants
	spoil func(s *cc.State)
	grows bool // on loss
}

func (b *bad) Name() string    { return "bad" }
func (b *bad) Wants() cc.Wants { return b.wants }

func (b *bad) OnAck(s *cc.State, a *cc.Ack) {
	b.NewReno.OnAck(s, a)
	if b.spoil != nil {
		b.spoil(s)
	}
}

func (b *bad) OnLoss(s *cc.State, now clock.Instant, inFlight uint32) {
	b.NewReno.OnLoss(s, now, inFlight)
	if b.grows {
		s.Cwnd, s.Ssthresh = 2*s.Cwnd, 2*s.Cwnd
	}
}

func (b *bad) OnTimer(s *cc.State, now clock.Instant) { s.More.TimerAt = now }

var broken = map[string]*bad{
	"zero":    {spoil: func(s *cc.State) { s.Cwnd, s.Ssthresh = 0, 0 }},
	"most":    {spoil: func(s *cc.State) { s.Cwnd, s.Ssthresh = 1<<32-1, 1<<32-1 }},
	"grows":   {grows: true},
	"slow":    {spoil: func(s *cc.State) { s.PacingRate = 1 }},
	"hurried": {wants: cc.WantsMore, spoil: func(s *cc.State) { s.More.TimerAt = 0; s.More.Quantum = 1; s.PacingRate = 1 << 20 }},
	"mine":    {wants: cc.OwnsWindow | cc.WantsSamples, spoil: func(s *cc.State) { s.Cwnd = 1<<32 - 1 }, grows: true},
	"nothing": {wants: cc.OwnsWindow | cc.WantsSamples, spoil: func(s *cc.State) { s.Cwnd = 0 }},
	"fails":   {wants: everything, spoil: func(s *cc.State) { s.Failed, s.Cwnd = true, 0 }},
}

// A controller may do what it likes: each end keeps its invariants, which the
// simulator looks at after every event, and the octets arrive.
func TestBadControllers(t *testing.T) {
	for name, k := range broken {
		t.Run(name, func(t *testing.T) {
			w := finish(t, controlled(k, 60_000, Channel{Delay: 10 * ms, Rate: 5_000_000, Queue: 100_000, Loss: 20_000}))
			fallbacks := uint64(0)
			if name == "fails" {
				fallbacks = 1
			}
			require.Equal(t, fallbacks, w.Stack(0).Stats().Fallbacks)
		})
	}
}

// failing gives up at the n-th call of a kind.
type failing struct {
	cc.NewReno
	at string
}

func (*failing) Name() string    { return "failing" }
func (*failing) Wants() cc.Wants { return everything }

func (f *failing) fails(s *cc.State, at string) bool {
	s.Failed = s.Failed || f.at == at
	return s.Failed
}

func (f *failing) Init(s *cc.State, now clock.Instant) {
	f.NewReno.Init(s, now)
	f.fails(s, "init")
}

func (f *failing) OnAck(s *cc.State, a *cc.Ack) {
	if !f.fails(s, "ack") {
		f.NewReno.OnAck(s, a)
	}
}

func (f *failing) OnLoss(s *cc.State, now clock.Instant, inFlight uint32) {
	if !f.fails(s, "loss") {
		f.NewReno.OnLoss(s, now, inFlight)
		s.More.TimerAt = now.Add(ms)
	}
}

func (f *failing) OnSent(s *cc.State, _ *cc.Sent)              { f.fails(s, "sent") }
func (f *failing) OnReport(s *cc.State, _ *cc.Report)          { f.fails(s, "report") }
func (f *failing) OnTimer(s *cc.State, _ clock.Instant)        { f.fails(s, "timer") }
func (f *failing) OnRecoveryExit(s *cc.State, _ clock.Instant) { f.fails(s, "exit") }

// Where a controller gives up, CUBIC goes on with the window of then, and answers
// the loss that the other did not.
func TestFallback(t *testing.T) {
	for _, at := range []string{"init", "ack", "sent", "report", "timer", "loss", "exit"} {
		cfg := controlled(&failing{at: at}, 200_000, Channel{Delay: 10 * ms})
		cfg.Plan = []Planned{{Direction: 0, Ordinal: 60, Fate: Lose}}
		w := world(t, cfg)
		name, before := "", uint32(0)
		for w.Step() {
			c := w.Conn(0, 0)
			if c == nil {
				continue
			}
			info := c.Info(w.Now())
			if info.Congestion != name {
				if name == "failing" && before > 0 {
					require.Equal(t, "cubic", info.Congestion, at)
					require.Less(t, info.Cwnd, before+4*1448, at)
					want := before / 2
					if at != "loss" && at != "timer" && at != "exit" {
						want = before
					}
					require.GreaterOrEqual(t, info.Cwnd, want, at)
					if at == "loss" {
						require.Less(t, info.Ssthresh, before, "CUBIC has had the loss")
					}
				}
				name = info.Congestion
			}
			before = info.Cwnd
		}
		require.NoError(t, w.Finish())
		require.Equal(t, "cubic", name, at)
		require.Equal(t, uint64(1), w.Stack(0).Stats().Fallbacks, at)
	}
}

// The controller of a connection can be exchanged, there and back. A new one for
// the whole stack is for connections to come.
func TestExchangeController(t *testing.T) {
	one, two := &listening{wants: everything}, &listening{wants: everything}
	w := world(t, controlled(one, 2_000_000, Channel{Delay: 10 * ms, Rate: 5_000_000, Loss: 1000}))
	require.NoError(t, w.Run(clock.Instant(1100*ms)))
	whole := w.cfg.Hosts[0].Core
	whole.TCP.Controller = cc.NewReno{}
	require.NoError(t, w.Stack(0).SetConfig(whole))
	c := w.Conn(0, 0)
	require.Equal(t, "listening", c.Info(w.Now()).Congestion)
	set := func(k cc.Controller) {
		cwnd := c.Info(w.Now()).Cwnd
		cfg := *c.Config()
		cfg.Controller = k
		require.NoError(t, c.SetConfig(w.Now(), &cfg))
		info := c.Info(w.Now())
		require.Equal(t, k.Name(), info.Congestion)
		require.Equal(t, cwnd, info.Cwnd)
	}
	set(two)
	require.Equal(t, 1, one.released)
	heard := len(one.acks)
	require.NoError(t, w.Run(clock.Instant(1200*ms)))
	require.Len(t, one.acks, heard)
	require.NotEmpty(t, two.acks)
	require.NotEmpty(t, two.reports)
	set(cc.Cubic{})
	require.NoError(t, w.Run(clock.Instant(1250*ms)))
	set(one)
	require.NoError(t, w.Finish())
	require.Greater(t, len(one.acks), heard)
	require.Equal(t, 2, one.released)
	require.Equal(t, 1, two.released)
	require.Zero(t, w.Stack(0).Stats().Fallbacks)
	require.Equal(t, tcp.NoError, w.Outcome(0, 0).Err)
}

// paced has state in all places: what More holds, a pacing rate and a timer.
type roomy struct{ cc.NewReno }

func (roomy) Name() string    { return "roomy" }
func (roomy) Wants() cc.Wants { return everything | cc.OwnsWindow }
func (roomy) OnAck(s *cc.State, a *cc.Ack) {
	m := s.More
	m.Priv[0] += a.Delivered
	m.Priv[31] = m.Priv[31]*31 + uint64(a.Interval)
	s.PacingRate = 1_000_000 + m.Priv[31]%1_000_000
	s.Cwnd = 20_000 + uint32(m.Priv[0]%20_000)
	m.TimerAt = a.Now.Add(clock.Duration(m.Priv[31] % uint64(20*ms)))
}
func (roomy) OnTimer(s *cc.State, _ clock.Instant) { s.More.Priv[1]++; s.Cwnd += s.MSS }

// What hangs off a State is copied with it.
func TestCloneWithMore(t *testing.T) {
	cfg := controlled(roomy{}, 400_000, Channel{Delay: 10 * ms, Loss: 20_000})
	whole := finish(t, cfg)
	w := world(t, cfg)
	for range whole.Count().Events / 2 {
		require.True(t, w.Step())
	}
	c := w.Clone()
	before := w.Fingerprint()
	require.Equal(t, before, c.Fingerprint())
	require.NoError(t, c.Finish())
	require.Equal(t, before, w.Fingerprint())
	require.NoError(t, w.Finish())
	require.Equal(t, whole.Hash(), w.Hash())
	require.Equal(t, whole.Hash(), c.Hash())
}
