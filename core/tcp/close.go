package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
)

// Close is CLOSE of §3.10.4 by a user who also gives its handle back: it will
// not read any more. Queued data is still sent, then the FIN. Data that nobody
// has read, or a linger time of 0, turn the close into a reset (SHLD-3).
func (c *TCB) Close(now clock.Instant) error {
	if c.released {
		return ErrClosing
	}
	c.released = true
	switch c.state {
	case Closing, LastAck:
		if c.recvBuf.n > 0 {
			c.reset(now, ErrAborted, ByCall, rule.UnreadReset)
			return nil
		}
		if c.cfg.Linger && c.cfg.LingerTime == 0 {
			c.AbortWith(now, ErrAborted, ByCall, rule.AbortReset)
			return nil
		}
		c.forgetReceived()
		return nil
	case Closed, Listen, TimeWait:
		c.forgetReceived()
		return nil
	case SynSent:
		c.err = ErrClosing
		c.become(now, Closed, ByCall, rule.CloseSynSent)
		c.forget()
		return nil
	case SynReceived, Established, FinWait1, FinWait2, CloseWait:
		if c.cfg.Linger && c.cfg.LingerTime == 0 {
			c.reset(now, ErrAborted, ByCall, rule.AbortReset)
			return nil
		}
		if c.recvBuf.n > 0 {
			c.reset(now, ErrAborted, ByCall, rule.UnreadReset)
			return nil
		}
	default:
		panic("tcp: no such state")
	}
	c.forgetReceived()
	if c.state == FinWait2 {
		if c.cfg.FinWait2 < 0 {
			c.reset(now, ErrAborted, ByCall, rule.AbortReset)
			return nil
		}
		c.armFinWait2(now)
		return nil
	}
	c.finish(now)
	return nil
}

// CloseWrite is CLOSE of §3.10.4 by a user who goes on reading: the FIN follows
// the queued data. A second one does nothing (U-19).
func (c *TCB) CloseWrite(now clock.Instant) error {
	if c.released {
		return ErrClosing
	}
	switch c.state {
	case Closed, Listen, SynSent:
		if c.err != NoError {
			return c.err
		}
		return ErrNotConnected
	case SynReceived, Established, FinWait1, FinWait2, CloseWait, Closing, LastAck, TimeWait:
		c.finish(now)
		return nil
	default:
		panic("tcp: no such state")
	}
}

// finish queues the FIN. In SYN-RECEIVED it goes at once, unless there is data to
// be sent before it, which waits for ESTABLISHED (§3.10.4).
func (c *TCB) finish(now clock.Instant) {
	if c.snd.finQueued {
		return
	}
	c.snd.finQueued = true
	switch c.state {
	case Established:
		c.become(now, FinWait1, ByCall, rule.CloseSendsFin)
	case CloseWait:
		c.become(now, LastAck, ByCall, rule.CloseAfterPeer)
	case SynReceived:
		if c.sendBuf.n == 0 && c.snd.nxt != c.snd.iss && !c.fastOpened() {
			c.become(now, FinWait1, ByCall, rule.CloseSendsFin)
		}
	case Closed, Listen, SynSent, FinWait1, FinWait2, Closing, LastAck, TimeWait:
		// Too early, or done before.
	default:
		panic("tcp: no such state")
	}
}

// synUnacked reports whether our SYN is not acknowledged in a synchronized state,
// FIN-WAIT-1: until then it goes again with the FIN.
func (c *TCB) synUnacked() bool { return c.snd.una.Before(c.snd.base) && c.state.Synchronized() }

// forgetReceived gives the receive side's memory back.
func (c *TCB) forgetReceived() {
	c.recvBuf.release(&c.env.Pool)
	if c.hold != nil {
		c.env.giveReassembly(c.hold)
		c.hold = nil
	}
}

// forgetSent gives the send side's memory back.
func (c *TCB) forgetSent() {
	c.sendBuf.release(&c.env.Pool)
	if c.out != nil {
		c.env.giveFlight(c.out)
		c.out = nil
	}
}

// forget gives all memory back, but what the user may still read.
func (c *TCB) forget() {
	c.forgetSent()
	if c.released || c.readShut {
		c.forgetReceived()
	} else if c.hold != nil {
		c.env.giveReassembly(c.hold)
		c.hold = nil
	}
	c.pend &= pendReset | pendStray | pendLast
}

// Drop gives back all memory of a connection that nobody will use any more. It
// is the last call on c.
func (c *TCB) Drop() {
	c.forgetSent()
	c.forgetReceived()
	c.untag()
}
