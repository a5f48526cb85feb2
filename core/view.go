package core

import "github.com/tcpkit/tcpkit/core/tcp"

// View gives a picture of the connection for those who check invariants.
func (c *Conn) View() tcp.View { return c.tcb.View() }

// Find returns the connection of a tuple, nil if there is none or only what is
// left of it in TIME-WAIT.
func (s *Stack) Find(t *tcp.Tuple) *Conn {
	if r := s.lookup(t); r > 0 {
		return s.conns[r-1]
	}
	return nil
}

// Waiting returns what is left of the connection of a tuple in TIME-WAIT, and
// whether there is such a record.
func (s *Stack) Waiting(t *tcp.Tuple) (tcp.TimeWaitRecord, bool) {
	if r := s.lookup(t); r < 0 {
		return s.wait.records[-r-1].TimeWaitRecord, true
	}
	return tcp.TimeWaitRecord{}, false
}

// Slots is one more than the highest slot that a connection has had.
func (s *Stack) Slots() int { return len(s.conns) }
