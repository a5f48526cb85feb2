// The command detect looks for bugs in the engine that it was built with. The
// command score builds it once for each mutant, and reads its lines.
//
//	detect [-all] scripts|explore|sim
//
// It stops at the first that fails, or with -all looks at all of them.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tcpkit/tcpkit/core/explore"
	"github.com/tcpkit/tcpkit/core/script"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/proof/mutants"
)

func main() {
	d := detector{began: time.Now(), out: json.NewEncoder(os.Stdout)}
	flag.BoolVar(&d.all, "all", false, "do not stop at the first")
	flag.IntVar(&d.worlds, "worlds", 100, "simulated worlds, of twenty connections each")
	flag.IntVar(&d.states, "states", 14_000, "states of each world of the explorer")
	flag.Parse()
	var err error
	switch kind := flag.Arg(0); kind {
	case "scripts":
		err = d.scripts("scripts", "core/script/testdata")
	case "explore":
		err = d.explore()
	case "sim":
		d.sim()
	default:
		err = fmt.Errorf("no detector %q", kind)
	}
	if err == nil {
		err = d.out.Encode(mutants.Finding{Done: true, Tried: d.tried, Seconds: d.seconds()})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "detect:", err)
		os.Exit(1)
	}
}

type detector struct {
	all    bool
	worlds int
	states int
	began  time.Time
	out    *json.Encoder
	tried  int
}

func (d *detector) seconds() float64 { return time.Since(d.began).Seconds() }

// try runs one test, which says what is wrong or nothing, and reports whether to
// go on. The engine panics where an invariant does not hold.
func (d *detector) try(by string, test func() string) bool {
	d.tried++
	what := func() (what string) {
		defer func() {
			if p := recover(); p != nil {
				what = fmt.Sprint("panic: ", p)
			}
		}()
		return test()
	}()
	if what == "" {
		return true
	}
	if err := d.out.Encode(mutants.Finding{By: by, What: what, Tried: d.tried, Seconds: d.seconds()}); err != nil {
		panic(err)
	}
	return d.all
}

// scripts runs every script below the folders, over IPv4 and IPv6.
func (d *detector) scripts(dirs ...string) error {
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			switch {
			case os.IsNotExist(err):
				return nil
			case err != nil:
				return err
			case e.IsDir() && e.Name() == "open": // what the engine does not do yet
				return fs.SkipDir
			case e.IsDir() || filepath.Ext(path) != ".pkt":
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			s, err := script.Parse(path, string(text))
			if err != nil {
				return err
			}
			name := strings.TrimSuffix(filepath.ToSlash(strings.TrimPrefix(path, dir+string(filepath.Separator))), ".pkt")
			if !d.try(name, func() string { return play(s) }) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func play(s *script.Script) string {
	for _, ipv6 := range [...]bool{false, true} {
		if v := version(s); v != "" && ipv6 != (v == "ipv6") {
			continue
		}
		if r := script.Run(s, script.Config{IPv6: ipv6}); r.Outcome != script.Passed {
			return r.Detail
		}
	}
	return ""
}

// version is what the script says that it is for, if it is for one.
func version(s *script.Script) string {
	for _, o := range s.Options {
		if o.Name == "ip_version" {
			return o.Value
		}
	}
	return ""
}

// explore searches each world breadth first, all of them a little, then all of them
// further: most bugs are near, in whatever world.
func (d *detector) explore() error {
	sum := 0 // states, of all worlds so far
	found := map[string]bool{}
	for states := 0; states < d.states; {
		states = min(max(2000, 7*states), d.states)
		for _, w := range explore.Worlds() {
			if found[w.Name] {
				continue
			}
			x, err := explore.New(w)
			if err != nil {
				return err
			}
			r, err := x.Run(explore.Options{States: states})
			if err != nil {
				return err
			}
			d.tried++
			sum += r.States
			if b := r.Breach; b != nil {
				found[w.Name] = true
				f := mutants.Finding{By: w.Name, What: b.What + "\n\n" + b.Ladder + "\n" + b.Script, Tried: d.tried, States: sum, Depth: b.Steps, Seconds: d.seconds()}
				if err := d.out.Encode(f); err != nil || !d.all {
					return err
				}
			}
		}
	}
	return nil
}

// sim runs worlds of twenty connections under random faults.
func (d *detector) sim() {
	for seed := range d.worlds {
		ok := d.try(fmt.Sprint("seed ", seed), func() string {
			cfg := sim.Random(uint64(seed), 20)
			w, err := sim.New(&cfg)
			if err == nil {
				err = w.Finish()
			}
			if err != nil {
				return err.Error()
			}
			return ""
		})
		if !ok {
			return
		}
	}
}
