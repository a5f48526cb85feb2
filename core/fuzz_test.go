package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// FuzzStack gives a stack with a listener and connections any packets: as they
// come, and as segments that fit the connections so well that they go deep. The
// stack must not panic, what it sends must be well-formed, what it holds bounded,
// and a reset must not be answered.
func FuzzStack(f *testing.F) {
	f.Add([]byte{0, 0, 0})
	f.Add([]byte("\x01\x10\x00\x00\x00\x00\x05hello\x01\x11\x00\x00\x05\x00\x00\x02\x04\x00\x00\x00\x00\x00"))
	f.Add(segment(at("10.0.0.2", 1000), at("10.0.0.1", 80), wire.TCP{Flags: wire.SYN}, ""))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg := config("linux")
		cfg.MaxConns, cfg.Memory, cfg.SynBacklog = 16, 1<<18, 4
		r := newRaw(t, cfg)
		l := r.listen(4)
		g := r.open()
		c, err := l.Accept(r.now)
		require.NoError(t, err)
		_, _ = c.Write(r.now, make([]byte, 3000))
		r.replies()
		mine, theirs := seq.Value(1), g.Seq.Add(1)
		take := func(n int) []byte {
			b := make([]byte, n)
			data = data[copy(b, data):]
			return b
		}
		for steps := 0; len(data) > 0 && steps < 200; steps++ {
			switch op := take(1)[0]; op % 8 {
			case 0: // a packet as it is
				n := int(take(1)[0])
				r.packet(take(n))
			case 1, 2: // a segment near the connection
				h := take(6)
				s := wire.TCP{
					Flags: wire.Flags(h[0]), Seq: mine.Add(seq.Size(int32(int8(h[1])) * 16)), Ack: theirs.Add(seq.Size(int32(int8(h[2])) * 16)),
					Window: uint16(h[3]) << 8, Urgent: uint16(h[4]),
				}
				if op&8 != 0 {
					s.Options.Has = wire.HasSACK
					s.Options.SACKCount = 1
					s.Options.SACK[0] = wire.SACKBlock{Left: theirs.Add(seq.Size(h[4]) * 8), Right: theirs.Add(seq.Size(h[1]) * 16)}
				}
				if op&16 != 0 {
					r.remote.Port = 1000 + uint16(op>>5)
				}
				r.send(s, string(take(int(h[5]))))
				if s.Flags.Has(wire.RST) {
					for _, g := range r.replies() {
						require.Zero(t, g.Flags&wire.RST, "a reset is not answered by a reset")
					}
				}
				r.remote.Port = 1000
			case 3: // time passes
				r.now = r.now.Add(clock.Duration(take(1)[0]) * 10 * clock.Millisecond)
				r.s.Expire(r.now)
			case 4:
				r.now = max(r.now, min(r.s.Deadline(), r.now.Add(clock.Hour)))
				r.s.Expire(r.now)
			case 5: // ICMP about the connection
				h := take(4)
				r.quoting(wire.ICMP{Type: h[0] % 16, Code: h[1] % 16, MTU: uint32(h[2]) * 8}, r.sentPacket(theirs.Add(seq.Size(h[3])*16), 8))
			case 6:
				_, _ = c.Read(r.now, make([]byte, 500))
				_, _ = c.Write(r.now, make([]byte, 500))
			case 7:
				switch take(1)[0] {
				case 0:
					_ = c.Close(r.now)
				case 1:
					c.Abort(r.now)
				case 2:
					_ = c.CloseWrite(r.now)
				case 3:
					_ = c.CloseRead(r.now)
				case 4:
					if d, err := l.Accept(r.now); err == nil {
						_ = d.Close(r.now)
					}
				}
			}
			var p packet.Packet
			for n := 0; r.s.Output(r.now, &p); n++ {
				require.Less(t, n, 1000, "one input does not make endless output")
				var ip wire.IP
				require.Equal(t, rule.NotDropped, wire.ParseIP(p.Bytes, &ip))
				require.LessOrEqual(t, len(p.Bytes), 1500)
				if ip.Protocol == wire.ProtocolTCP {
					g := parse(t, p.Bytes)
					if g.DstPort == 1000 && len(g.payload) > 0 {
						theirs = seq.Max(theirs, g.Seq)
					}
				}
			}
			for n := 0; ; n++ {
				if _, ok := r.s.NextReady(); !ok {
					break
				}
				require.Less(t, n, 100)
			}
			require.LessOrEqual(t, r.s.Conns(), cfg.MaxConns)
			require.LessOrEqual(t, r.s.env.Pool.InUse(), cfg.Memory)
		}
		r.s.Fingerprint(r.now)
		r.s.Clone()
	})
}
