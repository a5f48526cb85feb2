package tcp

import (
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// noteDuplicate has the next ACK say that [start, end) had arrived before (RFC
// 2883 §4). It goes at once, and once only; of the parts of one segment the first
// is reported.
func (c *TCB) noteDuplicate(start, end seq.Value) {
	if !start.Before(end) {
		return
	}
	c.pend |= pendAck
	if c.cfg.QuickAcks > 0 {
		// The peer sends what we have: it may not have heard our ACKs, and must hear
		// the next ones soon (Linux).
		c.rcv.quick, c.rcv.pingpong = max(c.rcv.quick, c.cfg.QuickAcks), false
	}
	if c.ts.sackOK && c.cfg.DSACK {
		c.rcv.dup, c.rcv.dupLen = start, end.From(start)
	}
}

// noteOld is noteDuplicate for what of seg lies before RCV.NXT, a FIN counted.
func (c *TCB) noteOld(seg *Segment) {
	c.noteDuplicate(seg.Seq, seq.Min(seg.end(), c.rcv.nxt))
}

// sackCount is how many SACK blocks the next segment will carry.
func (c *TCB) sackCount() int {
	if !c.ts.sackOK {
		return 0
	}
	n := 0
	if c.rcv.dupLen > 0 {
		n++
	}
	if c.hold != nil {
		n += c.hold.known
	}
	return min(n, c.sackRoom())
}

// sackRoom is how many SACK blocks the option space holds (RFC 2018 §3).
func (c *TCB) sackRoom() int {
	if c.ts.on {
		return 3
	}
	return 4
}

// putSACK fills in the SACK option: first the duplicate (RFC 2883 §4), then what
// is held, the most recent first, which is where a duplicate beyond RCV.NXT lies.
func (c *TCB) putSACK(o *wire.Options) {
	n := 0
	if c.rcv.dupLen > 0 {
		o.SACK[0] = wire.SACKBlock{Left: c.rcv.dup, Right: c.rcv.dup.Add(c.rcv.dupLen)}
		c.rcv.dupLen = 0
		n = 1
	}
	if c.hold != nil {
		n = c.hold.blocks(&o.SACK, n, c.sackRoom())
	}
	o.Has |= wire.HasSACK
	o.SACKCount = uint8(n)
}
