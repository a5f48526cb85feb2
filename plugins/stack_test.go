package plugins_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// transferred is how many octets each end of a world sends.
const transferred = 60_000

// world is a transfer over a link that loses, duplicates and reorders.
func world(t *testing.T, profile string, seed uint64, family wire.Family) sim.Config {
	c, err := core.Profile(profile)
	require.NoError(t, err)
	way := sim.Channel{Delay: 10 * clock.Millisecond, Jitter: clock.Millisecond, Loss: 30_000, Duplicate: 10_000, Reorder: 10_000, Hold: 5 * clock.Millisecond}
	cfg := sim.Transfer(c, family, transferred, way)
	cfg.Seed = seed
	cfg.Capture = true
	return cfg
}

// with gives both hosts the plugins that f makes.
func with(cfg sim.Config, f func(host int) *plugins.Set) sim.Config {
	for i := range cfg.Hosts {
		s := f(i)
		cfg.Hosts[i].Hook, cfg.Hosts[i].Hooks = s, s.Mask()
	}
	return cfg
}

func run(t *testing.T, cfg sim.Config) *sim.World {
	w, err := sim.New(&cfg)
	require.NoError(t, err)
	require.NoError(t, w.Finish())
	return w
}

// identity says of every field that it has changed, and changes nothing.
func identity(c *call) int64 {
	const segment = abi.FieldSeq | abi.FieldAck | abi.FieldFlags | abi.FieldWindow | abi.FieldUrgent | abi.FieldOptions | abi.FieldRawOptions |
		abi.FieldPayload | abi.FieldTOS | abi.FieldTTL | abi.FieldPorts | abi.FieldAddresses | abi.FieldLength
	switch c.Hook {
	case abi.HookArriving, abi.HookLeaving, abi.HookTransitionArriving, abi.HookTransitionLeaving:
		if !c.has(abi.SectionPayload) {
			return mutated(segment &^ abi.FieldPayload)
		}
		return mutated(segment)
	case abi.HookOptionsParse, abi.HookOptionsWrite:
		return mutated(abi.FieldRawOptions)
	case abi.HookIngress, abi.HookEgress:
		return mutated(abi.FieldPayload | abi.FieldLength)
	case abi.HookConnNew, abi.HookConnEstablished, abi.HookTimerArmed, abi.HookRTT, abi.HookPhase, abi.HookAck, abi.HookISN, abi.HookPort, abi.HookOptionsReserve:
		return mutated(abi.FieldArgs)
	}
	return 0
}

const allGrants = "grants observe header payload control inject options timers cc admission link rewrite-tuple resize lab"

// TestWhoWatchesChangesNothing runs worlds with a plugin that does nothing, with an
// observer of everything, one by one and in batches, and with an identity mutator:
// the packets are the same, octet by octet.
//
// Proves: P16
func TestWhoWatchesChangesNothing(t *testing.T) {
	seeds := uint64(5)
	if testing.Short() {
		seeds = 1
	}
	var atSteps []abi.Hook
	names := "hooks"
	for _, h := range engineHooks() {
		if step, ok := stepOf(t, h); ok {
			atSteps = append(atSteps, h)
			names += " " + plugins.StepName(step)
		}
	}
	kinds := map[string]func() *plugins.Plugin{
		"no-op":    func() *plugins.Plugin { return load(t, &fake{}, atSteps) },
		"observer": func() *plugins.Plugin { return load(t, &fake{}, atSteps, allGrants, "state 64") },
		"batches":  func() *plugins.Plugin { return load(t, &fake{}, of(abi.HookBatch), names, "batch 8") },
		"identity": func() *plugins.Plugin { return load(t, &fake{on: identity}, atSteps, allGrants) },
	}
	for _, profile := range []string{"linux", "rfc9293"} {
		for seed := range seeds {
			family := []wire.Family{wire.IPv4, wire.IPv6}[seed%2]
			plain := run(t, world(t, profile, seed, family))
			require.NotEmpty(t, plain.Captured())
			for name, kind := range kinds {
				w := run(t, with(world(t, profile, seed, family), func(int) *plugins.Set { return chain(kind()) }))
				require.Equal(t, plain.Captured(), w.Captured(), "%s, %s, seed %d", name, profile, seed)
				for host := range 2 {
					p := w.Hook(host).(*plugins.Set).Plugins()[0]
					require.NoError(t, p.Err(), name)
					require.Positive(t, p.Stats().Calls)
					require.Zero(t, w.Stack(host).Stats().ChangesIgnored, "%s: what the policy lets through the engine takes", name)
				}
			}
		}
	}
}

// A reader notes what users read.
type reader struct{ octets, wrong uint64 }

// See is sim.Observer.
func (o *reader) See(_ *sim.World, s *sim.Sight) {
	if s.What == sim.Read {
		o.octets += s.N
		if s.Wrong {
			o.wrong++
		}
	}
}

// TestPayloadIsConsistent has a plugin on each host that turns the bits of what
// leaves, and turns those of what arrives back: over a link that loses, so that
// much is sent again in other pieces, the octets that are read are those that were
// written.
//
// Proves: P10
func TestPayloadIsConsistent(t *testing.T) {
	flip := func(c *call) int64 {
		for i := range c.u32(abi.SegmentPayload) {
			c.b[abi.PayloadAt+i] ^= 0x55
		}
		return mutated(abi.FieldPayload)
	}
	retransmits := uint64(0)
	for seed := range uint64(8) {
		cfg := with(world(t, "linux", seed, wire.IPv4), func(int) *plugins.Set {
			return chain(load(t, &fake{on: flip}, of(abi.HookArriving, abi.HookLeaving), "grants payload", "filter * payload=1-"))
		})
		cfg.Tolerate = true // on the wire is what was not written
		w, err := sim.New(&cfg)
		require.NoError(t, err)
		read := &reader{}
		w.Observe(read)
		require.NoError(t, w.Finish())
		require.Equal(t, reader{octets: 2 * transferred}, *read, "both ends read all, and nothing else")
		for host := range 2 {
			retransmits += w.Stack(host).Stats().Retransmits
			p := w.Hook(host).(*plugins.Set).Plugins()[0]
			require.NoError(t, p.Err())
			require.Zero(t, p.Stats().Whys[plugins.WhyNotEdited])
			require.Positive(t, p.Stats().Whys[plugins.WhyVerdict])
		}
	}
	require.Greater(t, retransmits, uint64(10), "much is sent again")
}

// TestPluginsInALiveStack drops, delays and clamps on a stack that is real.
func TestPluginsInALiveStack(t *testing.T) {
	n := 0
	drops := &fake{on: func(c *call) int64 {
		if n++; n%7 == 0 {
			return int64(abi.Drop)
		}
		return 0
	}}
	clamps := &fake{on: func(c *call) int64 {
		c.put16(abi.SegmentMSS, 600)
		return mutated(abi.FieldOptions)
	}}
	c := world(t, "linux", 1, wire.IPv4)
	c.Links[0].AB, c.Links[0].BA = sim.Channel{Delay: clock.Millisecond}, sim.Channel{Delay: clock.Millisecond}
	w := run(t, with(c, func(host int) *plugins.Set {
		if host == 1 {
			return chain()
		}
		return chain(
			load(t, drops, of(abi.HookLeaving), "grants header", "filter * payload=1-"),
			load(t, clamps, of(abi.HookLeaving), "grants options", "filter * flags=SYN"))
	}))
	require.Positive(t, w.Stack(0).Stats().Retransmits)
	require.Zero(t, w.Stack(1).Stats().Retransmits)
	largest := 0
	for _, p := range w.Captured() {
		var ip wire.IP
		require.Zero(t, wire.ParseIP(p.Bytes, &ip))
		if ip.Dst == wire.AddrFrom4([4]byte{10, 0, 0, 1}) {
			largest = max(largest, len(p.Bytes))
		}
	}
	require.Equal(t, 40+600, largest, "the server heeds the MSS of the SYN that a plugin has changed")
	require.False(t, bytes.Equal(nil, w.Captured()[0].Bytes))
	require.Equal(t, clock.Never, w.Hook(0).(tcp.Hook).Deadline())
}
