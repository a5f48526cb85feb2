// Package cctest has the tests that every congestion controller passes, the
// ones of package cc and the ones that plugins bring:
//
//	func TestMine(t *testing.T) { cctest.Run(t, mine{}, cctest.Traits{}) }
//
// They check the duties of RFC 5681 that any algorithm has: slow start no faster
// than doubling, growth only by new data in a used window, a reduction of the
// flight on loss, bounds, undo, and that the same calls give the same State and
// no allocation. A controller that owns its window in recovery, as one that goes by
// a model of the path does, has only to keep within bounds, not to grow by a loss,
// and to leave alone what is the connection's. What sets an algorithm apart, its own
// test checks. Failures runs the same tests and returns what failed.
//
// Flow drives a controller round trip by round trip. Drive makes calls that
// bytes choose, for fuzzing.
package cctest
