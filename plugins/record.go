package plugins

import (
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// putRecord writes the record of a step, abi.RecordSize octets, into p.
func putRecord(p []byte, hook abi.Hook, r *tcp.Record) {
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
	p[abi.OffsetFamily] = uint8(r.Tuple.Local.Addr.Family())
	wire.PutLe16(p[abi.OffsetRule:], uint16(r.Rule))
	p[abi.OffsetReason] = uint8(r.Drop)
	p[abi.OffsetBits] = bits(r)
	wire.PutLe16(p[abi.OffsetLocalPort:], r.Tuple.Local.Port)
	wire.PutLe16(p[abi.OffsetRemotePort:], r.Tuple.Remote.Port)
	wire.PutLe32(p[abi.OffsetSndUNA:], uint32(r.Send.UNA))
	wire.PutLe32(p[abi.OffsetSndNXT:], uint32(r.Send.NXT))
	wire.PutLe32(p[abi.OffsetSndWND:], uint32(r.Send.WND))
	wire.PutLe32(p[abi.OffsetRcvNXT:], uint32(r.Receive.NXT))
	wire.PutLe32(p[abi.OffsetRcvWND:], uint32(r.Receive.WND))
	wire.PutLe32(p[abi.OffsetISS:], uint32(r.Send.ISS))
	wire.PutLe32(p[abi.OffsetIRS:], uint32(r.Receive.IRS))
	if r.Segment {
		wire.PutLe32(p[abi.OffsetSections:], abi.SectionSegment)
		putSegment(p, r)
	}
}

func bits(r *tcp.Record) (b uint8) {
	for _, bit := range [...]struct {
		is  bool
		bit uint8
	}{{r.Leaving, abi.BitLeaving}, {r.Again, abi.BitAgain}, {r.Passive, abi.BitPassive}, {r.Ours, abi.BitOurs}} {
		if bit.is {
			b |= bit.bit
		}
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
	wire.PutLe32(p[abi.SegmentPayload:], uint32(len(r.Payload)))
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
		for i, block := range o.SACK[:min(int(o.SACKCount), 3)] {
			wire.PutLe32(p[abi.SegmentSACK+8*i:], uint32(block.Left))
			wire.PutLe32(p[abi.SegmentSACK+8*i+4:], uint32(block.Right))
		}
	}
}
