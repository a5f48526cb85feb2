package plugins_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// TestLogFlood has a plugin that logs a million messages.
//
// Proves: P19
func TestLogFlood(t *testing.T) {
	f := &fake{on: func(c *call) int64 {
		text := []byte(strings.Repeat("x", 5000))
		for range 1000 {
			c.host.Log(2, text)
		}
		return 0
	}}
	b := newBench(load(t, f, of(abi.HookArriving)))
	p := b.Plugins()[0]
	for i := range 1000 {
		r := segment(tcp.StepArriving, 0)
		r.Now = clock.Instant(i) * clock.Instant(clock.Millisecond)
		b.at(r)
	}
	messages, lost := p.Messages()
	require.Len(t, messages, 32+15, "32 at once, and 16 in a second")
	require.Equal(t, uint64(1_000_000-47), lost)
	require.Equal(t, plugins.Message{At: 0, Level: 2, Text: strings.Repeat("x", 1024)}, messages[0])
	messages, _ = p.Messages()
	require.Empty(t, messages, "they are handed out once")
	for i := range 1000 {
		r := segment(tcp.StepArriving, 0)
		r.Now = clock.Instant(clock.Second) + clock.Instant(i)*clock.Instant(clock.Second)
		b.at(r)
	}
	messages, _ = p.Messages()
	require.Len(t, messages, 64, "what nobody takes is not kept for ever")
}

// TestRandom has draws that depend on the key, the plugin and its call, and on
// nothing else: not on what others draw.
//
// Proves: P16
func TestRandom(t *testing.T) {
	draw := func(name string, key uint64, draws int) (numbers []uint64) {
		f := &fake{on: func(c *call) int64 {
			for range draws {
				numbers = append(numbers, c.host.Random())
			}
			return 0
		}}
		p, err := plugins.Load(f, export(of(abi.HookArriving)), plugins.Options{Name: name, Key: siphash.Key{K0: key}})
		require.NoError(t, err)
		b := newBench(load(t, &fake{on: func(c *call) int64 { c.host.Random(); return 0 }}, of(abi.HookArriving)), p)
		for range 3 {
			b.at(segment(tcp.StepArriving, 0))
		}
		return numbers
	}
	one, two := draw("a", 1, 1), draw("a", 1, 2)
	require.Equal(t, one, draw("a", 1, 1))
	require.Equal(t, one, []uint64{two[0], two[2], two[4]}, "what is drawn in one call moves no other")
	require.NotEqual(t, one, draw("b", 1, 1))
	require.NotEqual(t, one, draw("a", 2, 1))
	require.NotEqual(t, one[0], one[1])
}

// TestRunsAreEqual calls two Sets of the same plugins in the same way.
//
// Proves: P16
func TestRunsAreEqual(t *testing.T) {
	run := func() (log uint64, windows []uint16) {
		f := &fake{on: func(c *call) int64 {
			require.Equal(t, int64(wire.Le64(c.b[abi.OffsetNow:])), c.host.Now(), "the engine's clock is all there is")
			c.put16(abi.SegmentWindow, uint16(c.host.Random()))
			return mutated(abi.FieldWindow)
		}}
		b := newBench(load(t, f, of(abi.HookArriving), "grants header"))
		for i := range 100 {
			r := segment(tcp.StepArriving, 10)
			r.Now = clock.Instant(i)
			b.at(r)
			windows = append(windows, r.TCP.Window)
		}
		return b.log.Hash(), windows
	}
	log, windows := run()
	logAgain, windowsAgain := run()
	require.Equal(t, log, logAgain)
	require.Equal(t, windows, windowsAgain)
}

// TestStore has 64 keys, and what a plugin counts.
func TestStore(t *testing.T) {
	var p *plugins.Plugin
	f := &fake{on: func(c *call) int64 {
		for k := range int64(64) {
			require.True(t, c.host.Set(100-k, k+1))
		}
		require.False(t, c.host.Set(200, 1), "there is room for 64")
		require.True(t, c.host.Set(50, 7), "one that is there can change")
		require.Equal(t, int64(7), c.host.Get(50))
		require.Zero(t, c.host.Get(200))
		require.True(t, c.host.Set(50, 0), "0 is what is not there")
		require.True(t, c.host.Set(200, 9))
		require.Equal(t, int64(9), c.host.Get(200))
		require.Zero(t, c.host.Get(50))
		require.Equal(t, int64(1), c.host.Get(100))
		c.host.Metric(3, 5)
		c.host.Metric(3, -7)
		c.host.Metric(16, 1)
		return 0
	}}
	p = load(t, f, of(abi.HookArriving))
	newBench(p).at(segment(tcp.StepArriving, 0))
	require.NoError(t, p.Err())
	require.Equal(t, plugins.Metric{Count: 2, Sum: -2, Min: -7, Max: 5}, p.Metrics()[3])
}

// TestTimers arms some, and has a tick.
func TestTimers(t *testing.T) {
	var ids []uint64
	f := &fake{}
	f.on = func(c *call) int64 {
		if c.Hook == abi.HookTick {
			ids = append(ids, c.arg(0))
			require.True(t, c.has(abi.SectionArgs))
			if c.arg(0) == 9 {
				c.host.Arm(9, 0)
			}
			return 0
		}
		c.host.Arm(1, int64(20*clock.Millisecond))
		c.host.Arm(2, int64(10*clock.Millisecond))
		c.host.Arm(3, int64(10*clock.Millisecond))
		c.host.Arm(4, int64(5*clock.Millisecond))
		c.host.Arm(4, -1)
		c.host.Arm(1, int64(30*clock.Millisecond))
		for id := range uint32(100) {
			c.host.Arm(100+id, int64(clock.Hour))
		}
		return 0
	}
	b := newBench(load(t, f, of(abi.HookArriving, abi.HookTick), "tick 25ms"))
	r := segment(tcp.StepArriving, 0)
	r.Now = 0
	b.at(r)
	ms := func(n int) clock.Instant { return clock.Instant(n) * clock.Instant(clock.Millisecond) }
	for _, want := range []struct {
		at  clock.Instant
		ids []uint64
	}{{ms(10), []uint64{2, 3}}, {ms(25), []uint64{1 << 32}}, {ms(30), []uint64{1}}, {ms(50), []uint64{1 << 32}}} {
		require.Equal(t, want.at, b.Deadline())
		ids = nil
		b.expire(want.at - 1)
		require.Empty(t, ids)
		b.expire(want.at)
		require.Equal(t, want.ids, ids)
	}
	ids = nil
	b.expire(ms(1000))
	require.Equal(t, []uint64{1 << 32}, ids, "ticks that were missed are not made up for")
	require.Equal(t, ms(1025), b.Deadline())

	// A timer that arms itself anew lets the clock go on.
	again := &fake{on: func(c *call) int64 { c.host.Arm(9, 0); return 0 }}
	b = newBench(load(t, again, of(abi.HookArriving, abi.HookTick)))
	b.at(r)
	for i := range 5 {
		require.Equal(t, ms(i+1), b.Deadline())
		b.expire(b.Deadline())
	}
}

// TestInject has plugins that make segments: by a verdict and by the import.
//
// Proves: P11
func TestInject(t *testing.T) {
	make := func(c *call) {
		c.b[abi.OffsetBits] |= abi.BitLeaving
		c.put32(abi.SegmentSeq, uint32(nxt))
		c.put32(abi.SegmentAck, uint32(rcv))
		c.put16(abi.SegmentFlags, uint16(wire.ACK|wire.PSH))
		c.put32(abi.SegmentPayload, 2)
		c.put32(abi.OffsetSections, c.u32(abi.OffsetSections)|abi.SectionPayload)
		copy(c.b[abi.PayloadAt:], "hi")
	}
	want := tcp.Aside{Leaving: true, After: 500, Tuple: tuple4, TTL: 64, Payload: []byte("hi"), TCP: wire.TCP{
		Seq: nxt, Ack: rcv, Flags: wire.ACK | wire.PSH, Window: 1000, Options: wire.Options{Has: wire.HasTimestamps, TSVal: 10, TSEcr: 20},
	}}
	for name, do := range map[string]func(c *call) int64{
		"verdict": func(c *call) int64 { make(c); return int64(abi.Inject) | 500<<8 },
		"import": func(c *call) int64 {
			make(c)
			c.put32(abi.OffsetSections, c.u32(abi.OffsetSections)|abi.SectionArgs)
			c.putArg(0, 500)
			require.True(t, c.host.Inject(c.b[:abi.PayloadAt+2]))
			return 0
		},
	} {
		f := &fake{on: do}
		b := newBench(load(t, f, of(abi.HookArriving), "grants inject"))
		r := segment(tcp.StepArriving, 0)
		require.Equal(t, tcp.Pass, b.at(r), name)
		require.NoError(t, b.Plugins()[0].Err(), name)
		require.Equal(t, []tcp.Aside{want}, b.beside.Take(), "%s: it waits for the end of what is being done", name)
		require.Equal(t, segment(tcp.StepArriving, 0), stripped(r))
	}
	for name, spoil := range map[string]func(c *call){
		"SYN":                  func(c *call) { c.put16(abi.SegmentFlags, uint16(wire.SYN)) },
		"no ACK":               func(c *call) { c.put16(abi.SegmentFlags, 0) },
		"flag that is none":    func(c *call) { c.put16(abi.SegmentFlags, 1<<12|16) },
		"seq":                  func(c *call) { c.put32(abi.SegmentSeq, uint32(nxt)+1<<30) },
		"port":                 func(c *call) { c.put16(abi.OffsetLocalPort, 81) },
		"address":              func(c *call) { c.b[abi.AddressAt+31]++ },
		"options":              func(c *call) { c.put16(abi.SegmentHas, abi.OptionHasMSS); c.put16(abi.SegmentMSS, 1) },
		"payload not there":    func(c *call) { c.put32(abi.OffsetSections, abi.SectionSegment) },
		"payload too long":     func(c *call) { c.put32(abi.SegmentPayload, 1500) },
		"payload far too long": func(c *call) { c.put32(abi.SegmentPayload, 1<<32-1) },
		"raw options":          func(c *call) { c.put32(abi.OffsetSections, c.u32(abi.OffsetSections)|abi.SectionOptions) },
	} {
		for _, byImport := range []bool{false, true} {
			f := &fake{on: func(c *call) int64 {
				make(c)
				spoil(c)
				if byImport {
					c.host.Inject(c.b)
					return 0
				}
				return int64(abi.Inject)
			}}
			b := newBench(load(t, f, of(abi.HookArriving), "grants inject"))
			require.Equal(t, tcp.Pass, b.at(segment(tcp.StepArriving, 0)), name)
			require.Equal(t, []plugins.Why{plugins.WhyMutation}, b.whys(), name)
			require.Empty(t, b.beside.Take(), name)
		}
	}
	// Too many, too short, and of a call that traps.
	f := &fake{on: func(c *call) int64 {
		make(c)
		for i := range 20 {
			require.Equal(t, i < 8, c.host.Inject(c.b[:abi.PayloadAt+2]))
		}
		return c.trap(errBroken)
	}}
	b := newBench(load(t, f, of(abi.HookArriving), "grants inject"))
	b.at(segment(tcp.StepArriving, 0))
	require.Empty(t, b.beside.Take(), "what a call wanted that failed is not done")
	f = &fake{on: func(c *call) int64 { c.host.Inject(c.b[:100]); return 0 }}
	b = newBench(load(t, f, of(abi.HookArriving), "grants inject"))
	b.at(segment(tcp.StepArriving, 0))
	require.Equal(t, []plugins.Why{plugins.WhyMutation}, b.whys())
}
