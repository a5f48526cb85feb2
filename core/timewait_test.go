package core

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

// THREATS S16.
//
// Proves: S16
func TestTimeWaitRecordIsSmall(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(waiting{}), uintptr(128))
}

// PEERS.md: what an idle connection costs.
func TestConnIsSmall(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(Conn{}), uintptr(1024))
	t.Logf("a Conn is of %d octets, a TCB of %d", unsafe.Sizeof(Conn{}), unsafe.Sizeof(tcp.TCB{}))
}

// closed is a connection that the stack has closed first and that is now a
// TIME-WAIT record. The peer's next number is 2; it returns the stack's.
func (r *raw) closed(stamps bool) seq.Value {
	syn := wire.TCP{Seq: 0, Flags: wire.SYN, Window: 65535}
	ack := wire.TCP{Flags: wire.ACK, Window: 65535}
	if stamps {
		syn.Options = wire.Options{Has: wire.HasTimestamps, TSVal: 1000}
		ack.Options = wire.Options{Has: wire.HasTimestamps, TSVal: 1001}
	}
	l := r.s.listenerFor(r.local)
	if l == nil {
		l = r.listen(5)
	}
	r.send(syn, "")
	next := r.one().Seq.Add(1)
	ack.Seq, ack.Ack = 1, next
	r.send(ack, "")
	c, err := l.Accept(r.now)
	require.NoError(r, err)
	require.NoError(r, c.Close(r.now))
	require.Equal(r, wire.FIN|wire.ACK, r.one().Flags)
	ack.Ack, ack.Flags = next.Add(1), wire.FIN|wire.ACK
	r.send(ack, "")
	require.Equal(r, wire.ACK, r.one().Flags)
	require.Zero(r, r.s.Conns())
	return next.Add(1)
}

func TestTimeWaitExpires(t *testing.T) {
	r := newRaw(t, config("rfc9293"))
	r.closed(false)
	end := r.now.Add(4 * clock.Minute)
	require.Equal(t, end, r.s.Deadline(), "MUST-13: 2 MSL, exactly")
	r.s.Expire(end - 1)
	require.Equal(t, 1, r.s.TimeWaits())
	r.s.Expire(end)
	require.Zero(t, r.s.TimeWaits())
	require.Equal(t, clock.Never, r.s.Deadline())
	r.send(wire.TCP{Seq: 5, Ack: 6, Flags: wire.ACK}, "")
	require.Equal(t, wire.RST, r.one().Flags, "the connection does not exist any more")
}

// The peer's FIN comes again: so does our ACK, and 2 MSL begin anew.
func TestTimeWaitLateFin(t *testing.T) {
	r := newRaw(t, config("linux"))
	next := r.closed(false)
	r.now = r.now.Add(40 * clock.Second)
	r.send(wire.TCP{Seq: 1, Ack: next, Flags: wire.FIN | wire.ACK, Window: 10}, "")
	g := r.one()
	require.Equal(t, answer{next, 2, wire.ACK}, answer{g.Seq, g.Ack, g.Flags})
	require.Equal(t, r.now.Add(clock.Minute), r.s.Deadline())
	r.s.Expire(r.now.Add(59 * clock.Second))
	require.Equal(t, 1, r.s.TimeWaits())
	r.s.Expire(r.now.Add(60 * clock.Second))
	require.Zero(t, r.s.TimeWaits())
}

// MAY-2 and RFC 6191: a SYN that is surely new opens the connection again, beyond
// what the old one has sent; an old one does not.
//
// Proves: MAY-2
func TestTimeWaitReopens(t *testing.T) {
	for name, c := range map[string]struct {
		stamps bool
		syn    wire.TCP
		opens  bool
	}{
		"beyond":            {false, wire.TCP{Seq: 100}, true},
		"old":               {false, wire.TCP{Seq: 1}, false},
		"very old":          {false, wire.TCP{Seq: 1<<32 - 1000}, false},
		"newer stamp":       {true, wire.TCP{Seq: 1<<32 - 1000, Options: wire.Options{Has: wire.HasTimestamps, TSVal: 1002}}, true},
		"same stamp, older": {true, wire.TCP{Seq: 1, Options: wire.Options{Has: wire.HasTimestamps, TSVal: 1001}}, false},
		"same stamp, newer": {true, wire.TCP{Seq: 3, Options: wire.Options{Has: wire.HasTimestamps, TSVal: 1001}}, true},
		"older stamp":       {true, wire.TCP{Seq: 100, Options: wire.Options{Has: wire.HasTimestamps, TSVal: 900}}, false},
		"no stamp, newer":   {true, wire.TCP{Seq: 100}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRaw(t, config("linux"))
			next := r.closed(c.stamps)
			c.syn.Flags, c.syn.Window = wire.SYN, 1000
			r.send(c.syn, "")
			g := r.one()
			if !c.opens {
				require.Equal(t, wire.ACK, g.Flags)
				require.Equal(t, seq.Value(2), g.Ack)
				require.Equal(t, 1, r.s.TimeWaits())
				return
			}
			require.Equal(t, wire.SYN|wire.ACK, g.Flags)
			require.Equal(t, c.syn.Seq.Add(1), g.Ack)
			require.GreaterOrEqual(t, g.Seq.Diff(next), int32(65537), "Linux: beyond the old connection")
			require.Zero(t, r.s.TimeWaits())
			require.Equal(t, uint64(1), r.s.Stats().TimeWaitReused)
		})
	}
	// Nobody listens any more: an ACK.
	r := newRaw(t, config("linux"))
	r.closed(false)
	r.s.listenerFor(r.local).Close(r.now)
	r.send(wire.TCP{Seq: 100, Flags: wire.SYN}, "")
	require.Equal(t, wire.ACK, r.one().Flags)
}

// A reset ends TIME-WAIT on Linux unless RFC 1337 is asked for.
func TestTimeWaitReset(t *testing.T) {
	cfg := config("linux")
	r := newRaw(t, cfg)
	r.closed(false)
	r.send(wire.TCP{Seq: 2, Flags: wire.RST}, "")
	r.none("")
	require.Zero(t, r.s.TimeWaits())
	cfg.TCP.RFC1337 = true
	r = newRaw(t, cfg)
	r.closed(false)
	r.send(wire.TCP{Seq: 2, Flags: wire.RST}, "")
	r.none("")
	require.Equal(t, 1, r.s.TimeWaits())
}

// An ACK war cannot start: answers to what is not acceptable are few.
func TestTimeWaitAnswersAreBounded(t *testing.T) {
	r := newRaw(t, config("linux"))
	next := r.closed(false)
	for range 100 {
		r.send(wire.TCP{Seq: 1 << 30, Ack: next, Flags: wire.ACK}, "")
	}
	require.Len(t, r.replies(), 1)
}

func TestTimeWaitEviction(t *testing.T) {
	cfg := config("linux")
	cfg.MaxTimeWait = 10
	r := newRaw(t, cfg)
	for i := range 25 {
		r.remote.Port = uint16(2000 + i)
		r.now = r.now.Add(clock.Millisecond)
		before := r.s.TimeWaits()
		r.closed(false)
		require.Equal(t, min(before+1, 10), r.s.TimeWaits())
	}
	require.Equal(t, uint64(15), r.s.Stats().TimeWaitEvicted)
	require.Len(t, r.s.wait.records, 10, "places are used again")
	for i := range 25 {
		tuple := tcp.Tuple{Local: r.local, Remote: at("10.0.0.2", uint16(2000+i))}
		require.Equal(t, i >= 15, r.s.lookup(&tuple) != 0, "the oldest go first: %d", i)
	}
}

// THREATS S16: closes to peers that fall silent at any moment leave nothing behind
// once their time is over. Who has not closed is seen in the status.
//
// Proves: S16
func TestSilentPeersLeaveNothing(t *testing.T) {
	n := release.Count(2000, 100_000)
	cfg := config("linux")
	p := newPair(t, cfg)
	var listeners []*Listener
	for port := range uint16(4) {
		listeners = append(listeners, p.listen(p.b, 80+port, 10))
	}
	for i := range n {
		far := p.dial(p.a, at("10.0.0.2", 80+uint16(i%4)))
		p.pump()
		c := p.accept(listeners[i%4])
		switch i % 5 {
		case 1: // data is in flight too
			_, err := c.Write(p.now, []byte("data"))
			require.NoError(t, err)
		case 2: // LAST-ACK
			require.NoError(t, far.Close(p.now))
			p.pump()
			require.Equal(t, tcp.CloseWait, c.Status(p.now).State)
		}
		require.NoError(t, c.Close(p.now))
		if i%5 > 2 { // FIN-WAIT-2
			p.pump()
		}
		if i%5 > 3 { // TIME-WAIT
			require.NoError(t, far.Close(p.now))
			p.pump()
		}
	}
	p.a = newStack(t, cfg, ethernet, "10.0.9.9/24") // the peers are gone
	p.run(2 * clock.Minute)
	require.LessOrEqual(t, p.b.Conns(), n/5*3, "FIN-WAIT-2 and TIME-WAIT last a minute")
	p.run(30 * clock.Minute)
	require.Zero(t, p.b.Conns())
	require.Zero(t, p.b.TimeWaits())
	require.Equal(t, clock.Never, p.b.Deadline())
	require.Zero(t, p.b.env.Pool.InUse())
}
