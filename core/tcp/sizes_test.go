package tcp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// MUST-14 to MUST-16, SHLD-28: the effective send MSS, for what the peer says, the
// link takes and each segment carries of options: no segment is larger, and bulk
// data fills it.
//
// Proves: MUST-14, MUST-15, MUST-16, SHLD-28
func TestEffectiveMSSGrid(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		fixed, assumed := 40, 536
		if v6 {
			fixed, assumed = 60, 1220
		}
		for _, mtu := range []int{576, 1280, 1500, 9000, 65535} {
			if v6 && mtu < 1280 {
				continue
			}
			for _, offered := range []int{-1, 216, 536, 1220, 1460, 8960, 65495, 65535} {
				for _, stamps := range []bool{false, true} {
					for _, holes := range []int{0, 1, 3, 5} {
						name := fmt.Sprintf("mtu %d mss %d stamps %v holes %d", mtu, offered, stamps, holes)
						cfg := tcp.RFC9293()
						cfg.Nagle = false
						cfg.SendBuffer, cfg.SendBufferMax = 1<<20, 1<<20
						e := newEnd(t, variant{v6, 77, 99}, cfg)
						e.env.Link.MTU = mtu
						e.c.Init(&e.env, &e.cfg, 1, e.tuple())
						syn := []wire.Options{sackOK, scale(7)}
						peer := assumed
						if offered >= 0 {
							peer = offered
							syn = append(syn, mss(uint16(offered)))
						}
						var each []wire.Options
						options := 0
						if stamps {
							each, options = append(each, stamp(5, 0)), 12
						}
						e.c.OpenPassive(e.now, e.iss, 0, e.segment("S 0(0) win 65535", append(syn, each...)...))
						e.drain()
						require.Equal(t, uint16(min(mtu-fixed, 65535)), e.last.Options.MSS, "MUST-67: %s", name)
						require.LessOrEqual(t, int(e.last.Options.MSS), mtu-fixed)
						e.in(". 1(0) ack 1 win 60000", each...)
						for i := range holes {
							e.in(fmt.Sprintf(". %d(1) ack 1 win 60000", 10+10*i), each...)
						}
						if holes > 0 {
							options += 4 + 8*min(holes, map[bool]int{true: 3, false: 4}[stamps])
						}
						e.took()
						e.write(min(500_000, 25*mtu))
						want := min(peer, mtu-fixed)
						largest, full, data := 0, 0, 0
						for i := 0; i < 50 && e.c.Unacked() > 0; i++ {
							for _, s := range e.sent {
								require.Zero(t, s.Options.Has&wire.HasMSS, "MUST-65")
								n := len(s.payload) + s.HeaderLen - 20
								require.LessOrEqual(t, n, want, name)
								largest = max(largest, n)
								data++
								if n == want {
									full++
									require.Equal(t, options, s.HeaderLen-20, name)
								}
							}
							e.sent = e.sent[:0]
							e.in(fmt.Sprintf(". 1(0) ack %d win 60000", int32(e.top-e.iss)), each...)
						}
						require.Equal(t, want, largest, name)
						require.Greater(t, full*100, data*60, name)
					}
				}
			}
		}
	}
}

// S03: a SYN that offers less than the least is refused, from either end. With the
// least that is taken the headers of bulk data do not outweigh it.
//
// Proves: S03
func TestTinyMSS(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.RFC9293())
		e.synSent()
		e.in("S. 0(0) ack 1 win 1000", mss(215))
		require.Equal(t, tcp.Closed, e.c.State())

		for _, o := range []wire.Options{{}, stamp(100, 0)} {
			e = newEnd(t, v, tcp.RFC9293())
			e.synSent()
			e.in("S. 0(0) ack 1 win 65535", mss(216), o)
			e.write(100_000)
			wired, octets := 0, 0
			for e.c.Unacked() > 0 {
				for i := range e.sent {
					s := &e.sent[i]
					wired, octets = wired+s.ip.TotalLen, octets+len(s.payload)
					if len(s.payload) > 0 && s.Flags&wire.PSH == 0 {
						require.GreaterOrEqual(t, len(s.payload), 216-(s.HeaderLen-20))
					}
				}
				e.took()
				e.in(fmt.Sprintf(". 1(0) ack %d win 65535", int32(e.top-e.iss)), o)
			}
			require.Equal(t, 100_000, octets)
			require.LessOrEqual(t, float64(wired)/float64(octets), 1.6)
		}
	})
}

// MUST-38: the peer opens its window octet by octet; what goes is a full segment,
// or half the largest window, or all that there is, or what the override lets go
// (THREATS S31).
//
// Proves: MUST-38, S31
func TestSenderAvoidsSillyWindows(t *testing.T) {
	const maxWindow = 4000
	each(t, func(t *testing.T, v variant) {
		for _, linux := range []bool{true, false} {
			cfg := tcp.RFC9293()
			if linux {
				cfg = tcp.Linux()
				cfg.MSSOfWindow = false // which leaves less to avoid
			}
			e := newEnd(t, v, cfg)
			e.c.OpenPassive(e.now, e.iss, 0, e.segment(fmt.Sprintf("S 0(0) win %d", maxWindow), mss(1460)))
			e.took()
			e.in(". 1(0) ack 1 win 0")
			e.write(100_000)
			edge := 1
			silly := 0
			var last clock.Instant
			for range 5000 {
				e.pass(ms)
				edge++
				e.in(fmt.Sprintf(". 1(0) ack %d win %d", int32(e.top-e.iss), edge-int(int32(e.top-e.iss))))
				for _, s := range e.sent {
					n := len(s.payload)
					if n == 0 {
						continue
					}
					require.LessOrEqual(t, int(int32(s.Seq-e.iss))+n, edge, "within the window")
					if n < 1460 && n < maxWindow/2 {
						silly++
						require.GreaterOrEqual(t, s.at.Sub(last), max(cfg.SWSOverride, 100*ms), "the override has passed")
					}
					last = s.at
				}
				e.sent = e.sent[:0]
			}
			require.Greater(t, edge-int(int32(e.top-e.iss)), -1)
			require.LessOrEqual(t, edge-int(int32(e.top-e.iss)), 1460, "and it is used")
			t.Logf("%d by the override", silly)
		}
	})
}

// MUST-39: the user reads octet by octet; the right edge moves by a full segment or
// half the buffer at least, but for the rounding of the scale, and never back.
//
// Proves: MUST-39, S31
func TestReceiverAvoidsSillyWindows(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, buffer := range []uint32{1000, 5000, 65535} {
			for _, scaled := range []bool{false, true} {
				cfg := tcp.Linux()
				cfg.ReceiveBuffer, cfg.ReceiveBufferMax = buffer, buffer
				unit := 1
				var o []wire.Options
				if scaled {
					cfg.ReceiveBufferMax = 6 << 20
					unit = 128
					o = append(o, scale(7))
				}
				e := newEnd(t, v, cfg)
				e.c.Init(&e.env, &e.cfg, 1, e.tuple())
				e.passive(65535, o...)
				if scaled {
					e.c.SetReceiveBuffer(buffer) // no growth
				}
				step := min(int(buffer)/2, 1460)
				at, edge := 1, 1+int(buffer)
				one := make([]byte, 1)
				for range min(3*int(buffer), 6000) {
					// As much as the window takes.
					if n := min(1460, edge-at); n > 0 {
						e.in(fmt.Sprintf(". %d(%d) ack 1 win 60000", at, n))
						at += n
					}
					_, err := e.c.Read(e.now, one)
					require.NoError(t, err)
					e.pass(50 * ms)
					for _, s := range e.sent {
						now := int(s.Ack-e.irs) + int(s.Window)*unit
						require.GreaterOrEqual(t, now, edge-unit+1, "SHLD-14")
						if now >= edge+unit {
							require.GreaterOrEqual(t, now-edge, step-2*unit+1, "MUST-39")
						}
						edge = max(edge, now)
					}
					e.sent = e.sent[:0]
					require.LessOrEqual(t, e.c.Readable(), int(buffer))
				}
			}
		}
	})
}

// MUST-40, SHLD-18, SHLD-19: one segment waits for less than half a second, two
// full ones do not.
//
// Proves: MUST-40, SHLD-18, SHLD-19
func TestDelayedAcks(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, cfg := range []tcp.Config{tcp.Linux(), tcp.RFC9293()} {
			cfg.QuickAcks = 0
			e := newEnd(t, v, cfg).passive(60000)
			e.in(". 1(1000) ack 1 win 60000")
			e.out("it waits")
			at := e.times(second)
			require.Len(t, at, 1)
			require.Less(t, at[0], 500)
			e.read(1)
			e.took()
			n := 0
			for i := range 100 {
				e.in(fmt.Sprintf(". %d(1000) ack 1 win 60000", 1001+1000*i))
				e.read(uint32(1001 + 1000*i))
				n += len(e.took())
			}
			require.GreaterOrEqual(t, n, 50)
		}
	})
}
