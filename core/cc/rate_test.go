package cc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
)

const milli = clock.Millisecond

// sender sends segments of a thousand octets, and hears of them in order.
type sender struct {
	cc.Rate
	nxt, una seq.Value
	at       []clock.Instant // of what is in flight
}

func (s *sender) send(at clock.Duration, n int) {
	for range n {
		idle := s.una == s.nxt
		s.nxt = s.nxt.Add(1000)
		s.Sent(clock.Instant(at), s.nxt, idle)
		s.at = append(s.at, clock.Instant(at))
	}
}

func (s *sender) ack(at clock.Duration, n int) cc.Ack {
	a := cc.Ack{Now: clock.Instant(at), MinRTT: 10 * milli}
	latest := s.at[n-1]
	s.at, s.una = s.at[n:], s.una.Add(seq.Size(n*1000))
	s.Sample(&a, uint32(n*1000), latest, true, s.una)
	return a
}

// sample is what the tests look at.
type sample struct {
	octets   uint64
	interval clock.Duration
	limited  bool
}

func of(a cc.Ack) sample { return sample{a.Delivered, a.Interval, a.AppLimited} }

// draft-cheng-iccrg-delivery-rate-estimation §3, and tcp_rate.c of Linux.
func TestRate(t *testing.T) {
	var s sender
	s.send(0, 2)
	s.send(4*milli, 2)
	require.Equal(t, sample{1000, 10 * milli, false}, of(s.ack(10*milli, 1)), "since the flight began")
	require.Equal(t, sample{2000, 11 * milli, false}, of(s.ack(11*milli, 1)))
	require.Equal(t, sample{4000, 15 * milli, false}, of(s.ack(15*milli, 2)), "as the first two")

	// After a pause all begins anew: the time in which nothing was sent is not in it.
	s.send(100*milli, 4)
	require.Equal(t, sample{2000, 12 * milli, false}, of(s.ack(112*milli, 2)))
	s.send(112*milli, 2)
	require.Equal(t, sample{4000, 20 * milli, false}, of(s.ack(120*milli, 2)))

	s.send(124*milli, 2)
	require.Equal(t, sample{4000, 12 * milli, false}, of(s.ack(124*milli, 2)), "sent at 112, by when what was sent at 100 was acknowledged")
	require.Equal(t, sample{4000, 24 * milli, false}, of(s.ack(139*milli, 2)), "19 ms of ACKs for what took 24 to send: the longer counts")
}

func TestRateBunched(t *testing.T) {
	var s sender
	for i := range 10 {
		s.send(clock.Duration(i)*10*milli, 1)
	}
	for i := range 4 {
		s.ack(100*milli+clock.Duration(i), 1)
	}
	a := s.ack(100*milli+4, 6)
	require.Equal(t, uint64(10_000), a.Delivered)
	require.Equal(t, 100*milli+4, a.Interval, "by the ACKs alone: it was sent when nothing had come yet")
	s.send(101*milli, 1)
	s.send(151*milli, 1)
	a = s.ack(152*milli, 2)
	require.Equal(t, sample{2000, 51 * milli, false}, of(a))

	// What was sent over 40 ms since is acknowledged within 2: 40 ms count.
	s.send(200*milli, 1)
	s.send(210*milli, 1)
	s.ack(220*milli, 1)
	s.send(250*milli, 1)
	s.ack(259*milli, 1)
	require.Equal(t, sample{2000, 50 * milli, false}, of(s.ack(260*milli, 1)))
}

// §3.4: until what was in flight when the application had no more has arrived,
// samples are marked.
func TestRateAppLimited(t *testing.T) {
	var s sender
	s.send(0, 2)
	s.Limited(2000)
	s.send(5*milli, 2)
	require.False(t, s.ack(10*milli, 2).AppLimited, "what was sent before was not limited")
	s.send(10*milli, 1)
	require.True(t, s.ack(15*milli, 2).AppLimited)
	s.send(16*milli, 1)
	require.True(t, s.ack(20*milli, 1).AppLimited)
	require.False(t, s.ack(26*milli, 1).AppLimited, "the bubble is gone")
}

// A round trip begins with the ACK for something that was sent after the last began.
func TestRateRounds(t *testing.T) {
	var s sender
	s.send(0, 3)
	require.True(t, s.ack(10*milli, 1).Round)
	s.send(10*milli, 1)
	require.False(t, s.ack(11*milli, 1).Round)
	s.send(11*milli, 1)
	require.False(t, s.ack(12*milli, 1).Round)
	require.True(t, s.ack(20*milli, 1).Round)
	require.False(t, s.ack(21*milli, 1).Round)
}

// What is faster than the shortest round trip, or of unknown time, is no sample, but
// counts; a loss is told once.
func TestRateRefuses(t *testing.T) {
	var s sender
	s.send(0, 3)
	s.Lost(700)
	s.Lost(300)
	a := s.ack(9*milli, 1)
	require.Zero(t, a.Interval)
	require.Zero(t, a.Delivered)
	require.Equal(t, uint64(1000), a.Total)
	require.Equal(t, uint32(1000), a.Losses)
	a = cc.Ack{Now: clock.Instant(20 * milli)}
	s.Sample(&a, 1000, clock.Instant(7*milli), true, 2000)
	require.Zero(t, a.Interval, "nothing was sent then")
	require.Zero(t, a.Losses)
	a = cc.Ack{Now: clock.Instant(20 * milli)}
	s.Sample(&a, 1000, 0, false, 3000)
	require.Zero(t, a.Interval)
	require.Equal(t, uint64(3000), a.Total)
}

// The book of what is in flight is bounded, copied, and part of the fingerprint.
func TestRateBook(t *testing.T) {
	s := sender{}
	for i := range 10_000 {
		s.send(clock.Duration(i), 1)
	}
	require.Zero(t, s.ack(milli, 1).Interval, "of the oldest nothing is known any more")
	s.at, s.una = s.at[8000:], s.una.Add(8000*1000)
	require.NotZero(t, s.ack(20*milli, 1).Interval)

	print := func(s *cc.State) uint64 {
		h := siphash.New(siphash.Key{})
		s.Fingerprint(&h, 0, clock.Instant(clock.Second))
		return h.Sum64()
	}
	one := cc.State{More: &cc.More{Rate: s.Rate, TimerAt: clock.Never}}
	two := one.Clone()
	require.Equal(t, print(&one), print(&two))
	two.More.Priv[31]++
	require.NotEqual(t, print(&one), print(&two))
	require.Zero(t, one.More.Priv[31])
	two = one.Clone()
	two.More.Rate.Sent(clock.Instant(clock.Second), 9, false)
	require.NotEqual(t, print(&one), print(&two))
}

// A report folds the ACKs of a round trip.
func TestReport(t *testing.T) {
	var r cc.Report
	for _, a := range []cc.Ack{
		{Now: 5, Acked: 10, InFlight: 70, RTT: 9, SRTT: 8, Delivered: 100, Interval: 10, ECE: true},
		{Now: 6, Acked: 20, InFlight: 90, SRTT: 9, Losses: 4},
		{Now: 7, Acked: 30, InFlight: 80, RTT: 7, SRTT: 7, Delivered: 90, Interval: 8, AppLimited: true, Losses: 1},
		{Now: 8, Acked: 1, InFlight: 60, RTT: 11, SRTT: 10, Delivered: 10, Interval: 1000},
	} {
		r.Fold(&a)
	}
	require.Equal(t, cc.Report{
		Now: 8, Since: 5, Acks: 4, Marked: 1, Acked: 61, Losses: 5, MinRTT: 7, MaxRTT: 11, SRTT: 10, InFlight: 90,
		Delivered: 90, Interval: 8, AppLimited: true,
	}, r)
}
