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

// What the rules are for: a plugin of the lab takes one away, and the explorer finds by
// itself what goes wrong then.
func TestExploreWithPlugins(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		what string
	}{
		{"two segments for three", []string{"--plugin", "two-way,allow=lab", "--world", "old-syn"},
			"a user has a connection that nobody has opened"},
		{"no TIME-WAIT", []string{"--plugin", "no-time-wait,allow=lab", "--world", "reopen", "--end", "A", "--unsure"},
			"what was read is not what was sent: an octet is lost, or comes twice"},
		{"no TIME-WAIT, and an old FIN", []string{"--plugin", "no-time-wait,allow=lab", "--world", "reopen", "--end", "A"},
			"a connection has ended otherwise than by FINs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out := exploreWith(t, c.args...)
			require.Equal(t, exitExpectation, code, out)
			require.Regexp(t, `BROKEN after \d+ steps`, out)
			require.Contains(t, out, c.what)

			code, out = exploreWith(t, append(c.args[2:], "--states", "50000")...)
			require.Equal(t, exitOK, code, "with the rule there is nothing in more states: %s", out)
		})
	}
	// A plugin that waits to be started again, while the world passes an hour over, does
	// not take time back.
	code, out := exploreWith(t, "--world", "half-open", "--states", "5000", "--plugin", "../../plugins/internal/hostile/modules/trap.wasm")
	require.Equal(t, exitOK, code, out)
	code, out = exploreWith(t, "--world", "refused", "--plugin", "two-way")
	require.Equal(t, exitPlugin, code, out)
	require.Contains(t, out, "allow=lab")
	code, out = exploreWith(t, "--world", "refused", "--end", "C")
	require.Equal(t, exitUsage, code, out)
}

// Worlds that are explored at once have plugins of their own, which change nothing in
// what one finds.
func TestExploreWorldsWithPluginsAtOnce(t *testing.T) {
	states := func(workers string) map[string]int {
		code, out := exploreWith(t, "--states", "300", "--workers", workers, "--plugin", "drop-nth,n=3", "--json")
		require.Equal(t, exitOK, code, out)
		all := map[string]int{}
		for d := json.NewDecoder(strings.NewReader(out)); d.More(); {
			var r struct {
				World  string
				Merged int
			}
			require.NoError(t, d.Decode(&r))
			all[r.World] = r.Merged
		}
		return all
	}
	one := states("1")
	require.Len(t, one, len(explore.Worlds()))
	require.Equal(t, one, states("8"))
}
