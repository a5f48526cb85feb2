package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
)

func repoFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../..", path))
	require.NoError(t, err)
	return string(b)
}

// The README's first code block is the Example that runs.
func TestReadmeExample(t *testing.T) {
	_, block, ok := strings.Cut(repoFile(t, "README.md"), "```")
	require.True(t, ok)
	block, _, ok = strings.Cut(block, "```")
	require.True(t, ok)
	_, example, ok := strings.Cut(repoFile(t, "hosts/native/example_test.go"), "func Example_udpTunnel() {\n")
	require.True(t, ok)
	example, _, ok = strings.Cut(example, "\t// Output:")
	require.True(t, ok)
	example = regexp.MustCompile(`(?m)^\t`).ReplaceAllString(example, "")
	require.Equal(t, example, strings.TrimPrefix(block, "go\n"))
}

// What the README names is there, and what go.mod requires has its reason.
func TestReadmeNames(t *testing.T) {
	readme := repoFile(t, "README.md")
	dir := ""
	for _, m := range regexp.MustCompile("`((?:core|hosts|cmd|bench)/[\\w/.]*|\\w+\\.go)`").FindAllStringSubmatch(readme, -1) {
		path := m[1]
		if !strings.Contains(path, "/") {
			path = filepath.Join(dir, path) // in the folder named before it
		} else if strings.HasSuffix(path, ".go") {
			dir = filepath.Dir(path)
		}
		path = strings.TrimSuffix(path, "/...")
		_, err := os.Stat(filepath.Join("../..", path))
		require.NoError(t, err)
	}
	for line := range strings.Lines(repoFile(t, "go.mod")) {
		f := strings.Fields(strings.TrimPrefix(line, "require"))
		if len(f) == 2 && strings.Contains(f[0], ".") && strings.HasPrefix(f[1], "v") {
			require.True(t, strings.Contains(readme, "`"+f[0]+"`"), "%s: a direct dependency without its reason", f[0])
		}
	}
}

// pluginLangs are the languages of the README's plugin chapter, and what builds them.
var pluginLangs = []struct{ lang, tools, install string }{
	{"go", "go", "Go"}, {"wat", "wat2wasm", "wabt"}, {"c", "clang wasm-ld", "clang and lld"}, {"as", "asc", "assemblyscript from npm"},
}

// TestReadmePlugin runs the commands of the README's chapter on plugins as they stand
// there, in each language: from nothing to a plugin that does something, is built, and
// passes its own test. The one on a TUN stands in TestReadmePluginOnTUN.
func TestReadmePlugin(t *testing.T) {
	t.Parallel()
	for _, l := range pluginLangs {
		t.Run(l.lang, func(t *testing.T) {
			t.Parallel()
			for tool := range strings.FieldsSeq(l.tools) {
				need.Tool(t, tool, l.install)
			}
			commands := pluginCommands(t, l.lang)
			dir := t.TempDir()
			try := func(args ...string) (code int, out, errs string) { return tryIn(t, dir, args...) }
			for _, words := range commands {
				if words[0] == "listen" {
					continue
				}
				code, out, errs := try(words...)
				require.Zero(t, code, "tcpkit %s\n%s%s", strings.Join(words, " "), out, errs)
				switch strings.Join(words[:min(2, len(words))], " ") {
				case "plugin new":
					require.Equal(t, "mark: a source, its manifest, its test and a README; build it by\n  tcpkit plugin build mark\n", out)
				case "plugin build":
					require.Empty(t, errs)
					require.Regexp(t, `^mark/mark\.wasm: \d+ octets\n$`, out)
				case "plugin check":
					require.Contains(t, out, "ok")
				case "script --plugin":
					require.Equal(t, "1 passed, 0 failed, 0 unsupported\n", out)
				case "plugin run":
					require.Contains(t, out, "mark: tos 0x0 -> 0x28\n")
					require.Contains(t, out, "mark says: a connection is established")
				case "plugin bench":
					require.Contains(t, out, "segment_leaving")
				}
			}
			code, out, _ := try("script", "--plugin", "mark/mark.wasm,tos=40", "mark/mark.pkt")
			require.Equal(t, exitExpectation, code)
			require.Contains(t, out, "expected 32, actual 40")
			code, out, errs := try("plugin", "run", "mark/mark.wasm")
			require.Equal(t, exitOK, code, errs)
			require.Contains(t, out, "mark: tos 0x0 -> 0x20\n")
			code, _, errs = try("plugin", "new", "--lang", "c", "mark")
			require.Equal(t, exitRuntime, code)
			require.Contains(t, errs, "mark: file exists: take another name")
		})
	}
}

// pluginCommands are the commands of the chapter, in words, for a language.
func pluginCommands(t *testing.T, lang string) (commands [][]string) {
	t.Helper()
	_, chapter, ok := strings.Cut(repoFile(t, "README.md"), "## Write a plugin")
	require.True(t, ok)
	_, block, ok := strings.Cut(chapter, "```sh\n")
	require.True(t, ok)
	block, _, ok = strings.Cut(block, "```")
	require.True(t, ok)
	for line := range strings.Lines(block) {
		words := strings.Fields(strings.Replace(line, "--lang go", "--lang "+lang, 1))
		require.Equal(t, "tcpkit", words[0])
		commands = append(commands, words[1:])
	}
	require.Len(t, commands, 7)
	return commands
}

// TestReadmeScenarios runs the commands of the README's section on scenarios as they
// stand there, and compares what it shows of one.
func TestReadmeScenarios(t *testing.T) {
	_, section, ok := strings.Cut(repoFile(t, "README.md"), "### A scenario is a lesson")
	require.True(t, ok)
	blocks := strings.Split(section, "```")
	t.Chdir(t.TempDir())
	for line := range strings.Lines(strings.TrimSpace(blocks[1])) {
		words := strings.Fields(line)
		require.Equal(t, "tcpkit", words[0])
		code, _, errs := try(words[1:]...)
		require.Equal(t, exitOK, code, "%s: %s", line, errs)
	}
	shown, output, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(blocks[3]), "$ tcpkit "), "\n")
	require.True(t, ok)
	_, out, _ := try(strings.Fields(shown)...)
	require.True(t, strings.HasPrefix(out, strings.TrimSuffix(output, "...")), out)
}
