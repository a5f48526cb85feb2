package e2e

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
)

// kernelRows has, for the rows of the table of behaviours that are to be seen on the
// kernel too, the situations in which it plays its part in them.
var kernelRows = map[string][]string{
	"H1":  {"request and answer"},
	"H4":  {"no options at all", "no window scaling, client", "no SACK, server", "no timestamps, client"},
	"H7":  {"SYN twice", "old SYN after the close"},
	"H10": {"SYN lost", "SYN lost twice"},
	"H12": {"backlog full", "SYN cookies"},
	"H13": {"refused", "open refused"},
	"H14": {"third ACK lost, server waits", "third ACK lost, client speaks"},
	"D6":  {"window closed and opened", "window closed, probes", "zero window"},
	"F1":  {"client closes first", "server closes first"},
	"F2":  {"client half-closes", "server half-closes"},
	"F3":  {"accepted after the client has closed", "client closes first"},
	"F4":  {"server never closes"},
	"F6":  {"client aborts", "client closes with unread data", "server closes with unread data"},
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
	"H11": "two minutes of SYNs; the figures measured once stand in the scenario",
	"W1":  "a minute of TIME-WAIT that nothing can be seen of from outside",
	"W3":  "the kernel has no switch for it",
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
	for row, played := range kernelRows {
		require.NotEmpty(t, played, row)
		require.NotContains(t, notOnKernel, row)
		for _, name := range played {
			require.True(t, slices.Contains(names, name), "%s: there is no situation %q", row, name)
		}
		require.True(t, shown[row], "%s: no scenario shows it", row)
	}
}
