package e2e

import (
	"math/bits"
	"net"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/wire"
)

// after returns what an end sent since a time.
func (s story) after(at time.Time, role string) []segment {
	var all []segment
	for i := range s.segments {
		if seg := &s.segments[i]; seg.at.After(at) && s.who(seg) == role {
			all = append(all, *seg)
		}
	}
	return all
}

// bothEnd wants Read to end with an error at both ends.
func (p *play) bothEnd(q *pair, want error) {
	p.Helper()
	done := make(chan error, 2)
	for _, a := range []*actor{&q.client, &q.server} {
		require.NoError(p, a.SetReadDeadline(time.Now().Add(patience)))
		go func() {
			_, err := a.Read(make([]byte, 1))
			done <- err
		}()
	}
	for range 2 {
		require.ErrorIs(p, <-done, want, "both ends find out by themselves\n%v", p.story(q.port))
	}
}

// The link is cut while nothing is under way. Keepalive, §3.8.4, asks twice, and
// then both ends give up, with a reset for whom it may reach.
func vanishesIdle(p *play) {
	q := p.open()
	for _, a := range []*actor{&q.client, &q.server} {
		require.NoError(p, a.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second, Count: 2}))
	}
	_, err := q.client.Write([]byte("hello"))
	require.NoError(p, err)
	p.expectRead(&q.server, []byte("hello"))
	wait(p, "the data to be acknowledged", func() bool { return p.story(q.port).acked() }, p.told)
	before := p.story(q.port)
	p.gate.set(gateCut)
	cutAt := time.Now()
	p.bothEnd(q, syscall.ETIMEDOUT)
	for _, a := range []*actor{&q.client, &q.server} {
		p.expectState(a, "CLOSED")
		p.expectWriteErr(a, syscall.EPIPE)
		var sent []segment
		wait(p, "the reset of the "+a.role, func() bool {
			sent = p.story(q.port).after(cutAt, a.role)
			return len(sent) > 0 && sent[len(sent)-1].flags.Has(wire.RST)
		}, p.told)
		next := before.nextOf(a.role)
		require.Len(p, sent, 3, "two probes and a reset\n%v", p.story(q.port))
		for _, seg := range sent[:2] {
			require.Equal(p, wire.ACK, seg.flags)
			require.Zero(p, seg.n)
			require.Equal(p, next.Sub(1), seg.seq, "§3.8.4: SEG.SEQ = SND.NXT-1")
		}
		require.Equal(p, wire.RST|wire.ACK, sent[2].flags)
		require.Equal(p, next, sent[2].seq)
		for i := range sent[1:] {
			require.Greater(p, sent[i+1].at.Sub(sent[i].at), 500*time.Millisecond, "a second from probe to probe\n%v", p.story(q.port))
		}
	}
}

// The link is cut and data is sent into it. The user timeout, RFC 5482, bounds
// how long it is sent again; nobody is told but the application.
func vanishesBusy(p *play) {
	const limit = 1500 * time.Millisecond
	q := p.open()
	for _, a := range []*actor{&q.client, &q.server} {
		require.NoError(p, a.setUserTimeout(a.conn, limit))
	}
	wait(p, "the handshake to be over", func() bool { return p.story(q.port).acked() }, p.told)
	p.gate.set(gateCut)
	cutAt := time.Now()
	for _, a := range []*actor{&q.client, &q.server} {
		_, err := a.Write([]byte("into the void"))
		require.NoError(p, err, "the stack takes it")
	}
	p.bothEnd(q, syscall.ETIMEDOUT)
	took := time.Since(cutAt)
	require.Greater(p, took, limit-100*time.Millisecond, "%v", p.story(q.port))
	for _, a := range []*actor{&q.client, &q.server} {
		p.expectState(a, "CLOSED")
		p.expectWriteErr(a, syscall.EPIPE)
		sent := p.story(q.port).after(cutAt, a.role)
		require.Greater(p, len(sent), 1, "it was sent again\n%v", p.story(q.port))
		for _, seg := range sent {
			require.Equal(p, wire.PSH|wire.ACK, seg.flags)
			require.Equal(p, 13, seg.n)
			require.Equal(p, sent[0].seq, seg.seq)
		}
		require.LessOrEqual(p, len(sent), doublings(took)+2, "RFC 6298 §5.5: the timer doubles\n%v", p.story(q.port))
	}
}

// doublings is how many timeouts fit into a time, when the first is the least RTO
// of 200 ms and each is twice the one before. A slow machine has fewer.
func doublings(d time.Duration) int { return bits.Len(uint(d / (200 * time.Millisecond))) }
