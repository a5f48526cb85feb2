package model

import (
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// arrives is SEGMENT ARRIVES, §3.10.7.
func (m *tcb) arrives(seg segment) {
	switch m.State {
	case tcp.Closed:
		m.arrivesClosed(seg)
	case tcp.Listen:
		m.arrivesListen(seg)
	case tcp.SynSent:
		m.arrivesSynSent(seg)
	default:
		m.arrivesOther(seg)
	}
}

// arrivesClosed is §3.10.7.1 and §3.5.2, group 1.
func (m *tcb) arrivesClosed(seg segment) {
	switch {
	case seg.has(wire.RST): // "An incoming segment containing a RST is discarded."
	case !seg.has(wire.ACK):
		m.reply(segment{SEQ: 0, ACK: seg.SEQ.Add(seg.LEN()), CTL: wire.RST | wire.ACK})
	default:
		m.reply(segment{SEQ: seg.ACK, CTL: wire.RST})
	}
}

// arrivesListen is §3.10.7.2.
func (m *tcb) arrivesListen(seg segment) {
	// First, check for a RST: "should be ignored".
	if seg.has(wire.RST) {
		return
	}
	// Second, check for an ACK: "Any acknowledgment is bad".
	if seg.has(wire.ACK) {
		m.reply(segment{SEQ: seg.ACK, CTL: wire.RST})
		return
	}
	// Third, check for a SYN.
	if seg.has(wire.SYN) {
		m.RCV.NXT, m.IRS = seg.SEQ.Add(1), seg.SEQ
		m.RCV.UP = m.RCV.NXT
		m.ISS, m.RCV.WND = m.nextISS, m.nextWND
		m.reply(segment{SEQ: m.ISS, ACK: m.RCV.NXT, CTL: wire.SYN | wire.ACK})
		m.SND.NXT, m.SND.UNA = m.ISS.Add(1), m.ISS
		m.State, m.Passive = tcp.SynReceived, true
		// RFC 5961 §5: the largest window received from the peer, this one too.
		m.SND.MaxWND, m.SND.WND = seg.WND, seg.WND
		// "any other control or text should be queued for processing later"
		if !m.departs(synTextDropped) {
			rest := seg.withoutSYN()
			m.hold(&rest)
		}
		return
	}
	// Fourth, other data or control: "Drop the segment and return."
}

// arrivesSynSent is §3.10.7.3.
func (m *tcb) arrivesSynSent(seg segment) {
	// First, check the ACK bit.
	if seg.has(wire.ACK) {
		if seg.ACK.AtOrBefore(m.ISS) || seg.ACK.After(m.SND.NXT) {
			if !seg.has(wire.RST) {
				m.reply(segment{SEQ: seg.ACK, CTL: wire.RST})
			}
			return
		}
	}
	// Second, check the RST bit. The exact match with RCV.NXT that the RFC mentions
	// has no meaning here, where RCV.NXT is not set; §3.5.3: "the RST is acceptable
	// if the ACK field acknowledges the SYN".
	if seg.has(wire.RST) {
		if seg.has(wire.ACK) {
			if m.departs(synSentRefused) {
				m.out.Signals |= refused
			} else {
				m.out.Signals |= reset
			}
			m.deleteTCB()
		}
		return
	}
	// Fourth, check the SYN bit.
	if seg.has(wire.SYN) {
		m.RCV.NXT, m.IRS = seg.SEQ.Add(1), seg.SEQ
		m.RCV.UP = m.RCV.NXT
		if seg.has(wire.ACK) {
			m.SND.UNA = seg.ACK
		}
		// The variables are set on both ways from here, RFC 1122 §4.2.2.20 (c).
		m.setWindow(&seg)
		if m.SND.UNA.After(m.ISS) {
			m.State = tcp.Established
			m.out.Signals |= established
			m.sendACK()
			// "If there are other controls or text in the segment, then continue
			// processing at the sixth step"
			m.fromSixth(seg)
			return
		}
		m.State = tcp.SynReceived
		m.reply(segment{SEQ: m.ISS, ACK: m.RCV.NXT, CTL: wire.SYN | wire.ACK})
		// "If there are other controls or text in the segment, queue them for
		// processing after the ESTABLISHED state has been reached"
		if !m.departs(synTextDropped) {
			rest := seg.withoutSYN()
			m.hold(&rest)
		}
		return
	}
	// Fifth, "if neither of the SYN or RST bits is set, then drop the segment".
}

// setWindow is SND.WND <- SEG.WND, SND.WL1 <- SEG.SEQ, SND.WL2 <- SEG.ACK.
func (m *tcb) setWindow(seg *segment) {
	m.SND.WND, m.SND.WL1, m.SND.WL2 = seg.WND, seg.SEQ, seg.ACK
	m.SND.MaxWND = max(m.SND.MaxWND, seg.WND)
}

// acceptable is Table 6.
func (m *tcb) acceptable(seg *segment) bool {
	inWindow := func(v seq.Value) bool { return m.RCV.NXT.AtOrBefore(v) && v.Before(m.edge()) }
	switch n, wnd := seg.LEN(), m.RCV.WND; {
	case n == 0 && wnd == 0:
		return seg.SEQ == m.RCV.NXT
	case n == 0:
		return inWindow(seg.SEQ)
	case wnd == 0:
		return false
	default:
		last := seg.SEQ.Add(n - 1)
		return inWindow(seg.SEQ) || inWindow(last) ||
			int64(m.RCV.NXT.From(seg.SEQ))+int64(wnd) < int64(n) && m.departs(coversWindow)
	}
}

// arrivesOther is §3.10.7.4.
func (m *tcb) arrivesOther(seg segment) {
	if m.reopens(&seg) {
		return
	}

	// First, check sequence number.
	if m.State == tcp.SynReceived && seg.SEQ == m.IRS && seg.has(wire.SYN) && !seg.has(wire.RST) {
		switch {
		case !seg.has(wire.ACK) && m.departs(synAgain):
			m.reply(segment{SEQ: m.ISS, ACK: m.RCV.NXT, CTL: wire.SYN | wire.ACK})
			return
		case seg.has(wire.ACK) && seg.ACK == m.SND.NXT && m.departs(synTaken):
			seg = seg.withoutSYN()
		}
	}
	if !m.acceptable(&seg) || m.State == tcp.TimeWait && !seg.has(wire.SYN) && seg.SEQ.Before(m.RCV.NXT) && m.departs(waitFirstOctet) {
		if !seg.has(wire.RST) {
			m.sendACK()
			m.finAgain(&seg)
		}
		// "If the RCV.WND is zero, no segments will be acceptable, but special
		// allowance should be made to accept valid ACKs, URGs, and RSTs." MUST-66
		if m.RCV.WND != 0 || seg.SEQ != m.RCV.NXT {
			return
		}
		if !seg.has(wire.RST) {
			if seg.has(wire.SYN) {
				return
			}
			seg.Text, seg.CTL = nil, seg.CTL&^wire.FIN
		}
	}

	// Second, check the RST bit, with the three checks of RFC 5961 §3. The sequence
	// number is that of the segment as it came.
	if seg.has(wire.RST) {
		switch {
		case seg.SEQ != m.RCV.NXT && !seg.SEQ.In(m.RCV.NXT, m.RCV.WND):
		case seg.SEQ != m.RCV.NXT:
			m.sendACK()
		default:
			m.checkReset()
		}
		return
	}

	// Third, check security: left out, as the engine leaves it out.

	// Fourth, check the SYN bit.
	if seg.has(wire.SYN) {
		if m.State == tcp.SynReceived && m.Passive {
			m.State = tcp.Listen
			return
		}
		// RFC 5961 §4: "irrespective of the sequence number"
		m.sendACK()
		return
	}

	// "In the following it is assumed that the segment is the idealized segment that
	// begins at RCV.NXT and does not exceed the window."
	seg = m.idealized(seg)

	// "Segments with higher beginning sequence numbers SHOULD be held for later
	// processing (SHLD-31)."
	if seg.SEQ.After(m.RCV.NXT) && !m.departs(ackOfEarly) {
		m.hold(&seg)
		m.sendACK() // MAY-13
		return
	}

	// Fifth, check the ACK field: "if the ACK bit is off, drop the segment".
	if !seg.has(wire.ACK) || !m.checkACK(&seg) {
		return
	}
	m.fromSixth(seg)
}

// reopens is §3.6.1 MAY-2: a SYN in TIME-WAIT that is surely new may open the
// connection again, if somebody listens. RFC 6191 §2 says how that is known
// without timestamps.
func (m *tcb) reopens(seg *segment) bool {
	const others = wire.RST | wire.ACK
	if m.State != tcp.TimeWait || !m.Listening || seg.CTL&(wire.SYN|others) != wire.SYN || !seg.SEQ.After(m.RCV.NXT) {
		return false
	}
	*m = tcb{State: tcp.Listen, Held: map[seq.Value]byte{}, Listening: true, Now: m.Now, twoMSL: m.twoMSL, nextISS: m.nextISS, nextWND: m.nextWND, book: m.book}
	m.arrivesListen(*seg)
	return true
}

// finAgain restarts the 2 MSL timeout for a retransmission of the peer's FIN, which
// lies before the window.
func (m *tcb) finAgain(seg *segment) {
	if m.State == tcp.TimeWait && seg.has(wire.FIN) && !seg.has(wire.SYN) && seg.SEQ.Add(seg.LEN()) == m.RCV.NXT &&
		seg.has(wire.ACK) && seg.ACK.AtOrBefore(m.SND.NXT) && m.departs(finRestarts) {
		m.enterTimeWait()
	}
}

// idealized cuts off what lies outside the window.
func (m *tcb) idealized(seg segment) segment {
	if old := m.RCV.NXT.From(seg.SEQ); seg.SEQ.Before(m.RCV.NXT) {
		seg.SEQ, seg.Text = m.RCV.NXT, seg.Text[min(int(old), len(seg.Text)):]
		seg.UP -= uint16(old)
	}
	if room := m.edge().From(seg.SEQ); seq.Size(len(seg.Text)) > room {
		seg.Text, seg.CTL = seg.Text[:room], seg.CTL&^wire.FIN
	} else if seq.Size(len(seg.Text)) == room && seg.has(wire.FIN) && !m.departs(finAtEdge) {
		seg.CTL &^= wire.FIN
	}
	return seg
}

// checkReset is the second step for a reset that is valid.
func (m *tcb) checkReset() {
	switch m.State {
	case tcp.SynReceived:
		if m.Passive {
			m.State = tcp.Listen // "The user need not be informed."
			return
		}
		m.out.Signals |= refused
	case tcp.Established, tcp.FinWait1, tcp.FinWait2, tcp.CloseWait:
		m.out.Signals |= reset
	case tcp.Closing, tcp.LastAck, tcp.TimeWait:
		// "enter the CLOSED state, delete the TCB, and return"
	}
	m.deleteTCB()
}

// checkACK is the fifth step with the ACK bit on. It reports whether processing
// goes on.
func (m *tcb) checkACK(seg *segment) bool {
	good := m.SND.UNA.Before(seg.ACK) && seg.ACK.AtOrBefore(m.SND.NXT)
	if m.State == tcp.SynReceived && !good && m.departs(unopenedReset) {
		m.reply(segment{SEQ: seg.ACK, CTL: wire.RST})
		return false
	}
	// RFC 5961 §5, MAY-12.
	if oldest := m.SND.UNA.Sub(m.SND.MaxWND); seg.ACK.After(m.SND.NXT) || seg.ACK.Before(oldest) && !m.forgets() {
		m.sendACK()
		return false
	}
	switch m.State {
	case tcp.SynReceived:
		if !good {
			m.reply(segment{SEQ: seg.ACK, CTL: wire.RST})
			return false
		}
		m.State = tcp.Established
		m.out.Signals |= established
		m.setWindow(seg)
		if m.Closing { // a CLOSE that was queued, §3.10.4
			m.State = tcp.FinWait1
		}
	case tcp.TimeWait:
		// "The only thing that can arrive in this state is a retransmission of the
		// remote FIN": finAgain.
		return true
	}

	// "ESTABLISHED STATE", which all that follow do too.
	una := m.SND.UNA
	if good {
		m.SND.UNA = seg.ACK
	}
	if una.AtOrBefore(seg.ACK) && seg.ACK.AtOrBefore(m.SND.NXT) &&
		(m.SND.WL1.Before(seg.SEQ) || m.SND.WL1 == seg.SEQ && m.SND.WL2.AtOrBefore(seg.ACK)) {
		m.setWindow(seg)
	}

	switch m.State {
	case tcp.FinWait1: // "if the FIN segment is now acknowledged, then enter FIN-WAIT-2"
		if m.finAcked() {
			m.State = tcp.FinWait2
		}
	case tcp.Closing: // "then enter the TIME-WAIT state; otherwise, ignore the segment"
		if m.finAcked() {
			m.enterTimeWait()
		} else if !seg.has(wire.FIN) || !m.departs(secondFIN) {
			return false
		}
	case tcp.LastAck: // "delete the TCB, enter the CLOSED state, and return"
		if m.finAcked() {
			m.deleteTCB()
			return false
		}
	}
	return true
}

// forgets reports whether MAX.SND.WND is not known any more.
func (m *tcb) forgets() bool { return m.State == tcp.TimeWait && m.departs(waitForgets) }

// fromSixth is the sixth step and what follows it.
func (m *tcb) fromSixth(seg segment) {
	if seg.has(wire.SYN) {
		seg = m.idealized(seg.withoutSYN())
	}
	receiving := m.State == tcp.Established || m.State == tcp.FinWait1 || m.State == tcp.FinWait2

	// Sixth, check the URG bit. "RCV.UP <- max(RCV.UP,SEG.UP)"
	if receiving && seg.has(wire.URG) {
		up := seq.Max(m.RCV.UP, seg.SEQ.Add(seq.Size(int16(seg.UP))))
		advances := up != m.RCV.UP
		m.RCV.UP = up
		if m.RCV.UP.After(m.consumed()) && (!m.Urgent || advances && m.departs(urgentAgain)) {
			m.Urgent = true
			m.out.Signals |= urgentData
		}
	}

	// Seventh, process the segment text.
	early := seg.SEQ.After(m.RCV.NXT)
	if receiving && len(seg.Text) > 0 {
		// §3.6.1 SHLD-3: "if new data is received after CLOSE is called, its TCP
		// implementation SHOULD send a RST". §3.5.2: "the reset takes its sequence
		// number from the ACK field of the segment".
		if m.Gone {
			m.reply(segment{SEQ: seg.ACK, CTL: wire.RST})
			m.deleteTCB()
			return
		}
		m.hold(&segment{SEQ: seg.SEQ, Text: seg.Text})
		m.deliver()
		m.out.Owed = true
	}

	// Eighth, check the FIN bit.
	if seg.has(wire.FIN) {
		switch at := seg.SEQ.Add(seq.Size(len(seg.Text))); {
		case m.PeerDone && m.departs(secondFIN):
			m.sendACK()
		case !m.PeerDone && m.contradicts(at) && m.departs(falseFIN):
			m.out.Owed = true
		case m.PeerDone:
			m.checkFIN()
		default:
			m.FinHeld, m.FinAt = true, at
		}
	}
	if m.FinHeld && m.FinAt == m.RCV.NXT {
		m.checkFIN()
	}

	// MAY-13, RFC 5681 §4.2: what is in the window but not at its left edge is
	// acknowledged at once.
	if receiving && early && seg.LEN() > 0 {
		m.sendACK()
	}
}

// consumed is what the user receives next.
func (m *tcb) consumed() seq.Value { return m.IRS.Add(1 + m.Read) }

// contradicts reports whether the peer's FIN cannot be the octet at: there is text
// there or beyond, or it was another octet before.
func (m *tcb) contradicts(at seq.Value) bool {
	if at.Before(m.RCV.NXT) {
		return true
	}
	for v := range m.Held {
		if v.AtOrAfter(at) {
			return true
		}
	}
	return m.FinHeld && m.FinAt != at
}

// hold keeps what is new of a segment that lies in the window, octet by octet.
func (m *tcb) hold(seg *segment) {
	for i, octet := range seg.Text {
		at := seg.SEQ.Add(seq.Size(i))
		// "When a segment overlaps other already received segments, we reconstruct
		// the segment to contain just the new data"
		if _, held := m.Held[at]; held || m.FinHeld && at.AtOrAfter(m.FinAt) && m.departs(falseText) {
			continue
		}
		m.Held[at] = octet
	}
	if seg.has(wire.FIN) {
		m.FinHeld, m.FinAt = true, seg.SEQ.Add(seq.Size(len(seg.Text)))
	}
}

// deliver advances RCV.NXT over what has come in order. "The total of RCV.NXT and
// RCV.WND should not be reduced" (SHLD-14): the window shrinks as it fills.
func (m *tcb) deliver() {
	for {
		octet, ok := m.Held[m.RCV.NXT]
		if !ok {
			return
		}
		delete(m.Held, m.RCV.NXT)
		m.RCV.NXT, m.RCV.WND = m.RCV.NXT.Add(1), m.RCV.WND-1
		m.out.Text = append(m.out.Text, octet)
		m.Unread = append(m.Unread, octet)
	}
}

// checkFIN is the eighth step for a FIN whose turn has come: "signal the user
// 'connection closing' ..., advance RCV.NXT over the FIN, and send an
// acknowledgment for the FIN".
func (m *tcb) checkFIN() {
	m.FinHeld, m.PeerDone = false, true
	m.RCV.NXT, m.RCV.WND = m.RCV.NXT.Add(1), m.RCV.WND-min(m.RCV.WND, 1)
	m.out.Signals |= closing
	m.out.Owed = true
	switch m.State {
	case tcp.SynReceived, tcp.Established:
		m.State = tcp.CloseWait
	case tcp.FinWait1: // "If our FIN has been ACKed": then this is FIN-WAIT-2 already
		m.State = tcp.Closing
	case tcp.FinWait2, tcp.TimeWait:
		m.enterTimeWait()
	case tcp.CloseWait, tcp.Closing, tcp.LastAck: // "Remain"
	}
}

// enterTimeWait starts the time-wait timer, or starts it again.
func (m *tcb) enterTimeWait() {
	m.State = tcp.TimeWait
	m.WaitTo = m.Now.Add(m.twoMSL)
}
