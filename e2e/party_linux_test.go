package e2e

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A party is a kernel or a tcpkit that plays a role of a run.
type party interface {
	// listen opens the port with a backlog; options hold for what it accepts.
	listen(at netip.AddrPort, backlog int, options ...option) (acceptor, error)
	// dial opens a connection, from the address and port. With data it is by Fast
	// Open.
	dial(from, to netip.AddrPort, data []byte, options ...option) (sock, error)
	// state is what this end says of the connection that it calls so.
	state(local, remote netip.AddrPort) string
	close()
}

type acceptor interface {
	accept() (sock, error)
	close() error
}

// A sock is a connection, as its application has it: the calls and options of
// Linux's sockets.
type sock interface {
	send(b []byte, f flags) (int, error)
	// recv returns io.EOF at the end.
	recv(b []byte, f flags) (int, error)
	shutdown(reads, writes bool) error
	close() error
	set(o option) error
}

// flags are those of send and recv.
type flags int

const (
	oob      flags = unix.MSG_OOB
	more     flags = unix.MSG_MORE
	dontWait flags = unix.MSG_DONTWAIT
)

// An option is one of setsockopt, by its name there.
type option struct {
	name  string
	value int
}

// callFor is how long a call may take. In no situation one waits as long.
const callFor = 8 * time.Second

// outcome is how a call has ended, in the kernel's word for it.
func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case err == io.EOF:
		return "end"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "waits in vain"
	}
	for _, no := range errnos {
		if errors.Is(err, no) {
			return unix.ErrnoName(no)
		}
	}
	return "not an errno: " + err.Error()
}

// errnos are those that calls end with here.
var errnos = []syscall.Errno{
	syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.ENETUNREACH,
	syscall.EADDRINUSE, syscall.EADDRNOTAVAIL, syscall.ENOTCONN, syscall.EINVAL, syscall.EAGAIN, syscall.EPROTO, syscall.ENOPROTOOPT,
	syscall.EACCES, syscall.EMSGSIZE, syscall.ENOBUFS, syscall.EISCONN, syscall.EOPNOTSUPP,
}
