package core

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
)

// timers is a heap of deadlines, one for each slot of a table. It is moved
// lazily: a deadline that comes nearer is moved at once, one that goes away stays
// until it surfaces, when the owner gives the true one. So a connection that
// pushes its retransmission timer back with each ACK never touches the heap.
type timers struct {
	heap []timer
	pos  []int32 // by slot: index in heap + 1; 0: not armed
}

type timer struct {
	at   clock.Instant
	slot int32
}

// top returns the earliest deadline known, clock.Never when none is.
func (t *timers) top() (slot int32, at clock.Instant) {
	if len(t.heap) == 0 {
		return -1, clock.Never
	}
	return t.heap[0].slot, t.heap[0].at
}

// nearer makes sure that slot surfaces at the latest at the given time.
func (t *timers) nearer(slot int32, at clock.Instant) {
	if at == clock.Never {
		return
	}
	if int(slot) >= len(t.pos) {
		t.pos = append(t.pos, make([]int32, int(slot)+1-len(t.pos))...)
	}
	i := t.pos[slot] - 1
	if i < 0 {
		t.heap = append(t.heap, timer{at, slot})
		t.up(int32(len(t.heap)-1), timer{at, slot})
	} else if at < t.heap[i].at {
		t.up(i, timer{at, slot})
	}
}

// set moves slot, which is armed, to the given time, or takes it out for Never.
func (t *timers) set(slot int32, at clock.Instant) {
	if at == clock.Never {
		t.remove(slot)
		return
	}
	i := t.pos[slot] - 1
	if at < t.heap[i].at {
		t.up(i, timer{at, slot})
	} else {
		t.down(i, timer{at, slot})
	}
}

// remove takes slot out.
func (t *timers) remove(slot int32) {
	if int(slot) >= len(t.pos) || t.pos[slot] == 0 {
		return
	}
	i := t.pos[slot] - 1
	t.pos[slot] = 0
	n := int32(len(t.heap) - 1)
	moved := t.heap[n]
	t.heap = t.heap[:n]
	if i == n {
		return
	}
	if i > 0 && moved.at < t.heap[(i-1)/2].at {
		t.up(i, moved)
	} else {
		t.down(i, moved)
	}
}

// up and down put e at index i or where it belongs from there. Equal deadlines
// keep no order of their own, but the same one in every run.
func (t *timers) up(i int32, e timer) {
	for i > 0 {
		parent := (i - 1) / 2
		if t.heap[parent].at <= e.at {
			break
		}
		t.heap[i] = t.heap[parent]
		t.pos[t.heap[i].slot] = i + 1
		i = parent
	}
	t.heap[i] = e
	t.pos[e.slot] = i + 1
}

func (t *timers) down(i int32, e timer) {
	n := int32(len(t.heap))
	for {
		child := 2*i + 1
		if child >= n {
			break
		}
		if child+1 < n && t.heap[child+1].at < t.heap[child].at {
			child++
		}
		if e.at <= t.heap[child].at {
			break
		}
		t.heap[i] = t.heap[child]
		t.pos[t.heap[i].slot] = i + 1
		i = child
	}
	t.heap[i] = e
	t.pos[e.slot] = i + 1
}

func (t *timers) clone() timers {
	return timers{heap: slices.Clone(t.heap), pos: slices.Clone(t.pos)}
}
