package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
)

// Check gives the first invariant of the connection that does not hold, or "".
// It is for simulators and tests, after every event: it walks all lists.
func (c *TCB) Check() string {
	s, r := &c.snd, &c.rcv
	switch {
	case c.env.noLoss != (losses{}):
		return "what has lost nothing remembers a loss"
	case c.state == Closed || c.state == Listen:
		if c.out != nil || c.sendBuf.held() > 0 || c.armed != 0 {
			return "a connection that has ended holds what it sent, or a timer"
		}
		return ""
	case s.nxt.Before(s.una):
		return "SND.UNA is beyond SND.NXT"
	case s.una != s.iss && s.base != s.una && !(s.finSent && s.una == s.base.Add(1)):
		return "the send buffer does not begin at SND.UNA"
	case s.finSent && s.nxt != s.base.Add(seq.Size(c.sendBuf.n)+1) && c.state != TimeWait && s.una != s.nxt:
		return "SND.NXT is not behind the FIN"
	case !s.finSent && s.nxt.After(s.base.Add(seq.Size(c.sendBuf.n))):
		return "SND.NXT is beyond what was written"
	case c.cc.Cwnd < uint32(c.mss) && c.state.Synchronized():
		return "the congestion window is less than a segment"
	case c.state.Synchronized() && (c.out != nil) != (seq.Max(s.una, s.base) != s.nxt):
		return "the flight is not what is between SND.UNA and SND.NXT"
	case r.edge.Before(r.nxt) && c.state.Synchronized():
		return "RCV.NXT is beyond the window"
	case c.out == nil && (c.isArmed(timerTLP) || c.isArmed(timerReorder)):
		return "nothing is in flight, and a timer waits for what would be"
	case c.out != nil && !c.isArmed(timerRetransmit):
		return "something is in flight, and no timer will send it again"
	case (c.state == SynSent || c.state == SynReceived || c.synUnacked()) && c.pend&pendSyn == 0 && !c.isArmed(timerRetransmit):
		return "a SYN is out, and no timer will send it again"
	case c.state == TimeWait && !c.isArmed(timerWait):
		return "TIME-WAIT has no end"
	case !c.recordsHold():
		return "the ends of records are not between SND.UNA and what was written"
	case c.ecn.has(ecnReducing) && (c.rec.phase != CWR || c.ecn.point.After(s.nxt)):
		return "a reduction for ECN is not the phase"
	case r.apart != urgentNone && !r.urgent && !c.cfg.UrgentInline:
		return "an urgent octet is kept for data that has been read"
	case c.pend&pendDelayed != 0 && !c.isArmed(timerDelack):
		return "an ACK is owed, and no timer will send it"
	}
	if why := c.checkFlight(); why != "" {
		return why
	}
	return c.checkHold()
}

func (c *TCB) recordsHold() bool {
	r := c.records()
	return r == nil || len(r.list) > 0 && r.list[0].After(c.snd.una) && r.list[len(r.list)-1].AtOrBefore(c.written())
}

func (c *TCB) checkFlight() string {
	if c.out == nil {
		return ""
	}
	at := c.snd.base // SND.UNA, or behind a SYN that is not acknowledged
	var sums flight
	once := clock.Instant(0)
	for i, s := range c.out.live() {
		if s.start != at || !s.start.Before(s.end) {
			return "the flight has a gap"
		}
		sums.count(s.flags, s.len(), true)
		at = s.end
		switch {
		case s.segs == 0 || s.size == 0:
			return "a stretch of the flight has no segments"
		case s.flags&sacked != 0:
			sums.runs++
			sums.sackedSegs += s.segs
			if i > 0 && c.out.live()[i-1].flags&sacked != 0 {
				return "SACKed stretches touch"
			}
		case s.flags&twice == 0 && s.at.Before(once):
			return "what was sent once is not in the order of its times"
		case s.flags&twice == 0:
			once = s.at
		}
	}
	for i := c.out.first + 1; i < len(c.out.queue); i++ {
		if c.out.queue[i].at.Before(c.out.queue[i-1].at) {
			return "what was sent again is not in the order of its times"
		}
	}
	if len(c.out.marked) > 0 {
		return "the hook was not told of a loss"
	}
	if at != c.snd.nxt {
		return "the flight does not end at SND.NXT"
	}
	if sums.sacked != c.out.sacked || sums.lost != c.out.lost || sums.resent != c.out.resent ||
		sums.runs != c.out.runs || sums.sackedSegs != c.out.sackedSegs {
		return "the sums of the flight are wrong"
	}
	return ""
}

func (c *TCB) checkHold() string {
	if c.hold == nil {
		return ""
	}
	if c.hold.n == 0 || c.hold.n > holdMax {
		return "the reassembly is empty or too large"
	}
	at := c.rcv.nxt
	for i := range c.hold.n {
		h := c.hold.list[i]
		if !h.start.After(at) || !h.start.Before(h.end) {
			return "held stretches touch"
		}
		at = h.end
	}
	if at.After(c.rcv.edge) {
		return "something beyond the window is held"
	}
	return ""
}

// Settled is Check for a moment at which Output has nothing more to send: then
// nothing may wait without a timer to end it.
func (c *TCB) Settled() string {
	if why := c.Check(); why != "" || !c.state.Synchronized() {
		return why
	}
	if c.waiting() && c.out == nil && !c.isArmed(timerPersist) && !c.isArmed(timerPace) {
		return "data or a FIN waits, nothing is in flight, and no timer will send it"
	}
	if c.pend&(pendAck|pendReset|pendStray|pendProbe) != 0 {
		return "something was to be sent and was not"
	}
	return ""
}
