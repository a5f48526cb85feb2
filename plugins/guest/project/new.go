package project

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/tcpkit/tcpkit/plugins/guest"
)

// templates has a folder for each language, and one for all.
//
//go:embed templates
var templates embed.FS

const kitOfAS = "tcpkit.ts"

var validName = regexp.MustCompile(`^[a-z][a-z0-9]*([-_][a-z0-9]+)*$`)

// CheckName says what is wrong with the name of a new plugin.
func CheckName(name string) error {
	const longest = 40
	switch {
	case !validName.MatchString(name) || len(name) > longest:
		return fmt.Errorf("the name %q is no good for files: take up to %d small letters, digits, and - or _ between them", name, longest)
	case name == "tcpkit" || name == "guest":
		return fmt.Errorf("the name %q is that of the kit; take another one", name)
	}
	return nil
}

// New makes a folder of that name within dir, with a plugin that can be built,
// its kit, and its test. It does not touch a folder that is there.
func New(dir, name string, l Language) (err error) {
	if err := CheckName(name); err != nil {
		return err
	}
	dir = filepath.Join(dir, name)
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	s := Source{Name: name, File: name + table[l].suffix, Language: l}
	data := struct{ Name, Title, Language, Source, Line, Prelude string }{
		Name: name, Title: table[l].title, Language: l.String(), Source: s.File,
	}
	kit := dir
	if l == Go {
		s.File, data.Source = ".", "main.go"
		kit = filepath.Join(dir, "guest")
	}
	data.Line = s.Line()
	if l == WAT {
		prelude, err := guest.Kits.ReadFile("wat/prelude.wat")
		if err != nil {
			return err
		}
		data.Prelude = string(prelude)
	} else if err := copyKit(kit, l); err != nil {
		return err
	}
	for _, from := range [...]string{"all", l.String()} {
		if err := write(dir, from, name, data); err != nil {
			return err
		}
	}
	return nil
}

// write fills in the templates of a folder.
func write(dir, from, name string, data any) error {
	from = path.Join("templates", from)
	files, err := fs.ReadDir(templates, from)
	if err != nil {
		return err
	}
	for _, f := range files {
		t, err := template.ParseFS(templates, path.Join(from, f.Name()))
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, data); err != nil {
			return err
		}
		file := strings.TrimSuffix(strings.ReplaceAll(f.Name(), "NAME", name), ".tmpl")
		if err := os.WriteFile(filepath.Join(dir, file), b.Bytes(), 0o666); err != nil {
			return err
		}
	}
	return nil
}
