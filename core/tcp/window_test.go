package tcp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/tcp"
)

// Segments smaller than the unit of a scaled window must not let it creep on
// while nobody reads: the window closes, and no more is taken than the buffer
// holds (THREATS S30). The edge goes back by less than a unit at most.
//
// Proves: S30
func TestSmallSegmentsDoNotMoveTheWindow(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		const buffer = 128 << 10
		cfg := tcp.Linux()
		cfg.ReceiveBuffer, cfg.ReceiveBufferMax = buffer, 6<<20
		e := newEnd(t, v, cfg).passive(65535, scale(7))
		unit := 1 << e.c.Info(e.now).RcvWscale
		require.Equal(t, 128, unit)
		edge := 0
		for at := 1; at < buffer+1000; at += 100 {
			e.in(fmt.Sprintf("P. %d(100) ack 1 win 65535", at))
			for _, s := range e.sent {
				now := int(s.Ack-e.irs) + int(s.Window)*unit
				require.Greater(t, now, edge-unit, "the right edge goes back by more than rounding")
				edge = max(edge, now)
			}
			e.sent = e.sent[:0]
		}
		require.LessOrEqual(t, e.c.Readable(), buffer)
		require.Zero(t, e.last.Window)
		require.Greater(t, e.c.Readable(), buffer-unit-200, "and nearly all of it can be used")
	})
}

// A receive buffer that is set beyond what the scale can express is not offered,
// nor accepted.
func TestWindowBeyondTheScale(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		cfg := tcp.Linux()
		cfg.ReceiveBuffer, cfg.ReceiveBufferMax = 65535, 65535
		e := newEnd(t, v, cfg).passive(65535, scale(0))
		e.c.SetReceiveBuffer(200_000)
		for at := 1; at < 14601; at += 1460 {
			e.in(fmt.Sprintf(". %d(1460) ack 1 win 65535", at))
		}
		require.Equal(t, uint16(65535), e.last.Window)
		require.Equal(t, uint32(65535), e.c.Info(e.now).RcvWnd)
		e.took()
		e.in("P. 80136(10) ack 1 win 65535")
		e.out("beyond the window", ". 1(0) ack 14601")
		e.in("P. 80135(10) ack 1 win 65535")
		e.in("P. 14601(65534) ack 1 win 65535")
		require.Equal(t, 14600+65535, e.c.Readable(), "and all that was in it is held")
	})
}

// RFC 9293 §3.10.7.4: only an ACK of SND.UNA or more brings a window, since it
// counts from there; an older one may still bring SACK blocks.
//
// Proves: RFC 9293 §3.10.7.4
func TestOldAckBringsNoWindow(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux()).passive(20000, sackOK)
		e.write(6000)
		e.took()
		e.in("P. 1(10) ack 3001 win 17000")
		require.Equal(t, uint32(17000), e.c.Info(e.now).SndWnd)
		e.in("P. 11(10) ack 1461 win 50000", e.sack(4381, 5841))
		require.Equal(t, uint32(17000), e.c.Info(e.now).SndWnd)
		require.Equal(t, uint32(1), e.c.Info(e.now).Sacked)
	})
}

// RFC 9293 §3.4: the FIN counts, so it has to fit the window like an octet does.
//
// Proves: RFC 9293 §3.4
func TestFinFitsTheWindow(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, cfg := range []tcp.Config{tcp.Linux(), tcp.RFC9293()} {
			cfg.MSSOfWindow = false
			e := newEnd(t, v, cfg).passive(1000)
			e.write(1000)
			require.NoError(t, e.c.CloseWrite(e.now))
			e.out("the window is full with the data", "P. 1(1000) ack 1")
			e.in(". 1(0) ack 1001 win 1000")
			e.out("now the FIN fits", "F. 1001(0) ack 1")

			e = newEnd(t, v, cfg).passive(1001)
			c := &e.c
			b := make([]byte, 1000)
			_, err := c.Write(e.now, b)
			require.NoError(t, err)
			require.NoError(t, c.CloseWrite(e.now))
			e.out("all fits", "FP. 1(1000) ack 1")

			// The window closes before the FIN: it is probed, and the FIN follows.
			e = newEnd(t, v, cfg).passive(1000)
			e.write(1000)
			require.NoError(t, e.c.CloseWrite(e.now))
			e.took()
			e.in(". 1(0) ack 1001 win 0")
			e.out("nothing fits")
			e.pass(2 * second)
			require.NotEmpty(t, e.took(), "a probe")
			e.in(". 1(0) ack 1001 win 500")
			e.out("the FIN", "F. 1001(0) ack 1")
		}
	})
}

// What was the last segment goes again as it was, its FIN in it once and within
// the window.
func TestLastSegmentGoesAgainWhole(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux()).passive(65535)
		_, err := e.c.Write(e.now, make([]byte, 1460))
		require.NoError(t, err)
		require.NoError(t, e.c.CloseWrite(e.now))
		e.out("data and FIN", "FP. 1(1460) ack 1")
		e.pass(300 * ms)
		e.out("again", "FP. 1(1460) ack 1")
		require.Equal(t, tcp.FinWait1, e.c.State())
		e.in(". 1(0) ack 1461 win 65535")
		e.out("the FIN is not known to be lost")
		e.pass(10 * second)
		require.Equal(t, "F. 1461(0) ack 1", e.took()[0])
	})
}

// Windows of both ends are closed and both probe with an octet (RFC 9293 A.2):
// the ACK that answers must be one that the other end takes, else neither learns
// that the other's window has opened.
func TestCrossingProbes(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		cfg := tcp.RFC9293()
		cfg.ReceiveBuffer, cfg.ReceiveBufferMax = 1000, 1000
		e := newEnd(t, v, cfg).passive(500)
		e.write(500)
		e.write(100)
		e.out("what fits", "P. 1(500) ack 1")
		e.in("P. 1(1000) ack 501 win 0")
		e.pass(200 * ms)
		e.out("the ACK has waited", ". 501(0) ack 1001")
		require.Zero(t, e.last.Window, "our window is closed too")
		e.pass(1 * second)
		e.out("our probe", ". 501(1) ack 1001")
		e.took()
		require.Equal(t, 1000, e.read(1))
		e.out("the window is open: at a number that the peer's window of 0 takes", ". 501(0) ack 1001")
	})
}

// A zero window that has ended leaves nothing behind: the clock of the next one
// begins when that begins.
func TestSecondZeroWindowHasItsOwnClock(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, cfg := range []tcp.Config{tcp.Linux(), tcp.RFC9293()} {
			cfg.UserTimeout = 10 * second
			e := newEnd(t, v, cfg).passive(0)
			e.write(100)
			e.pass(1500 * ms)
			require.NotEmpty(t, e.took(), "a probe")
			e.ackAll(1000)
			e.ackAll(1000)
			require.Zero(t, e.c.Unacked())
			e.pass(100 * second)
			e.in(". 1(0) ack 101 win 0")
			e.write(100)
			e.pass(3 * second)
			require.NotEmpty(t, e.took())
			require.Equal(t, tcp.Established, e.c.State())
			e.pass(12 * second)
			require.Equal(t, tcp.Closed, e.c.State(), "and so does its end")
		}
	})
}

// Nothing was sent for as long as nothing was sent again either (RFC 5681 §4.1).
//
// Proves: RFC 5681 §4.1
func TestResendIsSending(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux()).passive(60000)
		e.write(100)
		e.pass(5 * second)
		require.Greater(t, len(e.took()), 3)
		require.Less(t, e.c.Info(e.now).LastDataSent, uint32(4000))
	})
}

// RFC 9293 §3.8.6.2.1 rule 3: with Nagle, half of the largest window goes only when
// nothing is in flight.
//
// Proves: RFC 9293 §3.8.6.2.1
func TestHalfAWindowWaitsForNagle(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, nagle := range []bool{true, false} {
			cfg := tcp.RFC9293()
			cfg.Nagle = nagle
			e := newEnd(t, v, cfg)
			e.c.OpenPassive(e.now, e.iss, 0, e.segment("S 0(0) win 1000", mss(800)))
			e.out("the SYN-ACK", "S. 0(0) ack 1")
			e.in(". 1(0) ack 1 win 1000")
			e.took()
			e.write(2000)
			e.out("a full segment; 200 are left of the window", ". 1(800) ack 1")
			e.in(". 1(0) ack 1 win 1000")
			e.in(". 1(0) ack 401 win 1000")
			if nagle {
				e.out("600 would be half of the window, but 400 are in flight")
				e.in(". 1(0) ack 801 win 600")
				e.out("now nothing is", ". 801(600) ack 1")
			} else {
				e.out("no delay", ". 801(600) ack 1")
			}
		}
	})
}

// A writer who finds the stack's memory used up and has nothing in flight is told
// when he may try again: no ACK will.
func TestWriterWaitsForMemory(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux())
		e.env.Pool.Budget = 1
		e.passive(60000)
		var other tcp.TCB
		other.Init(&e.env, &e.cfg, 2, e.tuple())
		other.OpenActive(e.now, 7, 0)
		_, err := other.Write(e.now, make([]byte, 10000))
		require.NoError(t, err)
		e.c.TakeReady()
		_, err = e.c.Write(e.now, []byte("x"))
		require.Equal(t, tcp.ErrWouldBlock, err)
		other.Drop()
		e.pass(second)
		require.NotZero(t, e.c.TakeReady()&tcp.ReadyWrite)
		e.write(1)
		e.out("it goes", "P. 1(1) ack 1")
	})
}
