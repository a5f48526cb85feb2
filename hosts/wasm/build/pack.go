package build

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Sections of a module, WebAssembly core specification §5.5.
const (
	customSection = 0
	codeSection   = 10
	dataSection   = 11
)

var errDamaged = errors.New("pack the WASM module: it is damaged, or of a kind that the Go linker does not write")

// Pack makes a module of the Go linker smaller without changing what it does. It joins
// the tens of thousands of data segments, of which each has a header that no
// compression removes; it leaves out custom sections, the tables by which a trace
// shows files, lines and arguments, and what nothing can reach (unused.go); and it
// folds the addresses of Go's stack into the instructions that use them (code.go).
// What is left of a panic's trace is names of functions.
func Pack(wasm []byte) ([]byte, error) {
	const header = 8
	if len(wasm) < header || string(wasm[:4]) != "\x00asm" {
		return nil, errDamaged
	}
	var list []section
	var names []string
	for r := (reader{b: wasm[header:]}); len(r.b) > 0; {
		s := section{id: r.take(1)[0], body: r.take(r.number())}
		if r.bad {
			return nil, errDamaged
		}
		if s.id == dataSection {
			joined, err := joinData(s.body)
			if err != nil {
				return nil, err
			}
			for _, j := range joined {
				names = append(names, functionNames(j.bytes)...)
				dropLines(j.bytes)
				dropPowers(j.bytes)
			}
			s.body = appendData(nil, joined)
		}
		if s.id != customSection {
			list = append(list, s)
		}
	}
	out := append([]byte(nil), wasm[:header]...)
	for _, s := range list {
		if s.id == codeSection {
			packed, err := packCode(s.body, names)
			if err != nil {
				return nil, err
			}
			s.body = packed
		}
		out = append(out, s.id)
		out = binary.AppendUvarint(out, uint64(len(s.body)))
		out = append(out, s.body...)
	}
	return out, nil
}

// A section is a part of a module.
type section struct {
	id   byte
	body []byte
}

// A stretch is octets of memory that are not all zero.
type stretch struct {
	at    int
	bytes []byte
}

// apart is how many zeros part two stretches; fewer cost less than a header.
const apart = 256

// joinData reads a data section, in as few stretches as are worth it.
func joinData(body []byte) ([]stretch, error) {
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
	return joined, nil
}

// appendData appends a data section.
func appendData(out []byte, joined []stretch) []byte {
	out = binary.AppendUvarint(out, uint64(len(joined)))
	for _, s := range joined {
		out = append(out, 0, opConst)
		out = appendSigned(out, int64(s.at))
		out = append(out, opEnd)
		out = binary.AppendUvarint(out, uint64(len(s.bytes)))
		out = append(out, s.bytes...)
	}
	return out
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

// signed reads a number of 32 bits in signed LEB128, signed64 one of 64.
func (r *reader) signed() int {
	v := r.signed64()
	r.bad = r.bad || v != int64(int32(v))
	return int(v)
}

func (r *reader) signed64() (v int64) {
	for shift := 0; shift < 70; shift += 7 {
		b := r.take(1)[0]
		v |= int64(b&0x7f) << shift
		if b&0x80 == 0 {
			if b&0x40 != 0 && shift < 57 {
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
