package script

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// system is what a script is run against: it has a clock, a link, and calls.
// The judge gives it packets and calls. What comes of them it tells the judge
// from within these methods: judge.took has packets, judge.returned calls,
// judge.opened and judge.newFlow
// connections, and judge.climb what else there is to tell.
type system interface {
	// Name is what a ladder calls it.
	Name() string

	// Profile and Set configure the system, before it starts or in the middle of
	// a run. A setting is name=value, as in a sysctl.
	Profile(name string) *problem
	Set(setting string) *problem

	// Start makes the system ready for packets and calls.
	Start(p place) *problem

	Now() clock.Instant

	// Wait lets time pass until something has happened, which it tells the judge,
	// or to the instant to and no further; then it returns false.
	Wait(to clock.Instant) (more bool, bad *problem)

	// Idle reports whether nothing will happen by itself any more.
	Idle() bool

	Inject(b []byte) *problem

	// Call begins a call. It returns before the call does if that blocks.
	Call(p *pendingCall) *problem

	// State is the state of a connection, and whether a descriptor holds it.
	State(local, remote wire.AddrPort) (s tcp.State, held bool)

	// Listens reports whether a descriptor listens at an address.
	Listens(a wire.AddrPort) bool

	// Snapshot tells the numbers of a connection, by their names in code blocks.
	Snapshot(local, remote wire.AddrPort, set func(name string, v uint64))
}

// place is where a run takes place.
type place struct {
	local, remote         wire.Addr
	bindPort, connectPort uint16 // what ... stands for in bind and connect
	mtu                   int
	mapped                bool // sockets are IPv6's, with addresses of IPv4 mapped into them
}
