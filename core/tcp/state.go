package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
)

// A State is a state of RFC 9293 §3.3.2.
type State uint8

// The states, in the order of the RFC.
const (
	Closed State = iota
	Listen
	SynSent
	SynReceived
	Established
	FinWait1
	FinWait2
	CloseWait
	Closing
	LastAck
	TimeWait
	states
)

var stateNames = [states]string{
	"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED",
	"FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT",
}

// String is the RFC's name of the state, "SYN-RECEIVED".
func (s State) String() string {
	if s >= states {
		return "UNKNOWN"
	}
	return stateNames[s]
}

// Linux is the state's number in Linux's tcp_states.h, as tcp_info reports it.
func (s State) Linux() uint8 {
	return [states]uint8{
		Closed: 7, Listen: 10, SynSent: 2, SynReceived: 3, Established: 1,
		FinWait1: 4, FinWait2: 5, CloseWait: 8, Closing: 11, LastAck: 9, TimeWait: 6,
	}[s%states]
}

// Synchronized reports whether both ends know each other's sequence numbers
// (§3.5.2, group 3).
func (s State) Synchronized() bool { return s >= Established && s < states }

// A Cause is what kind of thing changed a state.
type Cause uint8

// The causes.
const (
	BySegment Cause = iota + 1
	ByCall
	ByTimer
	ByICMP
	ByPlugin
)

var causeNames = [...]string{"", "segment", "call", "timer", "icmp", "plugin"}

// String names the cause.
func (c Cause) String() string {
	if int(c) >= len(causeNames) {
		return "unknown"
	}
	return causeNames[c]
}

// An Edge is a change of state that RFC 9293 allows.
type Edge struct {
	From, To State
	Rule     rule.ID // the rule that usually takes it
}

// edges is Figure 5 of RFC 9293 with its notes and the steps of §3.10 as data.
// A change that is not here is a broken invariant. Note 3 of the figure, a reset
// or an abort from any state but LISTEN, stands as the edges to CLOSED.
var edges = [...]Edge{
	{Closed, Listen, rule.OpenPassive},
	{Closed, SynSent, rule.OpenActive},
	{Listen, Closed, rule.CloseListen},
	{Listen, SynSent, rule.SendInListen},
	{Listen, SynReceived, rule.ListenSyn},
	{SynSent, Closed, rule.CloseSynSent},
	{SynSent, Established, rule.SynSentSynAck},
	{SynSent, SynReceived, rule.SynSentSyn},
	{SynReceived, Closed, rule.ResetSynReceived},
	{SynReceived, Listen, rule.ResetSynReceived}, // Note 1: a passive open returns to LISTEN
	{SynReceived, Established, rule.AckEstablishes},
	{SynReceived, FinWait1, rule.CloseSendsFin},
	{SynReceived, CloseWait, rule.FinEstablished},
	{Established, FinWait1, rule.CloseSendsFin},
	{Established, CloseWait, rule.FinEstablished},
	{Established, Closed, rule.ResetExact},
	{FinWait1, FinWait2, rule.AckOfFin},
	{FinWait1, Closing, rule.FinClosing},
	{FinWait1, TimeWait, rule.FinBoth}, // Note 2
	{FinWait1, Closed, rule.ResetExact},
	{FinWait2, TimeWait, rule.FinInFinWait2},
	{FinWait2, Closed, rule.ResetExact},
	{CloseWait, LastAck, rule.CloseAfterPeer},
	{CloseWait, Closed, rule.ResetExact},
	{Closing, TimeWait, rule.AckClosing},
	{Closing, Closed, rule.ResetExact},
	{LastAck, Closed, rule.AckLastAck},
	{TimeWait, Closed, rule.TimeWaitOver},
}

// allowed has a bit for each edge, by old and new state.
var allowed = func() (a [states]uint16) {
	for _, e := range edges {
		a[e.From] |= 1 << e.To
	}
	return a
}()

// Edges returns Figure 5: every change of state that can be.
func Edges() []Edge {
	all := make([]Edge, len(edges))
	copy(all, edges[:])
	return all
}

// become is the one place that writes the state. It checks the edge, stops the
// timers that only the old state needs, tells the log and calls the hook.
func (c *TCB) become(now clock.Instant, to State, by Cause, id rule.ID) {
	from := c.state
	if allowed[from]>>to&1 == 0 {
		panic("tcp: " + from.String() + " to " + to.String() + " is not an edge of Figure 5 (" + id.String() + ")")
	}
	c.state = to
	c.forgetOrder()
	switch to {
	case Established:
		c.synchronized(now)
	case CloseWait:
		if from == SynReceived {
			c.synchronized(now)
		}
	case TimeWait:
		c.fastOver(from, by)
		c.releaseControl(now)
		c.stopAll()
		if c.lab {
			c.pretendAck() // our FIN may not have been acknowledged, where an order has led
		}
		c.arm(now, timerWait, now.Add(c.cfg.TimeWait))
	case Closed:
		c.fastOver(from, by)
		c.releaseControl(now)
		c.stopAll()
		c.ready |= ReadyRead | ReadyWrite | ReadyClosed
	case FinWait2:
		if c.released {
			c.armFinWait2(now)
		}
	case FinWait1:
		if from == SynReceived {
			c.synchronized(now)
		}
	case Listen:
		c.releaseControl(now)
	case SynSent, SynReceived, Closing, LastAck:
		// Their timers belong to what is sent, not to the state.
	default:
		panic("tcp: no such state")
	}
	if c.env.Log.On(event.Transition) {
		c.log(now, event.Event{Kind: event.Transition, Rule: id, From: uint8(from), To: uint8(to), By: uint8(by)})
	}
	if c.env.Hooks.Has(StepTransition) || c.env.Hooks.Has(StepMoved) {
		c.hookTransition(now, Move{from, to, by, id})
	}
	if c.env.Hooks.Has(StepEstablished) && to.Synchronized() && !from.Synchronized() {
		c.hookSettings(now, StepEstablished)
	}
}

// synchronized is what entering a synchronized state does: the handshake's own
// books are closed and the user may send and receive.
func (c *TCB) synchronized(now clock.Instant) {
	// RFC 6928 §2, RFC 5681 §3.1: a SYN-ACK lost more than once means one segment.
	if c.passive && c.retries > 1 {
		c.cc.Cwnd = uint32(c.mss)
	}
	c.retries = 0
	c.env.Stats.Established++
	c.ready |= ReadyConnected | ReadyWrite
	c.touchKeepalive(now)
}
