package e2e

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
)

// onKernel are the rows that the table wants to see on the kernel.
var onKernel = strings.Fields("H1 H4 H7 H10 H11 H12 H13 H14 D6 F1 F2 F3 F4 F6 W1 W2 W3 W7 K2a K2b K2c K3 U1 U3 U4")

// kernelRows has, for the rows of the table of behaviours that are to be seen on the
// kernel too, the situations in which it plays its part in them, or none: they have a
// test of their own below.
var kernelRows = map[string][]string{
	"H1":  {"request and answer"},
	"H4":  {"no options at all", "no window scaling, client", "no SACK, server", "no timestamps, client"},
	"H7":  {"SYN twice", "old SYN after the close"},
	"H10": {"SYN lost", "SYN lost twice"},
	"H11": {"no SYN answered", "no SYN answered, some a second apart"},
	"H12": {"backlog full", "SYN cookies"},
	"H13": {"refused", "open refused"},
	"H14": {"third ACK lost, server waits", "third ACK lost, client speaks"},
	"D6":  {"window closed and opened", "window closed, probes", "zero window"},
	"F1":  {"client closes first", "server closes first"},
	"F2":  {"client half-closes", "server half-closes"},
	"F3":  {"accepted after the client has closed", "client closes first"},
	"F4":  {"server never closes"},
	"F6":  {"client aborts", "client closes with unread data", "server closes with unread data"},
	"W1":  {}, // TestTimeWaitLastsAMinute
	"W2":  {"last FIN's ACK lost", "server's FIN lost twice"},
	"W3":  {}, // TestNoTimeWait
	"W7":  {"TIME-WAIT met by a new SYN"},
	"K2a": {"keepalive answered"},
	"K2b": {"keepalive in vain", "peer vanished, keepalive"},
	"K2c": {"keepalive finds a stranger"},
	"K3":  {"keepalive answered", "keepalive in vain"},
	"U1":  {"user timeout", "peer vanished, user timeout"},
	"U3":  {"keepalive and user timeout"},
	"U4":  {"keepalive in vain"},
}

func TestRowsOnTheKernel(t *testing.T) {
	var names []string
	for _, b := range bouts {
		names = append(names, b.name)
	}
	for _, s := range situations {
		names = append(names, s.name)
	}
	shown := map[string]bool{}
	for _, s := range catalogue.Shipped().Scenarios() {
		for _, row := range s.Rows {
			shown[row] = true
		}
	}
	for _, row := range onKernel {
		require.Contains(t, kernelRows, row)
	}
	for row, played := range kernelRows {
		require.Contains(t, onKernel, row)
		for _, name := range played {
			require.True(t, slices.Contains(names, name), "%s: there is no situation %q", row, name)
		}
		require.True(t, shown[row], "%s: no scenario shows it", row)
	}
}

// W1: how long TIME-WAIT lasts need not be waited for: both say when it will be over.
func TestTimeWaitLastsAMinute(t *testing.T) {
	netnstest.Need(t)
	c := newCapture(t, "time-wait")
	t.Run("all", func(t *testing.T) {
		everyWay(t, "time-wait", func(t *testing.T, family int, kernelIsClient bool) {
			p := newPlay(t, c, family, kernelIsClient)
			q := p.open()
			require.NoError(p, q.client.CloseWrite())
			p.expectState(&q.server, "CLOSE-WAIT")
			require.NoError(p, q.server.Close())
			p.expectState(&q.client, "TIME-WAIT")
			left, err := p.client.waits(q.client.local, q.client.remote)
			require.NoError(p, err)
			require.InDelta(p, time.Minute, left, float64(3*time.Second), "Linux's 2 MSL, whatever tcp_fin_timeout says")
		})
	})
}

// W2 and W3: the last ACK is lost, and the kernel's FIN comes again. TIME-WAIT answers
// it; where tcpkit has not waited a reset does, and the kernel calls that an error.
func TestNoTimeWait(t *testing.T) {
	netnstest.Need(t)
	c := newCapture(t, "no-time-wait")
	for _, family := range []int{4, 6} {
		for _, w := range []struct {
			name   string
			wait   clock.Duration
			answer string
			told   syscall.Errno
		}{
			{"with TIME-WAIT", clock.Minute, "client .", 0},
			{"without", clock.Millisecond, "client R", syscall.ECONNRESET},
		} {
			t.Run(fmt.Sprint(w.name, " v", family), func(t *testing.T) {
				p := newPlayWith(t, c, family, false, func(c *core.Config) { c.TCP.TimeWait = w.wait })
				q := p.open()
				require.NoError(p, q.client.CloseWrite())
				p.expectState(&q.server, "CLOSE-WAIT")
				p.expectState(&q.client, "FIN-WAIT-2")
				p.gate.set(gateHold)
				require.NoError(p, q.server.CloseWrite())
				held := func(dir packet.Direction) func() bool { return func() bool { return p.gate.holds(dir) > 0 } }
				wait(p, "the FIN", held(packet.In))
				require.NoError(p, p.gate.release(packet.In, 1))
				wait(p, "the last ACK, which goes no further", held(packet.Out))
				p.expectState(&q.client, map[bool]string{true: "CLOSED", false: "TIME-WAIT"}[w.told != 0])
				wait(p, "the FIN once more", held(packet.In))
				p.gate.set(gatePass)
				require.NoError(p, p.gate.release(packet.In, 1))
				p.expectState(&q.server, "CLOSED")
				all := p.story(q.port).all()
				require.Equal(p, w.answer, all[len(all)-1], "%v", p.story(q.port))
				raw, err := q.server.conn.(*net.TCPConn).SyscallConn()
				require.NoError(p, err)
				told := 0
				require.NoError(p, raw.Control(func(fd uintptr) { told, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR) }))
				require.NoError(p, err)
				require.Equal(p, w.told, syscall.Errno(told))
			})
		}
	}
}
