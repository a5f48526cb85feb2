package scenario

import (
	"slices"
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/sim"
)

// An Error is the first thing in a text that cannot be read: what it is, and what to
// do.
type Error struct {
	Extra  int // which of the extra texts, from 1; 0: the text itself
	Line   int // from 1
	Column int // in octets, from 1; 0: the line as a whole
	What   string
	Do     string
}

// Error is "line 7: host "servr" is not defined; the hosts are client, server".
func (e *Error) Error() string {
	s := ""
	if e.Extra > 0 {
		s = "extra lines " + strconv.Itoa(e.Extra) + ", "
	}
	if e.Line > 0 {
		s += "line " + strconv.Itoa(e.Line) + ": "
	}
	s += e.What
	if e.Do != "" {
		s += "; " + e.Do
	}
	return s
}

// Bounds of a text. They keep a run of whatever somebody has put into a link within
// what a tab can bear.
const (
	maxText     = 256 << 10
	maxHosts    = 8
	maxAddrs    = 4
	maxListens  = 32
	maxFlows    = 64
	maxConns    = 256      // of all flows
	maxSteps    = 256      // of one program
	maxWrite    = 64 << 20 // octets of all programs: more does not pass in a run
	maxFaults   = 1024
	maxCuts     = 256
	maxTurns    = 64
	maxFloods   = 16
	maxFlood    = 4096 // segments of all floods
	maxExpects  = 512
	maxSays     = 512
	maxSettings = 256
	maxPlugins  = 8
)

// defaultEnd ends what would go on for ever.
const defaultEnd = 24 * clock.Hour

// A parser reads one line after the other into s.
type parser struct {
	s     *Scenario
	where Place
	words []word
	i     int     // the next word
	err   *Error  // the first
	flow  int     // whose steps may follow, -1: nobody's
	begun [2]bool // whose steps there have been replaced
}

// Parse reads a scenario, and extra lines of the same language behind it: what is
// said there again overrides, what is new is added.
func Parse(text string, extra ...string) (*Scenario, error) {
	p := &parser{s: &Scenario{End: defaultEnd}, flow: -1}
	octets := 0
	for i, t := range append([]string{text}, extra...) {
		p.where = Place{Extra: i}
		if octets += len(t); octets > maxText {
			return nil, &Error{Extra: i, What: "the text is too long", Do: "at most 256 KiB"}
		}
		p.text(t)
		if p.err != nil {
			return nil, p.err
		}
	}
	p.where = Place{}
	p.whole()
	if p.err != nil {
		return nil, p.err
	}
	return p.s, nil
}

func (p *parser) text(t string) {
	p.flow = -1
	for len(t) > 0 && p.err == nil {
		end := 0
		for end < len(t) && t[end] != '\n' {
			end++
		}
		p.where.Line++
		p.line(t[:end])
		t = t[min(end+1, len(t)):]
	}
}

func (p *parser) line(line string) {
	var err *Error
	if p.words, err = split(line, p.words[:0]); err != nil {
		p.fail(err.Column, err.What, err.Do)
		return
	}
	if p.i = 0; len(p.words) == 0 {
		return
	}
	indented := p.words[0].column > 1
	first, _ := p.next()
	switch {
	case p.s.ID == "" && first != "scenario":
		p.fail(1, "a scenario begins with its id", "write: scenario H1")
	case indented && p.flow < 0:
		p.fail(p.words[0].column, "an indented line is what a program does, and there is no flow above it", "begin with: flow NAME CLIENT SERVER:PORT")
	case indented:
		p.step(first)
	default:
		p.flow = -1
		p.statement(first)
	}
	if p.err == nil && p.i < len(p.words) {
		p.fail(p.words[p.i].column, "what does "+quoted(p.words[p.i].text)+" mean here?", "the line was complete before it")
	}
}

// statements are the first words of lines that are not indented.
var statements = []string{
	"scenario", "row", "compare", "lesson", "corrects", "seed", "end", "tolerate", "host", "plugin", "link", "listen", "flow",
	"fault", "cut", "crash", "boot", "shut", "flood", "expect", "say", "mark",
}

func (p *parser) statement(first string) {
	switch first {
	case "scenario":
		p.identity()
	case "row":
		p.s.Rows = p.names(p.s.Rows[:0], "an id of the catalogue of scenarios, such as H1")
	case "corrects":
		p.s.Corrects = p.names(p.s.Corrects[:0], "an id of a popular error, such as C8")
	case "compare":
		p.s.Compare = p.name("the id of the scenario to compare with, such as H1")
	case "lesson":
		p.s.Chapter = p.name("the chapter, such as handshake")
		p.s.Place = int(p.number("the place in the chapter", 10_000))
	case "seed":
		p.s.Seed = p.uint("the seed, a number")
	case "end":
		p.s.End = p.duration("when the run is over at the latest")
	case "tolerate":
		p.s.Tolerate = true
	case "host":
		p.host()
	case "plugin":
		p.plugin()
	case "link":
		p.link()
	case "listen":
		p.listen()
	case "flow":
		p.openFlow()
	case "fault":
		p.fault()
	case "cut":
		p.cut()
	case "crash", "boot", "shut":
		p.turn(first)
	case "flood":
		p.flood()
	case "expect":
		p.expect()
	case "say":
		p.say()
	case "mark":
		p.mark()
	default:
		p.fail(p.words[0].column, "no line begins with "+quoted(first), nearest(first, statements, "lines begin with "+list(statements)))
	}
}

func (p *parser) identity() {
	id := p.name("the id of the scenario, such as H1")
	if p.s.ID != "" && p.err == nil {
		p.fail(1, "a text is one scenario, and this is "+p.s.ID, "leave out the second line that begins with scenario")
		return
	}
	p.s.ID = id
}

// whole looks at what only the whole text can be wrong in.
func (p *parser) whole() {
	s := p.s
	conns, floods, written := 0, uint64(0), uint64(0)
	for i := range s.Flows {
		f := &s.Flows[i]
		conns += max(1, f.Times)
		for _, step := range slices.Concat(f.Steps[0], f.Steps[1]) {
			if step.Op == sim.Write || step.Op == sim.WriteUrgent {
				written += step.N * uint64(max(1, f.Times))
			}
		}
	}
	for i := range s.Floods {
		floods += uint64(s.Floods[i].Count)
	}
	switch {
	case s.ID == "":
		p.fail(0, "there is no scenario", "write one; its first line is: scenario ID")
	case len(s.Hosts) == 0:
		p.fail(0, "there is no host", "add a line such as: host client 10.0.0.1")
	case conns > maxConns:
		p.fail(0, "the flows are more than "+strconv.Itoa(maxConns)+" connections", "leave some out")
	case floods > maxFlood:
		p.fail(0, "the floods are more than "+strconv.Itoa(maxFlood)+" segments", "make them smaller")
	case written > maxWrite:
		p.fail(0, "the programs write more than "+strconv.Itoa(maxWrite>>20)+"M in all", "have them write less")
	default:
		p.reach()
		p.resolve()
	}
}

// fail notes the first thing that is wrong.
func (p *parser) fail(column int, what, do string) {
	if p.err == nil {
		p.err = &Error{Extra: p.where.Extra, Line: p.where.Line, Column: column, What: what, Do: do}
	}
}

// failWord is fail for the word that was read last.
func (p *parser) failWord(what, do string) { p.fail(p.words[max(0, p.i-1)].column, what, do) }

// next reads a word; false is the end of the line.
func (p *parser) next() (string, bool) {
	if p.err != nil || p.i >= len(p.words) {
		return "", false
	}
	p.i++
	return p.words[p.i-1].text, true
}

// accept reports whether the next word is w, and reads it then.
func (p *parser) accept(w string) bool {
	if p.err != nil || p.i >= len(p.words) || p.words[p.i].quoted || p.words[p.i].text != w {
		return false
	}
	p.i++
	return true
}

// look is the next word, which is not read; "" at the end of the line.
func (p *parser) look() string {
	if p.err != nil || p.i >= len(p.words) {
		return ""
	}
	return p.words[p.i].text
}

// want reads a word that has to be there.
func (p *parser) want(what string) string {
	w, ok := p.next()
	if !ok && p.err == nil {
		last := p.words[len(p.words)-1]
		p.fail(last.column+len(last.text), "the line ends too soon", "give "+what)
	}
	return w
}

func (p *parser) full(have, most int, what string) bool {
	if have >= most {
		p.fail(1, "there are more than "+strconv.Itoa(most)+" "+what, "leave some out")
	}
	return p.err != nil
}
