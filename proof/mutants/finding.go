package mutants

// A Finding is what a detector says, a line of JSON each: what it has found, or,
// as the last line, that it has looked at everything.
type Finding struct {
	By      string  // the script, world or seed that fails
	What    string  // how it fails
	Tried   int     // scripts, worlds or seeds so far
	States  int     // of the explorer
	Depth   int     // of the explorer: steps of the counter-example
	Seconds float64 // since the detector began
	Done    bool    // the last line
}

// Kinds are the detectors, in the order of the table.
func Kinds() []string { return []string{"scripts", "explore", "sim"} }
