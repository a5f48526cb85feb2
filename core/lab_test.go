package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

// goes is a hook that orders the way of one end's connections: from each state to
// the next.
func goes(way map[tcp.State]tcp.State) func(*tcp.Record) tcp.Verdict {
	return func(r *tcp.Record) tcp.Verdict {
		to, ok := way[r.To]
		if r.Step != tcp.StepTransition || r.Conn == 0 || !ok {
			return tcp.Pass
		}
		r.Arg = uint64(to)
		return tcp.GoTo
	}
}

// Two-way: the server is ESTABLISHED on a SYN.
func TestGoToEstablishedOnSyn(t *testing.T) {
	r := newRaw(t, config("rfc9293"))
	r.s.hooked(goes(map[tcp.State]tcp.State{tcp.SynReceived: tcp.Established}), tcp.StepTransition)
	r.s.Log().SetMask(event.Of(event.Transition))
	l := r.listen(5)
	r.send(wire.TCP{Flags: wire.SYN, Window: 1000}, "")
	require.Equal(t, [2]int{0, 1}, [2]int{l.HalfOpen(), l.Waiting()})
	c, err := l.Accept(r.now)
	require.NoError(t, err)
	require.Equal(t, tcp.Established, c.State())
	require.True(t, c.Info(r.now).Lab, "it says what it is")
	n, err := c.Write(r.now, []byte("so soon"))
	require.NoError(t, err)
	require.Equal(t, 7, n)
	all := r.replies()
	require.Len(t, all, 2, "our SYN still goes, and what was written right behind it")
	require.Equal(t, wire.SYN|wire.ACK, all[0].Flags)
	require.Equal(t, "so soon", all[1].payload)
	// Nobody answers: the SYN goes again.
	r.now = r.s.Deadline()
	r.s.Expire(r.now)
	require.Equal(t, wire.SYN|wire.ACK, r.replies()[0].Flags)
	r.send(wire.TCP{Seq: 1, Ack: all[1].Seq.Add(7), Flags: wire.ACK, Window: 1000}, "and you")
	require.Equal(t, 0, c.Unacked())
	require.Equal(t, 7, c.Readable())
	var by []uint8
	for _, e := range r.s.Log().Take(nil) {
		by = append(by, e.By)
	}
	require.Equal(t, []uint8{uint8(tcp.BySegment), uint8(tcp.ByPlugin)}, by)
	why, _ := r.s.Check()
	require.Empty(t, why)
}

// No TIME-WAIT: the last ACK goes all the same.
func TestGoToClosedFromTimeWait(t *testing.T) {
	p := newPair(t, config("rfc9293"))
	p.a.hooked(goes(map[tcp.State]tcp.State{tcp.TimeWait: tcp.Closed}), tcp.StepTransition)
	a, b := p.connect(wire.IPv4)
	require.NoError(t, a.Close(p.now))
	p.pump()
	require.NoError(t, b.Close(p.now))
	p.pump()
	require.Zero(t, p.a.Conns()+p.a.TimeWaits())
	require.Zero(t, p.b.Conns(), "LAST-ACK is over by the ACK, and by no reset")
	require.Zero(t, p.a.Stats().ResetsOut)
	require.Zero(t, p.a.Stats().Aborted)
}

// What is no edge of Figure 5, or leads to where the peer's numbers would have to be
// known, is ignored and counted.
func TestOrdersThatAreIgnored(t *testing.T) {
	p := newPair(t, config("rfc9293"))
	p.a.hooked(goes(map[tcp.State]tcp.State{tcp.SynSent: tcp.Established, tcp.Established: tcp.LastAck, tcp.Closed: tcp.SynSent, tcp.FinWait1: 99}), tcp.StepTransition)
	a, b := p.connect(wire.IPv4)
	require.Equal(t, uint64(2), p.a.Stats().OrdersIgnored)
	require.False(t, a.Info(p.now).Lab)
	_, _ = a.Close(p.now), b.Close(p.now)
	p.run(clock.Hour)
	require.Equal(t, uint64(4), p.a.Stats().OrdersIgnored)
	require.Zero(t, p.a.Conns()+p.b.Conns())
}

// A hook aborts a connection at any change of state: with a reset where the peer
// knows of it, RFC 9293 §3.10.5.
func TestResetAtATransition(t *testing.T) {
	for _, c := range []struct {
		at    tcp.State
		reset bool
	}{{tcp.SynReceived, true}, {tcp.Established, true}, {tcp.CloseWait, true}, {tcp.SynSent, false}, {tcp.FinWait1, true}, {tcp.FinWait2, true}, {tcp.TimeWait, false}} {
		p := newPair(t, config("rfc9293"))
		hook := func(r *tcp.Record) tcp.Verdict {
			if r.To == c.at {
				return tcp.Reset
			}
			return tcp.Pass
		}
		side := p.a
		if c.at == tcp.SynReceived || c.at == tcp.CloseWait {
			side = p.b
		}
		side.hooked(hook, tcp.StepTransition)
		l := p.listen(p.b, 80, 5)
		a := p.dial(p.a, at("10.0.0.2", 80))
		p.pump()
		_ = a.CloseWrite(p.now)
		p.pump()
		if b, err := l.Accept(p.now); err == nil {
			_ = b.Close(p.now)
		}
		p.pump()
		require.Equal(t, c.reset, side.Stats().ResetsOut > 0, "%v", c.at)
		l.Close(p.now)
		_ = a.Close(p.now)
		p.run(clock.Hour)
		require.Zero(t, p.a.Conns()+p.b.Conns(), "%v", c.at)
	}
}

// A chaos is a hook that says anything, by its seed.
type chaos struct {
	seed, n uint64
	busy    uint64 // it says something once in so many calls
	said    [tcp.FireNow + 1]int
}

func (h *chaos) draw(what, n uint64) uint64 {
	return siphash.Words2(siphash.Key{K0: h.seed, K1: what}, h.n, 0) % n
}

func (h *chaos) At(r *tcp.Record) tcp.Verdict {
	if h.n++; h.draw(0, h.busy) != 0 {
		return tcp.Pass
	}
	v := tcp.Verdict(h.draw(1, uint64(tcp.FireNow)+1))
	h.said[v]++
	switch v {
	case tcp.Mutated:
		if r.Step == tcp.StepEgress {
			return tcp.Pass // what is spoilt there need not be a packet
		}
		h.mutate(r)
	case tcp.Delay:
		r.Arg = h.draw(2, uint64(clock.Second))
	case tcp.Duplicate:
		r.Arg = h.draw(2, 4) | h.draw(3, 1e6)<<8
	case tcp.GoTo:
		r.Arg = h.draw(2, 12)
	}
	return v
}

func (h *chaos) mutate(r *tcp.Record) {
	near := func(what uint64) seq.Value { return seq.Value(uint32(int32(h.draw(what, 3000)) - 1500)) }
	switch h.draw(4, 10) {
	case 0:
		r.TCP.Seq += near(5)
	case 1:
		r.TCP.Ack += near(5)
	case 2:
		r.TCP.Flags ^= wire.Flags(h.draw(5, 512))
	case 3:
		r.TCP.Window = uint16(h.draw(5, 1<<16))
	case 4:
		r.TCP.Urgent, r.TCP.Flags = uint16(h.draw(5, 1<<16)), r.TCP.Flags|wire.URG
	case 5:
		r.TCP.Options.Has = wire.OptionSet(h.draw(5, 1<<9))
		r.TCP.Options.TSVal, r.TCP.Options.MSS = uint32(h.draw(6, 1<<32)), uint16(h.draw(7, 1<<16))
		r.TCP.Options.SACKCount = uint8(h.draw(8, 5))
		r.TCP.Options.FastOpenLen = uint8(h.draw(9, 17))
	case 6:
		r.Payload = r.Payload[:h.draw(5, uint64(len(r.Payload))+1)]
	case 7:
		for i := range r.Payload {
			r.Payload[i]++
		}
	case 8:
		r.TOS, r.TTL = uint8(h.draw(5, 256)), uint8(h.draw(6, 256))
	default:
		r.Args[h.draw(5, 8)] = h.draw(6, 1<<40)
	}
}

func (h *chaos) Deadline() clock.Instant                       { return clock.Never }
func (h *chaos) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *chaos) Clone() tcp.Hook                               { c := *h; return &c }
func (h *chaos) Fingerprint(*siphash.Hash, clock.Instant)      {}

// Whatever hooks say at whatever steps, nothing panics, what goes out is well-formed,
// and in the end all is given back.
func TestHooksThatSayAnything(t *testing.T) {
	var said [tcp.FireNow + 1]int
	labs := 0
	for _, profile := range Profiles() {
		for seed := range uint64(release.Count(60, 3000)) {
			w := newWorld(t, seed, profile)
			w.six = seed&1 != 0
			mask := everyStep
			switch seed & 6 {
			case 2:
				mask = tcp.Mask(tcp.StepTransition)
			case 4:
				mask = tcp.Mask(tcp.StepTransition, tcp.StepMoving, tcp.StepMoved)
			}
			hooks := [2]*chaos{{seed: 2 * seed, busy: 4}, {seed: 2*seed + 1, busy: 4}}
			w.a.SetHook(hooks[0], mask)
			w.b.SetHook(hooks[1], mask)
			pass := w.pass
			w.pass = func(from *Stack, p *packet.Packet) bool {
				wellFormed(t, p)
				return pass(from, p)
			}
			for range 60 {
				w.act()
				for _, s := range []*Stack{w.a, w.b} {
					why, c := s.Check()
					require.Empty(t, why, "seed %d: %v", seed, c)
					for _, c := range s.conns {
						if c != nil && c.Info(w.now).Lab {
							labs++
						}
					}
				}
			}
			v := w.clone()
			require.Equal(t, w.state(), v.state())
			w.a.SetHook(nil, 0)
			w.b.SetHook(nil, 0)
			w.end()
			for _, h := range hooks {
				for i, n := range h.said {
					said[i] += n
				}
			}
		}
	}
	t.Logf("verdicts %v, %d times a connection of the lab", said, labs)
	require.Positive(t, labs)
}

// wellFormed looks at a packet as every receiver does.
func wellFormed(t *testing.T, p *packet.Packet) {
	var ip wire.IP
	require.Equal(t, rule.NotDropped, wire.ParseIP(p.Bytes, &ip))
	require.Len(t, p.Bytes, ip.TotalLen)
	require.LessOrEqual(t, ip.TotalLen, 1500)
	if ip.Protocol == wire.ProtocolTCP {
		var h wire.TCP
		b := p.Bytes[ip.HeaderLen:]
		require.Equal(t, rule.NotDropped, wire.ParseTCP(b, &h))
		require.True(t, wire.VerifyTCP(b, &ip), "RFC 9293 §3.1 MUST-2")
	}
}
