package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/explore"
)

func exploreWith(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var stdout, stderr strings.Builder
	code = run(append([]string{"explore"}, args...), strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String() + stderr.String()
}

func TestExplore(t *testing.T) {
	code, out := exploreWith(t, "--world", "refused")
	require.Equal(t, exitOK, code, out)
	require.Regexp(t, `^refused +\d+ states, +\d+ merged \(\d+ %\), complete, depth \d+, no counter-example`, out)

	code, out = exploreWith(t, "--world", "handshake", "--states", "1000", "--json")
	require.Equal(t, exitOK, code, out)
	var r struct {
		World          string
		States, Merged int
		Complete       bool
	}
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Equal(t, "handshake", r.World)
	require.GreaterOrEqual(t, r.States, 1000)
	require.False(t, r.Complete)

	var b strings.Builder
	broken := explored{Result: explore.Result{World: "w", States: 5, Breach: &explore.Breach{What: "it", Steps: 3, Ladder: "ladder", Script: "script"}}}
	require.NoError(t, (&app{out: &b}).printExplored(&broken))
	require.Contains(t, b.String(), "BROKEN after 3 steps")
	require.Contains(t, b.String(), "ladder\nscript\n")
	require.True(t, (&explored{Result: explore.Result{States: 100}}).blind())

	code, out = exploreWith(t, "--list")
	require.Equal(t, exitOK, code)
	require.Contains(t, out, "simultaneous-close")
	code, out = exploreWith(t, "--world", "flat")
	require.Equal(t, exitUsage, code)
	require.Contains(t, out, `no world "flat"`)
	code, _ = exploreWith(t, "--depth", "-1")
	require.Equal(t, exitUsage, code)
}
