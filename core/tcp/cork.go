package tcp

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
)

// What a user may say about where segments end. A cork holds back what is less than
// a segment, WriteMore does so for what one call has written, and WriteEnd says
// where a record ends. RFC 9293 has no word for them: they are Linux's.

// SetCork holds back what is less than a segment, or lets it go again. Nothing is
// held for longer than the override of the silly-window avoidance, once nothing is
// in flight.
func (c *TCB) SetCork(on bool) {
	c.snd.corked = on
	if !on {
		c.snd.more = false
	}
}

// WriteMore is Write by a user who will write more at once: what is less than a
// segment may wait for it, as with MSG_MORE, until an ACK arrives.
func (c *TCB) WriteMore(now clock.Instant, b []byte) (int, error) {
	n, err := c.write(now, b)
	if n > 0 {
		c.snd.more, c.snd.open = true, true
	}
	return n, err
}

// recordEnds are where records end that are not acknowledged, in order. They hang off
// the send buffer, which has something as long as there are any.
type recordEnds struct{ list []seq.Value }

// recordsMax bounds them.
const recordsMax = 1024

// WriteEOR is Write of the end of a record: no segment has octets from before and
// from behind it, as with MSG_EOR. The record ends where b does: a call that takes
// less than b is followed by another. With too many records that are not
// acknowledged it returns ErrWouldBlock.
func (c *TCB) WriteEOR(now clock.Instant, b []byte) (int, error) {
	if r := c.records(); r != nil && len(r.list) >= recordsMax {
		c.snd.wantRoom = true
		return 0, ErrWouldBlock
	}
	n, err := c.Write(now, b)
	if n > 0 && n == len(b) {
		if c.sendBuf.ends == nil {
			c.sendBuf.ends = &recordEnds{}
		}
		c.sendBuf.ends.list = append(c.sendBuf.ends.list, c.written())
	}
	return n, err
}

// records are those of the send buffer, nil when there are none.
func (c *TCB) records() *recordEnds {
	if c.sendBuf.ring == nil {
		return nil
	}
	return c.sendBuf.ends
}

// toRecordEnd cuts n octets from start at the end of the record in which they
// begin. ends reports whether the last of them is the last of its record.
func (c *TCB) toRecordEnd(start seq.Value, n uint32) (cut uint32, ends bool) {
	r := c.records()
	if r == nil {
		return n, false
	}
	for _, end := range r.list {
		if end.After(start) {
			left := uint32(end.From(start))
			return min(n, left), n >= left
		}
	}
	return n, false
}

// forgetRecords forgets the ends that are acknowledged.
func (c *TCB) forgetRecords() {
	r := c.records()
	if r == nil {
		return
	}
	k := 0
	for k < len(r.list) && r.list[k].AtOrBefore(c.snd.una) {
		k++
	}
	if r.list = slices.Delete(r.list, 0, k); len(r.list) == 0 {
		c.sendBuf.ends = nil
	}
}

// letGo sends what is held back, by a cork or by Nagle's algorithm, once.
func (c *TCB) letGo() { c.snd.more, c.snd.open, c.snd.flush = false, false, true }

// held reports whether a cork holds a small segment back.
func (c *TCB) held() bool {
	return (c.snd.corked || c.snd.more) && !c.snd.flush && !c.snd.up.After(c.snd.una)
}

// written is the sequence number behind what the user has written.
func (c *TCB) written() seq.Value { return c.snd.base.Add(seq.Size(c.sendBuf.n)) }
