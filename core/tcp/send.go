package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
)

// Write is SEND of §3.10.2: it takes as much of b as the send buffer has room
// for. It never blocks: when there is no room it returns ErrWouldBlock, and
// ReadyWrite tells when there is again.
func (c *TCB) Write(now clock.Instant, b []byte) (int, error) {
	n, err := c.write(now, b)
	if n > 0 {
		c.snd.more, c.snd.open = false, false
	}
	return n, err
}

func (c *TCB) write(now clock.Instant, b []byte) (int, error) {
	if c.released {
		return 0, ErrClosing
	}
	if c.err != NoError {
		return 0, c.err
	}
	if c.snd.finQueued {
		return 0, ErrPipe
	}
	switch c.state {
	case Closed:
		return 0, ErrNotExist
	case Listen:
		return 0, ErrNotConnected
	case SynSent, SynReceived, Established, CloseWait:
		// Data written before the connection is synchronized is queued.
	case FinWait1, FinWait2, Closing, LastAck, TimeWait:
		return 0, ErrPipe
	default:
		panic("tcp: no such state")
	}
	c.tuneSend()
	c.checkLimited()
	if c.sendBuf.n >= c.snd.limit {
		c.snd.wantRoom = true
		return 0, ErrWouldBlock
	}
	room := min(int(c.snd.limit-c.sendBuf.n), len(b))
	if low, unsent := c.cfg.NotSentLowAt, uint32(c.Unsent()); low > 0 {
		if unsent >= low {
			c.snd.wantRoom = true
			return 0, ErrWouldBlock
		}
		// As much as can be sent now, and segments until low is reached.
		room = min(room, int(c.sendable()+roundUp(low-unsent, uint32(max(c.mss, 1)))))
	}
	n := c.sendBuf.append(&c.env.Pool, b[:room])
	if n > 0 {
		c.snd.flush = false
		if c.env.Hooks.Has(StepWrite) {
			c.hookData(now, StepWrite, b[:n])
		}
	}
	if n < len(b) {
		c.snd.wantRoom = true
	}
	if n == 0 && len(b) > 0 {
		// The stack's budget is used up. The user may look again when something is
		// acknowledged, or where no ACK will come, after a while.
		if c.out == nil && !c.waiting() && !c.isArmed(timerPersist) {
			c.arm(now, timerPersist, now.Add(c.cfg.RTOMin))
		}
		return 0, ErrWouldBlock
	}
	return n, nil
}

// Writable is the number of octets that Write would take now.
func (c *TCB) Writable() int {
	if low := c.cfg.NotSentLowAt; low > 0 && uint32(c.Unsent()) >= low {
		return 0
	}
	if c.snd.finQueued || c.sendBuf.n >= c.snd.limit {
		return 0
	}
	return int(c.snd.limit - c.sendBuf.n)
}

// Unsent is the number of octets that were written and not sent yet; Unacked
// counts those that the peer has not acknowledged, sent or not.
func (c *TCB) Unsent() int {
	sent := c.snd.nxt.Diff(c.snd.base)
	return max(0, int(c.sendBuf.n)-max(0, int(sent)))
}

// OutQueue is SIOCOUTQ, and NotSent is SIOCOUTQNSD: Unacked and Unsent with the FIN
// counted like an octet.
func (c *TCB) OutQueue() int {
	return c.Unacked() + c.finCounts(c.snd.una != c.snd.nxt || !c.snd.finSent)
}

// NotSent is SIOCOUTQNSD.
func (c *TCB) NotSent() int { return c.Unsent() + c.finCounts(!c.snd.finSent) }

func (c *TCB) finCounts(still bool) int {
	if c.snd.finQueued && still {
		return 1
	}
	return 0
}

// Unacked is the number of octets that the peer has not acknowledged.
func (c *TCB) Unacked() int { return int(c.sendBuf.n) }

// tuneSend lets the send buffer grow with the congestion window: it has to hold
// what is in flight and what follows at once.
func (c *TCB) tuneSend() {
	if want := 2 * c.cc.Cwnd; want > c.snd.limit && c.cfg.SendBufferMax > c.snd.limit && !c.env.Pool.Pressed() {
		c.snd.limit = min(want, c.cfg.SendBufferMax)
	}
}

// sendable is how many octets that are still to be written could be sent at once.
func (c *TCB) sendable() uint32 {
	n := uint32(c.snd.wnd) - min(uint32(c.snd.wnd), uint32(c.snd.nxt.From(c.snd.una)))
	n = min(n, c.cc.Cwnd-min(c.cc.Cwnd, c.inFlight()))
	return n - min(n, uint32(c.Unsent()))
}

func roundUp(n, unit uint32) uint32 { return (n + unit - 1) / unit * unit }

// roomFreed tells the user when a third of the buffer is free again, so that it
// is not woken for every segment, and less than half of NotSentLowAt is unsent.
func (c *TCB) roomFreed() {
	if low := c.cfg.NotSentLowAt; low > 0 && uint32(c.Unsent()) >= (low+1)/2 {
		return
	}
	if c.snd.wantRoom && c.sendBuf.n <= c.snd.limit-c.snd.limit/3 {
		c.snd.wantRoom = false
		c.ready |= ReadyWrite
	}
}
