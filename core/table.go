package core

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// A ref names what has a tuple: slot+1 for a connection, -(record+1) for a
// TIME-WAIT record, 0 for nothing.
type ref int32

// A node is an element of the table's chains. It lies within what it stands for.
type node struct {
	next ref
	hash uint32
}

// table finds connections and TIME-WAIT records by tuple. It is a hash table
// with chains that grows by linear hashing: each insertion beyond the size splits
// one chain, so that no single insertion pays for moving all.
//
//	chains   0 1 2 | 3 | 4 5 6
//	               split         chains before split, and those from mask+1 on,
//	                             go by one more bit of the hash
type table struct {
	chains []ref
	mask   uint32 // chains up to this one are of the round that is being split
	split  uint32 // the next chain to be split
	n      int
}

const tableMin = 64

func newTable() table {
	return table{chains: make([]ref, tableMin), mask: tableMin - 1}
}

// chain returns the index of the chain of a hash.
func (t *table) chain(hash uint32) uint32 {
	i := hash & t.mask
	if i < t.split {
		i = hash & (2*t.mask + 1)
	}
	return i
}

func (t *table) clone() table {
	c := *t
	c.chains = slices.Clone(t.chains)
	return c
}

// hashTuple is keyed, so that nobody outside can aim at one chain (THREATS S34).
func hashTuple(key siphash.Key, t *tcp.Tuple) uint32 {
	localHi, localLo := t.Local.Addr.Words()
	remoteHi, remoteLo := t.Remote.Addr.Words()
	ports := uint64(t.Local.Port)<<16 | uint64(t.Remote.Port)
	var h uint64
	if t.Local.Addr.Is4() {
		h = siphash.Words2(key, localLo<<32|remoteLo&0xffffffff, ports)
	} else {
		h = siphash.Words(key, localHi, localLo, remoteHi, remoteLo, ports)
	}
	return uint32(h ^ h>>32)
}

func (s *Stack) node(r ref) *node {
	if r > 0 {
		return &s.conns[r-1].node
	}
	return &s.wait.records[-r-1].node
}

func (s *Stack) tuple(r ref) tcp.Tuple {
	if r > 0 {
		return s.conns[r-1].tcb.Tuple()
	}
	return s.wait.records[-r-1].Tuple
}

// lookup returns who has the tuple t.
func (s *Stack) lookup(t *tcp.Tuple) ref {
	// Segments come in trains: look at who had the last one first.
	if s.last != 0 && s.conns[s.last-1].tcb.Tuple() == *t {
		return s.last
	}
	hash := hashTuple(s.keys.table, t)
	for r := s.table.chains[s.table.chain(hash)]; r != 0; {
		n := s.node(r)
		if n.hash == hash && s.tuple(r) == *t {
			if r > 0 {
				s.last = r
			}
			return r
		}
		r = n.next
	}
	return 0
}

// insert puts r, whose tuple nobody has, into the table.
func (s *Stack) insert(r ref) {
	t := &s.table
	n := s.node(r)
	tuple := s.tuple(r)
	n.hash = hashTuple(s.keys.table, &tuple)
	i := t.chain(n.hash)
	n.next, t.chains[i] = t.chains[i], r
	t.n++
	if t.n > len(t.chains) {
		s.splitChain()
	}
}

// splitChain adds a chain to the table.
func (s *Stack) splitChain() {
	t := &s.table
	r := t.chains[t.split]
	t.chains[t.split] = 0
	t.chains = append(t.chains, 0)
	t.split++
	for r != 0 {
		n := s.node(r)
		next := n.next
		i := t.chain(n.hash)
		n.next, t.chains[i] = t.chains[i], r
		r = next
	}
	if t.split > t.mask {
		t.mask, t.split = 2*t.mask+1, 0
	}
}

// erase takes r out of the table.
func (s *Stack) erase(r ref) {
	n := s.node(r)
	at := &s.table.chains[s.table.chain(n.hash)]
	for *at != r {
		at = &s.node(*at).next
	}
	*at = n.next
	n.next = 0
	s.table.n--
	if s.last == r {
		s.last = 0
	}
}
