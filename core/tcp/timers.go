package tcp

import (
	"math/bits"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
)

// The timer slots. Slots that nothing arms yet keep their place, so that ids in
// event logs stay what they are.
const (
	timerRetransmit uint8 = iota // RFC 6298: SYN, data, FIN
	timerPersist                 // §3.8.6.1, and the sender's silly-window override
	timerDelack                  // §3.8.6.3
	timerKeepalive               // §3.8.4
	timerUser                    // §3.10.8
	timerWait                    // 2 MSL in TIME-WAIT; the orphan's patience in FIN-WAIT-2
	timerPace                    // when data may be sent next, armed or not
	timerTLP
	timerReorder
	timerPlugin  // has no place in TCB.timers: nothing arms it yet
	timerControl // the controller's: its time is in cc.More
	timerSlots
)

// TimerSlots is how many slots a connection has.
const TimerSlots = timerSlots

// Slots by their names: TimerWait is that of TIME-WAIT's 2 MSL.
const (
	TimerRetransmit = timerRetransmit
	TimerPersist    = timerPersist
	TimerDelack     = timerDelack
	TimerKeepalive  = timerKeepalive
	TimerWait       = timerWait
	TimerTLP        = timerTLP
)

var timerNames = [timerSlots]string{
	"retransmit", "persist", "delayed-ack", "keepalive", "user", "wait", "pace", "tlp", "reorder", "plugin", "congestion",
}

// TimerName is the name of a slot, as events number it.
func TimerName(slot uint8) string {
	if slot >= timerSlots {
		return "unknown"
	}
	return timerNames[slot]
}

func (c *TCB) isArmed(slot uint8) bool { return c.armed>>slot&1 != 0 }

// arm sets a timer, or moves it.
func (c *TCB) arm(now clock.Instant, slot uint8, at clock.Instant) {
	if c.env.Hooks.Has(StepTimerArmed) {
		at = c.hookArmed(now, slot, at)
	}
	c.armed |= 1 << slot
	if slot == timerControl {
		c.cc.More.TimerAt = at
	} else {
		c.timers[slot] = at
	}
	if c.env.Log.On(event.TimerArmed) {
		c.log(now, event.Event{Kind: event.TimerArmed, By: slot, A: uint64(at)})
	}
}

func (c *TCB) stop(slot uint8) { c.armed &^= 1 << slot }

func (c *TCB) stopAll() { c.armed = 0 }

// Deadline is when Expire has something to do next; clock.Never without a timer.
func (c *TCB) Deadline() clock.Instant {
	at := clock.Never
	for m := c.armed; m != 0; m &= m - 1 {
		at = min(at, c.timerAt(uint8(bits.TrailingZeros16(m))))
	}
	return at
}

// timerAt is when a slot that is armed runs out.
func (c *TCB) timerAt(slot uint8) clock.Instant {
	if slot == timerControl {
		return c.cc.More.TimerAt
	}
	return c.timers[slot]
}

// TimerLeft tells how long a slot still has to run, and whether it is armed.
func (c *TCB) TimerLeft(slot uint8, now clock.Instant) (clock.Duration, bool) {
	if slot >= timerSlots || !c.isArmed(slot) {
		return 0, false
	}
	return c.timerAt(slot).Sub(now), true
}

// armRetransmit restarts the retransmission timer (RFC 6298 §5.1, §5.3).
func (c *TCB) armRetransmit(now clock.Instant) {
	from := now
	if c.state.Synchronized() {
		from = max(now, c.timers[timerPace]) // what is held back by pacing is not late yet
	}
	c.arm(now, timerRetransmit, from.Add(c.clampToUser(now, c.timeout())))
}

// touchKeepalive starts the idle interval anew (MUST-26).
func (c *TCB) touchKeepalive(now clock.Instant) {
	c.heardAt = now
	if c.cfg.Keepalive && !c.isArmed(timerKeepalive) {
		c.arm(now, timerKeepalive, now.Add(c.cfg.KeepaliveIdle))
	}
}

// armFinWait2 bounds the stay of an orphan in FIN-WAIT-2. The peer's FIN may have
// to be sent again: as on Linux it has 3.5 RTO at least.
func (c *TCB) armFinWait2(now clock.Instant) {
	c.arm(now, timerWait, now.Add(max(c.cfg.FinWait2, 7*c.rtt.rto/2)))
}
