package project_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/guest/project"
)

// tools are what each language needs beside Go.
var tools = map[project.Language][][2]string{
	project.Go:             nil,
	project.WAT:            {{"wat2wasm", "wabt"}},
	project.AssemblyScript: {{"asc", "assemblyscript, from npm"}},
	project.C:              {{"clang", "clang"}, {"wasm-ld", "lld"}},
}

// TestNew: what a new plugin's folder has can be built as it is, and by the line
// in its README.
func TestNew(t *testing.T) {
	for l, programs := range tools {
		t.Run(l.String(), func(t *testing.T) {
			for _, p := range programs {
				need.Tool(t, p[0], p[1])
			}
			dir := t.TempDir()
			require.NoError(t, project.New(dir, "hello", l))
			dir = filepath.Join(dir, "hello")
			s, err := project.Find(dir)
			require.NoError(t, err)
			require.Equal(t, "hello", s.Name)
			require.Equal(t, l, s.Language)
			module, err := s.Build(t.Context())
			require.NoError(t, err)
			m, err := plugins.Inspect(module)
			require.NoError(t, err)
			var names []string
			for _, f := range m.Exports {
				names = append(names, f.Name)
			}
			for _, name := range []string{abi.ExportMemory, abi.ExportABI, abi.ExportInit, abi.ExportConfig, abi.ExportLeaving, abi.ExportTransition} {
				require.Contains(t, names, name)
			}
			require.True(t, bytes.HasSuffix(module, append([]byte(abi.ManifestSection), s.Manifest...)), "the manifest is there")
			require.NotContains(t, string(s.Manifest), "{{")

			readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
			require.NoError(t, err)
			require.Contains(t, string(readme), "    "+s.Line()+"\n")
			sh := exec.Command("sh", "-c", s.Line())
			sh.Dir = dir
			said, err := sh.CombinedOutput()
			require.NoError(t, err, "%s", said)
			bare, err := os.ReadFile(filepath.Join(dir, "hello.wasm"))
			require.NoError(t, err)
			require.True(t, bytes.HasPrefix(module, bare), "the line makes the same module, without the manifest")
		})
	}
}

// The Go template's own test passes, on a machine with Go and nothing else.
func TestNewGoTest(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, project.New(dir, "hello", project.Go))
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = filepath.Join(dir, "hello")
		cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off")
		said, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", said)
	}
}

func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"", ".", "..", "a/b", "../a", "/a", "-a", "a-", "a b", "A", "ä", "a\x00", "a\n", "--lang", "1a", "a--b", "tcpkit", "guest",
		"a23456789012345678901234567890123456789012",
	} {
		require.Error(t, project.New(dir, name, project.C), name)
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "mine"), 0o777))
	require.ErrorIs(t, project.New(dir, "mine", project.C), os.ErrExist)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing was written")
}

func TestFindRefuses(t *testing.T) {
	for _, c := range []struct {
		files []string
		says  string
	}{
		{nil, "has no plugin's source"},
		{[]string{"tcpkit.ts", "x.d.ts", "x_test.go", "manifest"}, "has no plugin's source"},
		{[]string{"a.c", "b.wat"}, "more than one source, a.c and b.wat"},
	} {
		dir := t.TempDir()
		for _, f := range c.files {
			require.NoError(t, os.WriteFile(filepath.Join(dir, f), nil, 0o666))
		}
		_, err := project.Find(dir)
		require.ErrorContains(t, err, c.says)
	}
	_, err := project.Find(filepath.Join(t.TempDir(), "nowhere"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Who lacks a compiler is told what to install.
func TestMissing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", t.TempDir())
	for l := range tools {
		require.NoError(t, project.New(dir, "no-"+l.String(), l))
		s, err := project.Find(filepath.Join(dir, "no-"+l.String()))
		require.NoError(t, err)
		_, err = s.Build(t.Context())
		var missing *project.MissingError
		require.ErrorAs(t, err, &missing)
		require.Regexp(t, "is not here, and .* needs it; install ", err.Error())
	}
}

// What the compiler says of a mistake is passed on, and a file's name is no flag.
func TestMistake(t *testing.T) {
	need.Tool(t, "wat2wasm", "wabt")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "--help.wat"), []byte("(module (func (export 7)))"), 0o666))
	s, err := project.Find(dir)
	require.NoError(t, err)
	_, err = s.Build(t.Context())
	var failed *project.FailedError
	require.ErrorAs(t, err, &failed)
	require.Contains(t, failed.Output, "--help.wat:1:")
}

// What is in the file manifest for its reader is not in the module.
func TestManifest(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.wat"), nil, 0o666))
	s, err := project.Find(dir)
	require.NoError(t, err)
	require.Nil(t, s.Manifest, "a plugin may have none")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest"), []byte("# for you\n\n name a \r\n\tgrants observe\n"), 0o666))
	s, err = project.Find(dir)
	require.NoError(t, err)
	require.Equal(t, "name a\ngrants observe\n", string(s.Manifest))
}

// A new plugin's README names hooks that there are.
func TestHooksOfReadme(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, project.New(".", "mine", project.WAT))
	text, err := os.ReadFile("mine/README.md")
	require.NoError(t, err)
	_, list, ok := strings.Cut(string(text), "with a name out of\n\n")
	require.True(t, ok)
	list, _, ok = strings.Cut(list, "  and more of cc_")
	require.True(t, ok)
	_, problems := plugins.ParseManifest([]byte("hooks " + strings.Join(strings.Fields(list), " ")))
	require.Empty(t, problems)
}
