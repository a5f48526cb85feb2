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
//
// # The second opinion
//
// Many more situations (bouts_*_test.go) are played three times: by the kernel with
// itself, with tcpkit as the client, and with tcpkit as the server; over IPv4 and IPv6,
// and with faults that are planned by what a segment is and so are the same for all.
// The trace of the kernel with itself says what is expected: in a normal form
// (normal_linux_test.go) tcpkit's is equal, segment by segment and call by call. What
// may differ stands in testdata/differences.txt, each with its reason, and goes when it
// shows no more.
//
//	      client                                server
//	kernel in its own     the line: writes    kernel in its own
//	namespace, TUN    -- down, 10 ms each --  namespace, TUN
//	    or tcpkit         way, the faults         or tcpkit
//
//	go test -v -run TestSecondOpinion ./e2e        # the table of them
//	TCPKIT_TRACES=1 go test -v -run 'TestSecondOpinion/all/cork$' ./e2e
//
// A busy machine is late, and a run in which it was says little of times: those are
// left out then, and what differs has to do so in several runs.
package e2e
