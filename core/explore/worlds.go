package explore

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A World is what is explored: two users, and what the network may do to them.
type World struct {
	Name, Title string
	Users       [2]User
	Limits      Limits
	Past        Past
	Sure        bool   // both users come to the end of their programs, without an error
	Window      uint32 // octets of each receive buffer; 0: eight segments
	Keepalive   bool   // who waits finds out that the other end is gone
	SACK        bool
	RACK        bool // and probes of the tail, RFC 8985
	NoDelay     bool // no Nagle algorithm
	RFC1337     bool // a reset does not end TIME-WAIT: without it an old ACK, answered, ends the wait for old octets
	Fast        bool // who sends two segments is ahead of the clock that sequence numbers come from

	// A hook for each end, or none, and the steps at which it is called. It is cloned
	// with its end, and part of its fingerprint.
	Hook  [2]tcp.Hook
	Hooks [2]tcp.HookMask
}

// A Past is what there was before the world begins: an earlier incarnation of the
// connection.
type Past uint8

// The pasts.
const (
	NoPast    Past = iota
	OldSyn         // its SYN is still on its way
	OldSynAck      // its SYN-ACK is still on its way
	Crash          // it is ESTABLISHED at the second end, and the first has forgotten it
)

// segment is the octets of a full one, so that a few octets make several.
const segment = 8

// Worlds returns the presets.
func Worlds() []World {
	dial, connected, shut := Op{Do: Dial}, Op{Do: AwaitConnected}, Op{Do: Shut}
	accept, eof, closes, abort := Op{Do: Accept}, Op{Do: AwaitEOF}, Op{Do: Close}, Op{Do: Abort}
	write := func(n int) Op { return Op{Write, n} }
	urgent := func(n int) Op { return Op{WriteUrgent, n} }
	read := func(n int) Op { return Op{Read, n} }
	user := func(ops ...Op) User { return User{Ops: ops} }
	server := func(ops ...Op) User { return User{Listens: true, Ops: ops} }
	again := func(ops ...Op) User { return User{Listens: true, Again: true, Ops: ops} }
	lazy := func(ops ...Op) User { return User{Listens: true, Lazy: true, Ops: ops} }
	empty, usual := Limits{2, 1, 3, 4}, Limits{1, 1, 2, 4}
	return []World{
		{Name: "handshake", Title: "a connection is opened, and closed at once",
			Sure: true, Limits: empty, Users: [2]User{user(dial, connected, shut, eof, closes), server(eof, closes)}},
		{Name: "simultaneous-open", Title: "both ends open at once, RFC 9293 Figure 7",
			Keepalive: true, Limits: usual, Users: [2]User{user(dial, connected, shut, eof, closes), user(dial, connected, shut, eof, closes)}},
		{Name: "refused", Title: "nobody listens",
			Limits: empty, Users: [2]User{user(dial, connected, closes), {}}},
		{Name: "transfer", Title: "three segments one way",
			Sure: true, Limits: usual, Users: [2]User{user(dial, write(3*segment), shut, eof, closes), server(eof, closes)}},
		{Name: "both-ways", Title: "two segments one way, one the other",
			Sure: true, Limits: usual, Users: [2]User{user(dial, write(2*segment), shut, eof, closes), server(write(segment), shut, eof, closes)}},
		{Name: "sack", Title: "three segments where SACK was agreed on",
			Sure: true, Limits: usual, SACK: true, Users: [2]User{user(dial, write(3*segment), shut, eof, closes), server(eof, closes)}},
		{Name: "rack", Title: "likewise, and losses are found by time, RFC 8985",
			Sure: true, Limits: usual, SACK: true, RACK: true, Users: [2]User{user(dial, write(3*segment), shut, eof, closes), server(eof, closes)}},
		{Name: "pieces", Title: "what goes again is cut otherwise than before",
			Sure: true, Limits: usual, NoDelay: true, Users: [2]User{user(dial, connected, write(3), write(1), write(9), shut, eof, closes), server(eof, closes)}},
		{Name: "urgent", Title: "urgent data in the stream, RFC 9293 §3.8.5",
			Sure: true, Limits: usual, Users: [2]User{user(dial, connected, urgent(segment), write(1), shut, eof, closes), server(eof, closes)}},
		{Name: "window", Title: "who receives reads when he likes, and has room for two segments",
			Sure: true, Limits: usual, Window: 2 * segment,
			Users: [2]User{user(dial, write(5*segment), shut, eof, closes), lazy(read(segment), read(segment), eof, closes)}},
		{Name: "passive-close", Title: "who was called hangs up",
			Sure: true, Limits: usual, Users: [2]User{user(dial, eof, closes), server(write(segment), shut, eof, closes)}},
		{Name: "simultaneous-close", Title: "both ends close at once, RFC 9293 Figure 13",
			Sure: true, Limits: empty, Users: [2]User{user(dial, connected, shut, eof, closes), server(shut, eof, closes)}},
		{Name: "half-close", Title: "one end goes on sending when the other has closed, RFC 9293 §3.6",
			Sure: true, Limits: usual, Users: [2]User{user(dial, connected, shut, eof, closes), server(eof, write(segment), write(segment), closes)}},
		{Name: "close", Title: "both users close, and do not wait for each other",
			Keepalive: true, Limits: usual, Users: [2]User{user(dial, write(segment), closes), server(write(segment), closes)}},
		{Name: "abort", Title: "one end aborts",
			Keepalive: true, Limits: usual, Users: [2]User{user(dial, write(segment), abort), server(write(segment), eof, closes)}},
		{Name: "old-syn", Title: "the SYN of an earlier incarnation arrives, RFC 9293 Figure 8",
			Keepalive: true, Past: OldSyn, Limits: usual, Users: [2]User{user(dial, connected, write(segment), shut, eof, closes), again(eof, closes)}},
		{Name: "old-syn-ack", Title: "the SYN-ACK of an earlier incarnation arrives",
			Sure: true, Past: OldSynAck, Limits: usual, Users: [2]User{user(dial, connected, write(segment), shut, eof, closes), server(eof, closes)}},
		{Name: "half-open", Title: "one end has forgotten the connection and opens it again, RFC 9293 Figure 9",
			Sure: true, Past: Crash, Limits: usual, Users: [2]User{user(dial, connected, write(segment), shut, eof, closes), again(eof, closes)}},
		{Name: "reopen", Title: "one name for two connections, with more sent than the clock of sequence numbers has moved, RFC 9293 §3.4.1",
			Sure: true, Keepalive: true, RFC1337: true, Fast: true, Limits: Limits{0, 1, 2, 4}, Users: [2]User{
				{Prompt: true, Ops: []Op{dial, connected, write(2 * segment), shut, eof, closes, dial, shut, eof, closes}},
				{Prompt: true, Listens: true, Ops: []Op{eof, closes, accept, eof, closes}}}},
	}
}

// origin is when worlds begin; their past is an hour before.
const origin = clock.Instant(1000 * clock.Hour)

// begin makes the first state. st, if not nil, is told of the past.
func (x *Explorer) begin(st *story) (state, error) {
	if x.world.Past == NoPast {
		return x.fresh(origin)
	}
	y, err := New(x.world)
	if err != nil {
		return state{}, err
	}
	y.exact = x.exact
	old, err := y.fresh(origin.Add(-clock.Hour))
	if err != nil {
		return old, err
	}
	var sent []*parcel
	for c := (choice{proceed, 0}); ; c = (choice{deliver, 0}) {
		if st != nil {
			st.add(y, &old, c, past)
		}
		if old, x.failed = y.step(&old, c); x.failed != "" {
			return old, nil
		}
		if len(old.net) == 0 {
			break
		}
		sent = append(sent, old.net...)
	}
	s, err := x.fresh(origin)
	switch x.world.Past {
	case OldSyn:
		s.net = append(s.net, sent[0])
	case OldSynAck:
		s.net = append(s.net, sent[1])
	case Crash:
		e := new(end)
		*e = *old.ends[1]
		e.now = origin
		x.finish(1, e)
		s.ends[1] = e
	case NoPast:
	}
	return s, err
}

// fresh is two ends without a connection.
func (x *Explorer) fresh(now clock.Instant) (state, error) {
	s := state{Limits: x.world.Limits}
	cfg := x.cfg
	var err error
	for i := range s.ends {
		cfg.Secret[0] = byte(i)
		e := &end{now: now}
		if e.stack, err = core.New(cfg, packet.Link{MTU: 1500}); err != nil {
			return s, err
		}
		if err = e.stack.AddAddr(wire.Prefix{Addr: x.names[i].Addr, Bits: 24}); err != nil {
			return s, err
		}
		if x.world.Users[i].Listens {
			if _, err = e.stack.Listen(now, x.names[i], core.ListenOptions{Backlog: 1}); err != nil {
				return s, err
			}
		}
		if h := x.world.Hook[i]; h != nil {
			e.stack.SetHook(h.Clone(), x.world.Hooks[i])
		}
		e.stack.Log().SetMask(event.Of(event.Transition))
		x.finish(i, e)
		s.ends[i] = e
	}
	return s, nil
}

// config is what both ends of a world go by.
func config(w *World) (core.Config, error) {
	c, err := core.Profile("explore")
	t := &c.TCP
	t.MaxMSS = segment
	t.SendBuffer, t.SendBufferMax = 8*segment, 8*segment
	t.ReceiveBuffer, t.ReceiveBufferMax = 8*segment, 8*segment
	if w.Window > 0 {
		t.ReceiveBuffer, t.ReceiveBufferMax = w.Window, w.Window
	}
	if w.Fast {
		c.ISNTick = openTime / segment
	}
	t.Nagle = !w.NoDelay
	t.RFC1337 = w.RFC1337
	t.Keepalive, t.SACK, t.RACK, t.TLP, t.UrgentInline = w.Keepalive, w.SACK, w.RACK, w.RACK, true
	return c, err
}
