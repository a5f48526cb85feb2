package tcp

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// THREATS S04: whatever arrives beyond a gap, 64 stretches are held and a segment
// costs 64 steps at most, at the end as at the beginning.
//
// Proves: S04
func TestReassemblyIsBounded(t *testing.T) {
	const window = 1 << 20
	r := &reassembly{}
	random := rand.New(rand.NewPCG(1, 2))
	before, most := uint64(0), [2]uint64{}
	for i := range 100_000 {
		at := seq.Value(2 + random.Uint32N(window))
		var blocks [4]wire.SACKBlock
		r.overlap(at, at+1)
		if r.room(at, at+1) {
			r.gap(at, at+1)
			r.insert(at, at+1)
		}
		r.blocks(&blocks, 0, 4)
		require.LessOrEqual(t, r.n, holdMax)
		most[i*2/100_000] = max(most[i*2/100_000], r.steps-before)
		before = r.steps
	}
	require.Equal(t, holdMax, r.n)
	require.LessOrEqual(t, most[0], uint64(64))
	require.LessOrEqual(t, most[1], uint64(64))
	require.Less(t, r.list[holdMax-1].start, seq.Value(window/100), "what is near has taken the place of what is far")
	t.Logf("%d steps at most", most[1])
}
