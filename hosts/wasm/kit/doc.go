// Package kit is what the exports of the WASM module do: stacks, connections and
// runs behind numbers, and one buffer through which octets and texts go both ways.
// The exports, in package hosts/wasm, are one line each; here they can be tested.
//
//	k := &kit.Kit{}
//	n := k.StackNew(k.Put([]byte("10.0.0.1 mtu 1500")), secret)
//	if n < 0 {
//		why := k.Buffer[:-n]
//	}
//
// A caller can hand in anything. A call that makes no sense leaves an error in words
// in the buffer and returns its size as a negative number; it does not panic, and
// it changes nothing. Times never run backwards. A handle that was freed is not given
// again, so that a late call fails and reaches nobody else.
package kit
