package explore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// An order is a hook that has every connection go on from one state to another.
type order struct{ at, to tcp.State }

func (o order) At(r *tcp.Record) tcp.Verdict {
	if r.To != o.at || r.Conn == 0 {
		return tcp.Pass
	}
	r.Arg = uint64(o.to)
	return tcp.GoTo
}

func (o order) Deadline() clock.Instant                       { return clock.Never }
func (o order) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (o order) Clone() tcp.Hook                               { return o }
func (o order) Fingerprint(*siphash.Hash, clock.Instant)      {}

// What a learner asks: why three segments, why TIME-WAIT. The explorer is given an
// engine without, and finds by itself what goes wrong; with them it finds nothing, in
// three times as many states.
func TestWhatTheRulesAreFor(t *testing.T) {
	for _, c := range []struct {
		name, world string
		end         int
		order       order
		unsure      bool // that a connection ends by a reset does not count
		what        string
	}{
		{"two-way handshake", "old-syn", 1, order{tcp.SynReceived, tcp.Established}, false,
			"a user has a connection that nobody has opened"},
		{"no TIME-WAIT", "reopen", 0, order{tcp.TimeWait, tcp.Closed}, true,
			"what was read is not what was sent: an octet is lost, or comes twice"},
		{"no TIME-WAIT, and an old FIN", "reopen", 0, order{tcp.TimeWait, tcp.Closed}, false,
			"a connection has ended otherwise than by FINs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := byName(t, c.world)
			w.Sure = w.Sure && !c.unsure
			lab := w
			lab.Hook[c.end], lab.Hooks[c.end] = c.order, tcp.Mask(tcp.StepTransition)
			x, err := New(lab)
			require.NoError(t, err)
			x.audit = true
			r, err := x.Run(Options{States: 200_000})
			require.NoError(t, err)
			require.NotNil(t, r.Breach)
			t.Logf("%d states, depth %d\n%s", r.States, r.Depth, r.Breach.Ladder)
			require.Equal(t, c.what, r.Breach.What)
			require.Contains(t, r.Breach.Script, "// This cannot be repeated: ")

			_, plain := search(t, w, Options{States: max(3*r.States, 10_000)})
			require.Nil(t, plain.Breach)
			require.GreaterOrEqual(t, plain.Depth, r.Depth, "all states up to the depth of the breach")
		})
	}
}

func byName(t *testing.T, name string) World {
	for _, w := range Worlds() {
		if w.Name == name {
			return w
		}
	}
	require.Fail(t, "there is no such world", name)
	return World{}
}
