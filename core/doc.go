// Package core is a TCP/IP stack: one Stack is one host on one link, with its
// addresses, its listeners and its connections. It does no I/O, has no clock and
// no goroutine. A host brings packets and time, and takes packets away:
//
//	stack.Input(now, &packet)       // for each packet that arrived
//	stack.Expire(now)               // with nothing due this does nothing
//	for stack.Output(now, &packet) {
//		link.WritePacket(&packet)
//	}
//	for r, ok := stack.NextReady(); ok; r, ok = stack.NextReady() {
//		wake(r)                     // whoever waits for this connection
//	}
//	sleepUntil(stack.Deadline())
//
// After any call into the stack, of a connection's user too, the host drains
// Output and NextReady. A call with nothing to do does nothing.
//
// A Conn or a Listener is a handle: its user closes it once and does not use it
// after that. Read and Write never block; they return tcp.ErrWouldBlock, and
// NextReady tells when to try again.
//
// A Stack is plain data: Clone copies it, and the copy goes on by itself, with
// the same packets if it is given the same. Randomness (initial sequence
// numbers, ports, timestamp offsets, cookies) is a function of Config.Secret and
// of what it is for, never of how much was drawn before.
//
// Where to find what: stack.go has the calls; input.go takes packets to their
// connections, output.go brings theirs out. Concerns stand by themselves:
// table.go (who is it for), listener.go (RFC 9293 §3.10.7.2), cookie.go (RFC
// 4987), isn.go (RFC 6528), ports.go (RFC 6056), timewait.go (RFC 6191), icmp.go
// (RFC 5927, RFC 1191), fastopen.go and fastserver.go (RFC 7413), reply.go
// (answers without a connection), timers.go, memory.go, profile.go.
//
// One goroutine at a time uses a Stack, its connections and its listeners.
//
// Limits: no routing and no fragments; packets to and from the stack's own
// addresses do not leave it and do not come back either; UDP is not spoken.
package core
