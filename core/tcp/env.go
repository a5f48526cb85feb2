package tcp

import (
	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/wire"
)

// An Env is what the connections of one stack share. The stack owns it; it is
// plain data.
type Env struct {
	Link    packet.Link
	Log     event.Log
	Stats   Stats
	Pool    Pool
	Hook    Hook
	Hooks   HookMask       // at which steps Hook is called
	Beside  Beside         // what it wants beside
	Packet  uint32         // ordinal of the packet that is being handled
	Dropped rule.Drop      // why the segment at hand was refused
	Ours    bool           // a hook has made it
	Passed  HookMask       // the steps that it has behind it
	Held    Held           // what hooks keep back
	Slack   clock.Duration // how late timers may be
	shown   shown
	spare   spares
	noLoss  losses // always zero: what a connection knows that has lost nothing
	record  Record
	hand    hand              // the segment that is being handled
	moved   map[uint32][]Move // by connection, the changes whose segment has not left yet, with StepMoved
	stage   *rehearsal        // where changes are foreseen, nil until it is needed
	ack     cc.Ack            // what a controller is told: here, since it would have to be allocated elsewhere
	sample  cc.Ack
	sent    cc.Sent
}

// Stats counts what happened on a stack since it was made.
type Stats struct {
	Drops            [rule.DropCount]uint64
	SegmentsIn       uint64
	SegmentsOut      uint64
	OctetsIn         uint64 // payload accepted in order
	OctetsOut        uint64 // payload sent, retransmissions counted each time
	Retransmits      uint64 // segments
	Timeouts         uint64 // RTOs
	FastRetransmits  uint64 // recoveries entered
	LossProbes       uint64 // tail loss probes
	Undone           uint64 // reductions of the window that turned out to be spurious
	Fallbacks        uint64 // controllers that failed: CUBIC went on
	ResetsOut        uint64
	ResetsIn         uint64
	ChallengeAcks    uint64
	PassiveOpens     uint64
	ActiveOpens      uint64
	Established      uint64 // connections that reached ESTABLISHED
	Aborted          uint64 // connections that ended otherwise than by FINs
	KeepaliveProbes  uint64
	ZeroWindowProbes uint64
	OrdersIgnored    uint64 // of hooks, to abort what has ended, or to go to a state where no edge leads
	ChangesIgnored   uint64 // of hooks, which would not have left a segment
}

// Ready is what became possible on a connection since its user was last told.
type Ready uint8

// What a connection can be ready for.
const (
	ReadyRead      Ready = 1 << iota // Read would not block
	ReadyWrite                       // Write would not block
	ReadyConnected                   // the open has succeeded
	ReadyClosed                      // the connection has ended, Err says how
	ReadyError                       // a soft error, see Info
	ReadyUrgent                      // urgent data was announced
)

// A Tuple is a connection's name, seen from this end.
type Tuple struct {
	Local, Remote wire.AddrPort
}

// drop counts a segment that goes nowhere.
func (c *TCB) drop(now clock.Instant, why rule.Drop) {
	c.env.Stats.Drops[why]++
	c.env.Dropped = why
	if c.env.Log.On(event.Drop) {
		c.log(now, event.Event{Kind: event.Drop, Rule: why.Rule(), From: uint8(why), By: uint8(c.state)})
	}
}

// log completes an event with what all events of a connection share. Ask
// env.Log.On first, so that the event is not built in vain.
func (c *TCB) log(now clock.Instant, e event.Event) {
	e.At, e.Conn, e.Packet = now, c.id, c.env.Packet
	c.env.Log.Add(e)
}
