package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Urgent data, §3.8.5 and RFC 6093. The stream has it in its place:
//
//	consumed        mark   RCV.UP
//	 |  not urgent?  | last |
//
// The mark is the place before the last urgent octet: Read does not cross it in
// one call. With UrgentInline that octet is read like all others. Without, as on
// Linux, it is kept apart for ReadUrgent, and Read passes over it.

// An urgentOctet is what is known of the urgent octet that is not in the stream.
type urgentOctet uint8

const (
	urgentNone   urgentOctet = iota // there is none, or it has been read
	urgentAwaits                    // it was announced
	urgentHere                      // it has arrived
)

// WriteUrgent is SEND of §3.10.2 with the URGENT flag: what it takes of b is urgent
// data up to its end, and stays in the stream. New applications should not use it
// (SHLD-13, RFC 6093).
func (c *TCB) WriteUrgent(now clock.Instant, b []byte) (int, error) {
	n, err := c.Write(now, b)
	if n > 0 {
		c.snd.up = c.written()
	}
	return n, err
}

// UrgentLeft is how many octets up to the end of the urgent data the user has still
// to read, arrived or not (MUST-33); 0 when there is no urgent data.
func (c *TCB) UrgentLeft() uint32 {
	if !c.rcv.urgent {
		return 0
	}
	left := c.rcv.up.Diff(c.consumed())
	return uint32(max(left, 0))
}

// mark is the place of the last urgent octet.
func (r *receive) mark() seq.Value { return r.up.Sub(1) }

func (r *receive) forgetUrgent() { r.urgent, r.apart = false, urgentNone }

// AtMark reports whether the next octet to be read is the last urgent one, as
// SIOCATMARK.
func (c *TCB) AtMark() bool { return c.UrgentLeft() == 1 }

// UrgentReady reports whether ReadUrgent would return an octet.
func (c *TCB) UrgentReady() bool { return c.rcv.apart == urgentHere && !c.cfg.UrgentInline }

// ReadUrgent returns the last urgent octet, as recv does with MSG_OOB; with peek it
// stays. It fails with ErrInvalid when there is none, or when urgent data is in the
// stream, and with ErrWouldBlock when it has only been announced.
func (c *TCB) ReadUrgent(peek bool) (byte, error) {
	switch {
	case c.released:
		return 0, ErrClosing
	case c.cfg.UrgentInline || c.rcv.apart == urgentNone:
		return 0, ErrInvalid
	case c.rcv.apart == urgentAwaits && (c.state == Closed || c.rcv.finished):
		return 0, ErrEOF
	case c.rcv.apart == urgentAwaits:
		return 0, ErrWouldBlock
	}
	if !peek {
		c.rcv.apart = urgentNone
	}
	return c.rcv.octet, nil
}

// passMark takes the urgent octet out of the stream when it is next and does not
// belong there. Who has not asked for it by then never gets it, as on Linux.
func (c *TCB) passMark(now clock.Instant) {
	if c.AtMark() && !c.cfg.UrgentInline {
		c.consume(now, 1)
	}
}

// checkUrgent is the sixth check: the urgent pointer moves forward only (U-21).
// It names the octet behind the urgent data (MUST-62).
func (c *TCB) checkUrgent(now clock.Instant, seg *Segment) {
	switch c.state {
	case Established, FinWait1, FinWait2:
	case Closed, Listen, SynSent, SynReceived, CloseWait, Closing, LastAck, TimeWait:
		return
	default:
		panic("tcp: no such state")
	}
	if seg.Flags&wire.URG != 0 && !c.readShut {
		c.advanceUrgent(now, seg)
	}
	if c.rcv.apart != urgentAwaits {
		return
	}
	if at := c.rcv.mark().Diff(seg.Seq); at >= 0 && int(at) < len(seg.Payload) {
		c.rcv.apart, c.rcv.octet = urgentHere, seg.Payload[at]
		c.ready |= ReadyUrgent
	}
}

// advanceUrgent is RCV.UP <- max(RCV.UP, SEG.UP), where RCV.UP means something only
// while it is ahead of what the user has read.
func (c *TCB) advanceUrgent(now clock.Instant, seg *Segment) {
	up := seg.first.Add(seq.Size(seg.Urgent))
	if c.cfg.UrgentAtLast || c.cfg.UrgentZero && seg.Urgent == 0 {
		up = up.Add(1)
	}
	if up.Diff(c.consumed()) <= int32(c.UrgentLeft()) {
		return
	}
	if !c.cfg.UrgentInline {
		if up.AtOrBefore(c.rcv.nxt) {
			return // its octet is in the stream already
		}
		if c.AtMark() && c.recvBuf.n > 0 {
			// What was urgent before is out of the stream, not a part of it again.
			c.consume(now, 1)
		}
		c.rcv.apart = urgentAwaits
	}
	c.rcv.up, c.rcv.urgent = up, true
	c.ready |= ReadyUrgent
	if c.env.Log.On(event.Urgent) {
		c.log(now, event.Event{Kind: event.Urgent, Rule: rule.UrgentAdvance, A: uint64(up)})
	}
}
