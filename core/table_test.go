package core

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

func tupleOf(n uint32) tcp.Tuple {
	return tcp.Tuple{
		Local:  at("10.0.0.1", 80),
		Remote: wire.AddrPort{Addr: wire.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 24), 2}), Port: uint16(n)},
	}
}

// The table agrees with a map through insertions and removals, whatever its size.
func TestTableFindsWhatIsThere(t *testing.T) {
	cfg := config("linux")
	s := newStack(t, cfg, ethernet, "10.0.0.1/24")
	is := map[tcp.Tuple]int32{}
	for i := range uint32(20000) {
		n := uint32(siphash.Words2(siphash.Key{}, uint64(i), 1) % 3000)
		tuple := tupleOf(n * 7919)
		if slot, ok := is[tuple]; ok {
			require.Equal(t, ref(slot+1), s.lookup(&tuple), "an entry is found")
			s.release(s.conns[slot])
			delete(is, tuple)
		} else {
			require.Zero(t, s.lookup(&tuple), "an entry that is not there is not found")
			c, _ := s.newConn(&s.cfg.TCP, tuple)
			is[tuple] = c.slot
		}
	}
	for tuple, slot := range is {
		require.Equal(t, ref(slot+1), s.lookup(&tuple))
	}
	require.Equal(t, len(is), s.table.n)
	require.Less(t, len(s.conns), 3001, "slots are used again")
}

func (s *Stack) longestChain() int {
	longest := 0
	for _, r := range s.table.chains {
		n := 0
		for ; r != 0; r = s.node(r).next {
			n++
		}
		longest = max(longest, n)
	}
	return longest
}

// THREATS S34: names that collide under one key spread under another.
//
// Proves: S34
func TestTableSpreadsCollisions(t *testing.T) {
	n := release.Count(5000, 100_000)
	a := newStack(t, config("linux"), ethernet, "10.0.0.1/24")
	other := config("linux")
	other.Secret[15] = 1
	b := newStack(t, other, ethernet, "10.0.0.1/24")
	found := 0
	for i := uint32(0); found < n; i++ {
		tuple := tupleOf(i)
		if hashTuple(a.keys.table, &tuple)&0x3f == 5 {
			_, why := b.newConn(&b.cfg.TCP, tuple)
			require.Equal(t, rule.NotDropped, why)
			found++
		}
	}
	require.Equal(t, n, b.table.n)
	require.GreaterOrEqual(t, len(b.table.chains), n, "it grows with its entries")
	require.LessOrEqual(t, b.longestChain(), 12, "the longest chain is that of a random table")
}

func TestTimersAreAHeap(t *testing.T) {
	var h timers
	due := map[int32]clock.Instant{}
	least := func() clock.Instant {
		at := clock.Never
		for _, d := range due {
			at = min(at, d)
		}
		return at
	}
	for i := range uint64(5000) {
		r := siphash.Words2(siphash.Key{}, i, 2)
		slot, when := int32(r%100), clock.Instant(r>>32)
		switch r >> 10 % 4 {
		case 0, 1:
			h.nearer(slot, when)
			if d, ok := due[slot]; !ok || when < d {
				due[slot] = when
			}
		case 2:
			if _, ok := due[slot]; ok {
				h.set(slot, when)
				due[slot] = when
			}
		case 3:
			h.remove(slot)
			delete(due, slot)
		}
		_, at := h.top()
		require.Equal(t, least(), at, "step %d", i)
		require.Equal(t, len(due), len(h.heap))
	}
}

// RFC 6528: for one name the ISN runs with the clock, and across names it tells
// nothing (THREATS S09).
//
// Proves: S09, MUST-8, MUST-9, SHLD-1, RFC 6528 §3
func TestISNClockLaw(t *testing.T) {
	s := newStack(t, config("linux"), ethernet, "10.0.0.1/24")
	tuple := tupleOf(1)
	start, _ := s.isn(0, &tuple)
	for _, d := range []clock.Duration{0, 1, 3999, 4000, clock.Second, clock.Hour, 1000 * clock.Hour} {
		iss, _ := s.isn(clock.Instant(d), &tuple)
		require.Equal(t, uint32(start)+uint32(uint64(d)/4000), uint32(iss), "after %v, modulo 2^32", d)
	}
	other := config("linux")
	other.Secret[0]++
	o := newStack(t, other, ethernet, "10.0.0.1/24")
	iss, _ := o.isn(0, &tuple)
	require.NotEqual(t, start, iss, "MUST-9: the secret decides")
}

// Proves: MUST-9, S09, S11
func TestISNsOfNeighboursAreUnrelated(t *testing.T) {
	n := release.Count(100_000, 1_000_000)
	s := newStack(t, config("linux"), ethernet, "10.0.0.1/24")
	check := func(of func(i int) uint32) {
		var bins [256]int
		var last uint32
		var lag [256]int
		for i := range n {
			v := of(i)
			bins[v>>24]++
			lag[(v-last)>>24]++
			last = v
		}
		for _, b := range [][256]int{bins, lag} {
			chi, want := 0.0, float64(n)/256
			for _, k := range b {
				chi += (float64(k) - want) * (float64(k) - want) / want
			}
			// 255 degrees of freedom: mean 255, deviation 22.6; p > 10^-3 is below 330.
			require.Less(t, math.Abs(chi), 330.0, "chi squared")
		}
	}
	check(func(i int) uint32 { tuple := tupleOf(uint32(i)); iss, _ := s.isn(0, &tuple); return uint32(iss) })
	// THREATS S11: so are the offsets of timestamps.
	check(func(i int) uint32 { tuple := tupleOf(uint32(i)); return s.stampOffset(&tuple) })
}

func TestPermuteIsAPermutation(t *testing.T) {
	for _, n := range []uint32{1, 2, 1000, 28232, 1 << 16} {
		seen := make([]bool, n)
		for i := range n {
			p := permute(siphash.Key{K0: 7}, i, n)
			require.False(t, seen[p], "%d of %d comes twice", p, n)
			seen[p] = true
		}
	}
}
