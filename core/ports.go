package core

import (
	"math/bits"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// portCounters is the length of the table of RFC 6056 §3.3.4. An observer of one
// destination learns from it at most how many opens went to the 1/256 of all
// destinations that share its counter, and the order of ports hides even that.
const portCounters = 256

// portShuffled is how many ports are tried in random order; where so many in a
// row are taken, the range is close to full and the rest is tried in turn.
const portShuffled = 32

// freePort gives t a local port that is free. RFC 6056 §3.3.4, algorithm
// 4, with its sum replaced by a keyed permutation: the counter runs through the
// ports of the range in an order that belongs to the destination and that nobody
// else can foretell, and no port comes again before all others have come.
func (s *Stack) freePort(t *tcp.Tuple) error {
	t.Local.Port = 0
	n := uint32(s.cfg.PortHigh) - uint32(s.cfg.PortLow) + 1
	destination := prf(s.keys.port, t, 0)
	counter := &s.ports[destination%portCounters]
	order := siphash.Key{K0: destination, K1: prf(s.keys.port, t, 1)}
	for range min(n, portShuffled) {
		i := permute(order, *counter%n, n)
		*counter++
		t.Local.Port = s.cfg.PortLow + uint16(i)
		if s.lookup(t) == 0 && !s.listens(t.Local) {
			return nil
		}
	}
	from := uint32(t.Local.Port - s.cfg.PortLow)
	for i := range n {
		t.Local.Port = s.cfg.PortLow + uint16((from+i)%n)
		if s.lookup(t) == 0 && !s.listens(t.Local) {
			return nil
		}
	}
	s.stats.PortsExhausted++
	return tcp.ErrAddrNotAvail
}

// permute is a permutation of [0, n), n at most 2^16, chosen by key: a Feistel
// network over as many bits as n has, walked until it falls within the range
// again.
func permute(key siphash.Key, i, n uint32) uint32 {
	width := bits.Len32(n - 1)
	low := uint32(1)<<(width/2) - 1
	high := uint32(1)<<width - 1 - low
	for {
		for round := uint64(0); round < 4; round += 2 {
			i ^= uint32(siphash.Words2(key, round, uint64(i&low))) & high
			i ^= uint32(siphash.Words2(key, round+1, uint64(i&high))) & low
		}
		if i < n {
			return i
		}
	}
}

// listenPort chooses a port for a listener that does not care which.
func (s *Stack) listenPort(now clock.Instant, local wire.AddrPort) (uint16, error) {
	n := uint32(s.cfg.PortHigh) - uint32(s.cfg.PortLow) + 1
	from := uint32(siphash.Words2(s.keys.listen, uint64(now), uint64(len(s.byPort)))) % n
	for i := range n {
		local.Port = s.cfg.PortLow + uint16((from+i)%n)
		if !s.overlaps(local) {
			return local.Port, nil
		}
	}
	return 0, tcp.ErrAddrInUse
}
