package wazero_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/fuel"
	"github.com/tcpkit/tcpkit/plugins/internal/assemble"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// loadIn loads a module with a cache and calls it.
func loadIn(t *testing.T, dir string, module []byte) int64 {
	t.Helper()
	e := newEngine(t, wazero.Config{Cache: dir})
	require.NoError(t, e.CacheError())
	code, err := e.Rewrite(module, fuel.DefaultLimits())
	require.NoError(t, err)
	i, err := e.Start(code, &recorder{}, plenty)
	require.NoError(t, err)
	require.NoError(t, i.Init(abi.PayloadAt))
	result, err := call(i, make([]byte, abi.RecordSize))
	require.NoError(t, err)
	return result
}

// kept are the files of a cache, with what is in them.
func kept(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[name] = string(b)
		return err
	}))
	return all
}

func TestCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	module := hook(assemble.Const64(77)...)
	require.Equal(t, int64(77), loadIn(t, dir, module))
	first := kept(t, dir)
	require.Len(t, first, 3, "the rewritten module, what is compiled, and its sum")
	info, err := os.Stat(dir)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		require.Equal(t, fs.FileMode(0o700), info.Mode().Perm(), "for nobody else")
	}
	require.Equal(t, int64(77), loadIn(t, dir, module))
	require.Equal(t, first, kept(t, dir), "nothing is made anew")
	require.Equal(t, int64(78), loadIn(t, dir, hook(assemble.Const64(78)...)))
	require.Len(t, kept(t, dir), 6)

	e := newEngine(t, wazero.Config{Cache: dir})
	limits := fuel.DefaultLimits()
	limits.Pages = 3
	other, err := e.Rewrite(module, limits)
	require.NoError(t, err)
	want, err := fuel.Rewrite(module, limits)
	require.NoError(t, err)
	require.Equal(t, want, other, "other limits are another module")
}

// What is in the cache is used, and not made again by chance the same.
func TestCacheIsUsed(t *testing.T) {
	dir := t.TempDir()
	one, other := hook(assemble.Const64(1)...), hook(assemble.Const64(2)...)
	loadIn(t, dir, one)
	loadIn(t, dir, other)
	files, err := filepath.Glob(filepath.Join(dir, "rewritten-*"))
	require.NoError(t, err)
	require.Len(t, files, 2)
	a, err := os.ReadFile(files[0])
	require.NoError(t, err)
	b, err := os.ReadFile(files[1])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(files[0], b, 0o600))
	require.NoError(t, os.WriteFile(files[1], a, 0o600))
	require.Equal(t, int64(2), loadIn(t, dir, one), "somebody who may write there could do anything anyway")
}

// TestDamagedCache spoils each file in several ways: it is made anew.
func TestDamagedCache(t *testing.T) {
	module := hook(assemble.Const64(77)...)
	for name, spoil := range map[string]func([]byte) []byte{
		"empty":    func([]byte) []byte { return nil },
		"cut off":  func(b []byte) []byte { return b[:len(b)/2] },
		"longer":   func(b []byte) []byte { return append(b, 0) },
		"zeros":    func(b []byte) []byte { return make([]byte, len(b)) },
		"a bit":    func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"ones":     func(b []byte) []byte { return []byte(strings.Repeat("\xff", len(b))) },
		"the last": func(b []byte) []byte { b[len(b)-1] ^= 0x80; return b },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.Equal(t, int64(77), loadIn(t, dir, module))
			whole := kept(t, dir)
			for file, content := range whole {
				require.NoError(t, os.WriteFile(filepath.Join(dir, file), spoil([]byte(content)), 0o600))
				require.Equal(t, int64(77), loadIn(t, dir, module), file)
				require.Equal(t, whole, kept(t, dir), file)
			}
			for file := range whole {
				require.NoError(t, os.Remove(filepath.Join(dir, file)))
				require.Equal(t, int64(77), loadIn(t, dir, module), file)
				require.Equal(t, whole, kept(t, dir), file)
			}
		})
	}
}

func TestCacheThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(t.TempDir(), link))
	for name, dir := range map[string]string{"a file": file, "below a file": filepath.Join(file, "dir"), "a link": link} {
		e := newEngine(t, wazero.Config{Cache: dir})
		require.ErrorContains(t, e.CacheError(), "without a cache of plugins: ", name)
		code, err := e.Rewrite(hook(assemble.Pass...), fuel.DefaultLimits())
		require.NoError(t, err)
		_, err = e.Start(code, nil, plenty)
		require.NoError(t, err, "it works without")
	}
	require.NoError(t, newEngine(t, wazero.Config{}).CacheError(), "none was asked for")
}

func TestCacheOfSomebodyElse(t *testing.T) {
	dir := t.TempDir()
	need.Root(t)
	require.NoError(t, os.Chown(dir, 1, 1))
	require.ErrorContains(t, newEngine(t, wazero.Config{Cache: dir}).CacheError(), "belongs to another user")
}

func TestCacheIsBounded(t *testing.T) {
	dir := t.TempDir()
	for n := range int64(70) {
		loadIn(t, dir, hook(assemble.Const64(n)...))
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.LessOrEqual(t, len(entries), 64)
	files := kept(t, dir)
	require.Equal(t, int64(69), loadIn(t, dir, hook(assemble.Const64(69)...)))
	require.Equal(t, files, kept(t, dir), "the last ones are there")
}

func TestDefaultCache(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/somewhere")
	t.Setenv("HOME", "/somewhere")
	dir, err := wazero.DefaultCache()
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(dir, filepath.Join("tcpkit", "plugins")), dir)
}

// A module that the compiler refuses leaves nothing behind.
func TestCacheOfARefusedModule(t *testing.T) {
	dir := t.TempDir()
	e := newEngine(t, wazero.Config{Cache: dir})
	_, err := e.Start(rewritten(t, hook(0x42, 0, 0x42, 0, 0x6a, 0x1a, 0x42, 0)), nil, plenty)
	require.ErrorContains(t, err, "compile: ")
	require.Empty(t, kept(t, dir))
}
