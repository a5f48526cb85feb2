package trial

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/internal/built"
)

func TestBuiltFromSource(t *testing.T) { built.FromSource(t, "modules") }

// Each of them is called at every step, or told of it.
func TestEveryStep(t *testing.T) {
	for name, wasm := range map[string][]byte{"observer": Observer(), "batches": Batches(), "noop": Noop(), "identity": Identity()} {
		d, err := plugins.Describe(wasm, plugins.Options{})
		require.NoError(t, err)
		require.Subset(t, append(d.Hooks, d.Batched...), steps(), name)
		require.Empty(t, plugins.Check(nil, wasm, plugins.Options{Allow: ^plugins.Grants(0)}), name)
	}
	require.Empty(t, plugins.Check(nil, Edges("grants observe"), plugins.Options{}))
}
