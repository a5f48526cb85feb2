package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// The steps at which the stack itself calls its hook, with no connection there yet
// or none any more. Those of a connection are in core/tcp.

// An asked is what the hook has said about the SYN at hand: who looks ahead, see
// moving.go, asks before it is admitted.
type asked struct {
	done    bool
	verdict tcp.Verdict
}

// hookSyn asks about a SYN to l, once.
func (s *Stack) hookSyn(now clock.Instant, l *Listener, seg *tcp.Segment) tcp.Verdict {
	if !s.env.Hooks.Has(tcp.StepSyn) {
		return tcp.Pass
	}
	if s.asked.done {
		return s.asked.verdict
	}
	r := s.env.Record(now, tcp.StepSyn)
	r.From, r.To, r.Tuple, r.Passive = tcp.Listen, tcp.Listen, seg.Tuple, true
	r.Tell(seg)
	r.Args = [8]uint64{
		uint64(l.half.n), uint64(l.halfMax), uint64(l.accept.n), uint64(l.backlog) + 1,
		uint64(s.wait.len()), uint64(s.Conns()),
	}
	s.asked = asked{true, s.env.Hook.At(r)}
	return s.asked.verdict
}

// chooseISN is isn for a connection that is about to be made: a hook may take
// another number. Of a cookie it can't, since that is all that is remembered.
func (s *Stack) chooseISN(now clock.Instant, t *tcp.Tuple, passive bool) (iss seq.Value, offset uint32) {
	iss, offset = s.isn(now, t)
	if s.env.Hooks.Has(tcp.StepISN) {
		r := s.env.Record(now, tcp.StepISN)
		if r.Tuple, r.Passive = *t, passive; passive {
			r.From, r.To = tcp.Listen, tcp.Listen
		}
		r.Args[0] = uint64(iss)
		if s.env.Hook.At(r) == tcp.Mutated {
			iss = seq.Value(r.Args[0])
		}
	}
	return iss, offset
}

// choosePort gives t a local port for an active open. A hook may take another, if
// it is in the range and free.
func (s *Stack) choosePort(now clock.Instant, t *tcp.Tuple) error {
	if err := s.freePort(t); err != nil || !s.env.Hooks.Has(tcp.StepPort) {
		return err
	}
	r := s.env.Record(now, tcp.StepPort)
	r.Tuple = *t
	r.Args = [8]uint64{uint64(t.Local.Port), uint64(s.cfg.PortLow), uint64(s.cfg.PortHigh)}
	if s.env.Hook.At(r) != tcp.Mutated {
		return nil
	}
	other := *t
	other.Local.Port = uint16(r.Args[0])
	if r.Args[0] < uint64(s.cfg.PortLow) || r.Args[0] > uint64(s.cfg.PortHigh) || s.lookup(&other) != 0 || s.listens(other.Local) {
		s.stats.PortsRefused++
		return nil
	}
	*t = other
	return nil
}

// admit asks the hook about a SYN to l, and looks whether l takes it. The verdict
// is Pass, or SendCookie if a cookie is to answer. Nothing that l refuses is let in
// by a hook.
func (s *Stack) admit(now clock.Instant, l *Listener, seg *tcp.Segment) (tcp.Verdict, rule.Drop) {
	verdict := s.hookSyn(now, l, seg)
	switch verdict {
	case tcp.DropIt:
		return verdict, rule.DropHook
	case tcp.Reset:
		if why := s.reset(now, seg); why != rule.NotDropped {
			return verdict, why
		}
		return verdict, rule.DropHook
	}
	return s.takesSyn(l, seg, verdict)
}

// takesSyn looks whether l takes a SYN of which the hook has said so much.
func (s *Stack) takesSyn(l *Listener, seg *tcp.Segment, verdict tcp.Verdict) (tcp.Verdict, rule.Drop) {
	if why := s.refusesSyn(l, seg); why != rule.NotDropped {
		return verdict, why
	}
	switch {
	case verdict == tcp.SendCookie:
	case l.half.n < l.halfMax:
		verdict = tcp.Pass
	case !s.cfg.SynCookies:
		return verdict, rule.DropBacklogFull
	default:
		verdict = tcp.SendCookie
	}
	return verdict, rule.NotDropped
}

// hookRestarted tells of a record whose 2 MSL have begun anew.
func (s *Stack) hookRestarted(now clock.Instant, i int32) {
	w := &s.wait.records[i]
	r := s.env.Record(now, tcp.StepTimerArmed)
	w.fill(r)
	w.Until, _ = s.env.Armed(r, tcp.TimerWait, w.Until, w.Until, w.Until.Add(tcp.WaitLonger))
	s.wait.timers.nearer(i, w.Until)
}

// hookWaited tells of a record whose 2 MSL are over: nothing holds it longer.
func (s *Stack) hookWaited(now clock.Instant, i int32) {
	r := s.env.Record(now, tcp.StepTimerFired)
	s.wait.records[i].fill(r)
	r.Args[0] = uint64(tcp.TimerWait)
	s.env.Hook.At(r)
}

// hookClosed tells of a connection that leaves the stack, whether it has ever been
// open or not: nothing more is told of it.
func (s *Stack) hookClosed(now clock.Instant, c *Conn) {
	r := s.env.Record(now, tcp.StepClosed)
	c.tcb.Fill(r)
	err, _ := c.tcb.Err().(tcp.Error)
	r.Args[0] = uint64(err)
	s.env.Hook.At(r)
}
