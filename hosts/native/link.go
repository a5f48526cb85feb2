package native

import "github.com/tcpkit/tcpkit/core/packet"

// BatchReader is a packet.IO that can hand over several packets at once, which
// saves locks and acknowledgments under load.
type BatchReader interface {
	// ReadPackets blocks until there is a packet, fills ps with it and with those
	// that are there already, and returns how many that were.
	ReadPackets(ps []packet.Packet) (int, error)
}

// WriteWaiter is a packet.IO that knows when it can take packets again.
type WriteWaiter interface {
	// WaitWritable blocks after packet.ErrFull until a packet may be offered
	// again, or until the link is closed.
	WaitWritable() error
}
