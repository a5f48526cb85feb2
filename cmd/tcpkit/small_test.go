package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/hosts/native"
)

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{"0": 0, "12": 12, "1k": 1 << 10, "1.5K": 1536, "64M": 64 << 20, "2GiB": 2 << 30, "1tb": 1 << 40, "3b": 3} {
		got, err := parseSize(s)
		require.NoError(t, err, s)
		require.Equal(t, want, got, s)
	}
	for _, s := range []string{"", "k", "-1", "1x", "nan", "inf", "9000000T", "1kk"} {
		_, err := parseSize(s)
		require.Error(t, err, s)
	}
	require.Equal(t, "1023 B", formatSize(1023))
	require.Equal(t, "1.50 KiB", formatSize(1536))
	require.Equal(t, "2.00 GiB", formatSize(2<<30))
}

func TestKebab(t *testing.T) {
	for name, want := range map[string]string{"RTOMin": "rto-min", "SACK": "sack", "MaxMSS": "max-mss", "TTL": "ttl", "SWSOverride": "sws-override",
		"R1": "r1", "R2Time": "r2-time", "FinWait2": "fin-wait2", "CookieMSS": "cookie-mss", "ISNTick": "isn-tick"} {
		require.Equal(t, want, kebab(name))
	}
}

func TestExitCodes(t *testing.T) {
	for code, err := range map[int]error{
		exitOK:          nil,
		exitRuntime:     errors.New("whatever"),
		exitUsage:       fmt.Errorf("listen: %w", usagef("bad")),
		exitRefused:     &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
		exitTimeout:     context.DeadlineExceeded,
		exitReset:       fmt.Errorf("read: %w", syscall.ECONNRESET),
		exitPipe:        fmt.Errorf("%w: %w", errStdout, syscall.EPIPE),
		exitInterrupt:   &signalError{os.Interrupt},
		exitTerminated:  &signalError{syscall.SIGTERM},
		exitPermission:  &exitError{exitPermission, errors.New("no")},
		exitExpectation: &silentError{exitExpectation},
	} {
		require.Equal(t, code, codeOf(err), "%v", err)
	}
	require.Equal(t, exitRuntime, codeOf(fmt.Errorf("%w: %w", errStdout, syscall.ENOSPC)))
	require.Equal(t, exitRuntime, codeOf(syscall.EPIPE), "a connection's broken pipe is not stdout's")
	require.Equal(t, exitTimeout, codeOf(syscall.ETIMEDOUT))
}

func TestPlainLog(t *testing.T) {
	var b bytes.Buffer
	a := &app{err: &b}
	a.setLog()
	a.log.With("a", 1).WithGroup("g").Info("up", "b", "two words", slog.Group("h", "c", ""))
	a.log.Warn("hm")
	a.log.Error("oh")
	a.log.Debug("not said")
	require.Equal(t, "tcpkit: up a=1 g.b=\"two words\" g.h.c=\"\"\ntcpkit: warning: hm\ntcpkit: error: oh\n", b.String())
	b.Reset()
	a.json = true
	a.setLog()
	a.log.Info("up")
	require.Contains(t, b.String(), `"msg":"up"`)
}

// An instance answers at its socket, and only its user can ask.
func TestControl(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", dir)
	s, err := serveControl(func() instance {
		return instance{PID: os.Getpid(), Command: "listen :80", TUN: "tun0", Local: []string{"10.0.0.2/24"}, Since: time.Now(), Profile: "linux", Connections: []connection{
			{ID: 1, Local: "10.0.0.2:80", Remote: "10.0.0.1:999", State: "ESTABLISHED", RTO: 200, Timers: []timer{{"retransmit", 180.4}, {"keepalive", 7200000}}},
			{Local: "10.0.0.2:80", Remote: "*", State: "LISTEN", Waiting: 3, Backlog: 128},
		}}
	}, quiet)
	require.NoError(t, err)
	st, err := os.Stat(s.path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode().Perm())
	st, err = os.Stat(filepath.Dir(s.path))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), st.Mode().Perm())

	code, out, errs := try("stat")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "listen :80 (PID ")
	require.Regexp(t, `ESTABLISHED .* 200 .* retransmit 180ms, keepalive 2h0m0s\n`, out)
	require.Contains(t, out, "3 of 128 wait")
	code, out, _ = try("stat", "--json")
	require.Equal(t, exitOK, code)
	require.Contains(t, out, `"state":"ESTABLISHED"`)
	code, _, errs = try("stat", "1")
	require.Equal(t, exitRuntime, code)
	require.Contains(t, errs, "no tcpkit of yours with PID 1")

	s.close()
	_, err = os.Stat(s.path)
	require.ErrorIs(t, err, os.ErrNotExist, "an instance that ends leaves no socket")
	stale := filepath.Join(dir, "tcpkit", "999999.sock")
	l, err := net.Listen("unix", stale)
	require.NoError(t, err)
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	code, out, errs = try("stat")
	require.Equal(t, exitOK, code)
	require.Empty(t, out)
	require.Contains(t, errs, "no tcpkit of yours runs here")
	_, err = os.Stat(stale)
	require.ErrorIs(t, err, os.ErrNotExist, "the socket of one that was killed is removed")

	require.NoError(t, os.Chmod(filepath.Join(dir, "tcpkit"), 0o777))
	code, _, errs = try("stat")
	require.Equal(t, exitRuntime, code)
	require.Contains(t, errs, "only you can write to")
}

func capturePackets(c *capture, n int) {
	p := make([]byte, 1000)
	p[0] = 0x45
	for i := range n {
		c.Packet(clock.Instant(i), packet.Direction(i%2), p, []event.Event{
			{Kind: event.Transition, Conn: 7, From: uint8(tcp.SynReceived), To: uint8(tcp.Established), By: uint8(tcp.BySegment), Rule: rule.AckEstablishes},
			{Kind: event.RTT, Conn: 7},
			{Kind: event.Drop, From: uint8(rule.DropTCPChecksum)},
		})
	}
}

func TestCapture(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.pcapng")
	require.NoError(t, os.WriteFile(path, []byte("from before"), 0o644))
	c, err := openCapture(path, "tun0", 0, quiet)
	require.NoError(t, err)
	began := time.Now()
	capturePackets(c, 99)
	c.Packet(99, packet.Out, nil, []event.Event{{Kind: event.TimerFired, Conn: 9, By: 5}})
	capturePackets(c, 1)
	require.NoError(t, c.close())
	st, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode().Perm())
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	r := pcapng.NewReader(b)
	var p pcapng.Packet
	n := 0
	for ; r.Next(&p); n++ {
		require.Len(t, p.Bytes, 1000)
		require.Contains(t, p.Comment, "SYN-RECEIVED → ESTABLISHED by segment (connection 7): ")
		require.Contains(t, p.Comment, "[RFC 9293 §3.10.7.4")
		require.Contains(t, p.Comment, "\ndropped: tcp-checksum")
		require.Equal(t, []pcapng.Direction{pcapng.Inbound, pcapng.Outbound}[n%99%2], p.Direction)
		require.WithinDuration(t, began, time.Unix(0, int64(p.At)), time.Minute)
	}
	require.NoError(t, r.Err())
	require.Equal(t, 100, n)
	require.Contains(t, p.Comment, "before: timer wait fired (connection 9)\n", "what came without a packet stands with the next")
}

// A capture that has reached its size stops at a packet's end.
//
// Proves: H06
func TestCaptureSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.pcapng")
	c, err := openCapture(path, "tun0", 10_000, quiet)
	require.NoError(t, err)
	capturePackets(c, 100)
	require.NoError(t, c.close())
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.LessOrEqual(t, len(b), 10_000)
	require.Greater(t, len(b), 8_000)
	r := pcapng.NewReader(b)
	var p pcapng.Packet
	for r.Next(&p) {
	}
	require.NoError(t, r.Err())
}

// A full disk is told once, and costs nothing but the capture.
//
// Proves: H06
func TestCaptureDiskFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		return // only Linux has a disk that is always full
	}
	var b bytes.Buffer
	a := &app{err: &b}
	a.setLog()
	c, err := openCapture("/dev/full", "tun0", 0, a.log)
	require.NoError(t, err)
	<-c.done
	capturePackets(c, 1000)
	err = c.close()
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Equal(t, exitRuntime, codeOf(err))
	require.Contains(t, b.String(), "free some space, or bound the file with --write-max; connections go on")
	require.Equal(t, 1, bytes.Count(b.Bytes(), []byte("\n")))
}

func TestStdinPumpError(t *testing.T) {
	r, w := io.Pipe()
	w.CloseWithError(errors.New("broken tape"))
	_, err := newStdinPump(r).read(context.Background())
	require.ErrorContains(t, err, "read stdin: broken tape")
}

// Neither what the command prints, nor what it tells of a host, nor a capture with
// its comments has the secret of the host or a key of its cookies in it, in any of
// the ways in which octets are written.
//
// Proves: H06
func TestNoSecretIsTold(t *testing.T) {
	cfg, err := core.Profile("linux")
	require.NoError(t, err)
	key := siphash.Key{K0: 0xf1e2d3c4b5a69788, K1: 0x8897a6b5c4d3e2f1}
	copy(cfg.Secret[:], "\xd1\xe2\xf3\xa4\xb5\xc6\xd7\xe8\x91\x82\x73\x64\x55\x46\x37\x28")
	cfg.FastOpenKeys = core.FastOpenKeys{Number: 1, Key: [2]siphash.Key{key}}
	path := filepath.Join(t.TempDir(), "a.pcapng")
	c, err := openCapture(path, "tun0", 0, quiet)
	require.NoError(t, err)
	x, y := native.NewPipe(packet.Link{MTU: 1500}, 64)
	local := func(a string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(a)} }
	h, err := native.New(native.Config{Core: cfg, IO: x, Local: local("10.8.0.1/24"), Tap: c})
	require.NoError(t, err)
	peer, err := native.New(native.Config{IO: y, Local: local("10.8.0.2/24")})
	require.NoError(t, err)
	l, err := h.Listen("tcp", ":80")
	require.NoError(t, err)
	from, err := peer.Dial("tcp", "10.8.0.1:80")
	require.NoError(t, err)
	to, err := l.Accept()
	require.NoError(t, err)
	_, err = to.Write([]byte("hello"))
	require.NoError(t, err)
	_, err = io.ReadFull(from, make([]byte, 5))
	require.NoError(t, err)
	_, err = h.Dial("tcp", "10.8.0.2:81")
	require.Error(t, err)

	var told bytes.Buffer
	require.NoError(t, printConfig(&told, &cfg))
	rows := h.Status()
	for i := range rows {
		require.NoError(t, json.NewEncoder(&told).Encode(describeConnection(&rows[i])))
	}
	stats := h.Stats()
	require.NoError(t, json.NewEncoder(&told).Encode(describeCounters(&stats.Stats)))
	require.NoError(t, h.Close())
	require.NoError(t, peer.Close())
	require.NoError(t, c.close())
	captured, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(captured), "ESTABLISHED")
	require.Contains(t, told.String(), "rto-min")
	told.Write(captured)
	words := strings.ToLower(told.String())
	for _, half := range [][]byte{cfg.Secret[:8], cfg.Secret[8:]} {
		for _, n := range []uint64{binary.LittleEndian.Uint64(half), binary.BigEndian.Uint64(half), key.K0, key.K1} {
			octets := binary.LittleEndian.AppendUint64(nil, n)
			require.False(t, bytes.Contains(told.Bytes(), octets))
			for _, text := range []string{
				hex.EncodeToString(octets), strconv.FormatUint(n, 16), strconv.FormatUint(n, 10), strconv.FormatInt(int64(n), 10),
				strings.Trim(fmt.Sprint(octets), "[]"), strings.ToLower(base64.RawStdEncoding.EncodeToString(octets)[:10]),
			} {
				require.False(t, strings.Contains(words, text), text)
			}
		}
	}
}
