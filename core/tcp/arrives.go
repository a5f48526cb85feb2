package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Arrives is SEGMENT ARRIVES of §3.10.7 for a connection that exists. seg is the
// caller's, its payload is copied. What is to be answered comes from Output.
func (c *TCB) Arrives(now clock.Instant, seg *Segment) {
	c.env.Stats.SegmentsIn += uint64(seg.Count)
	c.rcv.segs += uint32(seg.Count)
	if len(seg.Payload) > 0 {
		c.count.dataSegsIn += uint32(seg.Count)
	}
	if c.env.Log.On(event.SegmentIn) {
		c.log(now, segmentEvent(event.SegmentIn, &seg.TCP, len(seg.Payload)))
	}
	seg.first, seg.unscaled, seg.cut = seg.Seq, seg.Flags&wire.SYN != 0, false
	switch c.state {
	case Closed, Listen:
		c.drop(now, rule.DropClosed)
	case SynSent:
		c.arrivesSynSent(now, seg)
	case SynReceived, Established, FinWait1, FinWait2, CloseWait, Closing, LastAck:
		c.arrivesOther(now, seg)
	case TimeWait:
		c.arrivesTimeWait(now, seg)
	default:
		panic("tcp: no such state")
	}
}

func segmentEvent(k event.Kind, t *wire.TCP, length int) event.Event {
	e := event.Event{
		Kind: k,
		A:    uint64(t.Seq)<<32 | uint64(t.Ack),
		B:    uint64(length)<<32 | uint64(t.Window),
		C:    uint64(t.Flags)<<16 | uint64(t.Urgent),
	}
	if t.Options.Has&wire.HasTimestamps != 0 {
		e.D = uint64(t.Options.TSVal)<<32 | uint64(t.Options.TSEcr)
	}
	return e
}

// arrivesSynSent is §3.10.7.3.
func (c *TCB) arrivesSynSent(now clock.Instant, seg *Segment) {
	// First: the ACK must be of our SYN, or of data behind it.
	acceptable := false
	if seg.Flags&wire.ACK != 0 {
		if seg.Ack.AtOrBefore(c.snd.iss) || seg.Ack.After(c.snd.nxt) {
			c.drop(now, rule.DropSynSentAck)
			if seg.Flags&wire.RST == 0 {
				c.stray(seg.Ack)
			}
			if soon := now.Add(c.cfg.SynResend); c.cfg.SynResend > 0 && c.retries == 0 && soon.Before(c.timers[timerRetransmit]) {
				// The peer may have been left over from an old connection, which our
				// reset has ended: the SYN has a chance now.
				c.arm(now, timerRetransmit, soon)
			}
			return
		}
		acceptable = true
	}
	// Second: a reset counts only with such an ACK.
	if seg.Flags&wire.RST != 0 {
		c.env.Stats.ResetsIn++
		if !acceptable {
			c.drop(now, rule.DropSynSentReset)
			return
		}
		if c.retryWithoutECN(now) {
			return
		}
		c.end(now, ErrRefused, BySegment, rule.SynSentReset)
		return
	}
	// Third, security: left out, see doc.go.
	// Fourth: the SYN.
	if seg.Flags&wire.SYN == 0 {
		c.drop(now, rule.DropSynSentNothing)
		return
	}
	c.takeOptions(now, &seg.Options)
	if c.peerMSS < c.cfg.MinMSS && seg.Options.Has&wire.HasMSS != 0 {
		c.drop(now, rule.DropSmallMSS)
		c.end(now, ErrUnsupported, BySegment, rule.SynSentSynAck)
		return
	}
	c.takeSyn(now, seg)
	c.takeECN(seg)
	c.rcv.edge, c.rcv.offered = c.rcv.nxt.Add(seq.Size(min(c.rcv.limit, 65535))), true // as our SYN said
	if !acceptable {
		// Simultaneous open: our SYN goes again, now with an ACK (MUST-10).
		c.become(now, SynReceived, BySegment, rule.SynSentSyn)
		c.retries, c.rtt.backoff = 0, 0
		c.stop(timerRetransmit)
		c.pend |= pendSyn
		return
	}
	c.synAcked(now, seg)
	c.become(now, Established, BySegment, rule.SynSentSynAck)
	c.pend |= pendAck
	c.finishQueued(now)
	// Other controls and text go on at the sixth step, as far as they fit the window.
	seg.Flags &^= wire.SYN
	seg.skip(1)
	if !c.takesSynAck(seg) {
		return
	}
	c.cutToWindow(seg)
	c.checkUrgent(now, seg)
	c.segmentText(now, seg)
	c.checkFin(now, seg)
}

// synAcked does the books of the ACK of our SYN.
func (c *TCB) synAcked(now clock.Instant, seg *Segment) {
	c.snd.una = c.snd.base
	c.stop(timerRetransmit)
	c.stop(timerUser)
	c.pend &^= pendSyn
	switch {
	case c.out != nil && seg.Ack.After(c.snd.base):
		// The data that went with it is measured below.
	case !c.synAgain:
		c.sample(now, now.Sub(c.resendAt))
	case c.echoed(now, seg) > 0:
		c.sample(now, c.echoed(now, seg))
	case c.retries > 0:
		// RFC 6298 §5.7: an RTO below 3 s was too short for the SYN.
		c.rtt.rto = max(c.rtt.rto, 3*clock.Second)
	}
	c.rtt.backoff = 0
	c.rcv.tuneAt = now
	// RFC 5681 §3.1: what was in flight for the SYN is not data.
	if seg.Ack.After(c.snd.base) || c.out != nil && seg.Options.Has&wire.HasSACK != 0 {
		c.acknowledge(now, seg)
	}
	if c.passive && c.cfg.MSSOfWindow {
		c.snd.maxWnd = 0 // the window of the SYN does not count
	}
	c.setWindow(now, seg)
	if c.out != nil {
		c.armRetransmit(now) // data that went before the handshake was over
	}
	c.fastAnswered(now, seg)
}

// setWindow takes SND.WND from a segment: unscaled from a SYN (RFC 7323 §2.2).
func (c *TCB) setWindow(now clock.Instant, seg *Segment) {
	w := seq.Size(seg.Window)
	if !seg.unscaled {
		w <<= c.snd.scale
	}
	if w != c.snd.wnd && c.env.Log.On(event.Window) {
		c.log(now, event.Event{Kind: event.Window, Rule: rule.WindowUpdate, A: uint64(w), B: uint64(max(w, c.snd.maxWnd))})
	}
	c.snd.wnd, c.snd.wl1, c.snd.wl2 = w, seg.Seq, seg.Ack
	if w > c.snd.maxWnd {
		c.snd.maxWnd = w
		c.windowGrew()
	}
}

// finishQueued lets a close that waited for ESTABLISHED go ahead (§3.10.4).
func (c *TCB) finishQueued(now clock.Instant) {
	if c.snd.finQueued && c.state == Established {
		c.become(now, FinWait1, ByCall, rule.CloseSendsFin)
	}
}

// arrivesOther is §3.10.7.4. The checks run in the order of the RFC; one that
// ends the processing of seg returns false, having counted why.
func (c *TCB) arrivesOther(now clock.Instant, seg *Segment) {
	ok := c.checkSequence(now, seg) && // First
		c.checkReset(now, seg) && // Second
		// Third, security: left out, see doc.go.
		c.checkSyn(now, seg) && // Fourth
		c.checkAck(now, seg) // Fifth
	if !ok {
		return
	}
	c.checkUrgent(now, seg) // Sixth
	c.segmentText(now, seg) // Seventh
	c.checkFin(now, seg)    // Eighth
}

// checkSequence is the first check: the segment must lie in the receive window.
// What of it lies outside is cut off.
func (c *TCB) checkSequence(now clock.Instant, seg *Segment) bool {
	if c.ts.on && seg.Flags&wire.RST == 0 {
		if seg.Options.Has&wire.HasTimestamps == 0 {
			if c.cfg.RequireTimestamps && seg.Flags&wire.SYN == 0 {
				c.drop(now, rule.DropNoTimestamp) // RFC 7323 §3.2: in silence
				return false
			}
		} else if c.older(now, seg) {
			// RFC 7323 §5.3 R1: acknowledge and drop.
			c.drop(now, rule.DropPAWS)
			c.noteOld(seg) // RFC 2883 §4.3
			c.challenge(now, seg)
			return false
		}
	}
	if (c.state == SynReceived || c.synUnacked()) && seg.Seq == c.rcv.irs && seg.Flags&(wire.SYN|wire.RST) == wire.SYN {
		if !c.checkSameSyn(now, seg) {
			return false
		}
	}
	nxt, edge := c.rcv.nxt, c.rcv.edge
	if seg.Flags&wire.RST != 0 {
		// A reset is judged by its first octet alone, and heard with a closed
		// window too (MUST-66, SHLD-2).
		if c.cfg.WideReset && !c.ts.scaleOK {
			edge = seq.Max(edge, nxt.Add(seq.Size(c.rcv.limit-min(c.rcv.limit, c.recvBuf.n))))
		}
		if seg.Seq == nxt || seg.Seq.AtOrAfter(nxt) && seg.Seq.Before(edge) {
			return true
		}
		c.drop(now, rule.DropSequence)
		return false
	}
	if !c.acceptable(seg) {
		if seg.Seq == nxt && c.rcv.window() == 0 && seg.Flags&wire.SYN == 0 {
			// §3.10.7.4: with a closed window ACK and URG are heard all the same.
			seg.Payload, seg.Flags = nil, seg.Flags&^wire.FIN
			c.env.Stats.Drops[rule.DropOutOfWindow]++
			c.pend |= pendAck
			return true
		}
		c.drop(now, rule.DropSequence)
		if seg.Flags&wire.SYN != 0 {
			// RFC 5961 §4.2 answers a SYN whatever its number.
			c.challengeNow(now)
		} else {
			c.noteOld(seg)
			c.challenge(now, seg)
		}
		return false
	}
	if seg.Flags&wire.SYN != 0 {
		return true // for the fourth check to refuse
	}
	// Cut what is old, then what is beyond the window.
	if seg.Seq.Before(nxt) {
		old := nxt.From(seg.Seq)
		seg.Payload = seg.Payload[min(int(old), len(seg.Payload)):]
		seg.skip(old)
	}
	c.cutToWindow(seg)
	return true
}

// cutToWindow takes away what of a segment that begins in the window lies beyond
// it. A FIN just at the edge needs no room and stays.
func (c *TCB) cutToWindow(seg *Segment) {
	if over := seg.Seq.Add(seq.Size(len(seg.Payload))).Diff(c.rcv.edge); over > 0 && len(seg.Payload) > 0 {
		seg.Payload = seg.Payload[:max(0, len(seg.Payload)-int(over))]
		seg.Flags &^= wire.FIN
		seg.cut = true
	}
}

// acceptable is the test of the four cases in §3.10.7.4.
func (c *TCB) acceptable(seg *Segment) bool {
	nxt, n, wnd := c.rcv.nxt, seg.Len(), c.rcv.window()
	switch {
	case n == 0 && wnd == 0:
		return seg.Seq == nxt
	case n == 0:
		return seg.Seq.In(nxt, wnd)
	case wnd == 0:
		return false
	}
	return seg.Seq.In(nxt, wnd) || seg.end().Sub(1).In(nxt, wnd) ||
		// It begins before the window and ends behind it.
		nxt.From(seg.Seq) < n && seg.end().After(c.rcv.edge)
}

// checkSameSyn handles the SYN that is known already, in SYN-RECEIVED.
func (c *TCB) checkSameSyn(now clock.Instant, seg *Segment) bool {
	if seg.Flags&wire.ACK != 0 && seg.Ack.After(c.snd.una) && seg.Ack.AtOrBefore(c.snd.nxt) {
		// Simultaneous open, Figure 8: the SYN-ACK brings the ACK of our SYN; its
		// SYN was taken before.
		seg.Flags &^= wire.SYN
		seg.skip(1)
		if c.cfg.CrossedAck && c.state == SynReceived {
			c.noteDuplicate(c.rcv.irs, c.rcv.irs.Add(1))
			c.pend |= pendAck
		}
		if c.pend&pendSyn != 0 {
			c.pend |= pendAck // our SYN-ACK has not gone out: the peer still waits for its ACK
		}
		return true
	}
	if seg.Flags&wire.ACK == 0 && c.state == SynReceived {
		// The peer has not got our SYN-ACK: it goes again, as Linux has it. An ACK
		// alone, as §3.10.7.4 wants, would tell the peer nothing. It goes no more often
		// than a challenge ACK.
		c.drop(now, rule.DropSyn)
		c.updateRecent(now, seg)
		c.sentWithoutECN(seg)
		if !c.answered || now.Sub(c.answerAt) >= c.cfg.ChallengeInterval {
			c.answered, c.answerAt = true, now
			c.pend |= pendSyn
		}
		return false
	}
	return true
}

// older is PAWS, RFC 7323 §5.2: the timestamp is older than the last one in
// order, and that one is not older than 24 days.
func (c *TCB) older(now clock.Instant, seg *Segment) bool {
	behind := int32(c.ts.recent - seg.Options.TSVal)
	return behind > int32(c.cfg.PAWSSlack) && !c.outdated(now)
}

// outdated reports whether TS.Recent is so old that it means nothing (§5.5).
func (c *TCB) outdated(now clock.Instant) bool { return now.Sub(c.ts.recentAt) > 24*24*clock.Hour }

// checkReset is the second check, with RFC 5961 §3.2.
func (c *TCB) checkReset(now clock.Instant, seg *Segment) bool {
	if seg.Flags&wire.RST == 0 {
		return true
	}
	c.env.Stats.ResetsIn++
	if seg.Seq != c.rcv.nxt {
		c.drop(now, rule.DropReset)
		c.fastReset()
		c.challengeNow(now)
		return false
	}
	switch c.state {
	case SynReceived:
		if c.passive && !c.fastOpened() {
			// MUST-11: back to LISTEN, and the user is told nothing.
			c.stopAll()
			c.become(now, Listen, BySegment, rule.ResetSynReceived)
			c.forget()
			return false
		}
		err := ErrRefused
		if c.cfg.LinuxErrors || c.fastOpened() {
			err = ErrReset
		}
		c.end(now, err, BySegment, rule.ResetSynReceived)
	case Established, FinWait1, FinWait2:
		c.end(now, ErrReset, BySegment, rule.ResetExact)
	case CloseWait:
		err := ErrReset
		if c.cfg.LinuxErrors {
			err = ErrPipe
		}
		c.end(now, err, BySegment, rule.ResetExact)
	case Closing, LastAck:
		err := NoError // all was said; Linux tells the user still
		if c.cfg.LinuxErrors {
			err = ErrReset
		}
		c.end(now, err, BySegment, rule.ResetExact)
	case TimeWait:
		c.end(now, NoError, BySegment, rule.ResetExact)
	case Closed, Listen, SynSent:
		panic("tcp: a reset in " + c.state.String() + " is not for checkReset")
	default:
		panic("tcp: no such state")
	}
	return false
}

// checkSyn is the fourth check, with RFC 5961 §4.2.
func (c *TCB) checkSyn(now clock.Instant, seg *Segment) bool {
	if seg.Flags&wire.SYN == 0 {
		return true
	}
	c.drop(now, rule.DropSyn)
	if c.state == SynReceived && c.passive && !c.fastOpened() {
		c.stopAll()
		c.become(now, Listen, BySegment, rule.SynReceivedSyn)
		c.forget()
		return false
	}
	c.challengeNow(now)
	return false
}

// checkAck is the fifth check.
func (c *TCB) checkAck(now clock.Instant, seg *Segment) bool {
	if seg.Flags&wire.ACK == 0 {
		c.drop(now, rule.DropNoAck)
		return false
	}
	una, nxt := c.snd.una, c.snd.nxt
	if c.state == SynReceived {
		if seg.Ack.AtOrBefore(una) || seg.Ack.After(nxt) {
			c.drop(now, rule.DropAckSynReceived)
			c.stray(seg.Ack)
			return false
		}
		if c.deferred(seg) {
			c.drop(now, rule.DropAcceptQueueFull)
			return false
		}
		c.synAcked(now, seg)
		c.updateRecent(now, seg)
		c.become(now, Established, BySegment, rule.AckEstablishes)
		c.finishQueued(now)
		return c.finAcked(now)
	}
	// RFC 5961 §5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT.
	if seg.Ack.After(nxt) {
		c.drop(now, rule.DropAckUnsent)
		c.challenge(now, seg)
		return false
	}
	if seg.Ack.Before(una.Sub(c.snd.maxWnd)) {
		c.drop(now, rule.DropAckOld)
		c.challenge(now, seg)
		return false
	}
	c.touchKeepalive(now)
	c.probes = 0
	c.updateRecent(now, seg)
	if seg.Ack.AtOrAfter(una) {
		c.acknowledge(now, seg)
	} else if c.ts.sackOK && seg.Options.Has&wire.HasSACK != 0 {
		c.acknowledge(now, seg)
	}
	return c.finAcked(now)
}

// updateRecent is RFC 7323 §4.3: TS.Recent follows the segment that covers the
// last ACK sent, so that a delayed ACK echoes the earliest.
func (c *TCB) updateRecent(now clock.Instant, seg *Segment) {
	if !c.ts.on || seg.Options.Has&wire.HasTimestamps == 0 {
		return
	}
	if seg.first.AtOrBefore(c.rcv.acked) && (int32(seg.Options.TSVal-c.ts.recent) >= 0 || c.outdated(now)) {
		c.ts.recent, c.ts.recentAt = seg.Options.TSVal, now
	}
}

// finAcked is what an ACK of our FIN does in each state. It returns false when
// the connection has ended.
func (c *TCB) finAcked(now clock.Instant) bool {
	if !c.snd.finSent || c.snd.una != c.snd.nxt {
		return true
	}
	switch c.state {
	case FinWait1:
		c.become(now, FinWait2, BySegment, rule.AckOfFin)
		if c.released && c.cfg.FinWait2 < 0 {
			c.stray(c.snd.nxt)
			c.end(now, ErrAborted, BySegment, rule.FinWait2Timeout)
			return false
		}
	case Closing:
		c.become(now, TimeWait, BySegment, rule.AckClosing)
	case LastAck:
		c.end(now, NoError, BySegment, rule.AckLastAck)
		return false
	case Closed, Listen, SynSent, SynReceived, Established, FinWait2, CloseWait, TimeWait:
		// Our FIN was acknowledged before, or not sent.
	default:
		panic("tcp: no such state")
	}
	return true
}

// segmentText is the seventh step.
func (c *TCB) segmentText(now clock.Instant, seg *Segment) {
	switch c.state {
	case Established, FinWait1, FinWait2:
	case CloseWait, Closing, LastAck, TimeWait:
		// The peer has sent its FIN: there can be no more.
		if len(seg.Payload) > 0 {
			c.drop(now, rule.DropAfterFin)
		}
		return
	case Closed, Listen, SynSent, SynReceived:
		return
	default:
		panic("tcp: no such state")
	}
	if !seg.unscaled {
		c.noteDuplicate(seg.first, seg.Seq) // what was cut off as old
	}
	if len(seg.Payload) == 0 {
		return
	}
	if c.released || c.readShut && c.snd.finQueued {
		// SHLD-3: nobody is there to read it; the peer must know. §3.5.2: the reset
		// takes its sequence number from the segment, so that the peer finds it good
		// even if our FIN is lost.
		c.stray(seg.Ack)
		c.end(now, ErrAborted, BySegment, rule.UnreadReset)
		return
	}
	if seg.cut {
		c.pend |= pendAck // the peer learns at once how far the window goes
	}
	if c.rcv.finKnown && seg.Seq.Add(seq.Size(len(seg.Payload))).After(c.rcv.fin) {
		if seg.Seq.AtOrAfter(c.rcv.fin) {
			c.drop(now, rule.DropAfterFin)
			c.pend |= pendAck
			return
		}
		seg.Payload = seg.Payload[:c.rcv.fin.From(seg.Seq)]
	}
	c.notePeer(now, seg)
	c.hearCE(seg)
	if c.hold != nil && seg.Seq == seg.first {
		c.noteDuplicate(c.hold.overlap(seg.Seq, seg.Seq.Add(seq.Size(len(seg.Payload)))))
	}
	if seg.Seq == c.rcv.nxt {
		c.textInOrder(now, seg)
	} else {
		c.textEarly(now, seg)
	}
}

// notePeer learns from a data segment how large the peer's segments are and
// how long it takes to answer.
func (c *TCB) notePeer(now clock.Instant, seg *Segment) {
	c.rcv.dataAt = now
	size := len(seg.Payload)
	if seg.Count > 1 {
		size = (size + int(seg.Count) - 1) / int(seg.Count)
	}
	c.rcv.mss = max(c.rcv.mss, uint16(min(size, int(c.ownMSS()))))
	if c.ts.on && seg.Options.Has&wire.HasTimestamps != 0 && seg.Options.TSEcr != 0 {
		trip := clock.Duration(c.stamp(now)-seg.Options.TSEcr) * clock.Millisecond
		if trip >= 0 && (c.rcv.echoRTT == 0 || trip < c.rcv.echoRTT) {
			c.rcv.echoRTT = max(trip, clock.Millisecond)
		}
	}
}

// textInOrder delivers data at RCV.NXT, and what was waiting behind it.
func (c *TCB) textInOrder(now clock.Instant, seg *Segment) {
	n := len(seg.Payload)
	if c.readShut {
		// The user reads no more: it is acknowledged and dropped.
		c.rcv.nxt = c.rcv.nxt.Add(seq.Size(n))
		if c.hold != nil {
			c.reach(c.rcv.nxt)
			c.settle()
		}
		c.ackPolicy(now, seg)
		return
	}
	k := n
	if c.hold == nil {
		k = c.recvBuf.append(&c.env.Pool, seg.Payload)
		c.rcv.nxt = c.rcv.nxt.Add(seq.Size(k))
	} else {
		k = c.place(seg.Seq, seg.Payload)
		before := c.rcv.nxt
		c.reach(before.Add(seq.Size(k)))
		c.recvBuf.n += uint32(c.rcv.nxt.From(before))
		c.settle()
		c.pend |= pendAck // a gap closes: RFC 5681 §4.2
	}
	if k < n {
		// The stack's memory is used up: the rest comes again.
		c.drop(now, rule.DropMemory)
		seg.Flags &^= wire.FIN
		c.pend |= pendAck
	}
	if k == 0 {
		return
	}
	c.count.octetsReceived += uint64(k)
	c.env.Stats.OctetsIn += uint64(k)
	c.ready |= ReadyRead
	c.ackPolicy(now, seg)
}

// checkFin is the eighth check. A FIN beyond a gap is remembered until the gap
// is filled.
func (c *TCB) checkFin(now clock.Instant, seg *Segment) {
	switch c.state {
	case Closed, Listen, SynSent:
		return // U-12: SEG.SEQ cannot be validated
	case SynReceived, Established, FinWait1, FinWait2, CloseWait, Closing, LastAck, TimeWait:
	default:
		panic("tcp: no such state")
	}
	if seg.Flags&wire.FIN != 0 && !c.rcv.finKnown {
		at := seg.Seq.Add(seq.Size(len(seg.Payload)))
		if at.Before(c.rcv.nxt) || c.hold != nil && c.hold.end().After(at) {
			// Data behind a FIN: one of the two is a lie. The data came first.
			c.drop(now, rule.DropAfterFin)
			c.pend |= pendAck
			return
		}
		c.rcv.fin, c.rcv.finKnown = at, true
	}
	if c.rcv.finKnown && !c.rcv.finished && c.rcv.nxt == c.rcv.fin {
		c.peerFinished(now, len(seg.Payload) > 0)
	} else if seg.Flags&wire.FIN != 0 {
		c.pend |= pendAck // it lies behind a gap, RFC 5681 §4.2
		c.holdFin()
	}
}

// peerFinished is what reaching the peer's FIN does in each state.
func (c *TCB) peerFinished(now clock.Instant, withText bool) {
	c.rcv.nxt = c.rcv.nxt.Add(1)
	if c.rcv.edge.Before(c.rcv.nxt) {
		c.rcv.edge = c.rcv.nxt
	}
	c.rcv.finished = true
	c.ready |= ReadyRead
	switch c.state {
	case SynReceived, Established:
		c.become(now, CloseWait, BySegment, rule.FinEstablished)
		// The user may answer with its own FIN in a moment: where data has shown
		// how long ACKs may wait, this one waits too, as on Linux (F3).
		c.rcv.pingpong = true
		if withText || c.count.octetsReceived > 0 && !c.onlySynData() {
			c.delayAck(now)
		} else {
			c.pend |= pendAck
		}
		return
	case FinWait1:
		// An ACK of our FIN would have led to FIN-WAIT-2 before (Note 2).
		c.become(now, Closing, BySegment, rule.FinClosing)
	case FinWait2:
		c.become(now, TimeWait, BySegment, rule.FinInFinWait2)
	case Closed, Listen, SynSent, CloseWait, Closing, LastAck, TimeWait:
		panic("tcp: a second FIN in " + c.state.String())
	default:
		panic("tcp: no such state")
	}
	c.pend |= pendAck
}
