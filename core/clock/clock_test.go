package clock_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/clock"
)

func TestInstantSaturates(t *testing.T) {
	require.Equal(t, clock.Never, clock.Never.Add(-clock.Hour), "what is not armed stays so")
	require.Equal(t, clock.Never, clock.Never.Add(clock.Hour))
	require.Equal(t, clock.Never, (clock.Never - 1).Add(2), "no deadline wraps into the past")
	require.Equal(t, clock.Instant(math.MinInt64), clock.Instant(math.MinInt64+1).Add(-2))
	require.Equal(t, clock.Duration(math.MaxInt64), clock.Never.Sub(-1))
	require.Equal(t, clock.Duration(math.MinInt64), clock.Instant(-2).Sub(clock.Never))
	require.Equal(t, clock.Duration(math.MaxInt64), clock.Instant(0).Sub(math.MinInt64))
}

func TestInstantArithmetic(t *testing.T) {
	span := rapid.Int64Range(-1<<61, 1<<61)
	rapid.Check(t, func(t *rapid.T) {
		a := clock.Instant(span.Draw(t, "instant"))
		d := clock.Duration(span.Draw(t, "duration"))
		b := a.Add(d)
		require.Equal(t, d, b.Sub(a))
		require.Equal(t, a, b.Add(-d))
		require.Equal(t, d < 0, b.Before(a))
		require.Equal(t, d > 0, b.After(a))
	})
}

func TestString(t *testing.T) {
	for want, d := range map[string]clock.Duration{
		"0.000000":              0,
		"1.000250":              clock.Second + 250*clock.Microsecond,
		"-1.500000":             -1500 * clock.Millisecond,
		"0.000000007":           7,
		"-9223372036.854775808": math.MinInt64,
	} {
		require.Equal(t, want, d.String())
	}
	require.Equal(t, "never", clock.Never.String())
	require.Equal(t, "3600.000000", clock.Instant(clock.Hour).String())
}

func TestManual(t *testing.T) {
	var m clock.Manual
	require.Equal(t, clock.Instant(0), m.Now())
	m.Advance(clock.Second)
	m.Set(m.Now())
	require.Equal(t, clock.Instant(clock.Second), m.Now())
	require.Panics(t, func() { m.Set(0) }, "time must not go backwards")
	require.Panics(t, func() { m.Advance(-1) }, "time must not go backwards")
}

func TestReplay(t *testing.T) {
	r := clock.NewReplay([]clock.Instant{1, 1, 5})
	var got []clock.Instant
	for range 4 {
		got = append(got, r.Now())
	}
	require.Equal(t, []clock.Instant{1, 1, 5, 5}, got, "the last instant stays")
	require.Zero(t, r.Left())
	require.Zero(t, new(clock.Replay).Now(), "an empty recording stands at the origin")
	require.Panics(t, func() { clock.NewReplay([]clock.Instant{2, 1}) })
}

func ExampleManual() {
	var c clock.Manual
	deadline := c.Now().Add(2 * clock.Hour)
	c.Advance(2 * clock.Hour)
	fmt.Println(c.Now(), deadline.After(c.Now()), clock.Never.Add(clock.Second))
	// Output: 7200.000000 false never
}
