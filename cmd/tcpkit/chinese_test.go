package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var han = regexp.MustCompile(`\p{Han}`)

// setWell holds Chinese to how it is set: its own signs, a space between it and Latin
// letters or digits.
func setWell(t *testing.T, where, s string) {
	t.Helper()
	require.NotRegexp(t, `\p{Han}[,.;:!?()]|[,;:!?()]\p{Han}`, s, "%s: a sign of Latin script beside Chinese", where)
	require.NotRegexp(t, `\p{Han}[A-Za-z0-9]|[A-Za-z0-9]\p{Han}`, s, "%s: no space between the scripts", where)
}

// The Chinese that stands in sources, beside that of the catalogue, is set as it is there.
func TestChineseInSourcesIsSetWell(t *testing.T) {
	verb := regexp.MustCompile(`%(\[\d\])?[sdvq]`) // what comes for it is Chinese or has its blank
	count := 0
	for _, pattern := range []string{"*.go", "../../internal/ladder/*.go", "../../internal/narrate/*.go"} {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				lit, ok := n.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING || !han.MatchString(lit.Value) {
					return true
				}
				s, err := strconv.Unquote(lit.Value)
				require.NoError(t, err)
				if name != "explain.go" || !strings.Contains(s, "tcpkit explain ") { // an example of what to type
					count++
					setWell(t, name, verb.ReplaceAllString(s, "中"))
					require.NotRegexp(t, `[^ ] [，。；：、（）]|[，。；：、（）] [^ ]`, s, "%s: a space beside a wide sign", name)
				}
				return true
			})
		}
	}
	require.Greater(t, count, 150)
}

// And so is what comes out.
func TestChineseOutputIsSetWell(t *testing.T) {
	count := 0
	for _, root := range []string{"testdata", "../../internal/ladder/testdata"} {
		require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.Contains(filepath.Base(path), "zh") {
				return err
			}
			text, err := os.ReadFile(path)
			for line := range strings.Lines(string(text)) {
				if han.MatchString(line) {
					count++
					setWell(t, path, strings.TrimSpace(line))
				}
			}
			return err
		}))
	}
	require.Greater(t, count, 100)
}
