package plugins

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// injectRecord takes the record in the plugin's buffer for a segment that it wants
// beside the one at hand.
func (s *Set) injectRecord(p *Plugin, r *tcp.Record, after clock.Duration) Why {
	parts := [...]Part{{0, p.headSize()}, {abi.PayloadAt, 0}}
	s.view = viewNone
	if p.guest.instance.Fetch(s.image, parts[0]) != nil {
		return WhyMutation
	}
	n := wire.Le32(s.image[abi.SegmentPayload:])
	if wire.Le32(s.image[abi.OffsetSections:])&abi.SectionPayload != 0 && n <= p.size-min(p.size, abi.PayloadAt) {
		parts[1].Size = n
		if p.guest.instance.Fetch(s.image, parts[1]) != nil {
			return WhyMutation
		}
	}
	if !s.makeAside(p, s.image[:p.size], r) {
		return WhyMutation
	}
	s.aside.After = min(after, longestDelay)
	s.inject(p, r)
	return WhyVerdict
}

// inject leaves s.aside to the stack.
func (s *Set) inject(p *Plugin, r *tcp.Record) {
	if r.Beside == nil || !r.Beside.Add(s.aside) {
		p.commands.full++
	}
}

// makeAside makes of a record a segment, s.aside, and reports whether the plugin
// may have it sent, or taken in, beside r.
func (s *Set) makeAside(p *Plugin, b []byte, r *tcp.Record) bool {
	if len(b) < abi.RecordSize {
		return false
	}
	there := sections(wire.Le32(b[abi.OffsetSections:]))
	for _, end := range [...]struct {
		is sections
		at int
	}{{abi.SectionArgs, abi.ArgsEnd}, {abi.SectionAddress, abi.AddressEnd}, {abi.SectionOptions, abi.OptionsEnd}, {abi.SectionPayload, abi.PayloadAt}} {
		if there&end.is != 0 && len(b) < end.at {
			return false
		}
	}
	t := &s.rest
	*t = *r
	t.Leaving = b[abi.OffsetBits]&abi.BitLeaving != 0
	t.Segment, t.Options, t.Payload, t.TCP = true, nil, nil, wire.TCP{}
	fields := uint32(headerFields | abi.FieldOptions | abi.FieldPorts)
	if there&abi.SectionAddress != 0 {
		fields |= abi.FieldAddresses
		t.Tuple.Local.Addr = wire.AddrFromWords(wire.Family(b[abi.OffsetFamily]), 0, 0)
		t.Tuple.Remote.Addr = t.Tuple.Local.Addr
	}
	if t.TTL = 0; b[abi.SegmentTTL] == 0 {
		fields &^= abi.FieldTTL // the stack's own
	}
	t.TCP.Flags = wire.Flags(wire.Le16(b[abi.SegmentFlags:]))
	if t.TCP.Flags&(wire.ACK|wire.SYN|wire.RST) == 0 && !p.grants.Has(GrantLab) {
		return false // §3.1: no other segment has no ACK
	}
	if t.TCP.Flags&^allFlags != 0 || t.TCP.Flags&controlFlags != 0 && !p.grants.Has(GrantControl) || !s.takeHeader(p, b, t, fields) {
		return false
	}
	if t.Tuple != r.Tuple && (!p.grants.Has(GrantRewriteTuple) || !isHost(&t.Tuple.Local) || !isHost(&t.Tuple.Remote)) || !t.Tuple.Local.Addr.IsValid() {
		return false
	}
	if there&abi.SectionOptions != 0 && (!p.grants.Has(GrantOptions) || !s.readRawOptions(b, t)) {
		return false
	}
	if n := wire.Le32(b[abi.SegmentPayload:]); n > 0 {
		if there&abi.SectionPayload == 0 || n > uint32(len(b)-abi.PayloadAt) {
			return false
		}
		t.Payload = b[abi.PayloadAt : abi.PayloadAt+n]
	}
	if packetSize(t) > int(p.mtu) || t.Tuple == r.Tuple && r.Conn != 0 && !p.mayJoin(t) {
		return false
	}
	s.aside = tcp.Aside{
		Leaving: t.Leaving, Tuple: t.Tuple, TCP: t.TCP, Options: t.Options, Payload: t.Payload, TOS: t.TOS, TTL: t.TTL,
	}
	return true
}

// mayJoin reports whether a segment is one that its connection could have sent or
// got.
func (p *program) mayJoin(t *tcp.Record) bool {
	return inWindow(t) && !beyondMSS(t) &&
		(p.grants.Has(GrantLab) || !t.TCP.Flags.Has(wire.ACK) || !acknowledgesMore(t))
}

// headSize is what a plugin's buffer has before the payload.
func (p *program) headSize() uint32 { return min(p.size, abi.OptionsEnd) }
