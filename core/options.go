package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// The options of one connection: each counts from the call on, in any state, and
// changes no other connection. After the connection has left the stack they fail
// with tcp.ErrNotExist.

// SetNoDelay switches Nagle's algorithm off or on (RFC 9293 §3.7.4 MUST-17).
func (c *Conn) SetNoDelay(now clock.Instant, on bool) error {
	c.tcb.SetNoDelay(on)
	return c.changed(now)
}

// SetKeepalive switches keepalive (RFC 9293 §3.8.4). Where idle, interval or
// count is 0 it stays as it is.
func (c *Conn) SetKeepalive(now clock.Instant, on bool, idle, interval clock.Duration, count uint8) error {
	c.tcb.SetKeepalive(now, on, idle, interval, count)
	return c.changed(now)
}

// SetUserTimeout bounds how long data may stay unacknowledged (RFC 5482); 0
// leaves it to the number of retransmissions.
func (c *Conn) SetUserTimeout(now clock.Instant, d clock.Duration) error {
	c.tcb.SetUserTimeout(now, d)
	return c.changed(now)
}

// SetLinger says what Close does: with on and 0 it resets the connection.
func (c *Conn) SetLinger(now clock.Instant, on bool, d clock.Duration) error {
	c.tcb.SetLinger(on, d)
	return c.changed(now)
}

// SetSendBuffer fixes the size of the send buffer in octets.
func (c *Conn) SetSendBuffer(now clock.Instant, n uint32) error {
	c.tcb.SetSendBuffer(n)
	return c.changed(now)
}

// SetReceiveBuffer fixes the size of the receive buffer in octets. What was
// offered to the peer is not taken back.
func (c *Conn) SetReceiveBuffer(now clock.Instant, n uint32) error {
	c.tcb.SetReceiveBuffer(n)
	return c.changed(now)
}

// SetR2 says how many retransmissions are made before the connection is given
// up; 255 never gives up (RFC 9293 §3.8.3 MUST-21).
func (c *Conn) SetR2(now clock.Instant, n uint8) error {
	c.tcb.SetR2(n)
	return c.changed(now)
}

// SetTOS sets the DSCP, the upper six bits of tos (RFC 9293 §3.9.1.9).
func (c *Conn) SetTOS(now clock.Instant, tos uint8) error {
	c.tcb.SetTOS(tos)
	return c.changed(now)
}

// SetTTL sets the hop limit, at least 1 (RFC 9293 §3.9.2 MUST-49).
func (c *Conn) SetTTL(now clock.Instant, ttl uint8) error {
	c.tcb.SetTTL(ttl)
	return c.changed(now)
}

// SetQuickAck acknowledges at once for a while, or goes back to waiting.
func (c *Conn) SetQuickAck(now clock.Instant, on bool) error {
	c.tcb.SetQuickAck(on)
	return c.changed(now)
}

// changed lets the stack see what an option has made possible or due.
func (c *Conn) changed(now clock.Instant) error {
	if c.stack == nil {
		return tcp.ErrNotExist
	}
	c.stack.after(now, c)
	return nil
}
