package sockdiag_test

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/hosts/native"
	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
	"github.com/tcpkit/tcpkit/hosts/native/sockdiag"
)

// The kernel's half-open connections have no socket yet, or one that waits.
// The test plays the peer, packet by packet, so that they stay so.
func TestLookupSeesHalfOpenConnections(t *testing.T) {
	netnstest.Need(t)
	tun, err := native.OpenTUN(native.TUNConfig{Peer: []netip.Prefix{
		netip.MustParsePrefix("10.9.0.1/24"), netip.MustParsePrefix("fd09::1/64"),
	}})
	require.NoError(t, err)
	defer tun.Close()
	d, err := sockdiag.Open()
	require.NoError(t, err)
	defer d.Close()
	for _, ends := range [][2]string{{"10.9.0.1", "10.9.0.2"}, {"fd09::1", "fd09::2"}} {
		kernel, peer := netip.MustParseAddr(ends[0]), netip.MustParseAddr(ends[1])
		l, err := net.Listen("tcp", net.JoinHostPort(ends[0], "0"))
		require.NoError(t, err)
		defer l.Close()
		server := addr(l.Addr())
		client := netip.AddrPortFrom(peer, 5000)
		send := func(seg wire.TCP) {
			seg.SrcPort, seg.DstPort, seg.Window = client.Port(), server.Port(), 1000
			ip := wire.IP{Src: wireAddr(peer), Dst: wireAddr(kernel), Protocol: wire.ProtocolTCP, TTL: 64}
			b := wire.AppendIP(nil, &ip, wire.TCPHeaderLen)
			off := len(b)
			b = wire.AppendTCP(b, &seg)
			wire.FinishTCP(b, &ip, off, false)
			require.NoError(t, tun.WritePacket(&packet.Packet{Bytes: b}))
		}
		// receive returns the next segment that the kernel sends to port.
		receive := func(port uint16) (seg wire.TCP) {
			var p packet.Packet
			for {
				var ip wire.IP
				require.NoError(t, tun.ReadPacket(&p))
				if wire.ParseIP(p.Bytes, &ip) == rule.NotDropped && ip.Protocol == wire.ProtocolTCP &&
					wire.ParseTCP(p.Bytes[ip.HeaderLen:ip.TotalLen], &seg) == rule.NotDropped && seg.DstPort == port {
					return seg
				}
			}
		}

		_, err = d.Lookup(server, client)
		require.ErrorIs(t, err, sockdiag.ErrNotFound)
		send(wire.TCP{Seq: 100, Flags: wire.SYN})
		got, err := d.Lookup(server, client)
		require.NoError(t, err)
		require.Equal(t, sockdiag.SynReceived, got.State)
		require.Equal(t, server, got.Local)
		require.Equal(t, client, got.Remote)
		answer := receive(client.Port())
		send(wire.TCP{Seq: 101, Ack: answer.Seq.Add(1), Flags: wire.ACK})
		got, err = d.Lookup(server, client)
		require.NoError(t, err)
		require.Equal(t, sockdiag.Established, got.State)
		send(wire.TCP{Seq: 101, Ack: answer.Seq.Add(1), Flags: wire.RST | wire.ACK})
		_, err = d.Lookup(server, client)
		require.ErrorIs(t, err, sockdiag.ErrNotFound)

		ctx, cancel := context.WithCancel(context.Background())
		failed := make(chan error)
		go func() {
			_, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(ends[1], "80"))
			failed <- err
		}()
		syn := receive(80)
		got, err = d.Lookup(netip.AddrPortFrom(kernel, syn.SrcPort), netip.AddrPortFrom(peer, 80))
		require.NoError(t, err)
		require.Equal(t, sockdiag.SynSent, got.State)
		require.Equal(t, sockdiag.TimerRetransmit, got.Timer)
		cancel()
		require.ErrorIs(t, <-failed, context.Canceled)
	}
}

func wireAddr(a netip.Addr) wire.Addr {
	if a.Is4() {
		return wire.AddrFrom4(a.As4())
	}
	return wire.AddrFrom16(a.As16())
}
