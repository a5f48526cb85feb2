package tcp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// RFC 7323 §2.2: the window of a segment with SYN is not scaled, the SYN-ACK of a
// simultaneous open among them.
//
// Proves: RFC 7323 §2.2
func TestSimultaneousOpenWindowIsNotScaled(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux())
		e.synSent()
		e.in("S 0(0) win 4000", mss(1460), scale(10))
		e.out("both SYNs have crossed", "S. 0(0) ack 1")
		e.in("S. 0(0) ack 1 win 5000", mss(1460), scale(10))
		require.Equal(t, tcp.Established, e.c.State())
		require.Equal(t, uint32(5000), e.c.Info(e.now).SndWnd)
		e.in(". 1(0) ack 1 win 5")
		require.Equal(t, uint32(5120), e.c.Info(e.now).SndWnd)
	})
}

// RFC 6298 §3: what was sent twice is not measured, be it by the timer, since the
// peer's SYN came again, or as the SYN-ACK of a simultaneous open.
//
// Proves: RFC 6298 §3
func TestHandshakeSampleIsKarns(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux())
		e.synReceived()
		e.pass(900 * ms)
		e.in("S 0(0) win 65535", mss(1460))
		e.out("the peer has not got the SYN-ACK", "S. 0(0) ack 1")
		e.pass(50 * ms)
		e.in(". 1(0) ack 1 win 65535")
		require.Zero(t, e.c.Info(e.now).RTT, "950 ms or 50 ms, nobody knows")

		e = newEnd(t, v, tcp.Linux())
		e.synSent()
		e.pass(1500 * ms)
		e.out("by the timer", "S 0(0)")
		e.in("S 0(0) win 65535", mss(1460))
		e.out("the SYN-ACK", "S. 0(0) ack 1")
		e.pass(50 * ms)
		e.in(". 1(0) ack 1 win 65535")
		require.Equal(t, tcp.Established, e.c.State())
		require.Zero(t, e.c.Info(e.now).RTT)

		e = newEnd(t, v, tcp.Linux())
		e.synReceived()
		e.pass(50 * ms)
		e.in(". 1(0) ack 1 win 65535")
		require.Equal(t, uint32(50_000), e.c.Info(e.now).RTT, "sent once")
	})
}

// An echo of a timestamp that was never sent is no measurement.
func TestHandshakeSampleOfAForgedEcho(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux())
		e.synReceived(stamp(7, 0))
		e.pass(1500 * ms)
		e.out("by the timer", "S. 0(0) ack 1")
		e.in(". 1(0) ack 1 win 65535", stamp(8, e.last.Options.TSVal+9000))
		require.Equal(t, tcp.Established, e.c.State())
		require.Zero(t, e.c.Info(e.now).RTT)
		require.LessOrEqual(t, e.c.Info(e.now).RTO, uint32(3_000_000))
	})
}

// The peer's SYNs must not push our timer away: else the half-open connection
// never ends (THREATS S13).
//
// Proves: S13
func TestSynAckTimerIsNotPushedAway(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.RFC9293())
		e.synReceived()
		for range 1000 {
			e.pass(900 * ms)
			e.in("S 0(0) win 65535", mss(1460))
			if e.c.State() != tcp.SynReceived {
				break
			}
		}
		require.Equal(t, tcp.Closed, e.c.State())
		require.Equal(t, tcp.ErrTimeout, e.c.Err())
	})
}

// A peer left over from an old connection answers each SYN by an unacceptable
// ACK; many of them must not keep the SYN from going again.
func TestSynResendIsNotPushedAway(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux())
		e.synSent()
		for range 5 {
			e.pass(3 * ms)
			e.in(". 77(0) ack 77 win 100")
			e.took()
		}
		require.Equal(t, uint8(1), e.c.Info(e.now).Retransmits, "the SYN went again 10 ms after the first of them")
	})
}

// Text on a SYN-ACK is cut to the window that the SYN has offered.
func TestTextOnSynAckIsCutToTheWindow(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		cfg := tcp.Linux()
		cfg.ReceiveBuffer, cfg.ReceiveBufferMax, cfg.SynAckText = 500, 500, true
		e := newEnd(t, v, cfg)
		e.synSent()
		s := e.segment("S. 0(0) ack 1 win 65535", mss(1460))
		s.Payload = e.segment(". 1(1000)").Payload
		e.c.Arrives(e.now, s)
		e.out("what fits is acknowledged", ". 1(0) ack 501")
		require.Equal(t, 500, e.read(1))
	})
}

// RFC 9293 §3.10.8: the user timeout ends the connection in any state, in SYN-SENT
// and SYN-RECEIVED at the moment when it is over.
//
// Proves: RFC 9293 §3.10.8
func TestUserTimeoutOfTheHandshake(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, passive := range []bool{false, true} {
			cfg := tcp.RFC9293()
			cfg.UserTimeout = 4500 * ms
			e := newEnd(t, v, cfg)
			if passive {
				e.synReceived()
			} else {
				e.synSent()
			}
			e.pass(4499 * ms)
			require.NotEqual(t, tcp.Closed, e.c.State())
			e.pass(1 * ms)
			require.Equal(t, tcp.Closed, e.c.State())
			require.Equal(t, tcp.ErrUserTimeout, e.c.Err())
			require.Equal(t, clock.Never, e.c.Deadline())
		}
		// It is over with the handshake.
		cfg := tcp.RFC9293()
		cfg.UserTimeout = 4500 * ms
		e := newEnd(t, v, cfg).active(65535)
		e.pass(clock.Hour)
		require.Equal(t, tcp.Established, e.c.State())
	})
}
