// Package packet is what crosses the boundary of the engine: an IP packet with
// room for what a link offloads, the interface of a link, and a link in memory.
//
// A link that offloads takes super-packets: one header and a payload of many
// segments, each of SegmentSize octets, which the link cuts. It may also take
// the checksum as Partial, which the link completes. For a link that does not,
// NextSegment does both:
//
//	for off := 0; off >= 0; {
//		off = packet.NextSegment(&super, off, &out)
//		write(&out)
//	}
//
// Pipe joins two stacks in one process, or a stack and a test. Its ends never
// block, and hold no lock: one goroutine at a time uses a Pipe.
package packet
