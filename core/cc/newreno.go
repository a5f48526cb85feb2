package cc

import "github.com/tcpkit/tcpkit/core/clock"

// NewReno is the congestion control of RFC 5681, with the byte counting of
// RFC 3465; the recovery that gave RFC 6582 its name is the connection's.
type NewReno struct{ Base }

// Name returns "newreno".
func (NewReno) Name() string { return "newreno" }

// Init starts with Ssthresh as high as it goes, RFC 5681 §3.1.
func (NewReno) Init(s *State, _ clock.Instant) {
	var m memory
	m.init(s)
	m.store(s)
}

// OnAck is slow start below Ssthresh, and above it one MSS per window that was
// acknowledged, RFC 5681 §3.1 and RFC 3465 §2.1.
func (NewReno) OnAck(s *State, a *Ack) {
	var m memory
	s.Bound()
	m.load(s)
	if a.Acked > 0 {
		m.set(flagTimedOut, false)
	}
	if a.grows() {
		// Never more than one MSS by one ACK: what it acknowledges beyond
		// a window was sent in an earlier round trip.
		m.acked += min(m.slowStart(s, a.Acked), s.Cwnd)
		if m.acked >= s.Cwnd {
			m.acked -= s.Cwnd
			s.Cwnd += s.mss()
		}
	}
	s.Bound()
	m.store(s)
}

// OnLoss halves, RFC 5681 §3.2 step 2.
func (NewReno) OnLoss(s *State, _ clock.Instant, inFlight uint32) {
	var m memory
	m.load(s)
	m.save(s)
	m.halve(s, inFlight)
	m.store(s)
}

// OnRTO halves, RFC 5681 §3.1; slow start follows.
func (NewReno) OnRTO(s *State, _ clock.Instant, inFlight uint32) {
	var m memory
	m.load(s)
	if m.timedOut() {
		m.save(s)
		m.halve(s, inFlight)
	}
	m.store(s)
}

// OnECN halves both, RFC 3168 §6.1.2. A mark is never spurious.
func (NewReno) OnECN(s *State, _ clock.Instant, inFlight uint32) {
	var m memory
	m.load(s)
	m.set(flagUndo, false)
	m.halve(s, inFlight)
	s.Cwnd = min(s.Cwnd, s.Ssthresh)
	m.store(s)
}

func (m *memory) halve(s *State, inFlight uint32) {
	s.reduce(inFlight, 1, 2)
	m.acked = 0
}

// OnRecoveryExit begins to count anew.
func (NewReno) OnRecoveryExit(s *State, _ clock.Instant) {
	var m memory
	m.load(s)
	m.acked = 0
	m.store(s)
}

// OnIdle is RFC 5681 §4.1.
func (NewReno) OnIdle(s *State, _ clock.Instant, idle, rto clock.Duration) {
	var m memory
	m.load(s)
	m.restart(s, idle, rto)
	m.store(s)
}

// Undo restores Cwnd and Ssthresh.
func (NewReno) Undo(s *State, _ clock.Instant) {
	var m memory
	m.load(s)
	m.undo(s)
	m.store(s)
}
