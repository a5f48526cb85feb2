package tcp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/cc/cctest/models"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// acked is an end that has forty segments in flight, and takes an ACK for two.
type acked struct {
	*end
	p    packet.Packet
	ack  *tcp.Segment
	data []byte
}

func newAcked(t testing.TB, k cc.Controller) *acked {
	cfg := tcp.Linux()
	cfg.Controller = k
	s := &acked{end: newEnd(t, variants[0], cfg), data: make([]byte, 2*1460)}
	s.passive(65535, scale(7), sackOK)
	s.ack = s.segment(". 1(0) ack 1 win 65535")
	for range 20 {
		s.send()
	}
	for range 5000 {
		s.turn()
	}
	return s
}

func (s *acked) send() {
	_, _ = s.c.Write(s.now, s.data)
	for s.c.Output(s.now, &s.p) {
	}
}

func (s *acked) turn() {
	s.now = s.now.Add(50 * clock.Microsecond)
	if at := s.c.Deadline(); at <= s.now {
		s.c.Expire(s.now)
	}
	s.ack.Ack = s.ack.Ack.Add(seq.Size(min(uint32(len(s.data)), s.c.View().InFlight)))
	s.c.Arrives(s.now, s.ack)
	s.send()
}

// greedy is CUBIC that wants to hear of everything.
type greedy struct{ cc.Cubic }

func (greedy) Name() string { return "greedy" }
func (greedy) Wants() cc.Wants {
	return cc.WantsSamples | cc.WantsReport | cc.WantsSent | cc.WantsRelease
}

// No controller has the established path allocate anything, whatever it wants.
func TestControlAllocatesNothing(t *testing.T) {
	for _, k := range []cc.Controller{cc.Cubic{}, greedy{}, models.AIMD{}, models.BBR{}} {
		s := newAcked(t, k)
		require.Zero(t, testing.AllocsPerRun(1000, s.turn), k.Name())
		require.Equal(t, k.Name(), s.c.Info(s.now).Congestion)
	}
}

// What an ACK costs, with two segments that are written and sent: with controllers
// that want nothing beyond it, with one that wants all there is, and with one that
// paces.
func BenchmarkAck(b *testing.B) {
	for _, k := range []cc.Controller{cc.NewReno{}, cc.Cubic{}, greedy{}, models.AIMD{}, models.BBR{}} {
		b.Run(k.Name(), func(b *testing.B) {
			s := newAcked(b, k)
			b.ReportAllocs()
			for b.Loop() {
				s.turn()
			}
		})
	}
}
