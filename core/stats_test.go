package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Each end counts a connection when it reaches ESTABLISHED, and not an open that
// is refused.
func TestEstablishedIsCounted(t *testing.T) {
	p := newPair(t, config("linux"))
	p.connect(wire.IPv4)
	p.connect(wire.IPv6)
	p.dial(p.a, at("10.0.0.2", 81))
	p.run(clock.Second)
	for _, s := range []*Stack{p.a, p.b} {
		require.Equal(t, uint64(2), s.Stats().Established)
	}
	require.Equal(t, uint64(3), p.a.Stats().ActiveOpens)
	require.Equal(t, uint64(2), p.b.Stats().PassiveOpens)
}
