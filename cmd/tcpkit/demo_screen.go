package main

import (
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/ladder"
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
	*ladder.Pen
	rules bool // the rule behind each of tcpkit's changes of state too

	names  [2]string // of the ends, in sentences
	heads  [2]string // and above their columns
	port   uint16
	octets [2]int // of request and response
	msl    mslWords
	phase  narrate.Text
}

// newScreen draws on out.
func newScreen(out io.Writer, lang narrate.Lang) *screen {
	return &screen{Pen: ladder.NewPen(out, lang)}
}

// mslWords says how the demo's MSL came to be.
type mslWords struct {
	d      clock.Duration
	given  bool // by the user
	full   bool // RFC 9293's
	kernel bool // the other end has Linux's
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
	l := s.Lang
	if c.memory {
		s.Put(ladder.Bold, sayTitleMemory.in(l)).End()
	} else {
		s.Put(ladder.Bold, sayTitle.in(l)).End()
	}
	s.End()
	who := func(end int, about string) {
		s.Put(ladder.Plain, "  ").Put("1;"+ladder.Ends[end], narrate.Pad(s.heads[end], 8)).
			Put(ladder.Plain, narrate.Pad(c.addrs[end], 11)+" ").Put(ladder.Plain, about).End()
	}
	if c.memory {
		who(peerEnd, sayPeer.in(l))
	} else {
		who(peerEnd, sayKernel.in(l, c.kernel))
	}
	who(kitEnd, sayKit.in(l))
	if c.memory {
		s.Put(ladder.Plain, "  "+narrate.Pad(phrase{"link", "链路"}.in(l), 20)).Put(ladder.Plain, sayLinkPlain.in(l, l.Span(c.delay))).End()
	} else {
		s.Put(ladder.Plain, "  "+narrate.Pad(c.link, 20)).Put(ladder.Plain, sayLink.in(l, c.mtu)).End()
	}
	s.End()
	for _, line := range narrate.Wrap(sayLegend.in(l), s.Width) {
		s.Put(ladder.Dim, line).End()
	}
}

// act begins an act.
func (s *screen) act(n, client int, port uint16, octets [2]int) {
	s.port, s.octets, s.phase = port, octets, narrate.Nothing
	words := " " + sayAct.in(s.Lang, n) + "  " + s.Lang.Say(narrate.Opens, "from", s.names[client], "to", s.names[1-client]) + " "
	s.End()
	s.Put(ladder.Bold, "══"+words+strings.Repeat("═", max(0, s.Width-2-narrate.Width(words)))).End()
	s.Heads(sayTime.in(s.Lang), s.heads)
}

func (s *screen) start(states endStates, server int) {
	s.begin(narrate.Handshake)
	s.Row(0, states.names(), [2]bool{true, true}, "", ladder.Plain).End()
	s.Say(s.Lang.Say(narrate.Listens, "from", s.names[server], "port", strconv.Itoa(int(s.port))), narrate.Listens.Section())
}

// begin writes the heading of a part of the exchange, once.
func (s *screen) begin(phase narrate.Text) {
	if s.phase == phase || phase == narrate.Nothing {
		return
	}
	s.phase = phase
	s.End()
	s.Put(ladder.Plain, ladder.Indent).Put(ladder.Bold, s.Lang.Say(phase)).End()
}

// phases says to which part of the exchange a step belongs.
var phases = map[narrate.Text]narrate.Text{
	narrate.Request: narrate.HTTP, narrate.Response: narrate.HTTP,
	narrate.FinFirst: narrate.Close, narrate.FinSecond: narrate.Close, narrate.FinBoth: narrate.Close,
}

func (s *screen) segment(g *segment, _ int) {
	l := s.Lang
	s.begin(phases[g.step])
	ack := "-"
	if g.header.Flags.Has(wire.ACK) {
		ack = formatSize32(g.ack)
	}
	s.Row(g.at, g.states.names(), g.changed, s.Arrow(sayFlags(g.header.Flags), g.from), ladder.Ends[g.from])
	s.Put(ladder.Plain, ladder.Numbers(formatSize32(g.seq), ack, strconv.Itoa(g.length))).End()
	if g.step == narrate.Syn || g.step == narrate.SynAck {
		s.Wrap("", ladder.Dim, sayHandshakeOptions(l, &g.header))
	}
	n := 0
	switch g.step {
	case narrate.Request:
		n = s.octets[0]
	case narrate.Response:
		n = s.octets[1]
	}
	s.Say(l.Say(g.step, "from", s.names[g.from], "to", s.names[g.to()], "n", strconv.Itoa(n)), g.step.Section())
	if g.late >= lateAck {
		s.Say(l.Say(narrate.Delayed, "d", l.Span(g.late)), narrate.Delayed.Section())
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
		if s.Lang == narrate.Chinese {
			colon = "："
		}
		words := "tcpkit: " + tcp.State(e.From).String() + " → " + tcp.State(e.To).String() + colon + s.Lang.Rule(e.Rule)
		if s.Lang == narrate.Chinese {
			words = strings.Replace(words, "tcpkit: ", "tcpkit：", 1)
		}
		words += " [" + e.Rule.String()
		if row.Requirement != "" {
			words += " " + row.Requirement
		}
		s.Wrap("", ladder.Dim, words+"]")
	}
}

func (s *screen) wait(closer int, twoMSL, left clock.Duration, all bool) {
	l := s.Lang
	s.begin(narrate.Wait)
	s.Say(l.Say(narrate.WaitBegins, "from", s.names[closer]), narrate.WaitBegins.Section())
	of := l.Span(twoMSL)
	if s.msl.kernel && closer == peerEnd {
		words := sayLinuxStay
		if !all {
			words = sayLinuxWait
		}
		s.Say(words.in(l, of, l.Span(left)), "")
		return
	}
	m := &s.msl
	switch {
	case m.full && m.kernel:
		s.Say(sayFullReal.in(l, of), "3.4.2")
	case m.full:
		s.Say(sayFullMSL.in(l, of), "3.4.2")
	case !m.given:
		s.Say(sayDefault.in(l, of, l.Span(m.d)), "3.4.2")
	case m.d < fullMSL:
		s.Say(sayShortened.in(l, of, time.Duration(m.d)), "3.4.2")
	default:
		s.Say(sayMSL.in(l, of, l.Span(m.d)), "3.4.2")
	}
}

// fullMSL is RFC 9293's.
const fullMSL = 2 * clock.Minute

// left shows a bar that empties, on a terminal.
func (s *screen) left(d, of clock.Duration) {
	if !s.Live || of <= 0 {
		return
	}
	const bar = 30
	n := int(min(bar, max(0, (d*bar+of-1)/of)))
	s.Over(ladder.Indent + s.Paint(ladder.Timer, strings.Repeat("█", n)) + s.Paint(ladder.Dim, strings.Repeat("░", bar-n)) +
		" " + sayLeft.in(s.Lang, s.Lang.Span((d+countdown-1)/countdown*countdown)))
}

func (s *screen) over(at clock.Instant, states endStates, closer int, events []event.Event) {
	changed := [2]bool{closer == peerEnd, closer == kitEnd}
	s.Row(at, states.names(), changed, ladder.Middle(" "+say2MSL.in(s.Lang)+" ", "┄", s.ArrowWidth()), ladder.Timer).End()
	s.Say(s.Lang.Say(narrate.WaitOver, "from", s.names[closer]), narrate.WaitOver.Section())
	s.why(events)
}

// verdict says what the checks have found; the last line is the result.
func (s *screen) verdict(v *verdict) {
	l := s.Lang
	s.End()
	s.Put(ladder.Bold, sayChecked.in(l)).End()
	for c := range demoChecks {
		sign, code := "✓", ladder.Good
		if v.failed(c) {
			sign, code = "✗", ladder.Bad
		}
		w := &checkWords[c]
		s.Put(ladder.Dim, narrate.PadLeft(w.section, ladder.ColTime)).Put(code, "  "+sign).Put(ladder.Plain, " "+w.words.in(l)).End()
		for _, f := range v.found {
			if f.check != c {
				continue
			}
			where := sayWhole.in(l, f.act)
			if f.segment > 0 {
				where = sayWhere.in(l, f.act, f.segment)
			}
			s.Wrap("", ladder.Bad, where+f.what)
		}
	}
	s.End()
	if bad := v.count(); bad > 0 {
		s.Put(ladder.Bad, sayBad.in(l, bad, int(demoChecks))).End()
		return
	}
	s.Put(ladder.Good, sayGood.in(l, int(demoChecks), v.segments)).End()
}
