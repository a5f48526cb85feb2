package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// stepHook is a hook that is one function, and notes what it was told.
type stepHook struct {
	does func(r *tcp.Record) tcp.Verdict // nil: Pass
	seen []tcp.Record
}

func (h *stepHook) At(r *tcp.Record) tcp.Verdict {
	h.seen = append(h.seen, *r)
	if h.does == nil {
		return tcp.Pass
	}
	return h.does(r)
}

func (h *stepHook) Deadline() clock.Instant                       { return clock.Never }
func (h *stepHook) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *stepHook) Clone() tcp.Hook                               { c := *h; return &c }
func (h *stepHook) Fingerprint(*siphash.Hash, clock.Instant)      {}
func (h *stepHook) only(t testing.TB) *tcp.Record                 { require.Len(t, h.seen, 1); return &h.seen[0] }
func always(v tcp.Verdict) func(*tcp.Record) tcp.Verdict {
	return func(*tcp.Record) tcp.Verdict { return v }
}
func (s *Stack) hooked(does func(*tcp.Record) tcp.Verdict, steps ...tcp.Step) *stepHook {
	h := &stepHook{does: does}
	s.SetHook(h, tcp.Mask(steps...))
	return h
}

var plainSyn = wire.TCP{Seq: 7, Flags: wire.SYN, Window: 1000, Options: wire.Options{Has: wire.HasMSS, MSS: 1460}}

// What a hook says to a SYN, with and without SYN cookies in the configuration.
func TestSynVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		verdict tcp.Verdict
		flags   []wire.Flags // of the answer
		half    int          // connections that there are then
		cookies uint64
		drops   uint64
	}{
		"pass":          {tcp.Pass, []wire.Flags{wire.SYN | wire.ACK}, 1, 0, 0},
		"mutated":       {tcp.Mutated, []wire.Flags{wire.SYN | wire.ACK}, 1, 0, 0}, // which means nothing here
		"unknown":       {200, []wire.Flags{wire.SYN | wire.ACK}, 1, 0, 0},
		"drop":          {tcp.DropIt, nil, 0, 0, 1},
		"reset":         {tcp.Reset, []wire.Flags{wire.RST | wire.ACK}, 0, 0, 1},
		"send a cookie": {tcp.SendCookie, []wire.Flags{wire.SYN | wire.ACK}, 0, 1, 0},
	} {
		for _, profile := range []string{"linux", "rfc9293"} {
			for _, cookies := range []bool{false, true} {
				t.Run(name+" "+profile, func(t *testing.T) {
					cfg := config(profile)
					cfg.SynCookies = cookies
					r := newRaw(t, cfg)
					l := r.listen(5)
					h := r.s.hooked(always(c.verdict), tcp.StepSyn)
					r.send(plainSyn, "")
					all := r.replies()
					var flags []wire.Flags
					for _, g := range all {
						flags = append(flags, g.Flags)
						require.Equal(t, seq.Value(8), g.Ack)
					}
					require.Equal(t, c.flags, flags)
					require.Equal(t, []int{c.half, c.half}, []int{r.s.Conns(), l.HalfOpen()})
					require.Equal(t, c.cookies, r.s.Stats().CookiesSent)
					require.Equal(t, c.drops, r.s.Stats().Drops[rule.DropHook])
					told := h.only(t)
					require.Equal(t, tcp.Tuple{Local: r.local, Remote: r.remote}, told.Tuple)
					require.Equal(t, []any{tcp.Listen, true, true, wire.SYN, seq.Value(7)}, []any{told.From, told.Passive, told.Segment, told.TCP.Flags, told.TCP.Seq})
					require.Equal(t, [8]uint64{0, 6, 0, 6, 0, 0}, told.Args)
					if c.cookies > 0 {
						// The cookie is good, though the configuration alone would have sent none.
						r.send(wire.TCP{Seq: 8, Ack: all[0].Seq.Add(1), Flags: wire.ACK, Window: 1000}, "")
						require.Equal(t, 1, l.Waiting())
						require.Equal(t, uint64(1), r.s.Stats().CookiesAccepted)
						require.Len(t, h.seen, 1, "an ACK is no SYN")
					}
				})
			}
		}
	}
}

// A hook sees how full a listener is, and lets nothing in that it refuses.
func TestSynHookLetsNothingIn(t *testing.T) {
	cfg := config("linux")
	cfg.SynCookies = false
	r := newRaw(t, cfg)
	l := r.listen(0)
	h := r.s.hooked(nil, tcp.StepSyn)
	more := func() {
		r.remote.Port++
		r.send(plainSyn, "")
	}
	more()
	require.Equal(t, 1, l.HalfOpen())
	h.does = always(tcp.Pass)
	more()
	require.Equal(t, [8]uint64{1, 1, 0, 1, 0, 1}, h.seen[1].Args)
	require.Equal(t, uint64(1), r.s.Stats().Drops[rule.DropBacklogFull])
	first := r.one()
	r.remote.Port--
	r.send(wire.TCP{Seq: 8, Ack: first.Seq.Add(1), Flags: wire.ACK, Window: 1000}, "")
	require.Equal(t, 1, l.Waiting())
	for _, v := range []tcp.Verdict{tcp.Pass, tcp.SendCookie, tcp.Mutated} {
		h.does = always(v)
		before := r.s.Stats().Drops[rule.DropAcceptQueueFull]
		r.remote.Port += 2
		r.send(plainSyn, "")
		require.Empty(t, r.replies())
		require.Equal(t, before+1, r.s.Stats().Drops[rule.DropAcceptQueueFull])
		require.Equal(t, [8]uint64{0, 1, 1, 1, 0, 1}, h.seen[len(h.seen)-1].Args)
	}
	// SYNs that no listener is there for, and segments that are none, are not asked about.
	n := len(h.seen)
	r.local.Port = 81
	r.send(plainSyn, "")
	r.local.Port = 80
	r.send(wire.TCP{Seq: 7, Ack: 9, Flags: wire.ACK}, "")
	r.send(wire.TCP{Seq: 7, Flags: wire.RST}, "")
	require.Len(t, h.seen, n)
}

// In the place of a connection in TIME-WAIT no cookie can be given.
func TestSynVerdictsInTimeWait(t *testing.T) {
	for v, left := range map[tcp.Verdict]int{tcp.Pass: 0, tcp.DropIt: 1, tcp.Reset: 1, tcp.SendCookie: 1} {
		r := newRaw(t, config("linux"))
		next := r.closed(false)
		h := r.s.hooked(func(r *tcp.Record) tcp.Verdict {
			if r.Step == tcp.StepISN {
				r.Args[0] = 5 // long past, for the old connection
				return tcp.Mutated
			}
			return v
		}, tcp.StepSyn, tcp.StepISN)
		syn := plainSyn
		syn.Seq = 100
		r.send(syn, "")
		require.Equal(t, left, r.s.TimeWaits())
		require.Equal(t, uint64(1), h.seen[0].Args[4], "TIME-WAIT records")
		switch all := r.replies(); v {
		case tcp.Pass:
			require.Len(t, all, 1)
			require.True(t, all[0].Seq.After(next), "MAY-2: the number is beyond the old connection, whatever the hook wants")
		case tcp.Reset:
			require.Len(t, all, 1)
			require.Equal(t, wire.RST|wire.ACK, all[0].Flags)
		default:
			require.Empty(t, all)
		}
	}
}

// The initial sequence number of either end is a hook's, if it wants; that of a
// cookie is not.
func TestISNStep(t *testing.T) {
	p := newPair(t, config("linux"))
	weak := func(r *tcp.Record) tcp.Verdict {
		require.NotZero(t, r.Args[0])
		require.Equal(t, r.Passive, r.From == tcp.Listen)
		r.Args[0] = 1<<40 | 0xfffffff0 // more than a number has
		return tcp.Mutated
	}
	ha, hb := p.a.hooked(weak, tcp.StepISN), p.b.hooked(weak, tcp.StepISN)
	a, b := p.connect(wire.IPv6)
	require.Equal(t, seq.Value(0xfffffff0), a.View().Send.ISS)
	require.Equal(t, seq.Value(0xfffffff0), b.View().Send.ISS)
	require.False(t, ha.only(t).Passive)
	require.Equal(t, a.tcb.Tuple(), ha.only(t).Tuple)
	require.True(t, hb.only(t).Passive)
	require.Equal(t, b.tcb.Tuple(), hb.only(t).Tuple)
	_, err := a.Write(p.now, []byte("across the wrap of the sequence space"))
	require.NoError(t, err)
	p.run(clock.Second)
	require.Positive(t, b.Readable())

	r := newRaw(t, config("linux"))
	r.listen(5)
	h := r.s.hooked(func(r *tcp.Record) tcp.Verdict {
		if r.Step == tcp.StepSyn {
			return tcp.SendCookie
		}
		return weak(r)
	}, tcp.StepISN, tcp.StepSyn)
	r.send(plainSyn, "")
	require.NotEqual(t, seq.Value(0xfffffff0), r.one().Seq)
	require.Equal(t, tcp.StepSyn, h.only(t).Step)
}

// A port that a hook chooses is taken if it is in the range and free.
func TestPortStep(t *testing.T) {
	p := newPair(t, config("linux"))
	want := uint64(0)
	h := p.a.hooked(func(r *tcp.Record) tcp.Verdict {
		r.Args[0] = want
		return tcp.Mutated
	}, tcp.StepPort)
	low, high := p.a.cfg.PortLow, p.a.cfg.PortHigh
	dial := func() *Conn { return p.dial(p.a, at("10.0.0.2", 80)) }
	for _, good := range []uint16{low, high, low + 77} {
		want = uint64(good)
		require.Equal(t, good, dial().Local().Port)
	}
	require.Zero(t, p.a.Stats().PortsRefused)
	_, err := p.a.Listen(p.now, at("10.0.0.1", low+5), ListenOptions{})
	require.NoError(t, err)
	for i, bad := range []uint64{0, uint64(low) - 1, uint64(high) + 1, 1<<16 | uint64(low+9), uint64(low) + 77, uint64(low) + 5} {
		want = bad
		c := dial()
		told := h.seen[len(h.seen)-1]
		require.Equal(t, told.Tuple.Local, c.Local(), "the port that was proposed stays")
		require.Equal(t, [8]uint64{uint64(c.Local().Port), uint64(low), uint64(high)}, told.Args)
		require.Equal(t, uint64(i+1), p.a.Stats().PortsRefused)
	}
	// Who says which port is not asked.
	n := len(h.seen)
	_, err = p.a.Dial(p.now, at("10.0.0.1", 5), at("10.0.0.2", 80), nil)
	require.NoError(t, err)
	require.Len(t, h.seen, n)
}

// A record in TIME-WAIT tells of its 2 MSL as a connection does: they can be made
// longer, and a lab may end them; once over they are over.
func TestTimeWaitTimerSteps(t *testing.T) {
	const again, longest = clock.Minute, 5 * clock.Minute
	for _, c := range []struct {
		verdict    tcp.Verdict
		want, left clock.Duration
	}{
		{tcp.Pass, 0, again},
		{tcp.Mutated, again + 1, again + 1},
		{tcp.Mutated, longest, longest},
		{tcp.Mutated, longest + 1, longest},
		{tcp.Mutated, again - 1, again}, // RFC 9293 §3.4.2 MUST-13
		{tcp.Mutated, -1, again},
		{tcp.Hold, 0, clock.Hour},
		{tcp.FireNow, 0, clock.Millisecond},
	} {
		r := newRaw(t, config("linux"))
		next := r.closed(false)
		r.now = r.now.Add(10 * clock.Second)
		h := r.s.hooked(func(told *tcp.Record) tcp.Verdict {
			if told.Step == tcp.StepTimerFired {
				return tcp.Hold
			}
			told.Args[1] = uint64(r.now.Add(c.want))
			return c.verdict
		}, tcp.StepTimerArmed, tcp.StepTimerFired)
		r.send(wire.TCP{Seq: 1, Ack: next, Flags: wire.FIN | wire.ACK, Window: 10}, "")
		require.Equal(t, wire.ACK, r.one().Flags)
		told := h.only(t)
		require.Equal(t, [8]uint64{uint64(tcp.TimerWait), uint64(r.now.Add(again))}, told.Args)
		require.Equal(t, tcp.TimeWait, told.From)
		require.Equal(t, r.local, told.Tuple.Local)
		end := r.now.Add(c.left)
		require.Equal(t, end, r.s.Deadline())
		r.s.Expire(end - 1)
		require.Equal(t, 1, r.s.TimeWaits())
		r.s.Expire(end)
		require.Zero(t, r.s.TimeWaits(), "nothing holds it any longer")
		require.Equal(t, [8]uint64{uint64(tcp.TimerWait)}, h.seen[1].Args)
		require.Len(t, h.seen, 2)
	}
}

// StepClosed comes once, when nothing of a connection is left, with the reason.
func TestClosedStep(t *testing.T) {
	halfOpen := func(r *raw) *Listener {
		l := r.listen(5)
		r.send(plainSyn, "")
		require.Equal(t, 1, l.HalfOpen())
		return l
	}
	open := func(r *raw) *Conn {
		l := halfOpen(r)
		r.send(wire.TCP{Seq: 8, Ack: r.one().Seq.Add(1), Flags: wire.ACK, Window: 1000}, "")
		c, err := l.Accept(r.now)
		require.NoError(t, err)
		return c
	}
	for name, c := range map[string]struct {
		before func(r *raw) // with nothing closed yet, but for what is to come
		end    func(r *raw)
		want   tcp.Error
		state  tcp.State
	}{
		"a refused open": {
			func(r *raw) {
				c, err := r.s.Dial(r.now, r.local, r.remote, nil)
				require.NoError(t, err)
				r.send(wire.TCP{Ack: r.one().Seq.Add(1), Flags: wire.RST | wire.ACK}, "")
				r.replies()
				require.Equal(t, tcp.ErrRefused, c.Err())
			},
			func(r *raw) { require.NoError(t, r.s.Conn(0).Close(r.now)); r.replies() },
			tcp.ErrRefused, tcp.Closed,
		},
		"a reset of what nobody has accepted": {
			func(r *raw) { halfOpen(r) },
			func(r *raw) { r.send(wire.TCP{Seq: 8, Flags: wire.RST}, ""); r.replies() },
			tcp.NoError, tcp.Listen,
		},
		"a listener that closes": {
			func(r *raw) { halfOpen(r) },
			func(r *raw) { r.s.Listener(0).Close(r.now); r.replies() },
			tcp.ErrAborted, tcp.Closed,
		},
		"nobody answers": {
			func(r *raw) { halfOpen(r); r.replies() },
			func(r *raw) {
				for r.s.Conns() > 0 {
					r.now = r.s.Deadline()
					r.s.Expire(r.now)
					r.replies()
				}
			},
			tcp.ErrTimeout, tcp.Closed,
		},
		"memory pressure": {
			func(r *raw) { open(r) },
			func(r *raw) {
				c := r.s.Conn(0)
				c.tcb.AbortForMemory(r.now)
				r.s.after(r.now, c)
				r.replies()
				require.NoError(t, c.Close(r.now))
				r.replies()
			},
			tcp.ErrResources, tcp.Closed,
		},
		"LAST-ACK": {
			func(r *raw) {
				c := open(r)
				r.send(wire.TCP{Seq: 8, Ack: c.View().Send.NXT, Flags: wire.FIN | wire.ACK, Window: 1000}, "")
				require.NoError(t, c.Close(r.now))
				r.replies()
			},
			func(r *raw) {
				r.send(wire.TCP{Seq: 9, Ack: r.s.Conn(0).View().Send.NXT, Flags: wire.ACK, Window: 1000}, "")
				r.replies()
			},
			tcp.NoError, tcp.Closed,
		},
		"the end of TIME-WAIT": {
			func(r *raw) { r.closed(false) },
			func(r *raw) { r.s.Expire(r.s.Deadline()) },
			tcp.NoError, tcp.TimeWait,
		},
		"a SYN in TIME-WAIT": {
			func(r *raw) { r.closed(false) },
			func(r *raw) { syn := plainSyn; syn.Seq = 100; r.send(syn, "") },
			tcp.NoError, tcp.TimeWait,
		},
		"too many in TIME-WAIT": {
			func(r *raw) { r.closed(false) },
			func(r *raw) { r.remote.Port++; r.closed(false) },
			tcp.NoError, tcp.TimeWait,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config("linux")
			cfg.MaxTimeWait = 1
			r := newRaw(t, cfg)
			h := r.s.hooked(nil, tcp.StepClosed)
			c.before(r)
			require.Empty(t, h.seen, "it is there")
			c.end(r)
			told := h.only(t)
			require.Equal(t, uint32(1), told.Conn)
			require.Equal(t, [8]uint64{uint64(c.want)}, told.Args)
			require.Equal(t, c.state, told.From)
			require.Equal(t, r.local, told.Tuple.Local)
		})
	}
}

// stepCounter counts, and passes everything.
type stepCounter struct {
	stepHook
	calls [tcp.Steps]int
}

func (h *stepCounter) At(r *tcp.Record) tcp.Verdict {
	h.calls[r.Step]++
	return tcp.Pass
}

// The established path allocates nothing with a hook either.
func TestStepsAllocateNothing(t *testing.T) {
	w := newBulk(t, ethernet)
	h := &stepCounter{}
	mask := tcp.Mask(tcp.StepTimerArmed, tcp.StepTimerFired, tcp.StepRTT, tcp.StepLost, tcp.StepRetransmit, tcp.StepPhase, tcp.StepSpurious, tcp.StepAck)
	w.a.SetHook(h, mask)
	w.b.SetHook(h, mask)
	n := 0
	w.pass = func(from *Stack, _ *packet.Packet) bool {
		n++
		return from != w.a || n%500 != 0 // so that there are losses too
	}
	for range 2000 {
		w.turn()
	}
	again := h.calls[tcp.StepRetransmit]
	require.Zero(t, testing.AllocsPerRun(200, w.turn))
	require.Greater(t, h.calls[tcp.StepRetransmit], again)
	for _, step := range []tcp.Step{tcp.StepTimerArmed, tcp.StepRTT, tcp.StepLost, tcp.StepPhase, tcp.StepAck} {
		require.Positive(t, h.calls[step], "step %d", step)
	}
}
