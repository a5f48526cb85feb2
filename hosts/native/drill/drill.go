package drill

import (
	"errors"
	"time"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/script"
)

// ErrNotLinux is what Run gives where there is no Linux to run against.
var ErrNotLinux = errors.New("scripts run against the kernel only on Linux")

// Options bounds a run.
type Options struct {
	// Limit is how long a run may take; none stands for a minute.
	Limit time.Duration
	// Retries is how often a script that fails is run again: a machine with other
	// things to do is late now and then, and a kernel that is wrong is so each time.
	Retries int
}

const defaultLimit = time.Minute

// quiet is how long a run looks for packets behind the last line, where the
// script wants to look for longer.
const quiet = 2 * clock.Second

// Length is how long a script takes by its own times, without a time for lines
// that come at any time.
func Length(s *script.Script) clock.Duration {
	var at clock.Duration
	for i := range s.Events {
		switch t := &s.Events[i].Time; t.Kind {
		case script.Absolute:
			at = max(at, t.At)
		case script.AbsoluteRange:
			at = max(at, t.End)
		case script.Relative:
			at += t.At
		case script.RelativeRange:
			at += t.End
		case script.Any:
		}
	}
	return at
}
