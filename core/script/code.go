package script

import "strconv"

// program is the Python of one code block.
type program []stmt

type stmtKind uint8

const (
	stmtAssert stmtKind = iota
	stmtAssign          // name op= expr; op is empty for a plain =
	stmtPrint
	stmtExpr // its value goes nowhere, but its errors are seen
)

type stmt struct {
	pos  Pos
	kind stmtKind
	name string
	op   string
	expr *node
	msg  *node  // of an assert; nil if there is none
	text string // the source of expr
	args []*node
}

type nodeKind uint8

const (
	nodeConst nodeKind = iota
	nodeName
	nodeUnary   // op: - + ~ not
	nodeBinary  // op, two parts
	nodeAnd     // any number of parts
	nodeOr      //
	nodeCompare // parts, with ops between them: a < b < c
	nodeTuple
	nodeCall // name, parts
	nodeIf   // parts: then, condition, else
)

type node struct {
	pos   Pos
	kind  nodeKind
	op    string
	ops   []string
	name  string
	val   value
	parts []*node
}

// maxNodes bounds the size of one statement.
const maxNodes = 4096

type pyToken struct {
	kind       pyKind
	text       string // of a string: decoded
	pos        Pos
	start, end int
}

type pyKind uint8

const (
	pyEnd pyKind = iota
	pyLine
	pyName
	pyNumber
	pyString
	pyOp
)

// pyParser reads statements. Like parser it unwinds by panic with an *Error,
// which parseProgram catches.
type pyParser struct {
	lexer
	tok   pyToken
	paren int
	depth int
	nodes int
}

func parseProgram(src string, at Pos) (prog program, err *Error) {
	p := &pyParser{lexer: lexer{src: src, cur: cursor{pos: at}}}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			prog, err = nil, e
		}
	}()
	p.advance()
	for p.tok.kind != pyEnd {
		if p.tok.kind == pyLine {
			p.advance()
			continue
		}
		p.nodes = 0
		prog = append(prog, p.stmt())
		if p.tok.kind != pyLine && p.tok.kind != pyEnd {
			p.want("the end of the statement")
		}
	}
	return prog, nil
}

func (p *pyParser) want(what string) {
	panic(&Error{Pos: p.tok.pos, Msg: "expected " + what + ", found " + p.tok.describe()})
}

func (p *pyParser) unsupported(what string) {
	panic(&Error{Pos: p.tok.pos, Msg: what + " is not supported in code blocks", Unsupported: true})
}

func (t *pyToken) describe() string {
	switch t.kind {
	case pyEnd:
		return "the end of the code"
	case pyLine:
		return "the end of the line"
	}
	text := t.text
	if len(text) > 40 {
		text = text[:40] + "..."
	}
	return strconv.Quote(text)
}

// pyOps are the operators; longer ones stand before their beginnings.
var pyOps = [...]string{
	"**=", "//=", "<<=", ">>=",
	"**", "//", "<<", ">>", "<=", ">=", "==", "!=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
	"+", "-", "*", "/", "%", "&", "|", "^", "~", "<", ">", "=", "(", ")", ",",
}

// advance moves to the next token. A newline counts only outside of
// parentheses; a semicolon is like a newline; indentation says nothing, since
// there is nothing to indent.
func (p *pyParser) advance() {
	c := p.cur
	for c.off < len(p.src) {
		switch ch := p.src[c.off]; {
		case ch == '\\' && (p.hasPrefix(c, "\\\n") || p.hasPrefix(c, "\\\r\n")):
			end, _ := p.find(c, "\n")
			c = p.step(end, 1)
			continue
		case ch == '#':
			end, _ := p.find(c, "\n")
			c = end
			continue
		case isSpace(ch) && (ch != '\n' || p.paren > 0):
			c = p.step(c, 1)
			continue
		}
		break
	}
	t := pyToken{pos: c.pos, start: c.off}
	defer func() { t.end = p.cur.off; p.tok = t }()
	if c.off >= len(p.src) {
		p.cur = c
		return
	}
	ch := p.src[c.off]
	switch {
	case ch == '\n' || ch == ';':
		t.kind, t.text = pyLine, p.src[c.off:c.off+1]
		p.cur = p.step(c, 1)
		return
	case '0' <= ch && ch <= '9' || ch == '.' && c.off+1 < len(p.src) && isDigits(p.src[c.off+1:c.off+2]):
		end := c
		for end.off < len(p.src) && (isWordByte(p.src[end.off]) || p.src[end.off] == '.') {
			end = p.step(end, 1)
		}
		t.kind, t.text = pyNumber, p.src[c.off:end.off]
		p.cur = end
		return
	case isWordByte(ch):
		end := c
		for end.off < len(p.src) && isWordByte(p.src[end.off]) {
			end = p.step(end, 1)
		}
		t.kind, t.text = pyName, p.src[c.off:end.off]
		p.cur = end
		return
	case ch == '\'' || ch == '"':
		t.kind = pyString
		t.text, p.cur = p.pyString(c, ch)
		return
	}
	for _, op := range pyOps {
		if p.hasPrefix(c, op) {
			t.kind, t.text = pyOp, op
			p.cur = p.step(c, len(op))
			return
		}
	}
	panic(&Error{Pos: c.pos, Msg: "expected Python, found " + strconv.Quote(p.src[c.off:c.off+1])})
}

// pyString takes a string in the given quotes.
func (p *pyParser) pyString(open cursor, quote byte) (string, cursor) {
	var b []byte
	for c := p.step(open, 1); c.off < len(p.src); {
		ch := p.src[c.off]
		switch {
		case ch == quote:
			return string(b), p.step(c, 1)
		case ch == '\n':
			panic(&Error{Pos: c.pos, Msg: "expected a quote that ends the string"})
		case ch == '\\':
			if v, n := unescape(p.src[c.off+1:]); n > 0 {
				b = append(b, v)
				c = p.step(c, n+1)
				continue
			}
		}
		b = append(b, ch) // Python keeps the \ of an unknown escape
		c = p.step(c, 1)
	}
	panic(&Error{Pos: open.pos, Msg: "expected a quote that ends the string"})
}

func (p *pyParser) isOp(s string) bool { return p.tok.kind == pyOp && p.tok.text == s }

func (p *pyParser) isName(s string) bool { return p.tok.kind == pyName && p.tok.text == s }

func (p *pyParser) open() {
	p.paren++
	p.advance()
}

func (p *pyParser) close() {
	if !p.isOp(")") {
		p.want(")")
	}
	p.paren--
	p.advance()
}

func (p *pyParser) stmt() stmt {
	s := stmt{pos: p.tok.pos}
	if p.tok.kind == pyName {
		switch name := p.tok.text; name {
		case "if", "elif", "else", "for", "while", "def", "class", "import", "from", "with", "try", "except",
			"finally", "raise", "return", "lambda", "global", "del", "yield", "async", "await", "nonlocal", "match":
			p.unsupported(name)
		case "pass":
			p.advance()
			return stmt{pos: s.pos, kind: stmtExpr, expr: &node{pos: s.pos}}
		case "assert":
			p.advance()
			s.kind = stmtAssert
			start, end := p.tok.start, 0
			s.expr, end = p.exprEnd()
			s.text = p.src[start:end]
			if p.isOp(",") {
				p.advance()
				s.msg = p.expr()
			}
			return s
		case "print":
			p.advance()
			s.kind = stmtPrint
			if p.isOp("(") {
				p.open()
				s.args = p.exprs()
				p.close()
			} else if p.tok.kind != pyLine && p.tok.kind != pyEnd { // Python 2
				s.args = append(s.args, p.expr())
				for p.isOp(",") {
					p.advance()
					s.args = append(s.args, p.expr())
				}
			}
			return s
		}
	}
	s.expr = p.exprList()
	s.kind = stmtExpr
	if p.tok.kind == pyOp && p.tok.text[len(p.tok.text)-1] == '=' {
		if s.expr.kind != nodeName {
			p.want("a name in front of the =")
		}
		s.kind, s.name, s.op = stmtAssign, s.expr.name, p.tok.text[:len(p.tok.text)-1]
		p.advance()
		s.expr = p.exprList()
	}
	return s
}

// exprEnd is expr with the place behind its last token.
func (p *pyParser) exprEnd() (*node, int) {
	n := p.expr()
	end := p.tok.start
	for end > 0 && isSpace(p.src[end-1]) {
		end--
	}
	return n, end
}

// exprs is expressions between commas up to a parenthesis, maybe none.
func (p *pyParser) exprs() []*node {
	var list []*node
	for !p.isOp(")") {
		list = append(list, p.expr())
		if !p.isOp(",") {
			break
		}
		p.advance()
	}
	return list
}

// exprList is one expression, or a tuple without parentheses.
func (p *pyParser) exprList() *node {
	n := p.expr()
	if !p.isOp(",") {
		return n
	}
	t := p.node(n.pos, nodeTuple, n)
	for p.isOp(",") {
		p.advance()
		if p.tok.kind == pyLine || p.tok.kind == pyEnd || p.isOp(")") {
			break
		}
		t.parts = append(t.parts, p.expr())
	}
	return t
}

func (p *pyParser) node(pos Pos, kind nodeKind, parts ...*node) *node {
	if p.nodes++; p.nodes > maxNodes {
		p.want("a shorter statement")
	}
	return &node{pos: pos, kind: kind, parts: parts}
}

func (p *pyParser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.want("an expression that nests at most " + strconv.Itoa(maxDepth) + " deep")
	}
}

func (p *pyParser) leave() { p.depth-- }

// expr is a conditional expression, Python's widest without a comma.
func (p *pyParser) expr() *node {
	p.enter()
	defer p.leave()
	n := p.or()
	if !p.isName("if") {
		return n
	}
	p.advance()
	cond := p.or()
	if !p.isName("else") {
		p.want("else")
	}
	p.advance()
	return p.node(n.pos, nodeIf, n, cond, p.expr())
}

func (p *pyParser) or() *node {
	n := p.and()
	if p.isName("or") {
		n = p.node(n.pos, nodeOr, n)
	}
	for p.isName("or") {
		p.advance()
		n.parts = append(n.parts, p.and())
	}
	return n
}

func (p *pyParser) and() *node {
	n := p.not()
	if p.isName("and") {
		n = p.node(n.pos, nodeAnd, n)
	}
	for p.isName("and") {
		p.advance()
		n.parts = append(n.parts, p.not())
	}
	return n
}

func (p *pyParser) not() *node {
	if !p.isName("not") {
		return p.compare()
	}
	p.enter()
	defer p.leave()
	pos := p.tok.pos
	p.advance()
	n := p.node(pos, nodeUnary, p.not())
	n.op = "not"
	return n
}

// compare is a chain: a < b <= c holds if a < b and b <= c.
func (p *pyParser) compare() *node {
	n := p.binary(0)
	var chain *node
	for {
		op := ""
		switch {
		case p.tok.kind == pyOp && isComparison(p.tok.text), p.isName("in"):
			op = p.tok.text
		case p.isName("is"):
			op = "=="
		case p.isName("not"):
			op = "not in"
		default:
			return n
		}
		p.advance()
		switch {
		case op == "not in" && !p.isName("in"):
			p.want("in behind not")
		case op == "not in":
			p.advance()
		case op == "==" && p.isName("not"): // is not
			p.advance()
			op = "!="
		}
		if chain == nil {
			chain = p.node(n.pos, nodeCompare, n)
			n = chain
		}
		chain.ops = append(chain.ops, op)
		chain.parts = append(chain.parts, p.binary(0))
	}
}

func isComparison(s string) bool {
	switch s {
	case "==", "!=", "<", "<=", ">", ">=":
		return true
	}
	return false
}

// binaryOps are the levels of the operators, the loosest first.
var binaryOps = [...][]string{{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "//", "%"}}

func (p *pyParser) binary(level int) *node {
	if level == len(binaryOps) {
		return p.unary()
	}
	n := p.binary(level + 1)
	for {
		op := ""
		for _, o := range binaryOps[level] {
			if p.isOp(o) {
				op = o
			}
		}
		if op == "" {
			return n
		}
		p.advance()
		n = p.node(n.pos, nodeBinary, n, p.binary(level+1))
		n.op = op
	}
}

func (p *pyParser) unary() *node {
	if !p.isOp("-") && !p.isOp("+") && !p.isOp("~") {
		return p.power()
	}
	p.enter()
	defer p.leave()
	pos, op := p.tok.pos, p.tok.text
	p.advance()
	n := p.node(pos, nodeUnary, p.unary())
	n.op = op
	return n
}

// power binds tighter than a sign on its left and looser than one on its right.
func (p *pyParser) power() *node {
	n := p.atom()
	if !p.isOp("**") {
		return n
	}
	p.enter()
	defer p.leave()
	p.advance()
	n = p.node(n.pos, nodeBinary, n, p.unary())
	n.op = "**"
	return n
}

func (p *pyParser) atom() *node {
	t := p.tok
	n := p.node(t.pos, nodeConst)
	switch t.kind {
	case pyNumber:
		v, ok := parseNumber(t.text)
		if !ok {
			p.want("a number of at most 63 bits, without an exponent")
		}
		n.val = v
		p.advance()
		return n
	case pyString:
		for p.tok.kind == pyString {
			n.val = value{kind: valString, str: n.val.str + p.tok.text}
			p.advance()
		}
		return n
	case pyName:
		switch t.text {
		case "True":
			n.val = boolValue(true)
		case "False":
			n.val = boolValue(false)
		case "None":
		case "and", "or", "not", "in", "is", "if", "else", "assert":
			p.want("an expression")
		case "lambda":
			p.unsupported(t.text)
		default:
			n.kind, n.name = nodeName, t.text
		}
		p.advance()
		if n.kind == nodeName && p.isOp("(") {
			if !isBuiltin(n.name) {
				p.tok = t
				p.unsupported("the function " + n.name)
			}
			p.open()
			n.kind, n.parts = nodeCall, p.exprs()
			p.close()
		}
		return n
	}
	if !p.isOp("(") {
		p.want("an expression")
	}
	p.open()
	if p.isOp(")") {
		n.kind = nodeTuple
	} else {
		n = p.exprList()
	}
	p.close()
	return n
}

// parseNumber reads an integer of any base, or a decimal fraction.
func parseNumber(s string) (value, bool) {
	dot := -1
	for i := range s {
		if s[i] == '.' {
			dot = i
			break
		}
	}
	if dot < 0 {
		v, err := strconv.ParseInt(s, 0, 64)
		return intValue(v), err == nil
	}
	den := int64(1)
	digits := s[:dot] + s[dot+1:]
	for range s[dot+1:] {
		if den > 1e15 {
			return value{}, false
		}
		den *= 10
	}
	if !isDigits(digits) {
		return value{}, false
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return value{}, false
	}
	return ratio(v, den), true
}
