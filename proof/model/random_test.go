package model

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A move is one random event. Its numbers are taken relative to where the connection
// stands, so that a list of moves stays one when some are taken out.
type move struct {
	kind       int
	a, b, c, d int
	flags      wire.Flags
}

// What a move is, by weight.
const (
	arriveNext = iota // a segment that follows on the last
	arriveNear        // one with a number or two beside what it should be
	arriveFar         // any numbers
	callSend
	callReceive
	callClose
	callAbort
	passes
	moveKinds
)

var weights = [moveKinds]int{arriveNext: 30, arriveNear: 20, arriveFar: 3, callSend: 12, callReceive: 10, callClose: 3, callAbort: 1, passes: 12}

func draw(r *rand.Rand) move {
	n := 0
	for _, w := range weights {
		n += w
	}
	n = r.IntN(n)
	m := move{a: r.IntN(1 << 16), b: r.IntN(1 << 16), c: r.IntN(1 << 16), d: r.IntN(1 << 16)}
	for n >= weights[m.kind] {
		n -= weights[m.kind]
		m.kind++
	}
	usual := []wire.Flags{wire.ACK, wire.ACK, wire.ACK | wire.PSH, wire.ACK | wire.PSH, wire.FIN | wire.ACK, wire.ACK | wire.URG,
		wire.SYN, wire.SYN | wire.ACK, wire.RST, wire.RST | wire.ACK}
	switch m.kind {
	case arriveNext:
		m.flags = usual[r.IntN(6)]
	case arriveNear:
		m.flags = usual[r.IntN(len(usual))]
	default:
		m.flags = wire.Flags(r.IntN(flagSets))
	}
	return m
}

// pick takes one of some values by a number.
func pick[T any](n int, of ...T) T { return of[n%len(of)] }

// play makes a move.
func (k *lockstep) play(m move) error {
	if k.m.State == tcp.Closed {
		if k.listen < 0 && m.kind != arriveFar {
			return k.openActive()
		}
	}
	if m.kind >= callSend && m.kind <= callAbort && (k.user < 0 || k.m.Gone) {
		return nil // there is nobody to call
	}
	switch m.kind {
	case arriveNext, arriveNear, arriveFar:
		return k.arrive(k.segment(m))
	case callSend:
		return k.send(text(pick(m.a, 1, 100, 536, 3000)))
	case callReceive:
		return k.receive(pick(m.a, 1, 500, 5000))
	case callClose:
		// The CLOSE of one direction is no call of SYN-SENT; that of §3.10.4 is both.
		return k.close(m.a%2 == 0 || k.m.State == tcp.SynSent)
	case callAbort:
		return k.abort()
	case passes:
		return k.pass(pick(m.a, clock.Millisecond, 50*clock.Millisecond, 450*clock.Millisecond, 3*clock.Second, clock.Minute, 5*clock.Minute))
	}
	return errors.New("no such move")
}

// segment is what arrives in a move.
func (k *lockstep) segment(m move) segment {
	t := k.m
	s := segment{SEQ: t.RCV.NXT, ACK: t.SND.NXT, CTL: m.flags, UP: uint16(m.d % 40)}
	n := pick(m.c, 0, 0, 1, 10, 536)
	switch t.State {
	case tcp.Closed, tcp.Listen:
		s.SEQ = seq.Value(m.a) << 16
		if m.kind == arriveNext {
			s.CTL = wire.SYN
		}
	case tcp.SynSent:
		s.SEQ = seq.Value(m.a) << 16
		if m.kind == arriveNext {
			s.CTL = wire.SYN | m.flags&(wire.FIN|wire.ACK)
		}
	}
	s.WND = pick(m.d, seq.Size(8000), 8000, 8000, 65535, 1000, 100, 1, 0)
	switch m.kind {
	case arriveNext:
		s.ACK = t.SND.UNA.Add(pick(m.b, t.SND.NXT.From(t.SND.UNA), t.SND.NXT.From(t.SND.UNA), min(536, t.SND.NXT.From(t.SND.UNA)), 0))
	case arriveNear:
		s.SEQ = s.SEQ.Add(pick(m.a, seq.Size(0), 0, 1, 5, 100, t.RCV.WND-1, t.RCV.WND, t.RCV.WND-3, 1<<32-1, 1<<32-2, 1<<32-20, 1<<32-537, 1<<31, 1<<31+100))
		s.ACK = pick(m.b, t.SND.NXT, t.SND.NXT, t.SND.UNA, t.SND.UNA.Add(1), t.SND.UNA.Sub(1), t.SND.NXT.Add(1), t.SND.UNA.Sub(t.SND.MaxWND), t.SND.UNA.Sub(t.SND.MaxWND+1), t.SND.NXT.Sub(1))
		n = pick(m.c, 0, 0, 1, 3, 20, 600, 3000)
	case arriveFar:
		s.SEQ, s.ACK = seq.Value(m.a)<<16|seq.Value(m.b), seq.Value(m.b)<<16|seq.Value(m.c)
		n = m.d % 1500
	}
	s.Text = make([]byte, n)
	for i := range s.Text {
		// Most of the time an octet is what its number says; else what came first has
		// to stay.
		s.Text[i] = byte(s.SEQ-t.IRS) + byte(i)
		if m.d%16 == 0 {
			s.Text[i] = byte(m.d)
		}
	}
	return s
}

// exchange plays moves from the beginning. It returns how far it came, and what
// went wrong there.
func exchange(v6, passive bool, b *book, moves []move) (*lockstep, int, error) {
	k := newLockstep(v6, b)
	if passive {
		if err := k.openPassive(); err != nil {
			return k, 0, err
		}
	}
	for i, m := range moves {
		if err := k.play(m); err != nil {
			return k, i + 1, err
		}
	}
	return k, len(moves), nil
}

// shrink takes moves out as long as the exchange still fails.
func shrink(v6, passive bool, moves []move) []move {
	for again := true; again; {
		again = false
		for i := len(moves) - 1; i >= 0; i-- {
			fewer := slices.Delete(slices.Clone(moves), i, i+1)
			if _, n, err := exchange(v6, passive, new(book), fewer); err != nil {
				moves, again = fewer[:n], true
				i = min(i, n)
			}
		}
	}
	return moves
}

const exchangeMoves = 60

// exchanges plays so many exchanges and returns how many events there were.
func exchanges(t *testing.T, b *book, runs int) (events int) {
	failures := 0
	for seed := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, 9293))
		moves := make([]move, exchangeMoves)
		for i := range moves {
			moves[i] = draw(r)
		}
		v6, passive := seed&1 != 0, seed&2 != 0
		_, n, err := exchange(v6, passive, b, moves)
		events += n
		if err != nil {
			k, _, err := exchange(v6, passive, new(book), shrink(v6, passive, moves[:n]))
			t.Errorf("exchange %d: %v\n%s", seed, err, strings.Join(k.trace, "\n"))
			if failures++; failures == 5 {
				break
			}
		}
	}
	return events
}
