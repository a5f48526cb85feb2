package wire

import "github.com/tcpkit/tcpkit/core/seq"

// OptionSet says which options are there.
type OptionSet uint16

// The options, and what else may be found among them.
const (
	HasMSS OptionSet = 1 << iota
	HasWindowScale
	HasSACKPermitted
	HasTimestamps
	HasSACK
	HasFastOpen
	HasUserTimeout
	HasUnknown   // an option of another kind, skipped
	HasMalformed // a length that cannot be; nothing after it was read
)

// Has reports whether every bit of t is set.
func (s OptionSet) Has(t OptionSet) bool { return s&t == t }

// SACKBlock is octets that arrived: Left is the first, Right the one after the
// last. RFC 2018 §3.
type SACKBlock struct{ Left, Right seq.Value }

// Options are the TCP options of a segment. A field counts if its bit is in Has.
// SACK counts up to SACKCount and FastOpen up to FastOpenLen: ParseTCP leaves
// the rest of them as it was.
type Options struct {
	Has         OptionSet
	MSS         uint16
	UserTimeout uint16 // RFC 5482 §3: granularity bit and 15 bits of time
	WindowScale uint8  // as received, 14 or more; RFC 7323 §2.3 has the limit
	SACKCount   uint8
	TSVal       uint32
	TSEcr       uint32
	SACK        [4]SACKBlock
	FastOpenLen uint8 // 0 asks for a cookie
	FastOpenExp bool  // in the form of before RFC 7413, as an experiment of RFC 6994
	FastOpen    [16]byte
}

// Kinds and lengths of options.
const (
	optionEnd         = 0
	optionNop         = 1
	optionMSS         = 2
	optionWindowScale = 3
	optionSACKPermit  = 4
	optionSACK        = 5
	optionTimestamps  = 8
	optionUserTimeout = 28
	optionFastOpen    = 34
	optionExperiment  = 254

	fastOpenExperiment = 0xf989 // RFC 7413 §9

	lenMSS         = 4
	lenWindowScale = 3
	lenSACKPermit  = 2
	lenTimestamps  = 10
	lenUserTimeout = 4

	// Two NOPs before an option of 10 octets put its words on multiples of 4.
	nopNopTimestamps = optionNop<<24 | optionNop<<16 | optionTimestamps<<8 | lenTimestamps
)

// parse walks the options b, of which each takes an octet at least.
// RFC 9293 §3.1 MUST-5, MUST-6, MUST-7: options may come in any segment, those
// not known are skipped by their length, and a length may be anything. One that
// cannot be ends the walk; the segment is kept.
func (o *Options) parse(b []byte) {
	o.Has, o.SACKCount, o.FastOpenLen, o.FastOpenExp = 0, 0, 0, false
	for len(b) > 0 {
		kind := b[0]
		if kind == optionNop {
			b = b[1:]
			continue
		}
		if kind == optionEnd {
			return
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			o.Has |= HasMalformed
			return
		}
		option := b[:b[1]]
		b = b[b[1]:]
		if !o.parseOne(option) {
			o.Has |= HasMalformed
			return
		}
	}
}

// parseOne reads the option b, kind and length included, and reports whether
// its length is one that its kind can have.
func (o *Options) parseOne(b []byte) bool {
	switch b[0] {
	case optionMSS:
		if len(b) != lenMSS {
			return false
		}
		o.Has |= HasMSS
		o.MSS = Be16(b[2:4])
	case optionWindowScale:
		if len(b) != lenWindowScale {
			return false
		}
		o.Has |= HasWindowScale
		o.WindowScale = b[2]
	case optionSACKPermit:
		if len(b) != lenSACKPermit {
			return false
		}
		o.Has |= HasSACKPermitted
	case optionSACK:
		n := (len(b) - 2) / 8
		if len(b) != 2+8*n || n < 1 || n > len(o.SACK) {
			return false
		}
		o.Has |= HasSACK
		o.SACKCount = uint8(n)
		for i := range n {
			block := b[2+8*i:]
			o.SACK[i] = SACKBlock{seq.Value(Be32(block[0:4])), seq.Value(Be32(block[4:8]))}
		}
	case optionTimestamps:
		if len(b) != lenTimestamps {
			return false
		}
		o.Has |= HasTimestamps
		o.TSVal = Be32(b[2:6])
		o.TSEcr = Be32(b[6:10])
	case optionUserTimeout:
		if len(b) != lenUserTimeout {
			return false
		}
		o.Has |= HasUserTimeout
		o.UserTimeout = Be16(b[2:4])
	case optionFastOpen:
		o.parseFastOpen(b[2:], false)
	case optionExperiment:
		if len(b) >= 4 && Be16(b[2:4]) == fastOpenExperiment {
			o.parseFastOpen(b[4:], true)
		} else {
			o.Has |= HasUnknown
		}
	default:
		o.Has |= HasUnknown
	}
	return true
}

// parseFastOpen takes a cookie. RFC 7413 §4.1.1: it has 4 to 16 octets, an even
// number; none asks for one. The option is ignored if it has another length.
func (o *Options) parseFastOpen(cookie []byte, exp bool) {
	n := len(cookie)
	if n%2 != 0 || n == 2 || n > len(o.FastOpen) {
		o.Has |= HasUnknown
		return
	}
	o.Has |= HasFastOpen
	o.FastOpenLen, o.FastOpenExp = uint8(n), exp
	copy(o.FastOpen[:], cookie)
}

// ParseOptions reads options as they stand in a header.
func ParseOptions(b []byte, o *Options) { o.parse(b) }

// AppendOptions appends the options that o has as AppendTCP does: at most
// TCPOptionsMax octets, a multiple of 4.
func AppendOptions(b []byte, o *Options) []byte { return o.append(b) }

// append appends the options that o has, in the order and alignment that Linux
// gives them. What does not fit into TCPOptionsMax any more is left out: SACK
// blocks from the last, then a cookie, then the user timeout.
//
//	SYN    mss, sackOK, TS, nop, wscale      20 octets
//	       mss, nop, nop, sackOK, nop, wscale
//	       mss, nop, nop, TS, nop, wscale
//	other  nop, nop, TS, nop, nop, SACK      12 and 4+8n octets
func (o *Options) append(b []byte) []byte {
	start := len(b)
	if o.Has.Has(HasMSS) {
		b = append32(b, optionMSS<<24|lenMSS<<16|uint32(o.MSS))
	}
	if o.Has.Has(HasTimestamps) {
		first := uint32(nopNopTimestamps)
		if o.Has.Has(HasSACKPermitted) {
			first = optionSACKPermit<<24 | lenSACKPermit<<16 | optionTimestamps<<8 | lenTimestamps
		}
		b = append32(append32(append32(b, first), o.TSVal), o.TSEcr)
	} else if o.Has.Has(HasSACKPermitted) {
		b = append32(b, optionNop<<24|optionNop<<16|optionSACKPermit<<8|lenSACKPermit)
	}
	if o.Has.Has(HasWindowScale) {
		b = append32(b, optionNop<<24|optionWindowScale<<16|lenWindowScale<<8|uint32(o.WindowScale))
	}
	left := start + TCPOptionsMax - len(b)
	if n := min(int(o.SACKCount), len(o.SACK), (left-4)/8); o.Has.Has(HasSACK) && n > 0 {
		b = append32(b, optionNop<<24|optionNop<<16|optionSACK<<8|uint32(2+8*n))
		for _, block := range o.SACK[:n] {
			b = append32(append32(b, uint32(block.Left)), uint32(block.Right))
		}
		left -= 4 + 8*n
	}
	if n := o.fastOpenSize(); o.Has.Has(HasFastOpen) && n <= left {
		if o.FastOpenExp {
			b = append32(b, optionExperiment<<24|uint32(n)<<16|fastOpenExperiment)
		} else {
			b = append(b, optionFastOpen, byte(n))
		}
		b = append(b, o.FastOpen[:o.FastOpenLen]...)
		for (len(b)-start)%4 != 0 {
			b = append(b, optionNop)
		}
		left = start + TCPOptionsMax - len(b)
	}
	if o.Has.Has(HasUserTimeout) && lenUserTimeout <= left {
		b = append32(b, optionUserTimeout<<24|lenUserTimeout<<16|uint32(o.UserTimeout))
	}
	return b
}

// fastOpenSize is the length of the Fast Open option.
func (o *Options) fastOpenSize() int {
	if o.FastOpenExp {
		return 4 + int(o.FastOpenLen)
	}
	return 2 + int(o.FastOpenLen)
}

func append32(b []byte, v uint32) []byte {
	return append(b, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}
