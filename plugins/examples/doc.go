// Package examples has plugins for real uses, a folder each with the source, the
// manifest, and, but of the one in Go, the module.
//
// They watch:
//
//	logger               keeps the changes of state of all connections, in its memory
//	logger-go            writes them into the log, in Go
//	pcap-annotate        comments a capture: states, what is sent again
//
// They are a worse link, or a middlebox:
//
//	drop-nth             drops each n-th segment with data
//	netem                loses, delays, reorders and doubles segments, by seed
//	mss-clamp            lowers the MSS option of both ends
//	ecn-bleach           clears the bits of ECN
//	option-stamp         numbers segments in an experimental option
//	split-handshake      answers a SYN by an ACK and a SYN
//
// They guard and steer:
//
//	syn-guard            refuses SYNs by address and by rate
//	fast-open-only-from  lets only some addresses use Fast Open
//	ack-every            acknowledges each n-th segment
//	aimd, bbr-lite       congestion control, as package core/cc/cctest/models has it
//
// And for the lab, what if TCP were otherwise:
//
//	two-way              a handshake of two segments
//	four-way             one of four
//	no-time-wait         nobody waits after the last ACK
//	weak-isn             initial sequence numbers that can be guessed
package examples
