package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/script"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/examples"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

func newEngine(t testing.TB) *wazero.Engine {
	t.Helper()
	e, err := wazero.New(wazero.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

// load loads plugins that are named as on a command line: NAME[,KEY=VALUE]. All may
// do what they ask for.
func load(t testing.TB, specs ...string) *plugins.Set {
	t.Helper()
	e := newEngine(t)
	set := plugins.NewSet()
	for _, spec := range specs {
		name, options, err := plugins.ParseSpec(spec)
		require.NoError(t, err)
		options.Allow = ^plugins.Grants(0)
		module, ok := examples.Module(name)
		require.True(t, ok, name)
		p, err := plugins.Load(e, module, options)
		require.NoError(t, err)
		set.Add(p)
	}
	return set
}

// transfer is a world in which host 0 sends octets to host 1 and gets as many back.
// Each end may have plugins.
func transfer(t testing.TB, octets uint64, way sim.Channel, ends ...*plugins.Set) sim.Config {
	t.Helper()
	c, err := core.Profile("linux")
	require.NoError(t, err)
	cfg := sim.Transfer(c, wire.IPv4, octets, way)
	cfg.Seed, cfg.Capture = 7, true
	for i, set := range ends {
		if set != nil {
			cfg.Hosts[i].Hook, cfg.Hosts[i].Hooks, cfg.Hosts[i].Changes = set, set.Mask(), true
		}
	}
	return cfg
}

// run takes a world to its end, where all that was sent has come.
func run(t testing.TB, cfg sim.Config, octets uint64) *sim.World {
	t.Helper()
	w, err := sim.New(&cfg)
	require.NoError(t, err)
	require.NoError(t, w.Finish())
	for user := range 2 {
		o := w.Outcome(0, user)
		require.True(t, o.EOF && o.Done, "%+v", o)
		require.Equal(t, octets, o.Read)
	}
	for host := range cfg.Hosts {
		if set, ok := w.Hook(host).(*plugins.Set); ok {
			for _, p := range set.Plugins() {
				require.NoError(t, p.Err())
			}
		}
	}
	return w
}

// A segment is one that a host has sent.
type segment struct {
	from  int
	ip    wire.IP
	tcp   wire.TCP
	bytes []byte // of the TCP header
	size  int    // octets of payload
}

func segments(t testing.TB, w *sim.World) (all []segment) {
	t.Helper()
	for _, c := range w.Captured() {
		s := segment{from: c.From}
		require.Zero(t, wire.ParseIP(c.Bytes, &s.ip))
		s.bytes = c.Bytes[s.ip.HeaderLen:s.ip.TotalLen]
		require.Zero(t, wire.ParseTCP(s.bytes, &s.tcp))
		s.size = len(s.bytes) - s.tcp.HeaderLen
		s.bytes = s.bytes[:s.tcp.HeaderLen]
		all = append(all, s)
	}
	return all
}

// withPlugins is the comment of a script by which it has plugins.
var withPlugins = regexp.MustCompile(`(?m)^// Plugin: (.*)$`)

// TestScripts runs the script of each plugin that one exchange shows, with it, and
// without it, where it has to fail.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("*/*.pkt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".pkt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			match := withPlugins.FindSubmatch(text)
			require.NotNil(t, match, "a comment // Plugin: says which plugin it is for")
			s, err := script.Parse(file, string(text))
			require.NoError(t, err)
			require.Equal(t, script.Failed, script.Run(s, script.Config{}).Outcome, "without the plugin")
			set := load(t, strings.Fields(string(match[1]))...)
			r := script.Run(s, script.Config{Hook: set, Hooks: set.Mask()})
			require.Equal(t, script.Passed, r.Outcome, "%s\n%s", r.Detail, r.Ladder)
		})
	}
}
