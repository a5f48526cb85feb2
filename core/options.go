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

// SetSynCount says how often the SYN is sent again, as TCP_SYNCNT.
func (c *Conn) SetSynCount(now clock.Instant, n uint8) error {
	c.tcb.SetSynCount(n)
	return c.changed(now)
}

// SetLinger2 says how long the connection stays in FIN-WAIT-2 after Close, as
// TCP_LINGER2; negative is not at all: it ends with a reset.
func (c *Conn) SetLinger2(now clock.Instant, d clock.Duration) error {
	c.tcb.SetLinger2(now, d)
	return c.changed(now)
}

// SetMaxSegment bounds the segments, as TCP_MAXSEG: 88 to 32767 octets, or 0 for no
// bound of the user's. Config.KeepMSS says whether that counts after the handshake.
func (c *Conn) SetMaxSegment(now clock.Instant, n int) error {
	if err := c.tcb.SetMaxSegment(n); err != nil {
		return err
	}
	return c.changed(now)
}

// MaxSegment is the octets of data in a full segment now, as getsockopt gives
// TCP_MAXSEG.
func (c *Conn) MaxSegment() int { return c.tcb.MaxSegment() }

// SetCork holds back what is less than a segment, as TCP_CORK, or lets it go.
func (c *Conn) SetCork(now clock.Instant, on bool) error {
	c.tcb.SetCork(on)
	return c.changed(now)
}

// SetNotSentLowAt has Write take nothing while n octets wait to be sent, as
// TCP_NOTSENT_LOWAT; 0 leaves that to the size of the buffer.
func (c *Conn) SetNotSentLowAt(now clock.Instant, n uint32) error {
	c.tcb.SetNotSentLowAt(n)
	return c.changed(now)
}

// NotSentLowAt is what SetNotSentLowAt or the configuration has said.
func (c *Conn) NotSentLowAt() uint32 { return c.tcb.Config().NotSentLowAt }

// SetUrgentInline leaves urgent data in the stream, as SO_OOBINLINE and RFC 6093 §6
// have it, or keeps its last octet for ReadUrgent.
func (c *Conn) SetUrgentInline(now clock.Instant, on bool) error {
	c.tcb.SetUrgentInline(on)
	return c.changed(now)
}

// SetMaxPacingRate bounds the octets that are sent in a second, as
// SO_MAX_PACING_RATE; 0 is no bound.
func (c *Conn) SetMaxPacingRate(now clock.Instant, rate uint64) error {
	c.tcb.SetMaxPacingRate(rate)
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
