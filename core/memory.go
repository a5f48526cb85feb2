package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// Memory of buffers has one budget (THREATS S30). As it is used up,
//
//	from 7/8 on   windows and buffers grow no more (core/tcp)
//	from 15/16 on no SYN is taken
//	at the end    what arrives early is dropped, and Write takes nothing (core/tcp)
//	and if so for MemoryPatience, the oldest connections that hold memory are
//	              aborted until windows may grow again
//
// A window that was offered is never taken back (RFC 9293 §3.8.6 SHLD-14).

// short reports whether there is too little memory for more connections.
func (s *Stack) short() bool {
	budget := s.env.Pool.Budget * tcp.ChunkSize
	return budget > 0 && s.env.Pool.InUse() > budget/16*15
}

func (s *Stack) full() bool {
	budget := s.env.Pool.Budget * tcp.ChunkSize
	return budget > 0 && s.env.Pool.InUse() >= budget
}

// watchMemory notes since when memory has been used up. Whoever gives any of it
// back ends that.
func (s *Stack) watchMemory(now clock.Instant) {
	if !s.full() {
		s.fullAt = clock.Never
	} else if s.fullAt == clock.Never {
		s.fullAt = now.Add(s.cfg.MemoryPatience)
	}
}

// relieve aborts the oldest connections until windows may grow again, in one
// round through all of them at most.
func (s *Stack) relieve(now clock.Instant) {
	for range min(int(s.age.n), s.cfg.ExpireBudget) {
		if !s.env.Pool.Pressed() {
			break
		}
		c := s.first(&s.age)
		if c.tcb.Memory() > 0 {
			c.tcb.AbortWith(now, tcp.ErrResources, tcp.ByTimer, rule.MemoryPressure)
			s.stats.MemoryAborts++
			s.after(now, c)
		}
		// Who has none, or none any more, is asked last the next time.
		s.remove(&s.age, queueAge, c)
		s.push(&s.age, queueAge, c)
	}
	s.fullAt = clock.Never
	s.watchMemory(now)
}
