package tcp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// U-12: a FIN that comes again is acknowledged each time; the limit of RFC 5961 §7
// is for segments that take no sequence space.
//
// Proves: U-12, RFC 5961 §7
func TestFinAgainIsAlwaysAcknowledged(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, s := range []tcp.State{tcp.CloseWait, tcp.LastAck, tcp.Closing, tcp.TimeWait} {
			e := reach(t, v, tcp.Linux(), s)
			for range 5 {
				e.pass(10 * ms)
				e.took()
				e.in("F. 1(0) ack 1 win 65535")
				require.Len(t, e.took(), 1, "%v", s)
			}
			require.Equal(t, s, e.c.State())
		}
	})
}

// An orphan whose peer keeps the window closed does not live for ever in the linux
// profile, as little as on Linux: THREATS S16.
//
// Proves: S16
func TestOrphanWithAZeroWindow(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, flight := range []bool{false, true} {
			e := newEnd(t, v, tcp.Linux()).passive(60000)
			if flight {
				e.write(100)
			}
			e.in(". 1(0) ack 1 win 0")
			if !flight {
				e.write(100)
			}
			require.NoError(t, e.c.Close(e.now))
			e.drain()
			start := e.now
			for e.c.State() != tcp.Closed && e.now.Sub(start) < clock.Hour {
				e.took()
				e.pass(second)
				if len(e.took()) > 0 {
					e.in(". 1(0) ack 1 win 0") // it is there
				}
			}
			require.Equal(t, tcp.Closed, e.c.State())
			require.Greater(t, e.now.Sub(start), 100*second, fmt.Sprint(flight))
		}
	})
}
