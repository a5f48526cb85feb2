package wazero_test

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/script"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/internal/release"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/internal/trial"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// A silent plugin is one that changes nothing. What is run has copies of it.
type silent struct {
	*plugins.Set
	name   string
	copies []*plugins.Set
}

func (s *silent) Clone() tcp.Hook {
	c := s.Set.Clone().(*plugins.Set)
	s.copies = append(s.copies, c)
	return c
}

// checked asks that the copies had no fault, and forgets them.
func (s *silent) checked(t *testing.T, run any) (calls uint64) {
	for _, c := range s.copies {
		p := c.Plugins()[0]
		st := p.Stats()
		assert.NoError(t, p.Err(), "%v, %s", run, s.name)
		assert.Equal(t, plugins.NotOut, p.Out(), "%v, %s", run, s.name)
		assert.Zero(t, st.Strikes+st.Skipped, "%v, %s", run, s.name)
		calls += st.Calls
	}
	s.copies = nil
	return calls
}

// withSilent has some goroutines take one run after the other. Each has silent plugins
// of its own, since copies share their instances.
func withSilent(t *testing.T, runs int, run func(i int, all []*silent)) {
	e := newEngine(t, wazero.Config{})
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		var all []*silent
		for name, wasm := range map[string][]byte{
			"no-op": trial.Noop(), "observer": trial.Observer(), "batches": trial.Batches(), "identity": trial.Identity(),
		} {
			p, err := plugins.Load(e, wasm, plugins.Options{Allow: ^plugins.Grants(0), MTU: 60_000})
			require.NoError(t, err)
			s := &silent{Set: plugins.NewSet(), name: name}
			s.Add(p)
			all = append(all, s)
		}
		wg.Go(func() {
			for i := next.Add(1); i <= int64(runs) && !t.Failed(); i = next.Add(1) {
				run(int(i-1), all)
			}
		})
	}
	wg.Wait()
}

// A plugin that passes everything, one that looks at everything, one by one or many at
// once, and one that says of everything that it has changed it and has not, leave each
// script's run as it is, packet by packet and octet by octet.
//
// Proves: P16
func TestScriptsWithSilentPlugins(t *testing.T) {
	files, err := filepath.Glob("../../scripts/*/*.pkt")
	require.NoError(t, err)
	require.Greater(t, len(files), 500)
	var packets, calls atomic.Uint64
	withSilent(t, len(files), func(i int, all []*silent) {
		src, err := os.ReadFile(files[i])
		assert.NoError(t, err)
		s, err := script.Parse(files[i], string(src))
		assert.NoError(t, err)
		for _, six := range []bool{false, true} {
			cfg := script.Config{IPv6: six, Trace: true}
			plain := script.Run(s, cfg)
			packets.Add(uint64(len(plain.Packets)))
			for _, hook := range all {
				cfg.Hook, cfg.Hooks = hook, hook.Mask()
				hooked := script.Run(s, cfg)
				assert.Equal(t, plain.Ladder, hooked.Ladder, "%s, %s", files[i], hook.name)
				assert.Equal(t, plain, hooked, "%s, %s", files[i], hook.name)
				calls.Add(hook.checked(t, files[i]))
			}
		}
	})
	t.Logf("%d scripts, %d packets; %d calls of plugins", len(files), packets.Load(), calls.Load())
	require.Positive(t, calls.Load())
}

// Likewise in worlds with every fault: each packet, and but for the verdicts of
// plugins each event. Only super-packets become single ones where segments are looked
// at.
//
// Proves: P16
func TestWorldsWithSilentPlugins(t *testing.T) {
	var packets, calls atomic.Uint64
	worlds := release.Count(50, 1000)
	withSilent(t, worlds, func(i int, all []*silent) {
		cfg := sim.Random(uint64(i+1), 6)
		cfg.Capture = true
		for host := range cfg.Hosts {
			cfg.Hosts[host].Link.MaxSuper = 0
		}
		plain := finished(t, cfg)
		packets.Add(uint64(len(plain.Captured())))
		for _, hook := range all {
			for host := range cfg.Hosts {
				cfg.Hosts[host].Hook, cfg.Hosts[host].Hooks = hook, hook.Mask()
			}
			hooked := finished(t, cfg)
			same(t, plain, hooked, hook.name)
			calls.Add(hook.checked(t, cfg.Seed))
			for host := range cfg.Hosts {
				assert.Zero(t, hooked.Stack(host).Stats().ChangesIgnored, "seed %d, %s", cfg.Seed, hook.name)
			}
		}
	})
	t.Logf("%d worlds, %d packets; %d calls of plugins", worlds, packets.Load(), calls.Load())
	require.Positive(t, calls.Load())
}

func finished(t *testing.T, cfg sim.Config) *sim.World {
	w, err := sim.New(&cfg)
	if err == nil {
		err = w.Finish()
	}
	assert.NoError(t, err, "seed %d", cfg.Seed)
	return w
}

func same(t *testing.T, plain, hooked *sim.World, name string) {
	before, after := plain.Captured(), hooked.Captured()
	assert.Len(t, after, len(before), name)
	for i := range min(len(before), len(after)) {
		if !assert.Equal(t, before[i], after[i], "%s, packet %d of %d", name, i+1, len(before)) {
			return
		}
	}
	if name != "identity" { // whose verdicts are events
		assert.Equal(t, plain.Hash(), hooked.Hash(), name)
	}
}
