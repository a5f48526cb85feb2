package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
	"github.com/tcpkit/tcpkit/internal/ladder"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

const simRunLong = `Run a scenario on the engine and draw it: each segment with both ends' states, what is
lost, which timers run out, why; then what was expected, and the trace hash. SCENARIO
is an id of 'tcpkit sim list', or a file. Time is virtual, and the same text gives the
same run and the same hash everywhere: in this command, in tests, in the playground.

--with adds a line of the scenario's language behind it: what is said there again
overrides, what is new is added. --compare draws a what-if beside the real TCP; with
one scenario the other is that which belongs to it.`

// A simPlan is what the command line of sim run asks for.
type simPlan struct {
	app      *app
	language string
	lang     narrate.Lang
	seed     uint64
	seeded   bool
	with     []string
	compare  bool
	plain    bool
	all      bool
	capture  string
	at       string
	html     string
	record   string
}

func newSimRun(a *app) *cobra.Command {
	p := &simPlan{app: a}
	cmd := &cobra.Command{
		Use:   "run SCENARIO [WHAT-IF]",
		Short: "Run a scenario and draw it as a ladder",
		Long:  simRunLong,
		Example: `  tcpkit sim run H1
  tcpkit sim run H1 --with 'fault client -> server SYN 1 lose' --lang zh
  tcpkit sim run --compare H5 H5-two-way --html why-three.html
  tcpkit sim run F1 -w close.pcapng`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.seeded = cmd.Flags().Changed("seed")
			return p.run(args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var ids []string
			for _, s := range shipped().Scenarios() {
				ids = append(ids, s.ID)
			}
			return ids, cobra.ShellCompDirectiveDefault
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.Uint64Var(&p.seed, "seed", 0, "what all chance comes from (default that of the scenario)")
	f.StringArrayVar(&p.with, "with", nil, "one more `LINE` of the scenario; again for more")
	f.BoolVar(&p.compare, "compare", false, "a what-if beside the real TCP")
	addLang(cmd, &p.language)
	f.BoolVar(&p.plain, "plain", false, "the narration as a dialogue, where there is one")
	f.BoolVar(&p.all, "all", false, "draw every row; without it long runs of like segments are folded")
	f.StringVarP(&p.capture, "write", "w", "", "write a capture with comments to `FILE.pcapng`, and draw the display filter of each step")
	f.StringVar(&p.at, "at", "", "the `HOST` at which the capture is taken (default the first)")
	f.StringVar(&p.html, "html", "", "write a page to `FILE`, which needs nothing beside it")
	f.StringVar(&p.record, "record", "", "write scenario, events, packets and hash to `FILE`, for 'tcpkit trace'")
	return cmd
}

func (p *simPlan) run(args []string) (err error) {
	if p.lang, err = pickLang(p.language); err != nil {
		return err
	}
	c := shipped()
	if p.compare && len(args) == 1 {
		if args, err = counterpart(c, args[0]); err != nil {
			return err
		}
	}
	switch {
	case len(args) == 2 && !p.compare:
		return usagef("two scenarios are for --compare")
	case p.compare && (p.capture != "" || p.record != ""):
		return usagef("-w and --record are of one run, and --compare makes two")
	case p.at != "" && p.capture == "":
		return usagef("--at is for a capture; name one with -w FILE.pcapng")
	}
	var runs []*simRun
	for _, name := range args {
		source, err := findScenario(c, name)
		if err != nil {
			return err
		}
		if len(runs) > 0 && runs[0].source.name == source.name {
			return usagef("%s is compared with itself: give two scenarios", source.name)
		}
		if source.extra = p.with; p.seeded {
			source.extra = append([]string{fmt.Sprint("seed ", p.seed)}, p.with...)
		}
		r, err := source.play()
		if err != nil {
			return err
		}
		for _, fault := range r.run.Missed() {
			p.app.log.Warn("a fault has met no packet", "fault", fault)
		}
		runs = append(runs, r)
	}
	if err := p.files(c, runs); err != nil {
		return err
	}
	if err := p.show(c, runs); err != nil {
		return err
	}
	for _, r := range runs {
		if err := r.run.Failure(); err != nil {
			return fmt.Errorf("%s: the run broke off: %w", r.source.name, err)
		}
		if r.failed() > 0 {
			return &silentError{exitExpectation}
		}
	}
	return nil
}

// counterpart finds the real TCP of a what-if, or the first what-if of a real one.
func counterpart(c *catalogue.Catalogue, name string) ([]string, error) {
	s, ok := c.Scenario(name)
	if !ok {
		return nil, usagef("--compare with one scenario needs an id of 'tcpkit sim list', and %q is none; or give two", name)
	}
	if s.Compare != "" {
		return []string{s.Compare, s.ID}, nil
	}
	if others := c.WhatIfs(s.ID); len(others) > 0 {
		return []string{s.ID, others[0].ID}, nil
	}
	return nil, usagef("nothing is there to be compared with %s; give two scenarios", s.ID)
}

// files writes what is to be written.
func (p *simPlan) files(c *catalogue.Catalogue, runs []*simRun) error {
	r := runs[0]
	if p.capture != "" {
		hosts := r.run.Scenario().Hosts
		at := 0
		if p.at != "" {
			var names []string
			for i := range hosts {
				names = append(names, hosts[i].Name)
			}
			if at = slices.Index(names, p.at); at < 0 {
				return usagef("bad --at %q: the hosts are %s", p.at, strings.Join(names, ", "))
			}
		}
		if err := writeWhole("-w", p.capture, r.run.AppendPcapng(nil, at)); err != nil {
			return err
		}
	}
	if p.record != "" {
		b, err := r.recording().encode()
		if err != nil {
			return err
		}
		if err := writeWhole("--record", p.record, b); err != nil {
			return err
		}
	}
	if p.html == "" {
		return nil
	}
	page, err := p.page(c, runs)
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := page.Write(&b); err != nil {
		return err
	}
	return writeWhole("--html", p.html, []byte(b.String()))
}

func (p *simPlan) words(c *catalogue.Catalogue) *ladder.Words {
	return &ladder.Words{Lang: p.lang, Files: c, Plain: p.plain, Rules: p.app.verbose, Filters: p.app.verbose || p.capture != ""}
}

// page is the runs as a page.
func (p *simPlan) page(c *catalogue.Catalogue, runs []*simRun) (*ladder.Page, error) {
	w := p.words(c)
	page := &ladder.Page{Words: w}
	for _, r := range runs {
		one, err := p.part(c, w, r)
		if err != nil {
			return nil, err
		}
		if page.Title != "" {
			page.Title += " | "
		}
		page.Title += headOf(one)
		page.Runs = append(page.Runs, *one)
	}
	return page, nil
}

// part is one run with its words.
func (p *simPlan) part(c *catalogue.Catalogue, w *ladder.Words, r *simRun) (*ladder.PageRun, error) {
	line, err := r.timeline()
	if err != nil {
		return nil, err
	}
	id := r.run.Scenario().ID
	word := func(name string) string {
		s, _ := c.Word(p.lang.String(), id+"."+name)
		return s
	}
	one := &ladder.PageRun{
		ID: id, Title: word("title"), Question: word("question"), Summary: word("summary"),
		Timeline: line, Rows: ladder.Rows(line, w), Checks: r.checks(), Text: r.source.whole(),
	}
	if !p.all {
		one.Rows = ladder.Shorten(one.Rows)
	}
	for _, id := range r.run.Scenario().Corrects {
		claim, _ := c.Word(p.lang.String(), id+".claim")
		precise, ok := c.Word(p.lang.String(), id+".precise")
		if ok {
			one.Claims = append(one.Claims, ladder.Claim{ID: id, Claim: claim, Precise: precise})
		}
	}
	return one, nil
}

// show draws the runs, or writes their timelines.
func (p *simPlan) show(c *catalogue.Catalogue, runs []*simRun) error {
	if p.app.json {
		for _, r := range runs {
			if _, err := fmt.Fprintf(p.app.out, "%s\n", r.json()); err != nil {
				return fmt.Errorf("%w: %w", errStdout, err)
			}
		}
		return nil
	}
	page, err := p.page(c, runs)
	if err != nil {
		return err
	}
	return p.draw(page)
}

// draw draws what would stand on a page.
func (p *simPlan) draw(page *ladder.Page) error {
	pen, w := ladder.NewPen(p.app.out, p.lang), page.Words
	if len(page.Runs) == 2 {
		a, b := &page.Runs[0], &page.Runs[1]
		if pen.DrawBeside([2]string{headOf(a), headOf(b)}, [2]*ladder.Timeline{a.Timeline, b.Timeline}, [2][]ladder.Row{a.Rows, b.Rows}, w) {
			p.ends(pen, page)
			return drawn(pen)
		}
	}
	for i := range page.Runs {
		one := &page.Runs[i]
		if i > 0 {
			pen.End()
		}
		p.head(pen, one)
		pen.Draw(one.Timeline, one.Rows, w)
	}
	p.ends(pen, page)
	return drawn(pen)
}

// headOf is a run's id and title.
func headOf(one *ladder.PageRun) string { return strings.TrimSpace(one.ID + "  " + one.Title) }

// head tells what a run is about.
func (p *simPlan) head(pen *ladder.Pen, one *ladder.PageRun) {
	pen.Put(ladder.Bold, headOf(one)).End()
	if one.Question != "" {
		pen.Hang("", ladder.Dim, one.Question)
	}
	if one.Summary != "" {
		pen.Hang("", ladder.Plain, one.Summary)
	}
	pen.End()
	pen.Hang("", ladder.Dim, phrase{
		"states: the sender's when it sends, the receiver's when it has arrived · seq, ack: from each ISN · len: octets",
		"状态：发送方为发送时，接收方为到达后；seq、ack：从各自的初始序号算起；len：字节",
	}[p.lang])
}

// ends are the expectations, corrections and hashes.
func (p *simPlan) ends(pen *ladder.Pen, page *ladder.Page) {
	l := p.lang
	if sums := page.Sums(); sums != nil {
		pen.End()
		pen.Put(ladder.Dim, phrase{"in short, what differs:", "主要差异："}[l]).End()
		pen.Table([]string{page.Runs[0].ID, page.Runs[1].ID}, sums)
	}
	for i := range page.Runs {
		one := &page.Runs[i]
		pen.End()
		for _, c := range one.Claims {
			pen.Hang(c.ID+phrase{"  often said: ", "  常见的说法："}[l], ladder.Dim, c.Claim)
			pen.Hang(strings.Repeat(" ", len(c.ID))+phrase{"  precisely:  ", "  准确地说：  "}[l], ladder.Plain, c.Precise)
		}
		if len(one.Claims) > 0 {
			pen.End()
		}
		held := 0
		for _, c := range one.Checks {
			sign, colour := "✓ ", ladder.Good
			if c.Held {
				held++
			} else {
				sign, colour = "✗ ", ladder.Bad
			}
			pen.Item(colour, sign, ladder.Plain, c.Line)
			if !c.Held {
				pen.Hang("    "+phrase{"found: ", "实际："}[l], ladder.Bad, c.Found)
			}
		}
		sum := fmt.Sprintf(phrase{"%s: %d of %d expectations held", "%s：%[3]d 项预期中 %[2]d 项成立"}[l], one.ID, held, len(one.Checks))
		colour := ladder.Good
		if held < len(one.Checks) {
			colour = ladder.Bad
		}
		pen.Put(colour, sum).End()
		pen.Put(ladder.Dim, fmt.Sprintf(phrase{"seed %d · trace hash %s", "种子 %d · 轨迹哈希 %s"}[l], one.Timeline.Seed, one.Timeline.Hash)).End()
	}
}
