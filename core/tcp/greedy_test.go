package tcp_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/internal/release"
)

// THREATS S19: a receiver that acknowledges ahead of what it has, up to the last
// octet sent and beyond, gets no larger window than the octets that were sent can
// open: an acknowledgment of what was not sent counts for nothing, and one ACK
// answers. However early it comes the timeout stays at its least.
//
// Proves: S19
func TestOptimisticAcks(t *testing.T) {
	acks := release.Count(150, 10_000)
	each(t, func(t *testing.T, v variant) {
		for _, cfg := range []tcp.Config{tcp.Linux(), tcp.RFC9293()} {
			cfg.SendBuffer, cfg.SendBufferMax = mebibyte/4, mebibyte/4
			e := newEnd(t, v, cfg).passive(65535, scale(2))
			random := rand.New(rand.NewPCG(19, 1))
			initial := e.c.View().Cwnd
			block := make([]byte, mebibyte/4)
			sent, una := uint64(0), e.iss.Add(1) // octets, and what we have acknowledged
			top := una
			ack := e.segment(". 1(0) ack 1 win 65535")
			for i := range acks {
				_, _ = e.c.Write(e.now, block)
				e.drain()
				sent += uint64(e.top.From(top))
				top = e.top
				e.sent = e.sent[:0]
				flight := e.top.From(una)
				before := e.c.View()
				switch random.IntN(3) {
				case 0: // what was not sent
					e.now = e.now.Add(cfg.ChallengeInterval)
					ack.Ack = e.top.Add(1 + seq.Size(random.Uint32N(1<<30)))
					e.c.Arrives(e.now, ack)
					require.Len(t, e.took(), 1, "one ACK answers")
					after := e.c.View()
					require.Equal(t, before.Cwnd, after.Cwnd)
					require.Equal(t, before.Send, after.Send)
				case 1: // all of it at once
					ack.Ack = e.top
					e.c.Arrives(e.now, ack)
					una = e.top
				case 2: // some of it
					una = una.Add(seq.Size(random.Uint32N(uint32(flight) + 1)))
					ack.Ack = una
					e.c.Arrives(e.now, ack)
				}
				require.LessOrEqual(t, uint64(e.c.View().Cwnd), uint64(initial)+sent, "ACK %d", i)
				require.GreaterOrEqual(t, clock.Duration(e.c.Info(e.now).RTO)*clock.Microsecond, cfg.RTOMin)
				e.now = e.now.Add(clock.Microsecond)
			}
			require.Empty(t, e.c.Check())
		}
	})
}

// THREATS S20: a segment that is acknowledged octet by octet opens the window by as
// much as one acknowledged at once: RFC 3465.
//
// Proves: S20
func TestDividedAcks(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, cfg := range []tcp.Config{tcp.Linux(), tcp.RFC9293()} {
			e := newEnd(t, v, cfg).passive(65535, scale(7))
			e.write(170 * 1460)
			for round := range release.Count(3, 12) {
				e.took()
				before := e.c.View()
				una := uint32(int32(before.Send.UNA - e.iss))
				for k := range uint32(1460) {
					e.in(fmt.Sprintf(". 1(0) ack %d win 65535", una+k+1))
				}
				require.LessOrEqual(t, e.c.View().Cwnd, before.Cwnd+1460, "round %d", round)
				require.Empty(t, e.c.Check())
			}
		}
	})
}

// answering lets segments of a peer that echoes back go on until nobody has anything
// to say at this instant, and returns how many there were.
func answering(t *testing.T, a, b *end) (packets int) {
	deliver := func(from, to *end) {
		from.drain()
		sent := from.sent
		from.sent = nil
		for _, s := range sent {
			packets++
			require.Less(t, packets, 1000, "they answer each other for ever")
			to.c.Arrives(to.now, &tcp.Segment{TCP: s.TCP, Payload: []byte(s.payload), Tuple: to.tuple(), Count: 1})
		}
	}
	for before := -1; before != packets; {
		before = packets
		deliver(a, b)
		deliver(b, a)
	}
	return packets
}

// facing returns two ends of one connection.
func facing(t *testing.T, v variant, cfg tcp.Config) (a, b *end) {
	a, b = newEnd(t, v, cfg), newEnd(t, variant{v.v6, v.irs, v.iss}, cfg)
	a.synSent()
	b.synReceived()
	a.in("S. 0(0) ack 1 win 65535", mss(1460))
	a.took()
	b.in(". 1(0) ack 1 win 65535")
	require.Equal(t, tcp.Established, a.c.State())
	require.Equal(t, tcp.Established, b.c.State())
	return a, b
}

// THREATS S28: two ends that disagree, since somebody has put octets between them or
// since their probes cross, exchange ten segments at most, and then are quiet.
//
// Proves: S28
func TestAckWar(t *testing.T) {
	injected := ". 1(10) ack 1 win 65535"
	each(t, func(t *testing.T, v variant) {
		for name, cfg := range map[string]tcp.Config{"linux": tcp.Linux(), "rfc9293": tcp.RFC9293()} {
			for what, start := range map[string]func(a, b *end){
				"one end":   func(a, _ *end) { a.c.Arrives(a.now, a.segment(injected)) },
				"both ends": func(a, b *end) { a.c.Arrives(a.now, a.segment(injected)); b.c.Arrives(b.now, b.segment(injected)) },
				"other octets": func(a, b *end) {
					a.c.Arrives(a.now, a.segment(injected))
					b.c.Arrives(b.now, b.segment(". 1(1000) ack 1 win 65535"))
				},
				"crossing keepalives": func(a, b *end) {
					for _, e := range []*end{a, b} {
						e.c.SetKeepalive(e.now, true, second, second, 9)
						e.pass(second)
					}
				},
				"crossing window probes": func(a, b *end) {
					for _, e := range []*end{a, b} {
						e.in(". 1(0) ack 1 win 0")
						e.took()
						e.write(100)
						e.pass(e.c.Deadline().Sub(e.now))
						require.NotEmpty(e, e.sent, "a probe")
					}
				},
			} {
				a, b := facing(t, v, cfg)
				a.pass(second)
				b.pass(second)
				start(a, b)
				total := 0
				until := a.now.Add(400 * ms)
				for a.now < until {
					total += answering(t, a, b)
					next := min(until, a.c.Deadline(), b.c.Deadline())
					for _, e := range []*end{a, b} {
						e.now = next
						e.c.Expire(e.now)
					}
				}
				require.LessOrEqual(t, total, 10, "%s, %s", what, name)
				require.NotZero(t, total, "%s, %s", what, name)
				for _, e := range []*end{a, b} {
					require.Equal(t, tcp.Established, e.c.State())
				}
				t.Logf("%s, %s: %d", what, name, total)
			}

			// A connection to itself: what leaves comes back (RFC 9293 §3.5).
			e := newEnd(t, variant{v.v6, v.iss, v.iss}, cfg)
			e.c.OpenActive(e.now, e.iss, 0)
			total := answering(t, e, e)
			require.LessOrEqual(t, total, 10, name)
			require.Equal(t, tcp.Established, e.c.State())
			e.pass(second)
			require.LessOrEqual(t, answering(t, e, e), 1)
		}
	})
}
