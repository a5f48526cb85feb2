package explore

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/script"
	"github.com/tcpkit/tcpkit/core/siphash"
)

var update = flag.Bool("update", false, "write testdata/counts.txt anew")

func search(t *testing.T, w World, o Options) (*Explorer, Result) {
	t.Helper()
	x, err := New(w)
	require.NoError(t, err)
	r, err := x.Run(o)
	require.NoError(t, err)
	return x, r
}

// TestWorlds searches every world for a while. TCPKIT_EXPLORE_STATES says for how
// many states each.
func TestWorlds(t *testing.T) {
	states := 40_000
	if s := os.Getenv("TCPKIT_EXPLORE_STATES"); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(t, err, "TCPKIT_EXPLORE_STATES is a number of states")
		states = n
	} else if testing.Short() {
		states = 5000
	}
	for _, w := range Worlds() {
		t.Run(w.Name, func(t *testing.T) {
			_, r := search(t, w, Options{States: states})
			if b := r.Breach; b != nil {
				t.Fatalf("%s\n\n%s\n%s", b.What, b.Ladder, b.Script)
			}
			require.Positive(t, r.Merged, "states that are never reached twice have a fingerprint that knows too much")
			t.Logf("%d states, %d merged, depth %d, complete %v", r.States, r.Merged, r.Depth, r.Complete)
		})
	}
}

// TestCounts pins how many states each world has up to a small depth: the search
// gives the same on every machine, and a change of the engine shows.
func TestCounts(t *testing.T) {
	const file = "testdata/counts.txt"
	var b strings.Builder
	b.WriteString("States up to depth 6, and how often one was reached again.\ngo test ./core/explore -run TestCounts -update writes this anew.\n\n")
	for _, w := range Worlds() {
		_, r := search(t, w, Options{Depth: 6})
		fmt.Fprintf(&b, "%-20s %7d %7d\n", w.Name, r.States, r.Merged)
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o666))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String(), "if the change is meant: -update")
}

// TestFingerprintsDecide does every step that is known once more, from whatever
// state has the same fingerprint, and compares: states that are taken for one have
// one future.
func TestFingerprintsDecide(t *testing.T) {
	states := 10_000
	if testing.Short() {
		states = 2000
	}
	for _, w := range Worlds() {
		x, err := New(w)
		require.NoError(t, err)
		x.audit = true
		r, err := x.Run(Options{States: states})
		require.NoError(t, err)
		if b := r.Breach; b != nil {
			t.Fatalf("%s: %s\n\n%s", w.Name, b.What, b.Ladder)
		}
	}
}

// walk takes steps at random, and returns the path.
func walk(t *testing.T, x *Explorer, seed uint64, steps int) (path []choice) {
	s, err := x.begin(nil)
	require.NoError(t, err)
	for n := range steps {
		list := s.choices(nil)
		if len(list) == 0 {
			break
		}
		c := list[siphash.Words2(siphash.Key{K0: seed}, uint64(n), 0)%uint64(len(list))]
		var breach string
		s, breach = x.step(&s, c)
		require.Empty(t, breach)
		path = append(path, c)
	}
	return path
}

// TestScriptsRepeat has the story of random paths told as scripts: tcpkit script
// finds the same.
func TestScriptsRepeat(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 5
	}
	for _, w := range Worlds() {
		x, err := New(w)
		require.NoError(t, err)
		repeated := 0
		for seed := range seeds {
			b, err := tell(w, walk(t, x, uint64(seed), 30), "nothing is wrong")
			require.NoError(t, err)
			if strings.HasPrefix(b.Script, "// This cannot be repeated") {
				continue
			}
			repeated++
			s, err := script.Parse(w.Name, b.Script)
			require.NoError(t, err, b.Script)
			r := script.Run(s, script.Config{})
			require.Equal(t, script.Passed, r.Outcome, "%s\n%s\n%s\n%s", r.Detail, b.Ladder, b.Script, r.Ladder)
		}
		if w.Name != "urgent" && w.Name != "reopen" {
			require.Greater(t, repeated, seeds/4, w.Name)
		}
	}
}

// TestBreach looks for what is not so: that a connection to where nobody listens
// ends in order.
func TestBreach(t *testing.T) {
	for _, w := range Worlds() {
		if w.Name != "refused" {
			continue
		}
		w.Sure = true
		_, r := search(t, w, Options{})
		require.NotNil(t, r.Breach)
		require.Equal(t, "a connection has ended otherwise than by FINs", r.Breach.What)
		require.Equal(t, 0, r.Breach.Steps, "the first state is enough: a good network leads there")
		t.Log(r.Breach.Ladder + r.Breach.Script)
	}
}
