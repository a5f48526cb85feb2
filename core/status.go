package core

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Status is a row of what a stack is doing: a listener, a connection, or what is
// left of one in TIME-WAIT.
type Status struct {
	ID            uint32 // 0: a listener
	State         tcp.State
	Local, Remote wire.AddrPort
	Due           clock.Duration // how long until its next timer; negative: none is armed
	Timers        Timers         // how long each timer has left
	Waiting       int            // a listener: connections that wait for Accept
	HalfOpen      int            // a listener: connections in SYN-RECEIVED
	Backlog       int            // a listener
	Memory        int            // octets of buffers
	Info          tcp.Info       // a connection
}

// Timers has how long each slot of tcp.TimerName has left; negative: it is not
// armed.
type Timers [tcp.TimerSlots]clock.Duration

// timersLeft asks for each slot.
func timersLeft(left func(slot uint8) (clock.Duration, bool)) (t Timers) {
	for slot := range t {
		t[slot] = -1
		if d, armed := left(uint8(slot)); armed {
			t[slot] = max(0, d)
		}
	}
	return t
}

// AppendStatus appends listeners in the order of their ports, connections in that
// of their ids, and records of TIME-WAIT in that of theirs.
func (s *Stack) AppendStatus(now clock.Instant, b []Status) []Status {
	for _, slot := range s.byPort {
		l := s.listeners[slot]
		b = append(b, Status{
			State: tcp.Listen, Local: l.local, Due: -1, Timers: timersLeft(noTimer),
			Waiting: int(l.accept.n), HalfOpen: int(l.half.n), Backlog: int(l.backlog),
		})
	}
	var ids []uint32
	for _, c := range s.conns {
		if c != nil {
			ids = append(ids, c.ID())
		}
	}
	b, place := byID(b, ids)
	for _, c := range s.conns {
		if c != nil {
			*place(c.ID()) = c.Status(now)
		}
	}
	ids = ids[:0]
	for i := range s.wait.records {
		if id := s.wait.records[i].ID; id != 0 {
			ids = append(ids, id)
		}
	}
	b, place = byID(b, ids)
	for i := range s.wait.records {
		if w := &s.wait.records[i]; w.ID != 0 {
			*place(w.ID) = Status{
				ID: w.ID, State: tcp.TimeWait, Local: w.Tuple.Local, Remote: w.Tuple.Remote,
				Due: max(0, w.Until.Sub(now)),
				Timers: timersLeft(func(slot uint8) (clock.Duration, bool) {
					return w.Until.Sub(now), slot == tcp.TimerWait
				}),
			}
		}
	}
	return b
}

// byID makes room behind b for a row of each id, and tells where that of an id is when
// they are in order. To sort the rows themselves would move 400 octets each time.
func byID(b []Status, ids []uint32) ([]Status, func(id uint32) *Status) {
	slices.Sort(ids)
	start := len(b)
	b = append(b, make([]Status, len(ids))...)
	return b, func(id uint32) *Status {
		i, _ := slices.BinarySearch(ids, id)
		return &b[start+i]
	}
}

func noTimer(uint8) (clock.Duration, bool) { return 0, false }

// Status is the row of one connection.
func (c *Conn) Status(now clock.Instant) Status {
	st := Status{
		ID: c.tcb.ID(), State: c.tcb.State(), Local: c.Local(), Remote: c.Remote(), Due: -1,
		Memory: c.tcb.Memory(), Info: c.tcb.Info(now),
		Timers: timersLeft(func(slot uint8) (clock.Duration, bool) { return c.tcb.TimerLeft(slot, now) }),
	}
	if at := c.tcb.Deadline(); at != clock.Never {
		st.Due = max(0, at.Sub(now))
	}
	return st
}

// Info is STATUS of RFC 9293 §3.10.6 in the terms of Linux's tcp_info.
func (c *Conn) Info(now clock.Instant) tcp.Info { return c.tcb.Info(now) }

// Config is what the connection goes by now. It must not be changed.
func (c *Conn) Config() *tcp.Config { return c.tcb.Config() }

// Passive reports whether the other end opened the connection.
func (c *Conn) Passive() bool { return c.tcb.Passive() }

// Unsent is how many octets were written and not sent yet; Unacked counts those
// that the peer has not acknowledged, sent or not.
func (c *Conn) Unsent() int { return c.tcb.Unsent() }

// OutQueue and NotSent are Unacked and Unsent with the FIN counted, as SIOCOUTQ and
// SIOCOUTQNSD.
func (c *Conn) OutQueue() int { return c.tcb.OutQueue() }

// NotSent is SIOCOUTQNSD.
func (c *Conn) NotSent() int { return c.tcb.NotSent() }

// Unacked is how many octets the peer has not acknowledged.
func (c *Conn) Unacked() int { return c.tcb.Unacked() }
