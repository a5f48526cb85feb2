package walk

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/tcp"
)

// RFC 9293 Figure 5, edge by edge: a hook in Go sees each change, changes the segment
// that causes it, and the one that leaves by it.
func TestFigure5InGo(t *testing.T) { Run(t, Go) }

// Each edge is walked, or it is said why not.
func TestEveryEdgeIsWalked(t *testing.T) {
	for _, e := range tcp.Edges() {
		_, never := Never()[[2]tcp.State{e.From, e.To}]
		walked := slices.ContainsFunc(Paths(), func(p Path) bool { return p.From == e.From && p.To == e.To })
		require.NotEqual(t, never, walked, "%v to %v", e.From, e.To)
	}
}
