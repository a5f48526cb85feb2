package sim

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/cc/cctest/models"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/internal/release"
)

var controllers = []cc.Controller{cc.NewReno{}, cc.Cubic{}, models.AIMD{}, models.AIMD{Keep: 80}, models.BBR{}}

// comparison is a transfer over a path with a round trip of trip, whose queue holds
// a packet for no longer than wait.
func comparison(n, rate uint64, trip, wait clock.Duration, loss uint32) *Comparison {
	return &Comparison{
		Seed: 1, Core: profile("linux"), Octets: n,
		Way:  Channel{Delay: trip / 2, Rate: rate, Queue: int(rate * uint64(wait) / uint64(clock.Second)), Loss: loss},
		Back: Channel{Delay: trip / 2},
	}
}

// Controllers side by side, those that are shipped as plugins too. A change of
// behaviour shows as a change of this table.
func TestControllers(t *testing.T) {
	if testing.Short() {
		t.Log("not with -short")
		return
	}
	var b strings.Builder
	b.WriteString("32 MiB by each controller; goodput in kB/s, times in ms.\n")
	b.WriteString("go test ./core/sim -run TestControllers -update writes this anew.\n")
	for _, path := range []struct {
		what string
		of   *Comparison
	}{
		{"100 Mbit/s, 20 ms, a queue of 20 ms", comparison(32<<20, 12_500_000, 20*ms, 20*ms, 0)},
		{"the same with 1 % loss", comparison(32<<20, 12_500_000, 20*ms, 20*ms, 10_000)},
		{"100 Mbit/s, 20 ms, a queue of 4 ms", comparison(32<<20, 12_500_000, 20*ms, 4*ms, 0)},
		{"100 Mbit/s, 20 ms, a queue of 200 ms", comparison(32<<20, 12_500_000, 20*ms, 200*ms, 0)},
		{"20 Mbit/s, 100 ms, a queue of 50 ms, 0.1 % loss", comparison(32<<20, 2_500_000, 100*ms, 50*ms, 1000)},
		{"1 Gbit/s, 10 ms, a queue of 2 ms", comparison(32<<20, 125_000_000, 10*ms, 2*ms, 0)},
	} {
		fmt.Fprintf(&b, "\n%s\n%-10s %8s %7s %9s %7s %8s %6s %6s\n", path.what,
			"", "goodput", "resent", "timeouts", "lost", "overflow", "RTT", "queue")
		all, err := Compare(path.of, controllers...)
		require.NoError(t, err)
		for i, r := range all {
			require.Equal(t, path.of.Octets, r.Octets, "%s: %s", path.what, r.Name)
			if k, ok := controllers[i].(models.AIMD); ok && k.Keep > 0 {
				r.Name = fmt.Sprintf("aimd,%d", k.Keep)
			}
			fmt.Fprintf(&b, "%-10s %8d %7d %9d %7d %8d %6d %6d\n", r.Name, r.Goodput/1000, r.Retransmits, r.Timeouts, r.Lost, r.Overflowed,
				r.MeanRTT/ms, r.MeanQueue/ms)
		}
	}
	const file = "testdata/controllers.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String(), "if the change is meant: -update")
}

// The controllers that are shipped as plugins carry 1 GiB over a path that loses
// nothing but what its queue does not hold.
func TestControllersCarry(t *testing.T) {
	n := uint64(release.Count(8<<20, 1<<30))
	all, err := Compare(comparison(n, 125_000_000, 10*ms, 20*ms, 0), models.AIMD{}, models.BBR{})
	require.NoError(t, err)
	for _, r := range all {
		require.Equal(t, n, r.Octets, r.Name)
		require.Greater(t, r.Goodput, uint64(release.Count(20_000_000, 80_000_000)), r.Name)
		require.Zero(t, r.Fallbacks, r.Name)
		t.Logf("%s: %d octets in %d ms, %d kB/s, %d resent", r.Name, r.Octets, r.Took/ms, r.Goodput/1000, r.Retransmits)
	}
}

// A comparison gives up where nothing arrives, and tells of a controller that failed.
func TestCompareBad(t *testing.T) {
	c := comparison(1<<20, 0, 20*ms, 0, Million)
	c.Most = 10 * clock.Second
	all, err := Compare(c, cc.Cubic{})
	require.NoError(t, err)
	require.Zero(t, all[0].Octets)
	require.Zero(t, all[0].Goodput)
	require.GreaterOrEqual(t, all[0].Took, c.Most)

	c = comparison(1<<20, 0, 20*ms, 0, 0)
	all, err = Compare(c, &failing{at: "report"}, cc.Cubic{})
	require.NoError(t, err)
	require.Equal(t, []string{"failing", "cubic"}, []string{all[0].Name, all[1].Name})
	require.Equal(t, []uint64{1, 0}, []uint64{all[0].Fallbacks, all[1].Fallbacks})
	require.Equal(t, c.Octets, all[0].Octets)

	c.Octets = 0
	_, err = Compare(c, cc.Cubic{})
	require.ErrorIs(t, err, tcp.ErrInvalid)
}

// phased is a BBR whose phases are noted: startup, drain, probe of the rate, probe of
// the round trip.
type phased struct {
	models.BBR
	phases []uint64
	state  *cc.State
}

func (p *phased) OnAck(state *cc.State, a *cc.Ack) {
	p.BBR.OnAck(state, a)
	p.state = state
	if now := state.More.Priv[0]; len(p.phases) == 0 || p.phases[len(p.phases)-1] != now {
		p.phases = append(p.phases, now)
	}
}

// BBR finds the path: in three phases, and once in ten seconds without a queue.
func TestBBRFindsThePath(t *testing.T) {
	for _, trip := range []clock.Duration{5 * ms, 40 * ms} {
		k := &phased{}
		c := comparison(1<<30, 2_500_000, trip, 200*ms, 0)
		c.Most, c.Way.Jitter = 25*clock.Second, 2*ms // which does not show the shortest round trip again by itself
		all, err := Compare(c, k)
		require.NoError(t, err)
		require.Equal(t, []uint64{0, 1, 2, 3, 2, 3, 2}, k.phases)
		require.InDelta(t, 2_500_000*1448/1500, k.state.PacingRate, 700_000, "but for the gain of the cycle")
		require.InDelta(t, int64(trip), int64(k.state.More.Priv[8]), float64(2*ms))
		require.Less(t, all[0].MeanQueue, 50*ms, "of 200")
		require.Greater(t, all[0].Goodput, uint64(2_300_000))
		require.Zero(t, all[0].Retransmits)
	}
}
