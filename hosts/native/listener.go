package native

import (
	"context"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Listener is a port that takes connections. It is a net.Listener with
// *net.TCPListener's SetDeadline.
type Listener struct {
	shard   *shard
	core    *core.Listener
	network string
	addr    *net.TCPAddr
	accepts side
	closed  bool // guarded by the lock of shard
}

var _ net.Listener = (*Listener)(nil)

// ListenConfig is Listen with options.
type ListenConfig struct {
	// Backlog is how many connections may wait for Accept beyond the first; 0 is
	// as many as the stack allows, less than 0 is none.
	Backlog int
	// TCP is what the connections go by, nil for what the host's do.
	TCP *tcp.Config
	// FastOpen is how many connections at once may be accepted, read and written
	// before their handshake is over (TCP Fast Open, RFC 7413); 0 is none. Data that
	// comes with a SYN may be delivered twice, to two connections.
	FastOpen int
}

// Listen opens a port for connections. As in package net, an address without a host,
// or with 0.0.0.0 or ::, is all of the host's own, of the family that network
// asks for (tcp4, tcp6) or of both (tcp), and port 0 is a free one.
func (h *Host) Listen(network, address string) (net.Listener, error) {
	return h.ListenWith(context.Background(), ListenConfig{}, network, address)
}

// ListenWith is Listen with options. ctx bounds the lookup of a name.
func (h *Host) ListenWith(ctx context.Context, cfg ListenConfig, network, address string) (net.Listener, error) {
	l, err := h.listen(ctx, cfg, network, address)
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (h *Host) listen(ctx context.Context, cfg ListenConfig, network, address string) (*Listener, error) {
	addrs, err := h.resolve(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	local := wire.AddrPort{Port: addrs[0].Port()}
	switch a := addrs[0].Addr(); {
	case a.IsValid() && !a.IsUnspecified():
		local.Addr = wireAddr(a)
	case network == "tcp4":
		local.Addr = wireAddr(netip.IPv4Unspecified())
	case network == "tcp6":
		local.Addr = wireAddr(netip.IPv6Unspecified())
	}
	o := core.ListenOptions{Backlog: cfg.Backlog - 1, TCP: cfg.TCP, FastOpen: cfg.FastOpen}
	switch {
	case cfg.Backlog > 0:
		o.Backlog = cfg.Backlog
	case cfg.Backlog < 0:
		o.Backlog = 0
	}
	s := h.shard()
	now := s.enter()
	var cl *core.Listener
	if err = s.err; err == nil {
		cl, err = s.stack.Listen(now, local, o)
	}
	if err != nil {
		s.unlock()
		return nil, &net.OpError{Op: "listen", Net: network, Addr: listenAddr(local), Err: sysError("bind", err)}
	}
	l := &Listener{shard: s, core: cl, network: network, addr: listenAddr(cl.Addr())}
	for cl.Slot() >= len(s.listeners) {
		s.listeners = append(s.listeners, nil)
	}
	s.listeners[cl.Slot()] = l
	s.leave(now)
	return l, nil
}

// listenAddr is a as package net shows it: [::]:80 for all addresses.
func listenAddr(a wire.AddrPort) *net.TCPAddr {
	if !a.Addr.IsValid() {
		return &net.TCPAddr{IP: net.IPv6unspecified, Port: int(a.Port)}
	}
	return tcpAddr(a)
}

func (l *Listener) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: l.network, Addr: l.addr, Err: sysError(op, err)}
}

// Accept waits for a connection and returns it, a *Conn.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.accept()
	if err != nil {
		return nil, l.opError("accept", err)
	}
	return c, nil
}

func (l *Listener) accept() (*Conn, error) {
	l.accepts.turn.Lock()
	defer l.accepts.turn.Unlock()
	s := l.shard
	for {
		now := s.enter()
		if err := l.check(); err != nil {
			s.unlock()
			return nil, err
		}
		cc, err := l.core.Accept(now)
		if err == nil {
			c := s.newConn(cc, l.network)
			s.leave(now)
			return c, nil
		}
		if err != tcp.ErrWouldBlock {
			s.leave(now)
			return nil, err
		}
		l.accepts.prepare()
		s.unlock()
		<-l.accepts.ch
	}
}

// check returns, under the lock, why Accept can't go on.
func (l *Listener) check() error {
	switch {
	case l.closed:
		return errClosed
	case l.accepts.expired:
		return os.ErrDeadlineExceeded
	}
	return l.shard.err
}

// Close ends listening. Connections that were not accepted are reset.
func (l *Listener) Close() error {
	s := l.shard
	now := s.enter()
	if l.closed {
		s.unlock()
		return l.opError("close", errClosed)
	}
	l.shut(now)
	s.leave(now)
	return nil
}

// shut closes l under the lock.
func (l *Listener) shut(now clock.Instant) {
	s := l.shard
	l.closed = true
	s.listeners[l.core.Slot()] = nil
	if s.err == nil {
		l.core.Close(now)
	}
	l.accepts.stop(s)
}

// Addr is where l listens, a *net.TCPAddr.
func (l *Listener) Addr() net.Addr { return l.addr }

// SetDeadline bounds all calls of Accept, those that wait already too. The zero
// time takes the bound away.
func (l *Listener) SetDeadline(t time.Time) error {
	s := l.shard
	s.mu.Lock()
	defer s.unlock()
	if l.closed {
		return l.opError("set", errClosed)
	}
	l.accepts.setDeadline(s, t)
	return nil
}
