package tcp

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/wire"
	"slices"
)

// A Step is a place in the engine's work at which a hook can be called.
type Step uint8

// The steps. What a hook may do at each stands with it; a verdict that has no
// meaning there counts as Pass, and the engine puts what is Mutated within the bounds
// that steps.go and settings.go have.
const (
	StepTransition  Step = iota // a state has changed; Reset, GoTo
	StepMoving                  // a segment that will change the state, before the state machine; as StepArriving
	StepMoved                   // the segment that leaves by a change; as StepLeaving
	StepArriving                // a segment, before the state machine; Mutated, Drop, Delay, Duplicate, Reset, Hold
	StepArrived                 // a segment, after the state machine has taken it
	StepLeaving                 // a segment, before its checksum; Mutated, Drop, Delay, Duplicate, Reset, Hold
	StepLeft                    // a segment, after its checksum
	StepRejected                // a segment that the state machine, or the stack in front of it, has refused
	StepSyn                     // a SYN for a listener; Args: half-open, their bound, waiting for Accept, their bound, TIME-WAIT records, connections; SendCookie, Drop, Reset
	StepNew                     // a connection is made; Args: the Setting... of it; Mutated
	StepEstablished             // it can carry data; as StepNew
	StepClosed                  // nothing is left of it, and nothing more is told; Args: the Error, 0 if both ends have closed it
	StepTimerArmed              // Args: slot, when; Mutated, Hold, FireNow
	StepTimerFired              // Args: slot, retries; Hold
	StepRTT                     // Args: sample, SRTT, RTTVAR, RTO, all nanoseconds; Mutated, of the sample
	StepLost                    // octets are marked lost; Args: from, to
	StepRetransmit              // octets are sent again; Args: from, to, retries
	StepPhase                   // recovery begins or ends; Args: old, new, cwnd, ssthresh; Mutated, of cwnd and ssthresh
	StepSpurious                // a reduction was for nothing; Args: cwnd, ssthresh
	StepAck                     // data has come; Args: segments since the last ACK, octets since, what the engine would do: 1 now, 2 delay; Mutated, of the last
	StepISN                     // an initial sequence number is chosen; Args: the number; Mutated
	StepPort                    // a local port is chosen; Args: the port, lowest, highest; Mutated
	StepWrite                   // the application has written; Payload
	StepRead                    // the application has read; Payload
	StepIngress                 // a packet from the link, in Payload; Mutated, Drop, Delay, Duplicate
	StepEgress                  // a packet to the link, in Payload; Mutated, Drop, Delay, Duplicate
	StepParse                   // the options of a segment that arrives, in Options; Mutated
	StepReserve                 // the segment size is set; Args: octets of options that each segment needs beside; Mutated
	StepOptions                 // the options of a segment that leaves, in Options; Mutated
	Steps
)

// Settings of a connection, the Args of StepNew and StepEstablished. 0 leaves one
// as it is.
const (
	SettingCwnd          = iota // octets
	SettingRTOMin               // nanoseconds
	SettingRTOMax               // nanoseconds
	SettingSendBuffer           // octets
	SettingReceiveBuffer        // octets
	SettingUserTimeout          // nanoseconds
	SettingKeepaliveIdle        // nanoseconds
	SettingController           // index in the hook's own list, from 1 on
)

// A HookMask says at which steps a hook is called; at others it costs one test.
type HookMask uint64

// Has reports whether the mask names a step.
func (m HookMask) Has(s Step) bool { return m>>s&1 != 0 }

// Mask returns the mask of some steps.
func Mask(steps ...Step) (m HookMask) {
	for _, s := range steps {
		m |= 1 << s
	}
	return m
}

// A Verdict is a hook's answer. The argument of one that has any is in Record.Arg.
type Verdict uint8

// The verdicts.
const (
	Pass       Verdict = iota
	Mutated            // go on with the record as it is now
	DropIt             // forget the segment
	Delay              // let it go on only after Arg nanoseconds
	Duplicate          // let it go on, and Arg&0xff copies of it, each Arg>>8 nanoseconds after the one before
	Reset              // abort the connection; of a SYN, refuse it
	SendCookie         // answer the SYN with a cookie
	Hold               // of a segment: keep it until Beside.Release(Arg); of a timer: it does not act this time
	GoTo               // go on to the state Arg, by an edge of Figure 5
	FireNow            // of a timer that is armed: it acts in a millisecond
)

// A Record is what a hook is told at a step. It is the engine's, and good until
// the hook returns.
type Record struct {
	Step     Step
	Cause    Cause
	From, To State // of a change; elsewhere both are the state
	Drop     rule.Drop
	Rule     rule.ID
	Conn     uint32 // id of the connection, 0 if there is none
	Packet   uint32 // ordinal of the packet at hand, 0 if there is none
	Now      clock.Instant
	Tuple    Tuple
	Send     SendSpace
	Receive  ReceiveSpace
	MSS      uint32 // octets of data that a segment to the peer may have; 0 without a connection

	// The segment at hand, if Segment. All of it is a copy, which the hook may change in
	// place, or replace, and which counts with Mutated, Delay, Duplicate and Hold. Its
	// ports are those of Tuple. Options are as they stand in the header; where the hook
	// has changed them, or TCP.Options if it has not, those are it. nil leaves them to
	// TCP.Options.
	Segment  bool
	Leaving  bool
	Again    bool // its first octet was sent before
	Passive  bool // the open was passive
	Ours     bool // a hook has made it
	TOS, TTL uint8
	TCP      wire.TCP
	Payload  []byte
	Options  []byte

	Args       [8]uint64     // see the steps
	Controller cc.Controller // of StepNew and StepEstablished, with Mutated: the connection's from now on; nil leaves it
	Arg        uint64        // of the verdict

	Beside *Beside    // where to leave what is to be sent or taken in beside
	Log    *event.Log // where to tell of verdicts
}

// SendSpace and ReceiveSpace are the sequence variables of §3.3.1.
type SendSpace struct {
	ISS, UNA, NXT, UP seq.Value
	WND               seq.Size
}

// ReceiveSpace has the receive sequence variables.
type ReceiveSpace struct {
	IRS, NXT, UP seq.Value
	WND          seq.Size
}

// A Hook sees, and may change or stop, what the engine does. It is called in the
// middle of the engine's work and must not call into the stack: what it wants
// done beside it leaves in Record.Beside.
type Hook interface {
	// At is called at the steps that the hook's mask names. It must not keep r.
	At(r *Record) Verdict
	// Deadline is when Expire has something to do: the hook's own timers. It is
	// clock.Never without one.
	Deadline() clock.Instant
	// Expire is called when the deadline is reached.
	Expire(now clock.Instant, b *Beside, log *event.Log)
	// Clone copies what the hook remembers, for a copy of the stack.
	Clone() Hook
	// Fingerprint adds what decides the hook's future.
	Fingerprint(h *siphash.Hash, now clock.Instant)
}

// An Owner is a Hook that brings congestion controllers, which are to know whose they
// are: a Config is shared by a stack and its copies.
type Owner interface {
	// Own returns what stands for k on the stack that this is the hook of and that has
	// that log: a controller of this hook if k is one of the hook whose Clone this is,
	// and k itself otherwise.
	Own(k cc.Controller, log *event.Log) cc.Controller
}

// A Watched is a Hook of plugins that can be watched at work, for who shows them.
type Watched interface {
	// Watch has f called with what each call of a plugin came to. It is not for the
	// copies of the hook.
	Watch(f func(a *Act))
}

// An Act is what one call of a plugin came to. It is the hook's, and good until the
// function that is given it returns.
type Act struct {
	Plugin  int // its index
	Step    Step
	Verdict Verdict
	Used    uint64 // fuel, by this call
	Calls   uint64 // until now
	Fuel    uint64 // used by all of them
	Said    string // what it has logged since the act before, a line each

	// The record before and after the call, if it has a segment; else nil.
	Before, After *Record
}

// An Aside is a segment that a hook wants sent, or taken in as if it had arrived.
type Aside struct {
	Leaving  bool
	After    clock.Duration
	Tuple    Tuple
	TCP      wire.TCP
	Options  []byte // raw, in place of those of TCP; nil: those
	Payload  []byte
	TOS, TTL uint8
}

// A Beside is a bounded list of what hooks want sent or taken in. The stack
// takes it when the call at hand is over.
type Beside struct {
	list     []Aside
	released []uint64
}

// mostAsides bounds what hooks may ask for during one call into a stack.
const mostAsides = 64

// Add leaves a. It copies what a points to, and reports false when there is no room.
func (b *Beside) Add(a Aside) bool {
	if len(b.list) >= mostAsides {
		return false
	}
	a.Options, a.Payload = slices.Clone(a.Options), slices.Clone(a.Payload)
	b.list = append(b.list, a)
	return true
}

// Release lets the segments go that were held with this tag. It reports false when
// too much was asked for already.
func (b *Beside) Release(tag uint64) bool {
	if len(b.released) >= mostAsides {
		return false
	}
	b.released = append(b.released, tag)
	return true
}

// Take returns what is to be added, and forgets it. The result is good until the next
// Add.
func (b *Beside) Take() []Aside {
	list := b.list
	b.list = b.list[:0]
	return list
}

// TakeReleased returns the tags of what is to go on, likewise.
func (b *Beside) TakeReleased() []uint64 {
	list := b.released
	b.released = b.released[:0]
	return list
}

// Empty reports whether nothing was left.
func (b *Beside) Empty() bool { return len(b.list)+len(b.released) == 0 }

func (b *Beside) clone() Beside {
	return Beside{list: slices.Clone(b.list), released: slices.Clone(b.released)}
}

// Record begins a record at a step: it is zero but for the time, the packet at
// hand and where to leave things. A hook is not called again before it returns, so
// there is one, and a call allocates nothing.
func (e *Env) Record(now clock.Instant, step Step) *Record {
	r := &e.record
	*r = Record{Step: step, Now: now, Packet: e.Packet, Ours: e.Ours, Beside: &e.Beside, Log: &e.Log}
	return r
}

// Fill tells of the connection: its name, its state and its sequence variables.
func (c *TCB) Fill(r *Record) {
	r.Conn, r.From, r.To, r.Passive, r.Tuple = c.id, c.state, c.state, c.passive, c.name.tuple()
	r.Send, r.Receive, r.MSS = c.sendSpace(), c.receiveSpace(), uint32(c.mss)
}

func (c *TCB) sendSpace() SendSpace {
	return SendSpace{ISS: c.snd.iss, UNA: c.snd.una, NXT: c.snd.nxt, UP: c.snd.up, WND: c.snd.wnd}
}

func (c *TCB) receiveSpace() ReceiveSpace {
	return ReceiveSpace{IRS: c.rcv.irs, NXT: c.rcv.nxt, UP: c.rcv.up, WND: c.rcv.window()}
}

// at begins a record of the connection at a step.
func (c *TCB) at(now clock.Instant, step Step) *Record {
	r := c.env.Record(now, step)
	c.Fill(r)
	return r
}
