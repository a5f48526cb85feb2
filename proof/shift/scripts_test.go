package shift

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/script"
)

// A variant is a way to run a script with other numbers.
type variant struct {
	name    string
	change  func(s *script.Script)
	options []script.Option
	secret  byte
	without *regexp.Regexp // what a script must not have, since it names these numbers itself
}

var (
	ipVersion = regexp.MustCompile(`--ip_version=(ipv[46])`)
	ownPorts  = regexp.MustCompile(`sin6?_port|--(bind|connect)_port`)
	ownAddrs  = regexp.MustCompile(`inet_|--(local|remote)_ip`)
)

func variants(v6 bool) (all []variant) {
	for _, n := range targets {
		all = append(all,
			variant{name: fmt.Sprintf("ISN %d", n), options: []script.Option{{Name: "isn", Value: fmt.Sprint(n)}}},
			variant{name: fmt.Sprintf("the peer's ISN %d", n), change: func(s *script.Script) { shiftPeer(s, n) }})
	}
	local, remote := "10.9.8.7", "10.9.8.6"
	if v6 {
		local, remote = "fd01:9::7", "fd01:9::6"
	}
	return append(all,
		variant{name: "ISN, timestamps, ports, cookies", secret: 1},
		variant{name: "addresses", without: ownAddrs, options: []script.Option{{Name: "local_ip", Value: local}, {Name: "remote_ip", Value: remote}}},
		variant{name: "ports", without: ownPorts, change: shiftPorts, options: []script.Option{{Name: "bind_port", Value: "6080"}, {Name: "connect_port", Value: "6080"}}})
}

// shiftPeer has the script's end begin at n more. In the notation only a SYN has a
// number of its own: all else counts from it.
func shiftPeer(s *script.Script, n uint32) {
	for i := range s.Events {
		if p := s.Events[i].Packet; p != nil && p.Inbound && p.TCP != nil && p.TCP.Flags&script.SYN != 0 {
			p.TCP.Seq += n
		}
	}
}

// shiftPorts changes the ports that a script writes down. Those from 40000 on are
// what the runner takes for connections that have none in the script.
func shiftPorts(s *script.Script) {
	for i := range s.Events {
		if p := s.Events[i].Packet; p != nil && p.Ports != nil {
			for _, port := range []*uint16{&p.Ports.Src, &p.Ports.Dst} {
				switch {
				case *port == 8080:
					*port = 6080
				case *port < 40000:
					*port += 7
				}
			}
		}
	}
}

// run plays a script in a variant.
func run(t *testing.T, file string, v6 bool, v variant) (script.Result, *trace) {
	src, err := os.ReadFile(file)
	require.NoError(t, err)
	s, err := script.Parse(file, string(src))
	require.NoError(t, err)
	if v.change != nil {
		v.change(s)
	}
	cfg := script.Config{IPv6: v6, Trace: true, Options: v.options}
	if v.secret != 0 {
		cfg.Core, err = core.Profile("linux")
		require.NoError(t, err)
		cfg.Core.Secret = [16]byte{v.secret}
		cfg.Core.FastOpen = core.FastOpenClient
	}
	r := script.Run(s, cfg)
	tr := newTrace(script.Origin)
	for _, p := range r.Packets {
		tr.add(p.At, p.Bytes)
	}
	return r, tr
}

// Other initial sequence numbers at either end, timestamps, ports and addresses
// change these fields in the packets of a script, and nothing else.
//
// Proves: S25, S11
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("../../scripts/*/*.pkt")
	require.NoError(t, err)
	runs := 0
	for _, file := range files {
		if filepath.Base(filepath.Dir(file)) == "open" {
			continue
		}
		for _, v6 := range []bool{false, true} {
			src, err := os.ReadFile(file)
			require.NoError(t, err)
			if version := ipVersion.FindSubmatch(src); version != nil && (string(version[1]) == "ipv6") != v6 {
				continue
			}
			base, want := run(t, file, v6, variant{})
			require.Equal(t, script.Passed, base.Outcome, "%s: %s", file, base.Detail)
			for _, v := range variants(v6) {
				if v.without != nil && v.without.Match(src) {
					continue
				}
				r, got := run(t, file, v6, v)
				if r.Outcome != script.Passed {
					t.Errorf("%s v6=%v, other %s: %s", file, v6, v.name, strings.SplitN(r.Detail, "\n", 4))
				} else if d := differ(want, got); d != "" {
					t.Errorf("%s v6=%v, other %s: %s", file, v6, v.name, d)
				}
				runs++
			}
		}
	}
	t.Logf("%d scripts, %d runs with other numbers", len(files), runs)
}
