package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Answers without a connection have a bound; what is beyond is counted.
//
// Proves: H04
func TestReplyQueueIsBounded(t *testing.T) {
	cfg := config("linux")
	cfg.Replies = 3
	r := newRaw(t, cfg)
	for range 5 {
		for range 10 {
			r.send(wire.TCP{Flags: wire.ACK}, "")
		}
		require.Len(t, r.replies(), 3)
	}
	require.Equal(t, uint64(35), r.drops(rule.DropReplyQueueFull))
}

// Every queue of a stack has a bound, and what finds it full is counted or told:
// half-open connections, connections to be accepted, events, octets to be sent,
// octets to be read, octets that came early (THREATS S36: a user who never accepts).
//
// Proves: H04, S36
func TestQueuesAreBounded(t *testing.T) {
	for _, fresh := range []func(testing.TB, Config) *raw{newRaw, newRaw6} {
		cfg := config("linux")
		cfg.SynCookies = false
		cfg.TCP.SendBuffer, cfg.TCP.SendBufferMax = 10_000, 10_000
		cfg.TCP.ReceiveBuffer, cfg.TCP.ReceiveBufferMax, cfg.TCP.WindowScaling = 10_000, 10_000, false
		r := fresh(t, cfg)
		l := r.listen(3)
		r.s.Log().SetMask(event.All)
		r.s.Log().SetLimit(50)
		for range 10 { // half-open
			r.remote.Port++
			r.send(wire.TCP{Flags: wire.SYN, Window: 100}, "")
			r.replies()
		}
		require.Equal(t, 4, l.HalfOpen())
		require.Equal(t, uint64(6), r.drops(rule.DropBacklogFull))
		l.Close(r.now)
		r.replies()

		l = r.listen(3)
		for range 10 { // to be accepted
			r.remote.Port++
			r.send(wire.TCP{Flags: wire.SYN, Window: 10_000}, "")
			if g := r.replies(); len(g) > 0 {
				r.send(wire.TCP{Seq: 1, Ack: g[0].Seq.Add(1), Flags: wire.ACK, Window: 10_000}, "")
			}
		}
		require.Equal(t, 4, l.Waiting())
		require.Equal(t, uint64(6), r.drops(rule.DropAcceptQueueFull))

		c, err := l.Accept(r.now)
		require.NoError(t, err)
		r.remote = c.Remote()
		n, err := c.Write(r.now, make([]byte, 1<<20)) // to be sent
		require.NoError(t, err)
		require.LessOrEqual(t, n, 10_000)
		_, err = c.Write(r.now, []byte("x"))
		require.Equal(t, tcp.ErrWouldBlock, err)
		sent := r.replies()
		ack := wire.TCP{Ack: sent[0].Seq, Flags: wire.ACK, Window: 10_000}
		for k := range 200 { // early
			ack.Seq = seq.Value(3 + 2*k)
			r.send(ack, "x")
			r.replies()
		}
		require.LessOrEqual(t, r.s.env.Pool.InUse(), 2*(10_000+tcp.ChunkSize))
		for at := seq.Value(1); at < 20_000; at += 1000 { // to be read
			ack.Seq = at
			r.send(ack, string(make([]byte, 1000)))
			r.replies()
		}
		require.LessOrEqual(t, c.Readable(), 10_000)
		require.NotZero(t, r.drops(rule.DropOutOfWindow)+r.drops(rule.DropSequence)+r.drops(rule.DropReceiveFull))

		require.Len(t, r.s.Log().Take(nil), 50)
		require.Equal(t, r.s.Log().Count()-50, r.s.Log().Lost(), "events")
	}
}

// What a user has to know about is never lost, however late he asks: it is told once
// for each connection, all of it together.
//
// Proves: H04
func TestReadinessIsToldOnce(t *testing.T) {
	const n = 100
	p := newPair(t, config("linux"))
	l := p.listen(p.b, 80, n)
	var dialed []*Conn
	for range n {
		dialed = append(dialed, p.dial(p.a, at("10.0.0.2", 80)))
		p.pump()
	}
	for range n {
		c := p.accept(l)
		for range 10 {
			_, err := c.Write(p.now, []byte("data"))
			require.NoError(t, err)
			p.pump()
		}
		require.NoError(t, c.Close(p.now))
		p.run(clock.Millisecond)
	}
	told := map[*Conn]ReadyMask{}
	for r, ok := p.a.NextReady(); ok; r, ok = p.a.NextReady() {
		require.Zero(t, told[r.Conn], "once")
		told[r.Conn] = r.What
	}
	for _, c := range dialed {
		require.Equal(t, Connected|Readable, told[c]&(Connected|Readable))
	}
	waiting := 0
	for r, ok := p.b.NextReady(); ok; r, ok = p.b.NextReady() {
		if r.Listener != nil {
			waiting++
		}
	}
	require.Equal(t, 1, waiting)
}
