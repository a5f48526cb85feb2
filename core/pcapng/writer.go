package pcapng

import "github.com/tcpkit/tcpkit/core/clock"

// Writer says what stands in a file's header, and how times are written. The
// strings are UTF-8; an empty one is left out.
type Writer struct {
	Application string
	Comment     string // of the whole file
	Interface   string
	Description string         // of the interface
	Epoch       clock.Duration // from 1970 to the origin of the clock
}

// AppendHeader appends what a file begins with: the section header, §4.1, and
// the description of the interface, §4.2.
func (w *Writer) AppendHeader(b []byte) []byte {
	start := len(b)
	b = append32(b, blockSection, 0, byteOrderMagic)
	b = append16(b, 1, 0)                     // version
	b = append32(b, 0xffff_ffff, 0xffff_ffff) // the section's length is not said
	b = appendString(b, optComment, w.Comment)
	b = appendString(b, optApplication, w.Application)
	b = appendEnd(b, start)

	start = len(b)
	b = append32(b, blockInterface, 0)
	b = append16(b, LinkTypeRaw, 0)
	b = append32(b, 0) // no limit to a packet's length
	b = appendString(b, optName, w.Interface)
	b = appendString(b, optDescription, w.Description)
	b = append16(b, optResolution, 1)
	b = append(b, nanoseconds, 0, 0, 0)
	return appendEnd(b, start)
}

// AppendPacket appends one packet, which begins with its IP header: an enhanced
// packet block, §4.3. A time before 1970 is written as 1970.
func (w *Writer) AppendPacket(b []byte, at clock.Instant, packet []byte, dir Direction, comment string) []byte {
	start := len(b)
	time := uint64(max(at.Add(w.Epoch), 0))
	length := uint32(len(packet))
	b = append32(b, blockPacket, 0, 0, uint32(time>>32), uint32(time), length, length)
	b = append(b, packet...)
	b = pad(b, len(packet))
	b = appendString(b, optComment, comment)
	if dir != Unknown {
		b = append16(b, optPacketFlags, 4)
		b = append32(b, uint32(dir))
	}
	return appendEnd(b, start)
}

// appendString appends an option, §3.5, cut to what its length field can say.
func appendString(b []byte, code uint16, s string) []byte {
	if s == "" {
		return b
	}
	if n := 1<<16 - 1; len(s) > n {
		for n > 0 && s[n]&0xc0 == 0x80 { // not within a character
			n--
		}
		s = s[:n]
	}
	b = append16(b, code, uint16(len(s)))
	b = append(b, s...)
	return pad(b, len(s))
}

// appendEnd ends the options and the block that began at start, and writes the
// block's length into both of its places, §3.1.
func appendEnd(b []byte, start int) []byte {
	b = append16(b, optEnd, 0)
	length := uint32(len(b) - start + 4)
	b = append32(b, length)
	append32(b[:start+4], length)
	return b
}

// pad fills up to a multiple of four after n octets.
func pad(b []byte, n int) []byte {
	for ; n%4 != 0; n++ {
		b = append(b, 0)
	}
	return b
}

func append16(b []byte, values ...uint16) []byte {
	for _, v := range values {
		b = append(b, byte(v), byte(v>>8))
	}
	return b
}

func append32(b []byte, values ...uint32) []byte {
	for _, v := range values {
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return b
}
