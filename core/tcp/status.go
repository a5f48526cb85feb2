package tcp

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
)

// Info is STATUS of §3.10.6 in the terms of Linux's tcp_info. Times are in
// microseconds where their name ends in nothing else, sizes in octets unless
// they count segments.
type Info struct {
	State       State
	CaState     Phase
	Retransmits uint8 // timeouts in a row
	Probes      uint8 // unanswered probes
	Backoff     uint8
	Options     uint8 // OptTimestamps and its kin
	SndWscale   uint8
	RcvWscale   uint8

	RTO, ATO     uint32
	SndMSS       uint32
	RcvMSS       uint32
	Unacked      uint32 // segments in flight, those SACKed and lost among them
	Sacked       uint32 // segments
	Lost         uint32 // segments
	Retrans      uint32 // segments sent again and not acknowledged
	LastDataSent uint32 // milliseconds ago
	LastDataRecv uint32 // milliseconds ago
	LastAckRecv  uint32 // milliseconds ago
	PMTU         uint32
	RTT, RTTVar  uint32
	SndSsthresh  uint32 // segments
	SndCwnd      uint32 // segments
	AdvMSS       uint32
	Reordering   uint32 // segments
	RcvRTT       uint32
	RcvSpace     uint32
	TotalRetrans uint32 // segments

	PacingRate    uint64 // octets a second
	BytesAcked    uint64
	BytesReceived uint64
	BytesSent     uint64
	BytesRetrans  uint64
	SegsOut       uint32
	SegsIn        uint32
	DataSegsIn    uint32
	DataSegsOut   uint32
	NotsentBytes  uint32
	MinRTT        uint32
	SndWnd        uint32
	RcvWnd        uint32
	Delivered     uint32 // segments, those that arrived in vain among them
	DsackDups     uint32 // segments that the peer has reported as duplicates
	ReordSeen     uint32 // how often reordering was seen

	// Beyond tcp_info.
	Cwnd, Ssthresh  uint32          // octets
	InFlight        uint32          // octets
	FastOpenFailure FastOpenFailure // why data did not go with the SYN, or was not taken
	SoftError       Error
	Lab             bool // a plugin has taken the connection where no rule of the RFCs does
	Congestion      string
}

// Bits of Info.Options, as in Linux's tcp.h.
const (
	OptTimestamps uint8 = 1
	OptSACK       uint8 = 2
	OptWScale     uint8 = 4
	OptECN        uint8 = 8  // agreed on
	OptECNSeen    uint8 = 16 // a packet with ECT has come
	OptSynData    uint8 = 32 // Fast Open: the data of the SYN was taken, ours or the peer's
)

// Info gives a picture of the connection now. It may be called in any state.
func (c *TCB) Info(now clock.Instant) Info {
	heard := c.rcv.dataAt
	if c.count.octetsReceived == 0 {
		heard = c.heardAt // none: since the connection was opened
	}
	mss := max(uint32(c.mss), 1)
	i := Info{
		State: c.state, CaState: c.rec.phase, Retransmits: c.retries, Probes: c.probes, Backoff: c.rtt.backoff,
		SndWscale: c.snd.scale, RcvWscale: c.rcv.scale,
		RTO: micro(c.timeout()), ATO: micro(c.cfg.DelayedAck), SndMSS: uint32(c.mss), RcvMSS: uint32(c.rcv.mss),
		LastAckRecv: milli(now.Sub(c.heardAt)), LastDataSent: milli(now.Sub(c.sentAt)), LastDataRecv: milli(now.Sub(heard)),
		PMTU: uint32(c.pathMTU), RTT: micro(c.rtt.srtt), RTTVar: micro(c.rtt.rttvar), MinRTT: micro(c.rtt.least),
		SndSsthresh: c.cc.Ssthresh / mss, SndCwnd: c.cc.Cwnd / mss, AdvMSS: uint32(c.ownMSS()),
		Reordering: max(uint32(c.cfg.DupThresh), uint32(c.loss.reorder.far)), ReordSeen: c.loss.reorder.seen,
		Delivered: c.count.delivered, DsackDups: c.loss.dsacks, RcvRTT: micro(c.rcv.echoRTT), RcvSpace: c.rcv.limit,
		TotalRetrans: c.count.resent, PacingRate: c.pacingRate(),
		BytesAcked: c.count.octetsAcked, BytesReceived: c.count.octetsReceived,
		BytesSent: c.count.octetsSent, BytesRetrans: c.count.octetsResent,
		SegsOut: c.count.segsOut, SegsIn: c.rcv.segs, DataSegsIn: c.count.dataSegsIn, DataSegsOut: c.count.dataSegsOut,
		NotsentBytes: uint32(c.Unsent()), SndWnd: uint32(c.snd.wnd), RcvWnd: uint32(c.rcv.window()),
		Cwnd: c.cc.Cwnd, Ssthresh: c.cc.Ssthresh, InFlight: c.inFlight(),
		SoftError: c.soft, Lab: c.lab, Congestion: c.control.Name(),
	}
	if c.cc.Ssthresh >= cc.MaxWindow {
		i.SndSsthresh = 1<<31 - 1 // Linux's "none yet"
	}
	if c.ts.on {
		i.Options |= OptTimestamps
		i.AdvMSS -= timestampOption
	}
	if c.ts.sackOK {
		i.Options |= OptSACK
	}
	if c.ts.scaleOK {
		i.Options |= OptWScale
	}
	if c.ecn.has(ecnAgreed) {
		i.Options |= OptECN
	}
	if c.ecn.has(ecnSeen) {
		i.Options |= OptECNSeen
	}
	if c.fast != nil {
		i.FastOpenFailure = c.fast.fail
		if c.fast.done {
			i.Options |= OptSynData
		}
	}
	if c.out != nil {
		i.Unacked, i.Lost, i.Retrans = c.out.tally()
		i.Sacked = c.out.sackedSegs
		if !c.ts.sackOK {
			i.Sacked = uint32(c.rec.dup)
		}
	}
	return i
}

func micro(d clock.Duration) uint32 { return uint32(d / clock.Microsecond) }

func milli(d clock.Duration) uint32 { return uint32(d / clock.Millisecond) }

// Clone copies the connection with all that hangs off it into a stack whose
// environment is env.
func (c *TCB) Clone(env *Env) TCB {
	d := c.copyTo(env)
	d.control = d.own(d.control)
	d.sendBuf, d.recvBuf = c.sendBuf.clone(), c.recvBuf.clone()
	return d
}

// copyTo is Clone but for the buffers.
func (c *TCB) copyTo(env *Env) TCB {
	d := *c
	d.env = env
	d.loss = c.loss.clone(c.env, env)
	d.cc = c.cc.Clone()
	if c.tagged {
		d.tagAll(c.env.moved[c.id])
	}
	if c.out != nil {
		d.out = c.out.clone()
	}
	if c.hold != nil {
		h := *c.hold
		d.hold = &h
	}
	if c.fast != nil {
		f := *c.fast
		d.fast = &f
	}
	return d
}

// Fingerprint adds to h what decides the connection's future: sequence numbers
// relative to ISS and IRS, times relative to now, no counters and no ids.
func (c *TCB) Fingerprint(h *siphash.Hash, now clock.Instant) {
	flags := uint64(0)
	for i, b := range [...]bool{
		c.passive, c.released, c.readShut, c.answered, c.snd.finQueued, c.snd.finSent, c.snd.wantRoom,
		c.rcv.pingpong, c.rcv.finKnown, c.rcv.finished, c.rcv.urgent, c.rcv.offered, c.snd.corked, c.snd.more, c.snd.open, c.snd.flush, c.fragments, c.deferring, c.ts.on, c.ts.sackOK, c.ts.scaleOK, c.rtt.sampled,
		c.synAgain, c.persisting, c.lab,
	} {
		if b {
			flags |= 1 << i
		}
	}
	s, r := &c.snd, &c.rcv
	h.WriteUint64(flags | uint64(c.state)<<32 | uint64(c.err)<<40 | uint64(c.retries)<<48 | uint64(c.probes)<<56)
	h.WriteUint64(uint64(c.pend) | uint64(c.armed)<<16 | uint64(c.mss)<<32 | uint64(c.peerMSS)<<48)
	h.WriteUint64(uint64(s.una-s.iss)<<32 | uint64(s.nxt-s.iss))
	h.WriteUint64(uint64(s.wl1-r.irs)<<32 | uint64(s.wl2-s.iss))
	h.WriteUint64(uint64(s.wnd)<<32 | uint64(s.maxWnd))
	h.WriteUint64(uint64(s.small-s.iss)<<32 | uint64(s.up-s.iss))
	h.WriteUint64(uint64(s.base-s.iss)<<32 | uint64(s.limit))
	h.WriteUint64(uint64(r.nxt-r.irs)<<32 | uint64(r.edge-r.irs))
	fin := seq.Size(0)
	if r.finKnown {
		fin = r.fin.From(r.irs)
	}
	h.WriteUint64(uint64(r.acked-r.irs)<<32 | uint64(fin))
	h.WriteUint64(uint64(r.limit)<<32 | uint64(r.mss)<<16 | uint64(r.since)<<8 | uint64(r.quick))
	if since := now.Sub(r.dataAt); since < c.cfg.DelayedAck {
		h.WriteUint64(uint64(since))
	}
	if r.dupLen > 0 {
		h.WriteUint64(uint64(r.dup-r.irs)<<32 | uint64(r.dupLen))
	}
	c.cc.Fingerprint(h, s.iss, now)
	h.WriteUint64(uint64(c.rec.phase)<<56 | uint64(c.rec.force)<<48 | uint64(c.rec.dup)<<32 | uint64(c.rec.point-s.iss))
	stray := seq.Size(0)
	if c.pend&pendStray != 0 {
		stray = seq.Size(c.strayAt - s.iss)
	}
	h.WriteUint64(uint64(c.rec.high-s.iss)<<32 | uint64(stray))
	h.WriteUint64(uint64(c.ecn.flags)<<48 | uint64(r.apart)<<40 | uint64(r.octet)<<32 | uint64(s.pushed-s.iss))
	h.WriteUint64(uint64(c.reserve)<<32 | uint64(c.foundMSS)<<16 | uint64(c.pathMTU))
	if c.ecn.has(ecnReducing) {
		h.WriteUint64(uint64(c.ecn.point - s.iss))
	}
	if r.urgent {
		h.WriteUint64(uint64(r.up - r.irs))
	}
	h.WriteUint64(uint64(max(-c.env.Slack, c.timers[timerPace].Sub(now))))
	if r := c.records(); r != nil {
		for _, end := range r.list {
			h.WriteUint64(uint64(end - s.iss))
		}
	}
	for slot := range timerSlots {
		if c.isArmed(slot) {
			h.WriteUint64(uint64(c.timerAt(slot).Sub(now)))
		}
	}
	c.rtt.fingerprint(h, s.iss, now)
	h.WriteUint64(uint64(c.rackRTT) ^ uint64(c.rec.frto)<<56)
	c.loss.fingerprint(h, s.iss, c.stamp(now))
	if c.out != nil {
		c.out.fingerprint(h, s.iss, now)
	}
	if c.hold != nil {
		for _, g := range c.hold.list[:c.hold.n] {
			h.WriteUint64(uint64(g.start-r.irs)<<32 | uint64(g.end-r.irs))
		}
		for _, v := range c.hold.recent[:c.hold.known] {
			h.WriteUint64(uint64(v - r.irs))
		}
	}
	c.fast.fingerprint(h)
	c.fingerprintTags(h)
	c.fingerprintTimes(h, now)
	hashBuffer(h, &c.sendBuf)
	hashBuffer(h, &c.recvBuf)
}

// fingerprintTimes adds the points in time that still decide something.
func (c *TCB) fingerprintTimes(h *siphash.Hash, now clock.Instant) {
	if c.answered {
		h.WriteUint64(uint64(min(now.Sub(c.answerAt), c.cfg.ChallengeInterval)))
	}
	opening := c.state == SynSent || c.state == SynReceived && !c.synAgain && c.snd.nxt != c.snd.iss
	if opening || c.retries > 0 || c.persisting {
		h.WriteUint64(uint64(now.Sub(c.resendAt)))
	}
	if !c.state.Synchronized() {
		return
	}
	if c.cfg.Keepalive || c.snd.wnd == 0 {
		h.WriteUint64(uint64(now.Sub(c.heardAt)))
	}
	if c.cfg.SlowStartAfterIdle && c.count.dataSegsOut > 0 {
		h.WriteUint64(uint64(now.Sub(c.sentAt)))
	}
	if c.rcv.limit < c.cfg.ReceiveBufferMax {
		h.WriteUint64(uint64(now.Sub(c.rcv.tuneAt))<<24 ^ uint64(c.rcv.tuned))
	}
}

func hashBuffer(h *siphash.Hash, b *buffer) {
	h.WriteUint64(uint64(b.n))
	var part [256]byte
	for at := uint32(0); at < b.n; {
		n := b.get(at, part[:])
		h.WriteUint64(siphash.Sum64(siphash.Key{}, part[:n]))
		at += uint32(n)
	}
}

// Memory is the octets of buffers that the connection holds.
func (c *TCB) Memory() int { return int(c.sendBuf.held()+c.recvBuf.held()) * ChunkSize }

// StoodStill is for how long no new data has gone out and the user has read none
// (THREATS S15).
func (c *TCB) StoodStill(now clock.Instant) clock.Duration {
	return now.Sub(max(c.sentAt, c.rcv.tuneAt))
}
