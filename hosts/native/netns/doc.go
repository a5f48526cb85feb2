// Package netns runs this program again in a user and network namespace of its
// own, where it may open a TUN device, add addresses and routes, and change
// nothing on the machine. What it opened is gone when it ends, however it ends.
//
// A namespace with a user of its own can't be entered by a Go program that runs
// already, because it has several threads. So the program starts itself:
//
//	if !netns.Inside() {
//		code, err := netns.Run(nil)
//		...
//		os.Exit(code)
//	}
//	// here the process is root of an empty network with the loopback up
//
// Root gets a network namespace; anybody else a user namespace around it, in
// which they are root. Explain says what stands in the way where it fails.
// It is for Linux; elsewhere Run says so.
package netns
