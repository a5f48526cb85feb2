package native_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/hosts/native"
)

// names returns a resolver for which every name has the addresses.
func names(addrs ...netip.Addr) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		c, s := net.Pipe()
		go answerNames(s, addrs)
		return c, nil
	}}
}

// answerNames is a DNS server for one connection.
func answerNames(c net.Conn, addrs []netip.Addr) {
	defer c.Close()
	for {
		var length [2]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(query) != nil {
			return
		}
		m.Response, m.Authoritative, m.Additionals = true, true, nil
		for _, a := range addrs {
			h := dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, Type: m.Questions[0].Type}
			switch {
			case a.Is4() && h.Type == dnsmessage.TypeA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
			case a.Is6() && h.Type == dnsmessage.TypeAAAA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
			}
		}
		answer, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

// sieve is a link that loses the packets of one family.
type sieve struct {
	*native.PipeEnd
	family atomic.Int32
}

func (s *sieve) WritePacket(p *packet.Packet) error {
	if int32(p.Bytes[0]>>4) == s.family.Load() {
		return nil
	}
	return s.PipeEnd.WritePacket(p)
}

// Of the addresses of a name, the one that answers is taken, and soon.
func TestDialTriesAllAddresses(t *testing.T) {
	x, y := native.NewPipe(packet.Link{MTU: 1500}, 64)
	link := &sieve{PipeEnd: x}
	a := newHost(t, link, aLocal, func(c *native.Config) { c.Resolver = names(bLocal[0].Addr(), bLocal[1].Addr()) })
	b := newHost(t, y, bLocal)
	l, err := b.Listen("tcp", ":80")
	require.NoError(t, err)
	for _, lost := range []int32{0, 4, 6} {
		link.family.Store(lost)
		ctx, cancel := timeout(5 * time.Second)
		c, err := a.DialContext(ctx, "tcp", "somewhere.test:http")
		require.NoError(t, err)
		cancel()
		s, err := l.Accept()
		require.NoError(t, err)
		if lost != 0 {
			require.Equal(t, lost == 4, c.RemoteAddr().(*net.TCPAddr).IP.To4() == nil)
		}
		_, err = c.Write([]byte("x"))
		require.NoError(t, err, "the context does not matter any more")
		_, err = io.ReadFull(s, make([]byte, 1))
		require.NoError(t, err)
		c.Close()
		s.Close()
	}
	// Both refuse: the error comes at once, and is that of the first.
	link.family.Store(0)
	_, err = a.Dial("tcp", "somewhere.test:81")
	require.ErrorIs(t, err, tcp.ErrRefused)
	_, err = a.Dial("tcp4", "somewhere.test:81")
	require.EqualError(t, err, "dial tcp4 10.8.0.2:81: connect: connection refused")
	require.Empty(t, alive(a), "nothing is left of the losers")
}

func TestDialerOptions(t *testing.T) {
	a, b := pair(t)
	l, err := b.Listen("tcp", ":80")
	require.NoError(t, err)
	local := netip.MustParseAddrPort("10.8.0.1:4711")
	d := native.Dialer{Host: a, Local: local, Deadline: time.Now().Add(time.Minute)}
	c, err := d.Dial("tcp", "10.8.0.2:80")
	require.NoError(t, err)
	defer c.Close()
	require.Equal(t, local.String(), c.LocalAddr().String())
	s, err := l.Accept()
	require.NoError(t, err)
	defer s.Close()
	_, err = d.Dial("tcp", "10.8.0.2:80")
	require.ErrorIs(t, err, tcp.ErrExists)
	_, err = d.Dial("tcp", ":80")
	require.ErrorContains(t, err, "missing host")
}
