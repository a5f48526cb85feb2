package tcp

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
)

// What a hook may set of one connection, when it is made and when it can carry data.

// leastBuffer is the least that a hook may leave of a buffer, as tcp_rmem and
// tcp_wmem have it.
const leastBuffer = 4096

// rtoMaxLeast is the least upper bound of the RTO, RFC 6298 §2.5.
const rtoMaxLeast = clock.Minute

// hookSettings tells the hook of the connection what it goes by, and takes what of
// that is to be different.
func (c *TCB) hookSettings(now clock.Instant, step Step) {
	r := c.at(now, step)
	r.Args = [8]uint64{
		SettingCwnd: uint64(c.cc.Cwnd), SettingRTOMin: uint64(c.cfg.RTOMin), SettingRTOMax: uint64(c.cfg.RTOMax),
		SettingSendBuffer: uint64(c.snd.limit), SettingReceiveBuffer: uint64(c.rcv.limit),
		SettingUserTimeout: uint64(c.cfg.UserTimeout), SettingKeepaliveIdle: uint64(c.cfg.KeepaliveIdle),
	}
	was := r.Args
	if c.env.Hook.At(r) != Mutated {
		return
	}
	// What follows may call the hook again, with the same record.
	want, k := r.Args, r.Controller
	for i := range want {
		if want[i] == was[i] {
			want[i] = 0
		}
	}
	c.set(now, step, &want, k)
}

// set gives the connection what want has that is not 0, each within its bounds, and
// the controller k, if it is not nil.
func (c *TCB) set(now clock.Instant, step Step, want *[8]uint64, k cc.Controller) {
	if want[SettingRTOMin]|want[SettingRTOMax] != 0 {
		c.setBounds(want[SettingRTOMin], want[SettingRTOMax])
	}
	if n := want[SettingSendBuffer]; n != 0 {
		c.SetSendBuffer(bufferWithin(n, c.cfg.SendBuffer, c.cfg.SendBufferMax))
	}
	if n := want[SettingReceiveBuffer]; n != 0 {
		c.SetReceiveBuffer(bufferWithin(n, c.cfg.ReceiveBuffer, c.cfg.ReceiveBufferMax))
	}
	if d := want[SettingUserTimeout]; d != 0 {
		// RFC 5482 §3.1: the lower limit is larger than the RTO.
		c.SetUserTimeout(now, durationWithin(d, c.timeout()+1, userMost))
	}
	if d := want[SettingKeepaliveIdle]; d != 0 {
		// Whether there is any keepalive is its user's to say (MUST-24, MUST-25).
		c.SetKeepalive(now, c.cfg.Keepalive, durationWithin(d, clock.Second, keepaliveMost), 0, 0)
	}
	if k != nil {
		c.adjust().Controller = k
		c.SetController(now, k)
	}
	switch n := uint32(min(want[SettingCwnd], cc.MaxWindow)); {
	case n == 0:
	case step == StepNew:
		c.adjust().InitialOctets = n
	case c.synAgain && c.cc.Cwnd <= uint32(c.mss):
		// RFC 5681 §3.1: the SYN was lost, so it has to be one segment.
	default:
		c.cc.Cwnd = n
		c.cc.Bound()
		c.heed(now)
	}
}

// setBounds moves the bounds of the RTO: the lower one up, and the upper one to what
// lies between RFC 6298's and the configuration's.
func (c *TCB) setBounds(least, most uint64) {
	own := c.adjust()
	lower, upper := min(own.RTOMax, rtoMaxLeast), max(own.RTOMax, rtoMaxLeast)
	if least != 0 {
		own.RTOMin = durationWithin(least, own.RTOMin, max(own.RTOMin, lower))
	}
	if most != 0 {
		own.RTOMax = durationWithin(most, lower, upper)
	}
	c.rtt.rto = min(max(c.rtt.rto, own.RTOMin), own.RTOMax)
}

func durationWithin(d uint64, least, most clock.Duration) clock.Duration {
	if d > uint64(most) {
		return most
	}
	return max(clock.Duration(d), least)
}

// bufferWithin bounds the size of a buffer by the largest that the configuration
// has for it.
func bufferWithin(n uint64, size, most uint32) uint32 {
	most = max(size, most)
	return uint32(max(min(n, uint64(most)), uint64(min(leastBuffer, most))))
}
