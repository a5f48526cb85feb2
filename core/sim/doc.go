// Package sim is a network of stacks on a virtual clock: links that lose, delay,
// reorder, duplicate and corrupt, applications that talk over them, and the
// invariants that must hold after every event.
//
// One seed decides everything. Each chance is a function of the seed, what it is
// for, the link and the packet's ordinal on it, so that a packet more or less
// shifts no other chance. Beside chance there is a plan: faults for single
// packets by link and ordinal.
//
// A World is plain data: Clone gives one with the same past and a future of its
// own, and the same seed gives the same Hash on every machine. It is driven by
// Step, or by Run until nothing is left to happen.
package sim
