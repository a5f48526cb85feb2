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

// A listedScenario is one line of sim list.
type listedScenario struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Question string   `json:"question"`
	Chapter  string   `json:"chapter,omitempty"`
	Compare  string   `json:"compare,omitempty"`
	Corrects []string `json:"corrects,omitempty"`
}

func newSimList(a *app) *cobra.Command {
	language := ""
	cmd := &cobra.Command{
		Use:     "list [CHAPTER]",
		Short:   "List the scenarios in the order of the lessons, with their questions",
		Example: "  tcpkit sim list\n  tcpkit sim list close --lang zh",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			lang, err := pickLang(language)
			if err != nil {
				return err
			}
			chapter := ""
			if len(args) == 1 {
				chapter = args[0]
				if !slices.Contains(catalogue.Chapters[:], chapter) {
					return usagef("no chapter %q: there are %s", chapter, strings.Join(catalogue.Chapters[:], ", "))
				}
			}
			return a.listScenarios(lang, chapter)
		},
		ValidArgs: catalogue.Chapters[:],
	}
	addLang(cmd, &language)
	return cmd
}

func (a *app) listScenarios(lang narrate.Lang, chapter string) error {
	c := shipped()
	word := func(id string) string {
		s, _ := c.Word(lang.String(), id)
		return s
	}
	var all []listedScenario
	width := 0
	for _, s := range c.Scenarios() {
		if chapter == "" || s.Chapter == chapter {
			all = append(all, listedScenario{s.ID, word(s.ID + ".title"), word(s.ID + ".question"), s.Chapter, s.Compare, s.Corrects})
			width = max(width, len(s.ID))
		}
	}
	if a.json {
		return a.printJSON(all)
	}
	pen := ladder.NewPen(a.out, lang)
	last := "none yet"
	for _, s := range all {
		if s.Chapter != last {
			if last != "none yet" {
				pen.End()
			}
			last = s.Chapter
			pen.Put(ladder.Bold, word("chapter."+s.Chapter)).End()
		}
		title := s.Title
		if s.Compare != "" {
			title += fmt.Sprintf(phrase{" (what if; beside %s)", "（假如；对照 %s）"}[lang], s.Compare)
		}
		pen.Put(ladder.First, "  "+narrate.Pad(s.ID, width)+"  ").Put(ladder.Plain, title).End()
		pen.Hang(strings.Repeat(" ", width+4), ladder.Dim, s.Question)
	}
	return drawn(pen)
}
