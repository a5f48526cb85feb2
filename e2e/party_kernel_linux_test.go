package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpkit/tcpkit/hosts/native/sockdiag"
)

// kernelParty is the kernel, in one of a world's namespaces.
type kernelParty struct{ space *netspace }

func (k *kernelParty) close() {}

func (k *kernelParty) state(local, remote netip.AddrPort) string {
	s, err := k.space.diag.Lookup(local, remote)
	switch {
	case errors.Is(err, sockdiag.ErrNotFound):
		return sockdiag.Closed.String()
	case err != nil:
		return err.Error()
	}
	return s.State.String()
}

// kernelOptions are the options of Linux, by name.
var kernelOptions = map[string][2]int{
	"SO_RCVBUF": {unix.SOL_SOCKET, unix.SO_RCVBUF}, "SO_SNDBUF": {unix.SOL_SOCKET, unix.SO_SNDBUF},
	"SO_KEEPALIVE": {unix.SOL_SOCKET, unix.SO_KEEPALIVE}, "SO_OOBINLINE": {unix.SOL_SOCKET, unix.SO_OOBINLINE},
	"TCP_NODELAY": {unix.SOL_TCP, unix.TCP_NODELAY}, "TCP_CORK": {unix.SOL_TCP, unix.TCP_CORK}, "TCP_MAXSEG": {unix.SOL_TCP, unix.TCP_MAXSEG},
	"TCP_KEEPIDLE": {unix.SOL_TCP, unix.TCP_KEEPIDLE}, "TCP_KEEPINTVL": {unix.SOL_TCP, unix.TCP_KEEPINTVL}, "TCP_KEEPCNT": {unix.SOL_TCP, unix.TCP_KEEPCNT},
	"TCP_USER_TIMEOUT": {unix.SOL_TCP, unix.TCP_USER_TIMEOUT}, "TCP_FASTOPEN": {unix.SOL_TCP, unix.TCP_FASTOPEN},
}

func setKernelOption(fd int, o option) error {
	if o.name == "SO_LINGER" {
		on := unix.Linger{Onoff: 1, Linger: int32(o.value)}
		return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &on)
	}
	at, ok := kernelOptions[o.name]
	if !ok {
		return fmt.Errorf("no option %s", o.name)
	}
	return unix.SetsockoptInt(fd, at[0], at[1], o.value)
}

// open makes a socket in the namespace, bound to an address.
func (k *kernelParty) open(at netip.AddrPort, options []option) (fd int, err error) {
	family := unix.AF_INET6
	if at.Addr().Is4() {
		family = unix.AF_INET
	}
	err = k.space.do(func() error {
		fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
		return err
	})
	if err != nil {
		return -1, err
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.SetsockoptString(fd, unix.SOL_TCP, unix.TCP_CONGESTION, "cubic")
	}
	for _, o := range options {
		if err == nil {
			err = setKernelOption(fd, o)
		}
	}
	if err == nil {
		err = unix.Bind(fd, sockaddr(at))
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// kernelSock is a socket whose calls wait by Go's poller.
type kernelSock struct {
	file *os.File
	raw  syscall.RawConn
}

func newKernelSock(fd int) (*kernelSock, error) {
	s := &kernelSock{file: os.NewFile(uintptr(fd), "socket")}
	var err error
	if s.raw, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
		return nil, err
	}
	return s, nil
}

// wait makes a call until it does not say EAGAIN.
func (s *kernelSock) wait(on func(func(uintptr) bool) error, f flags, call func(fd int) error) error {
	s.file.SetDeadline(time.Now().Add(callFor))
	var err error
	bad := on(func(fd uintptr) bool {
		for err = call(int(fd)); err == unix.EINTR; {
			err = call(int(fd))
		}
		return err != unix.EAGAIN || f&dontWait != 0
	})
	if bad != nil {
		return bad
	}
	return err
}

func (k *kernelParty) listen(at netip.AddrPort, backlog int, options ...option) (acceptor, error) {
	fd, err := k.open(at, options)
	if err != nil {
		return nil, err
	}
	if err := unix.Listen(fd, backlog); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return newKernelSock(fd)
}

func (s *kernelSock) accept() (sock, error) {
	var fd int
	err := s.wait(s.raw.Read, 0, func(l int) (err error) {
		fd, _, err = unix.Accept4(l, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		return err
	})
	if err != nil {
		return nil, err
	}
	return newKernelSock(fd)
}

func (k *kernelParty) dial(from, to netip.AddrPort, data []byte, options ...option) (sock, error) {
	fd, err := k.open(from, options)
	if err != nil {
		return nil, err
	}
	if data != nil {
		_, err = unix.SendmsgN(fd, data, nil, sockaddr(to), unix.MSG_FASTOPEN|unix.MSG_NOSIGNAL)
	} else {
		err = unix.Connect(fd, sockaddr(to))
	}
	if err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return nil, err
	}
	s, bad := newKernelSock(fd)
	if bad != nil {
		return nil, bad
	}
	if err == unix.EINPROGRESS {
		begun := false
		err = s.wait(s.raw.Write, 0, func(fd int) error {
			if no, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || no != 0 {
				return errors.Join(err, syscall.Errno(no))
			}
			if _, err := unix.Getpeername(fd); err == nil {
				return nil
			} else if begun && err != unix.ENOTCONN {
				return err
			}
			begun = true
			return unix.EAGAIN
		})
		if err != nil {
			s.file.Close()
			return nil, err
		}
		if data != nil { // it has gone in no SYN
			if _, err := s.send(data, 0); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func (s *kernelSock) send(b []byte, f flags) (n int, err error) {
	for n < len(b) && err == nil {
		err = s.wait(s.raw.Write, f, func(fd int) error {
			m, err := unix.SendmsgN(fd, b[n:], nil, nil, int(f)|unix.MSG_NOSIGNAL)
			n += max(m, 0)
			return err
		})
	}
	return n, err
}

func (s *kernelSock) recv(b []byte, f flags) (n int, err error) {
	err = s.wait(s.raw.Read, f, func(fd int) error {
		n, _, err = unix.Recvfrom(fd, b, int(f))
		return err
	})
	if err == nil && n == 0 {
		err = io.EOF
	}
	return max(n, 0), err
}

func (s *kernelSock) control(call func(fd int) error) (err error) {
	if bad := s.raw.Control(func(fd uintptr) { err = call(int(fd)) }); bad != nil {
		return bad
	}
	return err
}

func (s *kernelSock) shutdown(reads, writes bool) error {
	how := unix.SHUT_WR
	switch {
	case reads && writes:
		how = unix.SHUT_RDWR
	case reads:
		how = unix.SHUT_RD
	}
	return s.control(func(fd int) error { return unix.Shutdown(fd, how) })
}

func (s *kernelSock) close() error { return s.file.Close() }

func (s *kernelSock) set(o option) error {
	return s.control(func(fd int) error { return setKernelOption(fd, o) })
}
