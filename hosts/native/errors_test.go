package native_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/hosts/native"
)

// A place is where the same calls are made: on the kernel's loopback, and between
// two hosts.
type place struct {
	listen  func(network, address string) (net.Listener, error)
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	address string
}

// places returns the kernel's loopback and two hosts on a link in memory.
func places(t *testing.T) (kernel, ours place) {
	a, b := pair(t)
	return place{net.Listen, new(net.Dialer).DialContext, "127.0.0.1"}, place{b.Listen, a.DialContext, "10.8.0.2"}
}

func (p place) hostport(port string) string { return net.JoinHostPort(p.address, port) }

// conns returns the two ends of a connection, closed when the test ends.
func (p place) conns(t *testing.T) (c, s net.Conn) {
	l, err := p.listen("tcp4", p.hostport("0"))
	require.NoError(t, err)
	defer l.Close()
	c, err = p.dial(context.Background(), "tcp4", l.Addr().String())
	require.NoError(t, err)
	s, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { c.Close(); s.Close() })
	return c, s
}

// duplex is what *net.TCPConn and *native.Conn have beside net.Conn.
type duplex interface {
	net.Conn
	CloseRead() error
	CloseWrite() error
	SetLinger(int) error
	SetNoDelay(bool) error
	SetKeepAlive(bool) error
	SetKeepAlivePeriod(time.Duration) error
	SetKeepAliveConfig(net.KeepAliveConfig) error
	SetReadBuffer(int) error
	SetWriteBuffer(int) error
	io.ReaderFrom
	io.WriterTo
}

var (
	_ duplex = (*net.TCPConn)(nil)
	_ duplex = (*native.Conn)(nil)
)

// reset makes the peer of c reset the connection, and waits until c knows.
func reset(t *testing.T, c, s net.Conn) error {
	require.NoError(t, s.(duplex).SetLinger(0))
	require.NoError(t, s.Close())
	_, err := c.Read(make([]byte, 1))
	return err
}

var addresses = regexp.MustCompile(`(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]*\])(:\d+)?`)

// shape is what a program can see of an error, without the addresses.
func shape(err error) string {
	if err == nil {
		return "nil"
	}
	var b strings.Builder
	b.WriteString(addresses.ReplaceAllString(err.Error(), "ADDR"))
	for _, target := range []struct {
		name string
		err  error
	}{
		{"EOF", io.EOF}, {"closed", net.ErrClosed}, {"deadline", os.ErrDeadlineExceeded},
		{"context canceled", context.Canceled}, {"context deadline", context.DeadlineExceeded},
		{"ECONNREFUSED", syscall.ECONNREFUSED}, {"ECONNRESET", syscall.ECONNRESET}, {"ETIMEDOUT", syscall.ETIMEDOUT},
		{"EADDRINUSE", syscall.EADDRINUSE}, {"EADDRNOTAVAIL", syscall.EADDRNOTAVAIL}, {"EPIPE", syscall.EPIPE},
		{"EHOSTUNREACH", syscall.EHOSTUNREACH}, {"ENETUNREACH", syscall.ENETUNREACH}, {"ENOTCONN", syscall.ENOTCONN},
	} {
		if errors.Is(err, target.err) {
			b.WriteString("; is " + target.name)
		}
	}
	var op *net.OpError
	if errors.As(err, &op) {
		b.WriteString("; op " + op.Op + " " + op.Net)
		if op.Source != nil {
			b.WriteString(" source")
		}
		if op.Addr != nil {
			b.WriteString(" addr")
		}
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		b.WriteString("; call " + call.Syscall)
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		b.WriteString("; timeout")
	}
	return b.String()
}

// What goes wrong looks to a program as it does with package net.
func TestErrorsAreThoseOfNet(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the errors are those of Linux")
	}
	past := time.Unix(1, 0)
	cases := map[string]func(t *testing.T, p place) error{
		"dial, nobody listens": func(t *testing.T, p place) error {
			l, err := p.listen("tcp4", p.hostport("0"))
			require.NoError(t, err)
			l.Close()
			_, err = p.dial(context.Background(), "tcp4", l.Addr().String())
			return err
		},
		"dial, context ended before": func(t *testing.T, p place) error {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_, err := p.dial(ctx, "tcp4", p.hostport("9"))
			return err
		},
		"dial, deadline before": func(t *testing.T, p place) error {
			ctx, cancel := context.WithDeadline(context.Background(), past)
			defer cancel()
			_, err := p.dial(ctx, "tcp4", p.hostport("9"))
			return err
		},
		"dial, no port": func(t *testing.T, p place) error {
			_, err := p.dial(context.Background(), "tcp4", p.address)
			return err
		},
		"dial, port out of range": func(t *testing.T, p place) error {
			_, err := p.dial(context.Background(), "tcp4", p.hostport("70000"))
			return err
		},
		"dial, unknown network": func(t *testing.T, p place) error {
			_, err := p.dial(context.Background(), "carrier-pigeon", p.hostport("9"))
			return err
		},
		"dial, address of the other family": func(t *testing.T, p place) error {
			_, err := p.dial(context.Background(), "tcp6", p.hostport("9"))
			return err
		},
		"listen, in use": func(t *testing.T, p place) error {
			l, err := p.listen("tcp4", p.hostport("0"))
			require.NoError(t, err)
			defer l.Close()
			_, err = p.listen("tcp4", l.Addr().String())
			return err
		},
		"listen, not our address": func(t *testing.T, p place) error {
			_, err := p.listen("tcp4", "192.0.2.1:0")
			return err
		},
		"accept, closed": func(t *testing.T, p place) error {
			l, err := p.listen("tcp4", p.hostport("0"))
			require.NoError(t, err)
			l.Close()
			_, err = l.Accept()
			return err
		},
		"accept, closed meanwhile": func(t *testing.T, p place) error {
			l, err := p.listen("tcp4", p.hostport("0"))
			require.NoError(t, err)
			return meanwhile(func() error { _, err := l.Accept(); return err }, func() { l.Close() })
		},
		"accept, deadline": func(t *testing.T, p place) error {
			l, err := p.listen("tcp4", p.hostport("0"))
			require.NoError(t, err)
			defer l.Close()
			require.NoError(t, l.(interface{ SetDeadline(time.Time) error }).SetDeadline(past))
			_, err = l.Accept()
			return err
		},
		"listener, closed twice": func(t *testing.T, p place) error {
			l, err := p.listen("tcp4", p.hostport("0"))
			require.NoError(t, err)
			l.Close()
			return l.Close()
		},
		"read, closed": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			c.Close()
			_, err := c.Read(make([]byte, 1))
			return err
		},
		"read nothing, closed": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			c.Close()
			_, err := c.Read(nil)
			return err
		},
		"read nothing": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			_, err := c.Read(nil)
			return err
		},
		"read, closed meanwhile": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			return meanwhile(func() error { _, err := c.Read(make([]byte, 1)); return err }, func() { c.Close() })
		},
		"read, deadline past": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			require.NoError(t, c.SetReadDeadline(past))
			_, err := c.Read(make([]byte, 1))
			return err
		},
		"read, deadline moved to the past meanwhile": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			return meanwhile(func() error { _, err := c.Read(make([]byte, 1)); return err }, func() { c.SetReadDeadline(past) })
		},
		"read, deadline past and data there": func(t *testing.T, p place) error {
			c, s := p.conns(t)
			s.Write([]byte("x"))
			s.Close()
			require.NoError(t, c.SetReadDeadline(past))
			_, err := c.Read(make([]byte, 1))
			return err
		},
		"read, peer closed": func(t *testing.T, p place) error {
			c, s := p.conns(t)
			s.Close()
			_, err := c.Read(make([]byte, 1))
			return err
		},
		"read, reset": func(t *testing.T, p place) error {
			c, s := p.conns(t)
			return reset(t, c, s)
		},
		"read again after reset": func(t *testing.T, p place) error {
			c, s := p.conns(t)
			reset(t, c, s)
			_, err := c.Read(make([]byte, 1))
			return err
		},
		"read, unread data makes the peer's close a reset": func(t *testing.T, p place) error {
			c, s := p.conns(t)
			// A byte back says that what c wrote has arrived.
			c.Write([]byte("xy"))
			_, err := io.ReadFull(s, make([]byte, 1))
			require.NoError(t, err)
			s.Close()
			_, err = c.Read(make([]byte, 1))
			return err
		},
		"read, CloseRead": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			require.NoError(t, c.(duplex).CloseRead())
			_, err := c.Read(make([]byte, 1))
			return err
		},
		"read, CloseRead meanwhile": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			return meanwhile(func() error { _, err := c.Read(make([]byte, 1)); return err }, func() { c.(duplex).CloseRead() })
		},
		"write, CloseWrite": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			require.NoError(t, c.(duplex).CloseWrite())
			_, err := c.Write([]byte("x"))
			return err
		},
		"write, reset": func(t *testing.T, p place) error {
			c, s := p.conns(t)
			reset(t, c, s)
			_, err := c.Write([]byte("x"))
			return err
		},
		"write, closed": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			c.Close()
			_, err := c.Write([]byte("x"))
			return err
		},
		"write, closed meanwhile": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			return meanwhile(func() error { return fill(c) }, func() { c.Close() })
		},
		"write, deadline past": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			require.NoError(t, c.SetWriteDeadline(past))
			_, err := c.Write([]byte("x"))
			return err
		},
		"write, deadline while full": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			require.NoError(t, c.SetWriteDeadline(time.Now().Add(50*time.Millisecond)))
			return fill(c)
		},
		"CloseWrite twice": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			require.NoError(t, c.(duplex).CloseWrite())
			return c.(duplex).CloseWrite()
		},
		"CloseWrite, closed": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			c.Close()
			return c.(duplex).CloseWrite()
		},
		"write again after reset": func(t *testing.T, p place) error {
			c, s := p.conns(t)
			reset(t, c, s)
			c.Write([]byte("x"))
			_, err := c.Write([]byte("x"))
			return err
		},
		"CloseWrite after reset": func(t *testing.T, p place) error {
			c, s := p.conns(t)
			reset(t, c, s)
			return c.(duplex).CloseWrite()
		},
		"CloseRead after reset": func(t *testing.T, p place) error {
			c, s := p.conns(t)
			reset(t, c, s)
			return c.(duplex).CloseRead()
		},
		"close twice": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			require.NoError(t, c.Close())
			return c.Close()
		},
		"close after reset": func(t *testing.T, p place) error {
			c, s := p.conns(t)
			reset(t, c, s)
			return c.Close()
		},
		"deadline, closed": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			c.Close()
			return c.SetDeadline(time.Time{})
		},
		"option, closed": func(t *testing.T, p place) error {
			c, _ := p.conns(t)
			c.Close()
			return c.(duplex).SetNoDelay(true)
		},
	}
	for name, f := range cases {
		t.Run(name, func(t *testing.T) {
			kernel, ours := places(t)
			want, got := shape(f(t, kernel)), shape(f(t, ours))
			require.Equal(t, want, got, "package net, then ours")
		})
	}
}

// meanwhile makes a call that waits, then another that ends it, and returns what
// the first came to. It can't see the first wait: it makes the other both too
// early and late enough over many runs, and either is right.
func meanwhile(waits func() error, end func()) error {
	got := make(chan error)
	started := make(chan struct{})
	go func() {
		close(started)
		got <- waits()
	}()
	<-started
	runtime.Gosched()
	end()
	return <-got
}

// fill writes until something is wrong.
func fill(c net.Conn) error {
	b := make([]byte, 1<<20)
	for {
		if _, err := c.Write(b); err != nil {
			return err
		}
	}
}

// The errors that need a peer who is gone have no quick counterpart in the
// kernel. They match the engine's errors too.
func TestErrorsOfTheNetwork(t *testing.T) {
	impatient := tcp.Linux()
	impatient.RTOInitial, impatient.RTOMin, impatient.RTOMax = 5*clock.Millisecond, 5*clock.Millisecond, 10*clock.Millisecond
	impatient.SynRetries, impatient.SynLinear, impatient.R2, impatient.R2Time = 2, 0, 3, false

	t.Run("dial, no answer", func(t *testing.T) {
		x, _ := native.NewPipe(packet.Link{MTU: 1500}, 64)
		h := newHost(t, x, aLocal)
		d := native.Dialer{Host: h, TCP: &impatient}
		_, err := d.Dial("tcp", "10.8.0.2:80")
		require.ErrorIs(t, err, syscall.ETIMEDOUT)
		require.ErrorIs(t, err, tcp.ErrTimeout)
		require.EqualError(t, err, "dial tcp 10.8.0.2:80: connect: connection timed out")
		require.True(t, err.(net.Error).Timeout())
		require.Empty(t, connections(h), "nothing is left of it")
	})
	t.Run("dial, context ends meanwhile", func(t *testing.T) {
		x, _ := native.NewPipe(packet.Link{MTU: 1500}, 64)
		h := newHost(t, x, aLocal)
		for name, c := range map[string]struct {
			ctx  func() (context.Context, context.CancelFunc)
			want error
			text string
		}{
			"cancel": {func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(context.Background())
				time.AfterFunc(5*time.Millisecond, cancel)
				return ctx, cancel
			}, context.Canceled, "dial tcp 10.8.0.2:80: operation was canceled"},
			"deadline": {func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(context.Background(), 5*time.Millisecond)
			}, context.DeadlineExceeded, "dial tcp 10.8.0.2:80: i/o timeout"},
		} {
			ctx, cancel := c.ctx()
			_, err := h.DialContext(ctx, "tcp", "10.8.0.2:80")
			cancel()
			require.ErrorIs(t, err, c.want, name)
			require.EqualError(t, err, c.text)
			require.Equal(t, name == "deadline", err.(net.Error).Timeout())
		}
		d := native.Dialer{Host: h, Timeout: 5 * time.Millisecond}
		_, err := d.Dial("tcp", "10.8.0.2:80")
		require.EqualError(t, err, "dial tcp 10.8.0.2:80: i/o timeout")
		require.Empty(t, connections(h), "nothing is left of them")
	})
	t.Run("dial, no address of the family", func(t *testing.T) {
		x, _ := native.NewPipe(packet.Link{MTU: 1500}, 64)
		h := newHost(t, x, aLocal[:1])
		_, err := h.Dial("tcp", "[fd08::2]:80")
		require.ErrorIs(t, err, syscall.ENETUNREACH)
		require.EqualError(t, err, "dial tcp [fd08::2]:80: connect: network is unreachable")
	})
	t.Run("peer vanishes", func(t *testing.T) {
		x, y := native.NewPipe(packet.Link{MTU: 1500}, 64)
		link := &valve{IO: x}
		a, b := newHost(t, link, aLocal), newHost(t, y, bLocal)
		l, err := b.Listen("tcp", ":80")
		require.NoError(t, err)
		d := native.Dialer{Host: a, TCP: &impatient}
		c, err := d.Dial("tcp", "10.8.0.2:80")
		require.NoError(t, err)
		defer c.Close()
		s, err := l.Accept()
		require.NoError(t, err)
		defer s.Close()
		link.shut.Store(true)
		_, err = c.Write([]byte("anybody?"))
		require.NoError(t, err)
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ETIMEDOUT)
		require.ErrorIs(t, err, tcp.ErrTimeout)
		require.True(t, err.(net.Error).Timeout())
	})
	t.Run("dial, the secret and the addresses", func(t *testing.T) {
		_, err := native.New(native.Config{})
		require.ErrorContains(t, err, "no IO")
		x, _ := native.NewPipe(packet.Link{MTU: 1000}, 64)
		_, err = native.New(native.Config{IO: x, Local: []netip.Prefix{netip.MustParsePrefix("fd08::1/64")}})
		require.ErrorContains(t, err, "MTU 1000", "IPv6 needs 1280")
	})
}

// A valve is a link that can be cut: then packets both ways go nowhere.
type valve struct {
	packet.IO
	shut atomic.Bool
}

func (v *valve) WritePacket(p *packet.Packet) error {
	if v.shut.Load() {
		return nil
	}
	return v.IO.WritePacket(p)
}

func (v *valve) ReadPacket(p *packet.Packet) error {
	for {
		if err := v.IO.ReadPacket(p); err != nil || !v.shut.Load() {
			return err
		}
	}
}

func (v *valve) Close() error { return v.IO.(io.Closer).Close() }

// connections is what Status has of a host, without its listeners.
func connections(h *native.Host) (all []core.Status) {
	for _, s := range h.Status() {
		if s.State != tcp.Listen {
			all = append(all, s)
		}
	}
	return all
}
