package e2e

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"

	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/hosts/native"
	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
	"github.com/tcpkit/tcpkit/hosts/native/sockdiag"
)

// floodSize is how many SYNs a flood has: more than any queue for them in all
// cases.
func floodSize() int {
	if testing.Short() {
		return 10_000
	}
	return 100_000
}

// A server is flooded with SYNs from addresses that never answer, RFC 4987, and
// serves an honest client beside it all the while.
func TestSYNFlood(t *testing.T) {
	netnstest.Need(t)
	c := newCapture(t, "flood")
	t.Run("all", func(t *testing.T) {
		everyWay(t, "SYN flood", func(t *testing.T, family int, kernelIsClient bool) {
			synFlood(newPlay(t, c, family, kernelIsClient))
		})
	})
	t.Run("tshark", c.judge)
}

// stranger is the i-th source of a flood.
func stranger(family, i int) netip.Addr {
	if family == 4 {
		return netip.AddrFrom4([4]byte{198, 18 | byte(i>>16&1), byte(i >> 8), byte(i)})
	}
	return netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 5: 5, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)})
}

// synOf is the SYN of a stranger.
func (p *play) synOf(i int, to netip.AddrPort) []byte {
	src, err := wire.ParseAddr(stranger(p.family, i).String())
	require.NoError(p, err)
	dst := p.trace.ends[0]
	if p.server.name() == "tcpkit" {
		dst = p.trace.ends[1]
	}
	ip := wire.IP{Src: src, Dst: dst, Protocol: wire.ProtocolTCP, TTL: 64}
	syn := wire.TCP{SrcPort: uint16(1024 + i%60000), DstPort: to.Port(), Seq: seq.Value(i * 7919), Flags: wire.SYN, Window: 64240}
	syn.Options.Has, syn.Options.MSS = wire.HasMSS, 1460
	head := wire.AppendTCP(nil, &syn)
	b := wire.AppendIP(nil, &ip, len(head))
	off := len(b)
	b = append(b, head...)
	wire.FinishTCP(b, &ip, off, false)
	return b
}

// routeStrangers sends what the kernel has for the strangers to the TUN.
func (p *play) routeStrangers() {
	link, err := netlink.LinkByName(p.gate.tun.Name())
	require.NoError(p, err)
	all, scope := strangers4, netlink.SCOPE_LINK
	if p.family == 6 {
		all, scope = strangers6, netlink.SCOPE_UNIVERSE
	}
	dst := &net.IPNet{IP: all.Addr().AsSlice(), Mask: net.CIDRMask(all.Bits(), all.Addr().BitLen())}
	require.NoError(p, netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: dst, Scope: scope}))
}

func synFlood(p *play) {
	p.routeStrangers()
	l, err := p.server.listen(0)
	require.NoError(p, err)
	defer l.Close()
	to := addrPort(l.Addr())
	go serveEcho(l)
	cookies := kernelCookies(p)

	n := floodSize()
	syns := make([][]byte, n)
	for i := range syns {
		syns[i] = p.synOf(i, to)
	}
	flooded := make(chan struct{})
	begun := make(chan struct{})
	start := time.Now()
	go func() {
		defer close(flooded)
		var one packet.Packet
		for i, b := range syns {
			if i == 5000 {
				close(begun) // the queues are full
			}
			if p.server.name() == "tcpkit" {
				if !p.gate.inject(b) {
					return
				}
			} else {
				one.Bytes = b
				if err := p.gate.tun.WritePacket(&one); err != nil {
					p.Error(err)
					return
				}
			}
		}
	}()
	p.Cleanup(func() { <-flooded })
	<-begun
	word := stream(1, 20_000)
	served, slowest := 0, time.Duration(0)
	for on := true; on; {
		begin := time.Now()
		q, err := p.client.dial(p.Context(), to, 0)
		require.NoError(p, err, "the honest client gets in")
		slowest = max(slowest, time.Since(begin))
		a := newActor("client", p.client, q)
		if served == 0 {
			p.expectState(&a, "ESTABLISHED")
			p.expectStateOf(p.server, a.remote, a.local, "ESTABLISHED")
			halfOpen := p.halfOpen(to)
			require.NotZero(p, halfOpen, "the flood is on")
			require.LessOrEqual(p, halfOpen, 4097, "half-open connections are bounded") // the kernel lets one more in than its 4096
		}
		_, err = a.Write(word)
		require.NoError(p, err)
		require.NoError(p, a.CloseWrite())
		require.NoError(p, a.SetReadDeadline(time.Now().Add(patience)))
		got, err := io.ReadAll(a.conn)
		require.NoError(p, err)
		require.True(p, bytes.Equal(word, got), "what it said comes back")
		require.NoError(p, a.Close())
		port := a.local.Port()
		if served == 0 {
			plot := p.story(port).plot()
			require.Equal(p, []string{"client S", "server S.", "client ."}, plot[:3], p.story(port))
			require.NotContains(p, strings.Join(plot, "\n"), "R", "nobody resets")
		}
		served++
		select {
		case <-flooded:
			on = false
		default:
		}
	}
	require.Less(p, slowest, 10*time.Second)
	if p.server.name() == "tcpkit" {
		var s native.Stats
		wait(p, "the flood to be read", func() bool { s = p.host.Stats(); return s.PacketsIn >= uint64(n) })
		require.Greater(p, s.CookiesSent, uint64(n/2), "without a queue there are cookies")
		require.NotZero(p, s.CookiesAccepted, "the honest clients, of whom it remembered nothing")
		require.EqualValues(p, served, s.Established, "strangers don't get in")
	} else {
		require.Greater(p, kernelCookies(p), cookies, "the kernel is flooded too")
	}
	p.Logf("%d SYNs in %v; %d honest connections meanwhile, the slowest opened in %v", n, time.Since(start), served, slowest)
}

// halfOpen is how many half-open connections the server has.
func (p *play) halfOpen(l netip.AddrPort) (n int) {
	if p.server.name() == "tcpkit" {
		for _, s := range p.host.Status() {
			if s.HalfOpen > 0 && s.Local.String() == l.String() {
				n += s.HalfOpen
			}
		}
		return n
	}
	all, err := p.server.(*kernelEnd).diag.List()
	require.NoError(p, err)
	for _, s := range all {
		if s.State == sockdiag.SynReceived && s.Local == l {
			n++
		}
	}
	return n
}

func serveEcho(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			io.Copy(c, c)
		}()
	}
}

// kernelCookies is how many SYN cookies the kernel has sent.
func kernelCookies(p *play) int {
	b, err := os.ReadFile("/proc/thread-self/net/netstat")
	require.NoError(p, err)
	var names []string
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if f[0] != "TcpExt:" {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		for i, name := range names {
			if name == "SyncookiesSent" {
				v, err := strconv.Atoi(f[i])
				require.NoError(p, err)
				return v
			}
		}
	}
	p.Fatal("the kernel does not count cookies")
	return 0
}
