package tcp

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A recovery was spurious when nothing that it sent again had been lost. Three
// things can show it: an ACK that echoes a timestamp older than the first
// retransmission (Eifel, RFC 3522), DSACKs for all that was sent again (in the
// manner of RFC 3708), and F-RTO, in frto.go. Then the reduction of the window is
// taken back (RFC 4015).
type spurious struct {
	marker  seq.Value // SND.UNA when the window was reduced
	sent    int32     // segments sent again since and not reported as duplicates; -1: none was sent
	stamp   uint32    // our timestamp at the first of them, if stamped
	on      bool      // there is a reduction that may be taken back
	stamped bool
}

func (s *spurious) fingerprint(h *siphash.Hash, iss seq.Value, stamp uint32) {
	w := uint64(0)
	if s.on {
		w = 1 | uint64(s.marker.From(iss))<<32
	}
	h.WriteUint64(w)
	if s.stamped {
		h.WriteUint64(uint64(stamp-s.stamp)<<32 | uint64(uint32(s.sent)))
	}
}

// suspect begins to look for signs that the reduction now made is spurious.
func (c *TCB) suspect() {
	s := &c.ownLoss().doubt
	s.on, s.marker, s.sent = true, c.snd.una, -1
	if c.out == nil || c.out.resent == 0 {
		s.stamped = false
	} else {
		// A probe, or what a recovery has sent before its timeout.
		s.sent = int32((c.out.resent + seq.Size(c.mss) - 1) / seq.Size(c.mss))
	}
}

// trustReduction looks no further: there is congestion, or it is undone.
func (c *TCB) trustReduction() {
	if c.loss.doubt.on {
		c.loss.doubt.on = false
	}
}

// sentAgain notes a retransmission.
func (c *TCB) sentAgain(now clock.Instant) {
	s := &c.ownLoss().doubt
	s.sent = max(s.sent, 0) + 1
	if !s.stamped {
		s.stamped, s.stamp = true, c.stamp(now)
	}
}

// hearDSACK takes off what the peer reports as a duplicate.
func (c *TCB) hearDSACK(d *dsack) {
	if s := &c.loss.doubt; s.on && s.sent > 0 && d.segs > 0 && d.end.After(s.marker) {
		s.sent = max(0, s.sent-int32(d.segs))
	}
}

// allDuplicates reports whether all that was sent again has been reported as a
// duplicate.
func (c *TCB) allDuplicates() bool { return c.loss.doubt.on && c.loss.doubt.sent == 0 }

// original reports whether an ACK that has moved SND.UNA answers something that
// was sent before the first retransmission: RFC 3522 §3.2 step 5.
func (c *TCB) original(seg *Segment) bool {
	s := &c.loss.doubt
	if !s.on || s.sent < 0 {
		return s.on && c.ts.sackOK
	}
	return s.stamped && c.ts.on && seg.Options.Has&wire.HasTimestamps != 0 && seg.Options.TSEcr != 0 &&
		int32(seg.Options.TSEcr-s.stamp) < 0
}

// undo takes the reduction of the window back, and after a timeout its backoff.
// With unmark nothing counts as lost any more.
func (c *TCB) undo(now clock.Instant, n *news, unmark bool) {
	if unmark && c.out != nil {
		c.out.unmark()
	}
	c.prrStop()
	c.undoReduction(now)
	if c.cfg.EifelResponse {
		// RFC 4015 §3.1 step 9: from what is in flight back to where it was in slow
		// start, and no more growth by this ACK.
		burst := min(uint32(n.advance), c.cfg.InitialWindow*uint32(c.mss))
		c.cc.Cwnd = min(c.cc.Cwnd, max(c.inFlight()+burst, uint32(c.mss)))
		n.delivered = 0
	}
	if c.rec.phase == Loss {
		c.rtt.backoff, c.retries = 0, 0
		c.rtt.wary, c.rtt.waryAt = c.cfg.EifelResponse, c.snd.nxt
		if c.out != nil {
			c.armRetransmit(now)
		}
	}
	c.withdrawCWR()
	c.trustReduction()
	c.rec.frto = frtoOff
	c.rec.dup, c.rec.force = 0, 0
	c.env.Stats.Undone++
	c.logCongestion(now)
	if c.env.Hooks.Has(StepSpurious) {
		c.hookSpurious(now)
	}
}

// undoWithin looks for signs in an ACK that does not end fast recovery. It reports
// whether the recovery is undone.
func (c *TCB) undoWithin(now clock.Instant, n *news) bool {
	switch {
	case n.advance > 0 && c.original(n.seg):
		// The hole was filled by what had only been late: that is reordering.
		c.sawReordering(seq.Size(c.mss))
		if c.out != nil && c.out.repairing() {
			// Something is out in vain already; no more of it goes for now (Linux).
			c.out.unmark()
			return false
		}
		c.undo(now, n, true)
	case c.allDuplicates():
		r := &c.loss.reorder
		r.persist = min(r.persist+1, rackPersist)
		c.undo(now, n, false)
	default:
		return false
	}
	return true
}

// repairing reports whether anything but a probe is out again.
func (f *flight) repairing() bool {
	return f.resent > 0 && slices.ContainsFunc(f.live(), func(s sent) bool { return s.flags&(resent|probe) == resent })
}

// unmark takes nothing for lost any more. What has gone more than once is waited
// for like what was sent again.
func (f *flight) unmark() {
	f.queue, f.first = f.queue[:0], 0
	for i := f.head; i < len(f.list); i++ {
		s := &f.list[i]
		if s.flags&lost != 0 {
			fl := s.flags &^ lost
			if fl&twice != 0 {
				fl |= resent
			}
			f.setFlags(i, fl)
		}
		if s.flags&resent != 0 {
			f.queue = append(f.queue, sentAgain{start: s.start, end: s.end, at: s.at})
		}
	}
	sortByTime(f.queue)
	f.judged = f.list[f.head].start
}
