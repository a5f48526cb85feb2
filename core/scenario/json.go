package scenario

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A writer appends JSON. A name writes the comma before it; an empty value is left
// out where ifs say so.
type writer struct{ b []byte }

func (w *writer) comma() {
	if n := len(w.b); n > 0 {
		switch w.b[n-1] {
		case '{', '[', ':', ',', '\n':
		default:
			w.b = append(w.b, ',')
		}
	}
}

func (w *writer) name(s string) {
	w.comma()
	w.b = append(append(append(w.b, '"'), s...), '"', ':')
}

func (w *writer) open(name string, bracket byte) {
	if name != "" {
		w.name(name)
	} else {
		w.comma()
	}
	w.b = append(w.b, bracket)
}

func (w *writer) close(bracket byte) { w.b = append(w.b, bracket) }

func (w *writer) int(name string, n int64) {
	w.name(name)
	w.b = strconv.AppendInt(w.b, n, 10)
}

func (w *writer) ifInt(name string, n int64) {
	if n != 0 {
		w.int(name, n)
	}
}

func (w *writer) uint(name string, n uint64) {
	w.name(name)
	w.b = strconv.AppendUint(w.b, n, 10)
}

func (w *writer) ifUint(name string, n uint64) {
	if n != 0 {
		w.uint(name, n)
	}
}

func (w *writer) ifTrue(name string, v bool) {
	if v {
		w.name(name)
		w.b = append(w.b, "true"...)
	}
}

func (w *writer) text(name, s string) {
	w.name(name)
	w.string(s)
}

func (w *writer) ifText(name, s string) {
	if s != "" {
		w.text(name, s)
	}
}

// string writes a string: what is not printable ASCII or well-formed UTF-8 is
// replaced.
func (w *writer) string(s string) {
	w.comma()
	w.b = append(w.b, '"')
	if isPlain(s) {
		w.b = append(append(w.b, s...), '"')
		return
	}
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			w.b = append(w.b, '\\', byte(c))
		case c < ' ' || c == 0x7f || c == '<' || c == '\u2028' || c == '\u2029':
			const hex = "0123456789abcdef"
			w.b = append(w.b, '\\', 'u', hex[c>>12&15], hex[c>>8&15], hex[c>>4&15], hex[c&15])
		default:
			w.b = append(w.b, string(c)...)
		}
	}
	w.b = append(w.b, '"')
}

// isPlain reports whether a string is written as it stands, as nearly all are.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' {
			return false
		}
	}
	return true
}

// hex writes 16 digits, since JSON's numbers end at 2 to the 53.
func (w *writer) hex(name string, n uint64) {
	w.name(name)
	w.b = append(w.b, '"')
	w.b = AppendHash(w.b, n)
	w.b = append(w.b, '"')
}

// AppendHash writes a hash as it is shown everywhere: 16 digits.
func AppendHash(b []byte, n uint64) []byte {
	const hex = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, hex[n>>shift&15])
	}
	return b
}

// AppendJSON appends the run up to the cursor's front as one object: what it is, and
// the items of its timeline from one index on and before another (-1: all). Times are
// nanoseconds since the beginning; what is zero or empty is left out.
func (r *Run) AppendJSON(b []byte, from, upto int) []byte {
	w := &writer{b}
	w.open("", '{')
	s := r.s
	w.text("scenario", s.ID)
	w.uint("seed", s.Seed)
	w.int("end", int64(s.End))
	w.open("hosts", '[')
	for i := range s.Hosts {
		h := &s.Hosts[i]
		w.open("", '{')
		w.text("name", h.Name)
		w.text("addr", h.Addrs[0].String())
		w.text("profile", h.Profile)
		if len(h.Plugins) > 0 {
			w.open("plugins", '[')
			for _, p := range h.Plugins {
				w.string(p)
			}
			w.close(']')
		}
		w.close('}')
	}
	w.close(']')
	w.open("links", '[')
	for i := range s.Links {
		for way, c := range s.Links[i].Ways {
			ends := [2]int{s.Links[i].A, s.Links[i].B}
			w.open("", '{')
			w.int("from", int64(ends[way]))
			w.int("to", int64(ends[1-way]))
			writeChannel(w, &c)
			w.close('}')
		}
	}
	w.close(']')
	w.open("listens", '[')
	for i := range s.Listens {
		w.open("", '{')
		w.int("h", int64(s.Listens[i].Host))
		w.int("port", int64(s.Listens[i].Port))
		w.close('}')
	}
	w.close(']')
	w.open("flows", '[')
	for i := range r.rec.flows {
		first, second := r.front.Names(i)
		w.open("", '{')
		w.text("name", s.FlowName(i))
		w.open("hosts", '[')
		for user := range 2 {
			w.comma()
			w.b = strconv.AppendInt(w.b, int64(r.front.User(i, user)), 10)
		}
		w.close(']')
		w.text("from", first.String())
		w.text("to", second.String())
		w.close('}')
	}
	w.close(']')
	w.open("says", '[')
	for i := range s.Says {
		w.open("", '{')
		w.text("id", s.Says[i].ID)
		w.ifText("filter", s.Says[i].Filter)
		w.ifInt("rows", int64(s.Says[i].Rows))
		w.ifInt("seen", int64(s.Says[i].Seen))
		w.close('}')
	}
	w.close(']')
	if len(s.Marks) > 0 {
		w.open("marks", '[')
		for _, m := range s.Marks {
			w.open("", '{')
			w.int("p", int64(m.Packet))
			w.text("field", m.Field)
			w.close('}')
		}
		w.close(']')
	}
	w.int("steps", int64(r.steps))
	w.int("at", int64(r.at))
	w.ifTrue("ended", r.ended)
	w.hex("hash", r.Hash())
	w.hex("fingerprint", r.Fingerprint())
	w.int("count", int64(len(r.rec.items)))
	w.name("items")
	w.b = r.AppendItems(w.b, from, upto)
	w.close('}')
	return w.b
}

func writeChannel(w *writer, c *sim.Channel) {
	w.ifInt("delay", int64(c.Delay))
	w.ifInt("jitter", int64(c.Jitter))
	w.ifUint("rate", c.Rate)
	w.ifInt("queue", int64(c.Queue))
	w.ifInt("mtu", int64(c.MTU))
	w.ifUint("loss", uint64(c.Loss))
	w.ifUint("duplicate", uint64(c.Duplicate))
	w.ifUint("reorder", uint64(c.Reorder))
	w.ifUint("corrupt", uint64(c.Corrupt))
	w.ifInt("hold", int64(c.Hold))
}

// AppendItems appends the items as an array.
func (r *Run) AppendItems(b []byte, from, upto int) []byte {
	w := &writer{b}
	if upto < 0 || upto > len(r.rec.items) {
		upto = len(r.rec.items)
	}
	w.b = append(w.b, '[')
	for k := max(from, 0); k < upto; k++ {
		if k > max(from, 0) {
			w.b = append(w.b, ',', '\n')
		}
		i := &r.rec.items[k]
		w.open("", '{')
		w.int("i", int64(k))
		w.int("n", int64(i.Step))
		w.int("t", int64(i.At))
		w.text("k", i.Kind.String())
		r.writeItem(w, i)
		w.close('}')
	}
	return append(w.b, ']')
}

// writeItem writes what an item of its kind has.
func (r *Run) writeItem(w *writer, i *Item) {
	if i.Host >= 0 || i.Kind == Send {
		w.int("h", int64(i.Host))
	}
	if i.Conn != 0 {
		w.int("c", int64(i.Conn))
	}
	if i.Flow >= 0 {
		w.int("f", int64(i.Flow))
	}
	if i.Packet != 0 {
		w.int("p", int64(i.Packet))
	}
	switch i.Kind {
	case Send:
		r.writeSend(w, i)
	case Arrive:
		w.ifTrue("dup", i.Marks.Has(Again))
		w.ifTrue("router", i.Marks.Has(Router))
		w.ifTrue("spoiled", i.Marks.Has(Spoiled))
	case Lose:
		w.text("why", sim.Loss(i.Why).String())
	case Opened:
		c := &r.rec.conns[i.Conn]
		w.int("who", int64(c.User))
		w.text("local", c.Local.String())
		w.text("remote", c.Remote.String())
		w.ifTrue("passive", c.Passive)
	case State:
		w.text("from", tcp.State(i.From).String())
		w.text("to", tcp.State(i.Into).String())
		w.text("cause", tcp.Cause(i.By).String())
	case Drop:
		w.text("reason", rule.Drop(i.By).String())
	case Timer:
		w.text("slot", tcp.TimerName(i.By))
		w.text("ev", timerEvents[i.Into])
		if i.Into == TimerArmed {
			w.int("due", int64(i.A))
		}
	case RTT:
		w.uint("sample", i.A)
		w.uint("srtt", i.B)
		w.uint("var", i.C)
		w.uint("rto", i.D)
	case Cwnd:
		w.uint("cwnd", i.A)
		w.uint("ssthresh", i.B)
		w.uint("flight", i.C)
	case Phase:
		w.text("from", tcp.Phase(i.From).String())
		w.text("to", tcp.Phase(i.Into).String())
	case Rexmit:
		w.uint("seq", i.A)
		w.uint("len", i.B)
	case Soft:
		w.text("error", ErrorName(tcp.Error(i.By)))
	case TCB:
		w.open("d", '{')
		r.Changed(i, w.uint)
		w.close('}')
	case Mem:
		w.uint("held", i.A)
		w.uint("conns", i.B>>32)
		w.uint("half", i.B&0xffffffff)
		w.uint("ghosts", i.C>>32)
		w.uint("timewaits", i.C&0xffffffff)
		w.uint("backlog", i.D)
	case Know:
		w.int("who", int64(i.User))
		w.ifTrue("sendOK", i.A&1 != 0)
		w.ifTrue("recvOK", i.A&2 != 0)
	case Call:
		w.int("who", int64(i.User))
		w.text("op", i.Text)
		w.ifUint("arg", i.A)
		if e := tcp.Error(i.By); e == tcp.ErrEOF {
			w.text("error", "EOF")
		} else if e != tcp.NoError {
			w.text("error", ErrorName(e))
		}
	case Read:
		w.int("who", int64(i.User))
		w.uint("len", i.A)
		w.ifTrue("wrong", i.Marks.Has(Wrong))
	case Turned:
		w.text("what", sim.TurnKind(i.By).String())
	case Plugin:
		w.text("name", i.Text)
		w.int("verdict", int64(i.By))
		w.int("step", int64(i.From))
		w.ifUint("arg", i.A)
		w.ifUint("hook", i.B>>32)
		w.ifUint("why", i.B&0xffffffff)
		if a := r.Act(i); a != nil {
			a.write(w)
		}
	case Violation:
		w.text("what", i.Text)
	case Said:
		w.uint("say", i.A)
		w.text("id", r.s.Says[i.A].ID)
	case Ended:
		w.ifText("why", i.Text)
	default:
		panic("scenario: an item that nobody writes")
	}
	w.ifInt("rule", int64(i.Rule))
}

func (a *Act) write(w *writer) {
	w.ifUint("used", a.Used)
	w.uint("calls", a.Calls)
	w.uint("fuel", a.Fuel)
	w.ifText("said", a.Said)
	if len(a.Changes) == 0 {
		return
	}
	w.open("changes", '[')
	for k := range a.Changes {
		c := &a.Changes[k]
		w.open("", '{')
		w.text("field", c.Field)
		w.text("was", c.Was)
		w.text("is", c.Is)
		w.close('}')
	}
	w.close(']')
}

func (r *Run) writeSend(w *writer, i *Item) {
	w.int("d", int64(i.To))
	w.ifTrue("again", i.Marks.Has(Again))
	w.ifTrue("probe", i.Marks.Has(Probe))
	p := r.rec.packet(i.Packet)
	if p == nil || !p.hasTuple {
		w.ifTrue("icmp", true)
		return
	}
	var ip wire.IP
	var t wire.TCP
	b := r.rec.octetsOf(p)
	wire.ParseIP(b, &ip)
	wire.ParseTCP(b[ip.HeaderLen:], &t)
	w.text("flags", t.Flags.String())
	w.int("seq", i.Seq())
	w.uint("rseq", uint64(t.Seq))
	if t.Flags.Has(wire.ACK) {
		w.int("ack", i.Ack())
		w.uint("rack", uint64(t.Ack))
	}
	w.int("len", int64(i.Len()))
	w.uint("win", uint64(t.Window))
	w.uint("wnd", i.Window())
	w.ifUint("urg", uint64(t.Urgent))
	if t.Options.Has != 0 {
		writeOptions(w, i, &t)
	}
}

// writeOptions writes what options there are. SACK blocks count as the
// acknowledgment number does.
func writeOptions(w *writer, i *Item, t *wire.TCP) {
	o := &t.Options
	w.open("opts", '{')
	if o.Has.Has(wire.HasMSS) {
		w.uint("mss", uint64(o.MSS))
	}
	if o.Has.Has(wire.HasWindowScale) {
		w.uint("wscale", uint64(o.WindowScale))
	}
	w.ifTrue("sackok", o.Has.Has(wire.HasSACKPermitted))
	if o.Has.Has(wire.HasTimestamps) {
		w.uint("tsval", uint64(o.TSVal))
		w.uint("tsecr", uint64(o.TSEcr))
	}
	if o.Has.Has(wire.HasSACK) {
		w.open("sack", '[')
		for _, b := range o.SACK[:min(int(o.SACKCount), len(o.SACK))] {
			for _, edge := range [...]uint32{uint32(b.Left), uint32(b.Right)} {
				w.comma()
				w.b = strconv.AppendInt(w.b, i.Ack()+int64(int32(edge-uint32(t.Ack))), 10)
			}
		}
		w.close(']')
	}
	w.ifTrue("unknown", o.Has.Has(wire.HasUnknown))
	w.close('}')
}

// AppendCheck appends the results of Check as an array: where each expectation stands,
// whether it holds and what was found, which is left out if that was nothing.
func (r *Run) AppendCheck(b []byte) []byte {
	w := &writer{b}
	w.b = append(w.b, '[')
	for k, o := range r.Check() {
		if k > 0 {
			w.b = append(w.b, ',', '\n')
		}
		w.open("", '{')
		w.ifInt("extra", int64(o.Where.Extra))
		w.int("line", int64(o.Where.Line))
		w.name("held")
		w.b = strconv.AppendBool(w.b, o.Held)
		switch {
		case o.None:
		case o.Text != "":
			w.text("found", o.Text)
		default:
			w.int("found", o.Found)
		}
		w.ifInt("at", int64(o.At))
		w.close('}')
	}
	return append(w.b, ']')
}
