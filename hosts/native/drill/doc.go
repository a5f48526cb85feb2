// Package drill runs scripts of core/script against this machine's kernel: the
// kernel's TCP is the system under test, calls are made on real sockets, packets
// go over a TUN, and time passes.
//
//	res, err := drill.Run(s, script.Config{Tolerance: 4 * clock.Millisecond}, drill.Options{})
//
// A run begins with the settings that Linux comes with on a machine of 1 to
// 8 GiB, and with CUBIC, whatever this machine has been told.
//
// Each run makes a network namespace of its own for the thread that it runs on,
// with the addresses of the script, and what the script sets with sysctl is set
// there. That takes CAP_SYS_ADMIN, which package netns can give anybody.
//
// Nothing runs for longer than Options.Limit. A script that takes longer by its
// own times, and one that asks for what only tcpkit has, is Unsupported.
//
// It is for Linux; elsewhere Run says so.
package drill
