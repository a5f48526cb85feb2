package wazero_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/plugins/fuel"
)

// rewritten is a module as it comes to an engine.
func rewritten(t testing.TB, module []byte) []byte {
	t.Helper()
	limits := fuel.DefaultLimits()
	limits.Pages = 256
	out, err := fuel.Rewrite(module, limits)
	require.NoError(t, err)
	return out
}
