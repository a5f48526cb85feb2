package sim

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
)

var update = flag.Bool("update", false, "write testdata/goodput.txt anew")

// goodput is how many octets a second one connection brings over a link of
// 20 Mbit/s whose queue holds 100 kB, in its first ten seconds.
func goodput(t *testing.T, controller string, loss uint32, trip clock.Duration) uint64 {
	const rate, span = 2_500_000, 10 * clock.Second
	cfg := pair("linux", Flow{Users: users([]Step{write(rate * 100)}, []Step{eof})})
	for i := range cfg.Hosts {
		cfg.Hosts[i].Core.TCP.Controller, _ = cc.ByName(controller)
	}
	way := Channel{Delay: trip / 2, Rate: rate, Queue: 100_000, Loss: loss}
	cfg.Links[0].AB = way
	way.Loss = 0
	cfg.Links[0].BA = way
	w := world(t, cfg)
	require.NoError(t, w.Run(clock.Instant(clock.Second).Add(span)))
	return w.Outcome(0, 1).Read * uint64(clock.Second) / uint64(span)
}

// A change of behaviour under loss shows as a change of this table.
func TestGoodput(t *testing.T) {
	if testing.Short() {
		t.Log("not with -short")
		return
	}
	losses := []uint32{0, 100, 1000, 10_000, 30_000, 100_000}
	trips := []clock.Duration{clock.Millisecond, 10 * clock.Millisecond, 50 * clock.Millisecond, 200 * clock.Millisecond}
	var b strings.Builder
	b.WriteString("Octets a second over 20 Mbit/s with a queue of 100 kB, in the first ten seconds.\n")
	b.WriteString("go test ./core/sim -run TestGoodput -update writes this anew.\n")
	for _, controller := range []string{"newreno", "cubic"} {
		fmt.Fprintf(&b, "\n%-10s", controller)
		for _, trip := range trips {
			fmt.Fprintf(&b, " %7d ms", trip/clock.Millisecond)
		}
		b.WriteString("\n")
		for _, loss := range losses {
			fmt.Fprintf(&b, "%6.2f %%  ", float64(loss)/10_000)
			for _, trip := range trips {
				fmt.Fprintf(&b, " %10d", goodput(t, controller, loss, trip))
			}
			b.WriteString("\n")
		}
	}
	const file = "testdata/goodput.txt"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String(), "if the change is meant: -update")
}
