package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
