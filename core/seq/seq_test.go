package seq_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/seq"
)

// value draws points, of which many are where arithmetic goes wrong.
var value = rapid.OneOf(
	rapid.Map(rapid.Uint32(), func(v uint32) seq.Value { return seq.Value(v) }),
	rapid.SampledFrom([]seq.Value{0, 1, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<32 - 1}),
)

// near draws distances of which two points are comparable.
var near = rapid.Map(rapid.Uint32Max(1<<31-1), func(n uint32) seq.Size { return seq.Size(n) })

func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := value.Draw(t, "v")
		n := near.Draw(t, "n")
		w := v.Add(n)
		require.Equal(t, v, w.Sub(n))
		require.Equal(t, n, w.From(v))
		require.Equal(t, int32(n), w.Diff(v))
		require.Equal(t, -int32(n), v.Diff(w))
		require.Equal(t, n > 0, v.Before(w))
		require.Equal(t, n > 0, w.After(v))
		require.False(t, w.Before(v))
		require.False(t, v.After(w))
		require.True(t, v.AtOrBefore(w))
		require.True(t, w.AtOrAfter(v))
		require.Equal(t, n == 0, w.AtOrBefore(v))
		require.Equal(t, n == 0, v.AtOrAfter(w))
		require.Equal(t, w, seq.Max(v, w))
		require.Equal(t, w, seq.Max(w, v))
		require.Equal(t, v, seq.Min(v, w))
		require.Equal(t, v, seq.Min(w, v))
	})
}

// Moving both points around the circle changes no answer.
func TestOrderDoesNotDependOnTheOrigin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := value.Draw(t, "v"), value.Draw(t, "w")
		n := seq.Size(rapid.Uint32().Draw(t, "n"))
		require.Equal(t, v.Before(w), v.Add(n).Before(w.Add(n)))
		require.Equal(t, v.AtOrBefore(w), v.Add(n).AtOrBefore(w.Add(n)))
		require.Equal(t, v.After(w), v.Add(n).After(w.Add(n)))
		require.Equal(t, v.AtOrAfter(w), v.Add(n).AtOrAfter(w.Add(n)))
		require.Equal(t, v.From(w), v.Add(n).From(w.Add(n)))
	})
}

// What is said of each pair of points, comparable or not.
func TestOrderComplements(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := value.Draw(t, "v"), value.Draw(t, "w")
		require.Equal(t, v.Before(w), !v.AtOrAfter(w))
		require.Equal(t, v.After(w), !v.AtOrBefore(w))
		require.Equal(t, v.AtOrBefore(w), v.Before(w) || v == w)
		require.Equal(t, v.AtOrAfter(w), v.After(w) || v == w)
		require.Equal(t, v.Diff(w) < 0, v.Before(w))
	})
}

func TestOrderIsTransitive(t *testing.T) {
	short := rapid.Uint32Max(1<<30 - 1)
	rapid.Check(t, func(t *rapid.T) {
		a := value.Draw(t, "a")
		b := a.Add(seq.Size(short.Draw(t, "n")))
		c := b.Add(seq.Size(short.Draw(t, "m")))
		require.True(t, a.AtOrBefore(b) && b.AtOrBefore(c) && a.AtOrBefore(c))
	})
}

func TestOppositePoints(t *testing.T) {
	for _, v := range []seq.Value{0, 1, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
		w := v.Add(1 << 31)
		require.True(t, v.Before(w) && w.Before(v), "as doc.go says")
		require.False(t, v.After(w) || w.After(v), "as doc.go says")
	}
}

// In equals a walk along the arc.
func TestIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := value.Draw(t, "start")
		n := rapid.IntRange(0, 64).Draw(t, "n")
		for i := -66; i < 2*66; i++ {
			v := start + seq.Value(i)
			require.Equal(t, i >= 0 && i < n, v.In(start, seq.Size(n)), "point %d of %d", i, n)
		}
	})
	require.False(t, seq.Value(5).In(5, 0), "an empty window has no first octet")
	require.True(t, seq.Value(4).In(5, 1<<32-1) == false, "only the point before start is outside")
	require.True(t, seq.Value(3).In(5, 1<<32-1))
}

func ExampleValue_Before() {
	v := seq.Value(0xfffffff0)
	w := v.Add(0x20)
	fmt.Println(w, v.Before(w), w.From(v), w.In(v, 0x20), w.In(v, 0x21))
	// Output: 16 true 32 false true
}
