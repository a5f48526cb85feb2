package native

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Config says what New makes.
type Config struct {
	// Core is what the stack goes by. The zero Core is the linux profile. A zero
	// Secret is filled from the system's entropy.
	Core core.Config
	// Local are the stack's own addresses, with the prefix of the link.
	Local []netip.Prefix
	// IO is the link. The host owns it, and closes it if it is an io.Closer,
	// which must unblock ReadPacket. An error of ReadPacket ends the host; so
	// does packet.ErrClosed or a *DeviceError of WritePacket. Other errors of
	// WritePacket lose the one packet.
	IO packet.IO
	// Clock is where time comes from, nil for this machine's. The deadlines of
	// connections are the application's and follow package time.
	Clock clock.Clock
	// Tap sees every packet, nil for none.
	Tap Tap
	// OnPanic is told, under the lock of the host, of a panic that cost a connection; nil
	// writes to standard error.
	OnPanic func(*PanicReport)
	// ProfileOptions lets connections begin with Nagle and keepalive as Core.TCP
	// has them, and not as package net does.
	ProfileOptions bool
	// Resolver looks up names, nil for net.DefaultResolver.
	Resolver *net.Resolver
}

// A Tap sees what goes over the link. It is called under the lock of the
// host: it must be quick, must not call the host, and must not keep what it is given.
type Tap interface {
	// Packet tells of a packet and of the events that it caused, or that caused
	// it. Events without a packet, like a timer that ends TIME-WAIT, come with a
	// nil ip and packet.Out.
	Packet(now clock.Instant, dir packet.Direction, ip []byte, events []event.Event)
}

// Keepalive as package net has it.
const (
	keepAliveIdle     = 15 * clock.Second
	keepAliveInterval = 15 * clock.Second
	keepAliveCount    = 9
)

// A Host is one or more stacks on this machine.
type Host struct {
	shards   []*shard // one
	resolver *net.Resolver
	closer   io.Closer
	wg       sync.WaitGroup // of the goroutines that end when the link is closed
	close    sync.Once
	closeErr error
}

// New starts a host.
func New(cfg Config) (*Host, error) {
	if cfg.IO == nil {
		return nil, errors.New("new host: no IO")
	}
	if cfg.Core.MaxConns == 0 {
		secret := cfg.Core.Secret
		var err error
		if cfg.Core, err = core.Profile(""); err != nil {
			return nil, fmt.Errorf("new host: %w", err)
		}
		cfg.Core.Secret = secret
	}
	if cfg.Core.Secret == [16]byte{} {
		// THREATS S09: without entropy there is no start. Read never fails short.
		if _, err := rand.Read(cfg.Core.Secret[:]); err != nil {
			return nil, fmt.Errorf("new host: %w", err)
		}
	}
	if !cfg.ProfileOptions {
		t := &cfg.Core.TCP
		t.Nagle, t.Keepalive = false, true
		t.KeepaliveIdle, t.KeepaliveInterval, t.KeepaliveCount = keepAliveIdle, keepAliveInterval, keepAliveCount
	}
	if cfg.Core.TimerSlack == 0 {
		cfg.Core.TimerSlack = timerSlack
	}
	if cfg.Clock == nil {
		cfg.Clock = NewMonotonic()
	}
	if cfg.Resolver == nil {
		cfg.Resolver = net.DefaultResolver
	}
	stack, err := core.New(cfg.Core, cfg.IO.Link())
	if err != nil {
		return nil, fmt.Errorf("new host: %w", err)
	}
	for _, p := range cfg.Local {
		if err := stack.AddAddr(prefixFrom(p)); err != nil {
			return nil, fmt.Errorf("new host: address %v on a link with MTU %d: %w", p, cfg.IO.Link().MTU, err)
		}
	}
	h := &Host{resolver: cfg.Resolver}
	h.closer, _ = cfg.IO.(io.Closer)
	s := newShard(h, stack, &cfg)
	h.shards = []*shard{s}
	h.wg.Add(1)
	go s.read()
	return h, nil
}

// shard returns the one that has the connections and listeners that begin here.
func (h *Host) shard() *shard { return h.shards[0] }

// Close ends the host at once: connections are reset, listeners closed, and the
// link too. Who waits gets net.ErrClosed. It returns when no goroutine
// is left.
func (h *Host) Close() error {
	h.close.Do(func() {
		for _, s := range h.shards {
			s.end(net.ErrClosed)
		}
		if h.closer != nil {
			if err := h.closer.Close(); err != nil && !errors.Is(err, packet.ErrClosed) {
				h.closeErr = fmt.Errorf("close host: %w", err)
			}
			h.wg.Wait()
		}
	})
	return h.closeErr
}

// Shutdown closes the listeners and the connections, lets the connections send what they
// have and finish their FIN exchange, and then closes the host. It does not wait for TIME-WAIT. When
// ctx ends first, what is left is reset and the error is that of ctx.
func (h *Host) Shutdown(ctx context.Context) error {
	var err error
	for _, s := range h.shards {
		if e := s.finish(ctx); e != nil {
			err = e
		}
	}
	return errors.Join(err, h.Close())
}

// Tick tells the host that its Clock was moved by hand, so that what has become
// due happens.
func (h *Host) Tick() {
	for _, s := range h.shards {
		s.expire()
	}
}

// Addrs returns the host's own addresses.
func (h *Host) Addrs() []netip.Prefix {
	s := h.shard()
	s.mu.Lock()
	defer s.unlock()
	var all []netip.Prefix
	for _, p := range s.stack.Addrs() {
		all = append(all, netip.PrefixFrom(netAddr(p.Addr), int(p.Bits)))
	}
	return all
}

// hasFamily reports whether the host has an address that can talk to a.
func (h *Host) hasFamily(a netip.Addr) bool {
	for _, p := range h.Addrs() {
		if p.Addr().Is4() == a.Is4() {
			return true
		}
	}
	return false
}

func wireAddr(a netip.Addr) wire.Addr {
	switch {
	case a.Is4() || a.Is4In6():
		return wire.AddrFrom4(a.Unmap().As4())
	case a.Is6():
		return wire.AddrFrom16(a.As16())
	}
	return wire.Addr{}
}

func netAddr(a wire.Addr) netip.Addr {
	switch a.Family() {
	case wire.IPv4:
		return netip.AddrFrom4(a.As4())
	case wire.IPv6:
		return netip.AddrFrom16(a.As16())
	}
	return netip.Addr{}
}

func prefixFrom(p netip.Prefix) wire.Prefix {
	return wire.Prefix{Addr: wireAddr(p.Addr()), Bits: uint8(max(p.Bits(), 0))}
}

func tcpAddr(a wire.AddrPort) *net.TCPAddr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netAddr(a.Addr), a.Port))
}

// toDuration is a span of the engine's clock in real time.
func toDuration(d clock.Duration) time.Duration { return time.Duration(d) }
