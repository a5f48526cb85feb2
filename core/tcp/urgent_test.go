package tcp_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

// RFC 9293 §3.8.5, MUST-30, MUST-62: an urgent write sets URG and the pointer to
// the octet behind it, in all segments that are sent before it is acknowledged;
// its data stays in the stream.
//
// Proves: RFC 9293 §3.8.5, MUST-30, MUST-62
func TestUrgentWrite(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		cfg := tcp.Linux()
		cfg.Nagle = false
		e := newEnd(t, v, cfg).passive(60000)
		e.write(100)
		e.out("not urgent", "P. 1(100) ack 1")
		n, err := e.c.WriteUrgent(e.now, make([]byte, 50))
		require.NoError(t, err)
		require.Equal(t, 50, n)
		e.out("urgent", "P.U 101(50) ack 1 urg 50")
		e.write(10)
		e.out("behind it", "P. 151(10) ack 1")
		e.pass(300 * ms)
		require.Equal(t, "P.U 1(160) ack 1 urg 150", e.took()[0], "sent again as one")
		e.in(". 1(0) ack 161 win 60000")
		e.write(10)
		e.out("it is over", "P. 161(10) ack 1")
		// With the window closed the ACKs tell of it.
		e.in(". 1(0) ack 171 win 0")
		_, err = e.c.WriteUrgent(e.now, make([]byte, 50))
		require.NoError(t, err)
		e.in("F. 1(0) ack 171 win 0")
		e.out("there is urgent data", ".U 171(0) ack 2 urg 50")
	})
}

// MUST-31: urgent data may be longer than the pointer reaches. It saturates, and
// catches up; the receiver is in urgent mode until the right octet has been read.
//
// Proves: MUST-31, MUST-33
func TestUrgentOfAnyLength(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, n := range []int{1, 65535, 65536, 1 << 20} {
			cfg := tcp.Linux()
			cfg.UrgentInline = true
			cfg.SendBuffer, cfg.SendBufferMax, cfg.ReceiveBuffer, cfg.ReceiveBufferMax = 2<<20, 2<<20, 2<<20, 2<<20
			a := newEnd(t, v, cfg).passive(65535, scale(7))
			b := newEnd(t, variant{v.v6, v.irs, v.iss}, cfg).passive(65535, scale(7))
			k, err := a.c.WriteUrgent(a.now, make([]byte, n))
			require.NoError(t, err)
			require.Equal(t, n, k)
			a.write(100)
			events := 0
			for a.c.Unacked() > 0 {
				a.drain()
				for _, s := range a.sent {
					b.c.Arrives(b.now, &tcp.Segment{TCP: s.TCP, Payload: []byte(s.payload), Count: 1})
					b.drain()
					if b.c.TakeReady()&tcp.ReadyUrgent != 0 {
						events++
					}
					require.NotZero(t, b.c.UrgentLeft())
				}
				a.sent = a.sent[:0]
				b.pass(100 * ms)
				for _, s := range b.sent {
					a.c.Arrives(a.now, &tcp.Segment{TCP: s.TCP, Count: 1})
				}
				b.sent = b.sent[:0]
			}
			require.Positive(t, events)
			require.Equal(t, n+100, b.c.InQueue())
			require.Equal(t, uint32(n), b.c.UrgentLeft(), "MUST-33")
			one := make([]byte, 1)
			for left := uint32(n); left > 0; {
				m := make([]byte, max(1, left/2))
				k, err := b.c.Read(b.now, m)
				require.NoError(t, err)
				left -= uint32(k)
				require.Equal(t, left, b.c.UrgentLeft())
			}
			k, err = b.c.Read(b.now, one)
			require.NoError(t, err)
			require.Equal(t, 1, k)
			require.Zero(t, b.c.UrgentLeft())
		}
	})
}

// MUST-32: an event for the first urgent pointer and for each that is further on.
// U-21: none for one that is not, and no octet is lost whatever it says.
//
// Proves: MUST-32, U-21
func TestUrgentEvents(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.RFC9293()).passive(65535)
		event := func() bool { return e.c.TakeReady()&tcp.ReadyUrgent != 0 }
		event()
		e.in(".U 1(10) ack 1 win 65535 urg 20")
		require.True(t, event(), "the first")
		require.Equal(t, uint32(20), e.c.UrgentLeft())
		for _, text := range []string{
			".U 11(5) ack 1 win 65535 urg 10", // the same place
			".U 16(5) ack 1 win 65535 urg 0",  // further back
			".U 1(10) ack 1 win 65535 urg 60", // an old segment
		} {
			e.in(text)
			require.False(t, event(), text)
			require.Equal(t, uint32(20), e.c.UrgentLeft())
		}
		e.in(".U 21(5) ack 1 win 65535 urg 65535")
		require.True(t, event(), "further on")
		require.Equal(t, uint32(20+65535), e.c.UrgentLeft())
		require.Equal(t, 25, e.read(1))
		require.Equal(t, uint32(20+65535-25), e.c.UrgentLeft())

		// A pointer counts from the sequence number as it came: the rest of an old
		// segment has it no further on.
		e = newEnd(t, v, tcp.RFC9293()).passive(65535)
		e.in(". 1(10) ack 1 win 65535")
		e.in(".U 1(20) ack 1 win 65535 urg 15")
		require.Equal(t, uint32(15), e.c.UrgentLeft())

		// On a SYN-ACK it counts from the SYN.
		e = newEnd(t, v, tcp.RFC9293())
		e.synSent()
		e.in("S.U 0(0) ack 1 win 65535 urg 5", mss(1460))
		require.Equal(t, uint32(4), e.c.UrgentLeft())
	})
}

// Urgent data after more than half of the sequence space without any.
func TestUrgentAfterTwoGigabytes(t *testing.T) {
	v := variants[0]
	e := newEnd(t, v, tcp.Linux())
	e.env.Link.MTU, e.env.Link.Checksum = 65535, true
	e.c.Init(&e.env, &e.cfg, 1, e.tuple())
	e.passive(65535, scale(7))
	s := e.segment(". 1(60000) ack 1 win 65535")
	data, b := s.Payload, make([]byte, 1<<17)
	at := uint32(1)
	for ; at < 1<<31+100_000; at += 60000 {
		s.Seq, s.Payload = e.irs+seq.Value(at), data
		e.c.Arrives(e.now, s)
		for e.c.Output(e.now, &e.p) {
		}
		n, err := e.c.Read(e.now, b)
		require.NoError(t, err)
		require.Equal(t, 60000, n)
		for e.c.Output(e.now, &e.p) {
		}
	}
	e.c.TakeReady()
	e.in(fmt.Sprintf(".U %d(0) ack 1 win 65535 urg 7", at))
	require.Equal(t, uint32(7), e.c.UrgentLeft())
}

// S21: whatever the urgent pointer says, in whatever state, with whatever flags and
// wherever the numbers wrap: what is left to be read of urgent data is never less
// than nothing, and the stream stays whole but for the one octet that ReadUrgent
// gives. Whole is with ECE and CWR, and with a segment that begins an octet before what is expected.
//
// Proves: S21
func TestUrgentGrid(t *testing.T) {
	sets, offsets := wire.Flags(64), []int32{0}
	if release.Whole() {
		sets, offsets = 256, []int32{0, -1}
	}
	each(t, func(t *testing.T, v variant) {
		for _, inline := range []bool{true, false} {
			for _, last := range []bool{false, true} {
				if last && !release.Whole() {
					continue
				}
				cfg := tcp.Linux()
				cfg.UrgentInline, cfg.UrgentAtLast = inline, last
				for _, state := range allStates {
					base := reach(t, v, cfg, state)
					for f := range sets {
						for _, length := range []int{0, 1, 10} {
							for _, up := range []uint16{0, 1, uint16(length), 65535} {
								for _, off := range offsets {
									if off != 0 && f.Has(wire.SYN) {
										continue // its data stands one further on
									}
									e := base.copied()
									at := int32(e.c.View().Receive.NXT-e.irs) + off
									s := e.segment(fmt.Sprintf(". %d(%d) ack 1 win 65535", at, length))
									s.Flags, s.Urgent = f, up
									e.c.Arrives(e.now, s)
									for e.c.Output(e.now, &e.p) {
									}
									require.Empty(t, e.c.Check())
									left := e.c.UrgentLeft()
									require.LessOrEqual(t, left, uint32(65536))
									if !e.c.State().Synchronized() || e.c.Readable() == 0 && left == 0 {
										continue
									}
									e.readsWhole(length+int(off), inline)
								}
							}
						}
					}
				}
			}
		}
	})
}

// copied is the end as it is now, to be used up.
func (e *end) copied() *end {
	c := *e
	c.sent = nil
	c.env = e.env.Clone()
	c.c = e.c.Clone(&c.env)
	return &c
}

// readsWhole reads what has arrived, n octets of the peer's stream from its first,
// and checks that no other than an urgent one is missing.
func (e *end) readsWhole(n int, inline bool) {
	octet, err := e.c.ReadUrgent(false)
	apart := err == nil
	got := []byte{}
	b := make([]byte, 64)
	for range 4 {
		if k, err := e.c.Read(e.now, b); err == nil {
			got = append(got, b[:k]...)
		}
	}
	want := []byte{}
	for i := range n {
		want = append(want, stream(1+uint32(i)))
	}
	if apart {
		require.False(e, inline)
		i := bytes.IndexByte(want, octet)
		require.GreaterOrEqual(e, i, 0, "it was in the stream")
		want = append(want[:i:i], want[i+1:]...)
	}
	require.Equal(e, want, got)
	require.Empty(e, e.c.Check())
}

// Urgent data may be written before the peer has answered our SYN (§3.10.2).
//
// Proves: RFC 9293 §3.8.5
func TestUrgentBeforeTheHandshake(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux())
		e.synSent()
		_, err := e.c.WriteUrgent(e.now, make([]byte, 10))
		require.NoError(t, err)
		e.in("S. 0(0) ack 1 win 65535", mss(1460))
		e.out("the urgent data", "P.U 1(10) ack 1 urg 10")
	})
}
