package abi_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "add to testdata/numbers.txt what is new in the package")

// constants are the names that plugins know and their values, in the order of the
// source. Those of embed.go are between two halves of the host, which come together.
func constants(t *testing.T) (names []string, values map[string]string) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "abi.go", nil, 0)
	require.NoError(t, err)
	pkg, err := new(types.Config).Check("abi", fset, []*ast.File{f}, nil)
	require.NoError(t, err)
	values = map[string]string{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			for _, id := range s.(*ast.ValueSpec).Names {
				names = append(names, id.Name)
				values[id.Name] = pkg.Scope().Lookup(id.Name).(*types.Const).Val().ExactString()
			}
		}
	}
	return names, values
}

// TestNumbersAreFrozen holds each number and name of version 1 to a table. Lines
// are added to it, and none is ever changed: plugins exist that were built with
// them.
func TestNumbersAreFrozen(t *testing.T) {
	names, values := constants(t)
	text, err := os.ReadFile("testdata/numbers.txt")
	if !*update {
		require.NoError(t, err)
	}
	frozen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		require.Contains(t, values, name, "it was in version 1")
		require.Equal(t, value, values[name], "%s is frozen", name)
		frozen[name] = true
	}
	added := string(text)
	for _, name := range names {
		if !frozen[name] {
			added += name + " " + values[name] + "\n"
		}
	}
	if *update {
		require.NoError(t, os.WriteFile("testdata/numbers.txt", []byte(added), 0o644))
		return
	}
	require.Equal(t, string(text), added, "what is new is frozen too: go test ./plugins/abi -update")
}
