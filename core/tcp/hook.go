package tcp

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A HookMask says which hooks are wanted; without any, a hook costs one test.
type HookMask uint32

// The hooks of the transition and segment groups.
const (
	HookTransition HookMask = 1 << iota // a state has changed
	HookArriving                        // a segment, before the state machine
	HookLeaving                         // a segment, before the checksum
	HookRejected                        // a segment that the state machine refused
)

// A Verdict is a hook's answer.
type Verdict uint8

// The verdicts.
const (
	Pass Verdict = iota
	DropIt
)

// A TransitionRecord tells of one change of state.
type TransitionRecord struct {
	Now      clock.Instant
	Conn     uint32
	Packet   uint32 // ordinal of the packet that caused it, 0 if none did
	From, To State
	Cause    Cause
	Rule     rule.ID
	Tuple    Tuple
	Send     SendSpace
	Receive  ReceiveSpace
}

// A SegmentRecord tells of one segment. A hook gets a copy: what it changes
// changes nothing.
type SegmentRecord struct {
	Now     clock.Instant
	Conn    uint32
	Packet  uint32
	State   State
	Leaving bool
	Drop    rule.Drop // why it was refused, for HookRejected
	Tuple   Tuple
	TCP     wire.TCP
	Length  uint32 // payload octets
	Send    SendSpace
	Receive ReceiveSpace
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

// A Hook sees, and may stop, what the engine does. It is called in the middle
// of the engine's work and must not call into the stack.
type Hook interface {
	Transition(r *TransitionRecord)
	Segment(r *SegmentRecord) Verdict
}

// records are what hooks are shown. They stand in the Env, since a hook is not
// called again before it returns, so that a call allocates nothing.
type records struct {
	transition TransitionRecord
	segment    SegmentRecord
}

func (c *TCB) hookTransition(now clock.Instant, from, to State, by Cause, id rule.ID) {
	r := &c.env.records.transition
	*r = TransitionRecord{
		Now: now, Conn: c.id, Packet: c.env.Packet, From: from, To: to, Cause: by, Rule: id,
		Tuple: c.name.tuple(), Send: c.sendSpace(), Receive: c.receiveSpace(),
	}
	c.env.Hook.Transition(r)
}

// HookTransition tells the hook of a change of state that a stack makes for a
// connection of which only a record is left.
func (e *Env) HookTransition(r TransitionRecord) {
	if e.HookMask&HookTransition != 0 {
		e.records.transition = r
		e.Hook.Transition(&e.records.transition)
	}
}

func (c *TCB) hookSegment(now clock.Instant, t *wire.TCP, length int, leaving bool, why rule.Drop) Verdict {
	r := &c.env.records.segment
	*r = SegmentRecord{
		Now: now, Conn: c.id, Packet: c.env.Packet, State: c.state, Leaving: leaving, Drop: why,
		Tuple: c.name.tuple(), TCP: *t, Length: uint32(length), Send: c.sendSpace(), Receive: c.receiveSpace(),
	}
	return c.env.Hook.Segment(r)
}

func (c *TCB) sendSpace() SendSpace {
	return SendSpace{ISS: c.snd.iss, UNA: c.snd.una, NXT: c.snd.nxt, UP: c.snd.up, WND: c.snd.wnd}
}

func (c *TCB) receiveSpace() ReceiveSpace {
	return ReceiveSpace{IRS: c.rcv.irs, NXT: c.rcv.nxt, UP: c.rcv.up, WND: c.rcv.window()}
}
