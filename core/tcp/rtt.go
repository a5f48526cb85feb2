package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
)

// rtt is RFC 6298's estimate. backoff counts the doublings of the timer since
// the last acknowledgment of new data.
type rtt struct {
	srtt, rttvar, rto clock.Duration
	least             clock.Duration // the smallest sample of late: RACK.min_RTT
	leastAt           clock.Instant  // when it was taken
	sampled           bool
	backoff           uint8
	fresh             bool // a sample was taken since the last tail loss probe
	wary              bool // a timeout was spurious: what is first measured beyond waryAt counts for more
	waryAt            seq.Value
}

func (e *rtt) fingerprint(h *siphash.Hash, iss seq.Value, now clock.Instant) {
	flags := uint64(e.backoff)
	for i, b := range [...]bool{e.fresh, e.wary, e.sampled && now.Sub(e.leastAt) > leastFor} {
		if b {
			flags |= 1 << (8 + i)
		}
	}
	if e.wary {
		flags |= uint64(e.waryAt.From(iss)) << 32
	}
	for _, w := range [...]uint64{uint64(e.srtt), uint64(e.rttvar), uint64(e.rto), uint64(e.least), flags} {
		h.WriteUint64(w)
	}
}

// leastFor is how long the shortest round trip counts: the path may have become
// longer (RFC 8985 §6.2 step 1).
const leastFor = 5 * clock.Minute

// sample takes one measurement in (RFC 6298 §2.2, §2.3). The clock granularity
// G of the RFC is a nanosecond here; RTOMin does its work.
// It returns the measurement, which a hook may have changed.
func (c *TCB) sample(now clock.Instant, r clock.Duration) clock.Duration {
	e := &c.rtt
	r = max(r, 1)
	if c.env.Hooks.Has(StepRTT) {
		r = c.hookRTT(now, r)
	}
	e.fresh = true
	if !e.sampled {
		e.srtt, e.rttvar, e.sampled, e.least = r, r/2, true, r
	} else {
		d := e.srtt - r
		if d < 0 {
			d = -d
		}
		e.rttvar += (d - e.rttvar) / 4
		e.srtt += (r - e.srtt) / 8
	}
	if r <= e.least || now.Sub(e.leastAt) > leastFor {
		e.least, e.leastAt = r, now
	}
	if e.wary && c.snd.una.After(e.waryAt) {
		// RFC 4015 §3.1 step 11.
		e.wary = false
		e.srtt, e.rttvar = max(e.srtt, r), max(e.rttvar, r/2)
	}
	c.setRTO()
	if c.env.Log.On(event.RTT) {
		c.log(now, event.Event{Kind: event.RTT, A: uint64(r), B: uint64(e.srtt), C: uint64(e.rttvar), D: uint64(e.rto)})
	}
	return r
}

// setRTO computes the timeout of RFC 6298 §2.3 and §2.4 without backoff. Linux
// keeps K*RTTVAR at RTOMin or above rather than the sum.
func (c *TCB) setRTO() {
	e := &c.rtt
	if !e.sampled {
		e.rto = c.cfg.RTOInitial
		return
	}
	variance := 4 * e.rttvar
	if c.cfg.RTOMinOfVariance {
		variance = max(variance, c.cfg.RTOMin)
	}
	e.rto = min(max(e.srtt+variance, c.cfg.RTOMin), c.cfg.RTOMax)
}

// timeout is the RTO with its backoff (RFC 6298 §5.5).
func (c *TCB) timeout() clock.Duration { return c.backedOff(c.rtt.rto) }

// backedOff doubles d as often as the RTO has been doubled.
func (c *TCB) backedOff(d clock.Duration) clock.Duration {
	for range c.rtt.backoff {
		if d >= c.cfg.RTOMax {
			break
		}
		d *= 2
	}
	return min(d, c.cfg.RTOMax)
}
