package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Every scenario that tcpkit comes with holds what it expects, and has the same hash
// when it runs again. That the expectations can fail is a test of the catalogue.
func TestScenarios(t *testing.T) {
	for _, s := range shipped().Scenarios() {
		t.Run(s.ID, func(t *testing.T) {
			t.Parallel()
			source := &simSource{name: s.ID, text: s.Text}
			first, again := source.check(), source.check()
			require.Empty(t, first.Error)
			require.Empty(t, first.Failed)
			require.True(t, first.Passed)
			require.Equal(t, first.Hash, again.Hash)
		})
	}
}

func TestSimCheck(t *testing.T) {
	code, out, errs := try("sim", "check", "H1", "h2")
	require.Equal(t, exitOK, code, errs)
	require.Equal(t, "2 passed, 0 failed\n", out)
	_, out, _ = try("sim", "check", "H1", "-v")
	require.Regexp(t, `^H1 +\d+ expectations  [0-9a-f]{16}\n1 passed, 0 failed\n$`, out)
	wrong := t.TempDir() + "/wrong.scenario"
	write(t, wrong, handshake+"expect segments = 4\n")
	code, out, _ = try("sim", "check", "H1", wrong)
	require.Equal(t, exitExpectation, code)
	require.Equal(t, wrong+": expect segments = 4\n    found: 3\n1 passed, 1 failed\n", out)
	write(t, wrong, handshake)
	code, out, _ = try("sim", "check", wrong)
	require.Equal(t, exitExpectation, code)
	require.Contains(t, out, "it expects nothing; add a line such as")
	code, out, _ = try("sim", "check", "H1", "--json")
	require.Equal(t, exitOK, code)
	require.Contains(t, out, `"passed": true`)
}
