package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// One address gets as many connections as it may have, whoever opens them, by
// cookies too; other addresses do not notice; and when one ends there is room for
// the next. Each refusal is counted, and an active open gets an error.
//
// Proves: H05
func TestMaxPerPeer(t *testing.T) {
	for _, fresh := range []func(testing.TB, Config) *raw{newRaw, newRaw6} {
		cfg := config("linux")
		cfg.MaxPerPeer = 3
		r := fresh(t, cfg)
		l := r.listen(1)
		r.open()
		r.remote.Port++
		r.open()
		r.remote.Port++
		c, err := r.s.Dial(r.now, wire.AddrPort{}, r.remote, nil)
		require.NoError(t, err)
		r.one()
		first, err := l.Accept(r.now)
		require.NoError(t, err)

		for _, s := range []*Stack{r.s, r.s.Clone()} {
			_, err = s.Dial(r.now, wire.AddrPort{}, r.remote, nil)
			require.Equal(t, tcp.ErrResources, err)
			require.Equal(t, uint64(1), s.Stats().OpensRefused)
		}
		r.send(wire.TCP{Flags: wire.SYN, Window: 100}, "")
		r.none("no fourth")
		require.Equal(t, uint64(1), r.drops(rule.DropPeerFull))

		// The changed configuration bounds what comes as before.
		more := cfg
		more.MaxPerPeer = 0
		require.NoError(t, r.s.SetConfig(more))
		r.send(wire.TCP{Flags: wire.SYN, Window: 100}, "")
		require.Equal(t, uint64(2), r.drops(rule.DropPeerFull))

		// A cookie that has been given before the last place was taken.
		other := *r
		other.remote.Addr = addr("10.0.0.99")
		if r.remote.Addr.Is6() {
			other.remote.Addr = addr("fd00::99")
		}
		for range 2 { // half-open, as many as backlog 1 lets be
			other.remote.Port++
			other.send(wire.TCP{Flags: wire.SYN, Window: 100}, "")
			other.one()
		}
		c.Abort(r.now)
		r.replies()
		r.remote.Port = 7000
		r.send(wire.TCP{Seq: 100, Flags: wire.SYN, Window: 100}, "")
		cookie := r.one()
		require.Equal(t, uint64(1), r.s.Stats().CookiesSent)
		c, err = r.s.Dial(r.now, wire.AddrPort{}, r.remote, nil)
		require.NoError(t, err)
		r.one()
		ack := wire.TCP{Seq: 101, Ack: cookie.Seq.Add(1), Flags: wire.ACK, Window: 100}
		r.send(ack, "")
		r.none("no fourth by a cookie")
		require.Equal(t, uint64(3), r.drops(rule.DropPeerFull))
		require.NoError(t, first.Close(r.now))
		first.Abort(r.now)
		c.Abort(r.now)
		r.replies()
		r.now = r.now.Add(clock.Second)
		r.send(ack, "")
		require.Equal(t, uint64(1), r.s.Stats().CookiesAccepted, "there is room again")
	}
}
