package core

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// A waiting is a connection in TIME-WAIT that nobody holds any more: all that is
// left of it, in at most 128 octets with its place in the table and the heap.
type waiting struct {
	tcp.TimeWaitRecord
	node
}

// timeWaits are the records, which are used again, and their ends in a heap.
type timeWaits struct {
	records []waiting
	free    []int32
	timers  timers
}

func (w *timeWaits) len() int { return len(w.timers.heap) }

func (w *timeWaits) clone() timeWaits {
	return timeWaits{records: slices.Clone(w.records), free: slices.Clone(w.free), timers: w.timers.clone()}
}

// shrinkToWait puts a record in the place of a connection that has nothing to do
// any more but to wait.
func (s *Stack) shrinkToWait(now clock.Instant, c *Conn, w *tcp.TimeWaitRecord) {
	if s.wait.len() >= s.cfg.MaxTimeWait {
		s.evict(now)
	}
	s.release(c)
	var i int32
	if n := len(s.wait.free); n > 0 {
		i = s.wait.free[n-1]
		s.wait.free = s.wait.free[:n-1]
	} else {
		i = int32(len(s.wait.records))
		s.wait.records = append(s.wait.records, waiting{})
	}
	s.wait.records[i] = waiting{TimeWaitRecord: *w}
	s.insert(ref(-i - 1))
	s.wait.timers.nearer(i, w.Until)
}

// evict ends the wait that would end first, since there are too many.
func (s *Stack) evict(now clock.Instant) {
	if i, _ := s.wait.top(); i >= 0 {
		s.endWait(now, i, tcp.ByCall, rule.MemoryPressure)
		s.stats.TimeWaitEvicted++
	}
}

// endWait ends TIME-WAIT and gives the record back.
func (s *Stack) endWait(now clock.Instant, i int32, by tcp.Cause, id rule.ID) {
	w := &s.wait.records[i]
	if s.env.Log.On(event.Transition) {
		s.env.Log.Add(event.Event{
			At: now, Conn: w.ID, Packet: s.env.Packet, Kind: event.Transition, Rule: id,
			From: uint8(tcp.TimeWait), To: uint8(tcp.Closed), By: uint8(by),
		})
	}
	if s.env.Hooks.Has(tcp.StepTransition) {
		r := s.env.Record(now, tcp.StepTransition)
		w.fill(r)
		s.env.Announce(r, tcp.Move{From: tcp.TimeWait, To: tcp.Closed, By: by, Rule: id})
	}
	if s.env.Hooks.Has(tcp.StepClosed) {
		r := s.env.Record(now, tcp.StepClosed)
		w.fill(r)
		s.env.Hook.At(r)
	}
	s.wait.timers.remove(i)
	s.erase(ref(-i - 1))
	s.wait.records[i] = waiting{}
	s.wait.free = append(s.wait.free, i)
}

// fill tells a hook of the connection that the record is left of.
func (w *waiting) fill(r *tcp.Record) {
	r.Conn, r.From, r.To, r.Tuple = w.ID, tcp.TimeWait, tcp.TimeWait, w.Tuple
	r.Send = tcp.SendSpace{UNA: w.SndNxt, NXT: w.SndNxt}
	r.Receive = tcp.ReceiveSpace{NXT: w.RcvNxt}
}

// top returns the record whose wait ends first, and when: a wait that has begun
// anew since it was put into the heap is moved to its place first.
func (w *timeWaits) top() (int32, clock.Instant) {
	for {
		i, at := w.timers.top()
		if i < 0 || w.records[i].Until == at {
			return i, at
		}
		w.timers.set(i, w.records[i].Until)
	}
}

// arrivesWaiting is §3.10.7.4 in TIME-WAIT.
func (s *Stack) arrivesWaiting(now clock.Instant, i int32, seg *tcp.Segment) rule.Drop {
	w := &s.wait.records[i]
	s.env.Stats.SegmentsIn++
	s.logSegment(now, event.SegmentIn, w.ID, &seg.TCP, len(seg.Payload))
	switch action := w.Arrives(now, seg, &s.cfg.TCP, &s.env); action {
	case tcp.TimeWaitIgnore:
	case tcp.TimeWaitAck, tcp.TimeWaitRestart:
		if action == tcp.TimeWaitRestart && s.env.Hooks.Has(tcp.StepTimerArmed) {
			s.hookRestarted(now, i)
		}
		return s.replyWaiting(now, i)
	case tcp.TimeWaitDelete:
		s.endWait(now, i, tcp.BySegment, rule.ResetExact)
	case tcp.TimeWaitReopen:
		// RFC 9293 §3.6.1 MAY-2: a new connection in the place of the old, if
		// somebody listens who can take it. A cookie could not promise to begin
		// beyond the old connection.
		l := s.listenerFor(seg.Tuple.Local)
		if l == nil {
			return s.replyWaiting(now, i)
		}
		return s.reopen(now, l, seg, w.SndNxt, func() { s.endWait(now, i, tcp.BySegment, rule.TimeWaitReuse) })
	default:
		panic("core: no such action")
	}
	return rule.NotDropped
}

// reopen lets a SYN to l open a connection in the place of one in TIME-WAIT, which
// end makes room for it.
func (s *Stack) reopen(now clock.Instant, l *Listener, seg *tcp.Segment, sndNxt seq.Value, end func()) rule.Drop {
	verdict, why := s.admit(now, l, seg)
	switch {
	case why != rule.NotDropped:
		return why
	case verdict == tcp.SendCookie:
		return rule.DropBacklogFull
	}
	iss, offset := s.chooseISN(now, &seg.Tuple, true)
	end()
	s.stats.TimeWaitReused++
	return s.openPassive(now, l, seg, s.beyond(iss, sndNxt), offset)
}

func (s *Stack) replyWaiting(now clock.Instant, i int32) rule.Drop {
	r := s.wait.records[i].Ack(now)
	return s.reply(now, ref(-i-1), &r)
}

// beyond returns iss if it is beyond all that the old connection has sent, else
// one that is: RFC 9293 §3.6.1 MAY-2 (a).
func (s *Stack) beyond(iss, sndNxt seq.Value) seq.Value {
	least := sndNxt.Add(seq.Size(s.cfg.ReuseStep))
	return seq.Max(iss, least)
}
