// Command tcpkit drives the tcpkit TCP engine from a shell: it listens, dials,
// measures and explains, on a TUN device that the kernel sees as a link with
// another host at its end.
//
//	tcpkit demo                the kernel's TCP and tcpkit's shake hands, live
//	tcpkit listen [HOST]:PORT  accept; stdin/stdout or a service
//	tcpkit dial HOST:PORT      connect; stdin/stdout
//	tcpkit perf server|client  measure, in iperf3's protocol
//	tcpkit stat                connections of running instances
//	tcpkit plugin              write, build and try plugins
//	tcpkit doctor              what is missing here, and how to mend it
//
// Data goes to stdout, everything else to stderr. The exit codes are in
// exit.go and in `tcpkit help`.
//
// One file holds one subcommand. What they share: session.go (a Host on a TUN,
// from flags to the last FIN), tunflags.go, signals.go, capture.go, control.go
// (the socket that stat reads), log.go and exit.go.
package main
