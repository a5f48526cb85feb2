package main

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/hosts/native"
)

// tkStack is tcpkit's native host.
type tkStack struct {
	h    *native.Host
	addr netip.Addr
}

// newTkStack makes a host of the linux profile, with nothing switched off.
func newTkStack(addr netip.Addr, io packet.IO) (*tkStack, error) {
	cfg, err := core.Profile("linux")
	if err != nil {
		return nil, err
	}
	h, err := native.New(native.Config{Core: cfg, Local: []netip.Prefix{netip.PrefixFrom(addr, 24)}, IO: io})
	if err != nil {
		return nil, err
	}
	return &tkStack{h, addr}, nil
}

func (s *tkStack) Listen(port uint16) (net.Listener, error) {
	return s.h.Listen("tcp4", net.JoinHostPort(s.addr.String(), strconv.Itoa(int(port))))
}
func (s *tkStack) Dial(a netip.AddrPort) (net.Conn, error) { return s.h.Dial("tcp4", a.String()) }
func (s *tkStack) Addr() netip.Addr                        { return s.addr }
func (s *tkStack) SegmentsSent() uint64                    { return s.h.Stats().SegmentsOut }
func (s *tkStack) Close() {
	if err := s.h.Close(); err != nil {
		fmt.Println("note: close:", err)
	}
}

func init() {
	pairPeers["tcpkit-pipe"] = func(mtu int) (Stack, Stack, error) {
		ea, eb := native.NewPipe(packet.Link{MTU: mtu}, 1024)
		a, err := newTkStack(addrA, ea)
		if err != nil {
			return nil, nil, err
		}
		b, err := newTkStack(addrB, eb)
		return a, b, err
	}
}
