package plugins

import (
	"math"
	"slices"

	"github.com/tcpkit/tcpkit/plugins/abi"
)

// A WASI is what the runtime of a guest compiled from Go finds in place of a
// system: a clock, on which it can sleep, and two streams to write to. It is the
// same in all engines, and known to none but them. THREATS P16.
type WASI struct {
	clock int64
	lines [2]line
	begun bool // a line has, and has not ended
	ended int  // lines in this call
}

// mostLines are how many lines of a call end: what is written behind them counts as
// one more. The log keeps fewer at once, and each takes time that is paid by octets.
const mostLines = 64

// A line is what has been written since the last one ended.
type line struct{ text []byte }

// Clock is the engine's time, or later if the guest has slept. It never goes
// back, and is never 0, which Go's runtime takes for a clock that stands still.
func (w *WASI) Clock(host Imports) int64 {
	w.clock = max(w.clock, host.Now(), 1)
	return w.clock
}

// Sleep lets the guest's time pass, and no other: until the instant at, or, if it
// is not absolute, for at nanoseconds.
func (w *WASI) Sleep(host Imports, at uint64, absolute bool) {
	until := int64(min(at, math.MaxInt64))
	if now := w.Clock(host); !absolute {
		until = now + min(until, math.MaxInt64-now)
	}
	w.clock = max(w.clock, until)
}

// Write takes what the guest writes to stream 1 or 2, which is the level of its
// lines in the log.
func (w *WASI) Write(host Imports, stream uint32, text []byte) {
	l := &w.lines[stream-1]
	w.begun = true
	for {
		end := slices.Index(text, '\n')
		if end < 0 || w.ended == mostLines {
			l.add(text)
			return
		}
		l.add(text[:end])
		l.end(host, stream)
		w.ended++
		text = text[end+1:]
	}
}

// Done logs what is left of lines when a call is over.
func (w *WASI) Done(host Imports) {
	if w.begun {
		w.endLines(host)
	}
}

func (w *WASI) endLines(host Imports) {
	w.begun, w.ended = false, 0
	for k := range w.lines {
		if l := &w.lines[k]; len(l.text) > 0 {
			l.end(host, uint32(k+1))
		}
	}
}

func (l *line) add(part []byte) {
	l.text = append(l.text, part[:min(len(part), abi.LogSize-len(l.text))]...)
}

func (l *line) end(host Imports, level uint32) {
	host.Log(level, l.text)
	l.text = l.text[:0]
}
