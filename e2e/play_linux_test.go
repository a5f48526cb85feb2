package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/hosts/native"
	"github.com/tcpkit/tcpkit/hosts/native/sockdiag"
)

// A play is one run of a situation: a TUN, a host, and who is client and server.
type play struct {
	*testing.T
	host           *native.Host
	gate           *gate
	trace          *trace
	client, server end
	family         int
}

// The floods come from here; the kernel's answers go to the TUN.
var (
	strangers4 = netip.MustParsePrefix("198.18.0.0/15")
	strangers6 = netip.MustParsePrefix("2001:db8:5::/48")
)

var subnets atomic.Uint32

// newPlay opens a TUN with a subnet of its own, and a host behind it. It is all
// gone when the test ends.
func newPlay(t *testing.T, c *capture, family int, kernelIsClient bool) *play {
	t.Helper()
	return newPlayWith(t, c, family, kernelIsClient, func(*core.Config) {})
}

// newPlayWith is newPlay with a host that is configured otherwise.
func newPlayWith(t *testing.T, c *capture, family int, kernelIsClient bool, change func(*core.Config)) *play {
	t.Helper()
	n := subnets.Add(1)
	prefix := func(host int) netip.Prefix {
		if family == 4 {
			return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), byte(host)}), 24)
		}
		return netip.MustParsePrefix(fmt.Sprintf("fd09:%x::%d/64", n, host))
	}
	tun, err := native.OpenTUN(native.TUNConfig{Peer: []netip.Prefix{prefix(1)}})
	require.NoError(t, err)
	p := &play{T: t, family: family}
	p.trace = &trace{capture: c, bound: 5000}
	for i := range p.trace.ends {
		p.trace.ends[i], err = wire.ParseAddr(prefix(i + 1).Addr().String())
		require.NoError(t, err)
	}
	p.gate = newGate(tun, p.trace.swallowed)
	engine, err := core.Profile("linux")
	require.NoError(t, err)
	// A probe goes two round trips after the last segment, which here is before a slow
	// machine has answered: the trace would depend on it.
	engine.TCP.TLP = false
	change(&engine)
	p.host, err = native.New(native.Config{Core: engine, Local: []netip.Prefix{prefix(2)}, IO: p.gate, Tap: p.trace})
	require.NoError(t, err)
	diag, err := sockdiag.Open()
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, p.host.Close())
		require.NoError(t, diag.Close())
	})
	kernel, tcpkit := &kernelEnd{prefix(1).Addr(), diag}, &tcpkitEnd{prefix(2).Addr(), p.host}
	if kernelIsClient {
		p.client, p.server = kernel, tcpkit
	} else {
		p.client, p.server = tcpkit, kernel
	}
	return p
}

// conn is what the connections of both ends can do.
type conn interface {
	net.Conn
	CloseRead() error
	CloseWrite() error
	SetLinger(int) error
	SetKeepAliveConfig(net.KeepAliveConfig) error
	SetReadBuffer(int) error
	SetWriteBuffer(int) error
}

// An end is the kernel or tcpkit.
type end interface {
	name() string
	addr() netip.Addr
	// listen opens a port. A backlog of 0 is the usual one.
	listen(backlog int) (net.Listener, error)
	// dial opens a connection, with a user timeout unless that is 0.
	dial(ctx context.Context, to netip.AddrPort, userTimeout time.Duration) (conn, error)
	// state is what this end says of the connection that it calls so.
	state(local, remote netip.AddrPort) (string, error)
	// queue is how many wait for Accept, and the backlog.
	queue(l netip.AddrPort) (waiting, backlog int, err error)
	// probing reports whether the connection waits for a closed window to open.
	probing(local, remote netip.AddrPort) (bool, error)
	// waits is how long the connection will still be in TIME-WAIT.
	waits(local, remote netip.AddrPort) (time.Duration, error)
	setUserTimeout(c conn, d time.Duration) error
}

type kernelEnd struct {
	at   netip.Addr
	diag *sockdiag.Diag
}

func (e *kernelEnd) name() string     { return "kernel" }
func (e *kernelEnd) addr() netip.Addr { return e.at }

func (e *kernelEnd) listen(backlog int) (net.Listener, error) {
	l, err := net.Listen("tcp", netip.AddrPortFrom(e.at, 0).String())
	if err != nil || backlog == 0 {
		return l, err
	}
	// A second listen(2) changes the backlog.
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		return nil, err
	}
	if e := raw.Control(func(fd uintptr) { err = unix.Listen(int(fd), backlog) }); e != nil {
		return nil, e
	}
	return l, err
}

func (e *kernelEnd) dial(ctx context.Context, to netip.AddrPort, userTimeout time.Duration) (conn, error) {
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return controlUserTimeout(raw, userTimeout)
	}}
	c, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

func controlUserTimeout(raw syscall.RawConn, d time.Duration) (err error) {
	if e := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
	}); e != nil {
		return e
	}
	return os.NewSyscallError("setsockopt", err)
}

func (e *kernelEnd) setUserTimeout(c conn, d time.Duration) error {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	return controlUserTimeout(raw, d)
}

func (e *kernelEnd) state(local, remote netip.AddrPort) (string, error) {
	s, err := e.diag.Lookup(local, remote)
	if errors.Is(err, sockdiag.ErrNotFound) {
		return sockdiag.Closed.String(), nil
	}
	return s.State.String(), err
}

func (e *kernelEnd) queue(l netip.AddrPort) (waiting, backlog int, err error) {
	all, err := e.diag.List()
	for _, s := range all {
		if s.State == sockdiag.Listen && s.Local == l {
			return int(s.ReadQueue), int(s.WriteQueue), nil
		}
	}
	return 0, 0, errors.Join(err, sockdiag.ErrNotFound)
}

func (e *kernelEnd) probing(local, remote netip.AddrPort) (bool, error) {
	s, err := e.diag.Lookup(local, remote)
	return s.Timer == sockdiag.TimerProbe, err
}

func (e *kernelEnd) waits(local, remote netip.AddrPort) (time.Duration, error) {
	s, err := e.diag.Lookup(local, remote)
	if err == nil && s.Timer != sockdiag.TimerTimeWait {
		err = errors.New("its timer is " + s.Timer.String())
	}
	return s.Expires, err
}

type tcpkitEnd struct {
	at   netip.Addr
	host *native.Host
}

func (e *tcpkitEnd) name() string     { return "tcpkit" }
func (e *tcpkitEnd) addr() netip.Addr { return e.at }

func (e *tcpkitEnd) listen(backlog int) (net.Listener, error) {
	return e.host.ListenWith(context.Background(), native.ListenConfig{Backlog: backlog}, "tcp", netip.AddrPortFrom(e.at, 0).String())
}

func (e *tcpkitEnd) dial(ctx context.Context, to netip.AddrPort, userTimeout time.Duration) (conn, error) {
	d := native.Dialer{Host: e.host}
	if userTimeout > 0 {
		cfg := tcp.Linux()
		cfg.UserTimeout = clock.Duration(userTimeout)
		d.TCP = &cfg
	}
	c, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	return c.(*native.Conn), nil
}

func (e *tcpkitEnd) setUserTimeout(c conn, d time.Duration) error {
	return c.(*native.Conn).SetUserTimeout(d)
}

func (e *tcpkitEnd) state(local, remote netip.AddrPort) (string, error) {
	for _, s := range e.host.Status() {
		if s.Local.String() == local.String() && s.Remote.String() == remote.String() {
			return s.State.String(), nil
		}
	}
	return tcp.Closed.String(), nil
}

func (e *tcpkitEnd) queue(l netip.AddrPort) (waiting, backlog int, err error) {
	for _, s := range e.host.Status() {
		if s.State == tcp.Listen && s.Local.String() == l.String() {
			return s.Waiting, s.Backlog, nil
		}
	}
	return 0, 0, errors.New("nobody listens")
}

func (e *tcpkitEnd) probing(local, remote netip.AddrPort) (bool, error) {
	for _, s := range e.host.Status() {
		if s.Local.String() == local.String() && s.Remote.String() == remote.String() {
			return s.Info.Probes > 0 || s.Info.SndWnd == 0 && s.Due >= 0, nil
		}
	}
	return false, errors.New("no such connection")
}

func (e *tcpkitEnd) waits(local, remote netip.AddrPort) (time.Duration, error) {
	for _, s := range e.host.Status() {
		if s.Local.String() == local.String() && s.Remote.String() == remote.String() {
			return time.Duration(s.Due), nil
		}
	}
	return 0, errors.New("no such connection")
}

// A pair is a connection with both of its ends. An actor is one of them.
type pair struct {
	client, server actor
	port           uint16 // the client's
}

type actor struct {
	conn
	end
	role          string
	local, remote netip.AddrPort
}

func addrPort(a net.Addr) netip.AddrPort {
	ap := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

func newActor(role string, e end, c conn) actor {
	return actor{c, e, role, addrPort(c.LocalAddr()), addrPort(c.RemoteAddr())}
}

// open opens a connection from the client to the server.
func (p *play) open() *pair {
	p.Helper()
	l, err := p.server.listen(0)
	require.NoError(p, err)
	defer l.Close()
	return p.openTo(l)
}

func (p *play) openTo(l net.Listener) *pair {
	p.Helper()
	c, err := p.client.dial(p.Context(), addrPort(l.Addr()), 0)
	require.NoError(p, err)
	p.Cleanup(func() { c.Close() })
	s, err := l.Accept()
	require.NoError(p, err)
	p.Cleanup(func() { s.Close() })
	return &pair{
		newActor("client", p.client, c), newActor("server", p.server, s.(conn)), addrPort(c.LocalAddr()).Port(),
	}
}

// roles returns who plays the part first and the other one.
func (q *pair) roles(first string) (a, b *actor) {
	if first == "client" {
		return &q.client, &q.server
	}
	return &q.server, &q.client
}

// expectState waits until the end says that its connection is in the state.
func (p *play) expectState(a *actor, state string) {
	p.Helper()
	p.expectStateOf(a.end, a.local, a.remote, state)
}

func (p *play) expectStateOf(e end, local, remote netip.AddrPort, state string) {
	p.Helper()
	var got string
	wait(p, fmt.Sprintf("%s: %v to %v in %s", e.name(), local, remote, state), func() bool {
		var err error
		got, err = e.state(local, remote)
		require.NoError(p, err)
		return got == state
	}, func() string { return "it is in " + got }, p.told)
}

// expectPlot waits until the trace tells the story.
func (p *play) expectPlot(port uint16, lines ...string) {
	p.Helper()
	var s story
	wait(p, "the trace", func() bool {
		s = p.story(port)
		return fmt.Sprint(s.plot()) == fmt.Sprint(lines)
	}, func() string { return fmt.Sprintf("want %q\n got %q", lines, s.plot()) }, p.told)
}

// told is the whole trace.
func (p *play) told() string { return p.story(0).String() }

// expectRead wants exactly what to arrive.
func (p *play) expectRead(a *actor, what []byte) {
	p.Helper()
	got := make([]byte, len(what))
	require.NoError(p, a.SetReadDeadline(time.Now().Add(patience)))
	for n := 0; n < len(got); {
		m, err := a.Read(got[n:])
		require.NoError(p, err, "%s %s", a.role, a.name())
		n += m
	}
	require.True(p, string(what) == string(got), "what arrives is what was sent")
}

// expectErr wants Read to end with an error.
func (p *play) expectErr(a *actor, want error) {
	p.Helper()
	require.NoError(p, a.SetReadDeadline(time.Now().Add(patience)))
	n, err := a.Read(make([]byte, 1))
	require.ErrorIs(p, err, want, "read of %s %s", a.role, a.name())
	require.Zero(p, n)
}

// expectWriteErr wants Write to end with an error.
func (p *play) expectWriteErr(a *actor, want error) {
	p.Helper()
	_, err := a.Write([]byte("x"))
	require.ErrorIs(p, err, want, "write of %s %s", a.role, a.name())
}
