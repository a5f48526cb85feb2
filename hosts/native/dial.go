package native

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A Dialer is DialContext with options.
type Dialer struct {
	Host *Host
	// Timeout bounds a dial, 0 does not; Deadline likewise.
	Timeout  time.Duration
	Deadline time.Time
	// Local is the address or the port, or both, to dial from; the zero values
	// leave them to the stack.
	Local netip.AddrPort
	// TCP is what the connection goes by, nil for what the host's do.
	TCP *tcp.Config

	fast bool   // DialFastOpen
	data []byte // and what it writes
}

// Dial opens a connection.
func (h *Host) Dial(network, address string) (net.Conn, error) {
	return h.DialContext(context.Background(), network, address)
}

// DialContext opens a connection. network is tcp, tcp4 or tcp6. Once the
// connection is open, ctx does not matter any more.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d := Dialer{Host: h}
	return d.DialContext(ctx, network, address)
}

// Dial opens a connection.
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext opens a connection. Of a name's addresses those of one family are
// tried one after the other, and beside them soon those of the other; the error
// is that of the first.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if d.Timeout > 0 {
		c, cancel := context.WithTimeout(ctx, d.Timeout)
		defer cancel()
		ctx = c
	}
	if !d.Deadline.IsZero() {
		c, cancel := context.WithDeadline(ctx, d.Deadline)
		defer cancel()
		ctx = c
	}
	addrs, err := d.Host.resolve(ctx, network, address)
	if err == nil && !addrs[0].Addr().IsValid() {
		// For package net this is the machine itself, which is not on the link.
		err = &net.AddrError{Err: "missing host in address", Addr: address}
	}
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	c, err := d.race(ctx, network, addrs)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// fallbackDelay is how long the addresses of the family that comes first have
// for themselves, as in package net (RFC 6555).
const fallbackDelay = 300 * time.Millisecond

// race dials the addresses of the family that comes first, one after the other,
// and those of the other family too when that takes long or fails.
func (d *Dialer) race(ctx context.Context, network string, addrs []netip.AddrPort) (*Conn, error) {
	var other []netip.AddrPort
	first := slices.Clone(addrs)
	first = slices.DeleteFunc(first, func(a netip.AddrPort) bool {
		if a.Addr().Is4() == addrs[0].Addr().Is4() {
			return false
		}
		other = append(other, a)
		return true
	})
	if len(other) == 0 || d.fast {
		return d.series(ctx, network, append(first, other...))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		c   *Conn
		err error
	}
	results := [2]chan result{make(chan result, 1), make(chan result, 1)}
	start := func(i int, addrs []netip.AddrPort) {
		c, err := d.series(ctx, network, addrs)
		results[i] <- result{c, err}
	}
	go start(0, first)
	timer := time.NewTimer(fallbackDelay)
	defer timer.Stop()
	select {
	case r := <-results[0]:
		if r.err == nil {
			return r.c, nil
		}
		c, err := d.series(ctx, network, other)
		if err != nil {
			err = r.err // that of the first
		}
		return c, err
	case <-timer.C:
	}
	go start(1, other)
	var r [2]result
	won, late := 0, 1
	select {
	case r[0] = <-results[0]:
	case r[1] = <-results[1]:
		won, late = 1, 0
	}
	if r[won].err == nil {
		cancel()
	}
	r[late] = <-results[late]
	switch {
	case r[won].err != nil && r[late].err == nil:
		return r[late].c, nil
	case r[won].err != nil:
		return nil, r[0].err
	case r[late].err == nil:
		r[late].c.Abort() // connected at the same time
	}
	return r[won].c, nil
}

// series dials the addresses one after the other. The error is that of the
// first.
func (d *Dialer) series(ctx context.Context, network string, addrs []netip.AddrPort) (*Conn, error) {
	var first error
	for i, a := range addrs {
		c, err := d.dial(ctx, network, a, len(addrs)-i)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = &net.OpError{Op: "dial", Net: network, Source: d.source(), Addr: net.TCPAddrFromAddrPort(a), Err: sysError("connect", err)}
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// source is the address to dial from, nil when it is not set. It is a net.Addr,
// so that nil stays nil.
func (d *Dialer) source() net.Addr {
	if !d.Local.Addr().IsValid() && d.Local.Port() == 0 {
		return nil
	}
	return net.TCPAddrFromAddrPort(d.Local)
}

// dial opens a connection to one address, the first of so many that are left.
func (d *Dialer) dial(ctx context.Context, network string, to netip.AddrPort, left int) (*Conn, error) {
	if !d.Host.hasFamily(to.Addr()) {
		return nil, errno{syscall.ENETUNREACH, tcp.ErrNetUnreachable}
	}
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		// Each address gets its share, as in package net, but two seconds.
		share := max(time.Until(deadline)/time.Duration(left), 2*time.Second)
		c, cancel := context.WithTimeout(ctx, share)
		defer cancel()
		ctx = c
	}
	if err := ctx.Err(); err != nil {
		return nil, contextErr(err)
	}
	s := d.Host.shard()
	local := wire.AddrPort{Addr: wireAddr(d.Local.Addr()), Port: d.Local.Port()}
	remote := wire.AddrPort{Addr: wireAddr(to.Addr()), Port: to.Port()}
	now := s.enter()
	if s.err != nil {
		defer s.unlock()
		return nil, s.err
	}
	cc, sent, err := d.open(s, now, local, remote)
	if err != nil {
		s.leave(now)
		return nil, err
	}
	c := s.newConn(cc, network)
	for {
		c.out.prepare()
		s.leave(now)
		select {
		case <-c.out.ch:
		case <-ctx.Done():
		}
		now = s.enter()
		done, err := c.opened()
		if done && err == nil {
			s.unlock()
			if err := d.rest(c, sent); err != nil {
				_ = c.Close()
				return nil, err
			}
			return c, nil
		}
		if err == nil && ctx.Err() != nil {
			err = contextErr(ctx.Err())
		}
		if err != nil {
			c.shut(now)
			s.leave(now)
			return nil, err
		}
	}
}

// opened reports, under the lock, how an active open stands.
func (c *Conn) opened() (done bool, err error) {
	if c.closed {
		return true, errClosed
	}
	if c.shard.err != nil {
		return true, c.shard.err
	}
	switch c.core.State() {
	case tcp.Closed, tcp.Listen:
		if err := c.core.Err(); err != nil {
			return true, err
		}
		return true, tcp.ErrRefused
	case tcp.SynSent, tcp.SynReceived:
		return false, nil
	default:
		return true, nil
	}
}

// resolve returns the addresses that address stands for. An address without a
// host is one without an address.
func (h *Host) resolve(ctx context.Context, network, address string) ([]netip.AddrPort, error) {
	ipNetwork := "ip"
	switch network {
	case "tcp":
	case "tcp4":
		ipNetwork = "ip4"
	case "tcp6":
		ipNetwork = "ip6"
	default:
		return nil, net.UnknownNetworkError(network)
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := h.resolver.LookupPort(ctx, network, service)
	if err != nil {
		return nil, err
	}
	if host == "" {
		return []netip.AddrPort{netip.AddrPortFrom(netip.Addr{}, uint16(port))}, nil
	}
	ips, err := h.resolver.LookupNetIP(ctx, ipNetwork, host)
	if err != nil {
		var dns *net.DNSError
		if ctx.Err() != nil && !errors.As(err, &dns) {
			err = contextErr(ctx.Err())
		}
		return nil, err
	}
	var all []netip.AddrPort
	for _, ip := range ips {
		ip = ip.Unmap()
		if network == "tcp4" && !ip.Is4() || network == "tcp6" && ip.Is4() {
			continue
		}
		all = append(all, netip.AddrPortFrom(ip, uint16(port)))
	}
	if len(all) == 0 {
		return nil, &net.AddrError{Err: "no suitable address found", Addr: host}
	}
	return all, nil
}
