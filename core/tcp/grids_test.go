package tcp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// ackValues are acknowledgments around what may be, relative to our SYN.
var ackValues = []int64{-(1 << 30), -2, -1, 0, 1, 2, 3, 1000, 1 << 30, 1<<31 - 1, -(1 << 31)}

// U-04: SYN-SENT, every set of flags with every kind of acknowledgment (RFC 9293
// §3.10.7.3).
//
// Proves: U-04, RFC 9293 §3.10.7.3
func TestSynSentGrid(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, cfg := range []tcp.Config{tcp.Linux(), tcp.RFC9293()} {
			for flags := wire.Flags(0); flags < 64; flags++ {
				for _, ack := range ackValues {
					var out []string
					next, err := tcp.SynSent, tcp.NoError
					has := func(f wire.Flags) bool { return flags&f != 0 }
					switch good := ack == 1; {
					case has(wire.ACK) && !good: // First
						if !has(wire.RST) {
							out = []string{fmt.Sprintf("R %d(0)", ack)}
						}
					case has(wire.RST): // Second
						if has(wire.ACK) {
							next, err = tcp.Closed, tcp.ErrRefused
						}
					case !has(wire.SYN): // Fifth
					case has(wire.ACK): // Fourth
						next, out = tcp.Established, []string{". 1(0) ack 1"}
						if has(wire.FIN) && cfg.SynAckText {
							next, out = tcp.CloseWait, []string{". 1(0) ack 2"}
						}
					default:
						next, out = tcp.SynReceived, []string{"S. 0(0) ack 1"}
					}
					e := newEnd(t, v, cfg)
					e.synSent()
					s := e.segment("- 0(0) win 1000")
					s.Flags, s.Ack = flags, e.iss.Add(0)
					if has(wire.ACK) {
						s = e.segment(fmt.Sprintf("%v 0(0) ack %d win 1000", flags, ack))
					}
					e.c.Arrives(e.now, s)
					what := fmt.Sprintf("%v ack %d", flags, ack)
					e.out(what, out...)
					require.Equal(t, next, e.c.State(), what)
					if err != tcp.NoError {
						require.Equal(t, err, e.c.Err(), what)
					} else {
						require.NoError(t, e.c.Err(), what)
					}
				}
			}
		}
	})
}

// U-11: SYN-RECEIVED from either kind of open, likewise, at RCV.NXT (RFC 9293
// §3.10.7.4).
//
// Proves: U-11, RFC 9293 §3.10.7.4
func TestSynReceivedGrid(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, passive := range []bool{true, false} {
			for flags := wire.Flags(0); flags < 64; flags++ {
				for _, ack := range ackValues {
					var out []string
					next, err := tcp.SynReceived, tcp.NoError
					has := func(f wire.Flags) bool { return flags&f != 0 }
					switch {
					case has(wire.RST) && passive: // Second
						next = tcp.Listen
					case has(wire.RST):
						next, err = tcp.Closed, tcp.ErrRefused
					case has(wire.SYN) && passive: // Fourth
						next = tcp.Listen
					case has(wire.SYN):
						out = []string{". 1(0) ack 1"}
					case !has(wire.ACK): // Fifth
					case ack != 1:
						out = []string{fmt.Sprintf("R %d(0)", ack)}
					default:
						next = tcp.Established
						if has(wire.FIN) { // Eighth
							next, out = tcp.CloseWait, []string{". 1(0) ack 2"}
						}
					}
					e := newEnd(t, v, tcp.RFC9293())
					if passive {
						e.synReceived()
					} else {
						e.synSent()
						e.in("S 0(0) win 1000", mss(1460))
						e.out("both SYNs have crossed", "S. 0(0) ack 1")
					}
					if has(wire.ACK) {
						e.in(fmt.Sprintf("%v 1(0) ack %d win 1000", flags, ack))
					} else {
						e.in(fmt.Sprintf("%v 1(0) win 1000", flags))
					}
					what := fmt.Sprintf("%v ack %d passive %v", flags, ack, passive)
					e.out(what, out...)
					require.Equal(t, next, e.c.State(), what)
					if err != tcp.NoError {
						require.Equal(t, err, e.c.Err(), what)
					} else {
						require.NoError(t, e.c.Err(), what)
					}
					if next == tcp.Listen || next == tcp.Closed {
						require.Equal(t, clock.Never, e.c.Deadline(), what)
					}
				}
			}
		}
	})
}

// U-05: the test of acceptability, for every segment around a small window, against
// an oracle that knows no wrap; and U-13, what of it is taken.
//
// Proves: U-05, U-13
func TestAcceptabilityGrid(t *testing.T) {
	// Where each octet of the peer's stream has arrived; 1 is the first.
	const full = 5 // octets that the buffer has
	each(t, func(t *testing.T, v variant) {
		for used := 0; used <= full; used++ { // octets in it that nobody has read
			nxt, edge := 1+used, 1+full
			for at := nxt - 4; at <= edge+3; at++ {
				for n := 0; n <= 8; n++ {
					for _, fin := range []bool{false, true} {
						cfg := tcp.Linux()
						cfg.ReceiveBuffer, cfg.ReceiveBufferMax, cfg.WindowScaling = full, full, false
						e := newEnd(t, v, cfg).passive(1000)
						if used > 0 {
							e.in(fmt.Sprintf(". 1(%d) ack 1 win 1000", used))
							e.took()
						}
						require.Equal(t, uint32(edge-nxt), e.c.Info(e.now).RcvWnd)
						flags, length := ".", n
						if fin {
							flags, length = "F.", n+1
						}
						text := fmt.Sprintf("%s %d(%d) ack 1 win 1000", flags, at, n)
						what := fmt.Sprintf("%s into [%d, %d)", text, nxt, edge)
						before := e.env.Stats.Drops
						e.in(text)

						in := func(x int) bool { return nxt <= x && x < edge }
						var acceptable bool
						switch {
						case length == 0 && edge == nxt:
							acceptable = at == nxt
						case length == 0:
							acceptable = in(at)
						case edge == nxt:
							acceptable = false
						default:
							// The last line is for a segment that covers the window, which the
							// RFC's two tests miss.
							acceptable = in(at) || in(at+length-1) || at < nxt && at+length-1 >= edge
						}
						refused := e.env.Stats.Drops[rule.DropSequence] + e.env.Stats.Drops[rule.DropOutOfWindow] -
							before[rule.DropSequence] - before[rule.DropOutOfWindow]
						require.Equal(t, acceptable, refused == 0, what)

						got := used
						if acceptable && at <= nxt {
							got = max(got, min(at+n, edge)-1)
						}
						require.Equal(t, got, e.c.Readable(), what)
						finished := fin && acceptable && at <= nxt && at+n <= edge && at+n == 1+got
						if finished {
							require.Equal(t, tcp.CloseWait, e.c.State(), what)
						} else {
							require.Equal(t, tcp.Established, e.c.State(), what)
						}
						out := e.took()
						if !acceptable {
							require.Equal(t, []string{fmt.Sprintf(". 1(0) ack %d", nxt)}, out, "an ACK answers: %s", what)
						}

						// What was held is there once the gap has been filled.
						if !finished {
							want := got
							if acceptable && at > nxt {
								want = max(at, min(at+n, edge)) - 1
								if want > got {
									e.in(fmt.Sprintf(". %d(%d) ack 1 win 1000", nxt, at-nxt))
								}
							}
							require.Equal(t, want, e.read(1), what)
						}
					}
				}
			}
		}
	})
}

// U-06, THREATS S06: a reset at each number around a window of 64 KiB. Only the one
// at RCV.NXT resets; in the window there is a challenge ACK, one in 500 ms; outside
// there is silence.
//
// Proves: U-06, S06
func TestResetSweep(t *testing.T) {
	const window = 65535
	each(t, func(t *testing.T, v variant) {
		for _, s := range []tcp.State{tcp.Established, tcp.FinWait1, tcp.FinWait2, tcp.CloseWait, tcp.Closing, tcp.LastAck} {
			cfg := tcp.Linux()
			cfg.ReceiveBuffer, cfg.ReceiveBufferMax, cfg.WindowScaling, cfg.RTOMin = window, window, false, clock.Hour
			e := reach(t, v, cfg, s)
			nxt := int(e.c.Info(e.now).RcvWnd)
			require.GreaterOrEqual(t, nxt, window-1, "the window is open")
			first := int32(e.last.Ack - e.irs)
			edge := first + int32(e.c.Info(e.now).RcvWnd)
			step := int32(1)
			if s != tcp.Established || v != variants[0] && v != variants[1] {
				step = 97 // the same code
			}
			e.pass(second)
			start := e.now
			e.took()
			answers := 0
			for at := first - 2; at <= edge+2; at++ {
				if at == first || at > first+2 && at < edge-2 && (at-first)%step != 0 {
					continue
				}
				e.now = e.now.Add(3 * ms)
				e.c.Arrives(e.now, e.segment(fmt.Sprintf("R %d(0)", at)))
				k := len(e.took())
				if at < first || at >= edge {
					require.Zero(t, k, "outside: %d", at)
				}
				answers += k
				require.Equal(t, s, e.c.State(), "%d", at)
			}
			require.Positive(t, answers)
			require.LessOrEqual(t, answers, 1+int(e.now.Sub(start)/(500*ms)))
			e.in(fmt.Sprintf("R %d(0)", first))
			require.Equal(t, tcp.Closed, e.c.State(), "the one at RCV.NXT")
		}
	})
}

// What the user is told of a reset: nothing once both have closed, §3.10.7.4. Linux
// tells of it until TIME-WAIT, and calls it a broken pipe in CLOSE-WAIT.
func TestResetTellsUser(t *testing.T) {
	for s, want := range map[tcp.State][2]tcp.Error{
		tcp.Established: {tcp.ErrReset, tcp.ErrReset},
		tcp.FinWait2:    {tcp.ErrReset, tcp.ErrReset},
		tcp.CloseWait:   {tcp.ErrReset, tcp.ErrPipe},
		tcp.Closing:     {tcp.NoError, tcp.ErrReset},
		tcp.LastAck:     {tcp.NoError, tcp.ErrReset},
		tcp.TimeWait:    {tcp.NoError, tcp.NoError},
	} {
		for i, cfg := range []tcp.Config{tcp.RFC9293(), tcp.Linux()} {
			e := reach(t, variants[0], cfg, s)
			e.in(fmt.Sprintf("R %d(0)", int32(e.last.Ack-e.irs)))
			require.Equal(t, tcp.Closed, e.c.State(), s)
			if want[i] == tcp.NoError {
				require.NoError(t, e.c.Err(), s)
			} else {
				require.Equal(t, want[i], e.c.Err(), s)
			}
		}
	}
}

// U-07, THREATS S07: a SYN in a synchronized state gets a challenge ACK whatever it
// carries and wherever it stands, and changes nothing.
//
// Proves: U-07, S07
func TestSynInSynchronizedStates(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, s := range allStates {
			if !s.Synchronized() {
				continue
			}
			// In TIME-WAIT a SYN that may open the connection anew is the stack's:
			// TestTimeWaitReopens.
			base := reach(t, v, tcp.Linux(), s)
			base.pass(second)
			base.took()
			for _, flags := range []string{"S", "S.", "SF", "SF."} {
				for _, n := range []int{0, 10} {
					for _, at := range []int{
						-(1 << 31), -(1 << 30), -100000, -65536, -65535, -1000, -12, -11, -10, -9, -2, -1, 0, 1, 2, 3, 1000, 30000,
						60000, 65534, 65535, 65536, 65537, 100000, 1 << 24, 1 << 30, 1<<31 - 1,
					} {
						e := base.copied()
						e.TB = t
						fin := e.c.Info(e.now)
						e.in(fmt.Sprintf("%s %d(%d) ack 1 win 7", flags, at, n))
						require.Len(t, e.took(), 1, "%v: %s %d(%d)", s, flags, at, n)
						require.Equal(t, wire.ACK, e.last.Flags&^wire.FIN)
						require.Equal(t, s, e.c.State())
						require.Equal(t, fin.SndWnd, e.c.Info(e.now).SndWnd)
						require.Zero(t, e.c.Readable())
					}
				}
			}
		}
	})
}

// U-12: what a FIN does in each state: alone, behind data, twice, ahead of data.
//
// Proves: U-12
func TestFinByState(t *testing.T) {
	after := map[tcp.State]tcp.State{
		tcp.Closed: tcp.Closed, tcp.Listen: tcp.Listen, tcp.SynSent: tcp.SynSent,
		tcp.SynReceived: tcp.CloseWait, tcp.Established: tcp.CloseWait,
		tcp.FinWait1: tcp.Closing, tcp.FinWait2: tcp.TimeWait,
		tcp.CloseWait: tcp.CloseWait, tcp.Closing: tcp.Closing, tcp.LastAck: tcp.LastAck, tcp.TimeWait: tcp.TimeWait,
	}
	// The acknowledgment that changes nothing but in SYN-RECEIVED.
	ack := map[tcp.State]int{tcp.FinWait2: 2, tcp.TimeWait: 2}
	each(t, func(t *testing.T, v variant) {
		for _, s := range allStates {
			t.Run(s.String(), func(t *testing.T) {
				a := max(1, ack[s])
				live := s == tcp.SynReceived || s == tcp.Established || s == tcp.FinWait1 || s == tcp.FinWait2
				had := s == tcp.CloseWait || s == tcp.Closing || s == tcp.LastAck || s == tcp.TimeWait
				take := func(e *end, text string) []string {
					e.in(fmt.Sprintf("%s ack %d win 60000", text, a))
					e.pass(100 * ms)
					return e.took()
				}
				quiet := tcp.Linux()
				quiet.RTOMin = 10 * second // our FIN is not sent again meanwhile

				e := reach(t, v, quiet, s)
				out := take(e, "F. 1(0)")
				require.Equal(t, after[s], e.c.State(), "alone")
				if live || had {
					require.Len(t, out, 1)
					require.Equal(t, e.irs.Add(2), e.last.Ack)
				}
				if s == tcp.TimeWait {
					require.Equal(t, e.now.Add(-100*ms+e.cfg.TimeWait), e.c.Deadline(), "2 MSL begin anew")
				}
				out = take(e, "F. 1(0)")
				require.Equal(t, after[s], e.c.State(), "again")
				if live || had {
					require.Len(t, out, 1, "and acknowledged again")
					require.Equal(t, e.irs.Add(2), e.last.Ack, "once")
				}

				e = reach(t, v, quiet, s)
				take(e, "F. 1(10)")
				require.Equal(t, after[s], e.c.State(), "behind data")
				if live {
					require.Equal(t, e.irs.Add(12), e.last.Ack)
					require.Equal(t, 10, e.read(1))
				} else {
					require.Zero(t, e.c.Readable())
				}

				e = reach(t, v, quiet, s)
				take(e, "F. 11(0)")
				switch {
				case live:
					// The ACK of the handshake counts all the same.
					if s == tcp.SynReceived {
						require.Equal(t, tcp.Established, e.c.State())
					} else {
						require.Equal(t, s, e.c.State(), "ahead of data")
					}
					require.Equal(t, e.irs.Add(1), e.last.Ack)
					take(e, ". 1(10)")
					require.Equal(t, after[s], e.c.State(), "the gap is filled")
					require.Equal(t, e.irs.Add(12), e.last.Ack)
					require.Equal(t, 10, e.read(1))
				default:
					require.Equal(t, after[s], e.c.State())
				}
			})
		}
	})
}

// U-09: without ACK nothing is taken once the connection is synchronized.
//
// Proves: U-09
func TestNoAckNothingTaken(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, s := range allStates {
			if !s.Synchronized() {
				continue
			}
			for _, flags := range []string{"-", "P", "F", "FP", "U", "FPU"} {
				e := reach(t, v, tcp.RFC9293(), s)
				e.in(fmt.Sprintf("%s 1(10) win 7", flags))
				require.Equal(t, s, e.c.State(), flags)
				require.Zero(t, e.c.Readable())
			}
		}
	})
}

// U-08: an ACK counts in [SND.UNA - MAX.SND.WND, SND.NXT]; what comes with another
// is not taken, and an ACK answers (RFC 5961 §5.2).
//
// Proves: U-08, RFC 5961 §5.2
func TestAckRange(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		open := func() *end {
			cfg := tcp.Linux()
			cfg.Nagle = false
			e := newEnd(t, v, cfg)
			e.c.OpenPassive(e.now, e.iss, 0, e.segment("S 0(0) win 5000", mss(1460)))
			e.took()
			e.in(". 1(0) ack 1 win 5000")
			e.write(3000)
			e.in(". 1(0) ack 1461 win 4000")
			e.write(100)
			e.took() // SND.UNA 1461, SND.NXT 3101, MAX.SND.WND 5000
			return e
		}
		for _, c := range []struct {
			ack  int64
			good bool
		}{
			{3102, false}, {3101, true}, {3100, true}, {1461, true}, {1460, true}, {1461 - 5000, true}, {1460 - 5000, false},
			{3102 + 1<<30, false}, {1461 - 1<<30, false}, {1461 + 1<<31, false},
		} {
			e := open()
			e.in(fmt.Sprintf("P. 1(10) ack %d win 5000", c.ack))
			require.Equal(t, map[bool]int{true: 10}[c.good], e.c.Readable(), "%d", c.ack)
			if !c.good {
				require.Equal(t, []string{". 3101(0) ack 1"}, e.took(), "%d", c.ack)
			}
		}
	})
}
