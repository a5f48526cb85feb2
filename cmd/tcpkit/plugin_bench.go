package main

import (
	"fmt"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

func newPluginBench(a *app) *cobra.Command {
	var each time.Duration
	cmd := &cobra.Command{
		Use:   "bench FILE[,KEY=VALUE]",
		Short: "Measure what each hook of a plugin costs: time, fuel and allocations",
		Long: `Call each hook of a plugin, those of congestion control too, again and again with
a record like those of a connection that sends full segments, and print what a call costs: nanoseconds,
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
	measure := func(name string, turns func(*plugins.Set) hookTurns) error {
		// Each hook has a plugin of its own, so that none suffers from the others.
		one, err := loadPlugin(engine, &spec)
		if err != nil {
			return err
		}
		set := plugins.NewSet()
		set.Add(one)
		if turn := turns(set); turn != nil {
			switch cost := turn.measure(one, name, each); {
			case cost.Calls > 0:
				costs = append(costs, cost)
			case name != plugins.StepName(tcp.StepClosed): // where the host forgets what it has kept
				a.log.Warn("the plugin was not called: its filter lets none of the records through, or it is told only of what it has begun", "hook", name)
			}
			if err := one.Err(); err != nil {
				return pluginf("%s: %w", spec.file, err)
			}
		}
		return set.Close()
	}
	for step := range tcp.Steps {
		if err := measure(plugins.StepName(step), func(set *plugins.Set) hookTurns { return stepTurns(set, step) }); err != nil {
			return err
		}
	}
	for _, h := range controlHooks {
		name := strings.TrimPrefix(plugins.Export(h.hook), abi.ExportPrefix)
		if err := measure(name, func(set *plugins.Set) hookTurns { return h.turns(set) }); err != nil {
			return err
		}
	}
	if len(costs) == 0 {
		return pluginf("%s: none of its hooks was called: it has none at a step of the engine, nor for congestion control", spec.file)
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

// hookTurns calls a hook n times, or does all but that.
type hookTurns func(now *clock.Instant, n int, really bool)

// measure calls a hook for so long. What the loop itself takes is measured too, and
// taken off.
func (turn hookTurns) measure(one *plugins.Plugin, name string, each time.Duration) hookCost {
	const batch = 1000
	now := clock.Instant(clock.Second)
	turn(&now, batch, true) // warm
	before := one.Stats()
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	n, began := 0, time.Now()
	for time.Since(began) < each {
		turn(&now, batch, true)
		n += batch
	}
	took := time.Since(began)
	runtime.ReadMemStats(&m1)
	after := one.Stats()
	began = time.Now()
	for range n / batch {
		turn(&now, batch, false)
	}
	took -= time.Since(began)
	c := hookCost{Hook: name, Calls: after.Calls - before.Calls}
	c.Nanos = float64(took) / float64(n)
	c.Allocs = float64(m1.Mallocs-m0.Mallocs) / float64(n)
	if c.Calls > 0 {
		c.Fuel = float64(after.Fuel-before.Fuel) / float64(c.Calls)
	}
	return c
}

// stepTurns is for the hook at a step, nil if the set has none there.
func stepTurns(set *plugins.Set, step tcp.Step) hookTurns {
	mask := set.Mask()
	if !mask.Has(step) {
		return nil
	}
	canned := benchRecord(step)
	payload := canned.Payload
	var beside tcp.Beside
	var log event.Log
	return func(now *clock.Instant, n int, really bool) {
		for range n {
			r := canned
			r.Payload = payload
			r.Now, r.Beside, r.Log = *now, &beside, &log
			*now += clock.Instant(clock.Microsecond)
			if really {
				set.At(&r)
			}
			beside.Take()
		}
	}
}

// A controlHook is a hook of congestion control, and the call that leads to it.
type controlHook struct {
	hook abi.Hook
	call func(k cc.Controller, s *cc.State, a *cc.Ack)
}

// controlHooks are all but cc_init and cc_release, which a connection has once.
var controlHooks = [...]controlHook{
	{abi.HookCCAck, func(k cc.Controller, s *cc.State, a *cc.Ack) { k.OnAck(s, a) }},
	{abi.HookCCLoss, func(k cc.Controller, s *cc.State, a *cc.Ack) { k.OnLoss(s, a.Now, a.InFlight) }},
	{abi.HookCCECN, func(k cc.Controller, s *cc.State, a *cc.Ack) { k.OnECN(s, a.Now, a.InFlight) }},
	{abi.HookCCRTO, func(k cc.Controller, s *cc.State, a *cc.Ack) { k.OnRTO(s, a.Now, a.InFlight) }},
	{abi.HookCCSent, func(k cc.Controller, s *cc.State, a *cc.Ack) {
		k.OnSent(s, &cc.Sent{Now: a.Now, Octets: a.Acked, InFlight: a.InFlight})
	}},
	{abi.HookCCRecoveryExit, func(k cc.Controller, s *cc.State, a *cc.Ack) { k.OnRecoveryExit(s, a.Now) }},
	{abi.HookCCUndo, func(k cc.Controller, s *cc.State, a *cc.Ack) { k.Undo(s, a.Now) }},
	{abi.HookCCReport, func(k cc.Controller, s *cc.State, a *cc.Ack) {
		k.OnReport(s, &cc.Report{
			Now: a.Now, Since: a.Now.Add(-a.RTT), Acks: 20, Acked: uint64(a.InFlight), MinRTT: a.MinRTT, MaxRTT: a.RTT, SRTT: a.SRTT,
			InFlight: a.InFlight, Delivered: a.Delivered, Interval: a.Interval,
		})
	}},
	{abi.HookCCTimer, func(k cc.Controller, s *cc.State, a *cc.Ack) { k.OnTimer(s, a.Now) }},
	{abi.HookCCIdle, func(k cc.Controller, s *cc.State, a *cc.Ack) { k.OnIdle(s, a.Now, 2*a.RTT, a.RTT) }},
}

// turns is nil if the set has no such hook. What it is told is what a connection has
// in the middle of its work, whose window of 40 segments is full; each call finds
// that window again.
func (h *controlHook) turns(set *plugins.Set) hookTurns {
	k := set.Controller()
	if k == nil || !set.Plugins()[0].Exports(h.hook) {
		return nil
	}
	const mss, window = 1448, 40 * 1448
	s := cc.NewState(k, window, mss, 2*mss)
	k.Init(&s, 0)
	a := cc.Ack{
		Acked: mss, InFlight: window, RTT: 20 * clock.Millisecond, SRTT: 20 * clock.Millisecond, MinRTT: 20 * clock.Millisecond,
		CwndLimited: true, Delivered: window, Interval: 20 * clock.Millisecond,
	}
	return func(now *clock.Instant, n int, really bool) {
		for range n {
			*now += clock.Instant(clock.Millisecond)
			a.Now, a.Total, a.Round = *now, a.Total+mss, a.Total/mss%40 == 0
			s.Cwnd, s.Ssthresh = window, window
			if really {
				h.call(k, &s, &a)
			}
		}
	}
}
