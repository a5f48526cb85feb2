package core_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/tcpkit/tcpkit/"

// The engine, in the direction that imports point: a package imports those of
// ranks below its own.
var engine = map[string]int{
	"core/seq":     0,
	"core/clock":   0,
	"core/siphash": 0,
	"core/rule":    0,
	"core/wire":    1,
	"core/packet":  2,
	"core/event":   2,
	"core/cc":      2,
	"core/tcp":     3,
	"core":         4,
}

// What the engine takes from the standard library, and why. Nothing else,
// but for what these need themselves.
var engineBudget = map[string]string{
	"errors":    "errors.Is finds a tcp.Error through any wrapping",
	"math/bits": "additions with carry and rotations, for checksums and SipHash",
	"slices":    "sorting and searching without reflection",
	"strconv":   "numbers as text without fmt",
	"unsafe":    "sizes of records",
}

// What is built into the module for the browser beside the engine, and what it
// keeps out of, with what depends on it.
var tools = map[string]map[string]string{
	"core/sim":      outOfTheTab,
	"core/explore":  outOfTheTab,
	"core/scenario": outOfTheTab,
	"core/pcapng":   outOfTheTab,
	"core/script":   {"os": "a script is text, and a tab has no files"},
	"plugins/fuel":  outOfTheTab,

	// The files and their words, for commands, tests and the page's server.
	"core/scenario/catalogue": {"net": "files that are built in need no network"},
}

// walked are the packages that are looked at.
var walked = []string{"./core/...", "./plugins/fuel"}

// Packages for tests alone. The engine does not import them, which its ranks
// see to, and they may do what tests may.
var forTests = map[string]string{
	"core/cc/cctest":        "what every congestion controller has to pass, those of plugins too",
	"core/cc/cctest/models": "what the congestion controllers that are plugins are held to",
}

var outOfTheTab = map[string]string{
	"fmt":           "a third of the module's size budget",
	"os":            "a third of the module's size budget, and a tab has no files",
	"encoding/json": "a third of the module's size budget",
	"reflect":       "a third of the module's size budget",
}

// list runs go list for the platform of the tab.
func list(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-e"}, args...)...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	out, err := cmd.Output()
	require.NoError(t, err, "go list %v", args)
	return strings.Fields(string(out))
}

// beyond returns those of got that are neither ours nor in allowed.
func beyond(got, allowed []string) (found []string) {
	for _, p := range got {
		if !strings.HasPrefix(p+"/", module) && !slices.Contains(allowed, p) {
			found = append(found, p)
		}
	}
	return found
}

// forbidden returns those of got that are in the table, with its reason.
func forbidden(got []string, table map[string]string) (found []string) {
	for _, p := range got {
		if reason, ok := table[p]; ok {
			found = append(found, p+": "+reason)
		}
	}
	return found
}

// upward returns those imports of a package that are not of a lower rank.
func upward(pkg string, imports []string, ranks map[string]int) (found []string) {
	for _, p := range imports {
		name, ours := strings.CutPrefix(p, module)
		if rank, ok := ranks[name]; ours && (!ok || rank >= ranks[pkg]) {
			found = append(found, name)
		}
	}
	return found
}

func keys[V any](m map[string]V) (k []string) {
	for name := range m {
		k = append(k, name)
	}
	slices.Sort(k)
	return k
}

func TestImportBudget(t *testing.T) {
	budget := keys(engineBudget)
	closure := list(t, append([]string{"-deps"}, budget...)...)
	for _, path := range list(t, walked...) {
		pkg := strings.TrimPrefix(path, module)
		if _, ok := forTests[pkg]; ok {
			continue
		}
		t.Run(pkg, func(t *testing.T) {
			deps := list(t, "-deps", path)
			if table, ok := tools[pkg]; ok {
				require.Empty(t, forbidden(deps, table), "%s must not depend on these", pkg)
				return
			}
			_, ok := engine[pkg]
			require.True(t, ok, "a new package has its place in a table of this test")
			imports := list(t, "-f", `{{join .Imports "\n"}}`, path)
			require.Empty(t, beyond(imports, budget), "%s imports what is not in the budget %v", pkg, budget)
			require.Empty(t, beyond(deps, closure), "%s depends on what is not in the budget", pkg)
			require.Empty(t, upward(pkg, imports, engine), "imports point one way, and %s is below these", pkg)
		})
	}
}

func TestImportBudgetCanFail(t *testing.T) {
	closure := list(t, append([]string{"-deps"}, keys(engineBudget)...)...)
	require.Contains(t, beyond(list(t, "-deps", "fmt"), closure), "reflect")
	require.Contains(t, beyond(list(t, "-deps", "time"), closure), "time")
	require.Len(t, forbidden(list(t, "-deps", "encoding/json"), outOfTheTab), 4)
	require.Equal(t, []string{"core/tcp", "core/x"}, upward("core/wire",
		[]string{module + "core/seq", module + "core/tcp", module + "core/x", "errors"}, engine))
}

// What the walk over the syntax looks for, and why.
var checks = map[string]string{
	"time":       "time comes in as an argument",
	"go":         "goroutines belong to hosts",
	"channel":    "goroutines belong to hosts",
	"sync":       "locks belong to hosts",
	"float":      "floating point differs between machines",
	"map range":  "the order of a map is not repeatable",
	"variable":   "package-level state is shared between stacks, and is not in a clone",
	"comparison": "sequence numbers compare with Before and After, RFC 9293 §3.4",
}

// What a package may do all the same: package, check, reason.
var exceptions = map[[2]string]string{}

func TestSyntax(t *testing.T) {
	l := newLoader()
	for _, path := range list(t, walked...) {
		pkg := strings.TrimPrefix(path, module)
		if _, ok := forTests[pkg]; ok {
			continue
		}
		t.Run(pkg, func(t *testing.T) {
			p := l.load(path)
			for _, f := range p.walk() {
				if _, ok := exceptions[[2]string{pkg, f.check}]; !ok {
					t.Errorf("%v: %s: %s (%s)", l.fset.Position(f.pos), f.check, f.text, checks[f.check])
				}
			}
		})
	}
}

// TestSyntaxCanFail runs the walk over a line that is wrong, and one beside it
// that is like it and right.
func TestSyntaxCanFail(t *testing.T) {
	l := newLoader()
	for _, c := range []struct{ check, bad, good string }{
		{"time", `import "time"; var t = time.Now()`, `import "time"; const t = time.Second`},
		{"time", `import clock "time"; var t = clock.Since(clock.Time{})`, `type time struct{ Now int }; func f(t time) int { return t.Now }`},
		{"go", `func f() { go f() }`, `func f() { defer f() }`},
		{"channel", `func f(c chan int) {}`, `func f(c []int) {}`},
		{"channel", `func f() { select {} }`, `func f() { switch {} }`},
		{"sync", `import "sync"; type T struct{ mu sync.Mutex }`, `type Mutex struct{}`},
		{"sync", `import "sync/atomic"; type T struct{ n atomic.Int64 }`, `type Int64 int64`},
		{"float", `type T struct{ x float64 }`, `type T struct{ x int64 }`},
		{"float", `func f(x int) bool { return x > int(0.5*f32) }; const f32 float32 = 2`, `const second = 1e9; func f(x int64) bool { return x > second }`},
		{"float", `var x = 0.5`, `var x int = 1e3`},
		{"float", `import "math"; func f(n int) int { return int(math.Sqrt(2)) + n }`, `import "math"; func f(n int) int { return n + math.MaxInt16 }`},
		{"map range", `func f(m map[int]int) { for range m {} }`, `func f(m []int) { for range m {} }`},
		{"map range", `type M map[int]int; func f(m M) { for k, v := range m { _, _ = k, v } }`, `type M map[int]int; func f(m M) int { return m[1] }`},
		{"map range", `func f[M ~map[int]int](m M) { for range m {} }`, `func f[M ~[]int](m M) { for range m {} }`},
		{"variable", `var n int; func f() { n++ }`, `var n int; func f() { n := n; n++ }`},
		{"variable", `var n, m int; func f() { _, m = n, 1 }`, `var n, m int; func f() int { return n + m }`},
		{"variable", `var table [4]int; func f() { table[1] = 2 }`, `var table = [4]int{1, 2}; func f(i int) int { return table[i] }`},
		{"variable", `var s struct{ a struct{ b int } }; func f() { s.a.b += 1 }`, `var s struct{ a int }; func f() int { s := s; s.a = 1; return s.a }`},
		{"variable", `var p = new(int); func f() { *p = 1 }`, `var p = new(int); func f() int { return *p }`},
		{"variable", `var n int; func f() *int { return &n }`, `func f() *int { var n int; return &n }`},
		{"variable", `var m = map[int]int{}; func f() { delete(m, 1) }`, `var m = map[int]int{}; func f() int { return len(m) }`},
		{"variable", `var b [4]byte; func f() { copy(b[:], "abcd") }`, `var b [4]byte; func f(c []byte) { copy(c, b[:]) }`},
		{"variable", `type T int; func (t *T) set() {}; var v T; func f() { v.set() }`, `type T int; func (t T) get() {}; var v T; func f() { v.get() }`},
		{"variable", `var n int; func f() { for n = range 3 {} }`, `var n int; func f() { for n := range 3 { _ = n } }`},
		{"comparison", `import "` + module + `core/seq"; func f(a, b seq.Value) bool { return a < b }`, `import "` + module + `core/seq"; func f(a, b seq.Value) bool { return a.Before(b) || a == b }`},
		{"comparison", `import "` + module + `core/seq"; func f(a seq.Value) bool { return 5 >= a }`, `import "` + module + `core/seq"; func f(a, b seq.Size) bool { return a >= b }`},
		{"comparison", `import "` + module + `core/seq"; func f(a, b seq.Value) bool { return uint32(a) < uint32(b) }`, `import "` + module + `core/seq"; func f(a, b seq.Value) bool { return uint32(a-b) < 5 }`},
		{"comparison", `import "` + module + `core/seq"; func f(a, b seq.Value) seq.Value { return max(a, b) }`, `import "` + module + `core/seq"; func f(a, b seq.Size) seq.Size { return max(a, b) }`},
	} {
		require.Contains(t, checks, c.check)
		require.Equal(t, []string{c.check}, l.checkSource(t, c.bad), c.bad)
		require.Empty(t, l.checkSource(t, c.good), c.good)
	}
}

// loader reads and checks the types of our packages, and takes those of the
// standard library from the compiler.
type loader struct {
	fset *token.FileSet
	std  types.Importer
	done map[string]*source
}

type source struct {
	pkg   *types.Package
	files []*ast.File
	info  *types.Info
}

func newLoader() *loader {
	fset := token.NewFileSet()
	return &loader{fset, importer.ForCompiler(fset, "gc", nil), map[string]*source{}}
}

func (l *loader) Import(path string) (*types.Package, error) {
	if strings.HasPrefix(path+"/", module) {
		return l.load(path).pkg, nil
	}
	return l.std.Import(path)
}

// load reads the package of path without its tests. What does not compile is
// the compiler's to report.
func (l *loader) load(path string) *source {
	if s := l.done[path]; s != nil {
		return s
	}
	dir := filepath.Join("..", strings.TrimPrefix(path, strings.TrimSuffix(module, "/")))
	var files []*ast.File
	if found, err := build.ImportDir(dir, 0); err == nil {
		for _, name := range found.GoFiles {
			if f, _ := parser.ParseFile(l.fset, filepath.Join(dir, name), nil, 0); f != nil {
				files = append(files, f)
			}
		}
	}
	l.done[path] = l.check(path, files)
	return l.done[path]
}

func (l *loader) check(path string, files []*ast.File) *source {
	s := &source{files: files, info: &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}}
	conf := types.Config{Importer: l, Error: func(error) {}}
	s.pkg, _ = conf.Check(path, l.fset, files, s.info)
	return s
}

// checkSource returns which checks fail on a file of the given declarations.
func (l *loader) checkSource(t *testing.T, text string) (failed []string) {
	f, err := parser.ParseFile(l.fset, "self-check.go", "package p; "+text, 0)
	require.NoError(t, err, text)
	for _, found := range l.check("p", []*ast.File{f}).walk() {
		if !slices.Contains(failed, found.check) {
			failed = append(failed, found.check)
		}
	}
	return failed
}

type finding struct {
	pos         token.Pos
	check, text string
}

// walk returns what the checks find in s.
func (s *source) walk() (found []finding) {
	report := func(n ast.Node, check, format string, args ...any) {
		found = append(found, finding{n.Pos(), check, fmt.Sprintf(format, args...)})
	}
	changed := func(e ast.Expr) {
		if v := s.global(e); v != nil {
			report(e, "variable", "%s changes, or its address is taken", v.Name())
		}
	}
	for _, file := range s.files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				if path := strings.Trim(n.Path.Value, `"`); path == "sync" || path == "sync/atomic" {
					report(n, "sync", "import of %s", path)
				}
			case *ast.SelectorExpr:
				if f, ok := s.info.Uses[n.Sel].(*types.Func); ok && f.Pkg() != nil && f.Pkg().Path() == "time" {
					switch f.Name() {
					case "Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick":
						report(n, "time", "time.%s", f.Name())
					}
				}
			case *ast.GoStmt:
				report(n, "go", "go statement")
			case *ast.SelectStmt:
				report(n, "channel", "select statement")
			case *ast.ChanType:
				report(n, "channel", "channel type")
			case *ast.RangeStmt:
				if s.is(n.X, func(u types.Type) bool { _, ok := u.(*types.Map); return ok }) {
					report(n, "map range", "range over a map")
				}
				if n.Tok == token.ASSIGN {
					changed(n.Key)
					changed(n.Value)
				}
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, e := range n.Lhs {
						changed(e)
					}
				}
			case *ast.IncDecStmt:
				changed(n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					changed(n.X)
				}
			case *ast.CallExpr:
				s.walkCall(n, changed, report)
			case *ast.BinaryExpr:
				switch n.Op {
				case token.LSS, token.GTR, token.LEQ, token.GEQ:
					if s.isSequence(n.X) || s.isSequence(n.Y) {
						report(n, "comparison", "%s of sequence numbers", n.Op)
					}
				}
			}
			if e, ok := n.(ast.Expr); ok && s.is(e, isFloat) {
				report(n, "float", "floating point")
				return false // once for an expression
			}
			return true
		})
	}
	return found
}

func (s *source) walkCall(n *ast.CallExpr, changed func(ast.Expr), report func(ast.Node, string, string, ...any)) {
	switch fun := ast.Unparen(n.Fun).(type) {
	case *ast.Ident:
		if _, ok := s.info.Uses[fun].(*types.Builtin); !ok || len(n.Args) == 0 {
			return
		}
		switch fun.Name {
		case "copy", "clear", "delete":
			changed(n.Args[0])
		case "min", "max":
			if slices.ContainsFunc(n.Args, s.isSequence) {
				report(n, "comparison", "%s of sequence numbers", fun.Name)
			}
		}
	case *ast.SelectorExpr:
		selection := s.info.Selections[fun]
		if selection == nil || selection.Kind() != types.MethodVal {
			return
		}
		// A method with a pointer receiver, called on a variable: it may write there.
		receiver := selection.Obj().(*types.Func).Signature().Recv().Type()
		_, byPointer := receiver.Underlying().(*types.Pointer)
		_, isPointer := selection.Recv().Underlying().(*types.Pointer)
		if byPointer && !isPointer {
			changed(fun.X)
		}
	}
}

// global returns the package-level variable that e is, or is a part of.
func (s *source) global(e ast.Expr) *types.Var {
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.SelectorExpr:
			if v := s.packageLevel(x.Sel); v != nil {
				return v // of another package
			}
			e = x.X
		case *ast.Ident:
			return s.packageLevel(x)
		default:
			return nil
		}
	}
}

func (s *source) packageLevel(id *ast.Ident) *types.Var {
	v, ok := s.info.Uses[id].(*types.Var)
	if !ok || v.IsField() || v.Pkg() == nil || v.Parent() != v.Pkg().Scope() {
		return nil
	}
	return v
}

// is asks about the underlying type of e, a value or a type, and of every type
// that a type parameter stands for.
func (s *source) is(e ast.Expr, ask func(types.Type) bool) bool {
	tv, ok := s.info.Types[e]
	if !ok || tv.Type == nil {
		return false
	}
	constraint, ok := tv.Type.Underlying().(*types.Interface)
	if _, isParam := types.Unalias(tv.Type).(*types.TypeParam); !ok || !isParam {
		return ask(tv.Type.Underlying())
	}
	for i := range constraint.NumEmbeddeds() {
		union, ok := constraint.EmbeddedType(i).(*types.Union)
		for j := 0; ok && j < union.Len(); j++ {
			if ask(union.Term(j).Type().Underlying()) {
				return true
			}
		}
	}
	return false
}

func isFloat(u types.Type) bool {
	b, ok := u.(*types.Basic)
	// Constants without a type are exact whatever they look like.
	return ok && b.Info()&(types.IsFloat|types.IsComplex) != 0 && b.Info()&types.IsUntyped == 0
}

// isSequence reports whether e is a sequence number, also in the clothes of
// another type. Those of a difference are right: that is a distance.
func (s *source) isSequence(e ast.Expr) bool {
	e = ast.Unparen(e)
	if call, ok := e.(*ast.CallExpr); ok && len(call.Args) == 1 && s.info.Types[call.Fun].IsType() {
		e = ast.Unparen(call.Args[0])
		if difference, ok := e.(*ast.BinaryExpr); ok && difference.Op == token.SUB {
			return false
		}
	}
	named, ok := types.Unalias(s.info.TypeOf(e)).(*types.Named)
	return ok && named.Obj().Name() == "Value" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == module+"core/seq"
}
