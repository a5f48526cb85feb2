package wazero_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/internal/hostile"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

const everything = "grants observe header payload control inject options timers cc admission link rewrite-tuple resize lab\n"

// loadHostile starts one of the hostile plugins, which its user trusts in all.
func loadHostile(t testing.TB, e plugins.Engine, name, manifest string) *plugins.Plugin {
	t.Helper()
	p, err := plugins.Load(e, hostile.Module(name, manifest), plugins.Options{Name: name, Allow: ^plugins.Grants(0)})
	require.NoError(t, err)
	return p
}

// A transferRun is a transfer with a plugin at the server.
type transferRun struct {
	world  *sim.World
	set    *plugins.Set
	plugin *plugins.Plugin
}

func runWith(t testing.TB, p *plugins.Plugin, seed uint64, octets uint64) transferRun {
	t.Helper()
	c, err := core.Profile("")
	require.NoError(t, err)
	cfg := sim.Transfer(c, wire.IPv4, octets, sim.Channel{Delay: clock.Second}) // long enough for three strikes
	cfg.Seed, cfg.MaxEvents, cfg.Capture = seed, 200_000, true
	set := plugins.NewSet()
	if p != nil {
		set.Add(p)
		server := &cfg.Hosts[sim.TransferServer]
		server.Hook, server.Hooks, server.Changes = set, set.Mask(), true
	}
	w, err := sim.New(&cfg)
	require.NoError(t, err)
	require.NoError(t, w.Run(w.Now().Add(clock.Hour)))
	r := transferRun{world: w}
	if p != nil {
		r.set = w.Hook(sim.TransferServer).(*plugins.Set)
		r.plugin = r.set.Plugins()[0]
	}
	return r
}

// intact asks that both users read all that the other has written.
func (r *transferRun) intact(t testing.TB, octets uint64) {
	t.Helper()
	for user := range 2 {
		o := r.world.Outcome(0, user)
		require.Equal(t, sim.Outcome{Connected: true, Done: true, EOF: true, Written: octets, Read: octets}, o, "user %d", user)
	}
}

// TestHostileInHook runs plugins that misbehave in a hook of arriving segments: each
// costs itself its place after three strikes, and the connection nothing.
//
// Proves: P01, P02, P12, P15
func TestHostileInHook(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	without := runWith(t, nil, 7, 30_000)
	for name, why := range map[string]plugins.Why{
		"spin": plugins.WhyFuel, "tree": plugins.WhyFuel, "deep": plugins.WhyTrap, "trap": plugins.WhyTrap,
	} {
		t.Run(name, func(t *testing.T) {
			r := runWith(t, loadHostile(t, e, name, everything), 7, 30_000)
			r.intact(t, 30_000)
			require.Equal(t, plugins.OutStruck, r.plugin.Out())
			st := r.plugin.Stats()
			require.Equal(t, uint64(3), st.Strikes, "THREATS P15: exactly")
			require.Equal(t, uint64(3), st.Whys[why], "%v", r.plugin.Err())
			require.Error(t, r.plugin.Err())
			require.Equal(t, without.world.Captured(), r.world.Captured(), "in fail-open the packets are those without the plugin")
		})
	}
}

// A call that never returns uses what its budget has, to the unit, and the same in
// each engine.
//
// Proves: P01
func TestSpinUsesItsBudget(t *testing.T) {
	for _, interpreter := range []bool{false, true} {
		e := newEngine(t, wazero.Config{Interpreter: interpreter})
		p := loadHostile(t, e, "spin", everything+"budget hook 5000\n")
		r := runWith(t, p, 7, 30_000)
		st := r.plugin.Stats()
		require.Equal(t, uint64(3*5000), st.Fuel)
		require.Equal(t, uint64(5000), st.Most)
	}
}

// Memory ends where the manifest says, or at 16 pages; what the host wrote before
// memory moved, and what was changed after, is right.
//
// Proves: P03, P08
func TestHostileGrows(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	for _, manifest := range []string{everything + "budget large\n", everything + "memory 64\nbudget large\n"} {
		r := runWith(t, loadHostile(t, e, "grow", manifest), 7, 30_000)
		r.intact(t, 30_000)
		st := r.plugin.Stats()
		require.Zero(t, st.Strikes, "%v", r.plugin.Err())
		require.Positive(t, st.Whys[plugins.WhyVerdict], "it changes the TOS of what arrives, and drops nothing")
	}
	_, err := plugins.Load(e, hostile.Module("grow", everything+"memory 257\n"), plugins.Options{Allow: ^plugins.Grants(0)})
	require.ErrorContains(t, err, "of pages of 64 KiB")
}

// Proves: P05
func TestHostileStart(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	_, err := plugins.Load(e, hostile.Module("start", everything), plugins.Options{Allow: ^plugins.Grants(0)})
	require.ErrorContains(t, err, "its start function, which has to do with the fuel for it")
}

// Addresses that lead out of the plugin's memory cost it a strike each, and never the
// host.
//
// Proves: P07
func TestHostilePointers(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	p := loadHostile(t, e, "pointers", everything)
	set := plugins.NewSet()
	set.Add(p)
	var beside tcp.Beside
	var log event.Log
	now := clock.Instant(clock.Second)
	bad := 0
	for call := range 14 {
		r := arriving()
		// Strikes are far apart, so that it is not out at the third; it is started
		// again in between, and goes on with its first pair.
		now = now.Add(100 * clock.Second)
		set.Expire(now, &beside, &log)
		r.Now, r.Beside, r.Log = now, &beside, &log
		before := set.Plugins()[0].Stats().Strikes
		require.Equal(t, tcp.Pass, set.At(&r), "call %d", call)
		bad += int(set.Plugins()[0].Stats().Strikes - before)
		if set.Plugins()[0].Out() != plugins.NotOut {
			break
		}
	}
	require.Equal(t, 10, bad, "the tenth strike is the last: THREATS P15")
	require.Equal(t, plugins.OutStruck, set.Plugins()[0].Out())
	require.Empty(t, beside.Take(), "nothing was injected")
}

// Each segment that a plugin injects is not shown to it again, and there is a bound
// on them.
//
// Proves: P11
func TestHostileInjects(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	r := runWith(t, loadHostile(t, e, "again", everything), 7, 30_000)
	r.intact(t, 30_000)
	require.Less(t, r.world.Count().Events, uint64(10_000))
}

// A plugin in mode guard is missed: nothing passes without it.
//
// Proves: P14
func TestHostileGuard(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	r := runWith(t, loadHostile(t, e, "trap", everything+"mode guard\nhooks segment_arriving\n"), 7, 1000)
	require.False(t, r.world.Outcome(0, 0).Connected, "no SYN reaches the state machine")
	require.Positive(t, r.world.Stack(sim.TransferServer).Stats().Drops[rule.DropHook])
	require.Equal(t, plugins.OutStruck, r.plugin.Out())
	open := runWith(t, loadHostile(t, e, "trap", everything+"hooks segment_arriving\n"), 7, 1000)
	open.intact(t, 1000)
}

// What was not granted reads as zero, whatever other plugins were shown in the same
// buffer before.
//
// Proves: P18, S32
func TestHostileReads(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	r := runWith(t, loadHostile(t, e, "thief", "grants observe header\n"), 7, 30_000)
	r.intact(t, 30_000)
	require.Zero(t, r.plugin.Stats().Whys[plugins.WhyVerdict], "it finds nothing")
	seen := runWith(t, loadHostile(t, e, "thief", "grants observe header payload\nsections payload\n"), 7, 30_000)
	require.Positive(t, seen.plugin.Stats().Whys[plugins.WhyVerdict], "with the grant it does: the test can fail")
}

// Proves: P19
func TestHostileLogs(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	r := runWith(t, loadHostile(t, e, "flood", everything+"budget large\n"), 7, 1_000_000)
	r.intact(t, 1_000_000)
	messages, lost := r.plugin.Messages()
	require.LessOrEqual(t, len(messages), 64)
	require.NotEmpty(t, messages)
	require.Equal(t, "all work and no play", messages[0].Text)
	require.Equal(t, r.plugin.Stats().Calls*1000, lost+uint64(len(messages)), "what is not kept is counted")
}

// A slow plugin on many connections at one instant uses what one instant may cost,
// and what goes beyond is passed over.
//
// Proves: P13
func TestHostileIsSlow(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	p := loadHostile(t, e, "greedy", everything+"budget hook 100000\n")
	set := plugins.NewSet()
	set.Add(p)
	var beside tcp.Beside
	var log event.Log
	for conn := range 10_000 {
		r := arriving()
		r.Now, r.Conn, r.Beside, r.Log = clock.Instant(clock.Second), uint32(conn), &beside, &log
		require.Equal(t, tcp.Pass, set.At(&r))
	}
	st := p.Stats()
	require.Positive(t, st.Skipped)
	require.Zero(t, st.Strikes)
	require.LessOrEqual(t, st.Fuel, uint64(5_100_000), "five millions, and the call that was being made")
	r := arriving()
	r.Now, r.Beside, r.Log = clock.Instant(2*clock.Second), &beside, &log
	set.At(&r)
	require.Equal(t, st.Calls+1, p.Stats().Calls, "the next instant has fuel of its own")
}

// TestChaos runs a plugin that answers with noise and may do everything, in all
// hooks: no panic, and every packet that leaves is whole.
//
// Proves: P09, P10, P12
func TestChaos(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	want := uint64(release.Count(100_000, 1_000_000))
	if testing.Short() {
		want = 10_000
	}
	calls, packets, mutated := uint64(0), 0, uint64(0)
	for seed := uint64(1); calls < want; seed++ {
		c, err := core.Profile([]string{"linux", "rfc9293", "lab"}[seed%3])
		require.NoError(t, err)
		family := wire.IPv4
		if seed%2 == 0 {
			family = wire.IPv6
		}
		cfg := sim.Transfer(c, family, 200_000, sim.Channel{Delay: 5 * clock.Millisecond, Loss: 5000})
		cfg.Seed, cfg.MaxEvents, cfg.Capture = seed, 20_000, true
		cfg.End = clock.Instant(10 * clock.Minute)
		for i := range cfg.Hosts {
			set := plugins.NewSet()
			// Each plugin falls after three bad answers: many stand in line.
			for k := range 12 {
				p, err := plugins.Load(e, hostile.Module("chaos", everything+"option seed 1\n"), plugins.Options{
					Name: "chaos", Allow: ^plugins.Grants(0), Key: siphash.Key{K0: seed, K1: uint64(12*i + k)},
					Set: []string{"seed=" + strconv.FormatUint(seed*1000+uint64(12*i+k), 10)},
				})
				require.NoError(t, err)
				set.Add(p)
			}
			h := &cfg.Hosts[i]
			h.Hook, h.Hooks, h.Changes = set, set.Mask(), true
		}
		w, err := sim.New(&cfg)
		require.NoError(t, err)
		if err := w.Run(w.Now().Add(clock.Hour)); err != nil {
			// Streams may come to harm, and so may numbers; packets may not.
			require.NotContains(t, err.Error(), "checksum", "seed %d", seed)
			require.NotContains(t, err.Error(), "cannot be read", "seed %d", seed)
		}
		for _, k := range w.Captured() {
			packets++
			valid(t, k.Bytes, seed)
		}
		for i := range cfg.Hosts {
			set := w.Hook(i).(*plugins.Set)
			for _, p := range set.Plugins() {
				calls += p.Stats().Calls
				mutated += p.Stats().Whys[plugins.WhyVerdict]
			}
			require.NoError(t, set.Close())
			require.NoError(t, cfg.Hosts[i].Hook.(*plugins.Set).Close())
		}
	}
	t.Logf("%d calls, %d verdicts obeyed, %d packets, all whole", calls, mutated, packets)
	require.Positive(t, mutated)
}

// valid asks that a packet is one that a strict reader takes.
func valid(t testing.TB, b []byte, seed uint64) {
	t.Helper()
	var ip wire.IP
	require.Equal(t, rule.NotDropped, wire.ParseIP(b, &ip), "seed %d: %x", seed, b)
	require.LessOrEqual(t, len(b), 1500, "seed %d", seed)
	if ip.Protocol != wire.ProtocolTCP {
		return
	}
	var h wire.TCP
	segment := b[ip.HeaderLen:ip.TotalLen]
	require.Equal(t, rule.NotDropped, wire.ParseTCP(segment, &h), "seed %d: %x", seed, b)
	require.True(t, wire.VerifyTCP(segment, &ip), "seed %d: %x", seed, b)
	require.False(t, h.Options.Has.Has(wire.HasMalformed), "seed %d: %x", seed, b)
}

// TestMistakesSayWhatMends is what an author reads who has got something wrong.
func TestEngineMistakesSayWhatMends(t *testing.T) {
	e := newEngine(t, wazero.Config{})
	for name, want := range map[string]string{"trap": "unreachable", "spin": "fuel", "tree": "ask for more with a line budget"} {
		r := runWith(t, loadHostile(t, e, name, everything), 7, 1000)
		require.Contains(t, strings.ToLower(r.plugin.Err().Error()), want)
	}
}

// arriving is a full segment that arrives at a connection in the middle of its work.
func arriving() tcp.Record {
	return tcp.Record{
		Step: tcp.StepArriving, From: tcp.Established, To: tcp.Established, Conn: 1, Packet: 1,
		Tuple: tcp.Tuple{
			Local:  wire.AddrPort{Addr: wire.AddrFrom4([4]byte{10, 0, 0, 2}), Port: 80},
			Remote: wire.AddrPort{Addr: wire.AddrFrom4([4]byte{10, 0, 0, 1}), Port: 40000},
		},
		Send:    tcp.SendSpace{ISS: 1000, UNA: 20000, NXT: 20000, WND: 65535},
		Receive: tcp.ReceiveSpace{IRS: 2000, NXT: 7000, WND: 65535},
		Segment: true, TTL: 64, Payload: make([]byte, 1448),
		TCP: wire.TCP{SrcPort: 40000, DstPort: 80, Seq: 7000, Ack: 20000, Flags: wire.ACK, Window: 501},
	}
}
