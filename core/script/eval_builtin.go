package script

import "strconv"

// isBuiltin reports whether a function of Python is known.
func isBuiltin(name string) bool {
	switch name {
	case "abs", "min", "max", "int", "str", "bool", "float", "len", "round":
		return true
	}
	return false
}

func callBuiltin(pos Pos, name string, args []value) value {
	if (name == "min" || name == "max") && len(args) == 1 && args[0].kind == valTuple {
		args = args[0].items
	}
	if len(args) == 0 || len(args) > 1 && name != "min" && name != "max" {
		return fail(pos, "another number of arguments for "+name)
	}
	v := args[0]
	switch name {
	case "str":
		return stringValue(v.String())
	case "bool":
		return boolValue(v.truth())
	case "len":
		switch v.kind {
		case valString:
			return intValue(int64(len(v.str)))
		case valTuple:
			return intValue(int64(len(v.items)))
		}
	case "min", "max":
		for _, a := range args[1:] {
			c, ok := order(a, v)
			if !ok {
				return fail(pos, "expected values that can be ordered in "+name)
			}
			if c != 0 && (c < 0) == (name == "min") {
				v = a
			}
		}
		return v
	case "int":
		if v.kind == valString {
			if n, err := strconv.ParseInt(v.str, 10, 64); err == nil {
				return intValue(n)
			}
		} else if v.isNumber() {
			return intValue(v.num / v.den)
		}
	case "float":
		if v.isNumber() {
			v.kind = valRatio
			return v
		}
	case "abs":
		if v.isNumber() && v.num < 0 {
			return unaryOp(pos, "-", v)
		} else if v.isNumber() {
			return v
		}
	case "round":
		if v.isNumber() { // half to even
			twice := ratioOp(pos, "*", v, intValue(2))
			q := intOp(pos, "//", twice.num, twice.den).num // floor(2v)
			r := (q + 1) >> 1
			if twice.den == 1 && q&1 != 0 && r&1 != 0 {
				r--
			}
			return intValue(r)
		}
	}
	return fail(pos, "an argument that "+name+" cannot take")
}

// formatString is Python's % on strings, as far as messages use it.
func formatString(pos Pos, format string, arg value) value {
	args := []value{arg}
	if arg.kind == valTuple {
		args = arg.items
	}
	var b []byte
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b = append(b, format[i])
			continue
		}
		i++
		zero, left := false, false
		for ; i < len(format) && (format[i] == '0' || format[i] == '-' || format[i] == '+' || format[i] == ' ' || format[i] == '#'); i++ {
			zero = zero || format[i] == '0'
			left = left || format[i] == '-'
		}
		width, prec := 0, 6
		for ; i < len(format) && isDigits(format[i:i+1]) && width < 1000; i++ {
			width = width*10 + int(format[i]-'0')
		}
		if i < len(format) && format[i] == '.' {
			prec = 0
			for i++; i < len(format) && isDigits(format[i:i+1]) && prec < 1000; i++ {
				prec = prec*10 + int(format[i]-'0')
			}
		}
		if i == len(format) {
			return fail(pos, "a format that ends in %")
		}
		if format[i] == '%' {
			b = append(b, '%')
			continue
		}
		if len(args) == 0 {
			return fail(pos, "more % in the format than arguments")
		}
		text := formatOne(pos, format[i], min(prec, 60), args[0])
		args = args[1:]
		for n := min(width, 60) - len(text); n > 0; n-- {
			switch {
			case left:
				text = append(text, ' ')
			case zero:
				text = append([]byte{'0'}, text...)
			default:
				text = append([]byte{' '}, text...)
			}
		}
		if b = append(b, text...); len(b) > maxString {
			return fail(pos, "a string that is too long")
		}
	}
	if len(args) > 0 {
		return fail(pos, "fewer % in the format than arguments")
	}
	return stringValue(string(b))
}

func formatOne(pos Pos, verb byte, prec int, v value) []byte {
	switch verb {
	case 's':
		return v.append(nil, false)
	case 'r':
		return v.append(nil, true)
	}
	if !v.isNumber() {
		fail(pos, "expected a number for %"+string(rune(verb)))
	}
	switch verb {
	case 'd', 'i', 'u':
		return strconv.AppendInt(nil, v.num/v.den, 10)
	case 'x':
		return strconv.AppendInt(nil, v.num/v.den, 16)
	case 'f', 'g', 'e', 'F':
		return v.appendDecimal(nil, prec, false)
	}
	fail(pos, "the format %"+string(rune(verb)))
	return nil
}
