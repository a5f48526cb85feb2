package skeleton

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Options are what a run depends on, and nothing else.
type Options struct {
	Seed   uint64
	Octets uint32         // from the client to the server
	Loss   uint32         // packets in a thousand
	Delay  clock.Duration // of the link, each way
	Family wire.Family    // 0 stands for IPv4
}

// A Result is how a run went.
type Result struct {
	Client, Server uint64        // hashes of the event logs
	Trace          uint64        // hash of all packets sent, with their times
	Events         uint64        // in both logs
	Transitions    uint64        // of both ends
	Packets, Lost  uint64        // sent, and of them lost on the link
	Retransmits    uint64        // segments, by both ends
	Received       uint64        // octets that the server read and found right
	Ended          clock.Instant // when nothing was waited for any more
	Finished       bool          // everything arrived, and both ends closed without an error
}

// The sizes of the records by which a host without Go's types says the same.
// They begin with their size and are made of little-endian words:
// size, family<<32 | loss, seed, octets, delay; and size<<1 | finished, then the
// fields of Result in order.
const (
	OptionsSize = 5 * 8
	ResultSize  = 11 * 8
)

// Append appends the record of o.
func (o *Options) Append(b []byte) []byte {
	return appendWords(b, OptionsSize, uint64(o.Family)<<32|uint64(o.Loss), o.Seed, uint64(o.Octets), uint64(o.Delay))
}

// ParseOptions is the reverse of Append.
func ParseOptions(b []byte) (Options, bool) {
	var w [5]uint64
	if !parseWords(b, w[:]) || w[0] != OptionsSize {
		return Options{}, false
	}
	return Options{
		Family: wire.Family(w[1] >> 32), Loss: uint32(w[1]), Seed: w[2], Octets: uint32(w[3]), Delay: clock.Duration(w[4]),
	}, true
}

// Append appends the record of r.
func (r *Result) Append(b []byte) []byte {
	first := uint64(ResultSize << 1)
	if r.Finished {
		first |= 1
	}
	return appendWords(b, first, r.Client, r.Server, r.Trace, r.Events, r.Transitions,
		r.Packets, r.Lost, r.Retransmits, r.Received, uint64(r.Ended))
}

// ParseResult is the reverse of Append.
func ParseResult(b []byte) (Result, bool) {
	var w [11]uint64
	if !parseWords(b, w[:]) || w[0]>>1 != ResultSize {
		return Result{}, false
	}
	return Result{
		Finished: w[0]&1 != 0, Client: w[1], Server: w[2], Trace: w[3], Events: w[4], Transitions: w[5],
		Packets: w[6], Lost: w[7], Retransmits: w[8], Received: w[9], Ended: clock.Instant(w[10]),
	}, true
}

func appendWords(b []byte, words ...uint64) []byte {
	for _, w := range words {
		var octets [8]byte
		wire.PutLe64(octets[:], w)
		b = append(b, octets[:]...)
	}
	return b
}

func parseWords(b []byte, words []uint64) bool {
	if len(b) < 8*len(words) {
		return false
	}
	for i := range words {
		words[i] = wire.Le64(b[8*i:])
	}
	return true
}
