package scenario_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/examples"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// loader loads the example plugins by their names.
func loader(t *testing.T) scenario.Loader {
	return func(o *scenario.Order) (tcp.Hook, tcp.HookMask, error) {
		e, err := wazero.New(wazero.Config{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, e.Close()) })
		set := plugins.NewSet()
		for _, spec := range o.Specs {
			name, options, err := plugins.ParseSpec(spec)
			require.NoError(t, err)
			options.Key, options.MTU = o.Key, o.MTU
			module, ok := examples.Module(name)
			require.True(t, ok, name)
			p, err := plugins.Load(e, module, options)
			if err != nil {
				return nil, 0, err
			}
			set.Add(p)
		}
		return set, set.Mask(), nil
	}
}

func run(t *testing.T, text string) *scenario.Run {
	t.Helper()
	s, err := scenario.Parse(text)
	require.NoError(t, err)
	r, err := scenario.New(s, loader(t))
	require.NoError(t, err)
	r.Finish()
	for _, o := range r.Check() {
		require.True(t, o.Held, "line %d: found %q %d (%v)", o.Where.Line, o.Text, o.Found, r.Failure())
	}
	return r
}

const net = `host client 10.0.0.1 profile linux
host server 10.0.0.2 profile linux
link client server delay 50ms
listen server 80
`

// H5: with two segments an old SYN makes a connection that only the server believes
// in. It stays where the client's reset does not come through.
func TestGhostOfTwoWay(t *testing.T) {
	const old = net + `flow web client server:80 port 40000
  client write 10
  server await-read 10
fault client -> server SYN 1 delay 100s
`
	run(t, "scenario H5\n"+old+"expect ghosts server 0\nexpect conns server 0\n")
	r := run(t, "scenario H5-two-way\ncompare H5\n"+old+`plugin server two-way,allow=lab
fault client -> server RST all lose
tolerate
end 5m
expect ghosts server 1 at 101s
expect ghosts server 1 at 2m
expect held server >= 768
`)
	plugin := false
	for _, i := range r.Items(0) {
		plugin = plugin || i.Kind == scenario.Plugin && i.Text == "two-way"
	}
	require.True(t, plugin, "what the plugin has decided is in the timeline")
	for _, step := range []int{0, 5, r.Steps() - 1, 3, r.Steps()} {
		r.Seek(step)
		again, err := scenario.New(r.Scenario(), loader(t))
		require.NoError(t, err)
		again.Seek(step)
		require.Equal(t, again.Fingerprint(), r.Fingerprint(), "step %d", step)
		require.Equal(t, again.Hash(), r.Hash(), "step %d", step)
	}
}

// W4: without TIME-WAIT, and with numbers that begin near those of the old connection,
// an old segment is read in the new one.
func TestOldOctets(t *testing.T) {
	const reuse = net + `host client set isn-tick=1ms set timestamps=false
host server set isn-tick=1ms
flow one client server:80 port 40000
  client write 30000
  client close-write
  client await-eof
  server await-eof
flow two client server:80 at 600ms port 40000
  client write 100
  client wait 2s
  client write 60000
  client close-write
  client await-eof
  server await-eof
fault client -> server DATA 5 double 800ms
end 100s
`
	run(t, "scenario W4\n"+reuse+`expect error client EADDRINUSE flow two
expect stream server whole flow one
expect violation 0
`)
	run(t, "scenario W4-none\ncompare W4\ntolerate\n"+reuse+`plugin client no-time-wait,allow=lab
expect stream server whole flow one
expect stream server wrong flow two
expect violation >= 1
`)
}

func TestPluginsNeedALoader(t *testing.T) {
	s, err := scenario.Parse("scenario X\n" + net + "plugin server two-way,allow=lab\n")
	require.NoError(t, err)
	_, err = scenario.New(s, nil)
	require.EqualError(t, err, "host server has plugins, and nobody here can load them; leave them out: plugin server off")
	s, err = scenario.Parse("scenario X\n" + net + "plugin server two-way\n")
	require.NoError(t, err)
	_, err = scenario.New(s, loader(t))
	require.ErrorContains(t, err, "the plugins of host server: ")
}

// What a plugin has used and said, and what it has changed of a segment, is in the
// timeline; a sum of each plugin's stands at the end.
func TestActs(t *testing.T) {
	const flow = net + `flow web client server:80 port 40000
  client write 500
  client close
`
	r := run(t, "scenario clamp\n"+flow+"plugin client mss-clamp,mss=536\nplugin server pcap-annotate\n")
	var changed, said int
	fuel := map[string]uint64{}
	for k := range r.Items(0) {
		i := &r.Items(0)[k]
		a := r.Act(i)
		if i.Kind != scenario.Plugin {
			require.Nil(t, a)
			continue
		}
		require.NotNil(t, a, "item %d", k)
		require.GreaterOrEqual(t, a.Fuel, max(a.Used, fuel[i.Text]))
		fuel[i.Text] = a.Fuel
		if len(a.Changes) > 0 {
			changed++
			require.Equal(t, "options", a.Changes[0].Field)
			require.Regexp(t, "^20: 02 04 05 b4 ", a.Changes[0].Was)
			require.Regexp(t, "^20: 02 04 02 18 ", a.Changes[0].Is)
		}
		if a.Said != "" {
			said++
			require.Equal(t, "pcap-annotate", i.Text)
		}
	}
	require.Equal(t, 2, changed, "the SYN that leaves, and the SYN that arrives")
	require.NotZero(t, said)
	items := r.Items(0)
	for back, name := range []string{"pcap-annotate", "mss-clamp"} {
		sum := &items[len(items)-2-back]
		require.Equal(t, name, sum.Text)
		require.NotZero(t, r.Act(sum).Calls)
		require.NotZero(t, r.Act(sum).Fuel)
	}
	json := string(r.AppendJSON(nil, 0, len(items)))
	require.Contains(t, json, `"changes":[{"field":"options","was":"20: 02 04 05 b4`)
}
