package core

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

const everyStep = tcp.HookMask(1<<tcp.Steps - 1)

// A part is what a hook can change of a segment.
type part struct {
	*wire.TCP
	tos, ttl *uint8
	tuple    *tcp.Tuple
	payload  *[]byte
	options  *[]byte
}

func partOf(r *tcp.Record) part {
	return part{&r.TCP, &r.TOS, &r.TTL, &r.Tuple, &r.Payload, &r.Options}
}

// changes are what hooks of these tests make of segments.
var changes = map[string]func(part){
	"nothing":        func(part) {},
	"sequence":       func(p part) { p.Seq = p.Seq.Add(3) },
	"ack":            func(p part) { p.Ack = p.Ack.Sub(1) },
	"flags":          func(p part) { p.Flags |= wire.FIN | wire.ECE },
	"undefined bits": func(p part) { p.Flags |= 0xfe00 },
	"reset":          func(p part) { p.Flags = wire.RST },
	"window":         func(p part) { p.Window = 77 },
	"urgent":         func(p part) { p.Flags |= wire.URG; p.Urgent = 2 },
	"tos":            func(p part) { *p.tos |= 3 },
	"ttl":            func(p part) { *p.ttl = 9 },
	"remote port":    func(p part) { p.tuple.Remote.Port++ },
	"local port":     func(p part) { p.tuple.Local.Port = 9999 },
	"remote address": func(p part) { p.tuple.Remote.Addr = addr("10.0.0.77") },
	"payload":        func(p part) { copy(*p.payload, "HELLO") },
	"shorter":        func(p part) { *p.payload = (*p.payload)[2:] },
	"no payload":     func(p part) { *p.payload = nil },
	"longer":         func(p part) { *p.payload = append(slices.Clone(*p.payload), make([]byte, 500)...) },
	"timestamp":      func(p part) { p.Options.Has |= wire.HasTimestamps; p.Options.TSVal++ },
	"no options":     func(p part) { p.Options.Has = 0 },
	"raw options":    func(p part) { *p.options = append(*p.options, 253, 4, 1, 2) },
	"raw, not even":  func(p part) { *p.options = []byte{1, 253, 3, 1, 254, 2} },
}

// changed is the packet of a segment that was changed.
func changed(t testing.TB, b []byte, leaving bool, change func(part)) []byte {
	g := segmentIn(b)
	raw := slices.Clone(b[g.ip.HeaderLen+wire.TCPHeaderLen : g.ip.HeaderLen+g.HeaderLen])
	was, before := slices.Clone(raw), g.Options
	payload := []byte(g.payload)
	src, dst := wire.AddrPort{Addr: g.ip.Src, Port: g.SrcPort}, wire.AddrPort{Addr: g.ip.Dst, Port: g.DstPort}
	tuple := tcp.Tuple{Local: dst, Remote: src}
	if leaving {
		tuple = tcp.Tuple{Local: src, Remote: dst}
	}
	change(part{&g.TCP, &g.ip.TOS, &g.ip.TTL, &tuple, &payload, &raw})
	if src, dst = tuple.Remote, tuple.Local; leaving {
		src, dst = dst, src
	}
	g.SrcPort, g.DstPort, g.ip.Src, g.ip.Dst = src.Port, dst.Port, src.Addr, dst.Addr
	if g.Flags &= 0x1ff; g.Options != before && slices.Equal(raw, was) {
		raw = wire.AppendOptions(nil, &g.Options)
	}
	header := wire.AppendTCPRaw(nil, &g.TCP, raw)
	out := wire.AppendIP(nil, &g.ip, len(header)+len(payload))
	n := len(out)
	out = append(append(out, header...), payload...)
	wire.FinishTCP(out, &g.ip, n, false)
	return out
}

func segmentIn(b []byte) (g got) {
	wire.ParseIP(b, &g.ip)
	upper := b[g.ip.HeaderLen:]
	wire.ParseTCP(upper, &g.TCP)
	g.payload = string(upper[g.HeaderLen:])
	return g
}

func outputs(s *Stack, now clock.Instant) (all [][]byte) {
	var p packet.Packet
	for s.Output(now, &p) {
		all = append(all, slices.Clone(p.Bytes))
	}
	return all
}

var stamped = wire.Options{Has: wire.HasTimestamps, TSVal: 1000, TSEcr: 0}

// What a hook makes of a segment that arrives is what arrives: the stack does the
// same as one without a hook that gets that.
func TestArrivingSegmentIsWhatAHookMakesOfIt(t *testing.T) {
	for name, change := range changes {
		for _, step := range []tcp.Step{tcp.StepArriving, tcp.StepMoving} {
			t.Run(name, func(t *testing.T) {
				with, without := newRaw(t, config("linux")), newRaw(t, config("linux"))
				flags := wire.ACK
				if step == tcp.StepMoving {
					flags |= wire.FIN
				}
				var b []byte
				for _, r := range []*raw{with, without} {
					r.listen(5)
					synAck := r.open()
					b = segment(r.remote, r.local, wire.TCP{
						Seq: 1, Ack: synAck.Seq.Add(1), Flags: flags, Window: 1000, Options: stamped,
					}, "hello")
				}
				h := with.s.hooked(func(r *tcp.Record) tcp.Verdict { change(partOf(r)); return tcp.Mutated }, step)
				kept := slices.Clone(b)
				with.packet(b)
				require.Equal(t, kept, b, "the packet is the caller's")
				without.packet(changed(t, b, false, change))
				require.NotEmpty(t, h.seen)
				require.Equal(t, outputs(without.s, without.now), outputs(with.s, with.now))
				require.Equal(t, without.s.Fingerprint(without.now), with.s.Fingerprint(with.now))
				require.Zero(t, with.s.Stats().ChangesIgnored)
			})
		}
	}
}

// What a hook makes of a segment that leaves is what leaves; the books of the
// connection are those of what it has meant.
func TestLeavingSegmentIsWhatAHookMakesOfIt(t *testing.T) {
	for name, change := range changes {
		for _, family := range []wire.Family{wire.IPv4, wire.IPv6} {
			if family == wire.IPv6 && name == "remote address" {
				continue // 10.0.0.77 is another kind of change
			}
			t.Run(name, func(t *testing.T) {
				with, without := newPair(t, config("linux")), newPair(t, config("linux"))
				h := &stepHook{does: func(r *tcp.Record) tcp.Verdict { change(partOf(r)); return tcp.Mutated }}
				conns := map[*pair]*Conn{}
				for _, p := range []*pair{with, without} {
					conns[p], _ = p.connect(family)
				}
				with.a.SetHook(h, tcp.Mask(tcp.StepLeaving))
				var sent [2][][]byte
				for i, p := range []*pair{with, without} {
					_, err := conns[p].Write(p.now, []byte("hello"))
					require.NoError(t, err)
					sent[i] = outputs(p.a, p.now)
					require.Len(t, sent[i], 1)
				}
				require.Equal(t, changed(t, sent[1][0], true, change), sent[0][0])
				g := segmentIn(sent[0][0])
				require.Equal(t, len(sent[0][0]), g.ip.TotalLen)
				require.True(t, wire.VerifyTCP(sent[0][0][g.ip.HeaderLen:], &g.ip))
				require.Equal(t, conns[without].View(), conns[with].View())
				require.Equal(t, conns[without].Info(without.now), conns[with].Info(with.now))
				require.Equal(t, without.a.Fingerprint(without.now), with.a.Fingerprint(with.now))
			})
		}
	}
}

// situations are stacks that answer a segment without a connection: with a reset, a
// SYN-ACK with a cookie, the ACK of TIME-WAIT.
var situations = map[string]func(r *raw) (provoke func()){
	"reset": func(r *raw) func() {
		return func() { r.send(wire.TCP{Seq: 1, Ack: 5, Flags: wire.ACK}, "text") }
	},
	"cookie": func(r *raw) func() {
		flooded(r)
		return func() { r.send(plainSyn, "") }
	},
	"time-wait": func(r *raw) func() {
		next := r.closed(true)
		return func() {
			r.send(wire.TCP{Seq: 1, Ack: next, Flags: wire.FIN | wire.ACK, Options: wire.Options{Has: wire.HasTimestamps, TSVal: 1001}}, "")
		}
	},
}

// Likewise what the stack sends by itself.
func TestReplyIsWhatAHookMakesOfIt(t *testing.T) {
	change := func(p part) {
		p.Window, *p.tos = 4711, 0x20
		*p.payload, *p.options = []byte("by a hook"), []byte{1, 1, 253, 2}
	}
	for name, situation := range situations {
		t.Run(name, func(t *testing.T) {
			with, without := newRaw(t, config("linux")), newRaw(t, config("linux"))
			situation(without)()
			want := outputs(without.s, without.now)
			require.Len(t, want, 1)
			provoke := situation(with)
			left := 0
			with.s.hooked(func(r *tcp.Record) tcp.Verdict {
				require.True(t, r.Leaving && r.Segment)
				require.Equal(t, with.remote, r.Tuple.Remote)
				require.Equal(t, map[string]tcp.State{"reset": tcp.Closed, "cookie": tcp.Listen, "time-wait": tcp.TimeWait}[name], r.From)
				require.Equal(t, name == "time-wait", r.Conn != 0)
				if r.Step == tcp.StepLeft {
					require.Equal(t, "by a hook", string(r.Payload))
					require.Equal(t, []byte{1, 1, 253, 2}, r.Options)
					left++
					return tcp.Pass
				}
				change(partOf(r))
				return tcp.Mutated
			}, tcp.StepLeaving, tcp.StepLeft)
			provoke()
			have := outputs(with.s, with.now)
			require.Len(t, have, 1)
			require.Equal(t, changed(t, want[0], true, change), have[0])
			require.Equal(t, 1, left)
			require.Equal(t, without.s.Fingerprint(without.now), with.s.Fingerprint(with.now))
		})
	}
}

// What would not be a segment, or no packet for the link, is ignored and counted: the
// segment goes on as it was.
func TestImpossibleChangesAreIgnored(t *testing.T) {
	many := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = 1
		}
		return b
	}
	impossible := map[string]func(part){
		"41 octets of options":    func(p part) { *p.options = many(41) },
		"an option without end":   func(p part) { *p.options = []byte{253, 9, 1, 2} },
		"an option of one octet":  func(p part) { *p.options = []byte{253, 1} },
		"more than a packet":      func(p part) { *p.payload = make([]byte, 70000) },
		"more than a link takes":  func(p part) { *p.payload = make([]byte, 1461) },
		"half of another family":  func(p part) { p.tuple.Remote.Addr = addr("fd00::2") },
		"both of another family":  func(p part) { p.tuple.Remote.Addr, p.tuple.Local.Addr = addr("fd00::2"), addr("fd00::1") },
		"no address":              func(p part) { p.tuple.Local.Addr = wire.Addr{} },
		"a cookie beyond its end": func(p part) { *p.options = nil; p.Options.Has |= wire.HasFastOpen; p.Options.FastOpenLen = 20 },
	}
	for name, change := range impossible {
		spoil := func(r *tcp.Record) tcp.Verdict {
			p := partOf(r)
			for i := range r.Payload {
				r.Payload[i] = 'x' // in place, and not to be seen
			}
			change(p)
			return tcp.Mutated
		}
		t.Run(name+", leaving", func(t *testing.T) {
			p := newPair(t, config("linux"))
			a, _ := p.connect(wire.IPv4)
			p.a.hooked(spoil, tcp.StepLeaving)
			_, err := a.Write(p.now, []byte("hello"))
			require.NoError(t, err)
			sent := outputs(p.a, p.now)
			require.Len(t, sent, 1)
			require.Equal(t, "hello", parse(t, sent[0]).payload)
			require.Equal(t, uint64(1), p.a.Stats().ChangesIgnored)
		})
		if name == "more than a link takes" {
			continue // what has arrived has passed it
		}
		t.Run(name+", arriving", func(t *testing.T) {
			r := newRaw(t, config("linux"))
			l := r.listen(5)
			synAck := r.open()
			r.s.hooked(spoil, tcp.StepArriving)
			r.send(wire.TCP{Seq: 1, Ack: synAck.Seq.Add(1), Flags: wire.ACK, Window: 1000}, "hello")
			c, err := l.Accept(r.now)
			require.NoError(t, err)
			b := make([]byte, 10)
			n, err := c.Read(r.now, b)
			require.NoError(t, err)
			require.Equal(t, "hello", string(b[:n]))
			require.Equal(t, uint64(1), r.s.Stats().ChangesIgnored)
		})
	}
}

// A hook that moves a segment to an address where the stack must not take it has it
// dropped for that.
func TestArrivingSegmentMovedAway(t *testing.T) {
	for to, why := range map[string]rule.Drop{"10.0.0.9": rule.DropNotOurs, "224.0.0.1": rule.DropBroadcast} {
		r := newRaw(t, config("linux"))
		r.listen(5)
		r.s.hooked(func(r *tcp.Record) tcp.Verdict {
			r.Tuple.Local.Addr = addr(to)
			return tcp.Mutated
		}, tcp.StepArriving)
		r.send(plainSyn, "")
		r.none("it is not for us any more")
		require.Equal(t, uint64(1), r.drops(why))
	}
}

// The verdicts about a segment that arrives, for whoever it is.
func TestArrivingVerdicts(t *testing.T) {
	const span = 3 * clock.Second
	for name, v := range map[string]struct {
		verdict tcp.Verdict
		arg     uint64
		at      []clock.Duration // when it is taken in
		reset   bool
	}{
		"pass":      {verdict: tcp.Pass, at: []clock.Duration{0}},
		"no such":   {verdict: tcp.SendCookie, at: []clock.Duration{0}},
		"drop":      {verdict: tcp.DropIt},
		"delay":     {verdict: tcp.Delay, arg: uint64(span), at: []clock.Duration{span}},
		"not yet":   {verdict: tcp.Delay, arg: 0, at: []clock.Duration{0}},
		"for ever":  {verdict: tcp.Delay, arg: 1<<64 - 1},
		"duplicate": {verdict: tcp.Duplicate, arg: 2 | uint64(span)<<8, at: []clock.Duration{0, span, 2 * span}},
		"hold":      {verdict: tcp.Hold, arg: 7},
		"reset":     {verdict: tcp.Reset, reset: true},
	} {
		for _, step := range []tcp.Step{tcp.StepArriving, tcp.StepMoving} {
			t.Run(name, func(t *testing.T) {
				r := newRaw(t, config("linux"))
				r.listen(5)
				synAck := r.open()
				r.s.Log().SetMask(event.Of(event.SegmentIn))
				asked := 0
				r.s.hooked(func(rec *tcp.Record) tcp.Verdict {
					asked++
					rec.Arg = v.arg
					return v.verdict
				}, step)
				start := r.now
				r.send(wire.TCP{Seq: 1, Ack: synAck.Seq.Add(1), Flags: wire.ACK | wire.FIN, Window: 1000}, "hello")
				out := outputs(r.s, r.now)
				for r.s.Deadline() <= start.Add(10*span) {
					r.now = max(r.now, r.s.Deadline())
					r.s.Expire(r.now)
					outputs(r.s, r.now)
				}
				var at []clock.Duration
				for _, e := range r.s.Log().Take(nil) {
					at = append(at, e.At.Sub(start))
				}
				require.Equal(t, v.at, at)
				require.Equal(t, 1, asked, "what comes back is not asked about again")
				require.Equal(t, v.reset, len(out) == 1 && segmentIn(out[0]).Flags == wire.RST|wire.ACK)
				drops := uint64(0)
				if v.verdict == tcp.DropIt || v.verdict == tcp.Reset {
					drops = 1
				}
				require.Equal(t, drops, r.drops(rule.DropHook))
				require.Empty(t, r.s.env.Held.Check())
			})
		}
	}
}

// The verdicts about a segment that leaves: a connection goes on as if it had gone
// out when it was built.
func TestLeavingVerdicts(t *testing.T) {
	const span = 5 * clock.Millisecond
	for name, v := range map[string]struct {
		verdict tcp.Verdict
		arg     uint64
		at      []clock.Duration // when it goes out
	}{
		"pass":      {verdict: tcp.Pass, at: []clock.Duration{0}},
		"no such":   {verdict: tcp.SendCookie, at: []clock.Duration{0}},
		"drop":      {verdict: tcp.DropIt},
		"delay":     {verdict: tcp.Delay, arg: uint64(span), at: []clock.Duration{span}},
		"not yet":   {verdict: tcp.Delay, arg: 0, at: []clock.Duration{0}},
		"duplicate": {verdict: tcp.Duplicate, arg: 2 | uint64(span)<<8, at: []clock.Duration{0, span, 2 * span}},
		"at once":   {verdict: tcp.Duplicate, arg: 1, at: []clock.Duration{0, 0}},
		"hold":      {verdict: tcp.Hold, arg: 7},
	} {
		for _, link := range []packet.Link{ethernet, {MTU: 1500, Checksum: true, MaxSuper: 65535}} {
			t.Run(name, func(t *testing.T) {
				p := newPairOn(t, config("linux"), link)
				a, _ := p.connect(wire.IPv4)
				p.a.Log().SetMask(event.Of(event.SegmentOut))
				p.a.hooked(func(r *tcp.Record) tcp.Verdict {
					require.Equal(t, "hello", string(r.Payload))
					require.False(t, r.Again)
					r.Arg = v.arg
					return v.verdict
				}, tcp.StepLeaving)
				start, first := p.now, p.a.Packets()
				_, err := a.Write(p.now, []byte("hello"))
				require.NoError(t, err)
				var at []clock.Duration
				for range 10 {
					for p.a.Output(p.now, &p.p) {
						at = append(at, p.now.Sub(start))
						g := segmentIn(p.p.Bytes)
						require.Equal(t, "hello", g.payload)
						require.Equal(t, link.Checksum, p.p.Partial)
					}
					if p.now = max(p.now, p.a.Deadline()); p.now.Sub(start) > 3*span {
						break
					}
					p.a.Expire(p.now)
				}
				require.Equal(t, v.at, at)
				var logged []clock.Duration
				for i, e := range p.a.Log().Take(nil) {
					logged = append(logged, e.At.Sub(start))
					require.Equal(t, a.ID(), e.Conn)
					require.Equal(t, first+uint32(i)+1, e.Packet, "an event is of the packet that goes out then")
				}
				require.Equal(t, v.at, logged)
				require.Equal(t, uint32(5), uint32(a.View().Send.NXT.From(a.View().Send.UNA)), "in flight it is, whatever has become of it")
				require.Equal(t, name == "drop", p.a.Stats().Drops[rule.DropHook] == 1)
				require.Empty(t, p.a.env.Held.Check())
			})
		}
	}
}

// A hook that aborts the connection whose segment leaves: the reset leaves in its
// place, the user is told, and the handle is still his.
func TestLeavingReset(t *testing.T) {
	p := newPair(t, config("linux"))
	a, b := p.connect(wire.IPv4)
	p.a.hooked(func(r *tcp.Record) tcp.Verdict {
		if r.TCP.Flags.Has(wire.RST) {
			return tcp.Pass
		}
		return tcp.Reset
	}, tcp.StepLeaving)
	_, err := a.Write(p.now, []byte("hello"))
	require.NoError(t, err)
	p.pump()
	require.Equal(t, tcp.ErrAborted, a.Err())
	require.Equal(t, tcp.ErrReset, b.Err())
	ready, ok := p.a.NextReady()
	require.True(t, ok && ready.Conn == a)
	require.NoError(t, a.Close(p.now))
	p.pump()
	require.Zero(t, p.a.Conns())

	// Of a connection that nobody has yet, nothing is left.
	r := newRaw(t, config("linux"))
	l := r.listen(5)
	r.s.hooked(func(r *tcp.Record) tcp.Verdict {
		if r.TCP.Flags.Has(wire.SYN) {
			return tcp.Reset
		}
		return tcp.Pass
	}, tcp.StepLeaving)
	r.send(plainSyn, "")
	require.Equal(t, wire.RST|wire.ACK, r.one().Flags)
	require.Zero(t, l.HalfOpen())
	require.Zero(t, r.s.Conns())
}

// Reset about what is no connection: a segment is answered with one, a record of
// TIME-WAIT goes, and what would be sent is not.
func TestResetWithoutAConnection(t *testing.T) {
	for name, situation := range situations {
		t.Run(name, func(t *testing.T) {
			r := newRaw(t, config("linux"))
			provoke := situation(r)
			r.s.hooked(always(tcp.Reset), tcp.StepArriving)
			provoke()
			if name == "time-wait" {
				r.none("the record is gone, and says nothing")
				require.Zero(t, r.s.TimeWaits())
			} else {
				require.True(t, r.one().Flags.Has(wire.RST))
			}
			r = newRaw(t, config("linux"))
			provoke = situation(r)
			r.s.hooked(always(tcp.Reset), tcp.StepLeaving)
			provoke()
			r.none("it is dropped")
			require.Zero(t, r.s.TimeWaits())
			require.Equal(t, uint64(1), r.drops(rule.DropHook))
		})
	}
}

// Each segment that comes in is told of once behind the state machine, with what it
// has changed, or why it was refused.
func TestSegmentsAreToldOf(t *testing.T) {
	r := newRaw(t, config("linux"))
	h := r.s.hooked(nil, tcp.StepArrived, tcp.StepRejected)
	told := func(send func()) *tcp.Record {
		h.seen = h.seen[:0]
		send()
		outputs(r.s, r.now)
		return h.only(t)
	}
	rec := told(func() { r.send(wire.TCP{Seq: 1, Flags: wire.ACK}, "") })
	require.Equal(t, tcp.Record{Step: tcp.StepRejected, Drop: rule.DropNoConnection}, brief(rec))
	l := r.listen(5)
	rec = told(func() { r.send(wire.TCP{Seq: 1, Flags: wire.RST}, "") })
	require.Equal(t, tcp.Record{Step: tcp.StepRejected, From: tcp.Listen, To: tcp.Listen, Passive: true, Drop: rule.DropListenReset}, brief(rec))
	rec = told(func() { r.send(plainSyn, "") })
	require.Equal(t, tcp.Record{Step: tcp.StepArrived, From: tcp.Listen, To: tcp.SynReceived, Conn: 1, Passive: true}, brief(rec))
	require.Equal(t, []byte{2, 4, 5, 180}, rec.Options)
	iss := r.s.Conn(0).View().Send.ISS
	rec = told(func() { r.send(wire.TCP{Seq: 8, Ack: iss.Add(1), Flags: wire.ACK, Window: 900}, "hello") })
	require.Equal(t, tcp.Record{Step: tcp.StepArrived, From: tcp.SynReceived, To: tcp.Established, Conn: 1, Passive: true}, brief(rec))
	require.Equal(t, "hello", string(rec.Payload))
	rec = told(func() { r.send(wire.TCP{Seq: 6, Ack: iss.Add(1), Flags: wire.ACK, Window: 900}, "?!hello") })
	require.Equal(t, tcp.StepRejected, rec.Step)
	require.Equal(t, "?!hello", string(rec.Payload), "as it came")
	rec = told(func() { r.send(wire.TCP{Seq: 13, Flags: wire.RST}, "") })
	require.Equal(t, tcp.Record{Step: tcp.StepArrived, From: tcp.Established, To: tcp.Closed, Conn: 1, Passive: true}, brief(rec))
	c, err := l.Accept(r.now)
	require.NoError(t, err)
	require.NoError(t, c.Close(r.now))
	outputs(r.s, r.now)

	next := r.closed(false)
	rec = told(func() { r.send(wire.TCP{Seq: 1, Ack: next, Flags: wire.FIN | wire.ACK}, "") })
	require.Equal(t, tcp.Record{Step: tcp.StepArrived, From: tcp.TimeWait, To: tcp.TimeWait, Conn: 2}, brief(rec))
	rec = told(func() { r.send(wire.TCP{Seq: 99, Flags: wire.RST}, "") })
	require.Equal(t, tcp.Record{Step: tcp.StepRejected, From: tcp.TimeWait, To: tcp.TimeWait, Conn: 2, Drop: rule.DropReset}, brief(rec))
	rec = told(func() { r.send(wire.TCP{Seq: 2, Flags: wire.RST}, "") })
	require.Equal(t, tcp.Record{Step: tcp.StepArrived, From: tcp.TimeWait, To: tcp.Closed}, brief(rec), "nothing is left of it")
}

// brief is what a record says of states and reasons.
func brief(r *tcp.Record) tcp.Record {
	return tcp.Record{Step: r.Step, From: r.From, To: r.To, Conn: r.Conn, Passive: r.Passive, Drop: r.Drop}
}

// A hook that passes everything costs no memory; nor does one that writes every
// segment anew as it is.
func TestHookedBulkAllocatesNothing(t *testing.T) {
	for _, v := range []tcp.Verdict{tcp.Pass, tcp.Mutated} {
		w := newBulk(t, ethernet)
		h := &quiet{verdict: v}
		w.a.SetHook(h, everyStep)
		w.b.SetHook(h, everyStep)
		for range 100 {
			w.turn()
		}
		w.moved, h.calls = 0, 0
		require.Zero(t, testing.AllocsPerRun(200, w.turn))
		require.Greater(t, w.moved, 1<<20)
		require.Greater(t, h.calls, 1000)
	}
}

// quiet is a hook that only counts.
type quiet struct {
	stepHook
	verdict tcp.Verdict
	calls   int
}

func (h *quiet) At(*tcp.Record) tcp.Verdict { h.calls++; return h.verdict }

// A segment that was sent before is told to be, by a hook that has seen none of it.
func TestAgain(t *testing.T) {
	p := newPair(t, config("linux"))
	p.listen(p.b, 80, 5)
	lost := 1 // SYN, then data
	p.pass = func(from *Stack, q *packet.Packet) bool {
		if from != p.a || lost == 0 {
			return true
		}
		lost--
		return false
	}
	var again []bool
	p.a.hooked(func(r *tcp.Record) tcp.Verdict {
		if r.TCP.Flags.Has(wire.SYN) || len(r.Payload) > 0 {
			again = append(again, r.Again)
		}
		return tcp.Pass
	}, tcp.StepLeaving)
	a := p.dial(p.a, at("10.0.0.2", 80))
	p.run(2 * clock.Second)
	require.Equal(t, tcp.Established, a.State())
	require.Equal(t, []bool{false, true}, again)
	again, lost = nil, 1
	_, err := a.Write(p.now, []byte("hello"))
	require.NoError(t, err)
	p.run(2 * clock.Second)
	require.Equal(t, []bool{false, true}, again)
}
