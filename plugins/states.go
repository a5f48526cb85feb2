package plugins

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// states is what a plugin keeps of each connection, here, so that copies of the
// stack have it and another module can go on with it.
type states struct {
	kept    map[uint32][]byte // by id of the connection
	spare   [][]byte
	refused uint64
}

// mostStates bounds of how many connections something is kept.
const mostStates = 1 << 16

// of returns what is kept of a connection, size octets that are zero at first; nil
// if there is no room for more.
func (s *states) of(conn, size uint32) []byte {
	if kept, ok := s.kept[conn]; ok {
		return kept
	}
	if len(s.kept) >= mostStates {
		s.refused++
		return nil
	}
	var kept []byte
	if n := len(s.spare); n > 0 {
		kept, s.spare = s.spare[n-1], s.spare[:n-1]
		clear(kept)
	} else {
		kept = make([]byte, size)
	}
	if s.kept == nil {
		s.kept = map[uint32][]byte{}
	}
	s.kept[conn] = kept
	return kept
}

// drop forgets a connection.
func (s *states) drop(conn uint32) {
	if kept, ok := s.kept[conn]; ok {
		delete(s.kept, conn)
		const spares = 16
		if len(s.spare) < spares {
			s.spare = append(s.spare, kept)
		}
	}
}

func (s *states) forget() { *s = states{refused: s.refused} }

func (s *states) clone() states {
	c := states{refused: s.refused}
	if len(s.kept) > 0 {
		c.kept = make(map[uint32][]byte, len(s.kept))
		for conn, kept := range s.kept {
			c.kept[conn] = slices.Clone(kept)
		}
	}
	return c
}

// fingerprint adds all, in the order of the connections.
func (s *states) fingerprint(h *siphash.Hash) {
	for _, conn := range sortedKeys(s.kept) {
		h.WriteUint64(uint64(conn))
		h.WriteUint64(siphash.Sum64(siphash.Key{}, s.kept[conn]))
	}
}

func sortedKeys[V any](m map[uint32]V) []uint32 {
	keys := make([]uint32, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// keep takes over what the plugin keeps of the connection of a record. It reports
// false if that was not shown to it.
func (s *Set) keep(p *Plugin, r *tcp.Record) bool {
	if !s.showsState() {
		return false
	}
	kept := p.states.of(r.Conn, p.manifest.State)
	if p.guest.instance.Fetch(s.image, Part{abi.StateAt, uint32(len(kept))}) != nil {
		return false
	}
	copy(kept, s.image[abi.StateAt:])
	return true
}

// showsState reports whether image has what the plugin that was called keeps of the
// connection.
func (s *Set) showsState() bool {
	return wire.Le32(s.image[abi.OffsetSections:])&abi.SectionState != 0
}
