package native

import (
	"context"
	"net"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/wire"
)

// DialFastOpen is DialContext and a Write of data, with TCP Fast Open (RFC 7413): if
// the server has given this host a cookie before, what fits of data goes in the SYN
// and is there a round trip sooner. The server may get such data twice, so it has to
// be data for which that does no harm. Of several addresses one is tried after the
// other.
func (d *Dialer) DialFastOpen(ctx context.Context, network, address string, data []byte) (net.Conn, error) {
	own := *d
	own.fast, own.data = true, data
	return own.DialContext(ctx, network, address)
}

// open begins a connection, and returns how much of d.data its SYN takes.
func (d *Dialer) open(s *shard, now clock.Instant, local, remote wire.AddrPort) (*core.Conn, int, error) {
	if d.fast && s.stack.Config().FastOpen&core.FastOpenClient != 0 {
		return s.stack.DialFastOpen(now, local, remote, d.TCP, d.data)
	}
	c, err := s.stack.Dial(now, local, remote, d.TCP)
	return c, 0, err
}

// rest writes what did not go in the SYN.
func (d *Dialer) rest(c *Conn, sent int) error {
	if sent == len(d.data) {
		return nil
	}
	_, err := c.Write(d.data[sent:])
	return err
}
