package model

import (
	"maps"
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A segment has what §3.10 reads of a segment: SEG.SEQ, SEG.ACK, SEG.WND, SEG.UP
// (as the offset that is on the wire), CTL and the text.
type segment struct {
	SEQ, ACK seq.Value
	WND      seq.Size
	UP       uint16
	CTL      wire.Flags
	Text     []byte
}

// LEN is SEG.LEN, in which SYN and FIN count (§3.4).
func (s *segment) LEN() seq.Size {
	n := seq.Size(len(s.Text))
	if s.has(wire.SYN) {
		n++
	}
	if s.has(wire.FIN) {
		n++
	}
	return n
}

func (s *segment) has(f wire.Flags) bool { return s.CTL&f != 0 }

// withoutSYN is what of a segment follows its SYN.
func (s *segment) withoutSYN() segment {
	rest := *s
	rest.SEQ, rest.CTL, rest.UP = s.SEQ.Add(1), s.CTL&^wire.SYN, s.UP-1
	return rest
}

// A tcb has the variables of §3.3.1, Tables 2 and 3, and what of the connection's
// two streams decides the answers.
type tcb struct {
	State    tcp.State
	Passive  bool // MUST-11: the OPEN was passive
	ISS, IRS seq.Value
	SND      struct {
		UNA, NXT, UP, WL1, WL2 seq.Value
		WND, MaxWND            seq.Size // MAX.SND.WND of RFC 5961 §5
	}
	RCV struct {
		NXT, UP seq.Value
		WND     seq.Size
	}

	Sent    []byte // what the user has sent; its first octet is ISS+1
	Closing bool   // the user has called CLOSE: a FIN follows
	FinSent bool   // and has been sent: it is the octet before SND.NXT
	Gone    bool   // the CLOSE was that of both directions, §3.6.1

	Held     map[seq.Value]byte // text that is not yet delivered, by octet
	FinHeld  bool               // the peer's FIN is known
	FinAt    seq.Value          // and is this octet
	Unread   []byte             // delivered to the connection, not yet to the user
	Read     seq.Size           // how much the user has read
	Urgent   bool               // the user is in urgent mode
	PeerDone bool               // the peer's FIN has been processed

	Listening bool // a new connection could take the place of this one

	Now    clock.Instant
	WaitTo clock.Instant // when TIME-WAIT ends

	twoMSL  clock.Duration
	nextISS seq.Value // what "an ISS is selected" selects
	nextWND seq.Size  // the first window
	out     outcome
	book    *book
}

// edge is RCV.NXT+RCV.WND.
func (m *tcb) edge() seq.Value { return m.RCV.NXT.Add(m.RCV.WND) }

// finAcked is "our FIN has been acknowledged".
func (m *tcb) finAcked() bool { return m.FinSent && m.SND.UNA == m.SND.NXT }

func (m *tcb) clone() *tcb {
	c := *m
	c.Sent, c.Unread, c.Held = slices.Clone(m.Sent), slices.Clone(m.Unread), maps.Clone(m.Held)
	return &c
}

// A signal is what the user learns without asking.
type signal uint8

const (
	established signal = 1 << iota // the OPEN has succeeded
	urgentData                     // "the remote side has urgent data"
	closing                        // "connection closing": the peer's FIN
	reset                          // "connection reset"
	refused                        // "connection refused"
	timedOut                       // "connection aborted due to user timeout"
)

// An outcome is what an event leads to beside changed variables.
type outcome struct {
	Replies []segment // SYNs and resets, in this order, at once
	ACK     bool      // <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, at once, once (MUST-58)
	Owed    bool      // the same soon (§3.8.6.3)
	Text    []byte    // octets that can now be delivered
	Signals signal
	Error   string // what a user call answers; "" is ok
}

func (m *tcb) reply(s segment) { m.out.Replies = append(m.out.Replies, s) }

// sendACK sends <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>.
func (m *tcb) sendACK() { m.out.ACK = true }

// ackSEQ is SEQ of an ACK without text.
func (m *tcb) ackSEQ() seq.Value {
	if edge := m.SND.UNA.Add(m.SND.WND); m.State != tcp.SynReceived && m.SND.NXT.After(edge) && m.departs(ackInWindow) {
		m.book.used[ackInWindow]++ // this is asked after the event, and it does make a difference
		return edge
	}
	return m.SND.NXT
}

// deleteTCB enters the CLOSED state. The answers to one segment go together
// (MUST-59), and where there is no TCB any more there is no RCV.NXT to acknowledge.
func (m *tcb) deleteTCB() {
	m.State = tcp.Closed
	m.out.ACK, m.out.Owed = false, false
}
