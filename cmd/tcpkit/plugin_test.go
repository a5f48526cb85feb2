package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
)

// From nothing to a module: two commands.
func TestPluginNewBuild(t *testing.T) {
	need.Tool(t, "wat2wasm", "wabt")
	t.Chdir(t.TempDir())
	code, out, errs := try("plugin", "new", "--lang", "wat", "hello")
	require.Equal(t, exitOK, code, errs)
	require.Equal(t, "hello: a source, its manifest, its test and a README; build it by\n  tcpkit plugin build hello\n", out)

	code, out, errs = try("plugin", "build", "hello")
	require.Equal(t, exitOK, code, errs)
	require.Empty(t, errs)
	require.Regexp(t, `^hello/hello\.wasm: \d{3} octets\n$`, out)
	info, err := os.Stat("hello/hello.wasm")
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(1000))

	code, out, errs = try("plugin", "build", "hello", "-o", "other.wasm", "--json")
	require.Equal(t, exitOK, code, errs)
	require.Regexp(t, `^{"file":"other.wasm","octets":\d+}\n$`, out)

	code, _, errs = try("plugin", "new", "--lang", "c", "hello")
	require.Equal(t, exitRuntime, code)
	require.Contains(t, errs, "hello: file exists: take another name")
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
