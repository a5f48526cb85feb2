package scenario

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Scenario is what a text says. Hosts, flows and links stand for each other by
// their index.
type Scenario struct {
	ID       string
	Rows     []string // of the catalogue, if they are not its id
	Compare  string   // the id of the real TCP beside which this what-if is shown
	Chapter  string   // of the lessons, and Place there
	Place    int
	Corrects []string // ids of popular errors
	Seed     uint64
	End      clock.Duration // the run is over then at the latest
	Tolerate bool           // what breaks an invariant is told, and the run goes on

	Hosts   []Host
	Links   []Link
	Listens []Listen
	Flows   []Flow
	Faults  []Fault
	Cuts    []Cut
	Turns   []Turn
	Floods  []Flood
	Expects []Expect
	Says    []Say
	Marks   []Mark
}

// A Host is one stack.
type Host struct {
	Name    string
	Addrs   []wire.Addr
	Profile string
	MTU     int
	Sets    []Setting
	Plugins []string // as the loader is given them
}

// A Setting is one number of a host's configuration.
type Setting struct{ Name, Value string }

// A Link joins two hosts.
type Link struct {
	A, B int
	Ways [2]sim.Channel // from A to B, and back
}

// A Listen is a port that a host has open from the start.
type Listen struct {
	Host    int
	Port    uint16
	Backlog int
	Deaf    bool
}

// A Flow is one connection, or Times of them, Every apart, and what the programs at
// its ends do.
type Flow struct {
	Name      string
	Hosts     [2]int
	Port      uint16 // of the second
	LocalPort uint16 // of the first, 0: its stack chooses
	At        clock.Duration
	Meet      bool // both open
	Skew      clock.Duration
	Six       bool
	Times     int
	Every     clock.Duration
	Steps     [2][]sim.Step
}

// A Fault is planned for packets from one host to another, or for one packet by its
// id.
type Fault struct {
	Packet   uint32 // 0: those that follow
	From, To int
	Match    sim.Match
	Nth      uint32 // 0: all
	Fate     sim.Fate
	By       clock.Duration
	Since    clock.Duration
	Until    clock.Duration // 0: to the end
}

// A Cut is a time in which nothing passes.
type Cut struct {
	A, B        int
	OneWay      bool
	From, Until clock.Duration
	Told        bool
}

// A Turn is what happens to a host.
type Turn struct {
	Host int
	What sim.TurnKind
	At   clock.Duration
}

// A Flood is segments from nowhere.
type Flood struct {
	Host  int
	Port  uint16
	At    clock.Duration
	Count uint32
	Every clock.Duration
	Flags wire.Flags
}

// A Place is where a line stands: in the text, or in one of the extra texts, from 1.
type Place struct{ Extra, Line int }

// An ExpectKind is what is expected.
type ExpectKind uint8

// What can be expected. See the grammar in the package's documentation.
const (
	ExpectPath ExpectKind = iota + 1
	ExpectState
	ExpectSegment
	ExpectSegments
	ExpectCount
	ExpectLost
	ExpectEdge
	ExpectError
	ExpectRead
	ExpectStream
	ExpectGhosts
	ExpectHalfOpen
	ExpectConns
	ExpectTimeWaits
	ExpectHeld
	ExpectDrop
	ExpectTimer
	ExpectRetransmits
	ExpectTCB
	ExpectKnow
	ExpectSilence
	ExpectViolation
	ExpectQuiet
	expectKinds
)

var expectNames = [expectKinds]string{
	"", "path", "state", "segment", "segments", "count", "lost", "edge", "error", "read", "stream", "ghosts",
	"half-open", "conns", "time-waits", "held", "drop", "timer", "retransmits", "tcb", "know", "silence",
	"violation", "quiet-at",
}

// String is the word of the language.
func (k ExpectKind) String() string {
	if k >= expectKinds {
		return "unknown"
	}
	return expectNames[k]
}

// A Compare is how a number is held against another.
type Compare uint8

// The comparisons.
const (
	Equal Compare = iota
	AtMost
	AtLeast
	compares
)

var compareNames = [compares]string{"=", "<=", ">="}

// String is the sign.
func (c Compare) String() string { return compareNames[c%compares] }

// Holds compares.
func (c Compare) Holds(found, want int64) bool {
	switch c {
	case AtMost:
		return found <= want
	case AtLeast:
		return found >= want
	default:
		return found == want
	}
}

// An Optional is a number that may be left out.
type Optional struct {
	Given bool
	N     int64
}

// A Moment is a time that may be left out, and how exact it is.
type Moment struct {
	Given  bool
	At     clock.Duration
	Within clock.Duration
}

// An Expect is one expectation. Which of its fields count is said in the grammar.
type Expect struct {
	Kind     ExpectKind
	Where    Place
	Host, To int
	Soft     bool   // of an error: one that does not end the connection
	FlowName string // "": the first flow that the host has a part in
	Flow     int    // that one among all connections, -1: none
	Nth      uint32
	Match    sim.Match
	Seq, Ack Optional
	Len, Win Optional
	Options  []Option // of a segment
	Compare  Compare
	N        int64
	States   []tcp.State
	Rule     rule.ID
	Drop     rule.Drop
	Slot     uint8
	Word     string // of stream, error, know, tcb and what a timer did
	When     Moment
	From     clock.Duration
	Until    clock.Duration
}

// A TieKind is what a sentence is tied to.
type TieKind uint8

// The ties.
const (
	TieStart TieKind = iota
	TieSegment
	TieArrive
	TieLose
	TieState
	TieTime
	TieTimer
	TieDrop
	TieError
	TieEnd
	ties
)

var tieNames = [ties]string{"start", "segment", "arrive", "lose", "state", "time", "timer", "drop", "error", "end"}

// String is the word of the language.
func (k TieKind) String() string {
	if k >= ties {
		return "unknown"
	}
	return tieNames[k]
}

// A Say is a sentence of the narration, by the id of its message, and what it is
// tied to.
type Say struct {
	ID     string
	Tie    TieKind
	N      uint32 // packet, or the how manieth time, from 1
	Host   int
	State  tcp.State
	Slot   uint8
	Drop   rule.Drop
	At     clock.Duration
	Filter string // display filter of Wireshark, and how many rows it shows
	Rows   int    // of what the host Seen has seen
	Seen   int
}

// A Mark names a field of a segment that is to be highlighted.
type Mark struct {
	Packet uint32
	Field  string
}
