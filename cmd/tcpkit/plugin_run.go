package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
)

const pluginRunLong = `Run plugins on a connection between two simulated ends, and print each segment, <
where it arrives and > where it leaves, and below it what they make of it. The
client connects, sends, and closes; the server reads, answers and closes. Time is
virtual, so that the run takes no time, and the seed decides all. Sequence numbers
and timestamps (TS VALUE/ECHO) count from the first of their side.

With --capture the segments of a pcapng file pass before the plugins instead, as
arriving or leaving by their direction there.

The exit code is 8 if a plugin has failed in the run.`

// A pluginRunPlan is what the command line of plugin run asks for.
type pluginRunPlan struct {
	plugins []string
	end     string
	octets  string
	loss    float64
	delay   time.Duration
	seed    uint64
	lines   int
	capture string
}

func newPluginRun(a *app) *cobra.Command {
	p := &pluginRunPlan{}
	cmd := &cobra.Command{
		Use:   "run FILE[,KEY=VALUE]...",
		Short: "Run plugins on a simulated connection, and show what they change",
		Long:  pluginRunLong,
		Example: `  tcpkit plugin run drop-nth,n=3
  tcpkit plugin run mss-clamp,mss=900 --end both --octets 20k
  tcpkit plugin run mine.wasm --capture seen.pcapng`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			p.plugins = args
			return a.runPlugins(p)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&p.end, "end", "server", "which end has the plugins: client, server or both")
	f.StringVar(&p.octets, "octets", "4k", "how much the client sends, and the server sends back, `SIZE`")
	f.Float64Var(&p.loss, "loss", 0, "packets that are lost, in `PERCENT`")
	f.DurationVar(&p.delay, "delay", 10*time.Millisecond, "of the network, each way")
	f.Uint64Var(&p.seed, "seed", 1, "what all randomness comes from")
	f.IntVar(&p.lines, "lines", 200, "print at most so many segments; 0: all")
	f.StringVar(&p.capture, "capture", "", "take the segments from this `FILE.pcapng` instead")
	return cmd
}

func (a *app) runPlugins(p *pluginRunPlan) error {
	octets, err := parseSize(p.octets)
	switch {
	case err != nil:
		return usagef("bad --octets: %v", err)
	case octets > 64<<20:
		return usagef("bad --octets %s: a run shows segments, and takes at most 64M", p.octets)
	case p.end != "client" && p.end != "server" && p.end != "both":
		return usagef("bad --end %q: give client, server or both", p.end)
	case p.loss < 0 || p.loss > 90:
		return usagef("bad --loss %v: give a percentage up to 90", p.loss)
	case p.delay < 0 || p.delay > time.Minute:
		return usagef("bad --delay %v: give at most 1m", p.delay)
	case p.lines < 0:
		return usagef("bad --lines %d: give 0 for all, or more", p.lines)
	}
	engine, err := pluginEngine()
	if err != nil {
		return err
	}
	defer engine.Close()
	sheet := &runSheet{out: a.out, left: p.lines, all: p.lines == 0}
	hooked := func(end string) (*runWatch, error) {
		set := plugins.NewSet()
		for _, text := range p.plugins {
			spec, err := parsePlugin(text)
			if err != nil {
				return nil, err
			}
			spec.options.Key = siphash.Key{K0: p.seed, K1: uint64(len(end))}
			one, err := loadPlugin(engine, &spec)
			if err != nil {
				return nil, err
			}
			set.Add(one)
		}
		return newRunWatch(set, sheet, end), nil
	}
	if p.capture != "" {
		err = p.replay(sheet, hooked)
	} else {
		err = p.simulate(sheet, octets, hooked)
	}
	if err != nil {
		return err
	}
	if sheet.err != nil {
		return fmt.Errorf("%w: %w", errStdout, sheet.err)
	}
	return a.endRun(sheet)
}

// simulate runs a connection in which the client sends octets, the server sends as
// many back, and both close.
func (p *pluginRunPlan) simulate(sheet *runSheet, octets int64, hooked func(end string) (*runWatch, error)) error {
	cfg, err := core.Profile("")
	if err != nil {
		return err
	}
	world := sim.Transfer(cfg, wire.IPv4, uint64(octets), sim.Channel{Delay: clock.Duration(p.delay), Loss: uint32(p.loss / 100 * sim.Million)})
	world.Seed, world.MaxEvents = p.seed, 2_000_000
	for i, end := range [...]string{"client", "server"} {
		if p.end != end && p.end != "both" {
			continue
		}
		w, err := hooked(end)
		if err != nil {
			return err
		}
		world.Hosts[i].Hook, world.Hosts[i].Hooks, world.Hosts[i].Changes = w, w.mask(), true
		world.Hosts[i].Garbles = true
	}
	w, err := sim.New(&world)
	if err != nil {
		return fmt.Errorf("make the network: %w", err)
	}
	sheet.start = w.Now()
	err = w.Run(sheet.start.Add(clock.Hour))
	for i := range world.Hosts {
		sheet.outcome(w, i)
	}
	if watch, ok := w.Hook(1).(*runWatch); ok {
		sheet.sets = append(sheet.sets, watch.set)
	}
	if watch, ok := w.Hook(0).(*runWatch); ok {
		sheet.sets = append(sheet.sets, watch.set)
	}
	var broken *sim.Failure
	if errors.As(err, &broken) {
		sheet.line("the simulator stops: " + strings.SplitN(broken.Error(), "\n", 2)[0])
		return nil
	}
	return err
}

// replay shows the plugins the segments of a capture.
func (p *pluginRunPlan) replay(sheet *runSheet, hooked func(end string) (*runWatch, error)) error {
	const most = 1 << 30
	f, err := os.Open(p.capture)
	if err != nil {
		return fmt.Errorf("--capture: %w", err)
	}
	defer f.Close()
	file, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return fmt.Errorf("--capture: %w", err)
	}
	w, err := hooked("file")
	if err != nil {
		return err
	}
	sheet.sets = append(sheet.sets, w.set)
	r := pcapng.NewReader(file)
	conns := make(map[tcp.Tuple]uint32)
	var beside tcp.Beside
	var log event.Log
	shown := uint32(0)
	for k := (pcapng.Packet{}); r.Next(&k); {
		if sheet.start == 0 {
			sheet.start = k.At
		}
		if r.Interface(k.Interface).LinkType != pcapng.LinkTypeRaw {
			return fmt.Errorf("--capture: %s has packets of link type %d; tcpkit reads raw IP, as 'tcpkit listen -w' writes it", p.capture, r.Interface(k.Interface).LinkType)
		}
		shown++
		rec, ok := recordOf(&k, conns)
		if !ok {
			continue
		}
		rec.Packet, rec.Beside, rec.Log = shown, &beside, &log
		w.At(rec)
		beside.Take()
	}
	if err := r.Err(); err != nil {
		return fmt.Errorf("--capture %s: %w", p.capture, err)
	}
	return nil
}

// recordOf makes of a captured packet what the engine would show of it. What only
// the engine knows, states and sequence variables, is not in a capture.
func recordOf(k *pcapng.Packet, conns map[tcp.Tuple]uint32) (*tcp.Record, bool) {
	var ip wire.IP
	rec := &tcp.Record{Step: tcp.StepArriving, Now: k.At, Segment: true, From: tcp.Established, To: tcp.Established}
	if wire.ParseIP(k.Bytes, &ip) != rule.NotDropped || ip.Protocol != wire.ProtocolTCP {
		return nil, false
	}
	b := k.Bytes[ip.HeaderLen:ip.TotalLen]
	if wire.ParseTCP(b, &rec.TCP) != rule.NotDropped {
		return nil, false
	}
	rec.Payload, rec.TOS, rec.TTL = b[rec.TCP.HeaderLen:], ip.TOS, ip.TTL
	src, dst := wire.AddrPort{Addr: ip.Src, Port: rec.TCP.SrcPort}, wire.AddrPort{Addr: ip.Dst, Port: rec.TCP.DstPort}
	rec.Tuple = tcp.Tuple{Local: dst, Remote: src}
	if k.Direction == pcapng.Outbound {
		rec.Step, rec.Leaving, rec.Tuple = tcp.StepLeaving, true, tcp.Tuple{Local: src, Remote: dst}
	}
	if conns[rec.Tuple] == 0 {
		conns[rec.Tuple] = uint32(len(conns) + 1)
	}
	rec.Conn = conns[rec.Tuple]
	return rec, true
}

// endRun prints how the plugins fared.
func (a *app) endRun(s *runSheet) error {
	if s.hidden > 0 {
		a.log.Info("more segments than are printed", "not_shown", s.hidden, "all", "--lines 0")
	}
	failed := false
	for _, set := range s.sets {
		for _, p := range set.Plugins() {
			messages, _ := p.Messages()
			for _, m := range messages {
				s.line(p.Name() + " says: " + m.Text)
			}
			st := p.Stats()
			s.line(fmt.Sprintf("%s: %d calls, %d fuel, at most %d in one; %d strikes", p.Name(), st.Calls, st.Fuel, st.Most, st.Strikes))
			if err := p.Err(); err != nil {
				s.line("  " + err.Error())
				failed = true
			}
		}
	}
	if s.err != nil {
		return fmt.Errorf("%w: %w", errStdout, s.err)
	}
	if failed {
		return &silentError{exitPlugin}
	}
	return nil
}
