package shift

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/sim"
)

// A trace overlooks nothing: every octet of every packet of a world either belongs
// to the fields that may differ, or a change of it is found.
func TestEveryOctetCounts(t *testing.T) {
	cfg := sim.Random(1, 1)
	cfg.Capture = true
	w, err := sim.New(&cfg)
	require.NoError(t, err)
	require.NoError(t, w.Finish())
	packets := w.Captured()[:4]
	write := func(packet, octet int) *trace {
		tr := newTrace(begin)
		for i, p := range packets {
			b := slices.Clone(p.Bytes)
			if i == packet {
				b[octet] ^= 1
			}
			tr.add(p.At, b)
		}
		return tr
	}
	want := write(-1, 0)
	require.Empty(t, differ(want, write(-1, 0)))
	last := len(packets) - 1
	for octet := range packets[last].Bytes {
		// The two checksums are all that a trace leaves out; a number shows where it
		// departs from the others of its kind.
		is6 := packets[last].Bytes[0]>>4 == 6
		tcp := 20
		if is6 {
			tcp = 40
		}
		sum := octet == tcp+16 || octet == tcp+17 || !is6 && (octet == 10 || octet == 11)
		if d := differ(want, write(last, octet)); sum {
			require.Empty(t, d, "octet %d", octet)
		} else {
			require.NotEmpty(t, d, "octet %d", octet)
		}
	}
	late := write(-1, 0)
	late.lines[last].text = late.lines[last-1].text
	require.NotEmpty(t, differ(want, late))
	require.NotEmpty(t, differ(want, &trace{lines: want.lines[:last]}))
}
