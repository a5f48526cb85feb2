package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/hosts/native"
	"github.com/tcpkit/tcpkit/hosts/native/sockdiag"
)

// A role is which end of a line somebody plays.
type role int

const (
	client role = iota
	server
)

func (r role) String() string { return [...]string{"client", "server"}[r] }

func (r role) other() role { return 1 - r }

// settings are what the two ends of a world go by, apart from Linux's defaults: the
// sysctls of net.ipv4, which say the same to a kernel and, by tcpkitSettings, to
// tcpkit.
type settings struct {
	mtu  int // of the links; 0: 1500
	ends [2]string
}

// The addresses of the kernels' lines: each run has one of each end's, all of which
// are the kernel's own without being given to a device one by one.
var (
	ranges4 = [2]netip.Prefix{netip.MustParsePrefix("10.91.0.0/16"), netip.MustParsePrefix("10.92.0.0/16")}
	ranges6 = [2]netip.Prefix{netip.MustParsePrefix("fd09:91::/32"), netip.MustParsePrefix("fd09:92::/32")}
)

// A world is two network namespaces of the kernel, a client's and a server's, each
// with a TUN. What one sends is given to the other one, or to the tcpkit that plays
// its part, by the line of the run that the addresses are of.
type world struct {
	ends [2]*netspace

	mu    sync.RWMutex
	lines map[wire.Addr]*line // by the addresses of both ends
}

// A netspace is a network namespace, with a thread that does what has to be done in
// it: what it opens stays there.
type netspace struct {
	jobs chan func()
	tun  *native.TUN
	diag *sockdiag.Diag
}

// baseline is what a kernel of 1 to 8 GiB begins with, as the profile linux does, and
// what keeps runs apart.
var baseline = []string{
	"ipv4/tcp_rmem=4096 131072 6291456", "ipv4/tcp_wmem=4096 16384 4194304", "ipv4/tcp_no_metrics_save=1",
	"ipv4/ip_nonlocal_bind=1", "ipv6/ip_nonlocal_bind=1", "ipv4/tcp_fastopen=3",
}

func newWorld(s settings) (w *world, err error) {
	w = &world{lines: map[wire.Addr]*line{}}
	for r := range w.ends {
		if w.ends[r], err = newNetspace(role(r), s); err != nil {
			w.close()
			return nil, err
		}
		go w.pump(role(r))
	}
	return w, nil
}

func newNetspace(r role, s settings) (*netspace, error) {
	n := &netspace{jobs: make(chan func())}
	ready := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = n.configure(r, s)
		}
		ready <- err
		for job := range n.jobs {
			job()
		}
	}()
	if err := <-ready; err != nil {
		close(n.jobs)
		return nil, fmt.Errorf("making a network for the %v: %w", r, err)
	}
	return n, nil
}

func (n *netspace) configure(r role, s settings) (err error) {
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return err
	}
	all := append([]string{}, baseline...)
	for _, x := range strings.Fields(s.ends[r]) {
		all = append(all, "ipv4/"+x)
	}
	for _, x := range all {
		name, value, _ := strings.Cut(x, "=")
		if err := os.WriteFile(filepath.Join("/proc/sys/net", name), []byte(value), 0); err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
	}
	own, theirs := []netip.Prefix{ranges4[r], ranges6[r]}, []netip.Prefix{ranges4[r.other()], ranges6[r.other()], strangers4, strangers6}
	cfg := native.TUNConfig{MTU: s.mtu, Routes: theirs}
	for _, p := range own {
		cfg.Peer = append(cfg.Peer, netip.PrefixFrom(p.Addr().Next(), p.Addr().BitLen()))
	}
	if n.tun, err = native.OpenTUN(cfg); err != nil {
		return err
	}
	link, err := netlink.LinkByName(n.tun.Name())
	if err == nil {
		err = netlink.LinkSetTxQLen(link, 1<<13)
	}
	if err == nil {
		// Without offload, as tcpkit's: the kernel has PSH in what it leaves to be cut.
		err = netlink.LinkSetGSOMaxSegs(link, 1)
	}
	for _, p := range own {
		if err == nil {
			err = netlink.RouteAdd(&netlink.Route{
				LinkIndex: lo.Attrs().Index, Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: netlink.SCOPE_HOST,
				Dst: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())},
			})
		}
	}
	if err != nil {
		return err
	}
	n.diag, err = sockdiag.Open()
	return err
}

// do does something in the namespace.
func (n *netspace) do(job func() error) error {
	done := make(chan error, 1)
	n.jobs <- func() { done <- job() }
	return <-done
}

func (n *netspace) close() {
	if n == nil {
		return
	}
	if n.diag != nil {
		n.diag.Close()
	}
	if n.tun != nil {
		n.tun.Close()
	}
	close(n.jobs)
}

func (w *world) close() {
	for _, n := range w.ends {
		n.close()
	}
}

// pump takes what the kernel of an end sends to its line.
func (w *world) pump(r role) {
	ps := make([]packet.Packet, 64)
	for {
		n, err := w.ends[r].tun.ReadPackets(ps)
		if err != nil {
			return
		}
		for i := range ps[:n] {
			var ip wire.IP
			if wire.ParseIP(ps[i].Bytes, &ip) != rule.NotDropped {
				continue
			}
			if l := w.line(ip.Src); l != nil && ip.Dst == l.ends[r.other()] {
				l.send(r, ps[i].Bytes)
			}
		}
	}
}

func (w *world) line(a wire.Addr) *line {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.lines[a]
}

func (w *world) join(l *line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range l.ends {
		w.lines[a] = l
	}
}

func (w *world) leave(l *line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range l.ends {
		delete(w.lines, a)
	}
}

// addresses are those of the n-th run.
func addresses(family int, n uint32) (a [2]netip.Addr) {
	for r := range a {
		if family == 4 {
			b := ranges4[r].Addr().As4()
			b[2], b[3] = byte(n>>8), byte(n)
			a[r] = netip.AddrFrom4(b)
		} else {
			b := ranges6[r].Addr().As16()
			b[14], b[15] = byte(n>>8), byte(n)
			a[r] = netip.AddrFrom16(b)
		}
	}
	return a
}
