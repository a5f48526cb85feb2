package scenario

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// A Result is how it went with one expectation.
type Result struct {
	Index int // in Scenario.Expects
	Where Place
	Held  bool
	// What was found: a number, or words that the language has for it; None if there
	// was nothing to be found.
	None  bool
	Found int64
	Text  string
	At    clock.Duration // when, if there is a time
}

// Check looks at every expectation. It needs the whole timeline: Finish the run
// before.
func (r *Run) Check() []Result {
	results := make([]Result, len(r.s.Expects))
	for i := range results {
		e := &r.s.Expects[i]
		results[i] = Result{Index: i, Where: e.Where}
		r.check(e, &results[i])
	}
	return results
}

func (r *Run) check(e *Expect, o *Result) {
	switch e.Kind {
	case ExpectPath:
		r.checkPath(e, o)
	case ExpectState:
		state, passed := r.stateAt(e)
		o.Text, o.Held = state.String(), passed
	case ExpectSegment:
		r.checkSegment(e, o)
	case ExpectEdge:
		r.checkEdge(e, o)
	case ExpectError:
		r.checkError(e, o)
	case ExpectStream:
		r.checkStream(e, o)
	case ExpectKnow:
		knows := uint64(0)
		for i := range r.until(e) {
			if k := &r.rec.items[i]; k.Kind == Know && int(k.Host) == e.Host && int(k.Flow) == e.Flow {
				knows = k.A
			}
		}
		o.Text = [...]string{"nothing", "send", "receive", "both"}[knows&3]
		o.Held = o.Text == e.Word
	case ExpectSilence:
		o.Held = true
		for i := range r.rec.items {
			if k := &r.rec.items[i]; k.Kind == Send && k.At >= e.From && k.At < e.Until && o.Held {
				o.Held, o.Found, o.At = false, int64(k.Packet), k.At
			}
		}
	case ExpectQuiet:
		o.Held = true
		for i := range r.rec.items {
			if k := &r.rec.items[i]; k.Kind != Said && k.Kind != Plugin && k.Kind != Ended && k.At > e.From {
				o.Held, o.At = false, k.At
			}
		}
	case ExpectTCB:
		o.None = true
		for i := range r.until(e) {
			k := &r.rec.items[i]
			if int(k.Host) != e.Host || int(k.Flow) != e.Flow {
				continue
			}
			switch k.Kind {
			case Opened: // with all at 0
				o.None, o.Found, o.At = false, 0, k.At
			case TCB:
				r.Changed(k, func(name string, value uint64) {
					if name == e.Word {
						o.None, o.Found, o.At = false, int64(value), k.At
					}
				})
			}
		}
		o.Held = !o.None && e.Compare.Holds(o.Found, e.N)
	default:
		o.Found = r.count(e)
		o.Held = e.Compare.Holds(o.Found, e.N)
	}
}

// until is how many items there are up to the time of an expectation.
func (r *Run) until(e *Expect) int {
	if !e.When.Given {
		return len(r.rec.items)
	}
	n := 0
	for n < len(r.rec.items) && r.rec.items[n].At <= e.When.At {
		n++
	}
	return n
}

// near reports whether a time is the one that is expected.
func (m *Moment) near(at clock.Duration) bool {
	return !m.Given || max(at-m.At, m.At-at) <= m.Within
}

// count counts what the expectation is about, or takes its last value.
func (r *Run) count(e *Expect) (n int64) {
	for i := range r.until(e) {
		k := &r.rec.items[i]
		here := int(k.Host) == e.Host
		mine := here && (e.FlowName == "" || int(k.Flow) == e.Flow)
		add := false
		switch e.Kind {
		case ExpectSegments:
			add = k.Kind == Send && k.Host >= 0
		case ExpectCount:
			add = r.isSent(k, e)
		case ExpectLost:
			if k.Kind == Lose {
				if p := r.rec.packet(k.Packet); p != nil {
					add = r.isSent(&r.rec.items[p.item], e)
				}
			}
		case ExpectRead:
			if k.Kind == Read && here && int(k.Flow) == e.Flow {
				n += int64(k.A)
			}
		case ExpectDrop:
			add = k.Kind == Drop && here && rule.Drop(k.By) == e.Drop
		case ExpectTimer:
			add = k.Kind == Timer && mine && k.By == e.Slot && timerEvents[k.Into] == e.Word
		case ExpectRetransmits:
			add = k.Kind == Send && mine && k.Marks.Has(Again)
		case ExpectViolation:
			add = k.Kind == Violation
		case ExpectGhosts, ExpectHalfOpen, ExpectConns, ExpectTimeWaits, ExpectHeld:
			if k.Kind == Mem && here {
				n = int64(k.memory(e.Kind))
			}
		default:
			panic("scenario: an expectation that nobody checks: " + e.Kind.String())
		}
		if add {
			n++
		}
	}
	return n
}

// memory is what a Mem item has for an expectation.
func (i *Item) memory(k ExpectKind) uint64 {
	switch k {
	case ExpectGhosts:
		return i.C >> 32
	case ExpectHalfOpen:
		return i.B & 0xffffffff
	case ExpectConns:
		return i.B >> 32
	case ExpectTimeWaits:
		return i.C & 0xffffffff
	default:
		return i.A
	}
}

// isSent reports whether a packet from one host to another was sent of the kind.
func (r *Run) isSent(i *Item, e *Expect) bool {
	if i.Kind != Send || int(i.Host) != e.Host || int(i.To) != e.To {
		return false
	}
	p := r.rec.packet(i.Packet)
	if p == nil || !p.hasTuple {
		return e.Match == sim.Match{}
	}
	return e.Match.Matches(i.Flags(), i.Len())
}

// stateAt is the state of the latest connection of the flow, and whether it was the
// one that is expected, if only for a moment of the instant that is asked for.
func (r *Run) stateAt(e *Expect) (state tcp.State, passed bool) {
	for _, l := range r.s.Listens {
		if e.Flow >= 0 && l.Host == e.Host && r.front.User(e.Flow, 1) == e.Host {
			if _, second := r.front.Names(e.Flow); second.Port == l.Port {
				state = tcp.Listen
			}
		}
	}
	for i := range r.until(e) {
		k := &r.rec.items[i]
		if int(k.Host) != e.Host {
			continue
		}
		switch {
		case k.Kind == State && int(k.Flow) == e.Flow:
			passed = passed || e.When.Given && k.At == e.When.At && state == e.States[0]
			state = tcp.State(k.Into)
		case k.Kind == Turned && sim.TurnKind(k.By) != sim.Shut:
			state = tcp.Closed
		}
	}
	return state, passed || state == e.States[0]
}

// path is the states of the first connection of the flow, with that in which it
// began.
func (r *Run) checkPath(e *Expect, o *Result) {
	var path []tcp.State
	first := uint32(0)
	for i := range r.rec.items {
		k := &r.rec.items[i]
		if k.Kind != State || int(k.Host) != e.Host || int(k.Flow) != e.Flow || first != 0 && k.Conn != first {
			continue
		}
		first = k.Conn
		path = append(path, tcp.State(k.Into))
	}
	o.None, o.Held = len(path) == 0, slices.Equal(path, e.States)
	for i, s := range path {
		if i > 0 {
			o.Text += " "
		}
		o.Text += s.String()
	}
}

func (r *Run) checkSegment(e *Expect, o *Result) {
	p := r.rec.packet(e.Nth)
	if p == nil || p.length == 0 {
		o.None = true
		return
	}
	k := &r.rec.items[p.item]
	ok := func(want Optional, found int64) bool { return !want.Given || want.N == found }
	o.At = k.At
	o.Held = r.isSent(k, e) && ok(e.Seq, k.Seq()) && ok(e.Ack, k.Ack()) && ok(e.Len, int64(k.Len())) && ok(e.Win, int64(k.Window())) && e.When.near(k.At)
	found := []Option(nil)
	if len(e.Options) > 0 {
		found = optionsOf(r.Packet(e.Nth))
	}
	for _, want := range e.Options {
		o.Held = o.Held && want.holds(found)
	}
	o.Held = o.Held && (e.Rule == 0 || e.Rule == k.Rule)
	w := &printer{}
	if k.Host >= 0 && k.To >= 0 {
		w.words(r.s.Hosts[k.Host].Name, "->", r.s.Hosts[k.To].Name)
	}
	w.match(sim.Match{Flags: k.Flags()})
	for _, x := range [...]struct {
		name string
		n    int64
	}{{"seq", k.Seq()}, {"ack", k.Ack()}, {"len", int64(k.Len())}, {"win", int64(k.Window())}} {
		printOptional(w, x.name, Optional{true, x.n})
	}
	printOptions(w, found)
	printRule(w, k.Rule)
	o.Text = string(w.word("at").time(k.At).b)
}

func (r *Run) checkEdge(e *Expect, o *Result) {
	o.None = true
	for i := range r.rec.items {
		k := &r.rec.items[i]
		if k.Kind != State || int(k.Host) != e.Host || int(k.Flow) != e.Flow || tcp.State(k.From) != e.States[0] || tcp.State(k.Into) != e.States[1] {
			continue
		}
		row, _ := rule.Lookup(k.Rule)
		o.None, o.Text, o.At = false, row.Name, k.At
		if (e.Rule == 0 || e.Rule == k.Rule) && e.When.near(k.At) {
			o.Held = true
			return
		}
	}
}

func (r *Run) checkError(e *Expect, o *Result) {
	o.Text = "none"
	for i := range r.rec.items {
		k := &r.rec.items[i]
		told := k.isError(e.Host)
		if e.Soft {
			told = k.Kind == Soft && int(k.Host) == e.Host
		}
		if told && int(k.Flow) == e.Flow {
			o.Text, o.At = ErrorName(tcp.Error(k.By)), k.At
			break
		}
	}
	o.Held = o.Text == e.Word && (o.Text == "none" || e.When.near(o.At))
}

func (r *Run) checkStream(e *Expect, o *Result) {
	written, read, wrong := uint64(0), uint64(0), false
	for i := range r.rec.items {
		k := &r.rec.items[i]
		if int(k.Flow) != e.Flow {
			continue
		}
		switch here := int(k.Host) == e.Host; {
		case k.Kind == Read && here:
			read += k.A
			wrong = wrong || k.Marks.Has(Wrong)
		case k.Kind == Call && !here && (k.Text == sim.Write.String() || k.Text == sim.WriteUrgent.String()):
			written += k.A
		}
	}
	o.Found = int64(read)
	switch {
	case wrong:
		o.Text = "wrong"
	case read == written:
		o.Text = "whole"
	default:
		o.Text = "part"
	}
	o.Held = o.Text == e.Word
}
