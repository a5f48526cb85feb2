package sim

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A seer notes which changes of state it was told of before, and which came.
type seer struct{ foreseen, came []seen }

type seen struct {
	packet uint32
	tuple  tcp.Tuple
	move   tcp.Move
	seg    wire.TCP
	octets int
}

func (h *seer) At(r *tcp.Record) tcp.Verdict {
	s := seen{r.Packet, r.Tuple, tcp.Move{From: r.From, To: r.To, By: r.Cause, Rule: r.Rule}, r.TCP, len(r.Payload)}
	if r.Step == tcp.StepMoving {
		h.foreseen = append(h.foreseen, s)
	} else if r.Cause == tcp.BySegment {
		h.came = append(h.came, s)
	}
	return tcp.Pass
}

func (h *seer) Deadline() clock.Instant                       { return clock.Never }
func (h *seer) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *seer) Fingerprint(*siphash.Hash, clock.Instant)      {}
func (h *seer) Clone() tcp.Hook                               { return &seer{slices.Clone(h.foreseen), slices.Clone(h.came)} }

// A hook is shown a segment before it changes a state, for each change that it then
// makes and no other, with the rule and the segment; and who looks ahead changes
// nothing.
func TestChangesAreForeseen(t *testing.T) {
	seeds := uint64(100)
	if testing.Short() {
		seeds = 20
	}
	moves := 0
	for seed := range seeds {
		plain, err := randomWorld(seed)
		require.NoError(t, err)
		require.NoError(t, plain.Finish())
		cfg := Random(seed, flowsEach)
		for i := range cfg.Hosts {
			cfg.Hosts[i].Hook, cfg.Hosts[i].Hooks = &seer{}, tcp.Mask(tcp.StepMoving, tcp.StepTransition)
		}
		w, err := New(&cfg)
		require.NoError(t, err)
		require.NoError(t, w.Finish())
		for i := range cfg.Hosts {
			h := w.Hook(i).(*seer)
			require.Equal(t, h.came, h.foreseen, "seed %d, host %d", seed, i)
			moves += len(h.came)
		}
		require.Equal(t, plain.Hash(), w.Hash(), "seed %d", seed)
	}
	t.Logf("%d changes of state by segments", moves)
}
