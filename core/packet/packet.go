package packet

// Packet is one IP packet, or a super-packet that stands for several.
type Packet struct {
	// Bytes begins with the first octet of the IP header.
	Bytes []byte
	// SegmentSize is 0, or how much payload each segment of the super-packet has,
	// up to the last, which has what is left.
	SegmentSize uint16
	// Partial says that the TCP checksum field holds the folded sum of the
	// pseudo-header alone, not inverted.
	Partial bool
}

// Reset empties p and keeps its room.
func (p *Packet) Reset() {
	p.Bytes = p.Bytes[:0]
	p.SegmentSize = 0
	p.Partial = false
}

// Set makes p a copy of q in the room that p has.
func (p *Packet) Set(q *Packet) {
	p.Bytes = append(p.Bytes[:0], q.Bytes...)
	p.SegmentSize = q.SegmentSize
	p.Partial = q.Partial
}

// Direction is which way a packet goes, seen from the stack.
type Direction uint8

// The directions.
const (
	In Direction = iota
	Out
)

func (d Direction) String() string {
	if d == In {
		return "in"
	}
	return "out"
}

// Link is what a link can do.
type Link struct {
	MTU      int  // the largest IP packet; 0 says that any goes
	Checksum bool // it accepts and delivers Partial
	MaxSuper int  // the largest super-packet; 0 says that none goes
}

// IO is a link.
type IO interface {
	// ReadPacket fills p, in the room that it has. A link of a host blocks until
	// there is a packet.
	ReadPacket(p *Packet) error
	// WritePacket sends p and does not keep it. With ErrFull the packet was not
	// taken and may be offered again later.
	WritePacket(p *Packet) error
	// Link says what the link can do, which stays as it is.
	Link() Link
}

// Error is why a packet did not pass.
type Error uint8

// The errors.
const (
	ErrFull Error = iota + 1
	ErrEmpty
	ErrClosed
	ErrSize
	ErrOffload
)

func (e Error) Error() string {
	switch e {
	case ErrFull:
		return "link is full"
	case ErrEmpty:
		return "no packet"
	case ErrClosed:
		return "link is closed"
	case ErrSize:
		return "packet is larger than the link takes"
	case ErrOffload:
		return "packet needs an offload that the link lacks"
	default:
		return "unknown error"
	}
}
