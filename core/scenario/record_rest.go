package scenario

import (
	"math/bits"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// variables is how many quantities of a connection are followed.
const variables = len(quantities)

// measure are the quantities of a connection now.
func measure(c *core.Conn, now clock.Instant) (q [variables]uint64, timers core.Timers) {
	v, st, cfg := c.View(), c.Status(now), c.Config()
	rcv := uint64(0)
	if v.State > tcp.SynSent {
		rcv = uint64(v.Receive.NXT.From(v.Receive.IRS))
	}
	idle, interval, count := clock.Duration(0), clock.Duration(0), uint64(0)
	if cfg.Keepalive {
		idle, interval, count = cfg.KeepaliveIdle, cfg.KeepaliveInterval, uint64(cfg.KeepaliveCount)
	}
	const us = uint64(clock.Microsecond)
	return [variables]uint64{
		uint64(v.Send.UNA.From(v.Send.ISS)), uint64(v.Send.NXT.From(v.Send.ISS)), uint64(v.Send.WND),
		rcv, uint64(v.Receive.WND), uint64(v.Send.ISS), uint64(v.Receive.IRS),
		uint64(v.Cwnd), uint64(st.Info.Ssthresh), uint64(v.InFlight), uint64(st.Info.RTO) * us, uint64(st.Info.RTT) * us,
		uint64(v.MSS), uint64(c.Held()), uint64(c.InQueue()), uint64(c.Unsent()), uint64(c.Unacked()),
		uint64(idle), uint64(interval), count, uint64(cfg.UserTimeout),
	}, st.Timers
}

// The quantities that are left when a connection is gone.
const heldAt = 13

// rested looks at what a host's connections have become.
func (r *recorder) rested(w *sim.World, host int, at clock.Duration) {
	for _, n := range r.touched {
		r.conns[n].touched = false
		r.compare(w, n, at)
	}
	r.touched = r.touched[:0]
	r.actsLeft(host, at)
	r.arriving = 0
	if r.moved {
		r.moved = false
		for h := range r.hosts {
			r.memory(w, h, at, r.ghosts(w, h))
		}
	} else {
		r.memory(w, host, at, r.hosts[host].mem[3])
	}
}

// compare tells what has changed of a connection.
func (r *recorder) compare(w *sim.World, n uint32, at clock.Duration) {
	c := &r.conns[n]
	q, armed := c.last, uint16(0)
	live := r.live(w, n)
	if live != nil {
		var timers core.Timers
		q, timers = measure(live, w.Now())
		for slot, left := range timers {
			if left >= 0 {
				armed |= 1 << slot
			}
		}
		r.learn(w, n)
	} else {
		q[heldAt], q[heldAt+1], q[heldAt+2], q[heldAt+3] = 0, 0, 0, 0
		if t, ok := w.Stack(c.Host).Waiting(&tcp.Tuple{Local: c.Local, Remote: c.Remote}); ok && t.ID == c.ID {
			q[heldAt] = uint64(core.HeldWaiting)
			armed = c.armed & (1 << tcp.TimerWait)
			r.restarted(n, t.Until.Sub(start), at)
		}
	}
	for stopped := c.armed &^ armed; stopped != 0; stopped &= stopped - 1 {
		i := r.item(Timer, at, c.Host, n)
		i.By, i.Into = uint8(bits.TrailingZeros16(stopped)), TimerStopped
		r.add(i)
	}
	c.armed = armed
	changed := uint64(0)
	first := len(r.values)
	for k, v := range q {
		if v != c.last[k] {
			changed |= 1 << k
			r.values = append(room(r.values, 1), v)
		}
	}
	c.last = q
	if changed != 0 {
		i := r.item(TCB, at, c.Host, n)
		i.A, i.B = changed, uint64(first)
		r.add(i)
	}
	if live != nil && c.Flow >= 0 {
		v := live.View()
		knows := uint64(0)
		if v.Send.UNA != v.Send.ISS && v.State != tcp.Closed {
			knows = 1
		}
		if v.State > tcp.SynSent {
			knows |= 2
		}
		r.know(c.Host, c.Flow, c.User, knows|r.flows[c.Flow].know[c.User], at)
	}
}

// restarted tells when what is left of a connection in TIME-WAIT waits anew: a FIN
// that comes again starts the 2 MSL again (RFC 9293 §3.10.7.4, eighth), and a record
// has no log.
func (r *recorder) restarted(n uint32, due, at clock.Duration) {
	c := &r.conns[n]
	if c.armed>>tcp.TimerWait&1 == 0 || c.due[tcp.TimerWait] == due {
		return
	}
	c.due[tcp.TimerWait] = due
	i := r.item(Timer, at, c.Host, n)
	i.By, i.Into, i.A, i.Rule = tcp.TimerWait, TimerArmed, uint64(due), rule.FinRestartsTimeWait
	r.add(i)
	r.reasoned(&i)
}

// know tells when an end of a flow knows more, or nothing any more. It knows that
// what it sends arrives when something of it is acknowledged, SND.UNA > ISS, and that
// what the other sends arrives when it has taken a segment, so that there is an IRS.
func (r *recorder) know(host, flow, user int, knows uint64, at clock.Duration) {
	if f := &r.flows[flow]; f.know[user] != knows {
		f.know[user] = knows
		r.add(Item{Kind: Know, At: at, Host: int8(host), Flow: int16(flow), User: int8(user), A: knows})
	}
}

// memory tells when what a host holds has changed.
func (r *recorder) memory(w *sim.World, host int, at clock.Duration, ghosts uint64) {
	s := w.Stack(host)
	half, waiting := 0, 0
	for slot := range len(r.s.Listens) {
		if l := s.Listener(slot); l != nil {
			half += l.HalfOpen()
			waiting += l.Waiting()
		}
	}
	m := [6]uint64{uint64(s.Held()), uint64(s.Conns()), uint64(half), ghosts, uint64(s.TimeWaits()), uint64(waiting)}
	if h := &r.hosts[host]; h.mem != m {
		h.mem = m
		r.add(Item{Kind: Mem, At: at, Host: int8(host), Flow: -1, A: m[0], B: m[1]<<32 | m[2], C: m[3]<<32 | m[4], D: m[5]})
	}
}

// ghosts counts the connections of a host that believes them to be open and of which
// the other end knows nothing: it has none of that name, or one with other initial
// sequence numbers.
func (r *recorder) ghosts(w *sim.World, host int) (count uint64) {
	s := w.Stack(host)
	for slot := range s.Slots() {
		c := s.Conn(slot)
		if c == nil || c.State() < tcp.Established || c.State() == tcp.TimeWait {
			continue
		}
		if !r.knows(w, c) {
			count++
		}
	}
	return count
}

func (r *recorder) knows(w *sim.World, c *core.Conn) bool {
	peer := w.HostOf(c.Remote().Addr)
	if peer < 0 || !w.Up(peer) {
		return false
	}
	t := tcp.Tuple{Local: c.Remote(), Remote: c.Local()}
	if _, ok := w.Stack(peer).Waiting(&t); ok {
		return true
	}
	other := w.Stack(peer).Find(&t)
	return other != nil && other.State() >= tcp.SynSent && other.View().Send.ISS == c.View().Receive.IRS
}
