package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

var quiet = slog.New(slog.DiscardHandler)

// loopback is a listener of the kernel's, on which services are tested without
// a TUN.
func loopback(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

func dialTo(t *testing.T, l net.Listener) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// startService serves until the test ends.
func startService(t *testing.T, f service) net.Listener {
	t.Helper()
	l := loopback(t)
	done := make(chan error, 1)
	go func() { done <- serve(context.Background(), l, quiet, f) }()
	t.Cleanup(func() {
		l.Close()
		require.NoError(t, <-done)
	})
	return l
}

func TestEcho(t *testing.T) {
	c := dialTo(t, startService(t, echoService))
	want := bytes.Repeat([]byte("echo"), 1<<18)
	go func() {
		c.Write(want)
		c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "what is sent comes back")
}

func TestDiscard(t *testing.T) {
	c := dialTo(t, startService(t, discardService))
	_, err := c.Write(make([]byte, 1<<20))
	require.NoError(t, err)
	c.CloseWrite()
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Empty(t, got)
}

// RFC 864: lines of 72 characters, each beginning one further in the ring.
func TestChargen(t *testing.T) {
	c := dialTo(t, startService(t, chargenService))
	b := make([]byte, 96*74)
	_, err := io.ReadFull(c, b)
	require.NoError(t, err)
	lines := strings.Split(string(b), "\r\n")
	require.Equal(t, ` !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`+"`abcdefg", lines[0])
	require.Equal(t, lines[0][1:]+"h", lines[1])
	require.Equal(t, lines[0], lines[95], "after 95 lines the ring is where it was")
	c.CloseWrite()
	_, err = io.Copy(io.Discard, c)
	require.NoError(t, err, "when the peer says goodbye the stream ends")
}

// A FIN goes through the proxy alone, and a reset goes through as one.
func TestProxy(t *testing.T) {
	upstream := loopback(t)
	l := startService(t, proxyService(upstream.Addr().String(), quiet))

	c := dialTo(t, l)
	up, err := upstream.Accept()
	require.NoError(t, err)
	c.Write([]byte("question"))
	c.CloseWrite()
	got, err := io.ReadAll(up)
	require.NoError(t, err)
	require.Equal(t, "question", string(got))
	up.Write([]byte("answer"))
	up.Close()
	got, err = io.ReadAll(c)
	require.NoError(t, err)
	require.Equal(t, "answer", string(got))

	c = dialTo(t, l)
	up, err = upstream.Accept()
	require.NoError(t, err)
	reset(up)
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)

	upstream.Close()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err == nil { // else the reset was faster than connect
		_, err = nc.Read(make([]byte, 1))
		nc.Close()
	}
	require.ErrorIs(t, err, syscall.ECONNRESET, "who can't be forwarded is reset")
}

// Files are served, with ranges; what lies outside of the folder is not.
func TestServeHTTP(t *testing.T) {
	dir := t.TempDir()
	pub := filepath.Join(dir, "pub")
	require.NoError(t, os.Mkdir(pub, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(pub, "file"), []byte("0123456789"), 0o644))
	require.NoError(t, os.Symlink("../secret", filepath.Join(pub, "link")))
	require.NoError(t, os.Symlink("file", filepath.Join(pub, "inner")))
	l := loopback(t)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serveHTTP(ctx, l, quiet, pub) }()
	get := func(path, span string) (int, string) {
		req, err := http.NewRequest("GET", "http://"+l.Addr().String(), nil)
		require.NoError(t, err)
		req.URL.Opaque = path // as it stands, dots and all
		if span != "" {
			req.Header.Set("Range", span)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(b)
	}
	code, body := get("/file", "")
	require.Equal(t, 200, code)
	require.Equal(t, "0123456789", body)
	code, body = get("/file", "bytes=2-4")
	require.Equal(t, 206, code)
	require.Equal(t, "234", body)
	code, body = get("/inner", "")
	require.Equal(t, 200, code, "a link within the folder is followed")
	require.Equal(t, "0123456789", body)
	for _, path := range []string{"/link", "/../secret", "/%2e%2e/secret", "/..%2fsecret", "/pub/../../secret"} {
		code, body = get(path, "")
		require.NotEqual(t, 200, code, path)
		require.NotContains(t, body, "secret\n", path)
		require.NotEqual(t, "secret", body, path)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	stop()
	require.NoError(t, <-done)
}

// relay sends stdin, then a FIN, and goes on reading until the peer's.
func TestRelay(t *testing.T) {
	l := loopback(t)
	c := dialTo(t, l)
	peer, err := l.Accept()
	require.NoError(t, err)
	var out bytes.Buffer
	done := make(chan error, 1)
	go func() {
		done <- relay(context.Background(), c, newStdinPump(iotest.OneByteReader(strings.NewReader("from stdin"))), &out, false)
	}()
	got, err := io.ReadAll(peer)
	require.NoError(t, err)
	require.Equal(t, "from stdin", string(got))
	peer.Write([]byte("to stdout"))
	peer.Close()
	require.NoError(t, <-done)
	require.Equal(t, "to stdout", out.String())
}

// With -k one stdin serves one connection after the other.
func TestRelayKeep(t *testing.T) {
	l := loopback(t)
	stdin, typed := io.Pipe()
	pump := newStdinPump(stdin)
	for _, word := range []string{"one", "two"} {
		c := dialTo(t, l)
		peer, err := l.Accept()
		require.NoError(t, err)
		var out bytes.Buffer
		done := make(chan error, 1)
		go func() { done <- relay(context.Background(), c, pump, &out, true) }()
		typed.Write([]byte(word))
		b := make([]byte, 3)
		_, err = io.ReadFull(peer, b)
		require.NoError(t, err)
		require.Equal(t, word, string(b))
		peer.Close()
		require.NoError(t, <-done, "the peer's FIN ends it, though stdin is open")
		require.Empty(t, out.String())
		c.Close()
	}
}

// A peer that resets ends relay at once, though stdin is open.
func TestRelayReset(t *testing.T) {
	l := loopback(t)
	c := dialTo(t, l)
	peer, err := l.Accept()
	require.NoError(t, err)
	stdin, typed := io.Pipe()
	defer typed.Close()
	done := make(chan error, 1)
	go func() { done <- relay(context.Background(), c, newStdinPump(stdin), io.Discard, false) }()
	reset(peer)
	err = <-done
	require.ErrorIs(t, err, syscall.ECONNRESET)
	require.Equal(t, exitReset, codeOf(err))
}

// A stdout that is gone is no error of the connection.
func TestRelayStdoutGone(t *testing.T) {
	l := loopback(t)
	c := dialTo(t, l)
	peer, err := l.Accept()
	require.NoError(t, err)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer w.Close()
	r.Close()
	done := make(chan error, 1)
	stdin, typed := io.Pipe()
	defer typed.Close()
	stop := watchSignals(context.Background()) // takes SIGPIPE, as the command does
	defer stop.stop()
	go func() { done <- relay(context.Background(), c, newStdinPump(stdin), w, false) }()
	peer.Write([]byte("for nobody"))
	err = <-done
	require.ErrorIs(t, err, errStdout)
	require.Equal(t, exitPipe, codeOf(err))
}
