package core

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// stamp is an option of kind 253, for experiments (RFC 6994), in eight octets.
var stamp = []byte{253, 6, 0x12, 0x34, 5, 6, 1, 1}

// A hook that adds an option to each segment, for which it has reserved room: every
// segment has it, none is larger than the link takes, and SACK goes on.
func TestReservedOptions(t *testing.T) {
	for _, profile := range []string{"linux", "rfc9293"} {
		for _, family := range []wire.Family{wire.IPv4, wire.IPv6} {
			p := newPair(t, config(profile))
			p.a.hooked(func(r *tcp.Record) tcp.Verdict {
				if r.Step == tcp.StepReserve {
					require.Equal(t, tcp.SynSent, r.From)
					r.Args[0] = uint64(len(stamp)) - 1 // and is rounded up
					return tcp.Mutated
				}
				require.True(t, r.Leaving)
				r.Options = append(r.Options, stamp...)
				return tcp.Mutated
			}, tcp.StepReserve, tcp.StepOptions)
			largest, blocks, n := 0, 0, 0
			p.pass = func(from *Stack, q *packet.Packet) bool {
				var ip wire.IP
				var tcp wire.TCP
				require.Equal(t, rule.NotDropped, wire.ParseIP(q.Bytes, &ip))
				b := q.Bytes[ip.HeaderLen:]
				require.Equal(t, rule.NotDropped, wire.ParseTCP(b, &tcp))
				require.True(t, wire.VerifyTCP(b, &ip))
				if from == p.a {
					require.Contains(t, string(b[wire.TCPHeaderLen:tcp.HeaderLen]), string(stamp))
					largest = max(largest, len(q.Bytes))
					blocks = max(blocks, int(tcp.Options.SACKCount))
				}
				n++
				return len(b) == tcp.HeaderLen || n%3 != 0
			}
			a, b := p.connect(family)
			text := strings.Repeat("to and fro ", 5000)
			var got [2]string
			for i, c := range []*Conn{a, b} {
				left, other := text, []*Conn{b, a}[i]
				for range 1000 {
					k, _ := c.Write(p.now, []byte(left))
					left = left[k:]
					p.run(100 * clock.Millisecond)
					m := make([]byte, 65536)
					k, _ = other.Read(p.now, m)
					if got[i] += string(m[:k]); len(got[i]) == len(text) {
						break
					}
				}
			}
			require.Equal(t, [2]string{text, text}, got)
			require.Equal(t, 1500, largest)
			require.Equal(t, 2, blocks, "two SACK blocks beside timestamps and eight octets")
			require.Zero(t, p.a.Stats().ChangesIgnored)
		}
	}
}

// However much a hook wants to reserve, a SACK block and the timestamps have room.
func TestReserveIsBounded(t *testing.T) {
	for want, mss := range map[uint64]uint32{0: 1448, 1: 1444, 4: 1444, 16: 1432, 17: 1432, 1 << 63: 1432} {
		p := newPair(t, config("linux"))
		p.a.hooked(func(r *tcp.Record) tcp.Verdict { r.Args[0] = want; return tcp.Mutated }, tcp.StepReserve)
		a, b := p.connect(wire.IPv4)
		require.Equal(t, mss, a.View().MSS)
		require.Equal(t, uint32(1448), b.View().MSS)
	}
}

// What a hook makes of the options that arrive is what the stack knows of them; what
// it does to anything else there does not count.
func TestParsedOptions(t *testing.T) {
	r := newRaw(t, config("linux"))
	r.listen(5)
	h := r.s.hooked(func(rec *tcp.Record) tcp.Verdict {
		require.Equal(t, []byte{2, 4, 5, 180}, rec.Options)
		rec.Options = append(rec.Options[:0], 2, 4, 1, 244, 1, 3, 3, 5)
		rec.TCP.Seq, rec.TCP.Flags, rec.Payload, rec.Tuple.Remote.Port = 99, wire.RST, []byte("x"), 9
		return tcp.Mutated
	}, tcp.StepParse)
	r.send(plainSyn, "")
	synAck := r.one()
	require.Len(t, h.seen, 1)
	require.Equal(t, plainSyn.Seq.Add(1), synAck.Ack)
	require.True(t, synAck.Options.Has.Has(wire.HasWindowScale), "it was offered, the hook says")
	require.Equal(t, uint32(500), r.s.Conn(0).View().MSS)

	// And of those that leave likewise.
	r = newRaw(t, config("linux"))
	r.listen(5)
	r.s.hooked(func(rec *tcp.Record) tcp.Verdict {
		rec.Options = append(rec.Options[:0], 2, 4, 1, 0)
		rec.TCP.Seq, rec.TCP.Flags, rec.Payload, rec.TTL = 99, wire.RST, []byte("x"), 7
		return tcp.Mutated
	}, tcp.StepOptions)
	r.send(plainSyn, "")
	synAck = r.one()
	require.Equal(t, wire.SYN|wire.ACK, synAck.Flags)
	require.Equal(t, wire.Options{Has: wire.HasMSS, MSS: 256}, synAck.Options)
	require.Equal(t, r.s.Conn(0).View().Send.ISS, synAck.Seq)
	require.Equal(t, uint8(64), synAck.ip.TTL)
	require.Empty(t, synAck.payload)
}

// A hook that leaves octet for octet what another has made of the options sees both:
// what it changes counts, be it the octets or what they say.
func TestOptionsInTwoForms(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *tcp.Record)
		want   []byte
	}{
		"neither": {func(r *tcp.Record) {}, stamp},
		"octets":  {func(r *tcp.Record) { r.Options[2] = 9 }, []byte{253, 6, 9, 0x34, 5, 6, 1, 1}},
		"fields":  {func(r *tcp.Record) { r.TCP.Options = wire.Options{Has: wire.HasMSS, MSS: 99} }, []byte{2, 4, 0, 99}},
		"both": {func(r *tcp.Record) {
			r.TCP.Options.Has |= wire.HasMSS
			r.Options = r.Options[:6]
		}, []byte{253, 6, 0x12, 0x34, 5, 6, 0, 0}},
		"none of them": {func(r *tcp.Record) { r.Options = []byte{} }, []byte{}},
		"nil":          {func(r *tcp.Record) { r.Options = nil }, []byte{}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRaw(t, config("linux"))
			r.listen(5)
			r.s.hooked(func(rec *tcp.Record) tcp.Verdict {
				if rec.Step == tcp.StepOptions {
					rec.Options = append(rec.Options[:0], stamp...)
					return tcp.Mutated
				}
				require.Equal(t, stamp, rec.Options)
				require.Equal(t, wire.OptionSet(wire.HasUnknown), rec.TCP.Options.Has)
				c.change(rec)
				return tcp.Mutated
			}, tcp.StepOptions, tcp.StepLeaving)
			r.send(plainSyn, "")
			out := outputs(r.s, r.now)
			require.Len(t, out, 1)
			g := segmentIn(out[0])
			require.Equal(t, c.want, out[0][g.ip.HeaderLen+wire.TCPHeaderLen:])
		})
	}
}
