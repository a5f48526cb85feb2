package scenario

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/sim"
)

// units of time, the largest first.
var units = [...]struct {
	name string
	d    clock.Duration
}{
	{"h", clock.Hour}, {"m", clock.Minute}, {"s", clock.Second}, {"ms", clock.Millisecond}, {"us", clock.Microsecond}, {"ns", 1},
}

// longest bounds every time that a text can say.
const longest = 1000 * clock.Hour

// parseDuration reads 200ms, 1.5s, 2h or 0s. It takes no sign and no sum.
func parseDuration(s string) (clock.Duration, bool) {
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
		i++
	}
	for _, u := range units {
		if s[i:] == u.name {
			n, ok := parseDecimal(s[:i], uint64(u.d), true)
			return clock.Duration(n), ok && n <= uint64(longest)
		}
	}
	return 0, false
}

// appendDuration writes d in the largest unit that it is a whole number of.
func appendDuration(b []byte, d clock.Duration) []byte {
	if d == 0 {
		return append(b, "0s"...)
	}
	for _, u := range units {
		if d%u.d == 0 {
			return append(strconv.AppendInt(b, int64(d/u.d), 10), u.name...)
		}
	}
	return b
}

// parseDecimal reads a number with up to six decimals as so many units. It refuses
// what is no whole number of units if it is to be exact, and cuts it off if not.
func parseDecimal(s string, unit uint64, exact bool) (uint64, bool) {
	whole, part, scale := uint64(0), uint64(0), uint64(1)
	i := 0
	for ; i < len(s) && s[i] != '.'; i++ {
		if s[i] < '0' || s[i] > '9' || whole > largest {
			return 0, false
		}
		whole = 10*whole + uint64(s[i]-'0')
	}
	if i == 0 || i+1 == len(s) || len(s)-i > 7 || whole > largest/unit {
		return 0, false
	}
	for i++; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		part, scale = 10*part+uint64(s[i]-'0'), scale*10
	}
	if exact && part*unit%scale != 0 {
		return 0, false
	}
	return whole*unit + part*unit/scale, true
}

// largest bounds every number that a text can say.
const largest = 1 << 53

// parseSize reads 1000, 64k, 1.25M or 1G, where k is 1024.
func parseSize(s string) (uint64, bool) {
	if n := len(s); n > 0 {
		for i, letter := range [...]byte{'k', 'M', 'G'} {
			if s[n-1] == letter {
				return parseDecimal(s[:n-1], 1<<(10*(i+1)), false)
			}
		}
	}
	return parseDecimal(s, 1, true)
}

// appendSize writes n with the largest letter that it is a whole number of.
func appendSize(b []byte, n uint64) []byte {
	letter := ""
	for _, l := range [...]string{"k", "M", "G"} {
		if n == 0 || n%1024 != 0 {
			break
		}
		n, letter = n/1024, l
	}
	return append(strconv.AppendUint(b, n, 10), letter...)
}

// parsePercent reads 1% or 0.05% as parts of a million.
func parsePercent(s string) (uint32, bool) {
	if s == "" || s[len(s)-1] != '%' {
		return 0, false
	}
	n, ok := parseDecimal(s[:len(s)-1], sim.Million/100, true)
	return uint32(n), ok && n <= sim.Million
}

func appendPercent(b []byte, parts uint32) []byte {
	b = strconv.AppendUint(b, uint64(parts/(sim.Million/100)), 10)
	if part := parts % (sim.Million / 100); part != 0 {
		b = append(b, '.')
		for unit := uint32(sim.Million / 1000); part != 0; unit /= 10 {
			b = append(b, '0'+byte(part/unit))
			part %= unit
		}
	}
	return append(b, '%')
}
