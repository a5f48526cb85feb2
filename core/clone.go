package core

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// Clone copies the stack with all that it has. Given the same calls, both go on
// in the same way, octet by octet and event by event; whatever is done to one is
// not seen by the other. Conn and Listener find the copies of handles, by slot.
// The hook is cloned too.
func (s *Stack) Clone() *Stack {
	d := new(Stack)
	*d = *s
	d.env = s.env.Clone()
	d.addrs = slices.Clone(s.addrs)
	d.conns = slices.Clone(s.conns)
	for i, c := range s.conns {
		if c != nil {
			e := new(Conn)
			*e = *c
			e.tcb, e.stack = c.tcb.Clone(&d.env), d
			d.conns[i] = e
		}
	}
	d.free = slices.Clone(s.free)
	d.peers = s.peers.clone(d.conns)
	d.table, d.timers, d.wait = s.table.clone(), s.timers.clone(), s.wait.clone()
	d.listeners = slices.Clone(s.listeners)
	for i, l := range s.listeners {
		if l != nil {
			m := *l
			m.stack = d
			m.fast.resets = slices.Clone(l.fast.resets)
			d.listeners[i] = &m
		}
	}
	d.byPort = slices.Clone(s.byPort)
	d.readyListeners = slices.Clone(s.readyListeners)
	d.replies = s.replies.clone()
	d.held, d.made, d.wire = tcp.HeldPacket{}, packet.Packet{}, packet.Packet{}
	d.fast.servers = slices.Clone(s.fast.servers)
	return d
}

// Fingerprint is a hash of what decides the stack's future: two stacks of one
// fingerprint will do the same. Sequence numbers count from where they began and
// times from now; counters, ids, and which numbers and ports will be drawn next
// are left out, so that states that differ only in these are one.
func (s *Stack) Fingerprint(now clock.Instant) uint64 {
	h := siphash.New(siphash.Key{})
	for _, slot := range s.byPort {
		l := s.listeners[slot]
		fingerprintTuple(&h, &tcp.Tuple{Local: l.local})
		h.WriteUint64(uint64(l.half.n)<<32 | uint64(l.accept.n))
		s.fingerprintQueue(&h, &l.half, queueListener)
		s.fingerprintQueue(&h, &l.accept, queueListener)
		s.fingerprintQueue(&h, &l.fast.taken, queueListener)
		l.fast.fingerprint(&h, now)
	}
	for slot, c := range s.conns {
		if c == nil {
			continue
		}
		tuple := c.tcb.Tuple()
		fingerprintTuple(&h, &tuple)
		h.WriteUint64(uint64(slot)<<16 | uint64(c.ready)<<8 | uint64(c.flags))
		c.tcb.Fingerprint(&h, now)
	}
	s.fingerprintQueue(&h, &s.output, queueOutput)
	s.fingerprintQueue(&h, &s.ready, queueReady)
	for i := range s.wait.records {
		if w := &s.wait.records[i]; w.ID != 0 {
			fingerprintTuple(&h, &w.Tuple)
			h.WriteUint64(uint64(w.Until.Sub(now)))
			h.WriteUint64(w.Fingerprint(now, &s.cfg.TCP))
		}
	}
	s.fast.fingerprint(&h, now)
	for i := range s.replies.n {
		p := &s.replies.slots[(s.replies.first+i)%s.replies.max]
		h.WriteUint64(siphash.Sum64(siphash.Key{}, p.Bytes))
	}
	s.env.Held.Fingerprint(&h, now)
	if s.env.Hook != nil {
		s.env.Hook.Fingerprint(&h, now)
	}
	return h.Sum64()
}

func fingerprintTuple(h *siphash.Hash, t *tcp.Tuple) {
	localHi, localLo := t.Local.Addr.Words()
	remoteHi, remoteLo := t.Remote.Addr.Words()
	h.WriteUint64(localHi)
	h.WriteUint64(localLo)
	h.WriteUint64(remoteHi)
	h.WriteUint64(remoteLo)
	h.WriteUint64(uint64(t.Local.Addr.Family())<<32 | uint64(t.Local.Port)<<16 | uint64(t.Remote.Port))
}

func (s *Stack) fingerprintQueue(h *siphash.Hash, q *queue, kind int) {
	h.WriteUint64(uint64(q.n))
	for slot := q.head; slot != 0; slot = s.conns[slot-1].after[kind] {
		h.WriteUint64(uint64(slot))
	}
}
