package ledger

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write LEDGER.md anew")

const root = "../.."

// A row is something to be proven.
type row struct {
	id, section, level, text string
	files                    []string // where it is done
	proofs                   []proof
	deviation                string
}

// A proof is a test or a script.
type proof struct{ file, name string }

// books are the rows, in the order of their files, and by id.
type books struct {
	rfc9293, threats, claims, linux, behaviours []*row
	byID                                        map[string]*row
}

// table reads a file of tab-separated columns, without its first line.
func table(t *testing.T, name string, columns int) (rows [][]string) {
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		cells := strings.Split(line, "\t")
		require.Len(t, cells, columns, "%s:%d: columns", name, i+1)
		if i > 0 {
			rows = append(rows, cells)
		}
	}
	return rows
}

func open(t *testing.T) *books {
	b := &books{byID: map[string]*row{}}
	add := func(list *[]*row, r *row) {
		require.NotContains(t, b.byID, r.id, "an id stands in the books twice")
		b.byID[r.id] = r
		*list = append(*list, r)
	}
	for _, c := range table(t, "rfc9293.tsv", 6) {
		add(&b.rfc9293, &row{id: c[0], section: "§" + c[1], level: c[2], text: c[3]})
	}
	for _, c := range table(t, "threats.tsv", 3) {
		add(&b.threats, &row{id: c[0], text: c[1]})
	}
	for _, c := range table(t, "linux.tsv", 2) {
		add(&b.linux, &row{id: c[0], text: c[1]})
	}
	for _, c := range table(t, "behaviours.tsv", 2) {
		add(&b.behaviours, &row{id: c[0], text: c[1]})
	}
	for _, c := range table(t, "claims.tsv", 4) {
		r := &row{id: "RFC " + c[0] + " §" + c[1], text: c[2], files: strings.Fields(c[3])}
		for _, f := range r.files {
			require.FileExists(t, filepath.Join(root, f), "claims.tsv, %s", r.id)
		}
		add(&b.claims, r)
	}
	for _, c := range table(t, "where.tsv", 2) {
		r := b.byID[c[0]]
		require.NotNil(t, r, "where.tsv names %q, which stands in no book", c[0])
		r.files = strings.Fields(c[1])
		for _, f := range r.files {
			require.FileExists(t, filepath.Join(root, f), "where.tsv, %s", r.id)
		}
	}
	for _, c := range table(t, "deviations.tsv", 2) {
		r := b.byID[c[0]]
		require.NotNil(t, r, "deviations.tsv names %q, which stands in no book", c[0])
		require.Empty(t, r.deviation, "deviations.tsv names %s twice", c[0])
		require.Greater(t, len(c[1]), 20, "deviations.tsv: the reason for %s", c[0])
		r.deviation = c[1]
	}
	return b
}

var (
	tag     = regexp.MustCompile(`(?m)^\s*(?://\s*)?(?:Proves|Requirement):\s*(.+)$`)
	oneID   = regexp.MustCompile(`^(?:(?:MUST|SHLD|MAY|REC|U)-\d+|[SHP]\d\d|Linux: fact \d+|Behaviour: .*)$`)
	section = regexp.MustCompile(`^RFC \d+ (?:§[0-9A-Z.]+|Figure \d+)$`)
	inCode  = regexp.MustCompile(`\b(?:(?:MUST|SHLD|MAY|REC)-\d+|U-\d\d|S\d\d)\b`)
)

// note enters what a tag says. A section of an RFC that nothing claims is no
// entry: it helps the reader of the test.
func (b *books) note(p proof, list string) error {
	for _, id := range strings.Split(strings.TrimSuffix(strings.TrimSpace(list), "."), ",") {
		id = strings.TrimSpace(id)
		switch r := b.byID[id]; {
		case r != nil:
			if !slices.Contains(r.proofs, p) {
				r.proofs = append(r.proofs, p)
			}
		case oneID.MatchString(id):
			return fmt.Errorf("%s: %s proves %s, which stands in no book", p.file, p.name, id)
		case !section.MatchString(id) && !strings.HasPrefix(id, "Linux: "):
			return fmt.Errorf("%s: %s: %q is neither an id nor a section such as RFC 6298 §2.1", p.file, p.name, id)
		}
	}
	return nil
}

// collect walks the tree for tags, and for the ids that code cites.
func (b *books) collect(t *testing.T) {
	var wrong []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		switch {
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.IsDir() || strings.Contains(name, "/ledger/"):
			return nil
		case strings.HasSuffix(name, ".pkt") && strings.HasPrefix(name, "scripts/") && !strings.HasPrefix(name, "scripts/open/"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range tag.FindAllStringSubmatch(string(text), -1) {
				if err := b.note(proof{name, ""}, m[1]); err != nil {
					wrong = append(wrong, err.Error())
				}
			}
		case strings.HasSuffix(name, "_test.go"):
			w, err := b.tests(path, name)
			wrong = append(wrong, w...)
			return err
		case strings.HasSuffix(name, ".go") && (strings.HasPrefix(name, "core/") || strings.HasPrefix(name, "hosts/")):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, id := range inCode.FindAllString(string(text), -1) {
				if r := b.byID[id]; r != nil && !slices.Contains(r.files, name) {
					r.files = append(r.files, name)
				}
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Empty(t, wrong, "tags that say nothing")
}

// tests enters the tags of a file of Go tests. A tag counts for the test, fuzz
// target or example in whose comment or body it stands.
func (b *books) tests(path, name string) (wrong []string, err error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	for _, group := range f.Comments {
		for _, m := range tag.FindAllStringSubmatch(group.Text(), -1) {
			in := ""
			for _, decl := range f.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok || fn.Recv != nil {
					continue
				}
				from := fn.Pos()
				if fn.Doc != nil {
					from = fn.Doc.Pos()
				}
				if from <= group.Pos() && group.End() <= fn.End() {
					in = fn.Name.Name
				}
			}
			if !strings.HasPrefix(in, "Test") && !strings.HasPrefix(in, "Fuzz") && !strings.HasPrefix(in, "Example") {
				wrong = append(wrong, fmt.Sprintf("%s: %q stands in no test", fset.Position(group.Pos()), m[0]))
			} else if err := b.note(proof{name, in}, m[1]); err != nil {
				wrong = append(wrong, err.Error())
			}
		}
	}
	return wrong, nil
}

// TestLedger is the bookkeeping: every row has a proof or a deviation.
func TestLedger(t *testing.T) {
	b := open(t)
	b.collect(t)
	var bare []string
	for _, r := range b.rfc9293 {
		require.True(t, len(r.files) > 0 || r.deviation != "", "%s: no code cites it, and where.tsv does not say where it is done", r.id)
	}
	for _, list := range [][]*row{b.rfc9293, b.claims, b.threats, b.linux, b.behaviours} {
		for _, r := range list {
			if len(r.proofs) == 0 && r.deviation == "" {
				bare = append(bare, r.id+"  "+r.text)
			}
		}
	}
	require.Empty(t, bare, "%d rows have neither a proof nor a deviation", len(bare))

	text := b.page()
	if *update {
		require.NoError(t, os.WriteFile("../LEDGER.md", text, 0o644))
	}
	old, err := os.ReadFile("../LEDGER.md")
	require.NoError(t, err)
	require.Equal(t, string(text), string(old), "LEDGER.md is old: go test ./proof/ledger -update")
}

// TestLedgerCanFail: a wrong tag is found.
func TestLedgerCanFail(t *testing.T) {
	b := open(t)
	require.NoError(t, b.note(proof{"x", "TestX"}, "MUST-1, S01, RFC 1 §2.3"))
	require.Error(t, b.note(proof{"x", "TestX"}, "MUST-999"), "no such requirement")
	require.Error(t, b.note(proof{"x", "TestX"}, "S99"), "no such threat")
	require.Error(t, b.note(proof{"x", "TestX"}, "the whole RFC"), "no id at all")
	require.Len(t, b.byID["MUST-1"].proofs, 1)
}

// shown is how many proofs of one row the page names; the rest are counted.
const shown = 6

// page is LEDGER.md.
func (b *books) page() []byte {
	var w bytes.Buffer
	w.WriteString("# The ledger\n\nWhat tcpkit promises, and the tests that show it. This page is made by `go test ./proof/ledger -update`, which fails when a row has\nneither a proof nor a reason, and when a proof does not exist.\n")
	all := func(title string, list []*row) {
		proven, departed := 0, 0
		for _, r := range list {
			if len(r.proofs) > 0 {
				proven++
			}
			if r.deviation != "" {
				departed++
			}
		}
		fmt.Fprintf(&w, "\n## %s\n\n%d rows: %d with a proof, %d with a deviation.\n\n| id | what | file | proof |\n|---|---|---|---|\n", title, len(list), proven, departed)
		for _, r := range list {
			id := r.id
			if r.section != "" {
				id += "<br>" + r.section
			}
			what := r.text
			if r.level != "" && r.level != "TEXT" {
				what = r.level + ": " + what
			}
			if r.deviation != "" {
				what += "<br>**Deviation:** " + r.deviation
			}
			slices.Sort(r.files)
			files := make([]string, 0, len(r.files))
			for _, f := range r.files {
				files = append(files, link(f, filepath.Base(f)))
			}
			slices.SortFunc(r.proofs, func(p, q proof) int { return strings.Compare(p.file+p.name, q.file+q.name) })
			var proofs []string
			for i, p := range r.proofs {
				if i == shown && len(r.proofs) > shown+1 {
					proofs = append(proofs, fmt.Sprintf("and %d more", len(r.proofs)-shown))
					break
				}
				name := p.name
				if name == "" {
					name = strings.TrimPrefix(p.file, "scripts/")
				}
				proofs = append(proofs, link(p.file, name))
			}
			fmt.Fprintf(&w, "| %s | %s | %s | %s |\n", cell(id), cell(what), strings.Join(files, " "), strings.Join(proofs, "<br>"))
		}
	}
	all("RFC 9293", b.rfc9293)
	all("Other RFCs", b.claims)
	all("Threats", b.threats)
	all("Linux where the RFCs leave a choice", b.linux)
	all("Behaviours that other stacks' suites check", b.behaviours)
	return w.Bytes()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func link(file, name string) string { return "[" + name + "](../" + file + ")" }
