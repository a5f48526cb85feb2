package tcp

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/wire"
)

type counting [Steps]int

func (h *counting) At(r *Record) Verdict {
	h[r.Step]++
	return Pass
}

func (h *counting) Deadline() clock.Instant                   { return clock.Never }
func (h *counting) Expire(clock.Instant, *Beside, *event.Log) {}
func (h *counting) Clone() Hook                               { c := *h; return &c }
func (h *counting) Fingerprint(*siphash.Hash, clock.Instant)  {}

// A hook may be called for every segment, so calling it allocates nothing.
func TestHookCallsAllocateNothing(t *testing.T) {
	h := &counting{}
	env := &Env{Hook: h, Hooks: Mask(StepTransition, StepArriving)}
	c := &TCB{env: env, cfg: &Config{}}
	seg := Segment{TCP: wire.TCP{Seq: 1}}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		env.Arriving(c.at(0, StepArriving), &seg)
		c.hookTransition(0, Move{Listen, SynReceived, BySegment, 0})
	}))
	require.Equal(t, [2]int{101, 101}, [2]int{h[StepTransition], h[StepArriving]})
}
