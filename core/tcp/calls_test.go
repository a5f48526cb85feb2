package tcp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// U-17: what each user call answers in each state, what it sends, and where it
// leads (RFC 9293 §3.10.2 to §3.10.6). OPEN is the stack's.
//
// Proves: U-17, RFC 9293 §3.10.2
func TestCallsByState(t *testing.T) {
	const (
		block  = tcp.ErrWouldBlock
		eof    = tcp.ErrEOF
		pipe   = tcp.ErrPipe // "connection closing"
		unopen = tcp.ErrNotConnected
		none   = tcp.ErrNotExist
		ok     = tcp.NoError
	)
	type row struct {
		state tcp.State
		err   tcp.Error
		out   string
		next  tcp.State
	}
	for _, call := range []struct {
		name string
		do   func(e *end) error
		rows []row
	}{
		{"SEND", func(e *end) error { _, err := e.c.Write(e.now, []byte("abc")); return err }, []row{
			{tcp.Closed, none, "", tcp.Closed},
			{tcp.Listen, unopen, "", tcp.Listen}, // the remote socket is not known
			{tcp.SynSent, ok, "", tcp.SynSent},   // queued
			{tcp.SynReceived, ok, "", tcp.SynReceived},
			{tcp.Established, ok, "P. 1(3) ack 1", tcp.Established},
			{tcp.FinWait1, pipe, "", tcp.FinWait1},
			{tcp.FinWait2, pipe, "", tcp.FinWait2},
			{tcp.CloseWait, ok, "P. 1(3) ack 2", tcp.CloseWait},
			{tcp.Closing, pipe, "", tcp.Closing},
			{tcp.LastAck, pipe, "", tcp.LastAck},
			{tcp.TimeWait, pipe, "", tcp.TimeWait},
		}},
		{"RECEIVE", func(e *end) error { _, err := e.c.Read(e.now, make([]byte, 3)); return err }, []row{
			{tcp.Closed, none, "", tcp.Closed},
			{tcp.Listen, block, "", tcp.Listen},
			{tcp.SynSent, block, "", tcp.SynSent},
			{tcp.SynReceived, block, "", tcp.SynReceived},
			{tcp.Established, block, "", tcp.Established},
			{tcp.FinWait1, block, "", tcp.FinWait1},
			{tcp.FinWait2, block, "", tcp.FinWait2},
			{tcp.CloseWait, eof, "", tcp.CloseWait},
			{tcp.Closing, eof, "", tcp.Closing},
			{tcp.LastAck, eof, "", tcp.LastAck},
			{tcp.TimeWait, eof, "", tcp.TimeWait},
		}},
		// CLOSE of a user who goes on reading.
		{"CLOSE", func(e *end) error { return e.c.CloseWrite(e.now) }, []row{
			{tcp.Closed, unopen, "", tcp.Closed},
			{tcp.Listen, unopen, "", tcp.Listen},
			{tcp.SynSent, unopen, "", tcp.SynSent},
			{tcp.SynReceived, ok, "F. 1(0) ack 1", tcp.FinWait1}, // TestCloseInSynReceived
			{tcp.Established, ok, "F. 1(0) ack 1", tcp.FinWait1},
			{tcp.FinWait1, ok, "", tcp.FinWait1}, // no second FIN
			{tcp.FinWait2, ok, "", tcp.FinWait2},
			{tcp.CloseWait, ok, "F. 1(0) ack 2", tcp.LastAck},
			{tcp.Closing, ok, "", tcp.Closing},
			{tcp.LastAck, ok, "", tcp.LastAck},
			{tcp.TimeWait, ok, "", tcp.TimeWait},
		}},
		// CLOSE of a user who gives the handle back.
		{"CLOSE-ALL", func(e *end) error { return e.c.Close(e.now) }, []row{
			{tcp.Closed, ok, "", tcp.Closed},
			{tcp.Listen, ok, "", tcp.Listen},
			{tcp.SynSent, ok, "", tcp.Closed},
			{tcp.SynReceived, ok, "F. 1(0) ack 1", tcp.FinWait1},
			{tcp.Established, ok, "F. 1(0) ack 1", tcp.FinWait1},
			{tcp.FinWait1, ok, "", tcp.FinWait1},
			{tcp.FinWait2, ok, "", tcp.FinWait2},
			{tcp.CloseWait, ok, "F. 1(0) ack 2", tcp.LastAck},
			{tcp.Closing, ok, "", tcp.Closing},
			{tcp.LastAck, ok, "", tcp.LastAck},
			{tcp.TimeWait, ok, "", tcp.TimeWait},
		}},
		// U-18: a reset where the peer knows of the connection and may wait for it.
		{"ABORT", func(e *end) error { e.c.Abort(e.now); return nil }, []row{
			{tcp.Closed, ok, "", tcp.Closed},
			{tcp.Listen, ok, "", tcp.Listen},
			{tcp.SynSent, ok, "", tcp.Closed},
			{tcp.SynReceived, ok, "R. 1(0) ack 1", tcp.Closed},
			{tcp.Established, ok, "R. 1(0) ack 1", tcp.Closed},
			{tcp.FinWait1, ok, "R. 2(0) ack 1", tcp.Closed},
			{tcp.FinWait2, ok, "R. 2(0) ack 1", tcp.Closed},
			{tcp.CloseWait, ok, "R. 1(0) ack 2", tcp.Closed},
			{tcp.Closing, ok, "", tcp.Closed},
			{tcp.LastAck, ok, "", tcp.Closed},
			{tcp.TimeWait, ok, "", tcp.Closed},
		}},
		{"STATUS", func(e *end) error {
			require.Equal(e, e.c.State(), e.c.Info(e.now).State)
			return nil
		}, []row{
			{tcp.Closed, ok, "", tcp.Closed}, {tcp.Listen, ok, "", tcp.Listen}, {tcp.SynSent, ok, "", tcp.SynSent},
			{tcp.SynReceived, ok, "", tcp.SynReceived}, {tcp.Established, ok, "", tcp.Established},
			{tcp.FinWait1, ok, "", tcp.FinWait1}, {tcp.FinWait2, ok, "", tcp.FinWait2}, {tcp.CloseWait, ok, "", tcp.CloseWait},
			{tcp.Closing, ok, "", tcp.Closing}, {tcp.LastAck, ok, "", tcp.LastAck}, {tcp.TimeWait, ok, "", tcp.TimeWait},
		}},
	} {
		require.Len(t, call.rows, len(allStates))
		for _, r := range call.rows {
			t.Run(fmt.Sprintf("%s/%v", call.name, r.state), func(t *testing.T) {
				each(t, func(t *testing.T, v variant) {
					for _, cfg := range []tcp.Config{tcp.Linux(), tcp.RFC9293()} {
						e := reach(t, v, cfg, r.state)
						err := call.do(e)
						if r.err == ok {
							require.NoError(t, err)
						} else {
							require.Equal(t, r.err, err)
						}
						var want []string
						if r.out != "" {
							want = append(want, r.out)
						}
						e.out("what it sends", want...)
						require.Equal(t, r.next, e.c.State())
						if e.c.State() == tcp.Closed || e.c.State() == tcp.Listen {
							require.Equal(t, clock.Never, e.c.Deadline(), "no timer is left")
							require.True(t, e.c.Gone())
						}
					}
				})
			})
		}
	}
}

// After each way to end a connection every call fails, for ever, and nothing is
// sent (THREATS S37).
//
// Proves: S37
func TestCallsAfterTheEnd(t *testing.T) {
	for _, s := range allStates {
		t.Run(s.String(), func(t *testing.T) {
			each(t, func(t *testing.T, v variant) {
				for _, closing := range []bool{false, true} {
					e := reach(t, v, tcp.Linux(), s)
					if closing {
						require.NoError(t, e.c.Close(e.now))
					} else {
						e.c.Abort(e.now)
					}
					e.took()
					for range 2 {
						_, err := e.c.Write(e.now, []byte("x"))
						require.Equal(t, tcp.ErrClosing, err)
						_, err = e.c.Read(e.now, make([]byte, 1))
						require.Equal(t, tcp.ErrClosing, err)
						require.Equal(t, tcp.ErrClosing, e.c.CloseWrite(e.now))
						require.Equal(t, tcp.ErrClosing, e.c.CloseRead(e.now))
						require.Equal(t, tcp.ErrClosing, e.c.Close(e.now))
						if !closing {
							e.c.Abort(e.now)
						}
						e.out("nothing")
					}
					e.pass(clock.Hour)
					require.Contains(t, []tcp.State{tcp.Closed, tcp.Listen}, e.c.State())
					require.Equal(t, clock.Never, e.c.Deadline())
				}
			})
		})
	}
}

// RFC 9293 §3.10.4: a CLOSE in SYN-RECEIVED sends the FIN at once, unless there is
// data to be sent before it: that waits for ESTABLISHED.
//
// Proves: RFC 9293 §3.10.4
func TestCloseInSynReceived(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := reach(t, v, tcp.Linux(), tcp.SynReceived)
		e.write(100)
		require.NoError(t, e.c.CloseWrite(e.now))
		e.out("it waits")
		e.in(". 1(0) ack 1 win 60000")
		require.Equal(t, tcp.FinWait1, e.c.State())
		e.out("data, then the FIN", "FP. 1(100) ack 1")

		early := func() *end {
			e := reach(t, v, tcp.Linux(), tcp.SynReceived)
			require.NoError(t, e.c.CloseWrite(e.now))
			require.Equal(t, tcp.FinWait1, e.c.State())
			e.out("the FIN", "F. 1(0) ack 1")
			return e
		}
		e = early()
		e.in(". 1(0) ack 1 win 60000")
		e.out("the SYN is acknowledged, the FIN is not")
		require.Equal(t, tcp.FinWait1, e.c.State())
		e.in(". 1(0) ack 2 win 60000")
		require.Equal(t, tcp.FinWait2, e.c.State())
		e.in("F. 1(0) ack 2 win 60000")
		require.Equal(t, tcp.TimeWait, e.c.State())

		// Both are acknowledged at once.
		e = early()
		e.in("F. 1(0) ack 2 win 60000")
		require.Equal(t, tcp.TimeWait, e.c.State())

		// Both were lost: they go again, the SYN first.
		e = early()
		e.pass(second)
		require.Equal(t, []string{"S. 0(0) ack 1", "F. 1(0) ack 1"}, e.took())
		e.in(". 1(0) ack 2 win 60000")
		require.Equal(t, tcp.FinWait2, e.c.State())

		// The peer's SYN-ACK, where the opens have crossed.
		e = newEnd(t, v, tcp.Linux())
		e.synSent()
		e.in("S 0(0) win 60000", mss(1460))
		require.NoError(t, e.c.CloseWrite(e.now))
		e.out("the SYN-ACK that was due, and the FIN", "S. 0(0) ack 1", "F. 1(0) ack 1")
		e.in("S. 0(0) ack 1 win 60000", mss(1460))
		require.Equal(t, tcp.FinWait1, e.c.State())
		e.in("F. 1(0) ack 2 win 60000")
		require.Equal(t, tcp.TimeWait, e.c.State())
	})
}

// U-19: CLOSE waits until all that was written has been sent, and the FIN has one
// number however often it goes.
//
// Proves: U-19
func TestCloseWaitsForTheData(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux()).passive(0)
		e.write(3000)
		require.NoError(t, e.c.CloseWrite(e.now))
		require.NoError(t, e.c.CloseWrite(e.now))
		e.out("the window is closed")
		require.Equal(t, tcp.FinWait1, e.c.State())
		e.in(". 1(0) ack 1 win 60000")
		e.out("all of it", ". 1(1460) ack 1", ". 1461(1460) ack 1", "FP. 2921(80) ack 1")
		require.NoError(t, e.c.CloseWrite(e.now))
		e.in(". 1(0) ack 3001 win 60000")
		e.pass(10 * second)
		for _, s := range e.took() {
			require.Equal(t, "F. 3001(0) ack 1", s)
		}
	})
}
