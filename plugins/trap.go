package plugins

import (
	"strconv"

	"github.com/tcpkit/tcpkit/plugins/abi"
)

// A Trap is what ended a call of a plugin before its time: one of abi.Trap..., and
// from bit 8 on the code of abi.TrapExit. All engines call the same thing the same.
type Trap uint32

var trapTexts = [...]string{
	abi.TrapOther:       "for a reason that the engine does not tell",
	abi.TrapUnreachable: "unreachable",
	abi.TrapMemory:      "out of bounds memory access",
	abi.TrapTable:       "call of what is not in the table, or is of another type",
	abi.TrapDivide:      "integer divide by zero",
	abi.TrapRange:       "a number that is too large for its type, or none",
	abi.TrapStack:       "stack overflow",
	abi.TrapEarly:       "its start function calls the host, which is there only later; do it in tcpkit_init",
}

func (t Trap) Error() string {
	switch kind := uint8(t); {
	case kind == abi.TrapExit:
		return "trapped: it has exited with code " + strconv.FormatUint(uint64(t>>8), 10)
	case kind == abi.TrapFuel:
		return ErrFuel.Error()
	case int(kind) < len(trapTexts):
		return "trapped: " + trapTexts[kind]
	default:
		return "trapped: " + trapTexts[abi.TrapOther]
	}
}

// Is makes errors.Is(err, ErrFuel) hold whichever engine has found it.
func (t Trap) Is(target error) bool { return target == ErrFuel && t == abi.TrapFuel }

// ErrRoom is a slip of the host: Init asks for what Call needs.
const ErrRoom Error = "the record is larger than the buffer that was asked for"

// ErrClosed is why an instance that has been closed cannot be called.
const ErrClosed Error = "the plugin has been closed"

// CheckBuffer says whether the buffer of size octets at at, which a plugin's init
// has returned, lies in its memory. THREATS P07.
func CheckBuffer(at, size, memory uint32) error {
	if at == 0 {
		return Error(abi.ExportInit + " returned 0, which says that the plugin cannot run; return the address of a buffer of " + strconv.FormatUint(uint64(size), 10) + " octets")
	}
	end := uint64(at) + uint64(size)
	if end <= uint64(memory) {
		return nil
	}
	return Error(abi.ExportInit + " offers the buffer " + strconv.FormatUint(uint64(at), 10) + " to " + strconv.FormatUint(end, 10) +
		", but the plugin's memory ends at " + strconv.FormatUint(uint64(memory), 10) + "; offer one within it, or make the memory larger")
}
