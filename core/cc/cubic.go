package cc

import (
	"math/bits"

	"github.com/tcpkit/tcpkit/core/clock"
)

// Cubic is RFC 9438. After a reduction at W_max the window follows
//
//	W_cubic(t) = W_max + C (t - K)^3
//
// which climbs back to W_max within K seconds, rests there, and then looks for
// more; but never grows slower than Reno would (the Reno-friendly region).
//
// As in Linux, C (t - K)^3 is cut to whole segments.
type Cubic struct{ Base }

// RFC 9438 §4.6: beta is 0.7. The flight keeps it.
const betaNum, betaDen = 7, 10

// RFC 9438 §5.1: C is 0.4 segments per cubed second. This is 1/C in the unit of
// Cubic's time, cubed microseconds per segment.
const perSegment = 2_500_000_000_000_000_000

// RFC 9438 §4.3: alpha = 3 (1-beta) / (1+beta) = 9/17 gives AIMD(alpha, 0.7) the
// average window of Reno's AIMD(1, 0.5).
const alphaNum, alphaDen = 9, 17

// estimateBits is how many bits of a fraction cubicMemory.estimate has.
const estimateBits = 16

// cubicMemory is Priv. Windows are in octets, times in microseconds.
type cubicMemory struct {
	memory           // acked: numerator of the growth that is not a whole octet yet
	max       uint32 // W_max: the plateau
	prior     uint32 // cwnd_prior: the window before the last reduction
	k         uint32 // K: from the start of the epoch to the plateau
	elapsed   uint32 // t: since the start of the epoch, without times of no growth
	ackAt     uint32 // when the last ACK arrived, modulo 2^32
	estimate  uint64 // W_est: the window that Reno would have, fixed point
	undoCurve struct{ max, prior, k, elapsed, estimate uint32 }
}

func (m *cubicMemory) load(s *State) {
	m.memory.load(s)
	m.max, m.prior = unpack(s.Priv[2])
	m.k, m.elapsed = unpack(s.Priv[3])
	m.ackAt, m.undoCurve.estimate = unpack(s.Priv[4])
	m.estimate = s.Priv[5]
	m.undoCurve.max, m.undoCurve.prior = unpack(s.Priv[6])
	m.undoCurve.k, m.undoCurve.elapsed = unpack(s.Priv[7])
}

func (m *cubicMemory) store(s *State) {
	m.memory.store(s)
	s.Priv[2] = pack(m.max, m.prior)
	s.Priv[3] = pack(m.k, m.elapsed)
	s.Priv[4] = pack(m.ackAt, m.undoCurve.estimate)
	s.Priv[5] = m.estimate
	s.Priv[6] = pack(m.undoCurve.max, m.undoCurve.prior)
	s.Priv[7] = pack(m.undoCurve.k, m.undoCurve.elapsed)
}

// Name returns "cubic".
func (Cubic) Name() string { return "cubic" }

// Init starts with Ssthresh as high as it goes, RFC 5681 §3.1.
func (Cubic) Init(s *State, _ clock.Instant) {
	var m cubicMemory
	m.init(s)
	m.store(s)
}

// OnAck is the slow start of RFC 5681 below Ssthresh (RFC 9438 §4.10), and the
// curve above it.
func (Cubic) OnAck(s *State, a *Ack) {
	var m cubicMemory
	s.Bound()
	m.load(s)
	step := m.tick(a)
	if a.Acked > 0 {
		m.set(flagTimedOut, false)
	}
	if a.grows() {
		if left := m.slowStart(s, a.Acked); left > 0 {
			m.avoid(s, left, step, micros(a.SRTT))
		}
	}
	s.Bound()
	m.store(s)
}

// tick moves ackAt to now and returns the time since the last ACK. The curve's
// time leaves out what passes without growth (RFC 9438 §4.2): what lies before an
// ACK that doesn't grow the window, since that one is not added to elapsed, and
// what lies in a gap that is too long to be one between two ACKs of a full
// window.
func (m *cubicMemory) tick(a *Ack) uint32 {
	now := uint32(uint64(a.Now) / uint64(clock.Microsecond))
	step := now - m.ackAt
	m.ackAt = now
	if gap := 2 * uint64(max(micros(a.SRTT), micros(a.RTT))); gap > 0 {
		step = uint32(min(uint64(step), gap))
	}
	return step
}

// avoid is congestion avoidance, RFC 9438 §4.2 to §4.5.
func (m *cubicMemory) avoid(s *State, acked, step, srtt uint32) {
	if m.has(flagEpoch) {
		m.elapsed = saturate(uint64(m.elapsed) + uint64(step))
	} else {
		m.begin(s)
	}
	acked = min(acked, s.Cwnd)
	m.estimateReno(s, acked)

	// §4.3: where the curve lies below Reno, be Reno.
	if est := uint32(m.estimate >> estimateBits); m.curve(s, m.elapsed) < est {
		s.Cwnd = max(s.Cwnd, est)
		return
	}
	// §4.4, §4.5: be where the curve is one round trip later, and never half as
	// much again as now.
	target := m.curve(s, saturate(uint64(m.elapsed)+uint64(srtt)))
	target = max(min(target, s.Cwnd+s.Cwnd/2), s.Cwnd)
	credit := uint64(m.acked) + uint64(acked)*uint64(target-s.Cwnd)
	cwnd := uint64(s.Cwnd)
	s.Cwnd += uint32(credit / cwnd)
	m.acked = uint32(credit % cwnd)
}

// begin starts an epoch: a stage of congestion avoidance, RFC 9438 §4.2.
func (m *cubicMemory) begin(s *State) {
	m.set(flagEpoch, true)
	m.elapsed, m.k, m.acked = 0, 0, 0
	m.estimate = uint64(s.Cwnd) << estimateBits
	if m.max <= s.Cwnd { // nothing to climb back to: after the first slow start, or §4.8
		m.max = s.Cwnd
		return
	}
	hi, lo := bits.Mul64(uint64(m.max-s.Cwnd), perSegment)
	mss := uint64(s.mss())
	quo, rem := hi/mss, hi%mss
	lo, _ = bits.Div64(rem, lo, mss)
	m.k = cubeRoot(quo, lo)
}

// estimateReno advances W_est, RFC 9438 §4.3. Once it has reached the window of
// the last reduction, Reno's own pace is fair.
func (m *cubicMemory) estimateReno(s *State, acked uint32) {
	num, den := uint64(alphaNum), uint64(alphaDen)
	if m.estimate>>estimateBits >= uint64(m.prior) {
		num, den = 1, 1
	}
	hi, lo := bits.Mul64(uint64(acked)*uint64(s.mss()), num<<estimateBits)
	grow, _ := bits.Div64(hi, lo, den*uint64(s.Cwnd)) // acked <= cwnd: at most one MSS
	m.estimate = min(m.estimate+grow, MaxWindow<<estimateBits)
}

// curve is W_cubic(t), RFC 9438 §4.2 figure 1.
func (m *cubicMemory) curve(s *State, t uint32) uint32 {
	d := uint64(max(t, m.k) - min(t, m.k))
	hi, lo := bits.Mul64(d*d, d)
	segments, _ := bits.Div64(hi, lo, perSegment) // hi < 2^32
	offset := segments * uint64(s.mss())
	if t >= m.k {
		return uint32(min(uint64(m.max)+offset, MaxWindow))
	}
	return m.max - uint32(min(offset, uint64(m.max)))
}

// OnLoss keeps seven tenths, RFC 9438 §4.6.
func (Cubic) OnLoss(s *State, _ clock.Instant, inFlight uint32) {
	var m cubicMemory
	m.load(s)
	m.save(s)
	m.reduce(s, inFlight)
	m.store(s)
}

// OnRTO keeps seven tenths, RFC 9438 §4.8; slow start follows, and then an epoch
// that begins on its plateau.
func (Cubic) OnRTO(s *State, _ clock.Instant, inFlight uint32) {
	var m cubicMemory
	m.load(s)
	if m.timedOut() {
		m.save(s)
		m.reduce(s, inFlight)
		m.max = 0
	}
	m.store(s)
}

// OnECN keeps seven tenths of both, RFC 9438 §4.6 and RFC 3168 §6.1.2. A mark is
// never spurious.
func (Cubic) OnECN(s *State, _ clock.Instant, inFlight uint32) {
	var m cubicMemory
	m.load(s)
	m.set(flagUndo, false)
	m.reduce(s, inFlight)
	s.Cwnd = min(s.Cwnd, s.Ssthresh)
	m.store(s)
}

// OnRecoveryExit does nothing: the next ACK that grows the window begins the
// epoch.
func (Cubic) OnRecoveryExit(*State, clock.Instant) {}

// OnIdle is RFC 5681 §4.1. The epoch after it climbs to the same W_max.
func (Cubic) OnIdle(s *State, _ clock.Instant, idle, rto clock.Duration) {
	var m cubicMemory
	m.load(s)
	if m.restart(s, idle, rto) {
		m.set(flagEpoch, false)
	}
	m.store(s)
}

// Undo restores Cwnd, Ssthresh and the place on the curve, RFC 9438 §4.9.
func (Cubic) Undo(s *State, now clock.Instant) {
	var m cubicMemory
	m.load(s)
	if m.undo(s) {
		u := &m.undoCurve
		m.max, m.prior, m.k, m.elapsed = u.max, u.prior, u.k, u.elapsed
		m.estimate = uint64(u.estimate) << estimateBits
		m.ackAt = uint32(uint64(now) / uint64(clock.Microsecond))
		m.set(flagEpoch, m.has(flagUndoEpoch))
	}
	m.store(s)
}

// save remembers the curve beside the window.
func (m *cubicMemory) save(s *State) {
	m.memory.save(s)
	u := &m.undoCurve
	u.max, u.prior, u.k, u.elapsed = m.max, m.prior, m.k, m.elapsed
	u.estimate = uint32(m.estimate >> estimateBits)
	m.set(flagUndoEpoch, m.has(flagEpoch))
}

// reduce is RFC 9438 §4.6, with the fast convergence of §4.7: a window that did
// not get back to its last plateau makes room for others.
func (m *cubicMemory) reduce(s *State, inFlight uint32) {
	m.prior = s.Cwnd
	if s.Cwnd < m.max {
		m.max = uint32(uint64(s.Cwnd) * (betaDen + betaNum) / (2 * betaDen))
	} else {
		m.max = s.Cwnd
	}
	s.reduce(inFlight, betaNum, betaDen)
	m.acked = 0
	m.set(flagEpoch, false)
}

// cubeRoot returns the integer cube root of hi<<64 + lo, which is below 2^96.
func cubeRoot(hi, lo uint64) uint32 {
	var root uint64
	for bit := uint64(1) << 31; bit > 0; bit >>= 1 {
		try := root | bit
		h, l := bits.Mul64(try*try, try)
		if h < hi || h == hi && l <= lo {
			root = try
		}
	}
	return uint32(root)
}

func saturate(n uint64) uint32 { return uint32(min(n, 1<<32-1)) }

func micros(d clock.Duration) uint32 { return saturate(uint64(max(d, 0) / clock.Microsecond)) }
