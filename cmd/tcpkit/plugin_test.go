package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
)

// What a run shows of each segment is what it was, and below it what each plugin has
// made of it, by name; on a terminal of 80 columns.
func TestPluginRunShows(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
		code int
	}{
		"changed by two": {args: []string{"ecn-bleach", "mss-clamp,mss=900", "mss-clamp,mss=800"}, want: `
  0.010000 server < S seq 0 win 65535 <mss 1460,wscale 7,sackOK,TS 0/0>
                    mss-clamp, mss-clamp#2: mss 1460 -> 800
`},
		"dropped": {args: []string{"drop-nth,n=1"}, want: `
  0.030000 server > . seq 1 ack 4098 win 1024 data 1448 <TS 20/20>
                    drop-nth: drop
`},
		"delayed": {args: []string{"netem,delay=3ms"}, want: `
                    netem: delay by 3000 us
`},
		"one of both": {args: []string{"four-way,allow=lab+inject"}, want: `
                    and beside it a segment that a plugin has made
`},
		"no segment": {args: []string{"option-stamp"}, want: `
  0.010000 server   option-stamp at options_reserve: mutated args
  0.010000 server   option-stamp at options_write: mutated raw options state
`},
		"before all packets": {args: []string{"../../plugins/internal/hostile/modules/trap.wasm"}, code: exitPlugin, want: `
  0.000000 server   trap at transition: trap
`},
		"a strike": {args: []string{"../../plugins/internal/hostile/modules/trap.wasm"}, code: exitPlugin, want: `
trap: 1 calls, 100000 fuel, at most 100000 in one; 1 strikes
  plugin trap at tcpkit_transition: trapped: unreachable; find the place`},
	} {
		code, out, errs := try(append([]string{"plugin", "run"}, c.args...)...)
		require.Equal(t, c.code, code, "%s: %s", name, errs)
		require.Contains(t, "\n"+out, c.want, name)
		for line := range strings.Lines(out) {
			if name != "no segment" && name != "a strike" && strings.Contains(line, " server ") {
				require.LessOrEqual(t, len(line), 81, "%s: %s", name, line)
			}
		}
	}
}

func TestPluginBuildOutput(t *testing.T) {
	need.Tool(t, "wat2wasm", "wabt")
	t.Chdir(t.TempDir())
	code, _, errs := try("plugin", "new", "--lang", "wat", "hello")
	require.Equal(t, exitOK, code, errs)
	code, out, errs := try("plugin", "build", "hello", "-o", "other.wasm", "--json")
	require.Equal(t, exitOK, code, errs)
	require.Regexp(t, `^{"file":"other.wasm","octets":\d+}\n$`, out)
	_, err := os.Stat("other.wasm")
	require.NoError(t, err)
}

// A script's plugins are looked at before any script runs.
func TestScriptPlugin(t *testing.T) {
	script := filepath.Join(t.TempDir(), "x.pkt")
	require.NoError(t, os.WriteFile(script, []byte("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"), 0o666))
	for plugin, says := range map[string]string{"nowhere": "there is no such file", "drop-nth,x=3": "it has no option", "two-way": "allow=lab"} {
		code, _, errs := try("script", "--plugin", plugin, script)
		require.Equal(t, exitPlugin, code, errs)
		require.Contains(t, errs, says)
	}
	code, _, errs := try("script", "--plugin", "drop-nth", "--kernel", script)
	require.Equal(t, exitUsage, code, errs)
}

func TestPluginBuildFails(t *testing.T) {
	need.Tool(t, "wat2wasm", "wabt")
	t.Chdir(t.TempDir())
	code, _, errs := try("plugin", "build")
	require.Equal(t, exitRuntime, code)
	require.Contains(t, errs, "has no plugin's source")

	require.NoError(t, os.WriteFile("wrong.wat", []byte("(module (fun))"), 0o666))
	code, _, errs = try("plugin", "build")
	require.Equal(t, exitPlugin, code)
	require.Contains(t, errs, "wrong.wat:1:10")

	require.NoError(t, os.WriteFile("wrong.wat", []byte("(module)"), 0o666))
	code, _, errs = try("plugin", "build", "-o", filepath.Join("no", "where.wasm"))
	require.Equal(t, exitRuntime, code)
	require.Contains(t, errs, "no file manifest beside the source")
	require.Contains(t, errs, "no such file or directory")

	t.Setenv("PATH", "")
	code, _, errs = try("plugin", "build")
	require.Equal(t, exitRuntime, code)
	require.Contains(t, errs, "apt-get install wabt")
}

// TestPluginBench measures the hooks of steps and those of congestion control.
func TestPluginBench(t *testing.T) {
	for name, hooks := range map[string][]string{
		"aimd":         {"cc_ack", "cc_loss", "cc_ecn", "cc_rto", "cc_undo", "cc_idle"},
		"option-stamp": {"options_reserve", "options_write"},
	} {
		code, out, errs := try("plugin", "bench", name, "--time", "2ms", "--json")
		require.Equal(t, exitOK, code, errs)
		require.Empty(t, errs)
		var costs []hookCost
		require.NoError(t, json.Unmarshal([]byte(out), &costs))
		var names []string
		for _, c := range costs {
			names = append(names, c.Hook)
			require.Positive(t, c.Calls, c.Hook)
			require.Positive(t, c.Fuel, c.Hook)
		}
		require.Equal(t, hooks, names)
	}
}
