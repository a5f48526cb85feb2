//go:build !wasip1

package main

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
)

// node runs a script in Node and returns what it prints.
func node(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(need.Tool(t, "node", "nodejs"), args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func TestTypes(t *testing.T) {
	require.Empty(t, node(t, "testdata/types.mjs"), "tcpkit.d.ts fits tcpkit.mjs")
}
