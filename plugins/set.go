package plugins

import (
	"slices"

	"errors"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// A Set is the plugins of one stack, as its tcp.Hook. They are called one after
// the other, by the priority that they ask for and then in the order in which
// they came; what one changes, the next one sees. The first that stops a segment
// ends that. THREATS P17.
type Set struct {
	plugins []*Plugin            // by index, nil where one was removed
	at      [tcp.Steps][]*Plugin // in the order in which they are called
	batched [tcp.Steps][]*Plugin // those that are told later
	edited  [tcp.Steps]bool      // at which payload may be changed that leaves
	order   []*Plugin            // all, in that order
	edits   map[uint32]*edits    // by connection
	mask    tcp.HookMask

	watch       func(a *tcp.Act) // nil: nobody looks
	controllers []*Controller
	log         *event.Log // of the stack, for controllers, which are given none; nil: not known
	*scratch
}

// scratch is room for the call at hand. Copies of a Set share it.
type scratch struct {
	image        []byte
	shownPayload uint32
	view         view     // what of the record at hand is in image
	have         sections // likewise
	parts        [6]Part
	rest         tcp.Record // what a record would be with the changes that are being looked at
	payload      []byte     // of it, if that is longer than it was
	options      [maxOptionOctets]byte
	had          []byte // payload and options of the record at hand, of changes that were taken
	hadOptions   [maxOptionOctets]byte
	before       []byte // the payload before the plugins saw it
	aside        tcp.Aside
	editedAt     seq.Value  // of the first octet of before
	idle         tcp.Record // of a call that is about nothing
}

// A view is what a record shows.
type view uint8

const (
	viewNone view = iota
	viewBlind
	viewOpen
)

// NewSet returns a Set without plugins.
func NewSet() *Set { return &Set{scratch: &scratch{}} }

// Add puts a plugin into the chain. Its name becomes one that no other has: a
// second "drop" is called "drop#2". The stack has to be told of the new Mask.
func (s *Set) Add(p *Plugin) {
	p.index = len(s.plugins)
	base := p.name
	for n := uint64(2); s.Plugin(p.name) != nil; n++ {
		p.name = string(appendUint(append([]byte(base), '#'), n))
	}
	p.commands.named(p.name)
	s.plugins = append(s.plugins, p)
	s.arrange()
}

// Plugin returns the plugin of a name, nil if there is none.
func (s *Set) Plugin(name string) *Plugin {
	for _, p := range s.order {
		if p.name == name {
			return p
		}
	}
	return nil
}

// Plugins returns the plugins in the order in which they are called.
func (s *Set) Plugins() []*Plugin { return slices.Clone(s.order) }

// Names gives the names by index, as events have it: "" where one was removed.
func (s *Set) Names() []string {
	names := make([]string, len(s.plugins))
	for i, p := range s.plugins {
		if p != nil {
			names[i] = p.name
		}
	}
	return names
}

// Lab reports whether a plugin may break the RFC, so that what is seen on the
// wire is not to be taken for what the stack does.
func (s *Set) Lab() bool {
	return slices.ContainsFunc(s.order, func(p *Plugin) bool { return p.grants.Has(GrantLab) })
}

// arrange makes the tables for each step, so that a step costs nothing that no
// plugin wants.
func (s *Set) arrange() {
	s.order = s.order[:0:0]
	for _, p := range s.plugins {
		if p != nil {
			s.order = append(s.order, p)
		}
	}
	for i, p := range s.order {
		for ; i > 0 && s.order[i-1].manifest.Priority > p.manifest.Priority; i-- {
			s.order[i] = s.order[i-1]
		}
		s.order[i] = p
	}
	s.at, s.batched, s.edited, s.mask = [tcp.Steps][]*Plugin{}, [tcp.Steps][]*Plugin{}, [tcp.Steps]bool{}, 0
	size := 0
	for _, p := range s.order {
		size = max(size, int(p.size))
		if p.life.out == OutDetached || p.life.out == OutClosed || p.life.out == OutStruck && !p.manifest.Guard {
			continue
		}
		for step := range tcp.Steps {
			h := hookAt(step)
			if p.exports.has(h) {
				s.at[step] = append(s.at[step], p)
				s.mask |= tcp.Mask(step)
			}
			if p.batched.has(h) {
				s.batched[step] = append(s.batched[step], p)
				s.mask |= tcp.Mask(step)
			}
		}
		if p.grants.Has(GrantPayload) {
			for _, step := range [...]tcp.Step{tcp.StepLeaving, tcp.StepMoved} {
				s.edited[step] = s.edited[step] || p.exports.has(hookAt(step))
			}
		}
		if p.manifest.State > 0 {
			s.mask |= tcp.Mask(tcp.StepClosed)
		}
	}
	if len(s.edits) > 0 {
		// What was changed by a plugin that is gone leaves as it did all the same.
		s.edited[tcp.StepLeaving] = true
		s.mask |= tcp.Mask(tcp.StepLeaving)
	}
	if s.edited[tcp.StepLeaving] || s.edited[tcp.StepMoved] {
		s.mask |= tcp.Mask(tcp.StepClosed)
	}
	if size > len(s.image) {
		s.image = make([]byte, size)
	}
	s.view = viewNone
}

// Mask has the steps at which the set is to be called. It changes with its
// plugins; a mask that names more than it has does no harm.
func (s *Set) Mask() tcp.HookMask { return s.mask }

// At is tcp.Hook.
func (s *Set) At(r *tcp.Record) tcp.Verdict {
	verdict := tcp.Pass
	s.view = viewNone
	if s.edited[r.Step] {
		verdict = s.beforeEdits(r)
	}
	left := false
	for _, p := range s.at[r.Step] {
		if !p.wants(r) {
			continue
		}
		v := s.asked(p, r)
		left = left || p.life.out != NotOut
		if v == tcp.Pass {
			continue
		}
		verdict = v
		if v != tcp.Mutated {
			break
		}
	}
	if s.edited[r.Step] {
		verdict = s.afterEdits(r, verdict)
	}
	for _, p := range s.batched[r.Step] {
		if p.life.out == NotOut && p.wants(r) {
			s.note(p, r)
			left = left || p.life.out != NotOut
		}
	}
	if r.Step == tcp.StepClosed {
		s.forget(r.Conn)
	}
	if left {
		s.arrange()
	}
	return verdict
}

// ask calls a plugin, and obeys it in what it may want.
func (s *Set) ask(p *Plugin, r *tcp.Record) tcp.Verdict {
	if why, ok := p.here(r.Now); !ok {
		return s.without(p, r, why)
	}
	h := hookAt(r.Step)
	result, why := p.call(r.Now, h.hook, 0, s.image, s.put(p, h, r))
	if why == WhyVerdict {
		why = s.carryOut(p, r)
	}
	if why == WhyVerdict {
		var v tcp.Verdict
		if v, why = s.judge(p, h, r, result); why == WhyVerdict {
			return v
		}
	}
	p.blame(r.Log, r.Now, r, h.hook, result, why)
	return s.without(p, r, WhyAbsent)
}

// guarded are the steps at which a plugin in mode guard is missed.
var guarded = tcp.Mask(tcp.StepMoving, tcp.StepMoved, tcp.StepArriving, tcp.StepLeaving, tcp.StepSyn, tcp.StepIngress, tcp.StepEgress)

// without is the verdict in place of a plugin that could give none. THREATS P14.
func (s *Set) without(p *Plugin, r *tcp.Record, why Why) tcp.Verdict {
	if !p.manifest.Guard || !guarded.Has(r.Step) {
		if why == WhySkipped {
			p.tell(r.Log, r.Now, r, abi.Pass, 0, why)
		}
		return tcp.Pass
	}
	p.tell(r.Log, r.Now, r, abi.Drop, 0, why)
	return tcp.DropIt
}

// forget drops what was kept of a connection.
func (s *Set) forget(conn uint32) {
	delete(s.edits, conn)
	for _, p := range s.order {
		p.states.drop(conn)
	}
}

// Deadline is tcp.Hook: the next timer, batch or new start.
func (s *Set) Deadline() clock.Instant {
	at := clock.Never
	for _, p := range s.order {
		at = min(at, p.deadline())
	}
	return at
}

func (p *Plugin) deadline() clock.Instant {
	if p.life.out != NotOut {
		return clock.Never
	}
	if p.life.waiting {
		return p.life.backAt
	}
	return min(p.timers.deadline(), p.batch.deadline())
}

// Expire is tcp.Hook: batches that have waited long enough, timers, and plugins
// that are started again.
func (s *Set) Expire(now clock.Instant, b *tcp.Beside, log *event.Log) {
	left := false
	for _, p := range s.order {
		if p.life.out != NotOut {
			continue
		}
		if p.life.waiting && !p.life.backAt.After(now) {
			p.revive(now, log)
		}
		if !p.batch.deadline().After(now) {
			s.deliver(p, now, log)
		}
		s.fire(p, now, b, log)
		left = left || p.life.out != NotOut
	}
	if left {
		s.arrange()
	}
}

// Drain delivers what waits in batches, for a host that is about to look at what
// plugins have said.
func (s *Set) Drain(now clock.Instant, log *event.Log) {
	left := false
	for _, p := range s.order {
		if p.life.out == NotOut {
			s.deliver(p, now, log)
			left = left || p.life.out != NotOut
		}
	}
	if left {
		s.arrange()
	}
}

// Replace gives the place of a plugin to another one, between two hooks: it has
// the index, the name, and, if it keeps as much of each connection, what was
// kept. The old one is told of what waits for it, then tcpkit_drain is called;
// what it then has in its store is the new one's, if it exports that. THREATS P20.
func (s *Set) Replace(name string, p *Plugin, now clock.Instant, log *event.Log) error {
	old := s.Plugin(name)
	if old == nil {
		return &Failure{Doing: "replace", Name: name, Err: Error("there is no such plugin" + slip(name, s.Names()))}
	}
	s.drain(old, now, log)
	if old.manifest.State == p.manifest.State {
		p.states = old.states
		old.states = states{}
	}
	if old.exports.has(find(abi.HookDrain)) {
		p.commands.store = old.commands.store
	}
	p.index, p.name, p.turn = old.index, old.name, old.turn+1
	p.commands.named(p.name)
	s.plugins[p.index] = p
	p.tell(log, now, noRecord, abi.Pass, 0, WhyReplaced)
	err := old.Close()
	s.arrange()
	return err
}

// Remove takes a plugin away.
func (s *Set) Remove(name string, now clock.Instant, log *event.Log) error {
	p := s.Plugin(name)
	if p == nil {
		return &Failure{Doing: "remove", Name: name, Err: Error("there is no such plugin" + slip(name, s.Names()))}
	}
	s.drain(p, now, log)
	p.tell(log, now, noRecord, abi.Pass, 0, WhyRemoved)
	s.plugins[p.index] = nil
	err := p.Close()
	s.arrange()
	return err
}

// drain is the last call of a plugin.
func (s *Set) drain(p *Plugin, now clock.Instant, log *event.Log) {
	s.deliver(p, now, log)
	h := find(abi.HookDrain)
	if _, ok := p.here(now); !ok || !p.exports.has(h) {
		return
	}
	s.putLife(h.hook, now)
	if _, why := p.call(now, h.hook, 0, s.image, s.parts[:1]); why != WhyVerdict {
		p.tell(log, now, noRecord, abi.Pass, 0, why)
	}
}

// Close ends all plugins.
func (s *Set) Close() error {
	var all []error
	for _, p := range s.order {
		all = append(all, p.Close())
	}
	return errors.Join(all...)
}

// Clone is tcp.Hook. The copy has what the host keeps of its own: states of
// connections, timers, strikes, stores. It shares the instances, and so what a
// plugin keeps in its own memory.
func (s *Set) Clone() tcp.Hook {
	c := &Set{scratch: s.scratch, plugins: make([]*Plugin, len(s.plugins))}
	for i, p := range s.plugins {
		if p != nil {
			c.plugins[i] = p.clone()
		}
	}
	if len(s.edits) > 0 {
		c.edits = make(map[uint32]*edits, len(s.edits))
		for conn, e := range s.edits {
			c.edits[conn] = e.clone()
		}
	}
	c.arrange()
	return c
}

// Fingerprint is tcp.Hook. Of what a plugin keeps in its own memory nothing is
// known here: it is for explorers only with what it keeps in the host.
func (s *Set) Fingerprint(h *siphash.Hash, now clock.Instant) {
	for _, p := range s.order {
		h.WriteUint64(uint64(p.index))
		p.life.fingerprint(h, now)
		p.commands.fingerprint(h)
		if p.draws {
			h.WriteUint64(p.commands.ordinal)
		}
		p.timers.fingerprint(h, now)
		p.states.fingerprint(h)
		h.WriteUint64(uint64(p.batch.n))
	}
	fingerprintEdits(s.edits, h)
}
