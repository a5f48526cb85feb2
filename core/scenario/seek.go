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

// keep takes a copy of w, which has made so many steps, if one is due and there is
// none.
func (k *checkpoints) keep(step int, w *sim.World) {
	if k.spacing == 0 {
		k.spacing = firstSpacing
	}
	if step%k.spacing != 0 {
		return
	}
	if n := len(k.list); n > 0 && k.list[n-1].step >= step {
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
// stands: at the end if there are not so many, and where it was if the way back needs
// plugins that can't be loaded again.
func (r *Run) Seek(step int) int {
	step = max(step, 0)
	for r.steps < step && r.advance() {
	}
	step = min(step, r.steps)
	if step == r.steps {
		r.at, r.here = step, r.front
		return step
	}
	if r.plugins != nil {
		return r.seekOwn(step)
	}
	r.rewind(step)
	r.walk(step)
	return r.at
}

// rewind puts the cursor to the nearest checkpoint, unless it is nearer itself.
func (r *Run) rewind(step int) {
	if c := r.back.before(step); r.here == r.front || step < r.at || c.step > r.at {
		r.at, r.here = c.step, c.world.Clone()
	}
}

// walk steps from where the cursor is.
func (r *Run) walk(step int) {
	for ; r.at < step; r.at++ {
		r.here.Step()
	}
}

// An own is what a run with plugins has for its cursor. A copy of a world shares the
// memory of its plugins, so that what is done again in a copy of the front would be
// seen there. The cursor has a world with plugins of its own, and copies of that; where
// even these come to something else, which the hashes show, the plugins keep in their
// memory what counts, and each way back begins at the beginning.
type own struct {
	load   Loader
	hashes []uint64 // by step, at the front
	cfg    *sim.Config
	anew   bool // each way back begins at the beginning
}

// seekOwn moves the cursor of a run with plugins to a step behind the front. It stays
// where it is if the plugins can't be loaded again.
func (r *Run) seekOwn(step int) int {
	p := r.plugins
	back := r.here == r.front || step < r.at
	if p.anew || p.cfg == nil {
		if back && !r.afresh() {
			return r.at
		}
	} else {
		r.rewind(step)
	}
	for r.at < step {
		r.walk(r.at + 1)
		if !p.anew {
			r.back.keep(r.at, r.here)
		}
	}
	if !p.anew && r.here.Hash() != p.hashes[step] {
		p.anew, r.back = true, checkpoints{}
		if r.afresh() {
			r.walk(step)
		}
	}
	return r.at
}

// afresh puts the cursor to the beginning of a world with plugins of its own.
func (r *Run) afresh() bool {
	cfg, err := r.s.config(r.plugins.load)
	if err != nil {
		return false
	}
	w, err := sim.New(cfg)
	if err != nil {
		return false
	}
	r.plugins.close()
	r.plugins.cfg = cfg
	r.at, r.here, r.back = 0, w, checkpoints{}
	if !r.plugins.anew {
		r.back.keep(0, w)
	}
	return true
}

// close lets go of the plugins that the cursor had.
func (p *own) close() {
	if p.cfg == nil {
		return
	}
	for i := range p.cfg.Hosts {
		if c, ok := p.cfg.Hosts[i].Hook.(interface{ Close() error }); ok {
			c.Close() // it has nothing to say to anybody any more
		}
	}
}

// Clone is a run with the same past and a future of its own.
func (r *Run) Clone() *Run {
	c := *r
	c.front, c.rec = r.front.Clone(), r.rec.clone()
	if c.here = c.front; r.here != r.front {
		c.here = r.here.Clone()
	}
	c.back.list = slices.Clone(r.back.list) // worlds that nobody steps
	if r.plugins != nil {
		p := *r.plugins
		p.hashes, p.cfg = slices.Clip(p.hashes), nil
		c.plugins, c.back = &p, checkpoints{}
	}
	c.front.Observe(c.rec)
	return &c
}
