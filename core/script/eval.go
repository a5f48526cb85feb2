package script

import (
	"math"
	"math/bits"
	"strconv"
)

// value is what an expression has. A number is num/den in lowest terms; den is
// one for an int. For a tuple num counts all that is in it, deeply.
type value struct {
	kind     valueKind
	num, den int64
	str      string
	items    []value
}

type valueKind uint8

const (
	valNone valueKind = iota
	valBool
	valInt
	valRatio // Python's float, but exact
	valString
	valTuple
)

// What a code block can build is bounded: the size of a string, of all that is
// printed and of a tuple, and how many variables there are.
const (
	maxString = 16 << 10
	maxOutput = 1 << 20
	maxTuple  = 1024
	maxVars   = 4096
)

func intValue(v int64) value { return value{kind: valInt, num: v, den: 1} }

func boolValue(v bool) value {
	if v {
		return value{kind: valBool, num: 1, den: 1}
	}
	return value{kind: valBool, den: 1}
}

func stringValue(s string) value { return value{kind: valString, str: s} }

// ratio is num/den for a den above zero.
func ratio(num, den int64) value {
	a, b := num, den
	if a < 0 {
		a = -a
	}
	for b != 0 {
		a, b = b, a%b
	}
	if a < 0 { // the least int64 has no positive twin
		a = 1
	}
	if a > 1 {
		num, den = num/a, den/a
	}
	return value{kind: valRatio, num: num, den: den}
}

func (v value) isNumber() bool { return v.kind == valBool || v.kind == valInt || v.kind == valRatio }

func (v value) isInt() bool { return v.kind == valBool || v.kind == valInt }

func (v value) truth() bool {
	switch v.kind {
	case valString:
		return v.str != ""
	case valTuple:
		return len(v.items) > 0
	}
	return v.num != 0
}

func (v value) String() string { return string(v.append(nil, false)) }

// append appends v as print shows it, or with quote as it would be written.
func (v value) append(b []byte, quote bool) []byte {
	switch v.kind {
	case valNone:
		return append(b, "None"...)
	case valBool:
		if v.num != 0 {
			return append(b, "True"...)
		}
		return append(b, "False"...)
	case valInt:
		return strconv.AppendInt(b, v.num, 10)
	case valRatio:
		return v.appendDecimal(b, 6, true)
	case valString:
		if quote {
			return strconv.AppendQuote(b, v.str)
		}
		return append(b, v.str...)
	}
	b = append(b, '(')
	for i := range v.items {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = v.items[i].append(b, true)
	}
	if len(v.items) == 1 {
		b = append(b, ',')
	}
	return append(b, ')')
}

// appendDecimal appends a number with at most n decimals, cut off behind the
// last; with trim, without zeros at the end, but with one decimal at least.
func (v value) appendDecimal(b []byte, n int, trim bool) []byte {
	num, den := uint64(v.num), uint64(v.den)
	if v.num < 0 {
		b = append(b, '-')
		num = -num
	}
	b = strconv.AppendUint(b, num/den, 10)
	if n == 0 {
		return b
	}
	b = append(b, '.')
	first := len(b)
	for rem := num % den; n > 0; n-- {
		hi, lo := bits.Mul64(rem, 10)
		var digit uint64
		digit, rem = bits.Div64(hi, lo, den)
		b = append(b, byte('0'+digit))
	}
	for trim && len(b) > first+1 && b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// A failure is what ended a code block: an assert that does not hold, or an
// expression that has no value.
type failure struct {
	pos         Pos
	msg         string
	unsupported bool
}

// scope holds the variables of all code blocks of one run.
type scope struct {
	vars   map[string]value
	output []byte // of print
}

// run executes one block.
func (s *scope) run(prog program) (f *failure) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*failure)
			if !ok {
				panic(r)
			}
			f = e
		}
	}()
	for i := range prog {
		s.exec(&prog[i])
	}
	return nil
}

func (s *scope) exec(st *stmt) {
	switch st.kind {
	case stmtAssert:
		if s.eval(st.expr).truth() {
			return
		}
		msg := "assert " + st.text + " does not hold"
		if with := s.values(st.expr, nil); len(with) > 0 {
			msg += " with " + string(with)
		}
		if st.msg != nil {
			msg += ": " + s.eval(st.msg).String()
		}
		panic(&failure{pos: st.pos, msg: msg})
	case stmtAssign:
		v := s.eval(st.expr)
		if st.op != "" {
			v = binaryOp(st.pos, st.op, s.name(st.pos, st.name), v)
		}
		if _, ok := s.vars[st.name]; !ok && len(s.vars) >= maxVars {
			fail(st.pos, "too many variables")
		}
		s.vars[st.name] = v
	case stmtPrint:
		for i, a := range st.args {
			if i > 0 {
				s.output = append(s.output, ' ')
			}
			s.output = s.eval(a).append(s.output, false)
		}
		s.output = append(s.output, '\n')
		if len(s.output) > maxOutput {
			fail(st.pos, "more output than there is room for")
		}
	case stmtExpr:
		s.eval(st.expr)
	}
}

// values appends "name = value" for each variable in n, once.
func (s *scope) values(n *node, b []byte) []byte {
	var seen []string
	var walk func(n *node)
	walk = func(n *node) {
		if v, ok := s.vars[n.name]; ok && n.kind == nodeName {
			for _, name := range seen {
				if name == n.name {
					return
				}
			}
			seen = append(seen, n.name)
			if len(b) > 0 {
				b = append(b, ", "...)
			}
			b = append(b, n.name...)
			b = append(b, " = "...)
			b = v.append(b, true)
		}
		for _, part := range n.parts {
			walk(part)
		}
	}
	walk(n)
	return b
}

func fail(pos Pos, msg string) value { panic(&failure{pos: pos, msg: msg}) }

// name looks a variable up.
func (s *scope) name(pos Pos, name string) value {
	if v, ok := s.vars[name]; ok {
		return v
	}
	if v, ok := variables[name]; ok {
		return intValue(v)
	}
	panic(&failure{pos: pos, msg: "the name " + name + " is not known here", unsupported: isKernelName(name)})
}

// isKernelName reports whether a name looks like one that another system knows and
// this one does not.
func isKernelName(name string) bool {
	for _, prefix := range [...]string{"tcpi_", "tcpcc_", "tcpkit_", "TCP", "SK_MEMINFO_", "bbr_", "dctcp_", "vegas_"} {
		if len(name) > len(prefix) && name[:len(prefix)] == prefix {
			return true
		}
	}
	return false
}

func (s *scope) eval(n *node) value {
	switch n.kind {
	case nodeConst:
		return n.val
	case nodeName:
		return s.name(n.pos, n.name)
	case nodeUnary:
		return unaryOp(n.pos, n.op, s.eval(n.parts[0]))
	case nodeBinary:
		return binaryOp(n.pos, n.op, s.eval(n.parts[0]), s.eval(n.parts[1]))
	case nodeAnd, nodeOr:
		var v value
		for _, part := range n.parts {
			if v = s.eval(part); v.truth() == (n.kind == nodeOr) {
				break
			}
		}
		return v
	case nodeCompare:
		left := s.eval(n.parts[0])
		for i, op := range n.ops {
			right := s.eval(n.parts[i+1])
			if !compareOp(n.pos, op, left, right) {
				return boolValue(false)
			}
			left = right
		}
		return boolValue(true)
	case nodeTuple:
		t := value{kind: valTuple}
		for _, part := range n.parts {
			v := s.eval(part)
			t.items = append(t.items, v)
			t.num++
			if v.kind == valTuple {
				t.num += v.num
			}
			if t.num > maxTuple {
				return fail(n.pos, "a tuple that is too large")
			}
		}
		return t
	case nodeIf:
		if s.eval(n.parts[1]).truth() {
			return s.eval(n.parts[0])
		}
		return s.eval(n.parts[2])
	case nodeCall:
		args := make([]value, len(n.parts))
		for i, part := range n.parts {
			args[i] = s.eval(part)
		}
		return callBuiltin(n.pos, n.name, args)
	}
	panic("script: a node of kind " + strconv.Itoa(int(n.kind)) + "; expected one that the parser makes")
}

const tooLarge = "a number of more than 63 bits"

func unaryOp(pos Pos, op string, v value) value {
	if op == "not" {
		return boolValue(!v.truth())
	}
	if !v.isNumber() || op == "~" && !v.isInt() {
		return fail(pos, "expected a number behind the "+op)
	}
	if v.kind == valBool {
		v.kind = valInt
	}
	switch op {
	case "-":
		if v.num == math.MinInt64 {
			return fail(pos, tooLarge)
		}
		v.num = -v.num
	case "~":
		v.num = ^v.num
	}
	return v
}

func binaryOp(pos Pos, op string, a, b value) value {
	switch {
	case op == "%" && a.kind == valString:
		return formatString(pos, a.str, b)
	case op == "+" && a.kind == valString && b.kind == valString:
		if len(a.str)+len(b.str) > maxString {
			return fail(pos, "a string that is too long")
		}
		return stringValue(a.str + b.str)
	case !a.isNumber() || !b.isNumber():
		return fail(pos, "expected numbers around the "+op)
	case op == "/" || a.kind == valRatio || b.kind == valRatio:
		return ratioOp(pos, op, a, b)
	}
	return intOp(pos, op, a.num, b.num)
}

func intOp(pos Pos, op string, a, b int64) value {
	switch op {
	case "+":
		if c := a + b; (c > a) == (b > 0) {
			return intValue(c)
		}
	case "-":
		if c := a - b; (c < a) == (b > 0) {
			return intValue(c)
		}
	case "*":
		if c, ok := mul(a, b); ok {
			return intValue(c)
		}
	case "//", "%":
		if b == 0 {
			return fail(pos, "a division by zero")
		}
		if b == -1 { // the least number divided by -1 does not fit
			if op == "%" {
				return intValue(0)
			}
			return unaryOp(pos, "-", intValue(a))
		}
		q, r := a/b, a%b
		if r != 0 && (r < 0) != (b < 0) { // towards minus infinity
			q, r = q-1, r+b
		}
		if op == "%" {
			return intValue(r)
		}
		return intValue(q)
	case "&":
		return intValue(a & b)
	case "|":
		return intValue(a | b)
	case "^":
		return intValue(a ^ b)
	case "<<":
		if b >= 0 && (a == 0 || b < 63 && a<<b>>b == a) {
			return intValue(a << min(b, 63))
		}
	case ">>":
		if b >= 0 {
			return intValue(a >> min(b, 63))
		}
	case "**":
		if b < 0 {
			return fail(pos, "expected a power that is not negative")
		}
		r, ok := int64(1), true
		for ; b > 0 && ok; b-- {
			if a == 0 || a == 1 {
				return intValue(a)
			}
			if a == -1 {
				return intValue(1 - 2*(b&1))
			}
			r, ok = mul(r, a)
		}
		if ok {
			return intValue(r)
		}
	default:
		return fail(pos, "the operator "+op)
	}
	return fail(pos, tooLarge)
}

func mul(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	c := a * b
	return c, c/b == a && (a != -1 || b != math.MinInt64) && (b != -1 || a != math.MinInt64)
}

func ratioOp(pos Pos, op string, a, b value) value {
	num, den, ok := int64(0), int64(0), true
	switch op {
	case "+", "-":
		x, ok1 := mul(a.num, b.den)
		y, ok2 := mul(b.num, a.den)
		d, ok3 := mul(a.den, b.den)
		if !ok1 || !ok2 || !ok3 {
			return fail(pos, tooLarge)
		}
		num, den = intOp(pos, op, x, y).num, d
	case "*":
		var ok2 bool
		num, ok = mul(a.num, b.num)
		den, ok2 = mul(a.den, b.den)
		ok = ok && ok2
	case "/":
		if b.num == 0 {
			return fail(pos, "a division by zero")
		}
		var ok2 bool
		num, ok = mul(a.num, b.den)
		den, ok2 = mul(a.den, b.num)
		ok = ok && ok2 && num != math.MinInt64 && den != math.MinInt64
		if den < 0 {
			num, den = -num, -den
		}
	case "//":
		q := ratioOp(pos, "/", a, b)
		return value{kind: valRatio, num: intOp(pos, "//", q.num, q.den).num, den: 1}
	default:
		return fail(pos, "expected integers around the "+op)
	}
	if !ok {
		return fail(pos, tooLarge)
	}
	return ratio(num, den)
}

// order is negative, zero or positive as a is less than, equal to or greater
// than b; false: they cannot be ordered.
func order(a, b value) (int, bool) {
	switch {
	case a.isNumber() && b.isNumber():
		return orderNumbers(a, b), true
	case a.kind == valString && b.kind == valString:
		switch {
		case a.str < b.str:
			return -1, true
		case a.str > b.str:
			return 1, true
		}
		return 0, true
	case a.kind == valTuple && b.kind == valTuple:
		for i := 0; i < len(a.items) && i < len(b.items); i++ {
			if c, ok := order(a.items[i], b.items[i]); !ok || c != 0 {
				return c, ok
			}
		}
		return len(a.items) - len(b.items), true
	case a.kind == valNone && b.kind == valNone:
		return 0, true
	}
	return 1, false
}

// orderNumbers compares a.num/a.den with b.num/b.den in 128 bits.
func orderNumbers(a, b value) int {
	if (a.num < 0) != (b.num < 0) {
		if a.num < 0 {
			return -1
		}
		return 1
	}
	sign := 1
	x, y := uint64(a.num), uint64(b.num)
	if a.num < 0 {
		sign, x, y = -1, -x, -y
	}
	hi1, lo1 := bits.Mul64(x, uint64(b.den))
	hi2, lo2 := bits.Mul64(y, uint64(a.den))
	switch {
	case hi1 < hi2 || hi1 == hi2 && lo1 < lo2:
		return -sign
	case hi1 == hi2 && lo1 == lo2:
		return 0
	}
	return sign
}

func compareOp(pos Pos, op string, a, b value) bool {
	if op == "in" || op == "not in" {
		if b.kind != valTuple {
			fail(pos, "expected a tuple behind in")
		}
		found := false
		for _, item := range b.items {
			found = found || compareOp(pos, "==", a, item)
		}
		return found == (op == "in")
	}
	c, ok := order(a, b)
	switch op {
	case "==":
		return ok && c == 0
	case "!=":
		return !ok || c != 0
	}
	if !ok {
		fail(pos, "expected two values that can be ordered around the "+op)
	}
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}
