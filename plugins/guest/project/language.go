package project

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A Language is what a plugin is written in.
type Language uint8

// The languages.
const (
	Go Language = iota
	WAT
	AssemblyScript
	C
	languages
)

var table = [languages]struct {
	name, title string
	suffix      string // of the source
	kit         string // its folder in package guest
	install     string
}{
	Go:             {"go", "Go", ".go", "go", "install Go 1.24 or later: https://go.dev/dl"},
	WAT:            {"wat", "WAT", ".wat", "wat", "install the package wabt: apt-get install wabt"},
	AssemblyScript: {"as", "AssemblyScript", ".ts", "as", "install npm, which fetches the compiler: apt-get install npm; or the compiler: npm install -g assemblyscript@" + ascVersion},
	C:              {"c", "C", ".c", "c", "install the packages clang and lld: apt-get install clang lld"},
}

// ascVersion is that of the compiler of AssemblyScript that npx is asked for.
const ascVersion = "0.28.20"

// String is the name that a command line has.
func (l Language) String() string { return table[l%languages].name }

// Names are the languages' names.
func Names() []string {
	names := make([]string, languages)
	for l := range names {
		names[l] = Language(l).String()
	}
	return names
}

// ParseLanguage is the reverse of String.
func ParseLanguage(name string) (Language, error) {
	for l := range languages {
		if l.String() == name {
			return l, nil
		}
	}
	return 0, fmt.Errorf("no language %q: there are %s", name, strings.Join(Names(), ", "))
}

// A MissingError says which program is not here, and how to get it.
type MissingError struct {
	Program  string
	Language Language
}

func (e *MissingError) Error() string {
	l := &table[e.Language]
	return fmt.Sprintf("%s is not here, and %s needs it; %s", e.Program, l.title, l.install)
}

// A command is a compiler's command line: what comes before the source.
type command struct {
	env  []string
	args []string
}

// line is the command as a shell has it.
func (c *command) line(source, out string) string {
	words := append(slices.Concat(c.env, c.args), "-o", out, source)
	for i, w := range words {
		if strings.Contains(w, " ") {
			words[i] = "'" + w + "'"
		}
	}
	return strings.Join(words, " ")
}

// commandOf is how a language is compiled, with the program as it is called where
// it is installed. What is not said, such as the names of local variables, is left
// out: modules are the same octets wherever the same compiler makes them.
func commandOf(l Language) command {
	switch l {
	case Go:
		return command{
			[]string{"GOOS=wasip1", "GOARCH=wasm"},
			[]string{"go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid="},
		}
	case WAT:
		return command{nil, []string{"wat2wasm"}}
	case AssemblyScript:
		return command{nil, []string{"asc", "--runtime", "stub", "--use", "abort=", "--noAssert", "--optimizeLevel", "3", "--shrinkLevel", "2", "--converge"}}
	default:
		return command{nil, []string{
			"clang", "--target=wasm32", "-std=c11", "-Os", "-fno-strict-aliasing", "-mbulk-memory", "-Wall", "-nostdlib",
			"-Wl,--no-entry,--strip-all,-z,stack-size=4096", "-I.",
		}}
	}
}

// resolve replaces the program of a command by where it is.
func (s *Source) resolve(c command) (command, error) {
	needed := []string{c.args[0]}
	switch s.Language {
	case AssemblyScript:
		program, err := s.findASC()
		c.args = append(program, c.args[1:]...)
		return c, err
	case C:
		needed = append(needed, "wasm-ld")
	}
	for _, program := range needed {
		path, err := exec.LookPath(program)
		if err != nil {
			return c, &MissingError{program, s.Language}
		}
		if program == c.args[0] {
			c.args[0] = path
		}
	}
	return c, nil
}

// findASC looks for the compiler of AssemblyScript: installed in a folder above
// the source, or for all, or to be fetched by npx.
func (s *Source) findASC() ([]string, error) {
	for dir := s.Dir; ; dir = filepath.Dir(dir) {
		asc := filepath.Join(dir, "node_modules", ".bin", "asc")
		if info, err := os.Stat(asc); err == nil && !info.IsDir() {
			return []string{asc}, nil
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if asc, err := exec.LookPath("asc"); err == nil {
		return []string{asc}, nil
	}
	npx, err := exec.LookPath("npx")
	if err != nil {
		return nil, &MissingError{"asc", AssemblyScript}
	}
	return []string{npx, "--yes", "--package=assemblyscript@" + ascVersion, "asc"}, nil
}
