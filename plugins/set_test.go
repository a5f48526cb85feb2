package plugins_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/internal/assemble"
)

// TestMask has a plugin for each hook, which is called at its step and nowhere else.
func TestMask(t *testing.T) {
	steps := 0
	for _, h := range engineHooks() {
		var f fake
		b := newBench(load(t, &f, of(h)))
		f.calls = nil
		for step := range tcp.Steps {
			r := established(step)
			require.Equal(t, tcp.Pass, b.at(r))
		}
		if b.Mask() == 0 {
			require.Empty(t, f.calls, "%s belongs to no step", plugins.Export(h))
			continue
		}
		steps++
		require.Equal(t, of(h), f.calls, "%s", plugins.Export(h))
		require.Equal(t, uint64(1), b.Plugins()[0].Stats().Calls)
	}
	require.Equal(t, int(tcp.Steps), steps, "each step has a hook")
	require.Empty(t, plugins.Export(0x7777))
}

// TestOrder has two writers of one field, and one that stops the segment.
//
// Proves: P17
func TestOrder(t *testing.T) {
	window := func(name string, add uint16, manifest ...string) (*fake, *plugins.Plugin) {
		f := &fake{on: func(c *call) int64 {
			c.put16(abi.SegmentWindow, 10*wire.Le16(c.b[abi.SegmentWindow:])+add)
			return mutated(abi.FieldWindow)
		}}
		return f, load(t, f, of(abi.HookArriving), append(manifest, "name "+name, "grants header")...)
	}
	_, one := window("one", 1)
	_, two := window("two", 2)
	_, three := window("three", 3, "priority -5")
	b := newBench(one, two, three)
	r := segment(tcp.StepArriving, 0)
	r.TCP.Window = 4
	require.Equal(t, tcp.Mutated, b.at(r))
	require.Equal(t, uint16(4312), r.TCP.Window, "by priority, then as they came; each sees what the one before has made")
	require.Equal(t, []string{"one", "two", "three"}, b.Names(), "events know them by when they came")
	var order []uint8
	for _, e := range b.log.Take(nil) {
		require.Equal(t, event.Plugin, e.Kind)
		require.Equal(t, uint8(abi.Mutated), e.By)
		require.Equal(t, uint8(tcp.StepArriving), e.From)
		require.Equal(t, uint64(abi.FieldWindow), e.A)
		require.Equal(t, uint64(abi.HookArriving)<<32, e.B)
		require.Equal(t, uint32(7), e.Conn)
		order = append(order, e.To)
	}
	require.Equal(t, []uint8{2, 0, 1}, order)

	drops := &fake{on: func(*call) int64 { return int64(abi.Drop) | 9<<8 }}
	b.Add(load(t, drops, of(abi.HookArriving), "grants header", "priority -1"))
	fTwo, last := window("last", 0)
	b.Add(last)
	r = segment(tcp.StepArriving, 0)
	r.TCP.Window = 4
	require.Equal(t, tcp.DropIt, b.at(r))
	require.Equal(t, uint64(9), r.Arg)
	require.Equal(t, uint16(43), r.TCP.Window)
	require.Empty(t, fTwo.calls, "who stops it ends the chain")
}

func TestNames(t *testing.T) {
	var f fake
	b := newBench(load(t, &f, of(abi.HookArriving), "name drop"), load(t, &f, of(abi.HookArriving), "name drop"), load(t, &f, of(abi.HookArriving)))
	require.Equal(t, []string{"drop", "drop#2", "plugin"}, b.Names())
	require.Equal(t, "drop#2", b.Plugin("drop#2").Name())
	require.EqualError(t, b.Remove("dorp", 0, &b.log), `remove plugin dorp: there is no such plugin; is drop meant?`)
	require.NoError(t, b.Remove("drop", 0, &b.log))
	require.Equal(t, []string{"", "drop#2", "plugin"}, b.Names(), "the others keep their numbers")
	require.Equal(t, []plugins.Why{plugins.WhyRemoved}, b.whys())
	b.at(segment(tcp.StepArriving, 0))
	require.Len(t, f.calls, 2)
	require.NoError(t, b.Close())
	require.Equal(t, 3, f.closed)
	require.Equal(t, tcp.Pass, b.at(segment(tcp.StepArriving, 0)), "nothing is called that is closed")
}

// TestVerdicts goes through all verdicts at all hooks: with every grant those that
// have a meaning there are obeyed and others are strikes; without grants only
// those that need none.
func TestVerdicts(t *testing.T) {
	// What the engine obeys at a step, from core/tcp.
	obeys := map[tcp.Step][]abi.Verdict{tcp.StepTransition: {abi.Reset, abi.GoTo}, tcp.StepSyn: {abi.Drop, abi.Reset, abi.Cookie},
		tcp.StepTimerArmed: {abi.Mutated, abi.Hold, abi.Now}, tcp.StepTimerFired: {abi.Hold}}
	for _, step := range []tcp.Step{tcp.StepMoving, tcp.StepMoved, tcp.StepArriving, tcp.StepLeaving} {
		obeys[step] = []abi.Verdict{abi.Mutated, abi.Drop, abi.Delay, abi.Duplicate, abi.Reset, abi.Hold, abi.Release}
	}
	for _, step := range []tcp.Step{tcp.StepIngress, tcp.StepEgress} {
		obeys[step] = []abi.Verdict{abi.Mutated, abi.Drop, abi.Delay, abi.Duplicate}
	}
	for _, step := range []tcp.Step{tcp.StepNew, tcp.StepEstablished, tcp.StepRTT, tcp.StepPhase, tcp.StepAck, tcp.StepISN, tcp.StepPort,
		tcp.StepParse, tcp.StepReserve, tcp.StepOptions} {
		obeys[step] = []abi.Verdict{abi.Mutated}
	}
	argument := map[abi.Verdict]int64{abi.Delay: 1000, abi.Duplicate: 2 | 1000<<8, abi.GoTo: abi.StateFinWait1, abi.Hold: 5, abi.Release: 5}
	engine := map[abi.Verdict]tcp.Verdict{abi.Pass: tcp.Pass, abi.Mutated: tcp.Pass, abi.Drop: tcp.DropIt, abi.Delay: tcp.Delay, abi.Duplicate: tcp.Duplicate,
		abi.Inject: tcp.Pass, abi.Reset: tcp.Reset, abi.Cookie: tcp.SendCookie, abi.Hold: tcp.Hold, abi.Release: tcp.Pass, abi.Detach: tcp.Pass, abi.GoTo: tcp.GoTo, abi.Now: tcp.FireNow}
	for _, h := range engineHooks() {
		for step := range tcp.Steps {
			if b := newBench(load(t, &fake{}, of(h))); !b.Mask().Has(step) {
				continue
			}
			for verdict := abi.Verdict(0); verdict <= 20; verdict++ {
				result := int64(verdict) | argument[verdict]<<8
				allowed := verdict == abi.Pass || verdict == abi.Detach || verdict == abi.Inject
				for _, v := range obeys[step] {
					allowed = allowed || v == verdict
				}
				f := &fake{on: func(c *call) int64 {
					c.put16(abi.SegmentFlags, uint16(wire.ACK)) // of what it injects
					c.put32(abi.SegmentPayload, 0)
					if step == tcp.StepTransition {
						c.put32(abi.SegmentSeq, uint32(rcv))
					}
					return result
				}}
				b := newBench(load(t, f, of(h), "grants observe header payload control inject options timers cc admission link rewrite-tuple resize lab"))
				r := segment(step, 10)
				r.Segment = step != tcp.StepTransition
				got := b.at(r)
				whys := b.whys()
				name := plugins.Export(h) + " " + string(rune('0'+verdict))
				if !allowed {
					require.Equal(t, tcp.Pass, got, name)
					require.Equal(t, []plugins.Why{plugins.WhyBad}, whys, name)
					require.ErrorContains(t, b.Plugins()[0].Err(), "which is no verdict that this tcpkit obeys there; there may be pass")
					continue
				}
				require.Equal(t, engine[verdict], got, name)
				require.NoError(t, b.Plugins()[0].Err(), name)

				f.calls = nil
				bare := newBench(load(t, f, of(h), "grants cc")) // which is for none of these
				got = bare.at(segment(step, 10))
				require.Equal(t, tcp.Pass, got, name)
				switch {
				case verdict == abi.Pass, verdict == abi.Detach, verdict == abi.Mutated: // of no field
				default:
					require.Equal(t, []plugins.Why{plugins.WhyMutation}, bare.whys(), "%s without its grant", name)
					require.ErrorContains(t, bare.Plugins()[0].Err(), "without the grant")
				}
			}
		}
	}
}

func TestVerdictsOutOfBounds(t *testing.T) {
	for _, result := range []int64{
		-1, -256, 255, int64(abi.Delay) | int64(61*clock.Second)<<8, int64(abi.Duplicate), int64(abi.Duplicate) | 9<<8,
		int64(abi.Duplicate) | 1<<8 | int64(11*clock.Second)<<16, int64(abi.Pass) | abi.FieldSeq<<8, int64(abi.Pass) | abi.FieldState<<8,
		mutated(abi.FieldArgs), mutated(1 << 20), mutated(1 << 40),
	} {
		f := &fake{on: func(*call) int64 { return result }}
		b := newBench(load(t, f, of(abi.HookArriving), "grants observe header lab"))
		require.Equal(t, tcp.Pass, b.at(segment(tcp.StepArriving, 0)), "%d", result)
		require.Equal(t, []plugins.Why{plugins.WhyBad}, b.whys(), "%d", result)
	}
	f := &fake{on: func(*call) int64 { return int64(abi.GoTo) | abi.StateTimeWait<<8 }}
	b := newBench(load(t, f, of(abi.HookTransition), "grants lab"))
	require.Equal(t, tcp.Pass, b.at(established(tcp.StepTransition)))
	require.Equal(t, []plugins.Why{plugins.WhyBad}, b.whys(), "ESTABLISHED to TIME-WAIT is no edge of Figure 5")
	require.True(t, b.Lab())
}

// TestHoldAndRelease has a plugin that lets go what it has held: tags of two
// plugins are never the same.
func TestHoldAndRelease(t *testing.T) {
	results := []int64{int64(abi.Hold) | 5<<8, int64(abi.Release) | 5<<8}
	f := &fake{}
	f.on = func(*call) int64 { return results[len(f.calls)-1] }
	b := newBench(load(t, &fake{}, of(abi.HookLeft)), load(t, f, of(abi.HookArriving), "grants lab"))
	r := segment(tcp.StepArriving, 0)
	require.Equal(t, tcp.Hold, b.at(r))
	tag := r.Arg
	require.Equal(t, uint64(1<<48|5), tag)
	require.Equal(t, tcp.Pass, b.at(segment(tcp.StepArriving, 0)))
	require.Equal(t, []uint64{tag}, b.beside.TakeReleased())
	require.Equal(t, []plugins.Why{plugins.WhyVerdict, plugins.WhyVerdict}, b.whys())
}

// TestDetach has a plugin that has seen enough.
func TestDetach(t *testing.T) {
	f := &fake{on: func(*call) int64 { return int64(abi.Detach) }}
	b := newBench(load(t, f, of(abi.HookArriving), "mode guard", "grants header"))
	for range 3 {
		require.Equal(t, tcp.Pass, b.at(segment(tcp.StepArriving, 0)), "who leaves of its own accord is not missed")
	}
	require.Len(t, f.calls, 1)
	require.Equal(t, 1, f.closed)
	require.Equal(t, plugins.OutDetached, b.Plugins()[0].Out())
	require.Zero(t, b.Mask())
	require.Equal(t, []plugins.Why{plugins.WhyDetached}, b.whys())
}

// TestFilters looks at what is let through to a plugin.
func TestFilters(t *testing.T) {
	for _, c := range []struct {
		filter string
		step   tcp.Step
		change func(r *tcp.Record)
		want   bool
	}{
		{"* port=80", tcp.StepArriving, nil, true},
		{"* port=81,49000-50000", tcp.StepArriving, nil, true},
		{"* port=81", tcp.StepArriving, nil, false},
		{"* local-port=80-", tcp.StepArriving, nil, true},
		{"* local-port=49152", tcp.StepArriving, nil, false},
		{"* remote-port=49152", tcp.StepArriving, nil, true},
		{"* port=81", tcp.StepISN, func(r *tcp.Record) { r.Tuple = tcp.Tuple{} }, true},
		{"* state=established,close-wait", tcp.StepArriving, nil, true},
		{"* state=SYN-SENT", tcp.StepArriving, nil, false},
		{"* to=FIN-WAIT-1", tcp.StepTransition, func(r *tcp.Record) { r.To = tcp.FinWait1 }, true},
		{"* to=FIN-WAIT-1", tcp.StepTransition, nil, false},
		{"* flags=ACK", tcp.StepArriving, nil, true},
		{"* flags=SYN/SYN+ACK", tcp.StepArriving, nil, false},
		{"* flags=SYN/SYN+ACK", tcp.StepArriving, func(r *tcp.Record) { r.TCP.Flags = wire.SYN | wire.ECE }, true},
		{"* flags=0/FIN+RST", tcp.StepArriving, nil, true},
		{"* flags=SYN", tcp.StepTransition, nil, true}, // there is no segment
		{"* direction=in", tcp.StepArriving, nil, true},
		{"* direction=in", tcp.StepLeaving, nil, false},
		{"* direction=out", tcp.StepLeaving, nil, true},
		{"* payload=1-", tcp.StepArriving, nil, true},
		{"* payload=0", tcp.StepArriving, nil, false},
		{"* payload=-99", tcp.StepArriving, nil, false},
		{"* payload=100 port=80 state=ESTABLISHED", tcp.StepArriving, nil, true},
		{"* payload=100 port=81 state=ESTABLISHED", tcp.StepArriving, nil, false},
		{"segment_leaving port=81", tcp.StepArriving, nil, true}, // it is for another hook
		{"segment_leaving,segment_arriving port=81", tcp.StepArriving, nil, false},
		{"* port=81\nfilter * payload=100", tcp.StepArriving, nil, true}, // one is enough
	} {
		f := &fake{}
		b := newBench(load(t, f, of(abi.HookArriving, abi.HookLeaving, abi.HookTransition, abi.HookISN), "filter "+c.filter))
		r := segment(c.step, 100)
		if c.step == tcp.StepTransition || c.step == tcp.StepISN {
			r = established(c.step)
		}
		if c.change != nil {
			c.change(r)
		}
		b.at(r)
		require.Equal(t, c.want, len(f.calls) > 0, c.filter)
	}
	for filter, says := range map[string]string{
		"*":                        "the filter has no condition; add one, such as port=80",
		"segment_arrivin port=80":  `there is no hook "segment_arrivin"; is segment_arriving meant?`,
		"* ports=80":               `there is no condition "ports"; is port meant?`,
		"* 80":                     `"80" is no condition; write one as port=80`,
		"* port=90-80":             `"90-80" is no number or range up to 65535, such as 80 or 8000-8080`,
		"* port=-":                 `"-" is no number or range up to 65535, such as 80 or 8000-8080`,
		"* flags=SNY":              `there is no flag "SNY"; is SYN meant?`,
		"* flags=SYN+ACK/SYN":      "flags=SYN+ACK/SYN can never hold: what is behind the stroke are the flags that are looked at, which must include those before it",
		"* state=ESTABLISHD":       `there is no state "ESTABLISHD"; is ESTABLISHED meant?`,
		"* direction=up":           `the direction "up" is neither in nor out`,
		"* port=1,2,3,4,5,6,7,8,9": "a filter has room for 8 ports or ranges of them; write a second filter",
	} {
		_, problems := plugins.ParseManifest([]byte("filter " + filter))
		require.Len(t, problems, 1, filter)
		require.EqualError(t, problems[0], "line 1 of the manifest: "+says)
	}
}

// TestAllocatesNothing calls three plugins that are shown all there is, and change
// something.
func TestAllocatesNothing(t *testing.T) {
	f := &fake{on: func(c *call) int64 {
		c.b[abi.StateAt]++
		if c.Hook == abi.HookTransition {
			return int64(abi.Pass) | abi.FieldState<<8
		}
		c.put16(abi.SegmentWindow, 5)
		return mutated(abi.FieldWindow | abi.FieldState)
	}}
	f.calls = make([]abi.Hook, 0, 1<<16)
	hooks := of(abi.HookArriving, abi.HookLeaving, abi.HookTransition, abi.HookTick)
	manifest := []string{"grants header payload options", "state 32", "filter * port=80", "tick 1s"}
	b := newBench(load(t, f, hooks, manifest...), load(t, f, hooks, manifest...), load(t, &fake{calls: f.calls}, hooks))
	b.log = event.Log{}
	in, out, change := segment(tcp.StepArriving, 1000), segment(tcp.StepLeaving, 1000), established(tcp.StepTransition)
	b.at(in)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		b.at(in)
		b.at(out)
		b.at(change)
		b.Deadline()
	}))
	for _, p := range b.Plugins() {
		require.NoError(t, p.Err())
	}
}

// TestClone has a copy of a Set, which has what is kept in the host for itself.
func TestClone(t *testing.T) {
	f := &fake{on: func(c *call) int64 {
		if c.Hook == abi.HookTransition {
			c.b[abi.StateAt]++
			c.host.Set(1, c.host.Get(1)+1)
			c.host.Arm(3, int64(clock.Second))
			return int64(abi.Pass) | abi.FieldState<<8
		}
		return c.trap(plugins.Error("broken"))
	}}
	b := newBench(load(t, f, of(abi.HookTransition, abi.HookArriving, abi.HookTick), "state 8"))
	print := func(s *plugins.Set) uint64 {
		h := siphash.New(siphash.Key{})
		s.Fingerprint(&h, 1000)
		return h.Sum64()
	}
	empty := print(b.Set)
	b.at(established(tcp.StepTransition))
	before := print(b.Set)
	require.NotEqual(t, empty, before)
	c := &bench{Set: b.Clone().(*plugins.Set)}
	require.Equal(t, before, print(c.Set), "a copy has the same future")
	require.Equal(t, b.Deadline(), c.Deadline())
	require.Equal(t, b.Mask(), c.Mask())
	c.at(established(tcp.StepTransition))
	require.NotEqual(t, before, print(c.Set))
	require.Equal(t, before, print(b.Set), "and what happens to it is not seen here")

	// It shares the instance: a trap in one is a new start for both, but a strike for one.
	c.at(segment(tcp.StepArriving, 0))
	require.Equal(t, 1, f.closed)
	require.Equal(t, tcp.Pass, b.at(established(tcp.StepTransition)))
	require.Zero(t, b.Plugins()[0].Stats().Strikes)
	b.expire(2000)
	require.Equal(t, 2, f.started)
	b.at(established(tcp.StepTransition))
	require.NoError(t, b.Close())
	require.NoError(t, c.Close())
	require.Equal(t, f.started, f.closed, "the last one ends it")
}

// TestDrawsAreFuture: what a plugin draws next depends on how often it was called, which
// makes no difference to one that draws nothing.
func TestDrawsAreFuture(t *testing.T) {
	for _, draws := range []bool{false, true} {
		parts := []assemble.Func{assemble.ABI(abi.Version), assemble.Init(1024), assemble.Hook(abi.ExportTransition, assemble.Pass)}
		if draws {
			parts = append(parts, assemble.Func{Module: abi.ImportModule, Name: abi.ImportRandom, Results: []byte{assemble.I64}})
		}
		p, err := plugins.Load(&fake{}, assemble.Module(parts...), plugins.Options{})
		require.NoError(t, err)
		b := newBench(p)
		prints := map[uint64]bool{}
		for range 3 {
			b.at(established(tcp.StepTransition))
			h := siphash.New(siphash.Key{})
			b.Fingerprint(&h, 1_000_000)
			prints[h.Sum64()] = true
		}
		require.Equal(t, draws, len(prints) > 1, prints)
	}
}

// BenchmarkAt is what the policy itself takes for a segment: with a plugin whose
// filter lets nothing through, one that is shown the record, and one that changes
// a field.
func BenchmarkAt(b *testing.B) {
	for _, c := range []struct {
		name     string
		on       func(c *call) int64
		manifest []string
	}{
		{"filtered", nil, []string{"filter * port=81"}},
		{"pass", nil, []string{"sections none"}},
		{"all sections", nil, []string{allGrants, "state 64"}},
		{"mutated", func(c *call) int64 { return mutated(abi.FieldWindow) }, []string{"grants header"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := &fake{on: c.on}
			s := newBench(load(b, f, of(abi.HookArriving), c.manifest...))
			r := segment(tcp.StepArriving, 0)
			b.ReportAllocs()
			for b.Loop() {
				f.calls = f.calls[:0]
				r.Now++
				s.Set.At(r)
			}
		})
	}
}
