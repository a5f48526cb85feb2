package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/core/explore"
)

const exploreLong = `Try every interleaving of two ends of tcpkit's engine over a network that loses,
doubles and overtakes packets: every packet that can arrive or be lost, every
timer that can fire, every call that a user can make, breadth first. In each
state it is checked that only changes of state of RFC 9293's Figure 5 occur, what
is read is what was written, two synchronized ends are synchronized with each
other, and in a network that behaves from then on both connections end.

A world is two users and what the network may do; --list names them. What breaks
a rule is shown on the shortest way there, as a ladder and as a script for tcpkit
script, and the exit code is 3. It is 3 too when of a hundred states none was
reached twice: then the fingerprints that tell states apart are wrong.

With --plugin one end goes by other rules: what the rules are for is then found by
itself. Each world has plugins of its own, and what they keep in the host, of
connections and under keys, is part of a state. What one keeps in its own memory is
not: the explorer goes back and forth, and that does not.`

// An explorePlan is what the command line of explore asks for.
type explorePlan struct {
	world                string
	depth, states        int
	lose, double, timers int
	workers              int
	limit                time.Duration
	list                 bool
	plugins              []string
	end                  string
	unsure               bool
	changed              func(flag string) bool
}

func newExplore(a *app) *cobra.Command {
	p := &explorePlan{}
	cmd := &cobra.Command{
		Use:   "explore [flags]",
		Short: "Try every interleaving of two ends and a bad network",
		Long:  exploreLong,
		Example: `  tcpkit explore
  tcpkit explore --world handshake --states 0
  tcpkit explore --world transfer --depth 14 --loss 2
  tcpkit explore --world old-syn --plugin two-way,allow=lab
  tcpkit explore --world reopen --end A --plugin no-time-wait,allow=lab --unsure`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p.changed = cmd.Flags().Changed
			return a.runExplore(p)
		},
	}
	f := cmd.Flags()
	f.StringVar(&p.world, "world", "all", "which world, or all")
	f.IntVar(&p.depth, "depth", 0, "steps from the beginning; 0: no bound")
	f.IntVar(&p.states, "states", 200_000, "states of each world, some hundred octets each; 0: no bound")
	f.IntVar(&p.lose, "loss", 0, "packets that may be lost, instead of the world's own number")
	f.IntVar(&p.double, "dup", 0, "packets that may arrive twice")
	f.IntVar(&p.timers, "timers", 0, "timers that may fire")
	f.IntVar(&p.workers, "workers", runtime.GOMAXPROCS(0), "worlds at once")
	f.DurationVar(&p.limit, "time", 0, "stop after so long; 0: no bound")
	f.BoolVar(&p.list, "list", false, "name the worlds")
	f.StringArrayVar(&p.plugins, "plugin", nil, "explore with a plugin at one end, `FILE[,KEY=VALUE]...`; again for more")
	f.StringVar(&p.end, "end", "B", "the end that has the plugins: A, who opens, or B, the server")
	f.BoolVar(&p.unsure, "unsure", false, "a connection may end by a reset, or without its data: look for what is worse")
	return cmd
}

// worlds are those that the plan names, with its limits.
func (p *explorePlan) worlds() ([]explore.World, error) {
	if p.depth < 0 || p.states < 0 || p.workers < 1 || p.limit < 0 || p.lose < 0 || p.double < 0 || p.timers < 0 {
		return nil, usagef("a bound is negative, or there are no workers")
	}
	if p.end != "A" && p.end != "B" {
		return nil, usagef("no end %q: there are A and B", p.end)
	}
	var some []explore.World
	var names []string
	for _, w := range explore.Worlds() {
		names = append(names, w.Name)
		if p.changed("loss") {
			w.Limits.Lose = p.lose
		}
		if p.changed("dup") {
			w.Limits.Duplicate = p.double
		}
		if p.changed("timers") {
			w.Limits.Fire = p.timers
		}
		w.Sure = w.Sure && !p.unsure
		if p.world == "all" || p.world == w.Name {
			some = append(some, w)
		}
	}
	if len(some) == 0 {
		return nil, usagef("no world %q: there are %s", p.world, strings.Join(names, ", "))
	}
	return some, nil
}

func (a *app) runExplore(p *explorePlan) error {
	worlds, err := p.worlds()
	if err != nil {
		return err
	}
	if p.list {
		return a.listWorlds(worlds)
	}
	// What stands against a plugin is said once.
	done, err := p.plug(&explore.World{})
	if err != nil {
		return err
	}
	done()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if p.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.limit)
		defer cancel()
	}
	results := make([]chan explored, len(worlds))
	next := make(chan int)
	var wg sync.WaitGroup
	for i := range results {
		results[i] = make(chan explored, 1)
	}
	for range p.workers {
		wg.Go(func() {
			for i := range next {
				results[i] <- p.explore(ctx, worlds[i])
			}
		})
	}
	go func() {
		defer close(next)
		for i := range worlds {
			next <- i
		}
	}()
	defer wg.Wait()
	failed := false
	var errs []error
	for i := range worlds {
		e := <-results[i]
		if e.err != nil {
			errs = append(errs, e.err)
			continue
		}
		failed = failed || e.Breach != nil || e.blind()
		if err := a.printExplored(&e); err != nil {
			errs = append(errs, err)
		}
	}
	switch {
	case len(errs) > 0:
		return errors.Join(errs...)
	case failed:
		return &silentError{exitExpectation}
	}
	return nil
}

// explored is what came of one world.
type explored struct {
	explore.Result
	Seconds float64 `json:"seconds"`
	err     error
}

// blind reports whether of many states none was reached twice: then it is not
// known when two are the same.
func (e *explored) blind() bool { return e.Merged == 0 && e.States >= 100 }

// plug gives a world plugins of its own: worlds are explored at once, and the copies of
// a Set share its instances. done ends them.
func (p *explorePlan) plug(w *explore.World) (done func(), err error) {
	if len(p.plugins) == 0 {
		return func() {}, nil
	}
	set, done, err := pluginSet(p.plugins)
	if err == nil {
		end := int(p.end[0] - 'A')
		w.Hook[end], w.Hooks[end] = set, set.Mask()
	}
	return done, err
}

func (p *explorePlan) explore(ctx context.Context, w explore.World) explored {
	began := time.Now()
	done, err := p.plug(&w)
	if err != nil {
		return explored{err: err}
	}
	defer done()
	x, err := explore.New(w)
	if err != nil {
		return explored{err: err}
	}
	stopped := func() bool { return ctx.Err() != nil }
	r, err := x.Run(explore.Options{Depth: p.depth, States: p.states, Stop: stopped})
	return explored{r, time.Since(began).Seconds(), err}
}

func (a *app) printExplored(e *explored) error {
	if a.json {
		return json.NewEncoder(a.out).Encode(e)
	}
	how := fmt.Sprintf("depth %d", e.Depth)
	if e.Complete {
		how = "complete, " + how
	}
	end := "no counter-example"
	switch {
	case e.Breach != nil:
		end = "BROKEN after " + fmt.Sprint(e.Breach.Steps) + " steps"
	case e.blind():
		end = "NO STATE WAS REACHED TWICE"
	}
	_, err := fmt.Fprintf(a.out, "%-19s %8d states, %8d merged (%.0f %%), %s, %s, %.1f s\n",
		e.World, e.States, e.Merged, 100*float64(e.Merged)/float64(max(1, e.States+e.Merged)), how, end, e.Seconds)
	if b := e.Breach; b != nil && err == nil {
		_, err = io.WriteString(a.out, "\n"+b.Ladder+"\n"+b.Script+"\n")
	}
	return err
}

func (a *app) listWorlds(worlds []explore.World) error {
	for _, w := range worlds {
		l := w.Limits
		if a.json {
			if err := json.NewEncoder(a.out).Encode(struct {
				Name   string         `json:"name"`
				Title  string         `json:"title"`
				Limits explore.Limits `json:"limits"`
			}{w.Name, w.Title, l}); err != nil {
				return err
			}
		} else if _, err := fmt.Fprintf(a.out, "%-19s %s (%d lost, %d doubled, %d timers)\n", w.Name, w.Title, l.Lose, l.Duplicate, l.Fire); err != nil {
			return err
		}
	}
	return nil
}
