package e2e

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// delay is how long a packet takes from one end of a line to the other: long enough
// that a busy machine's hiccups are short beside a round trip.
const delay = 10 * time.Millisecond

// A line joins the two ends of a run. It writes down what each sends, and makes
// the faults of the run happen.
//
//	client -- send --> faults, router --> queue, delay --> server
//	server -- send --> faults, router --> queue, delay --> client
type line struct {
	world *world
	ends  [2]wire.Addr
	ports [2]*port // where tcpkit plays; nil: a kernel

	mu      sync.Mutex
	begin   time.Time
	closed  bool
	mtu     int // of the router in the middle; 0: as the links
	gone    bool
	faults  []*fault
	flows   []*flow
	entries []entry
	queues  [2]queue      // by the role that gets it
	late    time.Duration // by how much the machine was late with a packet
}

// A flow is a connection, or the attempt at one, by the client's port.
type flow struct {
	port  uint16
	sides [2]side
	reset bool
}

// A side is what the line knows of what one end of a flow has sent.
type side struct {
	begun bool
	stamp bool      // its SYN had timestamps
	first seq.Value // its initial sequence number
	next  seq.Value // behind all that it has sent
	fin   bool
	acked seq.Value // by the other one, as far as that has come through
	heard bool      // the other one has acknowledged something
	count [kinds]int
}

// An entry is a segment, an error of the router's, or a mark that ends a step.
type entry struct {
	at      time.Time
	mark    *mark
	flow    *flow
	role    role
	tcp     wire.TCP
	options string // of a SYN
	stamps  string // whether timestamps are there where they should not, or not where they should
	ect     uint8  // the two bits of ECN in the IP header
	first   seq.Value
	peer    seq.Value // the other end's initial sequence number
	n       int
	probe   bool
	again   bool          // all of it was sent before
	since   time.Duration // since it was
	fate    string
	router  string // what the router said to role
	forged  bool
}

// A mark ends a step.
type mark struct {
	did  []string // and what came of it
	bulk bool     // data is merged, whatever the segments
	acks bool     // each acknowledgment counts
	some bool     // how much data fits is the receiver's to say
}

// A queue is what is under way to one end.
type queue struct {
	packets []underWay
	armed   bool
}

type underWay struct {
	due time.Time
	b   []byte
}

// send is told of what an end sends.
func (l *line) send(r role, b []byte) {
	var ip wire.IP
	var t wire.TCP
	if wire.ParseIP(b, &ip) != rule.NotDropped || ip.Protocol != wire.ProtocolTCP || wire.ParseTCP(b[ip.HeaderLen:ip.TotalLen], &t) != rule.NotDropped {
		return
	}
	if ip.Dst != l.ends[r.other()] {
		return // a stranger's
	}
	b = slices.Clone(b[:ip.TotalLen])
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	e, ks := l.note(r, &ip, &t)
	if t.Flags.Has(wire.SYN) {
		e.options = optionText(b[ip.HeaderLen+wire.TCPHeaderLen : ip.HeaderLen+t.HeaderLen])
	}
	if l.mtu > 0 && len(b) > l.mtu {
		e.fate = "too big"
		l.tooBig(r, &ip, b)
		return
	}
	if l.gone {
		e.fate = "lost"
		return
	}
	l.meet(r, e, ks, b)
}

// note writes a segment down, and says which kinds it is of.
func (l *line) note(r role, ip *wire.IP, t *wire.TCP) (*entry, []kind) {
	f := l.flow(r, t)
	s, other := &f.sides[r], &f.sides[r.other()]
	n := ip.TotalLen - ip.HeaderLen - t.HeaderLen
	if t.Flags.Has(wire.SYN) && (!s.begun || s.first != t.Seq) {
		// A new connection between the same ports begins anew.
		if s.begun && r == client {
			*other = side{count: other.count}
		}
		*s = side{begun: true, stamp: t.Options.Has.Has(wire.HasTimestamps), first: t.Seq, next: t.Seq, count: s.count}
		f.reset = false
	}
	end := t.Seq.Add(seq.Size(n))
	if t.Flags.Has(wire.SYN) {
		end = end.Add(1)
	}
	if t.Flags.Has(wire.FIN) {
		end = end.Add(1)
	}
	now := time.Now()
	e := entry{at: now, flow: f, role: r, tcp: *t, ect: ip.TOS & 3, first: s.first, peer: other.first, n: n}
	reset := t.Flags.Has(wire.RST)
	if s.begun && !reset {
		e.again = end != t.Seq && end.AtOrBefore(s.next)
		e.probe = end == t.Seq && t.Seq.Before(s.next)
	}
	if e.again {
		e.since = now.Sub(l.lastSent(f, r, t.Seq))
	}
	if has, agreed := t.Options.Has.Has(wire.HasTimestamps), s.stamp && other.stamp; !t.Flags.Has(wire.SYN) && has != agreed {
		e.stamps = map[bool]string{true: "TS", false: "no TS"}[has]
	}
	ks := e.kinds(other)
	for _, k := range ks {
		s.count[k]++
	}
	if !reset {
		if end.After(s.next) {
			s.next = end
		}
		s.fin = s.fin || t.Flags.Has(wire.FIN)
	}
	l.entries = append(l.entries, e)
	return &l.entries[len(l.entries)-1], ks
}

// lastSent is when an end sent the octet before.
func (l *line) lastSent(f *flow, r role, at seq.Value) time.Time {
	for i := len(l.entries) - 1; i >= 0; i-- {
		if e := &l.entries[i]; e.flow == f && e.role == r && !e.forged && e.tcp.Seq.AtOrBefore(at) && at.Before(e.end()) {
			return e.at
		}
	}
	return l.begin
}

// end is the sequence number behind the segment.
func (e *entry) end() seq.Value {
	n := e.n
	if e.tcp.Flags.Has(wire.SYN) {
		n++
	}
	if e.tcp.Flags.Has(wire.FIN) {
		n++
	}
	return e.tcp.Seq.Add(seq.Size(n))
}

func (l *line) flow(r role, t *wire.TCP) *flow {
	port := t.SrcPort
	if r == server {
		port = t.DstPort
	}
	for _, f := range l.flows {
		if f.port == port {
			return f
		}
	}
	l.flows = append(l.flows, &flow{port: port})
	return l.flows[len(l.flows)-1]
}

// deliver lets a packet arrive, after so long and behind those before it. SYNs are
// faster, so that the shortest round trip is that of the handshake: where all are the
// same, a hair decides whether a resend was needless (RFC 8985 §6.2 step 2).
func (l *line) deliver(to role, b []byte) {
	after := delay
	if isSYN(b) {
		after -= 2 * time.Millisecond
	}
	q := &l.queues[to]
	q.packets = append(q.packets, underWay{time.Now().Add(after), b})
	if !q.armed {
		q.armed = true
		time.AfterFunc(after, func() { l.drain(to) })
	}
}

func isSYN(b []byte) bool {
	head, protocol := wire.IPv4HeaderLen, b[9]
	if b[0]>>4 == 6 {
		head, protocol = wire.IPv6HeaderLen, b[6]
	}
	const flags = 13
	return protocol == wire.ProtocolTCP && len(b) > head+flags && b[head+flags]&byte(wire.SYN) != 0
}

// drain lets arrive what is due.
func (l *line) drain(to role) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := &l.queues[to]
	for len(q.packets) > 0 && !l.closed {
		if left := time.Until(q.packets[0].due); left > 0 {
			time.AfterFunc(left, func() { l.drain(to) })
			return
		}
		l.late = max(l.late, -time.Until(q.packets[0].due))
		b := q.packets[0].b
		q.packets = q.packets[1:]
		l.arrive(to, b)
	}
	q.armed = false
}

// arrive gives an end a packet.
func (l *line) arrive(to role, b []byte) {
	if l.closed {
		return
	}
	l.observe(to.other(), b)
	if p := l.ports[to]; p != nil {
		p.put(b)
		return
	}
	tun, p := l.world.ends[to].tun, packet.Packet{Bytes: b}
	for tun.WritePacket(&p) == packet.ErrFull && tun.WaitWritable() == nil {
	}
}

// observe sees what has come through of an end's.
func (l *line) observe(r role, b []byte) {
	var ip wire.IP
	var t wire.TCP
	if wire.ParseIP(b, &ip) != rule.NotDropped || ip.Protocol != wire.ProtocolTCP || wire.ParseTCP(b[ip.HeaderLen:ip.TotalLen], &t) != rule.NotDropped {
		return
	}
	if ip.Src != l.ends[r] {
		return
	}
	f := l.flow(r, &t)
	if t.Flags.Has(wire.RST) {
		f.reset = true
	}
	if o := &f.sides[r.other()]; t.Flags.Has(wire.ACK) && o.begun && (!o.heard || t.Ack.After(o.acked)) {
		o.acked, o.heard = t.Ack, true
	}
}

// settled reports whether all that the two ends have sent is acknowledged, or the
// connection is reset.
func (l *line) settled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.flows) == 0 {
		return false
	}
	for _, f := range l.flows {
		for r := range f.sides {
			if s := &f.sides[r]; !f.reset && (!s.begun || !s.heard || s.acked.Before(s.next)) {
				return false
			}
		}
	}
	return true
}

// count is how many segments of a kind an end has sent.
func (l *line) count(r role, k kind) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.flows {
		n += f.sides[r].count[k]
	}
	return n
}

// endStep ends a step.
func (l *line) endStep(m *mark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, entry{mark: m})
}

func (l *line) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.world.leave(l)
}

// The router in the middle, for its errors.
var routers = map[bool]netip.Addr{true: strangers4.Addr().Next(), false: strangers6.Addr().Next()}

// setMTU makes the path narrower: what is too big is dropped, and its sender told
// (RFC 1191 §4, RFC 8201 §4).
func (l *line) setMTU(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mtu = n
}

// cut loses all from now on.
func (l *line) cut(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = on
}

func (l *line) tooBig(to role, ip *wire.IP, b []byte) {
	m := wire.ICMP{Type: wire.ICMPUnreachable, Code: wire.ICMPFragNeeded, MTU: uint32(l.mtu)}
	if ip.Src.Is6() {
		m = wire.ICMP{Type: wire.ICMPv6PacketTooBig, MTU: uint32(l.mtu)}
	}
	l.entries = append(l.entries, entry{at: time.Now(), role: to, router: "too big"})
	l.tell(to, ip, m, b)
}

// tell sends an end an error about its packet.
func (l *line) tell(to role, ip *wire.IP, m wire.ICMP, b []byte) {
	from, err := wire.ParseAddr(routers[ip.Src.Is4()].String())
	if err != nil {
		return
	}
	m.Body = b[:min(len(b), ip.HeaderLen+64)]
	head := wire.IP{Src: from, Dst: ip.Src, Protocol: wire.ProtocolICMP, TTL: 64}
	if ip.Src.Is6() {
		head.Protocol = wire.ProtocolICMPv6
	}
	message := wire.AppendICMP(nil, &head, &m)
	l.deliver(to, append(wire.AppendIP(nil, &head, len(message)), message...))
}

// strangers has so many others ask the server for a connection, who will say no more.
func (l *line) strangers(family, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range n {
		from, err := wire.ParseAddr(stranger(family, 256+i).String())
		if err != nil {
			continue
		}
		t := wire.TCP{SrcPort: uint16(1024 + i), DstPort: serverPort, Seq: seq.Value(i * 7919), Flags: wire.SYN, Window: 64240}
		t.Options.Has, t.Options.MSS = wire.HasMSS, 1460
		l.deliver(server, packetOf(from, l.ends[server], &t))
	}
}

// packetOf is a segment without data.
func packetOf(from, to wire.Addr, t *wire.TCP) []byte {
	ip := wire.IP{Src: from, Dst: to, Protocol: wire.ProtocolTCP, TTL: 64}
	head := wire.AppendTCP(nil, t)
	b := append(wire.AppendIP(nil, &ip, len(head)), head...)
	wire.FinishTCP(b, &ip, len(b)-len(head), false)
	return b
}

// forge gives an end a segment that the other one did not send: an acknowledgment
// like its last one, changed.
func (l *line) forge(from role, change func(t *wire.TCP)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.flows[0]
	s := &f.sides[from]
	var t wire.TCP
	for i := range l.entries {
		if e := &l.entries[i]; e.flow == f && e.role == from && !e.forged {
			t = e.tcp
		}
	}
	t.Seq, t.Flags = s.next, wire.ACK
	t.Options.Has &= wire.HasTimestamps
	change(&t)
	l.entries = append(l.entries, entry{at: time.Now(), flow: f, role: from, tcp: t, first: s.first, peer: f.sides[from.other()].first, forged: true})
	l.deliver(from.other(), packetOf(l.ends[from], l.ends[from.other()], &t))
}

// A port is the line's end where tcpkit plays: its packet.IO.
type port struct {
	line *line
	role role
	mtu  int

	mu      sync.Mutex
	arrived *sync.Cond
	packets [][]byte
	closed  bool
}

func newPort(l *line, r role, mtu int) *port {
	p := &port{line: l, role: r, mtu: mtu}
	p.arrived = sync.NewCond(&p.mu)
	return p
}

func (p *port) put(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.packets = append(p.packets, b)
	p.arrived.Signal()
}

// ReadPacket makes it a packet.IO.
func (p *port) ReadPacket(q *packet.Packet) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.packets) == 0 && !p.closed {
		p.arrived.Wait()
	}
	if p.closed {
		return packet.ErrClosed
	}
	q.Reset()
	q.Bytes = append(q.Bytes, p.packets[0]...)
	p.packets = p.packets[1:]
	return nil
}

func (p *port) WritePacket(q *packet.Packet) error {
	p.line.send(p.role, q.Bytes)
	return nil
}

func (p *port) Link() packet.Link { return packet.Link{MTU: p.mtu} }

func (p *port) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.arrived.Broadcast()
	return nil
}
