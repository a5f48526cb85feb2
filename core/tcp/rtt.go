package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/seq"
)

// rtt is RFC 6298's estimate. backoff counts the doublings of the timer since
// the last acknowledgment of new data.
type rtt struct {
	srtt, rttvar, rto clock.Duration
	least             clock.Duration // the smallest sample
	sampled           bool
	backoff           uint8
	wary              bool // a timeout was spurious: what is first measured beyond waryAt counts for more
	waryAt            seq.Value
}

// sample takes one measurement in (RFC 6298 §2.2, §2.3). The clock granularity
// G of the RFC is a nanosecond here; RTOMin does its work.
func (c *TCB) sample(now clock.Instant, r clock.Duration) {
	e := &c.rtt
	r = max(r, 1)
	c.tlp.sampled = true
	if !e.sampled {
		e.srtt, e.rttvar, e.sampled, e.least = r, r/2, true, r
	} else {
		d := e.srtt - r
		if d < 0 {
			d = -d
		}
		e.rttvar += (d - e.rttvar) / 4
		e.srtt += (r - e.srtt) / 8
		e.least = min(e.least, r)
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
func (c *TCB) timeout() clock.Duration {
	d := c.rtt.rto
	for range c.rtt.backoff {
		if d >= c.cfg.RTOMax {
			break
		}
		d *= 2
	}
	return min(d, c.cfg.RTOMax)
}
