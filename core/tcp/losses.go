package tcp

import (
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
)

// losses is what a connection remembers of its losses beyond one flight. As long
// as there is nothing to remember it is the stack's, which is always zero, so that
// an idle connection has none of its own: it is read as c.loss, and written through
// ownLoss.
type losses struct {
	doubt   spurious
	reorder reordering
	tlp     tlp
	prr     prr
	dsacks  uint32 // segments that the peer has reported as duplicates
}

// ownLoss is c.loss to write to.
func (c *TCB) ownLoss() *losses {
	if c.loss == &c.env.noLoss {
		c.loss = c.env.takeLosses()
	}
	return c.loss
}

// settleLoss gives the record back when nothing is in flight and nothing is left to
// remember.
func (c *TCB) settleLoss() {
	if c.loss == &c.env.noLoss {
		return
	}
	if !c.loss.doubt.on {
		c.loss.doubt = spurious{}
	}
	if !c.loss.tlp.out {
		c.loss.tlp = tlp{}
	}
	if *c.loss == (losses{}) {
		c.env.giveLosses(c.loss)
		c.loss = &c.env.noLoss
	}
}

func (l *losses) clone(from, to *Env) *losses {
	if l == &from.noLoss {
		return &to.noLoss
	}
	c := *l
	return &c
}

func (l *losses) fingerprint(h *siphash.Hash, iss seq.Value, stamp uint32) {
	l.reorder.fingerprint(h, iss)
	l.tlp.fingerprint(h, iss)
	h.WriteUint64(uint64(l.prr.flight)<<32 | uint64(l.prr.delivered))
	h.WriteUint64(uint64(l.prr.out))
	l.doubt.fingerprint(h, iss, stamp)
}
