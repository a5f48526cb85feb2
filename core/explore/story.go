package explore

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Breach is a broken invariant, and the way there.
type Breach struct {
	What   string `json:"what"`
	Steps  int    `json:"steps"`  // of the search; what a good network does after them shows the breach
	Ladder string `json:"ladder"` // all that happened, both ends side by side
	Script string `json:"script"` // what happened at one end, in packetdrill's notation
}

// A story is a path told again.
type story struct {
	x       *Explorer
	moments []moment
	start   [2]*end      // when the story begins, the past being over
	iss     [2]seq.Value // where each end's newest connection begins
	known   [2]bool
	unsaid  string // what no script can say
}

// A moment is one step: what happened to which end, and what came of it.
type moment struct {
	when          when
	do            choiceKind
	who           int
	packet        *parcel // that arrived or was lost
	before, after *end
	out           []*parcel
	took          [2]clock.Duration // by which both clocks have moved
}

// A when is a part of a story.
type when uint8

const (
	past    when = iota // before the world begins
	present             // the path
	future              // in a good network, after it
)

// tell runs a path once more, this time with every clock as it is on it, and
// writes down what happens.
func tell(w World, path []choice, what string) (*Breach, error) {
	b := &Breach{What: what, Steps: len(path)}
	x, err := New(w)
	if err != nil {
		return nil, err
	}
	x.exact = true
	st := &story{x: x}
	s, err := x.begin(st)
	if err != nil {
		return nil, err
	}
	st.start = s.ends
	breach := x.failed
	for i := 0; i < len(path) && breach == ""; i++ {
		st.add(x, &s, path[i], present)
		s, breach = x.step(&s, path[i])
	}
	if breach == "" {
		x.settle(s, func(s *state, c choice) { st.add(x, s, c, future) })
	}
	b.Ladder = st.ladder(what)
	if b.Script = st.script(what); st.unsaid != "" {
		b.Script = "// This cannot be repeated: " + st.unsaid + ".\n" + b.Script
	}
	return b, nil
}

// add notes what a choice does in a state.
func (st *story) add(x *Explorer, s *state, c choice, at when) {
	m := moment{when: at, do: c.do, who: int(c.at)}
	in := call
	switch c.do {
	case deliver, duplicate, lose:
		m.packet = s.net[c.at]
		m.who, in = m.packet.to, arrival
	case fire:
		in = expiry
	case proceed:
	}
	m.before = s.ends[m.who]
	m.after = m.before
	if c.do != lose {
		f := x.act(m.who, m.before, in, m.packet)
		m.after, m.out, m.took[m.who] = f.end, f.out, f.took
		if o := 1 - m.who; c.do == fire {
			m.took[o] = s.ends[o].idles(f.took, s.good)
		}
	}
	st.moments = append(st.moments, m)
}

// place is where a sequence number stands: counted from where the newest
// connection of end i begins.
func (st *story) place(i int, v seq.Value) uint64 {
	if !st.known[i] {
		return uint64(v)
	}
	if v == 0 && st.iss[i] != 0 {
		st.unsaid = "the number 0 of a reset has no place in a connection's numbers" // RFC 9293 §3.5.2
	}
	return uint64(v.From(st.iss[i]))
}

// follow learns from a packet where its sender's connection begins.
func (st *story) follow(p *parcel) {
	if t, _ := p.header(); t.Flags&wire.SYN != 0 && t.Flags&wire.RST == 0 {
		st.iss[1-p.to], st.known[1-p.to] = t.Seq, true
	}
}

// segment appends a packet in packetdrill's notation.
func (st *story) segment(b []byte, p *parcel) []byte {
	t, payload := p.header()
	from := 1 - p.to
	number := func(n uint64) { b = strconv.AppendUint(b, n, 10) }
	b = append(append(b, t.Flags.String()...), ' ')
	at := st.place(from, t.Seq)
	number(at)
	b = append(b, ':')
	number(uint64(uint32(at) + uint32(len(payload))))
	b = append(b, '(')
	number(uint64(len(payload)))
	b = append(b, ')')
	if t.Flags&wire.ACK != 0 {
		b = append(b, " ack "...)
		number(st.place(p.to, t.Ack))
	}
	b = append(b, " win "...)
	number(uint64(t.Window))
	if t.Flags&wire.URG != 0 {
		b = append(b, " urg "...)
		number(uint64(t.Urgent))
	}
	if o := &t.Options; o.Has&wire.HasMSS != 0 {
		b = append(b, " <mss "...)
		number(uint64(o.MSS))
		if o.Has&wire.HasSACKPermitted != 0 {
			b = append(b, ",nop,nop,sackOK"...)
		}
		b = append(b, '>')
	} else if o.Has&wire.HasSACK != 0 {
		b = append(b, " <nop,nop,sack"...)
		for _, s := range o.SACK[:o.SACKCount] {
			b = append(b, ' ')
			number(st.place(p.to, s.Left))
			b = append(b, ':')
			number(st.place(p.to, s.Right))
		}
		b = append(b, '>')
	}
	return b
}

// stateOf is the state of an end's connection.
func (st *story) stateOf(i int, e *end) string {
	switch {
	case e != nil && e.alive:
		return e.view.State.String()
	case e != nil && e.stack.TimeWaits() > 0:
		return tcp.TimeWait.String()
	case st.x.world.Users[i].Listens:
		return tcp.Listen.String()
	}
	return tcp.Closed.String()
}

// letters name the ends.
const letters = "AB"

// headings begin the parts of a ladder.
var headings = [...]string{
	past:    "an earlier incarnation",
	present: "",
	future:  "from here on nothing is lost, doubled or overtaken any more",
}

// maxRungs bounds a ladder: of an exchange without end the beginning is enough.
const maxRungs = 80

// ladder tells the whole story, a line for each step and each packet that it
// sends, with both states behind it.
func (st *story) ladder(what string) string {
	var b []byte
	var now [2]*end
	states := func(from int) {
		for i, column := range [...]int{58, 73} {
			for len(b) < from+column {
				b = append(b, ' ')
			}
			b = append(append(b, ' '), st.stateOf(i, now[i])...)
		}
		b = append(b, '\n')
	}
	part := future
	for n := range st.moments {
		m := &st.moments[n]
		if n == 0 || m.when != part {
			if part = m.when; part == present {
				now = st.start
			}
			from := len(b)
			b = append(b, headings[part]...)
			states(from)
		}
		if n >= maxRungs {
			b = append(b, "and so on\n"...)
			break
		}
		from := len(b)
		b = strconv.AppendInt(b, int64(n+1), 10)
		for len(b) < from+4 {
			b = append(b, ' ')
		}
		b = st.event(b, m)
		now[m.who] = m.after
		states(from)
		for _, p := range m.out {
			st.follow(p)
			b = append(append(b, "      "...), letters[m.who])
			b = append(st.segment(append(b, " > "...), p), '\n')
		}
	}
	return string(append(append(b, what...), '\n'))
}

// event says what happened in a moment.
func (st *story) event(b []byte, m *moment) []byte {
	b = append(b, letters[m.who], ' ')
	switch m.do {
	case deliver:
		return st.segment(append(b, "< "...), m.packet)
	case duplicate:
		return append(st.segment(append(b, "< "...), m.packet), " (and again)"...)
	case lose:
		return append(st.segment(append(b, "x "...), m.packet), " (lost)"...)
	case fire:
		b = append(b, "after "...)
		b = append(b, m.took[m.who].String()...)
	case proceed:
		b = append(b, m.called(st.x).String()...)
	}
	return b
}

// called is the operation of a moment in which the user goes on.
func (m *moment) called(x *Explorer) Do {
	op := x.next(m.who, m.before)
	if c := m.before.conn(); c != nil && c.State() == tcp.Closed && op.Do != Abort {
		return Close
	}
	return op.Do
}
