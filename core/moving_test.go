package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

func movesOf(h *stepHook, step tcp.Step) (moves []tcp.Move) {
	for i := range h.seen {
		if r := &h.seen[i]; r.Step == step {
			moves = append(moves, tcp.Move{From: r.From, To: r.To, By: r.Cause, Rule: r.Rule})
		}
	}
	return moves
}

// A SYN cookie leaves by LISTEN to SYN-RECEIVED, which nothing remembers; the ACK that
// brings it back takes this edge and the next.
func TestCookiesAndTheirEdges(t *testing.T) {
	for _, fresh := range []func(testing.TB, Config) *raw{newRaw, newRaw6} {
		r := fresh(t, config("linux"))
		l := flooded(r)
		h := r.s.hooked(func(r *tcp.Record) tcp.Verdict {
			if r.Step != tcp.StepMoved {
				return tcp.Pass
			}
			r.TCP.Window = 4242
			return tcp.Mutated
		}, tcp.StepTransition, tcp.StepMoving, tcp.StepMoved)
		r.send(wire.TCP{Flags: wire.SYN, Window: 100, Options: synOptions}, "")
		g := r.one()
		require.Equal(t, uint16(4242), g.Window)
		first := tcp.Move{From: tcp.Listen, To: tcp.SynReceived, By: tcp.BySegment, Rule: rule.SynCookie}
		second := tcp.Move{From: tcp.SynReceived, To: tcp.Established, By: tcp.BySegment, Rule: rule.AckEstablishes}
		require.Equal(t, []tcp.Move{first}, movesOf(h, tcp.StepMoved))
		require.Empty(t, movesOf(h, tcp.StepMoving), "a cookie changes no state")
		o := wire.Options{Has: wire.HasTimestamps, TSVal: 4712, TSEcr: g.Options.TSVal}
		r.send(wire.TCP{Seq: 1, Ack: g.Seq.Add(1), Flags: wire.ACK, Window: 100, Options: o}, "")
		require.Equal(t, 1, l.Waiting())
		require.Equal(t, []tcp.Move{first, second}, movesOf(h, tcp.StepMoving))
		require.Equal(t, []tcp.Move{first, second}, movesOf(h, tcp.StepTransition))
	}
}

// Where a hook makes another segment of one that would have changed a state, what that
// will do is shown too, and what comes is what was shown last.
func TestAMutatedSegmentIsForeseenAnew(t *testing.T) {
	r := newRaw(t, config("rfc9293"))
	l := r.listen(5)
	r.open()
	c, err := l.Accept(r.now)
	require.NoError(t, err)
	h := r.s.hooked(func(r *tcp.Record) tcp.Verdict {
		if r.Step != tcp.StepMoving || !r.TCP.Flags.Has(wire.RST) {
			return tcp.Pass
		}
		r.TCP.Flags = wire.FIN | wire.ACK
		return tcp.Mutated
	}, tcp.StepTransition, tcp.StepMoving)
	r.send(wire.TCP{Seq: 1, Ack: c.View().Send.NXT, Flags: wire.RST | wire.ACK, Window: 100}, "")
	fin := tcp.Move{From: tcp.Established, To: tcp.CloseWait, By: tcp.BySegment, Rule: rule.FinEstablished}
	require.Equal(t, []tcp.Move{{From: tcp.Established, To: tcp.Closed, By: tcp.BySegment, Rule: rule.ResetExact}, fin}, movesOf(h, tcp.StepMoving))
	require.Equal(t, []tcp.Move{fin}, movesOf(h, tcp.StepTransition))
	require.Equal(t, tcp.CloseWait, c.State())
}

// A segment that could change a state, and does not, is not shown: what the window
// refuses, an ACK of something else, a FIN behind a gap.
func TestWhatChangesNothingIsNotShown(t *testing.T) {
	r := newRaw(t, config("rfc9293"))
	l := r.listen(5)
	r.open()
	c, err := l.Accept(r.now)
	require.NoError(t, err)
	h := r.s.hooked(always(tcp.Pass), tcp.StepMoving)
	nxt := c.View().Send.NXT
	for _, s := range []wire.TCP{
		{Seq: 2, Ack: nxt, Flags: wire.RST | wire.ACK},
		{Seq: seq.Value(1).Sub(1), Ack: nxt, Flags: wire.SYN},
		{Seq: 1, Ack: nxt.Add(1), Flags: wire.FIN | wire.ACK},
		{Seq: 5, Ack: nxt, Flags: wire.FIN | wire.ACK},
	} {
		s.Window = 100
		r.send(s, "")
		require.Empty(t, h.seen, "%+v", s)
	}
	r.send(wire.TCP{Seq: 1, Ack: nxt, Flags: wire.ACK, Window: 100}, "text")
	require.Len(t, h.seen, 1, "the text reaches the FIN")
	require.Equal(t, tcp.CloseWait, c.State())
}
