package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
)

// A simSource is a scenario as text: of the catalogue, or of a file.
type simSource struct {
	name  string // id or path
	text  string
	extra []string // more lines behind it
}

// mostScenario is more than a scenario may have.
const mostScenario = 256 << 10

// shipped is the catalogue that tcpkit comes with, read when it is first asked for.
var shipped = sync.OnceValue(catalogue.Shipped)

// findScenario finds a scenario by its id, or reads a file.
func findScenario(c *catalogue.Catalogue, name string) (*simSource, error) {
	if s, ok := c.Scenario(name); ok {
		return &simSource{name: s.ID, text: s.Text}, nil
	}
	_, err := os.Stat(name)
	if err != nil && !strings.ContainsAny(name, "./\\") {
		return nil, usagef("there is no scenario %q, and no file of that name; %s'tcpkit sim list' names them", name, didYouMean(nearScenarios(c, name)))
	}
	b, err := readWhole(name, "a scenario", mostScenario)
	if err != nil {
		return nil, err
	}
	return &simSource{name: name, text: string(b)}, nil
}

// didYouMean asks for words that are near a wrong one, if there are any.
func didYouMean(near []string) string {
	if len(near) == 0 {
		return ""
	}
	return "did you mean " + strings.Join(near, ", ") + "? "
}

// nearScenarios are ids that are near a name.
func nearScenarios(c *catalogue.Catalogue, name string) (ids []string) {
	key := []rune(strings.ToLower(name))
	for _, s := range c.Scenarios() {
		id := strings.ToLower(s.ID)
		if edits(key, []rune(id)) <= 1 || len(key) > 1 && strings.HasPrefix(id, string(key)) {
			ids = append(ids, s.ID)
		}
	}
	return ids[:min(len(ids), 8)]
}

// parse reads the text; what is wrong is said with the file and the line, or with
// the --with that has it.
func (s *simSource) parse() (*scenario.Scenario, error) {
	one, err := scenario.Parse(s.text, s.extra...)
	var bad *scenario.Error
	switch {
	case err == nil:
		return one, nil
	case !errors.As(err, &bad):
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	where := fmt.Sprintf("%s, line %d", s.name, bad.Line)
	if bad.Extra > 0 {
		where = fmt.Sprintf("bad --with %q", s.extra[bad.Extra-1])
	} else if bad.Line == 0 {
		where = s.name
	}
	says := where + ": " + bad.What
	if bad.Do != "" {
		says += "; " + bad.Do
	}
	return nil, usagef("%s", says)
}

// line gives a line of the text or of what stands behind it.
func (s *simSource) line(at scenario.Place) string {
	text := s.text
	if at.Extra > 0 && at.Extra <= len(s.extra) {
		text = s.extra[at.Extra-1]
	}
	lines := strings.Split(text, "\n")
	if at.Line < 1 || at.Line > len(lines) {
		return ""
	}
	line, _, _ := strings.Cut(lines[at.Line-1], "#")
	return strings.TrimSpace(line)
}

// whole is the text with what stands behind it.
func (s *simSource) whole() string {
	parts := slices.Concat([]string{strings.TrimRight(s.text, "\n")}, s.extra)
	return strings.Join(parts, "\n") + "\n"
}
