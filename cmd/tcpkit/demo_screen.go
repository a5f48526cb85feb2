package main

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

// A screen draws exchanges as ladders:
//
//	time/s        kernel                         tcpkit           seq    ack   len
//	0.0001      SYN-SENT ─────────SYN──────────► SYN-RECEIVED       0      -     0
//	        The kernel asks for a connection ...  §3.5
//
// Each line is written at once, so that what is seen is what has happened.
type screen struct {
	out    io.Writer
	err    error // the first of out
	lang   narrate.Lang
	width  int
	colour bool
	live   bool // a terminal: lines can be written over
	rules  bool // the rule behind each of tcpkit's changes of state too

	names   [2]string // of the ends, in sentences
	heads   [2]string // and above their columns
	port    uint16
	octets  [2]int // of request and response
	msl     mslWords
	phase   narrate.Text
	written bool // a line that will be written over
	line    bytes.Buffer
}

// mslWords says how the demo's MSL came to be.
type mslWords struct {
	d      clock.Duration
	given  bool // by the user
	full   bool // RFC 9293's
	kernel bool // the other end has Linux's
}

// The columns: time, state, arrow, state, seq, ack, len. The arrow takes what
// the others leave.
const (
	colTime   = 8
	colState  = 12
	colSeq    = 6
	colLen    = 5
	colFixed  = colTime + 2 + colState + 1 + 1 + colState + 3*1 + 2*colSeq + colLen
	indent    = "          "
	minScreen = 76
	maxScreen = 108
)

// newScreen draws on out as its terminal, if it is one, and the environment
// allow.
func newScreen(out io.Writer, lang narrate.Lang) *screen {
	s := &screen{out: out, lang: lang, width: 80}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil {
		s.width = n
	}
	if f, ok := out.(*os.File); ok {
		if columns, ok := terminalWidth(f); ok {
			s.width, s.live = columns, os.Getenv("TERM") != "dumb"
			s.colour = s.live && os.Getenv("NO_COLOR") == ""
		}
	}
	// The last column stays free: some terminals begin a new line behind it.
	s.width = min(max(s.width, minScreen), maxScreen) - 1
	return s
}

// Colours: each end has one, for its states and its arrows.
const (
	paintNone = ""
	paintPeer = "36" // cyan
	paintKit  = "35" // magenta
	paintDim  = "2"
	paintBold = "1"
	paintGood = "1;32"
	paintBad  = "1;31"
)

var paintEnd = [2]string{paintPeer, paintKit}

// paint colours a text, and leaves the spaces around it plain.
func (s *screen) paint(code, text string) string {
	core := strings.Trim(text, " ")
	if !s.colour || code == "" || core == "" {
		return text
	}
	before, after, _ := strings.Cut(text, core)
	return before + "\x1b[" + code + "m" + core + "\x1b[0m" + after
}

// put adds text to the line, in a colour.
func (s *screen) put(code, text string) *screen {
	s.line.WriteString(s.paint(code, text))
	return s
}

// end writes the line.
func (s *screen) end() {
	b := bytes.TrimRight(s.line.Bytes(), " ")
	if s.written {
		s.written = false
		b = append([]byte("\r\x1b[K"), b...)
	}
	if s.err == nil {
		_, s.err = s.out.Write(append(b, '\n'))
	}
	s.line.Reset()
}

// say writes words below a row, wrapped, with the section that they speak of in
// the column of the time.
func (s *screen) say(words, section string) {
	if section != "" {
		section = "§" + section
	}
	s.wrap(section, paintNone, words)
}

func (s *screen) wrap(before, code, words string) {
	before = narrate.PadLeft(before, colTime) + "  "
	for _, l := range narrate.Wrap(words, s.width-narrate.Width(before)) {
		s.put(paintDim, before).put(code, l).end()
		before = indent
	}
}

func (s *screen) arrowWidth() int { return s.width - colFixed }

// arrow draws a line with a label in its middle and a head at one end.
func (s *screen) arrow(label string, from int) string {
	line := s.middle(" "+label+" ", "─", s.arrowWidth()-1)
	if from == peerEnd {
		return line + "►"
	}
	return "◄" + line
}

// middle puts a label into the middle of a line.
func (s *screen) middle(label, line string, width int) string {
	free := max(0, width-narrate.Width(label))
	return strings.Repeat(line, free/2) + label + strings.Repeat(line, free-free/2)
}

// row is what all rows have: the time and the states, with what is between
// them.
func (s *screen) row(at clock.Instant, states endStates, changed [2]bool, between, paint string) *screen {
	s.put(paintDim, narrate.PadLeft(formatTime(at), colTime)).put(paintNone, "  ")
	s.put(s.stateColour(peerEnd, changed), narrate.PadLeft(states[peerEnd].String(), colState)).put(paintNone, " ")
	s.put(paint, narrate.Pad(between, s.arrowWidth())).put(paintNone, " ")
	return s.put(s.stateColour(kitEnd, changed), narrate.Pad(states[kitEnd].String(), colState))
}

func (s *screen) stateColour(end int, changed [2]bool) string {
	if changed[end] {
		return "1;" + paintEnd[end]
	}
	return paintEnd[end]
}

// formatTime gives seconds to four decimals.
func formatTime(t clock.Instant) string {
	tick := 100 * clock.Microsecond
	n := uint64(t) / uint64(tick)
	per := uint64(clock.Second / tick)
	frac := strconv.FormatUint(per+n%per, 10)
	return strconv.FormatUint(n/per, 10) + "." + frac[1:]
}

// A cast is who takes part, for the lines at the top.
type cast struct {
	memory bool
	addrs  [2]string
	kernel string // its name and version
	link   string // its name
	mtu    int
	delay  clock.Duration
}

// title tells who is going to talk, and how to read it.
func (s *screen) title(c *cast) {
	l := s.lang
	if c.memory {
		s.put(paintBold, sayTitleMemory.in(l)).end()
	} else {
		s.put(paintBold, sayTitle.in(l)).end()
	}
	s.end()
	who := func(end int, about string) {
		s.put(paintNone, "  ").put("1;"+paintEnd[end], narrate.Pad(s.heads[end], 8)).
			put(paintNone, narrate.Pad(c.addrs[end], 11)+" ").put(paintNone, about).end()
	}
	if c.memory {
		who(peerEnd, sayPeer.in(l))
	} else {
		who(peerEnd, sayKernel.in(l, c.kernel))
	}
	who(kitEnd, sayKit.in(l))
	if c.memory {
		s.put(paintNone, "  "+narrate.Pad(phrase{"link", "链路"}.in(l), 20)).put(paintNone, sayLinkPlain.in(l, sayDuration(l, c.delay))).end()
	} else {
		s.put(paintNone, "  "+narrate.Pad(c.link, 20)).put(paintNone, sayLink.in(l, c.mtu)).end()
	}
	s.end()
	for _, line := range narrate.Wrap(sayLegend.in(l), s.width) {
		s.put(paintDim, line).end()
	}
}

// act begins an act.
func (s *screen) act(n, client int, port uint16, octets [2]int) {
	s.port, s.octets, s.phase = port, octets, narrate.Nothing
	words := " " + sayAct.in(s.lang, n) + "  " + s.lang.Say(narrate.Opens, "from", s.names[client], "to", s.names[1-client]) + " "
	s.end()
	s.put(paintBold, "══"+words+strings.Repeat("═", max(0, s.width-2-narrate.Width(words)))).end()
	s.put(paintDim, narrate.PadLeft(sayTime.in(s.lang), colTime)).put(paintNone, "  ")
	s.put("1;"+paintEnd[peerEnd], narrate.PadLeft(s.heads[peerEnd], colState)).put(paintNone, strings.Repeat(" ", s.arrowWidth()+2))
	s.put("1;"+paintEnd[kitEnd], narrate.Pad(s.heads[kitEnd], colState))
	s.put(paintDim, numbers("seq", "ack", "len")).end()
}

func numbers(seq, ack, length string) string {
	return " " + narrate.PadLeft(seq, colSeq) + " " + narrate.PadLeft(ack, colSeq) + " " + narrate.PadLeft(length, colLen)
}

func (s *screen) start(states endStates, server int) {
	s.begin(narrate.Handshake)
	s.row(0, states, [2]bool{true, true}, "", paintNone).end()
	s.say(s.lang.Say(narrate.Listens, "from", s.names[server], "port", strconv.Itoa(int(s.port))), narrate.Listens.Section())
}

// begin writes the heading of a part of the exchange, once.
func (s *screen) begin(phase narrate.Text) {
	if s.phase == phase || phase == narrate.Nothing {
		return
	}
	s.phase = phase
	s.end()
	s.put(paintNone, indent).put(paintBold, s.lang.Say(phase)).end()
}

// phases says to which part of the exchange a step belongs.
var phases = map[narrate.Text]narrate.Text{
	narrate.Request: narrate.HTTP, narrate.Response: narrate.HTTP,
	narrate.FinFirst: narrate.Close, narrate.FinSecond: narrate.Close, narrate.FinBoth: narrate.Close,
}

func (s *screen) segment(g *segment, _ int) {
	l := s.lang
	s.begin(phases[g.step])
	ack := "-"
	if g.header.Flags.Has(wire.ACK) {
		ack = formatSize32(g.ack)
	}
	s.row(g.at, g.states, g.changed, s.arrow(sayFlags(g.header.Flags), g.from), paintEnd[g.from])
	s.put(paintNone, numbers(formatSize32(g.seq), ack, strconv.Itoa(g.length))).end()
	if g.step == narrate.Syn || g.step == narrate.SynAck {
		s.wrap("", paintDim, sayHandshakeOptions(l, &g.header))
	}
	n := 0
	switch g.step {
	case narrate.Request:
		n = s.octets[0]
	case narrate.Response:
		n = s.octets[1]
	}
	s.say(l.Say(g.step, "from", s.names[g.from], "to", s.names[g.to()], "n", strconv.Itoa(n)), g.step.Section())
	if g.late >= lateAck {
		s.say(l.Say(narrate.Delayed, "d", sayDuration(l, g.late)), narrate.Delayed.Section())
	}
	s.why(g.events)
}

// lateAck is from when on an acknowledgment has waited: faster is this machine's
// pace.
const lateAck = 20 * clock.Millisecond

func formatSize32(n seq.Size) string { return strconv.FormatUint(uint64(n), 10) }

// why tells the rules by which tcpkit's state changed.
func (s *screen) why(events []event.Event) {
	if !s.rules {
		return
	}
	for i := range events {
		e := &events[i]
		row, ok := rule.Lookup(e.Rule)
		if e.Kind != event.Transition || !ok {
			continue
		}
		colon := ": "
		if s.lang == narrate.Chinese {
			colon = "："
		}
		words := "tcpkit: " + tcp.State(e.From).String() + " → " + tcp.State(e.To).String() + colon + s.lang.Rule(e.Rule)
		if s.lang == narrate.Chinese {
			words = strings.Replace(words, "tcpkit: ", "tcpkit：", 1)
		}
		words += " [" + e.Rule.String()
		if row.Requirement != "" {
			words += " " + row.Requirement
		}
		s.wrap("", paintDim, words+"]")
	}
}

func (s *screen) wait(closer int, twoMSL, left clock.Duration, all bool) {
	l := s.lang
	s.begin(narrate.Wait)
	s.say(l.Say(narrate.WaitBegins, "from", s.names[closer]), narrate.WaitBegins.Section())
	of := sayDuration(l, twoMSL)
	if s.msl.kernel && closer == peerEnd {
		words := sayLinuxStay
		if !all {
			words = sayLinuxWait
		}
		s.say(words.in(l, of, sayDuration(l, left)), "")
		return
	}
	m := &s.msl
	switch {
	case m.full && m.kernel:
		s.say(sayFullReal.in(l, of), "3.4.2")
	case m.full:
		s.say(sayFullMSL.in(l, of), "3.4.2")
	case !m.given:
		s.say(sayDefault.in(l, of, sayDuration(l, m.d)), "3.4.2")
	case m.d < fullMSL:
		s.say(sayShortened.in(l, of, time.Duration(m.d)), "3.4.2")
	default:
		s.say(sayMSL.in(l, of, sayDuration(l, m.d)), "3.4.2")
	}
}

// fullMSL is RFC 9293's.
const fullMSL = 2 * clock.Minute

// left shows a bar that empties, on a terminal.
func (s *screen) left(d, of clock.Duration) {
	if !s.live || s.err != nil || of <= 0 {
		return
	}
	const bar = 30
	n := int(min(bar, max(0, (d*bar+of-1)/of)))
	line := "\r" + indent + s.paint("33", strings.Repeat("█", n)) + s.paint(paintDim, strings.Repeat("░", bar-n)) +
		" " + sayLeft.in(s.lang, sayDuration(s.lang, (d+countdown-1)/countdown*countdown)) + "\x1b[K"
	_, s.err = io.WriteString(s.out, line)
	s.written = true
}

// leave ends a line that is being written over.
func (s *screen) leave() {
	if s.written && s.err == nil {
		_, s.err = io.WriteString(s.out, "\n")
	}
}

func (s *screen) over(at clock.Instant, states endStates, closer int, events []event.Event) {
	changed := [2]bool{closer == peerEnd, closer == kitEnd}
	s.row(at, states, changed, s.middle(" "+say2MSL.in(s.lang)+" ", "┄", s.arrowWidth()), "33").end()
	s.say(s.lang.Say(narrate.WaitOver, "from", s.names[closer]), narrate.WaitOver.Section())
	s.why(events)
}

// verdict says what the checks have found; the last line is the result.
func (s *screen) verdict(v *verdict) {
	l := s.lang
	s.end()
	s.put(paintBold, sayChecked.in(l)).end()
	for c := range demoChecks {
		sign, code := "✓", paintGood
		if v.failed(c) {
			sign, code = "✗", paintBad
		}
		w := &checkWords[c]
		s.put(paintDim, narrate.PadLeft(w.section, colTime)).put(code, "  "+sign).put(paintNone, " "+w.words.in(l)).end()
		for _, f := range v.found {
			if f.check != c {
				continue
			}
			where := sayWhole.in(l, f.act)
			if f.segment > 0 {
				where = sayWhere.in(l, f.act, f.segment)
			}
			s.wrap("", paintBad, where+f.what)
		}
	}
	s.end()
	if bad := v.count(); bad > 0 {
		s.put(paintBad, sayBad.in(l, bad, int(demoChecks))).end()
		return
	}
	s.put(paintGood, sayGood.in(l, int(demoChecks), v.segments)).end()
}
