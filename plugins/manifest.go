package plugins

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// A Manifest is what a plugin says of itself in its custom section
// abi.ManifestSection; package abi has the grammar.
type Manifest struct {
	Name, Version, Description string

	Grants   Grants
	Class    Class
	InitFuel int64 // 0: that of the class
	HookFuel int64 // 0: that of the class
	Pages    uint32
	State    uint32 // octets kept of each connection
	Guard    bool   // what it would have judged is dropped while it cannot
	Priority int
	Batch    uint32 // records that are delivered at once; 0: none are
	Tick     clock.Duration
	Options  []Option

	hooks    hookSet  // that it asks for; 0: those that are exported
	sections sections // that it wants
	wants    cc.Wants // of a congestion controller
	filters  []filter
}

// sections is a set of abi.Section....
type sections uint32

// The bounds of a manifest. It is text from a stranger.
const (
	maxManifest = 16 << 10 // octets
	maxLine     = 512      // octets
	maxName     = 64       // octets
	maxFilters  = 32
	maxOptions  = 32
	maxBatch    = 256
	maxPages    = 256 // THREATS P03
	maxState    = abi.StateEnd - abi.StateAt
	maxPriority = 1000

	defaultPages = 16
	leastTick    = clock.Millisecond
)

// manifestKeys are the keys, in the order in which they are spoken of.
var manifestKeys = []string{
	"name", "version", "description", "hooks", "grants", "filter", "budget", "memory", "state", "mode", "priority", "batch", "tick", "sections", "wants", "option",
}

// ParseManifest reads a manifest. It returns what it could read, and everything
// that is wrong with the rest.
func ParseManifest(text []byte) (*Manifest, []error) {
	m := &Manifest{Grants: GrantObserve, Class: Medium, Pages: defaultPages, sections: allSections}
	if len(text) == 0 {
		return m, nil
	}
	if len(text) > maxManifest {
		return m, []error{Error("the manifest has " + strconv.Itoa(len(text)) + " octets; at most " + strconv.Itoa(maxManifest) + " are taken")}
	}
	var problems []error
	seen := map[string]int{}
	number := 0
	for _, line := range split(string(text), '\n') {
		number++
		if err := m.line(line, number, seen); err != nil {
			problems = append(problems, Error("line "+strconv.Itoa(number)+" of the manifest: "+err.Error()))
		}
	}
	return m, problems
}

func (m *Manifest) line(line string, number int, seen map[string]int) error {
	line = trim(line)
	if line == "" || line[0] == '#' {
		return nil
	}
	if len(line) > maxLine {
		return Error("it has " + strconv.Itoa(len(line)) + " octets; at most " + strconv.Itoa(maxLine) + " are taken")
	}
	for i := range len(line) {
		if c := line[i]; c < ' ' && c != '\t' || c == 0x7f {
			return Error("there is a control character in it; write text")
		}
	}
	key, value := cut(line)
	switch key {
	case "filter", "budget", "option":
	default:
		if first := seen[key]; first > 0 {
			return Error(quote(key) + " stands in line " + strconv.Itoa(first) + " already; keep one of them")
		}
		seen[key] = number
	}
	if value == "" {
		for _, known := range manifestKeys {
			if known == key {
				return Error(quote(key) + " has no value; write it behind the key, with a space between")
			}
		}
	}
	return m.set(key, value)
}

func (m *Manifest) set(key, value string) (err error) {
	switch key {
	case "name":
		m.Name, err = value, checkName(value)
	case "version":
		m.Version = value
	case "description":
		m.Description = value
	case "hooks":
		m.hooks, err = parseHooks(value)
	case "grants":
		m.Grants = 0
		for _, word := range words(value, false) {
			g, bad := ParseGrant(word)
			if bad != nil {
				err = bad
			}
			m.Grants |= g
		}
		m.Grants = m.Grants.all()
	case "filter":
		if len(m.filters) == maxFilters {
			return Error("there are more than " + strconv.Itoa(maxFilters) + " filters; leave some out")
		}
		var f filter
		f, err = parseFilter(value)
		m.filters = append(m.filters, f)
	case "budget":
		err = m.budget(value)
	case "memory":
		err = number32(&m.Pages, value, 1, maxPages, "pages of 64 KiB")
	case "state":
		err = number32(&m.State, value, 1, maxState, "octets")
	case "mode":
		m.Guard = value == "guard"
		if value != "guard" && value != "open" {
			err = Error("the mode " + quote(value) + " is neither open nor guard")
		}
	case "priority":
		n, ok := parseInt(value)
		m.Priority = int(n)
		if !ok || n < -maxPriority || n > maxPriority {
			err = Error("the priority " + quote(value) + " is no number from -" + strconv.Itoa(maxPriority) + " to " + strconv.Itoa(maxPriority))
		}
	case "batch":
		err = number32(&m.Batch, value, 2, maxBatch, "records")
	case "tick":
		m.Tick, err = parseDuration(value)
		if err == nil && m.Tick < leastTick {
			err = Error("the tick " + quote(value) + " is less than 1ms; take a longer one")
		}
	case "sections":
		m.sections, err = parseSections(value)
	case "wants":
		m.wants, err = parseWants(value)
	case "option":
		if len(m.Options) == maxOptions {
			return Error("there are more than " + strconv.Itoa(maxOptions) + " options; leave some out")
		}
		var o Option
		if o, err = parseOption(value); err == nil {
			err = m.addOption(o)
		}
	default:
		err = Error("there is no key " + quote(key) + slip(key, manifestKeys))
	}
	return err
}

// wantNames are what a congestion controller may want beyond what its exports say.
var wantNames = [...]struct {
	name string
	is   cc.Wants
}{{"samples", cc.WantsSamples}, {"window", cc.OwnsWindow}}

func parseWants(value string) (wants cc.Wants, err error) {
all:
	for _, word := range words(value, false) {
		var names []string
		for _, w := range wantNames {
			if w.name == word {
				wants |= w.is
				continue all
			}
			names = append(names, w.name)
		}
		return 0, Error("there is nothing to want that is called " + quote(word) + slip(word, names))
	}
	return wants, nil
}

func (m *Manifest) budget(value string) (err error) {
	what, figure := cut(value)
	switch what {
	case "init":
		m.InitFuel, err = fuelFigure(figure, mostInitFuel)
	case "hook":
		m.HookFuel, err = fuelFigure(figure, mostHookFuel)
	default:
		if m.Class, err = parseClass(what); err == nil && figure != "" {
			err = Error("there is " + quote(figure) + " behind the class; write budget init and budget hook for figures")
		}
	}
	return err
}

func fuelFigure(text string, most int64) (int64, error) {
	n, ok := parseInt(text)
	if !ok || n < 1 || n > most {
		return 0, Error("the budget " + quote(text) + " is no number from 1 to " + strconv.FormatInt(most, 10))
	}
	return n, nil
}

func number32(into *uint32, text string, least, most uint32, unit string) error {
	n, ok := parseUint(text)
	if !ok || n < uint64(least) || n > uint64(most) {
		return Error(quote(text) + " is no number from " + strconv.Itoa(int(least)) + " to " + strconv.Itoa(int(most)) + ", of " + unit)
	}
	*into = uint32(n)
	return nil
}

// checkName looks at a name: it stands in logs, in file names, and before commas.
func checkName(name string) error {
	if len(name) > maxName {
		return Error("the name has " + strconv.Itoa(len(name)) + " octets; at most " + strconv.Itoa(maxName) + " are taken")
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return Error("the name " + quote(name) + " may have letters, digits and the signs - _ . only")
		}
	}
	return nil
}

func parseHooks(value string) (set hookSet, err error) {
	for _, word := range words(value, true) {
		h := named(word)
		if h == nil {
			return 0, Error("there is no hook " + quote(word) + slip(unprefixed(word), hookNames()))
		}
		set |= h.bit()
	}
	return set, nil
}

func hookNames() []string {
	names := make([]string, len(hooks))
	for i := range hooks {
		names[i] = hooks[i].name
	}
	return names
}

// allSections is what a plugin is shown that does not say which sections it wants.
const allSections = abi.SectionArgs | abi.SectionAddress | abi.SectionState | abi.SectionOptions | abi.SectionPayload

var sectionNames = [...]struct {
	name string
	is   sections
}{
	{"args", abi.SectionArgs}, {"address", abi.SectionAddress}, {"state", abi.SectionState},
	{"options", abi.SectionOptions}, {"payload", abi.SectionPayload}, {"none", 0},
}

func parseSections(value string) (set sections, err error) {
words:
	for _, word := range words(value, false) {
		var names []string
		for _, s := range sectionNames {
			if s.name == word {
				set |= s.is
				continue words
			}
			names = append(names, s.name)
		}
		return 0, Error("there is no section " + quote(word) + slip(word, names))
	}
	return set, nil
}
