package native

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// read and write are system calls on a non-blocking descriptor. They differ
// from those of x/sys in that an errno does not become an interface value, for
// which x/sys allocates unless it is one of the most common.
func read(fd uintptr, b []byte) (int, unix.Errno) {
	n, _, errno := unix.Syscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}

func write(fd uintptr, b []byte) (int, unix.Errno) {
	n, _, errno := unix.Syscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}
