package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
)

// The options of one connection. Each may be set in any state and counts from
// then on; none of them changes another connection.

// SetNoDelay switches Nagle's algorithm off or on (MUST-17).
func (c *TCB) SetNoDelay(on bool) { c.adjust().Nagle = !on }

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

// SetTOS sets the DSCP, the upper six bits of tos (MUST-48).
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

// SetConfig makes the connection go by cfg, which must not change.
func (c *TCB) SetConfig(cfg *Config) { c.cfg = cfg }
