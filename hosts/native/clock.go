package native

import (
	"time"

	"github.com/tcpkit/tcpkit/core/clock"
)

// Monotonic is this machine's clock: it never jumps, and begins at zero when it
// is made.
type Monotonic struct{ origin time.Time }

// NewMonotonic returns a clock that stands at zero now.
func NewMonotonic() *Monotonic { return &Monotonic{time.Now()} }

// Now returns the time since the clock was made.
func (m *Monotonic) Now() clock.Instant { return clock.Instant(time.Since(m.origin)) }
