package tcp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/tcp"
)

// RFC 7323 §2.2: the window of a segment with SYN is not scaled, the SYN-ACK of a
// simultaneous open among them.
func TestSimultaneousOpenWindowIsNotScaled(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux())
		e.synSent()
		e.in("S 0(0) win 4000", mss(1460), scale(10))
		e.out("both SYNs have crossed", "S. 0(0) ack 1")
		e.in("S. 0(0) ack 1 win 5000", mss(1460), scale(10))
		require.Equal(t, tcp.Established, e.c.State())
		require.Equal(t, uint32(5000), e.c.Info(e.now).SndWnd)
		e.in(". 1(0) ack 1 win 5")
		require.Equal(t, uint32(5120), e.c.Info(e.now).SndWnd)
	})
}
