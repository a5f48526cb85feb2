package ladder

import (
	"slices"
	"strconv"
)

// Long runs of like segments are folded: of those that are so many some are shown at
// the beginning and at the end. Strangers are more like each other.
type likeness struct{ from, head, tail int }

var (
	known   = likeness{24, 8, 8}
	strange = likeness{8, 3, 2}
)

// Shorten folds long runs of rows in which nothing but segments come and go: no change
// of state, no words.
func Shorten(rows []Row) []Row {
	var all []Row
	for i := 0; i < len(rows); {
		n, like := 0, &strange
		for i+n < len(rows) && rows[i+n].like() {
			if !rows[i+n].stranger() {
				like = &known
			}
			n++
		}
		if n < like.from {
			n = max(n, 1)
			all = append(all, rows[i:i+n]...)
		} else {
			all = append(all, rows[i:i+like.head]...)
			skipped := rows[i+like.head : i+n-like.tail]
			all = append(all, Row{Kind: Folded, At: skipped[0].At, Label: strconv.Itoa(len(skipped)), For: skipped[len(skipped)-1].At.Sub(skipped[0].At)})
			all = append(all, rows[i+n-like.tail:i+n]...)
		}
		i += n
	}
	return all
}

// like reports whether a row only shows a segment that came and went, or one of a
// stranger, whatever became of it.
func (r *Row) like() bool {
	if r.Kind == Segment && r.stranger() {
		return !slices.ContainsFunc(r.Notes, func(n Note) bool { return n.Kind != Aside })
	}
	return (r.Kind == Segment || r.Kind == Idle) && r.Lost == "" && len(r.Notes) == 0 && r.Changed == [2]bool{}
}

// gap reports whether a row stands for what is not shown.
func (r *Row) gap() bool { return r.Kind == Idle || r.Kind == Folded }
