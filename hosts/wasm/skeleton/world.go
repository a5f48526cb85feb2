package skeleton

import (
	"errors"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// What draws from the seed.
const (
	purposeLoss siphash.Purpose = iota + 1
	purposeSecret
)

const (
	port = 80
	mtu  = 1500
	// A run that takes more steps than this has gone wrong, and ends unfinished.
	maxSteps = 1 << 22
)

// A World is two stacks, a link, and the two ends' applications.
type World struct {
	options Options
	now     clock.Instant
	key     siphash.Key
	hosts   [2]host // client and server
	buffer  []byte
	packet  packet.Packet
	events  []event.Event
	trace   siphash.Hash
	result  Result

	// Tap, unless nil, gets a copy of every packet that is sent, each after its
	// time and length, as words: the trace that Result.Trace is the hash of.
	Tap *[]byte
}

// A host is one stack and the link that leads away from it.
type host struct {
	stack   *core.Stack
	conn    *core.Conn // nil before there is one
	offset  uint32     // octets that its application has written or read
	closed  bool       // it has called Close
	failed  bool
	changes []event.Event // transitions
	link    link
}

// The ends.
const (
	Client = 0
	Server = 1
)

// New makes a world in which nothing has happened yet.
func New(o Options) (*World, error) {
	prefixes := [2]wire.Prefix{
		{Addr: wire.AddrFrom4([4]byte{10, 0, 0, 1}), Bits: 24},
		{Addr: wire.AddrFrom4([4]byte{10, 0, 0, 2}), Bits: 24},
	}
	if o.Family == wire.IPv6 {
		prefixes[Client] = wire.Prefix{Addr: wire.AddrFrom16([16]byte{0: 0xfd, 15: 1}), Bits: 64}
		prefixes[Server] = wire.Prefix{Addr: wire.AddrFrom16([16]byte{0: 0xfd, 15: 2}), Bits: 64}
	}
	w := &World{options: o, key: siphash.Key{K0: o.Seed}, buffer: make([]byte, 4096), trace: siphash.New(siphash.Key{})}
	for i := range w.hosts {
		cfg, err := core.Profile("linux")
		if err != nil {
			return nil, err
		}
		wire.PutLe64(cfg.Secret[:8], siphash.PRF(w.key, purposeSecret, uint64(i), 0))
		wire.PutLe64(cfg.Secret[8:], siphash.PRF(w.key, purposeSecret, uint64(i), 1))
		s, err := core.New(cfg, packet.Link{MTU: mtu})
		if err != nil {
			return nil, err
		}
		if err := s.AddAddr(prefixes[i]); err != nil {
			return nil, err
		}
		s.Log().SetMask(event.All)
		w.hosts[i] = host{stack: s}
	}
	return w, nil
}

// Stack returns one end's stack, so that a hook or a log can be set.
func (w *World) Stack(end int) *core.Stack { return w.hosts[end].stack }

// Transitions returns one end's changes of state so far, as they were logged.
func (w *World) Transitions(end int) []event.Event { return w.hosts[end].changes }

// Run goes on until nothing is waited for, and tells how it went.
func (w *World) Run() Result {
	w.open()
	w.settle()
	for range maxSteps {
		at := w.next()
		if at == clock.Never {
			break
		}
		w.now = max(w.now, at)
		for i := range w.hosts {
			for w.hosts[i].link.due(w.now, &w.packet) {
				w.hosts[1-i].stack.Input(w.now, &w.packet)
			}
		}
		for i := range w.hosts {
			w.hosts[i].stack.Expire(w.now)
		}
		w.settle()
	}
	return w.finish()
}

// open begins both applications.
func (w *World) open() {
	server, client := &w.hosts[Server], &w.hosts[Client]
	local := wire.AddrPort{Addr: server.stack.Addrs()[0].Addr, Port: port}
	_, err := server.stack.Listen(w.now, local, core.ListenOptions{Backlog: 1})
	server.failed = err != nil
	client.conn, err = client.stack.Dial(w.now, wire.AddrPort{}, local, nil)
	client.failed = err != nil
}

// next is when something happens next.
func (w *World) next() clock.Instant {
	at := clock.Never
	for i := range w.hosts {
		at = min(at, w.hosts[i].stack.Deadline(), w.hosts[i].link.next())
	}
	return at
}

// settle lets the applications do what they can and puts on the links what
// comes of it, until all is quiet.
func (w *World) settle() {
	for busy := true; busy; {
		busy = false
		for i := range w.hosts {
			h := &w.hosts[i]
			for r, ok := h.stack.NextReady(); ok; r, ok = h.stack.NextReady() {
				busy = true
				w.act(i, r)
			}
			for h.stack.Output(w.now, &w.packet) {
				busy = true
				w.send(i)
			}
		}
	}
	for i := range w.hosts {
		h := &w.hosts[i]
		w.events = h.stack.Log().Take(w.events[:0])
		for _, e := range w.events {
			if e.Kind == event.Transition {
				h.changes = append(h.changes, e)
			}
		}
	}
}

// send puts the packet on the way, unless it is lost.
func (w *World) send(from int) {
	b := w.packet.Bytes
	w.trace.WriteUint64(uint64(w.now))
	w.trace.WriteUint64(siphash.Sum64(siphash.Key{}, b))
	if w.Tap != nil {
		*w.Tap = append(appendWords(*w.Tap, uint64(w.now), uint64(len(b))), b...)
	}
	w.result.Packets++
	l := &w.hosts[from].link
	if siphash.PRF(w.key, purposeLoss, uint64(from), l.ordinal)%1000 < uint64(w.options.Loss) {
		w.result.Lost++
	} else {
		l.put(w.now.Add(w.options.Delay), &w.packet)
	}
	l.ordinal++
}

// act is the application: the client sends all and closes, the server reads to
// the end and closes.
func (w *World) act(end int, r core.Ready) {
	h := &w.hosts[end]
	if r.Listener != nil {
		c, err := r.Listener.Accept(w.now)
		if err != nil {
			h.failed = true
			return
		}
		h.conn = c
		r.Listener.Close(w.now)
	}
	if h.closed {
		return
	}
	var err error
	if end == Client {
		err = w.write(h)
	} else {
		err = w.read(h)
	}
	if err == nil || errors.Is(err, tcp.ErrWouldBlock) {
		return
	}
	h.failed = h.failed || !errors.Is(err, tcp.ErrEOF)
	h.closed = true
	if h.conn.Close(w.now) != nil {
		h.failed = true
	}
}

// write writes what fits, sends a FIN after the last octet, and then waits for the
// server's: ErrEOF says that it has come.
func (w *World) write(h *host) error {
	for h.offset < w.options.Octets {
		b := w.buffer[:min(int(w.options.Octets-h.offset), len(w.buffer))]
		for i := range b {
			b[i] = octet(h.offset + uint32(i))
		}
		n, err := h.conn.Write(w.now, b)
		h.offset += uint32(n)
		if err != nil {
			return err
		}
		if h.offset == w.options.Octets {
			if err := h.conn.CloseWrite(w.now); err != nil {
				return err
			}
		}
	}
	_, err := h.conn.Read(w.now, w.buffer)
	return err
}

func (w *World) read(h *host) error {
	for {
		n, err := h.conn.Read(w.now, w.buffer)
		for i, b := range w.buffer[:n] {
			if b != octet(h.offset+uint32(i)) {
				return tcp.ErrInvalid
			}
		}
		h.offset += uint32(n)
		if err != nil {
			return err
		}
	}
}

// octet is what stands at an offset of the stream.
func octet(offset uint32) byte { return byte(offset ^ offset>>8*31 ^ offset>>16*7) }

func (w *World) finish() Result {
	r := w.result
	r.Client, r.Server = w.hosts[Client].stack.Log().Hash(), w.hosts[Server].stack.Log().Hash()
	r.Trace = w.trace.Sum64()
	r.Ended = w.now
	r.Received = uint64(w.hosts[Server].offset)
	r.Finished = w.next() == clock.Never && r.Received == uint64(w.options.Octets)
	for i := range w.hosts {
		h := &w.hosts[i]
		r.Events += h.stack.Log().Count()
		r.Transitions += uint64(len(h.changes))
		r.Retransmits += h.stack.Stats().Retransmits
		r.Finished = r.Finished && h.closed && !h.failed
	}
	return r
}

// A link carries packets one way, in order.
type link struct {
	ordinal uint64 // of the next packet
	flights []flight
	spare   []packet.Packet
}

type flight struct {
	at clock.Instant
	p  packet.Packet
}

func (l *link) put(at clock.Instant, p *packet.Packet) {
	f := flight{at: at}
	if n := len(l.spare); n > 0 {
		f.p, l.spare = l.spare[n-1], l.spare[:n-1]
	}
	f.p.Set(p)
	l.flights = append(l.flights, f)
}

// due takes the next packet that has arrived by now.
func (l *link) due(now clock.Instant, p *packet.Packet) bool {
	if l.next() > now {
		return false
	}
	arrived := l.flights[0].p
	l.flights = l.flights[:copy(l.flights, l.flights[1:])]
	p.Set(&arrived)
	l.spare = append(l.spare, arrived)
	return true
}

// next is when the next packet arrives.
func (l *link) next() clock.Instant {
	if len(l.flights) == 0 {
		return clock.Never
	}
	return l.flights[0].at
}
