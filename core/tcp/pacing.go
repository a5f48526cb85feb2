package tcp

import "github.com/tcpkit/tcpkit/core/clock"

// Pacing spreads what the congestion window lets out over the round trip, as Linux
// has it with sch_fq or a controller that asks for it. A segment with data may go
// at the time of timerPace, which each of them moves on by what its octets take at
// the rate of the moment.

// paced reports whether pacing, and with it the rate, bounds what is sent.
func (c *TCB) paced() bool {
	return c.cfg.Pacing || c.cfg.MaxPacingRate > 0 || c.cc.PacingRate > 0
}

// pacingRate is octets per second: what the controller wants, or cwnd/SRTT with
// some more of it so that pacing does not hold the window back: less than halfway
// to ssthresh, the window may double in a round trip. 0 is not known.
func (c *TCB) pacingRate() uint64 {
	rate := c.cc.PacingRate
	if rate == 0 && c.rtt.srtt > 0 {
		ratio := c.cfg.PacingAvoidance
		if c.cc.Cwnd < c.cc.Ssthresh/2 {
			ratio = c.cfg.PacingSlowStart
		}
		// cwnd is less than 2^30 and the ratio less than 2^16: no overflow.
		window := uint64(max(c.cc.Cwnd, uint32(c.snd.nxt.From(c.snd.una))))
		rate = window * uint64(ratio) / 100 * uint64(clock.Second/clock.Microsecond) / uint64(max(c.rtt.srtt/clock.Microsecond, 1))
	}
	if limit := c.cfg.MaxPacingRate; limit > 0 && (rate == 0 || rate > limit) {
		rate = limit
	}
	return rate
}

// mayDepart reports whether a segment with data may go now; if not, the timer says
// when.
func (c *TCB) mayDepart(now clock.Instant) bool {
	if c.timers[timerPace] <= now {
		return true
	}
	if !c.isArmed(timerPace) {
		c.arm(now, timerPace, c.timers[timerPace])
	}
	return false
}

// departed moves the time on by n octets. The initial window is not paced, and a
// sender that was late makes up for up to half of it, as Linux has it; but first for
// as much as timers may be late, since at a high rate many segments are due in that.
func (c *TCB) departed(now clock.Instant, n uint32) {
	if !c.paced() || c.count.dataSegsOut < c.cfg.InitialWindow {
		return
	}
	rate := c.pacingRate()
	if rate == 0 {
		return
	}
	d := clock.Duration(uint64(n) * uint64(clock.Second) / rate)
	late := clock.Duration(0)
	if due := now.Add(-c.env.Slack); c.timers[timerPace] < due {
		late = due.Sub(c.timers[timerPace])
		c.timers[timerPace] = due
	}
	c.timers[timerPace] = c.timers[timerPace].Add(d - min(d/2, late))
}
