package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/hosts/native"
	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
	"github.com/tcpkit/tcpkit/internal/release"
)

// bulkSize is how many octets move in all: a GiB in the release tier, a tenth of
// it in CI, a hundredth on a desk.
func bulkSize() int {
	const whole = 1 << 30
	switch {
	case release.Whole():
		return whole
	case required():
		return whole / 10
	case testing.Short():
		return whole / 1000
	}
	return whole / 100
}

// A wellSide captures what the kernel sends before the link is made worse. What
// tcpkit sends is captured by the host's tap.
type wellSide struct {
	*native.TUN
	capture *capture
}

func (w wellSide) ReadPacket(p *packet.Packet) error {
	err := w.TUN.ReadPacket(p)
	if err == nil {
		w.capture.add(packet.In, p.Bytes)
	}
	return err
}

type outTap struct{ capture *capture }

func (o outTap) Packet(_ clock.Instant, dir packet.Direction, b []byte, _ []event.Event) {
	if dir == packet.Out && b != nil {
		o.capture.add(dir, b)
	}
}

// Each end opens 64 connections to the other, half of them over IPv6, and both
// ends of each send at once, through loss, reordering, duplication, corruption
// and delay. Everything arrives as it was sent.
func TestBulkOverABadLink(t *testing.T) {
	netnstest.Need(t)
	const conns = 64
	bad, err := native.ParseImpair("loss=2%,reorder=1%,dup=0.5%,corrupt=0.5%,delay=10ms")
	require.NoError(t, err)
	kernelLocal := []netip.Prefix{netip.MustParsePrefix("10.99.0.1/24"), netip.MustParsePrefix("fd99::1/64")}
	stackLocal := []netip.Prefix{netip.MustParsePrefix("10.99.0.2/24"), netip.MustParsePrefix("fd99::2/64")}
	tun, err := native.OpenTUN(native.TUNConfig{Peer: kernelLocal})
	require.NoError(t, err)
	c := newCapture(t, "bulk")
	h, err := native.New(native.Config{Local: stackLocal, IO: native.Impair(wellSide{tun, c}, bad, 1), Tap: outTap{c}})
	require.NoError(t, err)
	start := time.Now()
	t.Run("all", func(t *testing.T) {
		defer func() { require.NoError(t, h.Close()) }()
		streams := 2 * 2 * conns
		each := bulkSize() / streams
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		deadline, _ := ctx.Deadline()
		listeners := map[string]net.Listener{}
		for family := range 2 {
			kl, err := net.Listen("tcp", netip.AddrPortFrom(kernelLocal[family].Addr(), 0).String())
			require.NoError(t, err)
			defer kl.Close()
			tl, err := h.Listen("tcp", netip.AddrPortFrom(stackLocal[family].Addr(), 0).String())
			require.NoError(t, err)
			defer tl.Close()
			listeners[fmt.Sprint("kernel", family)], listeners[fmt.Sprint("tcpkit", family)] = kl, tl
		}
		var all sync.WaitGroup
		failed := func(err error) {
			t.Error(err)
			cancel() // or the other end would be waited for
			all.Done()
		}
		one := func(c net.Conn, client net.Addr, role uint64) {
			if err := exchange(c.(conn), deadline, 2*name(client), role, each); err != nil {
				failed(err)
				return
			}
			all.Done()
		}
		all.Add(streams)
		for _, l := range listeners {
			defer context.AfterFunc(ctx, func() { l.Close() })()
			go func() {
				for range conns / 2 {
					c, err := l.Accept()
					if err != nil {
						failed(err)
						continue
					}
					go one(c, c.RemoteAddr(), 1)
				}
			}()
		}
		for i := range conns {
			for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
				"tcpkit": new(net.Dialer).DialContext, "kernel": h.DialContext,
			} {
				go func() {
					c, err := dial(ctx, "tcp", listeners[fmt.Sprint(name, i%2)].Addr().String())
					if err != nil {
						failed(err)
						return
					}
					one(c, c.LocalAddr(), 0)
				}()
			}
		}
		all.Wait()
		took, s := time.Since(start), h.Stats()
		t.Logf("%d octets on %d connections in %.1f s, %.2f MB/s; tcpkit sent %d segments, %d of them again; %d recoveries, %d timeouts",
			streams*each, 2*conns, took.Seconds(), float64(streams*each)/took.Seconds()/1e6, s.SegmentsOut, s.Retransmits, s.FastRetransmits, s.Timeouts)
	})
	t.Run("tshark", c.judge)
}

// name is a number for a connection, by its client's address.
func name(client net.Addr) uint64 {
	h := fnv.New64a()
	h.Write([]byte(client.String()))
	return h.Sum64()
}

// exchange sends the connection's stream of this end's role, 0 or 1, and wants
// that of the other one.
func exchange(c conn, deadline time.Time, number, role uint64, n int) error {
	defer c.Close()
	if err := c.SetDeadline(deadline); err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(stream(number+role, n))
		if err == nil {
			err = c.CloseWrite()
		}
		sent <- err
	}()
	want, got := sha256.Sum256(stream(number+1-role, n)), sha256.New()
	m, err := io.Copy(got, c)
	switch {
	case err != nil:
		return fmt.Errorf("%v: after %d octets: %w", c.LocalAddr(), m, err)
	case m != int64(n) || [sha256.Size]byte(got.Sum(nil)) != want:
		return fmt.Errorf("%v: %d octets that are not the %d that were sent", c.LocalAddr(), m, n)
	}
	if err := <-sent; err != nil {
		return fmt.Errorf("%v: %w", c.LocalAddr(), err)
	}
	return nil
}
