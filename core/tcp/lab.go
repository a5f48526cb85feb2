package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
)

// An order is what a hook wants at a change of state. It is obeyed when the engine is
// done with what has changed the state.
type order uint8

const (
	noOrder    order = iota
	orderReset       // abort
	orderGoTo        // and from here on, the state to go to
)

// take notes what a hook wants at a change of state.
func (c *TCB) take(v Verdict, arg uint64) {
	switch {
	case v == Reset:
		c.order = orderReset
	case v == GoTo && arg < uint64(states) && c.mayGoTo(State(arg)):
		c.order = orderGoTo + order(arg)
	case v == GoTo:
		c.env.Stats.OrdersIgnored++
	}
}

// forgetOrder is for a state that the engine has left before the order was obeyed.
func (c *TCB) forgetOrder() {
	if c.order != noOrder {
		c.order = noOrder
		c.env.Stats.OrdersIgnored++
	}
}

// mayGoTo reports whether an order can lead from the state to another: along an edge
// of Figure 5, but not out of CLOSED or LISTEN, which are nobody's connection any
// more, and not to where the peer's SYN would have to be known.
func (c *TCB) mayGoTo(to State) bool {
	switch c.state {
	case Closed, Listen:
		return false
	case SynSent:
		return to == Closed
	case SynReceived:
		if to == Listen && (!c.passive || c.fastOpened()) {
			return false
		}
	case Established, FinWait1, FinWait2, CloseWait, Closing, LastAck, TimeWait:
	default:
		panic("tcp: no such state")
	}
	return allowed[c.state]>>to&1 != 0
}

// Obey does what a hook has ordered at the last change of state. There may be
// another order at the one that it makes: Figure 5 has an end.
func (c *TCB) Obey(now clock.Instant) {
	for c.order != noOrder {
		o := c.order
		c.order = noOrder
		if o == orderReset {
			c.AbortWith(now, ErrAborted, ByPlugin, rule.AbortReset)
		} else {
			c.goTo(now, State(o-orderGoTo))
		}
	}
}

// goTo takes an edge of Figure 5 without what the RFC asks for before: the user's
// call is made for him, and what the peer would have had to send is taken as having
// come. From here on the connection is one of the lab's.
func (c *TCB) goTo(now clock.Instant, to State) {
	c.lab = true
	from := c.state
	switch to {
	case Closed:
		err := ErrAborted
		if from == LastAck || from == TimeWait {
			err = NoError
		}
		last := from == TimeWait && c.pend&pendAck != 0
		c.end(now, err, ByPlugin, rule.Lab)
		if last {
			c.pend |= pendLast
		}
	case Listen:
		c.stopAll()
		c.become(now, Listen, ByPlugin, rule.Lab)
		c.forget()
	case Established:
		c.become(now, Established, ByPlugin, rule.Lab)
		c.finishQueued(now)
	case FinWait1, LastAck:
		c.snd.finQueued = true
		c.become(now, to, ByPlugin, rule.Lab)
	case FinWait2:
		c.become(now, FinWait2, ByPlugin, rule.Lab)
	case CloseWait, Closing:
		c.pretendFin()
		c.become(now, to, ByPlugin, rule.Lab)
	case TimeWait:
		c.pretendFin()
		if c.pend&pendDelayed != 0 {
			c.pend |= pendAck // no timer will
		}
		c.become(now, TimeWait, ByPlugin, rule.Lab)
	case SynSent, SynReceived:
		panic("tcp: no order leads to " + to.String())
	default:
		panic("tcp: no such state")
	}
}

// pretendFin takes the peer's FIN as come, though it takes no sequence number.
func (c *TCB) pretendFin() {
	if c.rcv.finished {
		return
	}
	c.rcv.fin, c.rcv.finKnown, c.rcv.finished = c.rcv.nxt, true, true
	c.rcv.forgetUrgent()
	if c.hold != nil {
		c.env.giveReassembly(c.hold)
		c.hold = nil
	}
	c.ready |= ReadyRead
}

// pretendAck takes all that was sent as acknowledged, and forgets what was not sent.
func (c *TCB) pretendAck() {
	c.forgetSent()
	c.snd.una, c.snd.base = c.snd.nxt, c.snd.nxt
	c.snd.finQueued = c.snd.finSent
}
