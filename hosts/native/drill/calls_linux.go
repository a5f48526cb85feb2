package drill

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpkit/tcpkit/core/script"
	"github.com/tcpkit/tcpkit/core/wire"
)

// socket is a socket of the kernel that a descriptor of the script stands for.
type socket struct {
	fd            int
	listens       bool
	local, remote wire.AddrPort // of its connection, as soon as they are known
}

// returned is a call that has come back.
type returned struct {
	call *script.PendingCall
	at   time.Time
	end  func() script.CallResult // what it has come to; for the script's own thread
}

// How long a call may take that the script does not expect to block, and how
// long another one is given to begin.
const (
	patience = 500 * time.Millisecond
	start    = 200 * time.Microsecond
)

// Call implements script.System.
func (k *kernel) Call(p *script.PendingCall) *script.Problem {
	work := k.prepare(p.Call())
	if s := p.Call().Name; s == "socket" || s == "setsockopt" || s == "getsockopt" || s == "bind" || s == "fcntl" {
		// These never wait, and a socket belongs to the namespace of the thread that makes it.
		return k.judge.Returned(p, k.Now(), work()())
	}
	go func() {
		end := work()
		k.returned <- returned{p, time.Now(), end}
	}()
	wait := patience
	if p.Call().Blocking {
		wait = start
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case r := <-k.returned:
			if bad := k.tell(r); bad != nil || r.call == p {
				return bad
			}
		case <-timer.C:
			return nil
		}
	}
}

// tell tells the judge of a call that has come back.
func (k *kernel) tell(r returned) *script.Problem {
	return k.judge.Returned(r.call, k.instant(r.at), r.end())
}

// done is a result that is known already.
func done(o script.CallResult) func() func() script.CallResult {
	return func() func() script.CallResult { return func() script.CallResult { return o } }
}

func cannot(what string) func() func() script.CallResult { return done(script.Cannot(what)) }

// result is what a system call has given.
func result(n int, err error) script.CallResult {
	if err != nil {
		return failure(err)
	}
	return script.Returns(int64(n))
}

func failure(err error) script.CallResult {
	errno, ok := err.(unix.Errno)
	if !ok {
		return script.Cannot("a call failed: " + err.Error())
	}
	return script.Fails(unix.ErrnoName(errno))
}

// simple is a call of which nothing is known but its result.
func simple(call func() (int, error)) func() func() script.CallResult {
	return func() func() script.CallResult {
		n, err := call()
		return func() script.CallResult { return result(n, err) }
	}
}

// prepare reads a call. What it gives makes the call, on any thread, and gives
// what is left to do on this one.
func (k *kernel) prepare(c *script.Call) func() func() script.CallResult {
	switch c.Name {
	case "socket":
		return k.socket(c)
	case "poll":
		return k.poll(c)
	}
	fd, ok := c.Arg(0, -1)
	if !ok || len(c.Args) == 0 {
		return cannot("the call " + c.Name + " is not supported")
	}
	s := k.socks[fd]
	if s == nil {
		return done(script.Fails("EBADF"))
	}
	switch c.Name {
	case "bind", "connect":
		return k.address(s, c)
	case "listen":
		backlog, ok := c.Arg(1, 128)
		if !ok {
			return cannot("this backlog is not supported")
		}
		return func() func() script.CallResult {
			err := unix.Listen(s.fd, int(backlog))
			return func() script.CallResult {
				s.listens = err == nil
				if s.local = sockName(s.fd, unix.Getsockname); err == nil {
					k.judge.Listening(s.local)
				}
				return result(0, err)
			}
		}
	case "accept", "accept4":
		return k.accept(s, c)
	case "read", "recv", "recvfrom", "readv", "recvmsg":
		return k.read(s, c)
	case "write", "send", "sendto", "writev", "sendmsg":
		return k.write(s, c)
	case "close":
		delete(k.socks, fd)
		return simple(func() (int, error) { return 0, unix.Close(s.fd) })
	case "shutdown":
		how, ok := c.Arg(1, 0)
		if !ok {
			return cannot("this shutdown is not supported")
		}
		return simple(func() (int, error) { return 0, unix.Shutdown(s.fd, int(how)) })
	case "setsockopt":
		return setOption(s, c)
	case "getsockopt":
		return getOption(s, c)
	case "fcntl":
		cmd, ok1 := c.Arg(1, -1)
		value, ok2 := c.Arg(2, 0)
		if !ok1 || !ok2 {
			return cannot("this fcntl is not supported")
		}
		return simple(func() (int, error) { return unix.FcntlInt(uintptr(s.fd), int(cmd), int(value)) })
	case "ioctl":
		return ioctl(s, c)
	}
	return cannot("the call " + c.Name + " is not supported")
}

// adopt gives a descriptor of the kernel the number that the script has for it.
func (k *kernel) adopt(c *script.Call, fd int) (*socket, script.CallResult) {
	n, ok := c.Result.Number()
	for n = max(n, 0); !ok && k.socks[n] != nil; n++ {
	}
	if ok && n < 0 || k.socks[n] != nil {
		unix.Close(fd)
		return nil, script.Returns(int64(fd)) // it has succeeded, the script says it fails
	}
	s := &socket{fd: fd}
	k.socks[n] = s
	return s, script.Returns(n)
}

func (k *kernel) socket(c *script.Call) func() func() script.CallResult {
	family := unix.AF_INET
	if k.Local().Is6() || k.Mapped() {
		family = unix.AF_INET6
	}
	domain, ok1 := c.Arg(0, int64(family))
	kind, ok2 := c.Arg(1, unix.SOCK_STREAM)
	proto, ok3 := c.Arg(2, unix.IPPROTO_TCP)
	if !ok1 || !ok2 || !ok3 || kind&0xf != unix.SOCK_STREAM || proto != unix.IPPROTO_TCP && proto != 0 {
		return cannot("only TCP sockets are supported")
	}
	return func() func() script.CallResult {
		fd, err := unix.Socket(int(domain), int(kind)|unix.SOCK_CLOEXEC, int(proto))
		return func() script.CallResult {
			if err != nil {
				return failure(err)
			}
			if err := unix.SetsockoptString(fd, unix.SOL_TCP, unix.TCP_CONGESTION, k.congestion); err != nil {
				unix.Close(fd)
				return script.Cannot("the congestion control " + k.congestion + " is not to be had: " + err.Error())
			}
			_, o := k.adopt(c, fd)
			return o
		}
	}
}

// address is bind and connect.
func (k *kernel) address(s *socket, c *script.Call) func() func() script.CallResult {
	def := wire.AddrPort{Addr: k.Local(), Port: k.BindPort()}
	if c.Name == "connect" {
		def = wire.AddrPort{Addr: k.Remote(), Port: k.ConnectPort()}
	}
	a, domain, ok := k.Address(c, 1, def)
	if !ok || domain == unix.AF_UNSPEC {
		return cannot("this address is not supported")
	}
	var sa unix.Sockaddr = &unix.SockaddrInet6{Port: int(a.Port), Addr: a.Addr.As16()}
	if domain, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_DOMAIN); a.Addr.Is4() && err == nil && domain == unix.AF_INET {
		sa = &unix.SockaddrInet4{Port: int(a.Port), Addr: a.Addr.As4()}
	}
	if c.Name == "bind" {
		return simple(func() (int, error) { return 0, unix.Bind(s.fd, sa) })
	}
	if s.remote == (wire.AddrPort{}) {
		k.connecting = s
	}
	return simple(func() (int, error) { return 0, unix.Connect(s.fd, sa) })
}

// sockName is an address of a socket, zero if it has none.
func sockName(fd int, get func(int) (unix.Sockaddr, error)) wire.AddrPort {
	sa, err := get(fd)
	if err != nil {
		return wire.AddrPort{}
	}
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return wire.AddrPort{Addr: wire.AddrFrom4(a.Addr), Port: uint16(a.Port)}
	case *unix.SockaddrInet6:
		if ip := netip.AddrFrom16(a.Addr); ip.Is4In6() {
			return wire.AddrPort{Addr: wire.AddrFrom4(ip.Unmap().As4()), Port: uint16(a.Port)}
		}
		return wire.AddrPort{Addr: wire.AddrFrom16(a.Addr), Port: uint16(a.Port)}
	}
	return wire.AddrPort{}
}

func (k *kernel) accept(s *socket, c *script.Call) func() func() script.CallResult {
	flags, ok := c.Arg(3, 0)
	if !ok || len(c.Args) > 4 {
		return cannot("these flags of accept are not supported")
	}
	return func() func() script.CallResult {
		fd, _, err := unix.Accept4(s.fd, int(flags)|unix.SOCK_CLOEXEC)
		return func() script.CallResult {
			if err != nil {
				return failure(err)
			}
			child, o := k.adopt(c, fd)
			if child != nil {
				child.local, child.remote = sockName(fd, unix.Getsockname), sockName(fd, unix.Getpeername)
				k.judge.Accepted(child.local, child.remote)
			}
			return o
		}
	}
}

func (k *kernel) read(s *socket, c *script.Call) func() func() script.CallResult {
	n, want, ok := c.Transfer()
	flags, known := c.Flags()
	if !ok || !known {
		return cannot("this read is not supported: " + c.String())
	}
	return func() func() script.CallResult {
		b := make([]byte, n)
		var got int
		var err error
		if c.Name == "read" || c.Name == "readv" { // not the same as recv: nothing is read at once
			got, err = unix.Read(s.fd, b)
		} else {
			got, _, err = unix.Recvfrom(s.fd, b, int(flags))
		}
		return func() script.CallResult {
			o := result(got, err)
			if m := min(got, len(want), len(b)); err == nil && string(b[:max(m, 0)]) != want[:max(m, 0)] {
				o = o.Differing("the octets "+strconv.Quote(want), strconv.Quote(string(b[:m])))
			}
			return o
		}
	}
}

func (k *kernel) write(s *socket, c *script.Call) func() func() script.CallResult {
	n, text, ok := c.Transfer()
	flags, known := c.Flags()
	if !ok || !known || c.Name == "sendto" && len(c.Args) > 4 && c.Args[4].Kind == script.Struct {
		return cannot("this write is not supported: " + c.String())
	}
	b := make([]byte, n)
	copy(b, text)
	to := unix.Sockaddr(nil)
	if flags&script.Constant("MSG_FASTOPEN") != 0 {
		a := wire.AddrPort{Addr: k.Remote(), Port: k.ConnectPort()}
		to = &unix.SockaddrInet6{Port: int(a.Port), Addr: a.Addr.As16()}
		if a.Addr.Is4() && !k.Mapped() {
			to = &unix.SockaddrInet4{Port: int(a.Port), Addr: a.Addr.As4()}
		}
		if s.remote == (wire.AddrPort{}) {
			k.connecting = s
		}
	}
	// A broken pipe is an error here and must not end the program.
	return simple(func() (int, error) { return unix.SendmsgN(s.fd, b, nil, to, int(flags)|unix.MSG_NOSIGNAL) })
}

// pointed is the i-th argument where it points to a number: [5].
func pointed(c *script.Call, i int) (v int64, ok bool) {
	if i >= len(c.Args) {
		return 0, false
	}
	e := &c.Args[i]
	if e.Kind == script.List && len(e.Items) == 1 {
		e = &e.Items[0]
	}
	return e.Number()
}

// optionValue is the value of an option as the kernel has it in memory.
func optionValue(e *script.Expr) ([]byte, bool) {
	if e.Kind == script.List && len(e.Items) == 1 {
		e = &e.Items[0]
	}
	switch e.Kind {
	case script.String:
		return []byte(e.Text), true
	case script.Struct: // {onoff=1, linger=5}
		var b []byte
		for i := range e.Items {
			if e.Items[i].Kind != script.Assign {
				return nil, false
			}
			v, ok := e.Items[i].Items[1].Number()
			if !ok {
				return nil, false
			}
			b = binary.NativeEndian.AppendUint32(b, uint32(v))
		}
		return b, len(b) == 8
	case script.Default:
		return make([]byte, 4), true
	}
	v, ok := e.Number()
	return binary.NativeEndian.AppendUint32(nil, uint32(v)), ok
}

func setOption(s *socket, c *script.Call) func() func() script.CallResult {
	level, ok1 := c.Arg(1, 0)
	name, ok2 := c.Arg(2, 0)
	if !ok1 || !ok2 || len(c.Args) != 5 {
		return cannot("this setsockopt is not supported: " + c.String())
	}
	value, ok := optionValue(&c.Args[3])
	if !ok {
		return cannot("this setsockopt is not supported: " + c.String())
	}
	return simple(func() (int, error) { return 0, unix.SetsockoptString(s.fd, int(level), int(name), string(value)) })
}

func getOption(s *socket, c *script.Call) func() func() script.CallResult {
	level, ok1 := c.Arg(1, 0)
	name, ok2 := c.Arg(2, 0)
	if !ok1 || !ok2 || len(c.Args) != 5 {
		return cannot("this getsockopt is not supported: " + c.String())
	}
	want, ok := optionValue(&c.Args[3])
	if !ok {
		return cannot("this getsockopt is not supported: " + c.String())
	}
	return func() func() script.CallResult {
		b := make([]byte, 256)
		n, errno := getsockopt(s.fd, level, name, b)
		return func() script.CallResult {
			if errno != 0 {
				return failure(errno)
			}
			o, got := script.Returns(0), b[:min(n, len(b))]
			switch {
			case c.Args[3].Kind == script.Default:
			case c.Args[3].Kind == script.String:
				if text := unix.ByteSliceToString(got); text != string(want) {
					o = o.Differing(string(want), text)
				}
			case string(got) != string(want) && len(got) == 4:
				o = o.Differing(c.Args[2].String()+" = "+c.Args[3].String(), c.Args[2].String()+" = "+strconv.Itoa(int(int32(binary.NativeEndian.Uint32(got)))))
			case string(got) != string(want):
				o = o.Differing(c.Args[2].String()+" = "+c.Args[3].String(), strconv.Quote(string(got)))
			}
			return o
		}
	}
}

func ioctl(s *socket, c *script.Call) func() func() script.CallResult {
	request, ok := c.Arg(1, -1)
	want, known := pointed(c, 2)
	if !ok || !known || request != script.Constant("SIOCINQ") && request != script.Constant("SIOCOUTQ") {
		return cannot("this ioctl is not supported")
	}
	return func() func() script.CallResult {
		got, err := unix.IoctlGetInt(s.fd, uint(request))
		return func() script.CallResult {
			o := result(0, err)
			if err == nil && int64(got) != want {
				o = o.Differing(strconv.FormatInt(want, 10), strconv.Itoa(got))
			}
			return o
		}
	}
}

// poll looks at sockets: poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 1000).
func (k *kernel) poll(c *script.Call) func() func() script.CallResult {
	timeout, ok := c.Arg(2, -1)
	if !ok || len(c.Args) != 3 || c.Args[0].Kind != script.List {
		return cannot("this poll is not supported")
	}
	var fds []unix.PollFd
	var want []int16
	for i := range c.Args[0].Items {
		item := &c.Args[0].Items[i]
		f, expected := unix.PollFd{Fd: -1}, int64(0)
		for j := range item.Items {
			x := &item.Items[j]
			if item.Kind != script.Struct || x.Kind != script.Assign {
				return cannot("this poll is not supported")
			}
			v, ok := x.Items[1].Number()
			switch {
			case !ok:
				return cannot("this poll is not supported")
			case x.Items[0].Text == "events":
				f.Events = int16(v)
			case x.Items[0].Text == "revents":
				expected = v
			case k.socks[v] != nil:
				f.Fd = int32(k.socks[v].fd)
			default:
				return cannot("a poll of a descriptor that is not open is not supported")
			}
		}
		fds, want = append(fds, f), append(want, int16(expected))
	}
	return func() func() script.CallResult {
		n, err := unix.Poll(fds, int(timeout))
		for err == unix.EINTR {
			n, err = unix.Poll(fds, int(timeout))
		}
		return func() script.CallResult {
			o := result(n, err)
			for i := range fds {
				if err == nil && fds[i].Revents != want[i] {
					o = o.Differing("revents = 0x"+strconv.FormatInt(int64(want[i]), 16), "revents = 0x"+strconv.FormatInt(int64(fds[i].Revents), 16))
				}
			}
			return o
		}
	}
}
