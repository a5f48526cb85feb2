package main

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// A runWatch is the hook of one end: the plugins, with a look at each segment
// before and after them.
type runWatch struct {
	set   *plugins.Set
	sheet *runSheet
	end   string
	names []string
	log   event.Log // what the plugins do at one step

	// Numbers are counted from the first of each direction, ours and the peer's.
	first [2]struct {
		seq           seq.Value
		stamp         uint32
		known, stamps bool
	}
}

func newRunWatch(set *plugins.Set, sheet *runSheet, end string) *runWatch {
	w := &runWatch{set: set, sheet: sheet, end: end, names: set.Names()}
	w.log.SetMask(1 << event.Plugin)
	return w
}

// segmentSteps are those at which a segment can be changed or kept.
var segmentSteps = tcp.Mask(tcp.StepArriving, tcp.StepLeaving, tcp.StepMoving, tcp.StepMoved)

// mask is that of the plugins, and that of the segments that are printed.
func (w *runWatch) mask() tcp.HookMask {
	return w.set.Mask() | tcp.Mask(tcp.StepArriving, tcp.StepLeaving)
}

// At is tcp.Hook.
func (w *runWatch) At(r *tcp.Record) tcp.Verdict {
	segment := segmentSteps.Has(r.Step)
	var before []segmentField
	if segment {
		before = w.fields(r)
	}
	v, own := tcp.Pass, false
	if w.set.Mask().Has(r.Step) {
		log, alone := r.Log, r.Beside.Empty()
		r.Log = &w.log
		v = w.set.At(r)
		r.Log = log
		own = alone && !r.Beside.Empty()
	}
	told := w.log.Take(nil)
	var acts []string
	if segment {
		acts = w.acts(told, changes(before, w.fields(r)))
	} else {
		acts = w.acts(told, "")
	}
	if own {
		acts = append(acts, "and beside it a segment that a plugin has made")
	}
	switch {
	case r.Step == tcp.StepArriving || r.Step == tcp.StepLeaving, segment && len(acts) > 0:
		w.sheet.segment(r, w.end, segmentText(before), acts)
	default:
		w.sheet.event(r.Now, w.end, acts)
	}
	if r.Log != nil {
		for _, e := range told {
			r.Log.Add(e)
		}
	}
	return v
}

// acts says in a line each what the plugins have done. Those that have changed the
// segment stand in one line with what has become of it, if that is known.
func (w *runWatch) acts(told []event.Event, changed string) (lines []string) {
	var by []string
	for i := range told {
		e := &told[i]
		text := strings.TrimPrefix(plugins.Told(e, w.names), "plugin ")
		name, _, _ := strings.Cut(text, " at ")
		why := plugins.Why(uint32(e.B))
		if changed != "" && why == plugins.WhyVerdict && abi.Verdict(e.By) == abi.Mutated {
			by = append(by, name)
			continue
		}
		if changed != "" || segmentSteps.Has(tcp.Step(e.From)) {
			_, what, _ := strings.Cut(text, ": ")
			text = name + ": " + what
		}
		lines = append(lines, text)
	}
	if len(by) > 0 {
		lines = append(lines, strings.Join(by, ", ")+": "+changed)
	}
	return lines
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
	c.set, c.log = w.set.Clone().(*plugins.Set), w.log.Clone()
	return &c
}

// A segmentField is something of a segment that is shown, or compared.
type segmentField struct {
	name, value string
	shown       fieldPlace
}

// A fieldPlace is where a field stands in the line of a segment.
type fieldPlace uint8

const (
	aside  fieldPlace = iota // only if it changes
	bare                     // without its name
	plain                    // with its name
	option                   // among the options
)

// fields are those of a segment, its numbers counted from the first ones.
func (w *runWatch) fields(r *tcp.Record) (all []segmentField) {
	t, o := &r.TCP, &r.TCP.Options
	mine, peers := 0, 1
	if !r.Leaving {
		mine, peers = 1, 0
	}
	if t.Flags.Has(wire.SYN) && !w.first[mine].known {
		w.first[mine].seq, w.first[mine].known = t.Seq, true
	}
	number := func(n int) string { return strconv.Itoa(n) }
	add := func(where fieldPlace, name, value string) { all = append(all, segmentField{name, value, where}) }
	when := func(yes bool) fieldPlace {
		if yes {
			return plain
		}
		return aside
	}
	add(bare, "flags", t.Flags.String())
	add(plain, "seq", number(int(w.seq(mine, t.Seq))))
	if t.Flags.Has(wire.ACK) {
		add(plain, "ack", number(int(w.seq(peers, t.Ack))))
	}
	add(plain, "win", number(int(t.Window)))
	add(when(len(r.Payload) > 0), "data", number(len(r.Payload)))
	add(when(t.Flags.Has(wire.URG)), "urg", number(int(t.Urgent)))
	add(when(r.TOS != 0), "tos", fmt.Sprintf("%#x", r.TOS))
	add(aside, "ttl", number(int(r.TTL)))
	add(aside, "from", fmt.Sprint(r.Tuple.Local))
	add(aside, "to", fmt.Sprint(r.Tuple.Remote))
	add(aside, "octets", string(r.Payload))
	if o.Has.Has(wire.HasMSS) {
		add(option, "mss", number(int(o.MSS)))
	}
	if o.Has.Has(wire.HasWindowScale) {
		add(option, "wscale", number(int(o.WindowScale)))
	}
	if o.Has.Has(wire.HasSACKPermitted) {
		add(option, "sackOK", "")
	}
	if o.Has.Has(wire.HasTimestamps) {
		add(option, "TS", w.stamp(mine, o.TSVal)+"/"+w.stamp(peers, o.TSEcr))
	}
	for i := range min(int(o.SACKCount), len(o.SACK)) {
		b := o.SACK[i]
		add(option, "sack", fmt.Sprintf("%d:%d", w.seq(peers, b.Left), w.seq(peers, b.Right)))
	}
	if o.Has.Has(wire.HasFastOpen) {
		add(option, "fastopen", fmt.Sprintf("%x", o.FastOpen[:o.FastOpenLen]))
	}
	if o.Has.Has(wire.HasUnknown) {
		for kind, value := range unknownOptions(r.Options) {
			add(option, "option "+number(int(kind)), fmt.Sprintf("%x", value))
		}
	}
	return all
}

// unknownOptions are those that have no place in wire.Options, as they stand in the header.
func unknownOptions(b []byte) iter.Seq2[byte, []byte] {
	known := []byte{2, 3, 4, 5, 8, 28, 34} // kinds, RFC 9293 §3.2 and IANA's table
	return func(yield func(byte, []byte) bool) {
		for len(b) > 0 && b[0] != 0 {
			n := 1
			if b[0] != 1 {
				if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
					return
				}
				n = int(b[1])
				if !slices.Contains(known, b[0]) && !yield(b[0], b[2:n]) {
					return
				}
			}
			b = b[n:]
		}
	}
}

func (w *runWatch) seq(side int, v seq.Value) uint32 {
	f := &w.first[side]
	if !f.known {
		f.seq, f.known = v, true
	}
	return uint32(v.From(f.seq))
}

// stamp counts a timestamp from the first one of its side; an echo of none is 0.
func (w *runWatch) stamp(side int, v uint32) string {
	f := &w.first[side]
	if v == 0 {
		return "0"
	}
	if !f.stamps {
		f.stamp, f.stamps = v, true
	}
	return strconv.FormatUint(uint64(v-f.stamp), 10)
}

// segmentText is a segment in one line.
func segmentText(fields []segmentField) string {
	var words, options []string
	for _, f := range fields {
		switch f.shown {
		case bare:
			words = append(words, f.value)
		case plain:
			words = append(words, f.name+" "+f.value)
		case option:
			options = append(options, strings.TrimSpace(f.name+" "+f.value))
		}
	}
	if len(options) > 0 {
		words = append(words, "<"+strings.Join(options, ",")+">")
	}
	return strings.Join(words, " ")
}

// changes says which fields are others than they were.
func changes(before, after []segmentField) string {
	var all []string
	say := func(name, from, to string) {
		if name == "octets" {
			all = append(all, "other octets of data")
			return
		}
		all = append(all, fmt.Sprintf("%s %s -> %s", name, cmp.Or(from, "there"), cmp.Or(to, "there")))
	}
	find := func(in []segmentField, name string) (string, bool) {
		for _, f := range in {
			if f.name == name {
				return strings.TrimSpace(f.value), true
			}
		}
		return "none", false
	}
	for _, f := range before {
		if now, ok := find(after, f.name); !ok || now != strings.TrimSpace(f.value) {
			say(f.name, f.value, now)
		}
	}
	for _, f := range after {
		if _, ok := find(before, f.name); !ok {
			say(f.name, "none", f.value)
		}
	}
	return strings.Join(all, ", ")
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

// stamp begins a line: when, at which end, and which way, in packetdrill's notation.
func (s *runSheet) stamp(now clock.Instant, end, way string) string {
	if s.start == 0 {
		s.start = now // what comes first is at 0
	}
	return fmt.Sprintf("%10.6f %-6s %s ", float64(now.Sub(s.start))/float64(clock.Second), end, way)
}

// segment prints a segment as it was, and below it what the plugins have done.
func (s *runSheet) segment(r *tcp.Record, end, before string, acts []string) {
	if !s.room() {
		return
	}
	way := "<"
	if r.Leaving {
		way = ">"
	}
	head := s.stamp(r.Now, end, way)
	s.line(head + before)
	for _, text := range acts {
		s.line(strings.Repeat(" ", len(head)) + text)
	}
}

// event prints what plugins have done where there is no segment.
func (s *runSheet) event(now clock.Instant, end string, acts []string) {
	for _, text := range acts {
		if s.room() {
			s.line(s.stamp(now, end, " ") + text)
		}
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
