package script

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The ladder shows the states of both ends, RFC 9293 Figure 5.
func TestPeerStates(t *testing.T) {
	const connect = `0  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS
+0 > S 0:0(0) <...>
`
	for _, c := range []struct{ name, src, states string }{
		{"passive close", open + "+0 close(4) = 0\n+0 > F. 1:1(0) ack 1\n+0 < . 1:1(0) ack 2 win 5\n+0 < F. 1:1(0) ack 2 win 5\n+0 > . 2:2(0) ack 2",
			"- SYN-SENT ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED"},
		{"active close", open + "+0 < F. 1:1(0) ack 1 win 5\n+0 > . 1:1(0) ack 2\n+0 close(4) = 0\n+0 > F. 1:1(0) ack 2\n+0 < . 2:2(0) ack 2 win 5",
			"- SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT"},
		{"simultaneous close", open + "+0 close(4) = 0\n+0 > F. 1:1(0) ack 1\n+0 < F. 1:1(0) ack 1 win 5\n+0 > . 2:2(0) ack 2\n+0 < . 2:2(0) ack 2 win 5",
			"- SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT"},
		{"passive open and reset", connect + "+0 < S. 0:0(0) ack 1 win 5 <mss 1000>\n+0 > . 1:1(0) ack 1\n+0 < R. 1:1(0) ack 1 win 5", "- CLOSED LISTEN SYN-RECEIVED ESTABLISHED CLOSED"},
		{"simultaneous open", connect + "+0 < S 0:0(0) win 5 <mss 1000>\n+0 > S. 0:0(0) ack 1 <...>\n+0 < . 1:1(0) ack 1 win 5", "- CLOSED LISTEN SYN-SENT ESTABLISHED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runText(t, c.src, Config{Lenient: true})
			require.Equal(t, Passed, r.Outcome, r.Detail)
			var states []string
			for line := range strings.Lines(r.Ladder) {
				if s := strings.Fields(line)[2]; s != "script" && (len(states) == 0 || states[len(states)-1] != s) {
					states = append(states, s)
				}
			}
			require.Equal(t, c.states, strings.Join(states, " "), r.Ladder)
		})
	}
}
