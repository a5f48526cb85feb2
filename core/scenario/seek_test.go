package scenario

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// busy is a scenario of about 10,000 events: a transfer with losses.
const busy = "scenario busy\nseed 3\n" + net + `link client server delay 5ms rate 10M queue 64k loss 0.5% jitter 1ms reorder 1% hold 5ms duplicate 0.5%
flow web client server:80
  client write 4M
  client close-write
  client await-eof
  server await-read 4M
  server write 3M
crash client at 30s
`

// Wherever the cursor goes, it finds the world as it was, and nothing that was
// recorded changes.
func TestSeek(t *testing.T) {
	for _, text := range []string{threeWay, busy, everything + "plugin server off\ntolerate\n"} {
		if testing.Short() && text == busy {
			continue
		}
		steps := run(t, text).Steps()
		random := rand.New(rand.NewPCG(1, 2))
		places := make([]int, 60)
		for i := range places {
			places[i] = random.IntN(steps + 3)
		}
		plain, err := New(parse(t, text), nil)
		require.NoError(t, err)
		prints, hashes := map[int]uint64{}, []uint64{plain.Hash()}
		for more := true; more; more = plain.Step() {
			if at := plain.At(); at == steps || slices.Contains(places, at) {
				prints[at] = plain.Fingerprint() // which takes its time
			}
			if plain.At() > 0 {
				hashes = append(hashes, plain.Hash())
			}
		}
		require.True(t, plain.Ended())
		want := plain.AppendItems(nil, 0, -1)

		r, err := New(parse(t, text), nil)
		require.NoError(t, err)
		for _, to := range places {
			at := r.Seek(to)
			require.Equal(t, min(to, steps), at)
			require.Equal(t, at, r.At())
			require.Equal(t, prints[at], r.Fingerprint(), "step %d", at)
			require.Equal(t, hashes[at], r.Hash(), "step %d", at)
			if random.IntN(4) == 0 && r.Step() {
				require.Equal(t, hashes[at+1], r.Hash(), "step %d", at+1)
			}
		}
		r.Finish()
		require.Equal(t, steps, r.Steps())
		require.Equal(t, hashes[steps], r.Hash())
		require.Equal(t, string(want), string(r.AppendItems(nil, 0, -1)))
		require.LessOrEqual(t, len(r.back.list), maxCheckpoints)
	}
}

// A copy goes its own way: neither sees what the other does.
func TestClone(t *testing.T) {
	whole := run(t, threeWay)
	want := string(whole.AppendJSON(nil, 0, -1))
	r, err := New(parse(t, threeWay), nil)
	require.NoError(t, err)
	for n := range whole.Steps() {
		c := r.Clone()
		require.Equal(t, r.Fingerprint(), c.Fingerprint())
		c.Finish()
		require.Equal(t, want, string(c.AppendJSON(nil, 0, -1)), "from step %d", n)
		require.Equal(t, n, r.Steps())
		c.Seek(n / 2)
		require.Equal(t, n/2, c.Clone().At())
		r.Step()
	}
	r.Finish()
	require.Equal(t, want, string(r.AppendJSON(nil, 0, -1)))
}

func TestBusyIsBusy(t *testing.T) {
	r := run(t, busy)
	require.Greater(t, r.Steps(), 8_000)
	require.NoError(t, r.Failure())
	t.Logf("%d steps, %d items, %d packets, %d octets, %d checkpoints", r.Steps(), len(r.Items(0)), r.Packets(), len(r.rec.octets), len(r.back.list))
}

func BenchmarkRun(b *testing.B) {
	s := parse(b, busy)
	steps := 0
	for b.Loop() {
		r, err := New(s, nil)
		require.NoError(b, err)
		r.Finish()
		steps = r.Steps()
	}
	b.ReportMetric(float64(steps), "steps")
}

func BenchmarkSeek(b *testing.B) {
	r := run(b, busy)
	random := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		r.Seek(random.IntN(r.Steps()))
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		parse(b, everything)
	}
}

// A forgetful hook drops each third segment with data; its count is shared by all its
// copies, as the memory of a plugin is.
type forgetful struct {
	count  *int
	closed *int
}

func (h forgetful) At(r *tcp.Record) tcp.Verdict {
	if len(r.Payload) == 0 {
		return tcp.Pass
	}
	if *h.count++; *h.count%3 == 0 {
		return tcp.DropIt
	}
	return tcp.Pass
}

func (h forgetful) Deadline() clock.Instant                       { return clock.Never }
func (h forgetful) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h forgetful) Clone() tcp.Hook                               { return h }
func (h forgetful) Fingerprint(*siphash.Hash, clock.Instant)      {}
func (h forgetful) Close() error                                  { *h.closed++; return nil }

// Going back disturbs no plugin at the front, and finds what was.
func TestSeekWithPlugins(t *testing.T) {
	s := parse(t, "scenario X\n"+net+`plugin client forgetful
flow web client server:80
  client write 60000
  client close-write
  client await-eof
  server await-eof
`)
	closed, loaded := 0, 0
	load := func(*Order) (tcp.Hook, tcp.HookMask, error) {
		loaded++
		return forgetful{new(int), &closed}, tcp.Mask(tcp.StepLeaving), nil
	}
	plain, err := New(s, load)
	require.NoError(t, err)
	prints := []uint64{plain.Fingerprint()}
	for plain.Step() {
		prints = append(prints, plain.Fingerprint())
	}
	require.Greater(t, len(prints), 50)

	r, err := New(s, load)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		to := random.IntN(len(prints))
		require.Equal(t, to, r.Seek(to))
		require.Equal(t, prints[to], r.Fingerprint(), "step %d", to)
	}
	r.Finish()
	require.Equal(t, plain.Hash(), r.Hash(), "the front is as if nobody had gone back")
	require.Equal(t, loaded-3, closed, "all but those of the two fronts and the last")
}

// Packets on their way count for how many copies are kept.
func TestCopiesAreBounded(t *testing.T) {
	const flying = 8 << 20
	r := run(t, threeWay, roomy+`host other 10.0.0.3
link other server delay 1ms
fault client -> server DATA all delay 900h
flow web
  client write 8M
  client hold
  server write 1
  server hold
flow chat other server:80
  other write 3000 chunk 1 every 10ms
  server hold
`)
	require.NoError(t, r.Failure())
	require.Greater(t, r.Steps(), maxCheckpoints*firstSpacing)
	require.Greater(t, r.front.Held(), flying)
	require.LessOrEqual(t, len(r.back.list), checkpointsOctets/flying+1)
}
