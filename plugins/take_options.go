package plugins

import (
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

const (
	// maxScale is the largest shift, RFC 7323 §2.3.
	maxScale = 14
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
	was := *o
	if o.Has = has; !readOptions(b, o) {
		return false
	}
	if *o == was {
		return true // as they came, good or not
	}
	if has.Has(wire.HasMSS) && o.MSS == 0 || has.Has(wire.HasWindowScale) && o.WindowScale > maxScale {
		return false
	}
	if r.Options == nil {
		return valuesSize(o) <= maxOptionOctets
	}
	// There are octets already, which may hold what the record has no values for.
	n := len(wire.AppendOptions(s.options[:0], o))
	if valuesSize(o) > n {
		return false
	}
	for rest := r.Options; len(rest) > 0 && has.Has(wire.HasUnknown); {
		kind, size := option(rest)
		if size == 0 || kind == kindEnd {
			break
		}
		if kind != kindNop && !isKnown(rest[:size]) {
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

// readOptions reads the values of the options that o has. It reports false if
// there is a SACK that cannot be.
func readOptions(b []byte, o *wire.Options) bool {
	if o.Has.Has(wire.HasMSS) {
		o.MSS = wire.Le16(b[abi.SegmentMSS:])
	}
	if o.Has.Has(wire.HasWindowScale) {
		o.WindowScale = b[abi.SegmentScale]
	}
	if o.Has.Has(wire.HasTimestamps) {
		o.TSVal, o.TSEcr = wire.Le32(b[abi.SegmentTSVal:]), wire.Le32(b[abi.SegmentTSEcr:])
	}
	if !o.Has.Has(wire.HasSACK) {
		return true
	}
	n := b[abi.SegmentSACKs]
	// Of four blocks the record shows three: the fourth can stay, or go.
	if n < 1 || n > shownSACKs && n != o.SACKCount {
		return false
	}
	for i := range o.SACK[:min(n, shownSACKs)] {
		at := b[abi.SegmentSACK+8*i:]
		block := wire.SACKBlock{Left: seq.Value(wire.Le32(at)), Right: seq.Value(wire.Le32(at[4:]))}
		if !block.Left.Before(block.Right) && (i >= int(o.SACKCount) || block != o.SACK[i]) {
			return false
		}
		o.SACK[i] = block
	}
	o.SACKCount = n
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
	if r.Options != nil && string(r.Options) == string(b[abi.OptionsAt+4:][:n]) {
		return true // as they came, good or not
	}
	copy(s.options[:], b[abi.OptionsAt+4:][:n])
	if !validOptions(s.options[:n], r.TCP.Flags.Has(wire.SYN) || !r.Segment) {
		return false
	}
	r.Options = s.padded(int(n))
	wire.ParseOptions(r.Options, &r.TCP.Options)
	return true
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

// isKnown reports whether an option is one that wire.Options has.
func isKnown(b []byte) bool {
	var o wire.Options
	wire.ParseOptions(b, &o)
	return o.Has&wire.HasUnknown == 0
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
		return b[2] <= maxScale
	case 5:
		return len(b) >= 10 && (len(b)-2)%8 == 0
	case 34:
		return len(b)%2 == 0 && len(b) != 4 && len(b) <= 18
	}
	return true
}
