package native_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"

	"github.com/tcpkit/tcpkit/hosts/native"
	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
)

func init() { children["rights"] = withoutRights }

// withoutRights opens a TUN, drops its rights, and tries what took them.
func withoutRights() {
	tun, err := native.OpenTUN(native.TUNConfig{Peer: []netip.Prefix{netip.MustParsePrefix("10.65.0.1/24")}})
	if err != nil {
		fmt.Println("open:", err)
		return
	}
	link, err := netlink.LinkByName(tun.Name())
	if err != nil {
		fmt.Println("find:", err)
		return
	}
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: &net.IPNet{IP: beyond.Addr().AsSlice(), Mask: net.CIDRMask(beyond.Bits(), 32)}, Scope: netlink.SCOPE_LINK}
	if err := errors.Join(netlink.RouteAdd(route), netlink.RouteDel(route)); err != nil {
		fmt.Println("a route before:", err)
	}
	if err := native.DropRights(); err != nil {
		fmt.Println("drop:", err)
	}
	if err := netlink.RouteAdd(route); !errors.Is(err, syscall.EPERM) {
		fmt.Println("a route after:", err)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		fmt.Println(err)
	}
	for _, th := range threads {
		status, _ := os.ReadFile("/proc/self/task/" + th.Name() + "/status")
		for _, want := range []string{"CapEff:\t0000000000000000\n", "CapPrm:\t0000000000000000\n", "CapBnd:\t0000000000000000\n", "NoNewPrivs:\t1\n"} {
			if !strings.Contains(string(status), want) {
				fmt.Printf("thread %s: not %q in %s\n", th.Name(), want, status)
			}
		}
	}
	if err := tun.Close(); err != nil {
		fmt.Println("close:", err)
	}
	fmt.Println("done")
}

// Once rights are dropped no thread has one, and what took them fails.
//
// Proves: H01
func TestDropRights(t *testing.T) {
	netnstest.Need(t)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "NATIVE_TEST_CHILD=rights")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "done\n", string(out))
}
