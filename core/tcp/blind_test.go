package tcp_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/internal/release"
)

// blindTarget is a connection with data in flight. An attacker who guesses likes its
// windows large.
func blindTarget(t *testing.T, v variant, window uint32, shift uint8) *end {
	cfg := tcp.Linux()
	cfg.Timestamps, cfg.ChallengeInterval, cfg.RTOMin = false, 0, clock.Hour
	cfg.ReceiveBuffer, cfg.ReceiveBufferMax = window, window
	e := newEnd(t, v, cfg)
	e.synReceived(scale(shift))
	e.in(". 1(0) ack 1 win 65535")
	e.write(20 * 1460)
	e.took()
	return e
}

// THREATS S08: of data with numbers that somebody guesses no more is taken than
// chance allows: SEG.SEQ has to lie in the window, and SEG.ACK in [SND.UNA -
// MAX.SND.WND, SND.NXT] (RFC 5961 §5.2). With any other acknowledgment nothing of
// the stream changes.
//
// Proves: S08
func TestBlindData(t *testing.T) {
	draws := release.Count(5000, 1_000_000/len(variants))
	for name, c := range map[string]struct {
		window uint32 // ours
		shift  uint8  // of the peer's, which is as large as that allows
		aimed  bool   // the attacker knows SEG.SEQ
	}{
		"64 KiB":            {65535, 0, false},
		"64 KiB, SEQ known": {65535, 0, true},
		"1 MiB":             {1 << 20, 14, false},
		"1 MiB, SEQ known":  {1 << 20, 14, true},
	} {
		for i, v := range variants {
			t.Run(fmt.Sprintf("%s/%d", name, i), func(t *testing.T) {
				base := blindTarget(t, v, c.window, c.shift)
				view := base.c.View()
				window := seq.Size(view.Receive.WND)
				acks := view.MaxWindow + view.Send.NXT.From(view.Send.UNA) + 1
				random := rand.New(rand.NewPCG(7, uint64(i)))
				const n = 10
				s := base.segment(fmt.Sprintf(". 0(%d) ack 1 win 65535", n))
				e, taken, theory := base.copied(), 0, 1.0
				for k := range draws {
					s.Seq, s.Ack = seq.Value(random.Uint32()), seq.Value(random.Uint32())
					if c.aimed {
						s.Seq = view.Receive.NXT
					}
					e.c.Arrives(e.now, s)
					for e.c.Output(e.now, &e.p) {
					}
					// The oracle, in plain numbers: any octet in the window, the ACK in its range.
					at, ack := s.Seq.From(view.Receive.NXT), s.Ack.From(view.Send.UNA.Sub(view.MaxWindow))
					good := (at < window || -at < n) && ack < acks
					held := e.c.InQueue() + e.c.HeldStretches()
					require.Equal(t, good, held > 0, "draw %d: SEQ %d ACK %d of %d", k, at, ack, acks)
					if good {
						taken++
						e = base.copied()
					}
				}
				if !c.aimed {
					theory = float64(window+n-1) / (1 << 32)
				}
				theory *= float64(acks) / (1 << 32)
				want := float64(draws) * theory
				sigma := math.Sqrt(want * (1 - theory))
				require.LessOrEqual(t, float64(taken), want+3*sigma+1)
				t.Logf("%d of %d taken, theory %.2f, sigma %.2f", taken, draws, want, sigma)
			})
		}
	}
}

// THREATS S12 (CVE-2005-0356): a timestamp from the future in a segment that is not
// acceptable, by its sequence number or by its acknowledgment, or that is ahead of
// what was acknowledged last, does not become TS.Recent, and the peer goes on.
//
// Proves: S12
func TestTimestampIsNotPoisoned(t *testing.T) {
	const future = 100 + 1<<31 - 1
	each(t, func(t *testing.T, v variant) {
		for _, cfg := range []tcp.Config{tcp.Linux(), tcp.RFC9293()} {
			cfg.ChallengeInterval, cfg.RTOMin, cfg.RTOMax = 0, clock.Hour, clock.Hour
			e := newEnd(t, v, cfg).passive(65535, stamp(100, 0))
			window := int64(e.c.View().Receive.WND)
			una, most := int64(1), int64(e.c.View().MaxWindow)
			for _, at := range []int64{-(1 << 31), -(1 << 30), -100_000, -11, -1, 0, 1, 1000, window - 1, window, window + 1, 1 << 30, 1<<31 - 1} {
				for _, ack := range []int64{una - most - 1, una - 1<<30, una - 1<<31, una, una + 1, una + 1<<30, una + 1<<31 - 1} {
					for _, n := range []int64{0, 1, 10} {
						for _, flags := range []string{".", "F.", "S.", "P.", "R.", "-", "F", "S"} {
							length := n
							if strings.ContainsAny(flags, "SF") {
								length++
							}
							in := at >= 0 && at < window || at < 0 && at+length > 0
							meant := in && ack == una && strings.Contains(flags, ".") && !strings.ContainsAny(flags, "SR")
							// What is in order, with an ACK that counts, cannot be told from the peer's; a
							// reset in order ends the connection.
							if meant && at <= 0 || flags == "R." && at == 0 {
								continue
							}
							c := e.copied()
							c.in(fmt.Sprintf("%s %d(%d) ack %d win 65535", flags, 1+at, n, ack), stamp(future, 0))
							what := fmt.Sprintf("%s %d(%d) ack %d", flags, 1+at, n, ack)
							require.Equal(t, uint32(100), c.c.TSRecent(), what)
							require.Equal(t, tcp.Established, c.c.State(), what)
							if c.in("P. 1(20) ack 1 win 65535", stamp(101, 0)); !meant {
								require.Equal(t, 20, c.c.Readable(), "the peer goes on after %s", what)
							}
						}
					}
				}
			}
		}
	})
}

// THREATS S18: of three segments of four octets, with other content each, in all
// orders and at all places, the octets that came first are read, whether they came
// in order or were held.
//
// Proves: S18
func TestOverlapsOfThree(t *testing.T) {
	type piece struct{ at, n int }
	var all []piece
	for at := range 4 {
		for n := 1; at+n <= 4; n++ {
			all = append(all, piece{at, n})
		}
	}
	const octets = 4
	each(t, func(t *testing.T, v variant) {
		base := newEnd(t, v, tcp.Linux()).passive(65535)
		for _, a := range all {
			for _, b := range all {
				for _, c := range all {
					for _, eager := range []bool{false, true} { // the user reads at once
						e := base.copied()
						want, next := [octets]byte{}, 0
						got := []byte{}
						read := func() {
							buf := make([]byte, 16)
							k, _ := e.c.Read(e.now, buf)
							got = append(got, buf[:k]...)
						}
						for i, p := range []piece{a, b, c, {0, octets}} {
							s := e.segment(fmt.Sprintf(". %d(%d) ack 1 win 65535", 1+p.at, p.n))
							for k := range s.Payload {
								s.Payload[k] = byte('a' + i)
								if want[p.at+k] == 0 {
									want[p.at+k] = byte('a' + i)
								}
							}
							e.c.Arrives(e.now, s)
							for next < octets && want[next] != 0 {
								next++
							}
							if eager {
								read()
								require.Len(t, got, next)
							}
						}
						read()
						require.Equal(t, string(want[:]), string(got), "%v %v %v", a, b, c)
					}
				}
			}
		}
	})
}

// A SYN-ACK that crosses, a bare ACK, a SYN, and bad ones of them.
var splits = []string{
	". 0(0) ack 1 win 65535", ". 1(0) ack 1 win 65535", ". 0(0) ack 77 win 65535",
	"S 0(0) win 65535", "S. 0(0) ack 1 win 65535", "S. 0(0) ack 77 win 65535",
}

// THREATS S26: a peer that answers the SYN by an ACK, then by a SYN, then by a
// SYN-ACK, in every order, each as often as it likes: there is one connection, from
// the same initial sequence number, it is an active open to its end, and what answers
// is a SYN, a SYN-ACK, an ACK or a reset of what acknowledges something else.
//
// Proves: S26
func TestSplitHandshake(t *testing.T) {
	steps := release.Count(3, 6)
	each(t, func(t *testing.T, v variant) {
		for _, cfg := range []tcp.Config{tcp.Linux(), tcp.RFC9293()} {
			base := newEnd(t, v, cfg)
			base.synSent()
			var try func(e *end, order []int)
			try = func(e *end, order []int) {
				what := func() string { return fmt.Sprint(order) }
				for _, text := range e.took() {
					require.Contains(t, []string{"S 0(0)", "S. 0(0) ack 1", ". 1(0) ack 1", "R 77(0)"}, text, what())
				}
				require.Contains(t, []tcp.State{tcp.SynSent, tcp.SynReceived, tcp.Established}, e.c.State(), "%v", order)
				require.False(t, e.c.Passive(), "%v", order)
				// A reset ends an active open, and is told; a passive one it would lead back to
				// LISTEN.
				if s := e.c.State(); s == tcp.SynReceived {
					r := e.copied()
					r.in("R. 1(0) ack 1")
					require.Equal(t, tcp.Closed, r.c.State(), "%v", order)
					require.Error(t, r.c.Err())
				}
				// Whatever came, an honest end of the handshake opens it.
				h := e.copied()
				h.in("S. 0(0) ack 1 win 65535", mss(1460))
				h.in(". 1(0) ack 1 win 65535")
				require.Equal(t, tcp.Established, h.c.State(), "%v", order)
				h.in("P. 1(20) ack 1 win 65535")
				require.Equal(t, 20, h.read(1))
				h.took()
				h.write(10)
				require.Contains(t, h.took(), "P. 1(10) ack 21", "%v", order)
				if len(order) == steps {
					return
				}
				for i, text := range splits {
					next := e.copied()
					next.in(text, mss(1460))
					try(next, append(order[:len(order):len(order)], i))
				}
			}
			try(base, nil)
		}
	})
}
