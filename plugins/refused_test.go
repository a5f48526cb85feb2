package plugins_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// What one plugin has made of a segment stays as it is when the next one is refused:
// nothing of a refused change is taken, and the plugin behind sees nothing of it.
//
// Proves: P09, P17
func TestRefusedBehindTaken(t *testing.T) {
	const all = "grants control options resize rewrite-tuple lab"
	raw := func(c *call, octets string) {
		c.put32(abi.OptionsAt, uint32(len(octets)))
		copy(c.b[abi.OptionsAt+4:], octets)
	}
	longer := func(c *call, with string) {
		c.put32(abi.SegmentPayload, uint32(10+len(with)))
		copy(c.b[abi.PayloadAt+10:], with)
	}
	for name, x := range map[string]struct {
		first, second func(c *call) int64
	}{
		"options": {
			func(c *call) int64 { raw(c, "\xfd\x04ab"); return mutated(abi.FieldRawOptions) },
			func(c *call) int64 { raw(c, "\x02\x04\x05\xb4"); return mutated(abi.FieldRawOptions) },
		},
		"options by value": {
			func(c *call) int64 { raw(c, "\xfd\x04ab\xfe\x04cd"); return mutated(abi.FieldRawOptions) },
			func(c *call) int64 {
				c.put16(abi.SegmentHas, abi.OptionHasTimestamps|abi.OptionHasUnknown)
				c.b[abi.SegmentTTL] = 0
				return mutated(abi.FieldOptions | abi.FieldTTL)
			},
		},
		"payload": {
			func(c *call) int64 { longer(c, "ab"); return mutated(abi.FieldPayload | abi.FieldLength) },
			func(c *call) int64 {
				c.b[abi.PayloadAt+3] = 'x'
				c.put32(abi.SegmentSeq, uint32(una)-2)
				return mutated(abi.FieldPayload | abi.FieldSeq)
			},
		},
		"injected options": {
			func(c *call) int64 { raw(c, "\xfd\x04ab"); return mutated(abi.FieldRawOptions) },
			func(c *call) int64 {
				c.b[abi.OffsetBits] = abi.BitLeaving
				c.put32(abi.OffsetSections, abi.SectionSegment|abi.SectionOptions)
				c.put32(abi.SegmentPayload, 0)
				c.put16(abi.SegmentHas, 0)
				raw(c, "\xfe\x04xy")
				return int64(abi.Inject)
			},
		},
	} {
		want := segment(tcp.StepLeaving, 10)
		newBench(load(t, &fake{on: x.first}, of(abi.HookLeaving), all)).at(want)
		first, second, third := &fake{on: x.first}, &fake{on: x.second}, &fake{}
		var seen string
		third.on = func(c *call) int64 { seen = string(c.b); return 0 }
		b := newBench(
			load(t, first, of(abi.HookLeaving), all), load(t, second, of(abi.HookLeaving), all+" inject"), load(t, third, of(abi.HookLeaving), all),
		)
		r := segment(tcp.StepLeaving, 10)
		require.Equal(t, tcp.Mutated, b.at(r), name)
		require.Equal(t, stripped(want), stripped(r), name)

		// The third sees what the first has made.
		got := seen
		newBench(load(t, first, of(abi.HookLeaving), all), load(t, third, of(abi.HookLeaving), all)).at(segment(tcp.StepLeaving, 10))
		require.Equal(t, seen, got, name)
	}
}

// An option that one plugin has added stays when the next takes away one before it.
func TestOptionTakenAwayBeforeAdded(t *testing.T) {
	stamp := &fake{on: func(c *call) int64 {
		n := c.u32(abi.OptionsAt)
		copy(c.b[abi.OptionsAt+4+n:], "\xfd\x04hi")
		c.put32(abi.OptionsAt, n+4)
		return mutated(abi.FieldRawOptions)
	}}
	bare := &fake{on: func(c *call) int64 {
		c.put16(abi.SegmentHas, wire.Le16(c.b[abi.SegmentHas:])&^abi.OptionHasSACKPermitted|abi.OptionHasTimestamps)
		return mutated(abi.FieldOptions)
	}}
	b := newBench(load(t, stamp, of(abi.HookArriving), "grants options"), load(t, bare, of(abi.HookArriving), "grants options"))
	r := segment(tcp.StepArriving, 0)
	r.TCP.Flags, r.TCP.Options = wire.SYN, wire.Options{Has: wire.HasSACKPermitted}
	require.Equal(t, tcp.Mutated, b.at(r))
	require.Contains(t, string(r.Options), "\xfd\x04hi")
}

// Arguments that are refused are not what the next plugin is shown.
//
// Proves: P17
func TestRefusedArguments(t *testing.T) {
	var seen []uint64
	bad := &fake{on: func(c *call) int64 { c.putArg(0, 0); return mutated(abi.FieldArgs) }}
	next := &fake{on: func(c *call) int64 { seen = append(seen, c.arg(0)); return 0 }}
	b := newBench(load(t, bad, of(abi.HookRTT), "grants observe cc"), load(t, next, of(abi.HookRTT)))
	r := established(tcp.StepRTT)
	r.Args[0] = 1000
	require.Equal(t, tcp.Pass, b.at(r))
	require.Equal(t, []uint64{1000}, seen)
}

// Of a refused change the plugin's own record of the connection is not kept either.
//
// Proves: P09
func TestRefusedState(t *testing.T) {
	var seen []byte
	p := load(t, &fake{on: func(c *call) int64 {
		seen = append(seen, c.b[abi.StateAt])
		c.b[abi.StateAt] = 9
		c.b[abi.SegmentTTL] = 0
		return mutated(abi.FieldState | abi.FieldTTL)
	}}, of(abi.HookLeaving), "grants header", "state 64")
	b := newBench(p)
	b.at(segment(tcp.StepLeaving, 10))
	b.at(segment(tcp.StepLeaving, 10))
	require.Equal(t, []byte{0, 0}, seen)
}

// A segment that is injected is held to what one is that was changed.
//
// Proves: P09
func TestInjectedIsValid(t *testing.T) {
	for name, x := range map[string]struct {
		do  func(c *call)
		lab bool // with which it may
	}{
		"acknowledges what has not come": {func(c *call) { c.put32(abi.SegmentAck, uint32(rcv)+1) }, true},
		"payload beyond the MSS":         {func(c *call) { c.put32(abi.SegmentPayload, 1449); c.put32(abi.OffsetSections, abi.SectionPayload) }, false},
	} {
		for _, lab := range []bool{false, true} {
			grants := "grants inject"
			if lab {
				grants += " lab"
			}
			p := load(t, &fake{on: func(c *call) int64 {
				c.b[abi.OffsetBits] = abi.BitLeaving
				c.put32(abi.SegmentPayload, 0)
				c.put16(abi.SegmentHas, 0)
				x.do(c)
				return int64(abi.Inject)
			}}, of(abi.HookLeaving), grants)
			b := newBench(p)
			b.at(segment(tcp.StepLeaving, 0))
			require.Equal(t, lab && x.lab, p.Err() == nil, "%s, lab %t: %v", name, lab, p.Err())
			require.Equal(t, lab && x.lab, len(b.beside.Take()) == 1, name)
		}
	}
}

// A SYN of a connection is numbered by its ISS, before there is a window of the
// peer's as after it: to choose another is the hook isn's, with the grant lab.
//
// Proves: P09
func TestSynKeepsItsNumber(t *testing.T) {
	for _, from := range []tcp.State{tcp.Closed, tcp.Listen, tcp.SynSent} {
		r := segment(tcp.StepMoved, 0)
		r.From, r.To, r.TCP.Flags = from, tcp.SynSent, wire.SYN
		r.Send = tcp.SendSpace{ISS: una, UNA: una, NXT: una + 1}
		r.TCP.Seq = una
		p := load(t, &fake{on: func(c *call) int64 {
			c.put32(abi.SegmentSeq, uint32(una.Add(1000)))
			return mutated(abi.FieldSeq)
		}}, of(abi.HookTransitionLeaving), "grants control")
		require.Equal(t, tcp.Pass, newBench(p).at(r))
		require.Error(t, p.Err(), "%s", from)
	}
}

// From a timer, which has no connection, nothing is sent to or from nobody.
//
// Proves: P09
func TestInjectedFromSomewhere(t *testing.T) {
	for name, do := range map[string]func(c *call){
		"nothing wrong":    func(*call) {},
		"a port 0":         func(c *call) { c.put16(abi.OffsetLocalPort, 0) },
		"another port 0":   func(c *call) { c.put16(abi.OffsetRemotePort, 0) },
		"no address":       func(c *call) { clear(c.b[abi.AddressAt : abi.AddressAt+16]) },
		"address 0.0.0.0":  func(c *call) { c.put32(abi.AddressAt+12, 0) },
		"address of a set": func(c *call) { c.b[abi.AddressAt+28] = 224 },
	} {
		p := load(t, &fake{on: func(c *call) int64 {
			for i, a := range [...]wire.Addr{tuple4.Local.Addr, tuple4.Remote.Addr} {
				octets := a.As16()
				copy(c.b[abi.AddressAt+16*i:], octets[:])
			}
			c.put32(abi.OffsetSections, abi.SectionAddress)
			c.b[abi.OffsetFamily], c.b[abi.OffsetBits] = 4, abi.BitLeaving
			c.put16(abi.OffsetLocalPort, 80)
			c.put16(abi.OffsetRemotePort, 81)
			c.put16(abi.SegmentFlags, uint16(wire.ACK))
			do(c)
			return int64(abi.Inject)
		}}, of(abi.HookTick), "grants inject rewrite-tuple", "tick 1s")
		b := newBench(p)
		b.expire(clock.Instant(clock.Second))
		require.Equal(t, name == "nothing wrong", len(b.beside.Take()) == 1, "%s: %v", name, p.Err())
	}
}
