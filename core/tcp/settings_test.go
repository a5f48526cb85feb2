package tcp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// What a connection begins with is shown to a hook, active or passive, when it is
// made and when it can carry data; which takes nothing it may not have.
func TestSettingsAreShown(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, passive := range []bool{false, true} {
			e := newEnd(t, v, tcp.RFC9293())
			var told []tcp.Record
			e.hooked(func(r *tcp.Record) tcp.Verdict {
				told = append(told, *r)
				return tcp.Mutated // but nothing is
			}, tcp.StepNew, tcp.StepEstablished)
			if passive {
				e.passive(65535)
			} else {
				e.active(65535)
			}
			require.Len(t, told, 2)
			want := [8]uint64{
				tcp.SettingRTOMin: uint64(second), tcp.SettingRTOMax: uint64(60 * second),
				tcp.SettingSendBuffer: 256 << 10, tcp.SettingReceiveBuffer: 128 << 10, tcp.SettingKeepaliveIdle: uint64(2 * clock.Hour),
			}
			require.Equal(t, want, told[0].Args)
			want[tcp.SettingCwnd] = 10 * 1460
			require.Equal(t, want, told[1].Args)
			for i, state := range []tcp.State{map[bool]tcp.State{false: tcp.Closed, true: tcp.Listen}[passive], tcp.Established} {
				require.Equal(t, state, told[i].From)
				require.Equal(t, passive, told[i].Passive)
				require.Equal(t, e.iss, told[i].Send.ISS)
				require.Equal(t, e.tuple(), told[i].Tuple)
			}
			require.Same(t, &e.cfg, e.c.Config(), "nothing has changed, so it needs no configuration of its own")
		}
	})
}

// Each setting is a hook's, within its bounds, and leaves the others alone.
func TestSettingsWithinBounds(t *testing.T) {
	const segs = 1460
	for _, c := range []struct {
		name          string
		setting       int
		ask           uint64
		made, carries uint64 // what it comes to, asked for at StepNew and at StepEstablished
	}{
		{"cwnd", tcp.SettingCwnd, 20 * segs, 20 * segs, 20 * segs},
		{"cwnd below a segment", tcp.SettingCwnd, 1, segs, segs},
		{"cwnd beyond the buffer", tcp.SettingCwnd, 1 << 29, 6 << 20, 6 << 20},
		{"cwnd beyond all", tcp.SettingCwnd, 1 << 63, 6 << 20, 6 << 20},
		{"RTO at least", tcp.SettingRTOMin, uint64(3 * second), uint64(3 * second), uint64(3 * second)},
		{"less than it was", tcp.SettingRTOMin, uint64(ms), uint64(second), uint64(second)},
		{"more than the upper bound", tcp.SettingRTOMin, 1 << 63, uint64(60 * second), uint64(60 * second)},
		{"RTO at most", tcp.SettingRTOMax, uint64(90 * second), uint64(90 * second), uint64(90 * second)},
		{"less than RFC 6298 wants", tcp.SettingRTOMax, uint64(second), uint64(60 * second), uint64(60 * second)},
		{"more than it was", tcp.SettingRTOMax, 1<<64 - 1, uint64(120 * second), uint64(120 * second)},
		{"send buffer", tcp.SettingSendBuffer, 1 << 20, 1 << 20, 1 << 20},
		{"hardly any", tcp.SettingSendBuffer, 1, 4096, 4096},
		{"too large a one", tcp.SettingSendBuffer, 1 << 40, 6 << 20, 6 << 20},
		{"receive buffer", tcp.SettingReceiveBuffer, 1 << 20, 1 << 20, 1 << 20},
		{"hardly any", tcp.SettingReceiveBuffer, 1, 4096, 4096},
		{"too large a one", tcp.SettingReceiveBuffer, 1 << 40, 6 << 20, 6 << 20},
		{"user timeout", tcp.SettingUserTimeout, uint64(100 * second), uint64(100 * second), uint64(100 * second)},
		{"shorter than the RTO", tcp.SettingUserTimeout, 1, uint64(second + 1), uint64(second + 1)},
		{"longer than can be said", tcp.SettingUserTimeout, 1 << 62, uint64(32767 * clock.Minute), uint64(32767 * clock.Minute)},
		{"keepalive", tcp.SettingKeepaliveIdle, uint64(clock.Hour), uint64(clock.Hour), uint64(clock.Hour)},
		{"too often", tcp.SettingKeepaliveIdle, 1, uint64(second), uint64(second)},
		{"too rarely", tcp.SettingKeepaliveIdle, 1 << 63, uint64(32767 * second), uint64(32767 * second)},
		{"a controller that there is not", tcp.SettingController, 3, 0, 0},
	} {
		for _, passive := range []bool{false, true} {
			for step, want := range map[tcp.Step]uint64{tcp.StepNew: c.made, tcp.StepEstablished: c.carries} {
				cfg := tcp.RFC9293()
				cfg.RTOMax = 120 * second
				e := newEnd(t, variants[0], cfg)
				ask := func(r *tcp.Record) tcp.Verdict {
					if r.Step == step {
						r.Args[c.setting] = c.ask
					}
					return tcp.Mutated
				}
				h := e.hooked(ask, tcp.StepNew, tcp.StepEstablished)
				shown := func() [8]uint64 { // a hook that looks again
					h.does = func(r *tcp.Record) tcp.Verdict { return tcp.Pass }
					e.c.ShowSettings(e.now)
					return h.last.Args
				}
				e.synReceivedOrSent(passive)
				e.establish(passive)
				after := shown()
				require.Equal(t, want, after[c.setting], "%s at %d", c.name, step)
				plain := newEnd(t, variants[0], cfg)
				p := plain.hooked(nil, tcp.StepEstablished)
				plain.synReceivedOrSent(passive)
				plain.establish(passive)
				others := p.last.Args
				others[c.setting] = want
				require.Equal(t, others, after, "%s: the others are as they were", c.name)
				require.Empty(t, e.c.Check())
				e.write(3000)
				e.ackAll(65535)
				require.Zero(t, e.c.Unacked())
			}
		}
	}
}

func (e *end) synReceivedOrSent(passive bool) {
	if passive {
		e.c.OpenPassive(e.now, e.iss, 0, e.segment("S 0(0) win 65535", mss(1460)))
	} else {
		e.c.OpenActive(e.now, e.iss, 0)
	}
	e.took()
}

func (e *end) establish(passive bool) {
	if passive {
		e.in(". 1(0) ack 1 win 65535")
	} else {
		e.in("S. 0(0) ack 1 win 65535", mss(1460))
	}
	e.took()
	require.Equal(e, tcp.Established, e.c.State())
}

// RFC 5681 §3.1: when the SYN was lost the first window is a segment, whatever a
// hook wants.
func TestLostSynBoundsTheWindow(t *testing.T) {
	for _, passive := range []bool{false, true} {
		for _, step := range []tcp.Step{tcp.StepNew, tcp.StepEstablished} {
			e := newEnd(t, variants[0], tcp.RFC9293())
			e.hooked(func(r *tcp.Record) tcp.Verdict {
				r.Args[tcp.SettingCwnd] = 10000
				return tcp.Mutated
			}, step)
			e.synReceivedOrSent(passive)
			e.pass(3 * second)
			e.establish(passive)
			require.Equal(t, uint32(1460), e.c.View().Cwnd)
		}
	}
}

// noted is a controller that notes when it begins.
type noted struct {
	cc.NewReno
	begun *int
}

func (n noted) Name() string { return "noted" }

func (n noted) Init(s *cc.State, now clock.Instant) {
	*n.begun++
	n.NewReno.Init(s, now)
}

// A hook can bring a controller: from the beginning of a connection, or when it can
// carry data.
func TestControllerOfAHook(t *testing.T) {
	for _, passive := range []bool{false, true} {
		for _, step := range []tcp.Step{tcp.StepNew, tcp.StepEstablished} {
			e := newEnd(t, variants[0], tcp.Linux())
			begun := 0
			e.hooked(func(r *tcp.Record) tcp.Verdict {
				r.Controller = noted{begun: &begun}
				return tcp.Mutated
			}, step)
			e.synReceivedOrSent(passive)
			e.establish(passive)
			require.Equal(t, 1, begun)
			require.Equal(t, "noted", e.c.Info(e.now).Congestion)
			require.Equal(t, "cubic", e.cfg.Controller.Name(), "the configuration that others share is as it was")
			e.write(30000)
			e.ackAll(65535)
		}
	}
}

// A keepalive that its user has switched on goes by the hook's time; one that is off
// stays off (MUST-24, MUST-25).
func TestKeepaliveOfAHook(t *testing.T) {
	for _, on := range []bool{false, true} {
		cfg := tcp.Linux()
		cfg.Keepalive = on
		e := newEnd(t, variants[0], cfg)
		e.hooked(func(r *tcp.Record) tcp.Verdict {
			r.Args[tcp.SettingKeepaliveIdle] = uint64(10 * second)
			return tcp.Mutated
		}, tcp.StepEstablished)
		e.passive(1000)
		e.pass(10*second - 1)
		e.out("too early")
		e.pass(1)
		if on {
			e.out("a probe", ". 0(0) ack 1")
		} else {
			e.out("none")
		}
	}
}
