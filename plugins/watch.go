package plugins

import (
	"strings"

	"github.com/tcpkit/tcpkit/core/tcp"
)

// Watch is tcp.Watched: f is called after each call of a plugin, other than those for
// congestion control, whose fuel is in the sums of the next act.
func (s *Set) Watch(f func(a *tcp.Act)) { s.watch = f }

// asked calls a plugin, and shows who watches what it made of the record.
func (s *Set) asked(p *Plugin, r *tcp.Record) tcp.Verdict {
	if s.watch == nil {
		return s.ask(p, r)
	}
	before, used := *r, p.stats.Fuel
	if r.Segment {
		// What is changed in place is seen in a copy only.
		before.Payload = append([]byte(nil), r.Payload...)
		before.Options = append([]byte(nil), r.Options...)
	}
	a := tcp.Act{Step: r.Step, Verdict: s.ask(p, r)}
	if r.Segment {
		a.Before, a.After = &before, r
	}
	s.acted(p, &a, used)
	return a.Verdict
}

// acted completes an act and shows it, if somebody watches. used is the fuel that the
// plugin had used before.
func (s *Set) acted(p *Plugin, a *tcp.Act, used uint64) {
	if s.watch == nil {
		return
	}
	a.Plugin, a.Calls, a.Fuel, a.Used = int(p.index), p.stats.Calls, p.stats.Fuel, p.stats.Fuel-used
	messages, _ := p.Messages()
	lines := make([]string, len(messages))
	for i := range messages {
		lines[i] = messages[i].Text
	}
	a.Said = strings.Join(lines, "\n")
	s.watch(a)
}
