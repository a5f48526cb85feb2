package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
	"github.com/tcpkit/tcpkit/internal/release"
)

// there sends octets to an echo, and wants the same ones back in time.
func there(t *testing.T, host, port string, octets int, inTime time.Duration) {
	t.Helper()
	c := kernelDial(t, host, port)
	require.NoError(t, c.SetDeadline(time.Now().Add(inTime)))
	sent := make([]byte, octets)
	rand.NewChaCha8([32]byte{7}).Read(sent)
	failed := make(chan error, 1)
	go func() {
		_, err := c.Write(sent)
		if err == nil {
			err = c.CloseWrite()
		}
		failed <- err
	}()
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.NoError(t, <-failed)
	require.True(t, bytes.Equal(sent, got), "%d octets of %d came back, and whole", len(got), octets)
}

// The congestion controllers that are plugins carry 32 MiB to the kernel, and as many
// back, over a link with loss and delay: a minute and a half for aimd at whole size.
func TestControllersOnTUN(t *testing.T) {
	octets := release.Count(1<<20, 32<<20)
	for _, name := range []string{"aimd", "bbr-lite"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNet(t)
			p := n.program(t, "listen", "--echo", "-k", ":80", "--plugin", name, "--impair", "loss=1%,delay=20ms,seed=7")
			p.says("name=" + name + " place=").says("listening")
			began := time.Now()
			there(t, n.local4, "80", octets, 4*time.Minute)
			t.Logf("%s: %d octets each way in %.1f s", name, octets, time.Since(began).Seconds())
			p.signal(os.Interrupt)
			p.exits(exitInterrupt)
			require.NotContains(t, p.stderr(), "strikes")
		})
	}
}

// perf client compares controllers over one TUN, as a table and as JSON.
func TestPerfCompareOnTUN(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	l, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	var served bytes.Buffer
	srv := iperfServer{report: func() *perfReport { return newPerfReport(perfAPI(&served, false)) }}
	done := make(chan error, 1)
	go func() {
		done <- srv.serve(t.Context(), l, false, func(err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)

	args := []string{"perf", "client", net.JoinHostPort(n.peer4, port), "-t", "1", "-i", "0", "--impair", "delay=5ms,loss=0.5%"}
	out := n.program(t, append(args, "--compare", "cubic,aimd,keep=80,bbr-lite")...).exits(exitOK)
	for _, want := range []string{"--- cubic\n", "--- aimd,keep=80\n", "--- bbr-lite\n", "controller  ", "Mbit/s"} {
		require.Contains(t, out, want)
	}
	out = n.program(t, append(args, "--compare", "newreno,bbr-lite", "-P", "2", "--json")...).exits(exitOK)
	var rows []perfRow
	require.NoError(t, json.Unmarshal([]byte(out), &rows), out)
	var names []string
	for _, r := range rows {
		names = append(names, r.Controller)
		require.Greater(t, r.Bytes, int64(1<<16), r.Controller)
		require.InDelta(t, 1, r.Seconds, 0.5, r.Controller)
		require.Greater(t, r.RTT, 9.0, "%s: the link alone takes 10 ms", r.Controller)
		require.Greater(t, r.Cwnd, 1.0, r.Controller)
		require.False(t, r.Fallback, r.Controller)
	}
	require.Equal(t, []string{"newreno", "bbr-lite"}, names)

	// iperf3 takes a while between two tests, and resets who does not wait.
	iperf3 := need.Tool(t, "iperf3", "iperf3")
	port3 := freePort(t)
	background(t, "Server listening", iperf3, "-s", "--forceflush", "-p", port3)
	args[2] = net.JoinHostPort(n.peer4, port3)
	out = n.program(t, append(args, "--compare", "cubic,bbr-lite")...).exits(exitOK)
	require.Contains(t, out, "  bbr-lite  ")

	p := n.program(t, append(args, "--compare", "cubic,"+os.DevNull)...)
	p.exits(exitPlugin)
	require.Contains(t, p.stderr(), "not a WASM module")
	noDevice(t, n.tun)
	require.NoError(t, l.Close())
	require.NoError(t, <-done)
}
