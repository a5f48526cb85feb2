package plugins

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// Why is the reason of an event of a plugin.
type Why uint8

// The reasons. Those from WhyTrap to WhyMutation are strikes.
const (
	WhyVerdict   Why = iota // its own verdict
	WhyTrap                 // the call failed
	WhyFuel                 // it used up its fuel
	WhyBad                  // a verdict that it may not give there
	WhyMutation             // a change that it may not make, or a segment that cannot be
	WhySkipped              // its fuel for this instant is used up: it was not called
	WhyAbsent               // it waits to be started again, or is out: it was not called
	WhyStarted              // it has been started again
	WhyOut                  // it is out, and stays so: three strikes in 60 s, or ten
	WhyDetached             // it wanted to leave
	WhyReplaced             // another module has its place
	WhyRemoved              // its user has taken it away
	WhyNotEdited            // its change of the payload was not taken: what is kept of such changes is full
	whys
)

var whyNames = [whys]string{
	"verdict", "trap", "out of fuel", "bad verdict", "bad change", "skipped", "absent", "started again", "struck out", "detached",
	"replaced", "removed", "edit refused",
}

// String names the reason.
func (w Why) String() string {
	if w >= whys {
		return "unknown"
	}
	return whyNames[w]
}

// Whys are the names of all reasons, by their numbers.
func Whys() []string { return slices.Clone(whyNames[:]) }

// strike reports whether the reason counts against the plugin.
func (w Why) strike() bool { return w >= WhyTrap && w <= WhyMutation }

// An Out says whether a plugin is called no more.
type Out uint8

// Why it is called no more.
const (
	NotOut      Out = iota
	OutStruck       // THREATS P15
	OutDetached     // it wanted to
	OutClosed
)

// A plugin that fails is started afresh after a while, and not for ever.
// THREATS P12, P15.
const (
	strikeSpan   = 60 * clock.Second
	strikesShort = 3  // within strikeSpan
	strikesAll   = 10 // ever
	backoffFirst = clock.Second
	backoffMost  = 4 * clock.Second
)

// life is how a plugin fares.
type life struct {
	out     Out
	waiting bool // for backAt, to be started again
	backAt  clock.Instant
	strikes int
	recent  [strikesShort]clock.Instant // the times of the last strikes, the newest first
	fault   fault                       // the last one

	fuel     int64         // of the call at hand
	pollAt   clock.Instant // THREATS P13
	pollLeft int64
}

// here reports whether the plugin can be called now, and if not, why.
func (p *Plugin) here(now clock.Instant) (Why, bool) {
	l := &p.life
	g := p.guest
	if g == nil {
		return WhyAbsent, false
	}
	if g.dead {
		// It has failed a copy of this plugin, which is not this one's fault.
		p.lose(now)
		return WhyAbsent, false
	}
	if g.busy {
		// THREATS P11: nothing calls back, so this cannot be. Were it so, it would not
		// be called again before it has returned.
		return WhyAbsent, false
	}
	if l.pollAt != now || p.stats.Calls == 0 {
		l.pollAt, l.pollLeft = now, pollFuel
	}
	if l.pollLeft <= 0 {
		p.stats.Skipped++
		return WhySkipped, false
	}
	return WhyVerdict, true
}

// lose parts from an instance that has failed. What it knew is lost; it is started
// again when backAt has come.
func (p *Plugin) lose(backAt clock.Instant) {
	_ = p.release()
	p.life.waiting, p.life.backAt = true, backAt
	p.states.forget()
	p.commands.forget()
	p.timers.forget()
	p.batch.n = 0
}

// strike counts a fault, and ends the plugin if that is one too many.
func (p *Plugin) strike(now clock.Instant, why Why) (out bool) {
	l := &p.life
	l.strikes++
	p.stats.Strikes++
	copy(l.recent[1:], l.recent[:])
	l.recent[0] = now
	if l.strikes >= strikesAll || l.strikes >= strikesShort && now.Sub(l.recent[strikesShort-1]) <= strikeSpan {
		p.leave(OutStruck)
		return true
	}
	if why == WhyTrap || why == WhyFuel {
		n := 1 // strikes that are not too long ago, this one among them
		for n < min(l.strikes, len(l.recent)) && now.Sub(l.recent[n]) <= strikeSpan {
			n++
		}
		p.lose(now.Add(min(backoffFirst<<(n-1), backoffMost)))
	}
	return false
}

// leave ends the plugin for good.
func (p *Plugin) leave(out Out) {
	p.life.out, p.life.waiting = out, false
	p.timers.forget()
	p.batch.n = 0
	_ = p.release()
}

// revive starts the plugin again.
func (p *Plugin) revive(now clock.Instant, log *event.Log) {
	p.life.waiting = false
	p.now = now
	g, err := p.start(nil)
	if err == nil {
		p.guest = g
		if p.manifest.Tick > 0 {
			p.timers.tickAt = now.Add(p.manifest.Tick)
		}
		p.tell(log, now, noRecord, abi.Pass, 0, WhyStarted)
		return
	}
	p.life.fault.err = err
	p.blame(log, now, noRecord, abi.HookInit, 0, WhyTrap)
}

// A fault is what a plugin got a strike for.
type fault struct {
	why    Why // WhyVerdict: there was none
	hook   abi.Hook
	result int64
	err    error // of WhyTrap and WhyFuel
}

// blame counts a strike and tells of it.
func (p *Plugin) blame(log *event.Log, now clock.Instant, r *tcp.Record, h abi.Hook, result int64, why Why) {
	p.life.fault.why, p.life.fault.hook, p.life.fault.result = why, h, result
	p.tell(log, now, r, abi.Verdict(result), uint64(result)>>8, why)
	if p.strike(now, why) {
		p.tell(log, now, r, abi.Detach, uint64(p.life.strikes), WhyOut)
	}
}

// noRecord is the record of what happens at no step.
var noRecord = &tcp.Record{Step: noStep}

// tell writes an event.
func (p *Plugin) tell(log *event.Log, now clock.Instant, r *tcp.Record, v abi.Verdict, arg uint64, why Why) {
	p.stats.Whys[why]++
	if log == nil || !log.On(event.Plugin) {
		return
	}
	hook := abi.Hook(0)
	if r.Step < tcp.Steps {
		hook = hookAt(r.Step).hook
	}
	log.Add(event.Event{
		At: now, Conn: r.Conn, Packet: r.Packet, Kind: event.Plugin,
		From: uint8(r.Step), To: uint8(p.index), By: uint8(v), A: arg, B: uint64(hook)<<32 | uint64(why),
	})
}

// fingerprint adds what decides whether the plugin will be called.
func (l *life) fingerprint(h *siphash.Hash, now clock.Instant) {
	h.WriteUint64(uint64(l.out)<<32 | uint64(l.strikes))
	if l.waiting {
		h.WriteUint64(uint64(l.backAt.Sub(now)))
	}
	for i := range l.recent[:min(l.strikes, len(l.recent))] {
		h.WriteUint64(uint64(min(now.Sub(l.recent[i]), strikeSpan+1)))
	}
	if l.pollAt == now {
		h.WriteUint64(uint64(l.pollLeft))
	}
}
