package playground

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tcpkit/tcpkit/core/rule"
	lessons "github.com/tcpkit/tcpkit/core/scenario/catalogue"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/internal/narrate"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/examples"
)

// pageData is what the page knows beside what the engine tells it: the same words,
// rules and scenarios as the command has.
type pageData struct {
	Chapters  []string                     `json:"chapters"`
	Scenarios []scenario                   `json:"scenarios"` // in the order of lessons
	Words     map[string]map[string]string `json:"words"`     // by language and id
	Edges     []edge                       `json:"edges"`
	Rules     []ruling                     `json:"rules"`
	Also      map[string][]string          `json:"also"`     // other spellings, by the id of what they stand for
	Profiles  map[string]map[string]string `json:"profiles"` // by name, then by setting
	Plugins   []plugin                     `json:"plugins"`
	Hooks     []string                     `json:"hooks"`    // by tcp.Step, as the engine numbers what it tells of plugins
	Verdicts  []string                     `json:"verdicts"` // by abi.Verdict
	Whys      []string                     `json:"whys"`     // by plugins.Why
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

// A plugin is one that tcpkit comes with.
type plugin struct {
	Name  string `json:"name"`
	Allow string `json:"allow,omitempty"` // the grants that its user has to give, as a scenario has them
}

// Catalogue is /catalogue.json.
func Catalogue() ([]byte, error) {
	all := lessons.Shipped()
	c := pageData{Chapters: lessons.Chapters[:], Words: map[string]map[string]string{}, Also: map[string][]string{}, Verdicts: plugins.Verdicts(), Whys: plugins.Whys()}
	for _, s := range all.Scenarios() {
		c.Scenarios = append(c.Scenarios, scenario{s.ID, s.Rows, s.Compare, s.Chapter, s.Place, s.Corrects, s.Text})
	}
	for _, lang := range lessons.Languages {
		c.Words[lang] = all.Words(lang)
		for id := range c.Words[lang] {
			if also := all.Also(id); also != nil {
				c.Also[id] = also
			}
		}
	}
	for _, name := range examples.Names() {
		wasm, _ := examples.Module(name)
		d, err := plugins.Describe(wasm, plugins.Options{})
		if err != nil {
			return nil, fmt.Errorf("plugin %s: %w", name, err)
		}
		c.Plugins = append(c.Plugins, plugin{name, strings.ReplaceAll(d.Allow.String(), " ", "+")})
	}
	for s := range tcp.Steps {
		c.Hooks = append(c.Hooks, plugins.StepName(s))
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
