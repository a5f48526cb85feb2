package core

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// userStates are ways to each state in which a user may have a connection, and back
// to the connection.
var userStates = map[tcp.State]func(r *raw) *Conn{
	tcp.SynSent: func(r *raw) *Conn {
		c, err := r.s.Dial(r.now, wire.AddrPort{}, r.remote, nil)
		require.NoError(r, err)
		r.one()
		return c
	},
	tcp.SynReceived: func(r *raw) *Conn {
		c, err := r.s.Dial(r.now, wire.AddrPort{Port: r.local.Port}, r.remote, nil)
		require.NoError(r, err)
		r.one()
		r.send(wire.TCP{Flags: wire.SYN, Window: 1000}, "")
		r.one()
		return c
	},
	tcp.Closed: func(r *raw) *Conn {
		c, _ := r.user()
		r.send(wire.TCP{Seq: 1, Flags: wire.RST}, "")
		return c
	},
	tcp.Established: func(r *raw) *Conn { c, _ := r.user(); return c },
	tcp.FinWait1:    func(r *raw) *Conn { c, _ := r.closing(); return c },
	tcp.FinWait2: func(r *raw) *Conn {
		c, next := r.closing()
		r.send(wire.TCP{Seq: 1, Ack: next, Flags: wire.ACK, Window: 1000}, "")
		return c
	},
	tcp.Closing: func(r *raw) *Conn {
		c, next := r.closing()
		r.send(wire.TCP{Seq: 1, Ack: next - 1, Flags: wire.ACK | wire.FIN, Window: 1000}, "")
		return c
	},
	tcp.TimeWait: func(r *raw) *Conn {
		c, next := r.closing()
		r.send(wire.TCP{Seq: 1, Ack: next, Flags: wire.ACK | wire.FIN, Window: 1000}, "")
		return c
	},
	tcp.CloseWait: func(r *raw) *Conn {
		c, next := r.user()
		r.send(wire.TCP{Seq: 1, Ack: next, Flags: wire.ACK | wire.FIN, Window: 1000}, "")
		return c
	},
	tcp.LastAck: func(r *raw) *Conn {
		c, next := r.user()
		r.send(wire.TCP{Seq: 1, Ack: next, Flags: wire.ACK | wire.FIN, Window: 1000}, "")
		require.NoError(r, c.CloseWrite(r.now))
		return c
	},
}

// user opens a connection and accepts it; closing sends our FIN too. Both return
// the number that the peer's ACK would have.
func (r *raw) user() (*Conn, seq.Value) {
	l := r.listen(5)
	next := r.open().Seq.Add(1)
	c, err := l.Accept(r.now)
	require.NoError(r, err)
	return c, next
}

func (r *raw) closing() (*Conn, seq.Value) {
	c, next := r.user()
	require.NoError(r, c.CloseWrite(r.now))
	r.one()
	return c, next.Add(1)
}

// THREATS S37: every method of a connection, in every state in which a user may
// have one, with arguments of nothing, of little and of much, and again after every
// way to end it: there may be an error, and nothing else happens.
//
// Proves: S37
func TestEveryCallInEveryState(t *testing.T) {
	cfg := tcp.Linux()
	values := map[reflect.Type][]any{
		reflect.TypeFor[[]byte]():         {[]byte(nil), []byte("octets"), make([]byte, 300_000)},
		reflect.TypeFor[int]():            {0, -1, 1, 1 << 30},
		reflect.TypeFor[bool]():           {false, true},
		reflect.TypeFor[uint8]():          {uint8(0), uint8(1), uint8(255)},
		reflect.TypeFor[uint32]():         {uint32(0), uint32(1), uint32(1<<32 - 1)},
		reflect.TypeFor[uint64]():         {uint64(0), uint64(1), uint64(1 << 63)},
		reflect.TypeFor[clock.Duration](): {clock.Duration(0), -clock.Second, clock.Hour},
		reflect.TypeFor[*tcp.Config]():    {&cfg},
	}
	kind := reflect.TypeFor[*Conn]()
	calls := 0
	call := func(r *raw, c *Conn, m, which int) {
		method := reflect.ValueOf(c).Method(m)
		var args []reflect.Value
		for i := range method.Type().NumIn() {
			in := method.Type().In(i)
			if in == reflect.TypeFor[clock.Instant]() {
				args = append(args, reflect.ValueOf(r.now))
				continue
			}
			of := values[in]
			require.NotEmpty(t, of, "%s has an argument of type %v", kind.Method(m).Name, in)
			args = append(args, reflect.ValueOf(of[which%len(of)]))
		}
		require.NotPanics(t, func() { method.Call(args) }, "%s in %v", kind.Method(m).Name, c.State())
		calls++
		var p packet.Packet
		for n := 0; r.s.Output(r.now, &p); n++ {
			require.Less(t, n, 10_000)
		}
		why, _ := r.s.Check()
		require.Empty(t, why, "after %s in %v", kind.Method(m).Name, c.State())
	}
	ends := []func(r *raw, c *Conn){
		func(r *raw, c *Conn) { _ = c.Close(r.now) },
		func(r *raw, c *Conn) { c.Abort(r.now) },
		func(r *raw, c *Conn) { _ = c.SetLinger(r.now, true, 0); _ = c.Close(r.now) },
		func(r *raw, c *Conn) { _, _ = c.Write(r.now, []byte("more")); _ = c.Close(r.now) },
	}
	for _, fresh := range []func(testing.TB, Config) *raw{newRaw, newRaw6} {
		for state, reach := range userStates {
			for m := range kind.NumMethod() {
				for which := range 4 {
					r := fresh(t, config("linux"))
					c := reach(r)
					r.replies()
					require.Equal(t, state, c.State())
					call(r, c, m, which)
					ends[which](r, c)
					r.replies()
					for other := range kind.NumMethod() {
						call(r, c, other, which)
					}
				}
			}
		}
	}
	t.Logf("%d calls of %d methods", calls, kind.NumMethod())
}
