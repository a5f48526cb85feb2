package model

import (
	"bytes"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// timeWaitTimeout is TIME-WAIT TIMEOUT, §3.10.8.
func (m *tcb) timeWaitTimeout(now clock.Instant) {
	if m.State == tcp.TimeWait && now >= m.WaitTo {
		m.deleteTCB()
	}
}

// userTimeout is USER TIMEOUT, §3.10.8. When it expires the model is told.
func (m *tcb) userTimeout() {
	m.out.Signals |= timedOut
	m.deleteTCB()
}

// finWait2Timeout is what §3.10.8 does not have.
func (m *tcb) finWait2Timeout() {
	if m.State == tcp.FinWait2 && m.Gone && m.departs(finWait2Ends) {
		m.deleteTCB()
	}
}

// outstanding reports whether there is something for which a timeout may expire:
// a SYN, text or a FIN that the peer has not acknowledged, or cannot take.
func (m *tcb) outstanding() bool {
	switch m.State {
	case tcp.SynSent, tcp.SynReceived:
		return true
	case tcp.Established, tcp.CloseWait, tcp.FinWait1, tcp.Closing, tcp.LastAck:
		return m.SND.UNA.From(m.ISS.Add(1)) < seq.Size(len(m.Sent)) || m.Closing && !m.finAcked()
	default:
		return false
	}
}

// probes reports whether an empty segment may ask for the window: one that the peer
// does not accept and so has to answer, §3.8.6.1.
func (m *tcb) probes(s segment) bool {
	return s.SEQ == m.SND.UNA.Sub(1) && s.ACK == m.RCV.NXT && m.SND.WND == 0 && m.State >= tcp.Established && m.outstanding()
}

// sends takes note of a segment that carries a SYN, text or a FIN and answers
// nothing: SEND and CLOSE have been segmentized, or RETRANSMISSION TIMEOUT has
// expired. It returns what is wrong with it, or "".
func (m *tcb) sends(s segment) string {
	first := m.ISS.Add(1)
	switch {
	case s.has(wire.RST):
		return "a reset that nothing asked for"
	case s.has(wire.SYN):
		switch {
		case m.State == tcp.SynSent && s.SEQ == m.ISS && !s.has(wire.ACK) && len(s.Text) == 0:
			return ""
		// A CLOSE in SYN-RECEIVED has left it with the SYN unacknowledged.
		case m.State >= tcp.SynReceived && m.SND.UNA == m.ISS && s.SEQ == m.ISS && s.has(wire.ACK) && s.ACK == m.RCV.NXT && len(s.Text) == 0:
			return ""
		}
		return "a SYN out of place"
	case m.State < tcp.Established && !(m.State == tcp.FinWait1), m.State == tcp.FinWait2, m.State == tcp.TimeWait:
		return "text or a FIN in " + m.State.String()
	case !s.has(wire.ACK) || s.ACK != m.RCV.NXT:
		return "text without the acknowledgment of RCV.NXT"
	case s.SEQ.Before(m.SND.UNA) || s.SEQ.After(m.SND.NXT):
		return "text that does not begin in what is unacknowledged, or next"
	}
	from := s.SEQ.From(first)
	end := s.SEQ.Add(s.LEN())
	if int(from)+len(s.Text) > len(m.Sent) || !bytes.Equal(s.Text, m.Sent[from:int(from)+len(s.Text)]) {
		return "text that the user has not sent"
	}
	if s.has(wire.FIN) {
		if !m.Closing || int(from)+len(s.Text) != len(m.Sent) {
			return "a FIN before its turn"
		}
	}
	if end.AtOrBefore(m.SND.NXT) {
		return "" // "send the segment at the front of the retransmission queue again"
	}
	// The peer's window begins behind our SYN, which needs no room. §3.8.6.1 MUST-36:
	// one octet may go into a window that is closed.
	open := seq.Max(m.SND.UNA, first)
	if end.After(open.Add(m.SND.WND)) && !(s.LEN() == 1 && s.SEQ == open) {
		return "text beyond the window"
	}
	m.SND.NXT = end
	if s.has(wire.FIN) {
		m.FinSent = true
		if m.State == tcp.CloseWait {
			m.State = tcp.LastAck
		}
	}
	return ""
}
