// Package tcp is one TCP connection: the state machine of RFC 9293 and what
// belongs to it. It knows nothing of sockets, clocks or devices: segments, time
// and user calls come in as arguments, and Output builds what is to be sent.
//
// A TCB is driven like this: call in (Arrives, Expire, a user call), then take
// Output until it returns false, then sleep until Deadline. A call with nothing
// to do does nothing, so a driver may call too often, never too seldom.
//
// Where to find what: arrives.go has §3.10.7, step by step in the RFC's order;
// open.go, send.go, receive.go, close.go, abort.go and status.go have the user
// calls of §3.10.1 to §3.10.6; timeouts.go has §3.10.8. Beside them stand the
// concerns: state.go (Figure 5), output.go (what to send next), window.go, ack.go
// (when to acknowledge), rtt.go (RFC 6298), flight.go and recovery.go (what is
// out and what is lost), rack.go and tlp.go (RFC 8985), prr.go (RFC 9937), dsack.go
// (RFC 2883), spurious.go and frto.go (RFC 3522, 4015, 5682), reassembly.go, timewait.go, buffer.go, fastopen.go (RFC
// 7413), ecn.go (RFC 3168), pacing.go, urgent.go (§3.8.5, RFC 6093), cork.go (what a
// user says about where segments end), options.go (what setsockopt sets).
//
// Not implemented: security and precedence (§3.10.7.4, third check, A.1), source
// routes (§3.9.2.1).
package tcp
