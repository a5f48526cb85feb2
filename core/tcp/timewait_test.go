package tcp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// RFC 9293 §3.10.7.4, second check: a reset in the window of TIME-WAIT but not at
// RCV.NXT gets a challenge ACK, one beyond it nothing.
//
// Proves: RFC 9293 §3.10.7.4
func TestResetsInTimeWait(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := reach(t, v, tcp.Linux(), tcp.TimeWait)
		e.in("R 3(0)")
		e.out("a challenge", ". 2(0) ack 2")
		e.in("R 3(0)")
		e.out("one at a time")
		e.pass(second)
		e.in("R 1(0)")
		e.in("R 9000000(0)")
		e.out("outside of the window")
		require.Equal(t, tcp.TimeWait, e.c.State())
		e.in("R 2(0)")
		require.Equal(t, tcp.Closed, e.c.State())
	})
}

// A SYN that would reopen a connection whose user still holds it has to wait, and
// is answered like any other: once in a while.
func TestSynsInAHeldTimeWait(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := reach(t, v, tcp.Linux(), tcp.TimeWait)
		e.in("S 100000(0) win 10")
		e.out("the ACK", ". 2(0) ack 2")
		for range 9 {
			e.pass(10 * ms)
			e.in("S 100000(0) win 10")
		}
		e.out("no more of them")
	})
}

// A FIN that acknowledges what was never sent is not the peer's: RFC 5961 §5.
//
// Proves: RFC 5961 §5
func TestForgedFinInTimeWait(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := reach(t, v, tcp.Linux(), tcp.TimeWait)
		until := e.c.Deadline()
		e.pass(second)
		e.in("F. 1(0) ack 3 win 65535")
		e.out("an ACK", ". 2(0) ack 2")
		require.Equal(t, until, e.c.Deadline(), "but no new wait")
		e.in("F. 1(0) ack 2 win 65535")
		e.out("the ACK of the FIN", ". 2(0) ack 2")
		require.Equal(t, until.Add(second), e.c.Deadline())
	})
}

// RFC 6191 §2: which SYN may open a connection in TIME-WAIT anew.
//
// Proves: RFC 6191 §2
func TestReopenFromTimeWait(t *testing.T) {
	type row struct {
		before, now uint32 // timestamps, 0: without
		seq         string
		want        tcp.TimeWaitAction
	}
	const reopen, ack = tcp.TimeWaitReopen, tcp.TimeWaitAck
	linux, rfc := tcp.Linux(), tcp.RFC9293()
	for _, c := range []struct {
		cfg  *tcp.Config
		rows []row
	}{
		{&linux, []row{
			{0, 0, "2", ack}, {0, 0, "3", reopen}, {0, 0, "-5", ack}, {0, 7, "3", reopen}, {0, 7, "-5", ack},
			{100, 101, "-5", reopen}, {100, 100, "3", reopen}, {100, 100, "-5", ack}, {100, 99, "3", ack},
			{100, 0, "3", reopen}, {100, 0, "-5", ack},
		}},
		{&rfc, []row{
			{0, 7, "3", reopen}, {0, 7, "-5", reopen}, {100, 99, "3", ack}, {100, 0, "-5", ack},
		}},
	} {
		for _, r := range c.rows {
			each(t, func(t *testing.T, v variant) {
				e := newEnd(t, v, *c.cfg)
				var o []wire.Options
				if r.before != 0 {
					o = append(o, stamp(r.before, 0))
				}
				e.passive(65535, o...)
				require.NoError(t, e.c.CloseWrite(e.now))
				e.drain()
				e.in("F. 1(0) ack 2 win 65535", o...)
				require.Equal(t, tcp.TimeWait, e.c.State())
				e.drain()
				require.NoError(t, e.c.Close(e.now))
				w, ok := e.c.Record()
				require.True(t, ok)
				o = nil
				if r.now != 0 {
					o = append(o, stamp(r.now, 0))
				}
				require.Equal(t, r.want, w.Arrives(e.now, e.segment("S "+r.seq+"(0) win 9", o...), c.cfg, &e.env), "%+v", r)
			})
		}
	}
}
