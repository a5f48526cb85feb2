package scenario

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/sim"
)

// Checkpoints are copies of the world, evenly spaced. When there are too many, every
// other one goes and the spacing doubles.
const (
	maxCheckpoints    = 64
	firstSpacing      = 16
	checkpointsOctets = 64 << 20 // that the stacks of all of them hold
)

type checkpoint struct {
	step  int
	held  int
	world *sim.World
}

type checkpoints struct {
	list    []checkpoint
	spacing int
	held    int
}

// keep takes a copy of w, which has made so many steps, if one is due.
func (k *checkpoints) keep(step int, w *sim.World) {
	if k.spacing == 0 {
		k.spacing = firstSpacing
	}
	if step%k.spacing != 0 {
		return
	}
	held := w.Held()
	k.list = append(k.list, checkpoint{step, held, w.Clone()})
	k.held += held
	for len(k.list) > maxCheckpoints || k.held > checkpointsOctets && len(k.list) > 2 {
		k.spacing *= 2
		k.thin()
	}
}

// thin leaves those that are at multiples of the spacing.
func (k *checkpoints) thin() {
	all := k.list
	k.list, k.held = k.list[:0], 0
	for _, c := range all {
		if c.step%k.spacing == 0 {
			k.list = append(k.list, c)
			k.held += c.held
		}
	}
	clear(all[len(k.list):])
}

// before is the last one that is not behind a step.
func (k *checkpoints) before(step int) checkpoint {
	i := len(k.list) - 1
	for i > 0 && k.list[i].step > step {
		i--
	}
	return k.list[i]
}

// Seek moves the cursor to a step, recording what was not yet, and returns where it
// stands: at the end if there are not so many.
func (r *Run) Seek(step int) int {
	step = max(step, 0)
	for r.steps < step && r.advance() {
	}
	step = min(step, r.steps)
	if step == r.steps {
		r.at, r.here = step, r.front
		return step
	}
	if c := r.back.before(step); r.here == r.front || step < r.at || c.step > r.at {
		r.at, r.here = c.step, c.world.Clone()
	}
	for ; r.at < step; r.at++ {
		r.here.Step()
	}
	return r.at
}

// Clone is a run with the same past and a future of its own.
func (r *Run) Clone() *Run {
	c := *r
	c.front, c.rec = r.front.Clone(), r.rec.clone()
	if c.here = c.front; r.here != r.front {
		c.here = r.here.Clone()
	}
	c.back.list = slices.Clone(r.back.list) // worlds that nobody steps
	c.front.Observe(c.rec)
	return &c
}
