package sim

import (
	"slices"
	"strconv"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Failure is the first invariant of a run that did not hold.
type Failure struct {
	What   string
	Seed   uint64
	At     clock.Instant
	Event  uint64 // ordinal
	Host   int    // -1: none
	Conn   uint32 // 0: none
	Last   []Entry
	Repeat string
}

// An Entry is an event of one host's stack.
type Entry struct {
	Host int32
	event.Event
}

// Error tells it all, over many lines.
func (f *Failure) Error() string {
	b := []byte("sim: " + f.What + "\n")
	for i := range f.Last {
		b = f.Last[i].AppendText(append(b, '\t'))
		b = append(b, '\n')
	}
	b = strconv.AppendUint(append(b, "seed "...), f.Seed, 10)
	b = strconv.AppendUint(append(b, ", event "...), f.Event, 10)
	b = append(append(b, ", at "...), f.At.String()...)
	if f.Host >= 0 {
		b = strconv.AppendInt(append(b, ", host "...), int64(f.Host), 10)
	}
	if f.Conn != 0 {
		b = strconv.AppendUint(append(b, ", connection "...), uint64(f.Conn), 10)
	}
	if f.Repeat != "" {
		b = append(append(b, "\nrepeat it: "...), f.Repeat...)
	}
	return string(b)
}

// fail is for an invariant that does not hold.
func (w *World) fail(h int, conn uint32, what string) {
	if w.observer != nil && w.failure == nil {
		w.see(Sight{What: Broke, Host: h, Conn: conn, Text: what})
	}
	if w.cfg.Tolerate {
		w.broken++
		return
	}
	w.stop(h, conn, what)
}

// stop notes the first thing that goes wrong, and ends the run.
func (w *World) stop(h int, conn uint32, what string) {
	if w.failure != nil {
		return
	}
	for i := range w.hosts {
		w.remember(i)
	}
	w.failure = &Failure{
		What: what, Seed: w.cfg.Seed, At: w.now, Event: w.count.Events, Host: h, Conn: conn,
		Last: w.recent.list(), Repeat: w.cfg.Repeat,
	}
}

// failConn adds what the connection is like. c may be nil.
func (w *World) failConn(h int, c *core.Conn, what string) {
	if c == nil {
		w.fail(h, 0, what)
		return
	}
	if w.cfg.Tolerate { // who counts them wants the same words for the same thing
		w.fail(h, c.ID(), what)
		return
	}
	v := c.View()
	b := append([]byte(what), ": "...)
	b = append(b, v.State.String()...)
	s, r := &v.Send, &v.Receive
	for _, x := range [...]struct {
		name string
		n    uint64
	}{
		{" UNA ", uint64(s.UNA.From(s.ISS))}, {" NXT ", uint64(s.NXT.From(s.ISS))}, {" WND ", uint64(s.WND)},
		{" largest ", uint64(v.MaxWindow)}, {" cwnd ", uint64(v.Cwnd)}, {" in flight ", uint64(v.InFlight)}, {" MSS ", uint64(v.MSS)},
		{"; RCV.NXT ", uint64(r.NXT.From(r.IRS))}, {" WND ", uint64(r.WND)},
	} {
		b = strconv.AppendUint(append(b, x.name...), x.n, 10)
	}
	w.fail(h, c.ID(), string(b))
}

// failFlow is fail for what a user has seen.
func (w *World) failFlow(i int32, what string) {
	e := &w.ends[i]
	if w.cfg.Tolerate {
		w.fail(e.host, 0, what)
		return
	}
	b := append([]byte(what), ": flow "...)
	b = strconv.AppendInt(b, int64(i/2), 10)
	b = strconv.AppendInt(append(b, ", user "...), int64(i%2), 10)
	if steps := w.user(i).Steps; int(e.step) < len(steps) {
		b = strconv.AppendInt(append(b, ", at step "...), int64(e.step), 10)
		b = append(append(b, ' '), steps[e.step].Op.String()...)
	}
	b = strconv.AppendUint(append(b, ", written "...), e.written, 10)
	b = strconv.AppendUint(append(b, ", read "...), e.read, 10)
	id := uint32(0)
	if c := w.conn(e); c != nil {
		id = c.ID()
		b = append(append(b, ", in "...), c.State().String()...)
	}
	w.fail(e.host, id, string(b))
}

// recentMax is how many events a failure shows.
const recentMax = 64

// recent is the last events of all hosts, in a ring.
type recent struct {
	ring []Entry
	next int
}

func (r *recent) add(e Entry) {
	if len(r.ring) < recentMax {
		r.ring = append(r.ring, e)
		return
	}
	r.ring[r.next] = e
	r.next = (r.next + 1) % recentMax
}

func (r *recent) list() []Entry {
	return append(slices.Clone(r.ring[r.next:]), r.ring[:r.next]...)
}

func (r *recent) clone() recent { return recent{ring: slices.Clone(r.ring), next: r.next} }

// remember takes what a stack has logged.
func (w *World) remember(h int) {
	w.taken = w.hosts[h].stack.Log().Take(w.taken[:0])
	if w.observer != nil {
		for i := range w.taken {
			w.see(Sight{What: Happened, Host: h, Conn: w.taken[i].Conn, Event: &w.taken[i]})
		}
		w.see(Sight{What: Rested, Host: h})
	}
	for i := max(0, len(w.taken)-recentMax); i < len(w.taken); i++ {
		w.recent.add(Entry{Host: int32(h), Event: w.taken[i]})
	}
}

// Recent gives the last events of all hosts.
func (w *World) Recent() []Entry { return w.recent.list() }

// AppendText appends the entry as a line for people.
func (e *Entry) AppendText(b []byte) []byte {
	b = append(b, e.At.String()...)
	b = strconv.AppendInt(append(b, " host "...), int64(e.Host), 10)
	if e.Conn != 0 {
		b = strconv.AppendUint(append(b, " conn "...), uint64(e.Conn), 10)
	}
	b = append(append(b, ' '), e.Kind.String()...)
	number := func(name string, n uint64) {
		b = strconv.AppendUint(append(append(append(b, ' '), name...), ' '), n, 10)
	}
	switch e.Kind {
	case event.Transition:
		b = append(append(b, ' '), tcp.State(e.From).String()...)
		b = append(append(b, " to "...), tcp.State(e.To).String()...)
	case event.SegmentIn, event.SegmentOut:
		b = append(append(b, ' '), wire.Flags(e.C>>16).String()...)
		at := seq.Value(e.A >> 32)
		number("seq", uint64(at))
		number("len", e.B>>32)
		number("ack", e.A&0xffffffff)
		number("win", e.B&0xffffffff)
	case event.Drop:
		b = append(append(b, ' '), rule.Drop(e.From).String()...)
	case event.TimerArmed:
		b = append(append(b, ' '), tcp.TimerName(e.By)...)
		b = append(append(b, " for "...), clock.Instant(e.A).String()...)
	case event.TimerFired:
		b = append(append(b, ' '), tcp.TimerName(e.By)...)
	case event.RTT:
		b = append(append(b, ' '), clock.Duration(e.A).String()...)
		b = append(append(b, " RTO "...), clock.Duration(e.D).String()...)
	case event.Congestion:
		number("cwnd", e.A)
		number("ssthresh", e.B)
		number("in flight", e.C)
	case event.Recovery:
		b = append(append(b, ' '), tcp.Phase(e.To).String()...)
	case event.Retransmit:
		number("seq", e.A>>32)
		number("len", e.A&0xffffffff)
	case event.Window:
		number("wnd", e.A)
	default:
		number("a", e.A)
	}
	return b
}
