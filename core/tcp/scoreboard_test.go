package tcp_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

const mebibyte = 1 << 20

// full is a connection with a mebibyte in flight, in segments of the given size.
func full(t *testing.T, size uint16, change func(*tcp.Config)) *end {
	cfg := tcp.Linux()
	cfg.MinMSS, cfg.MaxMSS = size, size
	cfg.SendBuffer, cfg.SendBufferMax = 2*mebibyte, 2*mebibyte
	cfg.InitialWindow = mebibyte/uint32(size) + 1
	cfg.RTOInitial, cfg.RTOMin = 100*second, 100*second
	change(&cfg)
	e := newEnd(t, variants[0], cfg)
	e.synReceived(sackOK, scale(8), mss(size))
	e.in(". 1(0) ack 1 win 65535")
	e.took()
	b := make([]byte, mebibyte)
	n, err := e.c.Write(e.now, b)
	require.NoError(t, err)
	require.Equal(t, mebibyte, n)
	for e.c.Output(e.now, &e.p) {
		if e.c.Info(e.now).Unacked%64 == 0 {
			e.now += 1000 // so that the sender has many bursts to remember
		}
	}
	require.Zero(t, e.c.Unsent())
	return e
}

// THREATS S02: ACKs with alternate holes cost at most 64 steps each, at the end as
// at the beginning, and no more than 128 ranges are remembered. What an ACK takes
// out of the flight was put there once, and what it sends again is a segment each.
//
// Proves: S02
func TestAlternateHoles(t *testing.T) {
	acks := release.Count(3000, 10_000)
	for name, change := range map[string]func(*tcp.Config){
		"RACK":     func(*tcp.Config) {},
		"RFC 6675": func(c *tcp.Config) { c.RACK = false },
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []uint16{48, 1460} {
				e := full(t, size, change)
				random := rand.New(rand.NewPCG(3, 4))
				var most [10]uint64
				for i := range acks {
					e.now += 1000_000
					var edges []uint32
					for range 3 + i%2 {
						at := random.Uint32N(mebibyte/2) * 2
						edges = append(edges, at+2, at+3)
					}
					seg := e.segment(". 1(0) ack 1 win 65535", e.sack(edges...))
					before := e.c.Steps()
					e.c.Arrives(e.now, seg)
					require.LessOrEqual(t, e.c.Steps()-before, uint64(64), "ACK %d", i)
					most[i*10/acks] = max(most[i*10/acks], e.c.Steps()-before)
					require.LessOrEqual(t, e.c.Runs(), 128)
					for e.c.Output(e.now, &e.p) {
					}
					if e.c.Deadline() <= e.now {
						e.c.Expire(e.now)
					}
					if i%1000 == 0 {
						require.Empty(t, e.c.Check())
					}
				}
				require.LessOrEqual(t, most[9], most[0]+8, "the cost does not grow: %v", most)
				t.Logf("MSS %d: at most %v steps", size, most)
			}
		})
	}
}

// THREATS S01: whatever the order of SACKs over very many tiny segments, the
// octets that count as SACKed are those that were.
//
// Proves: S01
func TestSackSchedules(t *testing.T) {
	schedules := release.Count(5000, 100_000)
	for _, size := range []uint16{48, 216} {
		e := full(t, size, func(*tcp.Config) {})
		random := rand.New(rand.NewPCG(5, 6))
		// A hundred slots, so that as many ranges can be at most; the oracle knows
		// which of them the peer has.
		const slots, width = 100, mebibyte / 100
		var has [slots]bool
		una := 0
		for i := range schedules {
			if i%2000 == 1999 { // begin anew
				e = full(t, size, func(*tcp.Config) {})
				has, una = [slots]bool{}, 0
			}
			if random.IntN(50) == 0 && una < slots-10 {
				una += random.IntN(3)
				for una < slots && has[una] {
					una++ // the cumulative ACK never stops below what was SACKed
				}
			}
			var o wire.Options
			o.Has = wire.HasSACK
			for k := random.IntN(5); k > 0 && una < slots; k-- {
				from := una + random.IntN(slots-una)
				to := min(from+1+random.IntN(3), slots)
				if from == una {
					continue
				}
				for k := from; k < to; k++ {
					has[k] = true
				}
				one := e.sack(uint32(1+from*width), uint32(1+to*width))
				o.SACK[o.SACKCount&3], o.SACKCount = one.SACK[0], min(o.SACKCount+1, 4)
			}
			for una < slots-1 && has[una] {
				una++
			}
			seg := e.segment(". 1(0) ack 1 win 65535", o)
			seg.Ack = e.iss + 1 + seq.Value(uint32(una*width))
			e.c.Arrives(e.now, seg)
			// What one ACK had no steps left for the next one brings: a receiver repeats
			// its blocks.
			e.c.Arrives(e.now, seg)
			want := 0
			for k := una; k < slots; k++ {
				if has[k] {
					want += width
				}
			}
			require.Equal(t, want, e.c.SackedOctets(), "MSS %d, schedule %d", size, i)
		}
		require.Empty(t, e.c.Check())
	}
}
