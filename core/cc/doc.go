// Package cc is congestion control: how much may be in flight.
//
// A Controller is an algorithm without memory, shared by all connections. What
// it remembers of one connection is that connection's State: plain numbers, so
// that copying a State copies the whole of it. Arithmetic is in integers and
// gives the same windows on every machine.
//
// The connection and its controller split the work so:
//
//   - The connection sets MSS, Cwnd (the initial window), Limit and MinCwnd, asks
//     what the controller Wants, and calls Init, which sets Ssthresh.
//   - OnAck grows Cwnd, for an ACK that arrives outside recovery and, with
//     InRecovery set, inside fast recovery. The slow start that follows a
//     timeout is not InRecovery: there Cwnd must grow.
//   - OnLoss and OnRTO set Ssthresh from the flight and remember, for Undo, what
//     was before. They are called before the connection changes Cwnd, and leave
//     Cwnd to it: to fast recovery (RFC 6582, RFC 9937), or to one MSS.
//   - OnECN sets both, since nothing is resent and no recovery follows.
//   - When recovery ends the connection sets Cwnd, then calls OnRecoveryExit.
//
// A controller may want more, and pays for it alone: State.More is nil for others.
//
//   - With WantsSamples an Ack has the delivery rate (Rate), and there is one for
//     each ACK that delivers anything or shows a loss, in recovery too.
//   - With WantsReport the ACKs of a round trip are folded into one OnReport.
//   - With OwnsWindow the connection leaves Cwnd alone in fast recovery, and only
//     takes it back to the first segment at a timeout. Ssthresh then means nothing.
//   - More has room for 256 octets of private state, the octets that may leave in
//     one burst, and the time at which OnTimer is to be called.
//
// A connection doesn't trust its controller: Cwnd is kept between one MSS and what
// the send buffer may hold, no answer to a loss raises it, a pacing rate is a
// segment a second at least, and a timer is a millisecond away. A controller that
// cannot go on, as a plugin that traps, sets State.Failed and leaves the rest as it
// was: CUBIC goes on from the present window, and answers the event at hand if that
// was congestion.
//
// NewReno (RFC 5681, RFC 3465) and Cubic (RFC 9438) are here. Both keep Cwnd at
// one MSS or more, Ssthresh at two or more, and both at MaxWindow or less.
// Package cctest has the tests that every controller passes.
//
// Limits: HyStart++ (RFC 9406) and the gentler reduction on ECN marks of
// RFC 8511 are not done. NewReno keeps no point in time in its State; Cubic
// keeps one, in Priv[4].
package cc
