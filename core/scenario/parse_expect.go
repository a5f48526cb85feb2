package scenario

import (
	"github.com/tcpkit/tcpkit/core/tcp"
)

// quantities are what "expect tcb" can ask for: what a TCB item has.
var quantities = [...]string{
	"SND.UNA", "SND.NXT", "SND.WND", "RCV.NXT", "RCV.WND", "ISS", "IRS", "cwnd", "ssthresh", "flight", "rto", "srtt",
	"mss", "held", "unread", "unsent", "unacked", "keepalive-idle", "keepalive-interval", "keepalive-count", "user-timeout",
}

// expect reads an expectation.
func (p *parser) expect() {
	e := Expect{Where: p.where, Flow: -1}
	w := p.want("what is expected, such as state or segment")
	for k := ExpectKind(1); k < expectKinds; k++ {
		if k.String() == w {
			e.Kind = k
		}
	}
	if p.err == nil && e.Kind == 0 {
		p.failWord("nothing is expected of "+quoted(w), nearest(w, expectNames[1:], "it can be one of "+list(expectNames[1:])))
	}
	if p.err != nil {
		return
	}
	p.expected(&e)
	for p.err == nil && p.i < len(p.words) {
		switch {
		case e.Kind.hasMoment() && p.accept("at"):
			e.When.Given, e.When.At = true, p.duration("when")
		case e.When.Given && p.accept("within"):
			e.When.Within = p.duration("how exact the time is")
		case e.Kind.hasFlow() && p.accept("flow"):
			e.FlowName = p.name("the name of a flow")
		default:
			p.next()
			p.failWord("what does "+quoted(p.words[p.i-1].text)+" mean here?", "the line was complete before it")
		}
	}
	if !p.full(len(p.s.Expects), maxExpects, "expectations") {
		p.s.Expects = append(p.s.Expects, e)
	}
}

// hasMoment reports whether a time may stand behind an expectation.
func (k ExpectKind) hasMoment() bool {
	switch k {
	case ExpectState, ExpectSegment, ExpectEdge, ExpectError, ExpectRead, ExpectGhosts, ExpectHalfOpen, ExpectConns, ExpectTimeWaits,
		ExpectHeld, ExpectTCB, ExpectKnow:
		return true
	}
	return false
}

// hasFlow reports whether it is about one connection.
func (k ExpectKind) hasFlow() bool {
	switch k {
	case ExpectPath, ExpectState, ExpectEdge, ExpectError, ExpectRead, ExpectStream, ExpectTimer, ExpectRetransmits, ExpectTCB, ExpectKnow:
		return true
	}
	return false
}

func (p *parser) expected(e *Expect) {
	switch e.Kind {
	case ExpectPath:
		e.Host = p.hostName("the host")
		for w := p.look(); p.err == nil && w != "" && w != "flow"; w = p.look() {
			e.States = append(e.States, p.state())
		}
		if p.err == nil && len(e.States) == 0 {
			p.state()
		}
	case ExpectState:
		e.Host = p.hostName("the host")
		e.States = []tcp.State{p.state()}
	case ExpectSegment:
		p.expectSegment(e)
	case ExpectSegments, ExpectViolation:
		p.compare(e, largest)
	case ExpectCount, ExpectLost:
		e.Host, e.To = p.way()
		e.Match = p.match()
		p.compare(e, largest)
	case ExpectEdge:
		e.Host = p.hostName("the host")
		e.States = []tcp.State{p.state(), p.state()}
		if p.accept("rule") {
			e.Rule = p.rule()
		}
	case ExpectError:
		e.Host = p.hostName("the host")
		e.Soft = p.accept("soft")
		e.Word = p.oneOf("an error, such as ECONNRESET, or none", errorWords())
	case ExpectRead:
		e.Host = p.hostName("the host")
		p.compare(e, largest)
	case ExpectStream:
		e.Host = p.hostName("the host that reads it")
		e.Word = p.oneOf("what its stream is like", []string{"whole", "part", "wrong"})
	case ExpectGhosts, ExpectHalfOpen, ExpectConns, ExpectTimeWaits, ExpectHeld:
		e.Host = p.hostName("the host")
		p.compare(e, largest)
	case ExpectDrop:
		e.Host, e.Drop = p.hostName("the host"), p.drop()
		p.compare(e, largest)
	case ExpectTimer:
		e.Host, e.Slot = p.hostName("the host"), p.timer()
		e.Word = p.oneOf("what the timer did", []string{"armed", "fired"})
		p.compare(e, largest)
	case ExpectRetransmits:
		e.Host = p.hostName("the host")
		p.compare(e, largest)
	case ExpectTCB:
		e.Host = p.hostName("the host")
		e.Word = p.oneOf("a variable, such as SND.UNA or cwnd", quantities[:])
		p.compare(e, largest)
	case ExpectKnow:
		e.Host = p.hostName("the host")
		e.Word = p.oneOf("what it knows", []string{"nothing", "receive", "send", "both"})
	case ExpectSilence:
		e.From, e.Until = 0, longest
		if p.accept("from") {
			e.From = p.duration("from when on")
		}
		if p.accept("until") {
			e.Until = p.duration("until when")
		}
	case ExpectQuiet:
		e.From = p.duration("when nothing is left to happen")
	default:
		panic("scenario: an expectation that nobody reads")
	}
}

func (p *parser) expectSegment(e *Expect) {
	e.Nth = p.ordinal("the how manieth packet that is sent")
	e.Host, e.To = p.way()
	e.Match = p.match()
	for p.err == nil {
		switch {
		case p.accept("seq"):
			e.Seq = p.optional("a relative sequence number")
		case p.accept("ack"):
			e.Ack = p.optional("a relative acknowledgment number")
		case p.accept("len"):
			e.Len = p.optional("octets of data")
		case p.accept("win"):
			e.Win = p.optional("a window")
		case p.accept("with"):
			e.Options = p.options(e.Options, false)
		case p.accept("without"):
			e.Options = p.options(e.Options, true)
		case p.accept("rule"):
			e.Rule = p.rule()
		default:
			return
		}
	}
}

// optional reads a number, which may be negative: a keepalive probe in a connection
// that has just begun is at 0, and what is older before it.
func (p *parser) optional(what string) Optional {
	w := p.look()
	negative := len(w) > 1 && w[0] == '-'
	if negative {
		p.words[p.i].text = w[1:]
	}
	n := int64(p.number(what, 1<<32))
	if negative {
		n = -n
	}
	return Optional{Given: true, N: n}
}

// compare reads an optional sign and a number, or a time where it may be one.
func (p *parser) compare(e *Expect, most uint64) {
	for c := Equal; c < compares; c++ {
		if p.accept(c.String()) {
			e.Compare = c
			break
		}
	}
	if d, ok := parseDuration(p.look()); ok && e.Kind == ExpectTCB {
		p.next()
		e.N = int64(d)
		return
	}
	e.N = int64(p.number("a number", most))
}

func (p *parser) oneOf(what string, names []string) string {
	w := p.want(what)
	for _, n := range names {
		if n == w {
			return w
		}
	}
	if p.err == nil {
		p.failWord(quoted(w)+" is not "+what, nearest(w, names, "give one of "+list(names)))
	}
	return ""
}

func errorWords() []string {
	words := make([]string, len(errorNames))
	for i := range errorNames {
		words[i] = errorNames[i].name
	}
	return words
}

// say reads a sentence of the narration and what it is tied to.
func (p *parser) say() {
	s := Say{ID: p.name("the id of a message, such as h1.syn"), N: 1}
	if p.err == nil && !p.accept("on") {
		p.want("on and what it is tied to")
		p.failWord("the word on is missing", "write: say "+s.ID+" on segment 1")
	}
	w := p.oneOf("what it is tied to", tieNames[:])
	for k := TieKind(0); k < ties; k++ {
		if k.String() == w {
			s.Tie = k
		}
	}
	switch s.Tie {
	case TieSegment, TieArrive, TieLose:
		s.N = p.ordinal("the id of a packet, from 1")
	case TieState:
		s.Host, s.State = p.hostName("the host"), p.state()
	case TieTime:
		s.At = p.duration("when")
	case TieTimer:
		s.Host, s.Slot = p.hostName("the host"), p.timer()
	case TieDrop:
		s.Host, s.Drop = p.hostName("the host"), p.drop()
	case TieError:
		s.Host = p.hostName("the host")
	case TieStart, TieEnd:
	default:
		panic("scenario: a tie that nobody reads")
	}
	if w := p.look(); (s.Tie == TieState || s.Tie == TieTimer || s.Tie == TieDrop || s.Tie == TieError) && w != "" && w[0] >= '0' && w[0] <= '9' {
		s.N = p.ordinal("the how manieth time")
	}
	for p.err == nil && p.i < len(p.words) {
		switch {
		case p.accept("filter"):
			s.Filter = p.want("a display filter in quotes")
		case p.accept("rows"):
			s.Rows = int(p.number("how many rows it shows", 1<<20))
		case p.accept("at"):
			s.Seen = p.hostName("the host whose capture shows them")
		default:
			p.next()
			p.failWord("a sentence has no "+quoted(p.words[p.i-1].text), "it has filter, rows and at")
		}
	}
	if !p.full(len(p.s.Says), maxSays, "sentences") {
		p.s.Says = append(p.s.Says, s)
	}
}

func (p *parser) mark() {
	if p.err == nil && !p.accept("segment") {
		p.want("segment and its id")
		p.failWord("only a field of a segment can be marked", "write: mark segment 1 seq")
	}
	m := Mark{Packet: p.ordinal("the id of a packet, from 1"), Field: p.name("a field, such as seq")}
	if !p.full(len(p.s.Marks), maxSays, "marks") {
		p.s.Marks = append(p.s.Marks, m)
	}
}

// resolve finds the flows that expectations are about, once all are there.
func (p *parser) resolve() {
	for i := range p.s.Expects {
		e := &p.s.Expects[i]
		if !e.Kind.hasFlow() {
			continue
		}
		if e.FlowName != "" {
			if e.Flow = p.s.findFlow(e.FlowName); e.Flow < 0 {
				p.err = &Error{Extra: e.Where.Extra, Line: e.Where.Line, What: "flow " + quoted(e.FlowName) + " is not defined", Do: "the flows are " + list(p.flowNames())}
				return
			}
			continue
		}
		n := 0
		for k := range p.s.Flows {
			if f := &p.s.Flows[k]; e.Flow < 0 && (f.Hosts[0] == e.Host || f.Hosts[1] == e.Host) {
				e.Flow = n
			}
			n += max(1, p.s.Flows[k].Times)
		}
	}
}

func (p *parser) flowNames() []string {
	names := make([]string, len(p.s.Flows))
	for i := range names {
		names[i] = p.s.Flows[i].Name
	}
	return names
}
