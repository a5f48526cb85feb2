package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// What runs can be told to go by something else, as sysctl and setsockopt do.
func TestReconfigure(t *testing.T) {
	cfg := config("linux")
	p := newPair(t, cfg)
	a, b := p.connect(wire.IPv4)

	own := *a.Config()
	own.TTL = 7
	require.NoError(t, a.SetConfig(p.now, &own))
	require.Equal(t, uint8(7), a.Config().TTL)
	require.Equal(t, cfg.TCP.TTL, b.Config().TTL, "of one connection only")

	changed := cfg
	changed.TCP.TTL, changed.Secret, changed.MaxBacklog = 9, [16]byte{9}, 3
	require.NoError(t, p.b.SetConfig(changed))
	require.Equal(t, uint8(9), b.Config().TTL, "it has brought nothing of its own")
	require.Equal(t, uint8(7), a.Config().TTL)
	require.NotEqual(t, changed.Secret, p.b.Config().Secret, "the secret is for good")
	l := p.listen(p.b, 81, -1)
	require.Equal(t, int32(3), l.backlog, "SOMAXCONN of now")
	l.SetBacklog(1)
	require.Equal(t, int32(1), l.backlog)
	own.TTL = 11
	l.SetConfig(&own)
	c := p.dial(p.a, at("10.0.0.2", 81))
	p.pump()
	require.Equal(t, tcp.Established, c.State())
	require.Equal(t, uint8(11), p.accept(l).Config().TTL)
	changed.Burst = 0
	require.Equal(t, tcp.ErrInvalid, p.b.SetConfig(changed))
	l.Close(p.now)
	l.SetBacklog(5)
	require.Equal(t, int32(1), l.backlog, "a listener that is closed has none")

	own.KeepaliveIdle = clock.Hour
	b.Abort(p.now)
	p.pump()
	require.Equal(t, tcp.ErrNotExist, b.SetConfig(p.now, &own))
}

// Who peeks takes nothing.
func TestPeek(t *testing.T) {
	p := newPair(t, config("linux"))
	a, b := p.connect(wire.IPv4)
	_, err := a.Write(p.now, []byte("abcdef"))
	require.NoError(t, err)
	p.pump()
	buf := make([]byte, 4)
	for range 2 {
		require.Equal(t, 4, b.Peek(0, buf))
		require.Equal(t, "abcd", string(buf))
	}
	require.Equal(t, 2, b.Peek(4, buf))
	require.Equal(t, "ef", string(buf[:2]))
	require.Equal(t, 0, b.Peek(6, buf))
	require.Equal(t, 6, b.Readable())
}
