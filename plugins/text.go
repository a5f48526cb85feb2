package plugins

// What is read of manifests and options is plain ASCII, and the module for the
// browser has no room for the tables of package strings, nor for the errors of
// package strconv, which quote.

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

// trim takes away space at both ends.
func trim(s string) string {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// index is where the first c is, -1 if there is none.
func index(s string, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return -1
}

// cut splits off the first word, which space follows.
func cut(s string) (word, rest string) {
	for i := range len(s) {
		if isSpace(s[i]) {
			return s[:i], trim(s[i:])
		}
	}
	return s, ""
}

// cutAt splits s at the first c.
func cutAt(s string, c byte) (before, after string, found bool) {
	if i := index(s, c); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// split splits s at each c.
func split(s string, c byte) (parts []string) {
	for found := true; found; {
		var part string
		part, s, found = cutAt(s, c)
		parts = append(parts, part)
	}
	return parts
}

// words splits s at space, and at commas if those stand between words too.
func words(s string, commas bool) (all []string) {
	from := 0
	for i := range len(s) + 1 {
		if i < len(s) && !isSpace(s[i]) && !(commas && s[i] == ',') {
			continue
		}
		if i > from {
			all = append(all, s[from:i])
		}
		from = i + 1
	}
	return all
}

// upper makes letters capitals.
func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// quote puts a name from a stranger into a message.
func quote(s string) string {
	const longest = 60
	b := []byte{'"'}
	for i := range min(len(s), longest) {
		c := s[i]
		if c < ' ' || c > '~' {
			c = '?'
		}
		b = append(b, c)
	}
	if len(s) > longest {
		b = append(b, "..."...)
	}
	return string(append(b, '"'))
}

// parseUint reads a number, in tens or, behind 0x, in sixteens.
func parseUint(s string) (n uint64, ok bool) {
	base := uint64(10)
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		base, s = 16, s[2:]
	}
	for i := range len(s) {
		digit := uint64(s[i]) - '0'
		if letter := uint64(s[i]|0x20) - 'a'; letter < 6 {
			digit = letter + 10
		}
		if digit >= base || n > (1<<64-1-digit)/base {
			return 0, false
		}
		n = n*base + digit
	}
	return n, s != ""
}

// parseInt is the same with a sign.
func parseInt(s string) (int64, bool) {
	if s == "" || s[0] != '-' && s[0] != '+' {
		n, ok := parseUint(s)
		return int64(n), ok && n <= 1<<63-1
	}
	n, ok := parseUint(s[1:])
	if s[0] == '+' {
		return int64(n), ok && n <= 1<<63-1
	}
	return -int64(n), ok && n <= 1<<63
}
