package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Stack is one host on one link. New makes it; see the package comment for how
// it is driven.
type Stack struct {
	cfg  Config
	env  tcp.Env
	keys keys

	addrs []wire.Prefix // our own addresses, with the prefix of the link

	// Connections by slot, nil where there is none, and the slots to use again.
	conns  []*Conn
	free   []int32
	peers  peers
	lastID uint32

	table  table
	last   ref // who had the last segment; a connection or 0
	timers timers
	wait   timeWaits

	listeners []*Listener // by slot, nil where there is none
	byPort    []int32     // slots in order of ports

	output, ready, age queue
	watched            bool // there is a hook, or something that one has kept back
	burst              int  // packets that the first in output has sent in its turn
	readyListeners     []int32
	replies            replies
	resets             resets

	fast    fastClient
	ports   [portCounters]uint32
	packets uint32        // packets in and out: the ordinal of the last one
	shortAt clock.Instant // when there will have been too little memory for too long

	stats Stats

	// What one call of Input works on; nothing of it outlives the call.
	ip, quote wire.IP
	seg       tcp.Segment
	asked     asked
	held      tcp.HeldPacket
	made      packet.Packet // of a segment that a hook keeps back
	wire      packet.Packet // what a hook at the link is shown
}

// Stats counts what happened since the stack was made.
type Stats struct {
	tcp.Stats
	PacketsIn       uint64
	PacketsOut      uint64
	EchoReplies     uint64
	ResetsWithheld  uint64 // by the limit of one address
	CookiesSent     uint64
	CookiesAccepted uint64
	FastOpens       uint64 // RFC 7413: data, or none, taken with a SYN whose cookie was good
	FastOpenCookies uint64 // given to clients that asked, or had none that was good
	FastOpensFull   uint64 // refused since too many were pending
	TimeWaitEvicted uint64 // ended early, since there were too many
	TimeWaitReused  uint64 // ended early by a new SYN
	PortsExhausted  uint64 // active opens that found no port
	PortsRefused    uint64 // ports that a hook chose and that were not free
	OpensRefused    uint64 // active opens beyond MaxConns or MaxPerPeer
	MemoryAborts    uint64 // connections aborted since memory was used up
}

// New returns a stack without addresses on a link.
func New(cfg Config, link packet.Link) (*Stack, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if link.MTU == 0 {
		link.MTU = 65535
	}
	// RFC 791 §3.2: every link takes 68 octets.
	if link.MTU < 68 || link.MTU > 65535 || link.MaxSuper < 0 {
		return nil, tcp.ErrInvalid
	}
	s := &Stack{cfg: cfg, keys: newKeys(cfg.Secret), table: newTable(), shortAt: clock.Never}
	s.env.Link = link
	s.env.Pool.Budget = cfg.Memory / tcp.ChunkSize
	s.env.Held.Packets, s.env.Held.Octets = cfg.MaxHeld, cfg.MaxHeldOctets
	s.env.Slack = cfg.TimerSlack
	s.replies.max = cfg.Replies
	s.peers = newPeers(&cfg)
	return s, nil
}

// AddAddr gives the stack an address, with the length of the link's prefix.
func (s *Stack) AddAddr(p wire.Prefix) error {
	a := p.Addr
	if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a.IsBroadcast() || a == p.Broadcast() ||
		p.Bits > 128 || a.Is4() && p.Bits > 32 {
		return tcp.ErrInvalid
	}
	// RFC 8200 §5: an IPv6 link takes 1280 octets.
	if a.Is6() && s.env.Link.MTU < mtuFloor6 {
		return tcp.ErrInvalid
	}
	if s.isOwn(a) {
		return tcp.ErrExists
	}
	s.addrs = append(s.addrs, p)
	return nil
}

// Addrs returns the stack's addresses, in the order in which they were added.
func (s *Stack) Addrs() []wire.Prefix { return append([]wire.Prefix(nil), s.addrs...) }

// Config is what the stack goes by.
func (s *Stack) Config() *Config { return &s.cfg }

// Log is where events are collected. It is off until its mask is set.
func (s *Stack) Log() *event.Log { return &s.env.Log }

// SetHook makes h see, and perhaps change or stop, what happens at the steps that
// mask names. nil takes it away; what it has held goes on, and what it wanted beside
// is forgotten.
func (s *Stack) SetHook(h tcp.Hook, mask tcp.HookMask) {
	if h == nil {
		mask = 0
		s.env.Beside = tcp.Beside{}
		s.env.Held.ReleaseAll()
	}
	s.env.Hook, s.env.Hooks = h, mask
	s.watched = h != nil || s.env.Held.Len() > 0
	for _, c := range s.conns {
		if c != nil {
			c.tcb.Watch()
		}
	}
}

// Hook returns what SetHook has set, of a Clone its copy.
func (s *Stack) Hook() (tcp.Hook, tcp.HookMask) { return s.env.Hook, s.env.Hooks }

// Stats returns the counters. They stand still until Stats is called again.
func (s *Stack) Stats() *Stats {
	s.stats.Stats = s.env.Stats
	return &s.stats
}

// Packets is how many packets have come in and gone out: the ordinal by which
// events call the last of them.
func (s *Stack) Packets() uint32 { return s.packets }

// Conn returns the connection in a slot, nil if there is none. After Clone it
// finds the copy of a connection.
func (s *Stack) Conn(slot int) *Conn {
	if slot < 0 || slot >= len(s.conns) {
		return nil
	}
	return s.conns[slot]
}

// Listener returns the listener in a slot, nil if there is none.
func (s *Stack) Listener(slot int) *Listener {
	if slot < 0 || slot >= len(s.listeners) {
		return nil
	}
	return s.listeners[slot]
}

// Conns is how many connections there are; TimeWaits how many records of
// connections in TIME-WAIT.
func (s *Stack) Conns() int { return int(s.age.n) }

// TimeWaits is how many records of connections in TIME-WAIT there are.
func (s *Stack) TimeWaits() int { return s.wait.len() }

// Dial opens a connection (RFC 9293 §3.10.1). The SYN is the next Output; Ready
// tells how it ended, with Connected or Closed. Without a local address the stack
// chooses one (MUST-44), and without a local port too. cfg is kept and must not
// change; nil stands for Config.TCP.
func (s *Stack) Dial(now clock.Instant, local, remote wire.AddrPort, cfg *tcp.Config) (*Conn, error) {
	if cfg == nil {
		cfg = &s.cfg.TCP
	}
	// RFC 9293 §3.9.2.3 MUST-46: broadcast and multicast addresses are refused.
	r := remote.Addr
	if !r.IsValid() || r.IsUnspecified() || r.IsMulticast() || s.isBroadcast(r) || s.isOwn(r) || remote.Port == 0 {
		return nil, tcp.ErrInvalid
	}
	if !local.Addr.IsValid() || local.Addr.IsUnspecified() {
		local.Addr = s.sourceFor(r)
	}
	if local.Addr.Family() != r.Family() || !s.isOwn(local.Addr) {
		return nil, tcp.ErrAddrNotAvail
	}
	t := tcp.Tuple{Local: local, Remote: remote}
	if local.Port == 0 {
		if err := s.choosePort(now, &t); err != nil {
			return nil, err
		}
	} else if s.who(&t) != 0 {
		return nil, tcp.ErrExists
	}
	c, why := s.newConn(cfg, t)
	if why != rule.NotDropped {
		s.stats.OpensRefused++
		return nil, tcp.ErrResources
	}
	iss, offset := s.chooseISN(now, &t, false)
	c.tcb.OpenActive(now, iss, offset)
	s.after(now, c)
	return c, nil
}

// refusesConn says which bound there is to another connection.
func (s *Stack) refusesConn(peer wire.Addr) rule.Drop {
	if s.peers != nil && s.peers[peer] >= s.cfg.MaxPerPeer {
		return rule.DropPeerFull
	}
	if len(s.free) == 0 && len(s.conns) >= s.cfg.MaxConns {
		return rule.DropResources
	}
	return rule.NotDropped
}

// newConn takes a slot for a connection, or says which bound is reached.
func (s *Stack) newConn(cfg *tcp.Config, t tcp.Tuple) (*Conn, rule.Drop) {
	if why := s.refusesConn(t.Remote.Addr); why != rule.NotDropped {
		return nil, why
	}
	c := &Conn{stack: s}
	if n := len(s.free); n > 0 {
		c.slot = s.free[n-1]
		s.free = s.free[:n-1]
		s.conns[c.slot] = c
	} else {
		c.slot = int32(len(s.conns))
		s.conns = append(s.conns, c)
	}
	s.peers.join(t.Remote.Addr)
	s.lastID++
	c.tcb.Init(&s.env, cfg, s.lastID, t)
	c.flags = connNamed
	s.insert(ref(c.slot + 1))
	s.push(&s.age, queueAge, c)
	return c, rule.NotDropped
}

// after is what every call into a connection ends with: what it has to send is
// sent in its turn, its deadline is known, and its user will be told.
func (s *Stack) after(now clock.Instant, c *Conn) {
	c.tcb.Obey(now)
	s.queuesMoved(now, c)
	s.push(&s.output, queueOutput, c)
	s.afterOutput(c)
}

// queuesMoved looks whether a connection has left a queue of its listener.
func (s *Stack) queuesMoved(now clock.Instant, c *Conn) {
	if c.flags&connHalfOpen != 0 {
		s.halfOpenMoved(c)
	}
	if c.flags&connFastOpen != 0 {
		s.fastOpenMoved(now, c)
	}
}

// afterOutput is what Output of a connection ends with.
func (s *Stack) afterOutput(c *Conn) {
	s.timers.nearer(c.slot, c.tcb.Deadline())
	if r := c.tcb.TakeReady(); r != 0 {
		c.ready |= ReadyMask(r)
		if c.flags&(connHalfOpen|connQueued|connOrphan) == 0 && !c.tcb.Released() {
			s.push(&s.ready, queueReady, c)
		}
	}
}

// settle looks, after all has been sent, whether a connection can be forgotten or
// become a record.
func (s *Stack) settle(now clock.Instant, c *Conn) {
	if c.tcb.Gone() {
		s.unname(c)
		if c.flags&connOrphan != 0 || c.tcb.Released() {
			if s.env.Hooks.Has(tcp.StepClosed) {
				s.hookClosed(now, c)
			}
			s.release(c)
		}
		return
	}
	if c.tcb.State() == tcp.TimeWait {
		if w, ok := c.tcb.Record(); ok {
			s.shrinkToWait(now, c, &w)
		}
	}
}

// unname takes a connection that is over out of the table, so that its name can
// be given to another while its user still holds it.
func (s *Stack) unname(c *Conn) {
	if c.flags&connNamed != 0 {
		c.flags &^= connNamed
		s.erase(ref(c.slot + 1))
		s.timers.remove(c.slot)
	}
}

// release takes a connection out of the stack. What its user still holds of it
// is an empty handle.
func (s *Stack) release(c *Conn) {
	s.unname(c)
	s.remove(&s.output, queueOutput, c)
	s.remove(&s.ready, queueReady, c)
	s.remove(&s.age, queueAge, c)
	s.timers.remove(c.slot)
	s.peers.leave(c.Remote().Addr)
	c.tcb.Drop()
	s.conns[c.slot] = nil
	s.free = append(s.free, c.slot)
	c.stack = nil
}

// who returns who has the tuple t, connections that are over not counted.
func (s *Stack) who(t *tcp.Tuple) ref {
	r := s.lookup(t)
	if r > 0 {
		c := s.conns[r-1]
		if state := c.tcb.State(); state == tcp.Closed || state == tcp.Listen {
			s.unname(c)
			return 0
		}
	}
	return r
}

// drop counts a packet or a segment that goes nowhere before it has reached a
// connection.
func (s *Stack) drop(now clock.Instant, why rule.Drop) {
	s.env.Stats.Drops[why]++
	s.env.Dropped = why
	if s.env.Log.On(event.Drop) {
		s.env.Log.Add(event.Event{At: now, Packet: s.env.Packet, Kind: event.Drop, Rule: why.Rule(), From: uint8(why)})
	}
}

// logSegment tells of a segment that no TCB sees. id is that of the connection
// whose record it is for, or 0.
func (s *Stack) logSegment(now clock.Instant, kind event.Kind, id uint32, t *wire.TCP, payload int) {
	if !s.env.Log.On(kind) {
		return
	}
	e := event.Event{
		At: now, Conn: id, Packet: s.env.Packet, Kind: kind,
		A: uint64(t.Seq)<<32 | uint64(t.Ack),
		B: uint64(payload)<<32 | uint64(t.Window),
		C: uint64(t.Flags)<<16 | uint64(t.Urgent),
	}
	if t.Options.Has.Has(wire.HasTimestamps) {
		e.D = uint64(t.Options.TSVal)<<32 | uint64(t.Options.TSEcr)
	}
	s.env.Log.Add(e)
}
