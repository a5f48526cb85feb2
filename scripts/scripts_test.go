package scripts

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/script"
)

// find gives the files of all topics, or those of scripts/open.
func find(t *testing.T, open bool) []string {
	t.Helper()
	all, err := filepath.Glob("*/*.pkt")
	require.NoError(t, err)
	var files []string
	for _, file := range all {
		if (filepath.Dir(file) == "open") == open {
			files = append(files, file)
		}
	}
	return files
}

func load(t *testing.T, file string) *script.Script {
	t.Helper()
	src, err := os.ReadFile(file)
	require.NoError(t, err)
	s, err := script.Parse(file, string(src))
	require.NoError(t, err)
	again, err := script.Parse(file, s.String())
	require.NoError(t, err)
	require.Equal(t, s.String(), again.String(), "%s: a printed script prints the same", file)
	return s
}

// TestScripts runs every script over IPv4 and IPv6. One for a single version
// says so with --ip_version, and then runs once.
func TestScripts(t *testing.T) {
	files := find(t, false)
	require.Greater(t, len(files), 500)
	for _, file := range files {
		s := load(t, file)
		for _, version := range [...]string{"ipv4", "ipv6"} {
			if fixed := fixedVersion(s); fixed != "" && fixed != version {
				continue
			}
			t.Run(strings.TrimSuffix(file, ".pkt")+"/"+version, func(t *testing.T) {
				t.Parallel()
				cfg := script.Config{IPv6: version == "ipv6"}
				r := script.Run(s, cfg)
				if r.Outcome != script.Passed {
					t.Errorf("%s: %s\n\n%s", r.Outcome, r.Detail, r.Ladder)
				}
				require.Equal(t, r, script.Run(s, cfg), "the same script gives the same run")
			})
		}
	}
}

// TestOpen runs the scripts for what the engine does not do yet. One that
// passes belongs to the others.
func TestOpen(t *testing.T) {
	for _, file := range find(t, true) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".pkt"), func(t *testing.T) {
			r := script.Run(load(t, file), script.Config{})
			require.NotEqual(t, script.Passed, r.Outcome, "the engine can do it now: move the script to its topic")
			t.Log(r.Outcome.String() + ": " + r.Detail)
		})
	}
}

func fixedVersion(s *script.Script) string {
	for _, o := range s.Options {
		if o.Name == "ip_version" {
			return o.Value
		}
	}
	return ""
}

// proven is one item of a Requirement line.
var proven = regexp.MustCompile(`^((MUST|SHLD|MAY|REC|U)-\d+|S\d\d|RFC \d+ §[\dA-Z][\d.]*|Linux: [\w ]+|Behaviour: [\w ]+)$`)

// TestHeaders looks that each script begins with what it shows, and then names
// what it proves.
func TestHeaders(t *testing.T) {
	for _, file := range append(find(t, false), find(t, true)...) {
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		var title, proves bool
		for line := range strings.Lines(string(src)) {
			text, comment := strings.CutPrefix(strings.TrimSpace(line), "// ")
			if !comment {
				break
			}
			if items, ok := strings.CutPrefix(text, "Requirement: "); ok {
				for item := range strings.SplitSeq(items, ", ") {
					require.Regexp(t, proven, item, "%s: see README.md for what a Requirement line may name", file)
				}
				proves = true
			} else if name, ok := strings.CutPrefix(text, "Kills: "); ok {
				require.FileExists(t, filepath.Join("../proof/mutants/testdata", name+".mutant"), "%s: there is no such mutant", file)
				proves = true
			} else {
				title = true
			}
		}
		require.True(t, title, "%s: a script begins with what it shows", file)
		require.True(t, proves, "%s: the comment at the beginning needs a line Requirement: or Kills:", file)
	}
}
