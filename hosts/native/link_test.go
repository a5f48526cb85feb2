package native_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/hosts/native"
)

// exchange sends n octets each way at once, and checks that they arrive whole.
func exchange(t testing.TB, c, s net.Conn, n int) {
	t.Helper()
	content := body(n)
	sum := sha256.Sum256(content)
	var all sync.WaitGroup
	for _, end := range []net.Conn{c, s} {
		all.Add(2)
		go func() {
			defer all.Done()
			_, err := end.Write(content)
			if err == nil {
				err = end.(interface{ CloseWrite() error }).CloseWrite()
			}
			if err != nil {
				t.Error(err)
			}
		}()
		go func() {
			defer all.Done()
			h := sha256.New()
			got, err := io.Copy(h, end)
			if err != nil || [32]byte(h.Sum(nil)) != sum {
				t.Errorf("%d of %d octets arrived, or others: %v", got, n, err)
			}
		}()
	}
	all.Wait()
}

func TestImpairedLinkDeliversEverything(t *testing.T) {
	cfg, err := native.ParseImpair("loss=2%,delay=2ms,jitter=1ms,dup=1%,reorder=1%,corrupt=1%")
	require.NoError(t, err)
	x, y := native.NewPipe(packet.Link{MTU: 1500}, 256)
	a, b := newHost(t, native.Impair(x, cfg, 7), aLocal), newHost(t, y, bLocal)
	for _, address := range []string{"10.8.0.2", "fd08::2"} {
		c, s := connect(t, a, b, "tcp", address)
		exchange(t, c, s, 300<<10)
		require.NotZero(t, c.Info().TotalRetrans+s.Info().TotalRetrans, "the link does lose packets")
	}
	require.NotZero(t, a.Stats().Drops[rule.DropTCPChecksum]+b.Stats().Drops[rule.DropTCPChecksum], "and corrupts some")
}

// The fate of a packet is a function of the seed and of its number.
func TestImpairIsRepeatable(t *testing.T) {
	run := func(cfg native.ImpairConfig, seed uint64) (got []string) {
		x, y := native.NewPipe(packet.Link{MTU: 1500}, 4096)
		link := native.Impair(x, cfg, seed)
		defer link.(io.Closer).Close()
		const n = 1000
		for i := range n {
			p := packet.Packet{Bytes: []byte(fmt.Sprintf("%03d", i))}
			require.NoError(t, link.WritePacket(&p))
		}
		end := packet.Packet{Bytes: []byte("end")}
		var p packet.Packet
		for string(p.Bytes) != "end" {
			// The last one may be lost as well.
			require.NoError(t, link.WritePacket(&end))
			require.NoError(t, y.ReadPacket(&p))
			got = append(got, string(p.Bytes))
		}
		return got
	}
	cfg, err := native.ParseImpair("loss=5%,dup=5%,corrupt=5%")
	require.NoError(t, err)
	first := run(cfg, 1)
	require.Equal(t, first, run(cfg, 1))
	require.NotEqual(t, first, run(cfg, 2))
	plain := run(native.ImpairConfig{}, 1)
	require.Len(t, plain, 1001, "nothing is lost where nothing was asked for")
	require.IsNonDecreasing(t, plain)
}

func TestParseImpair(t *testing.T) {
	for text, want := range map[string]native.ImpairConfig{
		"":             {},
		"loss=0.5":     {Loss: 0.5},
		"loss=100%":    {Loss: 1},
		" delay=1s, ":  {Delay: time.Second},
		"seed=0x10":    {Seed: 16},
		"reorder=0.1%": {Reorder: 0.001},
	} {
		got, err := native.ParseImpair(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		again, err := native.ParseImpair(got.String())
		require.NoError(t, err)
		require.Equal(t, got, again)
	}
	for _, text := range []string{
		"loss", "loss=", "loss=-1%", "loss=101%", "loss=NaN", "loss=1%%", "delay=20", "delay=-1s", "delay=2m",
		"colour=red", "loss=1%,loss=2%", "seed=-1", "jitter=x",
	} {
		_, err := native.ParseImpair(text)
		require.ErrorContains(t, err, "impair: ", text)
	}
}

// narrow is a link that takes one packet in two tries, and counts.
type narrow struct {
	*native.PipeEnd
	mu            sync.Mutex
	refused, sent int
	next          bool
}

func (n *narrow) WritePacket(p *packet.Packet) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next = !n.next; n.next {
		n.refused++
		return packet.ErrFull
	}
	err := n.PipeEnd.WritePacket(p)
	if err == nil {
		n.sent++
	}
	return err
}

// blind is a narrow link that does not know when it has room.
type blind struct{ packet.IO }

func (b blind) Close() error { return b.IO.(io.Closer).Close() }

// A full link loses nothing: what the stack has counted as sent is what the
// other end got.
//
// Proves: H04
func TestFullLinkLosesNothing(t *testing.T) {
	for _, name := range []string{"tells when it has room", "does not tell"} {
		t.Run(name, func(t *testing.T) {
			x, y := native.NewPipe(packet.Link{MTU: 1500}, 2)
			link := &narrow{PipeEnd: x}
			var io packet.IO = link
			size := 1 << 20
			if name == "does not tell" {
				io, size = blind{link}, 64<<10
			}
			a, b := newHost(t, io, aLocal), newHost(t, y, bLocal)
			c, s := connect(t, a, b, "tcp", "10.8.0.2")
			exchange(t, c, s, size)
			// A machine that is slow enough makes the stack send again what is on its
			// way; that nothing is lost shows where the link is: it takes all.
			require.Eventually(t, func() bool {
				link.mu.Lock()
				defer link.mu.Unlock()
				return uint64(link.sent) == a.Stats().PacketsOut
			}, 10*time.Second, time.Millisecond, "what was sent has passed the link")
			link.mu.Lock()
			defer link.mu.Unlock()
			require.NotZero(t, link.refused)
		})
	}
}

// tape is a tap that keeps everything.
type tape struct {
	mu      sync.Mutex
	packets []taped
}

type taped struct {
	dir    packet.Direction
	ip     []byte
	events []event.Event
}

func (p *tape) Packet(now clock.Instant, dir packet.Direction, ip []byte, events []event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.packets = append(p.packets, taped{dir, bytes.Clone(ip), append([]event.Event(nil), events...)})
}

// transitions returns the states that the connection went through, each with
// the flags of the packet that it came with.
func (p *tape) transitions() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.packets {
		flags := "no packet"
		var ip wire.IP
		var seg wire.TCP
		if wire.ParseIP(q.ip, &ip) == rule.NotDropped && wire.ParseTCP(q.ip[ip.HeaderLen:ip.TotalLen], &seg) == rule.NotDropped {
			flags = q.dir.String() + " " + seg.Flags.String()
		}
		for _, e := range q.events {
			if e.Kind == event.Transition {
				all = append(all, flags+": "+tcp.State(e.To).String())
			}
		}
	}
	return all
}

// A tap sees each packet with what it did.
func TestTapSeesPacketsWithTheirEvents(t *testing.T) {
	var x, y tape
	p, q := native.NewPipe(packet.Link{MTU: 1500}, 64)
	a := newHost(t, p, aLocal, func(c *native.Config) { c.Tap = &x })
	b := newHost(t, q, bLocal, func(c *native.Config) { c.Tap = &y })
	c, s := connect(t, a, b, "tcp", "10.8.0.2")
	require.NoError(t, c.CloseWrite())
	_, err := s.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, s.Close())
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, c.Close())
	require.Equal(t, []string{
		"out S: SYN-SENT", "in S.: ESTABLISHED", "out F.: FIN-WAIT-1", "in .: FIN-WAIT-2", "in F.: TIME-WAIT",
	}, x.transitions())
	require.Eventually(t, func() bool { return len(y.transitions()) == 5 }, time.Second, time.Millisecond)
	require.Equal(t, []string{
		"in S: SYN-RECEIVED", "in .: ESTABLISHED", "in F.: CLOSE-WAIT", "out F.: LAST-ACK", "in .: CLOSED",
	}, y.transitions())
}

// A clock that stands still, and is moved by hand.
type manual struct {
	mu sync.Mutex
	clock.Manual
}

func (m *manual) Now() clock.Instant {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.Manual.Now()
}

func (m *manual) advance(h *native.Host, d clock.Duration) {
	m.mu.Lock()
	m.Advance(d)
	m.mu.Unlock()
	h.Tick()
}

// With a clock of one's own two hours pass at once.
func TestHostGoesByItsClock(t *testing.T) {
	var hand manual
	x, y := native.NewPipe(packet.Link{MTU: 1500}, 64)
	link := &valve{IO: x}
	a := newHost(t, link, aLocal, func(c *native.Config) { c.Clock, c.ProfileOptions = &hand, true })
	b := newHost(t, y, bLocal)
	c, s := connect(t, a, b, "tcp", "10.8.0.2")
	require.NoError(t, c.SetKeepAlive(true))
	link.shut.Store(true)
	hand.advance(a, 2*clock.Hour)
	require.EqualValues(t, 1, a.Stats().KeepaliveProbes)
	for range 9 {
		hand.advance(a, 75*clock.Second)
	}
	_, err := c.Read(make([]byte, 1))
	require.ErrorIs(t, err, tcp.ErrTimeout)
	require.EqualValues(t, 9, a.Stats().KeepaliveProbes)
	require.Equal(t, tcp.Established, s.Info().State, "the other end knows nothing of it")
}

// PacketConn drops what does not fit and survives a peer that is not there yet.
func TestPacketConn(t *testing.T) {
	x, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer x.Close()
	c, err := net.DialUDP("udp", nil, x.LocalAddr().(*net.UDPAddr))
	require.NoError(t, err)
	link := native.PacketConn(c, 100)
	require.Equal(t, packet.Link{MTU: 100}, link.Link())
	require.ErrorIs(t, link.WritePacket(&packet.Packet{Bytes: make([]byte, 101)}), packet.ErrSize)
	for _, n := range []int{101, 200, 100} {
		_, err = x.WriteToUDP(make([]byte, n), c.LocalAddr().(*net.UDPAddr))
		require.NoError(t, err)
	}
	var p packet.Packet
	require.NoError(t, link.ReadPacket(&p))
	require.Len(t, p.Bytes, 100)
	require.NoError(t, link.(io.Closer).Close())
	require.ErrorIs(t, link.ReadPacket(&p), packet.ErrClosed)
	require.ErrorIs(t, link.WritePacket(&p), packet.ErrClosed)
}

// A link that fails for a reason of its own ends the host with that reason.
func TestLinkFails(t *testing.T) {
	why := errors.New("somebody sat on the cable")
	x, y := native.NewPipe(packet.Link{MTU: 1500}, 64)
	link := &failing{PipeEnd: x, why: why, fail: make(chan struct{})}
	a := newHost(t, link, aLocal)
	b := newHost(t, y, bLocal)
	c, _ := connect(t, a, b, "tcp", "10.8.0.2")
	got := make(chan error)
	go func() { _, err := c.Read(make([]byte, 1)); got <- err }()
	close(link.fail)
	require.ErrorIs(t, <-got, why)
	_, err := a.Dial("tcp", "10.8.0.2:80")
	require.ErrorIs(t, err, why)
}

type failing struct {
	*native.PipeEnd
	why  error
	fail chan struct{}
}

func (f *failing) ReadPackets(ps []packet.Packet) (int, error) {
	type result struct {
		n   int
		err error
	}
	got := make(chan result, 1)
	own := make([]packet.Packet, len(ps))
	go func() { n, err := f.PipeEnd.ReadPackets(own); got <- result{n, err} }()
	select {
	case r := <-got:
		copy(ps, own[:r.n])
		return r.n, r.err
	case <-f.fail:
		f.PipeEnd.Close()
		<-got
		return 0, f.why
	}
}

// Proves: H06
func FuzzParseImpair(f *testing.F) {
	f.Add("loss=1%,delay=20ms,jitter=5ms,dup=0.1%,reorder=1%,corrupt=0.1%,seed=7")
	f.Add("loss=1e-3,,seed=0x7")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := native.ParseImpair(text)
		if err != nil {
			return
		}
		again, err := native.ParseImpair(c.String())
		require.NoError(t, err, c.String())
		require.Equal(t, c.String(), again.String())
	})
}
