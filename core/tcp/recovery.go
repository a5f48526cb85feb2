package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Phase is what the sender makes of the ACKs that come in, in the terms of
// Linux's TCP_CA_*.
type Phase uint8

// The phases.
const (
	Open     Phase = iota // all is well
	Disorder              // duplicate ACKs or SACKs, not enough of them to mean loss
	CWR                   // the window goes down for another reason than loss
	Recovery              // fast recovery
	Loss                  // after a timeout
)

// String is the phase's name.
func (p Phase) String() string {
	names := [...]string{"open", "disorder", "cwr", "recovery", "loss"}
	if int(p) >= len(names) {
		return "unknown"
	}
	return names[p]
}

// recovery is the state of loss recovery: RFC 5681 and RFC 6582 by duplicate
// ACKs, RFC 6675 where there is SACK.
type recovery struct {
	phase Phase
	frto  frtoStep
	force uint8     // segments that may go again whatever the window says
	dup   uint16    // duplicate ACKs that are not made up for by what was acknowledged, without SACK
	point seq.Value // RecoveryPoint: SND.NXT when the phase began
	high  seq.Value // behind the highest octet that was acknowledged or SACKed: RACK.fack
}

// inFlight is "pipe" of RFC 6675 §4: what is thought to be on its way.
func (c *TCB) inFlight() uint32 {
	if c.out == nil {
		return 0
	}
	out := c.snd.nxt.From(c.snd.base) // a SYN is not data
	gone := c.out.sacked + c.out.lost
	if !c.ts.sackOK {
		// Each duplicate ACK means that a segment has left the network. Outside of a
		// recovery they let two more out at most, RFC 3042 §2.
		dup := seq.Size(c.rec.dup)
		if c.rec.phase < Recovery {
			dup = min(dup, seq.Size(max(c.cfg.DupThresh, 1))-1)
		}
		gone += min(dup*seq.Size(c.mss), out-min(out, gone))
	}
	return uint32(out - min(out, gone))
}

// acknowledge takes in an ACK that is not beyond SND.NXT: what it acknowledges,
// the window it brings, and what it says about loss.
func (c *TCB) acknowledge(now clock.Instant, seg *Segment) {
	before, fack := c.inFlight(), c.rec.high
	c.checkLimited()
	advance := seq.Size(0)
	var a acked
	var d dsack
	trust := c.trust(now, seg)
	if seg.Ack.After(c.snd.una) {
		advance = seg.Ack.From(c.snd.una)
		c.release(seg.Ack, trust, &a)
	}
	timed, last := a.timed, a.last
	if c.ts.sackOK && seg.Options.Has&wire.HasSACK != 0 {
		d = c.takeDSACK(seg)
		c.takeSACK(&seg.Options, d.known, trust, &a)
	}
	trip := c.measure(now, seg, advance, timed, last, &a)
	if trip > 0 {
		trip = c.sample(now, trip)
		c.rtt.backoff = 0 // RFC 6298 §5.7 and Karn: only a valid sample ends the backoff
	} else if advance > 0 && !a.again {
		c.rtt.backoff = 0
	}
	c.snd.more = false // an ACK lets go what WriteMore holds back
	oldWnd := c.snd.wnd
	// §3.10.7.4: only a newer segment changes the window (U-10), which counts from
	// SND.UNA.
	if seg.Ack.Before(c.snd.una) {
		// It is heard for its SACK blocks alone.
	} else if c.snd.wl1.Before(seg.Seq) || c.snd.wl1 == seg.Seq && c.snd.wl2.AtOrBefore(seg.Ack) {
		same := advance == 0 && c.snd.wl1 == seg.Seq && len(seg.Payload) == 0
		if w := seq.Size(seg.Window) << c.snd.scale; !c.cfg.KeepWindow || !same || w == 0 || w > c.snd.wnd {
			c.setWindow(now, seg)
		}
	}
	if advance > 0 {
		c.retries = 0
		if c.out == nil {
			c.stop(timerRetransmit)
			c.stop(timerReorder)
			c.stop(timerUser)
		} else {
			c.armRetransmit(now) // RFC 6298 §5.3
			c.restartUserTimer(now)
		}
		c.roomFreed()
	}
	duplicate := advance == 0 && seg.Ack == c.snd.una && len(seg.Payload) == 0 &&
		seg.Flags&(wire.SYN|wire.FIN) == 0 && c.snd.wnd == oldWnd
	c.probeAcked(now, seg, d.known && d.end == c.loss.tlp.end, duplicate)
	c.count.delivered += a.segs + d.segs
	if c.rackOn() {
		c.rackUpdate(now, &a, fack)
		c.rackRound(d.spurious)
	}
	c.hearDSACK(&d)
	if advance > 0 && c.out != nil {
		c.out.row, c.out.limit = 0, c.snd.nxt
	}
	n := news{seg: seg, got: &a, advance: advance, duplicate: duplicate && c.out != nil}
	n.delivered = c.delivered(advance, duplicate, a.fresh)
	n.arrived = n.delivered
	ece := c.hearECE(now, seg, before, n.delivered)
	if ece {
		c.trustReduction() // RFC 4015 §3.1 step 9: congestion it is
	}
	more := c.judge(now, &n)
	if c.env.Hooks.Has(StepLost) {
		c.hookLost(now)
	}
	if c.rec.phase == Recovery || c.rec.phase == CWR {
		c.prrStep(now, n.delivered, advance > 0 && !more)
	}
	if advance > 0 {
		c.armProbe(now) // RFC 8985 §7.2
	}
	c.tellController(now, &n, before, trip, ece)
	switch {
	case oldWnd == 0 && c.snd.wnd > 0:
		c.stopPersist(now)
		c.reopened(now)
	case c.cfg.ProbeFromAnswer && c.persisting && c.isArmed(timerPersist):
		c.arm(now, timerPersist, now.Add(c.probeInterval(now)))
	}
}

// reopened sends again what went into a window that the peer had taken back
// (§3.8.6, SHLD-16): it was refused, not lost, so the backoff of the timeouts,
// which were probes, says nothing about the network and ends.
func (c *TCB) reopened(now clock.Instant) {
	if c.out == nil || c.retries == 0 {
		return
	}
	c.rtt.backoff, c.retries = 0, 0
	c.out.mark(c.snd.una, c.snd.nxt, true)
	if c.env.Hooks.Has(StepLost) {
		c.hookLost(now)
	}
	c.rec.force = 1
	c.armRetransmit(now)
}

// limitedBy reports whether the congestion window, not the user, bounded what
// was in flight: in slow start when half of it was used, as Linux has it.
func (c *TCB) limitedBy(before uint32) bool {
	if c.cc.Cwnd < c.cc.Ssthresh {
		return c.cc.Cwnd < 2*before
	}
	return before+uint32(c.mss) > c.cc.Cwnd
}

// release takes what una acknowledges out of the flight and the buffer.
func (c *TCB) release(una seq.Value, trust clock.Instant, a *acked) {
	if c.out != nil {
		c.out.ack(una, trust, a)
		if c.out.empty() {
			if c.cc.More != nil {
				c.tellLost()
			}
			c.env.giveFlight(c.out)
			c.out = nil
			c.settleLoss()
		}
	}
	c.snd.una = una
	data := min(uint32(una.From(c.snd.base)), c.sendBuf.n) // the FIN is not in the buffer
	c.sendBuf.discard(&c.env.Pool, data, false)
	c.snd.base = c.snd.base.Add(seq.Size(data))
	c.count.octetsAcked += uint64(data)
	c.forgetRecords()
	if c.rec.high.Before(una) {
		c.rec.high = una
	}
	if c.rec.phase < Recovery && una.Diff(c.rec.point) > 1<<30 {
		c.rec.point = una.Sub(1 << 30) // far behind is enough: half the space further it would lie ahead
	}
	if c.snd.up.Before(una) {
		c.snd.up = una
	}
	if c.snd.small.Before(una) {
		c.snd.small = una
	}
}

// takeSACK marks what the blocks report, but for the first if that is a DSACK. One
// that is outside of what is in flight is ignored (RFC 2018 §5), and one that the
// last ACK had too tells nothing new.
func (c *TCB) takeSACK(o *wire.Options, dsack bool, trust clock.Instant, a *acked) {
	f := c.out
	if f == nil {
		return
	}
	f.budget = sackSteps
	var told [4]wire.SACKBlock
	for i, b := range o.SACK[:min(o.SACKCount, 4)] {
		if dsack && i == 0 || !b.Left.Before(b.Right) || b.Left.Before(c.snd.una) || b.Right.After(c.snd.nxt) {
			continue
		}
		if b != f.told[0] && b != f.told[1] && b != f.told[2] && b != f.told[3] &&
			(f.budget < searchSteps || !f.sack(b.Left, b.Right, trust, a)) {
			continue
		}
		told[i] = b
		c.rec.high = seq.Max(c.rec.high, b.Right)
	}
	f.told = told
}

// measure gives the round trip that an ACK shows, 0 for none. Karn's rule:
// nothing that was sent twice is measured, unless timestamps tell which of the
// two was answered (RFC 7323 §4).
//
// timed and last are of what was acknowledged, a of what was SACKed too.
func (c *TCB) measure(now clock.Instant, seg *Segment, advance seq.Size, timed bool, last clock.Instant, a *acked) clock.Duration {
	switch {
	case timed && !a.again:
		return max(now.Sub(last), 1)
	case advance > 0 && c.ts.on:
		return c.echoed(now, seg)
	case advance == 0 && a.timed:
		return max(now.Sub(a.last), 1)
	}
	return 0
}

// echoed gives the round trip that the timestamp of seg shows (RFC 7323 §4.1), 0
// for none.
func (c *TCB) echoed(now clock.Instant, seg *Segment) clock.Duration {
	if !c.ts.on || seg.Options.Has&wire.HasTimestamps == 0 || seg.Options.TSEcr == 0 {
		return 0
	}
	ticks := c.stamp(now) - seg.Options.TSEcr
	if ticks > 1<<30 {
		return 0 // an echo of something never sent
	}
	return max(clock.Duration(ticks), 1) * clock.Millisecond
}

// delivered is how many octets have newly arrived. Without SACK a duplicate ACK
// stands for a segment, as long as there can be one, and what is acknowledged later
// was counted then (RFC 9937 §6.2).
func (c *TCB) delivered(advance seq.Size, duplicate bool, fresh seq.Size) seq.Size {
	if c.ts.sackOK {
		return fresh
	}
	mss := seq.Size(c.mss)
	counted := seq.Size(c.rec.dup) * mss
	switch {
	case advance > 0:
		return max(advance-min(advance, counted), min(advance, mss))
	case !duplicate || c.out == nil || counted+c.out.lost >= c.snd.nxt.From(c.snd.una):
	case c.rec.phase >= Recovery && seq.Size(c.out.row)*mss >= c.out.limit.From(c.snd.una):
		// RFC 5681 §3.2: duplicates of what has only gone since would come a round trip
		// later, when SND.UNA has moved (THREATS S20).
	default:
		return mss
	}
	return 0
}

// news is what one ACK has told.
type news struct {
	seg       *Segment
	got       *acked
	advance   seq.Size // octets by which SND.UNA has moved
	delivered seq.Size // octets that have newly arrived, and count for what follows
	arrived   seq.Size // octets that have newly arrived
	duplicate bool     // it says that something has arrived, and not what
	reneged   bool     // it shows that something that was SACKed has not
}

// judge moves between the phases, and reports whether this ACK has shown that more
// is lost.
func (c *TCB) judge(now clock.Instant, n *news) (more bool) {
	if n.advance > 0 && c.out != nil && c.out.live()[0].flags&sacked != 0 && c.cfg.RenegeWait > 0 {
		// RFC 2018 §8: the ACK stops before something that was SACKed, so that is gone.
		c.arm(now, timerRetransmit, now.Add(max(c.cfg.RenegeWait, c.rtt.srtt/2)))
		c.stop(timerTLP)
		c.stop(timerReorder)
		n.reneged = true
		return false
	}
	ended := false
	switch c.rec.phase {
	case Recovery:
		switch {
		case n.advance > 0 && c.past():
			c.leave(now, n)
		case !c.undoWithin(now, n):
			return c.judgeWithin(now, n)
		}
		ended = true
	case Loss:
		switch {
		case c.spuriousTimeout(n):
			c.undo(now, n, true)
		case n.advance > 0 && c.past():
			c.leave(now, n)
		default:
			if !c.lasts() {
				c.frtoNext(now, n)
			}
			if more = c.judgeWithin(now, n); more && c.out.relost {
				c.enter(now, rule.SackRecovery, n.delivered)
			}
			return more
		}
		ended = true
	case Open, Disorder:
		if c.allDuplicates() {
			c.undo(now, n, false)
		}
	case CWR:
	}
	if n.advance > 0 {
		c.rec.dup = 0
	}
	switch {
	case c.out == nil:
		c.setPhase(now, Open)
	case c.ts.sackOK:
		if c.out.sacked+c.out.lost+c.out.resent == 0 {
			c.setPhase(now, Open)
			break
		}
		c.setPhase(now, Disorder)
		// At the end of a recovery SACKs of before may show what else is lost.
		if (n.delivered > 0 || ended) && c.findLosses(now) {
			c.enter(now, rule.SackRecovery, n.delivered)
			return true
		}
	default:
		if n.duplicate {
			c.addDuplicate(n.delivered)
			c.setPhase(now, Disorder)
			// RFC 6582 §3.2 step 1: not for duplicates of an earlier recovery's own, so
			// the ACK has to be beyond where that began.
			if c.rec.dup == uint16(c.cfg.DupThresh) && c.snd.una.After(c.rec.point) {
				c.out.mark(c.snd.una, c.snd.una.Add(seq.Size(c.mss)), false)
				c.enter(now, rule.FastRetransmit, n.delivered)
				return true
			}
		} else if n.advance > 0 || ended {
			c.setPhase(now, Open)
		}
	}
	return false
}

// addDuplicate counts a duplicate ACK that stands for something delivered. Others,
// as of an attacker (THREATS S20), let nothing out.
func (c *TCB) addDuplicate(delivered seq.Size) {
	if delivered > 0 {
		c.rec.dup, c.out.row = min(c.rec.dup+1, 65535), c.out.row+1
	}
}

// past reports whether the ACK covers all that was out when the phase began. A
// Loss without SACK ends only above it (RFC 6582 §3.2), and on Linux a recovery
// too, since the last duplicates of before look the same as new loss.
func (c *TCB) past() bool {
	if !c.ts.sackOK && (c.cfg.RecoveryLasts || c.rec.phase == Loss && c.out != nil) {
		return c.snd.una.After(c.rec.point)
	}
	return c.snd.una.AtOrAfter(c.rec.point)
}

// lasts reports whether a phase without SACK only waits for something above its
// point: what comes until then says nothing of loss.
func (c *TCB) lasts() bool { return !c.ts.sackOK && c.snd.una == c.rec.point }

// judgeWithin takes an ACK in while a recovery goes on, and reports whether it has
// shown that more is lost.
func (c *TCB) judgeWithin(now clock.Instant, n *news) (more bool) {
	if c.lasts() {
		c.rec.dup = 0
		if n.advance == 0 {
			n.delivered = 0
		}
		return false
	}
	if c.out == nil {
		return false
	}
	if c.ts.sackOK {
		if n.delivered == 0 || c.rec.phase == Loss && !c.rackOn() {
			return false
		}
		more = c.findLosses(now)
		if !c.rackOn() && n.advance > 0 && c.out.lost == 0 && c.out.resent == 0 && c.out.sacked > 0 {
			// The cumulative ACK stopped at a hole that nothing has marked.
			c.out.mark(c.snd.una, c.snd.una.Add(seq.Size(c.mss)), false)
		}
		return more
	}
	if c.rec.phase == Loss {
		if n.advance > 0 {
			c.rec.dup = 0
		} else if n.duplicate && c.snd.nxt.After(c.rec.point) {
			c.addDuplicate(n.delivered) // of the new data of F-RTO
		}
		return false
	}
	if n.duplicate {
		c.addDuplicate(n.delivered)
	}
	if n.advance > 0 {
		// RFC 6582 §3.2 step 3, a partial ACK: the segment after it is the next that
		// is missing. What the ACK took out had been counted by duplicates.
		segs := uint16(min(n.advance/seq.Size(max(c.mss, 1)), 65535))
		c.rec.dup -= min(c.rec.dup, max(segs, 1)-1)
		c.out.mark(c.snd.una, c.snd.una.Add(seq.Size(c.mss)), true)
		c.rec.force = 1
	}
	return false
}

// findLosses looks for what the SACKs show to be lost, and reports whether there
// is anything new.
func (c *TCB) findLosses(now clock.Instant) bool {
	if c.rackOn() {
		return c.detectLosses(now)
	}
	return c.markBySACK() > 0
}

// markBySACK is RFC 6675 §4's IsLost for all that is out: lost is what lies
// below DupThresh SACKed segments or more than DupThresh-1 segments' octets. Where
// those are too far apart to be found in the steps of one ACK, it is what SND.UNA
// begins with.
func (c *TCB) markBySACK() seq.Size {
	f := c.out
	f.budget = lossSteps
	limit := seq.Size(max(c.cfg.DupThresh, 1)-1) * seq.Size(c.mss)
	above, segs := seq.Size(0), uint32(0)
	if f.sacked <= limit && f.sackedSegs < uint32(c.cfg.DupThresh) {
		return 0
	}
	for i := min(f.find(c.rec.high.Sub(1)), len(f.list)-1); i >= f.head && f.budget > searchSteps && f.spend(); i-- {
		s := &f.list[i]
		if s.flags&sacked == 0 {
			continue
		}
		above, segs = above+s.len(), segs+s.segs
		if above > limit || segs >= uint32(c.cfg.DupThresh) {
			return f.loseBefore(i)
		}
	}
	return f.loseHead(seq.Size(c.mss))
}

// reducible is what congestion reduces: what is in flight (RFC 5681 §3.1), or the
// window that it was allowed.
func (c *TCB) reducible(flight uint32) uint32 {
	if c.cfg.LossFromCwnd {
		return c.cc.Cwnd
	}
	return flight
}

// flightSize is FlightSize of RFC 5681 §2.
func (c *TCB) flightSize() uint32 { return uint32(c.snd.nxt.From(c.snd.una)) }

// enter begins fast recovery (RFC 5681 §3.2 step 2, RFC 6675 §5 step 4) with an
// ACK that has delivered so many octets. After a timeout it does so when what went
// again is lost: that is congestion once more (RFC 5681 §4.3).
func (c *TCB) enter(now clock.Instant, id rule.ID, delivered seq.Size) {
	c.rec.point, c.out.limit, c.rec.frto = c.snd.nxt, c.snd.nxt, frtoOff
	c.env.Stats.FastRetransmits++
	c.forgetProbe()
	if !c.ecn.has(ecnReducing) { // else this window of data has had its reduction
		c.prrBegin(delivered)
		c.suspect()
		c.reduce(now, forLoss, c.reducible(c.flightSize()))
	}
	c.reduced()
	c.setPhaseBy(now, Recovery, id)
	c.logCongestion(now)
}

// leave ends a recovery.
func (c *TCB) leave(now clock.Instant, n *news) {
	if c.original(n.seg) || c.allDuplicates() {
		c.undo(now, n, false)
	} else {
		if c.rec.phase == Recovery {
			c.prrEnd()
			c.recovered(now)
		}
		c.rackRecovered()
	}
	c.rec.dup, c.rec.force, c.rec.frto = 0, 0, frtoOff
	c.setPhase(now, Open)
}

func (c *TCB) setPhase(now clock.Instant, p Phase) { c.setPhaseBy(now, p, rule.None) }

func (c *TCB) setPhaseBy(now clock.Instant, p Phase, id rule.ID) {
	if c.env.Hooks.Has(StepLost) {
		c.hookLost(now)
	}
	if p < CWR && c.ecn.has(ecnReducing) {
		p = CWR
	}
	if p == c.rec.phase {
		return
	}
	if c.rec.phase == CWR && p < CWR {
		c.prrEnd()
	}
	if p >= Recovery {
		c.ecn.flags &^= ecnReducing
	}
	if c.env.Log.On(event.Recovery) {
		c.log(now, event.Event{Kind: event.Recovery, Rule: id, From: uint8(c.rec.phase), To: uint8(p), A: uint64(c.rec.point)})
	}
	old := c.rec.phase
	c.rec.phase = p
	if c.env.Hooks.Has(StepPhase) {
		c.hookPhase(now, old)
	}
}

func (c *TCB) logCongestion(now clock.Instant) {
	if c.env.Log.On(event.Congestion) {
		c.log(now, event.Event{Kind: event.Congestion, A: uint64(c.cc.Cwnd), B: uint64(c.cc.Ssthresh), C: uint64(c.inFlight())})
	}
}

// timedOut takes what is out for lost (RFC 5681 §3.1, RFC 6675 §5.1), or of it what
// RACK can: the first segment goes again at once, the rest as the window opens.
func (c *TCB) timedOut(now clock.Instant) {
	reneged := c.out.live()[0].flags&sacked != 0
	if reneged {
		c.out.renege()
	}
	reduce, within := true, c.snd.una.Before(c.rec.point)
	switch c.rec.phase {
	case Loss:
		// RFC 5681 §3.1: not again for the same segment.
		reduce = !within || c.retries == 1
	case Recovery:
		reduce = !within || !c.cfg.LossOncePerWindow
	case CWR:
		reduce = !c.cfg.LossOncePerWindow
	case Open, Disorder:
	}
	if reduce {
		c.suspect()
		c.reduce(now, forTimeout, c.reducible(c.flightSize()))
	}
	c.frtoBegin(reduce)
	c.rec.point = c.snd.nxt
	c.prrStop()
	c.forgetProbe()
	c.stop(timerReorder)
	c.rec.dup = 0
	if c.rackOn() && !reneged {
		c.markOverdue(now)
	} else {
		c.out.mark(c.snd.una, c.snd.nxt, true)
	}
	c.rec.force = 1
	c.cc.Cwnd = c.inFlight() + uint32(c.mss)
	c.reduced()
	c.setPhaseBy(now, Loss, rule.Retransmit)
	c.logCongestion(now)
}
