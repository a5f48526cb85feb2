package native

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/tcpkit/tcpkit/core/tcp"
)

// errClosed is what package net wraps for calls on what was closed.
var errClosed = net.ErrClosed

// errnos says which error of package syscall stands for one of the engine, and
// in which system call package net would have met it, where that is not the call
// that was made.
var errnos = map[tcp.Error]syscall.Errno{
	tcp.ErrReset:               syscall.ECONNRESET,
	tcp.ErrRefused:             syscall.ECONNREFUSED,
	tcp.ErrTimeout:             syscall.ETIMEDOUT,
	tcp.ErrUserTimeout:         syscall.ETIMEDOUT,
	tcp.ErrPipe:                syscall.EPIPE,
	tcp.ErrNotConnected:        syscall.ENOTCONN,
	tcp.ErrNotExist:            syscall.ENOTCONN,
	tcp.ErrExists:              syscall.EADDRNOTAVAIL,
	tcp.ErrResources:           syscall.ENOBUFS,
	tcp.ErrAddrInUse:           syscall.EADDRINUSE,
	tcp.ErrAddrNotAvail:        syscall.EADDRNOTAVAIL,
	tcp.ErrInvalid:             syscall.EINVAL,
	tcp.ErrAborted:             syscall.ECONNABORTED,
	tcp.ErrHostUnreachable:     syscall.EHOSTUNREACH,
	tcp.ErrNetUnreachable:      syscall.ENETUNREACH,
	tcp.ErrProtocolUnreachable: syscall.ENOPROTOOPT,
	tcp.ErrMessageSize:         syscall.EMSGSIZE,
	tcp.ErrUnsupported:         syscall.EOPNOTSUPP,
	tcp.ErrProhibited:          syscall.EACCES,
	tcp.ErrWouldBlock:          syscall.EAGAIN,
}

// An errno is an error of package syscall that was one of the engine. It matches
// both.
type errno struct {
	syscall.Errno
	cause tcp.Error
}

// Unwrap lets errors.Is and errors.As find both.
func (e errno) Unwrap() []error { return []error{e.Errno, e.cause} }

// sysError gives an error of the engine the form that package net gives one of
// the kernel.
func sysError(call string, err error) error {
	var te tcp.Error
	if !errors.As(err, &te) {
		return err
	}
	switch te {
	case tcp.ErrEOF:
		return io.EOF
	case tcp.ErrClosing:
		return errClosed
	}
	if no, ok := errnos[te]; ok {
		return os.NewSyscallError(call, errno{no, te})
	}
	return err
}

// The errors of a context as package net's Dialer gives them.
type contextError struct {
	text    string
	timeout bool
	is      error
}

func (e *contextError) Error() string        { return e.text }
func (e *contextError) Timeout() bool        { return e.timeout }
func (e *contextError) Temporary() bool      { return e.timeout }
func (e *contextError) Is(target error) bool { return target == e.is }

var (
	errCanceled    = &contextError{"operation was canceled", false, context.Canceled}
	errDialTimeout = &contextError{"i/o timeout", true, context.DeadlineExceeded}
)

func contextErr(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return errCanceled
	case errors.Is(err, context.DeadlineExceeded):
		return errDialTimeout
	}
	return err
}
