package build

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// unused begin the names of functions of Go's runtime that nothing in the module can
// reach, though the linker can't know: there is no environment that could set GODEBUG,
// nothing starts a trace or a profile, there is one module, and no float is printed.
// They are left out; a call would trap. A trace's entry points, which look whether
// there is one, are not among them.
var unused = []string{
	"runtime.traceEventWriter.", "runtime.traceWriter.", "runtime.(*traceWriter).", "runtime.traceExpWriter.",
	"runtime.unsafeTrace", "runtime.(*traceBuf).", "runtime.(*traceMap).", "runtime.(*traceRegionAlloc).",
	"runtime.(*traceStackTable).", "runtime.(*traceStringTable).", "runtime.(*traceTypeTable).",
	"runtime.traceLocker.G", "runtime.traceLocker.H", "runtime.traceLocker.S", "runtime.traceLocker.P", "runtime.traceLocker.event",
	"runtime.traceLocker.C", "runtime.traceLocker.st", "runtime.traceLocker.u", "runtime.traceLocker.w",
	"runtime.traceAdvance", "runtime.traceSnapshotMemory", "runtime.traceStack", "runtime.traceReadCPU", "runtime.traceCPUFlush",
	"runtime.traceCPUSample", "runtime.traceStart", "runtime.traceStop", "runtime.traceGoroutine", "runtime.traceFrequency",
	"runtime.dumpStacksRec", "runtime.dumpTypesRec", "runtime.dumpFrames",
	"runtime.schedtrace", "runtime.(*profBuf).", "runtime.checkFinalizersAndCleanups", "runtime.typesEqual",

	"runtime.(*hexdumper).", "runtime.tracebackHexdump", "runtime.gcDumpObject", "runtime.printAncestorTraceback",
	"runtime.printScavTrace", "runtime.setCheckmark", "runtime.doRecordGoroutineProfile", "runtime.tryRecordGoroutineProfile",
	"runtime.printOneCgoTraceback", "runtime.expandCgoFrames",
	"runtime.(*synctestBubble).", "runtime.makeTraceFrames", "runtime.saveg",
	"runtime.fmtNSAsMS", "internal/strconv.AppendComplex", "internal/strconv.FormatComplex",
	"runtime.printfloat", "runtime.printcomplex",
	"internal/strconv.FormatFloat", "internal/strconv.AppendFloat", "internal/strconv.genericFtoa", "internal/strconv.bigFtoa",
	"internal/strconv.formatDigits", "internal/strconv.fmt", "internal/strconv.roundShortest",
	"internal/strconv.dbox", "internal/strconv.ryu", "internal/strconv.fixedFtoa", "internal/strconv.shortFtoa", "internal/strconv.(*decimal).",
	"internal/strconv.trim", "internal/strconv.rightShift", "internal/strconv.leftShift", "internal/strconv.prefixIsLessThan", "internal/strconv.shouldRoundUp",
	"internal/strconv.mult", "internal/strconv.ParseFloat", "internal/strconv.parseFloat", "internal/strconv.atof", "internal/strconv.eiselLemire",
}

// powersOfTen begin the table that floats are printed by: the two words of 10^-348.
// It has 696 such rows, which nothing reads when no float is printed.
const (
	powersOfTen     = "\x88\x02\x1c\x08\xa0\xd5\x8f\xfa\x53\xe4\x60\xcd\x69\xc8\x32\x17"
	powersOfTenSize = 696 * 16
)

// dropPowers clears that table where memory holds it.
func dropPowers(memory []byte) {
	if at := bytes.Index(memory, []byte(powersOfTen)); at >= 0 && len(memory)-at >= powersOfTenSize {
		clear(memory[at : at+powersOfTenSize])
	}
}

// unreachable is the body of a function without locals that traps.
var unreachable = []byte{0, 0x00, opEnd}

// isUnused reports whether a function of a name is left out.
func isUnused(name string) bool {
	for _, u := range unused {
		if strings.HasPrefix(name, u) {
			return true
		}
	}
	return false
}

// functionNames are the names of all functions in the order in which a module's code
// has them, out of the table of functions; nil without one.
func functionNames(memory []byte) (names []string) {
	table, ok := functionTable(memory)
	if !ok {
		return nil
	}
	for _, record := range table.places {
		at := table.word(namesAt) + table.word(record+recordName)
		if at >= len(table.octets) {
			return nil
		}
		name, _, _ := bytes.Cut(table.octets[at:], []byte{0})
		names = append(names, string(name))
	}
	return names
}

// A funcTable is the runtime's table of functions.
type funcTable struct {
	octets []byte
	places []int // of the records
}

func (t *funcTable) word(at int) int { return int(binary.LittleEndian.Uint32(t.octets[at:])) }

// functionTable finds the table where memory holds one that is as we know it.
func functionTable(memory []byte) (*funcTable, bool) {
	start := bytes.Index(memory, []byte(tableMagic))
	if start < 0 || len(memory)-start < tableHeader {
		return nil, false
	}
	t := &funcTable{octets: memory[start:]}
	n, from, list := t.word(functions), t.word(programsAt), t.word(recordsAt)
	if files := t.word(filesAt); files > from || from > list || list+8*n > len(t.octets) {
		return nil, false
	}
	for k := range n {
		record := list + t.word(list+8*k+4)
		if record+recordSize > len(t.octets) || record+recordSize+4*(t.word(record+recordMore)+int(t.octets[record+recordData])) > len(t.octets) {
			return nil, false
		}
		t.places = append(t.places, record)
	}
	return t, true
}
