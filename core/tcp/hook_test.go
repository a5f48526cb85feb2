package tcp

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/wire"
)

type counting struct{ transitions, segments int }

func (h *counting) Transition(*TransitionRecord) { h.transitions++ }

func (h *counting) Segment(*SegmentRecord) Verdict {
	h.segments++
	return Pass
}

// A hook may be called for every segment, so calling it allocates nothing.
func TestHookCallsAllocateNothing(t *testing.T) {
	h := &counting{}
	env := &Env{Hook: h, HookMask: HookTransition | HookArriving | HookLeaving}
	c := &TCB{env: env, cfg: &Config{}}
	var seg wire.TCP
	require.Zero(t, testing.AllocsPerRun(100, func() {
		c.hookSegment(0, &seg, 1, true, 0)
		c.hookTransition(0, Listen, SynReceived, BySegment, 0)
	}))
	require.Equal(t, [2]int{101, 101}, [2]int{h.transitions, h.segments})
}
