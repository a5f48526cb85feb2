package script

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// System is what a script is run against: it has a clock, a link, and calls.
// The script's judge gives it packets and calls; what comes of them the system
// tells the judge, from within these methods.
type System interface {
	// Name is what a ladder calls it.
	Name() string

	// Profile and Set configure the system, before it starts or in the middle of
	// a run. A setting is name=value, as in a sysctl.
	Profile(name string) *Problem
	Set(setting string) *Problem

	// Start makes the system ready for packets and calls. Its clock begins at
	// Origin.
	Start(p Place, j Judge) *Problem

	Now() clock.Instant

	// Wait lets time pass until something has happened, which it tells the judge,
	// or to the instant to and no further; then it returns false.
	Wait(to clock.Instant) (more bool, bad *Problem)

	// Idle reports whether nothing will happen by itself any more.
	Idle() bool

	// Lag is how long it may take until the judge is told of what has happened.
	Lag() clock.Duration

	Inject(b []byte) *Problem

	// Call begins a call. It returns before the call does if that blocks.
	Call(p *PendingCall) *Problem

	// State is the state of a connection, and whether a descriptor holds it.
	State(local, remote wire.AddrPort) (s tcp.State, held bool)

	// Listens reports whether a descriptor listens at an address.
	Listens(a wire.AddrPort) bool

	// Snapshot tells the numbers of a connection, by their names in code blocks.
	Snapshot(local, remote wire.AddrPort, set func(name string, v uint64))
}

// Judge is what a System tells what has happened.
type Judge interface {
	// Sent has a packet that the system has sent.
	Sent(at clock.Instant, b []byte)

	// Returned has what a call has come to.
	Returned(p *PendingCall, at clock.Instant, o CallResult) *Problem

	// Connects and Accepted put a connection under test: one that begins, and one
	// that may be known by its packets already.
	Connects(local, remote wire.AddrPort)
	Accepted(local, remote wire.AddrPort)

	// Listening puts a listener under test: the next inbound SYN opens a connection.
	Listening(local wire.AddrPort)

	// Note is a line for the ladder. rule, if it is not empty, is the text of the
	// rule that was followed.
	Note(text, rule string)
}

// NotSupported is a Problem: the script asks for something that the system does
// not do.
func NotSupported(what string) *Problem { return unsupported(what) }

// Broken is a Problem: the run cannot go on.
func Broken(what string) *Problem { return failed(what) }

// Origin is where the clock of a run begins. It is not zero, so that nothing
// takes "at the origin" for "never".
const Origin = clock.Instant(1000 * clock.Second)

// A Place is where a run takes place.
type Place struct {
	local, remote         wire.Addr
	bindPort, connectPort uint16
	mtu                   int
	tolerance             clock.Duration // by how much a time may be off
	mapped                bool           // sockets are IPv6's, with addresses of IPv4 mapped into them
}

// Local is the address of the system.
func (p *Place) Local() wire.Addr { return p.local }

// Remote is the address of the script's end.
func (p *Place) Remote() wire.Addr { return p.remote }

// BindPort is the port of the system in a passive open.
func (p *Place) BindPort() uint16 { return p.bindPort }

// ConnectPort is the port of the script's end in an active open.
func (p *Place) ConnectPort() uint16 { return p.connectPort }

// MTU is that of the link.
func (p *Place) MTU() int { return p.mtu }

// Mapped says that sockets are IPv6's, though packets are IPv4's.
func (p *Place) Mapped() bool { return p.mapped }

// Address is a sockaddr that is the i-th argument of a call, where ... is def,
// and its family, which is 0 for AF_UNSPEC.
func (p *Place) Address(c *Call, i int, def wire.AddrPort) (a wire.AddrPort, family int64, ok bool) {
	x, ok := p.address(c, i, def)
	return x.AddrPort, x.family, ok
}

// Call is the call as the script has it.
func (p *PendingCall) Call() *Call { return p.call }

// Returns is a call that returns a value.
func Returns(v int64) CallResult { return returns(v) }

// Fails is a call that returns -1 and an errno, by its name.
func Fails(errno string) CallResult { return fails(errno) }

// Cannot is a call that the system does not have.
func Cannot(what string) CallResult { return cannot(what) }

// Differing adds that an out parameter is not what the script says.
func (o CallResult) Differing(want, got string) CallResult {
	o.differ = "expected  " + want + "\n  actual    " + got
	return o
}

// Number is the number that an expression stands for, with the words of Linux.
func (e *Expr) Number() (int64, bool) { return intOf(e) }

// Arg is the i-th argument as a number; what is missing or ... is def.
func (c *Call) Arg(i int, def int64) (int64, bool) { return arg(c, i, def) }

// Transfer is how many octets a read or write is about, and the text that a
// write begins with or a read must find.
func (c *Call) Transfer() (n int64, text string, ok bool) { return size(c) }

// Flags are the MSG_ flags of a transfer.
func (c *Call) Flags() (int64, bool) { return flagsOf(c) }

// Constant is a word of Linux.
func Constant(name string) int64 { return constants[name] }
