package scenario

import (
	"bytes"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// keep puts a packet's octets to the others.
func (r *recorder) keep(id uint32, b []byte, at clock.Duration) stored {
	p := stored{id: id, start: uint32(len(r.octets)), length: uint32(len(b)), time: at, item: uint32(len(r.items))}
	r.octets = append(room(r.octets, len(b)), b...)
	return p
}

func (r *recorder) sent(w *sim.World, s *sim.Sight, at clock.Duration) {
	for len(r.packets) <= int(s.Packet) {
		r.packets = append(room(r.packets, 1), stored{})
	}
	p := r.keep(s.Packet, s.Bytes, at)
	p.from, p.to = int8(s.Host), int8(s.To)
	i := Item{Kind: Send, At: at, Host: int8(s.Host), To: int8(s.To), Packet: s.Packet, Flow: -1}
	var ip wire.IP
	var t wire.TCP
	if wire.ParseIP(s.Bytes, &ip) == 0 && ip.Protocol == wire.ProtocolTCP && wire.ParseTCP(s.Bytes[ip.HeaderLen:ip.TotalLen], &t) == 0 {
		p.hasTuple, p.tuple = true, tupleOf(&ip, &t)
		r.segment(w, &i, &p, &t, ip.TotalLen-ip.HeaderLen-t.HeaderLen)
	}
	r.packets[s.Packet] = p
	r.because(&i)
	if s.Host >= 0 {
		h := &r.hosts[s.Host]
		h.outIs, h.fired = false, false
	}
	r.add(i)
}

// segment fills in what a Send of TCP has.
func (r *recorder) segment(w *sim.World, i *Item, p *stored, t *wire.TCP, octets int) {
	i.A = uint64(t.Seq)<<32 | uint64(t.Ack)
	i.C = uint64(octets)<<32 | uint64(t.Flags)<<16 | uint64(t.Window)
	i.D = uint64(t.Window)
	n := uint32(0)
	if i.Host >= 0 {
		n = r.sender(w, int(i.Host), &p.tuple)
	}
	end := t.Seq.Add(seq.Size(octets))
	if t.Flags&(wire.SYN|wire.FIN) != 0 {
		end = end.Add(1)
	}
	var one, other seq.Value // what seq and ack count from
	switch c := &r.conns[n]; {
	case n != 0 && (!t.Flags.Has(wire.RST) || c.synced):
		r.learn(w, n)
		i.Conn, i.Flow, i.User = n, int16(c.Flow), int8(c.User)
		one, other = c.iss, c.irs
		if !t.Flags.Has(wire.SYN) {
			i.D <<= c.scale
		}
		if c.anySent && end != t.Seq && !end.After(c.sent) {
			i.Marks |= Again
		}
		if !c.anySent || end.After(c.sent) {
			c.sent, c.anySent = end, true
		}
		live := r.live(w, n)
		if live != nil && t.Flags.Has(wire.ACK) && !t.Flags.Has(wire.SYN) && r.hosts[i.Host].fired &&
			(t.Seq == live.View().Send.UNA.Sub(1) || octets <= 1 && live.View().Send.WND == 0) {
			i.Marks = i.Marks&^Again | Probe
		}
	default:
		one, other = r.base(w, &p.tuple, t)
		i.Conn = n
		if n != 0 {
			i.Flow, i.User = int16(c.Flow), int8(c.User)
		} else {
			i.Flow = r.flowOf(&p.tuple)
		}
	}
	ack := uint32(0)
	if t.Flags.Has(wire.ACK) {
		ack = uint32(t.Ack.From(other))
	}
	i.B = uint64(t.Seq.From(one))<<32 | uint64(ack)
}

// sender is the connection that a host's segment is of: what its log has said last,
// or whose name it has.
func (r *recorder) sender(w *sim.World, host int, t *tcp.Tuple) uint32 {
	if h := &r.hosts[host]; h.outIs && h.out != 0 {
		if n := r.number(w, host, h.out); r.conns[n].Remote == t.Remote && r.conns[n].Local == t.Local {
			return n
		}
	}
	if c := w.Stack(host).Find(t); c != nil {
		return r.number(w, host, c.ID())
	}
	return r.latest(host, t, true)
}

// latest is the last connection of a name, 0 if there is none; with alive only one
// that is not gone.
func (r *recorder) latest(host int, t *tcp.Tuple, alive bool) uint32 {
	for n := len(r.conns) - 1; n > 0; n-- {
		if c := &r.conns[n]; c.Host == host && c.Local == t.Local && c.Remote == t.Remote && !(alive && c.gone) {
			return uint32(n)
		}
	}
	return 0
}

// base is what the numbers of a segment count from that no connection has sent: the
// other end's connection, or the SYNs that were seen.
func (r *recorder) base(w *sim.World, t *tcp.Tuple, h *wire.TCP) (one, other seq.Value) {
	back := tcp.Tuple{Local: t.Remote, Remote: t.Local}
	if peer := w.HostOf(back.Local.Addr); peer >= 0 {
		if n := r.latest(peer, &back, false); n != 0 {
			if r.learn(w, n); r.conns[n].synced {
				return r.conns[n].irs, r.conns[n].iss
			}
			one, other = h.Seq, r.conns[n].iss
			if h.Flags.Has(wire.RST) {
				one = 0 // RFC 9293 §3.10.7.1: without an ACK to go by it is sent at 0
			}
			return one, other
		}
	}
	return h.Seq, h.Ack.Sub(1)
}

func (r *recorder) flowOf(t *tcp.Tuple) int16 {
	for n := len(r.conns) - 1; n > 0; n-- {
		c := &r.conns[n]
		if c.Local == t.Local && c.Remote == t.Remote || c.Local == t.Remote && c.Remote == t.Local {
			return int16(c.Flow)
		}
	}
	return -1
}

// learn asks a connection for what its numbers count from.
func (r *recorder) learn(w *sim.World, n uint32) {
	live := r.live(w, n)
	if live == nil {
		return
	}
	c, v := &r.conns[n], live.View()
	c.iss, c.scale = v.Send.ISS, v.Scale
	if v.State > tcp.SynSent {
		c.irs, c.synced = v.Receive.IRS, true
	}
}

// iss is that of a connection.
func (r *recorder) iss(w *sim.World, n uint32) seq.Value {
	if n == 0 {
		return 0
	}
	r.learn(w, n)
	return r.conns[n].iss
}

func (r *recorder) arrives(s *sim.Sight, at clock.Duration) {
	i := Item{Kind: Arrive, At: at, Host: int8(s.Host), Packet: s.Packet, Flow: -1}
	if s.Again {
		i.Marks |= Again
	}
	if s.Router {
		i.Marks |= Router
	}
	p := r.packet(s.Packet)
	if p != nil {
		i.Flow = r.items[p.item].Flow
		if !bytes.Equal(r.octetsOf(p), s.Bytes) {
			q := r.keep(s.Packet, s.Bytes, at)
			r.arrived = append(r.arrived, q)
			if !s.Router {
				i.Marks |= Spoiled
			}
			i.A = uint64(len(r.arrived))
		}
	}
	r.arriving, r.at = s.Packet, len(r.items)
	if s.Router {
		r.arriving = 0
	}
	r.add(i)
}
