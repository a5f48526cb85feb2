package plugins

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// fieldAt is where a field stands in the record.
var fieldAt = [...]struct {
	field    uint32
	at, size uint32
}{
	{abi.FieldSeq, abi.SegmentSeq, 4},
	{abi.FieldAck, abi.SegmentAck, 4},
	{abi.FieldFlags, abi.SegmentFlags, 2},
	{abi.FieldWindow, abi.SegmentWindow, 2},
	{abi.FieldUrgent, abi.SegmentUrgent, 2},
	{abi.FieldOptions, abi.SegmentHas, abi.SegmentTOS - abi.SegmentHas},
	{abi.FieldLength, abi.SegmentPayload, 4},
	{abi.FieldTOS, abi.SegmentTOS, 1},
	{abi.FieldTTL, abi.SegmentTTL, 1},
	{abi.FieldPorts, abi.OffsetLocalPort, 4},
	{abi.FieldAddresses, abi.AddressAt, abi.AddressEnd - abi.AddressAt},
	{abi.FieldArgs, abi.ArgsAt, abi.ArgsEnd - abi.ArgsAt},
}

// take makes the changes that a plugin names: it fetches the fields, makes them in
// the record, and takes them back if the segment may not be like that. THREATS P09:
// all of a change is taken, or nothing.
func (s *Set) take(p *Plugin, h *hookInfo, r *tcp.Record, fields uint32) Why {
	if fields&abi.FieldState != 0 && !s.showsState() {
		return WhyBad
	}
	if fields&^abi.FieldState != 0 {
		s.view = viewNone // what is in image from now on is the plugin's
		if !s.fetch(p, fields) || !s.takeRecord(p, h, r, fields) {
			return WhyMutation
		}
	}
	if fields&abi.FieldState != 0 && !s.keep(p, r) {
		return WhyBad
	}
	return WhyVerdict
}

// fetch puts fields into image as the plugin has left them.
func (s *Set) fetch(p *Plugin, fields uint32) bool {
	for i := range fieldAt {
		f := &fieldAt[i]
		if fields&f.field != 0 && (f.at+f.size > p.size || p.guest.instance.Fetch(s.image, Part{f.at, f.size}) != nil) {
			return false
		}
	}
	return true
}

func (s *Set) takeRecord(p *Plugin, h *hookInfo, r *tcp.Record, fields uint32) bool {
	if fields&abi.FieldArgs != 0 {
		return s.takeArgs(p, h, r)
	}
	was := *r
	ok := s.takeHeader(p, s.image, r, fields) &&
		s.takeRawOptions(p, r, fields) &&
		s.takePayload(p, r, fields) &&
		(withPacket.Has(r.Step) || validSegment(p, &was, r, fields))
	if !ok {
		*r = was
		return false
	}
	s.own(&was, r, fields)
	return true
}

// own puts what a change has made of r, which was was, where the next one that is
// looked at leaves it alone.
func (s *Set) own(was, r *tcp.Record, fields uint32) {
	if fields&optionFields != 0 && r.Options != nil {
		r.Options = s.hadOptions[:copy(s.hadOptions[:], r.Options)]
	}
	switch {
	case fields&(abi.FieldPayload|abi.FieldLength) == 0:
	case len(was.Payload) == len(r.Payload):
		copy(was.Payload, r.Payload)
		r.Payload = was.Payload
	default:
		s.payload, s.had = s.had, s.payload
	}
}

// controlFlags are those that the grant control is for.
const controlFlags = wire.SYN | wire.FIN | wire.RST

const allFlags = wire.AE<<1 - 1

// takeHeader reads the fields of the header from a record.
func (s *Set) takeHeader(p *Plugin, b []byte, r *tcp.Record, fields uint32) bool {
	t := &r.TCP
	if fields&abi.FieldSeq != 0 {
		t.Seq = seq.Value(wire.Le32(b[abi.SegmentSeq:]))
	}
	if fields&abi.FieldAck != 0 {
		t.Ack = seq.Value(wire.Le32(b[abi.SegmentAck:]))
	}
	if fields&abi.FieldFlags != 0 {
		flags := wire.Flags(wire.Le16(b[abi.SegmentFlags:]))
		if flags&^allFlags != 0 || (flags^t.Flags)&controlFlags != 0 && !p.grants.Has(GrantControl) {
			return false
		}
		t.Flags = flags
	}
	if fields&abi.FieldWindow != 0 {
		t.Window = wire.Le16(b[abi.SegmentWindow:])
	}
	if fields&abi.FieldUrgent != 0 {
		t.Urgent = wire.Le16(b[abi.SegmentUrgent:])
	}
	if fields&abi.FieldTOS != 0 {
		r.TOS = b[abi.SegmentTOS]
	}
	if fields&abi.FieldTTL != 0 {
		ttl := b[abi.SegmentTTL]
		if ttl == 0 && r.TTL != 0 {
			return false
		}
		r.TTL = ttl
	}
	if fields&abi.FieldOptions != 0 && !s.takeOptions(b, r) {
		return false
	}
	return fields&tupleFields == 0 || takeTuple(b, &r.Tuple, fields)
}

// takeTuple reads ports and addresses. Where a segment may go to is one host, and
// of the same family. What is as it came may be anything.
func takeTuple(b []byte, t *tcp.Tuple, fields uint32) bool {
	for i, end := range [...]*wire.AddrPort{&t.Local, &t.Remote} {
		if fields&abi.FieldPorts != 0 {
			port := wire.Le16(b[abi.OffsetLocalPort+2*i:])
			if port == 0 && end.Port != 0 {
				return false
			}
			end.Port = port
		}
		if fields&abi.FieldAddresses != 0 {
			a, ok := takeAddr(b[abi.AddressAt+16*i:], end.Addr.Family())
			if !ok && a != end.Addr {
				return false
			}
			end.Addr = a
		}
	}
	return true
}

func takeAddr(b []byte, f wire.Family) (a wire.Addr, ok bool) {
	a = wire.AddrFrom16([16]byte(b[:16]))
	if a.Is4In6() != (f == wire.IPv4) {
		return a, false
	}
	if f == wire.IPv4 {
		a = wire.AddrFrom4([4]byte(b[12:16]))
	}
	return a, isOneHost(a)
}

// isOneHost reports whether an address is one that one host can have.
func isOneHost(a wire.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsBroadcast()
}

// isHost reports whether an end is one that a segment can have.
func isHost(e *wire.AddrPort) bool { return e.Port != 0 && isOneHost(e.Addr) }

// takePayload reads the payload, which s.payload then holds.
func (s *Set) takePayload(p *Plugin, r *tcp.Record, fields uint32) bool {
	if fields&(abi.FieldPayload|abi.FieldLength) == 0 {
		return true
	}
	shown := p.showsPayload(r)
	n := uint32(len(r.Payload))
	if fields&abi.FieldLength != 0 {
		n = wire.Le32(s.image[abi.SegmentPayload:])
		// What the plugin has not seen all of, it can only cut.
		if room := p.size - abi.PayloadAt; n > room && n > uint32(len(r.Payload)) || n > uint32(len(r.Payload)) && shown < uint32(len(r.Payload)) {
			return false
		}
		shown = min(n, max(shown, p.size-abi.PayloadAt))
	}
	if p.shown&abi.SectionPayload == 0 {
		return false
	}
	if cap(s.payload) < int(n) {
		s.payload = make([]byte, n)
	}
	s.payload = s.payload[:n]
	copy(s.payload, r.Payload)
	if fields&abi.FieldPayload != 0 && shown > 0 {
		if p.guest.instance.Fetch(s.image, Part{abi.PayloadAt, shown}) != nil {
			return false
		}
		copy(s.payload, s.image[abi.PayloadAt:abi.PayloadAt+shown])
	} else if n > uint32(len(r.Payload)) {
		clear(s.payload[len(r.Payload):])
	}
	r.Payload = s.payload
	return true
}

// validSegment reports whether a segment that was r may become t by a change of
// fields: THREATS, "Validation of a mutated segment". Options have been looked at
// before.
func validSegment(p *Plugin, r, t *tcp.Record, fields uint32) bool {
	if r.Step == tcp.StepParse || r.Step == tcp.StepOptions {
		return true
	}
	if t.TCP.Seq != r.TCP.Seq && !inWindow(t) {
		return false
	}
	lab := p.grants.Has(GrantLab)
	if t.TCP.Ack != r.TCP.Ack && !lab && acknowledgesMore(t) {
		return false
	}
	if t.TCP.Flags != r.TCP.Flags && t.TCP.Flags&(wire.ACK|wire.SYN|wire.RST) == 0 && !lab {
		return false // §3.1: once a connection is established, ACK is always set
	}
	if r.TCP.Flags&^t.TCP.Flags&wire.SYN != 0 && t.TCP.Options.Has&onlyInSyn != 0 && !lab {
		return false // §3.2: what has lost its SYN has lost the options of one
	}
	if fields&sizeFields == 0 {
		return true
	}
	if len(t.Payload) > len(r.Payload) && beyondMSS(t) {
		return false
	}
	before, after := packetSize(r), packetSize(t)
	return after <= before || after <= int(p.mtu)
}

// sizeFields are those that make a segment longer or shorter.
const sizeFields = optionFields | abi.FieldPayload | abi.FieldLength

// acknowledgesMore reports whether a segment that leaves acknowledges what has not
// come.
func acknowledgesMore(t *tcp.Record) bool {
	return t.Leaving && (hasWindow(t.From) || hasWindow(t.To)) && t.TCP.Ack.After(t.Receive.NXT)
}

// beyondMSS reports whether a segment that leaves has more data than the peer takes.
func beyondMSS(t *tcp.Record) bool {
	return t.Leaving && t.MSS > 0 && len(t.Payload) > int(t.MSS)
}

// hasWindow reports whether a connection in that state has a window for what arrives.
func hasWindow(s tcp.State) bool { return s.Synchronized() || s == tcp.SynReceived }

// inWindow reports whether the sequence numbers of a segment are those that the
// connection has a use for. One octet before the window is that of a keepalive.
func inWindow(t *tcp.Record) bool {
	first, window := t.Receive.NXT, t.Receive.WND
	known := hasWindow(t.From)
	if t.Leaving {
		// What has been sent and not acknowledged may be sent again.
		first, window = t.Send.UNA, max(t.Send.WND, t.Send.NXT.From(t.Send.UNA))
		known = known || t.Conn != 0
	}
	if !known {
		return true
	}
	off := t.TCP.Seq.From(first.Sub(1))
	size := seq.Size(len(t.Payload))
	return off <= 1+window && (size == 0 || uint64(off)+uint64(size) <= uint64(1+window)+1)
}

// packetSize is how many octets a segment is on the wire.
func packetSize(r *tcp.Record) int {
	ip := 20
	if r.Tuple.Local.Addr.Is6() {
		ip = 40
	}
	return ip + wire.TCPHeaderLen + optionOctets(r) + len(r.Payload)
}

// takeArgs reads the arguments, and looks at whether they are such as the engine
// can use.
func (s *Set) takeArgs(p *Plugin, h *hookInfo, r *tcp.Record) bool {
	var args [8]uint64
	for k := range args {
		args[k] = wire.Le64(s.image[abi.ArgsAt+8*k:])
	}
	if args == r.Args {
		return true
	}
	ok := true
	only := -1 // the one that may change
	switch h.hook {
	case abi.HookConnNew, abi.HookConnEstablished:
		for k, v := range args {
			ok = ok && (v == r.Args[k] || validSetting(p, k, v))
		}
		low, high := args[tcp.SettingRTOMin], args[tcp.SettingRTOMax]
		ok = ok && (low == 0 || high == 0 || low <= high)
		if n := args[tcp.SettingController]; ok && n != 0 {
			k := s.controllerNumber(n)
			if ok = k != nil; ok {
				r.Controller = k
			}
		}
	case abi.HookTimerArmed:
		only = 1
		after := clock.Instant(args[1]).Sub(r.Now)
		ok = after >= leastTick && after <= longestArmed
	case abi.HookRTT:
		only = 0
		ok = args[0] >= 1 && args[0] <= uint64(clock.Minute)
	case abi.HookPhase:
		ok = args[0] == r.Args[0] && args[1] == r.Args[1] && validCwnd(args[2]) && validCwnd(args[3])
		args = [8]uint64{args[0], args[1], args[2], args[3]}
	case abi.HookAck:
		only = 2
		ok = args[2] == 1 || args[2] == 2
	case abi.HookISN:
		only = 0
		ok = args[0] <= 1<<32-1
	case abi.HookPort:
		only = 0
		ok = args[0] >= r.Args[1] && args[0] <= r.Args[2]
	case abi.HookOptionsReserve:
		only = 0
		ok = args[0] <= maxOptionOctets
	}
	for k := range args {
		ok = ok && (only < 0 || k == only || args[k] == r.Args[k])
	}
	if ok {
		r.Args = args
	}
	return ok
}

// Bounds of what a plugin can set.
const (
	longestArmed = 2 * clock.Hour // RFC 9293 §3.8.4 MUST-28: the keepalive's, the longest of our timers
	mostCwnd     = 1 << 30
	mostBuffer   = 64 << 20
	longestIdle  = 7 * 24 * clock.Hour
	shortestIdle = clock.Second
	longestRTO   = 120 * clock.Second
)

func validCwnd(n uint64) bool { return n >= 1 && n <= mostCwnd }

// validSetting reports whether a plugin may give a setting of a connection a
// value. 0 leaves it to the engine.
func validSetting(p *Plugin, k int, v uint64) bool {
	d := clock.Duration(min(v, 1<<62))
	switch k {
	case tcp.SettingCwnd:
		return p.grants.Has(GrantCC) && v <= mostCwnd
	case tcp.SettingController:
		return p.grants.Has(GrantCC)
	case tcp.SettingRTOMin, tcp.SettingRTOMax:
		return p.grants.Has(GrantTimers) && (v == 0 || d >= leastTick && d <= longestRTO)
	case tcp.SettingUserTimeout, tcp.SettingKeepaliveIdle:
		return p.grants.Has(GrantTimers) && (v == 0 || d >= shortestIdle && d <= longestIdle)
	case tcp.SettingSendBuffer, tcp.SettingReceiveBuffer:
		return p.grants.Has(GrantAdmission) && v <= mostBuffer
	}
	return false
}
