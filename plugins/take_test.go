package plugins_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// change calls a plugin with the grants, that does what it is told to a record.
func change(t testing.TB, grants string, r *tcp.Record, do func(c *call) int64) (tcp.Verdict, *plugins.Plugin) {
	t.Helper()
	f := &fake{on: do}
	b := newBench(load(t, f, of(abi.HookArriving, abi.HookLeaving), "grants "+grants))
	return b.at(r), b.Plugins()[0]
}

// TestFields has a plugin that changes each field, with the grants that this needs
// and with all others.
//
// Proves: P18
func TestFields(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields int64
		needs  string
		do     func(c *call)
		done   func(r *tcp.Record) bool
	}{
		{"seq", abi.FieldSeq, "header", func(c *call) { c.put32(abi.SegmentSeq, uint32(nxt)+1000) }, func(r *tcp.Record) bool { return r.TCP.Seq == nxt+1000 }},
		{"ack", abi.FieldAck, "header", func(c *call) { c.put32(abi.SegmentAck, uint32(rcv)-5) }, func(r *tcp.Record) bool { return r.TCP.Ack == rcv-5 }},
		{"flags", abi.FieldFlags, "header", func(c *call) { c.put16(abi.SegmentFlags, uint16(wire.ACK|wire.PSH|wire.AE)) }, func(r *tcp.Record) bool { return r.TCP.Flags == wire.ACK|wire.PSH|wire.AE }},
		{"fin", abi.FieldFlags, "control", func(c *call) { c.put16(abi.SegmentFlags, uint16(wire.ACK|wire.FIN)) }, func(r *tcp.Record) bool { return r.TCP.Flags == wire.ACK|wire.FIN }},
		{"window", abi.FieldWindow, "header", func(c *call) { c.put16(abi.SegmentWindow, 77) }, func(r *tcp.Record) bool { return r.TCP.Window == 77 }},
		{"urgent", abi.FieldUrgent, "header", func(c *call) { c.put16(abi.SegmentUrgent, 7) }, func(r *tcp.Record) bool { return r.TCP.Urgent == 7 }},
		{"tos", abi.FieldTOS, "header", func(c *call) { c.b[abi.SegmentTOS] = 3 }, func(r *tcp.Record) bool { return r.TOS == 3 }},
		{"ttl", abi.FieldTTL, "header", func(c *call) { c.b[abi.SegmentTTL] = 1 }, func(r *tcp.Record) bool { return r.TTL == 1 }},
		{"timestamps", abi.FieldOptions, "options", func(c *call) { c.put32(abi.SegmentTSVal, 99) }, func(r *tcp.Record) bool { return r.TCP.Options.TSVal == 99 }},
		{"no options", abi.FieldOptions, "options", func(c *call) { c.put16(abi.SegmentHas, 0) }, func(r *tcp.Record) bool { return r.TCP.Options.Has == 0 }},
		{"sack", abi.FieldOptions, "options", func(c *call) {
			c.put16(abi.SegmentHas, abi.OptionHasTimestamps|abi.OptionHasSACK)
			c.b[abi.SegmentSACKs] = 1
			c.put32(abi.SegmentSACK, 5)
			c.put32(abi.SegmentSACK+4, 9)
		}, func(r *tcp.Record) bool { return r.TCP.Options.SACK[0] == wire.SACKBlock{Left: 5, Right: 9} }},
		{"raw options", abi.FieldRawOptions, "options", func(c *call) {
			c.put32(abi.OptionsAt, 5)
			copy(c.b[abi.OptionsAt+4:], []byte{253, 5, 1, 2, 3})
		}, func(r *tcp.Record) bool {
			return string(r.Options) == "\xfd\x05\x01\x02\x03\x00\x00\x00" && r.TCP.Options.Has == wire.HasUnknown
		}},
		{"payload", abi.FieldPayload, "payload", func(c *call) { c.b[abi.PayloadAt+9] = 'x' }, func(r *tcp.Record) bool { return r.Payload[9] == 'x' && len(r.Payload) == 10 }},
		{"shorter", abi.FieldLength, "resize", func(c *call) { c.put32(abi.SegmentPayload, 4) }, func(r *tcp.Record) bool { return len(r.Payload) == 4 && r.Payload[3] == 3 }},
		{"longer", abi.FieldLength | abi.FieldPayload, "resize", func(c *call) {
			c.put32(abi.SegmentPayload, 12)
			copy(c.b[abi.PayloadAt+10:], "yz")
		}, func(r *tcp.Record) bool { return string(r.Payload[8:]) == "\x08\x09yz" }},
		{"ports", abi.FieldPorts, "rewrite-tuple", func(c *call) { c.put16(abi.OffsetRemotePort, 9) }, func(r *tcp.Record) bool { return r.Tuple.Remote.Port == 9 && r.Tuple.Local.Port == 80 }},
		{"addresses", abi.FieldAddresses, "rewrite-tuple", func(c *call) { c.b[abi.AddressAt+31] = 8 }, func(r *tcp.Record) bool {
			return r.Tuple.Remote.Addr == wire.AddrFrom4([4]byte{198, 51, 100, 8})
		}},
	} {
		for _, grant := range []string{"observe", "header", "payload", "control", "inject", "options", "timers", "cc", "admission", "link", "rewrite-tuple", "resize", "lab"} {
			// What comes with a grant does as well.
			enough := grant == c.needs || c.needs == "header" && (grant == "control" || grant == "rewrite-tuple") || c.needs == "payload" && grant == "resize"
			r := segment(tcp.StepLeaving, 10)
			verdict, p := change(t, grant, r, func(call *call) int64 {
				defer func() { _ = recover() }() // a section that is not there
				c.do(call)
				return mutated(c.fields)
			})
			if enough {
				require.NoError(t, p.Err(), "%s with %s", c.name, grant)
				require.Equal(t, tcp.Mutated, verdict, "%s with %s", c.name, grant)
				require.True(t, c.done(r), "%s with %s", c.name, grant)
				continue
			}
			require.Equal(t, tcp.Pass, verdict, "%s with %s", c.name, grant)
			require.Equal(t, segment(tcp.StepLeaving, 10), stripped(r), "%s with %s: nothing of it is taken", c.name, grant)
		}
	}
}

// stripped is r as it was made.
func stripped(r *tcp.Record) *tcp.Record {
	r.Beside, r.Log = nil, nil
	return r
}

// TestDenied looks at what a plugin sees without grants.
func TestDenied(t *testing.T) {
	var seen []byte
	r := segment(tcp.StepLeaving, 10)
	look := func(c *call) int64 {
		seen = append(seen[:0], c.b...)
		return 0
	}
	change(t, "cc", r, look)
	require.Equal(t, uint32(0), wire.Le32(seen[abi.OffsetSections:]))
	for i, c := range seen[abi.OffsetLocalPort:] {
		require.Zero(t, c, "octet %d", abi.OffsetLocalPort+i)
	}
	require.Equal(t, uint8(abi.StateEstablished), seen[abi.OffsetFrom], "the state is no secret")
	change(t, "observe", r, look)
	require.Equal(t, uint32(abi.SectionSegment|abi.SectionAddress), wire.Le32(seen[abi.OffsetSections:]))
	require.Len(t, seen, abi.AddressEnd, "there is not even room for payload")
	change(t, "payload", r, look)
	require.Equal(t, uint32(abi.SectionSegment|abi.SectionAddress|abi.SectionPayload), wire.Le32(seen[abi.OffsetSections:]))
	require.Equal(t, r.Payload, seen[abi.PayloadAt:abi.PayloadAt+10])

	// Two plugins of one chain see each what it may.
	blind, open := &fake{}, &fake{}
	f := func(f *fake) func(c *call) int64 {
		return func(c *call) int64 { f.fuel = int64(c.u32(abi.SegmentSeq)); return 0 }
	}
	blind.on, open.on = f(blind), f(open)
	b := newBench(load(t, blind, of(abi.HookLeaving), "grants cc"), load(t, open, of(abi.HookLeaving)), load(t, blind, of(abi.HookLeaving), "grants cc"))
	b.at(r)
	require.Equal(t, []int64{0, int64(nxt)}, []int64{blind.fuel, open.fuel})
}

// TestIllegal is what no grant helps with.
//
// Proves: P09
func TestIllegal(t *testing.T) {
	raw := func(octets ...byte) func(c *call) int64 {
		return func(c *call) int64 {
			c.put32(abi.OptionsAt, uint32(len(octets)))
			copy(c.b[abi.OptionsAt+4:], octets)
			return mutated(abi.FieldRawOptions)
		}
	}
	for name, do := range map[string]func(c *call) int64{
		"seq before the window": func(c *call) int64 { c.put32(abi.SegmentSeq, uint32(una)-2); return mutated(abi.FieldSeq) },
		"seq behind the window": func(c *call) int64 { c.put32(abi.SegmentSeq, uint32(una.Add(60000))); return mutated(abi.FieldSeq) },
		"flags that are none":   func(c *call) int64 { c.put16(abi.SegmentFlags, 1<<9|16); return mutated(abi.FieldFlags) },
		"no TTL":                func(c *call) int64 { c.b[abi.SegmentTTL] = 0; return mutated(abi.FieldTTL) },
		"MSS without SYN":       func(c *call) int64 { c.put16(abi.SegmentHas, abi.OptionHasMSS); return mutated(abi.FieldOptions) },
		"unknown option":        func(c *call) int64 { c.put16(abi.SegmentHas, abi.OptionHasUnknown); return mutated(abi.FieldOptions) },
		"no SACK block":         func(c *call) int64 { c.put16(abi.SegmentHas, abi.OptionHasSACK); return mutated(abi.FieldOptions) },
		"too many SACK blocks": func(c *call) int64 {
			c.put16(abi.SegmentHas, abi.OptionHasSACK)
			c.b[abi.SegmentSACKs] = 4
			return mutated(abi.FieldOptions)
		},
		"raw: too long":          func(c *call) int64 { c.put32(abi.OptionsAt, 41); return mutated(abi.FieldRawOptions) },
		"raw: far too long":      func(c *call) int64 { c.put32(abi.OptionsAt, 1<<32-1); return mutated(abi.FieldRawOptions) },
		"raw: length 0":          raw(253, 0),
		"raw: length 1":          raw(253, 1),
		"raw: cut off":           raw(253, 4, 1),
		"raw: no length":         raw(1, 1, 253),
		"raw: MSS without SYN":   raw(2, 4, 5, 0xb4),
		"raw: wrong length":      raw(8, 9, 0, 0, 0, 0, 0, 0, 0),
		"raw: twice":             raw(253, 2, 253, 2),
		"raw: behind the end":    raw(0, 0, 1, 0),
		"raw: SACK":              raw(5, 6, 0, 0, 0, 0),
		"length beyond the MSS":  func(c *call) int64 { c.put32(abi.SegmentPayload, 1449); return mutated(abi.FieldLength) },
		"length beyond the room": func(c *call) int64 { c.put32(abi.SegmentPayload, 1<<32-1); return mutated(abi.FieldLength) },
		"port 0":                 func(c *call) int64 { c.put16(abi.OffsetLocalPort, 0); return mutated(abi.FieldPorts) },
		"address of all":         func(c *call) int64 { c.put32(abi.AddressAt+28, 1<<32-1); return mutated(abi.FieldAddresses) },
		"address of a group":     func(c *call) int64 { c.b[abi.AddressAt+28] = 224; return mutated(abi.FieldAddresses) },
		"address of nobody":      func(c *call) int64 { c.put32(abi.AddressAt+12, 0); return mutated(abi.FieldAddresses) },
		"address of IPv6":        func(c *call) int64 { c.b[abi.AddressAt] = 0x20; return mutated(abi.FieldAddresses) },
		"one right and one wrong": func(c *call) int64 {
			c.put16(abi.SegmentWindow, 1)
			c.b[abi.SegmentTTL] = 0
			return mutated(abi.FieldTTL | abi.FieldWindow)
		},
	} {
		r := segment(tcp.StepLeaving, 10)
		f := &fake{on: do}
		b := newBench(load(t, f, of(abi.HookLeaving), "grants control options resize rewrite-tuple lab"))
		require.Equal(t, tcp.Pass, b.at(r), name)
		require.Equal(t, segment(tcp.StepLeaving, 10), stripped(r), "%s: all of it or nothing", name)
		require.Equal(t, []plugins.Why{plugins.WhyMutation}, b.whys(), name)
		require.Zero(t, f.closed, "%s: it has its place still", name)
	}
	// Without lab.
	for name, do := range map[string]func(c *call) int64{
		"acknowledges what has not come": func(c *call) int64 { c.put32(abi.SegmentAck, uint32(rcv)+1); return mutated(abi.FieldAck) },
		"no ACK":                         func(c *call) int64 { c.put16(abi.SegmentFlags, 0); return mutated(abi.FieldFlags) },
	} {
		r := segment(tcp.StepLeaving, 10)
		_, p := change(t, "control", r, do)
		require.Error(t, p.Err(), name)
		_, p = change(t, "control lab", r, do)
		require.NoError(t, p.Err(), name)
	}
}

// TestSynOptions has a SYN, which may have what other segments may not.
func TestSynOptions(t *testing.T) {
	syn := segment(tcp.StepArriving, 0)
	syn.TCP.Flags, syn.From, syn.To = wire.SYN, tcp.Listen, tcp.Listen
	syn.TCP.Options = wire.Options{Has: wire.HasMSS | wire.HasWindowScale, MSS: 1460, WindowScale: 7}
	verdict, _ := change(t, "options", syn, func(c *call) int64 {
		require.Equal(t, uint16(1460), wire.Le16(c.b[abi.SegmentMSS:]))
		require.Equal(t, "\x02\x04\x05\xb4\x01\x03\x03\x07", string(c.b[abi.OptionsAt+4:][:c.u32(abi.OptionsAt)]))
		c.put16(abi.SegmentMSS, 536)
		return mutated(abi.FieldOptions)
	})
	require.Equal(t, tcp.Mutated, verdict)
	require.Equal(t, uint16(536), syn.TCP.Options.MSS)

	// What has been put in by one plugin stays when the next one changes a value.
	stamp := &fake{on: func(c *call) int64 {
		n := c.u32(abi.OptionsAt)
		copy(c.b[abi.OptionsAt+4+n:], "\xfd\x04hi")
		c.put32(abi.OptionsAt, n+4)
		return mutated(abi.FieldRawOptions)
	}}
	clamp := &fake{on: func(c *call) int64 {
		require.Equal(t, uint16(abi.OptionHasMSS|abi.OptionHasWindowScale|abi.OptionHasUnknown), wire.Le16(c.b[abi.SegmentHas:]))
		c.put16(abi.SegmentMSS, 1000)
		return mutated(abi.FieldOptions)
	}}
	b := newBench(load(t, stamp, of(abi.HookArriving), "grants options"), load(t, clamp, of(abi.HookArriving), "grants options"))
	require.Equal(t, tcp.Mutated, b.at(syn))
	require.Equal(t, "\x02\x04\x03\xe8\x01\x03\x03\x07\xfd\x04hi", string(syn.Options))
}

// TestAsItCame: what could not be made of a segment stays where it came like that.
func TestAsItCame(t *testing.T) {
	for name, odd := range map[string]func(r *tcp.Record){
		"hop limit": func(r *tcp.Record) { r.TTL = 0 },
		"port":      func(r *tcp.Record) { r.Tuple.Remote.Port = 0 },
		"address":   func(r *tcp.Record) { r.Tuple.Remote.Addr = wire.AddrFrom4([4]byte{}) },
	} {
		r := segment(tcp.StepArriving, 0)
		odd(r)
		was := *r
		verdict, p := change(t, "rewrite-tuple", r, func(*call) int64 {
			return mutated(abi.FieldTTL | abi.FieldPorts | abi.FieldAddresses)
		})
		require.NoError(t, p.Err(), name)
		require.Equal(t, tcp.Mutated, verdict, name)
		require.Equal(t, was.Tuple, r.Tuple, name)
		require.Equal(t, was.TTL, r.TTL, name)
	}
}

// TestArgs has a plugin at each step whose arguments it may change.
func TestArgs(t *testing.T) {
	second := uint64(1_000_000_000)
	for _, c := range []struct {
		hook  abi.Hook
		step  tcp.Step
		args  [8]uint64
		arg   int
		good  []uint64
		bad   []uint64
		needs string
	}{
		{abi.HookConnNew, tcp.StepNew, [8]uint64{}, tcp.SettingCwnd, []uint64{1, 1 << 30}, []uint64{1<<30 + 1}, "cc"},
		{abi.HookConnNew, tcp.StepNew, [8]uint64{}, tcp.SettingRTOMin, []uint64{second / 1000, 120 * second}, []uint64{5, 121 * second, 1 << 63}, "timers"},
		{abi.HookConnNew, tcp.StepNew, [8]uint64{tcp.SettingRTOMin: second}, tcp.SettingRTOMax, []uint64{second}, []uint64{second - 1}, "timers"},
		{abi.HookConnEstablished, tcp.StepEstablished, [8]uint64{}, tcp.SettingKeepaliveIdle, []uint64{second}, []uint64{second - 1}, "timers"},
		{abi.HookConnEstablished, tcp.StepEstablished, [8]uint64{}, tcp.SettingSendBuffer, []uint64{4096}, []uint64{1 << 40}, "admission"},
		{abi.HookConnNew, tcp.StepNew, [8]uint64{}, tcp.SettingController, nil, []uint64{1, 256}, "cc"}, // there is none
		{abi.HookTimerArmed, tcp.StepTimerArmed, [8]uint64{2, second}, 1, []uint64{2 * second}, []uint64{1000, 1 << 62}, "timers"},
		{abi.HookTimerArmed, tcp.StepTimerArmed, [8]uint64{2, second}, 0, nil, []uint64{3}, "timers"},
		{abi.HookRTT, tcp.StepRTT, [8]uint64{1000}, 0, []uint64{1}, []uint64{0, 1 << 60}, "cc"},
		{abi.HookPhase, tcp.StepPhase, [8]uint64{0, 1, 10000, 5000}, 2, []uint64{1}, []uint64{0, 1 << 40}, "cc"},
		{abi.HookPhase, tcp.StepPhase, [8]uint64{0, 1, 10000, 5000}, 0, nil, []uint64{1}, "cc"},
		{abi.HookAck, tcp.StepAck, [8]uint64{1, 100, 2}, 2, []uint64{1}, []uint64{0, 3}, "timers"},
		{abi.HookISN, tcp.StepISN, [8]uint64{55}, 0, []uint64{0, 1<<32 - 1}, []uint64{1 << 32}, "lab"},
		{abi.HookPort, tcp.StepPort, [8]uint64{40000, 32768, 60999}, 0, []uint64{32768, 60999}, []uint64{80, 61000}, "rewrite-tuple"},
		{abi.HookOptionsReserve, tcp.StepReserve, [8]uint64{}, 0, []uint64{40}, []uint64{41}, "options"},
	} {
		try := func(v uint64, grants string) (*tcp.Record, *plugins.Plugin, tcp.Verdict) {
			f := &fake{on: func(call *call) int64 {
				require.Equal(t, c.args[0], call.arg(0))
				call.putArg(c.arg, v)
				return mutated(abi.FieldArgs)
			}}
			b := newBench(load(t, f, of(c.hook), "grants "+grants))
			r := established(c.step)
			r.Args = c.args
			return r, b.Plugins()[0], b.at(r)
		}
		for _, v := range c.good {
			r, p, verdict := try(v, c.needs)
			require.NoError(t, p.Err(), "%s %d", plugins.Export(c.hook), v)
			require.Equal(t, tcp.Mutated, verdict)
			require.Equal(t, v, r.Args[c.arg])
			r, p, verdict = try(v, "observe")
			require.Error(t, p.Err(), "%s %d without its grant", plugins.Export(c.hook), v)
			require.Equal(t, tcp.Pass, verdict)
			require.Equal(t, c.args, r.Args)
		}
		for _, v := range c.bad {
			r, p, verdict := try(v, c.needs)
			require.Error(t, p.Err(), "%s %d", plugins.Export(c.hook), v)
			require.Equal(t, tcp.Pass, verdict)
			require.Equal(t, c.args, r.Args)
		}
	}
}

// TestChoosesController has a plugin that gives a connection the controller that
// another one is.
func TestChoosesController(t *testing.T) {
	chooses := &fake{on: func(c *call) int64 { c.putArg(tcp.SettingController, 2); return mutated(abi.FieldArgs) }}
	controller := func(name string) *plugins.Plugin {
		return load(t, &fake{}, of(abi.HookCCAck, abi.HookCCLoss, abi.HookCCRTO), "grants cc", "name "+name)
	}
	b := newBench(load(t, chooses, of(abi.HookConnNew), "grants cc"), controller("one"), controller("two"))
	r := established(tcp.StepNew)
	require.Equal(t, tcp.Mutated, b.at(r))
	require.Equal(t, "two", r.Controller.Name())
	require.Equal(t, "one", b.Controller().Name())
}

// TestLongPayload has a segment of which the plugin's buffer holds only a part.
func TestLongPayload(t *testing.T) {
	r := segment(tcp.StepArriving, 4000)
	verdict, _ := change(t, "resize", r, func(c *call) int64 {
		require.Equal(t, uint32(4000), c.u32(abi.SegmentPayload))
		require.Equal(t, []plugins.Part{{At: 0, Size: abi.RecordSize}, {At: abi.AddressAt, Size: 32}, {At: abi.PayloadAt, Size: 1500}}, c.at)
		c.b[abi.PayloadAt] = 'x'
		return mutated(abi.FieldPayload)
	})
	require.Equal(t, tcp.Mutated, verdict)
	require.Equal(t, byte('x'), r.Payload[0])
	require.Equal(t, byte(3999%256), r.Payload[3999])
	_, p := change(t, "resize", r, func(c *call) int64 { c.put32(abi.SegmentPayload, 4001); return mutated(abi.FieldLength) })
	require.Error(t, p.Err(), "it has not seen the end")
	_, p = change(t, "resize", r, func(c *call) int64 { c.put32(abi.SegmentPayload, 10); return mutated(abi.FieldLength) })
	require.NoError(t, p.Err())
	require.Len(t, r.Payload, 10)
}

// TestPackets has a plugin of the link, which sees packets and no segments.
func TestPackets(t *testing.T) {
	f := &fake{on: func(c *call) int64 { c.b[abi.PayloadAt] ^= 1; return mutated(abi.FieldPayload) }}
	b := newBench(load(t, f, of(abi.HookIngress), "grants link"))
	r := &tcp.Record{Step: tcp.StepIngress, Payload: []byte{0x45, 0, 0}}
	require.Equal(t, tcp.Mutated, b.at(r))
	require.Equal(t, []byte{0x44, 0, 0}, r.Payload, "whatever it makes of it: what comes in is not trusted anyway")
}

// TestRandomMutations has a plugin with every grant that writes anything anywhere
// and names any fields: what is taken is a segment that can be sent, and what is
// not taken has changed nothing. proof has more of them.
//
// Proves: P09
func TestRandomMutations(t *testing.T) {
	f := &fake{}
	b := newBench()
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.SliceOfN(rapid.Uint16Range(0, abi.PayloadAt+40), 0, 30).Draw(t, "at")
		octets := rapid.SliceOfN(rapid.Byte(), len(at), len(at)).Draw(t, "octets")
		fields := rapid.Int64Range(0, abi.FieldLength<<1-1).Draw(t, "fields")
		if rapid.Bool().Draw(t, "few fields") {
			fields = 1 << rapid.IntRange(0, 12).Draw(t, "field")
		}
		f.on = func(c *call) int64 {
			for i, a := range at {
				c.b[a] = octets[i]
			}
			return mutated(fields)
		}
		step := rapid.SampledFrom([]tcp.Step{tcp.StepArriving, tcp.StepLeaving}).Draw(t, "step")
		if b.Plugins() == nil || b.Plugins()[0].Out() != plugins.NotOut {
			p, err := plugins.Load(f, export(of(abi.HookArriving, abi.HookLeaving), "grants control options resize rewrite-tuple"), plugins.Options{Allow: everything})
			require.NoError(t, err)
			b = newBench(p)
		}
		r := segment(step, rapid.IntRange(0, 30).Draw(t, "payload"))
		before := *r
		before.Payload = append([]byte{}, r.Payload...)
		if b.at(r) == tcp.Pass {
			before.Beside, before.Log = r.Beside, r.Log
			require.Equal(t, &before, r)
			return
		}
		requireValid(t, r)
	})
}

// requireValid makes a packet of a record and reads it again.
func requireValid(t require.TestingT, r *tcp.Record) {
	header := r.TCP
	var b []byte
	if r.Options != nil {
		header.Options = wire.Options{}
		b = append(wire.AppendTCP(nil, &header), r.Options...)
		require.Zero(t, len(r.Options)%4)
		b[12] = byte(len(b)/4)<<4 | b[12]&0xf
	} else {
		b = wire.AppendTCP(nil, &header)
	}
	require.LessOrEqual(t, len(b), 60)
	var again wire.TCP
	require.Zero(t, wire.ParseTCP(b, &again))
	require.Equal(t, len(b), again.HeaderLen)
	require.Equal(t, header.Flags, again.Flags)
	require.False(t, again.Options.Has.Has(wire.HasMalformed))
	if again.Options.Has&(wire.HasMSS|wire.HasWindowScale|wire.HasSACKPermitted) != 0 {
		require.True(t, r.TCP.Flags.Has(wire.SYN))
	}
	require.Equal(t, r.TCP.Options.Has, again.Options.Has)
	require.LessOrEqual(t, 20+len(b)+len(r.Payload), 1500)
	require.NotZero(t, r.TTL)
	require.NotZero(t, r.Tuple.Local.Port)
	require.True(t, r.Tuple.Remote.Addr.Is4())
	first := r.Receive.NXT
	if r.Leaving {
		first = r.Send.UNA
	}
	require.LessOrEqual(t, r.TCP.Seq.From(first.Sub(1)), seq.Size(60001))
}
