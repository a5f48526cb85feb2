package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
)

const pluginRunLong = `Run plugins on a connection between two simulated ends, and print each segment as
it was before them and as it is after them, with their verdicts. The client
connects, sends, and closes; the server reads, answers and closes. Time is
virtual, so that the run takes no time, and the seed decides all.

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
		return &runWatch{set: set, sheet: sheet, end: end}, nil
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
	w, err := hooked("capture")
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

// A runWatch is the hook of one end: the plugins, with a look at each segment
// before and after them.
type runWatch struct {
	set   *plugins.Set
	sheet *runSheet
	end   string
	iss   [2]seq.Value // ours and the peer's, for numbers that can be read
	known [2]bool
}

// segmentSteps are those at which a segment can be changed or kept.
var segmentSteps = tcp.Mask(tcp.StepArriving, tcp.StepLeaving, tcp.StepMoving, tcp.StepMoved)

// mask is that of the plugins, and that of the segments that are printed.
func (w *runWatch) mask() tcp.HookMask {
	return w.set.Mask() | tcp.Mask(tcp.StepArriving, tcp.StepLeaving)
}

// At is tcp.Hook.
func (w *runWatch) At(r *tcp.Record) tcp.Verdict {
	wanted := w.set.Mask().Has(r.Step)
	if !segmentSteps.Has(r.Step) {
		v := w.set.At(r)
		if v != tcp.Pass {
			w.sheet.event(r.Now, w.end, plugins.StepName(r.Step)+": "+verdictText(v, r))
		}
		return v
	}
	before := w.text(r)
	v := tcp.Pass
	if wanted {
		v = w.set.At(r)
	}
	after := w.text(r)
	if r.Step == tcp.StepArriving || r.Step == tcp.StepLeaving || v != tcp.Pass {
		w.sheet.segment(r, w.end, before, after, v)
	}
	return v
}

// Deadline, Expire and Fingerprint are those of the plugins.
func (w *runWatch) Deadline() clock.Instant { return w.set.Deadline() }

// Expire is tcp.Hook.
func (w *runWatch) Expire(now clock.Instant, b *tcp.Beside, log *event.Log) {
	w.set.Expire(now, b, log)
}

// Fingerprint is tcp.Hook.
func (w *runWatch) Fingerprint(h *siphash.Hash, now clock.Instant) { w.set.Fingerprint(h, now) }

// Clone copies the plugins; all write to one sheet.
func (w *runWatch) Clone() tcp.Hook {
	c := *w
	c.set = w.set.Clone().(*plugins.Set)
	return &c
}

// text is a segment in one line, its numbers counted from the ISNs.
func (w *runWatch) text(r *tcp.Record) string {
	t := &r.TCP
	mine, peers := 0, 1
	if !r.Leaving {
		mine, peers = 1, 0
	}
	if t.Flags.Has(wire.SYN) && !w.known[mine] {
		w.iss[mine], w.known[mine] = t.Seq, true
	}
	var b strings.Builder
	b.WriteString(t.Flags.String())
	fmt.Fprintf(&b, " seq %d", w.relative(mine, t.Seq))
	if t.Flags.Has(wire.ACK) {
		fmt.Fprintf(&b, " ack %d", w.relative(peers, t.Ack))
	}
	fmt.Fprintf(&b, " win %d", t.Window)
	if len(r.Payload) > 0 {
		fmt.Fprintf(&b, " data %d", len(r.Payload))
	}
	if t.Flags.Has(wire.URG) {
		fmt.Fprintf(&b, " urg %d", t.Urgent)
	}
	if r.TOS != 0 {
		fmt.Fprintf(&b, " tos %#02x", r.TOS)
	}
	if o := optionText(&t.Options); o != "" {
		b.WriteString(" <" + o + ">")
	}
	if t.Options.Has.Has(wire.HasUnknown) && r.Options != nil {
		fmt.Fprintf(&b, " options %x", r.Options)
	}
	return b.String()
}

func (w *runWatch) relative(side int, v seq.Value) uint32 {
	if !w.known[side] {
		w.iss[side], w.known[side] = v, true
	}
	return uint32(v.From(w.iss[side]))
}

func optionText(o *wire.Options) string {
	var parts []string
	if o.Has.Has(wire.HasMSS) {
		parts = append(parts, "mss "+strconv.Itoa(int(o.MSS)))
	}
	if o.Has.Has(wire.HasWindowScale) {
		parts = append(parts, "wscale "+strconv.Itoa(int(o.WindowScale)))
	}
	if o.Has.Has(wire.HasSACKPermitted) {
		parts = append(parts, "sackOK")
	}
	if o.Has.Has(wire.HasTimestamps) {
		parts = append(parts, fmt.Sprintf("TS val %d ecr %d", o.TSVal, o.TSEcr))
	}
	if o.Has.Has(wire.HasSACK) {
		parts = append(parts, fmt.Sprintf("sack of %d blocks", o.SACKCount))
	}
	if o.Has.Has(wire.HasFastOpen) {
		parts = append(parts, fmt.Sprintf("fast open %d octets", o.FastOpenLen))
	}
	if o.Has.Has(wire.HasUnknown) {
		parts = append(parts, "unknown")
	}
	return strings.Join(parts, ", ")
}

// verdictText says what a verdict does.
func verdictText(v tcp.Verdict, r *tcp.Record) string {
	switch v {
	case tcp.Pass:
		return "passes"
	case tcp.Mutated:
		return "changed"
	case tcp.DropIt:
		return "dropped"
	case tcp.Delay:
		return "delayed by " + time.Duration(r.Arg).String()
	case tcp.Duplicate:
		return fmt.Sprintf("%d more, %v apart", r.Arg&0xff, time.Duration(r.Arg>>8))
	case tcp.Reset:
		return "the connection is reset"
	case tcp.SendCookie:
		return "answered with a cookie"
	case tcp.Hold:
		return "held"
	case tcp.GoTo:
		return "goes on to " + tcp.State(r.Arg).String()
	case tcp.FireNow:
		return "acts at once"
	default:
		return "unknown verdict"
	}
}

// A runSheet prints what a run shows.
type runSheet struct {
	out    io.Writer
	err    error
	start  clock.Instant
	left   int
	all    bool
	hidden int
	sets   []*plugins.Set
}

func (s *runSheet) line(text string) {
	if s.err == nil {
		_, s.err = fmt.Fprintln(s.out, text)
	}
}

// room reports whether one more segment is printed.
func (s *runSheet) room() bool {
	if !s.all && s.left == 0 {
		s.hidden++
		return false
	}
	s.left--
	return true
}

func (s *runSheet) stamp(now clock.Instant, end, way string) string {
	return fmt.Sprintf("%11.6f  %-7s %-9s ", float64(now.Sub(s.start))/float64(clock.Second), end, way)
}

func (s *runSheet) segment(r *tcp.Record, end, before, after string, v tcp.Verdict) {
	if !s.room() {
		return
	}
	way := "arriving"
	if r.Leaving {
		way = "leaving"
	}
	head := s.stamp(r.Now, end, way)
	s.line(head + before)
	pad := strings.Repeat(" ", len(head))
	switch {
	case v == tcp.Mutated && after != before:
		s.line(pad + after)
	case v != tcp.Pass:
		s.line(pad + verdictText(v, r))
	}
}

func (s *runSheet) event(now clock.Instant, end, text string) {
	if s.room() {
		s.line(s.stamp(now, end, "") + text)
	}
}

// outcome tells how it went for a user.
func (s *runSheet) outcome(w *sim.World, user int) {
	o := w.Outcome(0, user)
	end := [...]string{"client", "server"}[user]
	how := "read the other's stream to its end"
	switch {
	case o.Err != tcp.NoError:
		how = "error: " + o.Err.Error()
	case !o.Connected:
		how = "was never connected"
	case !o.EOF:
		how = "has not seen the other's FIN"
	}
	s.line(fmt.Sprintf("%s: wrote %d and read %d octets; %s", end, o.Written, o.Read, how))
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
