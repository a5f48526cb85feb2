package core

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

var offload = packet.Link{MTU: 1500, Checksum: true, MaxSuper: 65535}

// echoRequest is what is not TCP.
var echoRequest = icmpPacket(addr("10.0.0.2"), addr("10.0.0.1"), wire.ICMP{Type: wire.ICMPEcho, Body: []byte("ping")})

// A hook at the link sees every packet, whole and with its checksum, both ways.
func TestLinkHookSeesPackets(t *testing.T) {
	r := newRaw(t, config("linux"))
	var seen [2][][]byte
	r.s.hooked(func(rec *tcp.Record) tcp.Verdict {
		require.False(t, rec.Segment)
		require.Equal(t, rec.Step == tcp.StepEgress, rec.Leaving)
		i := 0
		if rec.Leaving {
			i = 1
		}
		seen[i] = append(seen[i], slices.Clone(rec.Payload))
		for j := range rec.Payload {
			rec.Payload[j] = 0 // which counts only if it is said
		}
		return tcp.Pass
	}, tcp.StepIngress, tcp.StepEgress)
	in := [][]byte{echoRequest, segment(r.remote, r.local, wire.TCP{Flags: wire.ACK}, "x"), {1, 2, 3}}
	var out [][]byte
	for _, b := range in {
		r.packet(slices.Clone(b))
		out = append(out, outputs(r.s, r.now)...)
	}
	require.Equal(t, in, seen[0])
	require.Len(t, out, 2, "an echo reply and a reset")
	require.Equal(t, out, seen[1])
}

// What is spoilt on the link is found by checksums, also where the link would have
// made them.
func TestLinkHookSpoilsPackets(t *testing.T) {
	for _, step := range []tcp.Step{tcp.StepIngress, tcp.StepEgress} {
		for _, link := range []packet.Link{ethernet, offload} {
			p := newPairOn(t, config("linux"), link)
			a, b := p.connect(wire.IPv4)
			at := p.a
			if step == tcp.StepIngress {
				at = p.b
			}
			at.hooked(func(r *tcp.Record) tcp.Verdict {
				if len(r.Payload) < 60 {
					return tcp.Pass
				}
				r.Payload[len(r.Payload)-1] ^= 0x10
				return tcp.Mutated
			}, step)
			_, err := a.Write(p.now, []byte("a longer word"))
			require.NoError(t, err)
			p.pump()
			require.Zero(t, b.Readable())
			require.Equal(t, uint64(1), p.b.Stats().Drops[rule.DropTCPChecksum])
			at.SetHook(nil, 0)
			p.run(clock.Second)
			require.Equal(t, "a longer word", peek(b), "and it is sent again")
		}
	}
}

// A mark of congestion is put on a packet by its TOS, the header stays right, and the
// ends do what RFC 3168 asks for.
func TestLinkHookMarks(t *testing.T) {
	const ce = 3
	for _, family := range []wire.Family{wire.IPv4, wire.IPv6} {
		for _, step := range []tcp.Step{tcp.StepIngress, tcp.StepEgress} {
			cfg := config("linux")
			cfg.TCP.ECN = 1
			p := newPair(t, cfg)
			a, b := p.connect(family)
			at := p.a
			if step == tcp.StepIngress {
				at = p.b
			}
			marked := 0
			at.hooked(func(r *tcp.Record) tcp.Verdict {
				if r.TOS&ce == 0 {
					return tcp.Pass
				}
				marked++
				r.TOS |= ce
				return tcp.Mutated
			}, step)
			before := a.Info(p.now).Cwnd
			echoed := false
			p.pass = func(from *Stack, q *packet.Packet) bool {
				echoed = echoed || parse(t, q.Bytes).Flags.Has(wire.ECE)
				return true
			}
			_, err := a.Write(p.now, make([]byte, 5000))
			require.NoError(t, err)
			p.pump()
			require.Equal(t, 5000, b.Readable())
			require.Positive(t, marked)
			require.True(t, echoed)
			require.Less(t, a.Info(p.now).Cwnd, before)
		}
	}
}

// The TOS of any octets can be asked for and set.
func TestTOSOfWhatIsNoPacket(t *testing.T) {
	for _, b := range [][]byte{nil, {0x45}, make([]byte, 19), {0x60, 0, 0}, {0xff, 7}, echoRequest[:25], echoRequest} {
		b = slices.Clone(b)
		setTOS(b, tos(b))
		was := slices.Clone(b)
		setTOS(b, 0xa7)
		if len(b) >= 20 && b[0] == 0x45 {
			require.Equal(t, uint8(0xa7), tos(b))
			require.Equal(t, uint16(0xffff), wire.Fold(wire.Sum(b[:20], 0)))
		} else {
			require.Equal(t, was, b)
		}
	}
	six := segment(at("fd00::1", 1), at("fd00::2", 2), wire.TCP{}, "")
	was := slices.Clone(six)
	setTOS(six, 0xa7)
	require.Equal(t, uint8(0xa7), tos(six))
	setTOS(six, 0)
	require.Equal(t, was, six)
}

// What the link of a hook does with packets that arrive.
func TestIngressVerdicts(t *testing.T) {
	const span = clock.Second
	for name, v := range map[string]struct {
		verdict tcp.Verdict
		arg     uint64
		echoes  []clock.Duration // when an echo request is answered
	}{
		"pass":      {tcp.Pass, 0, []clock.Duration{0}},
		"mutated":   {tcp.Mutated, 0, []clock.Duration{0}},
		"hold":      {tcp.Hold, 0, []clock.Duration{0}}, // which means nothing here
		"reset":     {tcp.Reset, 0, []clock.Duration{0}},
		"drop":      {tcp.DropIt, 0, nil},
		"delay":     {tcp.Delay, uint64(span), []clock.Duration{span}},
		"duplicate": {tcp.Duplicate, 2 | uint64(span)<<8, []clock.Duration{0, span, 2 * span}},
	} {
		for _, step := range []tcp.Step{tcp.StepIngress, tcp.StepEgress} {
			t.Run(name, func(t *testing.T) {
				r := newRaw(t, config("linux"))
				h := r.s.hooked(func(rec *tcp.Record) tcp.Verdict { rec.Arg = v.arg; return v.verdict }, step)
				start := r.now
				r.packet(slices.Clone(echoRequest))
				var echoes []clock.Duration
				for {
					for range outputs(r.s, r.now) {
						echoes = append(echoes, r.now.Sub(start))
					}
					if r.s.Deadline() == clock.Never {
						break
					}
					r.now = r.s.Deadline()
					r.s.Expire(r.now)
				}
				require.Equal(t, v.echoes, echoes)
				require.Len(t, h.seen, 1)
				require.Equal(t, uint64(len(echoes)), r.s.Stats().PacketsOut)
				require.Equal(t, name == "drop", r.drops(rule.DropHook) == 1)
				require.Empty(t, r.s.env.Held.Check())
			})
		}
	}
}

// What a link does not carry is not made: nothing, or more than its MTU.
func TestEgressIsBounded(t *testing.T) {
	for _, size := range []int{0, 1501, 70000} {
		r := newRaw(t, config("linux"))
		r.s.hooked(func(rec *tcp.Record) tcp.Verdict { rec.Payload = make([]byte, size); return tcp.Mutated }, tcp.StepEgress)
		r.packet(slices.Clone(echoRequest))
		out := outputs(r.s, r.now)
		require.Len(t, out, 1)
		require.Equal(t, len(echoRequest), len(out[0]), "it goes as it was")
		require.Equal(t, uint64(1), r.s.Stats().ChangesIgnored)
	}
}

// A packet that is kept back on its way in has still to pass the other steps, and what
// was kept back there passes the link on its way out.
func TestStepsBehindTheLink(t *testing.T) {
	r := newRaw(t, config("linux"))
	h := r.s.hooked(func(rec *tcp.Record) tcp.Verdict {
		rec.Arg = uint64(clock.Second)
		return tcp.Delay
	}, tcp.StepIngress, tcp.StepParse, tcp.StepArriving, tcp.StepLeaving, tcp.StepEgress)
	start := r.now
	r.send(wire.TCP{Flags: wire.ACK, Ack: 7}, "")
	for r.s.Deadline() != clock.Never {
		r.now = r.s.Deadline()
		r.s.Expire(r.now)
		if out := outputs(r.s, r.now); len(out) > 0 {
			require.Equal(t, wire.RST, parse(t, out[0]).Flags)
		}
	}
	var steps []tcp.Step
	for i := range h.seen {
		steps = append(steps, h.seen[i].Step)
	}
	require.Equal(t, []tcp.Step{tcp.StepIngress, tcp.StepParse, tcp.StepArriving, tcp.StepLeaving, tcp.StepEgress}, steps)
	require.Equal(t, 4*clock.Second, r.now.Sub(start), "at StepParse there is no delay")
}

// Where a hook can change what leaves there are no super-packets, so that it is shown
// what goes on the wire.
func TestNoSuperPacketsForHooks(t *testing.T) {
	for _, step := range []tcp.Step{tcp.StepLeaving, tcp.StepMoved, tcp.StepOptions, tcp.StepEgress} {
		p := newPairOn(t, config("linux"), offload)
		a, b := p.connect(wire.IPv4)
		super := 0
		p.pass = func(from *Stack, q *packet.Packet) bool {
			if q.SegmentSize > 0 {
				super++
			}
			return true
		}
		_, err := a.Write(p.now, make([]byte, 10000))
		require.NoError(t, err)
		p.pump()
		require.Positive(t, super)
		p.a.hooked(nil, step)
		super = 0
		_, err = a.Write(p.now, make([]byte, 10000))
		require.NoError(t, err)
		p.pump()
		require.Zero(t, super, "step %d", step)
		require.Equal(t, 20000, b.Readable())
	}
}
