package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/internal/ladder"
)

// traceVersion is that of the format of trace files.
const traceVersion = 1

// A recording is a run on file: what decides it, what came of it, and the octets
// of its packets. It is one JSON object; Timeline is what sim run --json prints.
type recording struct {
	Version  int             `json:"tcpkit_trace"`
	Scenario string          `json:"scenario"`
	Text     string          `json:"text"`
	Extra    []string        `json:"extra,omitempty"`
	Hash     string          `json:"hash"`
	Packets  []tracePacket   `json:"packets"`
	Timeline json.RawMessage `json:"timeline"`

	timeline ladder.Timeline
	items    []json.RawMessage
}

// A tracePacket is a packet as it was sent.
type tracePacket struct {
	ID    int           `json:"p"`
	At    clock.Instant `json:"t"`
	Host  int           `json:"h"`
	Bytes []byte        `json:"octets"` // base64
}

// mostTrace bounds what is read into memory.
const mostTrace = 256 << 20

// readRecording reads a recorded run, or the JSON of a timeline alone.
func readRecording(path string, b []byte) (*recording, error) {
	wrong := func(what string) error {
		return usagef("%s is no recorded run: %s; 'tcpkit sim run --record FILE' writes one", path, what)
	}
	f := &recording{}
	if err := json.Unmarshal(b, f); err != nil {
		return nil, wrong(jsonSays(err, b))
	}
	if f.Timeline == nil { // what sim run --json prints
		f.Timeline = b
	} else if f.Version != traceVersion {
		return nil, wrong(fmt.Sprintf("it has version %d of the format, and this tcpkit knows %d", f.Version, traceVersion))
	}
	if err := json.Unmarshal(f.Timeline, &f.timeline); err != nil {
		return nil, wrong(jsonSays(err, f.Timeline))
	}
	raw := struct {
		Items []json.RawMessage `json:"items"`
	}{}
	if err := json.Unmarshal(f.Timeline, &raw); err != nil {
		return nil, wrong(jsonSays(err, f.Timeline))
	}
	if f.items = raw.Items; len(f.items) == 0 {
		return nil, wrong("there are no events in it")
	}
	if len(f.timeline.Hosts) == 0 {
		return nil, wrong("it names no hosts")
	}
	if f.Hash == "" {
		f.Hash = f.timeline.Hash
	}
	return f, nil
}

// jsonSays says what is wrong with JSON, with the line.
func jsonSays(err error, b []byte) string {
	if syntax, ok := err.(*json.SyntaxError); ok {
		at := min(int(syntax.Offset), len(b))
		return fmt.Sprintf("line %d: %v", 1+bytes.Count(b[:at], []byte("\n")), err)
	}
	return err.Error()
}

// encode writes the file: one event a line, so that two files can be compared by
// other tools.
func (f *recording) encode() ([]byte, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	b = bytes.ReplaceAll(b, []byte(`,{"i":`), []byte(",\n{\"i\":"))
	b = bytes.ReplaceAll(b, []byte(`,{"p":`), []byte(",\n{\"p\":"))
	return append(b, '\n'), nil
}
