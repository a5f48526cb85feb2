// Package explore tries everything: two ends of the real engine, and a small
// network between them that loses, doubles and overtakes packets. From a world's
// beginning it takes every step that can be taken, then every step from there,
// breadth first, until a depth is reached or there is no state that it has not
// seen.
//
//	x, err := explore.New(world)
//	result, err := x.Run(explore.Options{Depth: 12})
//
// An end may have a hook: what an engine would do that goes by other rules.
//
// A step is one of these: a packet on its way arrives, arrives and stays on its
// way, or is lost; a timer fires; a user makes the next call of its program.
// Timers have no time but an order: each end has a clock of its own, which moves
// when the end's next timer fires, and while it waits for no timer of its own also
// when the other's does. Only 2 MSL, an orphan's patience and keepalive outlast all
// packets. How often each kind of step may be taken is bounded by the
// world's Limits, so that there is an end.
//
// In each state it is checked
//
//   - that the engine's own invariants hold, and every change of state is in
//     Figure 5 of RFC 9293;
//   - that what was read is a prefix of what was written, once, and all of it
//     where a user has read to the end;
//   - that a connection which a user has accepted was opened by the other end, in
//     this life of its;
//   - that two synchronized ends are synchronized with each other, and what one
//     takes for acknowledged has arrived at the other;
//   - that in a network which behaves from here on both connections end within
//     500 steps: there is no deadlock and no exchange without end. In a world
//     that is Sure they end in order, and all is delivered.
//
// States are taken for one when their Fingerprint is: both ends relative to their
// clocks, with what is on its way in no order. For the same reason what a packet
// does to an end is computed once: the search remembers it. A test does all again
// and compares.
//
// A breach is told as the shortest way there: a ladder of both ends, and a script
// for one of them, which tcpkit script runs.
//
// # Limits
//
// A fingerprint has 64 bits: of ten million states two are taken for one by chance
// with a probability of 3 in a million. Which initial sequence number an end draws
// next is not in it. There is one connection at a time, in one world two of one name
// after each other, over IPv4, in segments of eight octets, with the profile explore:
// no timestamps, no window scale, one RTO.
package explore
