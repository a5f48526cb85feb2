package core

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// ListenOptions are what Listen may be told beside the address.
type ListenOptions struct {
	Backlog int         // established connections that may wait for Accept beyond the first; 0 is 0, less than 0 is Config.MaxBacklog
	TCP     *tcp.Config // for the connections; nil: Config.TCP. It is kept and must not change.

	// FastOpen is how many connections at once may be open before their handshake is
	// over, RFC 7413 §4.2: data of such a SYN can be accepted and answered at once,
	// and may reach the application twice. 0: none.
	FastOpen     int
	FastOpenKeys FastOpenKeys // for their cookies; without any those of the stack
}

// A Listener is a passive open (RFC 9293 §3.10.1): a port, and the connections
// to it that nobody has accepted yet.
//
//	SYN ->  half (SYN-RECEIVED)  ACK ->  accept (ESTABLISHED)  Accept ->  the user
//	        at most halfMax              at most backlog+1
//	        beyond: cookies              beyond: SYN and ACK are dropped
type Listener struct {
	stack    *Stack // nil once closed
	cfg      *tcp.Config
	local    wire.AddrPort
	slot     int32
	fast     fastQueue
	backlog  int32
	halfMax  int32
	half     queue
	accept   queue
	ready    bool          // its user has to be told
	cookies  bool          // it has sent a cookie
	cookieAt clock.Instant // the last time, if cookies
}

// Listen opens a port. Without an address it is that port of all addresses;
// 0.0.0.0 and :: stand for all of their family. Port 0 is a free one.
func (s *Stack) Listen(now clock.Instant, local wire.AddrPort, o ListenOptions) (*Listener, error) {
	if a := local.Addr; a.IsValid() && !a.IsUnspecified() && !s.isOwn(a) {
		return nil, tcp.ErrAddrNotAvail
	}
	if local.Port == 0 {
		port, err := s.listenPort(now, local)
		if err != nil {
			return nil, err
		}
		local.Port = port
	} else if s.overlaps(local) {
		return nil, tcp.ErrAddrInUse
	}
	if o.TCP == nil {
		o.TCP = &s.cfg.TCP
	}
	l := &Listener{stack: s, cfg: o.TCP, local: local}
	l.backlog, l.halfMax = s.queues(o.Backlog)
	l.listenFast(o.FastOpen, o.FastOpenKeys)
	l.slot = int32(slices.Index(s.listeners, nil))
	if l.slot < 0 {
		l.slot = int32(len(s.listeners))
		s.listeners = append(s.listeners, nil)
	}
	s.listeners[l.slot] = l
	i := s.firstOnPort(local.Port)
	s.byPort = slices.Insert(s.byPort, i, l.slot)
	s.hookListener(now, l, tcp.Move{From: tcp.Closed, To: tcp.Listen, By: tcp.ByCall, Rule: rule.OpenPassive})
	return l, nil
}

// firstOnPort returns the index in byPort, which is in order of ports, of the
// first listener on a port, or of where it would be.
func (s *Stack) firstOnPort(port uint16) int {
	lo, hi := 0, len(s.byPort)
	for lo < hi {
		mid := (lo + hi) / 2
		if s.listeners[s.byPort[mid]].local.Port < port {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// covers reports whether a listener at a takes what comes to b.
func covers(a, b wire.Addr) bool {
	return !a.IsValid() || a == b || a.IsUnspecified() && a.Family() == b.Family()
}

// overlaps reports whether somebody listens on an address and port that a
// listener at local would take too.
func (s *Stack) overlaps(local wire.AddrPort) bool {
	for i := s.firstOnPort(local.Port); i < len(s.byPort); i++ {
		l := s.listeners[s.byPort[i]]
		if l.local.Port != local.Port {
			break
		}
		if covers(l.local.Addr, local.Addr) || covers(local.Addr, l.local.Addr) {
			return true
		}
	}
	return false
}

// listenerFor returns who listens at local, nil if nobody does. Listeners do not
// overlap, so there is one at most.
func (s *Stack) listenerFor(local wire.AddrPort) *Listener {
	for i := s.firstOnPort(local.Port); i < len(s.byPort); i++ {
		l := s.listeners[s.byPort[i]]
		if l.local.Port != local.Port {
			break
		}
		if covers(l.local.Addr, local.Addr) {
			return l
		}
	}
	return nil
}

func (s *Stack) listens(local wire.AddrPort) bool { return s.listenerFor(local) != nil }

// arrivesListen is RFC 9293 §3.10.7.2 for a segment to l that belongs to no
// connection.
func (s *Stack) arrivesListen(now clock.Instant, l *Listener, seg *tcp.Segment) rule.Drop {
	// First, a reset is ignored.
	if seg.Flags.Has(wire.RST) {
		return rule.DropListenReset
	}
	// Second, an acknowledgment of something that was never sent gets a reset,
	// unless it brings a cookie back.
	if seg.Flags.Has(wire.ACK) {
		why := rule.DropListenNoSyn
		if !seg.Flags.Has(wire.SYN) && s.expectsCookie(now, l) {
			var good bool
			if good, why = s.openCookie(now, l, seg); good {
				return why
			}
		}
		s.drop(now, why)
		return s.reset(now, seg)
	}
	// Fourth, anything else without a SYN is dropped. (Third comes last.)
	if !seg.Flags.Has(wire.SYN) {
		return rule.DropListenNoSyn
	}
	// Third, a SYN. Text and other control that come with it are left to be sent
	// again.
	verdict, why := s.admit(now, l, seg)
	switch {
	case why != rule.NotDropped:
		return why
	case verdict == tcp.SendCookie:
		return s.sendCookie(now, l, seg)
	}
	iss, offset := s.chooseISN(now, &seg.Tuple, true)
	return s.openPassive(now, l, seg, iss, offset)
}

// refusesSyn returns why l does not take a SYN.
func (s *Stack) refusesSyn(l *Listener, seg *tcp.Segment) rule.Drop {
	// Nobody sends a SYN with a FIN in earnest; Linux drops it.
	if seg.Flags.Has(wire.FIN) && s.cfg.DropSynFin {
		return rule.DropListenNoSyn
	}
	// THREATS S03: segments so small that the headers outweigh the data.
	if seg.Options.Has.Has(wire.HasMSS) && seg.Options.MSS < l.cfg.MinMSS {
		return rule.DropSmallMSS
	}
	return s.refuses(l)
}

// refuses returns why l takes no SYN at all now.
func (s *Stack) refuses(l *Listener) rule.Drop {
	if l.full() {
		return rule.DropAcceptQueueFull
	}
	if s.short() {
		return rule.DropMemory
	}
	return rule.NotDropped
}

// full reports whether the accept queue is.
func (l *Listener) full() bool { return l.accept.n > l.backlog }

// openPassive makes a connection of a SYN.
func (s *Stack) openPassive(now clock.Instant, l *Listener, seg *tcp.Segment, iss seq.Value, offset uint32) rule.Drop {
	c, why := s.newConn(l.cfg, seg.Tuple)
	if why != rule.NotDropped {
		return why
	}
	c.tcb.OpenPassive(now, iss, offset, seg)
	c.listener = l.slot + 1
	if s.opensFast(now, l, c, seg) {
		c.flags |= connFastOpen
		l.fast.pending++
		s.enqueue(l, c)
	} else {
		c.flags |= connHalfOpen
		s.push(&l.half, queueListener, c)
	}
	s.after(now, c)
	return rule.NotDropped
}

// halfOpenMoved looks whether a half-open connection has become one that can be
// accepted, or has ended.
func (s *Stack) halfOpenMoved(c *Conn) {
	l := s.listeners[c.listener-1]
	switch state := c.tcb.State(); {
	case state.Synchronized():
		s.remove(&l.half, queueListener, c)
		c.flags &^= connHalfOpen
		s.enqueue(l, c)
	case state != tcp.SynReceived:
		s.remove(&l.half, queueListener, c)
		c.flags = c.flags&^connHalfOpen | connOrphan
		c.listener = 0
	}
}

// enqueue puts an established connection where Accept finds it.
func (s *Stack) enqueue(l *Listener, c *Conn) {
	c.flags |= connQueued
	s.push(&l.accept, queueListener, c)
	if !l.ready {
		l.ready = true
		s.readyListeners = append(s.readyListeners, l.slot)
	}
}

// Accept takes the connection that has waited longest, or returns
// tcp.ErrWouldBlock.
func (l *Listener) Accept(now clock.Instant) (*Conn, error) {
	s := l.stack
	if s == nil {
		return nil, tcp.ErrClosing
	}
	c := s.first(&l.accept)
	if c == nil {
		return nil, tcp.ErrWouldBlock
	}
	s.remove(&l.accept, queueListener, c)
	c.flags &^= connQueued
	if c.flags&connFastOpen != 0 {
		c.tcb.Accepted()
		s.push(&l.fast.taken, queueListener, c)
	} else {
		c.listener = 0
	}
	// Its user looks for himself what can be done now.
	c.ready = 0
	s.after(now, c)
	return c, nil
}

// Waiting is how many connections wait for Accept.
func (l *Listener) Waiting() int { return int(l.accept.n) }

// HalfOpen is how many connections are in SYN-RECEIVED.
func (l *Listener) HalfOpen() int { return int(l.half.n) }

// Addr is where it listens.
func (l *Listener) Addr() wire.AddrPort { return l.local }

// Slot is a small number that no other listener of the stack has now.
func (l *Listener) Slot() int { return int(l.slot) }

// Close ends listening. Connections that were not accepted are reset, as on
// Linux: their peers may have sent already.
func (l *Listener) Close(now clock.Instant) {
	s := l.stack
	if s == nil {
		return
	}
	for _, q := range [...]*queue{&l.half, &l.accept} {
		for c := s.first(q); c != nil; c = s.first(q) {
			s.remove(q, queueListener, c)
			c.flags &^= connHalfOpen | connQueued | connFastOpen
			c.listener = 0
			c.tcb.Abort(now)
			s.after(now, c)
		}
	}
	for c := s.first(&l.fast.taken); c != nil; c = s.first(&l.fast.taken) {
		s.remove(&l.fast.taken, queueListener, c)
		c.flags &^= connFastOpen
		c.listener = 0
	}
	i := slices.Index(s.byPort, l.slot)
	s.byPort = slices.Delete(s.byPort, i, i+1)
	if l.ready {
		i := slices.Index(s.readyListeners, l.slot)
		s.readyListeners = slices.Delete(s.readyListeners, i, i+1)
	}
	s.listeners[l.slot] = nil
	l.stack = nil
	s.hookListener(now, l, tcp.Move{From: tcp.Listen, To: tcp.Closed, By: tcp.ByCall, Rule: rule.CloseListen})
}

// hookListener tells of a change of state of a listener, which is no connection.
func (s *Stack) hookListener(now clock.Instant, l *Listener, m tcp.Move) {
	if s.env.Hooks.Has(tcp.StepTransition) {
		r := s.env.Record(now, tcp.StepTransition)
		r.Tuple.Local, r.Passive = l.local, true
		s.env.Announce(r, m)
	}
}
