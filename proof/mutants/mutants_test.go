package mutants

import (
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

// TestMutantsFit holds the mutants to the engine as it is: the lines that each
// replaces stand in their file once, and what comes out is Go.
func TestMutantsFit(t *testing.T) {
	all, err := Load("testdata")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(all), 20, "twenty planted bugs")
	for _, m := range all {
		files, err := m.Patch(root)
		if err != nil {
			t.Error(err)
			continue
		}
		for name, src := range files {
			_, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
			require.NoError(t, err, m.Name)
		}
	}
}

// TestTable holds the table of README.md to the planted bugs that there are.
func TestTable(t *testing.T) {
	all, err := Load("testdata")
	require.NoError(t, err)
	all = slices.DeleteFunc(all, func(m Mutant) bool { return strings.Contains(m.Name, "/") })
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, m := range all {
		require.Contains(t, string(readme), "| "+m.Name+" ", "go run ./proof/mutants/score -run '^[^/]*$' prints the table anew")
	}
	require.Contains(t, string(readme), fmt.Sprintf("%d of %d killed", len(all), len(all)))
}

const good = "# It breaks a,\n# §1.\nfile a.go\n--- old\nx\n--- new\ny\nz\n---\n\n--- old\nw\n--- new\n---\nfile b.go\n--- old\nu\n--- new\nv\n---\n"

func TestParse(t *testing.T) {
	m, err := Parse("m", good)
	require.NoError(t, err)
	require.Equal(t, Mutant{Name: "m", Title: "It breaks a, §1.", Edits: []Edit{
		{"a.go", "x\n", "y\nz\n"}, {"a.go", "w\n", ""}, {"b.go", "u\n", "v\n"},
	}}, m)
	for _, c := range []struct{ text, want string }{
		{"", "does not say what it breaks"},
		{"# a\n", "changes nothing"},
		{"# a\nx\n", `m.mutant:2: expected "# what it breaks"`},
		{"# a\n--- old\n", `expected a line "file NAME"`},
		{"# a\nfile f\n--- old\nx\n", "the old lines have no end"},
		{"# a\nfile f\n--- old\nx\n---\n", "expected the end of the old lines"},
		{"# a\nfile f\n--- old\nx\n--- new\nx\n---\n", "expected lines to replace"},
		{"# a\nfile f\n--- old\n--- new\nx\n---\n", "expected lines to replace"},
	} {
		_, err := Parse("m", c.text)
		require.ErrorContains(t, err, c.want, c.text)
	}
}

func TestOverlay(t *testing.T) {
	tree, dir := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(tree, name), []byte(text), 0o666))
	}
	write("a.go", "x\nxx\nw\n")
	write("b.go", "u\n")
	m, err := Parse("m", good)
	require.NoError(t, err)
	name, err := m.Overlay(tree, dir)
	require.NoError(t, err)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	var got struct{ Replace map[string]string }
	require.NoError(t, json.Unmarshal(text, &got))
	require.Len(t, got.Replace, 2)
	for file, want := range map[string]string{"a.go": "y\nz\nxx\n", "b.go": "v\n"} {
		src, err := os.ReadFile(got.Replace[filepath.Join(tree, file)])
		require.NoError(t, err)
		require.Equal(t, want, string(src), "whole lines are replaced, and no others")
	}
	write("b.go", "u\nu\n")
	_, err = m.Overlay(tree, dir)
	require.ErrorContains(t, err, "b.go has these lines 2 times")
	write("b.go", "uu\n")
	_, err = m.Overlay(tree, dir)
	require.ErrorContains(t, err, "b.go has these lines 0 times")
}
