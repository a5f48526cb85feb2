//go:build !wasip1

package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
	"github.com/tcpkit/tcpkit/hosts/wasm/kit"
	"github.com/tcpkit/tcpkit/internal/need"
	"github.com/tcpkit/tcpkit/plugins/examples"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// node runs a script in Node, with an input, and returns what it prints.
func node(t *testing.T, input string, args ...string) string {
	t.Helper()
	cmd := exec.Command(need.Tool(t, "node", "nodejs"), args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// checkTypes holds that tcpkit.d.ts and plugins.d.ts fit what they are of.
func checkTypes(t *testing.T, module string) {
	require.Empty(t, node(t, "", "testdata/types.mjs", module))
}

// listed are the words in quotes of what a pattern finds in a file of the wrapper.
func listed(t *testing.T, file, pattern string) (words []string) {
	text, err := os.ReadFile("js/" + file)
	require.NoError(t, err)
	found := regexp.MustCompile("(?s)" + pattern).FindSubmatch(text)
	require.NotNil(t, found, "%s: %s", file, pattern)
	for _, m := range regexp.MustCompile(`'([^']+)'`).FindAllSubmatch(found[1], -1) {
		words = append(words, string(m[1]))
	}
	return words
}

// TestNames holds that the wrapper, its types and Go have the same kinds of events, the
// same options and the same bits, in the same order.
func TestNames(t *testing.T) {
	kinds := listed(t, "tcpkit.mjs", `const EVENT_KINDS = \[(.*?)\]`)
	for k, name := range kinds {
		require.Equal(t, event.Kind(k).String(), name)
	}
	require.Equal(t, "unknown", event.Kind(len(kinds)).String(), "those are all")
	require.Equal(t, kinds[1:], listed(t, "tcpkit.d.ts", `type EventKind =(.*?);`))

	options := listed(t, "tcpkit.mjs", `const OPTIONS = \[(.*?)\]`)
	require.Equal(t, options, listed(t, "tcpkit.d.ts", `type Option =(.*?);`))
	require.Len(t, options, kit.OptionTOS)

	text, err := os.ReadFile("js/tcpkit.mjs")
	require.NoError(t, err)
	require.Contains(t, string(text), fmt.Sprintf("const READY = { readable: %d, writable: %d, connected: %d, closed: %d, softError: %d, urgent: %d, acceptable: %d };",
		core.Readable, core.Writable, core.Connected, core.Closed, core.SoftError, core.Urgent, core.Acceptable))
	require.Contains(t, string(text), fmt.Sprintf("const SHUT = { read: %d, write: %d };", kit.ShutRead, kit.ShutWrite))
	require.Contains(t, string(text), fmt.Sprintf("const AGAIN = -%#x;", -int64(kit.Again)))
	require.Contains(t, string(text), fmt.Sprintf("const NEVER = %#xn;", int64(clock.Never)))
}

// nativeKit is a Kit with the shipped plugins, in this process.
func nativeKit(t *testing.T) *kit.Kit {
	engine, err := wazero.New(wazero.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	k := &kit.Kit{Engine: engine}
	for _, name := range examples.Names() {
		wasm, _ := examples.Module(name)
		require.Zero(t, k.File(uint32(len(name)), k.Put(append([]byte(name), wasm...))))
	}
	return k
}

// finish runs a scenario to its end.
func finish(t *testing.T, k *kit.Kit, text string) (run int32) {
	n := k.Put([]byte(text))
	run = k.RunNew(n, n)
	require.Positive(t, run, "%.200q", k.Buffer)
	require.Zero(t, k.RunFinish(run))
	return run
}

func taken(k *kit.Kit, n int32) []byte { return append([]byte(nil), k.Buffer[:n]...) }

// checkScenarios runs all scenarios that are shipped in Node and here.
func checkScenarios(t *testing.T, module string) {
	var input strings.Builder
	all := catalogue.Shipped().Scenarios()
	for _, s := range all {
		line, err := json.Marshal(s.Text)
		require.NoError(t, err)
		input.Write(append(line, '\n'))
	}
	files, err := filepath.Glob("../../plugins/examples/*/*.wasm")
	require.NoError(t, err)
	lines := strings.Split(node(t, input.String(), append([]string{"testdata/runs.mjs", module}, files...)...), "\n")
	require.Len(t, lines, len(all)+1)
	k := nativeKit(t)
	for i, s := range all {
		run := finish(t, k, s.Text)
		want := fmt.Sprintf("%x %x %d 0", taken(k, k.RunHash(run)), taken(k, k.RunFingerprint(run)), k.RunLength(run))
		require.Equal(t, want, lines[i], "%s has the same hash and end here and in the module, and all that it expects", s.ID)
		require.Zero(t, k.RunFree(run))
	}
}

// checkExamples runs those for Node and for wazero.
func checkExamples(t *testing.T, module string) {
	said := node(t, "", "examples/node/echo.mjs", module)
	require.Contains(t, said, `the client reads "hello" after 40 ms, in ESTABLISHED`)
	require.Contains(t, said, "0 connections are left after 60.06 s")

	require.Regexp(t, `^tcpkit, both ends, MTU 9000: median \d+ MB/s, best \d+\n$`, node(t, "", "examples/node/speed.mjs", module, "9000", "1000000"))

	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	snippet := regexp.MustCompile("(?s)```js\n(.*?)```").FindSubmatch(readme)
	require.NotNil(t, snippet)
	wrapper, err := filepath.Abs("js/tcpkit.mjs")
	require.NoError(t, err)
	page := filepath.Join(filepath.Dir(module), "page.mjs")
	require.NoError(t, os.WriteFile(page, bytes.Replace(snippet[1], []byte("./hosts/wasm/js/tcpkit.mjs"), []byte("file://"+wrapper), 1), 0o644))
	require.Equal(t, "ESTABLISHED ESTABLISHED\n", node(t, "", page), "what README.md has")

	const ghost = "../../core/scenario/catalogue/scenarios/H5-two-way.scenario"
	text, err := os.ReadFile(ghost)
	require.NoError(t, err)
	k := nativeKit(t)
	run := finish(t, k, string(text))
	capture := filepath.Join(t.TempDir(), "client.pcapng")
	said = node(t, "", "examples/node/run.mjs", module, "../../plugins/examples/two-way/two-way.wasm", ghost, capture)
	require.Contains(t, said, "all is as it was expected\n"+hex.EncodeToString(taken(k, k.RunHash(run))))
	file, err := os.ReadFile(capture)
	require.NoError(t, err)
	require.Equal(t, taken(k, k.RunPcapng(run, 0)), file)
	packets := 0
	r := pcapng.NewReader(file)
	for p := (pcapng.Packet{}); r.Next(&p); {
		packets++
	}
	require.NoError(t, r.Err())
	require.Positive(t, packets)

	const handshake = "../../core/scenario/catalogue/scenarios/H1.scenario"
	text, err = os.ReadFile(handshake)
	require.NoError(t, err)
	run = finish(t, k, string(text))
	out, err := exec.Command("go", "run", "./examples/wazero", module, handshake).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, hex.EncodeToString(taken(k, k.RunHash(run)))+"\n", string(out))
}
