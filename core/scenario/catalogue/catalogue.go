package catalogue

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/tcpkit/tcpkit/core/scenario"
)

//go:embed scenarios words
var files embed.FS

// Languages are those that there are words in.
var Languages = [...]string{"en", "zh"}

// Chapters are those of the lessons, in the order that teaches.
var Chapters = [...]string{"handshake", "data", "close", "time-wait", "keepalive", "user-timeout", "practice"}

// A Scenario is one file of scenarios, with what its head says.
type Scenario struct {
	ID       string
	Rows     []string // of the table of behaviours that it shows
	Compare  string   // the real TCP beside which this what-if is shown; empty: it is real itself
	Chapter  string   // of the lessons; empty: it belongs to none
	Place    int      // in the chapter
	Corrects []string // popular statements that are put right beside it
	Text     string
}

// A Catalogue is scenarios and words.
type Catalogue struct {
	scenarios []*Scenario
	words     map[string]map[string]string // by language and id
	index     map[string]string            // what is the same in every language
}

// Load reads a catalogue's files.
func Load(fsys fs.FS) (*Catalogue, error) {
	c := &Catalogue{words: map[string]map[string]string{}}
	names, err := fs.Glob(fsys, "scenarios/*.scenario")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		s, err := read(name, string(text))
		if err != nil {
			return nil, err
		}
		c.scenarios = append(c.scenarios, s)
	}
	slices.SortFunc(c.scenarios, inLessons)
	for _, lang := range Languages {
		if c.words[lang], err = loadWords(fsys, lang); err != nil {
			return nil, err
		}
	}
	c.index, err = loadWords(fsys, "any")
	return c, err
}

func loadWords(fsys fs.FS, lang string) (map[string]string, error) {
	all, from := map[string]string{}, map[string]string{}
	names, err := fs.Glob(fsys, "words/"+lang+"/*.txt")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		words, err := ParseWords(name, string(text))
		if err != nil {
			return nil, err
		}
		for _, id := range slices.Sorted(maps.Keys(words)) {
			if from[id] != "" {
				return nil, &Error{name, 0, id + " has words in " + from[id] + " too", "keep one of the two"}
			}
			all[id], from[id] = words[id], name
		}
	}
	return all, nil
}

// read reads a scenario, of which presenters know the head before it runs.
func read(name, text string) (*Scenario, error) {
	one, err := scenario.Parse(text)
	var bad *scenario.Error
	if errors.As(err, &bad) {
		return nil, &Error{name, bad.Line, bad.What, bad.Do}
	} else if err != nil {
		return nil, err
	}
	s := &Scenario{one.ID, one.Rows, one.Compare, one.Chapter, one.Place, one.Corrects, text}
	if want := strings.TrimSuffix(path.Base(name), ".scenario"); s.ID != want {
		return nil, &Error{name, 1, fmt.Sprintf("the scenario calls itself %q", s.ID), fmt.Sprintf("begin it with \"scenario %s\", or rename the file", want)}
	}
	if s.Chapter != "" && !slices.Contains(Chapters[:], s.Chapter) {
		return nil, &Error{name, 0, fmt.Sprintf("no chapter %q", s.Chapter), "give one of " + strings.Join(Chapters[:], ", ")}
	}
	if s.Rows == nil {
		s.Rows = []string{s.ID}
	}
	return s, nil
}

// inLessons orders by chapter and place; what has none comes last.
func inLessons(a, b *Scenario) int {
	chapter := func(s *Scenario) int {
		if i := slices.Index(Chapters[:], s.Chapter); i >= 0 {
			return i
		}
		return len(Chapters)
	}
	return cmp.Or(cmp.Compare(chapter(a), chapter(b)), cmp.Compare(a.Place, b.Place), strings.Compare(a.ID, b.ID))
}

// Scenarios returns all, in the order of the lessons.
func (c *Catalogue) Scenarios() []*Scenario { return slices.Clone(c.scenarios) }

// Scenario finds one by its id, in any case of its letters.
func (c *Catalogue) Scenario(id string) (*Scenario, bool) {
	i := slices.IndexFunc(c.scenarios, func(s *Scenario) bool { return strings.EqualFold(s.ID, id) })
	if i < 0 {
		return nil, false
	}
	return c.scenarios[i], true
}

// WhatIfs returns the scenarios that are shown beside a real one.
func (c *Catalogue) WhatIfs(id string) (all []*Scenario) {
	for _, s := range c.scenarios {
		if s.Compare == id {
			all = append(all, s)
		}
	}
	return all
}

// Word gives the words of an id.
func (c *Catalogue) Word(lang, id string) (string, bool) {
	s, ok := c.words[lang][id]
	return s, ok
}

// Also gives other spellings and names of what an id stands for, in any language.
func (c *Catalogue) Also(id string) []string { return c.list(id + ".also") }

// See gives the ids of what belongs beside an id.
func (c *Catalogue) See(id string) []string { return c.list(id + ".see") }

func (c *Catalogue) list(id string) []string {
	if s, ok := c.index[id]; ok {
		return strings.Split(s, ", ")
	}
	return nil
}

// Words returns all words of a language by id.
func (c *Catalogue) Words(lang string) map[string]string { return maps.Clone(c.words[lang]) }

// IDs returns the ids that there are words for in a language, sorted.
func (c *Catalogue) IDs(lang string) []string { return slices.Sorted(maps.Keys(c.words[lang])) }

// Shipped is what tcpkit comes with. It reads the files anew: keep what it gives.
func Shipped() *Catalogue {
	c, err := Load(files)
	if err != nil {
		panic("catalogue: " + err.Error()) // the package's test finds it first
	}
	return c
}
