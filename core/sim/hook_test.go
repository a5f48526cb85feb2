package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// noting is a hook that counts its calls.
type noting struct{ calls [tcp.Steps]int }

func (h *noting) At(r *tcp.Record) tcp.Verdict {
	h.calls[r.Step]++
	return tcp.Pass
}
func (h *noting) Deadline() clock.Instant                       { return clock.Never }
func (h *noting) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *noting) Clone() tcp.Hook                               { c := *h; return &c }
func (h *noting) Fingerprint(*siphash.Hash, clock.Instant)      {}

// The hook of a Config is called in each world, and a world's clone has its own.
func TestHookOfAHost(t *testing.T) {
	h := &noting{}
	cfg := pair("linux", Flow{Users: users(
		[]Step{{Op: AwaitConnected}, {Op: Write, N: 5000}, {Op: CloseWrite}, {Op: AwaitEOF}}, []Step{{Op: AwaitEOF}}), Sure: true})
	cfg.Hosts[1].Hook, cfg.Hosts[1].Hooks = h, tcp.Mask(tcp.StepTransition)
	w, err := New(&cfg)
	require.NoError(t, err)
	require.NoError(t, w.Run(clock.Instant(clock.Second).Add(15*clock.Millisecond)))
	before := *w.Hook(1).(*noting)
	other := w.Clone()
	require.NoError(t, other.Finish())
	require.Equal(t, before, *w.Hook(1).(*noting), "what the clone's hook has seen is its own")
	require.NoError(t, w.Finish())
	require.Zero(t, h.calls[tcp.StepTransition], "that of the Config stays as it was")
	require.Positive(t, w.Hook(1).(*noting).calls[tcp.StepTransition])
	require.Equal(t, w.Hook(1), other.Hook(1))
	require.Nil(t, w.Hook(0))
}
