package script

import (
	"errors"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

func (r *runner) socketCall(p *PendingCall) CallResult {
	c := p.call
	domain, ok1 := arg(c, 0, r.family())
	kind, ok2 := arg(c, 1, 1)
	proto, ok3 := arg(c, 2, 6)
	if !ok1 || !ok2 || !ok3 {
		return cannot("this kind of socket is not supported")
	}
	nonblock := kind&constants["SOCK_NONBLOCK"] != 0
	kind &^= constants["SOCK_NONBLOCK"] | constants["SOCK_CLOEXEC"]
	const stream, datagram, raw = 1, 2, 3
	internet := domain == constants["AF_INET"] || domain == constants["AF_INET6"]
	switch {
	case domain < 0 || domain > 46:
		return fails("EAFNOSUPPORT")
	case kind < 0 || kind > 10:
		return fails("EINVAL")
	case !internet:
		return cannot("only TCP sockets are supported")
	case proto < 0 || proto > 262:
		return fails("EINVAL")
	case kind == stream && (proto == 0 || proto == 6):
	case kind == stream && (proto == constants["IPPROTO_SCTP"] || proto == constants["IPPROTO_MPTCP"]),
		kind == datagram && (proto == 0 || proto == 17 || proto == constants["IPPROTO_UDPLITE"] || proto == 1 || proto == 58),
		kind == raw && proto != 0 || kind > raw:
		return cannot("only TCP sockets are supported")
	case kind == raw || kind == stream || kind == datagram:
		return fails("EPROTONOSUPPORT")
	}
	own := r.core.TCP
	return r.open(c, &socket{domain: domain, nonblock: nonblock, cfg: &own})
}

// suits reports what is wrong with an address for a socket; "": nothing.
func (r *runner) suits(s *socket, c *Call, a sockaddr) (errno string) {
	if n, ok := arg(c, 2, 16); ok && (n < 16 || s.domain == constants["AF_INET6"] && n < 24) && a.given && len(c.Args) > 2 {
		return "EINVAL"
	}
	if a.family != s.domain && !(r.mapped && a.given) { // mapped addresses may be written either way
		return "EAFNOSUPPORT"
	}
	return ""
}

// isBindable reports whether a socket may be bound to an address.
func (r *runner) isBindable(a wire.Addr) bool {
	return !a.IsValid() || a.IsUnspecified() || a == r.local
}

func (r *runner) bind(s *socket, p *PendingCall) CallResult {
	c := p.call
	a, ok := r.address(c, 1, wire.AddrPort{Addr: r.local, Port: r.bindPort})
	if !ok {
		return notThis(c)
	}
	if errno := r.suits(s, c, a); errno != "" && !(a.family == 0 && a.Addr.IsUnspecified()) {
		return fails(errno)
	}
	if !r.isBindable(a.Addr) {
		if s.storedValue("SOL_IP", "IP_FREEBIND") != 0 || s.storedValue("SOL_IP", "IP_TRANSPARENT") != 0 {
			return cannot("a socket that is bound to somebody else's address is not supported")
		}
		return fails("EADDRNOTAVAIL")
	}
	if s.bound || s.conn != nil || s.listener != nil {
		return fails("EINVAL")
	}
	taken := false
	r.sockets(func(other *socket) {
		if other == s || !other.bound || other.local.Port != a.Port || a.Port == 0 || other.local.Addr != a.Addr && !a.Addr.IsUnspecified() && !other.local.Addr.IsUnspecified() {
			return
		}
		port := s.storedValue("SOL_SOCKET", "SO_REUSEPORT") != 0 && other.storedValue("SOL_SOCKET", "SO_REUSEPORT") != 0
		addr := s.storedValue("SOL_SOCKET", "SO_REUSEADDR") != 0 && other.storedValue("SOL_SOCKET", "SO_REUSEADDR") != 0 && other.listener == nil
		taken = taken || !port && !addr
	})
	if taken {
		return fails("EADDRINUSE")
	}
	s.bound, s.local = true, a.AddrPort
	return returns(0)
}

// listen begins to listen, or changes the backlog of who does.
func (r *runner) listen(s *socket, p *PendingCall) CallResult {
	backlog, ok := arg(p.call, 1, 128)
	switch {
	case !ok:
		return notThis(p.call)
	case s.conn != nil:
		return fails("EINVAL")
	case s.listener != nil:
		s.listener.SetBacklog(int(backlog))
		r.judge.Listening(s.local)
		return returns(0)
	}
	if backlog > 1<<31-1 || backlog < 0 {
		backlog = -1
	}
	l, err := r.stack.Listen(r.now, s.local, core.ListenOptions{
		Backlog: int(backlog), TCP: s.cfg, FastOpen: s.fast.queue, FastOpenKeys: s.fast.keys,
	})
	if err != nil {
		return failsWith(err)
	}
	s.listener, s.bound, s.local = l, true, wire.AddrPort{Addr: s.local.Addr, Port: l.Addr().Port}
	r.judge.Listening(s.local)
	return returns(0)
}

func (r *runner) accept(s *socket, p *PendingCall) CallResult {
	c := p.call
	if s.listener == nil {
		return fails("EINVAL")
	}
	flags, ok := arg(c, 3, 0)
	if !ok || len(c.Args) > 4 {
		return notThis(c)
	}
	if flags&^(constants["SOCK_NONBLOCK"]|constants["SOCK_CLOEXEC"]) != 0 {
		return fails("EINVAL")
	}
	if s.listener.Waiting() == 0 {
		return r.would(s, p, 0, s.recvTimeout, "EAGAIN")
	}
	conn, err := s.listener.Accept(r.now)
	if err != nil {
		return failsWith(err)
	}
	child := &socket{
		domain: s.domain, conn: conn, cfg: conn.Config(), connected: true, bound: true, local: conn.Local(),
		nonblock: flags&constants["SOCK_NONBLOCK"] != 0,
		// What a child has of its parent.
		own: append(s.own[:0:0], s.own...), stored: append(s.stored[:0:0], s.stored...), inq: s.inq, recvErr: s.recvErr,
		zerocopy: s.zerocopy, corked: s.corked, linger2: s.linger2, clamp: s.clamp, stamping: s.stamping, lowat: s.lowat, sendBuffer: s.sendBuffer, receiveBuffer: s.receiveBuffer,
		sendTimeout: s.sendTimeout, recvTimeout: s.recvTimeout,
	}
	if s.corked {
		_ = conn.SetCork(r.now, true) // it may be over
	}
	o := r.open(c, child)
	if o.stop != nil {
		return o
	}
	if r.fd(int64(child.fd)) != child { // nobody has it
		conn.Abort(r.now)
		return o
	}
	r.judge.Accepted(conn.Local(), conn.Remote())
	if len(c.Args) > 1 {
		o.differ = sameAddress(&c.Args[1], conn.Remote())
	}
	return o
}

// sameAddress compares a sockaddr that a call has filled in.
func sameAddress(e *Expr, got wire.AddrPort) string {
	if e.Kind != Struct {
		return ""
	}
	if port := field(e, "sin_port", "sin6_port"); port != nil && port.Kind != Default {
		if v, ok := intOf(port); !ok || v != int64(got.Port) {
			return differs("sin_port", port.String(), int64(got.Port))
		}
	}
	if addr := field(e, "sin_addr", "sin6_addr"); addr != nil && addr.Kind != Default {
		var a sockaddr
		if !a.parse(addr) || a.Addr != got.Addr {
			return "expected  sin_addr = " + addr.String() + "\n  actual    sin_addr = " + got.Addr.String()
		}
	}
	return ""
}

// getname is getsockname and getpeername.
func (r *runner) getname(s *socket, p *PendingCall) CallResult {
	a := s.local
	if p.call.Name == "getpeername" {
		if s.conn == nil || !s.connected {
			return fails("ENOTCONN")
		}
		a = s.conn.Remote()
	}
	o := returns(0)
	if len(p.call.Args) > 1 {
		o.differ = sameAddress(&p.call.Args[1], a)
	}
	return o
}

func (r *runner) connect(s *socket, p *PendingCall) CallResult {
	c := p.call
	remote, ok := r.address(c, 1, wire.AddrPort{Addr: r.remote, Port: r.connectPort})
	if !ok {
		return notThis(c)
	}
	if remote.given && remote.family == 0 {
		return r.disconnect(s)
	}
	if s.listener != nil {
		return fails("EISCONN")
	}
	if errno := r.suits(s, c, remote); errno != "" {
		return fails(errno)
	}
	if s.fast.deferred {
		return fails("EISCONN")
	}
	fresh := s.conn == nil
	if fresh && s.fast.connect {
		if deferred, err := r.connectFast(s, remote.AddrPort); err != nil {
			return failsWith(err)
		} else if deferred {
			return returns(0)
		}
	} else if fresh {
		own := *s.cfg
		conn, err := r.stack.Dial(r.now, s.local, remote.AddrPort, &own)
		if err != nil {
			return failsWith(err)
		}
		s.conn, s.local, s.errTaken, s.why = conn, conn.Local(), false, ""
		if s.corked {
			_ = conn.SetCork(r.now, true) // it has just been made
		}
		r.judge.Connects(conn.Local(), conn.Remote())
	}
	switch state := s.conn.State(); {
	case state == tcp.SynSent || state == tcp.SynReceived:
		errno := "EALREADY"
		if fresh || p.done > 0 {
			errno, p.done = "EINPROGRESS", 1 // this call has begun the open
		}
		return r.would(s, p, 0, s.sendTimeout, errno)
	case s.connected:
		return fails("EISCONN")
	case state == tcp.Closed:
		return r.openFailed(s)
	}
	s.connected = true
	return returns(0)
}

// unconnect makes a socket as new, but for its options.
func (r *runner) unconnect(s *socket) {
	own := *s.config()
	s.conn.Abort(r.now)
	s.conn, s.cfg, s.connected, s.readShut, s.writeShut = nil, &own, false, false, false
	if !s.bound {
		s.local = wire.AddrPort{}
	}
	s.errTaken, s.why, s.pending, s.read, s.written, s.seen = false, "", "", 0, 0, seen{}
}

// disconnect is connect to no address.
func (r *runner) disconnect(s *socket) CallResult {
	switch {
	case s.listener != nil:
		s.listener.Close(r.now)
		s.listener = nil
	case s.conn != nil:
		r.unconnect(s)
	}
	s.fast.deferred = false
	return returns(0)
}

// takeError is why the connection ended, which Linux tells once; "" if there is
// nothing to tell.
func (s *socket) takeError() (errno string) {
	errno = s.error()
	s.errTaken, s.pending = s.conn != nil && s.conn.Err() != nil, ""
	return errno
}

// error is what takeError would return.
func (s *socket) error() string {
	switch {
	case s.pending != "":
		return s.pending
	case s.conn == nil || s.errTaken || s.conn.Err() == nil:
		return ""
	case s.why != "":
		return s.why
	case s.readShut && errors.Is(s.conn.Err(), tcp.ErrAborted):
		return "ECONNRESET" // by data behind shutdown
	}
	return errnoOf(s.conn.Err())
}

// storedValue is an option that was only noted; 0 if it was not set.
func (s *socket) storedValue(level, name string) int64 {
	for _, x := range s.stored {
		if x.level == constants[level] && x.name == constants[name] {
			return x.value
		}
	}
	return 0
}
