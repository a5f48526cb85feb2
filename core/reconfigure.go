package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// What a stack, a listener or a connection goes by can be exchanged while it runs,
// as sysctl and setsockopt do.

// SetConfig makes the stack go by c from now on, and with it the connections and
// listeners that brought no tcp.Config of their own and have set no option. Secret,
// and the bounds of what is there already, stay as New was told.
func (s *Stack) SetConfig(c Config) error {
	c.Secret, c.Memory, c.Replies = s.cfg.Secret, s.cfg.Memory, s.cfg.Replies
	c.MaxConns, c.MaxPerPeer = s.cfg.MaxConns, s.cfg.MaxPerPeer
	c.MaxHeld, c.MaxHeldOctets, c.TimerSlack = s.cfg.MaxHeld, s.cfg.MaxHeldOctets, s.cfg.TimerSlack
	if err := c.check(); err != nil {
		return err
	}
	s.cfg = c
	return nil
}

// SetConfig makes the connections of SYNs that are still to come go by cfg, which is
// kept and must not change.
func (l *Listener) SetConfig(cfg *tcp.Config) { l.cfg = cfg }

// SetDeferAccept keeps connections from Accept until data has come on them, or
// SYN-ACKs have gone out for so long, as TCP_DEFER_ACCEPT; 0 switches that off.
func (l *Listener) SetDeferAccept(d clock.Duration) {
	own := *l.cfg
	own.DeferAccept = d
	l.cfg = &own
}

// SetBacklog is Listen's backlog for what arrives from now on.
func (l *Listener) SetBacklog(n int) {
	if l.stack == nil {
		return
	}
	l.backlog, l.halfMax = l.stack.queues(n)
}

// queues bounds a listener's queues: established and half-open connections.
func (s *Stack) queues(backlog int) (established, half int32) {
	if backlog < 0 || backlog > s.cfg.MaxBacklog {
		backlog = s.cfg.MaxBacklog
	}
	// As Linux counts, both hold one more than they are asked to.
	return int32(backlog), int32(min(backlog+1, s.cfg.SynBacklog))
}

// SetConfig makes the connection go by cfg, which is kept and must not change. What
// was fixed when it was made stays: what its SYN offered, and its buffers.
func (c *Conn) SetConfig(now clock.Instant, cfg *tcp.Config) error {
	c.tcb.SetConfig(now, cfg)
	return c.changed(now)
}
