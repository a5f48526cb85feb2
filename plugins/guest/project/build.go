package project

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/guest"
)

// A Source is a plugin that can be built.
type Source struct {
	Dir      string // absolute
	Name     string // of the module, without .wasm
	File     string // in Dir; of Go "."
	Language Language
	Manifest []byte // as it goes into the module; nil if there is none
}

// manifestFile is the file that becomes the manifest.
const manifestFile = "manifest"

// Find looks at a folder.
func Find(dir string) (*Source, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []*Source
	packaged := false
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		switch name := e.Name(); {
		case strings.HasSuffix(name, "_test.go"), strings.HasSuffix(name, ".d.ts"), name == kitOfAS:
		case strings.HasSuffix(name, ".go"):
			packaged = true
		default:
			for l := WAT; l < languages; l++ {
				if base, ok := strings.CutSuffix(name, table[l].suffix); ok {
					found = append(found, &Source{Dir: dir, Name: base, File: name, Language: l})
				}
			}
		}
	}
	if len(found) == 0 && packaged {
		found = append(found, &Source{Dir: dir, Name: filepath.Base(dir), File: ".", Language: Go})
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%s has no plugin's source: a .go, .wat, .ts or .c file", dir)
	case 1:
	default:
		return nil, fmt.Errorf("%s has more than one source, %s and %s; a plugin is one file, so keep them in folders of their own", dir, found[0].File, found[1].File)
	}
	s := found[0]
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	s.Manifest = trim(text)
	return s, err
}

// trim leaves out of a manifest what is for those who read the file.
func trim(text []byte) []byte {
	out := []byte{}
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			out = append(append(out, line...), '\n')
		}
	}
	return out
}

// A FailedError is a compiler that does not take the source.
type FailedError struct {
	Program string
	Output  string // what it says
	Err     error
}

func (e *FailedError) Error() string {
	return fmt.Sprintf("%s: %v\n%s", e.Program, e.Err, strings.TrimSpace(e.Output))
}

// Unwrap returns how it ended.
func (e *FailedError) Unwrap() error { return e.Err }

// Line is the command line of the compiler, as a shell has it.
func (s *Source) Line() string {
	c := commandOf(s.Language)
	return c.line(s.File, s.Name+".wasm")
}

// Build runs the compiler and returns the module, with its manifest.
func (s *Source) Build(ctx context.Context) ([]byte, error) {
	c, err := s.resolve(commandOf(s.Language))
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "tcpkit-plugin-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	if s.Language == C {
		// A folder with the header has it by -I. already.
		if err := copyKit(scratch, C); err != nil {
			return nil, err
		}
		c.args = append(c.args, "-I"+scratch)
	}
	// asc takes paths that are relative to the folder.
	out, err := filepath.Rel(s.Dir, filepath.Join(scratch, "out.wasm"))
	if err != nil {
		out = filepath.Join(scratch, "out.wasm")
	}
	source := "." // a name may begin with a dash
	if s.File != "." {
		source = "./" + s.File
	}
	cmd := exec.CommandContext(ctx, c.args[0], append(c.args[1:], "-o", out, source)...)
	cmd.Dir = s.Dir
	cmd.Env = append(os.Environ(), c.env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, &FailedError{filepath.Base(c.args[0]), string(said), err}
	}
	module, err := os.ReadFile(filepath.Join(scratch, "out.wasm"))
	if err != nil || s.Manifest == nil {
		return module, err
	}
	return appendCustom(module, abi.ManifestSection, s.Manifest), nil
}

// appendCustom adds a custom section to a module.
func appendCustom(module []byte, name string, content []byte) []byte {
	body := append(binary.AppendUvarint(nil, uint64(len(name))), name...)
	body = append(body, content...)
	module = binary.AppendUvarint(append(module, 0), uint64(len(body)))
	return append(module, body...)
}

// copyKit writes a language's kit into a folder.
func copyKit(dir string, l Language) error {
	kit, err := fs.Sub(guest.Kits, table[l].kit)
	if err != nil {
		return err
	}
	return os.CopyFS(dir, kit)
}
