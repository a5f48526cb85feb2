package sim

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

// A World is a network of hosts and all that is going on there. New makes it.
type World struct {
	cfg *Config
	key siphash.Key
	now clock.Instant

	hosts []host
	paths []int32 // by from and to: the direction, -1 if there is none
	dirs  []direction
	flows []flow
	ends  []end // 2*flow + side

	agenda agenda
	order  uint64
	air    []flying
	landed []int32 // free places in air

	flooded  []uint32 // by flood: segments so far
	packets  uint32   // the id of the latest packet
	came     []uint32 // by fault of the plan: packets that it met
	matched  []uint32 // by fault of the plan: packets that match; nil if no fault asks
	broken   uint64   // invariants that did not hold and were tolerated
	observer Observer
	calm     bool
	over     bool // all programs have exited
	garbled  bool // a host has Garbles
	stopped  bool // by the observer
	failure  *Failure
	recent   recent
	captured []Captured
	count    Count

	router4, router6 wire.Addr

	// What one event works on; nothing of it outlives the event.
	out, in, piece packet.Packet
	word           []byte
	scratch        [16 << 10]byte
	taken          []event.Event
}

// Count is what happened in a world so far.
type Count struct {
	Events     uint64
	Packets    uint64
	Lost       uint64
	Unroutable uint64 // to where nobody is
	TooBig     uint64
	Overflowed uint64 // found the queue of a link full
	HeldBack   uint64
	Doubled    uint64
	Spoiled    uint64
	Written    uint64 // octets, by users
	Read       uint64 // octets, by users
	Strangers  uint64 // connections accepted that were nobody's
}

// A Captured is a packet that a host has sent.
type Captured struct {
	At    clock.Instant
	From  int
	Bytes []byte
}

// A host is one stack at work.
type host struct {
	stack *core.Stack
	addrs []wire.Addr
	seen  *watch
	books []book  // by slot
	owner []int32 // by slot: end + 1
	deaf  []bool  // by slot of listener

	lives uint32 // stacks that it has had before this one
	past  uint64 // the hash of what those have logged
	off   bool
}

// New makes the world of cfg, which must not change any more.
func New(cfg *Config) (*World, error) {
	w := &World{cfg: cfg, key: siphash.Key{K0: cfg.Seed, K1: 0x74637073696d}, now: cfg.Start}
	if w.now == 0 {
		w.now = clock.Instant(clock.Second)
	}
	w.router4 = wire.AddrFrom4([4]byte{192, 0, 2, 1})
	w.router6 = wire.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: 1})
	for i := range cfg.Hosts {
		if err := w.addHost(i); err != nil {
			return nil, err
		}
	}
	if err := w.addLinks(); err != nil {
		return nil, err
	}
	for i := range cfg.Flows {
		if err := w.addFlow(int32(i)); err != nil {
			return nil, err
		}
	}
	for i, f := range cfg.Floods {
		w.flooded = append(w.flooded, 0)
		if f.Count > 0 {
			w.plan(f.At, flooding, int32(i))
		}
	}
	for i, t := range cfg.Turns {
		if t.Host < 0 || t.Host >= len(w.hosts) || t.What == 0 || t.What >= turns {
			return nil, tcp.ErrInvalid
		}
		w.plan(max(w.now, t.At), turning, int32(i))
	}
	w.came = make([]uint32, len(cfg.Plan))
	for i := range cfg.Plan {
		if cfg.Plan[i].Some {
			w.matched = make([]uint32, len(cfg.Plan))
		}
	}
	for _, o := range cfg.Outages {
		if o.Until < o.From || o.Direction >= len(w.dirs) {
			return nil, tcp.ErrInvalid
		}
	}
	if cfg.End > 0 {
		w.plan(cfg.End, ending, 0)
	}
	return w, nil
}

func (w *World) addHost(i int) error {
	h := &w.cfg.Hosts[i]
	one := host{}
	for _, a := range h.Addrs {
		one.addrs = append(one.addrs, a.Addr)
	}
	w.garbled = w.garbled || h.Garbles
	if err := w.start(i, &one); err != nil {
		return err
	}
	if err := w.listen(i, &one); err != nil {
		return err
	}
	w.hosts = append(w.hosts, one)
	return nil
}

// start gives host i a stack that knows nothing.
func (w *World) start(i int, one *host) error {
	h := &w.cfg.Hosts[i]
	c := h.Core
	if c.Secret == [16]byte{} || one.lives > 0 {
		who := uint64(i) | uint64(one.lives)<<32
		wire.PutLe64(c.Secret[:8], siphash.PRF(w.key, forSecret, who, 0))
		wire.PutLe64(c.Secret[8:], siphash.PRF(w.key, forSecret, who, 1))
	}
	s, err := core.New(c, h.Link)
	if err != nil {
		return err
	}
	one.stack, one.seen = s, &watch{}
	for _, a := range h.Addrs {
		if err := s.AddAddr(a); err != nil {
			return err
		}
	}
	if h.Hook != nil {
		one.seen.next, one.seen.mask = h.Hook.Clone(), h.Hooks
	}
	s.SetHook(one.seen, watched|one.seen.mask)
	s.Log().SetLimit(w.logged())
	s.Log().SetMask(event.All)
	return nil
}

// listen opens the ports of host i.
func (w *World) listen(i int, one *host) error {
	for _, l := range w.cfg.Hosts[i].Listens {
		s := one.stack
		made, err := s.Listen(w.now, wire.AddrPort{Port: l.Port}, core.ListenOptions{Backlog: l.Backlog, TCP: l.TCP})
		if err != nil {
			return err
		}
		for len(one.deaf) <= made.Slot() {
			one.deaf = append(one.deaf, false)
		}
		one.deaf[made.Slot()] = l.Deaf
	}
	return nil
}

// logged is how many events of one step are kept: for the last words of a failure,
// or all of them for an observer. All are hashed.
func (w *World) logged() int {
	if w.observer != nil {
		return event.Limit
	}
	return 256
}

func (w *World) addLinks() error {
	n := len(w.hosts)
	for range n * n {
		w.paths = append(w.paths, -1)
	}
	for i, l := range w.cfg.Links {
		if l.A < 0 || l.B < 0 || l.A >= n || l.B >= n || l.A == l.B {
			return tcp.ErrInvalid
		}
		w.paths[l.A*n+l.B], w.paths[l.B*n+l.A] = int32(2*i), int32(2*i+1)
		w.dirs = append(w.dirs, direction{to: int32(l.B)}, direction{to: int32(l.A)})
	}
	return nil
}

// Clone is a world with the same past and a future of its own.
func (w *World) Clone() *World {
	c := new(World)
	*c = *w
	c.hosts = slices.Clone(w.hosts)
	for i := range c.hosts {
		h := &c.hosts[i]
		h.stack = h.stack.Clone()
		hook, _ := h.stack.Hook()
		h.seen = hook.(*watch)
		h.books, h.owner = slices.Clone(h.books), slices.Clone(h.owner)
	}
	c.dirs, c.flows, c.ends = slices.Clone(w.dirs), slices.Clone(w.flows), slices.Clone(w.ends)
	c.agenda, c.landed, c.flooded = slices.Clone(w.agenda), slices.Clone(w.landed), slices.Clone(w.flooded)
	c.air = make([]flying, len(w.air))
	for i := range c.air {
		c.air[i] = w.air[i]
		c.air[i].Bytes = slices.Clone(w.air[i].Bytes)
	}
	c.recent = w.recent.clone()
	c.captured = slices.Clone(w.captured)
	c.matched, c.came, c.observer = slices.Clone(w.matched), slices.Clone(w.came), nil
	c.out, c.in, c.piece, c.word, c.taken = packet.Packet{}, packet.Packet{}, packet.Packet{}, nil, nil
	return c
}

// Hash covers every event of every stack so far, and what users have read.
func (w *World) Hash() uint64 {
	h := siphash.New(siphash.Key{})
	for i := range w.hosts {
		l := w.hosts[i].stack.Log()
		h.WriteUint64(l.Hash())
		h.WriteUint64(l.Count())
		if w.hosts[i].lives > 0 {
			h.WriteUint64(w.hosts[i].past)
		}
	}
	for i := range w.ends {
		h.WriteUint64(w.ends[i].read)
	}
	return h.Sum64()
}

// Fingerprint covers what decides the world's future but for chance: two worlds
// of one fingerprint will do the same where nothing is drawn. Times count from
// now; sequence numbers in stacks, and in packets of connections that are there,
// from where they began.
func (w *World) Fingerprint() uint64 {
	h := siphash.New(siphash.Key{})
	for i := range w.hosts {
		h.WriteUint64(w.hosts[i].stack.Fingerprint(w.now))
	}
	for i := range w.hosts {
		if w.hosts[i].off {
			h.WriteUint64(uint64(i))
		}
	}
	for i := range w.ends {
		w.ends[i].fingerprint(&h, w.now)
	}
	for _, n := range w.matched {
		h.WriteUint64(uint64(n))
	}
	for i := range w.dirs {
		d := &w.dirs[i]
		h.WriteUint64(uint64(max(0, d.free.Sub(w.now))))
		h.WriteUint64(uint64(max(0, d.latest.Sub(w.now))))
	}
	// A heap of equal content can differ in shape.
	coming := slices.Clone(w.agenda)
	for len(coming) > 0 {
		e := coming.pop()
		if e.kind == waking && w.ends[e.n].state != atWork {
			continue
		}
		h.WriteUint64(uint64(e.at.Sub(w.now)))
		if e.kind != arrival {
			h.WriteUint64(uint64(e.kind)<<32 | uint64(uint32(e.n)))
			continue
		}
		f := &w.air[e.n]
		h.WriteUint64(uint64(f.to))
		w.fingerprintPacket(&h, f)
	}
	return h.Sum64()
}

// find returns a host's connection by its name.
func (w *World) find(h int, local, remote wire.AddrPort) *core.Conn {
	return w.hosts[h].stack.Find(&tcp.Tuple{Local: local, Remote: remote})
}

// fingerprintPacket takes in a packet with its numbers as the connection that has
// sent it, or else the one that it is for, counts them, and without timestamps,
// as connections do.
func (w *World) fingerprintPacket(h *siphash.Hash, f *flying) {
	var ip wire.IP
	var t wire.TCP
	if wire.ParseIP(f.Bytes, &ip) != 0 || ip.Protocol != wire.ProtocolTCP || wire.ParseTCP(f.Bytes[ip.HeaderLen:ip.TotalLen], &t) != 0 {
		h.WriteUint64(siphash.Sum64(siphash.Key{}, f.Bytes))
		return
	}
	src, dst := wire.AddrPort{Addr: ip.Src, Port: t.SrcPort}, wire.AddrPort{Addr: ip.Dst, Port: t.DstPort}
	iss, irs := seq.Size(0), seq.Size(0)
	if c := w.find(int(f.to), dst, src); c != nil {
		v := c.View()
		iss, irs = seq.Size(v.Receive.IRS), seq.Size(v.Send.ISS)
	}
	if from := w.hostOf(ip.Src); from >= 0 {
		if c := w.find(from, src, dst); c != nil {
			v := c.View()
			iss, irs = seq.Size(v.Send.ISS), seq.Size(v.Receive.IRS)
		}
	}
	t.Seq = t.Seq.Sub(iss)
	if t.Flags.Has(wire.ACK) {
		t.Ack = t.Ack.Sub(irs)
	}
	for i := range t.Options.SACK {
		b := &t.Options.SACK[i]
		b.Left, b.Right = b.Left.Sub(irs), b.Right.Sub(irs)
	}
	hi, lo := ip.Src.Words()
	h.WriteUint64(hi)
	h.WriteUint64(lo)
	h.WriteUint64(uint64(t.SrcPort)<<48 | uint64(t.DstPort)<<32 | uint64(t.Flags)<<16 | uint64(t.Window))
	h.WriteUint64(uint64(t.Seq)<<32 | uint64(t.Ack))
	o := &t.Options
	h.WriteUint64(uint64(o.Has)<<32 | uint64(o.MSS)<<16 | uint64(o.WindowScale)<<8 | uint64(o.SACKCount))
	for _, b := range o.SACK[:min(o.SACKCount, 4)] {
		h.WriteUint64(uint64(b.Left)<<32 | uint64(b.Right))
	}
	h.WriteUint64(siphash.Sum64(siphash.Key{}, f.Bytes[ip.HeaderLen+t.HeaderLen:ip.TotalLen]))
}

// Now is the time of the latest event.
func (w *World) Now() clock.Instant { return w.now }

// Count gives what happened so far.
func (w *World) Count() Count { return w.count }

// Stack is the stack of a host.
func (w *World) Stack(host int) *core.Stack { return w.hosts[host].stack }

// Hook is the hook of a host, the world's own copy of the one in the Config.
func (w *World) Hook(host int) tcp.Hook { return w.hosts[host].seen.next }

// Captured are the packets that hosts have sent so far, in their order, if the
// Config asks for them. They are as they were sent, whatever the links have made of
// them.
func (w *World) Captured() []Captured { return w.captured }

// Ordinal is how many packets a direction has been given.
func (w *World) Ordinal(direction int) uint32 { return w.dirs[direction].ordinal }

// Planned is how many packets each fault of the plan has met. It is the world's.
func (w *World) Planned() []uint32 { return w.came }

// Edges counts the changes of state on all hosts, by old and new state.
func (w *World) Edges() (e Edges) {
	for i := range w.hosts {
		e.Add(&w.hosts[i].seen.edges)
	}
	return e
}

// hostOf returns the host that has an address, -1 if none has.
func (w *World) hostOf(a wire.Addr) int {
	for i := range w.hosts {
		for _, b := range w.hosts[i].addrs {
			if a == b {
				return i
			}
		}
	}
	return -1
}

func (w *World) plan(at clock.Instant, k kind, n int32) {
	w.order++
	w.agenda.push(occasion{at: at, order: w.order, kind: k, n: n})
}

// Next is when something happens next, clock.Never if nothing will.
func (w *World) Next() clock.Instant {
	at, _ := w.next()
	return at
}

// next also tells which host's timer it is, -1 if it is something else.
func (w *World) next() (at clock.Instant, timer int) {
	at, timer = clock.Never, -1
	if len(w.agenda) > 0 {
		at = w.agenda[0].at
	}
	for i := range w.hosts {
		if d := w.hosts[i].stack.Deadline(); d < at && !w.hosts[i].off {
			at, timer = d, i
		}
	}
	return at, timer
}

// Step makes the next thing happen and checks the invariants. It returns false
// when nothing is left to happen, after a failure, and once the observer has stopped
// it.
func (w *World) Step() bool {
	if w.halted() {
		return false
	}
	at, timer := w.next()
	if at == clock.Never {
		return false
	}
	if at < w.now && timer < 0 {
		panic("sim: an event was planned in the past")
	}
	w.now = max(w.now, at)
	w.count.Events++
	w.weather()
	if timer >= 0 {
		w.settle(timer)
		return !w.halted()
	}
	e := w.agenda.pop()
	switch e.kind {
	case arrival:
		w.arrive(e.n)
	case opening:
		w.open(e.n)
	case waking:
		w.act(e.n)
		w.settle(w.ends[e.n].host)
	case flooding:
		w.flood(e.n)
	case ending:
		w.exit()
	case turning:
		w.turn(&w.cfg.Turns[e.n])
	default:
		panic("sim: no such event")
	}
	return !w.halted()
}

// weather notes what begins and what ends now.
func (w *World) weather() {
	w.calm = w.cfg.Calm > 0 && w.now >= w.cfg.Calm
	if len(w.cfg.Outages) == 0 {
		return
	}
	for i := range w.dirs {
		w.dirs[i].down = 0
	}
	for _, o := range w.cfg.Outages {
		if w.now < o.From || w.now >= o.Until {
			continue
		}
		for i := range w.dirs {
			if o.Direction == i || o.Direction < 0 {
				w.dirs[i].down = max(w.dirs[i].down, 1)
				if o.Told {
					w.dirs[i].down = 2
				}
			}
		}
	}
}

// Run steps until a time, and returns what went wrong.
func (w *World) Run(until clock.Instant) error {
	for w.Next() <= until && w.Step() {
	}
	if w.failure != nil {
		return w.failure
	}
	w.now = max(w.now, until)
	return nil
}

// Finish steps until nothing is left to happen, and sees that everything has
// ended. It returns what went wrong.
func (w *World) Finish() error {
	most := w.cfg.MaxEvents
	if most == 0 {
		most = 10_000_000
	}
	for w.Step() {
		if w.count.Events > most {
			w.stop(-1, 0, "it goes on and on")
		}
	}
	if !w.halted() {
		w.checkEnd()
	}
	if w.failure != nil {
		return w.failure
	}
	return nil
}

// arrive gives a packet to its host.
func (w *World) arrive(i int32) {
	f := &w.air[i]
	h := int(f.to)
	w.in.Set(&f.Packet)
	f.Reset() // a Clone need not have it
	w.landed = append(w.landed, i)
	if w.hosts[h].off {
		w.lost(f.id, LostDead)
		return
	}
	if w.observer != nil {
		w.see(Sight{What: Arrived, Host: h, Packet: f.id, Bytes: w.in.Bytes, Again: f.again, Router: f.router})
	}
	w.input(h)
}

// input is the arrival of what is in w.in.
func (w *World) input(h int) {
	reset := w.isReset() && !w.cfg.Hosts[h].Changes
	w.hosts[h].stack.Input(w.now, &w.in)
	w.show(h)
	if reset {
		w.drainAfterReset(h)
	}
	w.settle(h)
}

// halted reports whether nothing more may happen, not even in the step under way.
func (w *World) halted() bool { return w.failure != nil || w.stopped }

// settle does what is due on a host, and lets it send and its users act until all
// are quiet. Then it checks.
func (w *World) settle(h int) {
	for range quiet {
		w.expire(h)
		w.drain(h)
		if w.stopped {
			return
		}
		if !w.tellUsers(h) {
			w.check(h)
			return
		}
	}
	w.stop(h, 0, "a host and its users do not come to rest")
}

// expire does what is due. A stack may do a part of it at a time.
func (w *World) expire(h int) {
	s := w.hosts[h].stack
	calls := 1 + (s.Conns()+s.TimeWaits())/w.cfg.Hosts[h].Core.ExpireBudget
	for range calls + 1 {
		s.Expire(w.now)
		w.show(h)
		if s.Deadline() > w.now {
			return
		}
	}
	w.stop(h, 0, "the deadline stays in the past after Expire")
}

// quiet is how often a host and its users may wake each other at one instant.
const quiet = 1 << 16

// drain takes all that a host has to send.
func (w *World) drain(h int) {
	for !w.stopped && w.hosts[h].stack.Output(w.now, &w.out) {
		w.show(h)
		w.inspect(h, &w.out)
		w.send(h, &w.out)
	}
	w.remember(h)
}

// tellUsers lets users do what has become possible. It reports whether anything
// has.
func (w *World) tellUsers(h int) (any bool) {
	one := &w.hosts[h]
	for {
		r, ok := one.stack.NextReady()
		if !ok {
			return any
		}
		any = true
		if r.Listener != nil {
			w.acceptAll(h, r.Listener)
			continue
		}
		i := one.endAt(r.Conn.Slot())
		if i == stranger {
			w.serveStranger(h, r.Conn)
			continue
		}
		if i < 0 {
			w.fail(h, r.Conn.ID(), "somebody is told of a connection that he does not hold")
			return any
		}
		w.tell(i, r.What)
		w.act(i)
	}
}

// endAt is the end that holds the connection in a slot, -1 if none does.
func (h *host) endAt(slot int) int32 {
	if slot >= len(h.owner) {
		return -1
	}
	return h.owner[slot] - 1
}

// exit is the end of all programs.
func (w *World) exit() {
	w.over = true
	for h := range w.hosts {
		w.closeAll(h)
	}
	for h := range w.hosts {
		w.unlisten(h)
		w.settle(h)
	}
}
