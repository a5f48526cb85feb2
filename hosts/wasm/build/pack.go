package build

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Sections of a module, WebAssembly core specification §5.5.
const (
	customSection = 0
	dataSection   = 11
)

var errDamaged = errors.New("pack the WASM module: it is damaged, or of a kind that the Go linker does not write")

// Pack makes a module of the Go linker smaller without changing what it does. It
// joins the tens of thousands of data segments, of which each has a header that no
// compression removes, leaves out the tables of line numbers, and names that no
// engine asks for. What is left of a panic's trace is names of functions.
func Pack(wasm []byte) ([]byte, error) {
	const header = 8
	if len(wasm) < header || string(wasm[:4]) != "\x00asm" {
		return nil, errDamaged
	}
	out := append([]byte(nil), wasm[:header]...)
	for r := (reader{b: wasm[header:]}); len(r.b) > 0; {
		id := r.take(1)
		body := r.take(r.number())
		if r.bad {
			return nil, errDamaged
		}
		switch id[0] {
		case customSection:
			continue
		case dataSection:
			packed, err := packData(body)
			if err != nil {
				return nil, err
			}
			body = packed
		}
		out = append(out, id[0])
		out = binary.AppendUvarint(out, uint64(len(body)))
		out = append(out, body...)
	}
	return out, nil
}

// A stretch is octets of memory that are not all zero.
type stretch struct {
	at    int
	bytes []byte
}

// apart is how many zeros part two stretches; fewer cost less than a header.
const apart = 256

// packData is a data section with what memory holds in as few stretches as are
// worth it.
func packData(body []byte) ([]byte, error) {
	given, err := readData(body)
	if err != nil {
		return nil, err
	}
	var joined []stretch
	for _, s := range given {
		last := len(joined) - 1
		if last < 0 || s.at-joined[last].end() >= apart {
			joined = append(joined, stretch{s.at, append([]byte(nil), s.bytes...)})
			continue
		}
		l := &joined[last]
		l.bytes = append(l.bytes, make([]byte, s.at-l.end())...)
		l.bytes = append(l.bytes, s.bytes...)
	}
	for _, s := range joined {
		dropLines(s.bytes)
	}
	out := binary.AppendUvarint(nil, uint64(len(joined)))
	for _, s := range joined {
		out = append(out, 0, opConst)
		out = appendSigned(out, int64(s.at))
		out = append(out, opEnd)
		out = binary.AppendUvarint(out, uint64(len(s.bytes)))
		out = append(out, s.bytes...)
	}
	return out, nil
}

func (s *stretch) end() int { return s.at + len(s.bytes) }

// The instructions of a constant address.
const (
	opConst = 0x41
	opEnd   = 0x0b
)

// readData reads a section of active segments, and puts them in order.
func readData(body []byte) (all []stretch, err error) {
	r := reader{b: body}
	for n := r.number(); n > 0 && !r.bad; n-- {
		kind, op := r.take(1), r.take(1)
		at := r.signed()
		end := r.take(1)
		s := stretch{at, r.take(r.number())}
		if r.bad || kind[0] != 0 || op[0] != opConst || end[0] != opEnd {
			return nil, errDamaged
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b stretch) int { return a.at - b.at })
	for k := 1; k < len(all); k++ {
		r.bad = r.bad || all[k].at < all[k-1].end()
	}
	if r.bad || len(r.b) > 0 {
		return nil, errDamaged
	}
	return all, nil
}

// A reader takes a module apart; bad says that something was missing.
type reader struct {
	b   []byte
	bad bool
}

// take returns the next n octets, and if there are fewer as many zeros.
func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return make([]byte, 1)
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) number() int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > 1<<31 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

// signed reads a number in signed LEB128.
func (r *reader) signed() (v int) {
	for shift := 0; shift < 35; shift += 7 {
		b := r.take(1)[0]
		v |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			if b&0x40 != 0 {
				v -= 1 << (shift + 7)
			}
			return v
		}
	}
	r.bad = true
	return 0
}

func appendSigned(b []byte, v int64) []byte {
	for {
		low := byte(v & 0x7f)
		v >>= 7
		if v == 0 && low&0x40 == 0 || v == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}
