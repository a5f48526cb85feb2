package walk

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Do is what a hook does at an edge.
type Do uint8

// What hooks do.
const (
	Observe      Do = iota // nothing
	MarkArriving           // the segment that is about to cause the change gets the window Mark
	StopArriving           // and loses all its flags, so that it causes nothing
	MarkLeaving            // the segment that leaves by the change gets the window Mark
)

// Mark is a window that nobody offers.
const Mark = 4242

// A Task is what a hook has to do, at which change of state. At others it does
// nothing.
type Task struct {
	From, To tcp.State
	Do       Do
}

// A Factory makes a hook for a task, and says at which steps it is called.
type Factory func(Task) (tcp.Hook, tcp.HookMask)

// Go makes hooks in Go.
func Go(t Task) (tcp.Hook, tcp.HookMask) {
	return &doing{t}, tcp.Mask(tcp.StepTransition, tcp.StepMoving, tcp.StepMoved)
}

// A doing is a hook that does its task.
type doing struct{ task Task }

func (h *doing) At(r *tcp.Record) tcp.Verdict {
	if r.From != h.task.From || r.To != h.task.To {
		return tcp.Pass
	}
	switch {
	case r.Step == tcp.StepMoving && h.task.Do == MarkArriving, r.Step == tcp.StepMoved && h.task.Do == MarkLeaving:
		r.TCP.Window = Mark
	case r.Step == tcp.StepMoving && h.task.Do == StopArriving:
		r.TCP.Flags = 0
	default:
		return tcp.Pass
	}
	return tcp.Mutated
}

func (h *doing) Deadline() clock.Instant                       { return clock.Never }
func (h *doing) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *doing) Clone() tcp.Hook                               { c := *h; return &c }
func (h *doing) Fingerprint(*siphash.Hash, clock.Instant)      {}

// A probe stands between the stack and the hook and notes what the one tells and the
// other answers. Orders of the lab are its own.
type probe struct {
	next   tcp.Hook
	mask   tcp.HookMask
	orders map[tcp.State]tcp.State // to be ordered in the one state: to go to the other
	seen   []seen
}

// A seen is one call.
type seen struct {
	step    tcp.Step
	move    tcp.Move
	segment bool
	tcp     wire.TCP // as it was before the hook
	verdict tcp.Verdict
}

const watched = tcp.HookMask(1<<tcp.StepTransition | 1<<tcp.StepMoving | 1<<tcp.StepMoved)

func (p *probe) At(r *tcp.Record) tcp.Verdict {
	s := seen{step: r.Step, move: tcp.Move{From: r.From, To: r.To, By: r.Cause, Rule: r.Rule}, segment: r.Segment, tcp: r.TCP}
	if p.mask.Has(r.Step) {
		s.verdict = p.next.At(r)
	}
	p.seen = append(p.seen, s)
	if to, ok := p.orders[r.To]; ok && r.Step == tcp.StepTransition && s.verdict == tcp.Pass {
		r.Arg = uint64(to)
		return tcp.GoTo
	}
	return s.verdict
}

func (p *probe) Deadline() clock.Instant { return p.next.Deadline() }
func (p *probe) Expire(now clock.Instant, b *tcp.Beside, log *event.Log) {
	p.next.Expire(now, b, log)
}
func (p *probe) Clone() tcp.Hook { c := *p; c.next = p.next.Clone(); return &c }
func (p *probe) Fingerprint(h *siphash.Hash, now clock.Instant) {
	p.next.Fingerprint(h, now)
}

// at gives the call at a step for an edge, nil if there was none.
func (p *probe) at(step tcp.Step, from, to tcp.State) *seen {
	for i := range p.seen {
		if s := &p.seen[i]; s.step == step && s.move.From == from && s.move.To == to {
			return s
		}
	}
	return nil
}
