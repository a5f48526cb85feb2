// The command score builds the engine with each mutant, lets the detectors look
// for it, and prints a table of who found it first and how soon, and how many were
// found. It ends with 3 when one was found by nobody.
//
//	go run ./proof/mutants/score                              all mutants, all detectors
//	go run ./proof/mutants/score -kind scripts -run '^rst_'   some
//	go run ./proof/mutants/score -kind scripts -all           every script that finds each mutant
//	go run ./proof/mutants/score -kind explore -v -run NAME   the counter-example
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tcpkit/tcpkit/proof/mutants"
)

func main() {
	kinds := flag.String("kind", strings.Join(mutants.Kinds(), ","), "the detectors to run")
	run := flag.String("run", "", "only mutants whose name matches this regular expression")
	jobs := flag.Int("j", runtime.GOMAXPROCS(0), "mutants at once")
	s := &scorer{}
	flag.BoolVar(&s.all, "all", false, "do not stop at the first script, world or seed that fails: name all of them")
	flag.IntVar(&s.states, "states", 14_000, "how many states of each world the explorer looks at")
	flag.BoolVar(&s.say, "v", false, "show what the first that fails has to say")
	flag.DurationVar(&s.limit, "limit", time.Minute, "how long one detector may look for one mutant; one that hangs it is found")
	flag.Parse()
	s.kinds = strings.Split(*kinds, ",")
	killed, total, err := s.score(*run, *jobs)
	if err != nil {
		fmt.Fprintln(os.Stderr, "score:", err)
		os.Exit(1)
	}
	fmt.Printf("\n%d of %d killed\n", killed, total)
	if killed < total {
		os.Exit(3)
	}
}

type scorer struct {
	root, dir string
	kinds     []string
	all, say  bool
	states    int
	limit     time.Duration
}

// A row is what came of one mutant: by kind of detector, its findings.
type row struct {
	mutant   mutants.Mutant
	findings map[string][]mutants.Finding
	err      error
}

func (s *scorer) score(pattern string, jobs int) (killed, total int, err error) {
	match, err := regexp.Compile(pattern)
	if err != nil {
		return 0, 0, err
	}
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return 0, 0, err
	}
	s.root = filepath.Dir(strings.TrimSpace(string(mod)))
	if s.dir, err = os.MkdirTemp("", "mutants"); err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(s.dir)
	list, err := mutants.Load(filepath.Join(s.root, "proof/mutants/testdata"))
	if err != nil {
		return 0, 0, err
	}
	list = slices.DeleteFunc(list, func(m mutants.Mutant) bool { return !match.MatchString(m.Name) })

	for i := range list {
		if _, err := list[i].Patch(s.root); err != nil {
			return 0, 0, err
		}
	}
	// What fails without a mutant says nothing about one.
	if base := s.examine(mutants.Mutant{Name: "none"}); base.err != nil {
		return 0, 0, base.err
	} else if by := base.killers(); len(by) > 0 {
		return 0, 0, fmt.Errorf("the engine fails without a mutant: %v", by)
	}
	rows := make([]row, len(list))
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(1, jobs) {
		wg.Go(func() {
			for i := range next {
				rows[i] = s.examine(list[i])
				fmt.Fprintf(os.Stderr, "%s: %d killers\n", list[i].Name, len(rows[i].killers()))
			}
		})
	}
	for i := range list {
		next <- i
	}
	close(next)
	wg.Wait()
	for i := range rows {
		if rows[i].err != nil {
			return 0, 0, rows[i].err
		}
		if len(rows[i].killers()) > 0 {
			killed++
		}
	}
	s.print(rows)
	return killed, len(rows), nil
}

// examine builds the detectors with a mutant and runs them.
func (s *scorer) examine(m mutants.Mutant) row {
	r := row{mutant: m, findings: map[string][]mutants.Finding{}}
	dir := filepath.Join(s.dir, strings.ReplaceAll(m.Name, "/", "_"))
	if r.err = os.Mkdir(dir, 0o777); r.err != nil {
		return r
	}
	defer os.RemoveAll(dir)
	overlay, err := m.Overlay(s.root, dir)
	if err != nil {
		r.err = err
		return r
	}
	bin := filepath.Join(dir, "detect.exe")
	build := exec.Command("go", "build", "-overlay", overlay, "-o", bin, "./proof/mutants/detect")
	build.Dir = s.root
	if out, err := build.CombinedOutput(); err != nil {
		r.err = fmt.Errorf("mutant %s does not build: %w\n%s", m.Name, err, out)
		return r
	}
	for _, kind := range s.kinds {
		if r.findings[kind], r.err = s.detect(bin, kind); r.err != nil {
			r.err = fmt.Errorf("mutant %s: %w", m.Name, r.err)
			return r
		}
	}
	return r
}

// detect runs one detector. One that does not come to its end, or dies, was
// brought to it by the mutant.
func (s *scorer) detect(bin, kind string) ([]mutants.Finding, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, fmt.Sprint("-all=", s.all), fmt.Sprint("-states=", s.states), kind)
	cmd.Dir = s.root
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOMEMLIMIT=1GiB")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	began := time.Now()
	out, err := cmd.Output()
	var found []mutants.Finding
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var f mutants.Finding
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		if f.Done {
			return found, nil
		}
		found = append(found, f)
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		found = append(found, mutants.Finding{By: "no end", Seconds: time.Since(began).Seconds()})
	case errors.As(err, &exit) && strings.Contains(stderr.String(), "goroutine "):
		found = append(found, mutants.Finding{By: "crash", What: stderr.String(), Seconds: time.Since(began).Seconds()})
	default:
		return nil, fmt.Errorf("%s: %w\n%s", kind, err, stderr.String())
	}
	return found, nil
}

// killers names who has found the mutant.
func (r *row) killers() (by []string) {
	for _, kind := range mutants.Kinds() {
		for _, f := range r.findings[kind] {
			by = append(by, kind+": "+f.By)
		}
	}
	return by
}
