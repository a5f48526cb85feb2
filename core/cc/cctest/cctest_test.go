package cctest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/cc/cctest"
	"github.com/tcpkit/tcpkit/core/clock"
)

// broken is NewReno with one thing wrong with it.
type broken struct {
	cc.NewReno
	wants cc.Wants
	ack   func(s *cc.State, a *cc.Ack)
	loss  func(s *cc.State)
	sent  func(s *cc.State)
}

func (b *broken) Wants() cc.Wants { return b.wants }

func (b *broken) OnAck(s *cc.State, a *cc.Ack) {
	b.NewReno.OnAck(s, a)
	if b.ack != nil {
		b.ack(s, a)
	}
}

func (b *broken) OnLoss(s *cc.State, now clock.Instant, inFlight uint32) {
	b.NewReno.OnLoss(s, now, inFlight)
	if b.loss != nil {
		b.loss(s)
	}
}

func (b *broken) OnSent(s *cc.State, _ *cc.Sent) {
	if b.sent != nil {
		b.sent(s)
	}
}

const all = cc.WantsSamples | cc.WantsReport | cc.WantsSent | cc.WantsRelease

// The suite finds what it is there to find.
func TestBroken(t *testing.T) {
	acks := 0
	for name, c := range map[string]struct {
		cc.Controller
		fails []string
	}{
		"nothing":    {&broken{}, nil},
		"listens":    {&broken{wants: all}, nil},
		"zero":       {&broken{ack: func(s *cc.State, _ *cc.Ack) { s.Cwnd = 0 }}, []string{"SlowStart", "Avoidance", "Random"}},
		"most":       {&broken{ack: func(s *cc.State, _ *cc.Ack) { s.Cwnd = 1<<32 - 1 }}, []string{"SlowStart", "NoGrowth", "Random"}},
		"grows":      {&broken{loss: func(s *cc.State) { s.Cwnd, s.Ssthresh = 2*s.Cwnd, 2*s.Cwnd }}, []string{"Loss", "Random"}},
		"its window": {&broken{wants: all | cc.OwnsWindow, loss: func(s *cc.State) { s.Cwnd *= 2 }}, []string{"Random"}},
		"keeps":      {&broken{loss: func(s *cc.State) { s.Ssthresh = s.Cwnd }}, []string{"Loss"}},
		"divided": {&broken{ack: func(s *cc.State, a *cc.Ack) {
			if a.CwndLimited && a.Acked < s.MSS {
				s.Cwnd += s.MSS - a.Acked
			}
		}}, []string{"ByteCounting"}},
		"remembers": {&broken{ack: func(s *cc.State, _ *cc.Ack) { acks++; s.Priv[7] = uint64(acks) }}, []string{"Repeats"}},
		"gives up":  {&broken{ack: func(s *cc.State, _ *cc.Ack) { s.Failed = true }}, []string{"Random"}},
		"meddles":   {&broken{ack: func(s *cc.State, _ *cc.Ack) { s.MSS++ }}, []string{"Random"}},
		"cooks":     {&broken{wants: all, sent: func(s *cc.State) { s.More.Rate.Lost(1) }}, []string{"Reports", "Random"}},
		"allocates": {&broken{ack: func(s *cc.State, _ *cc.Ack) { sink = make([]byte, 100) }}, []string{"Allocations"}},
	} {
		found := cctest.Failures(c, cctest.Traits{Keep: 500})
		for _, test := range c.fails {
			require.NotEmpty(t, found[test], "%s: %s should fail", name, test)
		}
		if c.fails == nil {
			require.Empty(t, found, name)
		}
	}
}

var sink []byte
