package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/wire"
)

// The tail loss probe, RFC 8985 §7: where no ACK comes any more, since the last
// segments of a flight are lost, one segment sent well before the timeout brings
// the SACK from which RACK finds out what is missing.
type tlp struct {
	end   seq.Value // TLP.end_seq, while out
	out   bool      // a probe is not acknowledged
	again bool      // TLP.is_retrans: it was a retransmission
}

func (t *tlp) fingerprint(h *siphash.Hash, iss seq.Value) {
	w := uint64(0)
	for i, b := range [...]bool{t.out, t.again} {
		if b {
			w |= 1 << i
		}
	}
	if t.out {
		w |= uint64(t.end.From(iss)) << 32
	}
	h.WriteUint64(w)
}

// armProbe starts the probe's timer anew (§7.2).
func (c *TCB) armProbe(now clock.Instant) {
	if c.out == nil || !c.cfg.TLP || !c.rackOn() || !c.state.Synchronized() ||
		c.rec.phase != Open && c.rec.phase != CWR || c.out.sackedSegs > 0 {
		c.stop(timerTLP)
		return
	}
	d := c.cfg.RTOInitial // §7.2: without a sample, a second
	if c.rtt.sampled {
		d = 2 * c.rtt.srtt
		if c.out.single() {
			d += c.cfg.TLPAckDelay // its ACK may be delayed
		} else {
			d += c.cfg.TimerSlack
		}
	}
	at := now.Add(d)
	if c.isArmed(timerRetransmit) {
		at = min(at, c.timers[timerRetransmit])
	}
	if !c.isArmed(timerTLP) || c.timers[timerTLP] != at {
		c.arm(now, timerTLP, at)
	}
}

// single reports whether one segment is all that is out.
func (f *flight) single() bool {
	l := f.live()
	return len(l) == 1 && l[0].segs == 1
}

// probeTimeout has Output send the probe, unless one is out or has shown nothing
// new about the path since. After that the retransmission timer is next (§7.3).
func (c *TCB) probeTimeout(now clock.Instant) {
	if c.out == nil {
		return
	}
	if !c.loss.tlp.out && (c.rtt.fresh || !c.cfg.TLPWantsSample) {
		c.pend |= pendTail
	}
	c.armRetransmit(now)
}

// sendTail sends the probe: what was not sent yet, whatever cwnd says, else the
// last segment once more.
func (c *TCB) sendTail(now clock.Instant, p *packet.Packet) (sent, built bool) {
	if c.out == nil {
		c.pend &^= pendTail
		return false, false
	}
	again := false
	if c.waiting() {
		sent, built = c.sendNew(now, p)
	}
	c.pend &^= pendTail
	if !sent {
		again = true
		if sent, built = c.sendLast(now, p); !sent {
			return false, false
		}
	}
	c.env.Stats.LossProbes++
	c.ownLoss().tlp = tlp{end: c.snd.nxt, out: true, again: again}
	c.rtt.fresh = false
	c.stop(timerTLP)
	return sent, built
}

// sendLast sends the last segment again.
func (c *TCB) sendLast(now clock.Instant, p *packet.Packet) (sent, built bool) {
	i := len(c.out.list) - 1
	s := c.out.list[i]
	if s.flags&(sacked|lost) != 0 || s.end.After(c.snd.una.Add(c.snd.wnd)) {
		return false, false
	}
	fin := c.snd.finSent
	n := min(s.last(), covers(c.payloadMax(), fin))
	i, ok := c.out.cut(i, s.end.Sub(n), s.end)
	if !ok {
		return false, false
	}
	if fin {
		n--
	}
	if c.out.resent == 0 {
		c.ownLoss().doubt.stamped = false // what was sent again long ago tells nothing
	}
	return c.resend(now, p, i, uint32(n), fin, rule.TailLossProbe)
}

// forgetProbe is TLP_init (§7.1): what a recovery finds out, a probe need not.
func (c *TCB) forgetProbe() {
	if c.loss.tlp.out {
		c.loss.tlp.out = false
	}
	c.pend &^= pendTail
	c.stop(timerTLP)
}

// probeAcked is TLP_process_ack (§7.4.2): where the probe itself has repaired the
// only loss, the congestion control must hear of that loss. dsack is whether the
// ACK reports the probe as a duplicate, duplicate whether it tells nothing at all.
func (c *TCB) probeAcked(now clock.Instant, seg *Segment, dsack, duplicate bool) {
	t := &c.loss.tlp
	if !t.out || seg.Ack.Before(t.end) {
		return
	}
	switch {
	case !t.again, dsack:
		t.out = false
	case seg.Ack.After(t.end):
		t.out = false
		c.trustReduction() // this one is not for its DSACKs to undo
		c.reduce(now, forLoss, c.reducible(c.flightSize()))
		c.settleWindow()
		c.recovered(now)
		c.logCongestion(now)
	case duplicate && seg.Options.Has&wire.HasSACK == 0:
		t.out = false
	}
}
