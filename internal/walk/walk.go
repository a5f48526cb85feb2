package walk

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/tcp"
)

// Run walks all paths with the hooks of a factory, over IPv4 and IPv6, and prints the
// Table.
func Run(t *testing.T, make Factory) {
	paths := Paths()
	for _, six := range []bool{false, true} {
		for i := range paths {
			p := &paths[i]
			name := p.From.String() + " to " + p.To.String() + " by " + p.By.String() + ", " + p.Rule.String()
			if six {
				name += ", IPv6"
			}
			t.Run(name, func(t *testing.T) { p.run(t, six, make) })
		}
	}
	t.Log("\n" + Table())
}

// Table has a line for each path: which segments of it a hook can change. What has
// none it can only observe.
func Table() string {
	var b strings.Builder
	for _, e := range tcp.Edges() {
		if why, ok := Never()[[2]tcp.State{e.From, e.To}]; ok {
			fmt.Fprintf(&b, "%-12v to %-12v never: %s\n", e.From, e.To, why)
		}
		for _, p := range Paths() {
			if p.From != e.From || p.To != e.To {
				continue
			}
			what := []string{}
			if p.By == tcp.BySegment {
				what = append(what, "the segment that arrives")
			}
			if p.Leaves != 0 {
				what = append(what, "the "+p.Leaves.String()+" that leaves")
			}
			if len(what) == 0 {
				what = append(what, "observe only")
			}
			fmt.Fprintf(&b, "%-12v to %-12v by %-8v %s", e.From, e.To, p.By, strings.Join(what, ", "))
			if p.Why != "" {
				b.WriteString(": " + p.Why)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// walk takes the path in a world of its own, with a hook that has something to do at
// its edge.
func (p *Path) walk(t *testing.T, six bool, make Factory, do Do) *World {
	w := newWorld(t, six, make(t, Task{From: p.From, To: p.To, Do: do, Order: p.By == tcp.ByPlugin}))
	p.Walk(w)
	return w
}

func (p *Path) run(t *testing.T, six bool, make Factory) {
	w := p.walk(t, six, make, Observe)
	s := w.probe.at(tcp.StepTransition, p.From, p.To)
	require.NotNil(t, s, "the hook is told of the change: %v", w.probe.seen)
	require.Equal(t, tcp.Move{From: p.From, To: p.To, By: p.By, Rule: p.Rule}, s.move)
	require.Equal(t, p.By == tcp.BySegment, s.segment, "with the segment that has caused it, if one has")
	require.Equal(t, w.probe.sights(p.From, p.To), w.probe.next.Saw(), "which it says itself")
	arriving := w.probe.at(tcp.StepMoving, p.From, p.To)
	leaving := w.probe.at(tcp.StepMoved, p.From, p.To)
	if p.By != tcp.BySegment {
		require.Nil(t, arriving, "there is no segment that could be changed")
	} else {
		require.NotNil(t, arriving, "the hook is shown the segment before")
		require.Equal(t, s.move, arriving.move)
		require.Equal(t, arriving.tcp, s.tcp, "it is the same one")
		p.arriving(t, six, make)
	}
	if p.Leaves == 0 {
		require.Nil(t, leaving, "nothing leaves by it")
		require.NotEmpty(t, p.Why)
	} else {
		require.NotNil(t, leaving, "the hook is shown the segment that leaves")
		require.Equal(t, s.move, leaving.move)
		require.True(t, leaving.tcp.Flags.Has(p.Leaves), "%v", leaving.tcp.Flags)
		p.leaving(t, six, make)
	}
}

// arriving has the hook change the segment that causes the change of state, and take
// away what causes it.
func (p *Path) arriving(t *testing.T, six bool, make Factory) {
	w := p.walk(t, six, make, MarkArriving)
	s := w.probe.at(tcp.StepTransition, p.From, p.To)
	require.NotNil(t, s, "the change comes all the same")
	require.Equal(t, uint16(Mark), s.tcp.Window, "by the segment that the hook has changed")

	w = p.walk(t, six, make, StopArriving)
	stopped := false
	for i := range w.probe.seen {
		s := &w.probe.seen[i]
		if s.move.From != p.From || s.move.To != p.To {
			continue
		}
		switch s.step {
		case tcp.StepMoving:
			require.Equal(t, tcp.Mutated, s.verdict)
			stopped = true
		case tcp.StepTransition:
			require.NotEqual(t, tcp.BySegment, s.move.By, "what has no flags changes no state")
		}
	}
	require.True(t, stopped)
}

// leaving has the hook change the segment that leaves, and looks for it on the wire.
func (p *Path) leaving(t *testing.T, six bool, make Factory) {
	w := p.walk(t, six, make, MarkLeaving)
	s := w.probe.at(tcp.StepMoved, p.From, p.To)
	require.NotNil(t, s)
	require.Equal(t, tcp.Mutated, s.verdict)
	want := s.tcp
	want.Window = Mark
	for _, h := range w.sent {
		if h.Window == Mark && h.Seq == want.Seq && h.Ack == want.Ack && h.Flags == want.Flags {
			return
		}
	}
	require.Fail(t, "the mark is not on the wire", "%+v\n%+v", want, w.sent)
}
