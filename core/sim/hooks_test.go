package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

// constant is a hook that says the same at every step.
type constant struct {
	verdict tcp.Verdict
	calls   [tcp.Steps]int
}

func (h *constant) At(r *tcp.Record) tcp.Verdict {
	h.calls[r.Step]++
	return h.verdict
}
func (h *constant) Deadline() clock.Instant                       { return clock.Never }
func (h *constant) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *constant) Clone() tcp.Hook                               { c := *h; return &c }
func (h *constant) Fingerprint(*siphash.Hash, clock.Instant)      {}

// Hooks that pass everything, and hooks that say of everything that they have changed
// it and have not, leave worlds with every fault as they are: each packet and each
// event. Only super-packets become single ones.
//
// Proves: P16
func TestHooksThatChangeNothing(t *testing.T) {
	var calls [tcp.Steps]int
	for seed := range uint64(release.Count(60, 1500)) {
		cfg := Random(seed+1, 6)
		cfg.Capture = true
		for i := range cfg.Hosts {
			cfg.Hosts[i].Link.MaxSuper = 0
		}
		plain := finish(t, cfg)
		for _, v := range []tcp.Verdict{tcp.Pass, tcp.Mutated} {
			for i := range cfg.Hosts {
				cfg.Hosts[i].Hook, cfg.Hosts[i].Hooks = &constant{verdict: v}, allSteps
			}
			hooked := finish(t, cfg)
			require.Equal(t, len(plain.Captured()), len(hooked.Captured()), "seed %d, verdict %d", seed+1, v)
			for i, p := range plain.Captured() {
				require.Equal(t, p, hooked.Captured()[i], "seed %d, verdict %d, packet %d", seed+1, v, i+1)
			}
			require.Equal(t, plain.Hash(), hooked.Hash(), "seed %d, verdict %d", seed+1, v)
			for i := range cfg.Hosts {
				for step, n := range hooked.Hook(i).(*constant).calls {
					calls[step] += n
				}
			}
		}
	}
	for step, n := range calls {
		require.Positive(t, n, "step %d", step)
	}
}

// The largest packet that a link can carry is one that a hook may have changed, too.
func TestHooksAtTheLargestSegments(t *testing.T) {
	for _, family := range families {
		c := profile("linux")
		c.TCP.SendBuffer, c.TCP.ReceiveBuffer = 1<<20, 1<<20
		cfg := Transfer(c, family, 1_000_000, Channel{Delay: clock.Millisecond})
		for i := range cfg.Hosts {
			cfg.Hosts[i].Link.MTU = 65535
			cfg.Hosts[i].Hook, cfg.Hosts[i].Hooks = &constant{verdict: tcp.Mutated}, allSteps
		}
		cfg.Capture = true
		w, largest := finish(t, cfg), 0
		for _, p := range w.Captured() {
			largest = max(largest, len(p.Bytes))
		}
		require.Equal(t, 65535, largest)
		for i := range cfg.Hosts {
			require.Zero(t, w.Stack(i).Stats().ChangesIgnored)
		}
	}
}

// mutator is a hook that does everything to segments that can be done to them, by a
// seed. What it makes of them is seldom one.
type mutator struct {
	seed, n uint64
	changes int
	added   int
}

func (h *mutator) draw(below uint64) uint64 {
	h.n++
	return siphash.PRF(siphash.Key{K0: h.seed}, 1, h.n, 0) % below
}

func (h *mutator) octets(most uint64) []byte {
	b := make([]byte, h.draw(most+1))
	for i := range b {
		b[i] = byte(h.draw(256))
	}
	return b
}

func (h *mutator) At(r *tcp.Record) tcp.Verdict {
	if h.draw(8) == 0 {
		r.Beside.Release(h.draw(4))
	}
	if h.draw(50) == 0 {
		h.inject(r)
	}
	if h.draw(6) != 0 {
		return tcp.Pass
	}
	h.changes++
	for range 1 + h.draw(3) {
		h.change(r)
	}
	switch h.draw(20) {
	case 0:
		r.Arg = h.draw(uint64(clock.Second))
		return tcp.Delay
	case 1:
		r.Arg = h.draw(5) | h.draw(uint64(clock.Second))<<8
		return tcp.Duplicate
	case 2:
		r.Arg = h.draw(4)
		return tcp.Hold
	case 3:
		return tcp.DropIt
	case 4:
		if h.draw(20) == 0 {
			return tcp.Reset
		}
	}
	return tcp.Mutated
}

func (h *mutator) change(r *tcp.Record) {
	near := func() seq.Size { return seq.Size(uint32(int32(h.draw(5000)) - 2500)) }
	switch h.draw(16) {
	case 0:
		r.TCP.Seq = r.TCP.Seq.Add(near())
	case 1:
		r.TCP.Ack = r.TCP.Ack.Add(near())
	case 2:
		r.TCP.Flags ^= 1 << h.draw(16)
	case 3:
		r.TCP.Window = uint16(h.draw(1 << 16))
	case 4:
		r.TCP.Urgent, r.TCP.Flags = uint16(h.draw(1<<16)), r.TCP.Flags|wire.URG
	case 5:
		o := &r.TCP.Options
		o.Has = wire.OptionSet(h.draw(1 << 10))
		o.MSS, o.TSVal, o.TSEcr = uint16(h.draw(1<<16)), uint32(h.draw(1<<32)), uint32(h.draw(1<<32))
		o.SACKCount, o.FastOpenLen, o.WindowScale = uint8(h.draw(256)), uint8(h.draw(256)), uint8(h.draw(256))
	case 6:
		r.Options = h.octets(50)
	case 7:
		if n := len(r.Options); n > 0 {
			r.Options[h.draw(uint64(n))] = byte(h.draw(256))
		}
	case 8:
		r.Options = append(r.Options, 253, 4, 1, 2)
	case 9:
		r.Payload = r.Payload[:h.draw(uint64(len(r.Payload)+1))]
	case 10:
		r.Payload = r.Payload[h.draw(uint64(len(r.Payload)+1)):]
	case 11:
		r.Payload = append(r.Payload, h.octets(2000)...)
	case 12:
		for i := range r.Payload {
			r.Payload[i] ^= 0xff
		}
	case 13:
		r.TOS, r.TTL = uint8(h.draw(256)), uint8(h.draw(256))
	case 14:
		r.Tuple.Remote.Port, r.Tuple.Local.Port = uint16(h.draw(1<<16)), uint16(h.draw(1<<16))
	case 15:
		r.Tuple.Remote.Addr = [...]wire.Addr{{}, wire.AddrFrom4([4]byte{10, 0, 0, 7}), wire.AddrFrom16([16]byte{0xfd, 15: 9})}[h.draw(3)]
	}
}

func (h *mutator) inject(r *tcp.Record) {
	a := tcp.Aside{
		Leaving: h.draw(2) == 0, After: clock.Duration(h.draw(uint64(clock.Second))), Tuple: r.Tuple, TCP: r.TCP, Payload: h.octets(1600),
	}
	if h.draw(2) == 0 {
		a.Options = h.octets(44)
	}
	if r.Beside.Add(a) {
		h.added++
	}
}

func (h *mutator) Deadline() clock.Instant                       { return clock.Never }
func (h *mutator) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *mutator) Clone() tcp.Hook                               { c := *h; return &c }
func (h *mutator) Fingerprint(f *siphash.Hash, _ clock.Instant)  { f.WriteUint64(h.n) }

// Whatever hooks make of segments, at every step and both ends: each packet that is
// sent is one, with right lengths and checksums, and the invariants of the engine hold.
// A copy of a world goes on in the same way, with what hooks keep back.
//
// Proves: P09
func TestHooksThatChangeSegments(t *testing.T) {
	changes, added, ignored, held := 0, 0, uint64(0), 0
	for seed := uint64(1); changes < release.Count(30_000, 10_000_000); seed++ {
		cfg := Transfer(profile([]string{"linux", "rfc9293", "embedded"}[seed%3]), families[seed%2], 20_000, Channel{Delay: clock.Millisecond})
		for i := range cfg.Hosts {
			cfg.Hosts[i].Hook = &mutator{seed: 2*seed + uint64(i)}
			cfg.Hosts[i].Hooks = tcp.Mask(tcp.StepArriving, tcp.StepLeaving, tcp.StepMoving, tcp.StepMoved, tcp.StepParse, tcp.StepOptions)
			cfg.Hosts[i].Changes, cfg.Hosts[i].Garbles = true, true
		}
		w := world(t, cfg)
		until := clock.Instant(3 * clock.Second)
		require.NoError(t, w.Run(until), "seed %d", seed)
		other := w.Clone()
		require.Equal(t, w.Fingerprint(), other.Fingerprint())
		for _, v := range []*World{w, other} {
			require.NoError(t, v.Run(until.Add(clock.Minute)), "seed %d", seed)
		}
		require.Equal(t, w.Hash(), other.Hash(), "seed %d", seed)
		require.Equal(t, w.Fingerprint(), other.Fingerprint(), "seed %d", seed)
		for i := range cfg.Hosts {
			h, s := w.Hook(i).(*mutator), w.Stack(i)
			changes, added = changes+h.changes, added+h.added
			ignored += s.Stats().ChangesIgnored
			held += int(s.Stats().Drops[rule.DropHeldFull])
		}
	}
	t.Logf("%d changes, of which %d were not possible; %d segments added; %d times no room to hold", changes, ignored, added, held)
	require.Positive(t, ignored)
}

// network is a hook that is a bad network at the link, by a seed.
type network struct{ mutator }

func (h *network) At(r *tcp.Record) tcp.Verdict {
	h.changes++
	switch h.draw(20) {
	case 0:
		return tcp.DropIt
	case 1:
		r.Arg = 1 | h.draw(uint64(10*clock.Millisecond))<<8
		return tcp.Duplicate
	case 2, 3, 4:
		r.Arg = h.draw(uint64(20 * clock.Millisecond))
		return tcp.Delay
	case 5:
		if r.Step == tcp.StepIngress {
			r.Payload[h.draw(uint64(len(r.Payload)))] ^= 1 << h.draw(8)
			return tcp.Mutated
		}
	}
	return tcp.Pass
}

func (h *network) Clone() tcp.Hook { c := *h; return &c }

// What a link may do to packets costs time and nothing else: users get what was
// written, and in the end all is given back.
func TestHooksThatAreANetwork(t *testing.T) {
	for seed := range uint64(release.Count(20, 500)) {
		for _, name := range []string{"linux", "rfc9293"} {
			cfg := Transfer(profile(name), families[seed%2], 100_000, Channel{Delay: clock.Millisecond})
			for i := range cfg.Hosts {
				cfg.Hosts[i].Hook = &network{mutator{seed: 2*seed + uint64(i)}}
				cfg.Hosts[i].Hooks, cfg.Hosts[i].Changes = tcp.Mask(tcp.StepIngress, tcp.StepEgress), true
			}
			w := finish(t, cfg)
			require.Equal(t, uint64(200_000), w.Count().Read)
			for i := range cfg.Hosts {
				require.Positive(t, w.Hook(i).(*network).changes)
				require.Positive(t, w.Stack(i).Stats().Drops[rule.DropHook])
				require.Positive(t, w.Stack(i).Stats().Drops[rule.DropTCPChecksum])
			}
		}
	}
}
