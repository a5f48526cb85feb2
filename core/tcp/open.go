package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// OpenActive is §3.10.1 for an active open: the next Output is the SYN. iss is
// the initial sequence number; offset is added to the clock of our timestamps.
func (c *TCB) OpenActive(now clock.Instant, iss seq.Value, offset uint32) {
	c.begin(now, iss, offset)
	c.resendAt = now // the clock of R2 runs from the first SYN
	c.env.Stats.ActiveOpens++
	c.become(now, SynSent, ByCall, rule.OpenActive)
	c.pend |= pendSyn
}

// OpenPassive is §3.10.7.2, third step: syn has come to a listener, and c is
// the connection that grows from it. The next Output is the SYN-ACK.
func (c *TCB) OpenPassive(now clock.Instant, iss seq.Value, offset uint32, syn *Segment) {
	c.state, c.passive = Listen, true // born of a listener; no change of state
	c.begin(now, iss, offset)
	c.takeOptions(now, &syn.Options)
	c.takeSyn(now, syn)
	c.takeECN(syn)
	c.env.Stats.PassiveOpens++
	c.become(now, SynReceived, BySegment, rule.ListenSyn)
	c.pend |= pendSyn
}

// CookieOptions is what a SYN cookie has kept of the peer's SYN.
type CookieOptions struct {
	MSS         uint16
	WindowScale int8 // -1: not offered
	SACK        bool
	Timestamps  bool
}

// OpenCookie makes the connection for which ack brings back a SYN cookie (RFC
// 4987 §3.6): c is in SYN-RECEIVED as if it had been there all along. The
// caller then lets ack arrive.
func (c *TCB) OpenCookie(now clock.Instant, offset uint32, o CookieOptions, ack *Segment) {
	iss, irs := ack.Ack.Sub(1), ack.Seq.Sub(1)
	c.state, c.passive = Listen, true
	promised := seq.Size(min(c.rcv.limit, 65535)) // by the SYN-ACK, as every first segment promises
	c.begin(now, iss, offset)
	opts := wire.Options{Has: wire.HasMSS, MSS: o.MSS}
	if o.WindowScale >= 0 {
		opts.Has |= wire.HasWindowScale
		opts.WindowScale = uint8(o.WindowScale)
	}
	if o.SACK {
		opts.Has |= wire.HasSACKPermitted
	}
	if o.Timestamps && ack.Options.Has&wire.HasTimestamps != 0 {
		opts.Has |= wire.HasTimestamps
		opts.TSVal = ack.Options.TSVal
	}
	c.takeOptions(now, &opts)
	c.takeSyn(now, &Segment{TCP: wire.TCP{Seq: irs, Flags: wire.SYN, Window: ack.Window}})
	c.snd.nxt = iss.Add(1)
	c.synAgain = true // nobody knows when it was sent: no sample but by timestamps
	c.rcv.edge, c.rcv.offered = c.rcv.nxt.Add(promised), true
	c.env.Stats.PassiveOpens++
	c.become(now, SynReceived, BySegment, rule.SynCookie)
}

// begin sets the send sequence space up.
func (c *TCB) begin(now clock.Instant, iss seq.Value, offset uint32) {
	c.snd.iss, c.snd.una, c.snd.nxt, c.snd.up = iss, iss, iss, iss
	c.snd.base = iss.Add(1)
	c.snd.small, c.snd.wl2, c.snd.pushed = iss, iss, c.snd.base
	c.rec.point, c.rec.high = iss, iss
	c.ts.offset = offset
	if c.env.Hooks.Has(StepNew) {
		c.hookSettings(now, StepNew)
	}
}

// takeSyn sets the receive sequence space up from the peer's SYN, whose window
// is never scaled (RFC 7323 §2.2).
func (c *TCB) takeSyn(now clock.Instant, syn *Segment) {
	c.rcv.irs = syn.Seq
	c.rcv.nxt = syn.Seq.Add(1)
	c.snd.wnd = seq.Size(syn.Window)
	c.snd.maxWnd = max(c.snd.maxWnd, c.snd.wnd)
	c.snd.wl1, c.snd.wl2 = syn.Seq, c.snd.una
	c.heardAt = now
	c.setup(now)
}

// deferred reports whether the ACK that would complete the handshake has to wait:
// DeferAccept wants data with it, until its time has passed.
func (c *TCB) deferred(ack *Segment) bool {
	c.deferring = c.passive && c.cfg.DeferAccept > 0 && !c.fastOpened() && ack.Len() == 0 && c.retries < c.deferCount()
	return c.deferring
}

// deferCount turns the time of DeferAccept into a number of SYN-ACKs, rounded up.
// The last of them brings the ACK that is not deferred any more.
func (c *TCB) deferCount() uint8 {
	n, d := uint8(0), c.cfg.RTOInitial
	for sum := clock.Duration(0); sum < c.cfg.DeferAccept && n < 255; n++ {
		sum += d
		d = min(2*d, c.cfg.RTOMax)
	}
	return n
}
