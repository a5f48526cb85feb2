package tcp

import "github.com/tcpkit/tcpkit/core/clock"

// F-RTO, RFC 5682: after a timeout the first ACK that moves SND.UNA is answered by
// new data instead of more of the old. If the next ACK is for something that was
// sent once, before the timeout, it was only late: the timeout was spurious. The
// steps are those of §2.1 without SACK and of §3.1 with it.
type frtoStep uint8

const (
	frtoOff  frtoStep = iota
	frtoWait          // step 2: for the ACK of what the timeout has sent again
	frtoNew           // step 3: new data goes, or has gone, and nothing again
)

// frtoBegin is step 1.
func (c *TCB) frtoBegin(reduced bool) {
	c.rec.frto = frtoOff
	if c.cfg.FRTO && (reduced || c.retries > 1) && c.snd.wnd > 0 {
		c.rec.frto = frtoWait
	}
}

// spuriousTimeout reports whether an ACK shows that the timeout was spurious.
func (c *TCB) spuriousTimeout(n *news) bool {
	if n.advance > 0 && (c.original(n.seg) || c.allDuplicates()) {
		return true
	}
	if c.rec.frto == frtoOff || c.rec.frto == frtoWait && !c.cfg.FRTOAtOnce {
		return false
	}
	// Step 3b. Without SACK an ACK that covers something that went again does not
	// tell which transmission brought it on.
	return n.got.timed && !n.got.low.After(c.rec.point) && (c.ts.sackOK || !n.got.again)
}

// frtoNext goes from step to step with an ACK that did not show it.
func (c *TCB) frtoNext(now clock.Instant, n *news) {
	switch c.rec.frto {
	case frtoWait:
		switch {
		case n.advance > 0:
			c.rec.point = c.snd.nxt // step 2b
			c.rec.frto = frtoNew
		case n.duplicate && !c.ts.sackOK:
			c.rec.frto = frtoOff // §2.1 step 2a
		}
	case frtoNew:
		if n.duplicate || n.advance == 0 && n.delivered > 0 {
			c.rec.frto = frtoOff // step 3a: the loss was real
			c.cc.Cwnd = min(c.cc.Cwnd, 3*uint32(c.mss))
			c.logCongestion(now)
		}
	case frtoOff:
	}
}

// frtoFails reports whether new data could not be sent: then what is lost goes
// again as ever (step 2b).
func (c *TCB) frtoFails() bool {
	if c.rec.frto == frtoNew && c.snd.nxt == c.rec.point {
		c.rec.frto = frtoOff
		return true
	}
	return false
}
