package explore

import (
	"slices"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A User is one end's program. When it makes a call is free, if it is not Prompt. A listening user
// accepts the connection that comes. The end of a connection makes its user close,
// whatever the program says.
type User struct {
	Listens bool
	Again   bool // after a connection that ended by an error it begins anew with the next
	Lazy    bool // reads when the program says so; else whatever comes, at once
	Prompt  bool // makes each call as soon as it can be made, but for the first
	Ops     []Op
}

// An Op is one call, or what is waited for before the next.
type Op struct {
	Do Do
	N  int
}

// A Do is what an Op does.
type Do uint8

// The operations.
const (
	Nothing Do = iota // the program is over
	Dial              // when the name of the last connection is free again
	Accept            // another connection than the first
	AwaitConnected
	Write       // N octets
	WriteUrgent // N octets
	Read        // up to N octets
	AwaitEOF    // everything up to the FIN
	Shut        // no more writing
	Close       // no more of anything
	Abort
)

var doNames = [...]string{
	"nothing", "dial", "accept", "wait until connected", "write", "write urgent", "read", "read to the end", "shutdown", "close", "abort",
}

func (d Do) String() string { return doNames[d] }

// canGoOn reports whether the next operation of the program can be done now.
func (x *Explorer) canGoOn(i int, e *end) bool {
	op := x.next(i, e)
	if op.Do == Dial {
		name := x.name(i)
		_, waits := e.stack.Waiting(&name)
		return !waits && e.stack.Find(&name) == nil
	}
	c := e.conn()
	if c == nil || op.Do == Nothing {
		return false
	}
	state := c.State()
	if state == tcp.Closed {
		return true // to close, whatever the program had in mind
	}
	switch op.Do {
	case AwaitConnected:
		return state.Synchronized()
	case Write, WriteUrgent:
		return c.Writable() > 0
	case Read:
		return c.Readable() > 0
	case AwaitEOF:
		return e.eof
	case Shut:
		return state != tcp.SynSent
	}
	return true
}

// call makes the next call of the program.
func (x *Explorer) call(i int, e *end) (breach string) {
	op := x.next(i, e)
	e.step++
	if op.Do == Dial {
		e.now = e.now.Add(openTime)
		if c, err := e.stack.Dial(e.now, x.names[i], x.names[1-i], nil); err == nil {
			e.begin(c)
			e.opened = append(slices.Clip(e.opened), c.View().Send.ISS)
		}
		return ""
	}
	c := e.conn()
	if c.State() == tcp.Closed && op.Do != Abort {
		op.Do = Close
	}
	switch op.Do {
	case Write, WriteUrgent:
		b := x.room[:op.N]
		for k := range b {
			b[k] = octet(i, e.wrote+uint32(k))
		}
		write := c.Write
		if op.Do == WriteUrgent {
			write = c.WriteUrgent
		}
		n, _ := write(e.now, b)
		e.wrote += uint32(n)
	case Read:
		_, breach = x.readSome(i, e, c, op.N)
	case Shut:
		e.shut = c.CloseWrite(e.now) == nil
	case Close, Abort:
		if err, ok := c.Err().(tcp.Error); ok {
			e.err = err
		}
		if op.Do == Abort {
			c.Abort(e.now)
		} else {
			e.shut = c.Close(e.now) == nil
		}
		if e.slot = 0; e.err != tcp.NoError && x.world.Users[i].Again {
			e.step, e.round, e.err, e.eof, e.shut, e.read, e.wrote = 0, 0, tcp.NoError, false, false, 0, 0
		} else {
			for op := x.next(i, e).Do; op != Nothing && op != Dial && op != Accept; op = x.next(i, e).Do {
				e.step++
			}
		}
	}
	return breach
}

// begin gives the user a connection.
func (e *end) begin(c *core.Conn) {
	e.slot = int32(c.Slot()) + 1
	e.round++
	e.eof, e.shut = false, false
}

// name is that of the connections of end i.
func (x *Explorer) name(i int) tcp.Tuple { return tcp.Tuple{Local: x.names[i], Remote: x.names[1-i]} }

// port is where end i is.
func port(i int) wire.AddrPort {
	return wire.AddrPort{Addr: wire.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), Port: uint16(1001 + i)}
}
