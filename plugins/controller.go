package plugins

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// A Controller is the congestion control that a plugin of a Set exports, as a
// cc.Controller. What it keeps of a connection stands in cc.State, and comes and goes
// with the section of state: copies of a stack share nothing of it.
//
// Whichever module has the plugin's place answers, so that it can be replaced under
// way. One that keeps as many octets as the old one, and wants the same of cc.Wants,
// goes on with what that has kept; any other begins with cc_init, in the window that
// the connection has.
//
// The host goes on with CUBIC for a connection whose controller traps, runs
// out of fuel, is not there, or is silent: one that answers Pass to a loss, an RTO
// or an ECN mark leaves congestion without an answer. To leave the
// window as it is, it says Mutated and changes nothing.
//
// A Controller calls the plugins of its own Set, which is to be the hook of the
// stack too: then a copy of the stack has the controller of its own copy of the Set,
// see Set.Own. In a stack without that hook, copies share the Set, with its strikes.
type Controller struct {
	set   *Set
	index int
}

// Controller returns the first congestion controller among the plugins, nil if
// there is none. It is the same one each time.
func (s *Set) Controller() cc.Controller { return s.controllerNumber(1) }

// controllerNumber returns the n-th of them, in the order of the chain and from 1
// on, which is how a plugin names it.
func (s *Set) controllerNumber(n uint64) cc.Controller {
	for _, p := range s.order {
		if !p.exports.has(find(abi.HookCCAck)) {
			continue
		}
		if n--; n > 0 {
			continue
		}
		return s.controllerAt(p.index)
	}
	return nil
}

// ControllerOf returns the congestion controller that the plugin of that name is, nil
// if it is none.
func (s *Set) ControllerOf(name string) cc.Controller {
	p := s.Plugin(name)
	if p == nil || !p.exports.has(find(abi.HookCCAck)) {
		return nil
	}
	return s.controllerAt(p.index)
}

// controllerAt is the one controller of that place.
func (s *Set) controllerAt(index int) *Controller {
	for _, c := range s.controllers {
		if c.index == index {
			return c
		}
	}
	c := &Controller{set: s, index: index}
	s.controllers = append(s.controllers, c)
	return c
}

// Own is tcp.Owner: the controller of a Set of which this one is a copy becomes its
// own.
func (s *Set) Own(k cc.Controller, log *event.Log) cc.Controller {
	c, ok := k.(*Controller)
	if !ok || c.set.scratch != s.scratch {
		return k
	}
	s.log = log
	return s.controllerAt(c.index)
}

// leastCC are the hooks without which there is no congestion control.
var leastCC = [...]abi.Hook{abi.HookCCAck, abi.HookCCLoss, abi.HookCCRTO}

// checkCC refuses half a controller.
func (p *program) checkCC() (problems []error) {
	some := false
	for i := range hooks {
		some = some || hooks[i].isCC() && p.exports.has(&hooks[i])
	}
	if !some {
		return nil
	}
	for _, h := range leastCC {
		if !p.exports.has(find(h)) {
			problems = append(problems, Error("it is a congestion controller without "+find(h).export()+", which each has; add the export, of type "+typeHook))
		}
	}
	if !p.grants.Has(GrantCC) {
		problems = append(problems, Error("it is a congestion controller without the grant cc; ask for it in the manifest: grants cc"))
	}
	return problems
}

// plugin is who has the controller's place now, nil if nobody has.
func (c *Controller) plugin() *Plugin { return c.set.plugins[c.index] }

// Name is that of the plugin.
func (c *Controller) Name() string {
	if p := c.plugin(); p != nil {
		return p.name
	}
	return "removed"
}

// Wants is what the plugin's exports and its manifest ask for.
func (c *Controller) Wants() cc.Wants {
	p := c.plugin()
	if p == nil {
		return cc.WantsMore
	}
	w := cc.WantsMore | p.manifest.wants
	for _, x := range [...]struct {
		hook  abi.Hook
		wants cc.Wants
	}{{abi.HookCCSent, cc.WantsSent}, {abi.HookCCReport, cc.WantsReport}, {abi.HookCCRelease, cc.WantsRelease}} {
		if p.Exports(x.hook) {
			w |= x.wants
		}
	}
	return w
}

// Init is cc.Controller.
func (c *Controller) Init(s *cc.State, now clock.Instant) {
	s.Ssthresh = cc.MaxWindow
	if p := c.plugin(); p != nil {
		s.Priv[0] = p.begun()
	}
	c.tell(abi.HookCCInit, s, now, nil)
}

// begun is what a connection remembers of the plugin that it has begun with, in
// State.Priv, of which a plugin knows nothing: which one it is of those that had the
// place, and how many octets it keeps.
func (p *Plugin) begun() uint64 { return p.turn<<32 | uint64(p.manifest.State) }

// takeOver is the first call of a plugin that has got the place of the one that the
// connection has begun with.
func (c *Controller) takeOver(p *Plugin, s *cc.State, now clock.Instant) {
	kept, wants := uint32(s.Priv[0]), s.Wants
	s.Priv[0], s.Wants = p.begun(), c.Wants()
	if kept == p.manifest.State && wants == s.Wants {
		return
	}
	cwnd, ssthresh := s.Cwnd, s.Ssthresh
	if wants.Has(cc.OwnsWindow) {
		ssthresh = min(ssthresh, cwnd) // what the old one had found out is in its window
	}
	s.PacingRate, s.More.Quantum, s.More.TimerAt, s.More.Priv = 0, 0, clock.Never, [len(s.More.Priv)]uint64{}
	s.Ssthresh = cc.MaxWindow
	c.tell(abi.HookCCInit, s, now, nil)
	s.Cwnd, s.Ssthresh = cwnd, ssthresh
	s.Bound()
}

// OnAck is cc.Controller.
func (c *Controller) OnAck(s *cc.State, a *cc.Ack) {
	c.tell(abi.HookCCAck, s, a.Now, func(b []byte) {
		wire.PutLe32(b[abi.CCInFlight:], a.InFlight)
		wire.PutLe32(b[abi.CCAcked:], a.Acked)
		wire.PutLe32(b[abi.CCLosses:], a.Losses)
		wire.PutLe32(b[abi.CCFlags:], ackFlags(a))
		wire.PutLe64(b[abi.CCDelivered:], a.Delivered)
		wire.PutLe64(b[abi.CCInterval:], uint64(a.Interval))
		wire.PutLe64(b[abi.CCRTT:], uint64(a.RTT))
		wire.PutLe64(b[abi.CCSRTT:], uint64(a.SRTT))
		wire.PutLe64(b[abi.CCMinRTT:], uint64(a.MinRTT))
		wire.PutLe64(b[abi.CCTotal:], a.Total)
	})
}

func ackFlags(a *cc.Ack) (flags uint32) {
	for _, f := range [...]struct {
		is   bool
		flag uint32
	}{
		{a.ECE, abi.CCFlagECE}, {a.AppLimited, abi.CCFlagAppLimited}, {a.InRecovery, abi.CCFlagInRecovery},
		{a.CwndLimited, abi.CCFlagCwndLimited}, {a.Round, abi.CCFlagRound},
	} {
		if f.is {
			flags |= f.flag
		}
	}
	return flags
}

// OnLoss is cc.Controller.
func (c *Controller) OnLoss(s *cc.State, now clock.Instant, inFlight uint32) {
	c.congestion(abi.HookCCLoss, s, now, inFlight)
}

// OnRTO is cc.Controller.
func (c *Controller) OnRTO(s *cc.State, now clock.Instant, inFlight uint32) {
	c.congestion(abi.HookCCRTO, s, now, inFlight)
}

// OnECN is cc.Controller. Who exports no hook for it takes a mark for a loss, and the
// window goes down with ssthresh, RFC 3168 §6.1.2, unless it is the controller's own.
func (c *Controller) OnECN(s *cc.State, now clock.Instant, inFlight uint32) {
	if p := c.plugin(); p != nil && p.Exports(abi.HookCCECN) {
		c.congestion(abi.HookCCECN, s, now, inFlight)
		return
	}
	c.congestion(abi.HookCCLoss, s, now, inFlight)
	if !s.Failed && !s.Wants.Has(cc.OwnsWindow) {
		s.Cwnd = min(s.Cwnd, s.Ssthresh)
		s.Bound()
	}
}

// congestion asks for an answer, and gives up on a controller that has none.
func (c *Controller) congestion(h abi.Hook, s *cc.State, now clock.Instant, inFlight uint32) {
	answered := c.tell(h, s, now, func(b []byte) { wire.PutLe32(b[abi.CCInFlight:], inFlight) })
	s.Failed = s.Failed || !answered
}

// OnRecoveryExit is cc.Controller.
func (c *Controller) OnRecoveryExit(s *cc.State, now clock.Instant) {
	c.tell(abi.HookCCRecoveryExit, s, now, nil)
}

// OnIdle is cc.Controller.
func (c *Controller) OnIdle(s *cc.State, now clock.Instant, idle, rto clock.Duration) {
	c.tell(abi.HookCCIdle, s, now, func(b []byte) {
		wire.PutLe64(b[abi.CCIdle:], uint64(idle))
		wire.PutLe64(b[abi.CCRTO:], uint64(rto))
	})
}

// Undo is cc.Controller.
func (c *Controller) Undo(s *cc.State, now clock.Instant) { c.tell(abi.HookCCUndo, s, now, nil) }

// OnSent is cc.Controller.
func (c *Controller) OnSent(s *cc.State, e *cc.Sent) {
	c.tell(abi.HookCCSent, s, e.Now, func(b []byte) {
		wire.PutLe32(b[abi.CCInFlight:], e.InFlight)
		wire.PutLe32(b[abi.CCAcked:], e.Octets)
		if e.Again {
			wire.PutLe32(b[abi.CCFlags:], abi.CCFlagAgain)
		}
	})
}

// OnReport is cc.Controller.
func (c *Controller) OnReport(s *cc.State, r *cc.Report) {
	c.tell(abi.HookCCReport, s, r.Now, func(b []byte) {
		wire.PutLe32(b[abi.CCInFlight:], r.InFlight)
		wire.PutLe32(b[abi.CCAcked:], uint32(min(r.Acked, 1<<32-1)))
		wire.PutLe32(b[abi.CCLosses:], uint32(min(r.Losses, 1<<32-1)))
		flags := uint32(0)
		if r.Marked > 0 {
			flags |= abi.CCFlagECE
		}
		if r.AppLimited {
			flags |= abi.CCFlagAppLimited
		}
		wire.PutLe32(b[abi.CCFlags:], flags)
		wire.PutLe64(b[abi.CCDelivered:], r.Delivered)
		wire.PutLe64(b[abi.CCInterval:], uint64(r.Interval))
		wire.PutLe64(b[abi.CCSince:], uint64(r.Since))
		wire.PutLe64(b[abi.CCMaxRTT:], uint64(r.MaxRTT))
		wire.PutLe32(b[abi.CCAcks:], r.Acks)
		wire.PutLe32(b[abi.CCMarked:], r.Marked)
		wire.PutLe64(b[abi.CCSRTT:], uint64(r.SRTT))
		wire.PutLe64(b[abi.CCMinRTT:], uint64(r.MinRTT))
	})
}

// OnTimer is cc.Controller.
func (c *Controller) OnTimer(s *cc.State, now clock.Instant) { c.tell(abi.HookCCTimer, s, now, nil) }

// OnRelease is cc.Controller.
func (c *Controller) OnRelease(s *cc.State, now clock.Instant) {
	c.tell(abi.HookCCRelease, s, now, nil)
}

// What a controller may have set.
var (
	ccWindows = Part{abi.CCCwnd, 8}
	ccRates   = Part{abi.CCQuantum, 12}
	ccTimer   = Part{abi.CCTimerAt, 8}
)

// tell calls a hook of the controller, if the plugin has it, and takes over what it
// sets. It reports whether the plugin answered with Mutated.
func (c *Controller) tell(h abi.Hook, s *cc.State, now clock.Instant, more func(b []byte)) (answered bool) {
	p := c.plugin()
	if p == nil || p.life.out != NotOut {
		s.Failed = true
		return false
	}
	if s.Priv[0] != p.begun() {
		c.takeOver(p, s, now)
	}
	if s.Failed || !p.Exports(h) {
		return false
	}
	set := c.set
	if why, ok := p.here(now); !ok {
		p.tell(set.log, now, noRecord, abi.Pass, 0, why)
		s.Failed = why != WhySkipped
		return false
	}
	set.view = viewNone
	b := set.image
	clear(b[:abi.CCEnd])
	wire.PutLe16(b[abi.OffsetSize:], abi.RecordSize)
	wire.PutLe16(b[abi.OffsetHook:], uint16(h))
	wire.PutLe64(b[abi.OffsetNow:], uint64(now))
	wire.PutLe32(b[abi.CCCwnd:], s.Cwnd)
	wire.PutLe32(b[abi.CCSsthresh:], s.Ssthresh)
	wire.PutLe32(b[abi.CCMSS:], s.MSS)
	wire.PutLe32(b[abi.CCLimit:], s.Limit)
	wire.PutLe64(b[abi.CCPacing:], s.PacingRate)
	wire.PutLe32(b[abi.CCQuantum:], s.More.Quantum)
	if s.More.TimerAt != clock.Never {
		wire.PutLe64(b[abi.CCTimerAt:], uint64(s.More.TimerAt))
	}
	if more != nil {
		more(b)
	}
	parts := append(set.parts[:0], Part{0, abi.CCEnd})
	state := Part{abi.StateAt, min(p.manifest.State, abi.StateEnd-abi.StateAt)}
	if state.Size > 0 {
		wire.PutLe32(b[abi.OffsetSections:], abi.SectionState)
		putWords(b[state.At:state.At+state.Size], s.More.Priv[:])
		parts = append(parts, state)
	}
	result, why := p.call(now, h, 0, b, parts)
	switch {
	case why == WhyVerdict && len(p.commands.injected) > 0:
		why = WhyMutation // there is no segment beside which it could be
	case why == WhyVerdict:
		answered, why = c.takeAnswer(p, s, result, state)
	}
	if why != WhyVerdict {
		p.blame(set.log, now, noRecord, h, result, why)
		s.Failed = true
		if p.life.out != NotOut {
			set.arrange()
		}
	}
	return answered
}

// takeAnswer takes over what a controller has set.
func (c *Controller) takeAnswer(p *Plugin, s *cc.State, result int64, state Part) (answered bool, why Why) {
	verdict, fields := abi.Verdict(result), uint64(result)>>8
	switch {
	case result < 0:
		return false, WhyBad
	case verdict == abi.Detach:
		p.tell(c.set.log, p.now, noRecord, abi.Detach, fields, WhyDetached)
		p.leave(OutDetached)
		c.set.arrange()
		s.Failed = true
		return false, WhyVerdict
	case fields&^(abi.FieldArgs|abi.FieldState) != 0:
		return false, WhyBad
	case verdict != abi.Pass && verdict != abi.Mutated, verdict == abi.Pass && fields&abi.FieldArgs != 0:
		return false, WhyBad
	}
	b, g := c.set.image, p.guest.instance
	if fields&abi.FieldState != 0 {
		if state.Size == 0 || g.Fetch(b, state) != nil {
			return false, WhyBad
		}
		takeWords(s.More.Priv[:], b[state.At:state.At+state.Size])
	}
	if fields&abi.FieldArgs != 0 {
		if g.Fetch(b, ccWindows) != nil || g.Fetch(b, ccRates) != nil || g.Fetch(b, ccTimer) != nil {
			return false, WhyBad
		}
		s.Cwnd, s.Ssthresh = wire.Le32(b[abi.CCCwnd:]), wire.Le32(b[abi.CCSsthresh:])
		s.More.Quantum, s.PacingRate = wire.Le32(b[abi.CCQuantum:]), wire.Le64(b[abi.CCPacing:])
		s.More.TimerAt = clock.Never
		if at := clock.Instant(wire.Le64(b[abi.CCTimerAt:])); at > 0 {
			s.More.TimerAt = at
		}
		s.Bound()
	}
	return verdict == abi.Mutated, WhyVerdict
}

// putWords and takeWords carry a connection's private state over, as much of it
// as b has room for, which may end within a word.
func putWords(b []byte, words []uint64) {
	for ; len(b) >= 8; b, words = b[8:], words[1:] {
		wire.PutLe64(b, words[0])
	}
	for i := range b {
		b[i] = byte(words[0] >> (8 * i))
	}
}

func takeWords(words []uint64, b []byte) {
	for ; len(b) >= 8; b, words = b[8:], words[1:] {
		words[0] = wire.Le64(b)
	}
	for i, octet := range b {
		words[0] = words[0]&^(0xff<<(8*i)) | uint64(octet)<<(8*i)
	}
}
