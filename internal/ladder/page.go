package ladder

import (
	_ "embed"
	"html/template"
	"io"

	"github.com/tcpkit/tcpkit/core/clock"
)

// A Page is one or two runs on a page of their own: it needs no script and asks
// nothing of anybody.
type Page struct {
	Words *Words
	Title string
	Runs  []PageRun
}

// Sums compares the runs, where there are two.
func (p *Page) Sums() []Sum {
	if len(p.Runs) < 2 {
		return nil
	}
	var lines []*Timeline
	for i := range p.Runs {
		lines = append(lines, p.Runs[i].Timeline)
	}
	return Sums(lines, p.Words)
}

// A PageRun is one run of a page.
type PageRun struct {
	ID       string
	Title    string
	Question string
	Summary  string
	Timeline *Timeline
	Rows     []Row
	Checks   []Check
	Claims   []Claim
	Text     string // of the scenario, with what was added
}

// A Check is one expectation, and what came of it.
type Check struct {
	Held  bool
	Line  string // of the scenario
	Found string // where it did not hold
}

// A Claim is a popular statement, and what is precisely so.
type Claim struct{ ID, Claim, Precise string }

//go:embed page.html
var pageHTML string

// Write writes the page.
func (p *Page) Write(out io.Writer) error {
	w := p.Words
	t, err := template.New("page").Funcs(template.FuncMap{
		"say":   func(en, zh string) string { return phrase{en, zh}[w.Lang] },
		"time":  func(t clock.Instant) string { return FormatTime(t) },
		"heads": Columns,
		"cells": w.cells,
		"gap":   func(r Row) string { return w.gap(&r) },
		"lost":  w.lost,
	}).Parse(pageHTML)
	if err != nil {
		return err
	}
	return t.Execute(out, p)
}

// A cell is what is drawn between the lifelines of a row, in a box of 320 by 40.
type cell struct {
	Row
	Class          string // of the sender
	X1, Y1, X2, Y2 int    // of the arrow
	Head           bool
	Cross          bool
	Middle         int // of the label
	Aside          int // of the words beside the cross
}

func (w *Words) cells(rows []Row) []cell {
	const width, top, bottom = 320, 12, 34
	var all []cell
	for _, r := range rows {
		c := cell{Row: r, Class: [2]string{"left", "right"}[r.from()], X2: width, Y1: top, Y2: bottom, Head: true, Middle: width / 2, Aside: width/2 - 14}
		switch {
		case r.Kind == Moment || r.gap():
			c.Head = false
		case r.Lost != "":
			c.X2, c.Y2, c.Head, c.Cross = width*7/10, top+(bottom-top)*7/10, false, true
		case r.Late:
			c.X2, c.Y2, c.Head = width*6/10, top+(bottom-top)*6/10, false
		case r.Kind == Arrival:
			c.X1, c.Y1 = width*4/10, top+(bottom-top)*4/10
		}
		if r.from() == 1 {
			c.X1, c.X2, c.Aside = width-c.X1, width-c.X2, width-c.Aside
		}
		all = append(all, c)
	}
	return all
}
