package cc

import "github.com/tcpkit/tcpkit/core/clock"

// MaxWindow is the largest window that TCP can offer, RFC 7323 §2.3: the bound
// of Cwnd, and where Ssthresh stands before the first congestion (RFC 5681 §3.1).
const MaxWindow = 65535 << 14

// State is what a connection's congestion control remembers. A controller sets
// Cwnd, Ssthresh and PacingRate, and what is its own; the rest is the
// connection's.
type State struct {
	Cwnd       uint32    // octets
	Ssthresh   uint32    // octets
	MSS        uint32    // effective send MSS, octets
	Limit      uint32    // L of RFC 3465 §2.2: most growth by one ACK in slow start, octets; 0 = no limit
	MinCwnd    uint32    // least window that the configuration wants, octets; one MSS is the least of all
	Wants      Wants     // what the controller is told and keeps beyond the rest
	Failed     bool      // set by a controller that cannot go on, see the package comment
	PacingRate uint64    // octets per second; 0 = not paced
	Priv       [8]uint64 // the algorithm's own
	More       *More     // nil for a controller that wants nothing
}

// Ack is what one arriving ACK told.
type Ack struct {
	Now         clock.Instant
	Acked       uint32         // octets newly acknowledged, cumulatively or by SACK
	InFlight    uint32         // octets in flight before this ACK
	RTT         clock.Duration // sample, 0 = none
	SRTT        clock.Duration
	MinRTT      clock.Duration
	ECE         bool
	InRecovery  bool // in fast recovery, or the window goes down for an ECN mark
	CwndLimited bool // SND.UNA has moved, and the window, not the application or the peer, limited sending

	// The rate sample, with WantsSamples: see Rate.
	Delivered  uint64         // octets that were delivered in Interval
	Interval   clock.Duration // 0 = no sample
	Total      uint64         // octets delivered since the connection began
	Losses     uint32         // octets taken for lost since the last sample
	AppLimited bool           // the sample was taken while the application had too little to send
	Round      bool           // the first ACK for what was sent after the last one that had Round
}

// Sent is what has just been sent.
type Sent struct {
	Now      clock.Instant
	Octets   uint32
	InFlight uint32 // octets in flight, with these
	Again    bool   // they were sent before
}

// Controller is a congestion control algorithm. See the package comment for
// which of Cwnd and Ssthresh each call sets. Its values can be compared: whether a
// connection's has changed is asked with ==.
type Controller interface {
	Name() string
	Wants() Wants // asked once, before Init
	Init(s *State, now clock.Instant)
	OnAck(s *State, a *Ack)
	OnLoss(s *State, now clock.Instant, inFlight uint32) // entering fast recovery
	OnRTO(s *State, now clock.Instant, inFlight uint32)
	OnECN(s *State, now clock.Instant, inFlight uint32) // at most once per window of data, RFC 3168 §6.1.2
	OnRecoveryExit(s *State, now clock.Instant)
	OnIdle(s *State, now clock.Instant, idle, rto clock.Duration) // before sending after idle, when configured
	Undo(s *State, now clock.Instant)                             // the last OnLoss or OnRTO was spurious

	// For those that want it; Base has them for those that do not.
	OnSent(s *State, e *Sent)              // WantsSent
	OnReport(s *State, r *Report)          // WantsReport
	OnTimer(s *State, now clock.Instant)   // at More.TimerAt
	OnRelease(s *State, now clock.Instant) // WantsRelease: the last call
}

// ByName returns the controller of that name.
func ByName(name string) (Controller, bool) {
	switch name {
	case NewReno{}.Name():
		return NewReno{}, true
	case Cubic{}.Name():
		return Cubic{}, true
	}
	return nil, false
}

// Names returns the names that ByName knows.
func Names() []string { return []string{Cubic{}.Name(), NewReno{}.Name()} }

// Bound puts Cwnd and Ssthresh within their bounds. The controllers here stay
// there by themselves; a host calls it after one that it doesn't trust.
func (s *State) Bound() {
	s.Cwnd = min(max(s.Cwnd, s.mss(), s.MinCwnd), MaxWindow)
	s.Ssthresh = min(max(s.Ssthresh, s.minSsthresh()), MaxWindow)
}

// mss is a divisor and a factor below, so that it is kept in its 16 bits.
func (s *State) mss() uint32 { return min(max(s.MSS, 1), 65535) }

// RFC 5681 §3.1 (4): at least two segments.
func (s *State) minSsthresh() uint32 { return max(2*s.mss(), s.MinCwnd) }

// reduce sets Ssthresh to num/den of the flight. RFC 5681 §3.1 (4) and RFC 9438
// §4.6: of the flight, not of cwnd, which may be far above what is in use. What
// limited transmit sent beyond cwnd doesn't count, RFC 5681 §3.2 step 2.
func (s *State) reduce(inFlight uint32, num, den uint64) {
	flight := min(inFlight, s.Cwnd)
	s.Ssthresh = uint32(uint64(flight) * num / den)
	s.Bound()
}

// grows reports whether an ACK may grow the window. RFC 5681 §3.1: only new
// data does; RFC 9438 §5.8: only a window that is used; RFC 3168 §6.1.2: not an
// ACK with ECN-Echo.
func (a *Ack) grows() bool {
	return a.Acked > 0 && a.CwndLimited && !a.InRecovery && !a.ECE
}

// Bits of memory.flags.
const (
	flagUndo      = 1 << iota // undoCwnd and undoSsthresh hold what was before
	flagTimedOut              // a timeout, and nothing was acknowledged since
	flagAfterRTO              // in the slow start that follows a timeout
	flagEpoch                 // Cubic: an epoch runs
	flagUndoEpoch             // Cubic: an epoch ran before
)

// memory is what both controllers remember, in the first two words of Priv.
type memory struct {
	acked        uint32 // octets acknowledged that have not grown the window yet
	initial      uint8  // the initial window, segments
	flags        uint8
	undoCwnd     uint32
	undoSsthresh uint32
}

func pack(hi, lo uint32) uint64           { return uint64(hi)<<32 | uint64(lo) }
func unpack(w uint64) (hi, lo uint32)     { return uint32(w >> 32), uint32(w) }
func (m *memory) has(flag uint8) bool     { return m.flags&flag != 0 }
func (m *memory) set(flag uint8, on bool) { m.flags = m.flags&^flag | flag*b2u(on) }

func b2u(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func (m *memory) load(s *State) {
	var small uint32
	m.acked, small = unpack(s.Priv[0])
	m.initial, m.flags = uint8(small>>8), uint8(small)
	m.undoCwnd, m.undoSsthresh = unpack(s.Priv[1])
}

func (m *memory) store(s *State) {
	s.Priv[0] = pack(m.acked, uint32(m.initial)<<8|uint32(m.flags))
	s.Priv[1] = pack(m.undoCwnd, m.undoSsthresh)
}

func (m *memory) init(s *State) {
	s.Priv = [8]uint64{}
	s.Ssthresh = MaxWindow
	s.Bound()
	*m = memory{initial: uint8(min(s.Cwnd/s.mss(), 255))}
}

// save remembers the window for undo.
func (m *memory) save(s *State) {
	m.undoCwnd, m.undoSsthresh = s.Cwnd, s.Ssthresh
	m.set(flagUndo, true)
}

// timedOut reports whether this is the first timeout since something was
// acknowledged. RFC 5681 §3.1: further ones hold ssthresh.
func (m *memory) timedOut() bool {
	first := !m.has(flagTimedOut)
	m.set(flagTimedOut|flagAfterRTO, true)
	return first
}

// undo puts the window back to where it was, once. What has grown past that
// since stays.
func (m *memory) undo(s *State) bool {
	if !m.has(flagUndo) {
		return false
	}
	s.Cwnd, s.Ssthresh = max(s.Cwnd, m.undoCwnd), max(s.Ssthresh, m.undoSsthresh)
	s.Bound()
	m.set(flagUndo|flagTimedOut|flagAfterRTO, false)
	return true
}

// slowStart is RFC 5681 §3.1 (2) with the byte counting of RFC 3465 §2.2. It
// stops at ssthresh and returns the octets that are left for congestion
// avoidance, of which there are none while slow start goes on.
func (m *memory) slowStart(s *State, acked uint32) (left uint32) {
	if s.Cwnd >= s.Ssthresh {
		m.set(flagAfterRTO, false)
		return acked
	}
	if limit := s.Limit; limit != 0 {
		if m.has(flagAfterRTO) {
			limit = min(limit, s.mss()) // RFC 3465 §2.3
		}
		acked = min(acked, limit)
	}
	grow := min(acked, s.Ssthresh-s.Cwnd)
	s.Cwnd += grow
	return acked - grow
}

// restart is RFC 5681 §4.1: after an idle time beyond the RTO the ACK clock is
// gone, and slow start begins from min(IW, cwnd). As in RFC 2861 and in Linux,
// ssthresh keeps three quarters of what had been reached, so that little is lost.
func (m *memory) restart(s *State, idle, rto clock.Duration) bool {
	if idle <= rto {
		return false
	}
	s.Ssthresh = max(s.Ssthresh, s.Cwnd/4*3)
	s.Cwnd = min(s.Cwnd, max(uint32(m.initial), 1)*s.mss())
	s.Bound()
	m.acked = 0
	m.set(flagUndo, false)
	return true
}
