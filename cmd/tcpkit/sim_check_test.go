package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
	"github.com/tcpkit/tcpkit/internal/ladder"
)

// Every scenario that tcpkit comes with holds what it expects, and has the same hash
// when it runs again.
func TestScenarios(t *testing.T) {
	for _, s := range catalogue.Shipped().Scenarios() {
		t.Run(s.ID, func(t *testing.T) {
			t.Parallel()
			source := &simSource{name: s.ID, text: s.Text}
			first, again := source.check(), source.check()
			require.Empty(t, first.Error)
			require.Empty(t, first.Failed)
			require.True(t, first.Passed)
			require.Equal(t, first.Hash, again.Hash)
		})
	}
}

// Expectations can fail: each that can be turned into a wrong one is, in each
// scenario, and is found.
func TestScenariosCanFail(t *testing.T) {
	turned := 0
	for _, s := range catalogue.Shipped().Scenarios() {
		lines := strings.Split(s.Text, "\n")
		var wrong []string
		for i, line := range lines {
			if bad, ok := falsify(line); ok {
				lines[i] = bad
				wrong = append(wrong, bad)
			}
		}
		require.NotEmpty(t, wrong, "%s: nothing in it can be made wrong", s.ID)
		source := &simSource{name: s.ID, text: strings.Join(lines, "\n")}
		checked := source.check()
		require.Empty(t, checked.Error, s.ID)
		require.False(t, checked.Passed, s.ID)
		for _, line := range wrong {
			found := slices.ContainsFunc(checked.Failed, func(c ladder.Check) bool { return c.Line == line })
			require.True(t, found, "%s: %q holds too", s.ID, line)
		}
		turned += len(wrong)
	}
	require.Greater(t, turned, 300)
}

var (
	exactly = regexp.MustCompile(`^(expect (?:segments|violation|count \S+ -> \S+ \S+|lost \S+ -> \S+ \S+|read \S+|ghosts \S+|half-open \S+|conns \S+|time-waits \S+|drop \S+ \S+|timer \S+ \S+ \S+|retransmits \S+)) (?:= )?(\d+)\b(.*)$`)
	states  = regexp.MustCompile(`^(expect (?:state|path|edge) .*?)([A-Z][A-Z0-9-]+)((?: (?:at|flow|rule|within) .*)?)$`)
	words   = map[string]string{
		"whole": "part", "part": "whole", "wrong": "whole", "both": "nothing", "nothing": "both", "send": "both", "receive": "both",
	}
)

// falsify turns an expectation into one that differs in one thing.
func falsify(line string) (string, bool) {
	line, _, _ = strings.Cut(line, " #")
	line = strings.TrimRight(line, " \t")
	if m := exactly.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[2])
		return fmt.Sprint(m[1], " ", n+1, m[3]), true
	}
	if m := states.FindStringSubmatch(line); m != nil {
		other := "CLOSING"
		if m[2] == other {
			other = "LISTEN"
		}
		return m[1] + other + m[3], true
	}
	for from, to := range words {
		for _, kind := range []string{"expect stream ", "expect know "} {
			if at := strings.Index(line, " "+from); at > 0 && strings.HasPrefix(line, kind) {
				return line[:at+1] + to + line[at+1+len(from):], true
			}
		}
	}
	if strings.HasPrefix(line, "expect segment ") && strings.Contains(line, " -> ") {
		f := strings.Fields(line)
		f[3], f[5] = f[5], f[3]
		return strings.Join(f, " "), true
	}
	if strings.HasPrefix(line, "expect error ") {
		f := strings.Fields(line)
		if f[3] = "EHOSTUNREACH"; strings.Contains(line, f[3]) {
			f[3] = "EPIPE"
		}
		return strings.Join(f, " "), true
	}
	return "", false
}

func TestSimCheck(t *testing.T) {
	code, out, errs := try("sim", "check", "H1", "h2")
	require.Equal(t, exitOK, code, errs)
	require.Equal(t, "2 passed, 0 failed\n", out)
	_, out, _ = try("sim", "check", "H1", "-v")
	require.Regexp(t, `^H1 +\d+ expectations  [0-9a-f]{16}\n1 passed, 0 failed\n$`, out)
	wrong := t.TempDir() + "/wrong.scenario"
	write(t, wrong, handshake+"expect segments = 4\n")
	code, out, _ = try("sim", "check", "H1", wrong)
	require.Equal(t, exitExpectation, code)
	require.Equal(t, wrong+": expect segments = 4\n    found: 3\n1 passed, 1 failed\n", out)
	write(t, wrong, handshake)
	code, out, _ = try("sim", "check", wrong)
	require.Equal(t, exitExpectation, code)
	require.Contains(t, out, "it expects nothing; add a line such as")
	code, out, _ = try("sim", "check", "H1", "--json")
	require.Equal(t, exitOK, code)
	require.Contains(t, out, `"passed": true`)
}
