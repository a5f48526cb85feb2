package shift

import (
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/wire"
)

// flowsEach is how many connections a world has.
const flowsEach = 3

// begin is when a world begins.
const begin = clock.Instant(clock.Second)

// A world is what came of one.
type world struct {
	trace    *trace
	first    []uint32 // by host: the first initial sequence number that it chose
	chose    []bool   // and whether there was one
	count    sim.Count
	outcomes []sim.Outcome
}

// finish runs the world of cfg to its end.
func finish(t *testing.T, cfg sim.Config) world {
	cfg.Capture = true
	w, err := sim.New(&cfg)
	require.NoError(t, err)
	require.NoError(t, w.Finish(), "seed %d", cfg.Seed)
	r := world{
		trace: newTrace(cfg.Start), count: w.Count(),
		first: make([]uint32, len(cfg.Hosts)), chose: make([]bool, len(cfg.Hosts)),
	}
	for _, p := range w.Captured() {
		r.trace.add(p.At, p.Bytes)
		if isn, ok := isSYN(p.Bytes); ok && !r.chose[p.From] {
			r.first[p.From], r.chose[p.From] = isn, true
		}
	}
	for i := range cfg.Flows {
		for side := range 2 {
			r.outcomes = append(r.outcomes, w.Outcome(i, side))
		}
	}
	return r
}

// isSYN gives the sequence number of a segment with SYN.
func isSYN(b []byte) (isn uint32, ok bool) {
	var ip wire.IP
	var s wire.TCP
	wire.ParseIP(b, &ip)
	if ip.Protocol != wire.ProtocolTCP {
		return 0, false
	}
	wire.ParseTCP(b[ip.HeaderLen:ip.TotalLen], &s)
	return uint32(s.Seq), s.Flags.Has(wire.SYN)
}

// withISN has each host's first connection begin at n.
func withISN(cfg sim.Config, base world, n uint32) sim.Config {
	cfg.Hosts = slices.Clone(cfg.Hosts)
	for i := range cfg.Hosts {
		cfg.Hosts[i].Core.ISNShift = n - base.first[i]
	}
	return cfg
}

// withNames gives all hosts other addresses, ports and secrets, from which come
// other sequence numbers, timestamps and ports of active opens.
func withNames(cfg sim.Config) sim.Config {
	cfg.Hosts, cfg.Flows = slices.Clone(cfg.Hosts), slices.Clone(cfg.Flows)
	for i := range cfg.Hosts {
		h := &cfg.Hosts[i]
		h.Core.Secret = [16]byte{byte(cfg.Seed), byte(cfg.Seed >> 8), byte(i), 7}
		h.Addrs, h.Listens = slices.Clone(h.Addrs), slices.Clone(h.Listens)
		for k := range h.Addrs {
			if h.Addrs[k].Addr.Is4() {
				h.Addrs[k].Addr = wire.AddrFrom4([4]byte{172, 16, 200, byte(200 - i)})
			} else {
				h.Addrs[k].Addr = wire.AddrFrom16([16]byte{0: 0x20, 1: 1, 2: 0xd, 3: 0xb8, 7: 9, 15: byte(200 - i)})
			}
		}
		for k := range h.Listens {
			h.Listens[k].Port += 50000
		}
	}
	for i := range cfg.Flows {
		f := &cfg.Flows[i]
		f.Port += 50000
		if f.LocalPort != 0 {
			f.LocalPort += 50000
		}
	}
	return cfg
}

// withStart moves all that is to happen by d.
func withStart(cfg sim.Config, d clock.Duration) sim.Config {
	cfg.Flows, cfg.Outages = slices.Clone(cfg.Flows), slices.Clone(cfg.Outages)
	for _, at := range []*clock.Instant{&cfg.Start, &cfg.Calm, &cfg.End} {
		*at = at.Add(d)
	}
	for i := range cfg.Flows {
		cfg.Flows[i].At = cfg.Flows[i].At.Add(d)
	}
	for i := range cfg.Outages {
		cfg.Outages[i].From, cfg.Outages[i].Until = cfg.Outages[i].From.Add(d), cfg.Outages[i].Until.Add(d)
	}
	return cfg
}

// Other initial sequence numbers, addresses, ports and timestamps, and another time,
// change these fields in the packets of a simulated world with all its faults, and
// nothing else.
//
// Proves: S25, S11
func TestWorlds(t *testing.T) {
	seeds := uint64(100)
	if s := os.Getenv("TCPKIT_SHIFT_SEEDS"); s != "" {
		var err error
		seeds, err = strconv.ParseUint(s, 10, 32)
		require.NoError(t, err)
	} else if testing.Short() {
		seeds = 20
	}
	// In the middle of a world the clock of timestamps, in milliseconds, wraps.
	wrap := clock.Duration(1<<32) * clock.Millisecond / clock.Second * clock.Second
	packets := 0
	for seed := range seeds {
		cfg := sim.Random(seed, flowsEach)
		cfg.Start = begin
		want := finish(t, cfg)
		packets += len(want.trace.lines)
		for name, other := range map[string]sim.Config{
			"ISN":      withISN(cfg, want, targets[seed%uint64(len(targets))]),
			"names":    withNames(cfg),
			"time":     withStart(cfg, wrap-5*clock.Second),
			"together": withStart(withNames(withISN(cfg, want, uint32(seed)*0x9e3779b9)), clock.Hour),
		} {
			got := finish(t, other)
			require.Empty(t, differ(want.trace, got.trace), "seed %d, other %s", seed, name)
			require.Equal(t, want.count, got.count, "seed %d, other %s", seed, name)
			require.Equal(t, want.outcomes, got.outcomes, "seed %d, other %s", seed, name)
			if name == "ISN" {
				for h, chose := range got.chose {
					require.True(t, !chose || got.first[h] == targets[seed%uint64(len(targets))], "seed %d: the knob works", seed)
				}
			}
		}
	}
	t.Logf("%d worlds of %d packets, each four times with other numbers", seeds, packets)
}
