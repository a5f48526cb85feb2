package native_test

import (
	"io"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// A tally is a hook that counts changes of state. A hook is called under the
// host's lock, but the test looks from outside.
type tally struct{ moves atomic.Int64 }

func (h *tally) At(*tcp.Record) tcp.Verdict {
	h.moves.Add(1)
	return tcp.Pass
}

func (h *tally) Deadline() clock.Instant                       { return clock.Never }
func (h *tally) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *tally) Clone() tcp.Hook                               { return h }
func (h *tally) Fingerprint(*siphash.Hash, clock.Instant)      {}

// TestChangeHook swaps one hook for another between the handshake and the close of
// a connection: together they see each change of state once.
func TestChangeHook(t *testing.T) {
	a, b := pair(t)
	first, second := new(tally), new(tally)
	set := func(want tcp.Hook, h *tally) {
		a.ChangeHook(func(_ clock.Instant, old tcp.Hook) (tcp.Hook, tcp.HookMask) {
			require.Equal(t, want, old)
			return h, tcp.Mask(tcp.StepTransition)
		})
	}
	set(nil, first)
	c, s := connect(t, a, b, "tcp4", "10.8.0.2")
	require.Equal(t, int64(2), first.moves.Load(), "CLOSED to SYN-SENT to ESTABLISHED")
	set(first, second)
	require.NoError(t, s.Close())
	_, err := c.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, c.Close())
	require.NoError(t, a.Shutdown(t.Context()), "returns when both FINs are acknowledged")
	require.Equal(t, int64(2), first.moves.Load())
	require.Equal(t, int64(3), second.moves.Load(), "CLOSE-WAIT, LAST-ACK, CLOSED")
}
