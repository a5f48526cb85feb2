package native_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"

	"github.com/tcpkit/tcpkit/hosts/native"
	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
)

// The addresses of the TUN's ends: the kernel's and the stack's.
var (
	kernelLocal = []netip.Prefix{netip.MustParsePrefix("10.9.0.1/24"), netip.MustParsePrefix("fd09::1/64")}
	stackLocal  = []netip.Prefix{netip.MustParsePrefix("10.9.0.2/24"), netip.MustParsePrefix("fd09::2/64")}
)

func openTUN(t testing.TB) *native.TUN {
	t.Helper()
	netnstest.Need(t)
	tun, err := native.OpenTUN(native.TUNConfig{Peer: kernelLocal})
	require.NoError(t, err)
	return tun
}

// tunHost returns a host on a TUN, closed when the test ends.
func tunHost(t testing.TB, change ...func(*native.Config)) *native.Host {
	t.Helper()
	return newHost(t, openTUN(t), stackLocal, change...)
}

func kernelAndStack(h *native.Host) (kernel, stack network) {
	pick := func(of []netip.Prefix) func(int) string {
		return func(family int) string { return of[family/6].Addr().String() }
	}
	return network{"kernel", net.Listen, new(net.Dialer).DialContext, pick(kernelLocal)},
		network{"tcpkit", h.Listen, h.DialContext, pick(stackLocal)}
}

// bothWays runs f with the kernel and the stack as client and server, in both
// families.
func bothWays(t *testing.T, h *native.Host, f func(t *testing.T, client, server network, family int)) {
	kernel, stack := kernelAndStack(h)
	for _, family := range []int{4, 6} {
		for _, end := range [][2]network{{kernel, stack}, {stack, kernel}} {
			client, server := end[0], end[1]
			t.Run(client.name+" to "+server.name+map[int]string{4: " v4", 6: " v6"}[family], func(t *testing.T) {
				f(t, client, server, family)
			})
		}
	}
}

func TestNettestTUN(t *testing.T) {
	bothWays(t, tunHost(t), func(t *testing.T, client, server network, family int) {
		nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
			c, s, err := open(client, server, family)
			return c, s, func() { c.Close(); s.Close() }, err
		})
	})
}

func TestHTTPOverTUN(t *testing.T) {
	bothWays(t, tunHost(t), testHTTP)
}
