package e2e

import (
	"fmt"
	"slices"
	"time"

	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A trace is compared in a normal form, a line for what the stack has decided and
// none for what the clock has:
//
//	3 client: write 100 = ok           what was done in the third step, and what came of it
//	3 client > P. 1:101(100) ack 1     what the client sent in it, by relative numbers
//	3 server > . ack 101
//
// In each step the segments of the two ends stand apart, since their order is that of
// the run. SYNs have their options, in their order; windows are zero or not said;
// timestamps are told of where they are not as agreed. Of acknowledgments that carry
// nothing the last of a step stays, if it says something new, and those with SACK
// blocks each once. A segment that is sent again says after how long, in classes that
// are wide. In a bulk step data is merged, whatever the segments, and only what was
// lost has to be sent again.

// normal tells of the run.
func (l *line) normal() (lines []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from, step := 0, 0
	said := map[*flow]*[2]seq.Value{}
	for i := range l.entries {
		m := l.entries[i].mark
		if m == nil {
			continue
		}
		step++
		for _, did := range m.did {
			lines = append(lines, fmt.Sprintf("%d %s", step, did))
		}
		for j, f := range l.flows {
			name := ""
			if j > 0 {
				name = fmt.Sprintf(" %c", 'a'+j)
			}
			if said[f] == nil {
				said[f] = &[2]seq.Value{}
			}
			for _, r := range []role{client, server} {
				x := teller{flow: f, role: r, mark: m, acked: &said[f][r]}
				for k := from; k < i; k++ {
					if e := &l.entries[k]; e.role == r && e.flow == f {
						x.tell(e)
					}
				}
				x.end()
				for _, s := range x.lines {
					lines = append(lines, fmt.Sprintf("%d %v%s > %s", step, r, name, s))
				}
			}
		}
		for k := from; k < i; k++ {
			if e := &l.entries[k]; e.router != "" {
				lines = append(lines, fmt.Sprintf("%d router > %v: %s", step, e.role, e.router))
			}
		}
		from = i + 1
	}
	return lines
}

// A teller tells of what one end has sent in one step.
type teller struct {
	flow  *flow
	role  role
	mark  *mark
	lines []string
	acked *seq.Value // what its acknowledgments have said, in all steps so far

	last    *entry // a pure acknowledgment that may be said
	sacks   []string
	data    [2]uint32 // of a bulk step, merged
	missing [][2]uint32
	tooBig  bool   // a router has dropped some
	longest int    // of what was sent again then
	upTo    uint32 // what a bulk step has acknowledged
}

func (x *teller) tell(e *entry) {
	f := e.tcp.Flags
	if x.mark.bulk && f.Has(wire.ACK) && !e.forged {
		if n := uint32(e.tcp.Ack.From(e.peer)); n > x.upTo && e.tcp.Ack.After(*x.acked) {
			x.upTo = n
			x.noteAck(e)
		}
	}
	if pure := e.n == 0 && f&(wire.SYN|wire.FIN|wire.RST) == 0 && !e.probe; pure && !e.forged && !x.mark.acks {
		x.tellAck(e)
		return
	}
	if f.Has(wire.ACK) && !f.Has(wire.RST) {
		if x.last != nil && !e.tcp.Ack.Before(x.last.tcp.Ack) {
			x.last = nil
		}
		if !e.forged {
			x.noteAck(e)
		}
	}
	if x.mark.some && f.Has(wire.RST) {
		x.lines = append(x.lines, f.String())
		return
	}
	if x.mark.bulk && f&(wire.SYN|wire.RST) == 0 && !e.forged {
		x.tellBulk(e)
		return
	}
	x.lines = append(x.lines, e.text())
}

// noteAck keeps what an end has acknowledged.
func (x *teller) noteAck(e *entry) {
	if ack := e.tcp.Ack; *x.acked == 0 || ack.After(*x.acked) {
		*x.acked = ack
	}
}

func (x *teller) tellAck(e *entry) {
	switch {
	case e.tcp.Options.Has.Has(wire.HasSACK) && !x.mark.bulk:
		if s := e.text(); !slices.Contains(x.sacks, s) {
			x.sacks = append(x.sacks, s)
			x.lines = append(x.lines, s)
		}
	case e.tcp.Window == 0:
		s := "closes its window"
		if !x.mark.bulk {
			s = e.text()
		}
		if !slices.Contains(x.sacks, s) {
			x.sacks = append(x.sacks, s)
			x.lines = append(x.lines, s)
		}
	case e.fate != "" && !x.mark.bulk:
		x.lines = append(x.lines, e.text())
	}
	x.last = e
}

// end says the last acknowledgment of the step, if it is news.
func (x *teller) end() {
	if x.data[1] > x.data[0] {
		s := fmt.Sprintf("data %d:%d", x.data[0], x.data[1])
		if x.mark.some {
			s = fmt.Sprintf("data %d:...", x.data[0])
		}
		x.lines = append(x.lines, s)
	}
	if x.tooBig {
		x.lines = append(x.lines, fmt.Sprintf("again in segments of up to %d", x.longest))
	}
	if x.mark.bulk {
		if x.upTo != 0 && !x.mark.some {
			x.lines = append(x.lines, fmt.Sprintf("ack %d", x.upTo))
		}
	} else if e := x.last; e != nil && (*x.acked == 0 || e.tcp.Ack.After(*x.acked)) {
		if s := e.text(); !slices.Contains(x.sacks, s) && e.fate == "" {
			x.lines = append(x.lines, s)
		}
		x.noteAck(e)
	}
}

func (x *teller) tellBulk(e *entry) {
	at, end := e.tcp.Seq.From(e.first), e.tcp.Seq.Add(seq.Size(e.n)).From(e.first)
	switch {
	case e.probe:
		if s := "probes"; !slices.Contains(x.sacks, s) {
			x.sacks = append(x.sacks, s)
			x.lines = append(x.lines, s)
		}
	case e.n > 0 && e.again && x.tooBig:
		x.longest = max(x.longest, e.n)
	case e.n > 0 && e.again:
		for i, m := range x.missing {
			if uint32(at) < m[1] && m[0] < uint32(end) {
				x.lines = append(x.lines, fmt.Sprintf("again %d:%d", m[0], m[1]))
				x.missing = slices.Delete(x.missing, i, i+1)
				break
			}
		}
	case e.n > 0:
		if x.data[1] == 0 {
			x.data[0] = uint32(at)
		}
		x.data[1] = uint32(end)
		x.tooBig = x.tooBig || e.fate == "too big"
		if e.fate == "lost" {
			x.missing = append(x.missing, [2]uint32{uint32(at), uint32(end)})
			x.lines = append(x.lines, fmt.Sprintf("lost %d:%d", at, end))
		}
	}
	if e.tcp.Flags.Has(wire.FIN) && !e.again {
		x.lines = append(x.lines, fmt.Sprintf("FIN at %d", end))
	}
}

// text is a segment as it is compared.
func (e *entry) text() string {
	t := &e.tcp
	f := t.Flags
	s := f.String()
	at := uint32(t.Seq.From(e.first))
	switch {
	case f.Has(wire.RST) && at >= 1<<31 && !e.forged:
		// It takes its number from an acknowledgment of the connection that was
		// there before: how far apart the two began is a matter of time.
		s += " with an old number"
	case e.n > 0 || f&(wire.SYN|wire.FIN|wire.RST) != 0 || e.probe || e.forged:
		s += fmt.Sprintf(" %d:%d(%d)", at, at+uint32(e.n), e.n)
	}
	if f.Has(wire.ACK) {
		s += fmt.Sprintf(" ack %d", uint32(t.Ack.From(e.peer)))
	}
	switch {
	case f.Has(wire.SYN):
		s += e.options
	case t.Window == 0 && !f.Has(wire.RST):
		s += " win 0"
	}
	if f.Has(wire.URG) {
		s += fmt.Sprintf(" urg %d", t.Urgent)
	}
	if t.Options.Has.Has(wire.HasSACK) {
		for _, b := range t.Options.SACK[:t.Options.SACKCount] {
			s += fmt.Sprintf(" sack %d:%d", uint32(b.Left.From(e.peer)), uint32(b.Right.From(e.peer)))
		}
	}
	if e.stamps != "" {
		s += " " + e.stamps
	}
	if e.ect != 0 {
		s += fmt.Sprintf(" ect %d", e.ect)
	}
	if e.again {
		s += " again " + class(e.since)
	}
	switch {
	case e.forged:
		s += " (forged)"
	case e.fate != "":
		s += " (" + e.fate + ")"
	}
	return s
}

// class is a time, as far as it is compared: of a probe or a fast retransmission; of a
// first timeout, which is of 200 ms and the round trip at least; and longer ones.
func class(d time.Duration) string {
	for i, most := range []time.Duration{190 * time.Millisecond, 650 * time.Millisecond, 2500 * time.Millisecond} {
		if d < most {
			return classes[i]
		}
	}
	return classes[len(classes)-1]
}

var classes = [...]string{"soon", "after a timeout", "after a second", "late"}

// optionText is the options of a SYN, in their order.
func optionText(b []byte) (s string) {
	for len(b) > 0 {
		kind, n := b[0], 1
		if kind > 1 {
			if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
				return s + " broken"
			}
			n = int(b[1])
		}
		value := uint32(0)
		for _, x := range b[min(2, n):min(n, 6)] {
			value = value<<8 | uint32(x)
		}
		switch kind {
		case 0:
			return s + " eol"
		case 1:
			s += " nop"
		case 2:
			s += fmt.Sprintf(" mss %d", value)
		case 3:
			s += fmt.Sprintf(" wscale %d", value)
		case 4:
			s += " sackOK"
		case 8:
			s += " TS"
		case 34:
			s += map[bool]string{true: " FO asked", false: " FO cookie"}[n == 2]
		default:
			s += fmt.Sprintf(" option %d", kind)
		}
		b = b[n:]
	}
	return s
}
