package plugins

// A Class is how much fuel a plugin may use, by what it was written in. THREATS P01.
type Class uint8

// The classes.
const (
	Small  Class = iota // a few fields looked at: WAT, C
	Medium              // loops over options or a table
	Large               // loops over the payload
	GoKit               // a guest that Go has compiled: its runtime starts, and collects garbage in a hook
	classes
)

var classTable = [classes]struct {
	name       string
	init, hook int64
}{
	Small:  {"small", 1_000_000, 10_000},
	Medium: {"medium", 1_000_000, 100_000},
	Large:  {"large", 10_000_000, 1_000_000},
	GoKit:  {"go", 50_000_000, 1_000_000},
}

const (
	mostInitFuel = 50_000_000
	mostHookFuel = 1_000_000

	// pollFuel is what the calls of a plugin may use together at one instant of the
	// engine's clock. THREATS P13.
	pollFuel = 5 * mostHookFuel
)

// String is the name in a manifest.
func (c Class) String() string { return classTable[c%classes].name }

func parseClass(name string) (Class, error) {
	var names []string
	for c := range classTable {
		if classTable[c].name == name {
			return Class(c), nil
		}
		names = append(names, classTable[c].name)
	}
	return 0, Error("there is no budget " + quote(name) + slip(name, append(names, "init", "hook")))
}

// budgets is the fuel for starting and for each hook.
func (m *Manifest) budgets() (start, hook int64) {
	start, hook = classTable[m.Class].init, classTable[m.Class].hook
	if m.InitFuel > 0 {
		start = m.InitFuel
	}
	if m.HookFuel > 0 {
		hook = m.HookFuel
	}
	return start, hook
}
