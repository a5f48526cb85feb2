package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
)

// From nothing to a plugin that does something, in each language: what a new folder
// has is built, and passes its own test.
func TestPluginNewBuild(t *testing.T) {
	for lang, tools := range map[string][]string{"go": nil, "wat": {"wat2wasm"}, "c": {"clang", "wasm-ld"}, "as": {"asc"}} {
		t.Run(lang, func(t *testing.T) {
			if lang == "go" && testing.Short() {
				t.Skip("a module of Go's takes seconds to be compiled")
			}
			for _, tool := range tools {
				need.Tool(t, tool, "wabt, clang, lld, and assemblyscript from npm")
			}
			t.Chdir(t.TempDir())
			code, out, errs := try("plugin", "new", "--lang", lang, "hello")
			require.Equal(t, exitOK, code, errs)
			require.Equal(t, "hello: a source, its manifest, its test and a README; build it by\n  tcpkit plugin build hello\n", out)

			code, out, errs = try("plugin", "build", "hello")
			require.Equal(t, exitOK, code, errs)
			require.Empty(t, errs)
			require.Regexp(t, `^hello/hello\.wasm: \d+ octets\n$`, out)

			code, out, errs = try("plugin", "check", "hello/hello.wasm")
			require.Equal(t, exitOK, code, out+errs)
			code, out, errs = try("script", "--plugin", "hello/hello.wasm", "hello/hello.pkt")
			require.Equal(t, exitOK, code, out+errs)
			require.Equal(t, "1 passed, 0 failed, 0 unsupported\n", out)
			code, out, _ = try("script", "--plugin", "hello/hello.wasm,tos=40", "hello/hello.pkt")
			require.Equal(t, exitExpectation, code)
			require.Contains(t, out, "expected 32, actual 40")
			code, out, errs = try("plugin", "run", "hello/hello.wasm")
			require.Equal(t, exitOK, code, errs)
			require.Contains(t, out, " tos 0x20 ")

			code, _, errs = try("plugin", "new", "--lang", "c", "hello")
			require.Equal(t, exitRuntime, code)
			require.Contains(t, errs, "hello: file exists: take another name")
		})
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
