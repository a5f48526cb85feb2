package scenario

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A printer appends words to lines.
type printer struct{ b []byte }

func (w *printer) word(s string) *printer {
	if n := len(w.b); n > 0 && w.b[n-1] != '\n' && w.b[n-1] != ' ' {
		w.b = append(w.b, ' ')
	}
	w.b = append(w.b, s...)
	return w
}

func (w *printer) words(all ...string) *printer {
	for _, s := range all {
		w.word(s)
	}
	return w
}

func (w *printer) text(s string) *printer {
	w.word("")
	w.b = appendWord(w.b, s)
	return w
}

func (w *printer) number(n uint64) *printer {
	w.word("")
	w.b = strconv.AppendUint(w.b, n, 10)
	return w
}

func (w *printer) size(n uint64) *printer {
	w.word("")
	w.b = appendSize(w.b, n)
	return w
}

func (w *printer) time(d clock.Duration) *printer {
	w.word("")
	w.b = appendDuration(w.b, d)
	return w
}

func (w *printer) percent(n uint32) *printer {
	w.word("")
	w.b = appendPercent(w.b, n)
	return w
}

func (w *printer) match(m sim.Match) *printer {
	w.word("")
	w.b = appendMatch(w.b, m)
	return w
}

func (w *printer) line() { w.b = append(w.b, '\n') }

// ifTime and ifSize write a name and its value unless that is zero.
func (w *printer) ifTime(name string, d clock.Duration) {
	if d != 0 {
		w.word(name).time(d)
	}
}

func (w *printer) ifSize(name string, n uint64) {
	if n != 0 {
		w.word(name).size(n)
	}
}

func (w *printer) ifPercent(name string, n uint32) {
	if n != 0 {
		w.word(name).percent(n)
	}
}

// AppendText appends the scenario in its canonical form: parsed again it is the
// same.
func (s *Scenario) AppendText(b []byte) []byte {
	w := &printer{b: b}
	s.printHead(w)
	for i := range s.Hosts {
		s.printHost(w, &s.Hosts[i])
	}
	for i := range s.Links {
		s.printLink(w, &s.Links[i])
	}
	for _, l := range s.Listens {
		w.words("listen", s.Hosts[l.Host].Name).number(uint64(l.Port)).word("backlog").number(uint64(l.Backlog))
		if l.Deaf {
			w.word("deaf")
		}
		w.line()
	}
	for i := range s.Flows {
		s.printFlow(w, &s.Flows[i])
	}
	for i := range s.Faults {
		s.printFault(w, &s.Faults[i])
	}
	s.printEvents(w)
	for i := range s.Expects {
		s.printExpect(w, &s.Expects[i])
	}
	for i := range s.Says {
		s.printSay(w, &s.Says[i])
	}
	for _, m := range s.Marks {
		w.words("mark", "segment").number(uint64(m.Packet)).word(m.Field).line()
	}
	return w.b
}

func (s *Scenario) printHead(w *printer) {
	w.words("scenario", s.ID).line()
	if len(s.Rows) > 0 {
		w.word("row").words(s.Rows...).line()
	}
	if s.Compare != "" {
		w.words("compare", s.Compare).line()
	}
	if s.Chapter != "" {
		w.words("lesson", s.Chapter).number(uint64(s.Place)).line()
	}
	if len(s.Corrects) > 0 {
		w.word("corrects").words(s.Corrects...).line()
	}
	if s.Seed != 0 {
		w.word("seed").number(s.Seed).line()
	}
	if s.End != defaultEnd {
		w.word("end").time(s.End).line()
	}
	if s.Tolerate {
		w.word("tolerate").line()
	}
}

func (s *Scenario) printHost(w *printer, h *Host) {
	w.words("host", h.Name)
	for _, a := range h.Addrs {
		w.word(a.String())
	}
	w.words("profile", h.Profile)
	if h.MTU != 1500 {
		w.word("mtu").number(uint64(h.MTU))
	}
	for _, set := range h.Sets {
		w.word("set").text(set.Name + "=" + set.Value)
	}
	w.line()
	for _, p := range h.Plugins {
		w.words("plugin", h.Name).text(p).line()
	}
}

func (s *Scenario) printLink(w *printer, l *Link) {
	a, b := s.Hosts[l.A].Name, s.Hosts[l.B].Name
	if l.Ways[0] == l.Ways[1] {
		printChannel(w.words("link", a, b), &l.Ways[0])
		return
	}
	printChannel(w.words("link", a, "->", b), &l.Ways[0])
	printChannel(w.words("link", b, "->", a), &l.Ways[1])
}

func printChannel(w *printer, c *sim.Channel) {
	w.ifTime("delay", c.Delay)
	w.ifTime("jitter", c.Jitter)
	w.ifSize("rate", c.Rate)
	w.ifSize("queue", uint64(c.Queue))
	w.ifSize("mtu", uint64(c.MTU))
	if c.Silent {
		w.word("silent")
	}
	w.ifPercent("loss", c.Loss)
	w.ifPercent("duplicate", c.Duplicate)
	w.ifPercent("reorder", c.Reorder)
	w.ifTime("hold", c.Hold)
	w.ifPercent("corrupt", c.Corrupt)
	w.line()
}

func (s *Scenario) printFlow(w *printer, f *Flow) {
	w.words("flow", f.Name, s.Hosts[f.Hosts[0]].Name, s.Hosts[f.Hosts[1]].Name+":"+strconv.Itoa(int(f.Port)))
	w.ifTime("at", f.At)
	if f.LocalPort != 0 {
		w.word("port").number(uint64(f.LocalPort))
	}
	if f.Meet {
		w.word("meet")
	}
	w.ifTime("skew", f.Skew)
	if f.Six {
		w.word("ipv6")
	}
	if f.Times > 1 {
		w.word("times").number(uint64(f.Times))
	}
	w.ifTime("every", f.Every)
	w.line()
	for side := range f.Steps {
		for i := range f.Steps[side] {
			w.b = append(w.b, "  "...)
			printStep(w.word(s.Hosts[f.Hosts[side]].Name), &f.Steps[side][i])
		}
	}
}

func printStep(w *printer, s *sim.Step) {
	switch s.Op {
	case sim.Write, sim.WriteUrgent:
		w.word(s.Op.String()).size(s.N)
		w.ifSize("chunk", uint64(s.Chunk))
		w.ifTime("every", s.For)
	case sim.Wait, sim.SetUserTimeout, sim.SetLinger:
		w.word(s.Op.String()).time(s.For)
	case sim.AwaitRead:
		w.word(s.Op.String()).size(s.N)
	case sim.SetKeepalive:
		w.word(s.Op.String()).time(s.For)
		if s.Every != 0 || s.N != 0 {
			w.time(s.Every)
		}
		if s.N != 0 {
			w.number(s.N)
		}
	case sim.SetPace:
		switch {
		case s.N == 1:
			w.word("never-read")
		case s.Chunk == 0:
			w.word("read-on")
		default:
			w.word("pace").size(uint64(s.Chunk)).time(s.For)
		}
	default:
		w.word(s.Op.String())
	}
	w.line()
}

func (s *Scenario) printFault(w *printer, f *Fault) {
	w.word("fault")
	if f.Packet != 0 {
		w.word("packet").number(uint64(f.Packet))
	} else {
		w.words(s.Hosts[f.From].Name, "->", s.Hosts[f.To].Name)
		if f.Match != (sim.Match{}) {
			w.match(f.Match)
		}
		if f.Nth == 0 {
			w.word("all")
		} else {
			w.number(uint64(f.Nth))
		}
	}
	w.word(f.Fate.String())
	if f.Fate == sim.Delay || f.Fate == sim.Double && f.By != 0 {
		w.time(f.By)
	}
	w.ifTime("from", f.Since)
	w.ifTime("until", f.Until)
	w.line()
}

func (s *Scenario) printEvents(w *printer) {
	for _, c := range s.Cuts {
		w.words("cut", s.Hosts[c.A].Name)
		if c.OneWay {
			w.word("->")
		}
		w.word(s.Hosts[c.B].Name)
		w.ifTime("from", c.From)
		if c.Until != longest {
			w.word("until").time(c.Until)
		}
		if c.Told {
			w.word("unreachable")
		}
		w.line()
	}
	for _, t := range s.Turns {
		w.words(t.What.String(), s.Hosts[t.Host].Name, "at").time(t.At).line()
	}
	for _, f := range s.Floods {
		w.words("flood", s.Hosts[f.Host].Name+":"+strconv.Itoa(int(f.Port)), "at").time(f.At)
		w.word("count").number(uint64(f.Count))
		w.ifTime("every", f.Every)
		if f.Flags != wire.SYN {
			w.word("flags").match(sim.Match{Flags: f.Flags})
		}
		w.line()
	}
}

func (s *Scenario) printExpect(w *printer, e *Expect) {
	w.words("expect", e.Kind.String())
	host := s.Hosts[e.Host].Name
	switch e.Kind {
	case ExpectPath, ExpectState, ExpectEdge:
		w.word(host)
		for _, state := range e.States {
			w.word(state.String())
		}
		printRule(w, e.Rule)
	case ExpectSegment:
		w.number(uint64(e.Nth)).words(host, "->", s.Hosts[e.To].Name).match(e.Match)
		printOptional(w, "seq", e.Seq)
		printOptional(w, "ack", e.Ack)
		printOptional(w, "len", e.Len)
		printOptional(w, "win", e.Win)
		printOptions(w, e.Options)
		printRule(w, e.Rule)
	case ExpectSegments, ExpectViolation:
		printCompare(w, e)
	case ExpectCount, ExpectLost:
		printCompare(w.words(host, "->", s.Hosts[e.To].Name).match(e.Match), e)
	case ExpectError, ExpectStream, ExpectKnow:
		if w.word(host); e.Soft {
			w.word("soft")
		}
		w.word(e.Word)
	case ExpectRead, ExpectGhosts, ExpectHalfOpen, ExpectConns, ExpectTimeWaits, ExpectHeld, ExpectRetransmits:
		printCompare(w.word(host), e)
	case ExpectDrop:
		printCompare(w.words(host, e.Drop.String()), e)
	case ExpectTimer:
		printCompare(w.words(host, tcp.TimerName(e.Slot), e.Word), e)
	case ExpectTCB:
		printCompare(w.words(host, e.Word), e)
	case ExpectSilence:
		w.ifTime("from", e.From)
		if e.Until != longest {
			w.word("until").time(e.Until)
		}
	case ExpectQuiet:
		w.time(e.From)
	default:
		panic("scenario: an expectation that nobody prints")
	}
	if e.When.Given {
		w.word("at").time(e.When.At)
		w.ifTime("within", e.When.Within)
	}
	if e.FlowName != "" {
		w.words("flow", e.FlowName)
	}
	w.line()
}

func printRule(w *printer, id rule.ID) {
	if row, ok := rule.Lookup(id); ok {
		w.words("rule", row.Name)
	}
}

func printOptional(w *printer, name string, o Optional) {
	if o.Given {
		w.word(name).word("")
		w.b = strconv.AppendInt(w.b, o.N, 10)
	}
}

func printCompare(w *printer, e *Expect) {
	w.word(e.Compare.String()).number(uint64(e.N))
}

func (s *Scenario) printSay(w *printer, say *Say) {
	w.words("say", say.ID, "on", say.Tie.String())
	host := s.Hosts[say.Host].Name
	times := true
	switch say.Tie {
	case TieSegment, TieArrive, TieLose:
		w.number(uint64(say.N))
		times = false
	case TieState:
		w.words(host, say.State.String())
	case TieTimer:
		w.words(host, tcp.TimerName(say.Slot))
	case TieDrop:
		w.words(host, say.Drop.String())
	case TieError:
		w.word(host)
	case TieTime:
		w.time(say.At)
	case TieStart, TieEnd:
	default:
		panic("scenario: a tie that nobody prints")
	}
	if times && say.N > 1 {
		w.number(uint64(say.N))
	}
	if say.Filter != "" {
		w.word("filter").text(say.Filter)
	}
	if say.Rows != 0 {
		w.word("rows").number(uint64(say.Rows))
	}
	if say.Seen != 0 {
		w.words("at", s.Hosts[say.Seen].Name)
	}
	w.line()
}
