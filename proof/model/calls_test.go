package model

import (
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// What the user calls answer, in the words of §3.10.
const (
	errNone    = "connection does not exist"
	errExists  = "connection already exists"
	errClosing = "connection closing"
	errQueued  = "queued" // no error: a RECEIVE that has to wait
)

// openActive is OPEN, §3.10.1, with the remote socket specified.
func (m *tcb) openActive() {
	if m.State != tcp.Closed {
		m.out.Error = errExists
		return
	}
	m.ISS, m.RCV.WND = m.nextISS, m.nextWND
	m.reply(segment{SEQ: m.ISS, CTL: wire.SYN})
	m.SND.UNA, m.SND.NXT = m.ISS, m.ISS.Add(1)
	m.State = tcp.SynSent
}

// openPassive is OPEN, §3.10.1, which waits for whoever comes.
func (m *tcb) openPassive() { m.State, m.Passive = tcp.Listen, true }

// send is SEND, §3.10.2. That there is room is known; what is sent when, the model
// is told (sends).
func (m *tcb) send(b []byte) {
	switch m.State {
	case tcp.Closed:
		m.out.Error = errNone
	case tcp.SynSent, tcp.SynReceived: // "Queue the data for transmission after entering ESTABLISHED"
		if m.Closing {
			m.out.Error = errClosing
			return
		}
		m.Sent = append(m.Sent, b...)
	case tcp.Established, tcp.CloseWait:
		if m.Closing {
			m.out.Error = errClosing
			return
		}
		m.Sent = append(m.Sent, b...)
	case tcp.FinWait1, tcp.FinWait2, tcp.Closing, tcp.LastAck, tcp.TimeWait:
		m.out.Error = errClosing
	}
}

// receive is RECEIVE, §3.10.3, of at most n octets.
func (m *tcb) receive(n int) {
	switch m.State {
	case tcp.Closed:
		m.out.Error = errNone
		return
	case tcp.Listen, tcp.SynSent, tcp.SynReceived: // "Queue for processing"
		m.out.Error = errQueued
		return
	case tcp.Established, tcp.FinWait1, tcp.FinWait2:
		if len(m.Unread) == 0 {
			m.out.Error = errQueued
			return
		}
	case tcp.CloseWait: // "must be satisfied by data already on hand"
		if len(m.Unread) == 0 {
			m.out.Error = errClosing
			return
		}
	case tcp.Closing, tcp.LastAck, tcp.TimeWait:
		if len(m.Unread) == 0 || !m.departs(receiveAfterFIN) {
			m.out.Error = errClosing
			return
		}
	}
	n = min(n, len(m.Unread))
	m.out.Text, m.Unread = m.Unread[:n:n], m.Unread[n:]
	m.Read += seq.Size(n)
	if m.Urgent && m.RCV.UP.AtOrBefore(m.IRS.Add(1+m.Read)) {
		m.Urgent = false
	}
}

// close is CLOSE, §3.10.4. With both the user receives no more either, §3.6.1.
func (m *tcb) close(both bool) {
	switch m.State {
	case tcp.Closed:
		m.out.Error = errNone
		return
	case tcp.Listen, tcp.SynSent:
		m.deleteTCB()
		return
	case tcp.SynReceived, tcp.Established, tcp.FinWait1, tcp.FinWait2, tcp.CloseWait, tcp.Closing, tcp.LastAck:
		// §3.6.1 SHLD-3: "if such a host issues a CLOSE call while received data is
		// still pending ... SHOULD send a RST to show that data was lost".
		if both && len(m.Unread) > 0 {
			m.sendReset()
			return
		}
	case tcp.TimeWait: // nobody is left who could be told
	}
	if both {
		m.Gone = true
		clear(m.Held) // nobody will receive it; if it comes again: SHLD-3
	}
	if m.Closing {
		// In FIN-WAIT-1 and FIN-WAIT-2 "an 'ok' response would be acceptable, too".
		if m.State >= tcp.Closing && !m.departs(secondClose) {
			m.out.Error = errClosing
		}
		return
	}
	m.Closing = true
	switch m.State {
	case tcp.SynReceived:
		// "If no SENDs have been issued and there is no pending data to send, then form
		// a FIN segment and send it, and enter FIN-WAIT-1 state; otherwise, queue"
		if len(m.Sent) == 0 {
			m.State = tcp.FinWait1
			m.out.Signals |= established // whoever waits for the OPEN waits no more
		}
	case tcp.Established: // "In any case, enter FIN-WAIT-1 state."
		m.State = tcp.FinWait1
	case tcp.CloseWait: // "then send a FIN segment, enter LAST-ACK state"
		if m.departs(lastAckAtOnce) {
			m.State = tcp.LastAck
		}
	}
}

// abort is ABORT, §3.10.5.
func (m *tcb) abort() {
	switch m.State {
	case tcp.Closed:
		m.out.Error = errNone
	case tcp.Listen, tcp.SynSent, tcp.TimeWait:
		m.deleteTCB()
	case tcp.Closing, tcp.LastAck:
		if !m.FinSent && m.departs(abortBeforeFIN) {
			m.sendReset()
			return
		}
		m.deleteTCB()
	case tcp.SynReceived, tcp.Established, tcp.FinWait1, tcp.FinWait2, tcp.CloseWait:
		m.sendReset()
	}
}

// sendReset sends <SEQ=SND.NXT><CTL=RST> and deletes the TCB.
func (m *tcb) sendReset() {
	r := segment{SEQ: m.SND.NXT, CTL: wire.RST}
	if m.departs(resetWithACK) {
		r.ACK, r.CTL = m.RCV.NXT, wire.RST|wire.ACK
	}
	m.reply(r)
	m.deleteTCB()
}
