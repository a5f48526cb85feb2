package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/internal/release"
)

const allSteps = tcp.HookMask(1<<tcp.Steps - 1)

// lives is a hook that follows connections from StepNew to StepClosed.
type lives struct {
	testing.TB
	at    map[uint32]tcp.Step // the last step of each
	ended int
	calls [tcp.Steps]int
}

func (h *lives) At(r *tcp.Record) tcp.Verdict {
	h.calls[r.Step]++
	if r.Conn == 0 {
		return tcp.Pass
	}
	was, known := h.at[r.Conn]
	switch r.Step {
	case tcp.StepNew:
		require.False(h, known, "connection %d is new twice", r.Conn)
		h.at[r.Conn] = r.Step
	case tcp.StepEstablished:
		require.Equal(h, tcp.StepNew, was, "connection %d", r.Conn)
		h.at[r.Conn] = r.Step
	case tcp.StepClosed:
		h.at[r.Conn] = r.Step
		h.ended++
		fallthrough
	default:
		require.True(h, known && was != tcp.StepClosed, "step %d of connection %d, which is not known", r.Step, r.Conn)
	}
	return tcp.Pass
}

func (h *lives) Deadline() clock.Instant                       { return clock.Never }
func (h *lives) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *lives) Fingerprint(*siphash.Hash, clock.Instant)      {}
func (h *lives) Clone() tcp.Hook                               { return &lives{TB: h.TB, at: map[uint32]tcp.Step{}} }

// However connections end, in worlds with every fault: each is new once, then perhaps
// established, and in the end closed, once; nothing is told of it before and after.
func TestStepsOfALife(t *testing.T) {
	var all lives
	opened := 0
	for seed := range uint64(release.Count(60, 1000)) {
		cfg := Random(seed+1, 6)
		for i := range cfg.Hosts {
			cfg.Hosts[i].Hook, cfg.Hosts[i].Hooks = &lives{TB: t}, allSteps
		}
		w := finish(t, cfg)
		for i := range cfg.Hosts {
			h := w.Hook(i).(*lives)
			require.Equal(t, len(h.at), h.ended, "seed %d: all have ended", seed+1)
			opened += len(h.at)
			for step, n := range h.calls {
				all.calls[step] += n
			}
		}
	}
	require.Greater(t, opened, 100)
	for _, step := range []tcp.Step{
		tcp.StepSyn, tcp.StepNew, tcp.StepEstablished, tcp.StepClosed, tcp.StepTimerArmed, tcp.StepTimerFired, tcp.StepISN, tcp.StepPort,
	} {
		require.Positive(t, all.calls[step], "step %d", step)
	}
}

// The steps of admission, timers, identity, connections, recovery, acknowledgments
// and data.
var (
	stepsToAsk = []tcp.Step{
		tcp.StepSyn, tcp.StepNew, tcp.StepEstablished, tcp.StepClosed, tcp.StepTimerArmed, tcp.StepTimerFired, tcp.StepRTT,
		tcp.StepLost, tcp.StepRetransmit, tcp.StepPhase, tcp.StepSpurious, tcp.StepAck, tcp.StepISN, tcp.StepPort, tcp.StepWrite, tcp.StepRead,
	}
	asked = tcp.Mask(stepsToAsk...)
)

// saying is a hook that always says the same.
type saying struct {
	noting
	verdict tcp.Verdict
}

func (h *saying) At(r *tcp.Record) tcp.Verdict {
	h.noting.At(r)
	return h.verdict
}
func (h *saying) Clone() tcp.Hook { c := *h; return &c }

// A hook that passes everything at every step, and one that says at each of those
// above that it has changed something and has not, leave every packet as it was, octet
// by octet and at its time.
func TestStepsThatChangeNothing(t *testing.T) {
	var calls [tcp.Steps]int
	for seed := range uint64(release.Count(40, 1000)) {
		for _, c := range []struct {
			verdict tcp.Verdict
			steps   tcp.HookMask
			supers  bool // a hook of segments is shown single ones
		}{{tcp.Pass, allSteps, false}, {tcp.Mutated, asked, true}} {
			run := func(h tcp.Hook) *World {
				cfg := Random(seed+1000, 6)
				cfg.Capture = true
				for i := range cfg.Hosts {
					cfg.Hosts[i].Hook, cfg.Hosts[i].Hooks = h, c.steps
					if !c.supers {
						cfg.Hosts[i].Link.MaxSuper = 0
					}
				}
				return finish(t, cfg)
			}
			plain, hooked := run(nil), run(&saying{verdict: c.verdict})
			require.Equal(t, plain.Captured(), hooked.Captured(), "seed %d", seed+1000)
			require.Equal(t, plain.Hash(), hooked.Hash(), "seed %d", seed+1000)
			for i := range hooked.hosts {
				for step, n := range hooked.Hook(i).(*saying).calls {
					calls[step] += n
				}
			}
		}
	}
	for _, step := range stepsToAsk {
		require.Positive(t, calls[step], "step %d", step)
	}
}

// chaotic is a hook that says anything, with any numbers.
type chaotic struct {
	key   siphash.Key
	drawn uint64
	lab   bool // holds timers and lets them act at once
	calls [tcp.Steps]int
}

func (h *chaotic) draw() uint64 {
	h.drawn++
	return siphash.PRF(h.key, forScenario, h.drawn, 0)
}

func (h *chaotic) At(r *tcp.Record) tcp.Verdict {
	h.calls[r.Step]++
	d := h.draw()
	timer := r.Step == tcp.StepTimerArmed || r.Step == tcp.StepTimerFired
	switch {
	case d%2 == 0:
		return tcp.Pass
	case r.Step == tcp.StepSyn:
		return [...]tcp.Verdict{tcp.Pass, tcp.SendCookie, tcp.SendCookie, tcp.DropIt, tcp.Reset, tcp.Verdict(d >> 56)}[d>>8%6]
	case timer && h.lab && d>>8%4 == 0:
		return [...]tcp.Verdict{tcp.Hold, tcp.FireNow}[d>>16%2]
	}
	n := h.draw()
	for i := range r.Args {
		switch n := n >> (8 * i); n % 8 {
		case 0:
			r.Args[i] = h.draw()
		case 1:
			r.Args[i] = h.draw() >> (h.draw() % 64)
		case 2:
			r.Args[i] += h.draw()%uint64(clock.Second) - uint64(clock.Second/2)
		case 3:
			r.Args[i] = n >> 3 % 4
		}
	}
	if n%16 == 5 {
		r.Controller, _ = cc.ByName(cc.Names()[n>>8%2])
	}
	if n>>60 == 0 {
		return tcp.Duplicate // which has no meaning here
	}
	return tcp.Mutated
}

func (h *chaotic) Deadline() clock.Instant                       { return clock.Never }
func (h *chaotic) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *chaotic) Clone() tcp.Hook                               { c := *h; return &c }
func (h *chaotic) Fingerprint(f *siphash.Hash, _ clock.Instant)  { f.WriteUint64(h.drawn) }

// Whatever a hook says at these steps, every invariant of a world holds: also those of
// the octets that are delivered, of windows and of timers, and in the end all is gone.
func TestStepsInChaos(t *testing.T) {
	var calls [tcp.Steps]int
	for seed := range uint64(release.Count(100, 10_000)) {
		cfg := Random(seed+5000, 6)
		for i := range cfg.Flows {
			cfg.Flows[i].Sure = false
		}
		// Who is given up in silence, since a hook wants a user timeout, finds out by
		// keepalive, as late as a hook may have it.
		cfg.End = clock.Instant(2000 * clock.Hour)
		for i := range cfg.Hosts {
			cfg.Hosts[i].Core.TCP.Keepalive = true
			cfg.Hosts[i].Hook = &chaotic{key: siphash.Key{K0: seed, K1: uint64(i)}, lab: seed%2 == 0}
			cfg.Hosts[i].Hooks = asked
		}
		w, err := New(&cfg)
		require.NoError(t, err)
		require.NoError(t, w.Finish(), "seed %d", seed+5000)
		for i := range cfg.Hosts {
			for step, n := range w.Hook(i).(*chaotic).calls {
				calls[step] += n
			}
		}
	}
	for _, step := range stepsToAsk {
		require.Positive(t, calls[step], "step %d", step)
	}
}

// repairs is a hook that compares what goes again with what was taken for lost.
type repairs struct {
	testing.TB
	lost  map[uint32][][2]seq.Value // of each connection
	again int
}

func (h *repairs) At(r *tcp.Record) tcp.Verdict {
	from, to := seq.Value(r.Args[0]), seq.Value(r.Args[1])
	require.True(h, from.Before(to) && from.AtOrAfter(r.Send.UNA) && to.AtOrBefore(r.Send.NXT), "octets that are in flight")
	if r.Step == tcp.StepLost {
		h.lost[r.Conn] = append(h.lost[r.Conn], [2]seq.Value{from, to})
		return tcp.Pass
	}
	if from == r.Send.ISS {
		return tcp.Pass // a SYN
	}
	h.again++
	for at := from; at.Before(to); {
		begun := at
		for _, s := range h.lost[r.Conn] {
			if s[0].AtOrBefore(at) && s[1].After(at) {
				at = s[1]
			}
		}
		require.NotEqual(h, begun, at, "connection %d: %d goes again and was not lost", r.Conn, at.From(r.Send.ISS))
	}
	return tcp.Pass
}

func (h *repairs) Deadline() clock.Instant                       { return clock.Never }
func (h *repairs) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (h *repairs) Fingerprint(*siphash.Hash, clock.Instant)      {}
func (h *repairs) Clone() tcp.Hook                               { return &repairs{TB: h.TB, lost: map[uint32][][2]seq.Value{}} }

// Nothing but a probe goes again that a hook was not told of as lost.
func TestWhatGoesAgainWasLost(t *testing.T) {
	again := 0
	for seed := range uint64(release.Count(40, 1000)) {
		cfg := Random(seed+9000, 6)
		for i := range cfg.Hosts {
			cfg.Hosts[i].Core.TCP.TLP = false
			cfg.Hosts[i].Hook, cfg.Hosts[i].Hooks = &repairs{TB: t}, tcp.Mask(tcp.StepLost, tcp.StepRetransmit)
		}
		w := finish(t, cfg)
		for i := range cfg.Hosts {
			again += w.Hook(i).(*repairs).again
		}
	}
	require.Greater(t, again, 100)
}
