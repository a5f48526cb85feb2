package scenario

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/sim"
)

// A Run is a scenario at work. Its timeline is recorded once, at the front, which
// only goes forward; a cursor stands at any step of what was recorded, and goes back
// and forth.
type Run struct {
	s     *Scenario
	front *sim.World
	rec   *recorder
	ended bool

	steps int // that the front has made
	at    int // where the cursor stands
	here  *sim.World
	back  checkpoints

	plugins *own // nil if there are none
}

// Bounds of a run. One that reaches maxRunItems or maxRunOctets ends within its step:
// a single one can make millions of items, where a program writes octet by octet into
// a large buffer.
const (
	maxRunSteps  = 200_000
	maxRunItems  = 400_000
	maxRunOctets = 64 << 20 // of packets
)

// New makes a run of s that stands before its first step. load may be nil where no
// plugins are wanted. What it refuses is an *Error.
func New(s *Scenario, load Loader) (*Run, error) {
	cfg, err := s.config(load)
	if err != nil {
		return nil, err
	}
	w, err := sim.New(cfg)
	if err != nil {
		return nil, &Error{What: "no network can be made of this: " + err.Error(), Do: "look at addresses, ports and settings"}
	}
	r := &Run{s: s, front: w, rec: newRecorder(s, len(cfg.Flows))}
	r.here = w
	for i := range s.Hosts {
		if len(s.Hosts[i].Plugins) > 0 {
			r.plugins = &own{load: load}
		}
	}
	r.keep()
	r.rec.watch(w)
	w.Observe(r.rec)
	r.rec.sayTied(TieStart, 0)
	return r, nil
}

// Scenario is what runs. It must not be changed.
func (r *Run) Scenario() *Scenario { return r.s }

// Steps is how many steps were made and recorded; Ended reports whether they are all.
func (r *Run) Steps() int { return r.steps }

// Ended reports whether the front has come to the end of the run.
func (r *Run) Ended() bool { return r.ended }

// At is the step at which the cursor stands: so many were made.
func (r *Run) At() int { return r.at }

// Now is the time at the cursor.
func (r *Run) Now() clock.Duration { return r.here.Now().Sub(start) }

// Step moves the cursor one step on. It returns false at the end of the run.
func (r *Run) Step() bool {
	if r.at < r.steps {
		r.Seek(r.at + 1)
		return true
	}
	if !r.advance() {
		return false
	}
	r.at, r.here = r.steps, r.front
	return true
}

// advance makes one step at the front, and records it.
func (r *Run) advance() bool {
	if r.ended {
		return false
	}
	next, end := r.front.Next(), start.Add(r.s.End)
	r.rec.sayDue(min(next, end).Sub(start))
	switch {
	case next > end:
		at := r.s.End
		if next == clock.Never {
			at = r.front.Now().Sub(start)
		}
		r.finish("", at)
	case r.steps >= maxRunSteps:
		r.finish("steps", r.front.Now().Sub(start))
	}
	if r.ended {
		return false
	}
	r.rec.step++
	r.steps++
	if !r.front.Step() {
		why := "violation"
		if r.rec.full != "" {
			why = r.rec.full
		}
		r.finish(why, r.front.Now().Sub(start))
	}
	r.keep()
	return true
}

// keep notes what seeking needs of the front.
func (r *Run) keep() {
	if r.plugins != nil {
		r.plugins.hashes = append(r.plugins.hashes, r.front.Hash())
	} else {
		r.back.keep(r.steps, r.front)
	}
}

func (r *Run) finish(why string, at clock.Duration) {
	r.ended = true
	if n := len(r.rec.items); n > 0 {
		at = max(at, r.rec.items[n-1].At) // a sentence is tied to a time at which nothing happens
	}
	r.rec.sums(at)
	r.rec.sayTied(TieEnd, at)
	r.rec.add(Item{Kind: Ended, At: at, Host: -1, Flow: -1, Text: why})
}

// Finish runs to the end, and leaves the cursor there.
func (r *Run) Finish() {
	for r.advance() {
	}
	r.at, r.here = r.steps, r.front
}

// Missed has the faults that have met no packet so far, as lines.
func (r *Run) Missed() (lines []string) {
	for i, n := range r.front.Planned() {
		if n == 0 {
			w := &printer{}
			r.s.printFault(w, &r.s.Faults[i])
			lines = append(lines, string(w.b[:len(w.b)-1]))
		}
	}
	return lines
}

// Items is the timeline from an index on. It is the run's, and grows with it.
func (r *Run) Items(from int) []Item {
	return r.rec.items[min(max(from, 0), len(r.rec.items)):]
}

// Changed calls f with each variable that a TCB item tells of, and its value:
// sequence numbers are relative but for ISS and IRS, times in nanoseconds.
func (r *Run) Changed(i *Item, f func(name string, value uint64)) {
	at := i.B
	for k, name := range quantities {
		if i.A>>k&1 != 0 {
			f(name, r.rec.values[at])
			at++
		}
	}
}

// Conn tells of a connection by its number, from 1; false if there is none.
func (r *Run) Conn(n uint32) (Conn, bool) {
	if n == 0 || int(n) >= len(r.rec.conns) {
		return Conn{}, false
	}
	return r.rec.conns[n].Conn, true
}

// Packets is how many packets were sent so far: the highest id.
func (r *Run) Packets() int { return len(r.rec.packets) - 1 }

// Packet is the packet with an id as it was sent, nil if there is none. It must not
// be changed.
func (r *Run) Packet(id uint32) []byte {
	if p := r.rec.packet(id); p != nil && p.length > 0 {
		return r.rec.octetsOf(p)
	}
	return nil
}

// Stack is the stack of a host at the cursor, and the time there, for one that only
// looks.
func (r *Run) Stack(host int) (*core.Stack, clock.Instant) {
	return r.here.Stack(host), r.here.Now()
}

// Hash covers all that has happened up to the cursor; the same text has the same hash
// on every machine.
func (r *Run) Hash() uint64 { return r.here.Hash() }

// Fingerprint covers what decides the future from the cursor on.
func (r *Run) Fingerprint() uint64 { return r.here.Fingerprint() }

// Failure is the invariant that has ended the run, nil if none has.
func (r *Run) Failure() error {
	if f := r.front.Failure(); f != nil {
		return f
	}
	return nil
}
