package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/internal/ladder"
	"github.com/tcpkit/tcpkit/plugins"
)

// A simRun is a scenario that has run to its end.
type simRun struct {
	source  *simSource
	run     *scenario.Run
	results []scenario.Result
}

// play runs a scenario to its end.
func (s *simSource) play() (*simRun, error) {
	one, err := s.parse()
	if err != nil {
		return nil, err
	}
	load := &simLoader{}
	defer load.close()
	r, err := scenario.New(one, load.load)
	var bad *scenario.Error
	switch {
	case errors.As(err, &bad):
		return nil, usagef("%s: %v", s.name, err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	r.Finish()
	return &simRun{s, r, r.Check()}, nil
}

// A simLoader makes the plugins of a run, with one engine for all of its hosts.
type simLoader struct {
	engine plugins.Engine
	done   []func() error
}

func (l *simLoader) load(o *scenario.Order) (tcp.Hook, tcp.HookMask, error) {
	if l.engine == nil {
		e, err := pluginEngine()
		if err != nil {
			return nil, 0, err
		}
		l.engine, l.done = e, append(l.done, e.Close)
	}
	set := plugins.NewSet()
	for _, text := range o.Specs {
		spec, err := parsePlugin(text)
		if err != nil {
			return nil, 0, err
		}
		spec.options.Key, spec.options.MTU = o.Key, o.MTU
		one, err := loadPlugin(l.engine, &spec)
		if err != nil {
			return nil, 0, err
		}
		set.Add(one)
	}
	return set, set.Mask(), nil
}

func (l *simLoader) close() {
	for _, done := range l.done {
		done()
	}
}

// hash is the hash of the whole run, as it is shown.
func (r *simRun) hash() string { return string(scenario.AppendHash(nil, r.run.Hash())) }

// json is the timeline.
func (r *simRun) json() []byte { return r.run.AppendJSON(nil, 0, -1) }

func (r *simRun) timeline() (*ladder.Timeline, error) {
	t := &ladder.Timeline{}
	if err := json.Unmarshal(r.json(), t); err != nil {
		return nil, fmt.Errorf("read the timeline of %s: %w", r.source.name, err)
	}
	return t, nil
}

// checks are the expectations, with what came of them.
func (r *simRun) checks() (all []ladder.Check) {
	for i := range r.results {
		o := &r.results[i]
		c := ladder.Check{Held: o.Held, Line: r.source.line(o.Where)}
		if !o.Held {
			c.Found = found(o)
		}
		all = append(all, c)
	}
	return all
}

// found says what an expectation has found instead.
func found(o *scenario.Result) string {
	s := o.Text
	switch {
	case o.None:
		return "nothing"
	case s == "":
		s = strconv.FormatInt(o.Found, 10)
	}
	if o.At != 0 && !strings.Contains(s, " at ") {
		s += fmt.Sprintf(", at %s s", ladder.FormatTime(clock.Instant(o.At)))
	}
	return s
}

// failed counts the expectations that did not hold.
func (r *simRun) failed() (n int) {
	for i := range r.results {
		if !r.results[i].Held {
			n++
		}
	}
	return n
}

// recording makes the file of the run.
func (r *simRun) recording() *recording {
	f := &recording{
		Version: traceVersion, Scenario: r.run.Scenario().ID, Text: r.source.text, Extra: r.source.extra, Hash: r.hash(), Timeline: r.json(),
	}
	for _, i := range r.run.Items(0) {
		if i.Kind == scenario.Send {
			f.Packets = append(f.Packets, tracePacket{int(i.Packet), clock.Instant(i.At), int(i.Host), r.run.Packet(i.Packet)})
		}
	}
	return f
}

// sameJSON compares two values as they are written, but for blanks.
func sameJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// again runs a recorded run anew and tells the first event that differs; nothing if
// all is the same.
func (f *recording) again(path string) (string, error) {
	source := &simSource{name: path, text: f.Text, extra: f.Extra}
	r, err := source.play()
	if err != nil {
		return "", err
	}
	now, err := readRecording(path, r.json())
	if err != nil {
		return "", err
	}
	for i := range max(len(f.items), len(now.items)) {
		switch {
		case i >= len(now.items):
			return fmt.Sprintf("event %d is on file and did not come now: %s", i, f.items[i]), nil
		case i >= len(f.items):
			return fmt.Sprintf("event %d came now and is not on file: %s", i, now.items[i]), nil
		case !sameJSON(f.items[i], now.items[i]):
			return fmt.Sprintf("event %d differs\n  on file: %s\n  now:     %s", i, f.items[i], now.items[i]), nil
		}
	}
	if f.Hash != now.Hash {
		return fmt.Sprintf("all %d events are the same, but the hash on file is %s, and now it is %s", len(f.items), f.Hash, now.Hash), nil
	}
	for i, p := range f.Packets {
		if string(p.Bytes) != string(r.run.Packet(uint32(p.ID))) {
			return fmt.Sprintf("the octets of packet %d (of %d) differ", p.ID, len(f.Packets)-i), nil
		}
	}
	return "", nil
}
