package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlayground runs the command as a user does: it says where the page is, serves it,
// and ends when it is told to.
func TestPlayground(t *testing.T) {
	module := filepath.Join(t.TempDir(), "tcpkit.wasm")
	require.NoError(t, os.WriteFile(module, []byte("\x00asm\x01\x00\x00\x00"), 0o600))
	said, out, err := os.Pipe()
	require.NoError(t, err)
	defer said.Close()
	p := startProgram(t, func(cmd *exec.Cmd) { cmd.Stdout = out }, "playground", "--port", "0", "--module", module)
	require.NoError(t, out.Close())
	p.says("open it in a browser")
	url, err := bufio.NewReader(said).ReadString('\n')
	require.NoError(t, err)
	url = strings.TrimSpace(url)
	require.Regexp(t, `^http://127\.0\.0\.1:\d+/$`, url)
	client := http.Client{Timeout: patience}
	for name, want := range map[string]string{"": "<!doctype html>", "tcpkit.wasm": "\x00asm"} {
		answer, err := client.Get(url + name)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, want, strings.ToLower(string(body[:len(want)])))
	}
	client.CloseIdleConnections()
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	p.exits(exitInterrupt)
}
