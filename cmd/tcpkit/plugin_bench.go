package main

import (
	"fmt"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
)

func newPluginBench(a *app) *cobra.Command {
	var each time.Duration
	cmd := &cobra.Command{
		Use:   "bench FILE[,KEY=VALUE]",
		Short: "Measure what each hook of a plugin costs: time, fuel and allocations",
		Long: `Call each hook of a plugin again and again with a record like those of a
connection that sends full segments, and print what a call costs: nanoseconds,
fuel, and allocations of the host. The time is all that a hook costs the engine:
making the record, crossing over, running, and taking back what was changed.`,
		Example: "  tcpkit plugin bench option-stamp",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if each <= 0 || each > time.Minute {
				return usagef("bad --time %v: give up to 1m for each hook", each)
			}
			return a.benchPlugin(args[0], each)
		},
	}
	cmd.Flags().DurationVar(&each, "time", 300*time.Millisecond, "for each hook")
	return cmd
}

// A hookCost is what a call of a hook takes.
type hookCost struct {
	Hook   string  `json:"hook"`
	Calls  uint64  `json:"calls"`
	Nanos  float64 `json:"ns"`
	Fuel   float64 `json:"fuel"`
	Allocs float64 `json:"allocs"`
}

func (a *app) benchPlugin(arg string, each time.Duration) error {
	spec, err := parsePlugin(arg)
	if err != nil {
		return err
	}
	engine, err := pluginEngine()
	if err != nil {
		return err
	}
	defer engine.Close()
	var costs []hookCost
	for step := range tcp.Steps {
		// Each hook has a plugin of its own, so that none suffers from the others.
		one, err := loadPlugin(engine, &spec)
		if err != nil {
			return err
		}
		set := plugins.NewSet()
		set.Add(one)
		if !set.Mask().Has(step) {
			if err := set.Close(); err != nil {
				return err
			}
			continue
		}
		cost := measureHook(set, one, step, each)
		if cost.Calls == 0 {
			a.log.Warn("the plugin was not called: its filter lets none of the records through, or it is told only of what it has begun", "hook", cost.Hook)
		} else {
			costs = append(costs, cost)
		}
		if err := one.Err(); err != nil {
			return pluginf("%s: %w", spec.file, err)
		}
		if err := set.Close(); err != nil {
			return err
		}
	}
	if len(costs) == 0 {
		return pluginf("%s: none of its hooks was called at a step of the engine; a congestion controller is measured with 'tcpkit sim compare'", spec.file)
	}
	if a.json {
		return a.printJSON(costs)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "ns\tfuel\tallocations\tcalls\t hook\t")
	for _, c := range costs {
		fmt.Fprintf(w, "%.0f\t%.1f\t%.2f\t%d\t %s\t\n", c.Nanos, c.Fuel, c.Allocs, c.Calls, c.Hook)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errStdout, err)
	}
	return nil
}

// benchRecord is a full segment of a connection in the middle of its work, or a SYN
// where only those come.
func benchRecord(step tcp.Step) tcp.Record {
	r := tcp.Record{
		Step: step, From: tcp.Established, To: tcp.Established, Conn: 1, Packet: 1,
		Tuple: tcp.Tuple{
			Local:  wire.AddrPort{Addr: wire.AddrFrom4([4]byte{10, 77, 0, 2}), Port: 80},
			Remote: wire.AddrPort{Addr: wire.AddrFrom4([4]byte{10, 77, 0, 1}), Port: 40000},
		},
		Send:    tcp.SendSpace{ISS: 1000, UNA: 5000, NXT: 20000, WND: 65535},
		Receive: tcp.ReceiveSpace{IRS: 2000, NXT: 7000, WND: 65535},
		Segment: true, TTL: 64, Leaving: step == tcp.StepLeaving || step == tcp.StepLeft || step == tcp.StepMoved,
		TCP: wire.TCP{
			SrcPort: 80, DstPort: 40000, Seq: 20000, Ack: 7000, Flags: wire.ACK, Window: 501,
			Options: wire.Options{Has: wire.HasTimestamps, TSVal: 1, TSEcr: 1},
		},
		Payload: make([]byte, 1448),
	}
	if !r.Leaving {
		r.TCP.SrcPort, r.TCP.DstPort, r.TCP.Seq, r.TCP.Ack = 40000, 80, 7000, 20000
	}
	if step == tcp.StepSyn {
		r.From, r.To = tcp.Listen, tcp.Listen
		r.TCP.Flags, r.Payload = wire.SYN, nil
		r.TCP.Options = wire.Options{Has: wire.HasMSS, MSS: 1460}
	}
	return r
}

// measureHook calls a hook for so long. What the loop itself takes is measured with
// a step that nobody wants, and taken off.
func measureHook(set *plugins.Set, one *plugins.Plugin, step tcp.Step, each time.Duration) hookCost {
	canned := benchRecord(step)
	payload := canned.Payload
	var beside tcp.Beside
	var log event.Log
	turn := func(h tcp.Hook, mask tcp.HookMask, now *clock.Instant, n int) {
		for range n {
			r := canned
			r.Payload = payload
			r.Now, r.Beside, r.Log = *now, &beside, &log
			*now += clock.Instant(clock.Microsecond)
			if mask.Has(step) {
				h.At(&r)
			}
			beside.Take()
		}
	}
	const batch = 1000
	now := clock.Instant(clock.Second)
	turn(set, set.Mask(), &now, batch) // warm
	before := one.Stats()
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	n, began := 0, time.Now()
	for time.Since(began) < each {
		turn(set, set.Mask(), &now, batch)
		n += batch
	}
	took := time.Since(began)
	runtime.ReadMemStats(&m1)
	after := one.Stats()
	began = time.Now()
	for range n / batch {
		turn(set, 0, &now, batch)
	}
	took -= time.Since(began)
	c := hookCost{Hook: plugins.StepName(step), Calls: after.Calls - before.Calls}
	c.Nanos = float64(took) / float64(n)
	c.Allocs = float64(m1.Mallocs-m0.Mallocs) / float64(n)
	if c.Calls > 0 {
		c.Fuel = float64(after.Fuel-before.Fuel) / float64(c.Calls)
	}
	return c
}
