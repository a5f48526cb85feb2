package kit

import (
	"slices"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/pcapng"
)

// A capture is a file of the packets that a stack was brought and has sent.
type capture struct {
	writer pcapng.Writer
	file   []byte
	most   int // octets of the file
}

// add takes a packet that the file has room for.
func (c *capture) add(at clock.Instant, packet []byte, dir pcapng.Direction) {
	if c == nil {
		return
	}
	if file := c.writer.AppendPacket(c.file, at, packet, dir, ""); len(file) <= c.most {
		c.file = file
	}
}

// clone is a capture with the same packets.
func (c *capture) clone() *capture {
	if c == nil {
		return nil
	}
	copied := *c
	copied.file = slices.Clip(c.file)
	return &copied
}

// Capture begins a capture of a stack's packets, a file of at most so many octets; 0
// ends it.
func (k *Kit) Capture(handle int32, most uint32) int32 {
	s := k.stacks.find(handle)
	if s == nil {
		return k.fail(errHandle)
	}
	s.value.capture = nil
	if most > 0 {
		c := &capture{most: int(min(most, bufferMost))}
		c.writer = pcapng.Writer{Application: "tcpkit", Interface: s.value.Addrs()[0].Addr.String()}
		c.file = c.writer.AppendHeader(nil)
		s.value.capture = c
	}
	return 0
}

// Pcapng leaves the capture so far; nothing if none was begun.
func (k *Kit) Pcapng(handle int32) int32 {
	s := k.stacks.find(handle)
	if s == nil {
		return k.fail(errHandle)
	}
	if s.value.capture == nil {
		return 0
	}
	return k.give(s.value.capture.file)
}
