package tcp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
	"github.com/tcpkit/tcpkit/internal/release"
)

// A script of octets drives one TCB: segments of all kinds whose numbers lie near
// what counts, calls of the user, time. It gives zeros when it is used up.
type tape struct {
	b  []byte
	at int
}

func (t *tape) done() bool { return t.at >= len(t.b) }

func (t *tape) next() int {
	if t.done() {
		return 0
	}
	t.at++
	return int(t.b[t.at-1])
}

// near gives a number around one of those given.
func (t *tape) near(of ...seq.Value) seq.Value {
	v := of[t.next()%len(of)]
	switch d := t.next(); {
	case d < 100:
		return v
	case d < 180:
		return v + seq.Value(uint32(int32(d-140)))
	case d < 240:
		return v + seq.Value(uint32(int32(d-210)*1460))
	default:
		return v + seq.Value(uint32(d)<<24)
	}
}

// features switches on what the profiles leave off.
func features(bits int, cfg *tcp.Config) {
	if bits&1 != 0 {
		cfg.ECN = 1
	}
	cfg.Pacing = bits&2 != 0
	if bits&4 != 0 {
		cfg.MaxPacingRate = 20_000
	}
	cfg.MTUProbing = bits&8 != 0
	cfg.UrgentInline = bits&16 != 0
	cfg.UrgentAtLast = bits&32 != 0
}

// opens is an open, passive or active, perhaps with Fast Open.
func (e *end) opens(in *tape, passive bool, syn ...wire.Options) {
	fast := in.next()&3 == 0
	text := make([]byte, in.next()*8)
	if !passive {
		e.c.OpenActive(e.now, e.iss, 0)
		if fast {
			e.c.FastOpen(e.now, tcp.FastOpening{Cookie: tcp.Cookie{Len: 8}, Option: true, Data: true}, text)
		}
		return
	}
	s := e.segment("S 0(0) win 3000", syn...)
	s.Flags |= wire.Flags(in.next()) & (wire.ECE | wire.CWR)
	s.Payload = text
	e.c.OpenPassive(e.now, e.iss, 0, s)
	if fast {
		e.c.OpenFast(e.now, s, tcp.Cookie{})
	}
}

// writes is any of the ways to write.
func (e *end) writes(in *tape, b []byte) {
	switch in.next() % 8 {
	case 0:
		_, _ = e.c.WriteMore(e.now, b)
	case 1:
		_, _ = e.c.WriteEOR(e.now, b)
	case 2:
		_, _ = e.c.WriteUrgent(e.now, b)
	default:
		_, _ = e.c.Write(e.now, b)
	}
}

func FuzzTCB(f *testing.F) {
	f.Add([]byte("a little of everything, and more of it than that"))
	f.Fuzz(func(t *testing.T, b []byte) { drive(t, b) })
}

// Random mixes of segments, calls and time, the same in every run (THREATS S37).
//
// Proves: S37
func TestRandomTCBs(t *testing.T) {
	least := release.Count(60_000, 1_000_000)
	states, total := map[tcp.State]int{}, 0
	for run := uint64(0); total < least; run++ {
		b := make([]byte, 4000)
		for i := range b {
			b[i] = byte(siphash.Words2(siphash.Key{K0: 11}, run, uint64(i)))
		}
		seen, mixed := drive(t, b)
		for s := range seen {
			states[s]++
		}
		if total += mixed; t.Failed() {
			t.Fatalf("run %d", run)
		}
	}
	for _, s := range allStates {
		require.Positive(t, states[s], "%v is reached", s)
	}
	t.Log(total, states)
}

// drive returns the states that were reached, and how many segments, calls and
// timers there were.
func drive(t *testing.T, b []byte) (seen map[tcp.State]bool, mixed int) {
	in := &tape{b: b}
	seen = map[tcp.State]bool{}
	cfg := tcp.Linux()
	if in.next()&1 != 0 {
		cfg = tcp.RFC9293()
	}
	kind := in.next()
	features(in.next(), &cfg)
	if kind&1 != 0 {
		cfg.ReceiveBuffer, cfg.ReceiveBufferMax = 3000, 3000
	}
	if kind&2 != 0 {
		cfg.UserTimeout = 20 * second
	}
	if kind&4 != 0 {
		cfg.Keepalive, cfg.KeepaliveIdle, cfg.KeepaliveInterval = true, 3*second, second
	}
	if kind&8 != 0 {
		cfg.SendBuffer, cfg.SendBufferMax = 5000, 5000
	}
	e := newEnd(t, variants[in.next()%len(variants)], cfg)
	if kind&16 != 0 {
		e.env.Link.MaxSuper = 65535
	}
	if kind&32 != 0 {
		e.env.Pool.Budget = 8
	}
	var syn []wire.Options
	opts := in.next()
	syn = append(syn, mss([]uint16{300, 536, 1460, 9000}[opts&3]))
	if opts&4 != 0 {
		syn = append(syn, sackOK)
	}
	if opts&8 != 0 {
		syn = append(syn, stamp(100, 0))
	}
	if opts&16 != 0 {
		syn = append(syn, scale(uint8(opts>>5)*2))
	}

	// What the peer knows: our numbers and the right edges that both have been told.
	una, nxt := e.iss, e.iss
	mine, told := e.irs, e.irs
	tick := uint32(100)
	var trace []string
	check := func(what string) {
		trace = append(trace, fmt.Sprintf("%v %s -> %v", e.now, what, e.c.State()))
		if len(trace) > 30 {
			trace = trace[1:]
		}
		seen[e.c.State()] = true
		why := ""
		for i := 0; why == "" && e.c.Output(e.now, &e.p); i++ {
			require.Less(t, i, 2000, "output has no end")
			seen[e.c.State()] = true
			s := &tcp.Segment{}
			var ip wire.IP
			wire.ParseIP(e.p.Bytes, &ip)
			wire.ParseTCP(e.p.Bytes[ip.HeaderLen:], &s.TCP)
			s.Payload = e.p.Bytes[ip.HeaderLen+s.HeaderLen:]
			if s.Flags&wire.RST == 0 {
				end := s.Seq.Add(s.Len())
				nxt = seq.Max(nxt, end)
			}
			if s.Flags&(wire.ACK|wire.RST) == wire.ACK {
				mine = seq.Max(mine, s.Ack)
				unit := seq.Size(1)
				if s.Flags&wire.SYN == 0 {
					unit <<= e.c.Info(e.now).RcvWscale
				}
				edge := s.Ack.Add(seq.Size(s.Window) * unit)
				// The window of a SYN has no scale, so it may say less than is meant.
				if s.Flags&wire.SYN == 0 && edge.Before(told) && told.From(edge) >= unit {
					why = fmt.Sprintf("the window goes back by %d", told.From(edge))
				}
				told = seq.Max(told, edge)
			}
			trace = append(trace, fmt.Sprintf("  > %v %d(%d) ack %d win %d", s.Flags, s.Seq-e.iss, len(s.Payload), s.Ack-e.irs, s.Window))
		}
		if why == "" {
			why = e.c.Settled()
		}
		if why == "" && e.c.Deadline() < e.now {
			why = "a deadline has been forgotten"
		}
		if why != "" {
			for _, s := range trace {
				t.Log(s)
			}
			t.Fatal(why)
		}
	}

	segment := func() *tcp.Segment {
		s := &tcp.Segment{Tuple: e.tuple(), Count: 1}
		flags := in.next()
		s.Flags = wire.ACK
		if flags > 180 {
			s.Flags = wire.Flags(in.next() & 63)
			if in.next() < 245 {
				s.Flags &^= wire.RST
			}
		}
		if in.next() > 180 {
			s.Flags |= wire.Flags(in.next()) & (wire.ECE | wire.CWR)
			s.TOS = uint8(in.next())
		}
		if in.next() > 230 {
			s.Flags |= wire.FIN
		}
		s.Seq = mine
		if in.next() > 120 {
			s.Seq = in.near(mine, told, mine+2000)
		}
		if e.c.State() == tcp.SynSent {
			s.Seq = e.irs
		}
		s.Ack = nxt
		if in.next() > 120 {
			s.Ack = in.near(nxt, una, una+1460, nxt-1)
		}
		if s.Ack.After(una) && s.Ack.AtOrBefore(nxt) {
			una = s.Ack
		}
		s.Window = []uint16{0, 1, 100, 1460, 5000, 65535}[in.next()%6]
		s.Urgent = uint16(in.next()) << 5
		if n := in.next(); n > 100 {
			s.Payload = make([]byte, (n-100)*in.next()/16)
		}
		if s.Flags&wire.SYN != 0 {
			for _, o := range syn {
				s.Options.Has |= o.Has
				s.Options.MSS |= o.MSS
				s.Options.WindowScale |= o.WindowScale
			}
		}
		if opts&8 != 0 && in.next() > 5 {
			tick += uint32(in.next()) >> 4
			s.Options.Has |= wire.HasTimestamps
			s.Options.TSVal, s.Options.TSEcr = tick, uint32(int64(e.now)/int64(ms))-uint32(in.next())
			if in.next() > 240 {
				s.Options.TSVal -= 1 << 20
			}
		}
		if opts&4 != 0 && s.Flags&wire.SYN == 0 {
			for range in.next() % 5 {
				if s.Options.SACKCount == 4 {
					break
				}
				left := in.near(una, nxt, una+1460)
				s.Options.Has |= wire.HasSACK
				s.Options.SACK[s.Options.SACKCount] = wire.SACKBlock{Left: left, Right: left + seq.Value(uint32(in.next()*20))}
				s.Options.SACKCount++
			}
		}
		return s
	}

	switch in.next() % 3 {
	case 0:
		e.opens(in, true, syn...)
		mine++
	case 1:
		e.opens(in, false)
		if in.next() > 50 {
			check("open")
			e.c.Arrives(e.now, e.segment("S. 0(0) ack 1 win 3000", syn...))
			mine++
		}
	default:
		e.opens(in, true, syn...)
		mine++
		check("open")
		e.c.Arrives(e.now, e.segment(". 1(0) ack 1 win 3000", stamp(100, 0)))
		una++
	}
	check("opened")
	buf := make([]byte, 8192)
	for ; !in.done(); mixed++ {
		what := "time"
		switch op := in.next(); {
		case op < 130:
			s := segment()
			what = fmt.Sprintf("< %v %d(%d) ack %d win %d urg %d sack %d", s.Flags, s.Seq-e.irs, len(s.Payload), s.Ack-e.iss, s.Window, s.Urgent, s.Options.SACKCount)
			e.c.Arrives(e.now, s)
		case op < 170:
			what = "write"
			e.writes(in, buf[:in.next()*32])
		case op < 197:
			what = "read"
			_, _ = e.c.Read(e.now, buf[:in.next()*32])
		case op < 200:
			what = "read urgent"
			_, _ = e.c.ReadUrgent(in.next()&1 != 0)
		case op < 204:
			what = "close write"
			_ = e.c.CloseWrite(e.now)
		case op < 206:
			what = "close"
			_ = e.c.Close(e.now)
		case op < 207:
			what = "abort"
			e.c.Abort(e.now)
		case op < 209:
			what = "close read"
			_ = e.c.CloseRead(e.now)
		case op < 212:
			what = "options"
			switch in.next() % 8 {
			case 0:
				e.c.SetNoDelay(in.next()&1 != 0)
			case 1:
				e.c.SetReceiveBuffer(uint32(in.next()) * 100)
			case 2:
				e.c.SetSendBuffer(uint32(in.next()) * 100)
			case 3:
				e.c.SetUserTimeout(e.now, clock.Duration(in.next())*second)
			case 4:
				e.c.SetKeepalive(e.now, in.next()&1 != 0, second, second, 2)
			case 5:
				e.c.SetCork(in.next()&1 != 0)
			case 6:
				e.c.SetMaxPacingRate(uint64(in.next()) * 1000)
			default:
				e.c.SetUrgentInline(in.next()&1 != 0)
			}
		case op < 215:
			what = "icmp"
			e.c.ICMPError(e.now, tcp.ErrHostUnreachable, in.next() > 250, 0)
		case op < 218:
			what = "mtu"
			e.c.PathMTU(e.now, 500+in.next()*4)
		case op < 225:
			e.now = e.now.Add(clock.Duration(in.next()) * ms)
			e.c.Expire(e.now)
		default:
			at := e.c.Deadline()
			if at == clock.Never {
				at = e.now
			}
			e.now = max(e.now, at)
			e.c.Expire(e.now)
		}
		check(what)
		if e.c.State() == tcp.Closed || e.c.State() == tcp.Listen {
			break
		}
	}
	// The user goes, and the peer is silent: it ends.
	_ = e.c.Close(e.now)
	check("the last close")
	for i := 0; e.c.Deadline() != clock.Never; i++ {
		require.Less(t, i, 1000, "it does not end")
		e.now = max(e.now, e.c.Deadline())
		e.c.Expire(e.now)
		check("time")
	}
	require.True(t, e.c.Gone(), "%v has no end", e.c.State())
	e.c.Drop()
	require.Zero(t, e.env.Pool.InUse(), "memory is given back")
	return seen, mixed
}
