package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/ladder"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

const traceLong = `Show, convert, verify and replay traces. A trace is a run that 'tcpkit sim run
--record FILE' has written: its scenario, its events, its packets and its hash; or
the JSON of 'tcpkit sim run --json'; or a capture in pcapng, of tcpkit or of another
program.`

// A tracing is what the command line asks for.
type tracing struct {
	app      *app
	language string
	lang     narrate.Lang
}

func newTrace(a *app) *cobra.Command {
	x := &tracing{app: a}
	cmd := &cobra.Command{
		Use:   "trace COMMAND",
		Short: "Show, convert, verify and replay recorded runs and captures",
		Long:  traceLong,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var names []string
			for _, c := range cmd.Commands() {
				names = append(names, c.Name())
			}
			return usagef("trace needs one of: %s", strings.Join(names, ", "))
		},
	}
	show := &cobra.Command{
		Use:     "show FILE",
		Short:   "Draw a trace as a ladder",
		Example: "  tcpkit trace show run.trace\n  tcpkit trace show capture.pcapng",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return x.show(args[0]) },
	}
	addLang(show, &x.language)
	convert := &cobra.Command{
		Use:   "convert FROM TO",
		Short: "Write a trace in another form: TO ends in .pcapng, .json or .txt",
		Long: `Write a trace in another form, which the end of TO says:

.pcapng  the packets, for Wireshark; of a recorded run
.json    the timeline of a recorded run; of a capture its packets
.txt     the ladder

A capture does not become a recorded run: what decides a run, its scenario, is not
in the packets.`,
		Example: "  tcpkit trace convert run.trace run.pcapng",
		Args:    cobra.ExactArgs(2),
		RunE:    func(_ *cobra.Command, args []string) error { return x.convert(args[0], args[1]) },
	}
	addLang(convert, &x.language)
	verify := &cobra.Command{
		Use:   "verify FILE...",
		Short: "Check a trace: its order, its checksums, that it is whole",
		Long: `Check traces without running anything: events in their order of time and number, no
packet that arrives before it was sent, every checksum of IP and TCP. A recorded run
has to be whole; whether its events are those that the engine makes of its scenario
'tcpkit trace replay' says. What is wrong is named, and the exit code is 3.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return x.verify(args) },
	}
	replay := &cobra.Command{
		Use:   "replay FILE...",
		Short: "Run a recorded run again: the same events, the same hash",
		Long: `Run the scenario of a recorded run again, with its extra lines, and compare: the hash
and each event have to be the same. The first event that differs is shown as it is
on file and as it came now, and the exit code is 3.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return x.replay(args) },
	}
	cmd.AddCommand(show, convert, verify, replay)
	return cmd
}

// A trace is what a file holds: a recorded run or a capture.
type trace struct {
	path string
	rec  *recording // nil: it is a capture
	cap  []heard
	torn error // a capture ends early
}

func readTraceFile(path string) (*trace, error) {
	b, err := readWhole(path, "a recorded run or a capture", mostTrace)
	if err != nil {
		return nil, err
	}
	return parseTrace(path, b)
}

// parseTrace reads what a file holds; path is for errors.
func parseTrace(path string, b []byte) (t *trace, err error) {
	t = &trace{path: path}
	switch {
	case len(bytes.TrimSpace(b)) == 0:
		return nil, usagef("%s is empty; 'tcpkit sim run ID --record FILE' writes a recorded run", path)
	case bytes.TrimSpace(b)[0] == '{':
		t.rec, err = readRecording(path, b)
		return t, err
	}
	t.cap, t.torn = readCapture(b)
	if t.torn != nil && len(t.cap) == 0 {
		return nil, usagef("%s is neither a recorded run nor a capture that can be read: %v; for a capture in the older pcap format, 'editcap -F pcapng' makes a pcapng of it", path, t.torn)
	}
	return t, nil
}

func (t *trace) timeline() *ladder.Timeline {
	if t.rec != nil {
		return &t.rec.timeline
	}
	return ladderOf(t.cap)
}

func (x *tracing) show(path string) (err error) {
	if x.lang, err = pickLang(x.language); err != nil {
		return err
	}
	t, err := readTraceFile(path)
	if err != nil {
		return err
	}
	if x.app.json {
		if t.rec != nil {
			_, err = fmt.Fprintf(x.app.out, "%s\n", t.rec.Timeline)
			return err
		}
		return x.app.printJSON(t.cap)
	}
	pen := ladder.NewPen(x.app.out, x.lang)
	x.draw(pen, t)
	if t.torn != nil {
		x.app.log.Warn("the capture ends early", "file", path, "why", t.torn.Error())
	}
	return drawn(pen)
}

func (x *tracing) draw(pen *ladder.Pen, t *trace) {
	words := &ladder.Words{Lang: x.lang, Files: shipped(), Rules: x.app.verbose}
	if t.rec != nil && t.rec.Scenario != "" {
		pen.Put(ladder.Bold, t.rec.Scenario).End()
	}
	line := t.timeline()
	pen.Draw(line, ladder.Rows(line, words), words)
	if t.rec != nil {
		pen.Put(ladder.Dim, phrase{"trace hash ", "轨迹哈希 "}[x.lang]+t.rec.Hash).End()
	}
}

func (x *tracing) convert(from, to string) (err error) {
	if x.lang, err = pickLang(x.language); err != nil {
		return err
	}
	t, err := readTraceFile(from)
	if err != nil {
		return err
	}
	if t.torn != nil {
		return usagef("%s: %v; only what came before it could be converted", from, t.torn)
	}
	var out bytes.Buffer
	switch end := filepath.Ext(to); {
	case end == ".pcapng" && t.rec == nil:
		return usagef("%s is a capture already; copy it", from)
	case end == ".pcapng" && len(t.rec.Packets) == 0:
		return usagef("%s has no packets' octets in it; 'tcpkit sim run --record FILE' writes them, 'sim run -w FILE.pcapng' a capture", from)
	case end == ".pcapng":
		out.Write(t.rec.pcapng())
	case end == ".json" && t.rec != nil:
		out.Write(t.rec.Timeline)
		out.WriteByte('\n')
	case end == ".json":
		e := json.NewEncoder(&out)
		e.SetIndent("", "  ")
		if err := e.Encode(t.cap); err != nil {
			return err
		}
	case end == ".txt":
		pen := ladder.NewPen(&out, x.lang)
		x.draw(pen, t)
	default:
		return usagef("bad TO %q: end it in .pcapng, .json or .txt", to)
	}
	return writeWhole("TO", to, out.Bytes())
}

// pcapng makes a capture of the packets of a recorded run, as they were sent.
func (r *recording) pcapng() []byte {
	w := pcapng.Writer{Application: "tcpkit " + readVersion().Version, Interface: r.Scenario, Description: "all packets, as they were sent", Epoch: scenario.Epoch}
	b := w.AppendHeader(nil)
	fate := map[int]string{}
	for i := range r.timeline.Items {
		if e := &r.timeline.Items[i]; e.Kind == "lose" {
			fate[e.Packet] = "lost: " + e.Why
		}
	}
	for _, p := range r.Packets {
		b = w.AppendPacket(b, p.At, p.Bytes, pcapng.Unknown, fate[p.ID])
	}
	return b
}

// eachTrace reads files and has f say of each what there is to say, and whether all is well.
func eachTrace(paths []string, f func(path string, t *trace) (well bool, err error)) error {
	failed := false
	for _, path := range paths {
		t, err := readTraceFile(path)
		if err != nil {
			return err
		}
		well, err := f(path, t)
		if err != nil {
			return err
		}
		failed = failed || !well
	}
	if failed {
		return &silentError{exitExpectation}
	}
	return nil
}

func (x *tracing) verify(paths []string) error {
	return eachTrace(paths, func(path string, t *trace) (bool, error) {
		wrong := t.wrong()
		if len(wrong) == 0 {
			fmt.Fprintf(x.app.out, "%s: ok, %s\n", path, t.counts())
			return true, nil
		}
		for i, s := range wrong {
			if i == 20 {
				fmt.Fprintf(x.app.out, "%s: and %d more\n", path, len(wrong)-i)
				break
			}
			fmt.Fprintf(x.app.out, "%s: %s\n", path, s)
		}
		return false, nil
	})
}

func (t *trace) counts() string {
	if t.rec == nil {
		return fmt.Sprintf("%d packets", len(t.cap))
	}
	return fmt.Sprintf("%d events, %d packets, hash %s", len(t.rec.items), len(t.rec.Packets), t.rec.Hash)
}

// wrong lists what is wrong with a trace.
func (t *trace) wrong() (all []string) {
	say := func(format string, a ...any) { all = append(all, fmt.Sprintf(format, a...)) }
	if t.rec == nil {
		last := clock.Instant(0)
		for i := range t.cap {
			h := &t.cap[i]
			if h.At.Before(last) {
				say("packet %d: at %s s, before the one in front of it", i+1, ladder.FormatTime(max(h.At, 0)))
			}
			if h.Wrong != "" {
				say("packet %d: %s", i+1, h.Wrong)
			}
			last = h.At
		}
		if t.torn != nil {
			say("after packet %d: %v", len(t.cap), t.torn)
		}
		return all
	}
	line := &t.rec.timeline
	sent := map[int]clock.Instant{}
	spoiled := map[int]bool{}
	for i := range line.Items {
		e := &line.Items[i]
		switch {
		case e.Index != i:
			say("event %d calls itself %d: events are missing or doubled", i, e.Index)
			return all
		case i > 0 && e.At.Before(line.Items[i-1].At):
			say("event %d: at %d ns, before the one in front of it", i, e.At)
		case i > 0 && e.Step < line.Items[i-1].Step:
			say("event %d: of step %d, before that of the one in front of it", i, e.Step)
		}
		switch _, known := sent[e.Packet]; {
		case e.Kind == "send":
			sent[e.Packet] = e.At
		case (e.Kind == "arrive" || e.Kind == "lose") && !known:
			say("event %d: packet %d was never sent", i, e.Packet)
		case e.Kind == "drop" && strings.Contains(e.Reason, "checksum"):
			spoiled[e.Packet] = true
		}
	}
	if line.Hash != t.rec.Hash {
		say("the file says the hash is %s, its timeline %s", t.rec.Hash, line.Hash)
	}
	for _, p := range t.rec.Packets {
		if at, known := sent[p.ID]; !known || at != p.At {
			say("packet %d: no event sends it at %d ns", p.ID, p.At)
		}
		var ip wire.IP
		if why := wire.ParseIP(p.Bytes, &ip); why != rule.NotDropped {
			say("packet %d: %s", p.ID, why)
		} else if ip.Protocol == wire.ProtocolTCP && !wire.VerifyTCP(p.Bytes[ip.HeaderLen:ip.TotalLen], &ip) {
			say("packet %d: %s", p.ID, rule.DropTCPChecksum)
		}
	}
	return all
}

// replay runs recorded runs again.
func (x *tracing) replay(paths []string) error {
	return eachTrace(paths, func(path string, t *trace) (bool, error) {
		if t.rec == nil {
			return false, usagef("%s is a capture: it holds no scenario to run again; 'tcpkit sim run --record FILE' writes a recorded run", path)
		}
		if t.rec.Text == "" {
			return false, usagef("%s has the events of a run and not its scenario; 'tcpkit sim run --record FILE' writes both", path)
		}
		differs, err := t.rec.again(path)
		if err != nil {
			return false, err
		}
		if differs == "" {
			fmt.Fprintf(x.app.out, "%s: the same, %s\n", path, t.counts())
			return true, nil
		}
		fmt.Fprintf(x.app.out, "%s: %s\n", path, differs)
		return false, nil
	})
}
