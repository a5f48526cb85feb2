package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/internal/ladder"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

const explainLong = `Explain a word: a state, a flag, an option, a term, a timer, a scenario, a popular
statement, a rule of the engine, or a reason why a packet is dropped. Words may be
English or Chinese, in old spellings too. A kind lists all of it; no word lists the
kinds.`

// An explanation is what the command line asks for.
type explanation struct {
	app      *app
	language string
	lang     narrate.Lang
}

func newExplain(a *app) *cobra.Command {
	x := &explanation{app: a}
	cmd := &cobra.Command{
		Use:   "explain [KIND] [WORD]",
		Short: "Explain a state, flag, option, term, scenario or rule",
		Long:  explainLong,
		Example: `  tcpkit explain TIME-WAIT
  tcpkit explain SYN_RCVD
  tcpkit explain 半关闭
  tcpkit explain option sack
  tcpkit explain states`,
		RunE: func(_ *cobra.Command, args []string) error { return x.run(args) },
	}
	addLang(cmd, &x.language)
	return cmd
}

func (x *explanation) run(args []string) (err error) {
	if x.language == "" && strings.ContainsFunc(strings.Join(args, ""), func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		x.language = "zh" // who asks in Chinese is answered in Chinese
	}
	if x.lang, err = pickLang(x.language); err != nil {
		return err
	}
	all := topics(shipped(), x.lang)
	pen := ladder.NewPen(x.app.out, x.lang)
	if len(args) == 0 {
		return x.kinds(pen, all)
	}
	kind := kindOf(args[0])
	if kind != "" {
		of := slices.DeleteFunc(slices.Clone(all), func(t *topic) bool { return t.Kind != kind })
		if len(args) == 1 {
			// "reset" and "timer" are no kinds, but a kind may be a word too.
			if found := find(all, args[0]); len(found) == 0 {
				return x.list(pen, of)
			}
		} else {
			all, args = of, args[1:]
		}
	}
	word := strings.Join(args, " ")
	found := find(all, word)
	if len(found) == 0 {
		spoken := ""
		if ids := speakOf(all, word); len(ids) > 0 {
			spoken = "it stands in " + strings.Join(ids, ", ") + "; "
		}
		return usagef("nothing here is called %q; %s'tcpkit explain' lists the kinds of words", word, spoken+didYouMean(nearest(all, word)))
	}
	return x.tell(pen, found)
}

// kindOf reads a kind, in the singular or the plural.
func kindOf(s string) string {
	for _, k := range explainKinds {
		if f := strings.ToLower(s); f == k.kind || f == k.kind+"s" {
			return k.kind
		}
	}
	return ""
}

func drawn(p *ladder.Pen) error {
	if p.Err() != nil {
		return fmt.Errorf("%w: %w", errStdout, p.Err())
	}
	return nil
}

func (x *explanation) kinds(pen *ladder.Pen, all []*topic) error {
	count := map[string]int{}
	for _, t := range all {
		count[t.Kind]++
	}
	if x.app.json {
		return x.app.printJSON(count)
	}
	pen.Put(ladder.Bold, phrase{"tcpkit explain WORD, or one of these kinds:", "tcpkit explain 词语，或者下面的一类："}[x.lang]).End()
	pen.End()
	for _, k := range explainKinds {
		pen.Put(ladder.First, "  "+narrate.Pad(k.kind+"s", 10)).Put(ladder.Dim, narrate.PadLeft(strconv.Itoa(count[k.kind]), 4)+"  ").Put(ladder.Plain, k.what[x.lang]).End()
	}
	return drawn(pen)
}

// list names all topics of a kind, a line each.
func (x *explanation) list(pen *ladder.Pen, all []*topic) error {
	if x.app.json {
		return x.app.printJSON(all)
	}
	width := 0
	for _, t := range all {
		width = max(width, narrate.Width(t.ID))
	}
	for _, t := range all {
		words := t.Name
		if words == "" {
			words = t.Text
		}
		pen.Hang(narrate.Pad(t.ID, width)+"  ", ladder.Plain, words)
	}
	return drawn(pen)
}

// tell explains each of what was found.
func (x *explanation) tell(pen *ladder.Pen, found []match) error {
	if x.app.json {
		return x.app.printJSON(found)
	}
	l := x.lang
	for i, m := range found {
		if i > 0 {
			pen.End()
		}
		pen.Put(ladder.Bold, m.ID)
		if m.Name != "" && m.Kind != "claim" && !strings.EqualFold(m.Name, m.ID) {
			pen.Put(ladder.Plain, phrase{" (" + m.Name + ")", "（" + m.Name + "）"}[l])
		}
		pen.Put(ladder.Dim, "  "+explainKinds[kindIndex(m.Kind)].one[l])
		if m.Cite != "" {
			pen.Put(ladder.Dim, phrase{", ", "，"}[l]+m.Cite)
		}
		pen.End()
		if m.By != "" && m.Kind == "state" {
			pen.Hang("  ", ladder.Timer, phrase{
				fmt.Sprintf("%s is another name of it; RFC 9293 calls the state %s.", m.By, m.ID),
				fmt.Sprintf("%s 是它的另一个名称；RFC 9293 把这个状态称为 %s。", m.By, m.ID),
			}[l])
		}
		if m.Kind == "claim" {
			pen.Hang("  "+phrase{"a common summary: ", "常见的说法："}[l], ladder.Plain, m.Name)
			pen.Hang("  "+phrase{"precisely: ", "准确地说："}[l], ladder.Plain, m.Text)
		} else {
			if m.Asks != "" {
				pen.Hang("  ", ladder.Bold, m.Asks)
			}
			pen.Hang("  ", ladder.Plain, m.Text)
		}
		if m.Run != "" {
			pen.Hang("  ", ladder.Good, m.Run)
		}
		x.edges(pen, m.Edges)
		if len(m.See) > 0 {
			pen.Hang("  "+phrase{"see ", "参见 "}[l], ladder.First, strings.Join(shortIDs(m.See), phrase{", ", "、"}[l]))
		}
	}
	return drawn(pen)
}

// edges draws the ways into a state and out of it.
func (x *explanation) edges(pen *ladder.Pen, all []edge) {
	width := 0
	for _, e := range all {
		width = max(width, narrate.Width(e.From+e.To))
	}
	for _, e := range all {
		pen.Hang("  "+narrate.Pad(e.From+" → "+e.To, width+3)+"  ", ladder.Plain, e.Text+" ["+e.Cite+"]")
	}
}

// shortIDs leaves the kinds of ids away: what explain is asked for.
func shortIDs(ids []string) []string {
	var short []string
	for _, id := range ids {
		if kind, name, ok := strings.Cut(id, "."); ok && kindOf(kind) != "" {
			id = name
		}
		short = append(short, id)
	}
	return short
}
