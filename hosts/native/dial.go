package native

import (
	"context"
	"errors"
	"net"
	"net/netip"
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

// DialContext opens a connection. The addresses of a name are tried one after the
// other; the error is that of the first.
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
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	var first error
	for i, a := range addrs {
		if !a.Addr().IsValid() {
			// As in package net, no host is this host: but that is not on the link.
			a = netip.AddrPortFrom(netip.IPv6LinkLocalAllNodes(), a.Port())
		}
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
	cc, err := s.stack.Dial(now, local, remote, d.TCP)
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
