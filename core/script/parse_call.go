package script

import (
	"math"
	"strconv"
	"strings"
)

// call is [...END] name(args) = result [ERRNO (text)] [(note)].
func (p *parser) call(kind TimeKind) *Call {
	c := &Call{}
	if p.accept("...") {
		c.Blocking = true
		if kind == Relative {
			p.accept("+")
		}
		c.End = p.seconds("the time at which the blocking call ends")
	}
	t := p.word("the name of a call")
	if isDigits(t.text[:1]) {
		p.failWant(t, "the name of a call")
	}
	c.Name = t.text
	p.expect("(", "( behind the name of a call")
	c.Args = p.list(")")
	p.expect("=", "= and what the call returns")
	c.Result = p.result()
	if t := p.look(); t.kind == tokWord && !isDigits(t.text[:1]) {
		p.take(t)
		c.Errno = t.text
		if p.is("(") {
			c.HasText, c.Text = true, p.freeText()
		}
	}
	if p.is("(") {
		c.HasNote, c.Note = true, p.freeText()
	}
	return c
}

// result is a number, a name, or ... for any.
func (p *parser) result() Expr {
	t := p.look()
	if t.kind == tokWord && !isDigits(t.text[:1]) { // a ( behind it begins a note
		p.take(t)
		return Expr{Pos: t.pos, Kind: Word, Text: t.text}
	}
	e := p.term()
	if e.Kind != Int && e.Kind != Default {
		p.failWant(t, "what the call returns: a number, a name or ...")
	}
	return e
}

// freeText is anything between parentheses, which may nest.
func (p *parser) freeText() string {
	open := p.next()
	start, depth := p.cur, 1
	for c := start; c.off < len(p.src); c = p.step(c, 1) {
		switch p.src[c.off] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				p.cur = p.step(c, 1)
				return strings.TrimSpace(p.src[start.off:c.off])
			}
		}
	}
	p.fail(open.pos, "expected a ) for this (")
	return ""
}

// list is expressions between commas up to and with closing.
func (p *parser) list(closing string) []Expr {
	var list []Expr
	if p.accept(closing) {
		return list
	}
	for {
		list = append(list, p.expr())
		if p.accept(closing) {
			return list
		}
		p.expect(",", ", or "+closing)
	}
}

// expr is terms between |, or within a struct also NAME = VALUE.
func (p *parser) expr() Expr {
	first := p.term()
	if !p.is("|") {
		return first
	}
	e := Expr{Pos: first.Pos, Kind: Or, Items: []Expr{first}}
	for p.accept("|") {
		e.Items = append(e.Items, p.term())
	}
	return e
}

// fields is the inside of a struct.
func (p *parser) fields() []Expr {
	var list []Expr
	if p.accept("}") {
		return list
	}
	for {
		e := p.expr()
		if p.accept("=") {
			e = Expr{Pos: e.Pos, Kind: Assign, Items: []Expr{e, p.expr()}}
		}
		list = append(list, e)
		if p.accept("}") {
			return list
		}
		p.expect(",", ", or }")
	}
}

// term is an expression without |.
func (p *parser) term() Expr {
	t := p.look()
	if p.depth++; p.depth > maxDepth {
		p.fail(t.pos, "expected arguments that nest at most "+strconv.Itoa(maxDepth)+" deep")
	}
	defer func() { p.depth-- }()
	e := Expr{Pos: t.pos}
	switch {
	case t.kind == tokString:
		e.Kind = String
		for ; t.kind == tokString; t = p.look() {
			p.take(t)
			e.Text += t.text
		}
	case t.kind == tokPunct && t.text == "...":
		p.take(t)
		e.Kind = Default
	case t.kind == tokPunct && t.text == "-":
		p.take(t)
		v, ok := parseUint(p.look())
		if !ok || v > math.MaxInt64 {
			p.failWant(p.look(), "a number behind the -")
		}
		p.next()
		e.Kind, e.Int = Int, -int64(v)
	case t.kind == tokPunct && t.text == "&":
		p.take(t)
		w := p.look()
		if !w.glued {
			p.failWant(w, "a name right behind the &")
		}
		e.Kind, e.Text = Word, "&"+p.word("a name behind the &").text
	case t.kind == tokPunct && t.text == "[":
		p.take(t)
		e.Kind, e.Items = List, p.list("]")
	case t.kind == tokPunct && t.text == "{":
		p.take(t)
		e.Kind, e.Items = Struct, p.fields()
	case t.kind == tokWord && isDigits(t.text[:1]):
		v, ok := parseUint(t)
		e.Kind, e.Hex = Int, len(t.text) > 2 && (t.text[1] == 'x' || t.text[1] == 'X')
		if !ok || !e.Hex && v > math.MaxInt64 {
			p.failWant(t, "a number of at most 64 bits")
		}
		p.take(t)
		e.Int = int64(v)
	case t.kind == tokWord:
		p.take(t)
		e.Kind, e.Text = Word, t.text
		if p.accept("(") {
			e.Kind, e.Items = Apply, p.list(")")
		}
	default:
		p.failWant(t, "an argument: ..., a number, a name, a string, [list] or {struct}")
	}
	return e
}
