package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
)

// Expire is §3.10.8: it does what the timers that have run out by now want. With
// none it does nothing.
func (c *TCB) Expire(now clock.Instant) {
	for slot := range timerSlots {
		if !c.isArmed(slot) || c.timerAt(slot).After(now) {
			continue
		}
		c.stop(slot)
		c.checkLimited()
		// RFC 8985 §7.2: at the time of the timeout the probe has its turn first.
		probes := slot == timerRetransmit && c.isArmed(timerTLP)
		if c.env.Log.On(event.TimerFired) {
			by := slot
			if probes {
				by = timerTLP
			}
			c.log(now, event.Event{Kind: event.TimerFired, By: by, A: uint64(c.retries)})
		}
		if c.env.Hooks.Has(StepTimerFired) && !c.hookFired(now, slot) {
			continue
		}
		switch slot {
		case timerRetransmit:
			if probes {
				c.stop(timerTLP)
				c.probeTimeout(now)
				break
			}
			c.retransmitTimeout(now)
		case timerPersist:
			c.persistTimeout(now)
		case timerDelack:
			if c.pend&pendDelayed != 0 {
				c.pend |= pendAck
				c.rcv.pingpong = false // the answer it waited for did not come
			}
		case timerKeepalive:
			c.keepaliveTimeout(now)
		case timerUser:
			c.giveUp(now, ErrUserTimeout, rule.UserTimeout, false)
		case timerWait:
			c.waitTimeout(now)
		case timerPace:
			// Output goes on.
		case timerTLP:
			c.probeTimeout(now)
		case timerReorder:
			c.reorderTimeout(now)
		case timerControl:
			c.controlTimeout(now)
		}
	}
}

// waitTimeout ends TIME-WAIT, or an orphan in FIN-WAIT-2.
func (c *TCB) waitTimeout(now clock.Instant) {
	switch c.state {
	case TimeWait:
		c.end(now, NoError, ByTimer, rule.TimeWaitOver)
	case FinWait2:
		c.end(now, ErrTimeout, ByTimer, rule.FinWait2Timeout)
	case Closed, Listen, SynSent, SynReceived, Established, FinWait1, CloseWait, Closing, LastAck:
		// The state was left in the meantime.
	default:
		panic("tcp: no such state")
	}
}

// retransmitTimeout is RFC 6298 §5.4 to §5.6 and the limits R1 and R2 of
// §3.8.3.
func (c *TCB) retransmitTimeout(now clock.Instant) {
	if c.state == SynSent || c.state == SynReceived {
		c.synTimeout(now)
		return
	}
	if c.out == nil && !c.synUnacked() {
		return
	}
	// A closed window is not the peer's death: as long as it answers, the
	// retransmissions are probes (§3.8.6.1, SHLD-17).
	probing := c.snd.wnd == 0 && c.heardSince(now) && !(c.released && c.cfg.OrphanPersist)
	over := !probing && c.retries > 0 && c.exhausted(now)
	c.fastTimeout(over)
	if over {
		id := rule.RetransmitLimit
		if c.cfg.UserTimeout > 0 && c.cfg.UserTimeoutFromResend {
			id = rule.UserTimeout
		}
		c.giveUp(now, ErrTimeout, id, false)
		return
	}
	if c.retries == 0 {
		// The clock of R2 and of the user timeout runs from the first resend; the
		// timer itself is set on it from here on.
		c.resendAt = now
	}
	if c.retries < 255 {
		c.retries++
	}
	if c.retries == c.cfg.R1 {
		c.softError(now, ErrTimeout, rule.RetransmitLimit, 0) // SHLD-9
	}
	if c.cfg.MTUProbing && c.passedR1(now) {
		c.shrink(now)
	}
	c.env.Stats.Timeouts++
	c.backOff()
	if c.synUnacked() {
		c.pend |= pendSyn
	}
	if c.out != nil {
		c.timedOut(now)
	}
	c.armRetransmit(now)
}

// passedR1 reports whether so much has gone unanswered that the path may be at
// fault (§3.8.3, R1).
func (c *TCB) passedR1(now clock.Instant) bool {
	if c.cfg.R2Time {
		return now.Sub(c.resendAt) >= c.doubling(c.cfg.R1, c.cfg.RTOMin)
	}
	return c.retries >= c.cfg.R1
}

// shrink tries smaller segments.
func (c *TCB) shrink(now clock.Instant) {
	if c.foundMSS == 0 {
		c.foundMSS = c.cfg.BaseMSS
	} else {
		c.foundMSS = max(c.foundMSS/2, leastOfWindow)
	}
	if old := c.mss; old > 0 {
		if c.setMSS(); c.mss < old {
			c.softError(now, ErrMessageSize, rule.PathMTU, uint64(c.mss))
		}
	}
}

// heardSince reports whether the peer was heard of since before the last
// retransmission went out.
func (c *TCB) heardSince(now clock.Instant) bool {
	return now.Sub(c.heardAt) <= 2*c.timeout()+c.cfg.RTOMin
}

func (c *TCB) backOff() {
	if c.timeout() < c.cfg.RTOMax && c.rtt.backoff < 64 {
		c.rtt.backoff++
	}
}

// synTimeout resends the SYN or SYN-ACK, or gives the open up (MUST-22).
func (c *TCB) synTimeout(now clock.Instant) {
	limit, id := int(c.cfg.SynRetries), rule.SynLimit
	if c.state == SynReceived {
		limit, id = int(c.cfg.SynAckRetries), rule.SynAckLimit
		if c.fastOpened() {
			limit++ // Linux: once more, since the user may have it
		}
	}
	over := int(c.retries) >= limit
	if c.state == SynSent && c.cfg.SynLinear > 0 {
		// Linux: some more SYNs go at the start, and the time of the doubling ones
		// alone bounds the whole.
		over = int(c.retries) >= limit+int(c.cfg.SynLinear) ||
			now.Sub(c.resendAt) >= c.doubling(uint8(limit), c.cfg.RTOInitial)
	}
	if c.cfg.UserTimeout > 0 && c.cfg.UserTimeoutFromResend && now.Sub(c.resendAt) >= c.cfg.UserTimeout {
		over, id = true, rule.UserTimeout
	}
	c.fastTimeout(over)
	if over {
		c.end(now, ErrTimeout, ByTimer, id)
		return
	}
	c.retries++
	if c.deferring && c.retries < c.deferCount() {
		// No SYN-ACK until the last moment: the peer has it.
		c.backOff()
		c.armRetransmit(now)
		return
	}
	if c.retries == c.cfg.R1 {
		c.softError(now, ErrTimeout, rule.SynLimit, 0)
	}
	if c.state != SynSent || c.retries > c.cfg.SynLinear {
		c.backOff()
	}
	c.fastLost(now)
	c.pend |= pendSyn
	c.env.Stats.Timeouts++
}

// exhausted reports whether R2 or the user timeout is reached.
func (c *TCB) exhausted(now clock.Instant) bool {
	since := now.Sub(c.resendAt)
	if c.cfg.UserTimeout > 0 && c.cfg.UserTimeoutFromResend {
		return since >= c.cfg.UserTimeout
	}
	limit := c.cfg.R2
	if c.released {
		limit = min(limit, c.cfg.OrphanRetries)
	}
	if limit == 255 {
		return false // MUST-21: for ever
	}
	if c.cfg.R2Time {
		return since >= c.doubling(limit, c.cfg.RTOMin)
	}
	return c.retries >= limit
}

// doubling is the time that n retransmissions take when the first timeout is
// base and each is twice the one before, up to RTOMax: how Linux turns a count
// into a time.
func (c *TCB) doubling(n uint8, base clock.Duration) clock.Duration {
	sum, d := clock.Duration(0), base
	for range int(n) + 1 {
		sum += d
		d = min(2*d, c.cfg.RTOMax)
	}
	return sum
}

// clampToUser shortens a timeout so that the user timeout is not overrun.
func (c *TCB) clampToUser(now clock.Instant, d clock.Duration) clock.Duration {
	if c.cfg.UserTimeout == 0 || !c.cfg.UserTimeoutFromResend {
		return d
	}
	if c.retries == 0 && c.state != SynSent {
		return d
	}
	left := c.cfg.UserTimeout - now.Sub(c.resendAt)
	return max(min(d, left), clock.Millisecond)
}

// startUserTimer is the user timeout of §3.10.8, which runs from the first
// transmission of what is not acknowledged.
func (c *TCB) startUserTimer(now clock.Instant) {
	if c.cfg.UserTimeout > 0 && !c.cfg.UserTimeoutFromResend && !c.isArmed(timerUser) {
		c.arm(now, timerUser, now.Add(c.cfg.UserTimeout))
	}
}

func (c *TCB) restartUserTimer(now clock.Instant) {
	c.stop(timerUser)
	c.startUserTimer(now)
}

// giveUp ends the connection because the peer does not answer. Linux does so in
// silence; only keepalive tells the peer.
func (c *TCB) giveUp(now clock.Instant, err Error, id rule.ID, tell bool) {
	if tell {
		c.pend |= pendReset
	}
	c.end(now, err, ByTimer, id)
}

// armPersist starts the persist timer when data waits, nothing is in flight to
// bring an ACK, and the window holds it back.
func (c *TCB) armPersist(now clock.Instant) {
	if c.isArmed(timerPersist) || c.out != nil || !c.state.Synchronized() {
		return
	}
	d := c.timeout() // SHLD-29
	if c.cfg.SWSOverride > 0 && c.snd.nxt.Before(c.snd.una.Add(c.snd.wnd)) {
		d = c.cfg.SWSOverride
	}
	c.arm(now, timerPersist, now.Add(d))
}

// stopPersist ends probing when the window is open again.
func (c *TCB) stopPersist(now clock.Instant) {
	c.persisting = false
	if c.isArmed(timerPersist) {
		c.stop(timerPersist)
		c.rtt.backoff, c.retries = 0, 0
	}
}

// persistTimeout sends a zero-window probe, or what the sender's silly-window
// avoidance has held back for long enough.
func (c *TCB) persistTimeout(now clock.Instant) {
	if c.out != nil {
		return
	}
	if !c.waiting() {
		c.roomFreed() // there may be memory again
		return
	}
	if c.snd.nxt.Before(c.snd.una.Add(c.snd.wnd)) {
		c.pend |= pendForce
		return
	}
	if !c.persisting {
		c.persisting, c.resendAt = true, now // answered probes don't stop the user's clock
	}
	if c.cfg.UserTimeout > 0 && now.Sub(c.resendAt) >= c.cfg.UserTimeout {
		c.giveUp(now, ErrTimeout, rule.PersistDead, false)
		return
	}
	limit := c.cfg.MinWindowProbes
	if c.released {
		limit = min(limit, c.cfg.OrphanRetries)
		if c.cfg.OrphanPersist && c.timeout() >= c.cfg.RTOMax {
			c.probes = max(c.probes, c.rtt.backoff) // those that were answered count too
		}
	}
	if limit != 255 && c.probes >= limit {
		c.giveUp(now, ErrTimeout, rule.PersistDead, false)
		return
	}
	c.probes++
	c.env.Stats.ZeroWindowProbes++
	if c.cfg.ProbeWithData && c.Unsent() > 0 {
		c.pend |= pendForce
	} else {
		c.pend |= pendProbe
		if c.snd.up.After(c.snd.una) {
			// A peer with a closed window hears of urgent data only at RCV.NXT, which
			// the probe lies before; Linux sends both.
			c.pend |= pendUrgent
		}
	}
	c.backOff() // SHLD-30
	c.arm(now, timerPersist, now.Add(c.probeInterval(now)))
}

// probeInterval is the time to the next zero-window probe: the user timeout, if
// that comes first.
func (c *TCB) probeInterval(now clock.Instant) clock.Duration {
	d := c.timeout()
	if c.cfg.UserTimeout > 0 {
		d = max(min(d, c.cfg.UserTimeout-now.Sub(c.resendAt)), clock.Millisecond)
	}
	return d
}

// waiting reports whether data or a FIN has not been sent yet.
func (c *TCB) waiting() bool {
	return c.Unsent() > 0 || c.snd.finQueued && !c.snd.finSent
}

// keepaliveTimeout is §3.8.4. The timer is not moved by each segment: it looks,
// when it runs out, how long the connection has really been idle.
func (c *TCB) keepaliveTimeout(now clock.Instant) {
	if !c.cfg.Keepalive {
		return
	}
	switch c.state {
	case Established, CloseWait, FinWait1, FinWait2, Closing, LastAck:
	case Closed, Listen, SynSent, SynReceived, TimeWait:
		return
	default:
		panic("tcp: no such state")
	}
	idle := now.Sub(c.heardAt)
	switch {
	case c.out != nil || c.waiting():
		// MUST-26: retransmissions find out by themselves.
		c.arm(now, timerKeepalive, now.Add(c.cfg.KeepaliveIdle))
		return
	case idle < c.cfg.KeepaliveIdle:
		c.probes = 0
		c.arm(now, timerKeepalive, c.heardAt.Add(c.cfg.KeepaliveIdle))
		return
	}
	dead := c.probes >= c.cfg.KeepaliveCount
	if c.cfg.UserTimeout > 0 {
		// RFC 5482 §4.2 and Linux: the user timeout takes the place of the count.
		dead = idle >= c.cfg.UserTimeout && c.probes > 0
	}
	if dead {
		c.giveUp(now, ErrTimeout, rule.KeepaliveDead, true)
		return
	}
	c.probes++
	c.env.Stats.KeepaliveProbes++
	c.pend |= pendProbe
	c.arm(now, timerKeepalive, now.Add(c.cfg.KeepaliveInterval))
}

// SeqInFlight reports whether v was sent and is not acknowledged, which is what
// an ICMP message about this connection has to quote by RFC 5927 §4.1.
func (c *TCB) SeqInFlight(v seq.Value) bool {
	return v.AtOrAfter(c.snd.una) && v.Before(c.snd.nxt) || v == c.snd.una && c.snd.una == c.snd.nxt && c.state == SynSent
}

// MayQuote reports whether an ICMP message about this connection may quote v.
func (c *TCB) MayQuote(v seq.Value) bool {
	return c.SeqInFlight(v) || c.cfg.ICMPAtNext && v == c.snd.nxt && c.state.Synchronized()
}

// MayFit reports whether a message may say that a packet was too big which is not.
func (c *TCB) MayFit() bool { return c.cfg.ICMPFits }

// ICMPError takes in an ICMP error about a packet of this connection. Before the
// connection is synchronized a hard one ends it; after that each is only noted
// (MUST-56, SHLD-25, SHLD-26 as RFC 5461 has it). detail is type<<8 | code.
func (c *TCB) ICMPError(now clock.Instant, e Error, hard bool, detail uint16) {
	switch c.state {
	case SynSent, SynReceived:
		// With Fast Open only until the user has it, as Linux has it.
		if (hard || c.cfg.ICMPEndsOpen) && (!c.passive || c.fastOpened() && !c.fast.taken) {
			c.end(now, e, ByICMP, rule.ICMPHard)
			return
		}
		c.softError(now, e, rule.ICMPSoft, uint64(detail))
	case Established, FinWait1, FinWait2, CloseWait, Closing, LastAck:
		c.softError(now, e, rule.ICMPSoft, uint64(detail))
	case Closed, Listen, TimeWait:
	default:
		panic("tcp: no such state")
	}
}

// PathMTU takes in what a router or the link says about the size of packets
// (RFC 1191 §6, RFC 8201 §5.4). Only a smaller size counts, and none below the
// floor. What was sent in larger packets goes again at once.
func (c *TCB) PathMTU(now clock.Instant, mtu int) {
	// Below the floor routers may fragment from now on, as Linux has it: who forges
	// this gains fragments, and no segments of headers alone.
	fragments := false
	if c.name.is6() {
		if mtu < 1280 {
			return // RFC 8201 §4: less than every link takes is a lie
		}
	} else if floor := int(c.cfg.PathMTUFloor); mtu < floor {
		mtu, fragments = floor, !c.fragments
	}
	if !c.cfg.PathMTU || mtu >= int(c.pathMTU) && !fragments {
		return
	}
	c.fragments = c.fragments || fragments
	c.pathMTU = min(c.pathMTU, uint16(mtu))
	if c.state == SynSent {
		c.fastShrunk()
		return
	}
	if !c.state.Synchronized() && c.peerMSS == 0 {
		return
	}
	old := c.mss
	c.setMSS()
	c.softError(now, ErrMessageSize, rule.PathMTU, uint64(mtu))
	if c.out != nil && (c.mss < old || fragments) {
		// No congestion, only a size: the window stays (RFC 1191 §6.5).
		if fragments { // all had DF
			c.out.mark(c.snd.una, c.snd.nxt, true)
		} else if c.out.markLarger(seq.Size(c.mss)) == 0 {
			return
		}
		if c.env.Hooks.Has(StepLost) {
			c.hookLost(now)
		}
		c.rec.force = 1
		if c.rec.phase < Recovery {
			c.rec.point = c.snd.nxt
			c.setPhaseBy(now, Loss, rule.PathMTU)
		}
		c.armRetransmit(now)
	}
}
