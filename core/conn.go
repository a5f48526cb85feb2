package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Conn is a connection of a Stack. It is its user's handle from Dial or Accept
// on until Close or Abort, after which all calls fail with tcp.ErrClosing or
// tcp.ErrNotExist.
type Conn struct {
	tcb   tcp.TCB
	stack *Stack // nil once the connection has left the stack
	node
	places
	slot     int32
	listener int32     // slot+1 of the listener in whose queues it stands; 0: none
	ready    ReadyMask // what its user has not been told yet
	flags    connFlags
}

type connFlags uint8

const (
	connHalfOpen connFlags = 1 << iota // in SYN-RECEIVED, on behalf of its listener
	connQueued                         // waits to be accepted
	connOrphan                         // nobody will ever have it as a handle
	connNamed                          // its tuple is in the table
	connFastOpen                       // it was opened with Fast Open
)

// ID is the number by which events call the connection. Ids rise and are not
// used again.
func (c *Conn) ID() uint32 { return c.tcb.ID() }

// Slot is a small number, less than Config.MaxConns, that no other connection
// has until this one has left the stack: an index for tables beside the stack.
func (c *Conn) Slot() int { return int(c.slot) }

// Local is this end's address and port.
func (c *Conn) Local() wire.AddrPort { return c.tcb.Tuple().Local }

// Remote is the other end's address and port.
func (c *Conn) Remote() wire.AddrPort { return c.tcb.Tuple().Remote }

// State is the connection's state, RFC 9293 §3.3.2.
func (c *Conn) State() tcp.State { return c.tcb.State() }

// Err is why the connection ended: nil while it has not, and when both ends
// closed it.
func (c *Conn) Err() error { return c.tcb.Err() }

// Readable is how many octets Read would return now.
func (c *Conn) Readable() int { return c.tcb.Readable() }

// InQueue is how many octets have arrived in order and were not read, as SIOCINQ:
// Readable, but up to an urgent octet that is not in the stream.
func (c *Conn) InQueue() int { return c.tcb.InQueue() }

// Writable is how many octets Write would take now.
func (c *Conn) Writable() int { return c.tcb.Writable() }

// Read is RECEIVE of RFC 9293 §3.10.3. It returns what is there, or
// tcp.ErrWouldBlock; after the peer's FIN tcp.ErrEOF.
func (c *Conn) Read(now clock.Instant, b []byte) (int, error) {
	if c.stack == nil {
		return 0, tcp.ErrNotExist
	}
	n, err := c.tcb.Read(now, b)
	if n > 0 {
		c.stack.after(now, c)
	}
	return n, err
}

// Peek copies the octets that Read would return, from offset at on, and takes none.
func (c *Conn) Peek(at int, b []byte) int { return c.tcb.Peek(at, b) }

// Write is SEND of RFC 9293 §3.10.2. It takes what fits, or returns
// tcp.ErrWouldBlock.
func (c *Conn) Write(now clock.Instant, b []byte) (int, error) {
	if c.stack == nil {
		return 0, tcp.ErrNotExist
	}
	n, err := c.tcb.Write(now, b)
	return n, c.wrote(now, n, err)
}

// WriteUrgent is Write of urgent data, RFC 9293 §3.8.5. It stays in the stream; the
// other end learns where it ends. New applications should not use it (SHLD-13).
func (c *Conn) WriteUrgent(now clock.Instant, b []byte) (int, error) {
	if c.stack == nil {
		return 0, tcp.ErrNotExist
	}
	n, err := c.tcb.WriteUrgent(now, b)
	return n, c.wrote(now, n, err)
}

// WriteMore is Write by a user who writes more at once: what is less than a segment
// may wait for it for a moment, as with MSG_MORE.
func (c *Conn) WriteMore(now clock.Instant, b []byte) (int, error) {
	if c.stack == nil {
		return 0, tcp.ErrNotExist
	}
	n, err := c.tcb.WriteMore(now, b)
	return n, c.wrote(now, n, err)
}

// WriteEOR is Write of the end of a record: the next Write begins a new segment, as
// behind MSG_EOR.
func (c *Conn) WriteEOR(now clock.Instant, b []byte) (int, error) {
	if c.stack == nil {
		return 0, tcp.ErrNotExist
	}
	n, err := c.tcb.WriteEOR(now, b)
	return n, c.wrote(now, n, err)
}

// wrote is what every kind of Write ends with.
func (c *Conn) wrote(now clock.Instant, n int, err error) error {
	if n > 0 || err == tcp.ErrWouldBlock { // which may have to be ended by a timer
		c.stack.after(now, c)
	}
	return err
}

// ReadUrgent returns the last octet of urgent data, which is not in the stream
// unless SetUrgentInline says so, as recv does with MSG_OOB. With peek it stays.
func (c *Conn) ReadUrgent(now clock.Instant, peek bool) (byte, error) {
	if c.stack == nil {
		return 0, tcp.ErrNotExist
	}
	return c.tcb.ReadUrgent(peek)
}

// UrgentReady reports whether ReadUrgent would return an octet, as POLLPRI does.
func (c *Conn) UrgentReady() bool { return c.tcb.UrgentReady() }

// AtMark reports whether the next octet to be read is the last urgent one, as
// SIOCATMARK does. Read does not cross the mark in one call.
func (c *Conn) AtMark() bool { return c.tcb.AtMark() }

// UrgentLeft is how many octets there are still to read up to the end of the urgent
// data (MUST-33). Ready{Urgent} tells when it has moved on.
func (c *Conn) UrgentLeft() uint32 { return c.tcb.UrgentLeft() }

// CloseWrite sends a FIN after all data; reading goes on (RFC 9293 §3.6).
func (c *Conn) CloseWrite(now clock.Instant) error {
	if c.stack == nil {
		return tcp.ErrNotExist
	}
	err := c.tcb.CloseWrite(now)
	c.stack.after(now, c)
	return err
}

// CloseRead drops what arrived and what still will.
func (c *Conn) CloseRead(now clock.Instant) error {
	if c.stack == nil {
		return tcp.ErrNotExist
	}
	err := c.tcb.CloseRead(now)
	c.stack.after(now, c)
	return err
}

// Close is CLOSE of RFC 9293 §3.10.4 by a user who neither writes nor reads any
// more. The stack sends what is queued and finishes the exchange. With data that
// was not read, or a linger time of zero, it resets the connection.
func (c *Conn) Close(now clock.Instant) error {
	if c.stack == nil {
		return tcp.ErrNotExist
	}
	err := c.tcb.Close(now)
	c.stack.after(now, c)
	return err
}

// Abort is ABORT of RFC 9293 §3.10.5.
func (c *Conn) Abort(now clock.Instant) {
	if c.stack == nil {
		return
	}
	c.tcb.Abort(now)
	c.stack.after(now, c)
}
