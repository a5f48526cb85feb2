package same

import (
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
	"github.com/tcpkit/tcpkit/core/script"
	"github.com/tcpkit/tcpkit/core/sim"
)

// mark begins the lines of the list among what a test binary prints.
const mark = "same: "

// Variables of the environment: where the scripts are, for TestList, and how many
// seeds there are.
const (
	scriptsVariable = "TCPKIT_SAME_SCRIPTS"
	seedsVariable   = "TCPKIT_SAME_SEEDS"
)

const scripts = "../../scripts"

// flowsEach is how many connections a world has.
const flowsEach = 3

// seeds is how many worlds are in the list.
func seeds(t *testing.T) uint64 {
	if s := os.Getenv(seedsVariable); s != "" {
		n, err := strconv.ParseUint(s, 10, 32)
		require.NoError(t, err)
		return n
	}
	if testing.Short() {
		return 5
	}
	return 50
}

// TestList prints the list, for TestSame, which runs this binary on each platform.
// By itself it shows that a list can be made.
func TestList(t *testing.T) {
	dir, n := os.Getenv(scriptsVariable), uint64(1)
	if dir == "" {
		dir = scripts
	} else {
		n = seeds(t)
	}
	for _, line := range list(t, dir, n) {
		fmt.Println(mark + line)
	}
}

// list has a line for each script over each IP version, for each scenario of the
// catalogue, and for each seed.
func list(t *testing.T, dir string, seeds uint64) (lines []string) {
	root := os.DirFS(dir)
	files, err := fs.Glob(root, "*/*.pkt")
	require.NoError(t, err)
	for _, file := range files {
		src, err := fs.ReadFile(root, file)
		require.NoError(t, err)
		s, err := script.Parse(path.Base(file), string(src))
		require.NoError(t, err)
		for _, v6 := range []bool{false, true} {
			lines = append(lines, fmt.Sprintf("%s v6=%v %s", file, v6, hashScript(s, v6)))
		}
	}
	for _, one := range catalogue.Shipped().Scenarios() {
		if line := hashScenario(t, one); line != "" {
			lines = append(lines, line)
		}
	}
	for seed := range seeds {
		lines = append(lines, fmt.Sprintf("seed %d %s", seed, hashWorld(t, seed)))
	}
	return lines
}

// hashScript covers every packet, to the nanosecond, and the ladder: the changes of
// state, drops and timers of the run, and how it ended.
func hashScript(s *script.Script, v6 bool) string {
	r := script.Run(s, script.Config{IPv6: v6, Trace: true})
	h := fnv.New64a()
	for _, p := range r.Packets {
		fmt.Fprintln(h, p.At, p.Inbound, p.Bytes)
	}
	fmt.Fprintln(h, r.Outcome, r.Detail, r.Output, r.Ladder)
	return fmt.Sprintf("%016x", h.Sum64())
}

// hashScenario covers every event of a scenario's run, and its timeline as JSON, with
// what its expectations have found. "" is for those with plugins.
func hashScenario(t *testing.T, one *catalogue.Scenario) string {
	s, err := scenario.Parse(one.Text)
	require.NoError(t, err, one.ID)
	for _, h := range s.Hosts {
		if len(h.Plugins) > 0 {
			return ""
		}
	}
	r, err := scenario.New(s, nil)
	require.NoError(t, err, one.ID)
	r.Finish()
	h := fnv.New64a()
	h.Write(r.AppendJSON(nil, 0, -1))
	h.Write(r.AppendCheck(nil))
	return fmt.Sprintf("scenario %s %016x %016x", one.ID, r.Hash(), h.Sum64())
}

// hashWorld covers every event of every stack, and what there is at the end.
func hashWorld(t *testing.T, seed uint64) string {
	cfg := sim.Random(seed, flowsEach)
	w, err := sim.New(&cfg)
	if err == nil {
		err = w.Finish()
	}
	require.NoError(t, err, "seed %d", seed)
	return fmt.Sprintf("%016x %016x %d", w.Hash(), w.Fingerprint(), w.Count().Events)
}
