package models

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
)

// BBR is a small BBR, after the first version of draft-cardwell-iccrg-bbr-congestion-control
// and Linux's tcp_bbr.c. It paces by a model of the path: the highest delivery rate of
// the last ten round trips, and the shortest round trip of the last ten seconds. A loss
// says little to it.
//
// Left out are the long-term rate of policers, the extra window for aggregated ACKs,
// and the random order of the cycle. As in later versions startup also ends when much
// is lost, and at an ECN mark.
type BBR struct{ cc.Base }

// Its private state, in words of 64 bits of More.Priv. Times are nanoseconds.
const (
	bbrPhase     = iota // startup, drain, probeRate, probeTrip
	bbrRound            // round trips so far
	bbrRoundEnd         // the total at which this one ends
	bbrTotal            // octets delivered so far
	bbrFull             // the rate that startup last grew to
	bbrFullFor          // for how many round trips it has not grown by a quarter
	bbrStep             // of the cycle, 0 to 7
	bbrStepAt           // when it began
	bbrTrip             // the shortest round trip, 0: none is known
	bbrTripAt           // when it was seen
	bbrTripUntil        // probeTrip: when it ends; 0: the queue is not empty yet
	bbrSaved            // the window before a recovery or probeTrip
	bbrRecovery         // 0: none; 1: in the first round trip of a recovery; 2: later
	bbrRestart          // 1: nothing was sent for a while
	bbrLost             // octets lost in this round trip
	bbrRates            // the highest rate of each of the last ten round trips, octets a second
)

// The phases.
const (
	startup   = iota // double the rate each round trip, until it grows no more
	drain            // let what startup has queued flow off
	probeRate        // send at the rate that was found, and now and then a bit more
	probeTrip        // send little for a while, to see the path without a queue
)

const (
	rounds    = 10 // of the filter of the rate
	unit      = 256
	high      = 739                // of unit: 2/ln 2, which doubles the rate in a round trip
	low       = unit * unit / high // drains in one what startup has queued
	double    = 2 * unit
	fullAfter = 3                       // round trips without growth
	tripFor   = 10 * clock.Second       // for how long a round trip counts
	tripSpan  = 200 * clock.Millisecond // of probeTrip
	leastSegs = 4                       // of a window
	muchLost  = 8                       // segments: more than chance takes out of a small window

	// What keeps all products within 64 bits: 128 GB/s, 16 s, 8 GB.
	mostRate      = 1 << 37
	mostTrip      = 1 << 24 // microseconds
	mostDelivered = 1 << 33
)

// cycle is the gains of probeRate.
var cycle = [8]uint64{unit * 5 / 4, unit * 3 / 4, unit, unit, unit, unit, unit, unit}

// Name returns "bbr-lite".
func (BBR) Name() string { return "bbr-lite" }

// Wants is the rate samples, and the window.
func (BBR) Wants() cc.Wants { return cc.WantsSamples | cc.OwnsWindow }

// Init starts with the initial window, not paced until there is a sample.
func (BBR) Init(s *cc.State, now clock.Instant) {
	s.Ssthresh = cc.MaxWindow
	s.PacingRate = 0
	p := &s.More.Priv
	*p = [32]uint64{}
	p[bbrTripAt] = uint64(now)
}

// OnAck takes a sample in and sets what follows from the model.
func (BBR) OnAck(s *cc.State, a *cc.Ack) {
	p := &s.More.Priv
	p[bbrTotal] = a.Total
	p[bbrLost] += uint64(a.Losses)
	round := takeRate(p, a, uint64(s.MSS))
	inFlight := uint64(a.InFlight - min(a.InFlight, a.Acked+min(a.Losses, a.InFlight)))
	if round {
		checkFull(p, a)
	}
	switch {
	case p[bbrPhase] == startup && p[bbrFullFor] >= fullAfter:
		p[bbrPhase] = drain
	case p[bbrPhase] == probeRate:
		stepOn(s, a, inFlight)
	}
	if p[bbrPhase] == drain && inFlight <= target(s, unit) {
		p[bbrPhase], p[bbrStep], p[bbrStepAt] = probeRate, 2, uint64(a.Now)
	}
	takeTrip(s, a, inFlight, round)
	setRate(s, a)
	setWindow(s, a, inFlight, round)
}

// takeRate keeps the sample's rate, if it is one, and reports whether it is the first
// of a round trip. What was sent when there was too little to send only counts if it is
// higher than what is known.
func takeRate(p *[32]uint64, a *cc.Ack, mss uint64) (round bool) {
	if a.Interval <= 0 || a.Delivered == 0 {
		return false
	}
	if a.Total-a.Delivered >= p[bbrRoundEnd] {
		round = true
		if lost := p[bbrLost]; p[bbrPhase] == startup && lost > muchLost*mss && lost > (a.Total-p[bbrRoundEnd])/4 {
			p[bbrFullFor] = fullAfter // a fifth of what was sent: the queue has overflowed
		}
		p[bbrRoundEnd], p[bbrLost] = a.Total, 0
		p[bbrRound]++
		p[bbrRates+p[bbrRound]%rounds] = 0
		if p[bbrRecovery] == 1 {
			p[bbrRecovery] = 2
		}
	}
	rate := min(min(a.Delivered, mostDelivered)*uint64(clock.Second)/uint64(a.Interval), mostRate)
	if !a.AppLimited || rate >= rateOf(p) {
		slot := &p[bbrRates+p[bbrRound]%rounds]
		*slot = max(*slot, rate)
	}
	return round
}

// rateOf is the rate of the path, octets a second; 0: not known.
func rateOf(p *[32]uint64) (most uint64) {
	for i := range rounds {
		most = max(most, p[bbrRates+i])
	}
	return most
}

// checkFull looks whether the path is full: the rate has not grown by a quarter in
// three round trips.
func checkFull(p *[32]uint64, a *cc.Ack) {
	if p[bbrFullFor] >= fullAfter || a.AppLimited {
		return
	}
	if rate := rateOf(p); rate >= p[bbrFull]+p[bbrFull]/4 {
		p[bbrFull], p[bbrFullFor] = rate, 0
	} else {
		p[bbrFullFor]++
	}
}

// stepOn goes on in the cycle: after a round trip, but with more than the rate not
// before that much is in flight or something is lost, and with less only until the
// queue is gone.
func stepOn(s *cc.State, a *cc.Ack, inFlight uint64) {
	p := &s.More.Priv
	over := a.Now.Sub(clock.Instant(p[bbrStepAt])) > clock.Duration(p[bbrTrip])
	switch gain := cycle[p[bbrStep]%8]; {
	case gain > unit:
		over = over && (a.Losses > 0 || uint64(a.InFlight) >= target(s, gain))
	case gain < unit:
		over = over || inFlight <= target(s, unit)
	}
	if over {
		p[bbrStep], p[bbrStepAt] = (p[bbrStep]+1)%8, uint64(a.Now)
	}
}

// takeTrip keeps the round trip, and has an old one measured anew.
func takeTrip(s *cc.State, a *cc.Ack, inFlight uint64, round bool) {
	p := &s.More.Priv
	expired := a.Now.Sub(clock.Instant(p[bbrTripAt])) > tripFor
	if a.RTT > 0 && (p[bbrTrip] == 0 || uint64(a.RTT) <= p[bbrTrip] || expired) {
		p[bbrTrip], p[bbrTripAt] = uint64(a.RTT), uint64(a.Now)
	}
	if expired && p[bbrRestart] == 0 && p[bbrPhase] != probeTrip {
		save(s)
		p[bbrPhase], p[bbrTripUntil] = probeTrip, 0
	}
	if a.Acked > 0 {
		p[bbrRestart] = 0
	}
	if p[bbrPhase] != probeTrip {
		return
	}
	switch {
	case p[bbrTripUntil] == 0 && inFlight <= leastSegs*uint64(s.MSS):
		p[bbrTripUntil] = uint64(a.Now.Add(tripSpan))
		p[bbrRoundEnd] = a.Total // and a round trip at least
	case p[bbrTripUntil] != 0 && round && uint64(a.Now) > p[bbrTripUntil]:
		p[bbrTripAt] = uint64(a.Now)
		restore(s)
		p[bbrPhase] = startup
		if p[bbrFullFor] >= fullAfter {
			p[bbrPhase], p[bbrStep], p[bbrStepAt] = probeRate, 2, uint64(a.Now)
		}
	}
}

// save keeps the window of before a recovery, or of before probeTrip.
func save(s *cc.State) {
	p := &s.More.Priv
	if p[bbrRecovery] == 0 && p[bbrPhase] != probeTrip {
		p[bbrSaved] = uint64(s.Cwnd)
	} else {
		p[bbrSaved] = max(p[bbrSaved], uint64(s.Cwnd))
	}
}

func restore(s *cc.State) { s.Cwnd = max(s.Cwnd, uint32(s.More.Priv[bbrSaved])) }

// setRate sets the pacing rate: the gain of the phase times the rate, less a hundredth
// so that no queue builds up.
func setRate(s *cc.State, a *cc.Ack) {
	p := &s.More.Priv
	gain := uint64(unit)
	switch p[bbrPhase] {
	case startup:
		gain = high
	case drain:
		gain = low
	case probeRate:
		gain = cycle[p[bbrStep]%8]
	}
	rate := rateOf(p)
	if rate == 0 {
		if a.SRTT <= 0 {
			return
		}
		rate = min(uint64(s.Cwnd)*uint64(clock.Second)/uint64(a.SRTT), mostRate)
	}
	rate = rate * gain / unit * 99 / 100
	// Startup does not slow down.
	if p[bbrFullFor] >= fullAfter || rate > s.PacingRate {
		s.PacingRate = rate
	}
	// What goes in one piece: a millisecond's worth, but two segments, or one on a slow
	// path.
	least := 2 * s.MSS
	if s.PacingRate < 150_000 {
		least = s.MSS
	}
	s.More.Quantum = max(uint32(min(s.PacingRate/1000, 65535)), least)
}

// target is gain times the octets that the path holds, and three segments more for
// what goes in one piece and for delayed ACKs.
func target(s *cc.State, gain uint64) uint64 {
	p := &s.More.Priv
	rate := rateOf(p)
	if rate == 0 || p[bbrTrip] == 0 {
		return uint64(leastSegs * 2 * s.MSS)
	}
	trip := min(max(p[bbrTrip]/uint64(clock.Microsecond), 1), mostTrip)
	return min(rate*trip/uint64(clock.Second/clock.Microsecond)*gain/unit+3*uint64(s.MSS), cc.MaxWindow)
}

// setWindow lets the window grow to its target by what is acknowledged. In a recovery
// it goes down by what is lost, and in its first round trip no more goes out than is
// acknowledged.
func setWindow(s *cc.State, a *cc.Ack, inFlight uint64, round bool) {
	p := &s.More.Priv
	cwnd, mss := uint64(s.Cwnd), uint64(s.MSS)
	if p[bbrRecovery] != 0 && !a.InRecovery {
		p[bbrRecovery] = 0
		cwnd = max(cwnd, p[bbrSaved])
	}
	if a.Losses > 0 {
		cwnd = max(cwnd-min(cwnd, uint64(a.Losses)), mss)
	}
	gain := uint64(double)
	if p[bbrPhase] == startup || p[bbrPhase] == drain {
		gain = high
	}
	switch goal := target(s, gain); {
	case p[bbrRecovery] == 1:
		cwnd = min(cwnd, inFlight+uint64(a.Acked))
	case p[bbrFullFor] >= fullAfter:
		cwnd = min(cwnd+uint64(a.Acked), goal)
	case cwnd < goal || p[bbrRound] <= 1:
		cwnd += uint64(a.Acked)
	}
	least := leastSegs * mss
	if p[bbrRecovery] == 1 {
		least = mss
	}
	if p[bbrPhase] == probeTrip {
		cwnd = min(cwnd, leastSegs*mss)
	}
	s.Cwnd = uint32(min(max(cwnd, least), cc.MaxWindow))
}

// OnLoss begins a recovery: for a round trip as much goes out as is acknowledged.
func (BBR) OnLoss(s *cc.State, _ clock.Instant, _ uint32) {
	save(s)
	p := &s.More.Priv
	p[bbrRecovery], p[bbrRoundEnd] = 1, p[bbrTotal]
}

// OnECN is like a loss, and the path is full.
func (c BBR) OnECN(s *cc.State, now clock.Instant, inFlight uint32) {
	c.OnLoss(s, now, inFlight)
	s.More.Priv[bbrFullFor] = fullAfter
}

// OnRTO lets the window grow again from the one segment that the connection leaves.
func (BBR) OnRTO(s *cc.State, _ clock.Instant, _ uint32) {
	save(s)
	p := &s.More.Priv
	p[bbrFull], p[bbrRoundEnd], p[bbrRecovery] = 0, p[bbrTotal], 0
}

// OnRecoveryExit does nothing: the next ACK is not in recovery.
func (BBR) OnRecoveryExit(*cc.State, clock.Instant) {}

// OnIdle keeps what is known of the path: what goes out is paced, and no burst.
func (BBR) OnIdle(s *cc.State, _ clock.Instant, _, _ clock.Duration) { s.More.Priv[bbrRestart] = 1 }

// Undo takes the window back.
func (BBR) Undo(s *cc.State, _ clock.Instant) {
	p := &s.More.Priv
	if p[bbrSaved] > 0 {
		s.Cwnd = max(s.Cwnd, uint32(p[bbrSaved]))
	}
	p[bbrRecovery] = 0
}
