package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

// THREATS S05, S33 (CVE-2016-5696, CVE-2020-36516, CVE-2020-25705): what a stack
// sends to one peer does not depend on what others send to it. Somebody off the path
// who guesses at the connection of another, rightly or wrongly, sees just the same on
// one of his own, octet by octet, however often he has challenge ACKs, resets, echoes
// and cookies counted.
//
// Proves: S05, S33
func TestPeersDoNotShowInEachOther(t *testing.T) {
	for _, fresh := range []func(testing.TB, Config) *raw{newRaw, newRaw6} {
		trace := func(guess string) []string {
			r := fresh(t, config("linux"))
			r.listen(50)
			attacker, victim, third := at("10.0.0.66", 666), at("10.0.0.2", 1000), at("10.0.0.3", 1)
			if r.local.Addr.Is6() {
				attacker, victim, third = at("fd00::66", 666), at("fd00::2", 1000), at("fd00::3", 1)
			}
			r.remote = victim
			v := r.open()
			r.remote = attacker
			g := r.open()
			var seen []string
			var p packet.Packet
			for i := range release.Count(400, 10_000) {
				r.now = r.now.Add(3 * clock.Millisecond)
				r.remote = victim
				switch guess { // in the victim's name
				case "right": // each draws a challenge ACK, or is taken
					r.send(wire.TCP{Seq: 101, Flags: wire.RST}, "")
					r.send(wire.TCP{Seq: 101, Ack: v.Seq.Add(1), Flags: wire.SYN}, "")
					r.send(wire.TCP{Seq: seq.Value(1 + i), Ack: v.Seq.Add(1), Flags: wire.ACK, Window: 100}, "y")
					r.send(wire.TCP{Seq: 1, Ack: v.Seq.Add(1 << 20), Flags: wire.ACK}, "")
				case "wrong": // the port is not his, or the number is nowhere near
					r.send(wire.TCP{Seq: 1 << 30, Flags: wire.RST}, "")
					r.send(wire.TCP{Seq: 1 << 30, Ack: v.Seq.Add(1 << 30), Flags: wire.ACK}, "y")
					r.remote.Port++
					r.send(wire.TCP{Seq: 101, Ack: v.Seq.Add(1), Flags: wire.ACK}, "")
				case "strays":
					r.remote = third
					r.send(wire.TCP{Flags: wire.ACK}, "")
				}
				r.remote = attacker
				switch i % 4 {
				case 0:
					r.send(wire.TCP{Seq: 100, Flags: wire.RST}, "") // draws a challenge ACK
				case 1:
					r.send(wire.TCP{Seq: 1, Ack: g.Seq.Add(1), Flags: wire.ACK, Window: 100}, "x")
				case 2:
					r.packet(icmpPacket(attacker.Addr, r.local.Addr, wire.ICMP{Type: wire.ICMPEcho}))
				case 3:
					r.packet(segment(attacker, wire.AddrPort{Addr: r.local.Addr, Port: 9}, wire.TCP{Flags: wire.ACK}, ""))
				}
				r.s.Expire(r.now)
				for r.s.Output(r.now, &p) {
					var ip wire.IP
					wire.ParseIP(p.Bytes, &ip)
					if ip.Dst == attacker.Addr {
						seen = append(seen, string(p.Bytes))
					}
				}
			}
			return seen
		}
		alone := trace("")
		require.Greater(t, len(alone), 200)
		for _, guess := range []string{"right", "wrong", "strays"} {
			require.Equal(t, alone, trace(guess), guess)
		}
	}
}

// THREATS S11: the timestamps of two peers at one instant are unrelated, and tell
// nothing of how long the stack has run.
//
// Proves: S11
func TestTimestampsTellNothing(t *testing.T) {
	r := newRaw(t, config("linux"))
	r.listen(500)
	var last uint32
	near := 0
	for range 300 {
		r.remote.Port++
		r.send(wire.TCP{Flags: wire.SYN, Window: 9, Options: synOptions}, "")
		now := r.one().Options.TSVal
		if d := int32(now - last); d > -1<<20 && d < 1<<20 {
			near++
		}
		last = now
	}
	require.LessOrEqual(t, near, 3)
}
