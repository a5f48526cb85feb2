package event

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
)

// A Kind is what an event tells. Kinds are stable: new ones go to the end.
type Kind uint8

// The kinds, with the meaning of A to D.
const (
	None       Kind = iota
	Transition      // From, To: states; By: cause
	SegmentIn       // A: seq<<32 | ack; B: payload length<<32 | window field; C: flags<<16 | urgent; D: TSval<<32 | TSecr
	SegmentOut      // as SegmentIn
	Drop            // From: the rule.Drop; By: state
	TimerArmed      // By: slot; A: the Instant
	TimerFired      // By: slot; A: how often it has fired in a row
	RTT             // A: sample; B: SRTT; C: RTTVAR; D: RTO, all in nanoseconds
	Congestion      // A: cwnd; B: ssthresh; C: octets in flight
	Recovery        // From, To: phases; A: recovery point
	Retransmit      // A: first sequence number<<32 | length; By: why (phase)
	SoftError       // By: the tcp.Error; A: type<<8 | code where ICMP told it
	Urgent          // A: SND or RCV urgent pointer
	Ready           // By: what became possible
	Window          // A: SND.WND; B: the largest SND.WND so far
	Accept          // A: how many wait in the accept queue
	Plugin          // By: the abi.Verdict; From: tcp.Step; To: index of the plugin; A: argument; B: hook<<32 | why
	kinds
)

var names = [kinds]string{
	"none", "transition", "segment-in", "segment-out", "drop", "timer-armed", "timer-fired", "rtt",
	"congestion", "recovery", "retransmit", "soft-error", "urgent", "ready", "window", "accept",
	"plugin",
}

// String is the name of the kind, "segment-in".
func (k Kind) String() string {
	if k >= kinds {
		return "unknown"
	}
	return names[k]
}

// An Event is one thing that happened. Its meaning stands at its Kind.
type Event struct {
	At     clock.Instant
	Conn   uint32 // id of the connection, 0 where there is none
	Packet uint32 // ordinal of the packet that was being handled, 0 where there was none
	Rule   rule.ID
	Kind   Kind
	From   uint8
	To     uint8
	By     uint8
	A      uint64
	B      uint64
	C      uint64
	D      uint64
}

// Words gives the event as the seven little-endian words of its record, which
// is what logs hash and files keep.
func (e *Event) Words() [7]uint64 {
	return [7]uint64{
		uint64(e.At),
		uint64(e.Conn) | uint64(e.Packet)<<32,
		uint64(e.Rule) | uint64(e.Kind)<<16 | uint64(e.From)<<24 | uint64(e.To)<<32 | uint64(e.By)<<40,
		e.A, e.B, e.C, e.D,
	}
}

// FromWords is the reverse of Words.
func FromWords(w [7]uint64) Event {
	return Event{
		At: clock.Instant(w[0]), Conn: uint32(w[1]), Packet: uint32(w[1] >> 32),
		Rule: rule.ID(w[2]), Kind: Kind(w[2] >> 16), From: uint8(w[2] >> 24), To: uint8(w[2] >> 32), By: uint8(w[2] >> 40),
		A: w[3], B: w[4], C: w[5], D: w[6],
	}
}
