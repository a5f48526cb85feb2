package script

import (
	"math"
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core/clock"
)

// Parse reads a script. name is for messages. A definition SYM=VALUE replaces
// the word SYM wherever it stands outside of strings, commands and code.
func Parse(name, src string, defines ...string) (s *Script, err error) {
	p := &parser{name: name, lexer: lexer{src: src, cur: cursor{pos: Pos{1, 1}}}}
	if len(src) > MaxSource {
		return nil, &Error{Name: name, Pos: Pos{1, 1}, Msg: "expected a script of at most " + strconv.Itoa(MaxSource) + " bytes"}
	}
	for _, d := range defines {
		if msg := p.define(d); msg != "" {
			return nil, &Error{Name: name, Pos: Pos{1, 1}, Msg: msg}
		}
	}
	// The parser unwinds from the first error; nothing else may be caught here.
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			s, err = nil, e
		}
	}()
	return p.script(), nil
}

type parser struct {
	name string
	lexer
	depth int
}

func (p *parser) fail(pos Pos, msg string) {
	panic(&Error{Name: p.name, Pos: pos, Msg: msg})
}

// unsupported ends at t, which is a dialect's and nothing that can be run here.
func (p *parser) unsupported(t token, what string) {
	panic(&Error{Name: p.name, Pos: t.pos, Msg: what + " is not supported", Unsupported: true})
}

// failWant fails at t, saying what should stand there.
func (p *parser) failWant(t token, want string) {
	if t.kind == tokBad {
		p.fail(t.pos, t.text)
	}
	p.fail(t.pos, "expected "+want+", found "+describe(t))
}

func describe(t token) string {
	text := t.text
	if len(text) > 40 {
		text = text[:40] + "..."
	}
	switch t.kind {
	case tokEnd:
		return "the end of the script"
	case tokString:
		return "the string " + strconv.Quote(text)
	case tokCommand:
		return "the command " + strconv.Quote(text)
	case tokCode:
		return "code"
	}
	return strconv.Quote(text)
}

func (p *parser) look() token { return p.peek(p.cur) }

// take consumes t, which must come from look.
func (p *parser) take(t token) { p.cur = t.end }

func (p *parser) next() token {
	t := p.look()
	p.take(t)
	return t
}

// is reports whether the next token is the punctuation s; accept also takes it.
func (p *parser) is(s string) bool {
	t := p.look()
	return t.kind == tokPunct && t.text == s
}

func (p *parser) accept(s string) bool {
	t := p.look()
	if t.kind != tokPunct || t.text != s {
		return false
	}
	p.take(t)
	return true
}

func (p *parser) acceptWord(s string) bool {
	t := p.look()
	if t.kind != tokWord || t.text != s {
		return false
	}
	p.take(t)
	return true
}

func (p *parser) expect(s, want string) {
	if t := p.look(); !p.accept(s) {
		p.failWant(t, want)
	}
}

// word takes any word.
func (p *parser) word(want string) token {
	t := p.look()
	if t.kind != tokWord {
		p.failWant(t, want)
	}
	p.take(t)
	return t
}

// number takes a decimal or hexadecimal number of at most max.
func (p *parser) number(want string, max uint64) uint64 {
	t := p.look()
	v, ok := parseUint(t)
	if !ok {
		p.failWant(t, want)
	}
	if v > max {
		p.failWant(t, want+" of at most "+strconv.FormatUint(max, 10))
	}
	p.take(t)
	return v
}

// parseUint reads a word that is a number.
func parseUint(t token) (uint64, bool) {
	if t.kind != tokWord {
		return 0, false
	}
	base, s := 10, t.text
	if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		base, s = 16, s[2:]
	}
	v, err := strconv.ParseUint(s, base, 64)
	return v, err == nil
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// script is the whole: options, a command, events, a command.
func (p *parser) script() *Script {
	s := &Script{Name: p.name, Title: p.title(), Failure: p.failure()}
	for p.is("-") {
		o := p.option()
		if o.Name != "define" {
			s.Options = append(s.Options, o)
		} else if msg := p.define(o.Value); msg != "" {
			p.fail(o.Pos, msg)
		}
	}
	if t := p.look(); t.kind == tokCommand {
		p.take(t)
		s.Init = &Command{Pos: t.pos, Text: t.text}
	}
	var last clock.Duration // the latest absolute time
	for {
		t := p.look()
		if t.kind == tokEnd {
			break
		}
		if t.kind == tokCommand && len(s.Events) > 0 {
			p.take(t)
			s.Final = &Command{Pos: t.pos, Text: t.text}
			if t = p.look(); t.kind != tokEnd {
				p.failWant(t, "the end of the script behind its final command")
			}
			break
		}
		e := p.event(t)
		switch {
		case len(s.Events) == 0 && (e.Time.Kind == Any || e.Time.At != 0):
			p.fail(e.Pos, "expected the time 0 for the first event")
		case e.Time.Kind == Absolute || e.Time.Kind == AbsoluteRange:
			if e.Time.At < last {
				p.fail(e.Pos, "expected a time that is not before that of an earlier event")
			}
			last = e.Time.At
		}
		s.Events = append(s.Events, e)
	}
	if len(s.Events) == 0 {
		p.failWant(p.look(), "an event")
	}
	return s
}

// title is the // comment that the script begins with.
func (p *parser) title() (lines []string) {
	for c := p.cur; p.hasPrefix(c, "//"); {
		end, _ := p.find(c, "\n")
		lines = append(lines, strings.TrimSpace(p.src[c.off+2:end.off]))
		c = p.step(end, 1)
	}
	return lines
}

// failure is what a comment "// Failure: ..." on a line of its own says.
func (p *parser) failure() string {
	for line := range strings.Lines(p.src) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "//"); ok {
			if text, ok = strings.CutPrefix(strings.TrimSpace(text), "Failure:"); ok {
				return strings.TrimSpace(text)
			}
		}
	}
	return ""
}

// option is --name or --name=value. The value reaches to the next space, or it
// is in double quotes.
func (p *parser) option() Option {
	t := p.next()
	if u := p.look(); !u.glued || !p.accept("-") {
		p.failWant(u, "a second - of an option")
	}
	o := Option{Pos: t.pos}
	c := p.cur
	start := c.off
	for c.off < len(p.src) && (isWordByte(p.src[c.off]) || p.src[c.off] == '-') {
		c = p.step(c, 1)
	}
	o.Name = p.src[start:c.off]
	p.cur = c
	if o.Name == "" {
		p.failWant(p.look(), "the name of an option")
	}
	if !p.hasPrefix(c, "=") {
		if c.off < len(p.src) && !isSpace(p.src[c.off]) {
			p.failWant(p.look(), "= or a space behind the name of an option")
		}
		return o
	}
	p.cur = p.step(c, 1)
	o.HasValue = true
	if p.hasPrefix(p.cur, `"`) {
		t = p.next()
		if t.kind != tokString {
			p.failWant(t, "a string")
		}
		o.Value = t.text
	} else {
		start = p.cur.off
		for p.cur.off < len(p.src) && !isSpace(p.src[p.cur.off]) {
			p.cur = p.step(p.cur, 1)
		}
		o.Value = p.src[start:p.cur.off]
	}
	return o
}

// event is one line; t is its first token.
func (p *parser) event(t token) Event {
	e := Event{Pos: t.pos}
	e.Time = p.time()
	t = p.look()
	switch {
	case t.kind == tokCommand:
		p.take(t)
		e.Command = &Command{Pos: t.pos, Text: t.text}
	case t.kind == tokCode:
		p.take(t)
		e.Code = p.code(t)
	case t.kind == tokPunct && (t.text == "<" || t.text == ">"):
		e.Packet = p.packet()
	case t.kind == tokWord && !isDigits(t.text), t.kind == tokPunct && t.text == "...":
		e.Call = p.call(e.Time.Kind)
	default:
		p.failWant(t, "< or > and a packet, a call, %{ code }% or a `command` behind the time")
	}
	outbound := e.Packet != nil && !e.Packet.Inbound
	if !outbound && e.Time.Kind != Absolute && e.Time.Kind != Relative {
		p.fail(e.Pos, "expected one exact time: only outbound packets may have a range or *")
	}
	return e
}

// time is one of the five forms.
func (p *parser) time() Time {
	if p.accept("*") {
		return Time{Kind: Any}
	}
	t := Time{Kind: Absolute}
	if p.accept("+") {
		t.Kind = Relative
	}
	first := p.look()
	t.At = p.seconds("a time: 0.1, +.1, *, 1~2 or +.1~+.2")
	if !p.accept("~") {
		return t
	}
	if t.Kind == Relative {
		p.expect("+", "+ in front of the end of a relative range")
		t.Kind = RelativeRange
	} else {
		t.Kind = AbsoluteRange
	}
	t.End = p.seconds("the end of a range of times")
	if t.End < t.At {
		p.fail(first.pos, "expected a range of times that ends after it begins")
	}
	return t
}

// seconds is an integer or decimal number of seconds. What is finer than a
// microsecond is cut off.
func (p *parser) seconds(want string) clock.Duration {
	t := p.look()
	whole, fraction := "", ""
	if t.kind == tokWord && isDigits(t.text) {
		whole = t.text
		p.take(t)
	}
	if dot := p.look(); dot.kind == tokPunct && dot.text == "." && (dot.glued || whole == "") {
		p.take(dot)
		f := p.look()
		if f.glued && f.kind == tokWord && isDigits(f.text) {
			fraction = f.text
			p.take(f)
		} else if whole == "" {
			p.failWant(t, want)
		}
	} else if whole == "" {
		p.failWant(t, want)
	}
	const limit = uint64(math.MaxInt64 / clock.Second / 4)
	v := uint64(0)
	if whole != "" {
		var err error
		if v, err = strconv.ParseUint(whole, 10, 64); err != nil || v > limit {
			p.failWant(t, "a time of at most "+strconv.FormatUint(limit, 10)+" s")
		}
	}
	d := clock.Duration(v) * clock.Second
	unit := clock.Second
	for i := 0; i < len(fraction) && i < 6; i++ {
		unit /= 10
		d += clock.Duration(fraction[i]-'0') * unit
	}
	return d
}

// code parses the text of a code block now, so that its errors have a place.
func (p *parser) code(t token) *Code {
	c := &Code{Pos: t.pos, Text: t.text}
	var err *Error
	if c.prog, err = parseProgram(c.Text, Pos{t.pos.Line, t.pos.Col + 2}); err != nil {
		err.Name = p.name
		panic(err)
	}
	return c
}
