package native

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// A Conn is a connection. Besides net.Conn it has what *net.TCPConn has, and
// Info. Any number of goroutines may use it.
type Conn struct {
	shard   *shard // its owner, for life
	core    *core.Conn
	network string
	in, out side

	// Guarded by the lock of shard.
	closed  bool
	failed  bool // a call has returned why the connection ended
	aborted bool // the host has aborted it
}

var _ net.Conn = (*Conn)(nil)

// newConn gives the application a connection of the stack. It is called under
// the lock.
func (s *shard) newConn(cc *core.Conn, network string) *Conn {
	c := &Conn{shard: s, core: cc, network: network}
	for cc.Slot() >= len(s.conns) {
		s.conns = append(s.conns, nil)
	}
	s.conns[cc.Slot()] = c
	return c
}

// opError wraps err as package net does.
func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: c.network, Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// Read reads what has arrived, and waits when that is nothing.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.read(b)
	if err != nil && err != io.EOF {
		err = c.opError("read", sysError("read", err))
	}
	return n, err
}

func (c *Conn) read(b []byte) (n int, err error) {
	c.in.turn.Lock()
	defer c.in.turn.Unlock()
	defer c.contained(&err)
	s := c.shard
	for {
		now := s.enter()
		if len(b) == 0 && !c.closed {
			s.unlock()
			return 0, nil
		}
		if err := c.check(&c.in); err != nil {
			s.unlock()
			return 0, err
		}
		n, err = c.core.Read(now, b)
		if err != tcp.ErrWouldBlock {
			err = c.once(err, tcp.ErrEOF)
			s.leave(now)
			if err == tcp.ErrEOF {
				err = io.EOF
			}
			return n, err
		}
		c.in.prepare()
		s.unlock()
		<-c.in.ch
	}
}

// Write writes all of b, and waits while there is no room for it.
func (c *Conn) Write(b []byte) (int, error) { return c.writeAs(b, plain) }

func (c *Conn) writeAs(b []byte, as manner) (int, error) {
	n, err := c.write(b, as)
	if err != nil {
		err = c.opError("write", sysError("write", err))
	}
	return n, err
}

func (c *Conn) write(b []byte, as manner) (n int, err error) {
	c.out.turn.Lock()
	defer c.out.turn.Unlock()
	defer c.contained(&err)
	s := c.shard
	for {
		now := s.enter()
		if err := c.check(&c.out); err != nil {
			s.unlock()
			return n, err
		}
		m, err := as.put(c.core, now, b[n:])
		n += m
		if err == tcp.ErrWouldBlock {
			err = nil
		}
		if n == len(b) || err != nil {
			err = c.once(err, tcp.ErrPipe)
			s.leave(now)
			return n, err
		}
		c.out.prepare()
		s.leave(now)
		<-c.out.ch
	}
}

// once turns the error with which the connection ended into after, when a call
// has returned it before: a program that goes on reading finds the end of the
// stream, as it does with the kernel's sockets. It is called under the lock.
func (c *Conn) once(err, after error) error {
	if err == nil || err != c.core.Err() {
		return err
	}
	if c.failed {
		return after
	}
	c.failed = true
	return err
}

// check returns, under the lock, why a call on d can't go on. When the host has
// ended, a connection that had ended before still has its own reason.
func (c *Conn) check(d *side) error {
	switch {
	case c.closed:
		return errClosed
	case c.aborted:
		return tcp.ErrAborted
	case d.expired:
		return os.ErrDeadlineExceeded
	case c.shard.err != nil:
		if own := c.core.Err(); own == nil || own == tcp.ErrAborted {
			return c.shard.err
		}
	}
	return nil
}

// Close ends both directions: what was written is still sent, by the host. If
// data arrived that nobody has read, the peer gets a reset.
func (c *Conn) Close() (err error) {
	defer c.contained(&err)
	s := c.shard
	now := s.enter()
	if c.closed {
		s.unlock()
		return c.opError("close", errClosed)
	}
	c.shut(now)
	s.leave(now)
	return nil
}

// shut closes c under the lock.
func (c *Conn) shut(now clock.Instant) {
	s := c.shard
	c.closed = true
	if s.err == nil {
		c.core.Close(now)
	}
	c.forget()
}

// forget ends the waits for c, whose slot in the stack may be another's soon.
func (c *Conn) forget() {
	s := c.shard
	if s.connOf(c.core) == c {
		s.conns[c.core.Slot()] = nil
	}
	c.in.stop(s)
	c.out.stop(s)
}

// do makes one call of the stack, which package net makes as the system call
// named, and wraps its error.
func (c *Conn) do(op, name string, call func(now clock.Instant) error) error {
	if err := c.locked(call); err != nil {
		return c.opError(op, sysError(name, err))
	}
	return nil
}

func (c *Conn) locked(call func(now clock.Instant) error) (err error) {
	defer c.contained(&err)
	s := c.shard
	now := s.enter()
	switch err = s.err; {
	case c.closed:
		err = errClosed
	case c.aborted:
		err = tcp.ErrAborted
	}
	if err != nil {
		s.unlock()
		return err
	}
	err = call(now)
	s.leave(now)
	return err
}

// CloseWrite sends a FIN after what was written. Reading goes on.
func (c *Conn) CloseWrite() error { return c.shutdown(c.core.CloseWrite) }

// CloseRead makes Read return io.EOF. What still arrives is dropped.
func (c *Conn) CloseRead() error {
	return c.shutdown(func(now clock.Instant) error {
		c.shard.wake(&c.in.waiter)
		return c.core.CloseRead(now)
	})
}

// shutdown closes one direction. A connection that has ended is not connected,
// whatever ended it.
func (c *Conn) shutdown(call func(now clock.Instant) error) error {
	return c.do("close", "shutdown", func(now clock.Instant) error {
		err := call(now)
		if err != nil && err == c.core.Err() {
			err = tcp.ErrNotConnected
		}
		return err
	})
}

// Abort resets the connection.
func (c *Conn) Abort() error {
	s := c.shard
	now := s.enter()
	if c.closed {
		s.unlock()
		return c.opError("close", errClosed)
	}
	if s.err == nil {
		c.core.Abort(now)
	}
	c.shut(now)
	s.leave(now)
	return nil
}

// LocalAddr is this end's address, a *net.TCPAddr.
func (c *Conn) LocalAddr() net.Addr { return tcpAddr(c.core.Local()) }

// RemoteAddr is the other end's address, a *net.TCPAddr.
func (c *Conn) RemoteAddr() net.Addr { return tcpAddr(c.core.Remote()) }

// SetDeadline bounds all calls of Read and Write, those that wait already too. The
// zero time takes the bound away.
func (c *Conn) SetDeadline(t time.Time) error { return c.setDeadline(t, &c.in, &c.out) }

// SetReadDeadline is SetDeadline for Read.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadline(t, &c.in, nil) }

// SetWriteDeadline is SetDeadline for Write. A Write that was cut off has
// returned how much it took.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(t, &c.out, nil) }

func (c *Conn) setDeadline(t time.Time, a, b *side) error {
	s := c.shard
	s.mu.Lock()
	defer s.unlock()
	if c.closed {
		return &net.OpError{Op: "set", Net: c.network, Addr: c.LocalAddr(), Err: errClosed}
	}
	a.setDeadline(s, t)
	if b != nil {
		b.setDeadline(s, t)
	}
	return nil
}

// set makes one call of the stack that sets an option.
func (c *Conn) set(call func(now clock.Instant) error) error { return c.do("set", "setsockopt", call) }

// SetNoDelay says whether small segments go at once (true, and the default) or wait for
// the acknowledgment of what is under way: Nagle's algorithm.
func (c *Conn) SetNoDelay(on bool) error {
	return c.set(func(now clock.Instant) error { return c.core.SetNoDelay(now, on) })
}

// SetLinger says what Close does with data that was not sent: with sec < 0, the
// default, and with sec > 0 the host sends it; with 0 it is dropped and the peer
// gets a reset. Close never waits.
func (c *Conn) SetLinger(sec int) error {
	return c.set(func(now clock.Instant) error {
		return c.core.SetLinger(now, sec >= 0, clock.Duration(max(sec, 0))*clock.Second)
	})
}

// SetKeepAlive says whether an idle connection asks if its peer is there.
func (c *Conn) SetKeepAlive(on bool) error { return c.setKeepalive(on, 0, 0, 0) }

// SetKeepAlivePeriod sets how long a connection is idle before it asks, and how
// long it waits for each answer. It switches keepalive on.
func (c *Conn) SetKeepAlivePeriod(d time.Duration) error {
	return c.setKeepalive(true, clock.Duration(d), clock.Duration(d), 0)
}

// SetKeepAliveConfig sets all of keepalive. As in package net, 0 is its default
// (15 s, 15 s, 9), and less than 0 leaves things as they are.
func (c *Conn) SetKeepAliveConfig(config net.KeepAliveConfig) error {
	idle, interval, count := clock.Duration(config.Idle), clock.Duration(config.Interval), config.Count
	if idle == 0 {
		idle = keepAliveIdle
	}
	if interval == 0 {
		interval = keepAliveInterval
	}
	if count == 0 {
		count = keepAliveCount
	}
	return c.setKeepalive(config.Enable, idle, interval, count)
}

func (c *Conn) setKeepalive(on bool, idle, interval clock.Duration, count int) error {
	return c.set(func(now clock.Instant) error {
		return c.core.SetKeepalive(now, on, max(idle, 0), max(interval, 0), uint8(min(max(count, 0), 255)))
	})
}

// SetUserTimeout bounds how long data may go unacknowledged before the
// connection is given up (RFC 5482); 0 leaves it to the retransmissions.
func (c *Conn) SetUserTimeout(d time.Duration) error {
	return c.set(func(now clock.Instant) error { return c.core.SetUserTimeout(now, clock.Duration(max(d, 0))) })
}

// SetTOS sets the DSCP, the upper six bits of tos, of packets from now on.
func (c *Conn) SetTOS(tos uint8) error {
	return c.set(func(now clock.Instant) error { return c.core.SetTOS(now, tos) })
}

// SetTTL sets the hop limit, at least 1, of packets from now on.
func (c *Conn) SetTTL(ttl uint8) error {
	return c.set(func(now clock.Instant) error { return c.core.SetTTL(now, ttl) })
}

// SetMaxPacingRate bounds the octets that are sent in a second, and spreads them; 0
// is no bound.
func (c *Conn) SetMaxPacingRate(octets uint64) error {
	return c.set(func(now clock.Instant) error { return c.core.SetMaxPacingRate(now, octets) })
}

// SetReadBuffer fixes how much may arrive that nobody has read.
func (c *Conn) SetReadBuffer(octets int) error {
	return c.set(func(now clock.Instant) error { return c.core.SetReceiveBuffer(now, bufferSize(octets)) })
}

// SetWriteBuffer fixes how much may be written that the peer has not
// acknowledged.
func (c *Conn) SetWriteBuffer(octets int) error {
	return c.set(func(now clock.Instant) error { return c.core.SetSendBuffer(now, bufferSize(octets)) })
}

// bufferSize keeps to what a scaled window can say (RFC 7323 §2.3).
func bufferSize(octets int) uint32 { return uint32(min(max(octets, 1), 1<<30)) }

// Info says how the connection is doing, in the terms of Linux's tcp_info. Of one
// that was closed it is what it was then.
func (c *Conn) Info() tcp.Info {
	s := c.shard
	now := s.enter()
	defer s.unlock()
	return c.core.Info(now)
}

// copyBuffers are the pieces in which ReadFrom and WriteTo move data: large, so
// that a lock is taken and the link is written for many segments at once.
var copyBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// ReadFrom writes what r has until its end.
func (c *Conn) ReadFrom(r io.Reader) (n int64, err error) {
	pooled := copyBuffers.Get().(*[64 << 10]byte)
	defer copyBuffers.Put(pooled)
	buf := pooled[:]
	for {
		got, rerr := r.Read(buf)
		if got > 0 {
			m, err := c.Write(buf[:got])
			n += int64(m)
			if err != nil {
				return n, err
			}
		}
		if rerr != nil {
			if rerr == io.EOF {
				rerr = nil
			}
			return n, rerr
		}
	}
}

// WriteTo gives w what arrives until the peer's FIN.
func (c *Conn) WriteTo(w io.Writer) (n int64, err error) {
	pooled := copyBuffers.Get().(*[64 << 10]byte)
	defer copyBuffers.Put(pooled)
	buf := pooled[:]
	for {
		got, rerr := c.Read(buf)
		if got > 0 {
			m, err := w.Write(buf[:got])
			n += int64(m)
			if err != nil {
				return n, err
			}
			if m < got {
				return n, io.ErrShortWrite
			}
		}
		if rerr != nil {
			if errors.Is(rerr, io.EOF) {
				rerr = nil
			}
			return n, rerr
		}
	}
}
