package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
)

// Read is RECEIVE of §3.10.3: it moves octets that arrived in order into b and
// returns their number. It never blocks: with nothing there it returns
// ErrWouldBlock, and ReadyRead tells when there is something. After the peer's
// FIN it returns ErrEOF; after a reset the octets that had arrived, then the
// error. On Linux a FIN before the reset hides it, and CloseRead does not.
func (c *TCB) Read(now clock.Instant, b []byte) (int, error) {
	if c.released {
		return 0, ErrClosing
	}
	if c.recvBuf.n > 0 && len(b) > 0 {
		c.passMark(now)
		if n := c.recvBuf.get(0, b[:min(len(b), c.Readable())]); n > 0 {
			c.consume(now, uint32(n))
			if c.env.Hooks.Has(StepRead) {
				c.hookData(now, StepRead, b[:n])
			}
			return n, nil
		}
	}
	switch {
	case c.recvBuf.n > 0: // an empty b
		return 0, nil
	case c.cfg.LinuxErrors && c.rcv.finished, !c.cfg.LinuxErrors && c.readShut:
		return 0, ErrEOF
	case c.err != NoError:
		return 0, c.err
	case c.rcv.finished || c.readShut:
		return 0, ErrEOF
	case c.state == Closed:
		return 0, ErrNotExist
	}
	return 0, ErrWouldBlock
}

// Peek copies the octets that Read would return, from offset at on, and takes none.
func (c *TCB) Peek(at int, b []byte) int {
	n := c.Readable() - at
	if at < 0 || n <= 0 {
		return 0
	}
	if c.AtMark() && !c.cfg.UrgentInline {
		at++
	}
	return c.recvBuf.get(uint32(at), b[:min(n, len(b))])
}

// consume takes the first n octets, which the user has now, out of the stream.
func (c *TCB) consume(now clock.Instant, n uint32) {
	c.recvBuf.discard(&c.env.Pool, n, c.hold != nil)
	if c.UrgentLeft() == 0 {
		c.rcv.forgetUrgent()
	}
	c.tuneReceive(now, n)
	c.pend |= pendUpdate
}

// consumed is the sequence number of the next octet that Read will return.
func (c *TCB) consumed() seq.Value {
	next := c.rcv.nxt
	if c.rcv.finished {
		next = next.Sub(1)
	}
	return next.Sub(seq.Size(c.recvBuf.n))
}

// Readable is the number of octets that Read could return now. Read stops at the
// mark of urgent data, and passes over an octet that is not in the stream.
func (c *TCB) Readable() int {
	n := int(c.recvBuf.n)
	switch left := int(c.UrgentLeft()); {
	case left > 1:
		return min(n, left-1)
	case left == 1 && !c.cfg.UrgentInline:
		return max(n, 1) - 1
	}
	return n
}

// InQueue is SIOCINQ: the octets that have arrived and that the user has not read,
// up to the urgent octet if there is one that is not in the stream.
func (c *TCB) InQueue() int {
	n := int(c.recvBuf.n)
	if left := int(c.UrgentLeft()); left > 0 && left <= n && !c.cfg.UrgentInline {
		return left - 1
	}
	return n
}

// tuneReceive doubles the receive buffer when the user has read half of it
// within two round trips: then the window may be what holds the peer back.
func (c *TCB) tuneReceive(now clock.Instant, n uint32) {
	r := &c.rcv
	r.tuned += n
	trip := r.echoRTT
	if trip == 0 {
		trip = max(c.rtt.srtt, clock.Millisecond)
	}
	elapsed := now.Sub(r.tuneAt)
	switch {
	case r.tuned >= r.limit/2 && elapsed <= 2*trip:
		if r.limit < c.cfg.ReceiveBufferMax && !c.env.Pool.Pressed() {
			r.limit = min(2*r.limit, c.cfg.ReceiveBufferMax)
		}
		r.tuned, r.tuneAt = 0, now
	case elapsed > 2*trip:
		r.tuned, r.tuneAt = 0, now
	}
}

// CloseRead tells that the user reads no more. What has arrived is dropped, and
// what still arrives is acknowledged and dropped, so that the peer can finish.
func (c *TCB) CloseRead(now clock.Instant) error {
	if c.released {
		return ErrClosing
	}
	if c.state == Closed || c.state == Listen {
		return ErrNotConnected
	}
	c.readShut = true
	c.rcv.forgetUrgent()
	c.recvBuf.discard(&c.env.Pool, c.recvBuf.n, c.hold != nil)
	c.ready |= ReadyRead
	c.pend |= pendUpdate
	return nil
}

// target is the right edge that the window would have if all free room were
// offered now.
func (c *TCB) target() seq.Value {
	free := uint32(0)
	if c.recvBuf.n < c.rcv.limit {
		free = c.rcv.limit - c.recvBuf.n
	}
	free = min(free, 65535<<c.rcv.scale) // what the field can say
	return c.rcv.nxt.Add(seq.Size(free))
}

// offer moves the right edge and returns the window field that says where it is
// (§3.8.6.2.2, MUST-39: only in steps worth it; SHLD-14: never to the left). The
// field is rounded up, so that the edge does not move to the left, as long as
// there is room for what that adds: else segments smaller than the unit would
// carry the edge on for ever. Where there is none the peer sees an edge that is
// less than a unit behind the one that we go by, RFC 7323 §2.4.
func (c *TCB) offer(syn bool) uint16 {
	r := &c.rcv
	target := c.target()
	if syn {
		// The window field of a SYN is not scaled. One that goes again may say less
		// than an ACK has said since, and takes nothing back.
		w := min(target.From(r.nxt), 65535)
		if edge := r.nxt.Add(w); !r.offered || edge.After(r.edge) {
			r.edge, r.offered = edge, true
		}
		return uint16(w)
	}
	shift := r.scale
	unit := seq.Size(1) << shift
	if c.worth(target) && !c.env.Pool.Pressed() {
		if w := target.From(r.nxt) &^ (unit - 1); w > r.window() {
			r.edge = r.nxt.Add(w)
		}
	}
	field := r.window() >> shift
	if edge := r.nxt.Add((field + 1) << shift); field<<shift < r.window() && edge.AtOrBefore(target) {
		field++
		r.edge = edge
	}
	return uint16(min(field, 65535))
}

// worth reports whether moving the edge to target opens the window by enough:
// half the buffer or a full segment, whichever is less.
func (c *TCB) worth(target seq.Value) bool {
	if !c.rcv.offered {
		return true
	}
	if !target.After(c.rcv.edge) {
		return false
	}
	gain := target.From(c.rcv.edge)
	return gain >= min(seq.Size(c.rcv.limit/2), seq.Size(c.ownMSS()))
}

// updateDue reports whether reading has opened the window so far that the peer
// should hear of it without having to ask: to at least twice what it knows of.
func (c *TCB) updateDue() bool {
	if c.rcv.finished || !c.state.Synchronized() || c.state == TimeWait {
		return false
	}
	target := c.target()
	return c.worth(target) && target.After(c.rcv.nxt) && target.From(c.rcv.nxt) >= 2*c.rcv.window() && !c.env.Pool.Pressed()
}
