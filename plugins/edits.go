package plugins

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// edits are the octets of a connection that have left otherwise than they stand in
// the send buffer, and are not acknowledged. When they are sent again they leave
// as they did before, so that the peer is told one thing. THREATS P10.
type edits struct {
	list   []edit // by sequence number
	octets int
}

type edit struct {
	at    seq.Value
	bytes []byte
}

func (e *edit) end() seq.Value { return e.at.Add(seq.Size(len(e.bytes))) }

// Bounds of what is kept, of a connection and of all.
const (
	mostEditOctets = 64 << 10
	mostEdited     = 1024
)

// textAt is the sequence number of the first octet of data, §3.4: a SYN stands
// before it.
func textAt(r *tcp.Record) seq.Value {
	if r.TCP.Flags.Has(wire.SYN) {
		return r.TCP.Seq.Add(1)
	}
	return r.TCP.Seq
}

// beforeEdits makes the payload what it was when it left before, and remembers
// what it then is.
func (s *Set) beforeEdits(r *tcp.Record) tcp.Verdict {
	verdict := tcp.Pass
	s.editedAt = textAt(r)
	if e := s.edits[r.Conn]; e != nil {
		e.acknowledged(r.Send.UNA)
		if len(e.list) == 0 {
			delete(s.edits, r.Conn)
		} else if e.apply(s.editedAt, r.Payload) {
			verdict = tcp.Mutated
		}
	}
	s.before = append(s.before[:0], r.Payload...)
	return verdict
}

// afterEdits keeps what the plugins have changed of octets that leave for the
// first time, and takes back what they have changed of others.
func (s *Set) afterEdits(r *tcp.Record, verdict tcp.Verdict) tcp.Verdict {
	switch verdict {
	case tcp.Pass, tcp.Reset:
		return verdict
	}
	n := min(len(s.before), len(r.Payload))
	first := 0
	for first < n && s.before[first] == r.Payload[first] {
		first++
	}
	if first == len(r.Payload) {
		return verdict
	}
	if r.Again || r.Conn == 0 || !s.remember(r, first) {
		if len(r.Payload) > len(s.before) {
			r.Payload = r.Payload[:len(s.before)]
		}
		copy(r.Payload, s.before)
		if !r.Again {
			s.tellNotEdited(r)
		}
	}
	return verdict
}

// remember keeps the octets from first to the last that differs. They are forced
// to what has been sent of them already, by a segment that was made longer.
func (s *Set) remember(r *tcp.Record, first int) bool {
	last := len(r.Payload)
	for last <= len(s.before) && last > first && r.Payload[last-1] == s.before[last-1] {
		last--
	}
	e := s.edits[r.Conn]
	if e == nil {
		if len(s.edits) >= mostEdited {
			return false
		}
		e = &edits{}
		if s.edits == nil {
			s.edits = map[uint32]*edits{}
		}
		s.edits[r.Conn] = e
	}
	if e.octets+last-first > mostEditOctets {
		return false
	}
	e.apply(s.editedAt, r.Payload)
	e.list = append(e.list, edit{s.editedAt.Add(seq.Size(first)), slices.Clone(r.Payload[first:last])})
	e.octets += last - first
	return true
}

// tellNotEdited tells of a change that was not taken.
func (s *Set) tellNotEdited(r *tcp.Record) {
	for _, p := range s.at[r.Step] {
		if p.grants.Has(GrantPayload) {
			p.tell(r.Log, r.Now, r, abi.Mutated, abi.FieldPayload, WhyNotEdited)
			return
		}
	}
}

// acknowledged forgets what the peer has.
func (e *edits) acknowledged(una seq.Value) {
	n := 0
	for n < len(e.list) && e.list[n].end().AtOrBefore(una) {
		e.octets -= len(e.list[n].bytes)
		n++
	}
	if n > 0 {
		e.list = append(e.list[:0], e.list[n:]...)
	}
}

// apply writes what is kept over the octets from at on, and reports whether
// there was any.
func (e *edits) apply(at seq.Value, payload []byte) (any bool) {
	for i := range e.list {
		x := &e.list[i]
		off := int(x.at.Diff(at))
		switch {
		case off >= len(payload) || off+len(x.bytes) <= 0:
		case off < 0:
			any = copy(payload, x.bytes[-off:]) > 0 || any
		default:
			any = copy(payload[off:], x.bytes) > 0 || any
		}
	}
	return any
}

func (e *edits) clone() *edits {
	return &edits{list: slices.Clone(e.list), octets: e.octets} // the octets themselves never change
}

func fingerprintEdits(all map[uint32]*edits, h *siphash.Hash) {
	for _, conn := range sortedKeys(all) {
		for _, x := range all[conn].list {
			h.WriteUint64(uint64(conn)<<32 | uint64(x.at))
			h.WriteUint64(siphash.Sum64(siphash.Key{}, x.bytes))
		}
	}
}
