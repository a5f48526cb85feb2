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

// Slots is one more than the highest slot that a connection has had.
func (s *Stack) Slots() int { return len(s.conns) }
