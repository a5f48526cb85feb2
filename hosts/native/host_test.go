package native_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"

	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/hosts/native"
)

// The addresses of tests in memory, an IPv4 and an IPv6 pair.
var (
	aLocal = []netip.Prefix{netip.MustParsePrefix("10.8.0.1/24"), netip.MustParsePrefix("fd08::1/64")}
	bLocal = []netip.Prefix{netip.MustParsePrefix("10.8.0.2/24"), netip.MustParsePrefix("fd08::2/64")}
)

// pair returns two hosts on a link in memory, closed when the test ends.
func pair(t testing.TB, change ...func(*native.Config)) (a, b *native.Host) {
	t.Helper()
	x, y := native.NewPipe(packet.Link{MTU: 1500}, 256)
	return newHost(t, x, aLocal, change...), newHost(t, y, bLocal, change...)
}

func newHost(t testing.TB, io packet.IO, local []netip.Prefix, change ...func(*native.Config)) *native.Host {
	t.Helper()
	cfg := native.Config{Local: local, IO: io}
	for _, c := range change {
		c(&cfg)
	}
	h, err := native.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return h
}

// connect opens a connection from a to b.
func connect(t testing.TB, a, b *native.Host, network, address string) (c, s *native.Conn) {
	t.Helper()
	l, err := b.Listen(network, net.JoinHostPort(address, "0"))
	require.NoError(t, err)
	defer l.Close()
	d, err := a.Dial(network, l.Addr().String())
	require.NoError(t, err)
	e, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { d.Close(); e.Close() })
	return d.(*native.Conn), e.(*native.Conn)
}

func TestHello(t *testing.T) {
	a, b := pair(t)
	for _, address := range []string{"10.8.0.2", "fd08::2"} {
		c, s := connect(t, a, b, "tcp", address)
		_, err := c.Write([]byte("hello"))
		require.NoError(t, err)
		require.NoError(t, c.CloseWrite())
		got, err := io.ReadAll(s)
		require.NoError(t, err)
		require.Equal(t, "hello", string(got))
		_, err = s.Write([]byte("goodbye"))
		require.NoError(t, err)
		require.NoError(t, s.Close())
		got, err = io.ReadAll(c)
		require.NoError(t, err)
		require.Equal(t, "goodbye", string(got))
		require.Equal(t, c.LocalAddr().String(), s.RemoteAddr().String())
		require.Equal(t, c.RemoteAddr().String(), s.LocalAddr().String())
	}
}

func TestNettestPipe(t *testing.T) {
	for _, address := range []string{"10.8.0.2", "fd08::2"} {
		t.Run(address, func(t *testing.T) {
			a, b := pair(t)
			nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
				c, s := connect(t, a, b, "tcp", address)
				return c, s, func() { c.Close(); s.Close() }, nil
			})
		})
	}
}

// A network is what Host and package net have in common: a test takes the two
// in both orders.
type network struct {
	name        string
	listen      func(network, address string) (net.Listener, error)
	dialContext func(ctx context.Context, network, address string) (net.Conn, error)
	address     func(family int) string
}

// open opens a connection from client to server.
func open(client, server network, family int) (c, s net.Conn, err error) {
	l, err := server.listen("tcp", net.JoinHostPort(server.address(family), "0"))
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if c, err = client.dialContext(context.Background(), "tcp", l.Addr().String()); err != nil {
		return nil, nil, err
	}
	if s, err = l.Accept(); err != nil {
		c.Close()
		return nil, nil, err
	}
	return c, s, nil
}

func timeout(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
