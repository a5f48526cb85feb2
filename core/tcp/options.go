package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
)

// The options of one connection. Each may be set in any state and counts from
// then on; none of them changes another connection.

// SetNoDelay switches Nagle's algorithm off or on (MUST-17). Switched off, what it
// or a cork holds back goes at once.
func (c *TCB) SetNoDelay(on bool) {
	c.adjust().Nagle = !on
	if on {
		c.letGo()
	}
}

// SetKeepalive switches keepalive (MUST-24, MUST-27). idle, interval and count
// stay as they are where they are 0.
func (c *TCB) SetKeepalive(now clock.Instant, on bool, idle, interval clock.Duration, count uint8) {
	own := c.adjust()
	own.Keepalive = on
	if idle > 0 {
		own.KeepaliveIdle = idle
	}
	if interval > 0 {
		own.KeepaliveInterval = interval
	}
	if count > 0 {
		own.KeepaliveCount = count
	}
	c.stop(timerKeepalive)
	if on && c.state.Synchronized() && c.state != TimeWait {
		c.arm(now, timerKeepalive, max(now, c.heardAt.Add(own.KeepaliveIdle)))
	}
}

// SetUserTimeout bounds how long data may stay unacknowledged; 0 leaves it to
// R2.
func (c *TCB) SetUserTimeout(now clock.Instant, d clock.Duration) {
	c.adjust().UserTimeout = max(d, 0)
	c.stop(timerUser)
	if c.out != nil || c.state == SynSent || c.state == SynReceived {
		c.startUserTimer(now)
	}
}

// SetLinger says what Close does with data that is not acknowledged: with on
// and 0 it resets the connection.
func (c *TCB) SetLinger(on bool, d clock.Duration) {
	own := c.adjust()
	own.Linger, own.LingerTime = on, max(d, 0)
}

// SetSendBuffer and SetReceiveBuffer fix the size of a buffer, in octets, and
// end its growth. What is offered to the peer is not taken back.
func (c *TCB) SetSendBuffer(n uint32) {
	own := c.adjust()
	own.SendBuffer, own.SendBufferMax = n, n
	c.snd.limit = max(n, 1)
}

// SetReceiveBuffer fixes the size of the receive buffer.
func (c *TCB) SetReceiveBuffer(n uint32) {
	own := c.adjust()
	own.ReceiveBuffer, own.ReceiveBufferMax = n, n
	c.rcv.limit = max(n, 1)
}

// SetR2 says how many retransmissions are made before the connection is given
// up; 255 never gives up (MUST-21).
func (c *TCB) SetR2(n uint8) { c.adjust().R2 = n }

// SetSynCount says how often the SYN is sent again, as TCP_SYNCNT (MUST-23).
func (c *TCB) SetSynCount(n uint8) { c.adjust().SynRetries = n }

// SetLinger2 says how long the connection stays in FIN-WAIT-2 when its user has
// closed it, as TCP_LINGER2; negative is not at all.
func (c *TCB) SetLinger2(now clock.Instant, d clock.Duration) {
	c.adjust().FinWait2 = d
	if c.state == FinWait2 && c.released {
		c.armFinWait2(now)
	}
}

// The least and the largest segment size that a user may ask for, as on Linux.
const (
	leastUserMSS   = 88
	largestUserMSS = 32767
)

// SetMaxSegment bounds the segments, as TCP_MAXSEG: 88 to 32767 octets, or 0 for no
// bound of the user's. Before the handshake our MSS option says so too.
func (c *TCB) SetMaxSegment(n int) error {
	if n != 0 && (n < leastUserMSS || n > largestUserMSS) {
		return ErrInvalid
	}
	c.adjust().MaxMSS = uint16(n)
	if c.state.Synchronized() && !c.cfg.KeepMSS {
		c.setMSS()
	}
	return nil
}

// MaxSegment is the octets of data in a full segment now. Before there is a
// connection it is what will be assumed, unless the user has said less.
func (c *TCB) MaxSegment() int {
	if c.mss != 0 {
		return int(c.mss)
	}
	m := 536
	if n := int(c.cfg.MaxMSS); n != 0 && (n < m || c.state == Closed || c.state == Listen) {
		m = n
	}
	if c.state == SynSent && c.cfg.Timestamps {
		m -= timestampOption
	}
	return m
}

// SetTOS sets the DSCP, the upper six bits of tos (MUST-48). The two of ECN are
// the protocol's.
func (c *TCB) SetTOS(tos uint8) { c.adjust().TOS = tos &^ 3 }

// SetTTL sets the hop limit, at least 1 (MUST-49).
func (c *TCB) SetTTL(ttl uint8) { c.adjust().TTL = max(ttl, 1) }

// SetQuickAck acknowledges at once for a while, or goes back to waiting.
func (c *TCB) SetQuickAck(on bool) {
	c.rcv.pingpong = !on
	if on {
		c.rcv.quick = max(c.rcv.quick, 16)
		if c.pend&pendDelayed != 0 {
			c.pend |= pendAck
		}
	}
}

// SetNotSentLowAt has Write take nothing while n octets wait to be sent, as
// TCP_NOTSENT_LOWAT; 0 leaves that to the size of the buffer.
func (c *TCB) SetNotSentLowAt(n uint32) {
	c.adjust().NotSentLowAt = n
	c.roomFreed()
}

// SetUrgentInline leaves urgent data in the stream, as SO_OOBINLINE and RFC 6093 §6
// have it.
func (c *TCB) SetUrgentInline(on bool) { c.adjust().UrgentInline = on }

// SetMaxPacingRate bounds the octets that are sent in a second; 0 is no bound.
func (c *TCB) SetMaxPacingRate(rate uint64) { c.adjust().MaxPacingRate = rate }

// SetConfig makes the connection go by cfg, which must not change.
func (c *TCB) SetConfig(now clock.Instant, cfg *Config) {
	another := cfg.Controller != c.cfg.Controller
	c.cfg = cfg
	if another {
		c.SetController(now, cfg.Controller)
	}
}
