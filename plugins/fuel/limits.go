package fuel

// Limits bound a module. THREATS P02 to P04: what the rewriter lets through is
// what an engine compiles, and none of it may take the host's memory or time
// out of proportion to the file.
type Limits struct {
	Size      int // octets of the file
	Types     int // types of functions
	Values    int // arguments or results of a type
	Imports   int
	Functions int // without the imported ones
	Globals   int
	Exports   int
	Segments  int // of elements, and as many of data
	Body      int // octets of a function's code
	Code      int // octets of all code when it pays fuel
	Locals    int // of a function, its arguments among them
	Operands  int // values on a function's operand stack
	Blocks    int // basic blocks of a function
	Nesting   int // blocks in each other
	Targets   int // labels of the br_tables of a function, taken together
	Crossings int // basic blocks of a function times its locals
	Calls     int // in a function
	Work      int // what compiling all functions takes, in instructions

	Pages  uint32 // of memory, 64 KiB each: the module's own maximum is cut to it
	Tables int
	Table  uint32 // entries of a table: the same

	// Depth bounds the functions that run, but for those that call no other. Each
	// weighs its locals, its operands and frameWeight.
	Depth int32

	// StartFuel is what Global holds when the module is instantiated: what the
	// start function may use, if there is one.
	StartFuel int64
}

// DefaultLimits are those of a plugin that has asked for nothing else.
func DefaultLimits() Limits {
	return Limits{
		Size:      4 << 20,
		Types:     10000,
		Values:    100,
		Imports:   1000,
		Functions: 10000,
		Globals:   10000,
		Exports:   10000,
		Segments:  65536,
		Body:      64 << 10,
		Code:      8 << 20,
		Locals:    1024,
		Operands:  1024,
		Blocks:    4096,
		Nesting:   1024,
		Targets:   4096,
		Crossings: 200_000,
		Calls:     4096,
		Work:      10_000_000,

		Pages:  16,
		Tables: 4,
		Table:  16384,

		Depth:     32768,
		StartFuel: 10_000_000,
	}
}
