package examples_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/examples"
)

// Beyond the rate an address gets cookies, and another one does not mind.
func TestSynGuardRate(t *testing.T) {
	r := newStranger(t, nil, load(t, "syn-guard,rate=5,burst=3"))
	r.listen(core.ListenOptions{Backlog: 100})
	port := uint16(1000)
	syns := func(from string, n int) uint64 {
		before := r.s.Stats().CookiesSent
		for range n {
			port++
			_, ok := r.syn(at(t, from, port), wire.Options{})
			require.True(t, ok)
		}
		return r.s.Stats().CookiesSent - before
	}
	require.Equal(t, uint64(7), syns("10.0.0.9", 10), "three at once")
	require.Zero(t, syns("10.0.0.10", 3), "who is not the same address has a burst of its own")
	r.now = r.now.Add(400 * clock.Millisecond)
	require.Equal(t, uint64(3), syns("10.0.0.9", 5), "and then one each fifth of a second")
}

// What is no prefix is refused when the plugin is loaded.
func TestSynGuardPrefixes(t *testing.T) {
	module, _ := examples.Module("syn-guard")
	e := newEngine(t)
	for text, good := range map[string]bool{
		"": true, "10.0.0.0/8": true, "0.0.0.0/0": true, "::/0": true, "::": true, "::1": true, "fd00::1:2/64": true,
		"1:2:3:4:5:6:7:8": true, "1::8/127": true, "10.1.2.3+fd00::/8": true, "1.2.3.4+1.2.3.5+1.2.3.6+1.2.3.7+1.2.3.8+::1+::2+::3": true,
		"10.0.0": false, "10.0.0.0/33": false, "10.0.0.256": false, "10.0.0.0/": false, "10.0.0.0/8x": false, "x": false, "1:2:3": false,
		"1::2::3": false, "fd00::/129": false, "12345::": false, "1:2:3:4:5:6:7:8:9": false, ":1:2:3:4:5:6:7": false,
		"1.2.3.4+1.2.3.5+1.2.3.6+1.2.3.7+1.2.3.8+::1+::2+::3+::4": false,
	} {
		p, err := plugins.Load(e, module, plugins.Options{Set: []string{"deny=" + text}})
		require.Equal(t, good, err == nil, "%q: %v", text, err)
		if err == nil {
			require.NoError(t, p.Close())
		}
	}
}

// Prefixes hold who is in them.
func TestSynGuardDenies(t *testing.T) {
	for deny, answered := range map[string]bool{
		"10.0.0.8/29": false, "10.0.0.9": false, "10.0.0.8/32": true, "10.0.0.0/24": false, "10.0.1.0/24": true, "0.0.0.0/0": false,
		"::ffff:0:0/96": false, "::/0": false, "fd00::/8": true, "10.0.0.16/28+10.0.0.9": false, "10.0.0.8/30": false, "10.0.0.12/30": true,
	} {
		r := newStranger(t, nil, load(t, "syn-guard,deny="+deny))
		r.listen(core.ListenOptions{Backlog: 1})
		_, ok := r.syn(at(t, "10.0.0.9", 1000), wire.Options{})
		require.Equal(t, answered, ok, deny)
	}
}

// Only who is within the prefix gets a cookie of Fast Open.
func TestFastOpenOnlyFrom(t *testing.T) {
	server := func(c *core.Config) { c.FastOpen = core.FastOpenServer }
	for last, cookie := range map[int]bool{9: true, 200: false} {
		r := newStranger(t, server, load(t, "fast-open-only-from,from=10.0.0.0/25"))
		r.listen(core.ListenOptions{Backlog: 10, FastOpen: 10})
		answer, ok := r.syn(at(t, "10.0.0."+strconv.Itoa(last), 1000), wire.Options{Has: wire.HasFastOpen})
		require.True(t, ok)
		require.Equal(t, cookie, answer.Options.Has.Has(wire.HasFastOpen), last)
	}
}
