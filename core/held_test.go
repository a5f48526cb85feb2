package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// What is held is kept until the hook releases its tag, in both directions, and in the
// order in which it came.
func TestHoldAndRelease(t *testing.T) {
	for _, step := range []tcp.Step{tcp.StepLeaving, tcp.StepArriving} {
		p := newPair(t, config("linux"))
		a, b := p.connect(wire.IPv4)
		at := p.a
		if step == tcp.StepArriving {
			at = p.b
		}
		h := at.hooked(func(r *tcp.Record) tcp.Verdict {
			r.Arg = uint64(r.Payload[0])
			return tcp.Hold
		}, step)
		for _, word := range []string{"a1", "b1", "a2"} {
			_, err := a.Write(p.now, []byte(word))
			require.NoError(t, err)
			require.NoError(t, a.SetNoDelay(p.now, true))
			p.pump()
		}
		require.Len(t, h.seen, 3)
		require.Zero(t, b.Readable())
		require.Equal(t, 3, at.env.Held.Len())
		before := at.Fingerprint(p.now)
		twin := at.Clone()
		at.env.Beside.Release('a')
		p.pump()
		require.Equal(t, "a1", peek(b), "a2 waits for b1, which is held")
		require.Equal(t, 2, at.env.Held.Len(), "a SACK has b1 sent again")
		require.NotEqual(t, before, at.Fingerprint(p.now))
		require.Equal(t, before, twin.Fingerprint(p.now), "a clone holds its own")
		at.SetHook(nil, 0)
		p.run(0)
		require.Equal(t, "a1b1a2", peek(b), "who has no hook any more holds nothing")
		require.Zero(t, at.env.Held.Len())
		require.Empty(t, at.env.Held.Check())
	}
}

func peek(c *Conn) string {
	b := make([]byte, 100)
	return string(b[:c.Peek(0, b)])
}

// What hooks keep back is bounded, in packets and in octets; what there is no room for
// is dropped and counted.
func TestHeldIsBounded(t *testing.T) {
	for _, bound := range []struct{ packets, octets int }{{3, 1 << 20}, {100, 3 * 42}} {
		cfg := config("linux")
		cfg.MaxHeld, cfg.MaxHeldOctets = bound.packets, bound.octets
		r := newRaw(t, cfg)
		r.s.hooked(always(tcp.Hold), tcp.StepArriving)
		for range 10 {
			r.send(wire.TCP{Flags: wire.ACK}, "ab")
		}
		require.Equal(t, 3, r.s.env.Held.Len())
		require.Equal(t, uint64(7), r.drops(rule.DropHeldFull))
		require.Empty(t, r.s.env.Held.Check())
	}
}

// What a hook adds to what leaves is sent, and what it adds to what arrives is taken
// in: at once or later, as ours, and without being asked about again.
func TestInjection(t *testing.T) {
	for _, leaving := range []bool{true, false} {
		for _, after := range []clock.Duration{0, clock.Second} {
			p := newPair(t, config("linux"))
			a, b := p.connect(wire.IPv4)
			at := p.a
			if !leaving {
				at = p.b
			}
			asked, ours := 0, 0
			h := at.hooked(func(r *tcp.Record) tcp.Verdict {
				switch r.Step {
				case tcp.StepArriving, tcp.StepLeaving, tcp.StepOptions, tcp.StepParse:
					asked++
				case tcp.StepLeft, tcp.StepArrived:
					if r.Ours {
						ours++
						require.Equal(t, "by a hook", string(r.Payload))
					}
				}
				return tcp.Pass
			})
			at.SetHook(h, everyStep&^tcp.Mask(tcp.StepIngress, tcp.StepEgress))
			v := a.View()
			aside := tcp.Aside{
				Leaving: leaving, After: after, Payload: []byte("by a hook"), Options: []byte{1, 253, 3, 9},
				Tuple: tcp.Tuple{Local: a.Local(), Remote: a.Remote()},
				TCP:   wire.TCP{Seq: v.Send.NXT, Ack: v.Receive.NXT, Flags: wire.ACK, Window: 500},
			}
			if !leaving {
				aside.Tuple = tcp.Tuple{Local: b.Local(), Remote: b.Remote()}
			}
			require.True(t, at.env.Beside.Add(aside))
			if leaving {
				// Its answer would acknowledge what was never sent.
				require.Equal(t, after == 0, len(outputs(p.a, p.now)) == 1)
				p.now = p.now.Add(after)
				p.a.Expire(p.now)
				require.Equal(t, after != 0, len(outputs(p.a, p.now)) == 1)
			} else {
				if after > 0 {
					p.b.Expire(p.now)
					require.Zero(t, b.Readable())
					p.now = p.b.Deadline()
				}
				p.b.Expire(p.now)
				require.Equal(t, "by a hook", peek(b))
			}
			require.Equal(t, 1, ours)
			require.Zero(t, asked)
		}
	}
}

// A hook that adds a segment whenever one arrives, which makes one arrive, does not
// keep the stack for ever: it is called again.
func TestInjectionHasABound(t *testing.T) {
	r := newRaw(t, config("linux"))
	calls := 0
	r.s.hooked(func(rec *tcp.Record) tcp.Verdict {
		calls++
		rec.Beside.Add(tcp.Aside{Tuple: rec.Tuple, TCP: wire.TCP{Flags: wire.RST}})
		return tcp.Pass
	}, tcp.StepRejected)
	r.send(wire.TCP{Flags: wire.RST}, "")
	require.Equal(t, 1+besidesAtOnce, calls)
	require.LessOrEqual(t, r.s.Deadline(), r.now)
	r.s.SetHook(nil, 0)
	r.s.Expire(r.now)
	r.s.Expire(r.now)
	require.Greater(t, r.s.Deadline(), r.now)
}

// alarm is a hook with a timer of its own, at which it sends what it was told to.
type alarm struct {
	stepHook
	at   clock.Instant
	what tcp.Aside
}

func (h *alarm) Deadline() clock.Instant { return h.at }
func (h *alarm) Expire(_ clock.Instant, b *tcp.Beside, _ *event.Log) {
	h.at = clock.Never
	b.Add(h.what)
}
func (h *alarm) Clone() tcp.Hook { c := *h; return &c }
func (h *alarm) Fingerprint(f *siphash.Hash, now clock.Instant) {
	f.WriteUint64(uint64(h.at.Sub(now)))
}

// A hook's own timers are among those of the stack, of a copy too.
func TestHookTimers(t *testing.T) {
	r := newRaw(t, config("linux"))
	h := &alarm{at: r.now.Add(clock.Second), what: tcp.Aside{
		Leaving: true, Tuple: tcp.Tuple{Local: r.local, Remote: r.remote}, TCP: wire.TCP{Flags: wire.ACK, Window: 12},
	}}
	bare := r.s.Fingerprint(r.now)
	r.s.SetHook(h, 0)
	require.NotEqual(t, bare, r.s.Fingerprint(r.now))
	require.Equal(t, h.at, r.s.Deadline())
	twin := r.s.Clone()
	require.Equal(t, twin.Fingerprint(r.now), r.s.Fingerprint(r.now))
	r.s.Expire(r.now)
	r.none("it is not time yet")
	r.now = h.at
	r.s.Expire(r.now)
	require.Equal(t, uint16(12), r.one().Window)
	require.Equal(t, clock.Never, r.s.Deadline())
	require.Equal(t, r.now, twin.Deadline(), "the copy has its own")
	twin.Expire(r.now)
	require.Len(t, outputs(twin, r.now), 1)

	// What it has left beside is due, in a copy too.
	require.True(t, r.s.env.Beside.Add(h.what))
	require.LessOrEqual(t, r.s.Deadline(), r.now)
	require.Len(t, outputs(r.s.Clone(), r.now), 1)
	require.Len(t, outputs(r.s, r.now), 1)
}
