package packet

import (
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/wire"
)

// NextSegment puts into out the segment of super whose payload begins off octets
// into that of super, with the headers and the checksums that a link without
// offload needs. Callers begin with off 0; it returns the next off, or -1 when
// this was the last. A packet that is not a super-packet is its own only
// segment. super stays as it is.
func NextSegment(super *Packet, off int, out *Packet) (next int) {
	var ip wire.IP
	var tcp wire.TCP
	b := super.Bytes
	if (super.SegmentSize == 0 && !super.Partial) ||
		wire.ParseIP(b, &ip) != rule.NotDropped || ip.Protocol != wire.ProtocolTCP ||
		wire.ParseTCP(b[ip.HeaderLen:ip.TotalLen], &tcp) != rule.NotDropped {
		out.Set(super)
		out.SegmentSize, out.Partial = 0, false
		return -1
	}
	header := ip.HeaderLen + tcp.HeaderLen
	data := b[header:ip.TotalLen]
	size := len(data)
	if super.SegmentSize > 0 {
		size = min(int(super.SegmentSize), len(data)-off)
	}
	next = off + size
	last := next >= len(data)

	out.Reset()
	out.Bytes = append(out.Bytes, b[:header]...)
	out.Bytes = append(out.Bytes, data[off:next]...)
	head := out.Bytes
	total := header + size
	if ip.Src.Is4() {
		wire.PutBe16(head[2:4], uint16(total))
		if super.SegmentSize > 0 {
			wire.PutBe16(head[4:6], ip.ID+uint16(off/int(super.SegmentSize)))
		}
		wire.PutBe16(head[10:12], 0)
		wire.PutBe16(head[10:12], ^wire.Fold(wire.Sum(head[:ip.HeaderLen], 0)))
	} else {
		wire.PutBe16(head[4:6], uint16(total-wire.IPv6HeaderLen))
	}
	segment := head[ip.HeaderLen:]
	wire.PutBe32(segment[4:8], uint32(tcp.Seq)+uint32(off))
	if !last {
		segment[13] &^= byte(wire.FIN | wire.PSH)
	}
	if off > 0 {
		// RFC 3168 §6.1.2: CWR is for the first new segment.
		segment[13] &^= byte(wire.CWR)
	}
	wire.FinishTCP(head, &ip, ip.HeaderLen, false)
	if last {
		return -1
	}
	return next
}
