package explore

import (
	"slices"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// An end is one host: the engine, and how far its user's program has come. It is
// not changed any more once act has made it, so that states share ends.
//
// Each end has a clock of its own, which moves when one of its timers fires and
// when it opens a connection: two hosts agree on nothing but segments.
type end struct {
	stack *core.Stack
	now   clock.Instant
	slot  int32 // of the user's connection, plus one; 0: he has none
	step  uint8 // of the program: what comes next
	round uint8 // connections that he has had
	eof   bool  // he has read up to the peer's FIN
	shut  bool  // he has told that he writes no more
	read  uint32
	wrote uint32
	err   tcp.Error // how his connection ended

	opened []seq.Value // ISS of each connection that he has opened

	// What follows from the rest.
	hash  uint64
	due   clock.Instant // when the next timer fires
	long  bool          // it is one that outlives every packet
	ready bool          // the program can go on
	alive bool          // there is a connection, and view is its picture
	view  tcp.View
}

// A parcel is a packet on its way. It is not changed any more.
type parcel struct {
	to    int
	bytes []byte
	hash  uint64
}

// An effect is what one thing that happens to an end does.
type effect struct {
	end    *end
	out    []*parcel
	took   clock.Duration // by which its clock has moved
	given  bool           // the user has accepted a connection
	irs    seq.Value      // where the peer's numbers begin in it
	failed bool           // a connection has ended otherwise than by FINs
	breach string         // the invariant that is broken, if one is
}

// The kinds of what can happen to an end.
type input uint8

const (
	arrival input = iota // a packet arrives
	expiry               // its next timer fires
	call                 // the user makes the next call of the program
	pause                // time passes
)

// burstMax is how many packets one thing that happens may bring out.
const burstMax = 32

// openTime is how much time there is before an end opens a connection, by a call
// or for a SYN: initial sequence numbers grow with time, and no two connections
// begin at one instant.
const openTime = clock.Millisecond

// act gives what an input does to an end. The end stays as it is.
func (x *Explorer) act(i int, e *end, in input, p *parcel) (f effect) {
	if x.exact {
		f = x.perform(i, e, in, p)
		f.took = f.end.now.Sub(e.now)
		return f
	}
	key := [2]uint64{e.hash, uint64(in)}
	if p != nil {
		key[1] ^= p.hash
	}
	known, ok := x.memo[key]
	if ok && !x.audit {
		return known
	}
	f = x.perform(i, e, in, p)
	if ok && !same(&f, &known) {
		f.breach = "two states with one fingerprint have different futures"
	}
	f.took = f.end.now.Sub(e.now)
	if f.breach == "" {
		f.end = x.only(f.end) // whose clock may show another time
	}
	x.memo[key] = f
	return f
}

// same reports whether two effects are.
func same(f, g *effect) bool {
	return f.breach == g.breach && f.failed == g.failed && f.given == g.given && f.irs == g.irs && f.end.hash == g.end.hash &&
		slices.EqualFunc(f.out, g.out, func(p, q *parcel) bool { return p.hash == q.hash })
}

// mayFail: a half-open connection may come of an old SYN, and ends when nobody
// answers. After both FINs a reset says that the TIME-WAIT of the other end is over;
// its acknowledgment of the FIN was lost. Linux tells of it.
func mayFail(s tcp.State, in input) bool {
	switch s {
	case tcp.SynReceived:
		return true
	case tcp.Closing, tcp.LastAck:
		return in == arrival
	}
	return false
}

func (x *Explorer) perform(i int, e *end, in input, p *parcel) (f effect) {
	d := new(end)
	*d = *e
	d.stack = e.stack.Clone()
	aborted := d.stack.Stats().Aborted
	f.end = d
	defer func() {
		if r := recover(); r != nil {
			f.breach = panicText(r)
		}
	}()
	switch in {
	case arrival:
		if opens(p) && !d.alive {
			d.now = d.now.Add(openTime)
		}
		d.stack.Input(d.now, &packet.Packet{Bytes: p.bytes})
	case expiry:
		d.now = d.due
		d.stack.Expire(d.now)
	case call:
		if f.breach = x.call(i, d); f.breach != "" {
			return f
		}
	}
	for moved := true; moved; {
		moved = false
		for _, ok := d.stack.NextReady(); ok; _, ok = d.stack.NextReady() {
			// The program looks for itself.
		}
		for d.stack.Output(d.now, &x.packet) {
			f.out = append(f.out, newParcel(1-i, x.packet.Bytes))
			if len(f.out) > burstMax {
				f.breach = "packets come out without end"
				return f
			}
		}
		if f.breach = x.readAll(i, &f, &moved); f.breach != "" {
			return f
		}
		if x.world.Users[i].Prompt && !moved && (d.round > 0 || x.next(i, d).Do != Dial) && x.canGoOn(i, d) {
			if f.breach = x.call(i, d); f.breach != "" {
				return f
			}
			moved = true
		}
	}
	f.failed = d.stack.Stats().Aborted > aborted && !mayFail(e.view.State, in)
	if f.breach = x.checkEnd(d); f.breach == "" {
		x.finish(i, d)
	}
	return f
}

// idle gives what an end becomes when d passes there, in which none of its timers
// fires.
func (x *Explorer) idle(i int, e *end, d clock.Duration) *end {
	if d == 0 {
		return e
	}
	key := [2]uint64{e.hash, uint64(d)<<8 | uint64(pause)}
	if known, ok := x.memo[key]; ok && !x.exact {
		return known.end
	}
	f := effect{end: new(end)}
	*f.end = *e
	f.end.now = e.now.Add(d)
	x.finish(i, f.end)
	if !x.exact {
		f.end = x.only(f.end)
		x.memo[key] = f
	}
	return f.end
}

// idles is how much time passes at an end while a timer of the other's runs for d.
// That timer is the first to fire. As long as the network is bad there is none but
// where nothing is waited for, or something that takes long; in a good one the
// clocks go together.
func (e *end) idles(d clock.Duration, together bool) clock.Duration {
	switch {
	case e.due == clock.Never && !e.alive:
		return 0 // it makes no difference
	case e.due == clock.Never:
		return d
	case together:
		return min(d, e.due.Sub(e.now))
	case e.long:
		return max(0, min(d, e.due.Sub(e.now)-clock.Millisecond))
	}
	return 0
}

// only gives the one end of those that are the same.
func (x *Explorer) only(e *end) *end {
	if known, ok := x.ends[e.hash]; ok {
		return known
	}
	x.ends[e.hash] = e
	return e
}

// panicText is what the engine says when one of its own invariants is broken.
func panicText(r any) string {
	switch r := r.(type) {
	case string:
		return "panic: " + r
	case error:
		return "panic: " + r.Error()
	}
	return "panic"
}

func newParcel(to int, b []byte) *parcel {
	p := &parcel{to: to, bytes: append([]byte(nil), b...)}
	p.hash = siphash.Sum64(siphash.Key{K0: uint64(to) + 1}, p.bytes)
	return p
}

// header reads what the engine has written.
func (p *parcel) header() (t wire.TCP, payload []byte) {
	var ip wire.IP
	wire.ParseIP(p.bytes, &ip)
	b := p.bytes[ip.HeaderLen:ip.TotalLen]
	wire.ParseTCP(b, &t)
	return t, b[t.HeaderLen:]
}

// opens reports whether p is a SYN that asks for a connection.
func opens(p *parcel) bool {
	t, _ := p.header()
	return t.Flags&(wire.SYN|wire.ACK|wire.RST) == wire.SYN
}

// octet is the one at a place of the stream that end i sends.
func octet(i int, at uint32) byte { return byte(at*7 + uint32(i)*101 + 1) }

// conn is the user's connection, nil before there is one and after the last call.
func (e *end) conn() *core.Conn {
	if e.slot == 0 {
		return nil
	}
	return e.stack.Conn(int(e.slot - 1))
}

// next is the operation of the program that comes next.
func (x *Explorer) next(i int, e *end) Op {
	if ops := x.world.Users[i].Ops; int(e.step) < len(ops) {
		return ops[e.step]
	}
	return Op{}
}

// readAll accepts a connection if there is one, and reads what has come.
func (x *Explorer) readAll(i int, f *effect, moved *bool) (breach string) {
	user, d := &x.world.Users[i], f.end
	another := x.next(i, d).Do == Accept
	if l := d.stack.Listener(0); l != nil && d.slot == 0 && (d.step == 0 || another) && l.Waiting() > 0 {
		if c, err := l.Accept(d.now); err == nil {
			d.begin(c)
			f.given, f.irs = true, c.View().Receive.IRS
			if another {
				d.step++
			}
			*moved = true
		}
	}
	c := d.conn()
	if c == nil || d.eof || user.Lazy && x.next(i, d).Do != AwaitEOF {
		return ""
	}
	for {
		n, err := x.readSome(i, d, c, len(x.room))
		if err != "" {
			return err
		}
		if n == 0 {
			return ""
		}
		*moved = true
	}
}

// readSome reads up to n octets and compares them with what the other end sends.
func (x *Explorer) readSome(i int, d *end, c *core.Conn, n int) (int, string) {
	n, err := c.Read(d.now, x.room[:n])
	for k, b := range x.room[:n] {
		if b != octet(1-i, d.read+uint32(k)) {
			return n, "what was read is not what was sent: an octet is lost, or comes twice"
		}
	}
	d.read += uint32(n)
	if err == tcp.ErrEOF {
		d.eof = true
	}
	return n, ""
}

// checkEnd looks at what has to hold within an end when it has nothing to send.
func (x *Explorer) checkEnd(d *end) string {
	x.events = d.stack.Log().Take(x.events[:0])
	for i := range x.events {
		// RFC 9293 Figure 5. The engine looks its edges up in the same table: this
		// sees those that it takes in another way.
		if ev := &x.events[i]; ev.Kind == event.Transition && !x.edges[ev.From][ev.To] {
			return tcp.State(ev.From).String() + " to " + tcp.State(ev.To).String() + " is not in Figure 5"
		}
	}
	why, _ := d.stack.Check()
	return why
}

// finish computes what follows from the rest of an end.
func (x *Explorer) finish(i int, d *end) {
	// What a hook has had to do while the network was calmed is due now.
	d.due, d.long = max(d.now, d.stack.Deadline()), false
	x.status = d.stack.AppendStatus(d.now, x.status[:0])
	for k := range x.status {
		if s := &x.status[k]; s.Due >= 0 && d.now.Add(s.Due) == d.due && s.Due == longest(&s.Timers) {
			d.long = true
		}
	}
	if c := d.conn(); c != nil && d.err == tcp.NoError {
		if err, ok := c.Err().(tcp.Error); ok {
			d.err = err
		}
	}
	d.view, d.alive = tcp.View{}, false
	name := x.name(i)
	if c := d.stack.Find(&name); c != nil {
		d.view, d.alive = c.View(), true
	}
	d.ready = x.canGoOn(i, d)

	h := siphash.New(siphash.Key{})
	h.WriteUint64(uint64(d.round)<<40 | uint64(i)<<32 | uint64(d.slot)<<16 | uint64(d.step))
	h.WriteUint64(uint64(d.read)<<32 | uint64(d.wrote))
	h.WriteUint64(uint64(bit(d.eof))<<9 | uint64(bit(d.shut))<<8 | uint64(d.err))
	h.WriteUint64(d.stack.Fingerprint(d.now))
	// The engine's fingerprint counts sequence numbers from where they began; the
	// packets on their way have them whole.
	h.WriteUint64(uint64(d.view.Send.ISS)<<32 | uint64(d.view.Receive.IRS))
	if w, ok := d.stack.Waiting(&name); ok {
		h.WriteUint64(uint64(w.SndNxt)<<32 | uint64(w.RcvNxt))
	}
	if !d.alive {
		h.WriteUint64(uint64(d.now)) // the next connection's comes from it
	}
	for _, iss := range d.opened {
		h.WriteUint64(uint64(iss))
	}
	d.hash = h.Sum64()
}

// longest is the time of the timers that run for longer than any packet lives: 2
// MSL, an orphan's patience, keepalive.
func longest(t *core.Timers) clock.Duration {
	wait, keepalive := t[tcp.TimerWait], t[tcp.TimerKeepalive]
	if wait < 0 || keepalive >= 0 && keepalive < wait {
		return keepalive
	}
	return wait
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
