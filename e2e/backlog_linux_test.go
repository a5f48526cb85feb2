package e2e

import (
	"context"
	"net/netip"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"
)

// With a backlog of 1 two connections wait for Accept. The SYNs of others are
// dropped, without a reset, so that they may come again: one gives up, the other
// gets in once there is room.
func backlogFull(p *play) {
	l, err := p.server.listen(1)
	require.NoError(p, err)
	defer l.Close()
	to := addrPort(l.Addr())
	var waiting []conn
	for range 2 {
		c, err := p.client.dial(p.Context(), to, 0)
		require.NoError(p, err)
		defer c.Close()
		waiting = append(waiting, c)
	}
	expectQueue := func(want int) {
		p.Helper()
		wait(p, "the accept queue", func() bool {
			n, backlog, err := p.server.queue(to)
			require.NoError(p, err)
			require.Equal(p, 1, backlog)
			return n == want
		}, p.told)
	}
	expectQueue(2)

	_, err = p.client.dial(p.Context(), to, 1500*time.Millisecond)
	require.ErrorIs(p, err, syscall.ETIMEDOUT, "the user timeout ends the open")
	all := p.story(0)
	late := all.segments[len(all.segments)-1].src
	s := p.story(late)
	require.Equal(p, []string{"client S"}, s.plot(), "no answer\n%v", all)
	require.Greater(p, len(s.segments), 1, "the SYN was sent again")
	from := netip.AddrPortFrom(p.client.addr(), late)
	p.expectStateOf(p.client, from, to, "CLOSED")
	p.expectStateOf(p.server, to, from, "CLOSED")

	type opened struct {
		conn conn
		err  error
	}
	done := make(chan opened, 1)
	ctx, cancel := context.WithTimeout(p.Context(), patience)
	defer cancel()
	before := len(all.segments)
	go func() {
		c, err := p.client.dial(ctx, to, 0)
		done <- opened{c, err}
	}()
	wait(p, "the SYN", func() bool { return len(p.story(0).segments) > before }, p.told)
	first, err := l.Accept()
	require.NoError(p, err)
	defer first.Close()
	require.Equal(p, addrPort(waiting[0].LocalAddr()), addrPort(first.RemoteAddr()), "who came first")
	got := <-done
	require.NoError(p, got.err)
	defer got.conn.Close()
	expectQueue(2)
	port := addrPort(got.conn.LocalAddr()).Port()
	p.expectPlot(port, "client S", "server S.", "client .")
	require.Greater(p, len(p.story(port).segments), 3, "its first SYN was dropped")
	for _, c := range append(waiting, got.conn) {
		p.expectStateOf(p.client, addrPort(c.LocalAddr()), to, "ESTABLISHED")
		p.expectStateOf(p.server, to, addrPort(c.LocalAddr()), "ESTABLISHED")
	}
}
