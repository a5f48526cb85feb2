package scenario

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/internal/release"
)

// FuzzRun: no text makes a run panic, or go on for ever; what it has recorded is JSON,
// and going back finds what was.
func FuzzRun(f *testing.F) {
	for _, base := range []string{threeWay, everything + "plugin server off\ntolerate\n", "scenario X\n" + net} {
		f.Add(base, "")
		for _, line := range strings.Split(everything, "\n") {
			if !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "scenario") {
				f.Add(base, line)
			}
		}
	}
	f.Add(threeWay, "host client set rto-min=0s set rto-initial=0s\nfault client -> server all lose")
	f.Add(threeWay, "host server set keepalive-interval=0s set keepalive-idle=0s set keepalive=true\ncrash client at 1ms")
	f.Add(threeWay, "host server set receive-buffer=1 set send-buffer=1\ncrash server at 0s\nboot server at 0s")
	f.Fuzz(func(t *testing.T, text, extra string) { exercise(t, text, extra) })
}

// exercise runs a text, if it can be run, for a while. It reports whether it was.
func exercise(t *testing.T, text string, extra ...string) bool {
	s, err := Parse(text, extra...)
	if err != nil {
		return false
	}
	r, err := New(s, nil)
	if err != nil {
		require.IsType(t, &Error{}, err)
		return false
	}
	const most = 300
	for range most {
		if !r.Step() {
			break
		}
	}
	require.True(t, json.Valid(r.AppendJSON(nil, 0, -1)))
	require.True(t, json.Valid(r.AppendCheck(nil)))
	for host := range s.Hosts {
		r.AppendPcapng(nil, host)
	}
	end, print := r.At(), r.Fingerprint()
	r.Seek(end / 2)
	r.Seek(end)
	require.Equal(t, print, r.Fingerprint())
	if end > 1 {
		r.Seek(end - 1)
		before := r.Fingerprint()
		r.Seek(0)
		r.Seek(end - 1)
		require.Equal(t, before, r.Fingerprint())
	}
	return true
}

// extremes are lines that go to the bounds.
var extremes = []string{
	"link client server rate 1", "link client server rate 1024G queue 1", "link client server delay 1000h", "link client server jitter 1000h",
	"link client server reorder 100% hold 1000h", "link client server loss 100%", "link client server corrupt 100%", "link client server duplicate 100%",
	"link client server mtu 68", "link client server mtu 1 silent", "host client mtu 68", "host server mtu 65535", "host client profile explore", "host server profile embedded",
	"flow web at 1000h", "flow more client server:80 times 200 every 1ns", "flow none client server:9", "fault client -> server all double 1000h",
	"fault server -> client all delay 1000h", "fault client -> server ANY all spoil", "crash client at 0s", "boot client at 0s", "shut server at 0s", "crash server at 60ms",
	"boot server at 61ms", "flood client:1 count 4000", "flood server:80 at 50ms count 4000 every 1us flags SYN+ACK", "end 0s", "end 1000h", "seed 18446744073709551615",
	"flow web\n  client write 64M chunk 1", "flow web\n  client write 64M\n  server never-read", "flow web\n  server abort", "flow web\n  client close",
	"flow web\n  client write-urgent 100000\n  server pace 1 1ns", "cut client server", "cut client -> server unreachable", "tolerate",
}

// TestRandomEdits puts lines and settings of any kind, up to their bounds, behind
// scenarios.
func TestRandomEdits(t *testing.T) {
	c, err := core.Profile("linux")
	require.NoError(t, err)
	all := fields(&c)
	values := []string{"0", "1", "2", "255", "64k", "4294967295", "true", "false", "0s", "1ns", "1ms", "1s", "1000h", "newreno"}
	lines := slices.Clone(extremes)
	for _, line := range strings.Split(everything, "\n") {
		if !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "scenario") {
			lines = append(lines, line)
		}
	}
	n := 400
	if testing.Short() {
		n = 150
	}
	ran := 0
	for seed := range uint64(n) {
		random := rand.New(rand.NewPCG(seed, 0))
		edits := []string{"plugin server off"}
		for range 1 + random.IntN(4) {
			edits = append(edits, lines[random.IntN(len(lines))])
		}
		for range random.IntN(3) {
			host := []string{"client", "server"}[random.IntN(2)]
			edits = append(edits, "host "+host+" set "+all[random.IntN(len(all))].name+"="+values[random.IntN(len(values))])
		}
		text := []string{threeWay, everything, busy}[random.IntN(3)]
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("seed %d: %v, with\n%s", seed, p, strings.Join(edits, "\n"))
					panic(p)
				}
			}()
			if exercise(t, text, strings.Join(edits, "\n")) {
				ran++
			}
		}()
	}
	require.Greater(t, ran, n/3, "most of them run")
}

// TestSettingsAtTheirBounds gives each setting of each host values at and beyond its
// bounds: each is refused, or makes a run that ends in order. A seventh of them, and all
// for a release.
func TestSettingsAtTheirBounds(t *testing.T) {
	values := []string{"0", "1", "2", "255", "64k", "2147483647", "4294967295", "9007199254740992", "true", "false", "0s", "1ns", "1ms", "1000h", "newreno"}
	n, ran := 0, 0
	for _, f := range fields(new(core.Config)) {
		for _, v := range values {
			for _, host := range []string{"client", "server"} {
				if n++; n%release.Count(7, 1) != 0 {
					continue
				}
				edit := "host " + host + " set " + f.name + "=" + v
				func() {
					defer func() {
						if p := recover(); p != nil {
							t.Errorf("%v, with %s", p, edit)
							panic(p)
						}
					}()
					if exercise(t, threeWay, edit+"\nflow web\n  client write 100000\n  server write 5000\n  server close") {
						ran++
					}
				}()
			}
		}
	}
	require.Greater(t, ran, n/release.Count(7, 1)/5, "the others are of another kind")
}
