package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// fastQueue is what a listener knows of Fast Open: the connections that are open
// and whose handshake is not over, PendingFastOpenRequests of RFC 7413 §4.2. Those
// that their peers have reset go on counting for a while (§5.1): somebody may send
// SYNs in the name of hosts that reset what they have not asked for.
//
//	SYN, good cookie ->  accept  Accept ->  taken  ACK -> gone
//	                     at most most of both, and resets
type fastQueue struct {
	most    int32
	pending int32 // in SYN-RECEIVED, waiting or taken, and those reset lately
	taken   queue
	resets  []clock.Instant // when each will be forgotten
	keys    FastOpenKeys
}

// fastResetHeld is how long a reset counts, as on Linux.
const fastResetHeld = clock.Minute

// SetFastOpen is ListenOptions' FastOpen and FastOpenKeys for SYNs that are still to
// come.
func (l *Listener) SetFastOpen(n int, keys FastOpenKeys) {
	if l.stack != nil {
		l.fast.most, l.fast.keys = int32(min(max(n, 0), l.stack.cfg.MaxBacklog)), keys
	}
}

// FastOpen is how many connections may be open before their handshake is over.
func (l *Listener) FastOpen() int { return int(l.fast.most) }

// listenFast is SetFastOpen for a new listener.
func (l *Listener) listenFast(n int, keys FastOpenKeys) {
	const forced = FastOpenServer | FastOpenAllListeners
	if n <= 0 && l.stack.cfg.FastOpen&forced == forced {
		n = int(l.backlog)
	}
	l.SetFastOpen(n, keys)
}

// room reports whether another connection may be opened. Full, it forgets a reset
// whose time is over.
func (q *fastQueue) room(now clock.Instant) bool {
	if q.most > 0 && q.pending >= q.most && len(q.resets) > 0 && now >= q.resets[0] {
		n := copy(q.resets, q.resets[1:])
		q.resets = q.resets[:n]
		q.pending--
	}
	return q.pending < q.most
}

// opensFast is steps 1 to 4 of RFC 7413 §4.2.2 for a SYN to l, of which c has been
// made. It reports whether c is open; if not, c may have a cookie to give.
func (s *Stack) opensFast(now clock.Instant, l *Listener, c *Conn, seg *tcp.Segment) bool {
	cookie, has := tcp.CookieOf(&seg.Options)
	if s.cfg.FastOpen&FastOpenServer == 0 || l.fast.most == 0 || !has && len(seg.Payload) == 0 {
		return false
	}
	if !l.fast.room(now) {
		s.stats.FastOpensFull++
		return false
	}
	fresh := tcp.Cookie{}
	if s.cfg.FastOpen&FastOpenServerNoCookie == 0 && !l.cfg.FastOpenNoCookie {
		if !has {
			return false
		}
		keys := s.fastOpenKeys(l)
		good := FastOpenCookie(keys.Key[0], seg.Tuple.Remote.Addr, seg.Tuple.Local.Addr)
		good.Exp = cookie.Exp
		if cookie != good {
			old := FastOpenCookie(keys.Key[1], seg.Tuple.Remote.Addr, seg.Tuple.Local.Addr)
			old.Exp = cookie.Exp
			s.stats.FastOpenCookies++
			if keys.Number < 2 || cookie != old {
				c.tcb.GiveCookie(good)
				return false
			}
			fresh = good
		}
	}
	s.stats.FastOpens++
	c.tcb.OpenFast(now, seg, fresh)
	return true
}

// fastServerMoved looks whether the handshake of a connection that was open before
// is over.
func (s *Stack) fastServerMoved(now clock.Instant, c *Conn) {
	if c.tcb.State() == tcp.SynReceived {
		return
	}
	q := &s.listeners[c.listener-1].fast
	c.flags &^= connFastOpen
	if c.flags&connQueued != 0 {
		q.pending-- // Accept will take it out of its queue
		return
	}
	s.remove(&q.taken, queueListener, c)
	c.listener = 0
	if c.tcb.Err() == tcp.ErrReset {
		q.resets = append(q.resets, now.Add(fastResetHeld))
	} else {
		q.pending--
	}
}

func (q *fastQueue) fingerprint(h *siphash.Hash, now clock.Instant) {
	h.WriteUint64(uint64(q.most)<<32 | uint64(q.pending))
	for _, at := range q.resets {
		h.WriteUint64(uint64(at.Sub(now)))
	}
}
