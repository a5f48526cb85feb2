package netns

// marker in the environment says that the process was started by Run, until
// init has read it: the programs that the process starts are not told.
const marker = "TCPKIT_NETNS"

var inside bool // set once, by init

// Inside reports whether Run started this process, in a namespace that it made.
func Inside() bool { return inside }

// Options changes what Run starts.
type Options struct {
	// Args are the arguments of the new process, without the program's name;
	// nil means those of this one.
	Args []string
	// Env is added to the environment.
	Env []string
}
