package e2e

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// differences are the ones that are allowed, testdata/differences.txt: blocks of
//
//	situation: its name
//	role: client | server | both         tcpkit's
//	when: v4 | v6 | clean | impaired     and no other time; may be missing
//	- a line of the kernel's trace
//	+ the line in its place of tcpkit's
//	reason: why that is right
type differences struct {
	mu  sync.Mutex
	all []*difference
}

type difference struct {
	situation, role, reason string
	when                    []string
	lines                   []string
	used                    []bool
}

func readDifferences(t *testing.T) *differences {
	t.Helper()
	b, err := os.ReadFile("testdata/differences.txt")
	require.NoError(t, err)
	book := &differences{}
	for block := range strings.SplitSeq(string(b), "\n\n") {
		d := &difference{}
		for line := range strings.Lines(block) {
			line = strings.TrimRight(line, "\n")
			key, value, _ := strings.Cut(line, ": ")
			switch {
			case strings.HasPrefix(line, "#") || line == "":
			case line[0] == '-' || line[0] == '+':
				d.lines = append(d.lines, line)
			case key == "situation":
				d.situation = value
			case key == "role":
				d.role = value
			case key == "when":
				d.when = strings.Fields(value)
			case key == "reason":
				d.reason = value
			case strings.HasPrefix(line, " ") && d.reason != "":
				d.reason += line
			default:
				t.Fatalf("differences.txt: %q", line)
			}
		}
		if d.situation == "" && d.lines == nil {
			continue
		}
		require.True(t, slices.ContainsFunc(bouts, func(b bout) bool { return b.name == d.situation }), "differences.txt: no situation %q", d.situation)
		require.Contains(t, []string{"client", "server", "both"}, d.role, d.situation)
		require.NotEmpty(t, d.reason, "a difference needs a reason: %s", d.situation)
		require.NotEmpty(t, d.lines, "a difference needs its lines: %s", d.situation)
		d.used = make([]bool, len(d.lines))
		book.all = append(book.all, d)
	}
	return book
}

// holds reports whether a difference is allowed in this place.
func (d *difference) holds(situation string, who role, c cast) bool {
	if d.situation != situation || d.role != "both" && d.role != who.String() {
		return false
	}
	for _, w := range d.when {
		if !slices.Contains(strings.Fields(c.String()+map[bool]string{false: " clean"}[c.impaired]), w) {
			return false
		}
	}
	return true
}

// compare compares a trace of tcpkit's with one of the kernel's. What is left
// unexplained is told as a diff.
func (book *differences) compare(situation string, who role, c cast, want, got played) (verdict, unexplained string) {
	lines, bad := diff(want.lines, got.lines), false
	busy := want.busy || got.busy
	if busy {
		lines = diff(untimed(want.lines), untimed(got.lines))
	}
	book.mu.Lock()
	defer book.mu.Unlock()
	verdict = "equal"
	var using []*bool
	for i, l := range lines {
		if l[0] == ' ' {
			continue
		}
		verdict = "allowed"
		found := false
		for _, d := range book.all {
			known := d.lines
			if busy {
				known = untimed(known)
			}
			if n := slices.Index(known, l); n >= 0 && d.holds(situation, who, c) {
				using, found = append(using, &d.used[n]), true
			}
		}
		if !found {
			lines[i], bad = l+"   <--", true
		}
	}
	if bad {
		return "DIFFERS", strings.Join(lines, "\n")
	}
	for _, u := range using {
		*u = true
	}
	return verdict, ""
}

// untimed is a trace without its times.
func untimed(lines []string) (all []string) {
	for _, l := range lines {
		at := strings.Index(l, " again ")
		for _, c := range classes {
			if at >= 0 {
				l = strings.Replace(l, " again "+c, " again", 1)
			}
		}
		all = append(all, l)
	}
	return all
}

// allUsed fails for a difference that no run has shown.
func (book *differences) allUsed(t *testing.T) {
	for _, d := range book.all {
		for i, u := range d.used {
			if !u {
				t.Errorf("differences.txt: nothing in %q shows %q any more", d.situation, d.lines[i])
			}
		}
	}
}

// diff is the longest common subsequence of two traces, with what is missing (-) and
// what has come instead (+).
func diff(want, got []string) (lines []string) {
	n, m := len(want), len(got)
	common := make([][]int, n+1)
	for i := range common {
		common[i] = make([]int, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if want[i] == got[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < n || j < m {
		switch {
		case i < n && j < m && want[i] == got[j]:
			lines = append(lines, "  "+want[i])
			i, j = i+1, j+1
		case j == m || i < n && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, "- "+want[i])
			i++
		default:
			lines = append(lines, "+ "+got[j])
			j++
		}
	}
	return lines
}
