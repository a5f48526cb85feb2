package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// Memory of buffers has one budget (THREATS S30). As it is used up,
//
//	from 7/8 on   windows and buffers grow no more (core/tcp)
//	from 15/16 on no SYN is taken; if so for MemoryPatience, the oldest of the
//	              connections that hold memory and have stood still for as long
//	              are aborted until windows may grow again
//	at the end    what arrives early is dropped, and Write takes nothing (core/tcp)
//
// A window that was offered is never taken back (RFC 9293 §3.8.6 SHLD-14).
//
// Not counted is what a connection knows of its flight and of gaps: a peer can make
// that up to 16 KiB (TestWorstLayouts), which Config.MaxConns bounds.

// short reports whether there is too little memory for more connections.
func (s *Stack) short() bool {
	budget := s.env.Pool.Budget * tcp.ChunkSize
	return budget > 0 && s.env.Pool.InUse() > budget/16*15
}

func (s *Stack) full() bool {
	budget := s.env.Pool.Budget * tcp.ChunkSize
	return budget > 0 && s.env.Pool.InUse() >= budget
}

// watchMemory notes since when no SYN could be taken. Waiting for the end of all
// memory would not do: connections that stand still short of it would keep
// everybody else out for ever.
func (s *Stack) watchMemory(now clock.Instant) {
	if !s.short() {
		s.shortAt = clock.Never
	} else if s.shortAt == clock.Never {
		s.shortAt = now.Add(s.cfg.MemoryPatience)
	}
}

// relieve aborts the oldest connections that stand still until windows may grow
// again, in one round through all of them at most.
func (s *Stack) relieve(now clock.Instant) {
	again := s.cfg.MemoryPatience // when the next of them has stood still for long enough
	for range min(int(s.age.n), s.cfg.ExpireBudget) {
		if !s.env.Pool.Pressed() {
			break
		}
		c := s.first(&s.age)
		if c.tcb.Memory() > 0 {
			if left := s.cfg.MemoryPatience - c.tcb.StoodStill(now); left > 0 {
				again = min(again, left)
			} else {
				c.tcb.AbortForMemory(now)
				s.stats.MemoryAborts++
				s.after(now, c)
			}
		}
		// Who goes on, or has none any more, is asked last the next time.
		s.remove(&s.age, queueAge, c)
		s.push(&s.age, queueAge, c)
	}
	s.shortAt = clock.Never
	if s.short() {
		s.shortAt = now.Add(max(again, clock.Millisecond))
	}
}

// What a connection, half-open or not, and a record of TIME-WAIT, HeldWaiting, take by themselves,
// in octets of a machine of 64 bits: what is shown of a run is the same on all.
const (
	connOctets  = 768
	HeldWaiting = 128
)

// Held is how many octets the stack holds on behalf of connections: what each takes by
// itself, records of TIME-WAIT, and buffers.
func (s *Stack) Held() int {
	return s.Conns()*connOctets + s.TimeWaits()*HeldWaiting + s.env.Pool.InUse()
}

// Held is how many octets there are of the connection: itself and its buffers.
func (c *Conn) Held() int { return connOctets + c.tcb.Memory() }
