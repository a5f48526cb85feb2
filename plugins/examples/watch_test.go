package examples_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/guest/project"
)

// messages are the lines that the first plugin of a host has logged.
func messages(w *sim.World, host int) (lines []string) {
	all, _ := w.Hook(host).(*plugins.Set).Plugins()[0].Messages()
	for _, m := range all {
		lines = append(lines, m.Text)
	}
	return lines
}

func TestPcapAnnotate(t *testing.T) {
	cfg := transfer(t, 20*kilo, tenMilliseconds, load(t, "pcap-annotate"))
	cfg.Plan = []sim.Planned{{Direction: 0, Ordinal: 4, Fate: sim.Lose}}
	lines := messages(run(t, cfg, 20*kilo), 0)
	require.Contains(t, lines, "connection 1: 1448 octets again, from 1449")
	lines = slices.DeleteFunc(lines, func(s string) bool { return strings.Contains(s, "octets again") })
	require.Equal(t, []string{
		"connection 1: CLOSED to SYN-SENT, a call",
		"connection 1: SYN-SENT to ESTABLISHED, a segment",
		"connection 1: ESTABLISHED to FIN-WAIT-1, a call",
		"connection 1: FIN-WAIT-1 to FIN-WAIT-2, a segment",
		"connection 1: FIN-WAIT-2 to TIME-WAIT, a segment",
		"connection 1: TIME-WAIT to CLOSED, a timer",
	}, lines)
}

// The one in Go is built for the test.
func TestLoggerGo(t *testing.T) {
	s, err := project.Find("logger-go")
	require.NoError(t, err)
	module, err := s.Build(t.Context())
	require.NoError(t, err)
	require.Empty(t, plugins.Check(nil, module, plugins.Options{}))
	if testing.Short() {
		return // to compile it takes seconds, and with the race detector minutes
	}
	p, err := plugins.Load(newEngine(t), module, plugins.Options{})
	require.NoError(t, err)
	set := plugins.NewSet()
	set.Add(p)
	lines := messages(run(t, transfer(t, kilo, tenMilliseconds, nil, set), kilo), 1)
	id := strconv.Itoa(int(rule.AckEstablishes))
	require.Contains(t, lines, "connection 1: SYN-RECEIVED -> ESTABLISHED by rule "+id)
}
