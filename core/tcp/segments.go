package tcp

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/wire"
)

// What hooks see of segments, and how what they make of them comes to count. A hook
// is shown a copy. Only with a verdict that says so the copy takes the place of what
// it was made of, and only if it still is a segment: nothing that a hook does makes
// the engine send what nobody could read, or changes its books.

// The steps at which a segment can be stopped or changed on its way out, at all of
// which it has been once it is kept back at one.
const leavingSteps = 1<<StepOptions | 1<<StepMoved | 1<<StepLeaving

// With a hook at one of these each segment is built for itself: what is done to it
// cannot be done to a super-packet.
const singleSteps = leavingSteps | 1<<StepEgress

// LeavingSteps is leavingSteps for who builds segments without a connection.
const LeavingSteps HookMask = leavingSteps

// ArrivingSteps are those that a segment passes on its way to the state machine.
const ArrivingSteps = HookMask(1<<StepIngress | 1<<StepParse | 1<<StepArriving | 1<<StepMoving)

// shown is the room for the copies of the segment at hand.
type shown struct {
	payload []byte
	options [wire.TCPOptionsMax]byte
	taken   []byte // the payload that an arriving segment has got in place of its own
	raw     [wire.TCPOptionsMax]byte
}

// Asks reports whether the hook is called at a step for the packet at hand.
func (e *Env) Asks(s Step) bool { return (e.Hooks &^ e.Passed).Has(s) }

// show puts copies of a segment's parts into r.
func (e *Env) show(r *Record, t *wire.TCP, options, payload []byte) {
	e.shown.payload = append(e.shown.payload[:0], payload...)
	n := copy(e.shown.options[:], options)
	r.Segment, r.TCP, r.Payload, r.Options = true, *t, e.shown.payload, e.shown.options[:n]
}

// counts reports whether, with a verdict, what is in the record counts.
func (v Verdict) counts() bool {
	return v == Mutated || v == Delay || v == Duplicate || v == Hold
}

// options puts the options that the segment of r is to have, which had those of t and
// was, into raw. ok is false when there are too many, or they are none.
func (r *Record) options(t *wire.TCP, was []byte, raw *[wire.TCPOptionsMax]byte) (n int, ok bool) {
	switch {
	case r.Options == nil || r.TCP.Options != t.Options && slices.Equal(r.Options, was):
		return encode(nil, &r.TCP.Options, raw)
	case slices.Equal(r.Options, was):
		return copy(raw[:], was), true // as they came, good or not
	}
	return encode(r.Options, nil, raw)
}

// encode puts options into raw: those given, or if they are nil those of o.
func encode(given []byte, o *wire.Options, raw *[wire.TCPOptionsMax]byte) (n int, ok bool) {
	if given == nil {
		if int(o.FastOpenLen) > len(o.FastOpen) {
			return 0, false
		}
		given = wire.AppendOptions(raw[:0], o)
	}
	if len(given) > len(raw) {
		return 0, false
	}
	n = copy(raw[:], given)
	var parsed wire.Options
	wire.ParseOptions(raw[:n], &parsed)
	return n, parsed.Has&wire.HasMalformed == 0
}

// settle makes t fit what is around it: the ports are those of the tuple, and options
// and length are what is in raw.
func settle(t *wire.TCP, src, dst wire.AddrPort, raw []byte) {
	t.SrcPort, t.DstPort, t.Flags = src.Port, dst.Port, t.Flags&0x1ff
	t.HeaderLen = wire.TCPHeaderLen + (len(raw)+3)&^3
	wire.ParseOptions(raw, &t.Options)
}

// sameFamily reports whether the ends of t are of one family, that of a.
func (t *Tuple) sameFamily(a wire.Addr) bool {
	return t.Local.Addr.Family() == a.Family() && t.Remote.Addr.Family() == a.Family()
}

// Leaves asks the hook about a segment that leaves, at the step at which r has begun:
// p holds it but for its checksum, t and ip are its headers. What the hook makes of
// it is then in all three. The result is Pass if it goes on now, Reset if the hook
// wants its connection aborted, and else DropIt.
func (e *Env) Leaves(now clock.Instant, r *Record, p *packet.Packet, t *wire.TCP, ip *wire.IP) Verdict {
	e.shows(r, p, t, ip)
	r.Ours = false // whatever the segment is that it answers
	v := e.Hook.At(r)
	if r.Step == StepOptions && v != Mutated {
		return Pass
	}
	if v.counts() && !e.rebuild(r, p, t, ip) {
		e.Stats.ChangesIgnored++
	}
	switch v {
	case DropIt, Reset:
		e.DropAtHook(now, r.Conn)
		return v
	case Delay, Duplicate, Hold:
		wire.FinishTCP(p.Bytes, ip, headerLen(ip), p.Partial)
		if !e.Postpone(now, v, r.Arg, &HeldPacket{Packet: *p, Conn: r.Conn, Passed: leavingSteps, Leaving: true}) {
			return DropIt
		}
	}
	return Pass
}

// Left tells of a segment that leaves as it is, checksum and all.
func (e *Env) Left(r *Record, p *packet.Packet, t *wire.TCP, ip *wire.IP) {
	e.shows(r, p, t, ip)
	e.Hook.At(r)
}

// A departure is a segment of a connection on its way out.
type departure struct {
	p     *packet.Packet // but for the checksum
	tcp   *wire.TCP
	ip    *wire.IP
	again bool // it was sent before
}

// mayLeave takes a segment through the steps at which hooks can stop or change it,
// and reports whether it goes on.
func (c *TCB) mayLeave(now clock.Instant, d departure) bool {
	return (!c.env.Hooks.Has(StepOptions) || c.leaves(now, c.at(now, StepOptions), d)) &&
		(!c.tagged || c.hookMoved(now, d)) &&
		(!c.env.Hooks.Has(StepLeaving) || c.leaves(now, c.at(now, StepLeaving), d))
}

// leaves is Env.Leaves for a segment of the connection. It reports whether the segment
// goes on. An abort waits until the call that has built the segment is over.
func (c *TCB) leaves(now clock.Instant, r *Record, d departure) bool {
	r.Again = d.again
	v := c.env.Leaves(now, r, d.p, d.tcp, d.ip)
	if v == Reset {
		c.order = orderReset
	}
	return v == Pass
}

// hookReserve asks how many octets of options the hook will add to each segment, at
// StepOptions: that much less data fits. One SACK block has room in any case.
func (c *TCB) hookReserve(now clock.Instant) {
	r := c.at(now, StepReserve)
	if c.env.Hook.At(r) != Mutated {
		return
	}
	most := wire.TCPOptionsMax
	if c.ts.on {
		most -= timestampOption
	}
	if c.ts.sackOK {
		most -= 4 + 8
	}
	c.reserve = uint8((min(r.Args[0], uint64(most)) + 3) &^ 3)
}

func headerLen(ip *wire.IP) int {
	if ip.Src.Is6() {
		return wire.IPv6HeaderLen
	}
	return wire.IPv4HeaderLen
}

// PayloadLen is the octets of data in the segment that p holds.
func PayloadLen(p *packet.Packet, ip *wire.IP) int {
	segment := p.Bytes[headerLen(ip):]
	return len(segment) - int(segment[12]>>4)*4
}

// shows puts a segment that leaves into r.
func (e *Env) shows(r *Record, p *packet.Packet, t *wire.TCP, ip *wire.IP) {
	segment := p.Bytes[headerLen(ip):]
	t.HeaderLen = int(segment[12]>>4) * 4
	t.Checksum = wire.Be16(segment[16:18])
	e.show(r, t, segment[wire.TCPHeaderLen:t.HeaderLen], segment[t.HeaderLen:])
	r.Leaving, r.TOS, r.TTL = true, ip.TOS, ip.TTL
	r.Tuple.Local = wire.AddrPort{Addr: ip.Src, Port: t.SrcPort}
	r.Tuple.Remote = wire.AddrPort{Addr: ip.Dst, Port: t.DstPort}
}

// rebuild makes the packet of a segment that leaves what the hook has made of it, of
// the options alone at StepOptions. It returns false, and leaves all as it is, when
// that is no segment, or too large for the link.
func (e *Env) rebuild(r *Record, p *packet.Packet, t *wire.TCP, ip *wire.IP) bool {
	hdr := headerLen(ip)
	old := p.Bytes[hdr:]
	var raw [wire.TCPOptionsMax]byte
	n, ok := r.options(t, old[wire.TCPHeaderLen:t.HeaderLen], &raw)
	if r.Step == StepOptions {
		r.TCP = *t
		r.Payload, r.TOS, r.TTL = old[t.HeaderLen:], ip.TOS, ip.TTL
		r.Tuple = Tuple{wire.AddrPort{Addr: ip.Src, Port: t.SrcPort}, wire.AddrPort{Addr: ip.Dst, Port: t.DstPort}}
	}
	data := hdr + wire.TCPHeaderLen + (n+3)&^3
	size := data + len(r.Payload)
	if !ok || size > e.Link.MTU || !r.Tuple.sameFamily(ip.Src) {
		return false
	}
	*t = r.TCP
	settle(t, r.Tuple.Local, r.Tuple.Remote, raw[:n])
	ip.Src, ip.Dst, ip.TOS, ip.TTL = r.Tuple.Local.Addr, r.Tuple.Remote.Addr, r.TOS, max(r.TTL, 1)
	b := extend(p.Bytes[:0], size)
	copy(b[data:], r.Payload) // before the headers: it may lie where they go
	wire.AppendTCPRaw(b[:hdr], t, raw[:n])
	wire.AppendIP(b[:0], ip, size-hdr)
	p.Bytes, p.SegmentSize = b, 0
	return true
}

// Arriving asks the hook about a segment that has arrived, at the step at which r has
// begun, and makes seg what the hook has made of it. At StepParse that is the options
// alone. The result is what is still to be obeyed.
func (e *Env) Arriving(r *Record, seg *Segment) Verdict {
	e.show(r, &seg.TCP, seg.Raw, seg.Payload)
	r.TOS, r.TTL, r.Tuple = seg.TOS, seg.TTL, seg.Tuple
	v := e.Hook.At(r)
	if r.Step == StepParse && v != Mutated {
		return Pass
	}
	if v.counts() && !e.take(r, seg) {
		e.Stats.ChangesIgnored++
	}
	return v
}

// take makes seg what the hook has made of it, but for StepParse with all. It returns
// false, and leaves all as it is, when that is no segment.
func (e *Env) take(r *Record, seg *Segment) bool {
	var raw [wire.TCPOptionsMax]byte
	n, ok := r.options(&seg.TCP, seg.Raw, &raw)
	if r.Step == StepParse {
		r.TCP = seg.TCP
		r.Payload, r.TOS, r.TTL, r.Tuple = seg.Payload, seg.TOS, seg.TTL, seg.Tuple
	}
	hdr := headerLen(&wire.IP{Src: seg.Tuple.Local.Addr})
	size := hdr + wire.TCPHeaderLen + (n+3)&^3 + len(r.Payload)
	if !ok || size > 65535 || !r.Tuple.sameFamily(seg.Tuple.Local.Addr) {
		return false
	}
	seg.TCP = r.TCP
	settle(&seg.TCP, r.Tuple.Remote, r.Tuple.Local, raw[:n])
	seg.TOS, seg.TTL, seg.Tuple = r.TOS, r.TTL, r.Tuple
	e.shown.raw = raw
	seg.Raw = e.shown.raw[:n]
	if r.Step != StepParse {
		e.shown.taken = append(e.shown.taken[:0], r.Payload...)
		seg.Payload = e.shown.taken
	}
	return true
}

// AppendPacket makes a packet of a segment that has arrived, in the room that p has.
func (seg *Segment) AppendPacket(p *packet.Packet) {
	ip := wire.IP{
		Src: seg.Tuple.Remote.Addr, Dst: seg.Tuple.Local.Addr, Protocol: wire.ProtocolTCP,
		TTL: seg.TTL, TOS: seg.TOS, DontFragment: true,
	}
	buildSegment(p, &ip, &seg.TCP, seg.Raw, seg.Payload)
	if n := len(seg.Payload); seg.Count > 1 {
		p.SegmentSize = uint16((n + int(seg.Count) - 1) / int(seg.Count))
	}
}

// buildSegment makes the packet of a segment, checksum and all, in the room of p.
func buildSegment(p *packet.Packet, ip *wire.IP, t *wire.TCP, options, payload []byte) {
	hdr := headerLen(ip)
	b := append(wire.AppendTCPRaw(extend(p.Bytes[:0], hdr), t, options), payload...)
	wire.AppendIP(b[:0], ip, len(b)-hdr)
	p.Bytes, p.Partial, p.SegmentSize = b, false, 0
	wire.FinishTCP(b, ip, hdr, false)
}

// Postpone obeys Delay, Duplicate and Hold, with the argument that the hook has given,
// for the packet h. It reports whether the packet itself goes on now.
func (e *Env) Postpone(now clock.Instant, v Verdict, arg uint64, h *HeldPacket) bool {
	switch v {
	case Delay:
		h.At = later(now, arg)
		e.keep(now, h)
		return false
	case Hold:
		h.At, h.Tag = clock.Never, arg
		e.keep(now, h)
		return false
	case Duplicate:
		h.At = now
		for range arg & 0xff {
			h.At = later(h.At, arg>>8)
			e.keep(now, h)
		}
	}
	return true
}

// later is t moved by a span that a hook has given, and not to where it never comes.
func later(t clock.Instant, span uint64) clock.Instant {
	return min(t.Add(clock.Duration(min(span, 1<<62))), clock.Never-1)
}

func (e *Env) keep(now clock.Instant, h *HeldPacket) {
	if !e.Held.add(h) {
		e.dropFor(now, h.Conn, rule.DropHeldFull)
	}
}

// DropAtHook counts a segment or a packet that a hook has dropped.
func (e *Env) DropAtHook(now clock.Instant, conn uint32) {
	e.dropFor(now, conn, rule.DropHook)
}

func (e *Env) dropFor(now clock.Instant, conn uint32, why rule.Drop) {
	e.Stats.Drops[why]++
	if e.Log.On(event.Drop) {
		e.Log.Add(event.Event{At: now, Kind: event.Drop, Conn: conn, Packet: e.Packet, Rule: why.Rule(), From: uint8(why)})
	}
}

// Besides takes in what hooks have left: what they let go goes on, and what they add is
// kept like what they keep back, until it is due. ttl is that of what says none.
func (e *Env) Besides(now clock.Instant, ttl uint8) {
	for _, tag := range e.Beside.TakeReleased() {
		e.Held.release(now, tag)
	}
	list := e.Beside.Take()
	for i := range list {
		e.add(now, &list[i], ttl)
	}
}

// add makes the packet of an aside and keeps it until it is due.
func (e *Env) add(now clock.Instant, a *Aside, ttl uint8) {
	var raw [wire.TCPOptionsMax]byte
	n, ok := encode(a.Options, &a.TCP.Options, &raw)
	ip := wire.IP{
		Src: a.Tuple.Local.Addr, Dst: a.Tuple.Remote.Addr, Protocol: wire.ProtocolTCP,
		TTL: a.TTL, TOS: a.TOS, DontFragment: true,
	}
	from, to := a.Tuple.Local, a.Tuple.Remote
	if !a.Leaving {
		ip.Src, ip.Dst, from, to = ip.Dst, ip.Src, to, from
	}
	if ip.TTL == 0 {
		ip.TTL = ttl
	}
	most := 65535
	if a.Leaving {
		most = e.Link.MTU
	}
	if size := headerLen(&ip) + wire.TCPHeaderLen + (n+3)&^3 + len(a.Payload); !ok || size > most ||
		!ip.Src.IsValid() || !a.Tuple.sameFamily(ip.Src) {
		e.Stats.ChangesIgnored++
		return
	}
	settle(&a.TCP, from, to, raw[:n])
	h := HeldPacket{At: later(now, uint64(max(a.After, 0))), Leaving: a.Leaving, Ours: true, Passed: leavingSteps}
	if !a.Leaving {
		h.Passed = ArrivingSteps
	}
	buildSegment(&h.Packet, &ip, &a.TCP, raw[:n], a.Payload)
	e.keep(now, &h)
}
