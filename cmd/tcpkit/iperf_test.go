package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
)

func perfAPI(out *bytes.Buffer, asJSON bool) *app { return &app{out: out, json: asJSON, log: quiet} }

// perfServer serves tests until the test ends; ended gets each one's outcome.
func perfServer(t *testing.T, out *bytes.Buffer) (l net.Listener, ended chan error) {
	t.Helper()
	l = loopback(t)
	ended = make(chan error, 8)
	srv := iperfServer{report: func() *perfReport { return newPerfReport(perfAPI(out, false)) }}
	done := make(chan error, 1)
	go func() { done <- srv.serve(context.Background(), l, false, func(err error) { ended <- err }) }()
	t.Cleanup(func() {
		l.Close()
		require.NoError(t, <-done)
	})
	return l, ended
}

func dialerTo(addr string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) { return (&net.Dialer{}).DialContext(ctx, "tcp", addr) }
}

func TestPerf(t *testing.T) {
	var served bytes.Buffer
	l, ended := perfServer(t, &served)
	for _, reverse := range []bool{false, true} {
		var out bytes.Buffer
		p := iperfParams{TCP: true, Num: 3 << 20, Parallel: 3, Len: iperfBlock, Reverse: reverse}
		rep := newPerfReport(perfAPI(&out, true))
		require.NoError(t, iperfClient(context.Background(), dialerTo(l.Addr().String()), p, 0, rep))
		require.NoError(t, <-ended)
		var got perfReport
		require.NoError(t, json.Unmarshal(out.Bytes(), &got))
		require.Equal(t, 3, got.Start.Parallel)
		require.GreaterOrEqual(t, got.End.Sent.Bytes, int64(3<<20))
		require.GreaterOrEqual(t, got.End.Received.Bytes, int64(3<<20))
		require.LessOrEqual(t, got.End.Received.Bytes, got.End.Sent.Bytes)
	}
	require.Contains(t, served.String(), "receiver")
}

// Who comes during a test is told that the server is busy.
func TestPerfBusy(t *testing.T) {
	var served bytes.Buffer
	l, _ := perfServer(t, &served)
	first, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer first.Close()
	cookie := newIperfCookie()
	first.Write(cookie[:])
	require.NoError(t, iperfControl{first}.expect(iperfParamExchange))
	p := iperfParams{TCP: true, Time: 1, Parallel: 1}
	err = iperfClient(context.Background(), dialerTo(l.Addr().String()), p, 0, newPerfReport(perfAPI(&served, false)))
	require.ErrorContains(t, err, "busy")
}

// A client that asks for what there isn't, and one that talks nonsense.
func TestPerfBadClient(t *testing.T) {
	var served bytes.Buffer
	l, ended := perfServer(t, &served)
	for _, p := range []iperfParams{{UDP: true, Parallel: 1}, {Parallel: 0}, {Parallel: 129}, {Bidir: true, Parallel: 1}, {Num: -1, Parallel: 1}} {
		err := iperfClient(context.Background(), dialerTo(l.Addr().String()), p, 0, newPerfReport(perfAPI(&served, false)))
		require.ErrorContains(t, err, "reports an error")
		require.ErrorContains(t, <-ended, "what this server has not")
	}
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	c.Write(append(make([]byte, iperfCookieLen), 0xff, 0xff, 0xff, 0xff))
	require.ErrorContains(t, <-ended, "announces 4294967295 octets")
}

// iperf3 itself is the other end, in both roles and both directions.
func TestPerfWithIperf3(t *testing.T) {
	iperf3 := need.Tool(t, "iperf3", "iperf3")
	var served bytes.Buffer
	l, ended := perfServer(t, &served)
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	for _, extra := range [][]string{{"-n", "1M"}, {"-n", "1M", "-R"}, {"-n", "1M", "-P", "3"}} {
		out, err := exec.Command(iperf3, append([]string{"-c", "127.0.0.1", "-p", port}, extra...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.NoError(t, <-ended)
	}

	free := loopback(t)
	_, port, err = net.SplitHostPort(free.Addr().String())
	require.NoError(t, err)
	free.Close()
	for _, reverse := range []bool{false, true} {
		cmd := exec.Command(iperf3, "-s", "-1", "--forceflush", "-p", port, "-B", "127.0.0.1")
		pipe, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		waitForLine(t, pipe, "Server listening")
		p := iperfParams{TCP: true, Num: 1 << 20, Parallel: 2, Len: iperfBlock, Reverse: reverse, Pacing: 1000, Client: "tcpkit"}
		var out bytes.Buffer
		err = iperfClient(context.Background(), dialerTo("127.0.0.1:"+port), p, 0, newPerfReport(perfAPI(&out, false)))
		require.NoError(t, err)
		require.NoError(t, cmd.Wait())
		require.Contains(t, out.String(), "sender")
	}
}
