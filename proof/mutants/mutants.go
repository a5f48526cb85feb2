package mutants

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Mutant is a bug that can be planted.
type Mutant struct {
	Name  string // the file's, below testdata, without .mutant
	Title string // what it breaks
	Edits []Edit
}

// An Edit replaces lines of a file.
type Edit struct {
	File     string // from the root of the module, with slashes
	Old, New string // whole lines, each with its newline
}

// Parse reads a mutant.
func Parse(name, text string) (Mutant, error) {
	m := Mutant{Name: name}
	var title []string
	file, in := "", ""
	var e Edit
	for i, line := range strings.SplitAfter(text, "\n") {
		bare := strings.TrimSuffix(line, "\n")
		bad := func(want string) (Mutant, error) {
			return Mutant{}, fmt.Errorf("%s.mutant:%d: expected %s, found %q", name, i+1, want, bare)
		}
		switch {
		case in == "old" && bare == "--- new":
			in = "new"
		case in == "new" && bare == "---":
			if e.Old == "" || e.Old == e.New {
				return bad("lines to replace before this, and others in their place")
			}
			m.Edits = append(m.Edits, e)
			in = ""
		case in != "" && strings.HasPrefix(bare, "---"):
			return bad("the end of the " + in + " lines")
		case in == "old":
			e.Old += line
		case in == "new":
			e.New += line
		case bare == "--- old":
			if file == "" {
				return bad("a line \"file NAME\"")
			}
			e, in = Edit{File: file}, "old"
		case strings.HasPrefix(bare, "# ") && file == "":
			title = append(title, bare[2:])
		case strings.HasPrefix(bare, "file "):
			file = strings.TrimSpace(bare[5:])
		case bare != "":
			return bad("\"# what it breaks\", \"file NAME\" or \"--- old\"")
		}
	}
	switch {
	case in != "":
		return Mutant{}, fmt.Errorf("%s.mutant: the %s lines have no end", name, in)
	case len(title) == 0:
		return Mutant{}, fmt.Errorf("%s.mutant: it does not say what it breaks", name)
	case len(m.Edits) == 0:
		return Mutant{}, fmt.Errorf("%s.mutant: it changes nothing", name)
	}
	m.Title = strings.Join(title, " ")
	return m, nil
}

// Load reads every mutant below a folder, in the order of their names.
func Load(dir string) ([]Mutant, error) {
	var all []Mutant
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".mutant" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		m, err := Parse(strings.TrimSuffix(filepath.ToSlash(rel), ".mutant"), string(text))
		all = append(all, m)
		return err
	})
	return all, err
}

// Patch gives the files that the mutant changes as they are with it. root is the
// module's.
func (m *Mutant) Patch(root string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, e := range m.Edits {
		src, ok := files[e.File]
		if !ok {
			var err error
			if src, err = os.ReadFile(filepath.Join(root, filepath.FromSlash(e.File))); err != nil {
				return nil, fmt.Errorf("mutant %s: %w", m.Name, err)
			}
		}
		at, n := lines(string(src), e.Old)
		if n != 1 {
			return nil, fmt.Errorf("mutant %s: %s has these lines %d times, not once:\n%s", m.Name, e.File, n, e.Old)
		}
		files[e.File] = slices.Concat(src[:at], []byte(e.New), src[at+len(e.Old):])
	}
	return files, nil
}

// lines finds whole lines in a text: where they stand the last time, and how often.
func lines(text, want string) (at, n int) {
	for i := 0; i < len(text); {
		if strings.HasPrefix(text[i:], want) {
			at, n = i, n+1
		}
		next := strings.IndexByte(text[i:], '\n')
		if next < 0 {
			break
		}
		i += next + 1
	}
	return at, n
}

// Overlay writes the patched files into dir and returns the name of the file that
// go build's -overlay wants.
func (m *Mutant) Overlay(root, dir string) (string, error) {
	files, err := m.Patch(root)
	if err != nil {
		return "", err
	}
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for file, src := range files {
		copied := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(copied, src, 0o666); err != nil {
			return "", err
		}
		overlay.Replace[filepath.Join(root, filepath.FromSlash(file))] = copied
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, text, 0o666)
}
