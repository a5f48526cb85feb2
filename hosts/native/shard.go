package native

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/tcp"
)

const (
	// readBatch is how many packets are read before the stack answers the
	// first of them.
	readBatch = 64
	// fullRetry is how long a link that can't tell when it has room is left
	// alone.
	fullRetry = time.Millisecond
	// timerSlack is how late a timer of the runtime may be, whose waits are whole
	// milliseconds where nothing else happens.
	timerSlack = 2 * clock.Millisecond
)

// A shard is one stack, one lock and one link.
//
// Every call into the stack stands between enter and leave:
//
//	enter   take the lock, look at the clock
//	        call the stack
//	leave   send what came of it, note who can go on, set the timer,
//	        give the lock back, wake them
type shard struct {
	host  *Host
	io    packet.IO
	clock clock.Clock
	tap   Tap

	mu        sync.Mutex
	stack     *core.Stack
	conns     []*Conn     // by slot
	listeners []*Listener // by slot
	err       error       // why the shard has ended, nil while it lives

	out    packet.Packet // what Output filled last
	full   bool          // the link has not taken out yet
	room   chan struct{} // tells waitRoom that full was set; nil until it was once
	lost   uint64        // packets that the link refused for good
	events []event.Event

	woken *waiter // who goes on when the lock is given back
	idle  waiter  // who waits for the last connection to end

	onPanic  func(*PanicReport)
	panicked bool
	panicAt  clock.Instant // of the last panic, if there was one

	timer   *time.Timer
	timerAt clock.Instant // what it is set to, Never if it is not
	timers  sync.WaitGroup
}

func newShard(h *Host, stack *core.Stack, cfg *Config) *shard {
	s := &shard{host: h, io: cfg.IO, clock: cfg.Clock, tap: cfg.Tap, onPanic: cfg.OnPanic, stack: stack, timerAt: clock.Never}
	if s.tap != nil {
		stack.Log().SetMask(event.All)
	}
	return s
}

// enter takes the lock and looks at the clock.
func (s *shard) enter() clock.Instant {
	s.mu.Lock()
	return s.clock.Now()
}

// leave follows every call into the stack.
func (s *shard) leave(now clock.Instant) {
	s.drain(now)
	if s.stack.Deadline() <= now {
		s.stack.Expire(now)
		s.drain(now)
	}
	s.setTimer(now)
	if s.idle.waiting && s.stack.Conns() == 0 {
		s.wake(&s.idle)
	}
	s.unlock()
}

// unlock gives the lock back and lets those go on who were woken meanwhile: not before,
// since the lock is the first thing they want.
func (s *shard) unlock() {
	w := s.woken
	s.woken = nil
	s.mu.Unlock()
	for w != nil {
		next := w.next
		w.next = nil
		select {
		case w.ch <- struct{}{}:
		default: // it gave up waiting
		}
		w = next
	}
}

// drain sends what the stack has to send and notes who can go on.
func (s *shard) drain(now clock.Instant) {
	for !s.full && s.err == nil && s.stack.Output(now, &s.out) {
		s.told(now, packet.Out, s.out.Bytes)
		s.send()
	}
	if s.tap != nil {
		s.told(now, packet.Out, nil)
	}
	for {
		r, ok := s.stack.NextReady()
		if !ok {
			return
		}
		if r.Listener != nil {
			if l := s.listeners[r.Listener.Slot()]; l != nil {
				s.wake(&l.accepts.waiter)
			}
			continue
		}
		c := s.connOf(r.Conn)
		if c == nil {
			continue
		}
		if r.What&(core.Readable|core.Closed) != 0 {
			s.wake(&c.in.waiter)
		}
		if r.What&(core.Writable|core.Connected|core.Closed) != 0 {
			s.wake(&c.out.waiter)
		}
	}
}

// connOf returns what the application has of a connection, nil if nothing.
func (s *shard) connOf(cc *core.Conn) *Conn {
	if i := cc.Slot(); i < len(s.conns) {
		return s.conns[i]
	}
	return nil
}

// send gives the link the packet in out. A full link keeps it there.
func (s *shard) send() {
	err := s.io.WritePacket(&s.out)
	if err == nil {
		return
	}
	var gone *DeviceError
	switch {
	case errors.Is(err, packet.ErrFull):
		s.full = true
		s.awaitRoom()
	case errors.Is(err, packet.ErrClosed), errors.As(err, &gone):
		s.ended(err)
	default:
		s.lost++
	}
}

// awaitRoom sees to it that hasRoom is called.
func (s *shard) awaitRoom() {
	w, ok := s.io.(WriteWaiter)
	if !ok {
		s.timers.Add(1)
		time.AfterFunc(fullRetry, func() {
			defer s.timers.Done()
			s.hasRoom()
		})
		return
	}
	if s.room == nil {
		s.room = make(chan struct{}, 1)
		s.host.wg.Add(1)
		go s.waitRoom(w)
	}
	s.room <- struct{}{}
}

// waitRoom is the goroutine that waits for a full link. It is there from the
// first time on.
func (s *shard) waitRoom(w WriteWaiter) {
	defer s.host.wg.Done()
	for range s.room {
		if err := w.WaitWritable(); err != nil {
			s.end(err)
			return
		}
		s.hasRoom()
	}
}

// hasRoom offers the link the packet again that it did not take.
func (s *shard) hasRoom() {
	now := s.enter()
	if s.full && s.err == nil {
		s.full = false
		s.send()
	}
	s.leave(now)
}

// told tells the tap of a packet, or of events alone.
func (s *shard) told(now clock.Instant, dir packet.Direction, ip []byte) {
	if s.tap == nil {
		return
	}
	s.events = s.stack.Log().Take(s.events[:0])
	if ip != nil || len(s.events) > 0 {
		s.tap.Packet(now, dir, ip, s.events)
	}
}

// read is the goroutine that reads the link.
func (s *shard) read() {
	defer s.host.wg.Done()
	ps := make([]packet.Packet, readBatch)
	batch, _ := s.io.(BatchReader)
	for {
		n, err := 1, error(nil)
		if batch != nil {
			n, err = batch.ReadPackets(ps)
		} else {
			err = s.io.ReadPacket(&ps[0])
		}
		if err != nil {
			s.end(err)
			return
		}
		now := s.enter()
		for i := range ps[:n] {
			if !s.arrived(now, &ps[i]) {
				now = s.enter()
			}
		}
		s.leave(now)
	}
}

// setTimer sees to it that expire runs at the stack's deadline. Most deadlines
// move away before they come: then the timer is left as it is, and finds nothing
// due.
func (s *shard) setTimer(now clock.Instant) {
	at := s.stack.Deadline()
	if at >= s.timerAt || s.err != nil {
		return
	}
	s.timerAt = at
	d := toDuration(max(at.Sub(now), 0))
	if s.timer == nil {
		s.timer = time.AfterFunc(d, s.expire)
	} else {
		s.timer.Reset(d)
	}
}

// expire does what is due.
func (s *shard) expire() {
	now := s.enter()
	s.timerAt = clock.Never
	if s.err == nil {
		s.stack.Expire(now)
	}
	s.leave(now)
}

// end makes the shard useless: everybody who waits, or calls later, gets err.
func (s *shard) end(err error) {
	now := s.enter()
	if s.err != nil {
		s.unlock()
		return
	}
	// Peers get their resets while there is a link.
	for slot := range s.conns {
		if c := s.stack.Conn(slot); c != nil && c.State() != tcp.Closed {
			c.Abort(now)
		}
	}
	for _, l := range s.listeners {
		if l != nil {
			l.core.Close(now)
		}
	}
	s.drain(now)
	s.ended(err)
	s.err = ending(err) // that a reset went nowhere is not the reason
	s.unlock()
	s.timers.Wait()
}

// ended notes that nothing can come any more.
func (s *shard) ended(err error) {
	if s.err != nil {
		return
	}
	s.err = ending(err)
	if s.timer != nil {
		s.timer.Stop()
	}
	if s.room != nil {
		close(s.room)
	}
	for _, c := range s.conns {
		if c != nil {
			s.wake(&c.in.waiter)
			s.wake(&c.out.waiter)
		}
	}
	for _, l := range s.listeners {
		if l != nil {
			s.wake(&l.accepts.waiter)
		}
	}
	s.wake(&s.idle)
}

// ending is what the application is told when the link has ended with err.
func ending(err error) error {
	if errors.Is(err, packet.ErrClosed) {
		return net.ErrClosed
	}
	return err
}

// finish closes everything and waits for the last connection to end.
func (s *shard) finish(ctx context.Context) error {
	now := s.enter()
	for _, l := range s.listeners {
		if l != nil {
			l.shut(now)
		}
	}
	for _, c := range s.conns {
		if c != nil {
			c.shut(now)
		}
	}
	s.idle.prepare()
	ended := s.err
	s.leave(now)
	if ended != nil {
		return ended // the link is gone: nothing can end in order any more
	}
	for {
		select {
		case <-s.idle.ch:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.mu.Lock()
		if s.err != nil || s.stack.Conns() == 0 {
			err := s.err
			s.unlock()
			return err
		}
		s.idle.prepare()
		s.unlock()
	}
}
