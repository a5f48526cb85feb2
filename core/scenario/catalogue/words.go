package catalogue

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// An Error is what is wrong in a file of the catalogue.
type Error struct {
	File string
	Line int // from 1; 0: the whole file
	What string
	Do   string // the cure
}

// Error gives file, line, fault and cure.
func (e *Error) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	return where + ": " + e.What + "; " + e.Do
}

// ParseWords reads a file of words. Name is for errors.
func ParseWords(name, text string) (map[string]string, error) {
	words := map[string]string{}
	at := map[string]int{}
	last := ""
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, " \t\r\n")
		wrong := func(what, do string) (map[string]string, error) { return nil, &Error{name, n, what, do} }
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			last = ""
			continue
		case line[0] == ' ' || line[0] == '\t':
			if last == "" {
				return wrong("an indented line that continues nothing", "begin it with an id and a colon, or take the empty line above it away")
			}
			words[last] = join(words[last], strings.TrimSpace(line))
			continue
		}
		id, words0, ok := strings.Cut(line, ":")
		switch {
		case !ok:
			return wrong("no colon after an id", `write "id: words", or indent the line if it continues the one above`)
		case !isID(id):
			return wrong(fmt.Sprintf("%q is no id", id), "give letters, digits, dots and hyphens, like H1.title")
		case at[id] > 0:
			return wrong(fmt.Sprintf("%s has words already, on line %d", id, at[id]), "keep one of the two")
		}
		words[id], at[id], last = strings.TrimSpace(words0), n, id
	}
	for _, id := range slices.Sorted(maps.Keys(words)) {
		if words[id] == "" {
			return nil, &Error{name, at[id], id + " has no words", "write them after the colon or on indented lines"}
		}
	}
	return words, nil
}

func isID(s string) bool {
	for _, r := range s {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' && r != '-' {
			return false
		}
	}
	return s != "" && s[0] != '.' && s[0] != '-'
}

// join puts the words of a continuation line behind those before it.
func join(before, more string) string {
	if before == "" {
		return more
	}
	last, first := []rune(before), []rune(more)[0]
	if wide(last[len(last)-1]) || wide(first) {
		return before + more
	}
	return before + " " + more
}

// wide reports whether r is Chinese, or a sign set with it.
func wide(r rune) bool {
	return unicode.Is(unicode.Han, r) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef
}
