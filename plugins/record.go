package plugins

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// AppendTransition appends the record of a change of state, abi.TransitionSize
// octets.
func AppendTransition(b []byte, r *tcp.TransitionRecord) []byte {
	b, p := room(b, abi.TransitionSize)
	common(p, abi.HookTransition, r.Now, r.Conn, r.Packet, &r.Tuple, &r.Send, &r.Receive)
	p[abi.OffsetFrom] = uint8(r.From)
	p[abi.OffsetTo] = uint8(r.To)
	p[abi.OffsetCause] = uint8(r.Cause)
	wire.PutLe16(p[abi.OffsetRule:], uint16(r.Rule))
	return b
}

// AppendSegment appends the record of a segment, abi.SegmentSize octets.
func AppendSegment(b []byte, r *tcp.SegmentRecord) []byte {
	b, p := room(b, abi.SegmentSize)
	common(p, segmentHook(r), r.Now, r.Conn, r.Packet, &r.Tuple, &r.Send, &r.Receive)
	p[abi.OffsetFrom] = uint8(r.State)
	p[abi.OffsetTo] = uint8(r.State)
	p[abi.OffsetCause] = uint8(r.Drop)
	wire.PutLe16(p[abi.OffsetRule:], uint16(r.Drop.Rule()))
	t := &r.TCP
	wire.PutLe32(p[abi.SegmentSeq:], uint32(t.Seq))
	wire.PutLe32(p[abi.SegmentAck:], uint32(t.Ack))
	wire.PutLe16(p[abi.SegmentFlags:], uint16(t.Flags))
	wire.PutLe16(p[abi.SegmentWindow:], t.Window)
	wire.PutLe16(p[abi.SegmentUrgent:], t.Urgent)
	wire.PutLe32(p[abi.SegmentPayload:], r.Length)
	appendOptions(p, &t.Options)
	return b
}

// appendOptions writes the options that are there; a parser may have left the
// others as they were in a segment before.
func appendOptions(p []byte, o *wire.Options) {
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
		n := min(int(o.SACKCount), len(o.SACK))
		p[abi.SegmentSACKs] = uint8(n)
		for i, block := range o.SACK[:n] {
			wire.PutLe32(p[abi.SegmentSACK+8*i:], uint32(block.Left))
			wire.PutLe32(p[abi.SegmentSACK+8*i+4:], uint32(block.Right))
		}
	}
}

// common writes what all records begin with into p, which is zero and has their
// size.
func common(p []byte, hook abi.Hook, now clock.Instant, conn, packet uint32, t *tcp.Tuple, snd *tcp.SendSpace, rcv *tcp.ReceiveSpace) {
	wire.PutLe16(p[abi.OffsetSize:], uint16(len(p)))
	wire.PutLe16(p[abi.OffsetHook:], uint16(hook))
	wire.PutLe64(p[abi.OffsetNow:], uint64(now))
	wire.PutLe32(p[abi.OffsetConn:], conn)
	wire.PutLe32(p[abi.OffsetPacket:], packet)
	p[abi.OffsetFamily] = uint8(t.Local.Addr.Family())
	local, remote := t.Local.Addr.As16(), t.Remote.Addr.As16()
	copy(p[abi.OffsetLocal:], local[:])
	copy(p[abi.OffsetRemote:], remote[:])
	wire.PutLe16(p[abi.OffsetLocalPort:], t.Local.Port)
	wire.PutLe16(p[abi.OffsetRemotePort:], t.Remote.Port)
	wire.PutLe32(p[abi.OffsetSndISS:], uint32(snd.ISS))
	wire.PutLe32(p[abi.OffsetSndUNA:], uint32(snd.UNA))
	wire.PutLe32(p[abi.OffsetSndNXT:], uint32(snd.NXT))
	wire.PutLe32(p[abi.OffsetSndWND:], uint32(snd.WND))
	wire.PutLe32(p[abi.OffsetSndUP:], uint32(snd.UP))
	wire.PutLe32(p[abi.OffsetRcvIRS:], uint32(rcv.IRS))
	wire.PutLe32(p[abi.OffsetRcvNXT:], uint32(rcv.NXT))
	wire.PutLe32(p[abi.OffsetRcvWND:], uint32(rcv.WND))
	wire.PutLe32(p[abi.OffsetRcvUP:], uint32(rcv.UP))
}

// segmentHook is the hook that a record of a segment is for.
func segmentHook(r *tcp.SegmentRecord) abi.Hook {
	switch {
	case r.Leaving:
		return abi.HookLeaving
	case r.Drop != 0:
		return abi.HookRejected
	default:
		return abi.HookArriving
	}
}

// room appends n zero octets to b and returns them beside it.
func room(b []byte, n int) (all, part []byte) {
	b = append(b, make([]byte, n)...)
	return b, b[len(b)-n:]
}
