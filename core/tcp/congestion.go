package tcp

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
)

// The connection's side of congestion control: every call of a cc.Controller is
// here, and what it says is put within bounds, since it may come from a plugin.

// controlTimerLeast is the least time from a call of a controller to the OnTimer
// that it asks for.
const controlTimerLeast = clock.Millisecond

// beginControl begins with the configured controller and a window.
func (c *TCB) beginControl(now clock.Instant, window uint32) {
	c.control = c.own(c.cfg.Controller)
	c.cc = cc.NewState(c.control, window, uint32(c.mss), c.cfg.ByteCountingLimit*uint32(c.mss))
	c.control.Init(&c.cc, now)
	c.heed(now)
}

// SetController makes k the connection's controller.
func (c *TCB) SetController(now clock.Instant, k cc.Controller) {
	if k = c.own(k); c.begun() {
		c.goOnWith(now, k)
	} else {
		c.control = k
	}
}

// own is k, or what the stack's hook has in its place.
func (c *TCB) own(k cc.Controller) cc.Controller {
	if o, ok := c.env.Hook.(Owner); ok {
		return o.Own(k, &c.env.Log)
	}
	return k
}

// goOnWith goes on with another controller, from the windows of now. What the old
// one had remembered is gone.
func (c *TCB) goOnWith(now clock.Instant, k cc.Controller) {
	old := c.cc
	c.releaseControl(now)
	c.control = k
	c.cc = cc.NewState(k, c.initialWindow(), uint32(c.mss), c.cfg.ByteCountingLimit*uint32(c.mss))
	k.Init(&c.cc, now)
	c.cc.Cwnd, c.cc.Ssthresh = old.Cwnd, old.Ssthresh
	if old.Wants.Has(cc.OwnsWindow) && old.Cwnd > c.initialWindow() {
		c.cc.Ssthresh = min(old.Ssthresh, old.Cwnd) // what it had found out is in its window
	}
	c.cc.Bound()
	c.heed(now)
}

// begun reports whether there is, and may still be, something to control.
func (c *TCB) begun() bool {
	switch c.state {
	case SynSent, SynReceived, Established, FinWait1, FinWait2, CloseWait, Closing, LastAck:
		return c.cc.Cwnd > 0 // the peer's SYN has come
	case Closed, Listen, TimeWait:
		return false
	default:
		panic("tcp: no such state")
	}
}

// releaseControl tells the controller that this was all.
func (c *TCB) releaseControl(now clock.Instant) {
	if c.cc.Wants.Has(cc.WantsRelease) {
		c.control.OnRelease(&c.cc, now)
	}
	c.cc.Wants, c.cc.More, c.cc.PacingRate = 0, nil, 0
	c.stop(timerControl)
}

// fallBack gives the controller up: CUBIC goes on from the present window.
func (c *TCB) fallBack(now clock.Instant) {
	c.env.Stats.Fallbacks++
	c.goOnWith(now, cc.Cubic{})
}

// heed takes in what the controller has set. cwnd is at least one segment and at
// most what the send buffer may hold.
func (c *TCB) heed(now clock.Instant) {
	least, most := uint32(c.mss), max(c.snd.limit, c.cfg.SendBufferMax)
	if c.cc.Cwnd < least || c.cc.Cwnd > most {
		c.cc.Cwnd = max(min(c.cc.Cwnd, max(most, c.cfg.InitialWindow*least)), least)
	}
	if c.cc.More != nil || c.cc.PacingRate > 0 || c.cc.Failed {
		c.heedMore(now)
	}
}

// heedMore is heed for what few controllers set.
func (c *TCB) heedMore(now clock.Instant) {
	if c.cc.Failed {
		c.fallBack(now)
	}
	if c.cc.PacingRate > 0 {
		c.cc.PacingRate = max(c.cc.PacingRate, uint64(c.mss)) // a segment a second, or it would never end
	}
	if m := c.cc.More; m != nil && m.TimerAt != m.Armed {
		if m.TimerAt == clock.Never {
			c.stop(timerControl)
		} else {
			m.TimerAt = max(m.TimerAt, now.Add(controlTimerLeast))
			c.arm(now, timerControl, m.TimerAt)
		}
		m.Armed = m.TimerAt
	}
}

// A reduction is why the controller is to send less.
type reduction uint8

const (
	forLoss reduction = iota // fast recovery begins
	forTimeout
	forMark // an ECN mark
)

func (c *TCB) callReduction(now clock.Instant, why reduction, flight uint32) {
	switch why {
	case forLoss:
		c.control.OnLoss(&c.cc, now, flight)
	case forTimeout:
		c.control.OnRTO(&c.cc, now, flight)
	case forMark:
		c.control.OnECN(&c.cc, now, flight)
	}
}

// reduce has the controller answer congestion. Its answer never is a larger window
// than before, RFC 5681 §3.1.
func (c *TCB) reduce(now clock.Instant, why reduction, flight uint32) {
	cwnd, ssthresh := c.cc.Cwnd, c.cc.Ssthresh
	c.callReduction(now, why, flight)
	if c.cc.Failed {
		c.fallBack(now)
		c.callReduction(now, why, flight)
	}
	c.cc.Cwnd = min(c.cc.Cwnd, cwnd)
	if !c.cc.Wants.Has(cc.OwnsWindow) {
		if ssthresh < cc.MaxWindow {
			cwnd = max(cwnd, ssthresh) // it had its reduction, as after a timeout
		}
		c.cc.Ssthresh = max(min(c.cc.Ssthresh, cwnd), 2*uint32(c.mss))
	}
	c.heed(now)
}

// settleWindow sets cwnd where a recovery without PRR ends, unless the controller
// does that.
func (c *TCB) settleWindow() {
	if !c.cc.Wants.Has(cc.OwnsWindow) {
		c.cc.Cwnd = c.cc.Ssthresh
	}
}

// recovered tells the controller that fast recovery is over.
func (c *TCB) recovered(now clock.Instant) {
	c.control.OnRecoveryExit(&c.cc, now)
	c.heed(now)
}

// undoReduction has the controller take its last reduction back.
func (c *TCB) undoReduction(now clock.Instant) {
	c.control.Undo(&c.cc, now)
	c.heed(now)
}

// tellController tells the controller of an ACK.
//
// RFC 5681 §3.1: the window grows by ACKs that move SND.UNA; what is only SACKed lets
// one new segment out for each that has arrived (RFC 3042).
func (c *TCB) tellController(now clock.Instant, n *news, before uint32, trip clock.Duration, ece bool) {
	if c.cc.More != nil {
		c.sampled(now, n, before, trip, ece)
		return
	}
	if n.advance == 0 || n.delivered == 0 || c.rec.phase == Recovery || c.rec.phase == CWR {
		return
	}
	a := &c.env.ack // there is no sample in it
	a.Now, a.Acked, a.InFlight, a.RTT = now, uint32(n.got.fresh), before, trip
	a.SRTT, a.MinRTT, a.CwndLimited, a.ECE = c.rtt.srtt, c.rtt.least, c.limitedBy(before), ece
	c.control.OnAck(&c.cc, a)
	c.heed(now)
	c.logCongestion(now)
}

// sampled is tellController with a rate sample: for a controller that wants to hear of all
// ACKs that deliver anything or show that something is lost.
func (c *TCB) sampled(now clock.Instant, n *news, before uint32, trip clock.Duration, ece bool) {
	m := c.cc.More
	c.tellLost()
	inRecovery := c.rec.phase == Recovery || c.rec.phase == CWR
	a := &c.env.sample
	*a = cc.Ack{
		Now: now, Acked: uint32(n.delivered), InFlight: before, RTT: trip, SRTT: c.rtt.srtt, MinRTT: c.rtt.least,
		ECE: ece, InRecovery: inRecovery, CwndLimited: n.advance > 0 && c.limitedBy(before),
	}
	m.Rate.Sample(a, uint32(n.arrived), n.got.sentAt, n.got.fresh > 0 && !n.reneged, c.snd.una)
	if a.Acked == 0 && a.Losses == 0 && !ece {
		return
	}
	if c.cc.Wants.Has(cc.WantsReport) {
		if a.Round && m.Report.Acks > 0 {
			c.control.OnReport(&c.cc, &m.Report)
			if c.heed(now); c.cc.More == nil {
				return // it has failed
			}
			m.Report = cc.Report{}
		}
		m.Report.Fold(a)
	}
	cwnd := c.cc.Cwnd
	if c.cc.Wants.Has(cc.WantsSamples) || n.advance > 0 && a.Acked > 0 && !inRecovery {
		c.control.OnAck(&c.cc, a)
	}
	if inRecovery && !c.cc.Wants.Has(cc.OwnsWindow) {
		c.cc.Cwnd = cwnd // PRR's
	}
	c.heed(now)
	c.logCongestion(now)
}

// tellLost counts what was taken for lost since the last sample.
func (c *TCB) tellLost() {
	if c.out != nil && c.out.gone > 0 {
		c.cc.More.Rate.Lost(uint32(c.out.gone))
		c.out.gone = 0
	}
}

// controlSent tells of a segment with n octets of data, up to end.
func (c *TCB) controlSent(now clock.Instant, start seq.Value, n uint32, again bool) {
	c.cc.More.Rate.Sent(now, c.snd.nxt, start == c.snd.base && !again)
	if c.cc.Wants.Has(cc.WantsSent) {
		c.env.sent = cc.Sent{Now: now, Octets: n, InFlight: c.inFlight(), Again: again}
		c.control.OnSent(&c.cc, &c.env.sent)
		c.heed(now)
	}
}

// checkLimited is CheckIfApplicationLimited of the draft on delivery rates §3.4: at
// each write, ACK and timeout it looks whether something else than the network
// holds the connection back.
func (c *TCB) checkLimited() {
	if c.cc.More != nil {
		c.findLimited()
	}
}

func (c *TCB) findLimited() {
	if n := c.inFlight(); n < c.cc.Cwnd && c.Unsent() < int(c.mss) && (c.out == nil || c.out.lost == 0) {
		c.cc.More.Rate.Limited(n)
	}
}

// controlTimeout calls the controller at the time that it has asked for.
func (c *TCB) controlTimeout(now clock.Instant) {
	m := c.cc.More
	m.TimerAt, m.Armed = clock.Never, clock.Never
	c.control.OnTimer(&c.cc, now)
	c.heed(now)
}
