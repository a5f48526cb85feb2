package tcp

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
)

// The steps at which a connection asks its hook for a decision. What comes back is
// bounded here, whatever the hook says.

// Bounds of a timer that a hook moves.
const (
	timerSoonest = clock.Millisecond // a timer that arms itself again leaves time to others
	timerHeld    = clock.Hour        // one that is held does not act for so long

	delackMost    = clock.Second/2 - 1   // RFC 9293 §3.8.6.3 MUST-40: less than 0.5 s
	overrideLeast = clock.Second / 10    // RFC 9293 §3.8.6.2.1: the override of the
	overrideMost  = clock.Second         // sender's silly-window avoidance
	keepaliveMost = 32767 * clock.Second // as for setsockopt on Linux
	userMost      = 32767 * clock.Minute // what RFC 5482 §3 can announce
	ackMost       = 16                   // full-sized segments without an ACK, where RFC 9293 §3.8.6.3 SHLD-19 wants one for two

	WaitLonger = 4 * clock.Minute // 2 MSL, RFC 9293 §3.4.2, once more
)

// Armed tells the hook of a timer that will run out at a time, in a record that
// tells whose it is, and returns when it will. The hook may move it between the
// two, and further only where the engine itself wants it: hold it, so that it does
// not act for an hour, which is long enough to be never and lets nothing hang for
// ever, or let it act at once. These two are no verdicts of the RFCs.
func (e *Env) Armed(r *Record, slot uint8, at, earliest, latest clock.Instant) (when clock.Instant, lab bool) {
	r.Args = [8]uint64{uint64(slot), uint64(at)}
	switch e.Hook.At(r) {
	case Mutated:
		return min(max(clock.Instant(r.Args[1]), min(at, earliest)), max(at, latest)), false
	case Hold:
		return max(at, r.Now.Add(timerHeld)), true
	case FireNow:
		return r.Now.Add(timerSoonest), true
	}
	return at, false
}

// ownTimer reports whether a timer is not for hooks: that of pacing, which runs for
// each segment at a rate that a controller sets, and that of the controller.
func ownTimer(slot uint8) bool { return slot == timerPace || slot == timerControl }

// hookArmed is Armed for a timer of the connection.
func (c *TCB) hookArmed(now clock.Instant, slot uint8, at clock.Instant) clock.Instant {
	if ownTimer(slot) {
		return at
	}
	earliest, latest := c.timerBounds(now, slot, at)
	when, lab := c.env.Armed(c.at(now, StepTimerArmed), slot, at, earliest, latest)
	c.lab = c.lab || lab
	return when
}

// timerBounds is between which times a hook may put a timer.
func (c *TCB) timerBounds(now clock.Instant, slot uint8, at clock.Instant) (earliest, latest clock.Instant) {
	earliest, latest = now.Add(timerSoonest), at
	switch slot {
	case timerRetransmit:
		// RFC 6298 §2.4, §2.5; and §5.5: each timeout doubles it.
		earliest, latest = now.Add(c.backedOff(c.cfg.RTOMin)), now.Add(c.cfg.RTOMax)
	case timerPersist:
		earliest, latest = now.Add(c.backedOff(c.cfg.RTOMin)), now.Add(c.cfg.RTOMax)
		if c.snd.nxt.Before(c.snd.una.Add(c.snd.wnd)) {
			earliest, latest = now.Add(overrideLeast), now.Add(overrideMost)
		}
	case timerDelack:
		latest = now.Add(delackMost)
	case timerKeepalive:
		earliest, latest = now.Add(clock.Second), now.Add(keepaliveMost)
	case timerUser:
		// RFC 5482 §3.1: the lower limit is larger than the RTO.
		earliest, latest = now.Add(c.timeout()+1), now.Add(userMost)
	case timerWait:
		latest = at.Add(WaitLonger)
		if c.state == TimeWait {
			earliest = at // MUST-13: 2 MSL at least
		}
	case timerTLP:
		// RFC 8985 §7.2: not later than the retransmission timer.
		if c.isArmed(timerRetransmit) {
			latest = c.timers[timerRetransmit]
		}
	case timerReorder:
		latest = now.Add(c.rtt.srtt) // RFC 8985 §6.2: the most that a reordering window is
	}
	return earliest, latest
}

// hookFired tells the hook that a timer has run out, and reports whether it acts. If
// not it runs once more. 2 MSL, once they are over, are over.
func (c *TCB) hookFired(now clock.Instant, slot uint8) bool {
	if ownTimer(slot) {
		return true
	}
	r := c.at(now, StepTimerFired)
	r.Args = [8]uint64{uint64(slot), uint64(c.retries)}
	if c.env.Hook.At(r) != Hold || slot == timerWait && c.state == TimeWait {
		return true
	}
	c.lab = true
	c.armAgain(now, slot)
	return false
}

// armAgain lets a timer that did not act run for as long as it usually does.
func (c *TCB) armAgain(now clock.Instant, slot uint8) {
	switch slot {
	case timerRetransmit:
		c.armRetransmit(now)
	case timerWait:
		c.armFinWait2(now)
	default:
		usual := [timerSlots]clock.Duration{
			timerPersist: c.timeout(), timerDelack: c.cfg.DelayedAck, timerKeepalive: c.cfg.KeepaliveInterval,
			timerUser: c.cfg.UserTimeout, timerTLP: 2 * c.rtt.srtt, timerReorder: c.rtt.srtt,
		}
		c.arm(now, slot, now.Add(max(usual[slot], timerSoonest)))
	}
}

// hookRTT shows a sample of the round trip, and takes another, if the hook has one.
func (c *TCB) hookRTT(now clock.Instant, sample clock.Duration) clock.Duration {
	r := c.at(now, StepRTT)
	r.Args = [8]uint64{uint64(sample), uint64(c.rtt.srtt), uint64(c.rtt.rttvar), uint64(c.rtt.rto)}
	if c.env.Hook.At(r) != Mutated {
		return sample
	}
	return durationWithin(r.Args[0], 1, max(sample, c.cfg.RTOMax))
}

// Watch has the hook be told of losses of what is in flight already.
func (c *TCB) Watch() {
	if c.out != nil {
		c.out.watched = c.env.Hooks.Has(StepLost)
	}
}

// hookLost tells of what was taken for lost since the last call.
func (c *TCB) hookLost(now clock.Instant) {
	if c.out == nil {
		return
	}
	for _, s := range c.out.marked {
		r := c.at(now, StepLost)
		r.Args = [8]uint64{uint64(s.from), uint64(s.to)}
		c.env.Hook.At(r)
	}
	c.out.marked = c.out.marked[:0]
}

// hookRetransmit tells of what goes again.
func (c *TCB) hookRetransmit(now clock.Instant, from, to seq.Value) {
	r := c.at(now, StepRetransmit)
	r.Again, r.Leaving = true, true
	r.Args = [8]uint64{uint64(from), uint64(to), uint64(c.retries)}
	c.env.Hook.At(r)
}

// hookPhase tells of a new phase, and takes the windows that the hook wants: a
// reaction to congestion may go further than the controller's, but not less far (RFC
// 5681 §3.1, RFC 3168 §6.1.2); in the other phases they are within the controller's
// own bounds.
func (c *TCB) hookPhase(now clock.Instant, old Phase) {
	r := c.at(now, StepPhase)
	r.Args = [8]uint64{uint64(old), uint64(c.rec.phase), uint64(c.cc.Cwnd), uint64(c.cc.Ssthresh)}
	if c.env.Hook.At(r) != Mutated || r.Args[2] == uint64(c.cc.Cwnd) && r.Args[3] == uint64(c.cc.Ssthresh) {
		return
	}
	cwnd, ssthresh := min(r.Args[2], cc.MaxWindow), min(r.Args[3], cc.MaxWindow)
	if c.rec.phase >= CWR {
		cwnd, ssthresh = min(cwnd, uint64(c.cc.Cwnd)), min(ssthresh, uint64(c.cc.Ssthresh))
	}
	c.cc.Cwnd, c.cc.Ssthresh = uint32(cwnd), uint32(ssthresh)
	c.cc.Bound()
	c.heed(now)
}

// hookSpurious tells that a reduction was taken back.
func (c *TCB) hookSpurious(now clock.Instant) {
	r := c.at(now, StepSpurious)
	r.Args = [8]uint64{uint64(c.cc.Cwnd), uint64(c.cc.Ssthresh)}
	c.env.Hook.At(r)
}

// What an ACK does, as StepAck has it.
const (
	ackAtOnce = 1
	ackLater  = 2
)

// hookAck asks whether the ACK of seg goes at once. A hook can have it wait for no
// longer than a delayed ACK does, nor for more than ackMost segments, and not while a
// gap is open (RFC 5681 §4.2).
func (c *TCB) hookAck(now clock.Instant, seg *Segment, atOnce bool) bool {
	c.rcv.since = uint8(min(uint(c.rcv.since)+uint(seg.Count), 255))
	unacked := c.rcv.nxt.From(c.rcv.acked)
	r := c.at(now, StepAck)
	r.Tell(seg)
	r.Args = [8]uint64{uint64(c.rcv.since), uint64(unacked), ackLater}
	if atOnce {
		r.Args[2] = ackAtOnce
	}
	if c.env.Hook.At(r) != Mutated || c.hold != nil || unacked >= ackMost*seq.Size(c.rcv.mss) {
		return atOnce
	}
	switch r.Args[2] {
	case ackAtOnce:
		return true
	case ackLater:
		return false
	}
	return atOnce
}

// hookData shows what the application has written or read. It is the application's,
// and only to be looked at.
func (c *TCB) hookData(now clock.Instant, step Step, b []byte) {
	r := c.at(now, step)
	r.Leaving, r.Payload = step == StepWrite, b
	c.env.Hook.At(r)
}
