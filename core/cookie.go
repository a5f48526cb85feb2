package core

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A SYN cookie (RFC 4987 §3.6) is an initial sequence number that holds what
// would have been remembered, so that nothing has to be:
//
//	 31                                     4 3         1  0
//	+----------------------------------------+-----------+---+
//	| MAC of tuple, IRS, slot and MSS index  | MSS index | s |
//	+----------------------------------------+-----------+---+
//
// s is the lowest bit of the number of the time slot. A guess is right once in
// 2^28. Where timestamps were offered the last six bits of ours hold the rest, as
// Linux has it; without them there is no window scaling and no SACK.
//
//	  5  4  3        0
//	 +---+---+--------+
//	 | 0 |SACK| shift |   shift 15: window scaling was not offered
//	 +---+---+--------+

const (
	cookieStampBits = 6
	cookieNoShift   = 15
	cookieSACK      = 1 << 4
)

// cookie returns the cookie for the tuple and IRS of a SYN.
func (s *Stack) cookie(t *tcp.Tuple, irs seq.Value, slot uint64, mssIndex uint32) seq.Value {
	mac := prf(s.keys.cookie, t, uint64(irs)<<32|uint64(uint32(slot)<<3|mssIndex))
	return seq.Value(uint32(mac)<<4 | mssIndex<<1 | uint32(slot)&1)
}

func (s *Stack) cookieSlot(now clock.Instant) uint64 {
	return uint64(now) / uint64(s.cfg.CookieSlot)
}

// sendCookie answers a SYN without remembering it.
func (s *Stack) sendCookie(now clock.Instant, l *Listener, seg *tcp.Segment) rule.Drop {
	offered := defaultMSS(seg.Tuple.Local.Addr)
	if seg.Options.Has.Has(wire.HasMSS) {
		offered = seg.Options.MSS
	}
	// RFC 9293 §3.7.1 MUST-16: never more than was offered.
	index := -1
	for i, mss := range s.cfg.CookieMSS {
		if mss <= offered {
			index = i
		}
	}
	if index < 0 {
		return rule.DropSmallMSS
	}
	r := tcp.Reply{
		Tuple:  seg.Tuple,
		Seq:    s.cookie(&seg.Tuple, seg.Seq, s.cookieSlot(now), uint32(index)),
		Ack:    seg.Seq.Add(1),
		Flags:  wire.SYN | wire.ACK,
		Window: uint16(min(l.cfg.ReceiveBuffer, 65535)),
		TOS:    l.cfg.TOS,
		TTL:    l.cfg.TTL,
	}
	s.cookieOptions(now, l.cfg, seg, &r.Options)
	why := s.reply(now, 0, &r)
	if why == rule.NotDropped {
		l.cookies, l.cookieAt = true, now
		s.stats.CookiesSent++
	}
	return why
}

// cookieOptions sets the options of a SYN-ACK that carries a cookie: those that a
// connection would send, as far as they can be kept.
func (s *Stack) cookieOptions(now clock.Instant, cfg *tcp.Config, seg *tcp.Segment, o *wire.Options) {
	o.Has, o.MSS = wire.HasMSS, s.ownMSS(cfg, seg.Tuple.Local.Addr)
	if !cfg.Timestamps || !seg.Options.Has.Has(wire.HasTimestamps) {
		return
	}
	kept := uint32(cookieNoShift)
	if cfg.WindowScaling && seg.Options.Has.Has(wire.HasWindowScale) {
		kept = uint32(min(seg.Options.WindowScale, 14)) // RFC 7323 §2.3
		o.Has |= wire.HasWindowScale
		o.WindowScale = windowShift(cfg)
	}
	if cfg.SACK && seg.Options.Has.Has(wire.HasSACKPermitted) {
		kept |= cookieSACK
		o.Has |= wire.HasSACKPermitted
	}
	// The timestamp must not be ahead of the clock, or the next one would be older.
	clockNow := uint32(int64(now) / int64(clock.Millisecond))
	stamp := clockNow>>cookieStampBits<<cookieStampBits | kept
	if stamp > clockNow {
		stamp -= 1 << cookieStampBits
	}
	o.Has |= wire.HasTimestamps
	o.TSVal = stamp + s.stampOffset(&seg.Tuple)
	o.TSEcr = seg.Options.TSVal
}

// expectsCookie reports whether a cookie that l has sent can still come back.
func (s *Stack) expectsCookie(now clock.Instant, l *Listener) bool {
	return l.cookies && now.Sub(l.cookieAt) <= 2*s.cfg.CookieSlot
}

// readCookie gives what is known of a SYN whose cookie seg brings back. It returns
// false if seg brings none that is good.
func (s *Stack) readCookie(now clock.Instant, l *Listener, seg *tcp.Segment) (o tcp.CookieOptions, offset uint32, ok bool) {
	iss, irs := seg.Ack.Sub(1), seg.Seq.Sub(1)
	slot := s.cookieSlot(now)
	if uint32(slot)&1 != uint32(iss)&1 {
		slot--
	}
	index := uint32(iss) >> 1 & 7
	if s.cookie(&seg.Tuple, irs, slot, index) != iss {
		return o, 0, false
	}
	o = tcp.CookieOptions{MSS: s.cfg.CookieMSS[index], WindowScale: -1}
	offset = s.stampOffset(&seg.Tuple)
	if l.cfg.Timestamps && seg.Options.Has.Has(wire.HasTimestamps) {
		kept := seg.Options.TSEcr - offset
		o.Timestamps = true
		o.SACK = kept&cookieSACK != 0
		if shift := kept & 15; shift != cookieNoShift {
			o.WindowScale = int8(shift)
		}
	}
	return o, offset, true
}

// openCookie makes the connection of a SYN whose cookie seg brings back. It
// returns false if seg brings none that is good.
func (s *Stack) openCookie(now clock.Instant, l *Listener, seg *tcp.Segment) (bool, rule.Drop) {
	o, offset, ok := s.readCookie(now, l, seg)
	if !ok {
		return false, rule.DropCookie
	}
	if why := s.refuses(l); why != rule.NotDropped {
		return true, why
	}
	c, why := s.newConn(l.cfg, seg.Tuple)
	if why != rule.NotDropped {
		return true, why
	}
	c.tcb.OpenCookie(now, offset, o, seg)
	c.listener = l.slot + 1
	c.flags |= connHalfOpen
	s.push(&l.half, queueListener, c)
	s.stats.CookiesAccepted++
	c.tcb.Arrives(now, seg)
	if c.tcb.State() == tcp.SynReceived {
		// Nobody will send the SYN-ACK again: it must not stay.
		c.tcb.Abort(now)
	}
	s.after(now, c)
	return true, rule.NotDropped
}

// defaultMSS is what a SYN without the option offers (RFC 9293 §3.7.1 MUST-15).
func defaultMSS(a wire.Addr) uint16 {
	if a.Is6() {
		return 1220
	}
	return 536
}

// ownMSS and windowShift are what a connection of ours offers; a test holds them
// to what it does.
func (s *Stack) ownMSS(cfg *tcp.Config, a wire.Addr) uint16 {
	mss := s.env.Link.MTU - wire.TCPHeaderLen - wire.IPv4HeaderLen
	if a.Is6() {
		mss = s.env.Link.MTU - wire.TCPHeaderLen - wire.IPv6HeaderLen
	}
	if cfg.MaxMSS != 0 {
		mss = min(mss, int(cfg.MaxMSS))
	}
	return uint16(mss)
}

func windowShift(cfg *tcp.Config) (shift uint8) {
	for shift < 14 && max(cfg.ReceiveBuffer, cfg.ReceiveBufferMax)>>shift > 65535 {
		shift++
	}
	return shift
}
