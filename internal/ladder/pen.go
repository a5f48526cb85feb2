package ladder

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

// A Pen draws lines for a terminal or a file. Each line is written at once, so
// that what is seen is what has happened.
type Pen struct {
	Lang   narrate.Lang
	Width  int
	Colour bool
	Live   bool // a terminal: lines can be written over
	Slim   bool // without the columns of numbers, for half a screen
	Screen int  // columns that there are, of which Width is used

	out     io.Writer
	err     error // the first of out
	written bool  // a line that will be written over
	line    bytes.Buffer
}

// The columns: time, state, arrow, state, seq, ack, len. The arrow takes what
// the others leave.
const (
	ColTime  = 8
	colState = 12
	colSeq   = 6
	colLen   = 5
	colFixed = ColTime + 2 + colState + 1 + 1 + colState + 3*1 + 2*colSeq + colLen
	MinWidth = 76
	MaxWidth = 108
)

// Indent is what stands before what has no time.
const Indent = "          "

// NewPen draws on out as its terminal, if it is one, and the environment
// allow.
func NewPen(out io.Writer, lang narrate.Lang) *Pen {
	p := &Pen{out: out, Lang: lang, Width: 80}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil {
		p.Width = n
	}
	if f, ok := out.(*os.File); ok {
		if columns, ok := terminalWidth(f); ok {
			p.Width, p.Live = columns, os.Getenv("TERM") != "dumb"
			p.Colour = p.Live && os.Getenv("NO_COLOR") == ""
		}
	}
	p.Screen = p.Width
	// The last column stays free: some terminals begin a new line behind it.
	p.Width = min(max(p.Width, MinWidth), MaxWidth) - 1
	return p
}

// Colours: each end has one, for its states and its arrows.
const (
	Plain  = ""
	First  = "36" // cyan
	Second = "35" // magenta
	Dim    = "2"
	Bold   = "1"
	Timer  = "33"
	Good   = "1;32"
	Bad    = "1;31"
)

// Ends are the colours of the left and of the right end.
var Ends = [2]string{First, Second}

// Paint colours a text, and leaves the spaces around it plain.
func (p *Pen) Paint(code, text string) string {
	core := strings.Trim(text, " ")
	if !p.Colour || code == "" || core == "" {
		return text
	}
	before, after, _ := strings.Cut(text, core)
	return before + "\x1b[" + code + "m" + core + "\x1b[0m" + after
}

// Put adds text to the line, in a colour. Characters that would steer a terminal are
// replaced: a trace or a capture may come from anybody.
func (p *Pen) Put(code, text string) *Pen {
	p.line.WriteString(p.Paint(code, strings.Map(harmless, text)))
	return p
}

func harmless(r rune) rune {
	if unicode.Is(unicode.C, r) { // controls, marks of direction, what is no character
		return '\ufffd'
	}
	return r
}

// End writes the line.
func (p *Pen) End() {
	b := bytes.TrimRight(p.line.Bytes(), " ")
	if p.written {
		p.written = false
		b = append([]byte("\r\x1b[K"), b...)
	}
	if p.err == nil {
		_, p.err = p.out.Write(append(b, '\n'))
	}
	p.line.Reset()
}

// Err is the first error of what is drawn on.
func (p *Pen) Err() error { return p.err }

// Over writes text where the next End or Over will write over it.
func (p *Pen) Over(text string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.out, "\r"+text+"\x1b[K")
		p.written = true
	}
}

// Leave ends a line that is being written over.
func (p *Pen) Leave() {
	if p.written && p.err == nil {
		_, p.err = io.WriteString(p.out, "\n")
	}
}

// Say writes words below a row, wrapped, with the section that they speak of in
// the column of the time.
func (p *Pen) Say(words, section string) {
	if section != "" {
		section = "§" + section
	}
	p.Wrap(section, Plain, words)
}

// Wrap writes words below a row, wrapped, with something short in the column of
// the time.
func (p *Pen) Wrap(before, code, words string) {
	p.Hang(narrate.PadLeft(before, ColTime)+"  ", code, words)
}

// Hang writes words, wrapped, behind something that only the first line has.
func (p *Pen) Hang(before, code, words string) { p.Item(Dim, before, code, words) }

// Item is Hang, with a colour for what stands before.
func (p *Pen) Item(sign, before, code, words string) {
	indent := strings.Repeat(" ", narrate.Width(before))
	for _, l := range narrate.Wrap(words, p.Width-narrate.Width(before)) {
		p.Put(sign, before).Put(code, l).End()
		before = indent
	}
}

// ArrowWidth is what the columns leave for the arrow.
func (p *Pen) ArrowWidth() int {
	if p.Slim {
		return p.Width - colFixed + 3 + 2*colSeq + colLen
	}
	return p.Width - colFixed
}

// Arrow draws a line with a label in its middle and a head at one end: the right
// one if the left end, 0, has sent it.
func (p *Pen) Arrow(label string, from int) string {
	return arrow(label, "─", "─", from, p.ArrowWidth())
}

// Middle puts a label into the middle of a line.
func Middle(label, line string, width int) string {
	free := max(0, width-narrate.Width(label))
	return strings.Repeat(line, free/2) + label + strings.Repeat(line, free-free/2)
}

// Heads writes what stands above the columns.
func (p *Pen) Heads(time string, heads [2]string) {
	p.Put(Dim, narrate.PadLeft(time, ColTime)).Put(Plain, "  ")
	p.Put("1;"+Ends[0], narrate.PadLeft(heads[0], colState)).Put(Plain, strings.Repeat(" ", p.ArrowWidth()+2))
	p.Put("1;"+Ends[1], narrate.Pad(heads[1], colState))
	if !p.Slim {
		p.Put(Dim, Numbers("seq", "ack", "len"))
	}
	p.End()
}

// Row is what all rows have: the time and the states, with what is between
// them. A state that has changed is bold.
func (p *Pen) Row(at clock.Instant, states [2]string, changed [2]bool, between, paint string) *Pen {
	p.Put(Dim, narrate.PadLeft(fitTime(at), ColTime)).Put(Plain, "  ")
	p.Put(stateColour(0, changed), narrate.PadLeft(states[0], colState)).Put(Plain, " ")
	p.Put(paint, narrate.Pad(between, p.ArrowWidth())).Put(Plain, " ")
	return p.Put(stateColour(1, changed), narrate.Pad(states[1], colState))
}

func stateColour(end int, changed [2]bool) string {
	if changed[end] {
		return "1;" + Ends[end]
	}
	return Ends[end]
}

// Numbers are the last three columns. One that is too wide takes room from the next.
func Numbers(seq, ack, length string) string {
	s := narrate.PadLeft(" "+seq, 1+colSeq)
	s += narrate.PadLeft(" "+ack, 2*(1+colSeq)-narrate.Width(s))
	return s + narrate.PadLeft(" "+length, 2*(1+colSeq)+1+colLen-narrate.Width(s))
}

// FormatTime gives seconds to four decimals.
func FormatTime(t clock.Instant) string {
	tick := 100 * clock.Microsecond
	n := uint64(t) / uint64(tick)
	per := uint64(clock.Second / tick)
	frac := strconv.FormatUint(per+n%per, 10)
	return strconv.FormatUint(n/per, 10) + "." + frac[1:]
}

// fitTime leaves decimals away for which there is no room.
func fitTime(t clock.Instant) string {
	s := FormatTime(t)
	if dot := len(s) - 5; len(s) > ColTime && dot < ColTime-1 {
		return s[:ColTime]
	}
	return s
}
