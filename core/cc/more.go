package cc

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
)

// Wants says what a controller needs beyond the calls that all have. What nobody
// wants costs nothing: no book is kept for it.
type Wants uint8

// What there is to want. State.More is there with any of them.
const (
	WantsSamples Wants = 1 << iota // the rate sample in Ack, and an OnAck for each ACK that delivers or loses anything, in recovery too
	WantsReport                    // OnReport, once per round trip
	WantsSent                      // OnSent
	WantsRelease                   // OnRelease
	WantsMore                      // nothing but State.More: room, send quantum, timer
	OwnsWindow                     // the window in fast recovery is the controller's, not Proportional Rate Reduction's
)

// Has reports whether w has any of what.
func (w Wants) Has(what Wants) bool { return w&what != 0 }

// Base has the calls that only some controllers want, to be embedded.
type Base struct{}

// Wants returns 0.
func (Base) Wants() Wants { return 0 }

// OnSent does nothing.
func (Base) OnSent(*State, *Sent) {}

// OnReport does nothing.
func (Base) OnReport(*State, *Report) {}

// OnTimer does nothing.
func (Base) OnTimer(*State, clock.Instant) {}

// OnRelease does nothing.
func (Base) OnRelease(*State, clock.Instant) {}

// More is what State has for a controller that wants more than most.
type More struct {
	Priv    [32]uint64    // the algorithm's own, where State.Priv is too small
	Quantum uint32        // octets that may leave in one burst; 0: as the connection has it
	TimerAt clock.Instant // when OnTimer is called; clock.Never: not

	// The connection's own.
	Armed  clock.Instant // for when the timer was set
	Rate   Rate
	Report Report
}

// NewState returns the State of a connection that begins with c, before Init.
func NewState(c Controller, cwnd, mss, limit uint32) State {
	s := State{Cwnd: cwnd, Ssthresh: MaxWindow, MSS: mss, Limit: limit, Wants: c.Wants()}
	if s.Wants != 0 {
		s.More = &More{TimerAt: clock.Never, Armed: clock.Never}
	}
	return s
}

// Clone copies s with what hangs off it.
func (s *State) Clone() State {
	c := *s
	if s.More != nil {
		m := *s.More
		m.Rate = s.More.Rate.clone()
		c.More = &m
	}
	return c
}

// Fingerprint adds to h what decides the future of s, points of time as they are
// from now, and sequence numbers from iss, as far as they are not in what is the
// algorithm's own.
func (s *State) Fingerprint(h *siphash.Hash, iss seq.Value, now clock.Instant) {
	h.WriteUint64(uint64(s.Cwnd)<<32 | uint64(s.Ssthresh))
	for _, w := range s.Priv {
		h.WriteUint64(w)
	}
	m := s.More
	if m == nil {
		return
	}
	h.WriteUint64(s.PacingRate)
	h.WriteUint64(uint64(m.Quantum)<<32 | uint64(s.Wants))
	for _, w := range m.Priv {
		h.WriteUint64(w)
	}
	if m.TimerAt != clock.Never {
		h.WriteUint64(uint64(m.TimerAt.Sub(now)))
	}
	m.Rate.fingerprint(h, iss, now)
	m.Report.fingerprint(h, now)
}

// Report is what the ACKs of one round trip come to.
type Report struct {
	Now        clock.Instant
	Since      clock.Instant  // the first ACK in it
	Acks       uint32         // how many
	Marked     uint32         // of them with ECN-Echo
	Acked      uint64         // octets
	Losses     uint64         // octets
	MinRTT     clock.Duration // of the samples; 0 = there was none
	MaxRTT     clock.Duration
	SRTT       clock.Duration
	InFlight   uint32         // the most there was, octets
	Delivered  uint64         // the rate sample with the highest rate
	Interval   clock.Duration // 0 = there was none
	AppLimited bool           // that sample was
}

// Fold takes one ACK in.
func (r *Report) Fold(a *Ack) {
	if r.Acks == 0 {
		r.Since = a.Now
	}
	r.Acks++
	if a.ECE {
		r.Marked++
	}
	r.Now, r.SRTT = a.Now, a.SRTT
	r.Acked += uint64(a.Acked)
	r.Losses += uint64(a.Losses)
	r.InFlight = max(r.InFlight, a.InFlight)
	if a.RTT > 0 {
		if r.MinRTT == 0 || a.RTT < r.MinRTT {
			r.MinRTT = a.RTT
		}
		r.MaxRTT = max(r.MaxRTT, a.RTT)
	}
	if a.Interval > 0 && (r.Interval == 0 || faster(a.Delivered, a.Interval, r.Delivered, r.Interval)) {
		r.Delivered, r.Interval, r.AppLimited = a.Delivered, a.Interval, a.AppLimited
	}
}

func (r *Report) fingerprint(h *siphash.Hash, now clock.Instant) {
	if r.Acks == 0 {
		h.WriteUint64(0)
		return
	}
	app := uint64(0)
	if r.AppLimited {
		app = 1
	}
	for _, w := range [...]uint64{
		uint64(now.Sub(r.Since)), uint64(r.Acks)<<32 | uint64(r.Marked), r.Acked, r.Losses, uint64(r.MinRTT), uint64(r.MaxRTT),
		uint64(r.InFlight)<<1 | app, r.Delivered, uint64(r.Interval),
	} {
		h.WriteUint64(w)
	}
}
