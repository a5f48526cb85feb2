package tcp

import (
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// noteDuplicate has the next ACK say that [start, end) had arrived before (RFC
// 2883 §4), once only; of the parts of one segment the first is reported.
func (c *TCB) noteDuplicate(start, end seq.Value) {
	if c.ts.sackOK && c.cfg.DSACK && start.Before(end) {
		c.rcv.dup, c.rcv.dupLen = start, end.From(start)
	}
}

// noteOld is noteDuplicate for what of seg lies before RCV.NXT, a FIN counted. A
// peer that sends nothing but what we have may not have heard our ACKs, and hears
// the next ones at once (Linux).
func (c *TCB) noteOld(seg *Segment) {
	if seg.Len() == 0 || !seg.Seq.Before(c.rcv.nxt) {
		return
	}
	c.noteDuplicate(seg.Seq, seq.Min(seg.end(), c.rcv.nxt))
	if c.cfg.QuickAcks > 0 && !seg.end().After(c.rcv.nxt) {
		c.rcv.quick, c.rcv.pingpong = max(c.rcv.quick, c.cfg.QuickAcks), false
	}
}

// A dsack is what an ACK reports as a duplicate.
type dsack struct {
	end      seq.Value
	segs     uint32 // segments that we sent again in vain
	known    bool   // the first block is a DSACK
	spurious bool   // it may be due to reordering: RACK shall wait longer
}

// takeDSACK finds out whether the first block reports a duplicate: where it lies
// before the acknowledgment number of the same segment, or within the second block
// (RFC 2883 §5). What the peer can't have got twice from us is no evidence.
func (c *TCB) takeDSACK(seg *Segment) (d dsack) {
	o := &seg.Options
	if o.SACKCount == 0 {
		return d
	}
	b := o.SACK[0]
	if !b.Left.Before(seg.Ack) && (o.SACKCount < 2 || b.Left.Before(o.SACK[1].Left) || b.Right.After(o.SACK[1].Right)) {
		return d
	}
	d.known, d.end = true, b.Right
	if !b.Left.Before(b.Right) || b.Right.From(b.Left) > c.snd.maxWnd {
		return d
	}
	segs := (uint32(b.Right.From(b.Left)) + uint32(c.mss) - 1) / uint32(c.mss)
	l := c.ownLoss()
	l.dsacks += segs
	if l.dsacks > c.count.resent {
		return d // the network has doubled it, or the peer is lying
	}
	d.segs = segs
	// What the probe has doubled says nothing about reordering, nor does anything
	// before some was seen (Linux).
	d.spurious = l.reorder.seen > 0 && !(l.tlp.out && l.tlp.again && d.end == l.tlp.end)
	return d
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

// sackRoom is how many SACK blocks the option space holds (RFC 2018 §3): four, three
// beside timestamps, and less beside what a hook has reserved.
func (c *TCB) sackRoom() int {
	room := wire.TCPOptionsMax - int(c.reserve)
	if c.ts.on {
		room -= timestampOption
	}
	return (room - 4) / 8
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
