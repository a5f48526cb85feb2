// Package e2e holds tests alone: tcpkit and this machine's kernel through what
// goes wrong between two ends, over a TUN in a network namespace of the tests' own.
//
//	go test ./e2e                                  # seconds
//	TCPKIT_RELEASE=1 go test -timeout 30m ./e2e    # whole sizes and whole minutes
//
// A situation (refused, reset, half-closed, vanished, ...) is played with the
// kernel as client and tcpkit as server and the other way round, over IPv4 and
// IPv6. What is expected is written once, in the words of client and server, and
// holds for whoever plays them: the states of both ends, tcpkit's by Status and
// the kernel's by its socket diagnostics; the errors of both applications; and
// the trace. Every packet also goes into a capture, in which tshark must find
// nothing malformed and no bad checksum.
//
//	application          application
//	   kernel               tcpkit
//	     |                    |
//	     |                   tap      trace and capture
//	     |                    |
//	    TUN ----- gate ------ +       the gate holds packets, or cuts the link
//
// Each run has a TUN and a subnet of its own, so that runs don't meet.
package e2e
