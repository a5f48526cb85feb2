package plugins

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// The types of functions that cross the boundary.
const (
	typeABI  = "() -> i32"
	typeInit = "(i32) -> i32"
	typeHook = "() -> i64"
)

// hooks are the hooks that this version calls.
var hooks = [...]struct {
	export string
	hook   abi.Hook
	step   tcp.Step
}{
	{abi.ExportTransition, abi.HookTransition, tcp.StepTransition},
	{abi.ExportArriving, abi.HookArriving, tcp.StepArriving},
	{abi.ExportLeaving, abi.HookLeaving, tcp.StepLeaving},
	{abi.ExportRejected, abi.HookRejected, tcp.StepRejected},
}

// Export returns the name of the export for a hook, "" if this version does not
// know the hook.
func Export(h abi.Hook) string {
	for i := range hooks {
		if hooks[i].hook == h {
			return hooks[i].export
		}
	}
	return ""
}

func (m *Module) export(name string) (Func, bool) {
	for _, f := range m.Exports {
		if f.Name == name {
			return f, true
		}
	}
	return Func{}, false
}

// checkStart looks at what must be right before anything of a module runs.
func (m *Module) checkStart() error {
	if len(m.Imports) > 0 {
		f := m.Imports[0]
		return Error("it imports " + f.Module + "." + f.Name + ", but this version of tcpkit gives plugins no imports" +
			"; build it without, as core WASM and not for WASI")
	}
	for _, want := range [...]Func{
		{Name: abi.ExportMemory, Type: "memory"},
		{Name: abi.ExportABI, Type: typeABI},
		{Name: abi.ExportInit, Type: typeInit},
	} {
		if err := m.checkExport(want); err != nil {
			return err
		}
	}
	return nil
}

func (m *Module) checkExport(want Func) error {
	f, ok := m.export(want.Name)
	if !ok {
		return Error("it exports no " + want.Name + ", which every plugin does; add the export, of type " + want.Type + m.near(want.Name))
	}
	if f.Type != want.Type {
		return wrongType(f, want.Type)
	}
	return nil
}

func wrongType(f Func, want string) error {
	return Error("its export " + f.Name + " is " + f.Type + " where " + want + " is called; change its type")
}

// near points at an export of no meaning that may be the name, misspelt.
func (m *Module) near(name string) string {
	best, nearest := 4, ""
	for _, f := range m.Exports {
		if d := distance(f.Name, name); d < best && !known(f.Name) {
			best, nearest = d, f.Name
		}
	}
	if nearest == "" {
		return ""
	}
	return " (there is " + nearest + ": is that a slip?)"
}

// known reports whether a name that plugins export means something here.
func known(name string) bool {
	for i := range hooks {
		if hooks[i].export == name {
			return true
		}
	}
	return name == abi.ExportABI || name == abi.ExportInit || name == abi.ExportMemory || name == abi.ExportInitialize
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

// checkHooks returns which hooks a module wants.
func (m *Module) checkHooks() (tcp.HookMask, error) {
	var mask tcp.HookMask
	for _, f := range m.Exports {
		if !reserved(f.Name) || f.Name == abi.ExportABI || f.Name == abi.ExportInit {
			continue
		}
		if !known(f.Name) {
			return 0, Error("its export " + f.Name + " is no hook that this tcpkit knows; rename it, perhaps to " + nearestHook(f.Name))
		}
		if f.Type != typeHook {
			return 0, wrongType(f, typeHook)
		}
		for i := range hooks {
			if hooks[i].export == f.Name {
				mask |= tcp.Mask(hooks[i].step)
			}
		}
	}
	if mask == 0 {
		return 0, Error("it exports no hook, so that it would never be called; export one, such as " + abi.ExportTransition + " " + typeHook)
	}
	return mask, nil
}

// nearestHook is the hook whose name is most like a name.
func nearestHook(name string) string {
	best := 0
	for i := range hooks {
		if distance(name, hooks[i].export) < distance(name, hooks[best].export) {
			best = i
		}
	}
	return hooks[best].export
}

// reserved reports whether a name is ours to give a meaning to.
func reserved(name string) bool {
	return len(name) >= len(abi.ExportPrefix) && name[:len(abi.ExportPrefix)] == abi.ExportPrefix
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
