package sim

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Config is a world before its first event. A World keeps it, shares it with
// its clones and never changes it.
type Config struct {
	Seed  uint64
	Start clock.Instant // 0: one second
	Hosts []Host
	Links []Link
	Flows []Flow

	Plan    []Planned
	Outages []Outage
	Floods  []Flood
	Turns   []Turn

	// Calm is when chance ends, and outages with it: from then on links do what
	// they should. 0: never.
	Calm clock.Instant
	// End is when all programs exit: listeners are closed, connections that are
	// still held are aborted. 0: never.
	End clock.Instant
	// MaxEvents ends a run that goes on for ever. 0: ten million.
	MaxEvents uint64

	// Tolerate goes on where an invariant does not hold, so that what follows can be
	// seen: an Observer is told of each, and World.Broken counts them.
	Tolerate bool
	// KeepStrangers leaves a connection that nobody has opened to a program that reads
	// and closes when the other end does; else it is aborted.
	KeepStrangers bool

	// Capture keeps every packet that a host sends, for World.Captured.
	Capture bool

	// Repeat is what a Failure ends with: the command that repeats the run.
	Repeat string
}

// A Host is one stack.
type Host struct {
	Core    core.Config // without a Secret it gets one made from the seed
	Addrs   []wire.Prefix
	Link    packet.Link // what its own link can do
	Listens []Listen

	// A hook of the stack, nil: none, and the steps that it is called at. Each world
	// takes a Clone of it. With Changes it changes, drops or adds segments: that they
	// are whole is checked then, and not what they say of their connections. With Garbles
	// users may read, at any host, what nobody has written.
	Hook    tcp.Hook
	Hooks   tcp.HookMask
	Changes bool
	Garbles bool
}

// A Listen is a port that is open from the start.
type Listen struct {
	Port    uint16
	Backlog int
	TCP     *tcp.Config // nil: the host's
	Deaf    bool        // nobody ever accepts
}

// A Link joins two hosts.
type Link struct {
	A, B   int
	AB, BA Channel
}

// Million is the whole that the chances of a Channel are parts of.
const Million = 1_000_000

// A Channel is one direction of a link. Its zero value passes everything at once.
type Channel struct {
	Delay  clock.Duration
	Jitter clock.Duration // up to this is added; packets stay in order
	Rate   uint64         // octets a second; 0: no bound
	Queue  int            // octets that may wait for Rate, one packet at least; 0: no bound
	MTU    int            // 0: no bound. A router tells the sender of what is larger.
	Silent bool           // no router tells of it

	// Chances.
	Loss      uint32
	Duplicate uint32
	Reorder   uint32 // such a packet is held back for up to Hold and does not hold back others
	Corrupt   uint32 // a bit is turned, or the end is cut off
	Hold      clock.Duration
}

// A Fate is what a plan does to a packet.
type Fate uint8

// The fates.
const (
	Lose Fate = iota + 1
	Double
	Delay
	Spoil
	fates
)

var fateNames = [fates]string{"", "lose", "double", "delay", "spoil"}

// String is the fate's name.
func (f Fate) String() string {
	if f >= fates {
		return "unknown"
	}
	return fateNames[f]
}

// A Planned fault is for one packet, the one with that ordinal, from 1, on a
// direction, or the one with that id, from 1, in the world; or, with Some, for those
// on a direction that Match, from the time From on and before Until.
type Planned struct {
	Direction int // 2*link, and one more for that from B to A
	Ordinal   uint32
	Packet    uint32 // 0: Direction and Ordinal say which
	Fate      Fate
	By        clock.Duration // how much later it comes, or its double does

	Some        bool
	Match       Match
	Nth         uint32 // only the one with that ordinal among them, from 1; 0: all
	From, Until clock.Instant
}

// A Match says what kind of packet is meant. The zero Match means any.
type Match struct {
	Data  bool       // with octets of data
	Flags wire.Flags // see Matches
}

// Matches compares a segment: all flags of the Match are set in it. Where SYN, FIN,
// RST or ACK is among them, no other of the first three is; beside SYN alone there is
// no ACK, and with ACK alone there is no data.
func (m Match) Matches(flags wire.Flags, octets int) bool {
	const framing = wire.SYN | wire.FIN | wire.RST
	switch {
	case m.Data && octets == 0 || !flags.Has(m.Flags):
		return false
	case m.Flags&(framing|wire.ACK) == 0:
		return true
	case flags&framing != m.Flags&framing:
		return false
	case m.Flags == wire.SYN:
		return !flags.Has(wire.ACK)
	case m.Flags == wire.ACK && !m.Data:
		return octets == 0
	}
	return true
}

// An Outage is a time in which nothing passes in a direction; -1 is all of them.
type Outage struct {
	Direction   int
	From, Until clock.Instant
	Told        bool // a router says that the host cannot be reached
}

// A Turn is what happens to a host as a whole.
type Turn struct {
	At   clock.Instant
	Host int
	What TurnKind
}

// A TurnKind is what a Turn does.
type TurnKind uint8

// The turns.
const (
	Crash TurnKind = iota + 1 // all that it knows is gone, and it is silent
	Boot                      // a new stack with the same addresses listens again
	Shut                      // its programs exit: what they held is closed for them
	turns
)

var turnNames = [turns]string{"", "crash", "boot", "shut"}

// String is the turn's name.
func (k TurnKind) String() string {
	if k >= turns {
		return "unknown"
	}
	return turnNames[k]
}

// A Flow is one connection and the users at its ends.
type Flow struct {
	At        clock.Instant // when User 0 opens it
	Family    wire.Family   // none: IPv4
	Port      uint16        // of User 1
	LocalPort uint16        // of User 0; 0: its stack chooses
	Meet      bool          // User 1 opens too: a simultaneous open
	Skew      clock.Duration
	Users     [2]User
	// Sure: both users read all that the other has written, to its end, and no
	// error comes up.
	Sure bool
}

// A User is what an application does with a connection. It reads on by itself,
// at its pace, while it takes one step after the other; after the last it closes.
type User struct {
	Host  int
	TCP   *tcp.Config // of an active open; nil: the host's
	Pace  Pace
	Steps []Step
}

// A Pace is how somebody reads: all at once, or a chunk in so much time.
type Pace struct {
	Chunk uint32
	Every clock.Duration
	Never bool
}

// An Op is what a step does.
type Op uint8

// The steps. All that wait go on when the connection has ended.
const (
	Write          Op = iota + 1 // N octets of the flow's pattern, Chunk at a time, For apart
	Wait                         // For
	AwaitConnected               // until the open has succeeded
	AwaitRead                    // until N octets have been read in all
	AwaitEOF                     // until the other user's stream has ended
	CloseWrite                   // half-close
	CloseRead                    // no more is read
	Close                        // and let go of the connection
	Abort                        // likewise
	SetPace                      // Chunk and For; N of 1: never
	SetKeepalive                 // idle of For and interval of Every, or of For too; N probes
	SetUserTimeout               // For
	SetNoDelay                   // Nagle off
	SetLinger                    // For
	Hold                         // until the connection or the world ends
	WriteUrgent                  // as Write, with the end of it urgent
	ops
)

var opNames = [ops]string{
	"", "write", "wait", "await-connected", "await-read", "await-eof", "close-write", "close-read", "close",
	"abort", "set-pace", "set-keepalive", "set-user-timeout", "set-no-delay", "set-linger", "hold",
	"write-urgent",
}

// String is the step's name.
func (o Op) String() string {
	if o >= ops {
		return "unknown"
	}
	return opNames[o]
}

// A Step is one thing that a user does.
type Step struct {
	Op    Op
	N     uint64
	For   clock.Duration
	Every clock.Duration
	Chunk uint32
}

// A Flood is segments from addresses where nobody is.
type Flood struct {
	At    clock.Instant
	Every clock.Duration // between two of them
	Count uint32
	To    wire.AddrPort
	Flags wire.Flags
}
