package ladder

import (
	"strings"

	"github.com/tcpkit/tcpkit/internal/narrate"
)

// noteColours say how a note is painted.
var noteColours = [...]string{Saying: Plain, Aside: Timer, Problem: Bad, Lawful: Dim}

// Draw draws rows, with the names of the hosts above them.
func (p *Pen) Draw(t *Timeline, rows []Row, w *Words) {
	p.Heads(phrase{"time/s", "时间/秒"}[p.Lang], Columns(t))
	for i := range rows {
		p.block(&rows[i], w)
	}
}

// block draws a row and the words below it.
func (p *Pen) block(r *Row, w *Words) {
	label := r.Label
	if r.Kind == Moment && narrate.Width(label)+4 > p.ArrowWidth() {
		bare := *r
		bare.Label = ""
		p.row(&bare, w)
		p.Wrap("", Timer, label)
	} else {
		p.row(r, w)
	}
	if r.Lost != "" && !roomForLoss(label, w.lost(r.Lost), p.ArrowWidth()) {
		p.Wrap("", Bad, w.lost(r.Lost))
	}
	for _, n := range r.Notes {
		p.Wrap("", noteColours[n.Kind], n.Text)
	}
}

// Columns are the names above the two columns of states.
func Columns(t *Timeline) (heads [2]string) {
	for i := range t.Hosts {
		switch {
		case i < 2:
			heads[i] = t.Hosts[i].Name
		case i == 2:
			heads[1] += ", " + t.Hosts[i].Name
		default:
			heads[1] += " …"
		}
	}
	return heads
}

func (p *Pen) row(r *Row, w *Words) {
	between, colour := p.between(r, w, p.ArrowWidth())
	if r.gap() {
		p.Put(Dim, narrate.PadLeft("⋮", ColTime)+"  "+strings.Repeat(" ", colState+1)).Put(Dim, between).End()
		return
	}
	p.Row(r.At, r.States, r.Changed, between, colour)
	if !p.Slim && (r.Kind == Segment || r.Kind == Arrival) {
		p.Put(Plain, Numbers(r.Seq, r.Ack, r.Len))
	}
	p.End()
}

// between is what stands between the states: an arrow, or words.
func (p *Pen) between(r *Row, w *Words, width int) (text, colour string) {
	from := r.from()
	switch {
	case r.gap():
		return Middle(w.gap(r), " ", width), Dim
	case r.Kind == Moment && r.Label == "":
		return "", Plain
	case r.Kind == Moment:
		return cut(Middle(" "+r.Label+" ", "┄", width), width), Timer
	case r.Lost != "":
		return lostArrow(r.Label, w.lost(r.Lost), from, width), Bad
	case r.Late:
		return arrow(r.Label, "─", "┄", from, width), Ends[from]
	case r.Kind == Arrival:
		return arrow(r.Label, "┄", "─", from, width), Ends[from]
	}
	return arrow(r.Label, "─", "─", from, width), Ends[from]
}

// arrow draws a label with lines of two kinds: that at the sender's side, and that
// at the receiver's, with a head if it is a full line.
func arrow(label, near, far string, from, width int) string {
	label = " " + cut(label, width-4) + " "
	head := "►"
	if from == 1 {
		head = "◄"
	}
	if far != "─" {
		head = ""
	}
	free := max(0, width-narrate.Width(label)-narrate.Width(head))
	if from == 1 {
		return head + strings.Repeat(far, free/2) + label + strings.Repeat(near, free-free/2)
	}
	return strings.Repeat(near, free/2) + label + strings.Repeat(far, free-free/2) + head
}

// roomForLoss reports whether an arrow can have the reason for a loss behind it.
func roomForLoss(label, why string, width int) bool {
	return narrate.Width(label)+narrate.Width(why)+9 <= width
}

// lostArrow ends in a cross on its way.
func lostArrow(label, why string, from, width int) string {
	if !roomForLoss(label, why, width) {
		why = ""
	}
	label, why = " "+cut(label, width-6)+" ", " "+why
	free := max(0, width*3/4-narrate.Width(label)-narrate.Width(why)-1)
	a, b := strings.Repeat("─", free/2), strings.Repeat("─", free-free/2)
	if from == 1 {
		return narrate.PadLeft(strings.TrimSpace(why)+" ✗"+b+label+a, width)
	}
	return narrate.Pad(a+label+b+"✗"+why, width)
}

// cut shortens a text to a width.
func cut(s string, width int) string {
	if narrate.Width(s) <= width {
		return s
	}
	used := 0
	for i, r := range s {
		if used += narrate.Width(string(r)); used > width-1 {
			return s[:i] + "…"
		}
	}
	return s
}
