package tcp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// An end is one TCB on a virtual clock whose peer is the test: it writes what
// arrives and reads what leaves in a short notation,
//
//	FLAGS SEQ(LENGTH) [ack ACK] [win WINDOW] [urg POINTER]
//
// with numbers that are relative to the SYN of their sender and windows that are
// not scaled. What leaves is shown without its window.
type end struct {
	testing.TB
	env      tcp.Env
	cfg      tcp.Config
	c        tcp.TCB
	now      clock.Instant
	v6       bool
	iss, irs seq.Value // our SYN's sequence number and the peer's
	p        packet.Packet
	last     segment   // the last that left
	top      seq.Value // behind all that has left
	sent     []segment
}

// A segment is one that has left.
type segment struct {
	wire.TCP
	ip      wire.IP
	at      clock.Instant
	payload string
}

// A variant is where the numbers of a test stand. U-14: nothing depends on it.
type variant struct {
	v6       bool
	iss, irs seq.Value
}

var variants = []variant{
	{false, 1000, 9000},
	{true, 1<<32 - 1, 0},
	{false, 1<<31 - 2, 1<<32 - 3},
	{true, 1<<32 - 1460, 1<<31 - 1},
}

// each runs a test in every variant.
func each(t *testing.T, f func(t *testing.T, v variant)) {
	for _, v := range variants {
		t.Run(fmt.Sprintf("%d-%x-%x", map[bool]int{false: 4, true: 6}[v.v6], uint32(v.iss), uint32(v.irs)), func(t *testing.T) { f(t, v) })
	}
}

const (
	ms     = clock.Millisecond
	second = clock.Second
)

func newEnd(t testing.TB, v variant, cfg tcp.Config) *end {
	e := &end{TB: t, cfg: cfg, v6: v.v6, iss: v.iss, irs: v.irs, top: v.iss, now: clock.Instant(1000 * second)}
	e.env.Link.MTU = 1500
	if v.v6 {
		e.env.Link.MTU = 1520
	}
	e.c.Init(&e.env, &e.cfg, 1, e.tuple())
	return e
}

func (e *end) tuple() tcp.Tuple {
	local, remote := "10.0.0.1", "10.0.0.2"
	if e.v6 {
		local, remote = "fd00::1", "fd00::2"
	}
	a, err := wire.ParseAddr(local)
	require.NoError(e, err)
	b, err := wire.ParseAddr(remote)
	require.NoError(e, err)
	return tcp.Tuple{Local: wire.AddrPort{Addr: a, Port: 80}, Remote: wire.AddrPort{Addr: b, Port: 1000}}
}

// segment makes a segment of the peer's from its notation.
func (e *end) segment(text string, options ...wire.Options) *tcp.Segment {
	flags, rest, _ := strings.Cut(text, " ")
	s := &tcp.Segment{Tuple: e.tuple(), TTL: 64, Count: 1}
	s.Flags = parseFlags(flags)
	var at, n, ack, win, urg int64
	_, err := fmt.Sscanf(rest, "%d(%d)", &at, &n)
	require.NoError(e, err, text)
	for words := strings.Fields(rest)[1:]; len(words) >= 2; words = words[2:] {
		to := map[string]*int64{"ack": &ack, "win": &win, "urg": &urg}[words[0]]
		require.NotNil(e, to, text)
		_, err := fmt.Sscan(words[1], to)
		require.NoError(e, err, text)
	}
	s.Seq = e.irs + seq.Value(uint32(at))
	if s.Flags&wire.ACK != 0 {
		s.Ack = e.iss + seq.Value(uint32(ack))
	}
	s.Window, s.Urgent = uint16(win), uint16(urg)
	s.Payload = make([]byte, n)
	for i := range s.Payload {
		s.Payload[i] = stream(uint32(at) + uint32(i))
	}
	for _, o := range options {
		s.Options.Has |= o.Has
		s.Options.MSS |= o.MSS
		s.Options.WindowScale |= o.WindowScale
		s.Options.TSVal |= o.TSVal
		s.Options.TSEcr |= o.TSEcr
		if o.Has&wire.HasSACK != 0 {
			s.Options.SACK, s.Options.SACKCount = o.SACK, o.SACKCount
		}
	}
	return s
}

func parseFlags(text string) (f wire.Flags) {
	const letters = "FSRP.U"
	for _, r := range text {
		if i := strings.IndexRune(letters, r); i >= 0 {
			f |= 1 << i
		}
	}
	return f
}

// stream is the octet at a relative sequence number of the peer's stream.
func stream(at uint32) byte { return byte(at*7 + at>>8) }

func mss(n uint16) wire.Options { return wire.Options{Has: wire.HasMSS, MSS: n} }

func scale(n uint8) wire.Options { return wire.Options{Has: wire.HasWindowScale, WindowScale: n} }

func stamp(val, ecr uint32) wire.Options {
	return wire.Options{Has: wire.HasTimestamps, TSVal: val, TSEcr: ecr}
}

var sackOK = wire.Options{Has: wire.HasSACKPermitted}

// sack has the blocks [l, r) of pairs of relative numbers of ours.
func (e *end) sack(edges ...uint32) wire.Options {
	o := wire.Options{Has: wire.HasSACK, SACKCount: uint8(len(edges) / 2)}
	for i := range o.SACKCount {
		o.SACK[i] = wire.SACKBlock{Left: e.iss + seq.Value(edges[2*i]), Right: e.iss + seq.Value(edges[2*i+1])}
	}
	return o
}

// in lets a segment arrive.
func (e *end) in(text string, options ...wire.Options) {
	e.c.Arrives(e.now, e.segment(text, options...))
	e.drain()
}

// ackAll acknowledges what leaves until nothing more does.
func (e *end) ackAll(win int) {
	for {
		e.in(fmt.Sprintf(". %d(0) ack %d win %d", int32(e.last.Ack-e.irs), int32(e.top-e.iss), win))
		if len(e.took()) == 0 {
			return
		}
	}
}

// drain takes all that leaves now.
func (e *end) drain() {
	for i := 0; e.c.Output(e.now, &e.p); i++ {
		require.Less(e, i, 10000, "output has no end")
		s := segment{at: e.now}
		b := e.p.Bytes
		require.Equal(e, rule.NotDropped, wire.ParseIP(b, &s.ip))
		require.Equal(e, len(b), s.ip.TotalLen)
		require.Equal(e, rule.NotDropped, wire.ParseTCP(b[s.ip.HeaderLen:], &s.TCP))
		require.True(e, e.p.Partial || wire.VerifyTCP(b[s.ip.HeaderLen:], &s.ip), "MUST-2")
		s.payload = string(b[s.ip.HeaderLen+s.HeaderLen:])
		e.sent, e.last = append(e.sent, s), s
		end := s.Seq + seq.Value(uint32(len(s.payload)))
		if s.Flags&(wire.SYN|wire.FIN) != 0 {
			end++
		}
		e.top = seq.Max(e.top, end)
	}
	if e.c.State() != tcp.Closed && e.c.State() != tcp.Listen && e.c.Info(e.now).Unacked > 0 {
		_, armed := e.c.TimerLeft(0, e.now)
		require.True(e, armed, "data or a FIN is in flight and no retransmission timer runs")
	}
}

func (e *end) text(s *segment) string {
	text := fmt.Sprintf("%v %d(%d)", s.Flags, int32(s.Seq-e.iss), len(s.payload))
	if s.Flags&wire.ACK != 0 {
		text += fmt.Sprintf(" ack %d", int32(s.Ack-e.irs))
	}
	if s.Flags&wire.URG != 0 {
		text += fmt.Sprintf(" urg %d", s.Urgent)
	}
	return text
}

// took returns what has left since the last call.
func (e *end) took() []string {
	e.drain()
	out := []string{}
	for i := range e.sent {
		out = append(out, e.text(&e.sent[i]))
	}
	e.sent = e.sent[:0]
	return out
}

// out requires that just this has left since the last call.
func (e *end) out(why string, want ...string) {
	if h, ok := e.TB.(interface{ Helper() }); ok {
		h.Helper()
	}
	if want == nil {
		want = []string{}
	}
	require.Equal(e, want, e.took(), why)
}

// pass lets time pass, timer by timer.
func (e *end) pass(d clock.Duration) {
	to := e.now.Add(d)
	e.drain()
	for i := 0; ; i++ {
		require.Less(e, i, 100000, "timers have no end")
		at := e.c.Deadline()
		if at > to {
			break
		}
		e.now = max(e.now, at)
		e.c.Expire(e.now)
		e.drain()
	}
	e.now = to
}

// timed lets time pass and returns what leaves, with the time from now on.
func (e *end) timed(d clock.Duration) []string {
	start := e.now
	e.took()
	e.pass(d)
	out := []string{}
	for i := range e.sent {
		s := &e.sent[i]
		out = append(out, fmt.Sprintf("%d.%03d %s", s.at.Sub(start)/second, s.at.Sub(start)/ms%1000, e.text(s)))
	}
	e.sent = e.sent[:0]
	return out
}

// The handshakes. Each leaves the end in ESTABLISHED with nothing to be said.

func (e *end) synSent() {
	e.c.OpenActive(e.now, e.iss, 0)
	e.out("the SYN", "S 0(0)")
}

func (e *end) active(win int, options ...wire.Options) *end {
	e.synSent()
	e.in(fmt.Sprintf("S. 0(0) ack 1 win %d", min(win, 65535)), append(options, mss(1460))...)
	require.Equal(e, tcp.Established, e.c.State())
	e.out("the third segment", ". 1(0) ack 1")
	return e
}

func (e *end) synReceived(options ...wire.Options) {
	e.c.OpenPassive(e.now, e.iss, 0, e.segment("S 0(0) win 65535", append(options, mss(1460))...))
	e.out("the SYN-ACK", "S. 0(0) ack 1")
}

func (e *end) passive(win int, options ...wire.Options) *end {
	e.synReceived(options...)
	e.in(fmt.Sprintf(". 1(0) ack 1 win %d", win), options...)
	require.Equal(e, tcp.Established, e.c.State())
	e.out("nothing answers the third segment")
	return e
}

// reach brings a new connection into a state.
func reach(t testing.TB, v variant, cfg tcp.Config, state tcp.State) *end {
	e := newEnd(t, v, cfg)
	switch state {
	case tcp.Closed:
		return e
	case tcp.Listen:
		e.synReceived()
		e.in("R 1(0)")
	case tcp.SynSent:
		e.synSent()
	case tcp.SynReceived:
		e.synReceived()
	default:
		e.passive(65535)
	}
	switch state {
	case tcp.FinWait1, tcp.FinWait2, tcp.Closing, tcp.TimeWait:
		require.NoError(t, e.c.CloseWrite(e.now))
		e.out("our FIN", "F. 1(0) ack 1")
		if state != tcp.FinWait1 && state != tcp.Closing {
			e.in(". 1(0) ack 2 win 65535")
		}
		if state == tcp.Closing {
			e.in("F. 1(0) ack 1 win 65535")
		}
		if state == tcp.TimeWait {
			e.in("F. 1(0) ack 2 win 65535")
		}
	case tcp.CloseWait, tcp.LastAck:
		e.in("F. 1(0) ack 1 win 65535")
		e.pass(second)
		if state == tcp.LastAck {
			e.took()
			require.NoError(t, e.c.CloseWrite(e.now))
			e.out("our FIN", "F. 1(0) ack 2")
		}
	}
	e.took()
	require.Equal(t, state, e.c.State())
	return e
}

var allStates = []tcp.State{
	tcp.Closed, tcp.Listen, tcp.SynSent, tcp.SynReceived, tcp.Established, tcp.FinWait1,
	tcp.FinWait2, tcp.CloseWait, tcp.Closing, tcp.LastAck, tcp.TimeWait,
}

// write gives the TCB data, all of which it must take.
func (e *end) write(n int) {
	b := make([]byte, n)
	k, err := e.c.Write(e.now, b)
	require.NoError(e, err)
	require.Equal(e, n, k)
	e.drain()
}

// read takes all that can be read and checks that it is the peer's stream from
// the relative number at.
func (e *end) read(at uint32) (n int) {
	b := make([]byte, 4096)
	for {
		k, err := e.c.Read(e.now, b)
		if err != nil {
			e.drain()
			return n
		}
		for i := range k {
			require.Equal(e, stream(at+uint32(n+i)), b[i], "octet %d", n+i)
		}
		n += k
	}
}

func TestReachEveryState(t *testing.T) {
	each(t, func(t *testing.T, v variant) {
		for _, cfg := range []tcp.Config{tcp.Linux(), tcp.RFC9293()} {
			for _, s := range allStates {
				reach(t, v, cfg, s)
			}
		}
	})
}
