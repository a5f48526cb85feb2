package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/plugins"
)

func newSim(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sim COMMAND",
		Short: "Scenarios on tcpkit's engine: what happens on a network, step by step",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var names []string
			for _, c := range cmd.Commands() {
				names = append(names, c.Name())
			}
			return usagef("sim needs one of: %s", strings.Join(names, ", "))
		},
	}
	cmd.AddCommand(newSimRun(a), newSimList(a), newSimCheck(a), newSimCompare(a))
	return cmd
}

const simCompareLong = `Send the same octets over the same simulated path once with each congestion
controller, the built-in ones and plugins, and print how it went side by side. The
seed decides which packets are lost, and is the same for all; time is virtual.

goodput    octets that the reader has read, a second
rtt        the smoothed round trip, over the time of the transfer
queue      what a packet would have waited at the bottleneck: the mean, and the most
lost       packets that the path has lost by chance; full: that found its queue full
fallback   a plugin failed, and CUBIC went on`

// A comparePlan is what the command line of sim compare asks for.
type comparePlan struct {
	controllers []string
	octets      string
	rate        string
	queue       string
	delay       time.Duration
	loss        float64
	seed        uint64
}

func newSimCompare(a *app) *cobra.Command {
	p := &comparePlan{}
	cmd := &cobra.Command{
		Use:   "compare [CONTROLLER...]",
		Short: "Compare congestion controllers, built in or plugins, over one path",
		Long:  simCompareLong,
		Example: `  tcpkit sim compare
  tcpkit sim compare cubic newreno aimd bbr-lite --loss 1 --octets 32M
  tcpkit sim compare cubic mine.wasm,gain=2 --rate 2.5M --delay 50ms`,
		RunE: func(_ *cobra.Command, args []string) error {
			p.controllers = args
			return a.compareControllers(p)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&p.octets, "octets", "16M", "how much is sent, `SIZE`")
	f.StringVar(&p.rate, "rate", "12M", "of the path, `SIZE` a second; 0: no bound")
	f.StringVar(&p.queue, "queue", "250k", "of its bottleneck, `SIZE`; 0: no bound")
	f.DurationVar(&p.delay, "delay", 10*time.Millisecond, "of the path, each way")
	f.Float64Var(&p.loss, "loss", 0.1, "packets that are lost by chance, in `PERCENT`")
	f.Uint64Var(&p.seed, "seed", 1, "what all randomness comes from")
	return cmd
}

func (p *comparePlan) comparison() (*sim.Comparison, error) {
	var sizes [3]int64
	for i, flag := range [...]struct{ name, value string }{{"octets", p.octets}, {"rate", p.rate}, {"queue", p.queue}} {
		var err error
		if sizes[i], err = parseSize(flag.value); err != nil {
			return nil, usagef("bad --%s: %v", flag.name, err)
		}
	}
	switch {
	case sizes[0] < 1 || sizes[0] > 4<<30:
		return nil, usagef("bad --octets %s: give up to 4G", p.octets)
	case sizes[1] != 0 && sizes[1] < 1<<10:
		return nil, usagef("bad --rate %s: give 0, or at least 1k", p.rate)
	case sizes[2] > 1<<30:
		return nil, usagef("bad --queue %s: give up to 1G", p.queue)
	case p.delay < 0 || p.delay > time.Minute:
		return nil, usagef("bad --delay %v: give at most 1m", p.delay)
	case p.loss < 0 || p.loss > 50:
		return nil, usagef("bad --loss %v: give a percentage up to 50", p.loss)
	}
	cfg, err := core.Profile("")
	if err != nil {
		return nil, err
	}
	return &sim.Comparison{
		Seed: p.seed, Core: cfg, Octets: uint64(sizes[0]),
		Way: sim.Channel{
			Delay: clock.Duration(p.delay), Rate: uint64(sizes[1]), Queue: int(sizes[2]), Loss: uint32(p.loss / 100 * sim.Million),
		},
		Back: sim.Channel{Delay: clock.Duration(p.delay)},
	}, nil
}

func (a *app) compareControllers(p *comparePlan) error {
	c, err := p.comparison()
	if err != nil {
		return err
	}
	names := p.controllers
	if len(names) == 0 {
		names = defaultControllers
	}
	engine, err := pluginEngine()
	if err != nil {
		return err
	}
	defer engine.Close()
	var controllers []cc.Controller
	for _, name := range names {
		one, err := p.controller(engine, name)
		if err != nil {
			return err
		}
		controllers = append(controllers, one)
	}
	all, err := sim.Compare(c, controllers...)
	if err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	return a.printCompared(all)
}

// controller returns a built-in controller, or starts the plugin that is one.
func (p *comparePlan) controller(e plugins.Engine, name string) (cc.Controller, error) {
	spec, err := parseController(name)
	if err != nil || spec.built != nil {
		return spec.built, err
	}
	spec.plugin.options.Key = siphash.Key{K0: p.seed}
	one, err := loadPlugin(e, &spec.plugin)
	if err != nil {
		return nil, err
	}
	set := plugins.NewSet()
	set.Add(one)
	return set.Controller(), nil
}

// A comparedRow is how it went with one controller.
type comparedRow struct {
	Controller  string  `json:"controller"`
	Goodput     uint64  `json:"octets_per_second"`
	Seconds     float64 `json:"seconds"`
	Lost        uint64  `json:"lost"`
	Overflowed  uint64  `json:"found_queue_full"`
	Retransmits uint64  `json:"retransmits"`
	Timeouts    uint64  `json:"timeouts"`
	RTT         float64 `json:"rtt_ms"`
	MeanQueue   float64 `json:"queue_mean_ms"`
	MaxQueue    float64 `json:"queue_most_ms"`
	Fallback    bool    `json:"fallback"`
}

func (a *app) printCompared(all []sim.Compared) error {
	ms := func(d clock.Duration) float64 { return float64(d) / float64(clock.Millisecond) }
	rows := []comparedRow{}
	for _, r := range all {
		rows = append(rows, comparedRow{
			r.Name, r.Goodput, float64(r.Took) / float64(clock.Second), r.Lost, r.Overflowed, r.Retransmits, r.Timeouts,
			ms(r.MeanRTT), ms(r.MeanQueue), ms(r.MaxQueue), r.Fallbacks > 0,
		})
	}
	if a.json {
		return a.printJSON(rows)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "controller\tgoodput\tseconds\trtt ms\tqueue ms\tmost ms\tlost\tfull\tsent again\ttimeouts\t")
	for _, r := range rows {
		name := r.Controller
		if r.Fallback {
			name += " (fallback)"
		}
		fmt.Fprintf(w, "%s\t%s/s\t%.2f\t%.1f\t%.1f\t%.1f\t%d\t%d\t%d\t%d\t\n",
			name, formatSize(int64(r.Goodput)), r.Seconds, r.RTT, r.MeanQueue, r.MaxQueue, r.Lost, r.Overflowed, r.Retransmits, r.Timeouts)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errStdout, err)
	}
	return nil
}
