package native_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/hosts/native"
)

// fuse is a tap that panics at a packet with a certain word in it, as an engine
// with a broken invariant would.
type fuse struct {
	dir  packet.Direction
	word string
}

func (f fuse) Packet(_ clock.Instant, dir packet.Direction, ip []byte, _ []event.Event) {
	if dir == f.dir && bytes.Contains(ip, []byte(f.word)) {
		panic("met " + f.word)
	}
}

// A panic costs one connection.
//
// Proves: H03
func TestPanicCostsOneConnection(t *testing.T) {
	for _, dir := range []packet.Direction{packet.In, packet.Out} {
		t.Run(dir.String(), func(t *testing.T) {
			var reports atomic.Int32
			x, y := native.NewPipe(packet.Link{MTU: 1500}, 64)
			a := newHost(t, x, aLocal)
			b := newHost(t, y, bLocal, func(c *native.Config) {
				c.Tap = fuse{dir, "gunpowder"}
				c.OnPanic = func(r *native.PanicReport) {
					reports.Add(1)
					if r.Value != "met gunpowder" || len(r.Stack) == 0 || r.Remote.Port == 0 || (r.Packet != nil) != (dir == packet.In) {
						t.Error(r)
					}
				}
			})
			c, s := connect(t, a, b, "tcp", "10.8.0.2")
			good, bystander := connect(t, a, b, "tcp", "10.8.0.2")
			from := c
			if dir == packet.Out {
				from = s
			}
			_, err := from.Write([]byte("gunpowder"))
			if dir == packet.Out {
				require.ErrorIs(t, err, tcp.ErrAborted)
			} else {
				require.NoError(t, err)
			}
			_, err = io.ReadAll(c)
			require.ErrorIs(t, err, tcp.ErrReset, "the peer is told")
			_, err = io.ReadAll(s)
			require.ErrorIs(t, err, tcp.ErrAborted)
			exchange(t, good, bystander, 100<<10)
			require.EqualValues(t, 1, reports.Load())
		})
	}
}

// The second panic within a minute ends the program.
//
// Proves: H03
func TestSecondPanicEndsTheProgram(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "NATIVE_TEST_CHILD=fuse")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 2, exit.ExitCode(), string(out))
	require.Equal(t, 1, bytes.Count(out, []byte("tcpkit: panic: met gunpowder")), string(out))
	require.Contains(t, string(out), "\npanic: met gunpowder")
}

func init() { children["fuse"] = childFuse }

func childFuse() {
	x, y := native.NewPipe(packet.Link{MTU: 1500}, 64)
	a, err := native.New(native.Config{Local: aLocal, IO: x, Tap: fuse{packet.In, "gunpowder"}})
	if err != nil {
		panic(err)
	}
	b, err := native.New(native.Config{Local: bLocal, IO: y})
	if err != nil {
		panic(err)
	}
	if _, err := a.Listen("tcp", ":80"); err != nil {
		panic(err)
	}
	for range 2 {
		c, err := b.Dial("tcp", "10.8.0.1:80")
		if err != nil {
			panic(err)
		}
		fmt.Fprint(c, "gunpowder")
		io.ReadAll(c)
	}
	os.Exit(0)
}
