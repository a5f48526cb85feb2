package ladder

import (
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

// A Sum is one thing that can be said of runs in a word, beside each other.
type Sum struct {
	Name   string
	Values []string
	Differ bool
}

// Sums compares runs: first the number of segments, then what differs, and nothing
// that is the same in all.
func Sums(lines []*Timeline, w *Words) []Sum {
	var all []Sum
	add := func(name phrase, host string, value func(t *tally) string) {
		s := Sum{Name: w.say(name)}
		if host != "" {
			s.Name = host + phrase{": ", "："}[w.Lang] + s.Name
		}
		for i, t := range lines {
			s.Values = append(s.Values, value(tallyOf(t, host)))
			s.Differ = s.Differ || s.Values[i] != s.Values[0]
		}
		if s.Differ || len(all) == 0 {
			all = append(all, s)
		}
	}
	number := func(n func(t *tally) int) func(t *tally) string {
		return func(t *tally) string { return strconv.Itoa(n(t)) }
	}
	add(phrase{"segments sent", "发出的报文段"}, "", number(func(t *tally) int { return t.sent }))
	add(phrase{"lost", "丢失"}, "", number(func(t *tally) int { return t.lost }))
	add(phrase{"sent again", "重传"}, "", number(func(t *tally) int { return t.again }))
	add(phrase{"octets read", "读到的字节"}, "", number(func(t *tally) int { return t.read }))
	add(phrase{"the last of them after", "最后一次读到数据于"}, "", func(t *tally) string { return t.after(t.readAt, t.read > 0, w.Lang) })
	add(phrase{"reads with octets that nobody wrote", "读到无人写过的字节的次数"}, "", number(func(t *tally) int { return t.wrong }))
	add(phrase{"broken invariants", "被破坏的不变式"}, "", number(func(t *tally) int { return t.broken }))
	add(phrase{"the last segment after", "最后一个报文段发出于"}, "", func(t *tally) string { return t.after(t.sentAt, t.sent > 0, w.Lang) })
	for _, h := range lines[0].Hosts {
		add(phrase{"state at the end", "结束时的状态"}, h.Name, func(t *tally) string { return t.state })
		add(phrase{"last change of state after", "最后一次状态变化发生于"}, h.Name, func(t *tally) string { return t.after(t.changedAt, t.changed, w.Lang) })
		add(phrase{"the program is told", "程序得知"}, h.Name, func(t *tally) string { return t.told })
		add(phrase{"connections at the end", "结束时的连接数"}, h.Name, number(func(t *tally) int { return t.end.Conns }))
		add(phrase{"in SYN-RECEIVED, at most", "半连接峰值"}, h.Name, number(func(t *tally) int { return t.most.Half }))
		add(phrase{"ghosts or half-open, at most", "幽灵或半打开连接峰值"}, h.Name, number(func(t *tally) int { return t.most.Ghosts }))
		add(phrase{"TIME-WAIT, at most", "TIME-WAIT 峰值"}, h.Name, number(func(t *tally) int { return t.most.Waits }))
		add(phrase{"memory at the end", "结束时占用的内存"}, h.Name, number(func(t *tally) int { return t.end.Held }))
	}
	return all
}

// A tally is what was counted of one run, of one of its hosts if one is named.
type tally struct {
	sent, lost, again, read, wrong, broken int
	readAt, sentAt, changedAt              clock.Instant
	changed                                bool
	state, told                            string
	most, end                              Memory
}

func tallyOf(t *Timeline, host string) *tally {
	n := &tally{state: "–", told: "–"}
	for i := range t.Items {
		e := &t.Items[i]
		switch e.Kind { // what is of no host in particular
		case "lose":
			n.lost++
		case "violation":
			n.broken++
		}
		if e.Host < 0 || host != "" && t.host(e.Host) != host {
			continue
		}
		switch e.Kind {
		case "send":
			n.sent, n.sentAt = n.sent+1, e.At
			if e.Again {
				n.again++
			}
		case "read":
			n.read, n.readAt = n.read+e.Len, e.At
			if e.Wrong {
				n.wrong++
			}
		case "state":
			if e.Flow >= 0 { // and of no stranger
				n.state, n.changed, n.changedAt = e.To, true, e.At
			}
		case "host":
			if e.What != "shut" {
				n.state = "–"
			}
		case "call":
			if e.Error != "" && e.Error != "EOF" && !strings.Contains(n.told, e.Error) {
				n.told = strings.TrimPrefix(n.told+" "+e.Error, "– ")
			}
		case "mem":
			n.end = e.Memory
			n.most.Half, n.most.Ghosts, n.most.Waits = max(n.most.Half, e.Half), max(n.most.Ghosts, e.Ghosts), max(n.most.Waits, e.Waits)
		}
	}
	return n
}

// after is a time since the beginning, if there is one.
func (n *tally) after(at clock.Instant, is bool, l narrate.Lang) string {
	if !is {
		return "–"
	}
	return l.Span(at.Sub(0))
}

// Table draws what is compared: a line for each, a column for each run.
func (p *Pen) Table(heads []string, sums []Sum) {
	first, widths := 0, make([]int, len(heads))
	for _, s := range sums {
		first = max(first, narrate.Width(s.Name))
		for i, v := range s.Values {
			widths[i] = max(widths[i], narrate.Width(v), narrate.Width(heads[i]))
		}
	}
	line := func(code, name string, values []string) {
		p.Put(code, name+strings.Repeat(" ", first-narrate.Width(name)))
		for i, v := range values {
			p.Put(code, strings.Repeat(" ", 3+widths[i]-narrate.Width(v))+v)
		}
		p.End()
	}
	line(Bold, "", heads)
	for _, s := range sums {
		code := Plain
		if !s.Differ {
			code = Dim
		}
		line(code, s.Name, s.Values)
	}
}
