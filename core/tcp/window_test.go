package tcp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/tcp"
)

// Segments smaller than the unit of a scaled window must not let it creep on
// while nobody reads: the window closes, and no more is taken than the buffer
// holds (THREATS S30). The edge goes back by less than a unit at most.
func TestSmallSegmentsDoNotMoveTheWindow(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		const buffer = 128 << 10
		cfg := tcp.Linux()
		cfg.ReceiveBuffer, cfg.ReceiveBufferMax = buffer, 6<<20
		e := newEnd(t, v, cfg).passive(65535, scale(7))
		unit := 1 << e.c.Info(e.now).RcvWscale
		require.Equal(t, 128, unit)
		edge := 0
		for at := 1; at < buffer+1000; at += 100 {
			e.in(fmt.Sprintf("P. %d(100) ack 1 win 65535", at))
			for _, s := range e.sent {
				now := int(s.Ack-e.irs) + int(s.Window)*unit
				require.Greater(t, now, edge-unit, "the right edge goes back by more than rounding")
				edge = max(edge, now)
			}
			e.sent = e.sent[:0]
		}
		require.LessOrEqual(t, e.c.Readable(), buffer)
		require.Zero(t, e.last.Window)
		require.Greater(t, e.c.Readable(), buffer-unit-200, "and nearly all of it can be used")
	})
}

// A receive buffer that is set beyond what the scale can express is not offered,
// nor accepted.
func TestWindowBeyondTheScale(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		cfg := tcp.Linux()
		cfg.ReceiveBuffer, cfg.ReceiveBufferMax = 65535, 65535
		e := newEnd(t, v, cfg).passive(65535, scale(0))
		e.c.SetReceiveBuffer(200_000)
		for at := 1; at < 14601; at += 1460 {
			e.in(fmt.Sprintf(". %d(1460) ack 1 win 65535", at))
		}
		require.Equal(t, uint16(65535), e.last.Window)
		require.Equal(t, uint32(65535), e.c.Info(e.now).RcvWnd)
		e.took()
		e.in("P. 80136(10) ack 1 win 65535")
		e.out("beyond the window", ". 1(0) ack 14601")
		e.in("P. 80135(10) ack 1 win 65535")
		e.in("P. 14601(65534) ack 1 win 65535")
		require.Equal(t, 14600+65535, e.c.Readable(), "and all that was in it is held")
	})
}

// RFC 9293 §3.10.7.4: only an ACK of SND.UNA or more brings a window, since it
// counts from there; an older one may still bring SACK blocks.
func TestOldAckBringsNoWindow(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.Linux()).passive(20000, sackOK)
		e.write(6000)
		e.took()
		e.in("P. 1(10) ack 3001 win 17000")
		require.Equal(t, uint32(17000), e.c.Info(e.now).SndWnd)
		e.in("P. 11(10) ack 1461 win 50000", e.sack(4381, 5841))
		require.Equal(t, uint32(17000), e.c.Info(e.now).SndWnd)
		require.Equal(t, uint32(1), e.c.Info(e.now).Sacked)
	})
}
