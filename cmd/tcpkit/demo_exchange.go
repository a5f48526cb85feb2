package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

// The two ends of an exchange: the peer, which is the kernel or a second stack
// and stands on the left, and tcpkit.
const (
	peerEnd = 0
	kitEnd  = 1
)

// An endpoint is one end of an exchange: a TCP and the program that uses it. No
// call blocks. Everything is called from one goroutine, so that between two
// segments both ends stand still and can be looked at.
type endpoint interface {
	listen(now clock.Instant, port uint16) error
	dial(now clock.Instant, remote wire.AddrPort) error
	accept(now clock.Instant) (bool, error)
	read(now clock.Instant, b []byte) (int, error) // io.EOF after the other's FIN; tcp.ErrWouldBlock
	write(now clock.Instant, b []byte) error
	close(now clock.Instant) error

	// send gives the next packet that this end has sent, if there is one.
	send(now clock.Instant, p *packet.Packet) (bool, error)
	receive(now clock.Instant, p *packet.Packet) error
	expire(now clock.Instant)
	deadline() clock.Instant

	// meet tells the addresses of the connection, once there is a SYN.
	meet(local, remote wire.AddrPort)
	state(now clock.Instant) (endState, error)
}

// An endState is what an end's TCP says of its side of the connection.
type endState struct {
	state tcp.State
	left  clock.Duration // of TIME-WAIT
}

// A demoTime is the clock of an exchange, real or virtual.
type demoTime interface {
	clock.Clock
	// carry lets pass what a segment takes from one end to the other.
	carry()
	// idle waits until then, or until the peer has sent something.
	idle(ctx context.Context, until clock.Instant) error
}

// A segment is one TCP segment of an exchange, and how the ends stood after it.
type segment struct {
	at       clock.Instant // since the act began
	from     int           // peerEnd or kitEnd
	header   wire.TCP
	length   int       // octets of data
	intact   bool      // the checksums are right
	seq, ack seq.Size  // counted from the ISN of each
	states   endStates // after it
	changed  [2]bool
	step     narrate.Text
	late     clock.Duration // how long a pure ACK has waited
	events   []event.Event  // that tcpkit told
}

func (s *segment) to() int { return 1 - s.from }

type endStates [2]tcp.State

func (s endStates) names() [2]string { return [2]string{s[0].String(), s[1].String()} }

// A direction is what is known of the segments that one end has sent.
type direction struct {
	known   bool
	isn     seq.Value
	next    seq.Value // after all that was sent
	acked   seq.Value // what the other end has acknowledged
	fin     bool
	finAt   seq.Value
	arrived clock.Instant // when the last segment that takes an ACK arrived
}

// An exchange is one act of the demo.
type exchange struct {
	ends   [2]endpoint
	client int // which end opens, and closes first
	addr   [2]wire.Addr
	port   uint16
	time   demoTime
	screen audience
	twoMSL [2]clock.Duration
	wait   bool // for the kernel's TIME-WAIT too

	stage  stage
	began  clock.Instant
	moved  clock.Instant // the last time that something happened
	states endStates
	shown  endStates // what the audience has seen last
	dirs   [2]direction
	record record
	pkt    packet.Packet
	buf    []byte

	request, response []byte // what is to be said
}

// An audience sees an exchange as it happens.
type audience interface {
	start(s endStates, server int)
	segment(s *segment, n int)
	wait(closer int, twoMSL, left clock.Duration, all bool)
	left(d, of clock.Duration)
	over(at clock.Instant, s endStates, closer int, events []event.Event)
}

// A record is what the checks look at.
type record struct {
	client    int
	segments  []segment
	path      [2][]tcp.State // each change once
	refused   []rule.Drop    // what tcpkit did with segments that it ought to have taken
	request   []byte         // as it arrived
	response  []byte
	sent      [2][]byte // request and response as they were written
	twoMSL    clock.Duration
	waitBegan clock.Instant
	waitEnded clock.Instant
	waitOver  bool
	waitLeft  clock.Duration // as the kernel told it
	stuck     error          // why it came to no end
}

// A stage is how far the programs are; each step of theirs waits until the TCPs
// have done theirs.
type stage uint8

const (
	stageDial stage = iota
	stageConnect
	stageRequest
	stageResponse
	stageHalfClosed
	stageClosed
	stageWait
	stageDone
)

var stageNames = [...]string{"open", "handshake", "request", "response", "half-close", "close", "TIME-WAIT", "end"}

// demoPatience is how long an exchange may stand still.
const demoPatience = 10 * clock.Second

// countdown is how often the rest of TIME-WAIT is shown.
const countdown = 100 * clock.Millisecond

var errDemoStuck = errors.New("nothing happens any more")

func (x *exchange) server() int { return 1 - x.client }

// run plays the act to its end. An error of the machine or of the user's is
// returned; what TCP did wrong stands in the record.
func (x *exchange) run(ctx context.Context) error {
	x.buf = make([]byte, 64<<10)
	x.record = record{client: x.client, sent: [2][]byte{x.request, x.response}}
	x.began = x.time.Now()
	x.moved = x.began
	if err := x.ends[x.server()].listen(x.began, x.port); err != nil {
		return fmt.Errorf("listen on port %d: %w", x.port, err)
	}
	if err := x.sample(); err != nil {
		return err
	}
	x.shown = x.states
	x.screen.start(x.states, x.server())
	for x.stage != stageDone {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		moved, err := x.move()
		if err == nil && !moved {
			moved, err = x.act()
		}
		if err == nil && !moved {
			err = x.rest(ctx)
		}
		switch {
		case errors.Is(err, errDemoStuck):
			x.record.stuck = fmt.Errorf("%s: %w", stageNames[x.stage], err)
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", stageNames[x.stage], err)
		case moved:
			x.moved = x.time.Now()
		}
	}
	return nil
}

// move takes one packet from one end to the other.
func (x *exchange) move() (bool, error) {
	for _, from := range [...]int{kitEnd, peerEnd} {
		now := x.time.Now()
		ok, err := x.ends[from].send(now, &x.pkt)
		if err != nil {
			return false, err
		}
		if ok {
			return true, x.carry(now, from)
		}
	}
	return false, nil
}

// carry delivers the packet and tells what it did. What is not of the exchange,
// such as a router solicitation, is delivered in silence.
func (x *exchange) carry(now clock.Instant, from int) error {
	s, ours := x.parse(from)
	s.at = clock.Instant(now.Sub(x.began))
	if ours && !x.dirs[from].known && s.header.Flags.Has(wire.SYN) && !x.dirs[1-from].known {
		local := wire.AddrPort{Addr: x.addr[from], Port: s.header.SrcPort}
		remote := wire.AddrPort{Addr: x.addr[1-from], Port: s.header.DstPort}
		x.ends[from].meet(local, remote)
		x.ends[1-from].meet(remote, local)
	}
	// The sender is asked first: what it says may change as soon as there is an
	// answer.
	if err := x.sampleOne(from); err != nil {
		return err
	}
	s.states[from] = x.states[from]
	x.time.carry()
	now = x.time.Now()
	if err := x.ends[1-from].receive(now, &x.pkt); err != nil {
		return err
	}
	if err := x.sampleOne(1 - from); err != nil {
		return err
	}
	s.states[1-from] = x.states[1-from]
	s.events = x.events()
	if !ours {
		return nil
	}
	for i := range s.changed {
		s.changed[i] = x.shown[i] != s.states[i]
	}
	x.shown = s.states
	x.follow(&s, now)
	for i := range s.events {
		// What comes again may have been there before.
		if e := &s.events[i]; e.Kind == event.Drop && s.step != narrate.Again {
			x.record.refused = append(x.record.refused, rule.Drop(e.From))
		}
	}
	x.record.segments = append(x.record.segments, s)
	x.screen.segment(&s, len(x.record.segments))
	return nil
}

// parse reads the packet at hand. It reports whether it is a segment between
// the two ends.
func (x *exchange) parse(from int) (segment, bool) {
	s := segment{from: from}
	var ip wire.IP
	if wire.ParseIP(x.pkt.Bytes, &ip) != rule.NotDropped || ip.Protocol != wire.ProtocolTCP ||
		ip.Src != x.addr[from] || ip.Dst != x.addr[1-from] {
		return s, false
	}
	b := x.pkt.Bytes[ip.HeaderLen:ip.TotalLen]
	if wire.ParseTCP(b, &s.header) != rule.NotDropped {
		return s, false
	}
	s.length = len(b) - s.header.HeaderLen
	s.intact = wire.VerifyTCP(b, &ip)
	server := s.header.SrcPort
	if from == x.client {
		server = s.header.DstPort
	}
	return s, server == x.port
}

// follow keeps the books of both directions and finds out what the segment is
// in the exchange.
func (x *exchange) follow(s *segment, arrived clock.Instant) {
	d, o := &x.dirs[s.from], &x.dirs[s.to()]
	h := &s.header
	if h.Flags.Has(wire.SYN) && !d.known {
		d.known, d.isn, d.next, d.acked = true, h.Seq, h.Seq, h.Seq
	}
	s.seq = h.Seq.From(d.isn)
	newly := false // it acknowledges what was not acknowledged
	if h.Flags.Has(wire.ACK) && o.known {
		s.ack = h.Ack.From(o.isn)
		newly = h.Ack.After(o.acked)
	}
	end := h.Seq.Add(takes(s))
	finNow := o.fin && newly && h.Ack.After(o.finAt)
	switch {
	case h.Flags.Has(wire.RST):
		s.step = narrate.Reset
	case takes(s) > 0 && end.AtOrBefore(d.next) && d.next != d.isn:
		s.step = narrate.Again
	case h.Flags.Has(wire.SYN | wire.ACK):
		s.step = narrate.SynAck
	case h.Flags.Has(wire.SYN):
		s.step = narrate.Syn
	case h.Flags.Has(wire.FIN) && !o.fin:
		s.step = narrate.FinFirst
	case h.Flags.Has(wire.FIN) && finNow:
		s.step = narrate.FinWithAck
	case h.Flags.Has(wire.FIN) && o.acked.After(o.finAt):
		s.step = narrate.FinSecond
	case h.Flags.Has(wire.FIN):
		s.step = narrate.FinBoth
	case s.length > 0 && s.from == x.client:
		s.step = narrate.Request
	case s.length > 0:
		s.step = narrate.Response
	case !newly:
		s.step = narrate.OnlyAck
	case finNow && d.fin:
		s.step = narrate.LastAck
	case finNow:
		s.step = narrate.FinFirstAck
	case o.acked == o.isn:
		s.step = narrate.HandshakeAck
	case s.from == x.client:
		s.step = narrate.ResponseAck
	default:
		s.step = narrate.RequestAck
	}
	if newly {
		if takes(s) == 0 {
			s.late = x.began.Add(clock.Duration(s.at)).Sub(o.arrived)
		}
		o.acked = h.Ack
	}
	if takes(s) > 0 {
		if h.Flags.Has(wire.FIN) && !d.fin {
			d.fin, d.finAt = true, end.Sub(1)
		}
		d.next = seq.Max(d.next, end)
		d.arrived = arrived
	}
}

// takes is SEG.LEN: SYN and FIN count (RFC 9293 §3.4).
func takes(s *segment) seq.Size {
	n := seq.Size(s.length)
	if s.header.Flags.Has(wire.SYN) {
		n++
	}
	if s.header.Flags.Has(wire.FIN) {
		n++
	}
	return n
}

// act lets the programs do what they can do now.
func (x *exchange) act() (bool, error) {
	now := x.time.Now()
	client, server := x.ends[x.client], x.ends[x.server()]
	cs, ss := x.states[x.client], x.states[x.server()]
	settled := x.dirs[peerEnd].acked == x.dirs[peerEnd].next && x.dirs[kitEnd].acked == x.dirs[kitEnd].next
	was := x.stage
	var err error
	switch x.stage {
	case stageDial:
		err = client.dial(now, wire.AddrPort{Addr: x.addr[x.server()], Port: x.port})
		x.stage = stageConnect
	case stageConnect:
		if cs != tcp.Established || ss != tcp.Established {
			return false, nil
		}
		ok, err := server.accept(now)
		if err != nil || !ok {
			return false, err
		}
		if err := client.write(now, x.request); err != nil {
			return false, fmt.Errorf("write: %w", err)
		}
		x.stage = stageRequest
	case stageRequest:
		if err = x.read(server, &x.record.request); err == nil && bytes.HasSuffix(x.record.request, []byte("\r\n\r\n")) {
			err = server.write(now, x.response)
			x.stage = stageResponse
		}
	case stageResponse:
		if err = x.read(client, &x.record.response); err == nil && len(x.record.response) >= len(x.response) && settled {
			err = client.close(now)
			x.stage = stageHalfClosed
		}
	case stageHalfClosed:
		if ss != tcp.CloseWait || !settled {
			return false, nil
		}
		if _, err := server.read(now, x.buf); !errors.Is(err, io.EOF) {
			return false, fmt.Errorf("after the FIN the program reads no end of stream: %v", err)
		}
		err = server.close(now)
		x.stage = stageClosed
	case stageClosed:
		if cs != tcp.TimeWait || ss != tcp.Closed {
			return false, nil
		}
		x.stage = stageWait
		x.record.waitBegan = now
		x.record.twoMSL = x.twoMSL[x.client]
		x.beginWait(now)
	case stageWait, stageDone:
		return false, nil
	}
	if err == nil && x.stage != was {
		err = x.sample()
	}
	return x.stage != was, err
}

// read appends to what has arrived all that can be read.
func (x *exchange) read(from endpoint, to *[]byte) error {
	for {
		n, err := from.read(x.time.Now(), x.buf)
		*to = append(*to, x.buf[:n]...)
		switch {
		case errors.Is(err, tcp.ErrWouldBlock):
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("read: %w", io.ErrUnexpectedEOF)
		case err != nil:
			return fmt.Errorf("read: %w", err)
		}
	}
}

// beginWait shows the wait, and ends the act if nobody is to wait for it.
func (x *exchange) beginWait(now clock.Instant) {
	s, err := x.ends[x.client].state(now)
	if err != nil {
		s = endState{}
	}
	x.record.waitLeft = s.left
	all := x.client == kitEnd || x.wait
	x.screen.wait(x.client, x.record.twoMSL, s.left, all)
	if !all {
		x.stage = stageDone
	}
}

// rest waits for what comes next: a segment, or a timer.
func (x *exchange) rest(ctx context.Context) error {
	now := x.time.Now()
	until := min(x.ends[peerEnd].deadline(), x.ends[kitEnd].deadline())
	waits := x.stage == stageWait
	if waits {
		s, err := x.ends[x.client].state(now)
		if err != nil {
			return err
		}
		x.screen.left(s.left, x.record.twoMSL)
		until = min(until, max(now.Add(min(countdown, s.left)), now.Add(clock.Millisecond)))
		if now.Sub(x.moved) > x.record.twoMSL+demoPatience {
			return errDemoStuck
		}
	} else if until = min(until, x.moved.Add(demoPatience)); now >= x.moved.Add(demoPatience) {
		return errDemoStuck
	}
	if err := x.time.idle(ctx, until); err != nil {
		return err
	}
	now = x.time.Now()
	x.ends[peerEnd].expire(now)
	x.ends[kitEnd].expire(now)
	if err := x.sample(); err != nil {
		return err
	}
	if waits && x.states[x.client] == tcp.Closed {
		x.record.waitEnded, x.record.waitOver = now, true
		x.stage = stageDone
		x.screen.over(clock.Instant(now.Sub(x.began)), x.states, x.client, x.events())
	}
	return nil
}

// sample looks at both ends.
func (x *exchange) sample() error {
	return errors.Join(x.sampleOne(peerEnd), x.sampleOne(kitEnd))
}

func (x *exchange) sampleOne(end int) error {
	s, err := x.ends[end].state(x.time.Now())
	if err != nil {
		return err
	}
	x.states[end] = s.state
	if p := x.record.path[end]; len(p) == 0 || p[len(p)-1] != s.state {
		x.record.path[end] = append(p, s.state)
	}
	return nil
}

// events takes what tcpkit has told since the last time.
func (x *exchange) events() []event.Event {
	e, ok := x.ends[kitEnd].(*stackEnd)
	if !ok {
		return nil
	}
	told := e.told
	e.told = nil
	return told
}

// A stackEnd is an end whose TCP is tcpkit.
type stackEnd struct {
	stack    *core.Stack
	listener *core.Listener
	conn     *core.Conn
	seen     bool
	status   []core.Status
	told     []event.Event
	tap      func(now clock.Instant, dir packet.Direction, ip []byte, events []event.Event)
	pending  []event.Event // not given to tap yet
}

// demoEvents are the kinds that the demo and its capture have a use for.
var demoEvents = captureEvents | event.Of(event.Transition, event.Drop)

func newStackEnd(cfg core.Config, link packet.Link, addr wire.Prefix) (*stackEnd, error) {
	s, err := core.New(cfg, link)
	if err != nil {
		return nil, fmt.Errorf("make a stack: %w", err)
	}
	if err := s.AddAddr(addr); err != nil {
		return nil, fmt.Errorf("make a stack at %v: %w", addr, err)
	}
	s.Log().SetMask(demoEvents)
	return &stackEnd{stack: s}, nil
}

// heard collects what the stack tells of itself.
func (e *stackEnd) heard() {
	n := len(e.told)
	e.told = e.stack.Log().Take(e.told)
	if e.tap != nil {
		e.pending = append(e.pending, e.told[n:]...)
	}
}

func (e *stackEnd) tapped(now clock.Instant, dir packet.Direction, ip []byte) {
	e.heard()
	if e.tap != nil {
		e.tap(now, dir, ip, e.pending)
		e.pending = e.pending[:0]
	}
}

func (e *stackEnd) listen(now clock.Instant, port uint16) (err error) {
	e.listener, err = e.stack.Listen(now, wire.AddrPort{Port: port}, core.ListenOptions{Backlog: 1})
	return err
}

func (e *stackEnd) dial(now clock.Instant, remote wire.AddrPort) (err error) {
	e.conn, err = e.stack.Dial(now, wire.AddrPort{}, remote, nil)
	e.heard()
	return err
}

func (e *stackEnd) accept(now clock.Instant) (bool, error) {
	c, err := e.listener.Accept(now)
	if errors.Is(err, tcp.ErrWouldBlock) {
		return false, nil
	}
	e.conn = c
	e.heard()
	return err == nil, err
}

func (e *stackEnd) read(now clock.Instant, b []byte) (int, error) {
	n, err := e.conn.Read(now, b)
	e.heard()
	if errors.Is(err, tcp.ErrEOF) {
		err = io.EOF
	}
	return n, err
}

func (e *stackEnd) write(now clock.Instant, b []byte) error {
	n, err := e.conn.Write(now, b)
	e.heard()
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}

func (e *stackEnd) close(now clock.Instant) error {
	err := e.conn.Close(now)
	e.heard()
	return err
}

func (e *stackEnd) send(now clock.Instant, p *packet.Packet) (bool, error) {
	ok := e.stack.Output(now, p)
	if ok {
		e.tapped(now, packet.Out, p.Bytes)
	} else {
		e.heard()
	}
	for _, ready := e.stack.NextReady(); ready; _, ready = e.stack.NextReady() {
		// The demo looks for itself what can be done.
	}
	return ok, nil
}

func (e *stackEnd) receive(now clock.Instant, p *packet.Packet) error {
	e.stack.Input(now, p)
	e.tapped(now, packet.In, p.Bytes)
	return nil
}

func (e *stackEnd) expire(now clock.Instant) {
	e.stack.Expire(now)
	e.heard()
}

func (e *stackEnd) deadline() clock.Instant { return e.stack.Deadline() }

func (e *stackEnd) meet(wire.AddrPort, wire.AddrPort) {}

// state is that of the one connection that the stack has, or has had.
func (e *stackEnd) state(now clock.Instant) (endState, error) {
	e.status = e.stack.AppendStatus(now, e.status[:0])
	for i := range e.status {
		if st := &e.status[i]; st.ID != 0 {
			e.seen = true
			return endState{st.State, max(st.Due, 0)}, nil
		}
	}
	if e.listener != nil && !e.seen {
		return endState{state: tcp.Listen}, nil
	}
	return endState{state: tcp.Closed}, nil
}

// A virtualTime stands still but for segments on their way and timers.
type virtualTime struct {
	clock.Manual
	delay clock.Duration // of a segment
}

func (v *virtualTime) carry() { v.Advance(v.delay) }

func (v *virtualTime) idle(_ context.Context, until clock.Instant) error {
	if until == clock.Never {
		return errDemoStuck
	}
	v.Set(max(until, v.Now()))
	return nil
}
