package ladder

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/tcpkit/tcpkit/internal/narrate"
)

// sideBySide is how many columns two ladders beside each other need.
const sideBySide = 116

// DrawBeside draws two ladders beside each other, time by time, and reports whether
// there is room for that.
func (p *Pen) DrawBeside(titles [2]string, lines [2]*Timeline, rows [2][]Row, w *Words) bool {
	if p.Screen < sideBySide {
		return false
	}
	const gap = " │ "
	half := (min(p.Screen, 160) - 1 - len([]rune(gap))) / 2
	var drawn [2][]block
	for i := range 2 {
		drawn[i] = p.blocks(titles[i], lines[i], rows[i], w, half)
	}
	for a, b := drawn[0], drawn[1]; len(a)+len(b) > 0; {
		var left, right []string
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].before(&b[0]):
			left, a = a[0].lines, a[1:]
		case len(a) == 0 || b[0].before(&a[0]):
			right, b = b[0].lines, b[1:]
		default:
			left, right, a, b = a[0].lines, b[0].lines, a[1:], b[1:]
		}
		for i := range max(len(left), len(right)) {
			p.line.WriteString(padded(left, i, half))
			p.Put(Dim, gap)
			if i < len(right) {
				p.line.WriteString(right[i])
			}
			p.End()
		}
	}
	return true
}

// A block is a row as lines. Heads come before all rows.
type block struct {
	head  bool
	row   Row
	lines []string
}

func (b *block) before(c *block) bool {
	if b.head || c.head {
		return b.head && !c.head
	}
	return b.row.At.Before(c.row.At)
}

func (p *Pen) blocks(title string, t *Timeline, rows []Row, w *Words, width int) []block {
	var out bytes.Buffer
	q := &Pen{Lang: p.Lang, Width: width, Colour: p.Colour, Slim: true, out: &out}
	take := func() []string {
		s := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		out.Reset()
		return s
	}
	q.Hang("", Bold, title)
	titled := take()
	q.Heads(phrase{"time/s", "时间/秒"}[p.Lang], Columns(t))
	all := []block{{head: true, lines: titled}, {head: true, lines: take()}}
	for i := range rows {
		q.block(&rows[i], w)
		all = append(all, block{row: rows[i], lines: take()})
	}
	return all
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// padded is a line, filled up to a width.
func padded(lines []string, i, width int) string {
	line := ""
	if i < len(lines) {
		line = lines[i]
	}
	return line + strings.Repeat(" ", max(0, width-narrate.Width(escapes.ReplaceAllString(line, ""))))
}
