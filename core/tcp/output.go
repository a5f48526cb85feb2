package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Output builds the next segment into p, in the room that p has, and reports
// whether there was one. What goes first: a reset, the handshake, what was lost,
// new data and the FIN, a probe, an ACK alone.
func (c *TCB) Output(now clock.Instant, p *packet.Packet) bool {
	for {
		sent, built := c.next(now, p)
		if !sent || built {
			return built
		}
		// A hook has dropped what was built, or keeps it: look for the next.
		c.Obey(now)
	}
}

// next tries to send one segment. built is false when a hook dropped it.
func (c *TCB) next(now clock.Instant, p *packet.Packet) (sent, built bool) {
	if c.pend&(pendStray|pendReset) != 0 {
		return true, c.sendReset(now, p)
	}
	switch c.state {
	case Closed:
		if c.pend&pendLast == 0 {
			return false, false
		}
		c.pend &^= pendLast
		return true, c.sendAck(now, p, c.snd.nxt)
	case Listen:
		return false, false
	case SynSent, SynReceived:
		if c.pend&pendSyn != 0 {
			return true, c.sendSyn(now, p)
		}
		if c.state == SynReceived && c.fastWaits() {
			if sent, built = c.sendNew(now, p); sent {
				return sent, built
			}
		}
		if c.state == SynReceived && c.pend&pendAck != 0 {
			return true, c.sendAck(now, p, c.snd.nxt)
		}
		return false, false
	case Established, FinWait1, FinWait2, CloseWait, Closing, LastAck, TimeWait:
	default:
		panic("tcp: no such state")
	}
	if c.pend&pendSyn != 0 && c.synUnacked() {
		return true, c.sendSyn(now, p)
	}
	if c.pend&pendTail != 0 {
		if sent, built = c.sendTail(now, p); sent {
			return sent, built
		}
	}
	if c.rec.frto != frtoNew {
		if sent, built = c.sendLost(now, p); sent {
			return sent, built
		}
	}
	if c.waiting() && c.mayDepart(now) {
		if sent, built = c.sendNew(now, p); sent {
			return sent, built
		}
	}
	if c.frtoFails() {
		if sent, built = c.sendLost(now, p); sent {
			return sent, built
		}
	}
	if c.pend&pendUrgent != 0 { // goes beside the probe
		c.pend &^= pendUrgent
		return true, c.sendAck(now, p, c.snd.una)
	}
	if c.pend&pendProbe != 0 {
		// A segment that lies before the window draws an ACK: Linux's probe, and
		// the one of §3.8.4 (SHLD-12).
		c.pend &^= pendProbe
		return true, c.sendAck(now, p, c.snd.una.Sub(1))
	}
	if c.pend&pendUpdate != 0 {
		c.pend &^= pendUpdate
		if c.updateDue() {
			c.pend |= pendAck
		}
	}
	if c.pend&pendAck != 0 {
		return true, c.sendAck(now, p, c.ackNumber())
	}
	return false, false
}

// ackNumber is the sequence number of a segment without data: SND.NXT, as
// §3.10.7.4 has it. Where what was sent reaches beyond the window, as a probe or
// after a shrink, it is the edge: the peer takes no number behind it, and two
// ends that probe each other would hear nothing of each other (A.2). An edge that
// has gone back by the rounding of its scale is no shrink (RFC 7323 §2.4).
func (c *TCB) ackNumber() seq.Value {
	edge := c.snd.una.Add(c.snd.wnd)
	if c.snd.nxt.AtOrBefore(edge) || c.snd.wnd > 0 && c.snd.nxt.From(edge)>>c.snd.scale == 0 {
		return c.snd.nxt
	}
	return edge
}

// sendReset sends the reset that ends the connection, or the one that answers a
// stray segment, of which §3.10.7 fixes the sequence number.
func (c *TCB) sendReset(now clock.Instant, p *packet.Packet) bool {
	c.env.Stats.ResetsOut++
	if c.pend&pendStray != 0 {
		c.pend &^= pendStray
		t := wire.TCP{Seq: c.strayAt, Flags: wire.RST}
		return c.emit(now, p, &t, 0, 0, 0, false)
	}
	c.pend &^= pendReset
	t := wire.TCP{Seq: c.snd.nxt, Ack: c.rcv.nxt, Flags: wire.RST | wire.ACK}
	if c.ts.on {
		c.putTimestamps(now, &t.Options)
	}
	return c.emit(now, p, &t, 0, 0, 0, false)
}

// sendSyn sends the SYN, with an ACK in SYN-RECEIVED.
func (c *TCB) sendSyn(now clock.Instant, p *packet.Packet) bool {
	c.pend &^= pendSyn
	again := c.snd.nxt != c.snd.iss
	t := wire.TCP{Seq: c.snd.iss, Flags: wire.SYN | c.ecnSyn(again)}
	o := &t.Options
	o.Has, o.MSS = wire.HasMSS, c.ownMSS() // MUST-14
	if c.cfg.MSSOfPath {
		o.MSS = min(o.MSS, uint16(max(int(c.pathMTU)-c.headers(), leastMSS)))
	}
	scale, sack, stamps := c.cfg.WindowScaling, c.cfg.SACK, c.cfg.Timestamps
	if c.state != SynSent {
		// An option is answered only when it was offered.
		scale, sack, stamps = c.ts.scaleOK, c.ts.sackOK, c.ts.on
		t.Flags |= wire.ACK
		t.Ack = c.rcv.nxt
		t.Window = c.offer(true)
		c.acknowledged()
	} else {
		t.Window = uint16(min(c.rcv.limit, 65535))
	}
	if scale {
		o.Has |= wire.HasWindowScale
		o.WindowScale = c.rcv.scale
	}
	if sack {
		o.Has |= wire.HasSACKPermitted
	}
	if stamps {
		c.putTimestamps(now, o)
	}
	data := uint32(0)
	if again {
		c.synAgain = true
	} else {
		c.snd.nxt = c.snd.iss.Add(1)
		data = c.fastSyn(now, &t)
		c.resendAt = now
		c.startUserTimer(now)
	}
	if c.retries > 0 {
		c.count.resent++
		c.env.Stats.Retransmits++
		if c.env.Hooks.Has(StepRetransmit) {
			c.hookRetransmit(now, c.snd.iss, c.snd.base)
		}
	}
	if !c.isArmed(timerRetransmit) {
		// What the peer's SYN has let go again leaves the timer alone: else its SYNs
		// could keep a half-open connection for ever.
		c.armRetransmit(now)
	}
	return c.emit(now, p, &t, 0, 0, data, again)
}

// sendAck sends a segment without data; at is its sequence number.
func (c *TCB) sendAck(now clock.Instant, p *packet.Packet, at seq.Value) bool {
	t := wire.TCP{Seq: at, Flags: wire.ACK}
	c.complete(now, &t)
	return c.emit(now, p, &t, 0, 0, 0, false)
}

// complete fills in what every segment of a synchronized connection carries: the
// ACK, the window, the timestamps and, with a gap or a duplicate, SACK blocks.
func (c *TCB) complete(now clock.Instant, t *wire.TCP) {
	t.Ack = c.rcv.nxt
	t.Window = c.offer(false)
	if c.ecn.has(ecnEcho) {
		t.Flags |= wire.ECE
	}
	if up := c.snd.up; up.After(c.snd.una) && up.After(t.Seq) {
		t.Flags |= wire.URG
		t.Urgent = uint16(min(up.From(t.Seq), 65535)) // MUST-31, MUST-62
	}
	if c.ts.on {
		c.putTimestamps(now, &t.Options)
	}
	if c.sackCount() > 0 {
		c.putSACK(&t.Options)
	}
	c.acknowledged()
}

func (c *TCB) putTimestamps(now clock.Instant, o *wire.Options) {
	o.Has |= wire.HasTimestamps
	o.TSVal = c.stamp(now)
	o.TSEcr = c.ts.recent
}

// payloadMax is the payload of one segment: the MSS less the SACK blocks that
// it will carry.
func (c *TCB) payloadMax() uint32 { return c.payloadBeside(c.sackCount()) }

// payloadBeside is the payload of a segment with so many SACK blocks.
func (c *TCB) payloadBeside(blocks int) uint32 {
	m := uint32(c.mss)
	if blocks > 0 {
		m -= min(uint32(4+8*blocks), m-1)
	}
	return m
}

// sendLost sends the first of what was lost again.
func (c *TCB) sendLost(now clock.Instant, p *packet.Packet) (sent, built bool) {
	if c.out == nil || c.out.lost == 0 || c.rec.force == 0 && !c.mayDepart(now) {
		return false, false
	}
	i := c.out.nextLost()
	if i < 0 {
		return false, false
	}
	size := c.payloadMax()
	i = c.out.gather(i, seq.Size(size))
	s := c.out.list[i]
	n := uint32(s.len())
	fin := c.snd.finSent && s.end == c.snd.nxt
	if fin {
		n--
	}
	if n > size {
		n, fin = size, false
	}
	if cut, _ := c.toRecordEnd(s.start, n); cut < n {
		n, fin = cut, false
	}
	if c.rec.force == 0 && c.inFlight()+n > c.cc.Cwnd {
		return false, false
	}
	// §3.8.6, MAY-7: what lies behind a shrunken window is not sent again, but for
	// the first octet, which is the probe (MUST-35).
	if edge := c.snd.una.Add(c.snd.wnd); s.start.Add(covers(n, fin)).After(edge) {
		if s.start.Before(edge) {
			n, fin = min(n, uint32(edge.From(s.start))), false
		} else if s.start != c.snd.una || c.rec.force == 0 {
			return false, false
		}
	}
	if c.rec.force > 0 {
		c.rec.force--
	}
	return c.resend(now, p, i, n, fin, c.lossRule())
}

// resend sends the first n octets of stretch i, and perhaps the FIN, again, as id has it.
func (c *TCB) resend(now clock.Instant, p *packet.Packet, i int, n uint32, fin bool, id rule.ID) (sent, built bool) {
	start := c.out.list[i].start
	c.out.again(i, covers(n, fin), now)
	c.sentAgain(now)
	c.count.resent++
	c.env.Stats.Retransmits++
	if c.env.Log.On(event.Retransmit) {
		c.log(now, event.Event{Kind: event.Retransmit, Rule: id, By: uint8(c.rec.phase), A: uint64(start)<<32 | uint64(n)})
	}
	if c.env.Hooks.Has(StepRetransmit) {
		c.hookRetransmit(now, start, start.Add(covers(n, fin)))
	}
	if !c.isArmed(timerRetransmit) || start == c.snd.una && c.rec.phase == Recovery {
		// RFC 6675 §6: what a fast recovery has sent again has its own time.
		c.armRetransmit(now)
	}
	return true, c.sendData(now, p, start, n, fin, true)
}

// covers is how much of the sequence space n octets and perhaps a FIN take.
func covers(n uint32, fin bool) seq.Size {
	if fin {
		n++
	}
	return seq.Size(n)
}

// lossRule is the rule by which what is taken for lost goes again.
func (c *TCB) lossRule() rule.ID {
	switch {
	case c.rec.phase == Loss:
		return rule.Retransmit
	case c.ts.sackOK:
		return rule.SackRecovery
	default:
		return rule.FastRetransmit
	}
}

// sendNew sends what was not sent before, and the FIN behind it, as far as the
// windows, Nagle and the avoidance of silly windows let it.
//
//	base        nxt           base+n
//	 | in flight |   unsent     | FIN
func (c *TCB) sendNew(now clock.Instant, p *packet.Packet) (sent, built bool) {
	unsent := uint32(c.Unsent())
	limit := c.payloadMax()
	force := c.pend&pendForce != 0
	c.pend &^= pendForce
	idle := c.out == nil
	if idle {
		c.afterIdleness(now)
	}
	usable := uint32(0)
	if edge := c.snd.base.Add(c.snd.wnd); edge.After(c.snd.nxt) { // a SYN takes nothing of the window
		usable = uint32(edge.From(c.snd.nxt))
	}
	n, _ := c.toRecordEnd(c.snd.nxt, min(unsent, usable))
	tail := c.pend&pendTail != 0 && usable >= min(max(n, 1), limit)
	// §3.4: the FIN counts like an octet, so it has to fit the window like one.
	fin := c.snd.finQueued && usable > unsent && c.finMayGo()
	if force || tail {
		n, _ = c.toRecordEnd(c.snd.nxt, min(unsent, max(usable, 1), limit))
	} else {
		may := false
		if n, may = c.newSize(now, n, unsent, limit); !may {
			return false, false
		}
	}
	fin = fin && n == unsent
	if n == 0 && !fin {
		c.armPersist(now) // only the FIN is left, and it does not fit
		return false, false
	}
	if force && usable > 0 {
		c.pend |= pendPush // what the override lets go is all that the peer gets for now
	}
	if n < limit && n > 0 {
		c.snd.small = c.snd.nxt.Add(seq.Size(n))
	}
	start := c.snd.nxt
	end := start.Add(covers(n, fin))
	c.snd.finSent = fin
	if c.out == nil {
		c.out = c.env.takeFlight()
	}
	size := end.From(start)
	if n > limit {
		size = seq.Size(limit)
	}
	c.out.add(start, end, uint16(size), now)
	c.snd.nxt = end
	if idle && c.state.Synchronized() || !c.isArmed(timerRetransmit) {
		c.stop(timerPersist)
		c.armRetransmit(now) // RFC 6298 §5.1
		c.startUserTimer(now)
	}
	if !tail && (now != c.sentAt || !c.isArmed(timerTLP) || len(c.out.live()) <= 2) {
		c.armProbe(now) // else it was armed just now
	}
	// Data that answers data shows that ACKs may wait for it: on Linux what goes
	// within the time that an ACK may wait is an answer.
	if now.Sub(c.rcv.dataAt) < c.cfg.DelayedAck && !c.onlySynData() {
		c.rcv.pingpong = true
	}
	if c.cfg.PushHalf && start.Add(seq.Size(n)).From(c.snd.pushed) > c.snd.maxWnd/2 {
		c.pend |= pendPush
	}
	if c.cfg.NotSentLowAt > 0 {
		c.roomFreed()
	}
	return true, c.sendData(now, p, start, n, fin, false)
}

// afterIdleness is RFC 5681 §4.1: what the window was says little after a pause.
func (c *TCB) afterIdleness(now clock.Instant) {
	if !c.cfg.SlowStartAfterIdle || c.count.dataSegsOut == 0 {
		return
	}
	if gap := now.Sub(c.sentAt); gap > c.timeout() {
		c.control.OnIdle(&c.cc, now, gap, c.timeout())
		c.heed(now)
		c.sentAt = now
	}
}

// newSize cuts n octets, which the peer's window takes, to what the congestion window
// lets out in one packet, and reports whether they may go now: what is less than a
// segment may have to wait, for an ACK or for the persist timer.
func (c *TCB) newSize(now clock.Instant, n, unsent, limit uint32) (size uint32, may bool) {
	room := c.cc.Cwnd - min(c.cc.Cwnd, c.inFlight())
	if n > room {
		if room < limit && c.out != nil {
			return 0, false // wait for an ACK
		}
		n = max(room, min(n, limit))
	}
	n = c.segmentSize(n, limit)
	switch _, whole := c.toRecordEnd(c.snd.nxt, n); {
	case n >= limit || n == 0 && unsent == 0:
	case n < unsent && !whole && !c.worthSending(n):
		c.armPersist(now)
		return 0, false
	case n < unsent:
		// The end of a record, with another behind it.
	case c.snd.finQueued:
	case c.held():
		c.armPersist(now)
		return 0, false
	case c.nagled():
		return 0, false
	}
	return n, true
}

// pushes reports whether the octets up to end have PSH: when they are all that was
// written (MUST-61), unless the user has said that more follows, and at the end of
// a record.
func (c *TCB) pushes(end seq.Value) bool {
	if end == c.written() {
		return !c.snd.open
	}
	_, whole := c.toRecordEnd(end.Sub(1), 1)
	return whole
}

// segmentSize cuts n to what one packet takes: one segment, or on a link that
// cuts super-packets itself as many whole ones as fit.
func (c *TCB) segmentSize(n, limit uint32) uint32 {
	if n <= limit || c.rcv.dupLen > 0 || c.env.Hooks&singleSteps != 0 {
		return min(n, limit) // a duplicate is reported once, RFC 2883 §4
	}
	room := c.env.Link.MaxSuper - 120 // the largest headers
	if c.ecn.has(ecnReduced) {
		return limit // the CWR is for one segment (RFC 3168 §6.1.2)
	}
	if c.paced() {
		// As Linux: what goes out in a millisecond, but two segments.
		room = min(room, max(int(2*limit), int(min(c.pacingRate()>>10, 65535))))
		if m := c.cc.More; m != nil && m.Quantum > 0 {
			room = min(room, int(m.Quantum))
		}
	}
	if room < int(2*limit) {
		return limit
	}
	n = min(n, uint32(min(room, 65535-120)))
	return n - n%limit
}

// worthSending is §3.8.6.2.1 rule 3, for a segment that the window cuts short: it
// must be half of the largest window that the peer has ever offered, and with
// Nagle nothing may be in flight.
func (c *TCB) worthSending(n uint32) bool {
	return n > 0 && n >= uint32(c.snd.maxWnd)/2 && !(c.cfg.Nagle && c.out != nil)
}

// nagled reports whether Nagle's algorithm holds a small segment back (§3.7.4):
// while anything is in flight, or as Linux has it while a small one is. Urgent data
// does not wait.
func (c *TCB) nagled() bool {
	if !c.cfg.Nagle || c.out == nil || c.snd.flush || c.snd.up.After(c.snd.una) {
		return false
	}
	return !c.cfg.NagleMinshall || c.snd.small.After(c.snd.una)
}

// sendData sends n octets of the send buffer from start, with the FIN behind them
// if it is due. again is for what was sent before.
func (c *TCB) sendData(now clock.Instant, p *packet.Packet, start seq.Value, n uint32, fin, again bool) bool {
	t := wire.TCP{Seq: start, Flags: wire.ACK}
	off := uint32(start.From(c.snd.base))
	end := start.Add(seq.Size(n))
	if n > 0 && c.pushes(end) {
		t.Flags |= wire.PSH
	}
	if fin {
		t.Flags |= wire.FIN
	}
	if c.pend&pendPush != 0 {
		c.pend &^= pendPush
		t.Flags |= wire.PSH
	}
	if t.Flags&wire.PSH != 0 && !again {
		c.snd.pushed = end
	}
	c.complete(now, &t)
	c.prrSent(n)
	c.sentAt = now
	c.count.octetsSent += uint64(n)
	c.env.Stats.OctetsOut += uint64(n)
	if again {
		c.count.octetsResent += uint64(n)
	}
	if c.cc.More != nil {
		c.controlSent(now, start, n, again)
	}
	ecn := uint8(0)
	if n > 0 {
		segs, _ := c.segments(&t, n)
		c.count.dataSegsOut += segs
		c.departed(now, n)
		// What goes beyond the window is a probe, RFC 3168 §6.1.6.
		ecn = c.codepoint(&t, again || end.After(c.snd.una.Add(c.snd.wnd)))
	}
	return c.emit(now, p, &t, ecn, off, n, again)
}

// emit makes t and n octets of the send buffer from off a packet, with the ECN
// field ecn. again is for what was sent before. It reports false when a hook has
// dropped the segment, or keeps it back.
func (c *TCB) emit(now clock.Instant, p *packet.Packet, t *wire.TCP, ecn uint8, off, n uint32, again bool) bool {
	t.SrcPort, t.DstPort = c.name.localPort, c.name.remotePort
	ip := wire.IP{
		Src: c.name.local(), Dst: c.name.remote(), Protocol: wire.ProtocolTCP,
		TTL: c.cfg.TTL, TOS: c.cfg.TOS&^ecnMask | ecn, DontFragment: c.cfg.PathMTU && !c.fragments,
	}
	if !ip.DontFragment {
		// RFC 6864 §4.1: a packet that may be fragmented needs an ID.
		ip.ID = uint16(c.count.segsOut) + uint16(c.id)*40503
	}
	hdr := c.headers() - wire.TCPHeaderLen
	b := wire.AppendTCP(extend(p.Bytes[:0], hdr), t)
	if n > 0 {
		data := len(b)
		b = extend(b, int(n))
		c.sendBuf.get(off, b[data:])
	}
	wire.AppendIP(b[:0], &ip, len(b)-hdr)
	segs, size := c.segments(t, n)
	p.Bytes, p.Partial, p.SegmentSize = b, c.env.Link.Checksum, uint16(size)
	c.count.segsOut += segs
	if c.env.Hooks&leavingSteps != 0 || c.tagged {
		if !c.mayLeave(now, departure{p, t, &ip, again}) {
			return false
		}
		n = uint32(PayloadLen(p, &ip))
	}
	wire.FinishTCP(p.Bytes, &ip, hdr, p.Partial)
	c.env.Stats.SegmentsOut += uint64(segs)
	if c.env.Log.On(event.SegmentOut) {
		c.log(now, segmentEvent(event.SegmentOut, t, int(n)))
	}
	if c.env.Hooks.Has(StepLeft) {
		r := c.at(now, StepLeft)
		r.Again = again
		c.env.Left(r, p, t, &ip)
	}
	return true
}

// segments is how many segments t and n octets of data are on the wire, and if that
// is more than one, how many octets each but the last has.
func (c *TCB) segments(t *wire.TCP, n uint32) (segs, size uint32) {
	blocks := 0
	if t.Options.Has&wire.HasSACK != 0 {
		blocks = int(t.Options.SACKCount)
	}
	size = c.payloadBeside(blocks)
	if n <= size || t.Flags&wire.SYN != 0 {
		return 1, 0
	}
	return (n + size - 1) / size, size
}

// extend makes b longer by n octets, whatever they hold.
func extend(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b[:len(b)+n]
	}
	return append(b, make([]byte, n)...)
}
