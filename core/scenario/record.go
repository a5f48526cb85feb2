package scenario

import (
	"slices"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A recorder makes the timeline: it is the observer of the world at the front of a
// run.
type recorder struct {
	s       *Scenario
	items   []Item
	values  []uint64 // of TCB items
	packets []stored // by id, from 1
	arrived []stored // what has arrived otherwise than it was sent
	octets  []byte
	conns   []conn // by number, from 1
	hosts   []hostBook
	flows   []flowBook
	told    []uint32 // by sentence: how often what it is tied to has happened
	said    []bool
	acts    []Act       // of plugins
	broken  []violation // those that were told
	full    string      // which bound of a run was reached

	step     uint32
	arriving uint32 // the packet that is being taken in, 0: none
	at       int    // the item of its arrival
	touched  []uint32
	moved    bool // a connection has come, gone or changed its state
}

// A stored is a packet among the octets.
type stored struct {
	id       uint32
	start    uint32
	length   uint32
	from, to int8
	time     clock.Duration
	item     uint32
	hasTuple bool
	tuple    tcp.Tuple // of who has sent it
}

// A conn is what is remembered of a connection.
type conn struct {
	Conn
	state    tcp.State
	gone     bool
	touched  bool
	synced   bool // there is an IRS
	iss, irs seq.Value
	scale    uint8
	sent     seq.Value // the end of what was on the wire, if anySent
	anySent  bool
	armed    uint16
	due      [tcp.TimerSlots]clock.Duration
	last     [variables]uint64
}

type hostBook struct {
	conns []uint32 // by the stack's id, the number here
	out   uint32   // id of the connection that the latest SegmentOut was of
	outIs bool
	fired bool // a timer that probes ran out since the latest Send
	why   reason
	mem   [6]uint64
	acts  []acting // of this step
	sums  []Act    // by plugin
}

type flowBook struct {
	opened bool
	know   [2]uint64
}

type violation struct {
	host int
	conn uint32
	text string
}

func newRecorder(s *Scenario, flows int) *recorder {
	return &recorder{
		s: s, hosts: make([]hostBook, len(s.Hosts)), flows: make([]flowBook, flows), told: make([]uint32, len(s.Says)),
		said: make([]bool, len(s.Says)), packets: make([]stored, 1), conns: make([]conn, 1),
	}
}

// See is sim.Observer.
func (r *recorder) See(w *sim.World, s *sim.Sight) {
	at := s.At.Sub(start)
	switch s.What {
	case sim.Sent:
		r.sent(w, s, at)
	case sim.Lost:
		r.add(Item{Kind: Lose, At: at, Host: -1, Flow: -1, Packet: s.Packet, Why: uint8(s.Why)})
	case sim.Arrived:
		r.arrives(s, at)
	case sim.Happened:
		r.happened(w, s.Host, s.Event, at)
	case sim.Rested:
		r.rested(w, s.Host, at)
	case sim.Called:
		r.called(w, s, at)
	case sim.Read:
		n := r.number(w, s.Host, s.Conn)
		i := r.item(Read, at, s.Host, n)
		i.Flow, i.User, i.A = int16(s.Flow), int8(s.User), s.N
		if s.Wrong {
			i.Marks = Wrong
		}
		r.add(i)
		r.touch(n)
	case sim.Turned:
		r.turned(w, s, at)
	case sim.Broke:
		r.broke(w, s, at)
	default:
		panic("scenario: a sight that nobody records")
	}
	switch {
	case len(r.items) >= maxRunItems:
		r.full = "items"
	case len(r.octets) >= maxRunOctets:
		r.full = "octets"
	default:
		return
	}
	w.Stop()
}

// item begins an item about a connection.
func (r *recorder) item(k Kind, at clock.Duration, host int, conn uint32) Item {
	i := Item{Kind: k, At: at, Host: int8(host), Conn: conn, Flow: -1}
	if conn != 0 {
		i.Flow, i.User = int16(r.conns[conn].Flow), int8(r.conns[conn].User)
	}
	return i
}

// room is a slice with room for n more. append makes a large one larger by a quarter,
// and so copies each element five times on the way, and leaves as much behind; where
// memory is never given back, as in WASM, that is what a long run would cost.
func room[E any](s []E, n int) []E {
	if cap(s)-len(s) >= n {
		return s
	}
	return slices.Grow(s, max(n, len(s)))
}

// add appends an item, and what the narration has to say of it.
func (r *recorder) add(i Item) {
	i.Step = r.step
	r.items = append(room(r.items, 1), i)
	r.narrate(&i)
}

// number finds a connection by its stack's id; one that is new is noted.
func (r *recorder) number(w *sim.World, host int, id uint32) uint32 {
	if id == 0 {
		return 0
	}
	h := &r.hosts[host]
	for uint32(len(h.conns)) <= id {
		h.conns = append(h.conns, 0)
	}
	if h.conns[id] == 0 {
		h.conns[id] = uint32(len(r.conns))
		r.open(w, host, id)
	}
	return h.conns[id]
}

// open notes a new connection.
func (r *recorder) open(w *sim.World, host int, id uint32) {
	c := conn{Conn: Conn{Host: host, Flow: -1, ID: id}}
	if live := find(w.Stack(host), id); live != nil {
		c.Local, c.Remote, c.Passive = live.Local(), live.Remote(), live.Passive()
	} else if p := r.packet(r.arriving); p != nil && p.hasTuple {
		c.Local, c.Remote, c.Passive = p.tuple.Remote, p.tuple.Local, true
	}
	if c.Passive {
		c.state = tcp.Listen
	}
	for f := len(r.flows) - 1; f >= 0; f-- {
		first, second := w.Names(f)
		if r.flows[f].opened && c.Local == second && c.Remote == first {
			c.Flow, c.User = f, 1
			break
		}
	}
	r.conns = append(r.conns, c)
	r.moved = true
	r.opened(uint32(len(r.conns)-1), w)
}

func (r *recorder) opened(n uint32, w *sim.World) {
	c := &r.conns[n]
	i := r.item(Opened, w.Now().Sub(start), c.Host, n)
	if c.Passive {
		i.Marks = Passive
	}
	r.add(i)
}

// find looks for a connection by its id.
func find(s *core.Stack, id uint32) *core.Conn {
	for slot := range s.Slots() {
		if c := s.Conn(slot); c != nil && c.ID() == id {
			return c
		}
	}
	return nil
}

// live is a connection that is there, nil if it has left its stack.
func (r *recorder) live(w *sim.World, n uint32) *core.Conn {
	c := &r.conns[n]
	if live := w.Stack(c.Host).Find(&tcp.Tuple{Local: c.Local, Remote: c.Remote}); live != nil && live.ID() == c.ID {
		return live
	}
	return nil
}

func (r *recorder) touch(n uint32) {
	if n != 0 && !r.conns[n].touched {
		r.conns[n].touched = true
		r.touched = append(r.touched, n)
	}
}

func (r *recorder) happened(w *sim.World, host int, e *event.Event, at clock.Duration) {
	if e.Kind == event.Ready || e.Kind == event.Accept {
		return
	}
	n := r.number(w, host, e.Conn)
	r.touch(n)
	i := r.item(0, at, host, n)
	i.Rule = e.Rule
	switch e.Kind {
	case event.Transition:
		i.Kind, i.From, i.Into, i.By, i.Packet = State, e.From, e.To, e.By, r.arriving
		if n != 0 {
			r.conns[n].state, r.conns[n].gone = tcp.State(e.To), e.To <= uint8(tcp.Listen)
			r.moved = true
		}
	case event.Drop:
		i.Kind, i.By, i.Packet = Drop, e.From, r.arriving
	case event.TimerArmed:
		due := clock.Instant(e.A).Sub(start)
		if c := &r.conns[n]; c.armed>>e.By&1 != 0 && c.due[e.By] == due {
			return
		}
		r.conns[n].armed |= 1 << e.By
		r.conns[n].due[e.By] = due
		i.Kind, i.By, i.Into, i.A = Timer, e.By, TimerArmed, uint64(due)
	case event.TimerFired:
		r.conns[n].armed &^= 1 << e.By
		r.hosts[host].fired = true
		i.Kind, i.By, i.Into = Timer, e.By, TimerFired
	case event.RTT:
		i.Kind, i.A, i.B, i.C, i.D = RTT, e.A, e.B, e.C, e.D
	case event.Congestion:
		i.Kind, i.A, i.B, i.C = Cwnd, e.A, e.B, e.C
	case event.Recovery:
		i.Kind, i.From, i.Into = Phase, e.From, e.To
	case event.Retransmit:
		i.Kind, i.A, i.B = Rexmit, uint64(seq.Value(e.A>>32).From(r.iss(w, n))), e.A&0xffffffff
	case event.SoftError:
		i.Kind, i.By, i.A = Soft, e.By, e.A
	case event.Plugin:
		i.Kind, i.By, i.From, i.A, i.B = Plugin, e.By, e.From, e.A, e.B
		i.Text, i.C = r.pluginName(host, int(e.To)), r.take(host, int(e.To), tcp.Step(e.From))
	case event.SegmentIn:
		if r.arriving != 0 && n != 0 {
			r.items[r.at].Conn, r.items[r.at].Flow = n, i.Flow
		}
		return
	case event.SegmentOut:
		r.hosts[host].out, r.hosts[host].outIs = e.Conn, true
		return
	default:
		return
	}
	r.add(i)
	if i.Kind != Timer || i.Into == TimerFired {
		r.reasoned(&i)
	}
}

// pluginName is what stands before the comma.
func (r *recorder) pluginName(host, index int) string {
	specs := r.s.Hosts[host].Plugins
	if index >= len(specs) {
		return ""
	}
	name := specs[index]
	for k := range len(name) {
		if name[k] == ',' {
			return name[:k]
		}
	}
	return name
}

func (r *recorder) called(w *sim.World, s *sim.Sight, at clock.Duration) {
	if s.Call == "open" && s.Err == tcp.NoError {
		r.flows[s.Flow].opened = true
	}
	n := r.number(w, s.Host, s.Conn)
	if n != 0 && s.Flow >= 0 {
		if c := &r.conns[n]; c.Flow < 0 {
			c.Flow, c.User = s.Flow, s.User
			last := &r.items[len(r.items)-1]
			if last.Kind == Opened && last.Conn == n {
				last.Flow, last.User = int16(s.Flow), int8(s.User)
			}
		}
	}
	if s.Call == "ended" && s.Err == tcp.NoError {
		return
	}
	i := r.item(Call, at, s.Host, n)
	i.Flow, i.User, i.Text, i.A, i.By = int16(s.Flow), int8(s.User), s.Call, s.N, uint8(s.Err)
	r.add(i)
	r.touch(n)
}

func (r *recorder) turned(w *sim.World, s *sim.Sight, at clock.Duration) {
	r.add(Item{Kind: Turned, At: at, Host: int8(s.Host), Flow: -1, By: uint8(s.Turn)})
	if s.Turn == sim.Shut {
		return
	}
	// Ids begin anew.
	for n := range r.conns {
		if c := &r.conns[n]; n > 0 && c.Host == s.Host && !c.gone {
			c.gone, c.state = true, tcp.Closed
			if c.Flow >= 0 {
				r.know(s.Host, c.Flow, c.User, 0, at)
			}
		}
	}
	r.hosts[s.Host].conns = nil
	r.watch(w)
	r.moved = true
}

func (r *recorder) broke(w *sim.World, s *sim.Sight, at clock.Duration) {
	n := uint32(0)
	if s.Host >= 0 {
		n = r.number(w, s.Host, s.Conn)
	}
	v := violation{s.Host, n, s.Text}
	if slices.Contains(r.broken, v) || len(r.broken) >= maxViolations {
		return
	}
	r.broken = append(r.broken, v)
	i := r.item(Violation, at, s.Host, n)
	i.Text = s.Text
	r.add(i)
}

// maxViolations is how many different ones are told.
const maxViolations = 64

// octetsOf is a packet's.
func (r *recorder) octetsOf(p *stored) []byte {
	return r.octets[p.start : p.start+p.length : p.start+p.length]
}

func (r *recorder) packet(id uint32) *stored {
	if id == 0 || int(id) >= len(r.packets) {
		return nil
	}
	return &r.packets[id]
}

// tupleOf is who has sent a packet and to whom.
func tupleOf(ip *wire.IP, t *wire.TCP) tcp.Tuple {
	return tcp.Tuple{Local: wire.AddrPort{Addr: ip.Src, Port: t.SrcPort}, Remote: wire.AddrPort{Addr: ip.Dst, Port: t.DstPort}}
}

// clone shares what was recorded, to which both append by themselves: between two
// steps nothing of it is written any more.
func (r *recorder) clone() *recorder {
	c := *r
	c.items, c.values, c.octets = slices.Clip(r.items), slices.Clip(r.values), slices.Clip(r.octets)
	c.packets, c.arrived, c.broken = slices.Clone(r.packets), slices.Clip(r.arrived), slices.Clip(r.broken)
	c.acts = slices.Clip(r.acts)
	c.conns, c.flows = slices.Clone(r.conns), slices.Clone(r.flows)
	c.told, c.said, c.touched = slices.Clone(r.told), slices.Clone(r.said), slices.Clone(r.touched)
	c.hosts = slices.Clone(r.hosts)
	for i := range c.hosts {
		h := &c.hosts[i]
		h.conns, h.acts, h.sums = slices.Clone(h.conns), slices.Clone(h.acts), slices.Clone(h.sums)
	}
	return &c
}
