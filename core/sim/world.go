package sim

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	wires "github.com/tcpkit/tcpkit/core/wire"
)

// A Config is a world before its first event.
type Config struct {
	Seed  uint64
	Hosts []Host
	Link  Link // each direction between each two hosts, unless Links says otherwise
	Plan  []Planned
	Flows []Flow
	// CalmAt is when chance ends: links go on with their delay alone. Never if 0.
	CalmAt clock.Instant
}

// A Host is one stack of a world.
type Host struct {
	Core    core.Config // its secret is made from the seed
	Addr    wires.Prefix
	MTU     int      // 0: 1500
	Ports   []uint16 // with a listener
	Backlog int      // of each; 0: 128
}

type host struct {
	stack *core.Stack
	addr  wires.Addr
	owner []int32 // by slot: 2*flow + side + 1
	port  []int32 // slots of listeners
	seen  watcher
}

// A reminder has an application act when nothing else happens to it.
type reminder struct {
	at   clock.Instant
	side int32
}

// A World is a network of hosts and what happens on it. See the package comment.
type World struct {
	key   siphash.Key
	now   clock.Instant
	hosts []host
	links []wire
	plan  []Planned
	calm  clock.Instant
	air   flight
	order uint64
	spare [][]byte

	flows     []flow
	nextFlow  int // the first that is not open yet
	flowsLeft int
	reminders []reminder // sorted by time, latest first

	p       packet.Packet
	scratch [4096]byte
	failed  string

	Events    uint64 // steps made
	Packets   uint64 // packets sent
	Lost      uint64
	Turned    uint64
	Written   uint64 // octets, by applications
	Delivered uint64 // octets, to applications
}

// New makes a world. Flows have to be in the order of their time.
func New(cfg Config) (*World, error) {
	w := &World{key: siphash.Key{K0: cfg.Seed, K1: 0x74637073696d}, plan: cfg.Plan, calm: cfg.CalmAt, now: clock.Instant(clock.Second)}
	if w.calm == 0 {
		w.calm = clock.Never
	}
	for i, h := range cfg.Hosts {
		secret := [2]uint64{siphash.PRF(w.key, 1, uint64(i), 0), siphash.PRF(w.key, 1, uint64(i), 1)}
		for k := range h.Core.Secret {
			h.Core.Secret[k] = byte(secret[k/8] >> (k % 8 * 8))
		}
		if h.MTU == 0 {
			h.MTU = 1500
		}
		s, err := core.New(h.Core, packet.Link{MTU: h.MTU})
		if err != nil {
			return nil, err
		}
		if err := s.AddAddr(h.Addr); err != nil {
			return nil, err
		}
		if h.Backlog == 0 {
			h.Backlog = 128
		}
		ports := []int32{}
		for _, port := range h.Ports {
			l, err := s.Listen(w.now, wires.AddrPort{Port: port}, core.ListenOptions{Backlog: h.Backlog})
			if err != nil {
				return nil, err
			}
			ports = append(ports, int32(l.Slot()))
		}
		s.Log().SetLimit(0) // the hash alone
		s.Log().SetMask(event.All)
		w.hosts = append(w.hosts, host{stack: s, addr: h.Addr.Addr, port: ports})
	}
	for range len(w.hosts) * len(w.hosts) {
		w.links = append(w.links, wire{Link: cfg.Link})
	}
	for i, f := range cfg.Flows {
		one := flow{Flow: f, id: uint32(i)}
		one.ends[0] = side{End: f.Client, host: f.From, slot: -1}
		one.ends[1] = side{End: f.Server, host: f.To, slot: -1}
		w.flows = append(w.flows, one)
	}
	w.flowsLeft = 2 * len(w.flows)
	w.watch()
	return w, nil
}

// SetLink changes one direction between two hosts from now on.
func (w *World) SetLink(from, to int, l Link) { w.links[from*len(w.hosts)+to].Link = l }

// Now is the time of the last event.
func (w *World) Now() clock.Instant { return w.now }

// Stack is the stack of a host.
func (w *World) Stack(host int) *core.Stack { return w.hosts[host].stack }

// Failed is what went wrong, "" while nothing has.
func (w *World) Failed() string { return w.failed }

// fail notes the first thing that goes wrong.
func (w *World) fail(what string, flow uint32) {
	if w.failed == "" {
		w.failed = what + " (flow " + strconv.Itoa(int(flow)) + ", at " + w.now.String() + ")"
	}
}

// Left is how many ends of flows have not closed yet.
func (w *World) Left() int { return w.flowsLeft }

// Hash covers all events of all stacks so far.
func (w *World) Hash() uint64 {
	h := siphash.New(siphash.Key{})
	for i := range w.hosts {
		h.WriteUint64(w.hosts[i].stack.Log().Hash())
		h.WriteUint64(w.hosts[i].stack.Log().Count())
	}
	return h.Sum64()
}

// Fingerprint covers what decides the world's future, but for chance.
func (w *World) Fingerprint() uint64 {
	h := siphash.New(siphash.Key{})
	for i := range w.hosts {
		h.WriteUint64(w.hosts[i].stack.Fingerprint(w.now))
	}
	h.WriteUint64(uint64(len(w.air)))
	return h.Sum64()
}

// Clone is a world with the same past and a future of its own.
func (w *World) Clone() *World {
	c := *w
	c.hosts = append([]host(nil), w.hosts...)
	for i := range c.hosts {
		h := &c.hosts[i]
		h.stack = h.stack.Clone()
		h.owner = append([]int32(nil), h.owner...)
		h.seen = h.seen.clone()
	}
	c.links = append([]wire(nil), w.links...)
	c.flows = append([]flow(nil), w.flows...)
	c.reminders = append([]reminder(nil), w.reminders...)
	c.air = append(flight(nil), w.air...)
	for i := range c.air {
		c.air[i].bytes = append([]byte(nil), c.air[i].bytes...)
	}
	c.spare, c.p = nil, packet.Packet{}
	c.watch()
	return &c
}

// next is when something happens next, and what.
func (w *World) next() (at clock.Instant, what int) {
	const nothing, arrival, opening, reminding, timer = -1, -2, -3, -4, 0
	at, what = clock.Never, nothing
	take := func(t clock.Instant, k int) {
		if t < at {
			at, what = t, k
		}
	}
	if len(w.air) > 0 {
		take(w.air[0].at, arrival)
	}
	if w.nextFlow < len(w.flows) {
		take(w.flows[w.nextFlow].At, opening)
	}
	if n := len(w.reminders); n > 0 {
		take(w.reminders[n-1].at, reminding)
	}
	for i := range w.hosts {
		take(w.hosts[i].stack.Deadline(), timer+i)
	}
	return at, what
}

// Step makes the next thing happen, and checks the invariants. It returns false
// when nothing is left, or after a failure.
func (w *World) Step() bool {
	at, what := w.next()
	if at == clock.Never || w.failed != "" {
		return false
	}
	w.Events++
	if at > w.now {
		w.now = at
	}
	if w.now >= w.calm {
		for i := range w.links {
			w.links[i].Link = Link{Delay: w.links[i].Delay}
		}
		w.calm = clock.Never
	}
	switch what {
	case -2:
		p := w.air.pop()
		w.p.Reset()
		w.p.Bytes = append(w.p.Bytes, p.bytes...)
		w.spare = append(w.spare, p.bytes)
		reset := isReset(w.p.Bytes)
		w.hosts[p.to].stack.Input(w.now, &w.p)
		w.settle(p.to, reset)
	case -3:
		w.open(w.nextFlow)
		w.nextFlow++
	case -4:
		r := w.reminders[len(w.reminders)-1]
		w.reminders = w.reminders[:len(w.reminders)-1]
		f, dir := int(r.side)/2, int(r.side)%2
		w.flows[f].ends[dir].pending = false
		w.act(f, dir)
		w.settle(w.flows[f].ends[dir].host, false)
	default:
		w.hosts[what].stack.Expire(w.now)
		w.settle(what, false)
		if d := w.hosts[what].stack.Deadline(); d < w.now {
			w.fail("a deadline stays in the past", 0)
		}
	}
	return w.failed == ""
}

// Run steps until nothing is left to happen, at most so many times.
func (w *World) Run(most uint64) {
	for n := uint64(0); n < most && w.Step(); n++ {
	}
}

// open starts a flow.
func (w *World) open(i int) {
	f := &w.flows[i]
	from, to := &w.hosts[f.From], &w.hosts[f.To]
	remote := wires.AddrPort{Addr: to.addr, Port: f.Port}
	local := wires.AddrPort{}
	if f.Cross {
		local.Port = f.Port + 1
	}
	c, err := from.stack.Dial(w.now, local, remote, nil)
	if err != nil {
		w.fail("dial: "+err.Error(), f.id)
		return
	}
	f.key = uint32(c.Local().Port)
	w.attach(i, 0, c)
	if f.Cross {
		d, err := to.stack.Dial(w.now, remote, wires.AddrPort{Addr: from.addr, Port: local.Port}, nil)
		if err != nil {
			w.fail("dial across: "+err.Error(), f.id)
			return
		}
		w.attach(i, 1, d)
	}
	for dir := range f.ends {
		if s := &f.ends[dir]; s.CloseAt > 0 {
			w.remind(w.now.Add(s.CloseAt), i, dir)
		}
	}
	w.settle(f.From, false)
	w.settle(f.To, false)
}

// remind has an application act at a time, once.
func (w *World) remind(at clock.Instant, f, dir int) {
	s := &w.flows[f].ends[dir]
	if s.pending && at == s.readAt {
		return
	}
	s.pending = true
	r := reminder{at: at, side: int32(f*2 + dir)}
	i := len(w.reminders)
	w.reminders = append(w.reminders, r)
	for i > 0 && w.reminders[i-1].at < at {
		w.reminders[i] = w.reminders[i-1]
		i--
	}
	w.reminders[i] = r
}

// settle lets a host send what it has to, and its applications act, until both
// are quiet; then its invariants are checked.
func (w *World) settle(i int, afterReset bool) {
	h := &w.hosts[i]
	for again := true; again; {
		again = false
		for h.stack.Output(w.now, &w.p) {
			w.Packets++
			w.inspect(w.p.Bytes, afterReset)
			if to := w.hostAt(w.p.Bytes); to >= 0 {
				w.carry(i, to, w.p.Bytes)
			}
		}
		for {
			r, ok := h.stack.NextReady()
			if !ok {
				break
			}
			again = true
			if r.Listener != nil {
				w.acceptAll(i, r.Listener)
				continue
			}
			if slot := r.Conn.Slot(); slot < len(h.owner) && h.owner[slot] != 0 {
				o := h.owner[slot] - 1
				w.act(int(o/2), int(o%2))
			}
		}
	}
	if why, c := h.stack.Check(); why != "" {
		id := uint32(0)
		if c != nil {
			id = c.ID()
			why += " in " + c.State().String()
		}
		w.fail(why, id)
	}
}

// acceptAll takes the connections that wait, each to the flow that it is of.
func (w *World) acceptAll(host int, l *core.Listener) {
	for {
		c, err := l.Accept(w.now)
		if err != nil {
			return
		}
		found := false
		for i := range w.flows[:min(w.nextFlow+1, len(w.flows))] {
			f := &w.flows[i]
			if f.To == host && f.key == uint32(c.Remote().Port) && f.Port == c.Local().Port && !f.Cross &&
				w.hosts[f.From].addr == c.Remote().Addr && f.ends[1].slot < 0 && !f.ends[1].done {
				w.attach(i, 1, c)
				if s := &f.ends[1]; s.CloseAt > 0 {
					w.remind(w.now.Add(s.CloseAt), i, 1)
				}
				w.act(i, 1)
				found = true
				break
			}
		}
		if !found {
			c.Abort(w.now) // a ghost: its flow has ended already
		}
	}
}

// hostAt finds the host that a packet is for, -1 if there is none.
func (w *World) hostAt(b []byte) int {
	var ip wires.IP
	wires.ParseIP(b, &ip)
	for i := range w.hosts {
		if w.hosts[i].addr == ip.Dst {
			return i
		}
	}
	return -1
}

// inspect checks a packet that a stack has sent: it must be whole and right, and
// a reset is never answered by a reset.
func (w *World) inspect(b []byte, afterReset bool) {
	var ip wires.IP
	var t wires.TCP
	if why := wires.ParseIP(b, &ip); why != 0 {
		w.fail("a packet was sent that cannot be read: "+why.String(), 0)
		return
	}
	if ip.Protocol != wires.ProtocolTCP {
		return
	}
	upper := b[ip.HeaderLen:ip.TotalLen]
	if why := wires.ParseTCP(upper, &t); why != 0 {
		w.fail("a segment was sent that cannot be read: "+why.String(), 0)
	}
	if !wires.VerifyTCP(upper, &ip) || t.Options.Has&wires.HasMalformed != 0 {
		w.fail("a segment was sent with a wrong checksum or options", 0)
	}
	if afterReset && t.Flags&wires.RST != 0 {
		w.fail("a reset was answered by a reset", 0)
	}
}

func isReset(b []byte) bool {
	var ip wires.IP
	var t wires.TCP
	return wires.ParseIP(b, &ip) == 0 && ip.Protocol == wires.ProtocolTCP &&
		wires.ParseTCP(b[ip.HeaderLen:ip.TotalLen], &t) == 0 && t.Flags&wires.RST != 0
}

// Edges are the changes of state that were seen, as a matrix: a bit for the new
// state in the word of the old.
type Edges [tcp.TimeWait + 1]uint16

// Add takes in what another world has seen.
func (e *Edges) Add(o Edges) {
	for i := range e {
		e[i] |= o[i]
	}
}

// Edges gives the changes of state on all hosts so far.
func (w *World) Edges() (e Edges) {
	for i := range w.hosts {
		e.Add(w.hosts[i].seen.edges)
	}
	return e
}

// watcher is the hook of one host: it sees every change of state and every
// segment that leaves.
type watcher struct {
	world *World
	edges Edges
	right []rightEdge // by id of connection
}

// rightEdge is how far a connection has opened its window.
type rightEdge struct {
	at  seq.Value
	set bool
}

func (w *World) watch() {
	for i := range w.hosts {
		h := &w.hosts[i]
		h.seen.world = w
		h.stack.SetHook(&h.seen, tcp.HookTransition|tcp.HookLeaving)
	}
}

func (h watcher) clone() watcher {
	h.right = append([]rightEdge(nil), h.right...)
	return h
}

// Transition notes the edge.
func (h *watcher) Transition(r *tcp.TransitionRecord) { h.edges[r.From] |= 1 << r.To }

// Segment checks what leaves: the right edge never recedes (SHLD-14), and
// SND.UNA <= SND.NXT.
func (h *watcher) Segment(r *tcp.SegmentRecord) tcp.Verdict {
	if !r.Send.UNA.AtOrBefore(r.Send.NXT) {
		h.world.fail("SND.UNA is beyond SND.NXT", r.Conn)
	}
	if r.TCP.Flags&(wires.SYN|wires.RST) != 0 || !r.State.Synchronized() {
		return tcp.Pass
	}
	for len(h.right) <= int(r.Conn) {
		h.right = append(h.right, rightEdge{})
	}
	edge := r.Receive.NXT.Add(r.Receive.WND)
	e := &h.right[r.Conn]
	if e.set && edge.Before(e.at) {
		h.world.fail("the right edge of the window receded", r.Conn)
	}
	e.at, e.set = edge, true
	return tcp.Pass
}
