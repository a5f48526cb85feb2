package walk

import (
	"testing"

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
// nothing. With Order it is the hook that wants the change: told that a connection has
// come to From, it has it go on to To, which is of the lab.
type Task struct {
	From, To tcp.State
	Do       Do
	Order    bool
}

// A Hook is one that does a task.
type Hook interface {
	tcp.Hook
	Mask() tcp.HookMask
	Saw() []Sight // what it has been shown of the change that its task is about
}

// A Sight is a call of a hook, as it tells of it itself.
type Sight struct {
	Step tcp.Step
	Move tcp.Move
}

// A Factory makes the hook for a task.
type Factory func(testing.TB, Task) Hook

// Go makes hooks in Go.
func Go(_ testing.TB, t Task) Hook { return &doing{task: t} }

// A doing is a hook that does its task.
type doing struct {
	task Task
	saw  []Sight
}

func (h *doing) At(r *tcp.Record) tcp.Verdict {
	if h.task.Order && r.Step == tcp.StepTransition && r.To == h.task.From {
		r.Arg = uint64(h.task.To)
		return tcp.GoTo
	}
	if r.From != h.task.From || r.To != h.task.To {
		return tcp.Pass
	}
	h.saw = append(h.saw, Sight{r.Step, moveOf(r)})
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

func (h *doing) Mask() tcp.HookMask                            { return watched }
func (h *doing) Saw() []Sight                                  { return h.saw }
func (h *doing) Deadline() clock.Instant                       { return clock.Never }
func (h *doing) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *doing) Clone() tcp.Hook                               { c := *h; return &c }
func (h *doing) Fingerprint(*siphash.Hash, clock.Instant)      {}

func moveOf(r *tcp.Record) tcp.Move {
	return tcp.Move{From: r.From, To: r.To, By: r.Cause, Rule: r.Rule}
}

// A probe stands between the stack and the hook and notes what the one tells and the
// other answers.
type probe struct {
	next Hook
	seen []seen
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
	s := seen{step: r.Step, move: moveOf(r), segment: r.Segment, tcp: r.TCP}
	if p.next.Mask().Has(r.Step) {
		s.verdict = p.next.At(r)
	}
	p.seen = append(p.seen, s)
	return s.verdict
}

func (p *probe) Deadline() clock.Instant { return p.next.Deadline() }
func (p *probe) Expire(now clock.Instant, b *tcp.Beside, log *event.Log) {
	p.next.Expire(now, b, log)
}
func (p *probe) Clone() tcp.Hook { panic("no world of a walk is copied") }
func (p *probe) Fingerprint(h *siphash.Hash, now clock.Instant) {
	p.next.Fingerprint(h, now)
}

// sights are the calls for an edge.
func (p *probe) sights(from, to tcp.State) (list []Sight) {
	for i := range p.seen {
		if s := &p.seen[i]; s.move.From == from && s.move.To == to {
			list = append(list, Sight{s.step, s.move})
		}
	}
	return list
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
