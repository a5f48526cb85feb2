// Package sockdiag asks this machine's kernel what its TCP sockets are doing: the
// state of the connection between two addresses, and what Linux calls tcp_info.
//
// It speaks the kernel's own socket diagnostics (NETLINK_SOCK_DIAG), as ss does,
// and so also sees connections that no socket stands for yet or any more: the
// half-open one that a listener keeps (SYN-RECEIVED) and TIME-WAIT.
//
//	d, err := sockdiag.Open()
//	...
//	s, err := d.Lookup(local, remote) // as the kernel sees them
//	fmt.Println(s.State)
//
// A Diag belongs to the network namespace of the thread that opened it, and any
// user may ask. It is for Linux; elsewhere Open says so.
package sockdiag
