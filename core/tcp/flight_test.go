package tcp

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
)

// octets is flight octet by octet: what it must agree with, whatever the order
// of events (THREATS S01, S02).
type octets struct {
	base  seq.Value // before which all is acknowledged
	flags []sentFlags
}

func (o *octets) sums() (sackedSum, lostSum, resentSum seq.Size) {
	for _, f := range o.flags {
		if f&sacked != 0 {
			sackedSum++
		}
		if f&lost != 0 {
			lostSum++
		}
		if f&resent != 0 {
			resentSum++
		}
	}
	return
}

// Proves: S01
func TestFlightAgreesWithOctets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := seq.Value(rapid.Uint32().Draw(t, "iss"))
		f := &flight{}
		o := &octets{base: start}
		now := clock.Instant(0)
		end := func() seq.Value { return o.base.Add(seq.Size(len(o.flags))) }
		span := func() (l, r seq.Value) {
			n := len(o.flags)
			a := rapid.IntRange(0, n).Draw(t, "from")
			b := rapid.IntRange(a, n).Draw(t, "to")
			return o.base.Add(seq.Size(a)), o.base.Add(seq.Size(b))
		}
		each := func(l, r seq.Value, do func(*sentFlags)) {
			for v := l; v != r; v++ {
				do(&o.flags[v.From(o.base)])
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0, 1: // send
				n := rapid.IntRange(1, 20).Draw(t, "n")
				now = now.Add(clock.Duration(rapid.IntRange(0, 1).Draw(t, "later")))
				f.add(end(), end().Add(seq.Size(n)), uint16(rapid.IntRange(1, n).Draw(t, "size")), now)
				o.flags = append(o.flags, make([]sentFlags, n)...)
			case 2: // acknowledge
				_, una := span()
				want := seq.Size(0)
				each(o.base, una, func(fl *sentFlags) {
					if *fl&sacked == 0 {
						want++
					}
				})
				var a acked
				f.ack(una, now, &a)
				require.Equal(t, want, a.fresh, "octets newly acknowledged")
				o.flags = o.flags[una.From(o.base):]
				o.base = una
			case 3: // SACK
				l, r := span()
				if l == r {
					continue
				}
				want := seq.Size(0)
				each(l, r, func(fl *sentFlags) {
					if *fl&sacked == 0 {
						want++
						*fl = *fl&twice | sacked
					}
				})
				var a acked
				f.budget = sackSteps
				require.True(t, f.sack(l, r, now, &a))
				require.Equal(t, want, a.fresh, "octets newly SACKed")
			case 4: // lost
				l, r := span()
				again := rapid.Bool().Draw(t, "again")
				// mark takes the stretch that holds l from its beginning when it is cut
				// there already; the TCB marks from SND.UNA only, and so does this.
				l = o.base
				each(l, r, func(fl *sentFlags) {
					if *fl&(sacked|lost) == 0 && (*fl&resent == 0 || again) {
						*fl = *fl&twice | lost
					}
				})
				f.mark(l, r, again)
			case 5: // send the first lost again
				i := f.nextLost()
				first := -1
				for k, fl := range o.flags {
					if fl&lost != 0 {
						first = k
						break
					}
				}
				require.Equal(t, first >= 0, i >= 0, "there is something lost")
				if i < 0 {
					continue
				}
				i = f.gather(i, seq.Size(rapid.IntRange(1, 30).Draw(t, "segment")))
				s := f.list[i]
				require.Equal(t, o.base.Add(seq.Size(first)), s.start, "the first lost octet")
				n := seq.Size(rapid.IntRange(1, int(s.len())).Draw(t, "n"))
				f.again(i, n, now)
				each(s.start, s.start.Add(n), func(fl *sentFlags) { *fl = twice | resent })
			}
			at, runs, segs := o.base, 0, uint32(0)
			for _, s := range f.live() {
				require.Equal(t, at, s.start, "no gap")
				require.True(t, s.start.Before(s.end), "no empty stretch")
				require.NotZero(t, s.segs)
				for v := s.start; v != s.end; v++ {
					have, want := s.flags, o.flags[v.From(o.base)]
					if want&sacked != 0 {
						// What was joined counts as sent twice when any of it was.
						require.True(t, have&twice != 0 || want&twice == 0)
						have, want = have&^twice, want&^twice
					}
					require.Equal(t, want, have, "octet %d", v.From(o.base))
				}
				at = s.end
				if s.flags&sacked != 0 {
					runs, segs = runs+1, segs+s.segs
				}
			}
			require.Equal(t, [2]int{runs, int(segs)}, [2]int{f.runs, int(f.sackedSegs)})
			require.Equal(t, end(), at, "all that is out")
			a, b, c := o.sums()
			require.Equal(t, [3]seq.Size{a, b, c}, [3]seq.Size{f.sacked, f.lost, f.resent}, "sums")
		}
	})
}

// THREATS S02: alternate holes cannot make the list grow without bound.
//
// Proves: S02
func TestFlightIsBounded(t *testing.T) {
	f := &flight{}
	f.add(0, 1<<20, 1460, 0)
	for v := seq.Value(0); v.Before(1 << 20); v += 2 {
		f.budget = sackSteps
		f.sack(v, v+1, 0, &acked{})
	}
	require.Equal(t, runsMax, f.runs)
	require.LessOrEqual(t, len(f.live()), 2*runsMax+1)
	f.ack(1<<20, 0, &acked{})
	require.Zero(t, [3]seq.Size{f.sacked, f.lost, f.resent}, "nothing is out, nothing is counted")
}

// What is left of small segments that have gone again in a large one has a last
// segment too.
func TestLastSegment(t *testing.T) {
	f := &flight{}
	f.add(1, 101, 100, 1)
	f.add(101, 1101, 1000, 2)
	f.mark(1, 1101, true)
	i, ok := f.cut(f.gather(0, 1000), 1, 1001)
	require.True(t, ok)
	require.Equal(t, sent{start: 1001, end: 1101, at: 2, segs: 1, size: 1000, flags: lost}, f.list[i+1])
	for _, c := range []struct {
		s    sent
		want seq.Size
	}{
		{sent{start: 1, end: 2501, segs: 3, size: 1000}, 500},
		{sent{start: 1, end: 1001, segs: 1, size: 1000}, 1000},
		{sent{start: 1, end: 201, segs: 2, size: 1000}, 1},
		{sent{start: 1, end: 2001, segs: 3, size: 1000}, 1},
	} {
		require.Equal(t, c.want, c.s.last())
	}
}
