package main

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

// An explainKind is a kind of what can be explained: its name, in the singular
// and in words.
type explainKind struct {
	kind      string
	one, what phrase
}

// The kinds, in the order in which they are shown.
var explainKinds = []explainKind{
	{"state", phrase{"state", "状态"}, phrase{"the states of a connection", "连接的状态"}},
	{"flag", phrase{"flag", "标志"}, phrase{"the control bits of a segment", "报文段的标志（控制位）"}},
	{"option", phrase{"option", "选项"}, phrase{"TCP options", "TCP 选项"}},
	{"term", phrase{"term", "术语"}, phrase{"the glossary", "术语表"}},
	{"timer", phrase{"timer", "定时器"}, phrase{"the timers of a connection", "连接的定时器"}},
	{"scenario", phrase{"scenario", "场景"}, phrase{"runs to look at", "可以观看的场景"}},
	{"claim", phrase{"popular statement", "常见的说法"}, phrase{"popular statements that are wrong or loose", "常见但不对或不严谨的说法"}},
	{"rule", phrase{"rule", "规则"}, phrase{"rules by which the engine acts, with their sections", "引擎所依据的规则及其出处"}},
	{"drop", phrase{"reason for a drop", "丢弃的原因"}, phrase{"why a packet goes nowhere", "分组为什么被丢弃"}},
}

// A topic is one thing that can be explained.
type topic struct {
	Kind  string   `json:"kind"`
	ID    string   `json:"id"`
	Name  string   `json:"name,omitempty"`
	Text  string   `json:"text"`
	Cite  string   `json:"cite,omitempty"`
	Also  []string `json:"also,omitempty"`
	Asks  string   `json:"question,omitempty"`
	Run   string   `json:"run,omitempty"`
	Edges []edge   `json:"edges,omitempty"`
	See   []string `json:"see,omitempty"`
}

// An edge is a change of state, and the rule that usually makes it.
type edge struct {
	From string `json:"from"`
	To   string `json:"to"`
	Text string `json:"text"`
	Cite string `json:"cite"`
}

// topics gives all that can be explained, in a language.
func topics(c *catalogue.Catalogue, lang narrate.Lang) []*topic {
	var all []*topic
	word := func(id string) string {
		s, _ := c.Word(lang.String(), id)
		return s
	}
	other := "zh"
	if lang == narrate.Chinese {
		other = "en"
	}
	foreign := func(id string) []string {
		if s, ok := c.Word(other, id); ok {
			return []string{s}
		}
		return nil
	}
	entry := func(kind, id string) {
		key := kind + "." + id
		all = append(all, &topic{
			Kind: kind, ID: id, Name: word(key + ".name"), Text: word(key),
			Also: append(c.Also(key), foreign(key+".name")...), See: c.See(key),
		})
	}
	for s := tcp.Closed; s <= tcp.TimeWait; s++ {
		entry("state", s.String())
		all[len(all)-1].Cite = "RFC 9293 §3.3.2"
		all[len(all)-1].Edges = edgesOf(s, lang)
	}
	for _, id := range c.IDs("en") {
		kind, name, _ := strings.Cut(id, ".")
		switch kind {
		case "flag", "option", "term", "timer", "drop":
			if !strings.HasSuffix(name, ".name") {
				entry(kind, name)
			}
		}
	}
	for d := rule.NotDropped + 1; d < rule.DropCount; d++ {
		i := slices.IndexFunc(all, func(t *topic) bool { return t.Kind == "drop" && t.ID == d.String() })
		if i >= 0 && d.Rule() != rule.None {
			all[i].Cite = d.Rule().String()
		}
	}
	for _, s := range c.Scenarios() {
		t := &topic{Kind: "scenario", ID: s.ID, Name: word(s.ID + ".title"), Text: word(s.ID + ".summary"), Also: append(c.Also(s.ID), foreign(s.ID+".title")...)}
		t.Asks, t.Run = word(s.ID+".question"), "tcpkit sim run "+s.ID
		for _, beside := range c.WhatIfs(s.ID) {
			t.See = append(t.See, beside.ID)
		}
		t.See = append(t.See, s.Corrects...)
		if s.Compare != "" {
			t.Run = "tcpkit sim run --compare " + s.Compare + " " + s.ID
		}
		all = append(all, t)
	}
	for n := 1; ; n++ {
		id := "C" + strconv.Itoa(n)
		claim, ok := c.Word(lang.String(), id+".claim")
		if !ok {
			break
		}
		t := &topic{Kind: "claim", ID: id, Name: claim, Text: word(id + ".precise")}
		for _, s := range c.Scenarios() {
			if slices.Contains(s.Corrects, id) {
				t.See = append(t.See, s.ID)
			}
		}
		all = append(all, t)
	}
	for _, r := range rule.Rows()[1:] {
		t := &topic{Kind: "rule", ID: r.Name, Text: lang.Rule(r.ID), Cite: r.ID.String()}
		if r.Requirement != "" {
			t.Cite += " " + r.Requirement
			t.Also = []string{r.Requirement}
		}
		all = append(all, t)
	}
	shown := shownBy(c)
	for _, t := range all {
		for _, id := range shown[t.Kind+" "+t.ID] {
			if !slices.Contains(t.See, id) {
				t.See = append(t.See, id)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *topic) int { return kindIndex(a.Kind) - kindIndex(b.Kind) })
	return all
}

// mostShown is how many scenarios are named where many show the same.
const mostShown = 4

// shownBy finds the scenarios that expect a rule, a drop or a timer, by its kind and
// id: the first of the lessons, and what is real before what-ifs.
func shownBy(c *catalogue.Catalogue) map[string][]string {
	shown := map[string][]string{}
	for _, whatIf := range []bool{false, true} {
		for _, one := range c.Scenarios() {
			s, err := scenario.Parse(one.Text)
			if err != nil || (one.Compare != "") != whatIf {
				continue
			}
			for _, e := range s.Expects {
				id, what := e.Rule, []string{}
				switch {
				case e.Kind == scenario.ExpectDrop && e.N > 0:
					id, what = e.Drop.Rule(), append(what, "drop "+e.Drop.String())
				case e.Kind == scenario.ExpectTimer && e.N > 0:
					what = append(what, "timer "+tcp.TimerName(e.Slot))
				}
				if row, ok := rule.Lookup(id); ok {
					what = append(what, "rule "+row.Name)
				}
				for _, w := range what {
					if all := shown[w]; len(all) < mostShown && !slices.Contains(all, one.ID) {
						shown[w] = append(all, one.ID)
					}
				}
			}
		}
	}
	return shown
}

func kindIndex(kind string) int {
	return slices.IndexFunc(explainKinds, func(k explainKind) bool { return k.kind == kind })
}

// edgesOf tells where a state is reached from and where it leads.
func edgesOf(s tcp.State, lang narrate.Lang) (all []edge) {
	for _, e := range tcp.Edges() {
		if e.From == s || e.To == s {
			all = append(all, edge{e.From.String(), e.To.String(), lang.Rule(e.Rule), e.Rule.String()})
		}
	}
	return all
}

// fold makes words that people write in several ways the same: SYN_RCVD and
// syn-rcvd, "half open" and half-open.
func fold(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), isSeparator), "-")
}

func isSeparator(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("-_‐‑–", r) }

// A match is a topic and the spelling by which it was found.
type match struct {
	*topic
	By string // not the id itself
}

// find returns what a word stands for: first what has it as its id or name, or
// else what has it as another spelling.
func find(all []*topic, word string) (found []match) {
	key := fold(word)
	for _, t := range all {
		if fold(t.ID) == key {
			found = append(found, match{topic: t})
		}
	}
	for _, t := range all {
		if fold(t.ID) == key {
			continue
		}
		for _, s := range append([]string{t.Name}, t.Also...) {
			if s != "" && fold(s) == key {
				found = append(found, match{t, s})
				break
			}
		}
	}
	return found
}

// nearest returns spellings that are near a word, the nearest first.
func nearest(all []*topic, word string) []string {
	key := []rune(fold(word))
	if len(key) == 0 {
		return nil
	}
	type near struct {
		s        string
		distance int
	}
	var found []near
	for _, t := range all {
		if t.Kind == "claim" && len(key) > 4 {
			continue
		}
		best := near{t.ID, 1 << 10}
		for _, s := range append([]string{t.ID, t.Name}, t.Also...) {
			k := []rune(fold(s))
			d := edits(key, k)
			if len(key) > 1 && len(k) > 1 && (strings.Contains(string(k), string(key)) || strings.Contains(string(key), string(k))) {
				d = min(d, 2)
			}
			best.distance = min(best.distance, d)
		}
		if best.distance <= max(1, min(3, len(key)/3)) || best.distance <= 2 && len(key) > 2 {
			found = append(found, best)
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return a.distance - b.distance })
	var names []string
	for _, n := range found {
		if len(names) < 5 && !slices.ContainsFunc(names, func(s string) bool { return strings.EqualFold(s, n.s) }) {
			names = append(names, n.s)
		}
	}
	return names
}

// speakOf returns the ids of topics that have a word somewhere in their text.
func speakOf(all []*topic, word string) (ids []string) {
	key := fold(word)
	for _, t := range all {
		if len(ids) < 8 && key != "" && strings.Contains(fold(t.Name+" "+t.Asks+" "+t.Text), key) && !slices.Contains(ids, t.ID) {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// edits is how many characters have to be put in, taken out or changed to make b
// of a.
func edits(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		corner := row[0]
		row[0] = i + 1
		for j := range b {
			cost := corner
			if a[i] != b[j] {
				cost = 1 + min(corner, row[j], row[j+1])
			}
			corner, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
