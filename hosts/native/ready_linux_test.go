package native_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpkit/tcpkit/hosts/native"
	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
)

// The kernel makes an IPv6 address its own some time after it was told to, and
// drops what comes for it until then. OpenTUN waits for that.
func TestAddressesAreThereWhenTheTUNIs(t *testing.T) {
	netnstest.Need(t)
	for range 50 {
		tun, err := native.OpenTUN(native.TUNConfig{Peer: kernelLocal})
		require.NoError(t, err)
		for _, p := range kernelLocal {
			routes, err := netlink.RouteGet(net.IP(p.Addr().AsSlice()))
			require.NoError(t, err)
			require.Equal(t, unix.RTN_LOCAL, routes[0].Type, "%v is the kernel's", p)
		}
		require.NoError(t, tun.Close())
	}
}
