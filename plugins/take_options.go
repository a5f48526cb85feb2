package plugins

import (
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

const (
	// withValues are the options whose values a record has.
	withValues = wire.HasMSS | wire.HasWindowScale | wire.HasSACKPermitted | wire.HasTimestamps | wire.HasSACK
	// onlyInSyn are the options of the handshake: RFC 9293 §3.2, RFC 7323 §2.2, RFC 2018 §2.
	onlyInSyn = wire.HasMSS | wire.HasWindowScale | wire.HasSACKPermitted
)

// takeOptions reads the options that a record has values for. The others stay as
// they are: a plugin can take them away, and not make them.
func (s *Set) takeOptions(b []byte, r *tcp.Record) bool {
	o := &r.TCP.Options
	has := wire.OptionSet(wire.Le16(b[abi.SegmentHas:]))
	if has&^o.Has&^withValues != 0 || has&onlyInSyn&^o.Has != 0 && !r.TCP.Flags.Has(wire.SYN) {
		return false
	}
	o.Has = has
	o.MSS, o.WindowScale = wire.Le16(b[abi.SegmentMSS:]), b[abi.SegmentScale]
	o.TSVal, o.TSEcr = wire.Le32(b[abi.SegmentTSVal:]), wire.Le32(b[abi.SegmentTSEcr:])
	if has.Has(wire.HasMSS) && o.MSS == 0 || has.Has(wire.HasWindowScale) && o.WindowScale > 14 {
		return false
	}
	if has.Has(wire.HasSACK) {
		n := b[abi.SegmentSACKs]
		// Of four blocks the record shows three: the fourth can stay, or go.
		if n < 1 || n > shownSACKs && n != o.SACKCount {
			return false
		}
		o.SACKCount = n
		for i := range o.SACK[:min(n, shownSACKs)] {
			at := b[abi.SegmentSACK+8*i:]
			o.SACK[i] = wire.SACKBlock{Left: seq.Value(wire.Le32(at)), Right: seq.Value(wire.Le32(at[4:]))}
			if !o.SACK[i].Left.Before(o.SACK[i].Right) {
				return false
			}
		}
	}
	if r.Options == nil {
		return valuesSize(o) <= maxOptionOctets
	}
	// There are octets already, which may hold what the record has no values for.
	n := copy(s.options[:], s.render(&r.TCP))
	if valuesSize(o) > n {
		return false
	}
	for rest := r.Options; len(rest) > 0; {
		kind, size := option(rest)
		if size == 0 || kind == kindEnd {
			break
		}
		if kind != kindNop && !isKnown(kind) {
			if n+size > maxOptionOctets {
				return false
			}
			n += copy(s.options[n:], rest[:size])
		}
		rest = rest[size:]
	}
	r.Options = s.padded(n)
	return true
}

// valuesSize is how many octets the options with values take, in the alignment
// in which they are sent.
func valuesSize(o *wire.Options) (n int) {
	if o.Has.Has(wire.HasMSS) {
		n += 4
	}
	if o.Has.Has(wire.HasTimestamps) {
		n += 12
	} else if o.Has.Has(wire.HasSACKPermitted) {
		n += 4
	}
	if o.Has.Has(wire.HasWindowScale) {
		n += 4
	}
	if o.Has.Has(wire.HasSACK) {
		n += 4 + 8*int(o.SACKCount)
	}
	return n
}

// optionOctets is how many octets of options the segment has.
func optionOctets(r *tcp.Record) int {
	if r.Options != nil {
		return len(r.Options)
	}
	return min(valuesSize(&r.TCP.Options), maxOptionOctets)
}

// padded ends the first n octets of s.options at a multiple of 4.
func (s *Set) padded(n int) []byte {
	for n%4 != 0 {
		s.options[n] = kindEnd
		n++
	}
	return s.options[:n]
}

// takeRawOptions reads the options octet by octet.
func (s *Set) takeRawOptions(p *Plugin, r *tcp.Record, fields uint32) bool {
	if fields&abi.FieldRawOptions == 0 {
		return true
	}
	if p.shown&abi.SectionOptions == 0 || p.guest.instance.Fetch(s.image, Part{abi.OptionsAt, abi.OptionsEnd - abi.OptionsAt}) != nil {
		return false
	}
	return s.readRawOptions(s.image, r)
}

// readRawOptions reads the section of options of a record.
func (s *Set) readRawOptions(b []byte, r *tcp.Record) bool {
	n := wire.Le32(b[abi.OptionsAt:])
	if n > maxOptionOctets {
		return false
	}
	copy(s.options[:], b[abi.OptionsAt+4:][:n])
	if !validOptions(s.options[:n], r.TCP.Flags.Has(wire.SYN) || !r.Segment) {
		return false
	}
	r.Options = s.padded(int(n))
	s.parseOptions(r)
	return true
}

// parseOptions makes the values of a record those of its octets.
func (s *Set) parseOptions(r *tcp.Record) {
	t := r.TCP
	t.Options = wire.Options{}
	s.header = append(wire.AppendTCP(s.header[:0], &t), r.Options...)
	s.header[12] = byte((wire.TCPHeaderLen+len(r.Options))/4)<<4 | s.header[12]&0xf
	if wire.ParseTCP(s.header, &t) == 0 {
		r.TCP.Options = t.Options
	}
}

// Kinds of options, and the lengths that they must have.
const (
	kindEnd = 0
	kindNop = 1
)

var optionKinds = [...]struct {
	kind, size uint8 // 0: several
	syn        bool  // in the handshake only
}{
	{2, 4, true}, {3, 3, true}, {4, 2, true}, {5, 0, false}, {8, 10, false}, {28, 4, false}, {34, 0, false},
}

func isKnown(kind uint8) bool {
	for _, k := range optionKinds {
		if k.kind == kind {
			return true
		}
	}
	return false
}

// option returns kind and size of the first option of b, size 0 if it is none.
func option(b []byte) (kind uint8, size int) {
	switch {
	case b[0] == kindEnd || b[0] == kindNop:
		return b[0], 1
	case len(b) < 2 || b[1] < 2 || int(b[1]) > len(b):
		return b[0], 0
	}
	return b[0], int(b[1])
}

// validOptions reads options more strictly than a receiver does: each length is
// the one that the kind has, none comes twice, those of the handshake stand in a
// SYN, and behind the end there is nothing.
func validOptions(b []byte, syn bool) bool {
	var seen [256 / 64]uint64
	for len(b) > 0 {
		kind, size := option(b)
		if size == 0 {
			return false
		}
		if kind == kindEnd {
			for _, c := range b {
				if c != 0 {
					return false
				}
			}
			return true
		}
		if kind != kindNop {
			if seen[kind/64]>>(kind%64)&1 != 0 || !validOption(b[:size], syn) {
				return false
			}
			seen[kind/64] |= 1 << (kind % 64)
		}
		b = b[size:]
	}
	return true
}

func validOption(b []byte, syn bool) bool {
	for _, k := range optionKinds {
		if k.kind == b[0] && (k.size != 0 && int(k.size) != len(b) || k.syn && !syn) {
			return false
		}
	}
	switch b[0] {
	case 2:
		return wire.Be16(b[2:]) > 0
	case 3:
		return b[2] <= 14
	case 5:
		return len(b) >= 10 && (len(b)-2)%8 == 0
	case 34:
		return len(b)%2 == 0 && len(b) != 4 && len(b) <= 18
	}
	return true
}
