package wazero

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tcpkit/tcpkit/plugins/fuel"
)

// A cache is a directory that keeps what has been made of modules, for the next
// time: the rewritten module in a file, and what wazero has compiled in a directory
// of its own. All of it has a sum, and what does not agree with its sum is made
// anew. Nothing here is ever an error: without a cache loading takes longer.
type cache struct {
	dir string // "": there is none
}

// DefaultCache is where a user's modules are kept.
func DefaultCache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "tcpkit", "plugins"), nil
}

// mostKept is how many files and directories a cache has; those that were not used
// for the longest time go first.
const mostKept = 64

// openCache makes the directory for nobody else. What is in it will be run, so it
// must be the user's own.
func openCache(dir string) (cache, error) {
	if dir == "" {
		return cache{}, nil
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	var info fs.FileInfo
	if err == nil {
		info, err = os.Lstat(dir)
	}
	switch {
	case err != nil:
	case !info.IsDir():
		err = fmt.Errorf("%s is no directory", dir)
	case !ours(info):
		err = fmt.Errorf("%s belongs to another user", dir)
	default:
		err = os.Chmod(dir, 0o700)
	}
	if err != nil {
		return cache{}, fmt.Errorf("without a cache of plugins: %w", err)
	}
	return cache{dir}, nil
}

// rewrite is fuel.Rewrite, from the cache if that has been done before.
func (c cache) rewrite(module []byte, l fuel.Limits) ([]byte, error) {
	if c.dir == "" {
		return fuel.Rewrite(module, l)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s %+v %d\n", fuel.Version, l, len(module))
	h.Write(module)
	file := filepath.Join(c.dir, "rewritten-"+hex.EncodeToString(h.Sum(nil)))
	if kept, err := os.ReadFile(file); err == nil && len(kept) > sha256.Size {
		if sum := sha256.Sum256(kept[sha256.Size:]); sum == [sha256.Size]byte(kept) {
			touch(file)
			return kept[sha256.Size:], nil
		}
	}
	rewritten, err := fuel.Rewrite(module, l)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(rewritten)
	_ = write(file, append(sum[:], rewritten...))
	c.prune()
	return rewritten, nil
}

// compiled is the directory for what wazero makes of a module, "" if there is none,
// and how many files it has.
func (c cache) compiled(key [sha256.Size]byte) (dir string, files int) {
	if c.dir == "" {
		return "", 0
	}
	dir = filepath.Join(c.dir, "compiled-"+hex.EncodeToString(key[:]))
	if kept, err := os.ReadFile(sumFile(dir)); err != nil || string(kept) != sums(dir) {
		_ = os.RemoveAll(dir)
	}
	if os.MkdirAll(dir, 0o700) != nil {
		return "", 0
	}
	touch(dir)
	return dir, len(list(dir))
}

// seal writes down the sums of what is in the directory of a module, if there is
// more now than when it was opened: another machine may have added its own.
func (c cache) seal(dir string, files int) {
	if len(list(dir)) == files {
		return
	}
	_ = write(sumFile(dir), []byte(sums(dir)))
	c.prune()
}

func sumFile(dir string) string { return filepath.Join(dir, "sums") }

// list has the paths of all files in the directory of a module but that of sums, in
// their order.
func list(dir string) (all []string) {
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && path != sumFile(dir) {
			all = append(all, path)
		}
		return err
	})
	return all
}

// sums are those of the files of a module, which are large: wazero checks its code
// by the same sum once more.
func sums(dir string) string {
	var all []byte
	for _, path := range list(dir) {
		sum := crc32.New(castagnoli)
		f, err := os.Open(path)
		if err != nil {
			return ""
		}
		size, err := io.Copy(sum, f)
		if errors.Join(err, f.Close()) != nil {
			return ""
		}
		name, _ := filepath.Rel(dir, path)
		all = fmt.Appendf(all, "%08x %d %s\n", sum.Sum32(), size, filepath.ToSlash(name))
	}
	return string(all)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// write writes a file at once, so that nobody reads half of it.
func write(file string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), "new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// touch notes that something has been used.
func touch(path string) {
	now := time.Now()
	_ = os.Chtimes(path, now, now)
}

// prune takes away what was not used for the longest time.
func (c cache) prune() {
	entries, err := os.ReadDir(c.dir)
	if err != nil || len(entries) <= mostKept {
		return
	}
	var all []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			all = append(all, info)
		}
	}
	slices.SortFunc(all, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	for _, info := range all[:max(len(all)-mostKept, 0)] {
		_ = os.RemoveAll(filepath.Join(c.dir, info.Name()))
	}
}
