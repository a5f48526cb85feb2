package native

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/songgao/water"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpkit/tcpkit/core/packet"
)

// TUN is a TUN device: a link between this machine's kernel and a stack. The
// kernel removes it, with its addresses and routes, when it is closed or the
// process ends.
type TUN struct {
	name string
	mtu  int
	file *os.File
	raw  syscall.RawConn

	closed atomic.Bool

	rd    sync.Mutex // guards what reads use
	one   [1]packet.Packet
	batch []packet.Packet
	got   int
	rerr  error
	fill  func(fd uintptr) bool

	wr       sync.Mutex // guards what writes use
	out      []byte
	werr     error
	put      func(fd uintptr) bool
	writable func(fd uintptr) bool
	retried  bool
}

// OpenTUN makes a TUN device, gives the kernel its addresses and routes, and
// brings it up. It needs CAP_NET_ADMIN in the network namespace and access to
// /dev/net/tun; package netns has a way to get both.
func OpenTUN(cfg TUNConfig) (*TUN, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if len(cfg.Name) >= unix.IFNAMSIZ {
		return nil, fmt.Errorf("open TUN: the name %q is longer than %d octets", cfg.Name, unix.IFNAMSIZ-1)
	}
	dev, err := water.New(water.Config{
		DeviceType:             water.TUN,
		PlatformSpecificParams: water.PlatformSpecificParams{Name: cfg.Name},
	})
	if err != nil {
		return nil, openError(cfg.Name, err)
	}
	file, ok := dev.ReadWriteCloser.(*os.File)
	if !ok {
		dev.Close()
		return nil, errors.New("open TUN: water gave no file")
	}
	t, err := newTUN(file, dev.Name(), cfg.MTU)
	if err == nil {
		err = t.configure(&cfg)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("open TUN %s: %w", dev.Name(), err)
	}
	return t, nil
}

// TUNFromFD takes a TUN device that somebody with more rights has opened
// (without packet information and offload) and configured, and owns fd from then
// on.
func TUNFromFD(fd, mtu int) (*TUN, error) {
	cfg := TUNConfig{MTU: mtu}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	req, err := unix.NewIfreq("")
	if err == nil {
		err = unix.IoctlIfreq(fd, unix.TUNGETIFF, req)
	}
	if err != nil {
		return nil, fmt.Errorf("take TUN: descriptor %d is none: %w", fd, err)
	}
	if f := req.Uint16(); f&unix.IFF_TUN == 0 || f&unix.IFF_NO_PI == 0 || f&unix.IFF_VNET_HDR != 0 {
		return nil, fmt.Errorf("take TUN %s: it is not a plain one (flags %#x)", req.Name(), f)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("take TUN %s: %w", req.Name(), err)
	}
	return newTUN(os.NewFile(uintptr(fd), "tun"), req.Name(), cfg.MTU)
}

func newTUN(file *os.File, name string, mtu int) (*TUN, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	t := &TUN{name: name, mtu: mtu, file: file, raw: raw}
	t.fill, t.put, t.writable = t.fillBatch, t.putPacket, t.waitOnce
	return t, nil
}

// openError says which right is missing.
func openError(name string, err error) error {
	what := "open TUN"
	if name != "" && !strings.Contains(name, "%") { // the kernel would have put a number there
		what += " " + name
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: there is no /dev/net/tun: load the module tun, or add the device to the container: %w", what, err)
	case errors.Is(err, syscall.EPERM):
		return fmt.Errorf("%s: needs CAP_NET_ADMIN: run as root or in a network namespace of one's own: %w", what, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: /dev/net/tun may not be opened: its mode ought to be 0666: %w", what, err)
	case errors.Is(err, syscall.EBUSY):
		return fmt.Errorf("%s: a device of that name is in use: %w", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (t *TUN) configure(cfg *TUNConfig) error {
	link, err := netlink.LinkByName(t.name)
	if err != nil {
		return fmt.Errorf("find it: %w", err)
	}
	if err := netlink.LinkSetMTU(link, t.mtu); err != nil {
		return fmt.Errorf("set MTU %d: %w", t.mtu, err)
	}
	for _, p := range cfg.Peer {
		addr := &netlink.Addr{IPNet: ipNet(p)}
		if p.Addr().Is6() {
			if err := ipv6Off(t.name); err != nil {
				return fmt.Errorf("add address %v: %w", p, err)
			}
			// There is no neighbour on the link to ask for duplicates, and until
			// the kernel has given up asking the address could not be used.
			addr.Flags = unix.IFA_F_NODAD
		}
		if err := netlink.AddrAdd(link, addr); err != nil {
			return fmt.Errorf("add address %v: %w", p, err)
		}
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring it up: %w", err)
	}
	for _, p := range cfg.Peer {
		if err := awaitLocal(p.Addr()); err != nil {
			return fmt.Errorf("add address %v: %w", p, err)
		}
	}
	for _, p := range cfg.Routes {
		route := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(p.Masked()), Scope: netlink.SCOPE_LINK}
		if p.Addr().Is6() {
			route.Scope = netlink.SCOPE_UNIVERSE
		}
		if err := netlink.RouteAdd(route); err != nil {
			return fmt.Errorf("add route %v: %w", p, err)
		}
	}
	return nil
}

// How long the kernel may take with an address, and how often it is asked.
const (
	localPatience = 5 * time.Second
	localEvery    = time.Millisecond
)

// awaitLocal waits until the kernel takes what comes for an address of its own. For
// IPv6 it sees to that in a worker, after it has said that the address was added, and
// drops packets until then: a first SYN would be sent again after a second.
func awaitLocal(a netip.Addr) error {
	tick := time.NewTicker(localEvery)
	defer tick.Stop()
	for end := time.Now().Add(localPatience); ; <-tick.C {
		routes, err := netlink.RouteGet(a.AsSlice())
		switch {
		case err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL:
			return nil
		case time.Now().Before(end):
		case err != nil:
			return fmt.Errorf("wait for it: %w", err)
		default:
			return fmt.Errorf("wait for it: %w", syscall.ETIMEDOUT)
		}
	}
}

func ipNet(p netip.Prefix) *net.IPNet {
	a := p.Addr().Unmap()
	return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(p.Bits(), a.BitLen())}
}

// ipv6Off says why IPv6 can't be had on the device, nil if it can.
func ipv6Off(name string) error {
	b, err := os.ReadFile("/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6")
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("this kernel has no IPv6: %w", syscall.EAFNOSUPPORT)
	}
	if err == nil && len(b) > 0 && b[0] == '1' {
		return fmt.Errorf("IPv6 is switched off in this network namespace "+
			"(`sysctl net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0` allows it): %w", syscall.EAFNOSUPPORT)
	}
	return nil
}

// Close removes the device. It unblocks those who read or wait.
func (t *TUN) Close() error {
	if t.closed.Swap(true) {
		return nil
	}
	return t.file.Close()
}

// ReadPacket blocks until the kernel sends a packet.
func (t *TUN) ReadPacket(p *packet.Packet) error {
	t.rd.Lock()
	defer t.rd.Unlock()
	t.one[0] = *p
	_, err := t.read(t.one[:])
	*p, t.one[0] = t.one[0], packet.Packet{}
	return err
}

// ReadPackets blocks until the kernel sends a packet, and takes what else is
// there: one wake-up of Go's poller, then read until there is nothing more.
//
// A thread that blocks in poll(2) answers faster than Go's poller only as long
// as it has the answer itself. Here the answer comes from the goroutine of the
// application, which the poller's thread runs next while a blocked thread has to
// wake another one: 1-byte round trips 26,000 to 14,000 a second, median 25 us to
// 65 us, on a two-processor virtual machine.
func (t *TUN) ReadPackets(ps []packet.Packet) (int, error) {
	t.rd.Lock()
	defer t.rd.Unlock()
	return t.read(ps)
}

func (t *TUN) read(ps []packet.Packet) (int, error) {
	t.batch, t.got, t.rerr = ps, 0, nil
	err := t.raw.Read(t.fill)
	t.batch = nil
	if t.got > 0 {
		return t.got, nil
	}
	if err == nil {
		err = t.rerr
	}
	return 0, t.failure(err)
}

// fillBatch reads until the batch is full or the device empty. It returns false
// to be called again when there is something.
func (t *TUN) fillBatch(fd uintptr) bool {
	for t.got < len(t.batch) {
		p := &t.batch[t.got]
		p.Reset()
		if cap(p.Bytes) < t.mtu {
			p.Bytes = make([]byte, 0, t.mtu)
		}
		n, err := read(fd, p.Bytes[:t.mtu])
		switch err {
		case 0:
			p.Bytes = p.Bytes[:n]
			t.got++
		case unix.EINTR:
		case unix.EAGAIN:
			return t.got > 0
		default:
			t.rerr = err
			return true
		}
	}
	return true
}

// WritePacket gives the kernel a packet.
func (t *TUN) WritePacket(p *packet.Packet) error {
	if len(p.Bytes) > t.mtu {
		return packet.ErrSize
	}
	t.wr.Lock()
	defer t.wr.Unlock()
	t.out, t.werr = p.Bytes, nil
	err := t.raw.Write(t.put)
	t.out = nil
	if err == nil {
		err = t.werr
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, packet.ErrFull):
		return packet.ErrFull
	case errors.Is(err, unix.EIO):
		// The device was set down, and packets are lost as on a cable that was
		// pulled out.
		return nil
	case errors.Is(err, unix.EINVAL):
		// The kernel wants no such packet, which a stack does not send.
		return fmt.Errorf("%s: write: %w", t.name, err)
	}
	return t.failure(err)
}

func (t *TUN) putPacket(fd uintptr) bool {
	for {
		_, err := write(fd, t.out)
		switch err {
		case 0:
		case unix.EINTR:
			continue
		case unix.EAGAIN, unix.ENOBUFS:
			t.werr = packet.ErrFull
		default:
			t.werr = err
		}
		return true
	}
}

// WaitWritable blocks until the kernel has room for packets.
func (t *TUN) WaitWritable() error {
	t.wr.Lock()
	t.retried = false
	t.wr.Unlock()
	return t.failure(t.raw.Write(t.writable))
}

// waitOnce returns false the first time, so that RawConn waits.
func (t *TUN) waitOnce(uintptr) bool {
	done := t.retried
	t.retried = true
	return done
}

// failure tells a closed device from one that has gone.
func (t *TUN) failure(err error) error {
	if err == nil {
		return nil
	}
	if t.closed.Load() {
		return packet.ErrClosed
	}
	return &DeviceError{Name: t.name, Err: err}
}
