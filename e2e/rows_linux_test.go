package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
)

// onKernel are the rows that the table wants to see on the kernel.
var onKernel = strings.Fields("H1 H4 H7 H10 H11 H12 H13 H14 D6 F1 F2 F3 F4 F6 W1 W2 W3 W7 K2a K2b K2c K3 U1 U3 U4")

// kernelRows has, for the rows of the table of behaviours that are to be seen on the
// kernel too, the situations in which it plays its part in them.
var kernelRows = map[string][]string{
	"H1":  {"request and answer"},
	"H4":  {"no options at all", "no window scaling, client", "no SACK, server", "no timestamps, client"},
	"H7":  {"SYN twice", "old SYN after the close"},
	"H10": {"SYN lost", "SYN lost twice"},
	"H11": {"no SYN answered", "no SYN answered, some a second apart"},
	"H12": {"backlog full", "SYN cookies"},
	"H13": {"refused", "open refused"},
	"H14": {"third ACK lost, server waits", "third ACK lost, client speaks"},
	"D6":  {"window closed and opened", "window closed, probes", "zero window"},
	"F1":  {"client closes first", "server closes first"},
	"F2":  {"client half-closes", "server half-closes"},
	"F3":  {"accepted after the client has closed", "client closes first"},
	"F4":  {"server never closes"},
	"F6":  {"client aborts", "client closes with unread data", "server closes with unread data"},
	"W1":  {}, // TestTimeWaitLastsAMinute
	"W2":  {"last FIN's ACK lost", "server's FIN lost twice"},
	"W7":  {"TIME-WAIT met by a new SYN"},
	"K2a": {"keepalive answered"},
	"K2b": {"keepalive in vain", "peer vanished, keepalive"},
	"K2c": {"keepalive finds a stranger"},
	"K3":  {"keepalive answered", "keepalive in vain"},
	"U1":  {"user timeout", "peer vanished, user timeout"},
	"U3":  {"keepalive and user timeout"},
	"U4":  {"keepalive in vain"},
}

// notOnKernel are those that are not played, and why.
var notOnKernel = map[string]string{
	"W3": "the kernel has no switch for it",
}

func TestRowsOnTheKernel(t *testing.T) {
	var names []string
	for _, b := range bouts {
		names = append(names, b.name)
	}
	for _, s := range situations {
		names = append(names, s.name)
	}
	shown := map[string]bool{}
	for _, s := range catalogue.Shipped().Scenarios() {
		for _, row := range s.Rows {
			shown[row] = true
		}
	}
	for _, row := range onKernel {
		_, played := kernelRows[row]
		require.True(t, played != (notOnKernel[row] != ""), "%s: either it is played, or it is said why not", row)
	}
	for row, played := range kernelRows {
		require.Contains(t, onKernel, row)
		for _, name := range played {
			require.True(t, slices.Contains(names, name), "%s: there is no situation %q", row, name)
		}
		require.True(t, shown[row], "%s: no scenario shows it", row)
	}
}

// W1: how long TIME-WAIT lasts need not be waited for: both say when it will be over.
func TestTimeWaitLastsAMinute(t *testing.T) {
	netnstest.Need(t)
	c := newCapture(t, "time-wait")
	t.Run("all", func(t *testing.T) {
		everyWay(t, "time-wait", func(t *testing.T, family int, kernelIsClient bool) {
			p := newPlay(t, c, family, kernelIsClient)
			q := p.open()
			require.NoError(p, q.client.CloseWrite())
			p.expectState(&q.server, "CLOSE-WAIT")
			require.NoError(p, q.server.Close())
			p.expectState(&q.client, "TIME-WAIT")
			left, err := p.client.waits(q.client.local, q.client.remote)
			require.NoError(p, err)
			require.InDelta(p, time.Minute, left, float64(3*time.Second), "Linux's 2 MSL, whatever tcp_fin_timeout says")
		})
	})
}
