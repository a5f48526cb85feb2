package sim

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/wire"
)

// What is drawn for. A draw has a purpose, the direction and the ordinal of the
// packet there, and no past. Ids are stable: a seed keeps its meaning.
const (
	forSecret siphash.Purpose = iota + 1
	forLoss
	forDuplicate
	forReorder
	forHold
	forCorrupt
	forSpot
	forJitter
	forFlood
	forScenario
)

// A direction is one half of a link at work.
type direction struct {
	to      int32
	ordinal uint32        // of the latest packet
	free    clock.Instant // when what was given to it before has left
	latest  clock.Instant // when the latest packet arrives that keeps order
	down    uint8         // outages that last; 2: a router tells of it
}

// A flying is a packet on its way. Places are used again.
type flying struct {
	packet.Packet
	id     uint32
	to     int32
	again  bool // a double
	router bool // what a router has to say of the packet with that id
}

// flyingOctets is what a flying takes beside its Bytes, on machines of 64 bits.
const flyingOctets = 64

// channel is what direction d is like.
func (w *World) channel(d int32) *Channel {
	l := &w.cfg.Links[d/2]
	if d%2 == 0 {
		return &l.AB
	}
	return &l.BA
}

func (w *World) draw(p siphash.Purpose, d int32, ordinal uint32) uint64 {
	return siphash.PRF(w.key, p, uint64(d), uint64(ordinal))
}

// chance reports whether something that happens to parts of a million happens
// to this packet.
func (w *World) chance(p siphash.Purpose, parts uint32, d int32, ordinal uint32) bool {
	return parts > 0 && !w.calm && w.draw(p, d, ordinal)%Million < uint64(parts)
}

// send puts what a host has sent on the network. A super-packet is cut on the
// host's own link.
func (w *World) send(from int, p *packet.Packet) {
	if p.SegmentSize == 0 && !p.Partial {
		w.carry(from, p.Bytes)
		return
	}
	for off := 0; off >= 0 && !w.stopped; {
		off = packet.NextSegment(p, off, &w.piece)
		w.inspectPiece(from, &w.piece)
		w.carry(from, w.piece.Bytes)
	}
}

// carry takes one packet to the direction that leads to its destination.
func (w *World) carry(from int, b []byte) {
	w.packets++
	w.count.Packets++
	if w.cfg.Capture {
		w.captured = append(w.captured, Captured{At: w.now, From: from, Bytes: slices.Clone(b)})
	}
	var ip wire.IP
	wire.ParseIP(b, &ip)
	d := int32(-1)
	to := w.hostOf(ip.Dst)
	if to >= 0 {
		d = w.paths[from*len(w.hosts)+to]
	}
	if w.observer != nil {
		w.see(Sight{What: Sent, Host: from, To: to, Packet: w.packets, Bytes: b})
	}
	if d < 0 {
		w.count.Unroutable++
		w.lost(w.packets, LostNobody)
		return
	}
	w.pass(from, d, b, &ip)
}

// pass decides what becomes of a packet on direction d.
func (w *World) pass(from int, d int32, b []byte, ip *wire.IP) {
	id := w.packets
	dir, c := &w.dirs[d], w.channel(d)
	dir.ordinal++
	n := dir.ordinal
	fate, by := w.fate(id, d, n, b, ip)
	if why := w.loss(dir, c, fate, d, n); why != 0 {
		w.count.Lost++
		w.lost(id, why)
		if why == LostOutage && dir.down == 2 {
			w.tellUnreachable(from, b, ip)
		}
		return
	}
	if c.MTU > 0 && len(b) > c.MTU {
		w.count.TooBig++
		w.lost(id, LostTooBig)
		if !c.Silent {
			w.tellTooBig(from, c, b, ip)
		}
		return
	}
	at := w.now
	if c.Rate > 0 {
		at = max(at, dir.free)
		if wait := at.Sub(w.now); c.Queue > 0 && wait > 0 && uint64(wait)*c.Rate/uint64(clock.Second)+uint64(len(b)) > uint64(c.Queue) {
			w.count.Overflowed++
			w.lost(id, LostQueue)
			return
		}
		at = at.Add(clock.Duration(uint64(len(b)) * uint64(clock.Second) / c.Rate))
		dir.free = at
	}
	at = at.Add(c.Delay)
	if c.Jitter > 0 && !w.calm {
		at = at.Add(clock.Duration(w.draw(forJitter, d, n) % uint64(c.Jitter)))
	}
	switch {
	case fate == Delay:
		at = at.Add(by)
	case c.Hold > 0 && w.chance(forReorder, c.Reorder, d, n):
		at = at.Add(clock.Duration(w.draw(forHold, d, n) % uint64(c.Hold)))
		w.count.HeldBack++
	default:
		at = max(at, dir.latest)
		dir.latest = at
	}
	spoil := fate == Spoil || w.chance(forCorrupt, c.Corrupt, d, n)
	w.launch(at, dir.to, id, b, spoil, w.draw(forSpot, d, n))
	if fate == Double {
		w.launch(at.Add(by), dir.to, id, b, false, 0).again = true
		w.count.Doubled++
	} else if w.chance(forDuplicate, c.Duplicate, d, n) {
		w.launch(at, dir.to, id, b, false, 0).again = true
		w.count.Doubled++
	}
}

// loss tells why a packet is lost on a direction, 0 if it is not.
func (w *World) loss(dir *direction, c *Channel, fate Fate, d int32, n uint32) Loss {
	switch {
	case dir.down > 0 && !w.calm:
		return LostOutage
	case fate == Lose:
		return LostPlanned
	case w.chance(forLoss, c.Loss, d, n):
		return LostChance
	}
	return 0
}

// fate is what the plan has for a packet: of several faults the last.
func (w *World) fate(id uint32, d int32, n uint32, b []byte, ip *wire.IP) (fate Fate, by clock.Duration) {
	var t wire.TCP
	octets := -1 // of data; -1: it is no segment
	if w.matched != nil && ip.Protocol == wire.ProtocolTCP && wire.ParseTCP(b[ip.HeaderLen:], &t) == 0 {
		octets = len(b) - ip.HeaderLen - t.HeaderLen
	}
	for i := range w.cfg.Plan {
		p := &w.cfg.Plan[i]
		if p.Some && !w.matches(i, d, t.Flags, octets) || !p.Some && p.Packet != id && (p.Packet != 0 || int32(p.Direction) != d || p.Ordinal != n) {
			continue
		}
		fate, by = p.Fate, p.By
		w.came[i]++
	}
	return fate, by
}

// matches reports whether fault i of the plan, which asks what a packet is, means
// this one. It counts those that match.
func (w *World) matches(i int, d int32, flags wire.Flags, octets int) bool {
	p := &w.cfg.Plan[i]
	if int32(p.Direction) != d || w.now < p.From || p.Until > 0 && w.now >= p.Until {
		return false
	}
	if p.Match != (Match{}) && (octets < 0 || !p.Match.Matches(flags, octets)) {
		return false
	}
	w.matched[i]++
	return p.Nth == 0 || w.matched[i] == p.Nth
}

// launch lets a copy of b arrive at a host.
func (w *World) launch(at clock.Instant, to int32, id uint32, b []byte, spoil bool, spot uint64) *flying {
	var i int32
	if n := len(w.landed); n > 0 {
		i = w.landed[n-1]
		w.landed = w.landed[:n-1]
	} else {
		i = int32(len(w.air))
		w.air = append(w.air, flying{})
	}
	f := &w.air[i]
	f.Reset()
	f.Bytes = append(f.Bytes, b...)
	f.id, f.to, f.again, f.router = id, to, false, false
	if spoil {
		w.count.Spoiled++
		if spot>>60 == 0 && len(b) > 1 {
			f.Bytes = f.Bytes[:1+spot%uint64(len(b)-1)]
		} else {
			bit := spot % uint64(8*len(b))
			f.Bytes[bit/8] ^= 1 << (bit % 8)
		}
	}
	w.plan(at, arrival, i)
	return f
}

// tellTooBig is the router in front of a link with a small MTU: RFC 1191 §4 and
// RFC 4443 §3.2. Its word arrives at once and is never lost.
func (w *World) tellTooBig(from int, c *Channel, b []byte, ip *wire.IP) {
	m := wire.ICMP{Type: wire.ICMPv6PacketTooBig, MTU: uint32(c.MTU)}
	if ip.Src.Is4() {
		m.Type, m.Code = wire.ICMPUnreachable, wire.ICMPFragNeeded
	}
	w.tellSender(from, &m, b, ip)
}

// tellUnreachable is a router that does not reach a host: RFC 792 and RFC 4443 §3.1.
func (w *World) tellUnreachable(from int, b []byte, ip *wire.IP) {
	m := wire.ICMP{Type: wire.ICMPv6Unreachable, Code: wire.ICMPv6NoRoute}
	if ip.Src.Is4() {
		m.Type, m.Code = wire.ICMPUnreachable, wire.ICMPHostUnreachable
	}
	w.tellSender(from, &m, b, ip)
}

// tellSender quotes a packet to who has sent it.
func (w *World) tellSender(from int, m *wire.ICMP, b []byte, ip *wire.IP) {
	out := wire.IP{Dst: ip.Src, TTL: 64, Src: w.router6, Protocol: wire.ProtocolICMPv6}
	m.Body = b[:min(len(b), 1280-wire.IPv6HeaderLen-wire.ICMPHeaderLen)]
	if ip.Src.Is4() {
		out.Src, out.Protocol = w.router4, wire.ProtocolICMP
		m.Body = b[:min(len(b), ip.HeaderLen+8)]
	}
	w.word = wire.AppendIP(w.word[:0], &out, wire.ICMPHeaderLen+len(m.Body))
	w.word = wire.AppendICMP(w.word, &out, m)
	w.launch(w.now, int32(from), w.packets, w.word, false, 0).router = true
}
