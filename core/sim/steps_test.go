package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/internal/release"
)

const allSteps = tcp.HookMask(1<<tcp.Steps - 1)

// lives is a hook that follows connections from StepNew to StepClosed.
type lives struct {
	testing.TB
	at    map[uint32]tcp.Step // the last step of each
	ended int
	calls [tcp.Steps]int
}

func (h *lives) At(r *tcp.Record) tcp.Verdict {
	h.calls[r.Step]++
	if r.Conn == 0 {
		return tcp.Pass
	}
	was, known := h.at[r.Conn]
	switch r.Step {
	case tcp.StepNew:
		require.False(h, known, "connection %d is new twice", r.Conn)
		h.at[r.Conn] = r.Step
	case tcp.StepEstablished:
		require.Equal(h, tcp.StepNew, was, "connection %d", r.Conn)
		h.at[r.Conn] = r.Step
	case tcp.StepClosed:
		h.at[r.Conn] = r.Step
		h.ended++
		fallthrough
	default:
		require.True(h, known && was != tcp.StepClosed, "step %d of connection %d, which is not known", r.Step, r.Conn)
	}
	return tcp.Pass
}

func (h *lives) Deadline() clock.Instant                       { return clock.Never }
func (h *lives) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *lives) Fingerprint(*siphash.Hash, clock.Instant)      {}
func (h *lives) Clone() tcp.Hook                               { return &lives{TB: h.TB, at: map[uint32]tcp.Step{}} }

// However connections end, in worlds with every fault: each is new once, then perhaps
// established, and in the end closed, once; nothing is told of it before and after.
func TestStepsOfALife(t *testing.T) {
	var all lives
	opened := 0
	for seed := range uint64(release.Count(60, 1000)) {
		cfg := Random(seed+1, 6)
		for i := range cfg.Hosts {
			cfg.Hosts[i].Hook, cfg.Hosts[i].Hooks = &lives{TB: t}, allSteps
		}
		w := finish(t, cfg)
		for i := range cfg.Hosts {
			h := w.Hook(i).(*lives)
			require.Equal(t, len(h.at), h.ended, "seed %d: all have ended", seed+1)
			opened += len(h.at)
			for step, n := range h.calls {
				all.calls[step] += n
			}
		}
	}
	require.Greater(t, opened, 100)
	for _, step := range []tcp.Step{
		tcp.StepSyn, tcp.StepNew, tcp.StepEstablished, tcp.StepClosed, tcp.StepTimerArmed, tcp.StepTimerFired, tcp.StepISN, tcp.StepPort,
	} {
		require.Positive(t, all.calls[step], "step %d", step)
	}
}
