package script

import "strconv"

// MaxSource is the greatest size of a script in bytes.
const MaxSource = 4 << 20

// maxDepth bounds how deep arguments and Python expressions nest.
const maxDepth = 32

// An Error says where a script is wrong and what was expected there.
type Error struct {
	Name string
	Pos  Pos
	Msg  string

	// Unsupported is set where the text is packetdrill's, and only this
	// package cannot do what it says.
	Unsupported bool
}

// Error is "file:line:column: message".
func (e *Error) Error() string {
	b := append([]byte(nil), e.Name...)
	b = append(b, ':')
	b = strconv.AppendInt(b, int64(e.Pos.Line), 10)
	b = append(b, ':')
	b = strconv.AppendInt(b, int64(e.Pos.Col), 10)
	b = append(b, ": "...)
	return string(append(b, e.Msg...))
}

type tokenKind uint8

const (
	tokEnd     tokenKind = iota
	tokWord              // letters, digits, underscores
	tokPunct             // one character, or ...
	tokString            // text is decoded
	tokCommand           // between backticks
	tokCode              // between %{ and }%
	tokBad               // text is the message
)

// token is one token. Numbers are words: 3021b9d889017eeb is a cookie in one
// place and 0.1 a time in another, and only the parser knows which.
type token struct {
	kind  tokenKind
	text  string
	pos   Pos
	glued bool // nothing stands between it and the token before it
	end   cursor
}

// cursor is a place in the source.
type cursor struct {
	off int
	pos Pos
}

// lexer hands out tokens on demand, so that the parser may also take raw text.
type lexer struct {
	src     string
	cur     cursor
	defines map[string]token
}

func isWordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'
}

// step moves c over n bytes.
func (l *lexer) step(c cursor, n int) cursor {
	for ; n > 0 && c.off < len(l.src); n-- {
		if l.src[c.off] == '\n' {
			c.pos.Line++
			c.pos.Col = 1
		} else {
			c.pos.Col++
		}
		c.off++
	}
	return c
}

func (l *lexer) hasPrefix(c cursor, s string) bool {
	return len(l.src)-c.off >= len(s) && l.src[c.off:c.off+len(s)] == s
}

// find is where s begins at or after c; false: it does not.
func (l *lexer) find(c cursor, s string) (cursor, bool) {
	for c.off < len(l.src) {
		if l.hasPrefix(c, s) {
			return c, true
		}
		c = l.step(c, 1)
	}
	return c, false
}

// skip moves over spaces and comments. A comment that does not end is found
// by the caller, which sees its first characters.
func (l *lexer) skip(c cursor) cursor {
	for c.off < len(l.src) {
		switch {
		case isSpace(l.src[c.off]):
			c = l.step(c, 1)
		case l.hasPrefix(c, "//"):
			end, ok := l.find(c, "\n")
			if !ok {
				return end
			}
			c = end
		case l.hasPrefix(c, "/*"):
			end, ok := l.find(l.step(c, 2), "*/")
			if !ok {
				return c
			}
			c = l.step(end, 2)
		default:
			return c
		}
	}
	return c
}

// peek is the token at c, with its replacement where it is a defined word.
func (l *lexer) peek(c cursor) token {
	at := l.skip(c)
	t := token{pos: at.pos, glued: at.off == c.off}
	if at.off >= len(l.src) {
		t.kind, t.end = tokEnd, at
		return t
	}
	ch := l.src[at.off]
	switch {
	case isWordByte(ch):
		n := 1
		for at.off+n < len(l.src) && isWordByte(l.src[at.off+n]) {
			n++
		}
		t.kind, t.text, t.end = tokWord, l.src[at.off:at.off+n], l.step(at, n)
		if d, ok := l.defines[t.text]; ok {
			t.kind, t.text = d.kind, d.text
		}
	case ch == '"':
		l.lexString(at, &t)
	case ch == '`':
		l.lexTo(at, &t, tokCommand, 1, "`", "a ` that ends the command")
	case l.hasPrefix(at, "%{"):
		l.lexTo(at, &t, tokCode, 2, "}%", "a }% that ends the code")
	case l.hasPrefix(at, "/*"):
		t.kind, t.text, t.end = tokBad, "expected a */ that ends the comment", at
	case l.hasPrefix(at, "..."):
		t.kind, t.text, t.end = tokPunct, "...", l.step(at, 3)
	default:
		t.kind, t.text, t.end = tokPunct, l.src[at.off:at.off+1], l.step(at, 1)
	}
	return t
}

// lexTo takes all from behind an opening of n bytes up to closing.
func (l *lexer) lexTo(at cursor, t *token, kind tokenKind, n int, closing, want string) {
	start := l.step(at, n)
	end, ok := l.find(start, closing)
	if !ok {
		t.kind, t.text, t.end = tokBad, "expected "+want, at
		return
	}
	t.kind, t.text, t.end = kind, l.src[start.off:end.off], l.step(end, len(closing))
}

// lexString takes a string in double quotes with the escapes of C.
func (l *lexer) lexString(at cursor, t *token) {
	var b []byte
	c := l.step(at, 1)
	for c.off < len(l.src) {
		ch := l.src[c.off]
		switch {
		case ch == '"':
			t.kind, t.text, t.end = tokString, string(b), l.step(c, 1)
			return
		case ch == '\n':
			t.kind, t.text, t.end, t.pos = tokBad, "expected a \" that ends the string", at, c.pos
			return
		case ch != '\\':
			b = append(b, ch)
			c = l.step(c, 1)
		default:
			v, n := unescape(l.src[c.off+1:])
			if n == 0 {
				t.kind, t.text, t.end, t.pos = tokBad, `expected one of n t r 0 a b f v \ " ' x or a digit after the \`, at, c.pos
				return
			}
			b = append(b, v)
			c = l.step(c, 1+n)
		}
	}
	t.kind, t.text, t.end, t.pos = tokBad, "expected a \" that ends the string", at, c.pos
}

// unescape reads what follows a backslash: its value and size, or size 0.
func unescape(s string) (v byte, n int) {
	if s == "" {
		return 0, 0
	}
	switch s[0] {
	case 'n':
		return '\n', 1
	case 't':
		return '\t', 1
	case 'r':
		return '\r', 1
	case 'a':
		return 7, 1
	case 'b':
		return 8, 1
	case 'f':
		return 12, 1
	case 'v':
		return 11, 1
	case '\\', '"', '\'':
		return s[0], 1
	case 'x':
		n = 1
		for n < len(s) && n < 3 && hexDigit(s[n]) >= 0 {
			v = v<<4 | byte(hexDigit(s[n]))
			n++
		}
		if n == 1 {
			return 0, 0
		}
		return v, n
	}
	for n < len(s) && n < 3 && '0' <= s[n] && s[n] <= '7' {
		v = v<<3 | s[n] - '0'
		n++
	}
	return v, n
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// define reads SYM=VALUE: "x" gives a string, `x` a command, and all else a
// word or number.
func (l *lexer) define(s string) string {
	i := 0
	for i < len(s) && isWordByte(s[i]) {
		i++
	}
	if i == 0 || i == len(s) || s[i] != '=' {
		return "expected SYMBOL=VALUE in the definition " + strconv.Quote(s)
	}
	v := lexer{src: s[i+1:], cur: cursor{pos: Pos{1, 1}}}
	t := v.peek(v.cur)
	switch {
	case t.kind == tokBad:
		return t.text + " in the definition " + strconv.Quote(s)
	case t.kind != tokWord && t.kind != tokString && t.kind != tokCommand, t.end.off != len(v.src):
		return "expected a word, a number, a \"string\" or a `command` as the value in the definition " + strconv.Quote(s)
	}
	if l.defines == nil {
		l.defines = map[string]token{}
	}
	l.defines[s[:i]] = t
	return ""
}
