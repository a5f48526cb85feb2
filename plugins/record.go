package plugins

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// withArgs are the steps that have arguments, withOptions and withPayload those
// that have octets of options and of payload, and withPacket those that have a
// packet for payload.
var (
	withArgs = tcp.Mask(tcp.StepSyn, tcp.StepNew, tcp.StepEstablished, tcp.StepClosed, tcp.StepTimerArmed, tcp.StepTimerFired, tcp.StepRTT,
		tcp.StepLost, tcp.StepRetransmit, tcp.StepPhase, tcp.StepSpurious, tcp.StepAck, tcp.StepISN, tcp.StepPort, tcp.StepReserve)
	withSegment = tcp.Mask(tcp.StepMoving, tcp.StepMoved, tcp.StepArriving, tcp.StepArrived, tcp.StepLeaving, tcp.StepLeft, tcp.StepRejected, tcp.StepSyn)
	withOptions = withSegment | tcp.Mask(tcp.StepParse, tcp.StepOptions)
	withPayload = withSegment | tcp.Mask(tcp.StepWrite, tcp.StepRead)
	withPacket  = tcp.Mask(tcp.StepIngress, tcp.StepEgress)
)

const maxOptionOctets = wire.TCPOptionsMax

// put makes the image of a record for a plugin, and returns what of it the plugin
// is to be given. What plugins before it were given is not made again.
func (s *Set) put(p *Plugin, h *hookInfo, r *tcp.Record) []Part {
	view := viewBlind
	if p.grants.Has(GrantObserve) {
		view = viewOpen
	}
	if s.view != view {
		putRecord(s.image, h.hook, r, view == viewOpen)
		s.view, s.have = view, 0
	}
	there := sections(0)
	if r.Segment && view == viewOpen {
		there = abi.SectionSegment
	}
	s.parts[0] = Part{0, abi.RecordSize}
	n := 1
	add := func(is sections, at, size uint32) {
		there |= is
		if last := &s.parts[n-1]; last.At+last.Size == at {
			last.Size += size
			return
		}
		s.parts[n] = Part{at, size}
		n++
	}
	if p.shown&abi.SectionArgs != 0 && withArgs.Has(r.Step) {
		if s.have&abi.SectionArgs == 0 {
			for k, v := range r.Args {
				putArg(s.image, k, v)
			}
		}
		add(abi.SectionArgs, abi.ArgsAt, abi.ArgsEnd-abi.ArgsAt)
	}
	if p.shown&abi.SectionAddress != 0 && r.Tuple.Local.Addr.IsValid() {
		if s.have&abi.SectionAddress == 0 {
			putAddress(s.image, &r.Tuple)
		}
		add(abi.SectionAddress, abi.AddressAt, abi.AddressEnd-abi.AddressAt)
	}
	if p.shown&abi.SectionState != 0 && r.Conn != 0 {
		if kept := p.states.of(r.Conn, p.manifest.State); kept != nil {
			copy(s.image[abi.StateAt:], kept)
			add(abi.SectionState, abi.StateAt, uint32(len(kept)))
		}
	}
	if p.shown&abi.SectionOptions != 0 && withOptions.Has(r.Step) {
		if s.have&abi.SectionOptions == 0 {
			s.putRawOptions(r)
		}
		add(abi.SectionOptions, abi.OptionsAt, 4+wire.Le32(s.image[abi.OptionsAt:]))
	}
	if size := p.showsPayload(r); size > 0 {
		if s.have&abi.SectionPayload == 0 || size > s.shownPayload {
			copy(s.image[abi.PayloadAt:abi.PayloadAt+size], r.Payload)
			s.shownPayload = size
		}
		add(abi.SectionPayload, abi.PayloadAt, size)
	}
	s.have |= there &^ abi.SectionState
	wire.PutLe32(s.image[abi.OffsetSections:], uint32(there))
	return s.parts[:n]
}

// showsPayload is how many octets of the payload a plugin is shown: those that
// its buffer has room for.
func (p *program) showsPayload(r *tcp.Record) uint32 {
	if p.shown&abi.SectionPayload == 0 ||
		!(withPayload.Has(r.Step) && p.grants.Has(GrantPayload) || withPacket.Has(r.Step) && p.grants.Has(GrantLink)) {
		return 0
	}
	return min(uint32(len(r.Payload)), p.size-abi.PayloadAt)
}

// putRawOptions writes the options as they stand in the header.
func (s *Set) putRawOptions(r *tcp.Record) {
	raw := r.Options
	if raw == nil {
		raw = wire.AppendOptions(s.options[:0], &r.TCP.Options)
	}
	raw = raw[:min(len(raw), maxOptionOctets)]
	wire.PutLe32(s.image[abi.OptionsAt:], uint32(len(raw)))
	copy(s.image[abi.OptionsAt+4:], raw)
}

// putLife makes the image of a call that is about no record.
func (s *Set) putLife(h abi.Hook, now clock.Instant) {
	s.idle = tcp.Record{Step: noStep, Now: now}
	putRecord(s.image, h, &s.idle, true)
	s.view = viewNone
	s.parts[0] = Part{0, abi.RecordSize}
}

// putRecord writes the record of a step, abi.RecordSize octets, into p: all, or
// what a plugin sees that may not observe.
func putRecord(p []byte, hook abi.Hook, r *tcp.Record, open bool) {
	p = p[:abi.RecordSize]
	clear(p)
	wire.PutLe16(p[abi.OffsetSize:], abi.RecordSize)
	wire.PutLe16(p[abi.OffsetHook:], uint16(hook))
	wire.PutLe64(p[abi.OffsetNow:], uint64(r.Now))
	wire.PutLe32(p[abi.OffsetConn:], r.Conn)
	wire.PutLe32(p[abi.OffsetPacket:], r.Packet)
	p[abi.OffsetFrom] = uint8(r.From)
	p[abi.OffsetTo] = uint8(r.To)
	p[abi.OffsetCause] = uint8(r.Cause)
	p[abi.OffsetBits] = bits(r)
	wire.PutLe16(p[abi.OffsetRule:], uint16(r.Rule))
	p[abi.OffsetReason] = uint8(r.Drop)
	if !open {
		return
	}
	p[abi.OffsetFamily] = uint8(r.Tuple.Local.Addr.Family())
	wire.PutLe16(p[abi.OffsetLocalPort:], r.Tuple.Local.Port)
	wire.PutLe16(p[abi.OffsetRemotePort:], r.Tuple.Remote.Port)
	wire.PutLe32(p[abi.OffsetSndUNA:], uint32(r.Send.UNA))
	wire.PutLe32(p[abi.OffsetSndNXT:], uint32(r.Send.NXT))
	wire.PutLe32(p[abi.OffsetSndWND:], uint32(r.Send.WND))
	wire.PutLe32(p[abi.OffsetRcvNXT:], uint32(r.Receive.NXT))
	wire.PutLe32(p[abi.OffsetRcvWND:], uint32(r.Receive.WND))
	wire.PutLe32(p[abi.OffsetISS:], uint32(r.Send.ISS))
	wire.PutLe32(p[abi.OffsetIRS:], uint32(r.Receive.IRS))
	wire.PutLe32(p[abi.SegmentPayload:], uint32(len(r.Payload)))
	if r.Segment {
		wire.PutLe32(p[abi.OffsetSections:], abi.SectionSegment)
		putSegment(p, r)
	}
}

// putSections says which sections are there, with how many octets of payload.
func putSections(p []byte, there, payload uint32) {
	wire.PutLe32(p[abi.OffsetSections:], there)
	wire.PutLe32(p[abi.SegmentPayload:], payload)
}

func putArg(p []byte, k int, v uint64) { wire.PutLe64(p[abi.ArgsAt+8*k:], v) }

func putAddress(p []byte, t *tcp.Tuple) {
	local, remote := t.Local.Addr.As16(), t.Remote.Addr.As16()
	copy(p[abi.AddressAt:], local[:])
	copy(p[abi.AddressAt+16:], remote[:])
}

func bits(r *tcp.Record) (b uint8) {
	if r.Leaving {
		b |= abi.BitLeaving
	}
	if r.Again {
		b |= abi.BitAgain
	}
	if r.Passive {
		b |= abi.BitPassive
	}
	if r.Ours {
		b |= abi.BitOurs
	}
	return b
}

func putSegment(p []byte, r *tcp.Record) {
	t := &r.TCP
	wire.PutLe32(p[abi.SegmentSeq:], uint32(t.Seq))
	wire.PutLe32(p[abi.SegmentAck:], uint32(t.Ack))
	wire.PutLe16(p[abi.SegmentFlags:], uint16(t.Flags))
	wire.PutLe16(p[abi.SegmentWindow:], t.Window)
	wire.PutLe16(p[abi.SegmentUrgent:], t.Urgent)
	p[abi.SegmentTOS], p[abi.SegmentTTL] = r.TOS, r.TTL
	putOptions(p, &t.Options)
}

// putOptions writes the options that are there; a parser may have left the
// others as they were in a segment before.
func putOptions(p []byte, o *wire.Options) {
	wire.PutLe16(p[abi.SegmentHas:], uint16(o.Has))
	if o.Has.Has(wire.HasMSS) {
		wire.PutLe16(p[abi.SegmentMSS:], o.MSS)
	}
	if o.Has.Has(wire.HasWindowScale) {
		p[abi.SegmentScale] = o.WindowScale
	}
	if o.Has.Has(wire.HasTimestamps) {
		wire.PutLe32(p[abi.SegmentTSVal:], o.TSVal)
		wire.PutLe32(p[abi.SegmentTSEcr:], o.TSEcr)
	}
	if o.Has.Has(wire.HasSACK) {
		p[abi.SegmentSACKs] = o.SACKCount
		for i, block := range o.SACK[:min(int(o.SACKCount), shownSACKs)] {
			wire.PutLe32(p[abi.SegmentSACK+8*i:], uint32(block.Left))
			wire.PutLe32(p[abi.SegmentSACK+8*i+4:], uint32(block.Right))
		}
	}
}

// shownSACKs is how many blocks a record has room for.
const shownSACKs = 3
