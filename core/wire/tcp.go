package wire

import (
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
)

// Flags are the control bits of a segment, RFC 9293 §3.1.
type Flags uint16

// The control bits. AE is the one before CWR, RFC 9768 §3.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
	AE
)

// Has reports whether every bit of g is set.
func (f Flags) Has(g Flags) bool { return f&g == g }

// String returns the letters that packetdrill uses, "S." for SYN and ACK, and
// "-" for none.
func (f Flags) String() string {
	const letters = "FSRP.UEWA"
	b := make([]byte, 0, len(letters))
	for i := range len(letters) {
		if f>>i&1 != 0 {
			b = append(b, letters[i])
		}
	}
	if len(b) == 0 {
		return "-"
	}
	return string(b)
}

// The length of a TCP header without options, and the most that options take.
const (
	TCPHeaderLen  = 20
	TCPOptionsMax = 40
)

// TCP is a TCP header.
type TCP struct {
	SrcPort, DstPort uint16
	Seq, Ack         seq.Value
	Flags            Flags
	Window           uint16
	Checksum         uint16
	Urgent           uint16
	HeaderLen        int // where the data begins
	Options          Options
}

// ParseTCP reads the TCP header at the front of b, which is the upper layer of
// a packet, and its options. The checksum is not verified: VerifyTCP does that.
//
//	+-------------------------------+-------------------------------+  0
//	|          source port          |       destination port        |
//	+-------------------------------+-------------------------------+  4
//	|                        sequence number                        |
//	+---------------------------------------------------------------+  8
//	|                     acknowledgment number                     |
//	+-------+-----+-----------------+-------------------------------+ 12
//	|offset |  0  |A C E U A P R S F|            window             |
//	+-------+-----+-----------------+-------------------------------+ 16
//	|            checksum           |        urgent pointer         |
//	+-------------------------------+-------------------------------+ 20
func ParseTCP(b []byte, t *TCP) rule.Drop {
	if len(b) < TCPHeaderLen {
		return rule.DropTCPTruncated
	}
	p := (*[TCPHeaderLen]byte)(b)
	bits := Be16(p[12:14])
	n := int(bits>>12) * 4
	t.SrcPort = Be16(p[0:2])
	t.DstPort = Be16(p[2:4])
	t.Seq = seq.Value(Be32(p[4:8]))
	t.Ack = seq.Value(Be32(p[8:12]))
	t.Flags = Flags(bits & 0x1ff)
	t.Window = Be16(p[14:16])
	t.Checksum = Be16(p[16:18])
	t.Urgent = Be16(p[18:20])
	t.HeaderLen = n
	if n < TCPHeaderLen || n > len(b) {
		t.Options.Has = 0
		return rule.DropTCPOffset
	}
	o := b[TCPHeaderLen:n]
	if len(o) == 12 && Be32(o) == nopNopTimestamps {
		t.Options.Has = HasTimestamps
		t.Options.SACKCount = 0
		t.Options.TSVal = Be32(o[4:8])
		t.Options.TSEcr = Be32(o[8:12])
		return rule.NotDropped
	}
	t.Options.parse(o)
	return rule.NotDropped
}

// AppendTCP appends to b the header that t describes, with its options in the
// order and alignment that Linux gives them. HeaderLen and Checksum are not
// read: the checksum field is zero until FinishTCP.
func AppendTCP(b []byte, t *TCP) []byte {
	if t.Options.Has == HasTimestamps {
		// What nearly every segment has, in one step.
		b, part := room(b, TCPHeaderLen+12)
		p := (*[TCPHeaderLen + 12]byte)(part)
		t.put((*[TCPHeaderLen]byte)(p[:]), TCPHeaderLen+12)
		PutBe32(p[20:24], nopNopTimestamps)
		PutBe32(p[24:28], t.Options.TSVal)
		PutBe32(p[28:32], t.Options.TSEcr)
		return b
	}
	start := len(b)
	b, _ = room(b, TCPHeaderLen)
	if t.Options.Has != 0 {
		b = t.Options.append(b)
	}
	t.put((*[TCPHeaderLen]byte)(b[start:]), len(b)-start)
	return b
}

// AppendTCPRaw is AppendTCP with options as they are to stand in the header, at most
// TCPOptionsMax octets, in the place of those of t. RFC 9293 §3.1 MUST-69: they are
// padded with zeros to a multiple of 4.
func AppendTCPRaw(b []byte, t *TCP, options []byte) []byte {
	start := len(b)
	b, _ = room(b, TCPHeaderLen)
	b = append(b, options...)
	for (len(b)-start)%4 != 0 {
		b = append(b, optionEnd)
	}
	t.put((*[TCPHeaderLen]byte)(b[start:]), len(b)-start)
	return b
}

// put writes the header of length octets but for its options.
func (t *TCP) put(p *[TCPHeaderLen]byte, length int) {
	PutBe32(p[0:4], uint32(t.SrcPort)<<16|uint32(t.DstPort))
	PutBe32(p[4:8], uint32(t.Seq))
	PutBe32(p[8:12], uint32(t.Ack))
	PutBe32(p[12:16], uint32(length)/4<<28|uint32(t.Flags&0x1ff)<<16|uint32(t.Window))
	PutBe32(p[16:20], uint32(t.Urgent))
}

// FinishTCP puts the checksum into the TCP header at offset off of b, which
// runs to the end of b; only the addresses of ip are read. With partial it puts
// the folded sum of the pseudo-header alone, not inverted, which is what a link
// that makes checksums itself adds the rest to.
func FinishTCP(b []byte, ip *IP, off int, partial bool) {
	segment := b[off:]
	sum := PseudoHeader(ip.Src, ip.Dst, ProtocolTCP, len(segment))
	field := segment[16:18]
	if partial {
		PutBe16(field, Fold(sum))
		return
	}
	PutBe16(field, 0)
	PutBe16(field, ^Fold(Sum(segment, sum)))
}

// VerifyTCP reports whether the checksum of the segment b, the whole upper
// layer of a packet, is right. RFC 9293 §3.1 MUST-3: the receiver checks it.
func VerifyTCP(b []byte, ip *IP) bool {
	return Fold(Sum(b, PseudoHeader(ip.Src, ip.Dst, ProtocolTCP, len(b)))) == 0xffff
}
