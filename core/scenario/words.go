package scenario

// A word is a part of a line, and where it begins, from 1.
type word struct {
	text   string
	column int
	quoted bool
}

// split cuts a line into words: at blanks, but not within quotes, up to a comment.
func split(line string, words []word) ([]word, *Error) {
	for i := 0; i < len(line); {
		switch c := line[i]; {
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '#':
			return words, nil
		case isControl(line, i):
			return words, &Error{Column: i + 1, What: "there is a control character", Do: "write plain text"}
		case c == '"':
			end := i + 1
			for end < len(line) && line[end] != '"' && !isControl(line, end) {
				end++
			}
			if end == len(line) {
				return words, &Error{Column: i + 1, What: "the quotes are not closed", Do: `put a " at the end of the words that belong together`}
			}
			if line[end] != '"' {
				return words, &Error{Column: end + 1, What: "there is a control character", Do: "write plain text"}
			}
			words = append(words, word{line[i+1 : end], i + 1, true})
			i = end + 1
		default:
			end := i
			for end < len(line) && line[end] > ' ' && line[end] != '"' && !isControl(line, end) {
				end++
			}
			words = append(words, word{line[i:end], i + 1, false})
			i = end
		}
	}
	return words, nil
}

// isControl reports whether a control character begins at i, of ASCII or of the second
// set, U+0080 to U+009F: on a terminal either may be a command.
func isControl(line string, i int) bool {
	c := line[i]
	return c < ' ' || c == 0x7f || c == 0xc2 && i+1 < len(line) && line[i+1]&0xe0 == 0x80
}

// appendWord writes a word, in quotes where it needs them.
func appendWord(b []byte, s string) []byte {
	plain := s != "" && s[0] != '#'
	for i := range len(s) {
		plain = plain && s[i] > ' '
	}
	if plain {
		return append(b, s...)
	}
	return append(append(append(b, '"'), s...), '"')
}

// quoted is for messages. There are no control characters in a word.
func quoted(s string) string { return `"` + s + `"` }

// isName reports whether s can name something: a to z, A to Z, 0 to 9, and ". - _"
// but not at its beginning.
func isName(s string) bool {
	if len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9':
		case (c == '.' || c == '-' || c == '_') && i > 0:
		default:
			return false
		}
	}
	return s != ""
}

// list writes names as one reads them out: "a, b, c".
func list(names []string) string {
	s := ""
	for i, n := range names {
		if i > 0 {
			s += ", "
		}
		s += n
	}
	return s
}

// nearest suggests the name that s may have been meant for, or says otherwise.
func nearest(s string, names []string, otherwise string) string {
	best, distance := "", 3
	for _, n := range names {
		if d := edits(s, n); d < distance {
			best, distance = n, d
		}
	}
	if best == "" {
		return otherwise
	}
	return "did you mean " + best + "? " + otherwise
}

// edits is how many letters have to be put in, taken out or changed to make b of a.
func edits(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	var row [65]int
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost = 1 + min(corner, row[j], row[j+1])
			}
			corner, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
