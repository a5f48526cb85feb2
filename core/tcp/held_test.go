package tcp

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
)

// What is held goes on in the order of its times, and of one time in the order in which
// it came, whatever is added and released meanwhile.
func TestHeldOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type waiting struct {
			at      clock.Instant
			tag     uint64
			n       int
			leaving bool
		}
		h := Held{Packets: 20, Octets: 60}
		var model []waiting
		later := func(at clock.Instant, w waiting) {
			w.at = at
			i := len(model)
			for i > 0 && model[i-1].at > at {
				i--
			}
			model = slices.Insert(model, i, w)
		}
		now, n, octets := clock.Instant(0), 0, 0
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				n++
				at := now.Add(clock.Duration(rapid.IntRange(0, 5).Draw(t, "after")))
				w := waiting{n: n, leaving: rapid.Bool().Draw(t, "leaving")}
				if rapid.Bool().Draw(t, "held") {
					at, w.tag = clock.Never, uint64(rapid.IntRange(1, 2).Draw(t, "tag"))
				}
				size := rapid.IntRange(1, 9).Draw(t, "size")
				room := len(model) < 20 && octets+size <= 60
				b := make([]byte, size)
				b[0] = byte(n)
				require.Equal(t, room, h.add(&HeldPacket{Packet: packet.Packet{Bytes: b}, At: at, Tag: w.tag, Leaving: w.leaving}))
				if room {
					later(at, w)
					octets += size
				}
			case 2:
				tag := uint64(rapid.IntRange(1, 2).Draw(t, "tag"))
				h.release(now, tag)
				var gone []waiting
				model = slices.DeleteFunc(model, func(w waiting) bool {
					hit := w.at == clock.Never && w.tag == tag
					if hit {
						gone = append(gone, w)
					}
					return hit
				})
				for _, w := range gone {
					later(now, w)
				}
			default:
				now = now.Add(1)
				var want, got []int
				for _, leaving := range []bool{false, true} {
					for _, w := range model {
						if w.leaving == leaving && w.at <= now {
							want = append(want, w.n)
						}
					}
				}
				model = slices.DeleteFunc(model, func(w waiting) bool { return w.at <= now })
				var p HeldPacket
				for h.Due(now, &p) {
					got = append(got, int(p.Bytes[0]))
					octets -= len(p.Bytes)
				}
				for h.TakeLeaving(&p) {
					got = append(got, int(p.Bytes[0]))
					octets -= len(p.Bytes)
				}
				require.Equal(t, want, got)
			}
			require.Empty(t, h.Check())
			require.Equal(t, len(model), h.Len())
		}
		h.ReleaseAll()
		var p HeldPacket
		for h.Due(now.Add(10), &p) {
		}
		for h.TakeLeaving(&p) {
		}
		require.Zero(t, h.Len())
		require.Empty(t, h.Check())
	})
}
