package sim

import (
	"slices"

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
// compares with Figure 5 and with what connections say of themselves.
type watch struct {
	edges Edges
	moved []move // since the last check
}

type move struct {
	id       uint32
	from, to tcp.State
}

const watched = tcp.HookMask(1 << tcp.StepTransition)

// At is called by the engine in the middle of its work.
func (h *watch) At(r *tcp.Record) tcp.Verdict {
	h.edges[r.From][r.To]++
	h.moved = append(h.moved, move{id: r.Conn, from: r.From, to: r.To})
	return tcp.Pass
}

// Deadline, Expire and Fingerprint: it only watches.
func (h *watch) Deadline() clock.Instant                       { return clock.Never }
func (h *watch) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *watch) Fingerprint(*siphash.Hash, clock.Instant)      {}

// Clone copies what it has noted.
func (h *watch) Clone() tcp.Hook {
	c := *h
	c.moved = slices.Clone(h.moved)
	return &c
}
