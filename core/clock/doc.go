// Package clock says what time is to the engine: a number that a host hands in
// with each call. The engine never asks for the time.
//
// An Instant counts nanoseconds from an origin that the host picks, and zero is
// an instant like any other. A Duration is a span in nanoseconds. Never is the
// deadline of something that is not armed; adding to it leaves it where it is.
//
// Hosts read time from a Clock. Manual is moved by hand, for tests and for
// simulation; Replay hands out instants recorded earlier, so that a run repeats.
// The monotonic clock of a real machine belongs to the host.
package clock
