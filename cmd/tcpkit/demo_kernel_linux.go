package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/hosts/native"
	"github.com/tcpkit/tcpkit/hosts/native/sockdiag"
)

// A kernelLink is the TUN and what else it takes to watch the kernel: its clock is
// the real one, its packets are those that the kernel sends.
type kernelLink struct {
	native.Monotonic
	tun     *native.TUN
	diag    *sockdiag.Diag
	packets chan []byte
	broken  error // why packets was closed
	first   []byte
	release string // of the kernel
}

// openKernelLink opens the TUN, in whatever network namespace this is.
func openKernelLink(cfg native.TUNConfig) (*kernelLink, error) {
	tun, err := native.OpenTUN(cfg)
	if err != nil {
		return nil, err
	}
	diag, err := sockdiag.Open()
	if err != nil {
		tun.Close()
		return nil, err
	}
	l := &kernelLink{Monotonic: *native.NewMonotonic(), tun: tun, diag: diag, packets: make(chan []byte, 64)}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		version, _, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), "-")
		l.release = unix.ByteSliceToString(u.Sysname[:]) + " " + version
	}
	go l.pump()
	return l, nil
}

// pump hands on what the kernel sends, until the TUN is closed.
func (l *kernelLink) pump() {
	defer close(l.packets)
	for {
		var p packet.Packet
		if l.broken = l.tun.ReadPacket(&p); l.broken != nil {
			return
		}
		l.packets <- p.Bytes
	}
}

func (l *kernelLink) close() {
	l.tun.Close()
	for range l.packets { // so that pump sees it
	}
	l.diag.Close()
}

func (l *kernelLink) link() packet.Link { return l.tun.Link() }

func (l *kernelLink) name() string { return l.tun.Name() }

func (l *kernelLink) mtu() int { return l.tun.MTU() }

func (l *kernelLink) carry() {}

func (l *kernelLink) idle(ctx context.Context, until clock.Instant) error {
	t := time.NewTimer(time.Duration(until.Sub(l.Now())))
	defer t.Stop()
	select {
	case b, ok := <-l.packets:
		if !ok {
			return l.broken
		}
		l.first = b
	case <-t.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// end makes the kernel an end of an exchange at one of its addresses.
func (l *kernelLink) end(a netip.Addr) (endpoint, func()) {
	k := &kernelEnd{kernelLink: l, addr: a, socket: -1, listener: -1}
	return k, k.closeAll
}

// A kernelEnd is the end whose TCP is the kernel's, and whose program is a
// socket that never blocks: what the kernel does, it does within the call or
// within the write to the TUN, and so between two looks at its state.
type kernelEnd struct {
	*kernelLink
	addr             netip.Addr
	socket, listener int
	local, remote    netip.AddrPort
	met, seen        bool
}

func (k *kernelEnd) family() int {
	if k.addr.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

func (k *kernelEnd) newSocket() (int, error) {
	return unix.Socket(k.family(), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
}

func (k *kernelEnd) listen(_ clock.Instant, port uint16) error {
	var err error
	if k.listener, err = k.newSocket(); err != nil {
		return err
	}
	if err := unix.Bind(k.listener, sockaddr(netip.AddrPortFrom(k.addr, port))); err != nil {
		return err
	}
	k.local = netip.AddrPortFrom(k.addr, port)
	return unix.Listen(k.listener, 1)
}

func (k *kernelEnd) dial(_ clock.Instant, remote wire.AddrPort) error {
	var err error
	if k.socket, err = k.newSocket(); err != nil {
		return err
	}
	if err := unix.Connect(k.socket, sockaddr(netAddrPort(remote))); !errors.Is(err, unix.EINPROGRESS) {
		return err
	}
	return nil
}

func (k *kernelEnd) accept(clock.Instant) (bool, error) {
	fd, _, err := unix.Accept4(k.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if errors.Is(err, unix.EAGAIN) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	k.socket = fd
	return true, nil
}

func (k *kernelEnd) read(_ clock.Instant, b []byte) (int, error) {
	n, err := unix.Read(k.socket, b)
	switch {
	case errors.Is(err, unix.EAGAIN):
		return 0, tcp.ErrWouldBlock
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

func (k *kernelEnd) write(_ clock.Instant, b []byte) error {
	n, err := unix.Write(k.socket, b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}

func (k *kernelEnd) close(clock.Instant) error {
	fd := k.socket
	k.socket = -1
	return unix.Close(fd)
}

// closeAll leaves no descriptor behind.
func (k *kernelEnd) closeAll() {
	for _, fd := range [...]*int{&k.socket, &k.listener} {
		if *fd >= 0 {
			unix.Close(*fd)
			*fd = -1
		}
	}
}

func (k *kernelEnd) send(_ clock.Instant, p *packet.Packet) (bool, error) {
	b := k.first
	k.first = nil
	if b == nil {
		select {
		case next, ok := <-k.packets:
			if !ok {
				return false, k.broken
			}
			b = next
		default:
			return false, nil
		}
	}
	p.Reset()
	p.Bytes = append(p.Bytes, b...)
	return true, nil
}

func (k *kernelEnd) receive(_ clock.Instant, p *packet.Packet) error {
	for {
		err := k.tun.WritePacket(p)
		if !errors.Is(err, packet.ErrFull) {
			return err
		}
		if err := k.tun.WaitWritable(); err != nil {
			return err
		}
	}
}

func (k *kernelEnd) expire(clock.Instant) {}

func (k *kernelEnd) deadline() clock.Instant { return clock.Never }

func (k *kernelEnd) meet(local, remote wire.AddrPort) {
	k.local, k.remote, k.met = netAddrPort(local), netAddrPort(remote), true
}

// kernelStates are the states by the kernel's numbers.
var kernelStates = func() map[sockdiag.State]tcp.State {
	m := make(map[sockdiag.State]tcp.State)
	for s := tcp.Closed; s <= tcp.TimeWait; s++ {
		m[sockdiag.State(s.Linux())] = s
	}
	return m
}()

// state asks the kernel. A connection that it does not know is in CLOSED; before
// there is one, its listener stands for it.
func (k *kernelEnd) state(clock.Instant) (endState, error) {
	if k.met {
		s, err := k.diag.Lookup(k.local, k.remote)
		switch {
		case err == nil:
			state, ok := kernelStates[s.State]
			if !ok {
				return endState{}, fmt.Errorf("the kernel reports a state that TCP does not have: %v", s.State)
			}
			k.seen = true
			return endState{state, clock.Duration(s.Expires)}, nil
		case !errors.Is(err, sockdiag.ErrNotFound):
			return endState{}, err
		}
	}
	if k.listener >= 0 && !k.seen {
		all, err := k.diag.List()
		if err != nil {
			return endState{}, err
		}
		for i := range all {
			if all[i].State == sockdiag.Listen && all[i].Local == k.local {
				return endState{state: tcp.Listen}, nil
			}
		}
	}
	return endState{state: tcp.Closed}, nil
}

func netAddrPort(a wire.AddrPort) netip.AddrPort {
	if a.Addr.Is4() {
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr.As4()), a.Port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(a.Addr.As16()), a.Port)
}
