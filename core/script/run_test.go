package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestScripts runs every script of testdata over IPv4 and IPv6. A script for one
// of them says so with --ip_version, and then runs once.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.pkt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		name := strings.TrimSuffix(filepath.Base(file), ".pkt")
		s, err := Parse(file, string(src))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		require.True(t, strings.HasPrefix(string(src), "//"), "%s: a script begins with what it shows", file)
		for _, ipv6 := range [...]bool{false, true} {
			version := "ipv4"
			if ipv6 {
				version = "ipv6"
			}
			if fixed := fixedVersion(s); fixed != "" && fixed != version {
				continue
			}
			t.Run(name+"/"+version, func(t *testing.T) {
				r := Run(s, Config{IPv6: ipv6})
				if r.Outcome != Passed {
					t.Errorf("%s: %s\n\n%s", r.Outcome, r.Detail, r.Ladder)
				}
				require.Equal(t, r, Run(s, Config{IPv6: ipv6}), "the same script gives the same run")
			})
		}
	}
}

func fixedVersion(s *Script) string {
	for _, o := range s.Options {
		if o.Name == "ip_version" {
			return o.Value
		}
	}
	return ""
}
