package sim

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// Edges counts changes of state, by old and new state.
type Edges [tcp.TimeWait + 1][tcp.TimeWait + 1]uint64

// Add takes in what somebody else has counted.
func (e *Edges) Add(o *Edges) {
	for from := range e {
		for to := range e[from] {
			e[from][to] += o[from][to]
		}
	}
}

// Missing lists the edges of Figure 5 that were never taken.
func (e *Edges) Missing() (m []tcp.Edge) {
	for _, edge := range tcp.Edges() {
		if e[edge.From][edge.To] == 0 {
			m = append(m, edge)
		}
	}
	return m
}

// A watch is the hook of one stack: it notes every change of state, which check
// compares with Figure 5 and with what connections say of themselves. The hook that
// the Config has for the host is called behind it.
type watch struct {
	edges Edges
	moved []move // since the last check
	next  tcp.Hook
	mask  tcp.HookMask // the steps of next
}

type move struct {
	id       uint32
	from, to tcp.State
}

const watched = tcp.HookMask(1 << tcp.StepTransition)

// At is called by the engine in the middle of its work.
func (h *watch) At(r *tcp.Record) tcp.Verdict {
	if r.Step == tcp.StepTransition {
		h.edges[r.From][r.To]++
		h.moved = append(h.moved, move{id: r.Conn, from: r.From, to: r.To})
	}
	if h.mask.Has(r.Step) {
		return h.next.At(r)
	}
	return tcp.Pass
}

// Deadline is that of the hook behind it: it only watches.
func (h *watch) Deadline() clock.Instant {
	if h.next == nil {
		return clock.Never
	}
	return h.next.Deadline()
}

// Expire is that of the hook behind it.
func (h *watch) Expire(now clock.Instant, b *tcp.Beside, log *event.Log) {
	if h.next != nil {
		h.next.Expire(now, b, log)
	}
}

// Fingerprint is that of the hook behind it.
func (h *watch) Fingerprint(f *siphash.Hash, now clock.Instant) {
	if h.next != nil {
		h.next.Fingerprint(f, now)
	}
}

// Own is tcp.Owner for the hook behind it.
func (h *watch) Own(k cc.Controller, log *event.Log) cc.Controller {
	if o, ok := h.next.(tcp.Owner); ok {
		return o.Own(k, log)
	}
	return k
}

// Clone copies what it has noted, and the hook behind it.
func (h *watch) Clone() tcp.Hook {
	c := *h
	c.moved = slices.Clone(h.moved)
	if h.next != nil {
		c.next = h.next.Clone()
	}
	return &c
}
