package examples_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
)

const kilo = 1 << 10

var tenMilliseconds = sim.Channel{Delay: 10 * clock.Millisecond}

// verdicts is how often the first plugin of a host was called, and how often it then
// did not let things pass.
func verdicts(w *sim.World, host int) (calls, verdicts int) {
	p := w.Hook(host).(*plugins.Set).Plugins()[0]
	return int(p.Stats().Calls), int(p.Stats().Whys[plugins.WhyVerdict])
}

// dataOf counts the segments with data that a host has sent.
func dataOf(all []segment, from int) (n int) {
	for _, s := range all {
		if s.from == from && s.size > 0 {
			n++
		}
	}
	return n
}

// Of the client's segments with data each fifth is dropped, and the transfer is whole.
func TestDropNth(t *testing.T) {
	set := load(t, "drop-nth,n=5")
	cfg := transfer(t, 200*kilo, tenMilliseconds, set)
	w := run(t, cfg, 200*kilo)
	passed := dataOf(segments(t, w), 0)
	calls, dropped := verdicts(w, 0)
	require.Equal(t, calls, passed+dropped)
	require.Equal(t, calls/5, dropped)
	require.Greater(t, dropped, 20)
}

// Without a number that makes sense nothing is dropped.
func TestDropNthNone(t *testing.T) {
	for _, spec := range []string{"drop-nth,n=0", "drop-nth,n=-3"} {
		w := run(t, transfer(t, 20*kilo, tenMilliseconds, load(t, spec)), 20*kilo)
		require.Zero(t, w.Stack(0).Stats().Retransmits)
	}
}

func TestNetem(t *testing.T) {
	for _, c := range []struct {
		spec  string
		share float64 // of the segments are not let pass as they are
	}{
		{"netem,loss=50", 0.05},
		{"netem,duplicate=200", 0.2},
		{"netem,delay=5ms", 1},
		{"netem,delay=5ms,reorder=250", 0.75},
		{"netem,delay=5ms,jitter=5ms", 1},
	} {
		w := run(t, transfer(t, 500*kilo, tenMilliseconds, load(t, c.spec)), 500*kilo)
		calls, judged := verdicts(w, 0)
		require.InDelta(t, c.share, float64(judged)/float64(calls), 0.04, c.spec)
	}
}

// The same seed is the same bad link.
func TestNetemRepeats(t *testing.T) {
	spec := "netem,loss=20,duplicate=20,delay=3ms,jitter=3ms"
	first := run(t, transfer(t, 100*kilo, tenMilliseconds, load(t, spec), load(t, spec)), 100*kilo)
	again := run(t, transfer(t, 100*kilo, tenMilliseconds, load(t, spec), load(t, spec)), 100*kilo)
	require.Equal(t, first.Captured(), again.Captured())
}

// With the plugin at one end, neither sends more than it says in a segment.
func TestMSSClamp(t *testing.T) {
	for i := range 2 {
		ends := make([]*plugins.Set, 2)
		ends[i] = load(t, "mss-clamp,mss=800")
		longest := [2]int{}
		for _, s := range segments(t, run(t, transfer(t, 50*kilo, tenMilliseconds, ends...), 50*kilo)) {
			longest[s.from] = max(longest[s.from], len(s.bytes)-wire.TCPHeaderLen+s.size)
		}
		require.Equal(t, [2]int{800, 800}, longest, "RFC 6691: options count")
	}
}

// Between two ends that agree on ECN otherwise there is none.
func TestECNBleach(t *testing.T) {
	marks := func(ends ...*plugins.Set) (n int) {
		cfg := transfer(t, 50*kilo, tenMilliseconds, ends...)
		for i := range cfg.Hosts {
			cfg.Hosts[i].Core.TCP.ECN = 1
		}
		for _, s := range segments(t, run(t, cfg, 50*kilo)) {
			if s.ip.TOS&3 != 0 {
				n++
			}
		}
		return n
	}
	require.Positive(t, marks())
	require.Zero(t, marks(nil, load(t, "ecn-bleach")))
}

// The segments of an end carry its count, one after the other, and never too much
// data for that.
func TestOptionStamp(t *testing.T) {
	w := run(t, transfer(t, 50*kilo, tenMilliseconds, load(t, "option-stamp,exid=0xbeef")), 50*kilo)
	next := uint32(0)
	for _, s := range segments(t, w) {
		stamp, ok := find253(s.bytes[wire.TCPHeaderLen:])
		require.Equal(t, s.from == 0, ok, "%+v", s.tcp)
		if ok {
			require.Equal(t, uint16(0xbeef), wire.Be16(stamp[2:]))
			require.Equal(t, next, wire.Be32(stamp[4:]))
			next++
		}
		require.LessOrEqual(t, s.ip.TotalLen, 1500)
	}
	require.Greater(t, next, uint32(30))
}

// find253 looks for the experimental option.
func find253(b []byte) ([]byte, bool) {
	for len(b) > 0 && b[0] != 0 {
		switch {
		case b[0] == 1:
			b = b[1:]
		case b[0] == 253:
			return b[:b[1]], true
		default:
			b = b[b[1]:]
		}
	}
	return nil, false
}

// handshake is who sent which flags until data came.
func handshake(t *testing.T, w *sim.World) (flags []wire.Flags) {
	for _, s := range segments(t, w) {
		if s.size > 0 {
			break
		}
		flags = append(flags, s.tcp.Flags)
	}
	return flags
}

// The handshake takes five segments, and the transfer goes on as after any.
func TestSplitHandshake(t *testing.T) {
	cfg := transfer(t, 50*kilo, tenMilliseconds, nil, load(t, "split-handshake"))
	require.Equal(t, []wire.Flags{wire.SYN, wire.ACK, wire.SYN, wire.SYN | wire.ACK, wire.ACK}, handshake(t, run(t, cfg, 50*kilo)))
}
