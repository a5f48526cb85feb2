package models

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
)

// AIMD is additive increase and multiplicative decrease, RFC 5681: slow start to
// ssthresh, then one segment more in each round trip, and on a loss a share of
// what is in flight.
type AIMD struct {
	cc.Base
	Keep uint32 // the share that is kept on a loss, in hundredths; 0: 50
}

// Its private state, in numbers of 32 bits: word i is octets 4i to 4i+3 of Priv,
// the least significant first.
const (
	aimdAcked        = iota // octets acknowledged since the window grew last
	aimdInitial             // the window that it began with
	aimdUndoCwnd            // the window before the last reduction; 0: none is to be undone
	aimdUndoSsthresh        // ssthresh before it
	aimdTimeouts            // 1: a timeout, and no ACK since; 2: the slow start after one
)

func get(s *cc.State, word int) uint32 { return uint32(s.Priv[word/2] >> (word % 2 * 32)) }

func set(s *cc.State, word int, v uint32) {
	shift := word % 2 * 32
	s.Priv[word/2] = s.Priv[word/2]&^(0xffff_ffff<<shift) | uint64(v)<<shift
}

// Name returns "aimd".
func (AIMD) Name() string { return "aimd" }

// Init starts in slow start.
func (AIMD) Init(s *cc.State, _ clock.Instant) {
	s.Priv = [8]uint64{}
	s.Ssthresh = cc.MaxWindow
	set(s, aimdInitial, s.Cwnd)
}

// OnAck grows the window.
func (AIMD) OnAck(s *cc.State, a *cc.Ack) {
	timeouts := get(s, aimdTimeouts)
	if a.Acked > 0 {
		timeouts &^= 1
	}
	acked := a.Acked
	switch {
	case a.ECE || a.InRecovery || !a.CwndLimited:
	case s.Cwnd < s.Ssthresh:
		// RFC 3465 §2.2, §2.3: by what was acknowledged, up to L.
		if timeouts&2 != 0 {
			acked = min(acked, s.MSS)
		} else if s.Limit > 0 {
			acked = min(acked, s.Limit)
		}
		s.Cwnd += min(acked, s.Ssthresh-s.Cwnd)
	default:
		timeouts &^= 2
		// A segment for each window that was acknowledged, and one at most by this ACK.
		n := get(s, aimdAcked) + min(acked, s.Cwnd)
		if n >= s.Cwnd {
			n -= s.Cwnd
			s.Cwnd = min(s.Cwnd+s.MSS, cc.MaxWindow)
		}
		set(s, aimdAcked, n)
	}
	set(s, aimdTimeouts, timeouts)
}

// less sets ssthresh to what is kept of the flight, two segments at least.
func (c AIMD) less(s *cc.State, inFlight uint32) {
	keep := uint64(c.Keep)
	if keep == 0 {
		keep = 50
	}
	s.Ssthresh = max(uint32(uint64(min(inFlight, s.Cwnd))*keep/100), 2*s.MSS)
	set(s, aimdAcked, 0)
}

func remember(s *cc.State) {
	set(s, aimdUndoCwnd, s.Cwnd)
	set(s, aimdUndoSsthresh, s.Ssthresh)
}

// OnLoss decreases.
func (c AIMD) OnLoss(s *cc.State, _ clock.Instant, inFlight uint32) {
	remember(s)
	c.less(s, inFlight)
}

// OnRTO decreases, once for a segment; slow start follows, from the one segment that
// the connection begins it with.
func (c AIMD) OnRTO(s *cc.State, _ clock.Instant, inFlight uint32) {
	if get(s, aimdTimeouts)&1 == 0 {
		remember(s)
		c.less(s, inFlight)
	}
	set(s, aimdTimeouts, 3)
}

// OnECN decreases both, since nothing is lost and no recovery follows.
func (c AIMD) OnECN(s *cc.State, _ clock.Instant, inFlight uint32) {
	set(s, aimdUndoCwnd, 0)
	c.less(s, inFlight)
	s.Cwnd = min(s.Cwnd, s.Ssthresh)
}

// OnRecoveryExit does nothing.
func (AIMD) OnRecoveryExit(*cc.State, clock.Instant) {}

// OnIdle begins again with the initial window, RFC 5681 §4.1.
func (AIMD) OnIdle(s *cc.State, _ clock.Instant, idle, rto clock.Duration) {
	if idle > rto {
		s.Ssthresh = max(s.Ssthresh, s.Cwnd/4*3)
		s.Cwnd = min(s.Cwnd, get(s, aimdInitial))
		set(s, aimdAcked, 0)
		set(s, aimdUndoCwnd, 0)
	}
}

// Undo goes back to before the last reduction.
func (AIMD) Undo(s *cc.State, _ clock.Instant) {
	if cwnd := get(s, aimdUndoCwnd); cwnd > 0 {
		s.Cwnd = max(s.Cwnd, cwnd)
		s.Ssthresh = max(s.Ssthresh, get(s, aimdUndoSsthresh))
		set(s, aimdUndoCwnd, 0)
		set(s, aimdTimeouts, 0)
	}
}
