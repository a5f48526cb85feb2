// Package sim is a network of stacks on a virtual clock: hosts, links between
// them that lose, delay, reorder, duplicate, corrupt and cut off, users that talk
// over connections, and the invariants that must hold after every event.
//
//	w, err := sim.New(&cfg)   // or sim.Random(seed, flows)
//	err = w.Finish()          // until nothing is left to happen
//
// One seed decides everything. Each draw is a function of the seed, what it is
// for, the link and the packet's ordinal there, never of how much was drawn
// before: one packet more or less shifts no other chance. Beside chance there is
// a plan, a list of faults for single packets by link and ordinal or by id.
//
// A World is plain data. Clone gives one with the same past and a future of its
// own; given the same, both go on in the same way. Hash covers every event of
// every stack, and is the same on every machine. Fingerprint covers what decides
// the future.
//
// What is checked stands in check.go. A Failure says what did not hold, where and
// when, and what had happened before; Config.Repeat is its last line, the
// command that makes it happen again.
//
// Where to find what: config.go (what a world is made of), world.go (its events),
// link.go, user.go (what applications do), turns.go (hosts that crash, boot and shut,
// and strangers), check.go, watch.go (the hook of each stack), observe.go (who is told
// of everything), flood.go (packets from nowhere), random.go (a world out of a seed).
//
// Limits: each host has one link of its own to the network, and no packet is
// fragmented.
package sim
