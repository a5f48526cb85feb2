package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tcpkit/tcpkit/proof/mutants"
)

// print writes the table, in Markdown.
func (s *scorer) print(rows []row) {
	table := [][]string{append([]string{"mutant", "what it breaks"}, s.kinds...)}
	for i := range rows {
		r := &rows[i]
		line := []string{r.mutant.Name, r.mutant.Title}
		for _, kind := range s.kinds {
			cell := "-"
			if found := r.findings[kind]; len(found) > 0 {
				cell = how(kind, &found[0])
			}
			line = append(line, cell)
		}
		table = append(table, line)
	}
	writeTable(table)
	if s.say {
		for i := range rows {
			for _, kind := range s.kinds {
				if found := rows[i].findings[kind]; len(found) > 0 {
					fmt.Printf("\n%s, %s, %s\n%s\n", rows[i].mutant.Name, kind, found[0].By, found[0].What)
				}
			}
		}
	}
	if s.all {
		s.printAll(rows)
	}
}

// how says who found it first and how soon.
func how(kind string, f *mutants.Finding) string {
	switch {
	case f.Tried == 0: // it hung or crashed
		return fmt.Sprintf("%s, %.0f s", f.By, f.Seconds)
	case kind == "explore":
		return fmt.Sprintf("%s, %d steps, %d states, %.0f ms", f.By, f.Depth, f.States, 1000*f.Seconds)
	}
	return fmt.Sprintf("%s, %.0f ms", f.By, 1000*f.Seconds)
}

func writeTable(table [][]string) {
	width := make([]int, len(table[0]))
	for _, line := range table {
		for i, cell := range line {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for i, line := range table {
		for k, cell := range line {
			fmt.Print("| ", cell, strings.Repeat(" ", width[k]-utf8.RuneCountInString(cell)+1))
		}
		fmt.Println("|")
		if i == 0 {
			for _, w := range width {
				fmt.Print("|", strings.Repeat("-", w+2))
			}
			fmt.Println("|")
		}
	}
}

// printAll names everything that finds each mutant, and what finds one that
// nothing else of its kind does.
func (s *scorer) printAll(rows []row) {
	alone := map[string][]string{}
	for i := range rows {
		r := &rows[i]
		fmt.Printf("\n%s\n", r.mutant.Name)
		for _, kind := range s.kinds {
			found := r.findings[kind]
			for _, f := range found {
				fmt.Printf("\t%s: %s\n", kind, f.By)
			}
			if len(found) == 1 {
				by := kind + ": " + found[0].By
				alone[by] = append(alone[by], r.mutant.Name)
			}
		}
	}
	var names []string
	for by := range alone {
		names = append(names, by)
	}
	slices.Sort(names)
	fmt.Println("\nthe only one of its kind that finds")
	for _, by := range names {
		fmt.Printf("\t%s: %s\n", by, strings.Join(alone[by], ", "))
	}
}
