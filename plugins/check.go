package plugins

import (
	"strconv"

	"github.com/tcpkit/tcpkit/plugins/abi"
)

// The types of functions that cross the boundary.
const (
	typeABI        = "() -> i32"
	typeInit       = "(i32) -> i32"
	typeHook       = "() -> i64"
	typeBatch      = "(i32) -> i64"
	typeInitialize = "() -> ()"
	typeMemory     = "memory"
)

// imports are what a plugin may import. THREATS P06, P16: what is not here does
// not exist for it.
var imports = [...]Func{
	{abi.ImportModule, abi.ImportLog, "(i32, i32, i32) -> ()"},
	{abi.ImportModule, abi.ImportMetric, "(i32, i64) -> ()"},
	{abi.ImportModule, abi.ImportNow, "() -> i64"},
	{abi.ImportModule, abi.ImportRandom, "() -> i64"},
	{abi.ImportModule, abi.ImportGet, "(i64) -> i64"},
	{abi.ImportModule, abi.ImportSet, "(i64, i64) -> i32"},
	{abi.ImportModule, abi.ImportArm, "(i32, i64) -> ()"},
	{abi.ImportModule, abi.ImportInject, "(i32, i32) -> i32"},

	// What the runtime of Go needs of WASI, and nothing else of it.
	{moduleWASI, "sched_yield", "() -> i32"},
	{moduleWASI, "proc_exit", "(i32) -> ()"},
	{moduleWASI, "args_get", "(i32, i32) -> i32"},
	{moduleWASI, "args_sizes_get", "(i32, i32) -> i32"},
	{moduleWASI, "clock_time_get", "(i32, i64, i32) -> i32"},
	{moduleWASI, "environ_get", "(i32, i32) -> i32"},
	{moduleWASI, "environ_sizes_get", "(i32, i32) -> i32"},
	{moduleWASI, "fd_write", "(i32, i32, i32, i32) -> i32"},
	{moduleWASI, "random_get", "(i32, i32) -> i32"},
	{moduleWASI, "poll_oneoff", "(i32, i32, i32, i32) -> i32"},
}

const moduleWASI = "wasi_snapshot_preview1"

func (m *Module) export(name string) (Func, bool) {
	for _, f := range m.Exports {
		if f.Name == name {
			return f, true
		}
	}
	return Func{}, false
}

// checkImports compares what a module imports with what there is, before it is
// started.
func (m *Module) checkImports() (problems []error) {
	for _, f := range m.Imports {
		if err := checkImport(f); err != nil {
			problems = append(problems, err)
		}
	}
	return problems
}

func checkImport(f Func) error {
	full := f.Module + "." + f.Name
	var names, modules []string
	for _, known := range imports {
		switch {
		case known.Module != f.Module:
			modules = append(modules, known.Module)
			continue
		case known.Name != f.Name:
			names = append(names, known.Name)
			continue
		case known.Type != f.Type:
			return Error("it imports " + full + " as " + f.Type + ", which is " + known.Type + " here; declare it so")
		}
		return nil
	}
	switch {
	case len(names) == 0:
		return Error("it imports " + full + " " + f.Type + ", and nothing is imported from " + quote(f.Module) + slip(f.Module, modules) +
			"; plugins import from " + abi.ImportModule)
	case f.Module == moduleWASI:
		return Error("it imports " + full + " " + f.Type + ", which plugins have not: they do without files, sockets and standard input" +
			"; in Go leave out the packages that bring it in, such as fmt, log, os and time")
	default:
		return Error("it imports " + full + " " + f.Type + ", which there is not" + slip(f.Name, names))
	}
}

// imports reports whether the module imports one of our functions.
func (m *Module) imports(name string) bool {
	for _, f := range m.Imports {
		if f.Module == abi.ImportModule && f.Name == name {
			return true
		}
	}
	return false
}

// checkStart looks at the exports that must be right before anything of a module
// runs.
func (m *Module) checkStart() (problems []error) {
	for _, want := range [...]Func{
		{Name: abi.ExportMemory, Type: typeMemory},
		{Name: abi.ExportABI, Type: typeABI},
		{Name: abi.ExportInit, Type: typeInit},
	} {
		f, ok := m.export(want.Name)
		if !ok {
			problems = append(problems, Error("it exports no "+want.Name+", which every plugin does; add the export, of type "+want.Type+m.near(want.Name)))
		} else if f.Type != want.Type {
			problems = append(problems, wrongType(f, want.Type))
		}
	}
	if f, ok := m.export(abi.ExportInitialize); ok && f.Type != typeInitialize {
		problems = append(problems, wrongType(f, typeInitialize))
	}
	if _, ok := m.export("_start"); ok {
		if _, reactor := m.export(abi.ExportInitialize); !reactor {
			problems = append(problems, Error("it exports _start, so it is a command and would end before its first hook; build it as a reactor, with Go by -buildmode=c-shared"))
		}
	}
	return problems
}

func wrongType(f Func, want string) error {
	return Error("its export " + f.Name + " is " + f.Type + " where " + want + " is called; change its type")
}

// near points at an export of no meaning that may be the name, misspelt.
func (m *Module) near(name string) string {
	var candidates []string
	for _, f := range m.Exports {
		if !known(f.Name) {
			candidates = append(candidates, f.Name)
		}
	}
	if found := nearest(name, candidates); found != "" {
		return " (there is " + found + ": is that a slip?)"
	}
	return ""
}

// known reports whether a name that plugins export means something here.
func known(name string) bool {
	switch name {
	case abi.ExportABI, abi.ExportInit, abi.ExportMemory, abi.ExportInitialize, abi.ExportBatch:
		return true
	}
	return reserved(name) && named(name) != nil
}

// checkVersion compares the version that a plugin was written for with ours.
func checkVersion(version uint32) error {
	major, minor := version>>16, version&0xffff
	if major == abi.Major && minor <= abi.Minor {
		return nil
	}
	text := "it was written for version " + dotted(major, minor) + " of the plugin ABI, and this tcpkit speaks " + dotted(abi.Major, abi.Minor)
	if major < abi.Major {
		return Error(text + "; build the plugin for it")
	}
	return Error(text + "; build the plugin for it, or take a newer tcpkit")
}

func dotted(major, minor uint32) string {
	return strconv.FormatUint(uint64(major), 10) + "." + strconv.FormatUint(uint64(minor), 10)
}

// checkHooks returns which hooks a module exports.
func (m *Module) checkHooks() (set hookSet, batch bool, problems []error) {
	for _, f := range m.Exports {
		if !reserved(f.Name) || f.Name == abi.ExportABI || f.Name == abi.ExportInit {
			continue
		}
		want := typeHook
		if f.Name == abi.ExportBatch {
			want, batch = typeBatch, true
		}
		switch {
		case !known(f.Name):
			problems = append(problems, Error("its export "+f.Name+" is no hook that this tcpkit knows; rename it"+likeHook(f.Name)))
		case f.Type != want:
			problems = append(problems, wrongType(f, want))
		case !batch || f.Name != abi.ExportBatch:
			set |= named(f.Name).bit()
		}
	}
	return set, batch, problems
}

// likeHook says which hooks were perhaps meant by the name of an export, those that
// it is a part of first, or which there are.
func likeHook(name string) (text string) {
	short := unprefixed(name)
	var names []string
	for i := range hooks {
		h := hooks[i].name
		names = append(names, h)
		if end := len(h) - len(short); short != "" && end > 0 && h[end:] == short && h[end-1] == '_' {
			if text == "" {
				text = ", perhaps to "
			} else {
				text += " or "
			}
			text += hooks[i].export()
		}
	}
	if text != "" {
		return text
	}
	if found := nearest(short, names); found != "" {
		return ", perhaps to " + abi.ExportPrefix + found
	}
	return slip(short, names) + ", behind " + abi.ExportPrefix
}

// reserved reports whether a name is ours to give a meaning to.
func reserved(name string) bool {
	return len(name) >= len(abi.ExportPrefix) && name[:len(abi.ExportPrefix)] == abi.ExportPrefix
}

// unprefixed is the name of a hook without abi.ExportPrefix, which it may have.
func unprefixed(name string) string {
	if reserved(name) {
		return name[len(abi.ExportPrefix):]
	}
	return name
}

// slip says which of the names was perhaps meant, or which there are.
func slip(name string, names []string) string {
	if found := nearest(name, names); found != "" {
		return "; is " + found + " meant?"
	}
	var b []byte
	last := ""
	for _, n := range names {
		if n == last {
			continue
		}
		if b != nil {
			b = append(b, ", "...)
		}
		b, last = append(b, n...), n
	}
	if b == nil {
		return "; there are none"
	}
	return "; there are: " + string(b)
}

// nearest is the name that is most like another one, "" if none is.
func nearest(name string, names []string) (found string) {
	best := min(4, (len(name)+3)/2)
	for _, n := range names {
		if d := distance(name, n); d < best {
			best, found = d, n
		}
	}
	return found
}

// distance is how many octets have to be put in, left out or changed to make b
// of a. Long names are far from everything.
func distance(a, b string) int {
	const longest = 63
	if len(a) > longest || len(b) > longest {
		return longest
	}
	var row [longest + 1]int
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
