package tcp

import (
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Segment is one segment that arrives, or a super-segment that the link has
// put together of several. Payload points into the packet and is not kept.
type Segment struct {
	wire.TCP
	Payload []byte
	Tuple   Tuple // Local is the segment's destination
	TOS     uint8
	TTL     uint8
	Count   uint16 // segments on the wire that it stands for, at least 1
	Raw     []byte // its options as they came, where a hook is to see them

	first    seq.Value // SEG.SEQ as it came, before what is old was cut off
	unscaled bool      // its window is that of a SYN, which has been taken away
	cut      bool      // text beyond the window was cut off
}

// Len is SEG.LEN: the octets of sequence space that the segment occupies, SYN
// and FIN counted (§3.4).
func (s *Segment) Len() seq.Size {
	n := seq.Size(len(s.Payload))
	if s.Flags&wire.SYN != 0 {
		n++
	}
	if s.Flags&wire.FIN != 0 {
		n++
	}
	return n
}

// skip moves the beginning of the segment on by n. The urgent pointer goes on
// counting from where it was.
func (s *Segment) skip(n seq.Size) { s.Seq = s.Seq.Add(n) }

// end is the sequence number behind the segment.
func (s *Segment) end() seq.Value { return s.Seq.Add(s.Len()) }
