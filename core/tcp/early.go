package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
)

// What arrives early, beyond a gap, is held (SHLD-31): data at its place in the receive
// buffer, with the books of the reassembly, and a FIN in the books alone.

// place writes data that begins at start to its place in the receive buffer,
// but for what is held there already: the first octet to arrive stays
// (THREATS S18). It returns how far the data has found room.
func (c *TCB) place(start seq.Value, data []byte) int {
	end := start.Add(seq.Size(len(data)))
	for at := start; at.Before(end); {
		from, to := c.hold.gap(at, end)
		if from == to {
			break
		}
		part := data[from.From(start):to.From(start)]
		off := c.recvBuf.n + uint32(from.From(c.rcv.nxt))
		if k := c.recvBuf.put(&c.env.Pool, off, part); k < len(part) {
			return int(from.From(start)) + k
		}
		at = to
	}
	return len(data)
}

// textEarly holds data beyond RCV.NXT (SHLD-31) and asks for what is missing
// (MAY-13).
func (c *TCB) textEarly(now clock.Instant, seg *Segment) {
	c.pend |= pendAck
	start := seg.Seq
	end := start.Add(seq.Size(len(seg.Payload)))
	if c.env.Pool.Pressed() {
		c.drop(now, rule.DropMemory)
		return
	}
	if c.hold == nil {
		c.hold = c.env.takeReassembly()
	}
	if !c.hold.room(start, end) {
		c.drop(now, rule.DropReceiveFull)
		return
	}
	if !c.readShut {
		k := c.place(start, seg.Payload)
		if k < len(seg.Payload) {
			c.drop(now, rule.DropMemory)
			end = start.Add(seq.Size(k))
		}
	}
	if start != end {
		c.hold.insert(start, end)
	}
	c.settle()
}

// holdFin notes a FIN beyond a gap among what is held, so that SACK tells of it like
// of an octet, RFC 2018 §3, and DSACK of one that comes again. A FIN just at the edge
// of the window lies beyond it and is only remembered.
func (c *TCB) holdFin() {
	fin := c.rcv.fin
	if c.rcv.finished || !fin.Before(c.rcv.edge) {
		return
	}
	if c.hold == nil {
		c.hold = c.env.takeReassembly()
	}
	if from, to := c.hold.overlap(fin, fin.Add(1)); from != to {
		start := fin
		if c.rcv.dupLen > 0 && c.rcv.dup.Add(c.rcv.dupLen) == fin {
			start = c.rcv.dup // the text before it is a duplicate too
		}
		c.noteDuplicate(start, to)
	} else if c.hold.room(fin, fin.Add(1)) {
		c.hold.insert(fin, fin.Add(1))
	}
	c.settle()
}

// reach moves RCV.NXT to nxt and over what is held behind it, but not over a FIN.
func (c *TCB) reach(nxt seq.Value) {
	c.rcv.nxt = c.hold.reached(nxt)
	if c.rcv.finKnown {
		c.rcv.nxt = seq.Min(c.rcv.nxt, c.rcv.fin)
	}
}

// settle gives the reassembly back when nothing is held any more.
func (c *TCB) settle() {
	if c.hold != nil && c.hold.n == 0 {
		c.env.giveReassembly(c.hold)
		c.hold = nil
		if c.recvBuf.n == 0 {
			c.recvBuf.release(&c.env.Pool)
		}
	}
}
