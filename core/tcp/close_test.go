package tcp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/tcp"
)

// U-12: a FIN that comes again is acknowledged each time; the limit of RFC 5961 §7
// is for segments that take no sequence space.
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
