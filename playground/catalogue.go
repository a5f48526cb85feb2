package playground

import (
	"encoding/json"
	"fmt"

	"github.com/tcpkit/tcpkit/core/rule"
	lessons "github.com/tcpkit/tcpkit/core/scenario/catalogue"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/internal/narrate"
	"github.com/tcpkit/tcpkit/plugins/examples"
)

// pageData is what the page knows beside what the engine tells it: the same words,
// rules and scenarios as the command has.
type pageData struct {
	Chapters  []string                     `json:"chapters"`
	Scenarios []scenario                   `json:"scenarios"` // in the order of lessons
	Words     map[string]map[string]string `json:"words"`     // by language and id
	States    []string                     `json:"states"`
	Edges     []edge                       `json:"edges"`
	Rules     []ruling                     `json:"rules"`
	Plugins   []string                     `json:"plugins"`
	Profiles  map[string]map[string]string `json:"profiles"` // by name, then by setting
}

// A scenario is one file of the catalogue.
type scenario struct {
	ID       string   `json:"id"`
	Rows     []string `json:"rows"`
	Compare  string   `json:"compare,omitempty"`
	Chapter  string   `json:"chapter,omitempty"`
	Place    int      `json:"place,omitempty"`
	Corrects []string `json:"corrects,omitempty"`
	Text     string   `json:"text"`
}

// An edge is one of Figure 5 of RFC 9293.
type edge struct {
	From string `json:"from"`
	To   string `json:"to"`
	Rule string `json:"rule"`
}

// A ruling is a row of the rule table, with its words by language.
type ruling struct {
	Name        string            `json:"name"`
	RFC         uint16            `json:"rfc"`
	Section     string            `json:"section"`
	Requirement string            `json:"requirement,omitempty"`
	Words       map[string]string `json:"words"`
}

// Catalogue is /catalogue.json.
func Catalogue() ([]byte, error) {
	all := lessons.Shipped()
	c := pageData{Chapters: lessons.Chapters[:], Words: map[string]map[string]string{}, Plugins: examples.Names()}
	for _, s := range all.Scenarios() {
		c.Scenarios = append(c.Scenarios, scenario{s.ID, s.Rows, s.Compare, s.Chapter, s.Place, s.Corrects, s.Text})
	}
	for _, lang := range lessons.Languages {
		c.Words[lang] = all.Words(lang)
	}
	for s := tcp.Closed; s <= tcp.TimeWait; s++ {
		c.States = append(c.States, s.String())
	}
	for _, e := range tcp.Edges() {
		row, _ := rule.Lookup(e.Rule)
		c.Edges = append(c.Edges, edge{e.From.String(), e.To.String(), row.Name})
	}
	for _, row := range rule.Rows()[1:] {
		c.Rules = append(c.Rules, ruling{
			row.Name, row.RFC, row.Section, row.Requirement,
			map[string]string{"en": narrate.English.Rule(row.ID), "zh": narrate.Chinese.Rule(row.ID)},
		})
	}
	var err error
	if c.Profiles, err = profiles(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(&c)
	if err != nil {
		return nil, fmt.Errorf("write the catalogue: %w", err)
	}
	return b, nil
}
