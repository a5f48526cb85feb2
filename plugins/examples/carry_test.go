package examples_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/internal/release"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/examples"
)

// path is a bottleneck with a round trip of trip, whose queue holds a packet for no
// longer than wait.
func path(t testing.TB, octets, rate uint64, trip, wait clock.Duration, loss uint32) *sim.Comparison {
	t.Helper()
	c, err := core.Profile("linux")
	require.NoError(t, err)
	return &sim.Comparison{
		Seed: 1, Core: c, Octets: octets,
		Way:  sim.Channel{Delay: trip / 2, Rate: rate, Queue: int(rate * uint64(wait) / uint64(clock.Second)), Loss: loss},
		Back: sim.Channel{Delay: trip / 2},
	}
}

// What heads a part of the table of package sim, and a row of it: goodput, what was
// sent again, timeouts, lost, overflow, round trip and queue.
var (
	tablePath = regexp.MustCompile(`^(\d+) ([MG])bit/s, (\d+) ms, a queue of (\d+) ms(?:, ([\d.]+) % loss)?$`)
	tableLoss = regexp.MustCompile(`^the same with (\d+) % loss$`)
	tableRow  = regexp.MustCompile(`^(aimd|aimd,80|bbr-lite) +(\d.*)$`)
)

func number(t testing.TB, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 64)
	require.NoError(t, err)
	return n
}

// The plugins have the very figures that package sim has for their models, over each
// path of its table.
func TestControllersTable(t *testing.T) {
	if testing.Short() {
		t.Log("not with -short")
		return
	}
	table, err := os.ReadFile("../../core/sim/testdata/controllers.txt")
	require.NoError(t, err)
	const ms = clock.Millisecond
	var way *sim.Comparison
	rows := 0
	for line := range strings.Lines(string(table)) {
		line = strings.TrimSpace(line)
		if m := tablePath.FindStringSubmatch(line); m != nil {
			rate := number(t, m[1]) * 1_000_000 / 8
			if m[2] == "G" {
				rate *= 1000
			}
			loss := 0.0
			if m[5] != "" {
				loss, err = strconv.ParseFloat(m[5], 64)
				require.NoError(t, err)
			}
			way = path(t, 32<<20, rate, clock.Duration(number(t, m[3]))*ms, clock.Duration(number(t, m[4]))*ms, uint32(loss*sim.Million/100))
		}
		if m := tableLoss.FindStringSubmatch(line); m != nil {
			way.Way.Loss = uint32(number(t, m[1]) * sim.Million / 100)
		}
		m := tableRow.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		rows++
		all, err := sim.Compare(way, load(t, strings.Replace(m[1], ",", ",keep=", 1)).Controller())
		require.NoError(t, err)
		r := all[0]
		require.Zero(t, r.Fallbacks, line)
		var got []string
		for _, n := range []uint64{r.Goodput / 1000, r.Retransmits, r.Timeouts, r.Lost, r.Overflowed, uint64(r.MeanRTT / ms), uint64(r.MeanQueue / ms)} {
			got = append(got, strconv.FormatUint(n, 10))
		}
		require.Equal(t, strings.Fields(m[2]), got, line)
	}
	require.Equal(t, 18, rows, "the table has changed its form")
}

// The plugins carry 1 GiB over a long path that loses.
func TestControllersCarry(t *testing.T) {
	n := uint64(release.Count(32<<20, 1<<30))
	if testing.Short() {
		n = 4 << 20
	}
	for _, name := range []string{"aimd", "bbr-lite"} {
		set := load(t, name)
		all, err := sim.Compare(path(t, n, 125_000_000, 20*clock.Millisecond, 20*clock.Millisecond, 1000), set.Controller())
		require.NoError(t, err)
		r := all[0]
		require.Equal(t, n, r.Octets, name)
		require.Zero(t, r.Fallbacks, name)
		require.NoError(t, set.Plugins()[0].Err())
		calls := set.Plugins()[0].Stats().Calls
		require.Greater(t, calls, n/1448/4, "it is asked for most ACKs")
		t.Logf("%s: %d octets in %d ms, %d kB/s, %d lost, %d sent again, %d calls", name, r.Octets, r.Took/clock.Millisecond, r.Goodput/1000,
			r.Lost+r.Overflowed, r.Retransmits, calls)
	}
}

// controlled is a transfer whose client has the plugins of set, one of them its
// congestion controller.
func controlled(t testing.TB, octets uint64, set *plugins.Set) sim.Config {
	t.Helper()
	cfg := transfer(t, octets, sim.Channel{Delay: 10 * clock.Millisecond, Rate: 2_500_000, Queue: 50_000, Loss: 5000}, set)
	cfg.Hosts[sim.TransferClient].Hook, cfg.Hosts[sim.TransferClient].Hooks = set, set.Mask()
	cfg.Hosts[sim.TransferClient].Core.TCP.Controller = set.Controller()
	return cfg
}

// halfWay takes a world to the middle of its transfer.
func halfWay(t testing.TB, cfg *sim.Config, octets uint64) *sim.World {
	t.Helper()
	w, err := sim.New(cfg)
	require.NoError(t, err)
	for w.Outcome(0, 1).Read < octets/2 {
		require.True(t, w.Step())
	}
	return w
}

func finished(t testing.TB, w *sim.World, octets uint64) *sim.World {
	t.Helper()
	require.NoError(t, w.Finish())
	for user := range 2 {
		o := w.Outcome(0, user)
		require.True(t, o.EOF && o.Done, "%+v", o)
		require.Equal(t, octets, o.Read)
	}
	return w
}

// A copy of a world half-way ends as the world does, though its plugins are others:
// what one is asked is no call of the other.
func TestControllersClone(t *testing.T) {
	const octets = 2 << 20
	for _, name := range []string{"aimd", "bbr-lite"} {
		set := load(t, name)
		cfg := controlled(t, octets, set)
		whole := finished(t, halfWay(t, &cfg, octets), octets)
		require.Zero(t, set.Plugins()[0].Stats().Calls, "the world has a copy of the set, and asks that")
		w := halfWay(t, &cfg, octets)
		c := w.Clone()
		asked := func(w *sim.World) uint64 {
			return w.Hook(sim.TransferClient).(*plugins.Set).Plugins()[0].Stats().Calls
		}
		print, calls := w.Fingerprint(), asked(w)
		require.Positive(t, calls)
		require.Equal(t, print, c.Fingerprint())
		finished(t, c, octets)
		require.Equal(t, print, w.Fingerprint(), name)
		require.Equal(t, calls, asked(w), name)
		finished(t, w, octets)
		require.Equal(t, whole.Hash(), c.Hash(), name)
		require.Equal(t, whole.Hash(), w.Hash(), name)
		require.Equal(t, asked(w), asked(c), name)
	}
}

// A controller is replaced in the middle of a transfer. One that keeps the same goes
// on as if nothing had been, another one begins in the window that there is, and
// where there is none any more CUBIC goes on.
func TestControllersSwap(t *testing.T) {
	const octets = 4 << 20
	e := newEngine(t)
	for _, name := range []string{"aimd", "bbr-lite"} {
		cfg := controlled(t, octets, load(t, name))
		whole := finished(t, halfWay(t, &cfg, octets), octets)
		require.Zero(t, whole.Stack(sim.TransferClient).Stats().Fallbacks)
		for _, next := range []string{"aimd", "bbr-lite", ""} {
			w := halfWay(t, &cfg, octets)
			set, conn := w.Hook(sim.TransferClient).(*plugins.Set), w.Conn(0, 0)
			cwnd := conn.Info(w.Now()).SndCwnd
			fallbacks := uint64(0)
			if next == "" {
				require.NoError(t, set.Remove(name, w.Now(), nil))
				fallbacks = 1
			} else {
				module, ok := examples.Module(next)
				require.True(t, ok)
				fresh, err := plugins.Load(e, module, plugins.Options{Now: w.Now()})
				require.NoError(t, err)
				require.NoError(t, set.Replace(name, fresh, w.Now(), nil))
			}
			require.True(t, w.Step())
			require.InDelta(t, cwnd, conn.Info(w.Now()).SndCwnd, 4, "the window is the old one's")
			finished(t, w, octets)
			require.Equal(t, fallbacks, w.Stack(sim.TransferClient).Stats().Fallbacks, "%s to %s", name, next)
			require.Equal(t, next == name, whole.Hash() == w.Hash(), "%s to %s", name, next)
			for _, p := range set.Plugins() {
				require.NoError(t, p.Err())
				require.Positive(t, p.Stats().Calls, "%s to %s", name, next)
			}
		}
	}
}
