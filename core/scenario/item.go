package scenario

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Kind is what an Item of the timeline tells.
type Kind uint8

// The kinds, with what counts beside Step, At and Kind.
const (
	Send      Kind = iota + 1 // Packet; Host: from, -1 nowhere; To: -1 nobody; Conn, Flow; Rule; Again, Probe; A: absolute seq<<32|ack; B: relative seq<<32|ack; C: len<<32|flags<<16|window; D: the window in octets
	Arrive                    // Packet; Host; Conn, Flow; Again: a double; Router: what a router says of it; Spoiled
	Lose                      // Packet; Why
	Opened                    // Conn, Flow, User; Host; Passive: a new connection: see Run.Conn
	State                     // Conn, Flow; Host; From, Into: states; By: cause; Rule; Packet: that caused it
	Drop                      // Conn, Flow; Host; By: the rule.Drop; Rule; Packet
	Timer                     // Conn, Flow; Host; By: slot; Into: TimerArmed, TimerFired or TimerStopped; A: when it is due
	RTT                       // Conn, Flow; Host; A: sample; B: SRTT; C: RTTVAR; D: RTO
	Cwnd                      // Conn, Flow; Host; A: cwnd; B: ssthresh; C: in flight
	Phase                     // Conn, Flow; Host; From, Into: phases of recovery
	Rexmit                    // Conn, Flow; Host; A: relative seq; B: len
	Soft                      // Conn, Flow; Host; By: the tcp.Error; A: ICMP type<<8|code
	TCB                       // Conn, Flow; Host; A: which variables have changed; their values: Run.Changed
	Mem                       // Host; A: octets held; B: connections<<32|half-open; C: ghosts<<32|TIME-WAIT records; D: connections that wait to be accepted
	Know                      // Host, Flow, User; A: 1: what it sends arrives; 2: what the other sends arrives; 3: both
	Call                      // Host, Conn, Flow, User; Text: what is called; A: octets or nanoseconds; By: the tcp.Error
	Read                      // Host, Conn, Flow, User; A: octets; Wrong: they are not what was written
	Turned                    // Host; By: the sim.TurnKind
	Plugin                    // Host, Conn, Flow; Text: its name; By: verdict; From: step, tcp.Steps: none; A: argument; B: hook<<32|why; what else is known: Run.Act
	Violation                 // Host, -1: none; Conn; Text: what was broken
	Said                      // A: index in Scenario.Says
	Ended                     // Text: why: "", or which bound was reached
	kinds
)

var kindNames = [kinds]string{
	"", "send", "arrive", "lose", "conn", "state", "drop", "timer", "rtt", "cwnd", "phase", "rexmit", "soft", "tcb", "mem", "know",
	"call", "read", "host", "plugin", "violation", "say", "end",
}

// String is the kind's name.
func (k Kind) String() string {
	if k >= kinds {
		return "unknown"
	}
	return kindNames[k]
}

// What has happened to a timer.
const (
	TimerArmed uint8 = iota + 1
	TimerFired
	TimerStopped
)

var timerEvents = [...]string{"", "armed", "fired", "stopped"}

// Marks of an Item.
type Marks uint8

// The marks; each stands with the kinds that have it.
const (
	Again Marks = 1 << iota
	Probe
	Router
	Spoiled
	Passive
	Wrong
)

// Has reports whether all of n are set.
func (m Marks) Has(n Marks) bool { return m&n == n }

// An Item is one thing in the timeline of a run.
type Item struct {
	Kind       Kind
	Marks      Marks
	Host, To   int8
	User       int8
	From, Into uint8
	By         uint8
	Why        uint8 // a sim.Loss
	Flow       int16 // a connection's flow, -1: none
	Rule       rule.ID
	Step       uint32 // of the run, from 1
	Conn       uint32 // as the run numbers connections, from 1; 0: none
	Packet     uint32
	At         clock.Duration // since the beginning
	A, B, C, D uint64
	Text       string
}

// Seq and Ack are the relative numbers of a Send, Len, Flags and Window what else it
// has.
func (i *Item) Seq() int64 { return int64(int32(i.B >> 32)) }

// Ack is the relative acknowledgment number of a Send.
func (i *Item) Ack() int64 { return int64(int32(i.B)) }

// Len is the octets of data of a Send.
func (i *Item) Len() int { return int(i.C >> 32) }

// Flags are those of a Send.
func (i *Item) Flags() wire.Flags { return wire.Flags(i.C >> 16) }

// Window is the window field of a Send, scaled.
func (i *Item) Window() uint64 { return i.D }

// A Conn is one connection of a run, as one end has it.
type Conn struct {
	Host, Flow, User int
	ID               uint32 // by which its stack calls it
	Local, Remote    wire.AddrPort
	Passive          bool
}
