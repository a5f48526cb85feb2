package sim

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A flow is a Flow at work.
type flow struct {
	opened bool
	local  wire.AddrPort // of user 0
	remote wire.AddrPort // of user 1
}

// The stages of an end.
type stage uint8

const (
	notYet stage = iota // has no connection
	atWork
	done // has let go of it, or never got one
)

// An end is a User at work.
type end struct {
	host  int
	slot  int32
	pace  Pace
	state stage

	connected, eof, broken   bool // what it was told; broken: it has ended
	spent                    bool // Read has told of the end
	canRead, canWrite        bool // false after ErrWouldBlock, until it is told
	begun, readShut, linger0 bool
	fin                      bool // it has ended its stream in order
	err                      tcp.Error

	step   int32
	left   uint64        // of a Write
	until  clock.Instant // of a Wait, or of the pause in a Write
	readAt clock.Instant // when it reads next
	wakeAt clock.Instant // when it is woken next, if that is planned

	written, read uint64
}

// An Outcome is how it went for one user.
type Outcome struct {
	Connected bool
	Done      bool // it has let go of its connection
	EOF       bool // it has seen the end of the other's stream
	Err       tcp.Error
	Written   uint64 // octets
	Read      uint64
}

// Outcome tells how it went for user 0 or 1 of a flow.
func (w *World) Outcome(flow, user int) Outcome {
	e := &w.ends[2*flow+user]
	return Outcome{Connected: e.connected, Done: e.state == done, EOF: e.eof, Err: e.err, Written: e.written, Read: e.read}
}

// Conn is the connection that a user holds, nil if it holds none.
func (w *World) Conn(flow, user int) *core.Conn { return w.conn(&w.ends[2*flow+user]) }

func (w *World) conn(e *end) *core.Conn {
	if e.state != atWork {
		return nil
	}
	return w.hosts[e.host].stack.Conn(int(e.slot))
}

func (w *World) user(i int32) *User { return &w.cfg.Flows[i/2].Users[i%2] }

func (w *World) addFlow(i int32) error {
	f := &w.cfg.Flows[i]
	family := f.Family
	if family == wire.None {
		family = wire.IPv4
	}
	made := flow{}
	for side := range f.Users {
		u := &f.Users[side]
		if u.Host < 0 || u.Host >= len(w.hosts) {
			return tcp.ErrInvalid
		}
		a := wire.AddrPort{Port: f.LocalPort}
		for _, have := range w.hosts[u.Host].addrs {
			if have.Family() == family {
				a.Addr = have
				break
			}
		}
		if !a.Addr.IsValid() {
			return tcp.ErrAddrNotAvail
		}
		if side == 0 {
			made.local = a
		} else {
			a.Port = f.Port
			made.remote = a
		}
		w.ends = append(w.ends, end{host: u.Host, pace: u.Pace})
	}
	w.flows = append(w.flows, made)
	w.plan(max(w.now, f.At), opening, 2*i)
	if f.Meet {
		w.plan(max(w.now, f.At).Add(f.Skew), opening, 2*i+1)
	}
	return nil
}

// open is the active open of end i.
func (w *World) open(i int32) {
	f, e := &w.flows[i/2], &w.ends[i]
	if w.over || w.hosts[e.host].off {
		e.state = done
		return
	}
	local, remote := f.local, f.remote
	if i%2 == 1 {
		local, remote = remote, local
	}
	c, err := w.hosts[e.host].stack.Dial(w.now, local, remote, w.user(i).TCP)
	if err != nil {
		e.state, e.err = done, asError(err)
		w.called(i, nil, "open", 0, err)
		return
	}
	if i%2 == 0 {
		f.opened, f.local = true, c.Local()
	}
	w.attach(i, c)
	w.called(i, c, "open", 0, nil)
	w.act(i)
	w.settle(e.host)
}

// attach gives a connection to an end.
func (w *World) attach(i int32, c *core.Conn) {
	e := &w.ends[i]
	e.state, e.slot = atWork, int32(c.Slot())
	e.canRead, e.canWrite = true, true
	h := &w.hosts[e.host]
	for len(h.owner) <= c.Slot() {
		h.owner = append(h.owner, 0)
	}
	h.owner[c.Slot()] = i + 1
	b := h.book(c)
	b.end = i + 1
}

// acceptAll takes the connections that wait, each to the flow that it is of.
func (w *World) acceptAll(h int, l *core.Listener) {
	if w.hosts[h].deaf[l.Slot()] {
		return
	}
	for {
		c, err := l.Accept(w.now)
		if err != nil {
			return
		}
		i := w.flowOf(h, c)
		if i < 0 {
			// An old segment has opened it, and nobody is at the other end.
			w.count.Strangers++
			w.takeStranger(h, c)
			continue
		}
		w.attach(i, c)
		w.ends[i].connected = true
		w.called(i, c, "accept", 0, nil)
		w.act(i)
	}
}

// flowOf finds the end that an accepted connection is for: the latest flow of
// its name that has none.
func (w *World) flowOf(h int, c *core.Conn) int32 {
	for i := len(w.flows) - 1; i >= 0; i-- {
		f, e := &w.flows[i], &w.ends[2*i+1]
		if f.opened && e.state == notYet && e.host == h && !w.cfg.Flows[i].Meet &&
			f.local == c.Remote() && f.remote == c.Local() {
			return int32(2*i + 1)
		}
	}
	return -1
}

// tell notes what an end's stack says.
func (w *World) tell(i int32, what core.ReadyMask) {
	e := &w.ends[i]
	if what&core.Readable != 0 {
		e.canRead = true
	}
	if what&core.Writable != 0 {
		e.canWrite = true
	}
	if what&core.Connected != 0 {
		e.connected = true
	}
	if what&core.Closed != 0 {
		e.broken = true
		c := w.conn(e)
		if err := c.Err(); err != nil {
			e.err = asError(err)
		}
		w.called(i, c, "ended", 0, c.Err())
	}
}

// act lets a user do all that it can do now.
func (w *World) act(i int32) {
	for w.ends[i].state == atWork {
		read := w.readSome(i)
		if !w.walk(i) && !read || w.halted() {
			return
		}
	}
}

// wake has a user act at a time.
func (w *World) wake(i int32, at clock.Instant) {
	e := &w.ends[i]
	if e.wakeAt > w.now && e.wakeAt <= at {
		return // it looks again by itself
	}
	e.wakeAt = at
	w.plan(at, waking, i)
}

// readSome reads as the pace has it. It reports whether anything came of it.
func (w *World) readSome(i int32) (any bool) {
	e := &w.ends[i]
	if !e.canRead || e.pace.Never || e.eof || e.readShut {
		return false
	}
	if w.now < e.readAt {
		w.wake(i, e.readAt)
		return false
	}
	c := w.conn(e)
	other := &w.ends[i^1]
	for {
		b := w.scratch[:]
		if e.pace.Chunk > 0 {
			b = b[:min(len(b), int(e.pace.Chunk))]
		}
		n, err := c.Read(w.now, b)
		if n > 0 {
			any = true
			wrong := ""
			switch {
			case w.garbled && w.observer == nil:
			case e.read+uint64(n) > other.written:
				wrong = "more is read than was written"
			case !patternOf(i/2, uint8(i%2)^1).matches(b[:n], e.read):
				wrong = "what is read is not what was written"
			}
			e.read += uint64(n)
			w.count.Read += uint64(n)
			if w.observer != nil {
				w.see(Sight{What: Read, Host: e.host, Flow: int(i / 2), User: int(i % 2), Conn: c.ID(), N: uint64(n), Wrong: wrong != ""})
				w.show(e.host)
			}
			if wrong != "" && !w.garbled {
				w.failFlow(i, wrong)
			}
		}
		switch asError(err) {
		case tcp.NoError:
		case tcp.ErrWouldBlock:
			e.canRead = false
			return any
		case tcp.ErrEOF:
			e.eof = true
			w.called(i, c, "read", 0, err)
			if !w.garbled && (!other.fin || e.read != other.written) {
				w.failFlow(i, "a stream ends before its end")
			}
			return true
		default:
			e.broken, e.spent, e.canRead, e.err = true, true, false, asError(err)
			w.called(i, c, "read", 0, err)
			return true
		}
		if e.pace.Every > 0 {
			e.readAt = w.now.Add(e.pace.Every)
			w.wake(i, e.readAt)
			return any
		}
		if w.stopped {
			return any
		}
	}
}

// walk takes the steps that can be taken now. It reports whether any was.
func (w *World) walk(i int32) (moved bool) {
	steps := w.user(i).Steps
	for e := &w.ends[i]; e.state == atWork; moved = true {
		if int(e.step) == len(steps) {
			w.letGo(i)
			continue
		}
		if !w.take(i, &steps[e.step]) {
			return moved
		}
		e.step++
		e.begun = false
	}
	return moved
}

// take does a step, and reports whether it is over.
func (w *World) take(i int32, s *Step) bool {
	e := &w.ends[i]
	c := w.conn(e)
	began := !e.begun
	e.begun = true
	switch s.Op {
	case Write, WriteUrgent:
		if began {
			e.left = s.N
		}
		return w.write(i, s, c)
	case Wait:
		if began {
			e.until = w.now.Add(s.For)
		}
		if w.now >= e.until || e.broken {
			return true
		}
		w.wake(i, e.until)
		return false
	case AwaitConnected:
		return e.connected || e.broken
	case AwaitRead:
		return e.read >= s.N || e.noMore()
	case AwaitEOF:
		return e.noMore()
	case CloseWrite:
		if !e.connected && !e.broken {
			return false
		}
		err := c.CloseWrite(w.now)
		if err == nil {
			e.fin = true
		}
		w.called(i, c, s.Op.String(), 0, err)
	case CloseRead:
		if !e.connected && !e.broken {
			return false
		}
		err := c.CloseRead(w.now)
		if err == nil {
			e.readShut = true
		}
		w.called(i, c, s.Op.String(), 0, err)
	case Close:
		w.letGo(i)
	case Abort:
		c.Abort(w.now)
		w.called(i, c, s.Op.String(), 0, nil)
		w.detach(i)
	case SetPace:
		e.pace, e.readAt = Pace{Chunk: s.Chunk, Every: s.For, Never: s.N == 1}, 0
	case SetKeepalive:
		every := s.Every
		if every == 0 {
			every = s.For
		}
		w.option(i, c, s, uint64(s.For), c.SetKeepalive(w.now, true, s.For, every, uint8(s.N)))
	case SetUserTimeout:
		w.option(i, c, s, uint64(s.For), c.SetUserTimeout(w.now, s.For))
	case SetNoDelay:
		w.option(i, c, s, 1, c.SetNoDelay(w.now, true))
	case SetLinger:
		e.linger0 = s.For == 0
		w.option(i, c, s, uint64(s.For), c.SetLinger(w.now, true, s.For))
	case Hold:
		return e.broken
	default:
		panic("sim: no such step")
	}
	return true
}

// noMore reports whether nothing will be read any more. What had arrived before a
// connection ended can still be.
func (e *end) noMore() bool { return e.eof || e.spent || e.readShut || e.broken && e.pace.Never }

func (w *World) option(i int32, c *core.Conn, s *Step, n uint64, err error) {
	w.called(i, c, s.Op.String(), n, err)
	if err != nil {
		w.failFlow(i, "an option is refused: "+err.Error())
	}
}

// write is a Write as far as it goes now.
func (w *World) write(i int32, s *Step, c *core.Conn) bool {
	e := &w.ends[i]
	for e.left > 0 && !e.broken {
		if w.stopped {
			return false
		}
		if w.now < e.until {
			w.wake(i, e.until)
			return false
		}
		if !e.canWrite {
			return false
		}
		b := w.scratch[:min(e.left, uint64(len(w.scratch)))]
		if s.Chunk > 0 {
			b = b[:min(len(b), int(s.Chunk))]
		}
		patternOf(i/2, uint8(i%2)).fill(b, e.written)
		n, err := 0, error(nil)
		if s.Op == WriteUrgent {
			n, err = c.WriteUrgent(w.now, b)
		} else {
			n, err = c.Write(w.now, b)
		}
		if err != tcp.ErrWouldBlock {
			w.called(i, c, s.Op.String(), uint64(n), err)
		}
		e.written += uint64(n)
		e.left -= uint64(n)
		w.count.Written += uint64(n)
		switch asError(err) {
		case tcp.NoError:
		case tcp.ErrWouldBlock:
			e.canWrite = false
			return false
		default:
			if !e.broken && e.err == tcp.NoError {
				e.err = asError(err)
			}
			return true
		}
		if n < len(b) {
			e.canWrite = false
		}
		if s.For > 0 {
			e.until = w.now.Add(s.For)
		}
	}
	return true
}

// letGo is the user's Close.
func (w *World) letGo(i int32) {
	e := &w.ends[i]
	c := w.conn(e)
	if w.over && !w.mayHold(i) && !e.broken {
		w.failFlow(i, "a user waits in vain")
	}
	if c.Readable() == 0 && !e.linger0 {
		e.fin = true
	}
	if e.err == tcp.NoError && c.Err() != nil {
		e.err = asError(c.Err())
	}
	err := c.Close(w.now)
	w.called(i, c, "close", 0, err)
	if err != nil {
		w.failFlow(i, "Close: "+err.Error())
	}
	w.detach(i)
}

// mayHold reports whether a user has a reason to be there when the world ends.
func (w *World) mayHold(i int32) bool {
	e := &w.ends[i]
	steps := w.user(i).Steps
	return int(e.step) < len(steps) && steps[e.step].Op == Hold
}

// detach ends an end: its handle is not used any more.
func (w *World) detach(i int32) {
	e := &w.ends[i]
	w.hosts[e.host].owner[e.slot] = 0
	e.state = done
}

func asError(err error) tcp.Error {
	if err == nil {
		return tcp.NoError
	}
	if e, ok := err.(tcp.Error); ok {
		return e
	}
	panic("sim: an error that is not a tcp.Error: " + err.Error())
}

// fingerprint takes in what decides what the end will do.
func (e *end) fingerprint(h *siphash.Hash, now clock.Instant) {
	flags := uint64(0)
	for i, b := range [...]bool{
		e.connected, e.eof, e.broken, e.canRead, e.canWrite, e.begun, e.readShut, e.linger0, e.fin, e.pace.Never, e.spent,
	} {
		if b {
			flags |= 1 << i
		}
	}
	h.WriteUint64(flags | uint64(e.state)<<16 | uint64(e.step)<<32)
	h.WriteUint64(uint64(e.pace.Chunk)<<32 | uint64(uint32(e.slot)))
	h.WriteUint64(uint64(e.pace.Every))
	h.WriteUint64(e.left)
	h.WriteUint64(uint64(max(0, e.until.Sub(now))))
	h.WriteUint64(uint64(max(0, e.readAt.Sub(now))))
	h.WriteUint64(e.written)
	h.WriteUint64(e.read)
}
