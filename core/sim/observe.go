package sim

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// An Observer is told of everything that happens in a World, in its order: packets,
// the events of each stack, the calls of users. It may look at the World, and must
// not change it; but it may Stop it.
type Observer interface {
	See(w *World, s *Sight)
}

// Stop ends the run, and what the step under way had still to do: for an Observer that
// has no room for more. A Clone of the World from then on is stopped too.
func (w *World) Stop() { w.stopped = true }

// What a Sight is of.
type What uint8

// The sights, with what counts beside At.
const (
	Sent     What = iota + 1 // Packet, Bytes; Host: who; To: for whom, -1 nobody
	Lost                     // Packet, Why
	Arrived                  // Packet, Bytes; Host: where; Again: a double; Router: what a router says of the packet
	Happened                 // Event, Conn; Host
	Rested                   // the host has done all that the event before asks for: look at its connections now
	Called                   // Call, N, Err, Conn; Host, Flow, User; Flow -1: a stranger's
	Read                     // N octets, Wrong, Conn; Host, Flow, User
	Turned                   // Turn; Host
	Broke                    // Text, Conn; Host, -1: none
)

// A Loss is why a packet arrives nowhere.
type Loss uint8

// The losses.
const (
	LostPlanned Loss = iota + 1
	LostChance
	LostQueue
	LostOutage
	LostTooBig
	LostNobody
	LostDead
	losses
)

var lossNames = [losses]string{"", "planned", "loss", "queue", "outage", "mtu", "nobody", "down"}

// String is the loss's name.
func (l Loss) String() string {
	if l >= losses {
		return "unknown"
	}
	return lossNames[l]
}

// A Sight is one thing that has happened. What it points to is good until the
// Observer returns.
type Sight struct {
	What  What
	Why   Loss
	Turn  TurnKind
	Again bool
	Wrong bool // what was read is not what was written

	Router     bool
	At         clock.Instant
	Host, To   int
	Flow, User int
	Packet     uint32
	Conn       uint32 // the stack's id of the connection
	Bytes      []byte
	Event      *event.Event
	Call       string
	N          uint64
	Err        tcp.Error
	Text       string
}

// Observe has o told of what happens from now on; nil: nobody. A Clone has no
// observer.
func (w *World) Observe(o Observer) {
	for h := range w.hosts {
		w.remember(h)
	}
	w.observer = o
	for h := range w.hosts {
		w.hosts[h].stack.Log().SetLimit(w.logged())
	}
}

// see tells the observer. Who calls it has seen that there is one.
func (w *World) see(s Sight) {
	s.At = w.now
	w.observer.See(w, &s)
}

// show has the observer see what a host has logged, and how it is now.
func (w *World) show(h int) {
	if w.observer != nil {
		w.remember(h)
	}
}

// called tells of a call of user i on c, nil: on none.
func (w *World) called(i int32, c *core.Conn, call string, n uint64, err error) {
	if w.observer == nil {
		return
	}
	e := &w.ends[i]
	id := uint32(0)
	if c != nil {
		id = c.ID()
	}
	w.see(Sight{What: Called, Host: e.host, Flow: int(i / 2), User: int(i % 2), Conn: id, Call: call, N: n, Err: asError(err)})
	w.remember(e.host)
}

// lost tells of a packet that arrives nowhere.
func (w *World) lost(id uint32, why Loss) {
	if w.observer != nil {
		w.see(Sight{What: Lost, Packet: id, Why: why})
	}
}

// Broken is how many invariants did not hold so far and were tolerated.
func (w *World) Broken() uint64 { return w.broken }

// Failure is what has ended the run, nil if nothing has.
func (w *World) Failure() *Failure { return w.failure }

// Up reports whether a host runs.
func (w *World) Up(host int) bool { return !w.hosts[host].off }

// Names are the two ends of a flow by their addresses and ports. The first port is 0
// as long as its stack has not chosen one.
func (w *World) Names(flow int) (first, second wire.AddrPort) {
	return w.flows[flow].local, w.flows[flow].remote
}

// HostOf is the host that has an address, -1 if none has.
func (w *World) HostOf(a wire.Addr) int { return w.hostOf(a) }

// Held is about how many octets a Clone takes: what all stacks hold on behalf of
// connections, and packets on their way.
func (w *World) Held() (octets int) {
	for i := range w.hosts {
		octets += w.hosts[i].stack.Held()
	}
	for i := range w.air {
		octets += flyingOctets + len(w.air[i].Bytes)
	}
	return octets
}

// User is the host of user 0 or 1 of a flow.
func (w *World) User(flow, user int) int { return w.ends[2*flow+user].host }
