//go:build !wasip1

package main

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/hosts/wasm/skeleton"
	"github.com/tcpkit/tcpkit/internal/need"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// An outcome is what is told of a plugin, and what came of the transfers with it.
type outcome struct {
	Loaded  string
	Results []string
	Failed  string
	Running int
}

// checkNode runs every shipped plugin in Node's engine, beside the module in that
// same engine, and natively: verdicts, events and packets are the same, and so are
// the errors.
func checkNode(t *testing.T, module string) {
	node := need.Tool(t, "node", "nodejs")
	files, err := filepath.Glob("../../plugins/examples/*/*.wasm")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var options []string
	for _, o := range transfers {
		options = append(options, hex.EncodeToString(o.Append(nil)))
	}
	cmd := exec.Command(node, append([]string{"--no-warnings", "testdata/run.mjs", module}, files...)...)
	cmd.Env = append(os.Environ(), "OPTIONS="+strings.Join(options, ","))
	var messages strings.Builder
	cmd.Stderr = &messages
	out, err := cmd.Output()
	require.NoError(t, err, &messages)
	var got []outcome
	require.NoError(t, json.Unmarshal(out, &got))
	require.Len(t, got, len(files))
	plain := native(t, transfers[0])
	alone := hex.EncodeToString(plain.Append(nil))
	differ := 0
	for k, file := range files {
		want := nativeOutcome(t, file)
		require.Equal(t, want, got[k], file)
		if want.Loaded == "" && want.Results[0] != alone {
			differ++
		}
	}
	require.Greater(t, differ, 2, "plugins that do something are among them")
}

func nativeOutcome(t *testing.T, file string) (o outcome) {
	wasm, err := os.ReadFile(file)
	require.NoError(t, err)
	engine, err := wazero.New(wazero.Config{})
	require.NoError(t, err)
	defer engine.Close()
	chain := plugins.NewSet()
	plugin, err := plugins.Load(engine, wasm, plugins.Options{Name: "1"})
	if err != nil {
		o.Loaded = err.Error()
	} else {
		chain.Add(plugin)
	}
	for _, t := range transfers {
		w, _ := skeleton.New(t)
		if plugin != nil {
			w.Stack(skeleton.Client).SetHook(chain, chain.Mask())
		}
		r := w.Run()
		o.Results = append(o.Results, hex.EncodeToString(r.Append(nil)))
	}
	if plugin != nil && plugin.Err() != nil {
		o.Failed = plugin.Err().Error()
	} else if plugin != nil {
		o.Running = 1
	}
	return o
}
