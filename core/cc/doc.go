// Package cc is congestion control: how much may be in flight.
//
// A Controller is an algorithm without memory, shared by all connections. What
// it remembers of one connection is that connection's State: plain numbers, so
// that copying a State copies the whole of it. Arithmetic is in integers and
// gives the same windows on every machine.
//
// The connection and its controller split the work so:
//
//   - The connection sets MSS, Cwnd (the initial window), Limit and MinCwnd,
//     and calls Init, which sets Ssthresh.
//   - OnAck grows Cwnd, for an ACK that arrives outside recovery and, with
//     InRecovery set, inside fast recovery. The slow start that follows a
//     timeout is not InRecovery: there Cwnd must grow.
//   - OnLoss and OnRTO set Ssthresh from the flight and remember, for Undo, what
//     was before. They are called before the connection changes Cwnd, and leave
//     Cwnd to it: to fast recovery (RFC 6582, RFC 9937), or to one MSS.
//   - OnECN sets both, since nothing is resent and no recovery follows.
//   - When recovery ends the connection sets Cwnd, then calls OnRecoveryExit.
//
// NewReno (RFC 5681, RFC 3465) and Cubic (RFC 9438) are here. Both keep Cwnd at
// one MSS or more, Ssthresh at two or more, and both at MaxWindow or less.
// Package cctest has the tests that every controller passes.
//
// Limits: HyStart++ (RFC 9406) and the gentler reduction on ECN marks of
// RFC 8511 are not done. NewReno keeps no point in time in its State; Cubic
// keeps one, in Priv[4].
package cc
