package tcp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// A stepHook is a hook that is one function, and counts what it was asked.
type stepHook struct {
	does  func(r *tcp.Record) tcp.Verdict // nil: Pass
	calls [tcp.Steps]int
	last  tcp.Record
}

func (h *stepHook) At(r *tcp.Record) tcp.Verdict {
	h.calls[r.Step]++
	h.last = *r
	if h.does == nil {
		return tcp.Pass
	}
	return h.does(r)
}

func (h *stepHook) Deadline() clock.Instant                       { return clock.Never }
func (h *stepHook) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *stepHook) Clone() tcp.Hook                               { c := *h; return &c }
func (h *stepHook) Fingerprint(*siphash.Hash, clock.Instant)      {}

func (e *end) hooked(does func(*tcp.Record) tcp.Verdict, steps ...tcp.Step) *stepHook {
	h := &stepHook{does: does}
	e.env.Hook, e.env.Hooks = h, tcp.Mask(steps...)
	return h
}

func slotOf(name string) uint8 {
	for slot := range tcp.TimerSlots {
		if tcp.TimerName(uint8(slot)) == name {
			return uint8(slot)
		}
	}
	panic("no such timer: " + name)
}

// timerCases bring a connection to where a timer is armed: ready does all that comes
// before, and arm does it.
var timerCases = []struct {
	name, slot       string
	cfg              func(*tcp.Config)
	state            tcp.State
	ready, arm       func(e *end)
	earliest, latest clock.Duration // where a hook may put it; 0: when the engine does
	again            clock.Duration // when it runs out if it did not act the first time
}{
	{
		name: "data", slot: "retransmit", state: tcp.Established,
		arm:      func(e *end) { e.write(100) },
		earliest: second, latest: 60 * second, again: second,
	}, {
		name: "data, once more", slot: "retransmit", state: tcp.Established,
		ready:    func(e *end) { e.write(100); e.pass(second - 1); e.took() },
		arm:      func(e *end) { e.pass(1) },
		earliest: 2 * second, latest: 60 * second, again: 2 * second, // RFC 6298 §5.5
	}, {
		name: "a SYN", slot: "retransmit", state: tcp.Closed,
		arm:      func(e *end) { e.synSent() },
		earliest: second, latest: 60 * second, again: second,
	}, {
		name: "a closed window", slot: "persist", state: tcp.Established,
		ready:    func(e *end) { e.in(". 1(0) ack 1 win 0") },
		arm:      func(e *end) { e.write(100) },
		earliest: second, latest: 60 * second, again: second,
	}, {
		name: "a silly window", slot: "persist", state: tcp.Established,
		ready:    func(e *end) { e.in(". 1(0) ack 1 win 10") },
		arm:      func(e *end) { e.write(100) },
		earliest: 100 * ms, latest: second, again: second,
	}, {
		name: "an ACK", slot: "delayed-ack", state: tcp.Established,
		arm:      func(e *end) { e.in(". 1(10) ack 1 win 1000") },
		earliest: ms, latest: 500*ms - 1, again: 200 * ms,
	}, {
		name: "idleness", slot: "keepalive", state: tcp.Established,
		arm:      func(e *end) { e.c.SetKeepalive(e.now, true, 0, 0, 0) },
		earliest: second, latest: 32767 * second, again: 75 * second,
	}, {
		name: "patience", slot: "user", state: tcp.Established,
		cfg:      func(c *tcp.Config) { c.UserTimeout = 20 * second },
		arm:      func(e *end) { e.write(100) },
		earliest: second + 1, latest: 32767 * clock.Minute, again: 20 * second,
	}, {
		name: "an orphan", slot: "wait", state: tcp.FinWait2,
		arm:      func(e *end) { require.NoError(e, e.c.Close(e.now)) },
		earliest: ms, latest: 5 * clock.Minute, again: clock.Minute,
	}, {
		name: "2 MSL", slot: "wait", state: tcp.FinWait2,
		arm:    func(e *end) { e.in("F. 1(0) ack 2 win 65535") },
		latest: 8 * clock.Minute, // and never earlier, MUST-13
	}, {
		name: "a loss probe", slot: "tlp", state: tcp.Closed,
		cfg:      func(c *tcp.Config) { c.RACK, c.TLP = true, true },
		ready:    roundTrip,
		arm:      func(e *end) { e.write(100) },
		earliest: ms, latest: second, again: 200 * ms,
	}, {
		name: "reordering", slot: "reorder", state: tcp.Closed,
		cfg: func(c *tcp.Config) { c.RACK, c.Nagle = true, false },
		ready: func(e *end) {
			roundTrip(e)
			e.write(100)
			e.write(100)
			e.pass(100 * ms)
		},
		arm:      func(e *end) { e.in(". 1(0) ack 1 win 65535", e.sack(101, 201)) },
		earliest: ms, latest: 100 * ms, again: 100 * ms,
	},
}

// roundTrip opens a connection with SACK over a path of 100 ms.
func roundTrip(e *end) {
	e.synReceived(sackOK)
	e.pass(100 * ms)
	e.in(". 1(0) ack 1 win 65535")
}

// reachTimer brings a connection to just before its timer is armed.
func reachTimer(t *testing.T, v variant, i int) (*end, uint8) {
	c := &timerCases[i]
	cfg := tcp.RFC9293()
	if c.cfg != nil {
		c.cfg(&cfg)
	}
	e := reach(t, v, cfg, c.state)
	if c.ready != nil {
		c.ready(e)
	}
	return e, slotOf(c.slot)
}

// left is how long a timer that must be armed has left.
func (e *end) left(slot uint8) clock.Duration {
	d, armed := e.c.TimerLeft(slot, e.now)
	require.True(e, armed, "the %s timer is not armed", tcp.TimerName(slot))
	return d
}

// A hook is told when each timer will run out, and may move it within the bounds
// that the RFCs give; a lab's may hold it or let it act at once.
func TestTimerArmedStep(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for i := range timerCases {
			c := &timerCases[i]
			t.Run(c.name, func(t *testing.T) {
				plain, slot := reachTimer(t, v, i)
				c.arm(plain)
				usual := plain.left(slot)
				earliest, latest := c.earliest, c.latest
				if earliest == 0 {
					earliest = usual
				}
				try := func(verdict tcp.Verdict, d, want clock.Duration) {
					e, slot := reachTimer(t, v, i)
					told := 0
					h := e.hooked(func(r *tcp.Record) tcp.Verdict {
						if r.Args[0] != uint64(slot) {
							return tcp.Pass
						}
						if told++; told > 1 {
							return tcp.Pass // an arming that follows from this one
						}
						require.Equal(t, uint64(e.now.Add(usual)), r.Args[1])
						r.Args[1] = uint64(e.now.Add(d))
						return verdict
					}, tcp.StepTimerArmed)
					c.arm(e)
					require.Equal(t, 1, told)
					require.Equal(t, e.c.ID(), h.last.Conn)
					require.Equal(t, want, e.left(slot), "%v %v", verdict, d)
					require.Empty(t, e.c.Check())
				}
				try(tcp.Pass, 7, usual)
				try(tcp.DropIt, 7, usual) // which means nothing here
				for _, d := range []clock.Duration{earliest, (earliest + latest) / 2, latest} {
					try(tcp.Mutated, d, d)
				}
				for _, d := range []clock.Duration{-1 << 62, -1, 0, earliest - 1} {
					try(tcp.Mutated, d, earliest)
				}
				for _, d := range []clock.Duration{latest + 1, 1000 * clock.Hour} {
					try(tcp.Mutated, d, latest)
				}
				try(tcp.Hold, 7, max(clock.Hour, usual))
				try(tcp.FireNow, 7, ms)
			})
		}
	})
}

// A hook is told of each timer that runs out, and a lab's may keep it from acting
// once: it runs again. 2 MSL are not held.
func TestTimerFiredStep(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for i := range timerCases {
			c := &timerCases[i]
			t.Run(c.name, func(t *testing.T) {
				e, slot := reachTimer(t, v, i)
				c.arm(e)
				e.pass(e.left(slot) - 1)
				e.took()
				told := 0
				e.hooked(func(r *tcp.Record) tcp.Verdict {
					if r.Args[0] != uint64(slot) {
						return tcp.Pass
					}
					told++
					require.Equal(t, uint64(e.c.Info(e.now).Retransmits), r.Args[1])
					return tcp.Hold
				}, tcp.StepTimerFired)
				state := e.c.State()
				e.now++
				e.c.Expire(e.now)
				require.Equal(t, 1, told)
				if state == tcp.TimeWait {
					require.Equal(t, tcp.Closed, e.c.State())
					return
				}
				require.Equal(t, state, e.c.State())
				require.Equal(t, c.again, e.left(slot))
				require.Empty(t, e.took(), "it has not acted")
				require.Empty(t, e.c.Check())
				e.env.Hooks = 0
				e.now = e.now.Add(c.again)
				e.c.Expire(e.now)
				if c.slot != "user" && c.name != "an orphan" && c.slot != "keepalive" {
					require.NotEmpty(t, e.took(), "but now it has")
				}
			})
		}
	})
}

// Timers that are moved, held and let act at once, at random or always, end: no
// instant has infinitely many.
func TestTimersOfAHookEnd(t *testing.T) {
	for _, verdict := range []tcp.Verdict{tcp.Mutated, tcp.Hold, tcp.FireNow} {
		for _, cfg := range []tcp.Config{tcp.Linux(), tcp.RFC9293()} {
			for i := range timerCases {
				c, cfg := &timerCases[i], cfg
				cfg.Keepalive = true
				if c.cfg != nil {
					c.cfg(&cfg)
				}
				e := reach(t, variants[0], cfg, c.state)
				if c.ready != nil {
					c.ready(e)
				}
				e.hooked(func(r *tcp.Record) tcp.Verdict {
					r.Args[1] = 0
					return verdict
				}, tcp.StepTimerArmed, tcp.StepTimerFired)
				c.arm(e)
				for range 2000 {
					at := e.c.Deadline()
					if at == clock.Never {
						break
					}
					require.True(t, at.After(e.now), "%s: a timer is due before time has passed", c.name)
					e.now = at
					e.c.Expire(e.now)
					e.drain()
					require.Empty(t, e.c.Check())
				}
			}
		}
	}
}

// A hook is shown what the application has written and read, as far as it was taken.
func TestDataSteps(t *testing.T) {
	cfg := tcp.RFC9293()
	cfg.SendBuffer, cfg.SendBufferMax = 10, 10
	e := newEnd(t, variants[0], cfg).passive(0)
	var told []string
	e.hooked(func(r *tcp.Record) tcp.Verdict {
		told = append(told, map[tcp.Step]string{tcp.StepWrite: "wrote ", tcp.StepRead: "read "}[r.Step]+string(r.Payload))
		require.Equal(t, r.Step == tcp.StepWrite, r.Leaving)
		return tcp.DropIt // which means nothing here
	}, tcp.StepWrite, tcp.StepRead)
	for _, text := range []string{"hello", "", "to the world", "and more"} {
		_, _ = e.c.Write(e.now, []byte(text))
	}
	seg := e.segment("P. 1(7) ack 1 win 0")
	seg.Payload = []byte("goodbye")
	e.c.Arrives(e.now, seg)
	b := make([]byte, 4)
	for range 3 {
		_, _ = e.c.Read(e.now, b)
	}
	require.Equal(t, []string{"wrote hello", "wrote to th", "read good", "read bye"}, told)
}
