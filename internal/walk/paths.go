package walk

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Path is one way to an edge, and over it.
type Path struct {
	From, To tcp.State
	By       tcp.Cause // ByPlugin: the hook orders it
	Rule     rule.ID
	Leaves   wire.Flags // of the segment that leaves by it; 0: none does
	Why      string     // it has no segment that arrives, or none that leaves
	Walk     func(w *World)
}

const (
	syn, ack, fin, rst = wire.SYN, wire.ACK, wire.FIN, wire.RST

	noSegment = "a listener sends nothing"
	silent    = "and nothing leaves by it"
)

// Paths are the ways over the edges of Figure 5, each edge at least once, and with
// each kind of cause that it has.
func Paths() []Path {
	return []Path{
		{From: tcp.Closed, To: tcp.Listen, By: tcp.ByCall, Rule: rule.OpenPassive, Why: noSegment,
			Walk: func(w *World) { w.listenA() }},
		{From: tcp.Listen, To: tcp.Closed, By: tcp.ByCall, Rule: rule.CloseListen, Why: noSegment,
			Walk: func(w *World) { w.listenA(); w.la.Close(w.now) }},
		{From: tcp.Closed, To: tcp.SynSent, By: tcp.ByCall, Rule: rule.OpenActive, Leaves: syn,
			Walk: func(w *World) { w.dialA(); w.pump() }},
		{From: tcp.Listen, To: tcp.SynReceived, By: tcp.BySegment, Rule: rule.ListenSyn, Leaves: syn | ack,
			Walk: func(w *World) { w.listenA(); w.dialB(); w.accept() }},

		{From: tcp.SynSent, To: tcp.Established, By: tcp.BySegment, Rule: rule.SynSentSynAck, Leaves: ack,
			Walk: (*World).open},
		{From: tcp.SynSent, To: tcp.SynReceived, By: tcp.BySegment, Rule: rule.SynSentSyn, Leaves: syn | ack,
			Walk: func(w *World) { w.cross(); w.pump() }},
		{From: tcp.SynSent, To: tcp.Closed, By: tcp.BySegment, Rule: rule.SynSentReset, Why: silent,
			Walk: func(w *World) { w.dialA(); w.pump() }},
		{From: tcp.SynSent, To: tcp.Closed, By: tcp.ByCall, Rule: rule.CloseSynSent, Why: silent,
			Walk: func(w *World) { w.swallow(true, 0); w.dialA(); w.pump(); w.close(w.ca) }},
		{From: tcp.SynSent, To: tcp.Closed, By: tcp.ByTimer, Rule: rule.SynLimit, Why: silent,
			Walk: func(w *World) { w.swallow(true, 0); w.dialA(); w.pass(clock.Hour) }},

		{From: tcp.SynReceived, To: tcp.Established, By: tcp.BySegment, Rule: rule.AckEstablishes, Leaves: ack,
			Walk: func(w *World) { w.listenA(); w.dialB(); w.accept(); w.write(w.ca) }},
		{From: tcp.SynReceived, To: tcp.Listen, By: tcp.BySegment, Rule: rule.ResetSynReceived, Why: silent,
			Walk: func(w *World) { w.half(); w.ca = w.find(); w.send(rst) }},
		{From: tcp.SynReceived, To: tcp.Closed, By: tcp.BySegment, Rule: rule.ResetSynReceived, Why: silent,
			Walk: func(w *World) { w.crossed(); w.send(rst) }},
		{From: tcp.SynReceived, To: tcp.Closed, By: tcp.ByCall, Rule: rule.AbortReset, Leaves: rst,
			Walk: func(w *World) { w.crossed(); w.abort(w.ca) }},
		{From: tcp.SynReceived, To: tcp.Closed, By: tcp.ByTimer, Rule: rule.SynAckLimit, Why: silent,
			Walk: func(w *World) { w.half(); w.pass(clock.Hour) }},
		{From: tcp.SynReceived, To: tcp.FinWait1, By: tcp.ByCall, Rule: rule.CloseSendsFin, Leaves: fin | ack,
			Walk: func(w *World) { w.crossed(); w.shut(w.ca) }},
		{From: tcp.SynReceived, To: tcp.CloseWait, By: tcp.ByPlugin, Rule: rule.Lab, Leaves: syn | ack,
			Why:  "the ACK that comes with a FIN establishes first",
			Walk: func(w *World) { w.listenA(); w.dialB(); w.accept() }},

		{From: tcp.Established, To: tcp.FinWait1, By: tcp.ByCall, Rule: rule.CloseSendsFin, Leaves: fin | ack,
			Walk: func(w *World) { w.open(); w.shut(w.ca) }},
		{From: tcp.Established, To: tcp.CloseWait, By: tcp.BySegment, Rule: rule.FinEstablished, Leaves: ack,
			Walk: func(w *World) { w.open(); w.shut(w.cb) }},
		{From: tcp.Established, To: tcp.Closed, By: tcp.BySegment, Rule: rule.ResetExact, Why: silent,
			Walk: func(w *World) { w.open(); w.abort(w.cb) }},
		{From: tcp.Established, To: tcp.Closed, By: tcp.ByCall, Rule: rule.AbortReset, Leaves: rst,
			Walk: func(w *World) { w.open(); w.abort(w.ca) }},
		{From: tcp.Established, To: tcp.Closed, By: tcp.ByTimer, Rule: rule.RetransmitLimit, Why: silent,
			Walk: func(w *World) { w.open(); w.swallow(true, 0); w.write(w.ca); w.pass(clock.Hour) }},

		{From: tcp.FinWait1, To: tcp.FinWait2, By: tcp.BySegment, Rule: rule.AckOfFin, Leaves: ack,
			Walk: func(w *World) { w.open(); w.shut(w.ca); w.write(w.cb); w.pass(clock.Second) }},
		{From: tcp.FinWait1, To: tcp.Closing, By: tcp.BySegment, Rule: rule.FinClosing, Leaves: ack,
			Walk: (*World).closing},
		{From: tcp.FinWait1, To: tcp.TimeWait, By: tcp.ByPlugin, Rule: rule.Lab, Leaves: ack,
			Why:  "the ACK of our FIN leads to FIN-WAIT-2 first, in the same segment",
			Walk: func(w *World) { w.open(); w.shut(w.ca); w.shut(w.cb); w.pass(clock.Second) }},
		{From: tcp.FinWait1, To: tcp.Closed, By: tcp.BySegment, Rule: rule.ResetExact, Why: silent,
			Walk: func(w *World) { w.open(); w.swallow(true, 0); w.shut(w.ca); w.deliver(); w.abort(w.cb) }},
		{From: tcp.FinWait1, To: tcp.Closed, By: tcp.ByCall, Rule: rule.AbortReset, Leaves: rst,
			Walk: func(w *World) { w.open(); w.swallow(true, fin); w.shut(w.ca); w.abort(w.ca) }},
		{From: tcp.FinWait1, To: tcp.Closed, By: tcp.ByTimer, Rule: rule.RetransmitLimit, Why: silent,
			Walk: func(w *World) { w.open(); w.swallow(true, 0); w.shut(w.ca); w.pass(clock.Hour) }},

		{From: tcp.FinWait2, To: tcp.TimeWait, By: tcp.BySegment, Rule: rule.FinInFinWait2, Leaves: ack,
			Walk: func(w *World) { w.open(); w.shut(w.ca); w.shut(w.cb) }},
		{From: tcp.FinWait2, To: tcp.Closed, By: tcp.BySegment, Rule: rule.ResetExact, Why: silent,
			Walk: func(w *World) { w.open(); w.shut(w.ca); w.abort(w.cb) }},
		{From: tcp.FinWait2, To: tcp.Closed, By: tcp.BySegment, Rule: rule.UnreadReset, Leaves: rst,
			Walk: func(w *World) { w.open(); w.close(w.ca); w.write(w.cb) }},
		{From: tcp.FinWait2, To: tcp.Closed, By: tcp.ByCall, Rule: rule.AbortReset, Leaves: rst,
			Walk: func(w *World) { w.open(); w.shut(w.ca); w.abort(w.ca) }},
		{From: tcp.FinWait2, To: tcp.Closed, By: tcp.ByTimer, Rule: rule.FinWait2Timeout, Why: silent,
			Walk: func(w *World) { w.open(); w.close(w.ca); w.pass(clock.Hour) }},

		{From: tcp.CloseWait, To: tcp.LastAck, By: tcp.ByCall, Rule: rule.CloseAfterPeer, Leaves: fin | ack,
			Walk: (*World).lastAck},
		{From: tcp.CloseWait, To: tcp.Closed, By: tcp.BySegment, Rule: rule.ResetExact, Why: silent,
			Walk: func(w *World) { w.open(); w.shut(w.cb); w.abort(w.cb) }},
		{From: tcp.CloseWait, To: tcp.Closed, By: tcp.ByCall, Rule: rule.AbortReset, Leaves: rst,
			Walk: func(w *World) { w.open(); w.shut(w.cb); w.abort(w.ca) }},

		{From: tcp.Closing, To: tcp.TimeWait, By: tcp.BySegment, Rule: rule.AckClosing, Leaves: ack,
			Walk: (*World).closed},
		{From: tcp.Closing, To: tcp.Closed, By: tcp.BySegment, Rule: rule.ResetExact, Why: silent,
			Walk: func(w *World) { w.closing(); w.send(rst | ack) }},
		{From: tcp.Closing, To: tcp.Closed, By: tcp.ByCall, Rule: rule.AbortSilent, Why: silent,
			Walk: func(w *World) { w.closing(); w.abort(w.ca) }},

		{From: tcp.LastAck, To: tcp.Closed, By: tcp.BySegment, Rule: rule.AckLastAck, Why: silent,
			Walk: (*World).lastAck},
		{From: tcp.LastAck, To: tcp.Closed, By: tcp.ByTimer, Rule: rule.RetransmitLimit, Why: silent,
			Walk: func(w *World) { w.open(); w.shut(w.cb); w.swallow(true, 0); w.shut(w.ca); w.pass(clock.Hour) }},

		{From: tcp.TimeWait, To: tcp.Closed, By: tcp.ByTimer, Rule: rule.TimeWaitOver, Why: silent,
			Walk: func(w *World) { w.open(); w.close(w.ca); w.close(w.cb); w.pass(clock.Hour) }},
		{From: tcp.TimeWait, To: tcp.Closed, By: tcp.BySegment, Rule: rule.ResetExact, Why: silent,
			Walk: func(w *World) { w.open(); w.shut(w.ca); w.shut(w.cb); w.send(rst | ack) }},
		{From: tcp.TimeWait, To: tcp.Closed, By: tcp.BySegment, Rule: rule.TimeWaitReuse, Why: silent,
			Walk: (*World).again},
		{From: tcp.TimeWait, To: tcp.Closed, By: tcp.ByPlugin, Rule: rule.Lab, Leaves: ack,
			Walk: func(w *World) { w.open(); w.shut(w.ca); w.shut(w.cb) }},
	}
}

// Never are the edges that the engine never takes, and no order leads over.
func Never() map[[2]tcp.State]string {
	return map[[2]tcp.State]string{
		{tcp.Listen, tcp.SynSent}: "SEND on a listener is not offered, RFC 9293 §3.10.2",
	}
}

// half is a passive open whose ACK does not come.
func (w *World) half() {
	w.listenA()
	w.keeps = func(fromA bool, h *wire.TCP) bool { return fromA || h.Flags&(syn|rst) == 0 }
	w.dialB()
	w.pump()
	w.deliver()
	w.cb.Abort(w.now)
	w.keeps = func(bool, *wire.TCP) bool { return true }
	w.pump()
}

// crossed is an open that has crossed another one, of which no ACK comes.
func (w *World) crossed() {
	w.cross()
	w.keeps = func(_ bool, h *wire.TCP) bool { return h.Flags&ack != 0 }
	w.pump()
	w.deliver()
}

// closing closes from both ends at once: A is in CLOSING as long as B's ACKs are lost.
func (w *World) closing() {
	w.open()
	w.swallow(true, 0)
	w.shut(w.ca)
	w.deliver()
	w.keeps = func(fromA bool, h *wire.TCP) bool { return fromA }
	w.shut(w.cb)
}

// closed is closing to its end; B's FIN comes once more.
func (w *World) closed() {
	w.closing()
	w.keeps = func(fromA bool, h *wire.TCP) bool { return fromA && h.Flags&fin == 0 }
	w.pass(10 * clock.Second)
	w.deliver()
	v := w.ca.View()
	w.forge(wire.TCP{Seq: v.Receive.NXT.Sub(1), Ack: v.Send.NXT, Flags: fin | ack, Window: 1000})
}

// lastAck is a close by B, and then by A.
func (w *World) lastAck() {
	w.open()
	w.shut(w.cb)
	w.shut(w.ca)
}

// again is a connection that A has closed first, and that B opens once more.
func (w *World) again() {
	w.listenA()
	w.dialB()
	w.accept()
	w.close(w.ca)
	w.close(w.cb)
	w.pass(clock.Second)
	w.dialB()
	w.accept()
}
