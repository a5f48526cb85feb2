package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/chrome"
)

// What is taken home from the page this command reads: the script runs to the hash that
// the page shows, the log is replayed to it, and the link makes the same run again. The
// page is the one that the command serves from a checkout, with the module it builds.
func TestTakeHome(t *testing.T) {
	said, out, err := os.Pipe()
	require.NoError(t, err)
	defer said.Close()
	startProgram(t, func(cmd *exec.Cmd) { cmd.Stdout = out }, "playground", "--port", "0")
	require.NoError(t, out.Close())
	url, err := bufio.NewReader(said).ReadString('\n')
	require.NoError(t, err)

	b := chrome.New(t)
	tab := b.Open(strings.TrimSpace(url)+"#s=F1&x=fault+packet+4+lose%0Alink+client+server+delay+30ms&lang=zh", 1280, 900)
	const over = `import('./store.mjs').then((s) => s.engine.value.phase === 'ready' && !!s.run.value?.ended)`
	tab.Wait(over)
	tab.ClickAt(tab.Middle(`[data-tab="takeaway"]`), 1)
	hash := chrome.Eval[string](tab, `document.querySelector('.takeaway [data-hash]').dataset.hash`)
	require.Regexp(t, `^[0-9a-f]{16}$`, hash)

	tab.ClickAt(tab.Middle(`.take div:nth-child(5) button`), 1)
	script := saved(t, b, "F1-changed.scenario")
	code, drawn, errs := try("sim", "run", script)
	require.Equal(t, exitExpectation, code, "what the scenario expects is about the run without the changes: %s", errs)
	require.Contains(t, drawn, "trace hash "+hash)

	tab.ClickAt(tab.Middle(`.take div:nth-child(4) button`), 1)
	log := saved(t, b, "F1-changed.trace")
	code, replayed, errs := try("trace", "replay", log)
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, replayed, hash)

	link := chrome.Eval[string](tab, `document.querySelector('.take input').value`)
	require.Contains(t, link, "fault+packet+4+lose%0Alink+client+server+delay+30ms")
	again := chrome.Open(t, link, 1280, 900)
	again.Wait(over)
	require.Equal(t, hash, chrome.Eval[string](again, `document.querySelector('.engine .hash').textContent`))
}

// saved waits for a file that the page saves.
func saved(t *testing.T, b *chrome.Browser, name string) string {
	t.Helper()
	path := filepath.Join(b.Downloads, name)
	require.Eventually(t, func() bool {
		info, err := os.Stat(path)
		return err == nil && info.Size() > 0
	}, patience, 20*time.Millisecond, "%s was not saved", name)
	return path
}
