package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/wire"
)

// THREATS S05, S33 (CVE-2016-5696, CVE-2020-36516): what a stack sends to one
// peer does not depend on what others send to it. So an attacker learns nothing
// about a connection by looking at his own.
//
// Proves: S05, S33
func TestPeersDoNotShowInEachOther(t *testing.T) {
	trace := func(noise bool) []string {
		r := newRaw(t, config("linux"))
		r.listen(50)
		attacker, victim := at("10.0.0.66", 666), at("10.0.0.2", 1000)
		r.remote = victim
		r.open()
		r.remote = attacker
		g := r.open()
		var seen []string
		var p packet.Packet
		for i := range 400 {
			r.now = r.now.Add(3 * clock.Millisecond)
			if noise {
				// Guesses at the victim's connection, in its name; and strays.
				r.remote = victim
				r.send(wire.TCP{Seq: 101, Flags: wire.RST}, "")
				r.send(wire.TCP{Seq: 99, Ack: 7, Flags: wire.SYN}, "")
				r.remote = at("10.0.0.3", 1)
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
				r.packet(segment(attacker, at("10.0.0.1", 9), wire.TCP{Flags: wire.ACK}, ""))
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
	alone := trace(false)
	require.Greater(t, len(alone), 200)
	require.Equal(t, alone, trace(true))
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
