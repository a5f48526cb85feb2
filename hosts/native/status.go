package native

import "github.com/tcpkit/tcpkit/core"

// Stats counts what happened since the host was made.
type Stats struct {
	core.Stats
	WriteErrors uint64 // packets that the link refused
}

// Stats returns the counters.
func (h *Host) Stats() Stats {
	s := h.shard()
	s.mu.Lock()
	defer s.unlock()
	return Stats{Stats: *s.stack.Stats(), WriteErrors: s.lost}
}

// Status tells of every listener, every connection and every TIME-WAIT.
func (h *Host) Status() []core.Status {
	s := h.shard()
	now := s.enter()
	defer s.unlock()
	return s.stack.AppendStatus(now, nil)
}
