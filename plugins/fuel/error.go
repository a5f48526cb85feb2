package fuel

import "strconv"

// A Problem is the kind of an Error.
type Problem uint8

const (
	Damaged     Problem = iota + 1 // no module, or cut off, or against the format
	Unsupported                    // a part of WASM that plugins do without
	TooLarge                       // beyond a limit
	Reserved                       // a name that the rewriter needs
)

// Error makes a Problem what errors.Is(err, fuel.TooLarge) asks for.
func (p Problem) Error() string {
	switch p {
	case Damaged:
		return "the module is damaged"
	case Unsupported:
		return "the module uses what plugins may not"
	case TooLarge:
		return "the module is beyond a limit"
	default:
		return "the module takes a reserved name"
	}
}

// An Error says why a module is refused.
type Error struct {
	Problem  Problem
	What     string
	Section  string // "code"; "" if it is the file as a whole
	Function int    // in the index space, of the code section alone; -1 elsewhere
	Name     string // the name under which that function is exported, if it is
	Offset   int    // in the file
	Mend     string // what the author can do
}

func (e *Error) Error() string {
	var text string
	if e.Section != "" {
		text = "section " + e.Section + ", "
	}
	if e.Function >= 0 {
		text += "function " + strconv.Itoa(e.Function)
		if e.Name != "" {
			text += " (" + e.Name + ")"
		}
		text += ", "
	}
	return text + "octet " + strconv.Itoa(e.Offset) + ": " + e.What + "; " + e.Mend
}

func (e *Error) Unwrap() error { return e.Problem }
