package e2e

import (
	"crypto/sha256"
	"io"
	"net"
	"os"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

// zeroWindowFor is for how long nobody reads.
func zeroWindowFor() time.Duration {
	if release.Whole() {
		return time.Minute
	}
	return 3 * time.Second
}

// The server does not read, its window closes, and the client asks again and
// again whether it has opened, §3.8.6.1. However long that takes, the connection
// stays as long as the probes are answered (MUST-37).
func zeroWindow(p *play) {
	const size = 1 << 20
	q := p.open()
	for _, a := range []*actor{&q.client, &q.server} {
		require.NoError(p, a.SetKeepAliveConfig(net.KeepAliveConfig{Enable: false}))
	}
	require.NoError(p, q.client.SetWriteBuffer(64<<10))
	require.NoError(p, q.server.SetReadBuffer(64<<10))
	content := stream(1, size)
	n := 0
	require.NoError(p, q.client.SetWriteDeadline(time.Now().Add(500*time.Millisecond)))
	wait(p, "the window to fill", func() bool {
		m, err := q.client.Write(content[n:])
		n += m
		require.Less(p, n, size)
		return err != nil
	})
	_, err := q.client.Write(content[n:])
	require.ErrorIs(p, err, os.ErrDeadlineExceeded)
	// closed is when the window closed for good: a window that is nearly shut may
	// still take a part of a segment, late.
	closed := func() (story, time.Time) {
		s := p.story(q.port)
		for i := s.lastNews("client"); i < len(s.segments); i++ {
			if seg := &s.segments[i]; s.who(seg) == "server" && seg.window == 0 {
				return s, seg.at
			}
		}
		return s, time.Time{}
	}
	wait(p, "the window to close", func() bool { _, at := closed(); return !at.IsZero() }, p.told)
	start := time.Now()
	var s story
	var since time.Time
	var probes []segment
	wasProbing := false
	// wait's own patience is shorter than a minute.
	for end := start.Add(zeroWindowFor()); time.Now().Before(end) || len(probes) < 3; {
		wait(p, "probes", func() bool {
			s, since = closed()
			if probes = nil; !since.IsZero() {
				probes = s.after(since, "client")
			}
			on, err := q.client.probing(q.client.local, q.client.remote)
			require.NoError(p, err)
			wasProbing = wasProbing || on
			return time.Since(start) >= zeroWindowFor() && len(probes) >= 3 || time.Since(start) > 10*time.Second
		}, p.told)
		p.expectState(&q.client, "ESTABLISHED")
		p.expectState(&q.server, "ESTABLISHED")
	}
	require.True(p, wasProbing, "the client says that it probes")
	next := probes[0].seq
	for _, seg := range probes {
		if seg.n > 1 {
			// The kernel takes window back from data that is under way: then what it
			// dropped goes again instead, §3.8.6 MUST-34, MAY-7.
			require.True(p, s.sentBefore(since, seg), "a probe has an octet at most\n%v", s)
		}
		require.Equal(p, next, seg.seq, "and is the same again and again\n%v", s)
	}
	require.LessOrEqual(p, len(probes), doublings(time.Since(since))+2, "SHLD-30: the interval doubles\n%v", s)
	for _, seg := range s.after(since, "server") {
		require.Zero(p, seg.window, "the server keeps its window shut\n%v", s)
		require.Equal(p, wire.ACK, seg.flags)
	}
	// RFC 5961 §7: one answer in half a second is enough, and the first probes come
	// faster.
	require.GreaterOrEqual(p, len(s.after(since, "server")), len(probes)-2, "§3.8.6.1: probes are answered\n%v", s)

	// The server reads, the window opens and the rest goes through.
	require.NoError(p, q.client.SetWriteDeadline(time.Now().Add(patience)))
	wrote := make(chan error, 1)
	go func() {
		_, err := q.client.Write(content[n:])
		wrote <- err
		q.client.CloseWrite()
	}()
	require.NoError(p, q.server.SetReadDeadline(time.Now().Add(patience)))
	got, err := io.ReadAll(q.server.conn)
	require.NoError(p, err)
	require.NoError(p, <-wrote)
	require.Equal(p, sha256.Sum256(content), sha256.Sum256(got))
	p.expectState(&q.client, "FIN-WAIT-2")
	p.expectState(&q.server, "CLOSE-WAIT")
}

// lastNews is the index of what an end sent last for the first time.
func (s story) lastNews(role string) (last int) {
	var next seq.Value
	for i := range s.segments {
		if seg := &s.segments[i]; s.who(seg) == role && (seg.flags.Has(wire.SYN) || seg.end().After(next)) {
			last, next = i, seg.end()
		}
	}
	return last
}

// sentBefore reports whether the same data went out before a time.
func (s story) sentBefore(at time.Time, what segment) bool {
	for _, seg := range s.segments {
		if !seg.at.After(at) && seg.dir == what.dir && seg.seq == what.seq && seg.n == what.n {
			return true
		}
	}
	return false
}
