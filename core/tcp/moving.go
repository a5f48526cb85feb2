package tcp

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Whether a segment will change a state is not guessed: where it may, a copy of the
// connection takes it in, and what that does is noted. The copy shares nothing with
// the connection that could be written, its controller is a built-in one, and nobody
// is told of it.

// A rehearsal is the stage for such copies. A stack has one, once it needs it.
type rehearsal struct {
	env   Env
	cfg   Config
	seg   Segment
	moves moves
	any   chunk // stands for every chunk of a buffer: what is in there changes no state
}

// moves is the hook that notes the changes of state that a segment causes.
type moves struct{ list []Move }

// At notes a change.
func (m *moves) At(r *Record) Verdict {
	if r.Cause == BySegment {
		m.list = append(m.list, Move{r.From, r.To, r.Cause, r.Rule})
	}
	return Pass
}

// Deadline and the rest: a rehearsal is over before any time has passed.
func (m *moves) Deadline() clock.Instant                       { return clock.Never }
func (m *moves) Expire(clock.Instant, *Beside, *event.Log)     {}
func (m *moves) Clone() Hook                                   { return m }
func (m *moves) Fingerprint(h *siphash.Hash, at clock.Instant) {}

// rehearse prepares the stage for a copy that goes by cfg and takes seg in.
func (e *Env) rehearse(cfg *Config, seg *Segment) *rehearsal {
	if e.stage == nil {
		e.stage = new(rehearsal)
	}
	r := e.stage
	r.moves.list = r.moves.list[:0]
	r.cfg, r.seg = *cfg, *seg
	r.cfg.Controller = cc.NewReno{}
	r.env = Env{Link: e.Link, Pool: e.Pool.Clone(), Hook: &r.moves, Hooks: Mask(StepTransition)}
	return r
}

// Moves gives the changes of state that seg will cause, in order. The result is
// good until the next call for the same stack.
func (c *TCB) Moves(now clock.Instant, seg *Segment) []Move {
	if !c.mayMove(seg) {
		return nil
	}
	r := c.env.rehearse(c.cfg, seg)
	d := c.copyTo(&r.env)
	d.cfg = &r.cfg
	d.control, d.cc = r.cfg.Controller, cc.State{Cwnd: c.cc.Cwnd, Ssthresh: c.cc.Ssthresh, MSS: c.cc.MSS}
	d.stop(timerControl)
	d.sendBuf, d.recvBuf = c.sendBuf.outline(&r.any), c.recvBuf.outline(&r.any)
	d.Arrives(now, &r.seg)
	return r.moves.list
}

// mayMove reports whether a segment can change the state at all: it has SYN, FIN or
// RST, it acknowledges our SYN or FIN, it may reach a FIN that has come before, or it
// brings text that nobody will read.
func (c *TCB) mayMove(seg *Segment) bool {
	if seg.Flags&(wire.SYN|wire.FIN|wire.RST) != 0 {
		return true
	}
	switch c.state {
	case Established, FinWait2, CloseWait, TimeWait:
	case SynReceived:
		return true
	case FinWait1, Closing, LastAck:
		if seg.Ack == c.snd.nxt {
			return true
		}
	case Closed, Listen, SynSent:
		return false
	default:
		panic("tcp: no such state")
	}
	return len(seg.Payload) > 0 && (c.rcv.finKnown || c.released || c.readShut)
}

// MovesOfCookie gives the changes of state that an ACK will cause which brings a
// cookie back, see OpenCookie.
func (e *Env) MovesOfCookie(now clock.Instant, cfg *Config, offset uint32, o CookieOptions, ack *Segment) []Move {
	r := e.rehearse(cfg, ack)
	var c TCB
	c.Init(&r.env, &r.cfg, 0, ack.Tuple)
	c.OpenCookie(now, offset, o, &r.seg)
	c.Arrives(now, &r.seg)
	return r.moves.list
}

// Rehearse is Arrives of a copy: what seg would do in TIME-WAIT.
func (w TimeWaitRecord) Rehearse(now clock.Instant, seg *Segment, cfg *Config, env *Env) TimeWaitAction {
	r := env.rehearse(cfg, seg)
	return w.Arrives(now, &r.seg, &r.cfg, &r.env)
}
