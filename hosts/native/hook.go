package native

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// ChangeHook lets f say which hook each of the host's stacks has from now on, and
// at which steps it is called; nil is none. f is given the one that it has had. It
// is called under the lock of the host: no step is lost between the old hook and
// the new one, and none is seen by both. f must be quick and must not call the
// host.
func (h *Host) ChangeHook(f func(now clock.Instant, old tcp.Hook) (tcp.Hook, tcp.HookMask)) {
	for _, s := range h.shards {
		now := s.enter()
		old, _ := s.stack.Hook()
		s.stack.SetHook(f(now, old))
		s.leave(now)
	}
}
