package pcapng

import (
	"math/bits"

	"github.com/tcpkit/tcpkit/core/clock"
)

// MaxInterfaces is how many interfaces one section may describe.
const MaxInterfaces = 64

// Section is what a section header says, §4.1.
type Section struct {
	Application string
	Comment     string
}

// Interface is what an interface description says, §4.2.
type Interface struct {
	Name        string
	Description string
	LinkType    uint16
	snapLen     uint32
	resolution  uint8          // if_tsresol
	offset      clock.Duration // if_tsoffset
}

// Packet is one packet of a file.
type Packet struct {
	At        clock.Instant // zero is 1970, if the writer meant it so
	Interface int
	Bytes     []byte // what was captured: a part of the file
	Length    uint32 // what was on the wire
	Direction Direction
	Comment   string // several are joined by newlines
}

// Reader reads the packets of a file that is in memory. It does no more work
// than the file is long, and remembers no more than MaxInterfaces.
type Reader struct {
	rest       []byte
	order      byteOrder
	began      bool // in a section
	section    Section
	interfaces []Interface
	err        error
}

// NewReader returns a Reader of file, which it keeps.
func NewReader(file []byte) *Reader { return &Reader{rest: file} }

// Err returns why Next stopped; nil is the end of the file.
func (r *Reader) Err() error { return r.err }

// Section returns the header of the section that the last packet is in.
func (r *Reader) Section() Section { return r.section }

// Interface returns the description of the interface that a packet of this
// section names.
func (r *Reader) Interface(i int) Interface { return r.interfaces[i] }

// Next fills p with the next packet. It returns false at the end and at the
// first thing that is wrong.
func (r *Reader) Next(p *Packet) bool {
	if r.err == nil && !r.began && len(r.rest) == 0 {
		r.err = ErrNotPcapng
	}
	for r.err == nil && len(r.rest) > 0 {
		kind, body, err := r.block()
		found := false
		if err == 0 {
			switch kind {
			case blockSection:
				err = r.readSection(body)
			case blockInterface:
				err = r.readInterface(body)
			case blockPacket:
				found, err = true, r.readPacket(body, p)
			case blockSimple:
				found, err = true, r.readSimple(body, p)
			}
		}
		if err != 0 {
			r.err = err
			return false
		}
		if found {
			return true
		}
	}
	return false
}

// block takes the next block, §3.1, and returns its type and body.
func (r *Reader) block() (kind uint32, body []byte, err Error) {
	b := r.rest
	truncated := ErrTruncated
	if !r.began {
		truncated = ErrNotPcapng
	}
	if len(b) < 12 {
		return 0, nil, truncated
	}
	kind = r.order.u32(b)
	if kind == blockSection { // a palindrome, since the order is only known now
		switch byteOrder(false).u32(b[8:]) {
		case byteOrderMagic:
			r.order = false
		case bits.ReverseBytes32(byteOrderMagic):
			r.order = true
		default:
			return 0, nil, ErrNotPcapng
		}
	} else if !r.began {
		return 0, nil, ErrNotPcapng
	}
	length := r.order.u32(b[4:])
	switch {
	case length < 12 || length%4 != 0:
		return 0, nil, ErrBlock
	case uint64(length) > uint64(len(b)):
		return 0, nil, ErrTruncated
	case r.order.u32(b[length-4:]) != length:
		return 0, nil, ErrBlock
	}
	r.rest = b[length:]
	return kind, b[8 : length-4], 0
}

func (r *Reader) readSection(body []byte) Error {
	if len(body) < 16 {
		return ErrBlock
	}
	if r.order.u16(body[4:]) != 1 {
		return ErrVersion
	}
	r.began = true
	r.section = Section{}
	r.interfaces = r.interfaces[:0] // each section describes its own
	var comment []byte
	err := r.options(body[16:], func(code uint16, value []byte) {
		switch code {
		case optComment:
			comment = join(comment, value)
		case optApplication:
			r.section.Application = string(value)
		}
	})
	r.section.Comment = string(comment)
	return err
}

func (r *Reader) readInterface(body []byte) Error {
	if len(body) < 8 {
		return ErrBlock
	}
	if len(r.interfaces) == MaxInterfaces {
		return ErrInterfaces
	}
	in := Interface{
		LinkType:   r.order.u16(body),
		snapLen:    r.order.u32(body[4:]),
		resolution: 6, // microseconds, where nothing is said
	}
	err := r.options(body[8:], func(code uint16, value []byte) {
		switch {
		case code == optName:
			in.Name = string(value)
		case code == optDescription:
			in.Description = string(value)
		case code == optResolution && len(value) == 1:
			in.resolution = value[0]
		case code == optTimeOffset && len(value) == 8:
			const most = int64(clock.Never) / int64(clock.Second)
			in.offset = clock.Duration(min(max(r.order.s64(value), -most), most)) * clock.Second
		}
	})
	r.interfaces = append(r.interfaces, in)
	return err
}

func (r *Reader) readPacket(body []byte, p *Packet) Error {
	if len(body) < 20 {
		return ErrBlock
	}
	index, captured := r.order.u32(body), uint64(r.order.u32(body[12:]))
	if uint64(index) >= uint64(len(r.interfaces)) {
		return ErrInterface
	}
	if padded(captured) > uint64(len(body)-20) {
		return ErrBlock
	}
	stamp := uint64(r.order.u32(body[4:]))<<32 | uint64(r.order.u32(body[8:]))
	*p = Packet{
		At:        r.interfaces[index].instant(stamp),
		Interface: int(index),
		Bytes:     body[20 : 20+captured : 20+captured],
		Length:    r.order.u32(body[16:]),
	}
	var comment []byte
	err := r.options(body[20+padded(captured):], func(code uint16, value []byte) {
		switch {
		case code == optComment:
			comment = join(comment, value)
		case code == optPacketFlags && len(value) == 4:
			if dir := Direction(r.order.u32(value) & 3); dir <= Outbound {
				p.Direction = dir
			}
		}
	})
	p.Comment = string(comment)
	return err
}

// readSimple is §4.4: no time, and the first interface says how much of the
// packet there is.
func (r *Reader) readSimple(body []byte, p *Packet) Error {
	if len(r.interfaces) == 0 {
		return ErrInterface
	}
	if len(body) < 4 {
		return ErrBlock
	}
	length := r.order.u32(body)
	captured := min(uint64(length), uint64(len(body)-4))
	if snap := r.interfaces[0].snapLen; snap != 0 {
		captured = min(captured, uint64(snap))
	}
	*p = Packet{Bytes: body[4 : 4+captured : 4+captured], Length: length}
	return 0
}

// options walks a list of options, §3.5. Without an end it ends with its block.
func (r *Reader) options(b []byte, each func(code uint16, value []byte)) Error {
	for len(b) >= 4 {
		code, length := r.order.u16(b), uint64(r.order.u16(b[2:]))
		if code == optEnd {
			return 0
		}
		if b = b[4:]; padded(length) > uint64(len(b)) {
			return ErrBlock
		}
		each(code, b[:length])
		b = b[padded(length):]
	}
	return 0
}

// instant turns a time stamp into nanoseconds, §4.2 if_tsresol: the unit is a
// power of 2 or of 10. It saturates at clock.Never.
func (in *Interface) instant(stamp uint64) clock.Instant {
	hi, lo := uint64(0), stamp
	if shift := uint(in.resolution &^ 0x80); in.resolution&0x80 != 0 {
		hi, lo = bits.Mul64(stamp, uint64(clock.Second))
		for ; shift > 0; shift-- {
			hi, lo = hi>>1, lo>>1|hi<<63
		}
	} else {
		for digits := shift; digits < nanoseconds && hi == 0; digits++ {
			hi, lo = bits.Mul64(lo, 10)
		}
		for digits := shift; digits > nanoseconds; digits-- {
			lo /= 10
		}
	}
	if hi != 0 || lo > uint64(clock.Never) {
		return clock.Never
	}
	return clock.Instant(lo).Add(in.offset)
}

// padded is n with the padding that follows n octets, §3.1.
func padded(n uint64) uint64 { return (n + 3) &^ 3 }

func join(to, comment []byte) []byte {
	if len(to) > 0 {
		to = append(to, '\n')
	}
	return append(to, comment...)
}

// byteOrder is whether the section is big-endian.
type byteOrder bool

func (big byteOrder) u16(b []byte) uint16 {
	if big {
		return uint16(b[0])<<8 | uint16(b[1])
	}
	return uint16(b[1])<<8 | uint16(b[0])
}

func (big byteOrder) u32(b []byte) uint32 {
	if big {
		return uint32(big.u16(b))<<16 | uint32(big.u16(b[2:]))
	}
	return uint32(big.u16(b[2:]))<<16 | uint32(big.u16(b))
}

func (big byteOrder) s64(b []byte) int64 {
	if big {
		return int64(big.u32(b))<<32 | int64(big.u32(b[4:]))
	}
	return int64(big.u32(b[4:]))<<32 | int64(big.u32(b))
}
