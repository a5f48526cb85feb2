package tcp

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

func TestBufferIsAQueueOfOctets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &Pool{Budget: rapid.IntRange(0, 12).Draw(t, "budget")}
		var b buffer
		var want []byte
		next := byte(0)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				data := make([]byte, rapid.IntRange(0, 3*ChunkSize).Draw(t, "n"))
				for i := range data {
					next += 7
					data[i] = next
				}
				k := b.append(p, data)
				require.True(t, k == len(data) || p.Budget > 0 && p.inUse == p.Budget, "all fits but where the budget ends")
				want = append(want, data[:k]...)
			case 1:
				k := rapid.IntRange(0, len(want)).Draw(t, "discard")
				b.discard(p, uint32(k), false)
				want = want[k:]
			case 2:
				at := rapid.IntRange(0, len(want)).Draw(t, "at")
				dst := make([]byte, rapid.IntRange(0, 2*ChunkSize).Draw(t, "n"))
				k := b.get(uint32(at), dst)
				require.True(t, bytes.Equal(want[at:at+k], dst[:k]))
				require.Equal(t, min(len(dst), len(want)-at), k)
			}
			require.Equal(t, uint32(len(want)), b.n)
			require.Equal(t, int(b.held()), p.inUse, "leases are the sum of their owners'")
			if len(want) == 0 {
				require.Zero(t, b.held(), "an empty buffer holds no chunk")
			}
		}
		c := b.clone()
		all := make([]byte, len(want))
		c.get(0, all)
		require.True(t, bytes.Equal(want, all), "a clone has the same octets")
		b.release(p)
		require.Zero(t, p.inUse)
	})
}

func TestBufferAllocatesNothingInSteadyState(t *testing.T) {
	p := &Pool{}
	var b buffer
	data := make([]byte, 5*ChunkSize)
	turn := func() {
		b.append(p, data)
		b.discard(p, b.n, false)
	}
	turn()
	require.Zero(t, testing.AllocsPerRun(100, turn))
}

// The octets of all orders of overlapping segments are those that came first
// (THREATS S18, U-13).
//
// Proves: S18, U-13
func TestReassemblyKeepsWhatCameFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		irs := seq.Value(rapid.Uint32().Draw(t, "irs"))
		c := &TCB{env: &Env{}, cfg: &Config{}, hold: &reassembly{}}
		c.rcv.nxt = irs
		octets := map[seq.Value]byte{}
		for step := range rapid.IntRange(1, 100).Draw(t, "segments") {
			start := irs.Add(seq.Size(rapid.IntRange(1, 300).Draw(t, "at")))
			data := bytes.Repeat([]byte{byte(step + 1)}, rapid.IntRange(1, 40).Draw(t, "n"))
			end := start.Add(seq.Size(len(data)))
			require.True(t, c.hold.room(start, end), "300 octets have no room for more stretches than that")
			require.Equal(t, len(data), c.place(start, data))
			c.hold.insert(start, end)
			for i, v := range data {
				if at := start.Add(seq.Size(i)); octets[at] == 0 {
					octets[at] = v
				}
			}
			covered := 0
			for i := range c.hold.n {
				h := c.hold.list[i]
				require.True(t, h.start.Before(h.end))
				require.True(t, i == 0 || c.hold.list[i-1].end.Before(h.start), "stretches are apart and in order")
				covered += int(h.end.From(h.start))
			}
			require.Equal(t, len(octets), covered)
			var blocks [4]wire.SACKBlock
			n := c.hold.blocks(&blocks, 0, 3)
			require.LessOrEqual(t, n, min(3, c.hold.n))
			for i := range n {
				for _, other := range blocks[:i] {
					require.NotEqual(t, other, blocks[i])
				}
				require.Contains(t, c.hold.list[:c.hold.n], held{blocks[i].Left, blocks[i].Right})
			}
			require.True(t, blocks[0].Left.AtOrBefore(start) && blocks[0].Right.AtOrAfter(end), "RFC 2018 §4: the first block has the latest segment")
		}
		c.recvBuf.n = 400
		for v, b := range octets {
			var got [1]byte
			c.recvBuf.get(uint32(v.From(irs)), got[:])
			require.Equal(t, b, got[0])
		}
	})
}
