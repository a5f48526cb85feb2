package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/script"
	"github.com/tcpkit/tcpkit/hosts/native/netns"
)

// A scriptRun is one script over one version of IP, and what has become of it.
type scriptRun struct {
	source  *scriptSource
	strict  bool
	version string // empty: of a script that cannot be read

	Script  string   `json:"script"`
	Version string   `json:"ip_version,omitempty"`
	Outcome string   `json:"outcome"`
	Detail  string   `json:"detail,omitempty"`
	Differs []string `json:"differs,omitempty"` // packets, with --both
	Output  string   `json:"output,omitempty"`  // of print
	Ladder  string   `json:"ladder,omitempty"`

	outcome script.Outcome
	failure error // of the capture
	done    chan struct{}
}

// end notes how the run has ended.
func (r *scriptRun) end(o script.Outcome, detail string) {
	r.outcome, r.Outcome, r.Detail = o, o.String(), detail
}

// unreadable notes what the parser says.
func (r *scriptRun) unreadable(err error) {
	var bad *script.Error
	if errors.As(err, &bad) && bad.Unsupported {
		r.end(script.Unsupported, err.Error())
		return
	}
	r.end(script.Failed, err.Error())
}

// runScripts is the command.
func (a *app) runScripts(p *scriptPlan, args []string) error {
	if err := p.check(); err != nil {
		return err
	}
	sources, err := findScripts(args, a.in)
	if err != nil {
		return err
	}
	if p.list {
		return a.listScripts(p, sources)
	}
	if p.capture != "" {
		if err := os.MkdirAll(p.capture, 0o777); err != nil {
			return fmt.Errorf("make a directory for captures: %w", err)
		}
	}
	if (p.kernel || p.both) && !netns.Inside() {
		return a.inNamespace()
	}
	runs := p.runs(sources)
	next := make(chan *scriptRun, len(runs))
	for _, r := range runs {
		next <- r
	}
	close(next)
	workers := runtime.GOMAXPROCS(0)
	if p.kernel || p.both {
		workers *= realTimeShare
	}
	for range workers {
		go func() {
			for r := range next {
				p.run(r)
				close(r.done)
			}
		}()
	}
	var count [script.Unsupported + 1]int
	for _, r := range runs {
		<-r.done
		if r.failure != nil {
			return r.failure
		}
		count[r.outcome]++
		if err := a.printRun(r); err != nil {
			return err
		}
	}
	if err := a.printTotal(p, count[script.Passed], count[script.Failed], count[script.Unsupported]); err != nil {
		return err
	}
	if count[script.Failed] > 0 {
		return &silentError{exitExpectation}
	}
	return nil
}

// runs lists the runs that the scripts ask for.
func (p *scriptPlan) runs(sources []scriptSource) (runs []*scriptRun) {
	for i := range sources {
		src := &sources[i]
		strict := p.strict(src)
		s, err := p.parse(src, strict, "ipv4")
		versions := []string{""}
		if err == nil {
			versions = p.versions(s, strict)
		}
		for _, v := range versions {
			r := &scriptRun{source: src, strict: strict, version: v, Script: src.name, Version: v, done: make(chan struct{})}
			if err != nil {
				r.unreadable(err)
			}
			runs = append(runs, r)
		}
	}
	return runs
}

// run plays a script.
func (p *scriptPlan) run(r *scriptRun) {
	if r.version == "" {
		return
	}
	s, err := p.parse(r.source, r.strict, r.version)
	if err != nil {
		r.unreadable(err)
		return
	}
	cfg := p.config(r.strict, r.version)
	cfg.Trace = p.capture != "" || p.both
	var ours, theirs script.Result
	if !p.kernel {
		done, err := p.plug(&cfg)
		if err != nil {
			r.failure = err
			return
		}
		ours = script.Run(s, cfg)
		done()
		r.capture(p, s, "tcpkit", &ours)
	}
	if p.kernel || p.both {
		if theirs, r.failure = p.onKernel(s, cfg); r.failure != nil {
			return
		}
		r.capture(p, s, "linux", &theirs)
	}
	switch {
	case p.both:
		r.compare(p, &ours, &theirs)
	case p.kernel:
		r.judge(s, theirs)
	default:
		r.judge(s, ours)
	}
}

// capture writes the packets of a run, if that is asked for.
func (r *scriptRun) capture(p *scriptPlan, s *script.Script, system string, res *script.Result) {
	if p.capture == "" || r.failure != nil {
		return
	}
	name := strings.TrimSuffix(filepath.ToSlash(filepath.Clean(r.Script)), ".pkt")
	name = strings.ReplaceAll(strings.TrimLeft(name, "./"), "/", "-") + "-" + r.version
	if p.both {
		name += "-" + system
	}
	r.failure = os.WriteFile(filepath.Join(p.capture, name+".pcapng"), traceFile(s, res), 0o666)
}

// traceFile is a capture of a run: each packet with the script's line for it.
func traceFile(s *script.Script, res *script.Result) []byte {
	w := pcapng.Writer{Application: "tcpkit " + readVersion().Version, Comment: strings.Join(s.Title, "\n"), Interface: "script"}
	b := w.AppendHeader(nil)
	for _, x := range res.Packets {
		dir, comment := pcapng.Outbound, ""
		if x.Inbound {
			dir = pcapng.Inbound
		}
		if x.Packet != nil {
			comment = x.Packet.String()
		}
		b = w.AppendPacket(b, x.At, x.Bytes, dir, comment)
	}
	return b
}

// judge notes the result, which a script may want to be a failure.
func (r *scriptRun) judge(s *script.Script, res script.Result) {
	r.end(res.Outcome, res.Detail)
	r.Ladder, r.Output = res.Ladder, res.Output
	if s.Failure == "" || res.Outcome == script.Unsupported {
		return
	}
	want, err := regexp.Compile(s.Failure)
	switch {
	case err != nil:
		r.end(script.Failed, s.Name+": the comment Failure: "+err.Error())
	case res.Outcome == script.Passed:
		r.end(script.Failed, s.Name+": expected to fail with "+s.Failure+"\n  actual    it passed")
	case want.MatchString(res.Detail), want.MatchString(res.Upstream):
		r.end(script.Passed, "")
	default:
		r.end(script.Failed, s.Name+": expected to fail with "+s.Failure+"\n  actual    "+res.Detail)
	}
}

// printRun tells of one run: why it did not pass, or with -v all that happened.
func (a *app) printRun(r *scriptRun) error {
	ladder := a.verbose || r.outcome == script.Failed
	if a.json {
		if !ladder {
			r.Ladder = ""
		}
		return wrapStdout(json.NewEncoder(a.out).Encode(r))
	}
	var b strings.Builder
	if a.verbose || r.outcome != script.Passed {
		fmt.Fprintf(&b, "%s %s", r.Outcome, r.Script)
		if r.version != "" {
			fmt.Fprintf(&b, " (%s)", r.version)
		}
		b.WriteByte('\n')
	}
	if r.Detail != "" {
		b.WriteString(indented(r.Detail))
	}
	for _, d := range r.Differs {
		b.WriteString(indented(d))
	}
	if r.Output != "" && (a.verbose || r.outcome == script.Failed) {
		b.WriteString(indented(r.Output))
	}
	if ladder && r.Ladder != "" {
		b.WriteString(indented(r.Ladder))
	}
	_, err := a.out.Write([]byte(b.String()))
	return wrapStdout(err)
}

func (a *app) printTotal(p *scriptPlan, passed, failed, unsupported int) error {
	names := [2]string{"passed", "failed"}
	if p.both {
		names = [2]string{"the same", "differ"}
	}
	if a.json {
		return wrapStdout(json.NewEncoder(a.out).Encode(map[string]int{names[0]: passed, names[1]: failed, "unsupported": unsupported}))
	}
	_, err := fmt.Fprintf(a.out, "%d %s, %d %s, %d unsupported\n", passed, names[0], failed, names[1], unsupported)
	return wrapStdout(err)
}

// listScripts names the scripts, with what each shows.
func (a *app) listScripts(p *scriptPlan, sources []scriptSource) error {
	for i := range sources {
		src := &sources[i]
		strict := p.strict(src)
		line := struct {
			Script   string   `json:"script"`
			Versions []string `json:"ip_versions,omitempty"`
			Shows    []string `json:"shows,omitempty"`
			Detail   string   `json:"detail,omitempty"`
		}{Script: src.name}
		s, err := p.parse(src, strict, "ipv4")
		if err != nil {
			line.Detail = err.Error()
		} else {
			line.Versions, line.Shows = p.versions(s, strict), s.Title
		}
		if a.json {
			err = json.NewEncoder(a.out).Encode(line)
		} else {
			text := line.Detail
			if s != nil {
				text = strings.Join(line.Versions, " ") + "  " + strings.Join(line.Shows, " ")
			}
			_, err = fmt.Fprintf(a.out, "%s  %s\n", src.name, strings.TrimSpace(text))
		}
		if err != nil {
			return wrapStdout(err)
		}
	}
	return nil
}

// indented moves a text in by two spaces.
func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}

func wrapStdout(err error) error {
	if err != nil {
		return fmt.Errorf("%w: %w", errStdout, err)
	}
	return nil
}
