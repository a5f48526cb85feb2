package native

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A broken invariant of the engine panics. The host aborts the connection that
// met it, and the others go on; a second panic soon after ends the program, for
// then what is broken is not one connection. (THREATS, hosts.)

// panicsApart is how long after a panic the next one is let through.
const panicsApart = clock.Minute

// PanicReport tells of a panic that cost one connection.
type PanicReport struct {
	At            clock.Instant
	Value         any
	Stack         []byte
	Local, Remote wire.AddrPort // of the connection, zero if there was none yet
	Packet        []byte        // that was arriving, nil if none was
}

// String is the report as it goes to standard error.
func (r *PanicReport) String() string {
	return fmt.Sprintf("tcpkit: panic: %v\nat %v, connection %v - %v, packet %x\n%s",
		r.Value, r.At, r.Local, r.Remote, r.Packet, r.Stack)
}

// contain deals with a panic under the lock in a call for c, which may be nil.
// It gives the lock back.
func (s *shard) contain(v any, c *core.Conn, p *packet.Packet) {
	now := s.clock.Now()
	if s.panicked && now.Sub(s.panicAt) < panicsApart {
		s.mu.Unlock()
		panic(v)
	}
	s.panicked, s.panicAt = true, now
	r := PanicReport{At: now, Value: v, Stack: debug.Stack()}
	if c != nil {
		r.Local, r.Remote = c.Local(), c.Remote()
	}
	if p != nil {
		r.Packet = append(r.Packet, p.Bytes...)
	}
	if s.onPanic != nil {
		s.onPanic(&r)
	} else {
		fmt.Fprintln(os.Stderr, &r)
	}
	if c != nil {
		if own := s.connOf(c); own != nil {
			own.aborted = true
			own.forget()
		}
		c.Abort(now)
	}
	s.leave(now)
}

// contained is deferred by the calls of the application.
func (c *Conn) contained(err *error) {
	if v := recover(); v != nil {
		c.shard.contain(v, c.core, nil)
		*err = tcp.ErrAborted
	}
}

// arrived gives the stack a packet. It reports whether the lock is still held,
// which it is not after a panic.
func (s *shard) arrived(now clock.Instant, p *packet.Packet) (held bool) {
	defer func() {
		if !held {
			if v := recover(); v != nil {
				s.contain(v, s.connFor(p), p)
			}
		}
	}()
	s.stack.Input(now, p)
	s.told(now, packet.In, p.Bytes)
	return true
}

// connFor returns the connection that a packet belongs to, nil if none is known.
func (s *shard) connFor(p *packet.Packet) *core.Conn {
	var ip wire.IP
	var seg wire.TCP
	if wire.ParseIP(p.Bytes, &ip) != rule.NotDropped || ip.Protocol != wire.ProtocolTCP ||
		wire.ParseTCP(p.Bytes[ip.HeaderLen:ip.TotalLen], &seg) != rule.NotDropped {
		return nil
	}
	local, remote := wire.AddrPort{Addr: ip.Dst, Port: seg.DstPort}, wire.AddrPort{Addr: ip.Src, Port: seg.SrcPort}
	for slot := range s.stack.Config().MaxConns {
		if c := s.stack.Conn(slot); c != nil && c.Local() == local && c.Remote() == remote {
			return c
		}
	}
	return nil
}
