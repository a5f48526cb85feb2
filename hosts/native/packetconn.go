package native

import (
	"errors"
	"net"
	"syscall"

	"github.com/tcpkit/tcpkit/core/packet"
)

// PacketConn makes a link of a connection that keeps messages apart and carries
// one IP packet in each: a connected UDP socket makes a tunnel. It has neither secrecy
// nor authentication.
func PacketConn(c net.Conn, mtu int) packet.IO {
	return &packetConn{c: c, mtu: mtu}
}

type packetConn struct {
	c   net.Conn
	mtu int
}

func (p *packetConn) Link() packet.Link { return packet.Link{MTU: p.mtu} }

// ReadPacket passes over what ICMP said about packets sent before, which a UDP
// socket returns too: the other end of a tunnel may come and go.
func (p *packetConn) ReadPacket(q *packet.Packet) error {
	q.Reset()
	// One more octet than fits tells a packet that is too large, and is cut off,
	// from one that fits.
	if cap(q.Bytes) <= p.mtu {
		q.Bytes = make([]byte, 0, p.mtu+1)
	}
	for {
		n, err := p.c.Read(q.Bytes[:p.mtu+1])
		switch {
		case err == nil && n <= p.mtu:
			q.Bytes = q.Bytes[:n]
			return nil
		case err == nil, errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		case errors.Is(err, net.ErrClosed):
			return packet.ErrClosed
		default:
			return err
		}
	}
}

func (p *packetConn) WritePacket(q *packet.Packet) error {
	if len(q.Bytes) > p.mtu {
		return packet.ErrSize
	}
	_, err := p.c.Write(q.Bytes)
	if errors.Is(err, net.ErrClosed) {
		return packet.ErrClosed
	}
	return err
}

func (p *packetConn) Close() error { return p.c.Close() }
