package narrate

import (
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core/clock"
)

// Span gives a span of time in the unit that suits it.
func (l Lang) Span(d clock.Duration) string {
	unit := func(n clock.Duration, decimals int, words [langs]string) string {
		s := strconv.FormatFloat(float64(d)/float64(n), 'f', decimals, 64)
		if strings.Contains(s, ".") {
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
		return s + " " + words[l]
	}
	switch {
	case d >= 2*clock.Minute && d%clock.Minute == 0:
		if d < 2*clock.Hour {
			return unit(clock.Minute, 0, [langs]string{"minutes", "分钟"})
		}
		return l.parts(d)
	case d >= 2*clock.Minute:
		return l.parts(d)
	case d >= clock.Second:
		return unit(clock.Second, 1, [langs]string{"s", "秒"})
	case d >= 10*clock.Millisecond:
		return unit(clock.Millisecond, 0, [langs]string{"ms", "毫秒"})
	default:
		return unit(clock.Millisecond, 2, [langs]string{"ms", "毫秒"})
	}
}

// parts gives hours, minutes and seconds, those that there are.
func (l Lang) parts(d clock.Duration) string {
	var all []string
	for _, p := range [...]struct {
		n     clock.Duration
		words [langs]string
	}{{clock.Hour, [langs]string{"h", "小时"}}, {clock.Minute, [langs]string{"min", "分"}}, {clock.Second, [langs]string{"s", "秒"}}} {
		if n := d / p.n; n > 0 {
			all = append(all, strconv.FormatInt(int64(n), 10)+" "+p.words[l])
			d -= n * p.n
		}
	}
	return strings.Join(all, " ")
}
