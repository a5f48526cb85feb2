package native_test

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/hosts/native"
	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
	"github.com/tcpkit/tcpkit/internal/need"
	"github.com/tcpkit/tcpkit/internal/release"
)

// beyond is a network that only a test's TUN leads to.
var beyond = netip.MustParsePrefix("203.0.113.0/24")

// traces is what a host could leave behind: links, routes and descriptors.
func traces(t *testing.T) []string {
	t.Helper()
	var all []string
	links, err := netlink.LinkList()
	require.NoError(t, err)
	for _, l := range links {
		all = append(all, "link "+l.Attrs().Name)
	}
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := netlink.RouteList(nil, family)
		require.NoError(t, err)
		for _, r := range routes {
			all = append(all, "route "+r.String())
		}
	}
	fds, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && !strings.Contains(to, "/fd") {
			all = append(all, "fd "+to)
		}
	}
	return all
}

// Close ends what waits and leaves nothing.
//
// Proves: H07
func TestCloseLeavesNothing(t *testing.T) {
	netnstest.Need(t)
	// The poller's own descriptors come with the first use of it.
	warm := openTUN(t)
	require.NoError(t, warm.Close())
	before := traces(t)
	ignore := goleak.IgnoreCurrent()

	tun, err := native.OpenTUN(native.TUNConfig{Name: "tcpkit0", Peer: kernelLocal, Routes: []netip.Prefix{beyond}, MTU: 1400})
	require.NoError(t, err)
	require.Equal(t, "tcpkit0", tun.Name())
	require.Equal(t, 1400, tun.Link().MTU)
	routes, err := netlink.RouteGet(beyond.Addr().AsSlice())
	require.NoError(t, err, "the route is there while the host is")
	require.NotEmpty(t, routes)
	h, err := native.New(native.Config{Local: stackLocal, IO: tun})
	require.NoError(t, err)
	kernel, stack := kernelAndStack(h)
	c, s, err := open(kernel, stack, 4)
	require.NoError(t, err)
	defer c.Close()
	full, peer, err := open(stack, kernel, 6)
	require.NoError(t, err)
	defer peer.Close()
	l, err := h.Listen("tcp", ":80")
	require.NoError(t, err)

	errs := make(chan error)
	go func() { _, err := s.Read(make([]byte, 1)); errs <- err }()
	go func() { errs <- fill(full) }()
	go func() { _, err := l.Accept(); errs <- err }()
	go func() { _, err := h.Dial("tcp", "10.9.0.77:80"); errs <- err }()
	require.NoError(t, h.Close())
	for range 4 {
		require.ErrorIs(t, <-errs, net.ErrClosed)
	}
	require.NoError(t, h.Close(), "again")
	_, err = h.Listen("tcp", ":81")
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = s.Write([]byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET, "the kernel's end was reset")
	require.ErrorIs(t, tun.WritePacket(&packet.Packet{Bytes: make([]byte, 20)}), packet.ErrClosed)
	require.NoError(t, goleak.Find(ignore))
	c.Close()
	peer.Close()
	require.ElementsMatch(t, before, traces(t))
}

// Shutdown lets connections finish.
func TestShutdownSendsWhatWasWritten(t *testing.T) {
	h := tunHost(t)
	kernel, stack := kernelAndStack(h)
	c, s, err := open(kernel, stack, 4)
	require.NoError(t, err)
	defer c.Close()
	content := body(3 << 20)
	require.NoError(t, s.(*native.Conn).SetWriteBuffer(4<<20))
	got := make(chan error, 1)
	go func() {
		b, err := io.ReadAll(c)
		if err == nil && string(b) != string(content) {
			err = fmt.Errorf("got %d octets, wanted %d, or others", len(b), len(content))
		}
		c.Close()
		got <- err
	}()
	_, err = s.Write(content)
	require.NoError(t, err)
	ctx, cancel := timeout(10 * time.Second)
	defer cancel()
	require.NoError(t, h.Shutdown(ctx))
	require.NoError(t, <-got)
}

// With a peer that does not answer, Shutdown ends with its context.
func TestShutdownGivesUp(t *testing.T) {
	h := tunHost(t)
	kernel, stack := kernelAndStack(h)
	c, s, err := open(kernel, stack, 4)
	require.NoError(t, err)
	defer c.Close() // never read: the window stays shut
	s.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	require.ErrorIs(t, fill(s), os.ErrDeadlineExceeded)
	ctx, cancel := timeout(20 * time.Millisecond)
	defer cancel()
	require.ErrorIs(t, h.Shutdown(ctx), ctx.Err())
	_, err = io.Copy(io.Discard, c)
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

// Somebody removes the device: every call says so, at once.
func TestDeviceDisappears(t *testing.T) {
	tun := openTUN(t)
	h := newHost(t, tun, stackLocal)
	kernel, stack := kernelAndStack(h)
	c, s, err := open(kernel, stack, 4)
	require.NoError(t, err)
	defer c.Close()
	full, peer, err := open(stack, kernel, 6)
	require.NoError(t, err)
	defer peer.Close()
	l, err := h.Listen("tcp", ":80")
	require.NoError(t, err)

	errs := make(chan error)
	go func() { _, err := s.Read(make([]byte, 1)); errs <- err }()
	go func() { errs <- fill(full) }()
	go func() { _, err := l.Accept(); errs <- err }()
	go func() { _, err := h.Dial("tcp", "10.9.0.77:80"); errs <- err }()
	link, err := netlink.LinkByName(tun.Name())
	require.NoError(t, err)
	require.NoError(t, netlink.LinkDel(link))
	for range 4 {
		err := <-errs
		var gone *native.DeviceError
		require.ErrorAs(t, err, &gone)
		require.Equal(t, tun.Name(), gone.Name)
		require.ErrorIs(t, err, syscall.ENETDOWN)
		require.ErrorContains(t, err, tun.Name()+": the device is gone")
	}
	_, err = s.Write([]byte("x"))
	require.ErrorIs(t, err, syscall.ENETDOWN)
	_, err = h.Listen("tcp", ":81")
	require.ErrorIs(t, err, syscall.ENETDOWN)
	require.NoError(t, s.Close())
	require.NoError(t, h.Close())
}

// A device that is set down is a cable pulled out: connections outlive it.
func TestDeviceDownAndUp(t *testing.T) {
	tun := openTUN(t)
	h := newHost(t, tun, stackLocal)
	kernel, stack := kernelAndStack(h)
	c, s, err := open(kernel, stack, 4)
	require.NoError(t, err)
	defer c.Close()
	link, err := netlink.LinkByName(tun.Name())
	require.NoError(t, err)
	require.NoError(t, netlink.LinkSetDown(link))
	_, err = s.Write([]byte("hello"))
	require.NoError(t, err)
	require.NoError(t, netlink.LinkSetUp(link))
	got := make([]byte, 5)
	_, err = io.ReadFull(c, got)
	require.NoError(t, err)
	require.Equal(t, "hello", string(got))
}

func TestOpenTUNSaysWhatIsWrong(t *testing.T) {
	netnstest.Need(t)
	for text, cfg := range map[string]native.TUNConfig{
		"longer than 15":          {Name: "a-name-of-sixteen"},
		"MTU 67":                  {MTU: 67},
		"between 1280":            {MTU: 1000, Peer: kernelLocal},
		"MTU 70000":               {MTU: 70000},
		"not valid":               {Peer: []netip.Prefix{{}}},
		"add address 10.9.0.1/24": {Peer: []netip.Prefix{kernelLocal[0], kernelLocal[0]}},
		"add route":               {Peer: kernelLocal, Routes: []netip.Prefix{beyond, beyond}},
	} {
		_, err := native.OpenTUN(cfg)
		require.ErrorContains(t, err, text)
	}
	tun := openTUN(t)
	defer tun.Close()
	_, err := native.OpenTUN(native.TUNConfig{Name: tun.Name()})
	require.ErrorIs(t, err, syscall.EBUSY)
	require.ErrorContains(t, err, "in use")
	_, err = native.TUNFromFD(0, 1500)
	require.ErrorContains(t, err, "descriptor 0 is none")
}

// Without IPv6 in the namespace the message says what to do.
func TestOpenTUNWithoutIPv6(t *testing.T) {
	netnstest.Need(t)
	const knob = "/proc/sys/net/ipv6/conf/default/disable_ipv6"
	if err := os.WriteFile(knob, []byte("1"), 0); err != nil {
		need.Missing(t, "the switch of IPv6 can't be set here: "+err.Error())
	}
	defer os.WriteFile(knob, []byte("0"), 0)
	_, err := native.OpenTUN(native.TUNConfig{Peer: kernelLocal})
	require.ErrorContains(t, err, "IPv6 is switched off")
	require.ErrorContains(t, err, "sysctl")
	tun, err := native.OpenTUN(native.TUNConfig{Peer: kernelLocal[:1]})
	require.NoError(t, err, "IPv4 alone works")
	tun.Close()
}

// A TUN taken over as a descriptor.
//
// Proves: H01
func TestTUNFromFD(t *testing.T) {
	netnstest.Need(t)
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	req, err := unix.NewIfreq("given0")
	require.NoError(t, err)
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	require.NoError(t, unix.IoctlIfreq(fd, unix.TUNSETIFF, req))
	tun, err := native.TUNFromFD(fd, 1500)
	require.NoError(t, err)
	require.Equal(t, "given0", tun.Name())
	require.NoError(t, tun.Close())
	require.ErrorIs(t, tun.ReadPacket(new(packet.Packet)), packet.ErrClosed)
}

// Processes that are told to end, and processes that are killed, leave no device, no
// route and nothing else: the next has the same device, within a second.
//
// Proves: H02
func TestKilledLeavesNothing(t *testing.T) {
	netnstest.Need(t)
	before := traces(t)
	slowest := time.Duration(0)
	for i := range release.Count(6, 1000) {
		sig := []os.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT}[i%3]
		began := time.Now()
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), "NATIVE_TEST_CHILD=host")
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		name, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err, "restart %d", i)
		slowest = max(slowest, time.Since(began))
		_, err = netlink.LinkByName(strings.TrimSpace(name))
		require.NoError(t, err)
		c, err := net.Dial("tcp", "10.9.0.2:80")
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(sig))
		cmd.Wait()
		c.Close()
		require.ElementsMatch(t, before, traces(t), "after %v, the %dth", sig, i)
	}
	t.Logf("the slowest restart took %v", slowest)
	if release.Whole() { // where the machine may be expected to have nothing else to do
		require.Less(t, slowest, time.Second)
	}
}

func init() { children["host"] = childHost }

// A host does not start on a machine whose entropy fails or comes short: its numbers
// would be guessed (THREATS S09).
//
// Proves: S09
func TestNoEntropyNoStart(t *testing.T) {
	for child, starts := range map[string]bool{"entropy": true, "entropy short": false, "entropy fails": false} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), "NATIVE_TEST_CHILD="+child)
		out, err := cmd.CombinedOutput()
		require.Equal(t, starts, err == nil, "%s: %s", child, out)
		require.Equal(t, starts, strings.Contains(string(out), "started"), "%s: %s", child, out)
	}
}

func init() {
	for child, source := range map[string]io.Reader{
		"entropy": rand.Reader, "entropy short": strings.NewReader("too short"), "entropy fails": iotest.ErrReader(errors.New("broken")),
	} {
		children[child] = func() {
			rand.Reader = source
			x, _ := native.NewPipe(packet.Link{MTU: 1500}, 4)
			if _, err := native.New(native.Config{IO: x}); err != nil {
				os.Exit(1)
			}
			fmt.Println("started")
		}
	}
}

// childHost is the process that is killed.
func childHost() {
	tun, err := native.OpenTUN(native.TUNConfig{Name: "again0", Peer: kernelLocal, Routes: []netip.Prefix{beyond}})
	if err == nil {
		var h *native.Host
		if h, err = native.New(native.Config{Local: stackLocal, IO: tun}); err == nil {
			_, err = h.Listen("tcp", ":80")
			stop := make(chan os.Signal, 1)
			signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
			fmt.Println(tun.Name())
			<-stop
			err = errors.Join(err, h.Close())
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
