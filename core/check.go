package core

import "github.com/tcpkit/tcpkit/core/tcp"

// Check gives the first invariant of the stack that does not hold, with the
// connection, or "" and nil. It is for simulators and tests, when Output has
// nothing more to send: it looks at every connection.
func (s *Stack) Check() (string, *Conn) {
	held := 0
	for _, c := range s.conns {
		if c == nil {
			continue
		}
		if why := c.tcb.Settled(); why != "" {
			return why, c
		}
		held += c.tcb.Memory()
	}
	if held != s.env.Pool.InUse() {
		return "the chunks in use are not those that connections hold", nil
	}
	for _, c := range s.conns {
		if c != nil && c.tcb.Gone() && c.tcb.State() == tcp.Closed && c.tcb.Released() {
			return "a connection that nobody holds has not left the stack", c
		}
	}
	return s.env.Held.Check(), nil
}
