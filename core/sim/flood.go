package sim

import (
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/wire"
)

// flood lets the next segment of a flood arrive. Its source is an address that
// nobody has, drawn by its ordinal: 198.18.0.0/15 is for tests (RFC 2544), and so
// is 2001:2::/48 (RFC 5180).
func (w *World) flood(i int32) {
	f := &w.cfg.Floods[i]
	n := w.flooded[i]
	w.flooded[i]++
	if w.flooded[i] < f.Count && !w.over {
		w.plan(w.now.Add(f.Every), flooding, i)
	}
	h := w.hostOf(f.To.Addr)
	if h < 0 || w.hosts[h].off {
		return
	}
	x := siphash.PRF(w.key, forFlood, uint64(i), uint64(n))
	y := siphash.PRF(w.key, forFlood, uint64(i), uint64(n)|1<<32)
	ip := wire.IP{Dst: f.To.Addr, Protocol: wire.ProtocolTCP, TTL: 64, DontFragment: true}
	if ip.Dst.Is4() {
		ip.Src = wire.AddrFrom4([4]byte{198, 18 | byte(x>>16)&1, byte(x >> 8), byte(x)})
	} else {
		b := [16]byte{0x20, 1, 0, 2}
		wire.PutBe64(b[8:], x)
		ip.Src = wire.AddrFrom16(b)
	}
	t := wire.TCP{
		SrcPort: 1024 + uint16(y>>48)%60000, DstPort: f.To.Port, Flags: f.Flags,
		Seq: seq.Value(y), Ack: seq.Value(x >> 32), Window: 64240,
	}
	if f.Flags.Has(wire.SYN) {
		t.Options = wire.Options{Has: wire.HasMSS | wire.HasSACKPermitted | wire.HasTimestamps | wire.HasWindowScale, MSS: 1460, WindowScale: 7, TSVal: uint32(y)}
	}
	header := wire.AppendTCP(w.word[:0], &t)
	w.in.Reset()
	w.in.Bytes = append(wire.AppendIP(w.in.Bytes, &ip, len(header)), header...)
	w.word = header
	wire.FinishTCP(w.in.Bytes, &ip, len(w.in.Bytes)-len(header), false)
	w.packets++
	w.count.Packets++
	if w.observer != nil {
		w.see(Sight{What: Sent, Host: -1, To: h, Packet: w.packets, Bytes: w.in.Bytes})
		w.see(Sight{What: Arrived, Host: h, Packet: w.packets, Bytes: w.in.Bytes})
	}
	w.input(h)
}
