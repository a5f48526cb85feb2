// Package walk takes every edge of Figure 5 of RFC 9293, each in a world of two
// stacks, and shows what a hook has of it: it is told of the change with its cause,
// rule and segment; it changes or stops the segment that would cause it; and it
// changes the one that leaves by it, which is seen on the wire.
//
//	func TestFigure5(t *testing.T) { walk.Run(t, mine) }
//
// mine makes the hook for a Task, in Go or of a plugin, which also says itself what it
// has been shown. The package is for tests.
package walk
