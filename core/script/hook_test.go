package script_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/script"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// states is a hook that notes which states are reached.
type states struct{ seen *[]tcp.State }

func (h states) At(r *tcp.Record) tcp.Verdict {
	*h.seen = append(*h.seen, r.To)
	return tcp.Pass
}

func (h states) Deadline() clock.Instant                       { return clock.Never }
func (h states) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h states) Clone() tcp.Hook                               { return h }
func (h states) Fingerprint(*siphash.Hash, clock.Instant)      {}

// The stack under test can have a hook.
func TestHook(t *testing.T) {
	s, err := script.Parse("hooked.pkt", `
0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0  bind(3, ..., ...) = 0
+0  listen(3, 1) = 0
+0  < S 0:0(0) win 65535 <mss 1000>
+0  > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
`)
	require.NoError(t, err)
	var seen []tcp.State
	r := script.Run(s, script.Config{Hook: states{&seen}, Hooks: tcp.Mask(tcp.StepTransition)})
	require.Equal(t, script.Passed, r.Outcome, r.Detail)
	require.Equal(t, []tcp.State{tcp.Listen, tcp.SynReceived, tcp.Established}, seen)
}
