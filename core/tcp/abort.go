package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
)

// Abort is ABORT of §3.10.5 by a user who also gives its handle back: queues are
// flushed, and the peer is told by a reset where it knows of the connection.
func (c *TCB) Abort(now clock.Instant) {
	c.released = true
	c.AbortWith(now, ErrAborted, ByCall, rule.AbortReset)
}

// AbortWith ends the connection for a reason other than its user's; the user
// finds err.
func (c *TCB) AbortWith(now clock.Instant, err Error, by Cause, id rule.ID) {
	switch c.state {
	case Closed, Listen:
		c.forget()
	case Closing, LastAck:
		// §3.10.4 enters these when the FIN goes; here it may still be queued, and
		// then the peer waits for more. Linux resets alike.
		if c.waiting() {
			c.reset(now, err, by, id)
			return
		}
		c.end(now, err, by, silent(id))
	case SynSent, TimeWait:
		c.end(now, err, by, silent(id))
	case SynReceived, Established, FinWait1, FinWait2, CloseWait:
		c.reset(now, err, by, id)
	default:
		panic("tcp: no such state")
	}
}

// silent is the rule of an abort that sends nothing: §3.10.5 asks for a reset in the
// states between SYN-SENT and CLOSING alone.
func silent(id rule.ID) rule.ID {
	if id == rule.AbortReset {
		return rule.AbortSilent
	}
	return id
}

// AbortForMemory ends the connection, if it has not ended, so that its memory is
// there for others: what has arrived is flushed too, read or not (§3.10.5).
func (c *TCB) AbortForMemory(now clock.Instant) {
	c.AbortWith(now, ErrResources, ByTimer, rule.MemoryPressure)
	c.forgetReceived()
}

// reset ends the connection and sends <SEQ=SND.NXT><CTL=RST,ACK>.
func (c *TCB) reset(now clock.Instant, err Error, by Cause, id rule.ID) {
	c.pend |= pendReset
	c.end(now, err, by, id)
}

// end ends the connection in silence.
func (c *TCB) end(now clock.Instant, err Error, by Cause, id rule.ID) {
	if c.err == NoError {
		c.err = err
	}
	if err != NoError {
		c.env.Stats.Aborted++
	}
	c.become(now, Closed, by, id)
	c.forget()
}

// softError notes an error that does not end the connection (§3.9.1.8, MUST-47).
func (c *TCB) softError(now clock.Instant, e Error, id rule.ID, detail uint64) {
	c.soft = e
	if c.cfg.SoftErrors {
		c.ready |= ReadyError
		if c.env.Log.On(event.SoftError) {
			c.log(now, event.Event{Kind: event.SoftError, Rule: id, By: uint8(e), A: detail})
		}
	}
}
