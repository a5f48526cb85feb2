package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// answer is what an oracle wants: nil is silence.
type answer struct {
	seq, ack seq.Value
	flags    wire.Flags
}

// segLen is SEG.LEN of RFC 9293 §3.4.
func segLen(f wire.Flags, data string) seq.Size {
	n := seq.Size(len(data))
	if f.Has(wire.SYN) {
		n++
	}
	if f.Has(wire.FIN) {
		n++
	}
	return n
}

// closedOracle is RFC 9293 §3.10.7.1, from its text.
func closedOracle(s, a seq.Value, f wire.Flags, data string) *answer {
	if f.Has(wire.RST) {
		return nil
	}
	if f.Has(wire.ACK) {
		return &answer{seq: a, flags: wire.RST}
	}
	return &answer{ack: s.Add(segLen(f, data)), flags: wire.RST | wire.ACK}
}

// listenOracle is RFC 9293 §3.10.7.2, from its text; the sequence number of a
// SYN-ACK is the stack's to choose.
func listenOracle(s, a seq.Value, f wire.Flags, data string) *answer {
	switch {
	case f.Has(wire.RST):
		return nil
	case f.Has(wire.ACK):
		return &answer{seq: a, flags: wire.RST}
	case f.Has(wire.SYN):
		return &answer{ack: s.Add(1), flags: wire.SYN | wire.ACK}
	}
	return nil
}

// U-02: all 256 sets of flags, some lengths, and numbers around the wrap, to a
// closed port.
//
// Proves: U-02
func TestAllFlagsToClosedPort(t *testing.T) {
	cfg := config("rfc9293")
	cfg.ResetInterval = 0
	for _, r := range []*raw{newRaw(t, cfg), newRaw6(t, cfg)} {
		for f := range wire.Flags(256) {
			for _, data := range []string{"", "x", "some data"} {
				for _, s := range []seq.Value{0, 1<<32 - 1, 1 << 31} {
					a := s ^ 0x1234567
					r.send(wire.TCP{Seq: s, Ack: a, Flags: f, Window: 99}, data)
					want := closedOracle(s, a, f, data)
					if want == nil {
						r.none("a reset is never answered")
						continue
					}
					g := r.one()
					require.Equal(t, *want, answer{g.Seq, g.Ack, g.Flags}, "%v seq %d len %d", f, s, len(data))
					require.Zero(t, g.Window)
					require.Zero(t, g.Options.Has)
					require.Empty(t, g.payload)
					require.Equal(t, r.remote.Port, g.DstPort)
				}
			}
		}
		require.Zero(t, r.s.Conns())
	}
}

// U-03: the same to a listener.
//
// Proves: U-03
func TestAllFlagsToListener(t *testing.T) {
	for _, linux := range []bool{false, true} {
		cfg := config("rfc9293")
		cfg.ResetInterval, cfg.DropSynFin = 0, linux
		for _, r := range []*raw{newRaw(t, cfg), newRaw6(t, cfg)} {
			r.listen(3000)
			conns := 0
			for f := range wire.Flags(256) {
				for _, data := range []string{"", "x"} {
					r.remote.Port++
					r.send(wire.TCP{Seq: 1<<32 - 1, Ack: 77, Flags: f, Window: 99}, data)
					want := listenOracle(1<<32-1, 77, f, data)
					if linux && f&(wire.SYN|wire.ACK|wire.FIN|wire.RST) == wire.SYN|wire.FIN {
						want = nil // a departure of the linux profile
					}
					if want == nil {
						r.none(f.String() + " is not answered")
						require.Equal(t, conns, r.s.Conns())
						continue
					}
					g := r.one()
					if want.flags.Has(wire.SYN) {
						conns++
						want.seq = g.Seq
						if f.Has(wire.ECE | wire.CWR) {
							want.flags |= wire.ECE // RFC 3168 §6.1.1
						}
					}
					require.Equal(t, *want, answer{g.Seq, g.Ack, g.Flags}, "%v len %d", f, len(data))
					require.Equal(t, conns, r.s.Conns(), "one connection in SYN-RECEIVED for each SYN")
				}
			}
			for _, c := range r.s.conns {
				require.Equal(t, tcp.SynReceived, c.State())
			}
		}
	}
}

// THREATS S27: one source gets its burst of resets and then one in an interval,
// and another source does not notice.
//
// Proves: S27
func TestResetsAreBounded(t *testing.T) {
	r := newRaw(t, config("linux"))
	burst := r.s.cfg.ResetBurst
	resets := 0
	for i := range 10 * burst {
		r.send(wire.TCP{Seq: seq.Value(i), Flags: wire.ACK}, "")
		resets += len(r.replies())
	}
	require.Equal(t, burst, resets)
	require.Equal(t, uint64(9*burst), r.s.Stats().ResetsWithheld)
	other := *r
	other.remote = at("10.0.0.3", 1000)
	other.send(wire.TCP{Flags: wire.ACK}, "")
	other.one()
	r.now = r.now.Add(10 * r.s.cfg.ResetInterval)
	resets = 0
	for range 100 {
		r.send(wire.TCP{Flags: wire.ACK}, "")
		resets += len(r.replies())
	}
	require.Equal(t, 10, resets)
	r.now = r.now.Add(clock.Hour)
	for range burst {
		r.send(wire.TCP{Flags: wire.ACK}, "")
		r.one()
	}
}
