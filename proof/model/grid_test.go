package model

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A cell of the grid is a situation, one of the 256 sets of flags, and a class: a
// place of the text against the receive window, and one of SEG.ACK against the send
// sequence space. The 27 classes of THREATS S24 are the nine places and the three
// acknowledgments that are marked; the long grid has all 14 x 8.
const flagSets = 256

// A place is where SEG.SEQ and the text lie against the receive window.
type place struct {
	name string
	at   func(m *tcb) (seq.Value, int)
	main bool // one of the nine of the short grid
}

var places = []place{
	{"old, empty", func(m *tcb) (seq.Value, int) { return m.RCV.NXT.Sub(1), 0 }, true},
	{"next, empty", func(m *tcb) (seq.Value, int) { return m.RCV.NXT, 0 }, true},
	{"within, empty", func(m *tcb) (seq.Value, int) { return m.RCV.NXT.Add(m.RCV.WND / 2), 0 }, true},
	{"last, empty", func(m *tcb) (seq.Value, int) { return m.edge().Sub(1), 0 }, false},
	{"edge, empty", func(m *tcb) (seq.Value, int) { return m.edge(), 0 }, true},
	{"old", func(m *tcb) (seq.Value, int) { return m.RCV.NXT.Sub(3), 3 }, false},
	{"left edge", func(m *tcb) (seq.Value, int) { return m.RCV.NXT.Sub(3), 6 }, true},
	{"next", func(m *tcb) (seq.Value, int) { return m.RCV.NXT, 6 }, true},
	{"within", func(m *tcb) (seq.Value, int) { return m.RCV.NXT.Add(10), 6 }, true},
	{"to the edge", func(m *tcb) (seq.Value, int) { return m.edge().Sub(6), 6 }, false},
	{"right edge", func(m *tcb) (seq.Value, int) { return m.edge().Sub(3), 6 }, true},
	{"beyond", func(m *tcb) (seq.Value, int) { return m.edge(), 6 }, true},
	{"half the space away", func(m *tcb) (seq.Value, int) { return m.RCV.NXT.Add(1<<31 + 10), 6 }, false},
	{"all and more", func(m *tcb) (seq.Value, int) { return m.RCV.NXT.Sub(3), int(min(m.RCV.WND, 3000)) + 6 }, false},
}

// An ack is where SEG.ACK lies.
type ack struct {
	name string
	at   func(m *tcb) seq.Value
	main bool // one of the three of the short grid
}

var acks = []ack{
	{"too old", func(m *tcb) seq.Value { return m.SND.UNA.Sub(m.SND.MaxWND + 1) }, false},
	{"oldest", func(m *tcb) seq.Value { return m.SND.UNA.Sub(m.SND.MaxWND) }, false},
	{"old", func(m *tcb) seq.Value { return m.SND.UNA.Sub(1) }, true},
	{"SND.UNA", func(m *tcb) seq.Value { return m.SND.UNA }, false},
	{"in flight", func(m *tcb) seq.Value { return m.SND.UNA.Add(m.SND.NXT.From(m.SND.UNA) / 2) }, false},
	{"SND.NXT", func(m *tcb) seq.Value { return m.SND.NXT }, true},
	{"unsent", func(m *tcb) seq.Value { return m.SND.NXT.Add(1) }, true},
	{"half the space away", func(m *tcb) seq.Value { return m.SND.NXT.Add(1 << 31) }, false},
}

// settled is how long a situation lasts before the cell: what was owed has gone, and
// no retransmission is due yet.
const settled = 300 * clock.Millisecond

// grid runs all cells in lock-step and returns how many there were.
func grid(t *testing.T, b *book, long bool) (cells int) {
	kinds := map[string][]string{} // how they differ, and in which cells
	states := map[tcp.State]bool{}
	for _, v6 := range []bool{false, true} {
		for _, s := range situations {
			base := newLockstep(v6, b)
			err := all(func() error { return s.reach(base) }, func() error { return base.pass(settled) })
			require.NoError(t, err, "%v, %s\n%s", s.state, s.name, strings.Join(base.trace, "\n"))
			require.Equal(t, s.state, base.m.State, s.name)
			base.trace = nil
			states[s.state] = true
			for _, p := range places {
				for _, a := range acks {
					if !long && !(p.main && a.main) {
						continue
					}
					for flags := range wire.Flags(flagSets) {
						cells++
						k := base.clone()
						from, n := p.at(k.m)
						seg := segment{SEQ: from, ACK: a.at(k.m), WND: 7000, UP: 4, CTL: flags, Text: text(n)}
						if err := k.cell(seg); err != nil {
							kind := fmt.Sprintf("%v (%s): %v", s.state, s.name, err)
							kinds[kind] = append(kinds[kind], fmt.Sprintf("v6=%v %v, text %s, ack %s", v6, flags, p.name, a.name))
						}
					}
				}
			}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		in := kinds[kind]
		t.Errorf("%d cells: %s\n\t%s", len(in), kind, strings.Join(in[:min(4, len(in))], "\n\t"))
	}
	require.Len(t, states, 11, "every state has a situation")
	return cells
}

// cell lets one segment arrive, and waits for what follows.
func (k *lockstep) cell(s segment) error {
	if err := k.arrive(s); err != nil {
		return err
	}
	if err := k.pass(ackDelay); err != nil {
		return err
	}
	if k.m.State != tcp.Closed && k.m.State != tcp.Listen && k.user >= 0 && !k.m.Gone {
		if err := k.receive(5000); err != nil {
			return err
		}
	}
	if k.m.State == tcp.TimeWait {
		return all(
			func() error { return k.pass(k.m.WaitTo.Sub(k.now) - 1) },
			func() error {
				if k.m.State != tcp.TimeWait {
					return errors.New("TIME-WAIT ends early")
				}
				return k.pass(clock.Duration(1))
			})
	}
	return nil
}

// text is n octets.
func text(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(i%26)
	}
	return b
}
