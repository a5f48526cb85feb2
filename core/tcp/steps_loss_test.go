package tcp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// A hook sees each sample of the round trip before it counts, and may put another in
// its place: more than nothing, and no more than the RTO may be.
func TestRTTStep(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, c := range []struct {
			verdict tcp.Verdict
			ask     clock.Duration
			want    clock.Duration // SRTT after a first sample of 100 ms
		}{
			{tcp.Pass, 7, 100 * ms},
			{tcp.Hold, 7, 100 * ms},
			{tcp.Mutated, 100 * ms, 100 * ms},
			{tcp.Mutated, 300 * ms, 300 * ms},
			{tcp.Mutated, 0, 1},
			{tcp.Mutated, -1, 60 * second},
			{tcp.Mutated, 1 << 62, 60 * second},
		} {
			e := newEnd(t, v, tcp.RFC9293())
			h := e.hooked(func(r *tcp.Record) tcp.Verdict {
				if r.Args[1] == 0 {
					r.Args[0] = uint64(c.ask)
					return c.verdict
				}
				return tcp.Pass
			}, tcp.StepRTT)
			e.synReceived()
			e.pass(100 * ms)
			e.in(". 1(0) ack 1 win 65535")
			require.Equal(t, 1, h.calls[tcp.StepRTT])
			e.write(100)
			e.pass(200 * ms)
			e.in(". 1(0) ack 101 win 65535")
			require.Equal(t, 2, h.calls[tcp.StepRTT])
			rto := min(max(3*c.want, second), 60*second)
			require.Equal(t, [8]uint64{uint64(200 * ms), uint64(c.want), uint64(c.want / 2), uint64(rto)}, h.last.Args)
		}
	})
}

// measuring is a controller that notes the round trips it is told of.
type measuring struct {
	cc.NewReno
	trips *[]clock.Duration
}

func (m measuring) OnAck(s *cc.State, a *cc.Ack) {
	*m.trips = append(*m.trips, a.RTT)
	m.NewReno.OnAck(s, a)
}

// The sample that a hook has put in place of another is what the controller hears.
func TestRTTStepAndTheController(t *testing.T) {
	var trips []clock.Duration
	cfg := tcp.RFC9293()
	cfg.Controller = measuring{trips: &trips}
	e := newEnd(t, variants[0], cfg).passive(65535)
	e.hooked(func(r *tcp.Record) tcp.Verdict {
		r.Args[0] *= 3
		return tcp.Mutated
	}, tcp.StepRTT)
	e.write(100)
	e.pass(10 * ms)
	e.in(". 1(0) ack 101 win 65535")
	require.Equal(t, []clock.Duration{30 * ms}, trips)
}

// What is told of losses, of what goes again and of the phases, by duplicate ACKs, by
// SACKs, by a timeout, and when it was spurious.
func TestLossSteps(t *testing.T) {
	const seg = 1460
	each(t, func(t *testing.T, v variant) {
		for _, c := range []struct {
			name string
			sack bool
			do   func(e *end)
			want []string
		}{
			{"duplicate ACKs", false, func(e *end) {
				for range 3 {
					e.in(". 1(0) ack 1 win 65535")
				}
			}, []string{"open to disorder", "lost 1 1461", "disorder to recovery", "again 1 1461 0"}},
			{"SACKs", true, func(e *end) {
				e.in(". 1(0) ack 1 win 65535", e.sack(1+2*seg, 1+5*seg))
				e.in(". 1(0) ack 14601 win 65535")
			}, []string{"open to disorder", "lost 1 2921", "disorder to recovery", "again 1 1461 0", "recovery to open"}},
			{"timeouts", false, func(e *end) { e.pass(3 * second) }, []string{
				"lost 1 14601", "open to loss", "again 1 1461 1", "lost 1 1461", "again 1 1461 2",
			}},
			{"a spurious timeout", false, func(e *end) {
				e.pass(second)
				e.in(". 1(0) ack 1461 win 65535")
				e.in(". 1(0) ack 4381 win 65535")
			}, []string{"lost 1 14601", "open to loss", "again 1 1461 1", "undone to cwnd 14600", "loss to open"}},
			{"no answer to a SYN", false, nil, []string{"again 0 1 1"}},
		} {
			e := newEnd(t, v, tcp.RFC9293())
			var told []string
			e.hooked(func(r *tcp.Record) tcp.Verdict {
				from, to := uint32(r.Args[0])-uint32(e.iss), uint32(r.Args[1])-uint32(e.iss)
				line := ""
				switch r.Step {
				case tcp.StepLost:
					line = fmt.Sprintf("lost %d %d", from, to)
				case tcp.StepRetransmit:
					require.True(t, r.Again)
					line = fmt.Sprintf("again %d %d %d", from, to, r.Args[2])
				case tcp.StepPhase:
					line = fmt.Sprintf("%v to %v", tcp.Phase(r.Args[0]), tcp.Phase(r.Args[1]))
				case tcp.StepSpurious:
					line = fmt.Sprintf("undone to cwnd %d", r.Args[0])
				}
				told = append(told, line)
				return tcp.Mutated
			}, tcp.StepLost, tcp.StepRetransmit, tcp.StepPhase, tcp.StepSpurious)
			switch {
			case c.do == nil:
				e.synSent()
				e.pass(second)
			case c.sack:
				e.passive(65535, sackOK)
			default:
				e.passive(65535)
			}
			if c.do != nil {
				e.write(20 * seg)
				require.Len(t, e.took(), 10)
				c.do(e)
			}
			require.Equal(t, c.want, told, c.name)
			require.Empty(t, e.c.Check())
		}
	})
}

// A hook that comes while much is in flight is told of its losses, and one that goes
// leaves nothing behind.
func TestLossStepOfAHookThatComesLate(t *testing.T) {
	e := newEnd(t, variants[0], tcp.RFC9293()).passive(65535)
	e.write(10 * 1460)
	h := e.hooked(nil, tcp.StepLost)
	e.c.Watch()
	e.pass(second)
	require.Equal(t, 1, h.calls[tcp.StepLost])
	e.env.Hooks = 0
	e.c.Watch()
	e.pass(2 * second)
	require.Equal(t, 1, h.calls[tcp.StepLost])
	require.Empty(t, e.c.Check())
}

// A hook may make the answer to congestion a stronger one, never a weaker; outside of
// it both windows are as free as a controller's.
func TestPhaseStep(t *testing.T) {
	const seg = 1460
	type windows struct{ cwnd, ssthresh uint32 }
	for _, c := range []struct {
		name       string
		to         tcp.Phase // at which the hook acts
		ask        [2]uint64
		want       windows // of what the controller has said, where it is 0
		alsoAtExit bool
	}{
		{"stronger", tcp.Recovery, [2]uint64{1 << 62, 3 * seg}, windows{0, 3 * seg}, false},
		{"weaker", tcp.Recovery, [2]uint64{1 << 62, 1 << 62}, windows{}, false},
		{"too strong", tcp.Recovery, [2]uint64{0, 0}, windows{seg, 2 * seg}, false},
		{"stronger", tcp.Loss, [2]uint64{1, 3 * seg}, windows{0, 3 * seg}, false},
		{"weaker", tcp.Loss, [2]uint64{20 * seg, 1 << 62}, windows{}, false},
		{"at the end", tcp.Open, [2]uint64{20 * seg, 30 * seg}, windows{20 * seg, 30 * seg}, true},
		{"at the end, nothing", tcp.Open, [2]uint64{0, 0}, windows{seg, 2 * seg}, true},
		{"at the end, too much", tcp.Open, [2]uint64{1 << 62, 1 << 62}, windows{6 << 20, 65535 << 14}, true},
	} {
		run := func(verdict tcp.Verdict) (told, got windows) {
			e := newEnd(t, variants[0], tcp.RFC9293())
			e.passive(65535, sackOK)
			e.write(40 * seg)
			e.hooked(func(r *tcp.Record) tcp.Verdict {
				if tcp.Phase(r.Args[1]) != c.to || tcp.Phase(r.Args[0]) < tcp.CWR && c.to < tcp.CWR {
					return tcp.Pass
				}
				told = windows{uint32(r.Args[2]), uint32(r.Args[3])}
				r.Args[2], r.Args[3] = c.ask[0], c.ask[1]
				return verdict
			}, tcp.StepPhase)
			if c.to == tcp.Loss {
				e.now = e.c.Deadline()
				e.c.Expire(e.now)
			} else {
				e.c.Arrives(e.now, e.segment(". 1(0) ack 1 win 65535", e.sack(1+seg, 1+5*seg)))
			}
			if c.alsoAtExit {
				e.drain()
				e.c.Arrives(e.now, e.segment(fmt.Sprintf(". 1(0) ack %d win 65535", int32(e.top-e.iss))))
			}
			i := e.c.Info(e.now)
			require.Empty(t, e.c.Check())
			return told, windows{i.Cwnd, i.Ssthresh}
		}
		told, plain := run(tcp.Pass)
		require.NotZero(t, told, c.name)
		toldAgain, got := run(tcp.Mutated)
		require.Equal(t, told, toldAgain)
		want := c.want
		if want.ssthresh == 0 {
			want.ssthresh = plain.ssthresh
		}
		if c.to == tcp.Recovery {
			got.cwnd, want.cwnd = 0, 0 // Proportional Rate Reduction's
		} else if want.cwnd == 0 {
			want.cwnd = plain.cwnd
		}
		if c.alsoAtExit {
			// The ACK that ends the recovery lets the window grow.
			require.GreaterOrEqual(t, got.cwnd, want.cwnd, c.name)
			require.LessOrEqual(t, got.cwnd, want.cwnd+12*seg, c.name)
			got.cwnd, want.cwnd = 0, 0
		}
		require.Equal(t, want, got, "%s at %v", c.name, c.to)
	}
}

// A hook is asked about each ACK of data that comes in order. It may have it go at
// once, or wait: for as long as a delayed ACK waits, and for 16 segments.
func TestAckStep(t *testing.T) {
	const seg = 1000
	type asked struct{ segs, octets, would uint64 }
	each(t, func(t *testing.T, v variant) {
		for _, c := range []struct {
			name  string
			does  func(r *tcp.Record) tcp.Verdict
			acked []int // after how many segments of 40 an ACK goes
		}{
			{"as the engine has it", nil, []int{2, 4, 6, 8}},
			{"at once", func(r *tcp.Record) tcp.Verdict { r.Args[2] = 1; return tcp.Mutated }, []int{1, 2, 3, 4}},
			{"every fifth", func(r *tcp.Record) tcp.Verdict {
				if r.Args[2] = 2; r.Args[0] >= 5 {
					r.Args[2] = 1
				}
				return tcp.Mutated
			}, []int{5, 10, 15, 20}},
			{"never", func(r *tcp.Record) tcp.Verdict { r.Args[2] = 2; return tcp.Mutated }, []int{16, 32}},
			{"nonsense", func(r *tcp.Record) tcp.Verdict { r.Args[2] = 77; return tcp.Mutated }, []int{2, 4, 6, 8}},
			{"not said", func(r *tcp.Record) tcp.Verdict { r.Args[2] = 2; return tcp.Pass }, []int{2, 4, 6, 8}},
		} {
			e := newEnd(t, v, tcp.RFC9293()).passive(65535)
			var told []asked
			e.hooked(func(r *tcp.Record) tcp.Verdict {
				told = append(told, asked{r.Args[0], r.Args[1], r.Args[2]})
				require.Equal(t, seg, len(r.Payload))
				if c.does == nil {
					return tcp.Pass
				}
				return c.does(r)
			}, tcp.StepAck)
			var acked []int
			for i := range 40 {
				e.in(fmt.Sprintf("P. %d(%d) ack 1 win 65535", 1+seg*i, seg))
				if len(e.took()) > 0 {
					acked = append(acked, i+1)
				}
				if e.read(uint32(1 + seg*i)); len(acked) == 4 {
					break
				}
			}
			require.Equal(t, c.acked, acked, c.name)
			require.Equal(t, []asked{{1, seg, 2}, told[1]}, told[:2], c.name)
			if c.name != "at once" {
				require.Equal(t, asked{2, 2 * seg, 1}, told[1])
			}
			require.Empty(t, e.c.Check())
		}
	})
}

// However long a hook has ACKs wait, one goes in less than half a second, and a gap is
// told of at once.
func TestAckStepIsBounded(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		e := newEnd(t, v, tcp.RFC9293()).passive(65535)
		h := e.hooked(func(r *tcp.Record) tcp.Verdict {
			if r.Step == tcp.StepAck {
				r.Args[2] = 2
			} else {
				r.Args[1] = 1 << 62
			}
			return tcp.Mutated
		}, tcp.StepAck, tcp.StepTimerArmed)
		start := e.now
		for i := range 10 {
			e.in(fmt.Sprintf("P. %d(100) ack 1 win 65535", 1+100*i))
			e.pass(49 * ms)
		}
		e.out("not yet")
		e.pass(second)
		require.Len(t, e.sent, 1)
		require.Equal(t, 500*ms-1, e.sent[0].at.Sub(start), "MUST-40")
		e.took()
		calls := h.calls[tcp.StepAck]
		e.in("P. 2001(100) ack 1 win 65535")
		e.out("RFC 5681 §4.2", ". 1(0) ack 1001")
		require.Equal(t, calls, h.calls[tcp.StepAck])
		e.in("P. 1001(100) ack 1 win 65535")
		e.out("likewise: the gap is smaller", ". 1(0) ack 1101")
		require.NoError(t, e.c.CloseRead(e.now))
		e.in("P. 1101(100) ack 1 win 65535")
		e.out("also when nobody reads", ". 1(0) ack 1201")
	})
}
