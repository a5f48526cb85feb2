package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// mostMoves bounds the changes of state that a hook is shown for one segment, however
// often it makes another of it: the longest way goes from TIME-WAIT to ESTABLISHED.
const mostMoves = 8

// moving shows the hook a segment that will change a state, once for each change and
// before the first. Where the hook mutates it, what it will do is foreseen anew, and
// what has been shown is not shown again. It reports whether the segment goes on.
func (s *Stack) moving(now clock.Instant, seg *tcp.Segment) bool {
	var shown [mostMoves]tcp.Move
	n := 0
	moves, of := s.foresee(now, seg)
	for range mostMoves {
		if n >= len(moves) {
			break
		}
		r := s.env.Record(now, tcp.StepMoving)
		r.Tuple = seg.Tuple
		of.fill(r)
		shown[n] = moves[n]
		n++
		v := s.env.Moving(r, shown[n-1], seg)
		if !s.obey(now, r, seg, v) {
			return false
		}
		if v == tcp.Mutated || v == tcp.Duplicate {
			s.asked.done = false
			moves, of = s.foresee(now, seg)
			n = common(shown[:n], moves)
		}
	}
	return true
}

// common is how many moves two lists begin with alike.
func common(a, b []tcp.Move) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// A subject is whose state changes: a connection, or what is left of one in
// TIME-WAIT; a listener is neither.
type subject struct {
	conn *Conn
	wait *waiting
}

func (of *subject) fill(r *tcp.Record) {
	switch {
	case of.conn != nil:
		of.conn.tcb.Fill(r)
	case of.wait != nil:
		of.wait.fill(r)
	}
}

// foresee gives the changes of state that a segment will cause. It goes the way of
// inputTCP from where the segment's connection is looked up, and changes nothing.
func (s *Stack) foresee(now clock.Instant, seg *tcp.Segment) ([]tcp.Move, subject) {
	switch r := s.who(&seg.Tuple); {
	case r > 0:
		c := s.conns[r-1]
		return s.foreseeConn(now, c, seg), subject{conn: c}
	case r < 0:
		w := &s.wait.records[-r-1]
		return s.foreseeWaiting(now, w, seg), subject{wait: w}
	}
	if l := s.listenerFor(seg.Tuple.Local); l != nil {
		return s.foreseeListen(now, l, seg), subject{}
	}
	return nil, subject{}
}

func (s *Stack) foreseeConn(now clock.Instant, c *Conn, seg *tcp.Segment) []tcp.Move {
	if s.mustWait(c, seg) {
		return nil
	}
	if _, ok := c.tcb.Reopens(seg); ok {
		if l := s.listenerFor(seg.Tuple.Local); l != nil {
			return s.foreseeReopen(now, l, seg)
		}
	}
	return c.tcb.Moves(now, seg)
}

func (s *Stack) foreseeWaiting(now clock.Instant, w *waiting, seg *tcp.Segment) []tcp.Move {
	switch w.Rehearse(now, seg, &s.cfg.TCP, &s.env) {
	case tcp.TimeWaitDelete:
		return []tcp.Move{{From: tcp.TimeWait, To: tcp.Closed, By: tcp.BySegment, Rule: rule.ResetExact}}
	case tcp.TimeWaitReopen:
		if l := s.listenerFor(seg.Tuple.Local); l != nil {
			return s.foreseeReopen(now, l, seg)
		}
	}
	return nil
}

// foreseeReopen is for a SYN to l in the place of a connection in TIME-WAIT.
func (s *Stack) foreseeReopen(now clock.Instant, l *Listener, seg *tcp.Segment) []tcp.Move {
	if !s.wouldTake(now, l, seg) {
		return nil
	}
	moves := []tcp.Move{{From: tcp.TimeWait, To: tcp.Closed, By: tcp.BySegment, Rule: rule.TimeWaitReuse}}
	return append(moves, s.foreseeOpen(seg)...)
}

func (s *Stack) foreseeListen(now clock.Instant, l *Listener, seg *tcp.Segment) []tcp.Move {
	switch seg.Flags & (wire.SYN | wire.ACK | wire.RST) {
	case wire.SYN:
		if s.wouldTake(now, l, seg) {
			return s.foreseeOpen(seg)
		}
	case wire.ACK:
		if !s.expectsCookie(now, l) {
			return nil
		}
		o, offset, ok := s.readCookie(now, l, seg)
		if ok && s.refuses(l) == rule.NotDropped && s.refusesConn(seg.Tuple.Remote.Addr) == rule.NotDropped {
			return s.env.MovesOfCookie(now, l.cfg, offset, o, seg)
		}
	}
	return nil
}

// wouldTake reports whether l will take a SYN, and not answer it with a cookie.
func (s *Stack) wouldTake(now clock.Instant, l *Listener, seg *tcp.Segment) bool {
	verdict := s.hookSyn(now, l, seg)
	if verdict == tcp.DropIt || verdict == tcp.Reset {
		return false
	}
	verdict, why := s.takesSyn(l, seg, verdict)
	return why == rule.NotDropped && verdict == tcp.Pass
}

// foreseeOpen is for a SYN that a listener takes, if there is room for the connection.
func (s *Stack) foreseeOpen(seg *tcp.Segment) []tcp.Move {
	if s.refusesConn(seg.Tuple.Remote.Addr) != rule.NotDropped {
		return nil
	}
	return []tcp.Move{{From: tcp.Listen, To: tcp.SynReceived, By: tcp.BySegment, Rule: rule.ListenSyn}}
}
