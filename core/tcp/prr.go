package tcp

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
)

// prr is Proportional Rate Reduction, RFC 9937: from the beginning of a recovery,
// or of the reaction to ECN, to its end cwnd goes down to ssthresh as fast as data is delivered, so that
// neither a burst nor a silence comes of it.
type prr struct {
	flight    uint32 // RecoverFS: what was in flight at the beginning; 0 outside of a recovery
	delivered uint32 // prr_delivered
	out       uint32 // prr_out
}

// prrBegin begins an episode. delivered is what the ACK that begins it has
// delivered: that was in flight still.
func (c *TCB) prrBegin(delivered seq.Size) {
	if c.cc.Wants.Has(cc.OwnsWindow) {
		return
	}
	flight := uint32(c.snd.nxt.From(c.snd.una) + delivered)
	if c.out != nil {
		flight -= uint32(c.out.sacked)
	}
	if c.cfg.LossFromCwnd {
		flight = c.cc.Cwnd
	}
	c.ownLoss().prr = prr{flight: max(flight, 1)}
}

// prrStep sets cwnd after an ACK that has delivered so many octets (RFC 9937 §6).
// It is safe when SND.UNA has moved and nothing more was found lost.
func (c *TCB) prrStep(now clock.Instant, delivered seq.Size, safe bool) {
	p, mss := &c.loss.prr, uint32(c.mss)
	if p.flight == 0 || delivered == 0 {
		return
	}
	p.delivered += uint32(delivered)
	pipe := c.inFlight()
	n := uint32(0) // sndcnt
	if pipe > c.cc.Ssthresh {
		// In proportion, and what is due is due in whole segments.
		due := (uint64(p.delivered)*uint64(c.cc.Ssthresh) + uint64(p.flight) - 1) / uint64(p.flight)
		due = wholeSegments(due, mss)
		n = uint32(due - min(due, uint64(p.out)))
	} else {
		// PRR-CRB: as much as was delivered, in whole segments as on Linux, or a short
		// last one would hold back the next resend; PRR-SSRB: a segment more, as in slow
		// start.
		n = max(p.delivered-min(p.delivered, p.out), uint32(delivered))
		n = uint32(wholeSegments(uint64(n), mss))
		if safe {
			n += mss
		}
		n = min(c.cc.Ssthresh-pipe, n)
	}
	if p.out == 0 {
		n = max(n, mss) // the fast retransmit
	}
	c.cc.Cwnd = max(pipe+n, mss)
	c.logCongestion(now)
}

// wholeSegments rounds n octets up to segments.
func wholeSegments(n uint64, mss uint32) uint64 {
	return (n + uint64(mss) - 1) / uint64(mss) * uint64(mss)
}

// prrSent counts what goes out while an episode goes on.
func (c *TCB) prrSent(n uint32) {
	if c.loss.prr.flight > 0 {
		c.loss.prr.out += n
	}
}

// prrEnd ends the episode: cwnd is where it was to go.
func (c *TCB) prrEnd() {
	if c.prrStop() {
		c.cc.Cwnd = max(c.cc.Ssthresh, uint32(c.mss))
	}
}

// prrStop leaves cwnd as it is. It reports whether an episode was going on.
func (c *TCB) prrStop() bool {
	if c.loss.prr.flight == 0 {
		return false
	}
	c.loss.prr = prr{}
	return true
}
