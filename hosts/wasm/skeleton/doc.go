// Package skeleton is one small world for showing that a run is the same
// everywhere: two stacks on a link that loses packets, and one transfer between
// them, from the first SYN to the end of TIME-WAIT. hosts/wasm runs it in a
// WASM engine, its native program on whatever it was built for, and tests
// compare the results.
//
//	w, err := skeleton.New(skeleton.Options{Seed: 7, Octets: 1 << 18, Loss: 50})
//	result := w.Run()
//
// Loss is a function of seed, direction and ordinal of the packet, so that
// nothing else that is random can shift it.
package skeleton
