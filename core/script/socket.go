package script

import (
	"errors"
	"strconv"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// socket is a descriptor of the script: Linux's socket, as far as scripts see
// it, around the engine's connection or listener.
type socket struct {
	fd       int
	nonblock bool
	bound    bool
	local    wire.AddrPort
	cfg      *tcp.Config // what its options have made of the configuration
	listener *core.Listener
	conn     *core.Conn
	stored   []stored // options that mean nothing here, for getsockopt
	fast     fastSocket

	connected bool // connect has told of its success
	errTaken  bool // Linux tells an error once
	readShut  bool
	writeShut bool
}

// stored is an option that is accepted and given back.
type stored struct{ level, name, value int64 }

func returns(v int64) outcome { return outcome{ret: v} }

func fails(errno string) outcome { return outcome{ret: -1, errno: errno} }

func failsWith(err error) outcome { return fails(errnoOf(err)) }

func cannot(what string) outcome { return outcome{stop: unsupported(what)} }

var blocks = outcome{block: true}

// would is EAGAIN for a call that may not block, and waiting for others.
func (s *socket) would(flags int64) outcome {
	if s.nonblock || flags&constants["MSG_DONTWAIT"] != 0 {
		return fails("EAGAIN")
	}
	return blocks
}

// do runs the handler of a call.
func (r *runner) do(p *pendingCall) outcome {
	switch p.call.Name {
	case "socket":
		return r.socketCall(p.call)
	case "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "open", "sendfile", "pipe", "splice", "cap_set":
		return cannot("the call " + p.call.Name + " is not supported")
	case "poll":
		return r.poll(p)
	}
	s, bad := r.sockArg(p.call)
	if p.sock != nil {
		s = p.sock
	} else if bad.stop != nil || bad.errno != "" {
		return bad
	}
	switch p.call.Name {
	case "bind":
		return r.bind(s, p.call)
	case "listen":
		return r.listen(s, p.call)
	case "accept", "accept4":
		return r.accept(s, p.call)
	case "connect":
		return r.connect(s, p.call)
	case "read", "recv", "recvfrom", "readv", "recvmsg":
		return r.read(s, p)
	case "write", "send", "sendto", "writev", "sendmsg":
		return r.write(s, p)
	case "close":
		return r.close(s, p)
	case "shutdown":
		return r.shutdown(s, p.call)
	case "setsockopt":
		return r.setsockopt(s, p.call)
	case "getsockopt":
		return r.getsockopt(s, p.call)
	case "fcntl":
		return fcntl(s, p.call)
	case "ioctl":
		return ioctl(s, p.call)
	}
	return cannot("the call " + p.call.Name + " is not supported")
}

// intOf is the number that an expression stands for.
func intOf(e *Expr) (int64, bool) {
	switch e.Kind {
	case Int:
		return e.Int, true
	case Word:
		v, ok := constants[e.Text]
		return v, ok
	case Or:
		var all int64
		for i := range e.Items {
			v, ok := intOf(&e.Items[i])
			if !ok {
				return 0, false
			}
			all |= v
		}
		return all, true
	case Apply:
		if e.Text == "htons" && len(e.Items) == 1 {
			return intOf(&e.Items[0])
		}
	}
	return 0, false
}

// arg is the i-th argument as a number; what is missing or ... is def.
func arg(c *Call, i int, def int64) (int64, bool) {
	if i >= len(c.Args) || c.Args[i].Kind == Default {
		return def, true
	}
	return intOf(&c.Args[i])
}

// sockArg is the socket of the descriptor that is the first argument.
func (r *runner) sockArg(c *Call) (*socket, outcome) {
	fd, ok := arg(c, 0, -1)
	if !ok || len(c.Args) == 0 {
		return nil, cannot("the call " + c.Name + " needs a descriptor")
	}
	if fd < 0 || fd >= int64(len(r.socks)) || r.socks[fd] == nil {
		return nil, fails("EBADF")
	}
	return r.socks[fd], outcome{}
}

// maxFD bounds descriptors.
const maxFD = 1 << 12

// newSocket binds the descriptor that the script names in a call's result.
func (r *runner) newSocket(c *Call) (*socket, outcome) {
	fd, ok := intOf(&c.Result)
	if c.Result.Kind == Default {
		fd, ok = int64(len(r.socks)), true
	}
	switch {
	case !ok || fd < 0:
		return nil, outcome{ret: int64(len(r.socks))} // it has succeeded, the script says it fails
	case fd >= maxFD:
		return nil, cannot("a descriptor of " + strconv.FormatInt(fd, 10) + " is not supported")
	case fd < int64(len(r.socks)) && r.socks[fd] != nil:
		return nil, outcome{stop: failed("expected a descriptor that is not in use")}
	}
	for int64(len(r.socks)) <= fd {
		r.socks = append(r.socks, nil)
	}
	s := &socket{fd: int(fd)}
	r.socks[fd] = s
	return s, returns(fd)
}

func (r *runner) socketCall(c *Call) outcome {
	domain, ok1 := arg(c, 0, 2)
	kind, ok2 := arg(c, 1, 1)
	proto, ok3 := arg(c, 2, 6)
	if !ok1 || !ok2 || !ok3 {
		return cannot("this kind of socket is not supported")
	}
	nonblock := kind&constants["SOCK_NONBLOCK"] != 0
	kind &^= constants["SOCK_NONBLOCK"] | constants["SOCK_CLOEXEC"]
	if domain != constants["AF_INET"] && domain != constants["AF_INET6"] || kind != 1 || proto != 6 && proto != 0 {
		return cannot("only TCP sockets are supported")
	}
	s, o := r.newSocket(c)
	if s != nil {
		s.nonblock = nonblock
		own := r.core.TCP
		s.cfg = &own
	}
	return o
}

// address reads a sockaddr; ... is def.
func (r *runner) address(c *Call, i int, def wire.AddrPort) (wire.AddrPort, bool) {
	if i >= len(c.Args) || c.Args[i].Kind == Default {
		return def, true
	}
	if c.Args[i].Kind != Struct {
		return def, false
	}
	a := def
	for j := range c.Args[i].Items {
		item := &c.Args[i].Items[j]
		if item.Kind == Apply && item.Text == "inet_pton" && len(item.Items) >= 2 && item.Items[1].Kind == String {
			addr, err := wire.ParseAddr(item.Items[1].Text)
			if err != nil {
				return a, false
			}
			a.Addr = addr
			continue
		}
		if item.Kind != Assign || item.Items[0].Kind != Word {
			return a, false
		}
		value := &item.Items[1]
		switch item.Items[0].Text {
		case "sin_port", "sin6_port":
			if value.Kind == Default {
				continue
			}
			port, ok := intOf(value)
			if !ok || port < 0 || port > 65535 {
				return a, false
			}
			a.Port = uint16(port)
		case "sin_addr", "sin6_addr":
			switch {
			case value.Kind == Apply && value.Text == "inet_addr" && len(value.Items) == 1 && value.Items[0].Kind == String:
				addr, err := wire.ParseAddr(value.Items[0].Text)
				if err != nil {
					return a, false
				}
				a.Addr = addr
			case value.Kind == Default:
			default:
				return a, false
			}
		}
	}
	return a, true
}

func (r *runner) bind(s *socket, c *Call) outcome {
	a, ok := r.address(c, 1, wire.AddrPort{Addr: r.local, Port: r.bindPort})
	if !ok {
		return cannot("this address is not supported")
	}
	if s.bound || s.conn != nil || s.listener != nil {
		return fails("EINVAL")
	}
	for _, other := range r.socks {
		if other != nil && other != s && other.bound && other.conn == nil && other.local == a && a.Port != 0 && other.listener != nil {
			return fails("EADDRINUSE")
		}
	}
	s.bound, s.local = true, a
	return returns(0)
}

func (r *runner) listen(s *socket, c *Call) outcome {
	backlog, ok := arg(c, 1, 128)
	switch {
	case !ok:
		return cannot("this backlog is not supported")
	case s.conn != nil:
		return fails("EINVAL")
	case s.listener != nil:
		return cannot("a second listen on a socket is not supported")
	}
	l, err := r.stack.Listen(r.now, s.local, core.ListenOptions{Backlog: int(backlog), TCP: s.cfg})
	if err != nil {
		return failsWith(err)
	}
	s.listener, s.local = l, wire.AddrPort{Addr: s.local.Addr, Port: l.Addr().Port}
	own := *s.cfg // the listener keeps the other, which must not change
	s.cfg = &own
	return returns(0)
}

func (r *runner) accept(s *socket, c *Call) outcome {
	if s.listener == nil {
		return fails("EINVAL")
	}
	flags, ok := arg(c, 3, 0)
	if !ok || len(c.Args) > 4 {
		return cannot("these flags of accept are not supported")
	}
	if s.listener.Waiting() == 0 {
		return s.would(0)
	}
	child, o := r.newSocket(c)
	conn, err := s.listener.Accept(r.now)
	if err != nil {
		return failsWith(err)
	}
	if child == nil {
		conn.Abort(r.now)
		return o
	}
	own := *s.cfg
	child.cfg, child.conn, child.connected, child.bound = &own, conn, true, true
	child.nonblock = flags&constants["SOCK_NONBLOCK"] != 0
	child.local = conn.Local()
	r.judge.Accepted(conn.Local(), conn.Remote())
	return o
}

func (r *runner) connect(s *socket, c *Call) outcome {
	remote, ok := r.address(c, 1, wire.AddrPort{Addr: r.remote, Port: r.connectPort})
	if !ok {
		return cannot("this address is not supported")
	}
	if s.listener != nil {
		return fails("EISCONN")
	}
	if s.fast.deferred {
		return fails("EISCONN")
	}
	fresh := s.conn == nil
	if fresh && s.fast.connect {
		if deferred, err := r.connectFast(s, remote); err != nil {
			return failsWith(err)
		} else if deferred {
			return returns(0)
		}
	} else if fresh {
		own := *s.cfg
		conn, err := r.stack.Dial(r.now, s.local, remote, &own)
		if err != nil {
			return failsWith(err)
		}
		s.conn, s.local, s.bound = conn, conn.Local(), true
		r.judge.Connects(conn.Local(), conn.Remote())
	}
	switch state := s.conn.State(); {
	case state == tcp.SynSent || state == tcp.SynReceived:
		switch {
		case !s.nonblock:
			return blocks
		case fresh:
			return fails("EINPROGRESS")
		}
		return fails("EALREADY")
	case state == tcp.Closed && s.conn.Err() != nil && !s.errTaken && !s.connected:
		return failsWith(s.takeError())
	case state == tcp.Closed && !s.connected:
		return fails("ECONNABORTED")
	case s.connected:
		return fails("EISCONN")
	}
	s.connected = true
	return returns(0)
}

// takeError is why the connection ended, which Linux tells once; nil if there is
// nothing to tell.
func (s *socket) takeError() error {
	err := s.conn.Err()
	if s.errTaken {
		return nil
	}
	s.errTaken = err != nil
	return err
}

// size is how many octets a read or write is about: the length argument, or
// that of all vectors.
func size(c *Call) (n int64, text string, ok bool) {
	switch c.Name {
	case "readv", "writev":
		if len(c.Args) < 2 || c.Args[1].Kind != List {
			return 0, "", false
		}
		return vectors(&c.Args[1])
	case "recvmsg", "sendmsg":
		if len(c.Args) < 2 || c.Args[1].Kind != Struct {
			return 0, "", false
		}
		for i := range c.Args[1].Items {
			item := &c.Args[1].Items[i]
			if item.Kind == Assign && item.Items[0].Text == "msg_iov" {
				return vectors(&item.Items[1])
			}
		}
		return 0, "", true
	}
	if len(c.Args) < 3 {
		return 0, "", false
	}
	if c.Args[1].Kind == String {
		text = c.Args[1].Text
	}
	n, ok = intOf(&c.Args[2])
	if c.Args[2].Kind == Default {
		n, ok = int64(len(text)), true
	}
	return n, text, ok && n >= 0 && n <= maxTransfer
}

// maxTransfer bounds one read or write.
const maxTransfer = 64 << 20

// vectors adds up [{..., 10}, {"abc", 3}].
func vectors(e *Expr) (n int64, text string, ok bool) {
	for i := range e.Items {
		v := &e.Items[i]
		if v.Kind != Struct || len(v.Items) != 2 {
			return 0, "", false
		}
		one, ok := intOf(&v.Items[1])
		if !ok || one < 0 || one > maxTransfer {
			return 0, "", false
		}
		if v.Items[0].Kind == String {
			text += v.Items[0].Text
		} else if text != "" || i+1 < len(e.Items) {
			text += string(make([]byte, one))
		}
		n += one
	}
	return n, text, n <= maxTransfer
}

// flagsOf is the flags argument of a transfer.
func flagsOf(c *Call) (int64, bool) {
	switch c.Name {
	case "recv", "recvfrom", "send", "sendto":
		return arg(c, 3, 0)
	case "recvmsg", "sendmsg":
		return arg(c, 2, 0)
	}
	return 0, true
}

func (r *runner) read(s *socket, p *pendingCall) outcome {
	c := p.call
	n, want, ok := size(c)
	flags, known := flagsOf(c)
	const understood = 0x20 | 0x40 | 0x100 | 0x4000 // MSG_TRUNC, MSG_DONTWAIT, MSG_WAITALL, MSG_NOSIGNAL
	if !ok || !known || flags&^understood != 0 {
		return cannot("this read is not supported: " + string(c.append(nil)))
	}
	if s.fast.deferred {
		return s.would(flags)
	}
	if s.conn == nil {
		return fails("ENOTCONN")
	}
	if s.readShut && s.conn.Readable() == 0 {
		return returns(0)
	}
	b := make([]byte, n)
	for {
		got, err := s.conn.Read(r.now, b[p.done:])
		p.done += got
		switch {
		case err == nil && got > 0 && p.done < len(b) && flags&constants["MSG_WAITALL"] != 0:
			continue // there may be more, behind the mark of urgent data
		case p.done > 0 && (flags&constants["MSG_WAITALL"] == 0 || p.done == len(b) || err != nil && !errors.Is(err, tcp.ErrWouldBlock)), len(b) == 0:
			o := returns(int64(p.done))
			if want != "" && string(b[:min(p.done, len(want))]) != want[:min(p.done, len(want))] {
				o.differ = "expected  the octets " + strconv.Quote(want) + "\n  actual    " + strconv.Quote(string(b[:p.done]))
			}
			return o
		case errors.Is(err, tcp.ErrWouldBlock):
			return s.would(flags)
		case errors.Is(err, tcp.ErrEOF):
			return returns(0)
		case errors.Is(err, tcp.ErrNotExist) || s.errTaken:
			return returns(0) // the error was told before
		}
		s.errTaken = true
		return failsWith(err)
	}
}

func (r *runner) write(s *socket, p *pendingCall) outcome {
	c := p.call
	n, text, ok := size(c)
	flags, known := flagsOf(c)
	const understood = 0x40 | 0x4000 | 0x20000000 // MSG_DONTWAIT, MSG_NOSIGNAL, MSG_FASTOPEN
	if !ok || !known || flags&^understood != 0 {
		return cannot("this write is not supported: " + string(c.append(nil)))
	}
	b := make([]byte, n)
	copy(b, text)
	if o, done := r.sendFast(s, p, flags, b); done {
		return o
	}
	switch {
	case s.conn == nil || s.writeShut:
		return fails("EPIPE")
	case s.conn.Err() != nil:
		// An error is told once, then there is only a broken pipe.
		if err := s.takeError(); err != nil && p.done == 0 {
			return failsWith(err)
		} else if p.done == 0 {
			return fails("EPIPE")
		}
		return returns(int64(p.done))
	}
	opening := !s.connected && (s.conn.State() == tcp.SynSent || s.conn.State() == tcp.SynReceived)
	if opening && (s.nonblock || flags&constants["MSG_DONTWAIT"] != 0) {
		return fails("EAGAIN")
	}
	for p.done < len(b) {
		put, err := s.conn.Write(r.now, b[p.done:])
		p.done += put
		switch {
		case errors.Is(err, tcp.ErrWouldBlock):
			if p.done > 0 && s.would(flags).errno != "" {
				return returns(int64(p.done))
			}
			return s.would(flags)
		case err != nil && p.done > 0:
			return returns(int64(p.done))
		case err != nil:
			return failsWith(err)
		}
	}
	if opening { // the data is queued; the call waits for the connection
		return blocks
	}
	return returns(int64(p.done))
}

// close gives a descriptor back. With a linger time it waits until the peer has
// acknowledged everything, or the time is over.
func (r *runner) close(s *socket, p *pendingCall) outcome {
	if p.sock == nil {
		r.socks[s.fd] = nil
		if s.listener != nil {
			s.listener.Close(r.now)
			s.listener = nil
			return returns(0)
		}
		if s.conn == nil {
			return returns(0)
		}
		err := s.conn.Close(r.now)
		if err != nil && !errors.Is(err, tcp.ErrNotExist) {
			return failsWith(err)
		}
		if !s.cfg.Linger || s.cfg.LingerTime == 0 {
			return returns(0)
		}
		p.sock, p.wake = s, r.now.Add(s.cfg.LingerTime)
	}
	state, _ := r.State(s.conn.Local(), s.conn.Remote())
	if waits := state == tcp.FinWait1 || state == tcp.Closing || state == tcp.LastAck; waits && r.now.Before(p.wake) {
		return blocks
	}
	return returns(0)
}

func (r *runner) shutdown(s *socket, c *Call) outcome {
	how, ok := arg(c, 1, -1)
	if !ok || how < 0 || how > 2 {
		return fails("EINVAL")
	}
	if s.conn == nil || s.conn.State() == tcp.Closed {
		return fails("ENOTCONN")
	}
	if how != constants["SHUT_WR"] {
		if err := s.conn.CloseRead(r.now); err != nil {
			return failsWith(err)
		}
		s.readShut = true
	}
	if how != constants["SHUT_RD"] {
		if err := s.conn.CloseWrite(r.now); err != nil {
			return failsWith(err)
		}
		s.writeShut = true
	}
	return returns(0)
}

func fcntl(s *socket, c *Call) outcome {
	cmd, ok1 := arg(c, 1, -1)
	value, ok2 := arg(c, 2, 0)
	switch {
	case !ok1 || !ok2:
	case cmd == constants["F_GETFL"]:
		v := constants["O_RDWR"]
		if s.nonblock {
			v |= constants["O_NONBLOCK"]
		}
		return returns(v)
	case cmd == constants["F_SETFL"]:
		s.nonblock = value&constants["O_NONBLOCK"] != 0
		return returns(0)
	case cmd == constants["F_GETFD"] || cmd == constants["F_SETFD"]:
		return returns(0)
	}
	return cannot("this fcntl is not supported")
}

// ioctl tells how much can be read, or has not been acknowledged.
func ioctl(s *socket, c *Call) outcome {
	request, ok := arg(c, 1, -1)
	if !ok || len(c.Args) != 3 || c.Args[2].Kind != List || len(c.Args[2].Items) != 1 || s.conn == nil {
		return cannot("this ioctl is not supported")
	}
	var v int64
	switch request {
	case constants["SIOCINQ"]:
		v = int64(s.conn.Readable())
	case constants["SIOCOUTQ"]:
		v = int64(s.conn.Unacked())
	default:
		return cannot("this ioctl is not supported")
	}
	o := returns(0)
	if want, ok := intOf(&c.Args[2].Items[0]); ok && want != v {
		o.differ = "expected  " + strconv.FormatInt(want, 10) + "\n  actual    " + strconv.FormatInt(v, 10)
	}
	return o
}

// poll looks at sockets: poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 1000).
func (r *runner) poll(p *pendingCall) outcome {
	c := p.call
	timeout, ok := arg(c, 2, -1)
	if !ok || len(c.Args) != 3 || c.Args[0].Kind != List {
		return cannot("this poll is not supported")
	}
	if timeout >= 0 && p.wake == clock.Never {
		p.wake = p.began.Add(clock.Duration(timeout) * clock.Millisecond)
	}
	ready, differ := int64(0), ""
	for i := range c.Args[0].Items {
		item := &c.Args[0].Items[i]
		var field [3]int64 // fd, events, revents
		for j, name := range [...]string{"fd", "events", "revents"} {
			for k := range item.Items {
				if x := &item.Items[k]; item.Kind == Struct && x.Kind == Assign && x.Items[0].Text == name {
					if field[j], ok = intOf(&x.Items[1]); !ok {
						return cannot("this poll is not supported")
					}
				}
			}
		}
		got := int64(constants["POLLNVAL"])
		if fd := field[0]; fd >= 0 && fd < int64(len(r.socks)) && r.socks[fd] != nil {
			got = r.socks[fd].revents() & (field[1] | constants["POLLERR"] | constants["POLLHUP"])
		}
		if got != 0 {
			ready++
		}
		if got != field[2] {
			differ = "expected  revents = 0x" + strconv.FormatInt(field[2], 16) + "\n  actual    revents = 0x" + strconv.FormatInt(got, 16)
		}
	}
	if ready == 0 && timeout != 0 && r.now.Before(p.wake) {
		return blocks
	}
	return outcome{ret: ready, differ: differ}
}

// revents is what poll tells of a socket.
func (s *socket) revents() (v int64) {
	const in, out, err, hup, rdhup = 1, 4, 8, 0x10, 0x2000
	const normal = 0x40
	switch {
	case s.listener != nil:
		if s.listener.Waiting() > 0 {
			v = in | normal
		}
		return v
	case s.fast.deferred:
		return out | 0x100
	case s.conn == nil:
		return out | hup
	}
	state := s.conn.State()
	if state == tcp.SynSent || state == tcp.SynReceived && !s.connected {
		return 0
	}
	ended := state == tcp.CloseWait || state == tcp.LastAck || state == tcp.Closing || state == tcp.TimeWait || state == tcp.Closed
	if s.conn.Readable() > 0 || ended || s.readShut {
		v |= in | normal
	}
	if ended || s.readShut {
		v |= rdhup
	}
	if s.conn.Writable() > 0 || s.writeShut || state == tcp.Closed {
		v |= out | 0x100
	}
	if s.conn.Err() != nil && !s.errTaken {
		v |= err
	}
	if state == tcp.Closed || ended && s.writeShut {
		v |= hup
	}
	return v
}
