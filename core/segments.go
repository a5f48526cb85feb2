package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// The way of a segment past the hook:
//
//	StepIngress                       the packet, see link.go
//	  StepParse       its options
//	  StepArriving    it
//	  StepMoving      if it will change a state, see moving.go
//	    the state machine, or whoever in front of it refuses
//	  StepArrived or StepRejected
//
//	    a connection, a record of TIME-WAIT, a listener, or nobody answers
//	  StepOptions, StepMoved, StepLeaving, its checksum, StepLeft
//	StepEgress                        the packet, see link.go
//
// What a hook keeps back at one of these is in Env.Held, and goes on behind the step
// when it is due; what a hook adds goes the same way.

// inputPacket takes a packet that has arrived past a hook.
func (s *Stack) inputPacket(now clock.Instant, p *packet.Packet) {
	if s.env.Hooks.Has(tcp.StepIngress) {
		s.ingress(now, p)
	} else {
		s.receive(now, p)
	}
	s.env.Packet = 0
	s.besides(now)
	s.seg.Raw = nil
}

// inputHooked is segment for a stack with a hook. options are those of seg as they
// stand in its header.
func (s *Stack) inputHooked(now clock.Instant, seg *tcp.Segment, options []byte) rule.Drop {
	seg.Raw = options
	s.asked.done = false
	if s.env.Asks(tcp.StepParse) && !s.goesOn(now, tcp.StepParse, seg) ||
		s.env.Asks(tcp.StepArriving) && !s.goesOn(now, tcp.StepArriving, seg) ||
		s.env.Asks(tcp.StepMoving) && !s.moving(now, seg) {
		return rule.NotDropped
	}
	if s.env.Hooks.Has(tcp.StepTransition) {
		s.env.Handle(seg)
		defer s.env.Handle(nil)
	}
	if s.env.Hooks&tcp.Mask(tcp.StepArrived, tcp.StepRejected) == 0 {
		return s.segment(now, seg)
	}
	return s.segmentTold(now, seg)
}

// goesOn asks the hook about a segment at a step, and reports whether it goes on. seg
// is then what the hook has made of it.
func (s *Stack) goesOn(now clock.Instant, step tcp.Step, seg *tcp.Segment) bool {
	r := s.env.Record(now, step)
	s.about(r, s.who(&seg.Tuple), seg.Tuple)
	return s.obey(now, r, seg, s.env.Arriving(r, seg))
}

// obey does what the hook wants done with a segment that has arrived, and reports
// whether it goes on.
func (s *Stack) obey(now clock.Instant, r *tcp.Record, seg *tcp.Segment, v tcp.Verdict) bool {
	if src, dst := seg.Tuple.Remote.Addr, seg.Tuple.Local.Addr; src != s.ip.Src || dst != s.ip.Dst {
		s.ip.Src, s.ip.Dst = src, dst
		if why := s.checkAddresses(); why != rule.NotDropped {
			s.drop(now, why)
			return false
		}
	}
	switch v {
	case tcp.DropIt:
		s.env.DropAtHook(now, r.Conn)
		return false
	case tcp.Reset:
		s.env.DropAtHook(now, r.Conn)
		s.abortFor(now, seg)
		return false
	case tcp.Delay, tcp.Duplicate, tcp.Hold:
		seg.AppendPacket(&s.made)
		passed := tcp.Mask(tcp.StepIngress, tcp.StepParse, tcp.StepArriving, r.Step)
		return s.env.Postpone(now, v, r.Arg, &tcp.HeldPacket{Packet: s.made, Number: s.env.Packet, Passed: passed, Ours: r.Ours})
	}
	return true
}

// abortFor ends the connection that seg is for, or answers with a reset if there is
// none.
func (s *Stack) abortFor(now clock.Instant, seg *tcp.Segment) {
	switch r := s.who(&seg.Tuple); {
	case r > 0:
		c := s.conns[r-1]
		c.tcb.AbortWith(now, tcp.ErrAborted, tcp.ByPlugin, rule.AbortReset)
		s.after(now, c)
	case r < 0:
		s.endWait(now, int32(-r-1), tcp.ByPlugin, rule.AbortSilent)
	default:
		if why := s.reset(now, seg); why != rule.NotDropped {
			s.drop(now, why)
		}
	}
}

// about tells a hook of who has a tuple. A listener is nobody's connection.
func (s *Stack) about(r *tcp.Record, who ref, t tcp.Tuple) {
	switch {
	case who > 0:
		s.conns[who-1].tcb.Fill(r)
	case who < 0:
		s.wait.records[-who-1].fill(r)
	case s.listens(t.Local):
		r.From, r.To, r.Passive = tcp.Listen, tcp.Listen, true
	}
	r.Tuple = t
}

// segmentTold is segment, of which the hook is told what came of it.
func (s *Stack) segmentTold(now clock.Instant, seg *tcp.Segment) rule.Drop {
	came := *seg
	before := tcp.Record{}
	s.about(&before, s.who(&seg.Tuple), seg.Tuple)
	s.env.Dropped = rule.NotDropped
	why := s.segment(now, seg)
	refused := s.env.Dropped
	if refused == rule.NotDropped && why != rule.DropReplyQueueFull { // which is not for the segment
		refused = why
	}
	step := tcp.StepArrived
	if refused != rule.NotDropped {
		step = tcp.StepRejected
	}
	if !s.env.Hooks.Has(step) {
		return why
	}
	r := s.env.Record(now, step)
	s.about(r, s.lookup(&came.Tuple), came.Tuple)
	r.Tell(&came)
	r.Options = came.Raw
	r.From, r.Drop, r.Rule = before.From, refused, refused.Rule()
	if before.Conn != 0 && r.Conn == 0 {
		r.To, r.Passive = tcp.Closed, before.Passive // nothing is left of it, as StepClosed has told
	}
	s.env.Hook.At(r)
	return why
}

// mayLeave takes a segment that no connection sends past the hook, and reports whether
// it goes on: p holds it but for its checksum, t and ip are its headers. who is the
// record that it is of, or 0.
func (s *Stack) mayLeave(now clock.Instant, who ref, p *packet.Packet, t *wire.TCP, ip *wire.IP) bool {
	for _, step := range [...]tcp.Step{tcp.StepOptions, tcp.StepMoved, tcp.StepLeaving} {
		if !s.env.Hooks.Has(step) || step == tcp.StepMoved && !t.Flags.Has(wire.SYN) {
			continue
		}
		r := s.leaving(now, step, who, t, ip)
		if step == tcp.StepMoved { // a cookie: what has changed is remembered on the way
			r.From, r.To, r.Cause, r.Rule = tcp.Listen, tcp.SynReceived, tcp.BySegment, rule.SynCookie
		}
		switch s.env.Leaves(now, r, p, t, ip) {
		case tcp.Reset:
			if who < 0 {
				s.endWait(now, int32(-who-1), tcp.ByPlugin, rule.AbortSilent)
			}
			return false
		case tcp.DropIt:
			return false
		}
	}
	return true
}

// leaving begins a record of a segment that leaves.
func (s *Stack) leaving(now clock.Instant, step tcp.Step, who ref, t *wire.TCP, ip *wire.IP) *tcp.Record {
	r := s.env.Record(now, step)
	s.about(r, who, tcp.Tuple{
		Local:  wire.AddrPort{Addr: ip.Src, Port: t.SrcPort},
		Remote: wire.AddrPort{Addr: ip.Dst, Port: t.DstPort},
	})
	return r
}

// besides takes in what the hook has left, and lets go what is due. Where that is very
// much it does a part, and Deadline stays in the past.
func (s *Stack) besides(now clock.Instant) {
	for range besidesAtOnce {
		s.env.Besides(now, s.cfg.TCP.TTL)
		h := &s.held
		if !s.env.Held.Due(now, h) {
			return
		}
		s.env.Packet, s.env.Passed, s.env.Ours = h.Number, h.Passed, h.Ours
		s.receive(now, &h.Packet)
		s.env.Packet, s.env.Passed, s.env.Ours = 0, 0, false
	}
}

// besidesAtOnce is how many packets that a hook has kept back or added are taken in
// one call, and how often what it adds is looked for in one Output.
const besidesAtOnce = 64

// outputHooked is next with what the hook has kept back or added, and with its say
// about packets.
func (s *Stack) outputHooked(now clock.Instant, p *packet.Packet) bool {
	for range besidesAtOnce {
		s.besides(now)
		for s.outputHeld(now, p) || s.next(now, p) {
			if s.egress(now, p) {
				return true
			}
		}
		if s.env.Beside.Empty() && s.env.Held.Next() > now {
			break
		}
	}
	s.unwatched()
	return false
}

// unwatched looks whether what a hook has kept back, which is there no more, has gone.
func (s *Stack) unwatched() {
	s.watched = s.env.Hook != nil || s.env.Held.Len() > 0
}

// outputHeld puts the next packet into p that was kept back and may leave now.
func (s *Stack) outputHeld(now clock.Instant, p *packet.Packet) bool {
	h := &s.held
	if !s.env.Held.TakeLeaving(h) {
		return false
	}
	p.Set(&h.Packet)
	s.packets++
	s.stats.PacketsOut++
	s.env.Passed = h.Passed
	if h.Passed.Has(tcp.StepEgress) {
		return true // it has been told of
	}
	var ip wire.IP
	var t wire.TCP
	wire.ParseIP(p.Bytes, &ip)
	b := p.Bytes[ip.HeaderLen:]
	wire.ParseTCP(b, &t)
	s.env.Packet = s.packets
	s.env.Stats.SegmentsOut++
	s.logSegment(now, event.SegmentOut, h.Conn, &t, len(b)-t.HeaderLen)
	if s.env.Hooks.Has(tcp.StepLeft) {
		own := tcp.Tuple{
			Local:  wire.AddrPort{Addr: ip.Src, Port: t.SrcPort},
			Remote: wire.AddrPort{Addr: ip.Dst, Port: t.DstPort},
		}
		r := s.leaving(now, tcp.StepLeft, s.lookup(&own), &t, &ip)
		r.Ours = h.Ours
		s.env.Left(r, p, &t, &ip)
	}
	s.env.Packet = 0
	return true
}

// expireHook does what is due of the hook's own, and of what it keeps back.
func (s *Stack) expireHook(now clock.Instant) {
	if h := s.env.Hook; h != nil && h.Deadline() <= now {
		h.Expire(now, &s.env.Beside, &s.env.Log)
	}
	s.besides(now)
	s.unwatched()
}

// hookDeadline is when expireHook has something to do.
func (s *Stack) hookDeadline() clock.Instant {
	if !s.env.Beside.Empty() {
		return tcp.HeldOver
	}
	at := s.env.Held.Next()
	if s.env.Hook != nil {
		at = min(at, s.env.Hook.Deadline())
	}
	return at
}
