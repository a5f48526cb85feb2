package examples_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/explore"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/plugins"
)

func world(t *testing.T, name string) explore.World {
	for _, w := range explore.Worlds() {
		if w.Name == name {
			return w
		}
	}
	require.Fail(t, "there is no such world", name)
	return explore.World{}
}

// breach lets the explorer look for what goes wrong where an end has a plugin.
func breach(t *testing.T, w explore.World, end int, spec string) string {
	t.Helper()
	set := load(t, spec)
	w.Hook[end], w.Hooks[end] = set, set.Mask()
	x, err := explore.New(w)
	require.NoError(t, err)
	r, err := x.Run(explore.Options{States: 50_000})
	require.NoError(t, err)
	require.NotNil(t, r.Breach, "nothing in %d states", r.States)
	return r.Breach.What
}

// With two segments an old SYN makes a connection that nobody has opened: the
// explorer finds it by itself.
func TestTwoWay(t *testing.T) {
	require.Equal(t, "a user has a connection that nobody has opened", breach(t, world(t, "old-syn"), 1, "two-way"))
}

// A stale SYN leaves the ghost: a client that knows of nothing, and a server that
// waits. Without the plugin the client's reset ends it.
func TestTwoWayGhost(t *testing.T) {
	for spec, ghost := range map[string]bool{"two-way": true, "": false} {
		var set *plugins.Set
		if spec != "" {
			set = load(t, spec)
		}
		r := newStranger(t, nil, set)
		l := r.listen(core.ListenOptions{Backlog: 1})
		_, ok := r.syn(at(t, "10.0.0.9", 1000), wire.Options{})
		require.True(t, ok)
		c, err := l.Accept(r.now)
		require.Equal(t, ghost, err == nil)
		if ghost {
			require.Equal(t, tcp.Established, c.State())
			r.now = r.now.Add(clock.Hour)
			r.s.Expire(r.now)
			require.Equal(t, tcp.Established, c.State(), "it waits for a client that is not there")
		}
	}
}

// A handshake of four segments comes to the same, and takes exactly one more.
func TestFourWay(t *testing.T) {
	three := run(t, transfer(t, 4*kilo, tenMilliseconds), 4*kilo)
	four := run(t, transfer(t, 4*kilo, tenMilliseconds, load(t, "four-way"), load(t, "four-way")), 4*kilo)
	require.Equal(t, []wire.Flags{wire.SYN, wire.ACK, wire.SYN, wire.ACK}, handshake(t, four))
	require.Len(t, segments(t, four), len(segments(t, three))+1)
	require.Equal(t, three.Edges(), four.Edges(), "the states are the same")
}

// And when one of the two is lost, both come again.
func TestFourWayLoses(t *testing.T) {
	for lost := uint32(1); lost <= 2; lost++ {
		cfg := transfer(t, 4*kilo, tenMilliseconds, load(t, "four-way"), load(t, "four-way"))
		cfg.Plan = []sim.Planned{{Direction: 1, Ordinal: lost, Fate: sim.Lose}}
		run(t, cfg, 4*kilo)
	}
}

// Without TIME-WAIT the explorer finds that octets of an old connection are read in a
// new one.
func TestNoTimeWait(t *testing.T) {
	w := world(t, "reopen")
	w.Sure = false // that a connection ends by a reset is not what is looked for
	require.Equal(t, "what was read is not what was sent: an octet is lost, or comes twice", breach(t, w, 0, "no-time-wait"))
}

// A segment that is late by a connection: its name is used again at once, its sequence
// numbers are in the window of the new one, and its octets are read there. With
// TIME-WAIT the name is not free.
func TestNoTimeWaitOldOctets(t *testing.T) {
	_, err := reopen(t, nil)
	require.Error(t, err, "TIME-WAIT keeps the name")
	got, err := reopen(t, load(t, "no-time-wait"))
	require.NoError(t, err)
	require.Contains(t, got, "old.", "octets of the old connection stand in the new one's stream")
}

// reopen sends octets by one connection, and then others by one of the same name,
// while the last segment of the first one is still on its way. It returns what is read
// from the second.
func reopen(t *testing.T, set *plugins.Set) (got string, err error) {
	const size = 30_000
	c := &couple{TB: t, now: clock.Instant(clock.Second), a: newStack(t, 1, nil, set), b: newStack(t, 2, nil, nil)}
	l, err := c.b.Listen(c.now, wire.AddrPort{Port: 80}, core.ListenOptions{Backlog: 2})
	require.NoError(t, err)
	open := func() (a, b *core.Conn, err error) {
		if a, err = c.a.Dial(c.now, at(t, "10.0.0.1", 5000), at(t, "10.0.0.2", 80), nil); err == nil {
			c.settle()
			b, err = l.Accept(c.now)
		}
		return a, b, err
	}
	write := func(conn *core.Conn, text string) {
		_, err := conn.Write(c.now, []byte(text))
		require.NoError(t, err)
		c.settle()
	}

	a, b, err := open()
	require.NoError(t, err)
	var late []byte // the last segment with data arrives, and comes again later
	c.seen = func(from *core.Stack, p []byte) {
		if from == c.a && len(p) > 1000 {
			late = append([]byte(nil), p...)
		}
	}
	write(a, strings.Repeat("old.", size/4))
	require.Len(t, read(t, c.now, b), size)
	require.NoError(t, a.CloseWrite(c.now))
	c.settle()
	require.NoError(t, b.Close(c.now))
	c.settle()
	require.NoError(t, a.Close(c.now))

	// The initial sequence number goes up by 250 in a millisecond, RFC 9293 §3.4.1:
	// less than the first connection has used.
	c.seen = nil
	c.now = c.now.Add(20 * clock.Millisecond)
	if a, b, err = open(); err != nil {
		return "", err
	}
	c.b.Input(c.now, &packet.Packet{Bytes: late})
	for c.settle(); len(got) < size; got += read(t, c.now, b) {
		write(a, strings.Repeat("new!", 1000))
	}
	return got, nil
}

// Somebody who sees nothing of it puts words into another's connection: he knows the
// next initial sequence number from one of his own.
func TestWeakISN(t *testing.T) {
	attack := func(set *plugins.Set) (read bool) {
		r := newStranger(t, nil, set)
		l := r.listen(core.ListenOptions{Backlog: 10})
		mine, ok := r.syn(at(t, "10.0.0.66", 1000), wire.Options{})
		require.True(t, ok)

		victim := at(t, "10.0.0.9", 2000)
		_, ok = r.syn(victim, wire.Options{}) // the answer goes to the victim
		require.True(t, ok)
		guess := mine.Seq.Add(64000 + 1)
		r.send(victim, wire.TCP{Seq: 100, Ack: guess, Flags: wire.ACK | wire.PSH, Window: 65535}, "rm -rf /")
		c, err := l.Accept(r.now)
		if err != nil {
			return false
		}
		b := make([]byte, 100)
		n, err := c.Read(r.now, b)
		require.NoError(t, err)
		require.Equal(t, "rm -rf /", string(b[:n]))
		require.Equal(t, victim, c.Remote())
		return true
	}
	require.True(t, attack(load(t, "weak-isn")))
	require.False(t, attack(nil), "RFC 6528")
}
