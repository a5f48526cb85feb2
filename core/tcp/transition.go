package tcp

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/wire"
)

// What a hook is told of changes of state, and what it may order at them:
//
//	a segment arrives   StepMoving      it will change the state: see moving.go
//	become              StepTransition  it has; GoTo and Reset are noted, see Obey
//	emit                StepMoved       the segment that leaves by it

// A Move is a change of state that has come, or will.
type Move struct {
	From, To State
	By       Cause
	Rule     rule.ID
}

// A hand holds the segment that is being handled, as it came: while it is, what lies
// outside of the window is cut off.
type hand struct {
	seg     *Segment
	seq     seq.Value
	flags   wire.Flags
	payload []byte
}

// Handle tells whose changes of state are from here on caused by a segment: those of
// seg, nobody's with nil.
func (e *Env) Handle(seg *Segment) {
	if e.hand = (hand{}); seg != nil {
		e.hand = hand{seg, seg.Seq, seg.Flags, seg.Payload}
	}
}

// Tell tells of a segment that arrives.
func (r *Record) Tell(seg *Segment) {
	r.Segment, r.TCP, r.Payload, r.TOS, r.TTL = true, seg.TCP, seg.Payload, seg.TOS, seg.TTL
}

func (r *Record) move(m Move) { r.From, r.To, r.Cause, r.Rule = m.From, m.To, m.By, m.Rule }

// Transition calls the hook for a change of state, with the segment that has caused
// it if one has. r has begun at StepTransition.
func (e *Env) Transition(r *Record, m Move) Verdict {
	r.move(m)
	if h := &e.hand; h.seg != nil && m.By == BySegment {
		r.Tell(h.seg)
		r.TCP.Seq, r.TCP.Flags, r.Payload = h.seq, h.flags, h.payload
	}
	return e.Hook.At(r)
}

// Announce is Transition where there is no connection that could obey.
func (e *Env) Announce(r *Record, m Move) {
	if v := e.Transition(r, m); v == GoTo || v == Reset {
		e.Stats.OrdersIgnored++
	}
}

// Moving is Arriving for a change of state that seg will cause. r has begun at
// StepMoving.
func (e *Env) Moving(r *Record, m Move, seg *Segment) Verdict {
	r.move(m)
	return e.Arriving(r, seg)
}

func (c *TCB) hookTransition(now clock.Instant, m Move) {
	if c.env.Hooks.Has(StepMoved) && m.To != Listen && m.Rule != rule.SynCookie {
		c.tagAll([]Move{m}) // a cookie has left before
	}
	if c.env.Hooks.Has(StepTransition) {
		r := c.at(now, StepTransition)
		v := c.env.Transition(r, m)
		c.take(v, r.Arg)
	}
}

// leavesBy reports whether a segment with these flags is the one that leaves by a
// change: the first that does what the new state is about.
func (m *Move) leavesBy(flags wire.Flags) bool {
	switch m.To {
	case SynSent, SynReceived:
		return flags&wire.SYN != 0
	case FinWait1, LastAck:
		return flags&wire.FIN != 0
	case Closed:
		return flags&wire.RST != 0 || m.From == TimeWait
	default:
		return true
	}
}

func (c *TCB) tagAll(list []Move) {
	e := c.env
	if e.moved == nil {
		e.moved = map[uint32][]Move{}
	}
	e.moved[c.id] = append(e.moved[c.id], list...)
	c.tagged = true
}

// fingerprintTags adds the changes whose segment is still to leave.
func (c *TCB) fingerprintTags(h *siphash.Hash) {
	if c.tagged {
		for _, m := range c.env.moved[c.id] {
			h.WriteUint64(uint64(m.From)<<32 | uint64(m.To)<<24 | uint64(m.By)<<16 | uint64(m.Rule))
		}
	}
}

func (c *TCB) untag() {
	if c.tagged {
		delete(c.env.moved, c.id)
		c.tagged = false
	}
}

// hookMoved asks the hook, for each change by which a segment leaves, about that
// segment. It reports whether the segment goes on.
func (c *TCB) hookMoved(now clock.Instant, d departure) bool {
	list, flags := c.env.moved[c.id], d.tcp.Flags
	for i := 0; i < len(list); {
		m := list[i]
		if !m.leavesBy(flags) {
			i++
			continue
		}
		list = slices.Delete(list, i, i+1)
		if c.env.moved[c.id] = list; len(list) == 0 {
			c.untag()
		}
		if !c.env.Hooks.Has(StepMoved) {
			continue
		}
		r := c.at(now, StepMoved)
		r.move(m)
		if !c.leaves(now, r, d) {
			return false
		}
	}
	return true
}
