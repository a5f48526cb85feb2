package ladder

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

// Words are those of a ladder: the catalogue's, and a few of its own.
type Words struct {
	Lang  narrate.Lang
	Files *catalogue.Catalogue
	Plain bool // the narration as a dialogue, where there is one
	Rules bool // the rule behind each change of state and each segment that has one

	Filters bool // Wireshark's display filter for each step
}

type phrase [2]string

func (w *Words) say(p phrase, a ...any) string { return fmt.Sprintf(p[w.Lang], a...) }

// filter tells what to type in Wireshark, and how many rows it gives.
func (w *Words) filter(s *Say) string {
	switch {
	case s.Filter == "":
		return ""
	case s.Rows == 0:
		return "Wireshark: " + s.Filter
	case s.Rows == 1 && w.Lang == narrate.English:
		return "Wireshark: " + s.Filter + " (1 row)"
	}
	return "Wireshark: " + s.Filter + w.say(sayRows, s.Rows)
}

// Of gives the words of an id; the id itself if there are none.
func (w *Words) Of(id string) string {
	if w.Plain {
		if head, tail, ok := strings.Cut(id, "."); ok {
			if s, ok := w.Files.Word(w.Lang.String(), head+".plain."+tail); ok {
				return s
			}
		}
	}
	if s, ok := w.Files.Word(w.Lang.String(), id); ok {
		return s
	}
	return id
}

var (
	sayDrop      = phrase{"%s drops it. %s", "%s丢弃它。%s"}
	sayTimer     = phrase{"%s: %s runs out.", "%s：%s超时。"}
	sayCrash     = phrase{"%s crashes", "%s 崩溃"}
	sayBoot      = phrase{"%s is there again", "%s 重新启动"}
	sayShut      = phrase{"programs on %s exit", "%s 上的程序退出"}
	sayFailed    = phrase{"%s: %s gives %s", "%s：%s 返回 %s"}
	sayTold      = phrase{"%s: the program is told %s", "%s：程序得知 %s"}
	sayWrong     = phrase{"%s reads octets that were never written to this connection!", "%s读到了从未写入这个连接的字节！"}
	sayViolation = phrase{"broken invariant: %s", "不变式被破坏：%s"}
	sayRows      = phrase{" (%d rows)", "（%d 行）"}
	sayIn        = phrase{" (%s)", "（%s）"}
	sayAgain     = phrase{"again", "重传"}
	sayProbe     = phrase{"probe", "探测"}
	sayStranger  = phrase{" (stranger)", "（外来）"}
	sayIdle      = phrase{"nothing for %s", "%s内没有动静"}
	sayFolded    = phrase{"%s more in %s", "还有 %s 个，历时 %s"}
)

func (w *Words) drop(host, reason string) string {
	return w.say(sayDrop, w.name(host), w.Of("drop."+reason))
}

// name is a host's name in a sentence.
func (w *Words) name(host string) string {
	if w.Lang == narrate.Chinese {
		return host + " "
	}
	return host
}

func (w *Words) timer(host, slot string) string {
	name, ok := w.Files.Word(w.Lang.String(), "timer."+slot+".name")
	if !ok {
		name = slot
	}
	if w.Lang == narrate.English {
		name = "the " + name
	}
	return w.say(sayTimer, host, name)
}

func (w *Words) turn(host, what string) string {
	switch what {
	case "crash":
		return w.say(sayCrash, host)
	case "boot":
		return w.say(sayBoot, host)
	default:
		return w.say(sayShut, host)
	}
}

func (w *Words) failed(host, op, err string) string {
	if op == "ended" {
		return w.say(sayTold, host, err)
	}
	return w.say(sayFailed, host, op, err)
}

func (w *Words) wrong(host string) string { return w.say(sayWrong, w.name(host)) }

// violation tells which invariant is broken, in words of the catalogue where it has some.
func (w *Words) violation(what string) string {
	if s, ok := w.Files.Word(w.Lang.String(), "ladder.violation."+strings.ReplaceAll(what, " ", "-")); ok {
		what = s
	}
	return w.say(sayViolation, what)
}

// gap says what is left out between two rows.
func (w *Words) gap(r *Row) string {
	if r.Kind == Folded {
		return w.say(sayFolded, r.Label, w.Lang.Span(r.For))
	}
	return w.say(sayIdle, w.Lang.Span(r.For))
}

// lost says why a network loses a packet, in the words of the page.
func (w *Words) lost(why string) string { return w.Of("ladder.why." + why) }

// law tells the rule behind a change of state, or behind a segment without one, if
// that is wanted.
func (w *Words) law(host, from, to string, id rule.ID) string {
	row, ok := rule.Lookup(id)
	if !w.Rules || !ok {
		return ""
	}
	colon := phrase{": ", "："}[w.Lang]
	if from != to {
		host += colon + from + " → " + to
	}
	text := host + colon + w.Lang.Rule(id) + " [" + id.String()
	if row.Requirement != "" {
		text += " " + row.Requirement
	}
	return text + "]"
}

// label names the control bits as the RFC does, and what the segment is.
func (w *Words) label(e *Item) string {
	label := FlagNames(e.Flags)
	if e.ICMP {
		label = "ICMP"
	}
	switch {
	case e.Probe:
		label += w.say(sayIn, sayProbe[w.Lang])
	case e.Again:
		label += w.say(sayIn, sayAgain[w.Lang])
	}
	return label
}

func signed(n int64) string { return strconv.FormatInt(n, 10) }
