package examples_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/examples"
	"github.com/tcpkit/tcpkit/plugins/guest/project"
)

var update = flag.Bool("update", false, "build the modules anew")

// compilers are those that the modules here were built with: others are as good, but
// their octets may be different.
var compilers = map[project.Language][]struct{ program, install, version string }{
	project.WAT:            {{"wat2wasm", "wabt", "1.0.32"}},
	project.C:              {{"clang", "clang 14", "clang version 14.0.6"}, {"wasm-ld", "lld 14", "LLD 14.0.6"}},
	project.AssemblyScript: {{"asc", "assemblyscript@0.28.20, by npm install -g", "0.28.20"}},
}

// folders are those of all plugins, built or not.
func folders(t *testing.T) (names []string) {
	t.Helper()
	manifests, err := filepath.Glob("*/manifest")
	require.NoError(t, err)
	for _, m := range manifests {
		names = append(names, filepath.Dir(m))
	}
	return names
}

// TestModules: each module is what its source and its manifest say.
func TestModules(t *testing.T) {
	for _, name := range folders(t) {
		t.Run(name, func(t *testing.T) {
			s, err := project.Find(name)
			require.NoError(t, err)
			for _, c := range compilers[s.Language] {
				out, err := exec.Command(need.Tool(t, c.program, c.install), "--version").CombinedOutput()
				require.NoError(t, err)
				if !strings.Contains(string(out), c.version) {
					need.Missing(t, "install "+c.install+": this is another version, "+string(out))
				}
			}
			built, err := s.Build(t.Context())
			require.NoError(t, err)
			for _, problem := range plugins.Check(nil, built, plugins.Options{Allow: ^plugins.Grants(0)}) {
				require.NoError(t, problem)
			}
			d, err := plugins.Describe(built, plugins.Options{})
			require.NoError(t, err)
			require.Equal(t, name, d.Manifest.Name)
			require.NotEmpty(t, d.Manifest.Description)
			if s.Language == project.Go {
				return // too large to be kept
			}
			file := filepath.Join(name, name+".wasm")
			if *update {
				require.NoError(t, os.WriteFile(file, built, 0o644))
				return
			}
			kept, ok := examples.Module(name)
			require.True(t, ok, "go test ./plugins/examples -run TestModules -update writes it")
			require.Equal(t, built, kept, "%s is not what its source says: go test ./plugins/examples -run TestModules -update", file)
			require.LessOrEqual(t, len(kept), 4096, "what is kept here is small")
		})
	}
}

// TestNames: all but those in Go are kept built.
func TestNames(t *testing.T) {
	names := examples.Names()
	for _, name := range folders(t) {
		if s, err := project.Find(name); err != nil || s.Language != project.Go {
			require.Contains(t, names, name)
		}
	}
	require.Len(t, names, len(folders(t))-1)
	_, ok := examples.Module("none")
	require.False(t, ok)
}
