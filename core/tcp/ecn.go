package tcp

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Explicit congestion notification, RFC 3168. Two loops run independently:
//
//	data with ECT -> router marks CE -> receiver: ECE on all ACKs -> sender halves
//	sender: CWR on the next new data -> receiver: no ECE any more
type ecn struct {
	flags ecnFlags
	point seq.Value // SND.NXT when the window was reduced, while ecnReducing
}

type ecnFlags uint8

const (
	ecnAgreed   ecnFlags = 1 << iota // both ends take part
	ecnAsked                         // our ECN-setup SYN has gone out
	ecnUnasked                       // a SYN without has gone out too
	ecnEcho                          // CE has come: ECE goes out until a CWR comes
	ecnReduced                       // the window was reduced: the next new data has CWR
	ecnReducing                      // what was out then is not acknowledged: nothing is reduced again
	ecnSeen                          // ECT or CE has been seen
)

// The values of the ECN field, §5.
const (
	ecnMask = 3
	ecnECT0 = 2
	ecnCE   = 3
)

const ecnSetup = wire.ECE | wire.CWR

func (e *ecn) has(f ecnFlags) bool { return e.flags&f != 0 }

// ecnSyn gives the flags of our SYN or SYN-ACK, §6.1.1. A SYN that goes again goes
// without (§6.1.1.1): something on the path may drop the others. The answer to a
// SYN that asked has ECE alone.
func (c *TCB) ecnSyn(again bool) wire.Flags {
	if c.state != SynSent {
		if c.ecn.has(ecnAgreed) {
			return wire.ECE
		}
		return 0
	}
	if c.cfg.ECN != 1 || again || c.ecn.has(ecnUnasked) {
		c.ecn.flags |= ecnUnasked
		return 0
	}
	c.ecn.flags |= ecnAsked
	return ecnSetup
}

// takeECN reads the flags of the peer's SYN or SYN-ACK, §6.1.1. A SYN that has ECT
// itself has passed a host or a router that knows nothing of ECN.
func (c *TCB) takeECN(seg *Segment) {
	setup := seg.Flags & ecnSetup
	agreed := false
	if seg.Flags&wire.ACK != 0 {
		agreed = c.ecn.has(ecnAsked) && setup == wire.ECE
	} else {
		agreed = c.cfg.ECN != 0 && setup == ecnSetup && seg.Flags&wire.AE == 0 && seg.TOS&ecnMask == 0 &&
			(c.passive || c.ecn.has(ecnAsked))
	}
	c.ecn.flags &^= ecnAgreed
	if agreed {
		c.ecn.flags |= ecnAgreed
	}
}

// sentWithoutECN takes note of a SYN of the peer that came again without ECN: then
// ours is answered without too (§6.1.1.1, the example).
func (c *TCB) sentWithoutECN(seg *Segment) {
	if seg.Flags&ecnSetup != ecnSetup {
		c.ecn.flags &^= ecnAgreed
	}
}

// retryWithoutECN answers a reset of our ECN-setup SYN by a SYN without, once
// (§6.1.1.1). It reports whether it does.
func (c *TCB) retryWithoutECN(now clock.Instant) bool {
	if !c.cfg.ECNResetRetry || !c.ecn.has(ecnAsked) || c.ecn.has(ecnUnasked) {
		return false
	}
	c.stop(timerRetransmit)
	c.ecn.flags |= ecnUnasked
	c.pend |= pendSyn
	return true
}

// codepoint is the ECN field of a segment with data: ECT(0) on new data alone
// (§6.1.2, §6.1.4 to §6.1.6), and never where a SYN has gone without asking. The
// first such segment after a reduction tells of it.
func (c *TCB) codepoint(t *wire.TCP, again bool) uint8 {
	if !c.ecn.has(ecnAgreed) || c.ecn.has(ecnAsked) && c.ecn.has(ecnUnasked) || again {
		return 0
	}
	if c.ecn.has(ecnReduced) {
		c.ecn.flags &^= ecnReduced
		t.Flags |= wire.CWR
	}
	return ecnECT0
}

// hearCE is §6.1.3 for data that is in the window.
func (c *TCB) hearCE(seg *Segment) {
	if !c.ecn.has(ecnAgreed) {
		return
	}
	if seg.Flags&wire.CWR != 0 {
		c.ecn.flags &^= ecnEcho
		c.pend |= pendAck
	}
	switch seg.TOS & ecnMask {
	case ecnCE:
		if !c.ecn.has(ecnEcho) {
			c.ecn.flags |= ecnEcho
			c.ackSoon() // the sender may have little that could go before it hears of it
		}
		c.ecn.flags |= ecnSeen
	case 0:
		if c.ecn.has(ecnSeen) {
			c.ackSoon() // it was probably sent again
		}
	default:
		c.ecn.flags |= ecnSeen
	}
}

// ackSoon acknowledges two segments at once, as Linux does.
func (c *TCB) ackSoon() {
	if c.cfg.ECNQuickAcks {
		c.rcv.quick, c.rcv.pingpong = max(c.rcv.quick, 2), false
	}
}

// hearECE is §6.1.2: the first ECE of a window of data reduces the congestion
// window. before is what was in flight before this ACK, delivered what has arrived
// by it. It reports whether the ACK has an ECE that means something.
func (c *TCB) hearECE(now clock.Instant, seg *Segment, before uint32, delivered seq.Size) bool {
	if c.ecn.has(ecnReducing) && c.snd.una.After(c.ecn.point) {
		// Something sent after the reduction is acknowledged: so the CWR has arrived.
		c.ecn.flags &^= ecnReducing
	}
	// The ECE of a SYN-ACK is about the agreement, §6.1.1.
	if !c.ecn.has(ecnAgreed) || seg.Flags&wire.ECE == 0 || seg.unscaled || before == 0 {
		return false
	}
	if c.ecn.has(ecnReducing) || c.rec.phase >= Recovery {
		return true
	}
	if c.cfg.ECNWaits && c.cc.Cwnd <= uint32(c.mss) {
		// §6.1.2: a window of one segment cannot be halved: the next waits for the
		// retransmission timeout.
		c.timers[timerPace] = now.Add(c.timeout())
		if c.out != nil {
			c.armRetransmit(now)
		}
	}
	c.prrBegin(delivered)
	cwnd := c.cc.Cwnd
	c.reduce(now, forMark, c.reducible(before))
	if !c.cc.Wants.Has(cc.OwnsWindow) {
		c.cc.Cwnd = cwnd // which goes down as data is delivered, RFC 9937
	}
	c.reduced()
	c.ecn.flags |= ecnReducing
	c.ecn.point = c.snd.nxt
	c.setPhaseBy(now, CWR, rule.ECNReaction)
	if c.env.Log.On(event.Congestion) {
		c.log(now, event.Event{Kind: event.Congestion, Rule: rule.ECNReaction, A: uint64(c.cc.Cwnd), B: uint64(c.cc.Ssthresh), C: uint64(c.inFlight())})
	}
	return true
}

// withdrawCWR takes back what the next segment would tell of a reduction that was
// undone.
func (c *TCB) withdrawCWR() { c.ecn.flags &^= ecnReduced }

// reduced notes that the congestion window was reduced, for whatever reason: the
// peer hears of it (§6.1.2).
func (c *TCB) reduced() {
	if c.ecn.has(ecnAgreed) {
		c.ecn.flags |= ecnReduced
	}
}
