package script

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// rung is a line of the ladder.
type rung struct {
	at    clock.Instant
	state string // of the connection under test, behind what the line tells
	text  string
}

// maxRungs bounds the ladder: of a longer run it shows the end.
const maxRungs = 400

func (r *runner) climb(text string) {
	if len(r.rungs) >= 2*maxRungs {
		r.rungs = append(r.rungs[:0], r.rungs[len(r.rungs)-maxRungs:]...)
	}
	r.rungs = append(r.rungs, rung{r.now, r.stateText(), text})
}

func (r *runner) climbPacket(s *sent) { r.climb("    " + r.textOf(s)) }

func (r *runner) climbInbound(f *flow, p *Packet) { r.climb(p.text()) }

// stateText is the state of the connection under test.
func (r *runner) stateText() string {
	if r.flow == nil || r.stack == nil {
		return "-"
	}
	return r.stateOf(r.flow).String()
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
		if e.Rule != rule.None {
			text += ", " + e.Rule.String()
		}
		r.climb("        " + text)
	}
}

// ladder is the run so far: time, state, and what happened, with packets to the
// stack (<) on the left and those of the stack (>) moved in.
func (r *runner) ladder() string {
	first := max(0, len(r.rungs)-maxRungs)
	var b []byte
	if first > 0 {
		b = append(b, "...\n"...)
	}
	for _, x := range r.rungs[first:] {
		start := len(b)
		b = appendFixed(b, x.at.Sub(origin))
		for len(b) < start+13 {
			b = append(b, ' ')
		}
		b = append(b, x.state...)
		for len(b) < start+27 {
			b = append(b, ' ')
		}
		b = append(b, x.text...)
		b = append(b, '\n')
	}
	return string(b)
}

// stateOf is the state of a connection; CLOSED if the stack has none.
func (r *runner) stateOf(f *flow) tcp.State {
	if s, ok := r.statusOf(f); ok {
		return s.State
	}
	if f.sock != nil && f.sock.conn != nil {
		return f.sock.conn.State()
	}
	if r.stack != nil && r.listensOn(f.local) {
		return tcp.Listen
	}
	return tcp.Closed
}

// listensOn reports whether a socket of the script listens at an address.
func (r *runner) listensOn(a wire.AddrPort) bool {
	for _, s := range r.socks {
		if s != nil && s.listener != nil && s.local.Port == a.Port {
			return true
		}
	}
	return false
}

func (r *runner) listens() bool {
	return r.listensOn(wire.AddrPort{Addr: r.local, Port: r.bindPort})
}
