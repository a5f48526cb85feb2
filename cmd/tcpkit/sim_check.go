package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/internal/ladder"
)

// A checkedScenario is one line of sim check.
type checkedScenario struct {
	Scenario string         `json:"scenario"`
	Passed   bool           `json:"passed"`
	Expects  int            `json:"expectations"`
	Hash     string         `json:"hash,omitempty"`
	Error    string         `json:"error,omitempty"`
	Failed   []ladder.Check `json:"failed,omitempty"`
}

func newSimCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check [SCENARIO...]",
		Short: "Run scenarios and check what they expect: all, or those named",
		Long: `Run scenarios and check what they expect; without a name all that tcpkit comes with.
What does not hold is shown with what was found. The last line is the result, and the
exit code is 3 if anything failed. -v names those that passed too, with their hashes.`,
		Example: "  tcpkit sim check\n  tcpkit sim check H1 mine.scenario",
		RunE:    func(_ *cobra.Command, args []string) error { return a.checkScenarios(args) },
	}
}

func (a *app) checkScenarios(names []string) error {
	c := shipped()
	if len(names) == 0 {
		for _, s := range c.Scenarios() {
			names = append(names, s.ID)
		}
	}
	var sources []*simSource
	for _, name := range names {
		s, err := findScenario(c, name)
		if err != nil {
			return err
		}
		sources = append(sources, s)
	}
	results := make([]chan checkedScenario, len(sources))
	next := make(chan int, len(sources))
	for i := range sources {
		results[i] = make(chan checkedScenario, 1)
		next <- i
	}
	close(next)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for i := range next {
				results[i] <- sources[i].check()
			}
		}()
	}
	passed := 0
	all := []checkedScenario{}
	for i := range results {
		r := <-results[i]
		if r.Passed {
			passed++
		}
		if a.json {
			all = append(all, r)
		} else if err := a.printChecked(&r); err != nil {
			return err
		}
	}
	failed := len(sources) - passed
	var err error
	if a.json {
		err = a.printJSON(all)
	} else {
		_, err = fmt.Fprintf(a.out, "%d passed, %d failed\n", passed, failed)
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errStdout, err)
	case failed > 0:
		return &silentError{exitExpectation}
	}
	return nil
}

// check runs a scenario and looks at what it expects.
func (s *simSource) check() checkedScenario {
	out := checkedScenario{Scenario: s.name}
	r, err := s.play()
	if err == nil {
		err = r.run.Failure()
	}
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Hash, out.Expects = r.hash(), len(r.results)
	for _, c := range r.checks() {
		if !c.Held {
			out.Failed = append(out.Failed, c)
		}
	}
	if out.Expects == 0 {
		out.Error = "it expects nothing; add a line such as: expect segments = 3"
	}
	out.Passed = out.Expects > 0 && len(out.Failed) == 0
	return out
}

func (a *app) printChecked(r *checkedScenario) error {
	var err error
	switch {
	case r.Error != "":
		_, err = fmt.Fprintf(a.out, "%s: %s\n", r.Scenario, r.Error)
	case !r.Passed:
		for _, c := range r.Failed {
			if _, err = fmt.Fprintf(a.out, "%s: %s\n    found: %s\n", r.Scenario, c.Line, c.Found); err != nil {
				break
			}
		}
	case a.verbose:
		_, err = fmt.Fprintf(a.out, "%-20s %3d expectations  %s\n", r.Scenario, r.Expects, r.Hash)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errStdout, err)
	}
	return nil
}
