package e2e

import (
	"slices"
	"time"

	"github.com/tcpkit/tcpkit/core/wire"
)

// A kind is what a segment is. Faults are planned by it, so that a kernel and tcpkit
// meet the same.
type kind int

const (
	syn    kind = iota // with or without ACK
	ack                // an acknowledgment and nothing else
	finack             // one of these, which covers the FIN
	data               // new data
	again              // data that was sent before
	fin                // with or without data
	rst
	probe // an empty segment with an old sequence number
	kinds
)

func (k kind) String() string {
	return [...]string{"syn", "ack", "finack", "data", "again", "fin", "rst", "probe"}[k]
}

// kinds are all that a segment is.
func (e *entry) kinds(other *side) (ks []kind) {
	f := e.tcp.Flags
	switch {
	case f.Has(wire.RST):
		return []kind{rst}
	case f.Has(wire.SYN):
		return []kind{syn}
	case e.probe:
		return []kind{probe}
	case e.n > 0 && e.again:
		ks = append(ks, again)
	case e.n > 0:
		ks = append(ks, data)
	case !f.Has(wire.FIN):
		ks = append(ks, ack)
	}
	if f.Has(wire.FIN) {
		ks = append(ks, fin)
	}
	if other.fin && e.n == 0 && e.tcp.Ack == other.next && !f.Has(wire.FIN) {
		ks = append(ks, finack)
	}
	return ks
}

// A fault is what happens to the n-th segments of a kind that an end sends.
type fault struct {
	role role
	kind kind
	nth  []int // counted from 1; none: all
	fate fate
	wait time.Duration

	held []byte // of swap and cross
	with *fault // of cross
}

type fate int

const (
	losing   fate = iota
	doubling      // it arrives twice
	lateness      // it arrives later by wait
	swapping      // it arrives behind the end's next one
	crossing      // it leaves when the other end's has left too
	blocking      // a router says that it goes nowhere
	marking       // a router says that there is congestion, RFC 3168
)

func lose(r role, k kind, nth ...int) *fault { return &fault{role: r, kind: k, nth: nth, fate: losing} }

func double(r role, k kind, nth ...int) *fault {
	return &fault{role: r, kind: k, nth: nth, fate: doubling}
}

func late(r role, k kind, wait time.Duration, nth ...int) *fault {
	return &fault{role: r, kind: k, nth: nth, fate: lateness, wait: wait}
}

func swap(r role, k kind, nth ...int) *fault {
	return &fault{role: r, kind: k, nth: nth, fate: swapping}
}

func unreachable(r role, k kind, nth ...int) *fault {
	return &fault{role: r, kind: k, nth: nth, fate: blocking}
}

func congest(r role, k kind, nth ...int) *fault {
	return &fault{role: r, kind: k, nth: nth, fate: marking}
}

// crossed lets the first segments of a kind of both ends cross on the way.
func crossed(k kind) []*fault {
	a, b := &fault{role: client, kind: k, nth: []int{1}, fate: crossing}, &fault{role: server, kind: k, nth: []int{1}, fate: crossing}
	a.with, b.with = b, a
	return []*fault{a, b}
}

// heldFor is how long a segment is held back that is to go behind the next one.
const heldFor = 100 * time.Millisecond

// meet lets a segment meet its fate, and delivers it if that is so.
func (l *line) meet(r role, e *entry, ks []kind, b []byte) {
	to := r.other()
	s := &e.flow.sides[r]
	defer l.pass(r)
	for _, f := range l.faults {
		if f.role != r || !slices.Contains(ks, f.kind) || len(f.nth) > 0 && !slices.Contains(f.nth, s.count[f.kind]) {
			continue
		}
		switch f.fate {
		case losing:
			e.fate = "lost"
		case doubling:
			e.fate = "twice"
			l.deliver(to, b)
			l.deliver(to, slices.Clone(b))
		case lateness:
			e.fate = "late"
			time.AfterFunc(delay+f.wait, func() {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.arrive(to, b)
			})
		case swapping:
			e.fate = "swapped"
			f.held = b
			time.AfterFunc(heldFor, func() {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.letGo(f)
			})
			return // it does not pass itself
		case crossing:
			e.fate = "crossing"
			if f.held = b; f.with.held != nil {
				l.letGo(f)
				l.letGo(f.with)
			}
		case blocking:
			e.fate = "unreachable"
			var ip wire.IP
			wire.ParseIP(b, &ip)
			m := wire.ICMP{Type: wire.ICMPUnreachable, Code: wire.ICMPHostUnreachable}
			if ip.Src.Is6() {
				m = wire.ICMP{Type: wire.ICMPv6Unreachable, Code: wire.ICMPv6AddrFailed}
			}
			l.tell(r, &ip, m, b)
		case marking:
			e.fate = "marked"
			l.deliver(to, marked(b))
		}
		return
	}
	l.deliver(to, b)
}

// pass lets go on what is held until a segment of this end has gone.
func (l *line) pass(r role) {
	for _, f := range l.faults {
		if f.role == r && f.fate == swapping && f.held != nil {
			if e := &l.entries[len(l.entries)-1]; e.fate != "swapped" {
				l.letGo(f)
			}
		}
	}
}

func (l *line) letGo(f *fault) {
	if f.held != nil && !l.closed {
		l.deliver(f.role.other(), f.held)
	}
	f.held = nil
}

// loses reports whether a fault loses segments of a kind.
func (l *line) loses(r role, k kind) bool {
	return slices.ContainsFunc(l.faults, func(f *fault) bool { return f.role == r && f.kind == k && f.fate == losing })
}

// marked is a packet with congestion experienced.
func marked(b []byte) []byte {
	if b[0]>>4 == 6 {
		b[1] |= 3 << 4
		return b
	}
	b[1] |= 3
	wire.PutBe16(b[10:], 0)
	wire.PutBe16(b[10:], ^wire.Fold(wire.Sum(b[:wire.IPv4HeaderLen], 0)))
	return b
}
