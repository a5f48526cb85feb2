package tcp

import (
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Reply is a segment that belongs to no connection: a reset, a SYN cookie, an
// ACK from TIME-WAIT. Tuple.Local is its source.
type Reply struct {
	Tuple    Tuple
	Seq, Ack seq.Value
	Flags    wire.Flags
	Window   uint16
	TOS, TTL uint8
	Options  wire.Options
}

// ResetFor is the reset that answers a segment for which there is no connection
// (§3.10.7.1, §3.5.2 group 1); false when there is none, since a reset is never
// answered.
func ResetFor(seg *Segment) (Reply, bool) {
	if seg.Flags&wire.RST != 0 {
		return Reply{}, false
	}
	r := Reply{Tuple: seg.Tuple, TTL: 64}
	if seg.Flags&wire.ACK != 0 {
		r.Seq, r.Flags = seg.Ack, wire.RST
	} else {
		r.Ack, r.Flags = seg.end(), wire.RST|wire.ACK
	}
	return r, true
}

// AppendReply builds r but for its checksum into p, in the room that p has. t and ip
// are then its headers.
func AppendReply(p *packet.Packet, r *Reply, link packet.Link, t *wire.TCP, ip *wire.IP) {
	*t = wire.TCP{
		SrcPort: r.Tuple.Local.Port, DstPort: r.Tuple.Remote.Port,
		Seq: r.Seq, Ack: r.Ack, Flags: r.Flags, Window: r.Window, Options: r.Options,
	}
	*ip = wire.IP{
		Src: r.Tuple.Local.Addr, Dst: r.Tuple.Remote.Addr, Protocol: wire.ProtocolTCP,
		TTL: r.TTL, TOS: r.TOS &^ ecnMask, DontFragment: true,
	}
	hdr := headerLen(ip)
	b := wire.AppendTCP(extend(p.Bytes[:0], hdr), t)
	wire.AppendIP(b[:0], ip, len(b)-hdr)
	p.Bytes, p.Partial, p.SegmentSize = b, link.Checksum, 0
}

// FinishReply gives p, which AppendReply has built, its checksum.
func FinishReply(p *packet.Packet, ip *wire.IP) {
	wire.FinishTCP(p.Bytes, ip, headerLen(ip), p.Partial)
}
