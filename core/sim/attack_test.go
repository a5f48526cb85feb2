package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

func address(cfg *Config, h int, family wire.Family, port uint16) wire.AddrPort {
	return wire.AddrPort{Addr: cfg.Hosts[h].Addrs[map[wire.Family]int{wire.IPv4: 0, wire.IPv6: 1}[family]].Addr, Port: port}
}

// THREATS S13: a million SYNs from nowhere in a second, and honest
// clients beside them, before, within and after.
//
// Proves: S13
func TestSynFlood(t *testing.T) {
	const backlog = 128
	flood := release.Count(20_000, 1_000_000)
	for _, family := range families {
		cfg := pair("linux")
		for i := range 5 {
			cfg.Flows = append(cfg.Flows, Flow{
				At: clock.Instant(900*clock.Millisecond) + clock.Instant(i)*clock.Instant(300*clock.Millisecond), Family: family, Port: 80, Sure: true,
				Users: [2]User{{Host: 0, Steps: []Step{write(20_000), half, eof}}, {Host: 1, Steps: []Step{eof, write(50_000)}}},
			})
		}
		cfg.Floods = []Flood{{
			At: clock.Instant(clock.Second), Every: clock.Second / clock.Duration(flood), Count: uint32(flood),
			To: address(&cfg, 1, family, 80), Flags: wire.SYN,
		}}
		cfg.MaxEvents = uint64(10*flood) + 1_000_000
		w := world(t, cfg)
		most := 0
		for w.Now() < clock.Instant(3*clock.Second) && w.Step() {
			most = max(most, w.Stack(1).Conns())
		}
		require.LessOrEqual(t, most, backlog+len(cfg.Flows), "half-open connections are bounded")
		for i := range cfg.Flows {
			o := w.Outcome(i, 0)
			require.True(t, o.Connected && o.EOF, "flow %d has ended within half a second or two", i)
			require.Equal(t, uint64(50_000), o.Read)
		}
		require.NoError(t, w.Finish())
		s := w.Stack(1).Stats()
		require.Greater(t, s.CookiesSent, uint64(flood-10*backlog))
		require.Positive(t, s.CookiesAccepted, "honest clients came in by cookies")
		require.LessOrEqual(t, s.SegmentsOut, uint64(flood+backlog*6+200), "no more goes out than came in, but SYN-ACKs that go again")
	}
}

// THREATS S14, S27: ACKs and resets from nowhere open nothing,
// and are answered by less than they are.
//
// Proves: S14, S27
func TestAckAndResetFlood(t *testing.T) {
	count := uint32(release.Count(5000, 1_000_000))
	for _, flags := range []wire.Flags{wire.ACK, wire.RST, wire.RST | wire.ACK, wire.SYN | wire.ACK, wire.FIN, 0} {
		f := Flow{Sure: true, Users: users([]Step{write(200_000), half, eof}, []Step{eof, write(1000)})}
		cfg := pair("linux", f)
		cfg.Floods = []Flood{
			// Some SYNs first: then cookies are awaited.
			{At: clock.Instant(clock.Second), Every: clock.Microsecond, Count: 500, To: address(&cfg, 1, wire.IPv4, 80), Flags: wire.SYN},
			{At: clock.Instant(clock.Second), Every: 20 * clock.Microsecond, Count: count, To: address(&cfg, 1, wire.IPv4, 80), Flags: flags},
		}
		cfg.MaxEvents = uint64(10*count) + 1_000_000
		w := finish(t, cfg)
		s := w.Stack(1).Stats()
		require.LessOrEqual(t, s.CookiesAccepted, uint64(1), "the honest one's")
		require.Zero(t, w.Count().Strangers)
		require.LessOrEqual(t, s.SegmentsOut, s.SegmentsIn+128*6)
		if flags.Has(wire.RST) {
			require.Zero(t, s.ResetsOut, "a reset is never answered by one")
		}
	}
}

// A listener whose user does not accept takes as many as its backlog says and one;
// the others try until they give up, and nothing else suffers.
func TestBacklogFull(t *testing.T) {
	for _, family := range families {
		for _, name := range []string{"linux", "rfc9293"} {
			cfg := pair(name)
			cfg.Hosts[1].Listens = append(cfg.Hosts[1].Listens, Listen{Port: 81, Backlog: 2, Deaf: true})
			cfg.End = clock.Instant(20 * clock.Minute)
			for i := range 6 {
				cfg.Flows = append(cfg.Flows, Flow{
					At: clock.Instant(clock.Second) + clock.Instant(i)*clock.Instant(100*clock.Millisecond), Port: 81, Family: family,
					Users: [2]User{{Host: 0, Steps: []Step{hold}}, {Host: 1}},
				})
			}
			cfg.Flows = append(cfg.Flows, Flow{
				At: clock.Instant(2 * clock.Second), Port: 80, Family: family, Sure: true,
				Users: [2]User{{Host: 0, Steps: []Step{write(1000), half, eof}}, {Host: 1, Steps: []Step{eof, write(1000)}}},
			})
			w := world(t, cfg)
			require.NoError(t, w.Run(clock.Instant(10*clock.Minute)))
			for i := range 6 {
				o := w.Outcome(i, 0)
				if i < 3 {
					require.Equal(t, "ESTABLISHED", w.Conn(i, 0).State().String(), "client %d", i)
				} else {
					require.Equal(t, Outcome{Done: true, Err: tcp.ErrTimeout}, o, "client %d", i)
				}
			}
			require.Equal(t, 3, w.Stack(1).Conns(), "as many as wait to be accepted")
			require.Positive(t, w.Stack(1).Stats().Drops[rule.DropAcceptQueueFull])
			require.NoError(t, w.Finish())
		}
	}
}

// THREATS S15: connections whose peers read nothing. Below pressure all stay
// (MUST-37); with too little memory the oldest go, and an honest one is served.
//
// Proves: S15, MUST-37
func TestSockstress(t *testing.T) {
	n := release.Count(100, 300)
	run := func(memory int) *World {
		cfg := pair("linux")
		cfg.Hosts[1].Core.Memory = memory
		cfg.Hosts[1].Listens[0].Backlog = n
		cfg.End = clock.Instant(30 * clock.Minute)
		for i := range n {
			cfg.Flows = append(cfg.Flows, Flow{
				At: clock.Instant(clock.Second) + clock.Instant(i)*clock.Instant(clock.Millisecond), Port: 80,
				Users: [2]User{{Host: 0, Pace: Pace{Never: true}, Steps: []Step{write(10), hold}}, {Host: 1, Steps: []Step{write(400_000), hold}}},
			})
			// They fill what may be in flight at once.
			cfg.Hosts[0].Core.TCP.ReceiveBuffer, cfg.Hosts[0].Core.TCP.ReceiveBufferMax = 8192, 8192
		}
		cfg.Flows = append(cfg.Flows, Flow{
			At: clock.Instant(5 * clock.Minute), Port: 80,
			Users: [2]User{{Host: 0, Steps: []Step{write(1000), half, eof}}, {Host: 1, Steps: []Step{eof, write(100_000)}}},
		})
		w := world(t, cfg)
		for w.Now() < clock.Instant(20*clock.Minute) && w.Step() {
			if memory > 0 {
				held := 0
				for slot := range w.Stack(1).Slots() {
					if c := w.Stack(1).Conn(slot); c != nil && w.Count().Events%64 == 0 {
						held += c.Status(w.Now()).Memory
					}
				}
				require.LessOrEqual(t, held, memory)
			}
		}
		require.NoError(t, w.Run(w.Now()))
		require.Equal(t, uint64(100_000), w.Outcome(n, 0).Read, "the honest one is served")
		require.True(t, w.Outcome(n, 0).EOF)
		return w
	}
	w := run(0)
	require.Zero(t, w.Stack(1).Stats().MemoryAborts)
	require.Equal(t, n, w.Stack(1).Conns(), "all stay while they answer")
	w = run(n * 55_000)
	require.Positive(t, w.Stack(1).Stats().MemoryAborts)
	require.Less(t, w.Stack(1).Conns(), n)
}

// Memory that is short because much goes on costs nobody his connection, however
// long it lasts.
func TestBusyIsNotStuck(t *testing.T) {
	const n = 40
	each := 2_000_000
	if testing.Short() {
		each = 500_000
	}
	cfg := pair("linux")
	cfg.Hosts[0].Core.Memory = 2 << 20
	cfg.Links[0].AB.Rate, cfg.Links[0].AB.Queue = 1_000_000, 200_000
	for i := range n {
		cfg.Flows = append(cfg.Flows, Flow{
			At: clock.Instant(clock.Second) + clock.Instant(i)*clock.Instant(clock.Millisecond), Port: 80, Sure: true,
			Users: [2]User{{Host: 0, Steps: []Step{connected, write(uint64(each)), half, eof}}, {Host: 1, Steps: []Step{eof}}},
		})
	}
	w := finish(t, cfg)
	require.Zero(t, w.Stack(0).Stats().MemoryAborts)
	require.Greater(t, w.Now(), clock.Instant(n*each/1_000_000)*clock.Instant(clock.Second), "it lasted")
}

// A window that stays closed for a minute is probed, and opens again.
func TestZeroWindowForAMinute(t *testing.T) {
	for _, family := range families {
		for _, name := range []string{"linux", "rfc9293"} {
			for _, writer := range []int{0, 1} {
				f := Flow{Family: family, Sure: true}
				f.Users[writer].Steps = []Step{connected, write(500_000), half, eof}
				f.Users[1-writer].Steps = []Step{never, wait(clock.Minute), {Op: SetPace}, eof}
				w := world(t, pair(name, f))
				require.NoError(t, w.Run(clock.Instant(50*clock.Second)))
				require.Equal(t, "ESTABLISHED", w.Conn(0, 1-writer).State().String())
				require.Zero(t, w.Conn(0, writer).Info(w.Now()).SndWnd)
				require.Positive(t, w.Stack(writer).Stats().ZeroWindowProbes+w.Stack(writer).Stats().Timeouts)
				require.NoError(t, w.Finish())
			}
		}
	}
}

// A peer that has vanished is found out by keepalive or by the user timeout.
func TestPeerVanished(t *testing.T) {
	gone := []Outage{{Direction: -1, From: clock.Instant(2 * clock.Second), Until: clock.Never}}
	alive := Step{Op: SetKeepalive, For: 10 * clock.Second, N: 3}
	for _, family := range families {
		// Three probes go unanswered: 10 s idle and 3 intervals.
		cfg := pair("linux", Flow{Family: family, Users: users([]Step{alive, eof}, []Step{alive, eof})})
		cfg.Outages = gone
		w := world(t, cfg)
		require.NoError(t, w.Run(clock.Instant(40*clock.Second)))
		require.Equal(t, "ESTABLISHED", state(w, 0))
		require.NoError(t, w.Finish())
		for user := range 2 {
			o := w.Outcome(0, user)
			require.Equal(t, tcp.ErrTimeout, o.Err)
		}
		require.Less(t, w.Now(), clock.Instant(42*clock.Second))

		// Data is not acknowledged for 20 s.
		cfg = pair("linux", Flow{Family: family, Users: users(
			[]Step{{Op: SetUserTimeout, For: 20 * clock.Second}, connected, wait(3 * clock.Second), write(100), eof}, []Step{alive, eof})})
		cfg.Outages = gone
		w = finish(t, cfg)
		a, _ := ends(w)
		require.Contains(t, []tcp.Error{tcp.ErrTimeout, tcp.ErrUserTimeout}, a.Err)

		// R2 alone: RFC 9293 SHLD-11 wants 100 s at least.
		cfg = pair("rfc9293", Flow{Family: family, Users: users([]Step{connected, wait(3 * clock.Second), write(100), eof}, []Step{alive, eof})})
		cfg.Outages = gone
		w = world(t, cfg)
		require.NoError(t, w.Run(clock.Instant(104*clock.Second)))
		require.NotNil(t, w.Conn(0, 0))
		require.NoError(t, w.Finish())
		a, _ = ends(w)
		require.Equal(t, tcp.ErrTimeout, a.Err)
	}
}

// A path that takes less than either end's link: routers tell, and the stream
// goes on in smaller segments.
func TestPathMTU(t *testing.T) {
	for _, family := range families {
		f := Flow{Family: family, Sure: true, Users: users([]Step{write(100_000), half, eof}, []Step{write(100_000), half, eof})}
		cfg := pair("linux", f)
		cfg.Links[0].AB.MTU, cfg.Links[0].BA.MTU = 1400, 1300
		w := finish(t, cfg)
		require.Positive(t, w.Count().TooBig)
		require.Less(t, w.Count().TooBig, uint64(40))
	}
}
