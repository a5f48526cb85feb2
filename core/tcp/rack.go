package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
)

// RACK, RFC 8985 §6: a segment is lost when one that was sent later has arrived
// and the time in which reordering could explain that is over.

// rackSegment is RACK.segment: among what has arrived, the stretch that was sent
// most recently.
type rackSegment struct {
	at    clock.Instant // RACK.xmit_ts
	end   seq.Value     // RACK.end_seq
	known bool
}

// after is RACK_sent_after. Where a coarse clock or a burst makes the times
// equal, the sequence space says what went first.
func (r *rackSegment) after(o *rackSegment) bool {
	return r.at.After(o.at) || r.at == o.at && r.end.After(o.end)
}

// reordering is what a connection remembers of reordering.
type reordering struct {
	round   seq.Value // RACK.dsack_round, if inRound
	seen    uint32    // how often it was seen; RACK.reordering_seen if any
	far     uint16    // how far it went, in segments
	mult    uint8     // RACK.reo_wnd_mult less 1
	persist uint8     // RACK.reo_wnd_persist
	inRound bool
}

func (r *reordering) fingerprint(h *siphash.Hash, iss seq.Value) {
	round := seq.Size(0)
	if r.inRound {
		round = r.round.From(iss)
	}
	h.WriteUint64(uint64(round)<<32 | uint64(min(r.seen, 1))<<16 | uint64(r.mult)<<8 | uint64(r.persist))
}

// rackPersist is for how many recoveries a larger reordering window stays.
const rackPersist = 16

// rackOn reports whether RACK finds the losses of this connection (RFC 8985 §4).
func (c *TCB) rackOn() bool { return c.ts.sackOK && c.cfg.RACK }

// trust is since when an arrival may be of the first transmission of something
// that went again: within the shortest round trip, or later than what a timestamp
// echoes (RFC 8985 §6.2 step 2). Linux goes by the round trip alone: what comes behind a
// gap echoes what came before it (RFC 7323 §4.3), and a loss probe would show nothing.
func (c *TCB) trust(now clock.Instant, seg *Segment) clock.Instant {
	if c.out == nil || c.out.resent+c.out.lost == 0 {
		return now // nothing has gone again
	}
	t := now.Add(-c.rtt.least)
	if c.cfg.RACKByEcho && c.echoed(now, seg) > 0 {
		// The echo names a millisecond: what was sent in it may be what is meant.
		ticks := clock.Instant(c.stamp(now) - seg.Options.TSEcr)
		t = min(t, (now/clock.Instant(clock.Millisecond)-ticks+1)*clock.Instant(clock.Millisecond)-1)
	}
	return t
}

// rackUpdate is steps 2 and 3 for what an ACK has delivered; fack is RACK.fack as
// it was before.
func (c *TCB) rackUpdate(now clock.Instant, a *acked, fack seq.Value) {
	if a.rack.known {
		c.rackRTT = now.Sub(a.rack.at)
		if c.out != nil && (!c.out.rack.known || a.rack.after(&c.out.rack)) {
			c.out.rack = a.rack
		}
	}
	if a.timed && a.low.Before(fack) {
		// It never went again, and something behind it had arrived before it.
		c.sawReordering(fack.From(a.low) + seq.Size(c.mss))
	}
}

// sawReordering notes that something has been overtaken by so many octets.
func (c *TCB) sawReordering(by seq.Size) {
	r := &c.ownLoss().reorder
	r.seen++
	segs := (uint32(by) + uint32(c.mss) - 1) / uint32(c.mss)
	r.far = max(r.far, uint16(min(segs, reorderingMax)))
}

// sortByTime orders what was sent again as it was sent. It is Shell's sort, which
// is a few hundred octets where that of package slices is twenty thousand.
func sortByTime(q []sentAgain) {
	for gap := len(q) / 2; gap > 0; gap /= 2 {
		for i := gap; i < len(q); i++ {
			for k := i; k >= gap && q[k-gap].after(&q[k]); k -= gap {
				q[k-gap], q[k] = q[k], q[k-gap]
			}
		}
	}
}

func (s *sentAgain) after(t *sentAgain) bool {
	x := rackSegment{at: s.at, end: s.end}
	return x.after(&rackSegment{at: t.at, end: t.end})
}

// reorderingMax bounds what Info says of reordering (tcp_max_reordering of Linux).
const reorderingMax = 300

// rackRound is the first half of step 4: a round trip that brings a DSACK widens
// the reordering window by a quarter of the shortest one.
func (c *TCB) rackRound(dsack bool) {
	r := &c.loss.reorder
	if r.inRound && c.snd.una.AtOrAfter(r.round) {
		r.inRound = false
	}
	if dsack && !r.inRound { // so that reordering was seen, and the record is our own
		r.inRound, r.round = true, c.snd.nxt
		r.mult = min(r.mult+1, 254)
		r.persist = rackPersist
	}
}

// rackRecovered is the other half: after rackPersist recoveries the window is
// small again.
func (c *TCB) rackRecovered() {
	if r := &c.loss.reorder; r.persist > 0 {
		if r.persist--; r.persist == 0 {
			r.mult = 0
		}
	}
}

// reorderWindow is RACK.reo_wnd: none as long as no reordering was seen and losses
// are being repaired, or so much has been SACKed that they have to be.
func (c *TCB) reorderWindow() clock.Duration {
	if c.loss.reorder.seen == 0 && (c.rec.phase >= Recovery || c.out.sackedSegs >= uint32(c.cfg.DupThresh)) {
		return 0
	}
	return min((clock.Duration(c.loss.reorder.mult)+1)*c.rtt.least/4, c.rtt.srtt)
}

// detectLosses is step 5. It reports whether anything is lost now that was not.
func (c *TCB) detectLosses(now clock.Instant) bool {
	f := c.out
	if !f.rack.known {
		return false
	}
	f.budget = lossSteps
	marked, wait := f.overdue(now, c.rackRTT+c.reorderWindow())
	if wait > 0 {
		c.arm(now, timerReorder, now.Add(wait+c.cfg.TimerSlack))
	} else {
		c.stop(timerReorder)
	}
	return marked > 0
}

// overdue takes for lost what was sent before RACK.segment and at least span ago:
// RACK.rtt and the reordering window. wait is how long it takes until all that was
// sent before RACK.segment would be.
func (f *flight) overdue(now clock.Instant, span clock.Duration) (marked seq.Size, wait clock.Duration) {
	f.relost = false
	passed := true // all so far can be passed over by the next ACK
	for i := f.find(f.judged); i < len(f.list); i++ {
		s := &f.list[i]
		if s.flags&(sacked|lost|twice) == 0 {
			if !f.rack.after(&rackSegment{at: s.at, end: s.end}) {
				break
			}
			left := s.at.Add(span).Sub(now)
			if left <= 0 {
				marked += f.lose(i)
				if passed {
					f.judged = s.end
				}
				continue
			}
			passed, wait = false, left
		} else if passed {
			f.judged = s.end
		}
		if !f.spend() {
			return marked, max(wait, clock.Millisecond) // the timer goes on with it
		}
	}
	again, longest := f.overdueAgain(now, span)
	f.relost = again > 0
	return marked + again, max(wait, longest)
}

// overdueAgain is overdue for what was sent again.
func (f *flight) overdueAgain(now clock.Instant, span clock.Duration) (marked seq.Size, wait clock.Duration) {
	passed := true
	for k := f.first; k < len(f.queue); k++ {
		e := &f.queue[k]
		if !f.rack.after(&rackSegment{at: e.at, end: e.end}) {
			break
		}
		left := e.at.Add(span).Sub(now)
		alive := false
		i, steps := f.search(e.start)
		for ; i < len(f.list) && f.list[i].start.Before(e.end); i++ {
			if f.list[i].flags&resent == 0 || f.list[i].at != e.at {
				continue
			}
			if left <= 0 {
				marked += f.lose(i)
			} else {
				alive = true
			}
		}
		if alive {
			passed, wait = false, max(wait, left)
			if f.charge(steps + 1); f.budget == 0 {
				return marked, wait
			}
		} else if passed {
			f.first = k + 1
		}
	}
	if f.first == len(f.queue) {
		f.queue, f.first = f.queue[:0], 0
	}
	return marked, wait
}

// reorderTimeout looks again when what may have been reordered has had its time.
func (c *TCB) reorderTimeout(now clock.Instant) {
	if c.out == nil || !c.detectLosses(now) {
		return
	}
	if c.env.Hooks.Has(StepLost) {
		c.hookLost(now)
	}
	if c.rec.phase < Recovery || c.rec.phase == Loss && c.out.relost {
		c.enter(now, rule.SackRecovery, 0)
		c.prrStep(now, seq.Size(c.mss), false)
	}
}

// markOverdue is RFC 8985 §6.3, RACK_mark_losses_on_RTO: the first segment is
// lost, and of the others those that were sent long enough ago.
func (c *TCB) markOverdue(now clock.Instant) {
	span := c.rackRTT + c.reorderWindow()
	f := c.out
	f.mark(c.snd.una, c.snd.una.Add(seq.Size(c.mss)), true)
	for i := range f.live() {
		s := &f.list[f.head+i]
		if s.flags&(sacked|lost) == 0 && !s.at.Add(span).After(now) {
			f.lose(f.head + i)
		}
	}
}
