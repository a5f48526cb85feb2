package script

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// How a run is kept finite.
const (
	maxSteps   = 1 << 20 // timers in one run
	maxInstant = 4096    // calls of Expire that leave the clock where it is
	maxPackets = 1 << 16 // packets out at one instant
)

// runner is the system that is a core.Stack on a virtual clock: time passes
// when the judge waits, from one timer to the next.
type runner struct {
	Place
	judge Judge
	core  core.Config
	hook  tcp.Hook
	hooks tcp.HookMask
	stack *core.Stack
	pkt   packet.Packet

	isnShift uint32 // what is added to initial sequence numbers

	now   clock.Instant
	steps int

	fds     []descriptor // by the script's number; nil where there is none
	blocked *PendingCall

	foreign               bool  // FreeBSD's sysctls have been set
	sendMost, receiveMost int64 // net.core.wmem_max and rmem_max

	events []event.Event
	status []core.Status
}

// newRunner makes a runner for a stack with this configuration, which Start
// makes. The zero Config stands for the profile linux.
func newRunner(c core.Config) *runner {
	if c.MaxConns == 0 {
		c, _ = core.Profile("linux")
		c.Secret = [16]byte{'s', 'c', 'r', 'i', 'p', 't'}
		c.FastOpen = core.FastOpenClient // Linux's tcp_fastopen=1
	}
	if c.FastOpenKeys.Number == 0 {
		c.FastOpenKeys, _ = parseFastOpenKeys(FastOpenKey)
	}
	return &runner{core: c, now: Origin, sendMost: 4 << 20, receiveMost: 4 << 20}
}

// Name implements System.
func (r *runner) Name() string { return "tcpkit" }

// Profile implements System.
func (r *runner) Profile(name string) *Problem {
	secret, keys := r.core.Secret, r.core.FastOpenKeys
	c, err := core.Profile(name)
	if err != nil {
		return unsupported("there is no profile " + name)
	}
	r.core, r.core.Secret, r.core.FastOpenKeys = c, secret, keys
	return nil
}

// Start implements System.
func (r *runner) Start(p Place, j Judge) *Problem {
	r.Place, r.judge = p, j
	prefix := wire.Prefix{Addr: p.local, Bits: 24}
	if p.local.Is6() {
		prefix.Bits = 64
	}
	var err error
	r.core.ISNShift += r.isnShift
	if r.stack, err = core.New(r.core, packet.Link{MTU: p.mtu}); err == nil {
		err = r.stack.AddAddr(prefix)
	}
	if err != nil {
		return unsupported("a stack cannot be made with this configuration: " + err.Error())
	}
	r.stack.Log().SetMask(event.Of(event.Transition, event.Drop, event.TimerFired, event.SoftError))
	if r.hook != nil {
		r.stack.SetHook(r.hook.Clone(), r.hooks)
	}
	return nil
}

// Now implements System.
func (r *runner) Now() clock.Instant { return r.now }

// next is when something happens by itself; Never.
func (r *runner) next() clock.Instant {
	at := r.stack.Deadline()
	if b := r.blocked; b != nil && b.wake.Before(at) {
		at = b.wake
	}
	return at
}

// Lag implements System: what happens is told at once.
func (r *runner) Lag() clock.Duration { return 0 }

// Idle implements System.
func (r *runner) Idle() bool { return r.next() == clock.Never }

// Wait implements System: the timers of one instant fire.
func (r *runner) Wait(to clock.Instant) (more bool, bad *Problem) {
	at := r.next()
	if at == clock.Never || at.After(to) {
		if r.now.Before(to) {
			r.now = to
		}
		return false, nil
	}
	if r.now.Before(at) {
		r.now = at
	}
	for n := 0; n == 0 || !r.stack.Deadline().After(r.now); n++ {
		r.stack.Expire(r.now)
		if r.steps++; r.steps > maxSteps || n > maxInstant {
			return false, failed("the stack keeps its timers busy without end")
		}
		if p := r.drain(); p != nil {
			return false, p
		}
	}
	return true, nil
}

// drain takes what the stack wants to send, and lets a call that waits go on.
func (r *runner) drain() *Problem {
	for n := 0; ; n++ {
		r.note()
		for r.stack.Output(r.now, &r.pkt) {
			r.judge.Sent(r.now, r.pkt.Bytes)
			r.note()
			if n++; n > maxPackets {
				return failed("the stack sends packets without end")
			}
		}
		for _, ok := r.stack.NextReady(); ok; _, ok = r.stack.NextReady() {
			// Who waits looks for itself.
		}
		r.note()
		r.notice()
		if r.blocked == nil {
			return nil
		}
		progress, p := r.retry()
		if p != nil || !progress {
			return p
		}
	}
}

// note puts what the engine tells of itself onto the ladder: changes of state
// and segments that went nowhere, each with its rule.
func (r *runner) note() {
	r.events = r.stack.Log().Take(r.events[:0])
	for i := range r.events {
		e := &r.events[i]
		text := ""
		switch e.Kind {
		case event.Transition:
			text = "* " + tcp.State(e.From).String() + " to " + tcp.State(e.To).String() + " by " + tcp.Cause(e.By).String()
		case event.Drop:
			text = "* dropped: " + rule.Drop(e.From).String()
		case event.TimerFired:
			text = "* timer " + tcp.TimerName(e.By)
		case event.SoftError:
			text = "* soft error: " + tcp.Error(e.By).Error()
		default:
			continue
		}
		ruled := ""
		if row, ok := rule.Lookup(e.Rule); ok {
			text += ", " + e.Rule.String()
			ruled = e.Rule.String() + ": " + row.Text
		}
		r.judge.Note(text, ruled)
	}
}

// Inject implements System.
func (r *runner) Inject(b []byte) *Problem {
	tell := r.unreachable(b)
	in := packet.Packet{Bytes: b}
	r.stack.Input(r.now, &in)
	tell()
	return r.drain()
}

// Call implements System.
func (r *runner) Call(p *PendingCall) *Problem {
	if o := r.do(p); o.stop == nil && o.block {
		if !p.call.Blocking {
			return nil
		}
		r.blocked = p
	} else if bad := r.judge.Returned(p, r.now, o); bad != nil {
		return bad
	}
	return r.drain()
}

// retry lets the call that waits look again, and reports whether it has got
// further.
func (r *runner) retry() (progress bool, bad *Problem) {
	p := r.blocked
	before := p.done
	o := r.do(p)
	if o.stop == nil && o.block {
		return p.done != before, nil
	}
	r.blocked = nil
	return true, r.judge.Returned(p, r.now, o)
}

// statusOf is what the stack tells of a connection. Of several that have had its
// addresses it is the last one that is not closed.
func (r *runner) statusOf(local, remote wire.AddrPort) (found core.Status, ok bool) {
	r.status = r.stack.AppendStatus(r.now, r.status[:0])
	for _, s := range r.status {
		if s.ID != 0 && s.Local == local && s.Remote == remote && (!ok || s.State != tcp.Closed) {
			found, ok = s, true
		}
	}
	return found, ok
}

// State implements System. What the stack has no connection for is CLOSED.
func (r *runner) State(local, remote wire.AddrPort) (s tcp.State, held bool) {
	s = tcp.Closed
	if r.Listens(local) {
		s = tcp.Listen
	}
	r.sockets(func(x *socket) {
		if x.conn != nil && x.conn.Local() == local && x.conn.Remote() == remote {
			s, held = x.conn.State(), true
		}
	})
	if x, ok := r.statusOf(local, remote); ok {
		s = x.State
	}
	return s, held
}

// Listens implements System.
func (r *runner) Listens(a wire.AddrPort) (found bool) {
	r.sockets(func(s *socket) { found = found || s.listener != nil && s.local.Port == a.Port })
	return found
}

// Drop ends connections as FreeBSD's tcpdrop does: the one between two addresses and
// ports, or all.
func (r *runner) Drop(args []string) *Problem {
	var want [2]wire.AddrPort
	all := len(args) == 1 && args[0] == "-a"
	if !all {
		if len(args) != 4 {
			return unsupported("tcpdrop with these arguments is not supported")
		}
		for i := range want {
			addr, err1 := wire.ParseAddr(args[2*i])
			port, err2 := strconv.ParseUint(args[2*i+1], 10, 16)
			if err1 != nil || err2 != nil {
				return unsupported("tcpdrop with these arguments is not supported")
			}
			want[i] = wire.AddrPort{Addr: addr, Port: uint16(port)}
		}
	}
	r.sockets(func(s *socket) {
		if s.conn != nil && (all || s.conn.Local() == want[0] && s.conn.Remote() == want[1]) {
			s.why = "ECONNABORTED"
			s.conn.Abort(r.now)
		}
	})
	return r.drain()
}
