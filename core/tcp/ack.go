package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// ackPolicy decides when data that has just been taken in is acknowledged:
// at once, with the second full segment, or after a while (§3.8.6.3).
func (c *TCB) ackPolicy(now clock.Instant, seg *Segment) {
	atOnce := c.ackNow(seg)
	if c.env.Hooks.Has(StepAck) {
		atOnce = c.hookAck(now, seg, atOnce)
	}
	if atOnce {
		c.pend |= pendAck
	} else {
		c.delayAck(now)
	}
}

// ackNow reports whether the ACK of seg goes at once.
func (c *TCB) ackNow(seg *Segment) bool {
	switch unacked := c.rcv.nxt.From(c.rcv.acked); {
	case c.hold != nil:
		return true // RFC 5681 §4.2: a gap is open
	case unacked >= seq.Size(c.cfg.AckEvery)*seq.Size(c.rcv.mss):
		return true // SHLD-19
	}
	// But with a FIN the user may answer in a moment, as Linux has it.
	return c.rcv.quick > 0 && !c.rcv.pingpong && seg.Flags&wire.FIN == 0
}

// delayAck lets an ACK wait for company (SHLD-18, MUST-40).
func (c *TCB) delayAck(now clock.Instant) {
	if c.pend&pendDelayed == 0 {
		c.pend |= pendDelayed
		c.arm(now, timerDelack, now.Add(c.cfg.DelayedAck))
	}
}

// acknowledged notes that a segment with our ACK has gone out.
func (c *TCB) acknowledged() {
	if c.pend&(pendAck|pendDelayed) != 0 && c.rcv.quick > 0 && c.rcv.acked != c.rcv.nxt {
		c.rcv.quick--
	}
	c.pend &^= pendAck | pendDelayed | pendUpdate
	c.stop(timerDelack)
	c.rcv.acked, c.rcv.since = c.rcv.nxt, 0
}

// challenge answers an unacceptable segment with an ACK. Segments that take no
// sequence space are answered at most once in ChallengeInterval, so that two ends
// that disagree don't go on for ever (A.2; RFC 5961 §7, but per connection:
// THREATS S05). Data and FINs come from a timer, and wait for their ACK.
func (c *TCB) challenge(now clock.Instant, seg *Segment) {
	if seg.Len() > 0 {
		c.pend |= pendAck
		return
	}
	c.challengeNow(now)
}

// challengeNow is challenge whatever the segment carried.
func (c *TCB) challengeNow(now clock.Instant) {
	if c.answered && now.Sub(c.answerAt) < c.cfg.ChallengeInterval {
		return
	}
	c.answered, c.answerAt = true, now
	c.env.Stats.ChallengeAcks++
	c.pend |= pendAck
}

// stray has Output send a reset with the sequence number at, which answers one
// bad segment and leaves the connection alone.
func (c *TCB) stray(at seq.Value) {
	c.strayAt = at
	c.pend |= pendStray
}
