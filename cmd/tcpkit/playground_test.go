package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExportPlayground(t *testing.T) {
	dir := t.TempDir()
	module := filepath.Join(dir, "tcpkit.wasm")
	require.NoError(t, os.WriteFile(module, []byte("\x00asm\x01\x00\x00\x00"), 0o600))
	site := filepath.Join(dir, "site")
	code, _, errs := try("playground", "--module", module, "--export", site)
	require.Equal(t, exitOK, code, errs)
	page, err := os.ReadFile(filepath.Join(site, "index.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), `http-equiv="Content-Security-Policy"`)
	require.FileExists(t, filepath.Join(site, "tcpkit.wasm"))
	require.FileExists(t, filepath.Join(site, "plugins", "two-way.wasm"))
	code, _, errs = try("playground", "--module", module, "--export", site)
	require.Equal(t, exitRuntime, code)
	require.Contains(t, errs, "is not empty; give a new folder")
}

func TestPlaygroundMistakes(t *testing.T) {
	dir := t.TempDir()
	text, module := filepath.Join(dir, "text"), filepath.Join(dir, "tcpkit.wasm")
	require.NoError(t, os.WriteFile(module, []byte("\x00asm\x01\x00\x00\x00"), 0o600))
	require.NoError(t, os.WriteFile(text, []byte("no module"), 0o600))
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--port", "70000"}, exitUsage, "give 1 to 65535"},
		{[]string{"--port", "http"}, exitUsage, `bad --port "http": give a whole number`},
		{[]string{"--module", filepath.Join(dir, "none")}, exitUsage, "there is no file"},
		{[]string{"--module", dir}, exitUsage, "is a folder"},
		{[]string{"--module", os.DevNull}, exitUsage, "is no plain file"},
		{[]string{"--export="}, exitUsage, "no folder given"},
		{[]string{"--module", module, "--build", dir}, exitUsage, "it is a folder; name a file in it"},
		{[]string{"--module", text}, exitRuntime, "is not a WASM module; 'tcpkit playground --build FILE' writes the engine's"},
		{[]string{"--export", "a", "--build", "b"}, exitUsage, "export"},
		{[]string{"more"}, exitUsage, `"more" is one word too many: the form is 'tcpkit playground'`},
	} {
		code, _, errs := try(append([]string{"playground"}, c.args...)...)
		require.Equal(t, c.code, code, "%v: %s", c.args, errs)
		require.Contains(t, errs, c.says)
	}
}
