package clock

import "strconv"

// Instant is a point in time, in nanoseconds from the origin of its clock.
type Instant int64

// Duration is a span of time in nanoseconds.
type Duration int64

// The usual spans.
const (
	Nanosecond  Duration = 1
	Microsecond          = 1000 * Nanosecond
	Millisecond          = 1000 * Microsecond
	Second               = 1000 * Millisecond
	Minute               = 60 * Second
	Hour                 = 60 * Minute
)

// Never is after every other Instant: the deadline of what is not armed.
const Never Instant = 1<<63 - 1

// earliest is before every other Instant.
const earliest Instant = -1 << 63

// Add returns t moved by d. It saturates at Never, from which nothing returns,
// and at the earliest Instant there is.
func (t Instant) Add(d Duration) Instant {
	sum := t + Instant(d)
	if t == Never || (d > 0 && sum < t) {
		return Never
	}
	if d < 0 && sum > t {
		return earliest
	}
	return sum
}

// Sub returns the span from u to t, negative if t is before u. It saturates.
func (t Instant) Sub(u Instant) Duration {
	d := Duration(t - u)
	if (t >= u) == (d >= 0) {
		return d
	}
	if t > u {
		return Duration(Never)
	}
	return Duration(earliest)
}

// Before reports whether t is earlier than u.
func (t Instant) Before(u Instant) bool { return t < u }

// After reports whether t is later than u.
func (t Instant) After(u Instant) bool { return t > u }

// String returns t in seconds, as in "1.000250", or "never".
func (t Instant) String() string {
	if t == Never {
		return "never"
	}
	return Duration(t).String()
}

// String returns d in seconds with as many decimals as it needs, six at least.
func (d Duration) String() string {
	n := uint64(d)
	var b [24]byte
	out := b[:0]
	if d < 0 {
		n = -n
		out = append(out, '-')
	}
	out = strconv.AppendUint(out, n/uint64(Second), 10)
	out = append(out, '.')
	frac, width := n%uint64(Second), 9
	if frac%1000 == 0 {
		frac, width = frac/1000, 6
	}
	digits := strconv.AppendUint(make([]byte, 0, 9), frac, 10)
	for range width - len(digits) {
		out = append(out, '0')
	}
	return string(append(out, digits...))
}

// Clock is where a host reads the time. Now never goes backwards.
type Clock interface {
	Now() Instant
}

// Manual is a Clock that stands still until it is moved. The zero value stands
// at the origin.
type Manual struct {
	now Instant
}

// Now returns where the clock stands.
func (m *Manual) Now() Instant { return m.now }

// Advance moves the clock by d. It panics if d is negative.
func (m *Manual) Advance(d Duration) { m.Set(m.now.Add(d)) }

// Set moves the clock to t. It panics if that is backwards.
func (m *Manual) Set(t Instant) {
	if t < m.now {
		panic("clock: a clock must not go backwards: from " + m.now.String() + " to " + t.String())
	}
	m.now = t
}

// Replay is a Clock that hands out recorded instants, one a call, in order.
// After the last it stays there. The zero value stays at the origin.
type Replay struct {
	instants []Instant
	next     int
}

// NewReplay returns a Replay of instants, which it keeps. It panics if they go
// backwards.
func NewReplay(instants []Instant) *Replay {
	for i := 1; i < len(instants); i++ {
		if instants[i] < instants[i-1] {
			panic("clock: a recording must not go backwards, as it does at " + strconv.Itoa(i))
		}
	}
	return &Replay{instants: instants}
}

// Now returns the next recorded instant.
func (r *Replay) Now() Instant {
	if len(r.instants) == 0 {
		return 0
	}
	if r.next < len(r.instants) {
		r.next++
	}
	return r.instants[r.next-1]
}

// Left returns how many recorded instants have not been handed out.
func (r *Replay) Left() int { return len(r.instants) - r.next }
