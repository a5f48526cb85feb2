package plugins

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// timers are those that a plugin has armed, and the interval of its manifest.
type timers struct {
	tickAt clock.Instant // 0: there is no interval
	armed  [maxTimers]timer
	n      int
}

type timer struct {
	id uint32
	at clock.Instant
}

const (
	maxTimers    = 16
	longestTimer = 24 * clock.Hour
)

// arm sets a timer, again if it is set already; a negative time takes it away. No
// timer is shorter than a millisecond: one that arms itself anew must let the
// clock go on.
func (t *timers) arm(id uint32, after int64, now clock.Instant) {
	i := 0
	for i < t.n && t.armed[i].id != id {
		i++
	}
	switch {
	case after < 0 && i < t.n:
		t.n--
		t.armed[i] = t.armed[t.n]
	case after < 0 || i == maxTimers:
	default:
		if i == t.n {
			t.n++
		}
		t.armed[i] = timer{id, now.Add(max(min(clock.Duration(after), longestTimer), leastTick))}
	}
}

func (t *timers) deadline() clock.Instant {
	at := clock.Never
	if t.tickAt != 0 {
		at = t.tickAt
	}
	for i := range t.armed[:t.n] {
		at = min(at, t.armed[i].at)
	}
	return at
}

// due takes away the timer that is due first, of those at one time that with the
// lowest id.
func (t *timers) due(now clock.Instant) (id uint32, ok bool) {
	first := -1
	for i, a := range t.armed[:t.n] {
		if a.at.After(now) {
			continue
		}
		if first < 0 || a.at < t.armed[first].at || a.at == t.armed[first].at && a.id < t.armed[first].id {
			first = i
		}
	}
	if first < 0 {
		return 0, false
	}
	id = t.armed[first].id
	t.n--
	t.armed[first] = t.armed[t.n]
	return id, true
}

func (t *timers) forget() { *t = timers{} }

func (t *timers) fingerprint(h *siphash.Hash, now clock.Instant) {
	if t.tickAt != 0 {
		h.WriteUint64(uint64(t.tickAt.Sub(now)))
	}
	for _, a := range t.armed[:t.n] {
		h.WriteUint64(uint64(a.id))
		h.WriteUint64(uint64(a.at.Sub(now)))
	}
}

// The first argument of abi.HookTick: the timer, or that it is the interval.
const tickOfManifest = 1 << 32

// fire calls a plugin for its timers.
func (s *Set) fire(p *Plugin, now clock.Instant, b *tcp.Beside, log *event.Log) {
	if t := &p.timers; t.tickAt != 0 && !t.tickAt.After(now) {
		t.tickAt = t.tickAt.Add(p.manifest.Tick)
		if !t.tickAt.After(now) {
			t.tickAt = now.Add(p.manifest.Tick) // those that were missed are not made up for
		}
		s.tick(p, now, tickOfManifest, b, log)
	}
	for range maxTimers {
		id, ok := p.timers.due(now)
		if !ok {
			return
		}
		s.tick(p, now, uint64(id), b, log)
	}
}

func (s *Set) tick(p *Plugin, now clock.Instant, id uint64, b *tcp.Beside, log *event.Log) {
	h := find(abi.HookTick)
	if _, ok := p.here(now); !ok || !p.exports.has(h) {
		return
	}
	s.putLife(h.hook, now)
	putArg(s.image, 0, id)
	for k := 1; k < 8; k++ {
		putArg(s.image, k, 0)
	}
	putSections(s.image, abi.SectionArgs, 0)
	s.parts[0].Size = abi.ArgsEnd
	used := p.stats.Fuel
	result, why := p.call(now, h.hook, 0, s.image, s.parts[:1])
	s.acted(p, &tcp.Act{Step: noStep}, used)
	r := &s.idle
	r.Beside, r.Log = b, log
	if why == WhyVerdict {
		why = s.carryOut(p, r)
	}
	if why == WhyVerdict {
		_, why = s.judge(p, h, r, result)
	}
	if why != WhyVerdict {
		p.blame(log, now, r, h.hook, result, why)
	}
}
