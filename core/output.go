package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// Output puts the next packet to be sent into p, in the room that p has, and
// returns false when there is none now. Answers without a connection go first;
// then connections take turns.
func (s *Stack) Output(now clock.Instant, p *packet.Packet) bool {
	if s.watched {
		return s.outputHooked(now, p)
	}
	return s.next(now, p)
}

// next is Output without a hook.
func (s *Stack) next(now clock.Instant, p *packet.Packet) bool {
	if s.replies.n > 0 {
		s.replies.take(p)
		s.packets++
		s.stats.PacketsOut++
		return true
	}
	for c := s.first(&s.output); c != nil; c = s.first(&s.output) {
		s.env.Packet = s.packets + 1
		sent := c.tcb.Output(now, p)
		s.env.Packet = 0
		if s.env.Hooks&tcp.LeavingSteps != 0 {
			s.queuesMoved(now, c) // the hook may have ended it
		}
		if sent {
			s.packets++
			s.stats.PacketsOut++
			if s.burst++; s.burst >= s.cfg.Burst {
				s.burst = 0
				s.remove(&s.output, queueOutput, c)
				s.push(&s.output, queueOutput, c)
			}
			s.afterOutput(c)
			return true
		}
		s.burst = 0
		s.remove(&s.output, queueOutput, c)
		s.afterOutput(c)
		s.settle(now, c)
	}
	return false
}

// Expire does what is due. Where very much is, it does a part, and Deadline stays
// in the past until it has been called often enough.
func (s *Stack) Expire(now clock.Instant) {
	s.watchMemory(now)
	if now >= s.shortAt {
		s.relieve(now)
	}
	budget := s.cfg.ExpireBudget
	for ; budget > 0; budget-- {
		slot, at := s.nextTimer()
		if at > now {
			break
		}
		c := s.conns[slot]
		c.tcb.Expire(now)
		s.timers.set(slot, c.tcb.Deadline())
		s.after(now, c)
	}
	for ; budget > 0; budget-- {
		i, at := s.wait.top()
		if at > now {
			break
		}
		if s.env.Hooks.Has(tcp.StepTimerFired) {
			s.hookWaited(now, i)
		}
		s.endWait(now, i, tcp.ByTimer, rule.TimeWaitOver) // RFC 9293 §3.10.8
	}
	if s.watched {
		s.expireHook(now)
	}
}

// Deadline is when Expire has something to do next, clock.Never if nothing is
// waited for.
func (s *Stack) Deadline() clock.Instant {
	_, at := s.nextTimer()
	_, wait := s.wait.top()
	at = min(at, wait, s.shortAt)
	if s.watched {
		at = min(at, s.hookDeadline())
	}
	return at
}

// nextTimer returns the connection whose deadline is next. A deadline that has
// moved away since it was put into the heap is moved to its place first.
func (s *Stack) nextTimer() (int32, clock.Instant) {
	for {
		slot, at := s.timers.top()
		if slot < 0 {
			return slot, at
		}
		due := s.conns[slot].tcb.Deadline()
		if due == at {
			return slot, at
		}
		s.timers.set(slot, due)
	}
}
