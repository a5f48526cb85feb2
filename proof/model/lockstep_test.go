package model

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/seq"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// ackDelay is how long an acknowledgment may wait, §3.8.6.3 MUST-40.
const ackDelay = 500 * clock.Millisecond

// A lockstep is a stack with one connection at most, and the model of it. Each
// method is one event for both; it returns how they differ.
type lockstep struct {
	s      *core.Stack
	m      *tcb
	tuple  tcp.Tuple
	now    clock.Instant
	user   int           // slot of the connection that the user holds, or -1
	listen int           // slot of the listener, or -1
	owed   clock.Instant // by when an acknowledgment has to go, or 0
	book   *book
	trace  []string
}

// newLockstep makes a stack of the profile that goes by the letter, with no limit
// on challenge ACKs and on resets.
func newLockstep(v6 bool, b *book) *lockstep {
	cfg, err := core.Profile("rfc9293")
	if err != nil {
		panic(err)
	}
	cfg.Secret[0] = 1
	cfg.MaxConns, cfg.MaxTimeWait = 2, 2
	cfg.ResetInterval = 0
	cfg.TCP.ChallengeInterval = 0
	cfg.TCP.ReceiveBuffer, cfg.TCP.ReceiveBufferMax = 2000, 2000
	s, err := core.New(cfg, packet.Link{MTU: 1500})
	if err != nil {
		panic(err)
	}
	local, remote, bits := "192.0.2.1", "192.0.2.2", uint8(24)
	if v6 {
		local, remote, bits = "2001:db8::1", "2001:db8::2", 64
	}
	l, err1 := wire.ParseAddr(local)
	r, err2 := wire.ParseAddr(remote)
	if err := errors.Join(err1, err2, s.AddAddr(wire.Prefix{Addr: l, Bits: bits})); err != nil {
		panic(err)
	}
	k := &lockstep{
		s: s, user: -1, listen: -1, book: b, now: clock.Instant(clock.Second),
		tuple: tcp.Tuple{Local: wire.AddrPort{Addr: l, Port: 80}, Remote: wire.AddrPort{Addr: r, Port: 4000}},
	}
	k.fresh()
	return k
}

// fresh gives the model a TCB that does not exist, or waits in LISTEN: the stack's
// listener repeats its OPEN by itself.
func (k *lockstep) fresh() {
	k.m = &tcb{Held: map[seq.Value]byte{}, Now: k.now, twoMSL: k.s.Config().TCP.TimeWait, book: k.book}
	if k.listen >= 0 {
		k.m.openPassive()
		k.m.Listening = true
	}
	k.owed = 0
}

// letGo gives a handle back that nothing can be done with any more.
func (k *lockstep) letGo() {
	if c := k.conn(); c != nil {
		_ = c.Close(k.now) // it may be closed already
	}
	k.user = -1
}

// clone is a lock-step with the same past.
func (k *lockstep) clone() *lockstep {
	c := *k
	c.s, c.m = k.s.Clone(), k.m.clone()
	c.trace = append([]string(nil), k.trace...)
	return &c
}

// conn is the connection that the user holds, or nil.
func (k *lockstep) conn() *core.Conn {
	if k.user < 0 {
		return nil
	}
	return k.s.Conn(k.user)
}

// state is the state of the connection as the stack has it.
func (k *lockstep) state() tcp.State {
	if c := k.s.Find(&k.tuple); c != nil && c.State() != tcp.Closed && c.State() != tcp.Listen {
		return c.State()
	}
	switch {
	case k.s.TimeWaits() > 0:
		return tcp.TimeWait
	case k.listen >= 0:
		return tcp.Listen
	}
	return tcp.Closed
}

// packet is s as it comes from the peer.
func (k *lockstep) packet(s segment) *packet.Packet {
	t := wire.TCP{
		SrcPort: k.tuple.Remote.Port, DstPort: k.tuple.Local.Port,
		Seq: s.SEQ, Ack: s.ACK, Flags: s.CTL, Window: uint16(s.WND), Urgent: s.UP,
	}
	ip := wire.IP{Src: k.tuple.Remote.Addr, Dst: k.tuple.Local.Addr, Protocol: wire.ProtocolTCP, TTL: 64, DontFragment: true}
	b := wire.AppendIP(nil, &ip, wire.TCPHeaderLen+len(s.Text))
	at := len(b)
	b = append(wire.AppendTCP(b, &t), s.Text...)
	wire.FinishTCP(b, &ip, at, false)
	return &packet.Packet{Bytes: b}
}

// drain takes what the stack sends.
func (k *lockstep) drain() (sent []segment) {
	var p packet.Packet
	for k.s.Output(k.now, &p) {
		var ip wire.IP
		var t wire.TCP
		if why := wire.ParseIP(p.Bytes, &ip); why != rule.NotDropped {
			panic("the stack sends no IP packet: " + why.String())
		}
		b := p.Bytes[ip.HeaderLen:ip.TotalLen]
		if why := wire.ParseTCP(b, &t); why != rule.NotDropped {
			panic("the stack sends no segment: " + why.String())
		}
		s := segment{SEQ: t.Seq, ACK: t.Ack, WND: seq.Size(t.Window), UP: t.Urgent, CTL: t.Flags, Text: bytes.Clone(b[t.HeaderLen:])}
		if !s.has(wire.ACK) {
			s.ACK = 0
		}
		k.note("  > " + k.show(s, k.m.ISS, k.m.IRS))
		sent = append(sent, s)
	}
	return sent
}

// step is one event: engine lets the stack see it and returns what a user call
// answered, model lets the model. It returns how they differ.
func (k *lockstep) step(what string, engine func() string, model func(m *tcb)) error {
	k.note(fmt.Sprintf("%v %s", k.now, what))
	answer := engine()
	sent := k.drain()
	before := k.m
	for _, s := range sent {
		if s.has(wire.SYN) {
			before.nextISS, before.nextWND = s.SEQ, s.WND
			break
		}
	}
	k.book.asked = [deviationCount]bool{}
	k.m = k.run(before, model)
	k.countUse(before, model)
	var found []string
	differ := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if answer != k.m.out.Error {
		differ("the call answers %q, the model %q", answer, k.m.out.Error)
	}
	if before.State == tcp.TimeWait && k.m.State == tcp.SynReceived {
		k.letGo() // of the connection that was before
	}
	k.checkSent(sent, differ)
	k.checkState(differ)
	k.checkUser(differ)
	if k.m.State == tcp.Closed || k.m.State == tcp.Listen {
		k.letGo()
		k.fresh()
	}
	if len(found) == 0 {
		return nil
	}
	return errors.New(strings.Join(found, "; "))
}

// run is what an event makes of the model.
func (k *lockstep) run(before *tcb, event func(m *tcb)) *tcb {
	m := before.clone()
	m.out, m.Now = outcome{}, k.now
	event(m)
	return m
}

// countUse finds out whether the deviations that the model has come by make a
// difference in this step.
func (k *lockstep) countUse(before *tcb, event func(m *tcb)) {
	asked := k.book.asked
	for d, yes := range asked {
		if yes {
			k.book.literal[d] = true
			if !reflect.DeepEqual(k.run(before, event), k.m) {
				k.book.used[d]++
			}
			k.book.literal[d] = false
		}
	}
}

// unread are the control bits of which §3.10 says nothing: when to push is the
// sender's business, and ECN is that of RFC 3168.
const unread = wire.PSH | wire.ECE | wire.CWR

// checkSent compares what the stack has sent with what the model asks for and
// allows.
func (k *lockstep) checkSent(sent []segment, differ func(string, ...any)) {
	m := k.m
	want, ack := m.out.Replies, m.out.ACK
	if m.out.Owed && k.owed == 0 {
		k.owed = k.now.Add(ackDelay)
	}
	for _, s := range sent {
		switch plain := s.CTL &^ unread; {
		case len(want) > 0 && plain == want[0].CTL && s.SEQ == want[0].SEQ && s.ACK == want[0].ACK && len(s.Text) == 0:
			want = want[1:]
		case s.LEN() == 0 && plain == wire.ACK:
			if m.probes(s) {
				break
			}
			if s.SEQ != m.ackSEQ() || s.ACK != m.RCV.NXT {
				differ("an ACK with wrong numbers: %s", k.show(s, m.ISS, m.IRS))
			} else if !ack && k.owed == 0 && !s.ACK.Add(s.WND).After(m.edge()) {
				differ("an ACK that nothing asked for: %s", k.show(s, m.ISS, m.IRS))
			}
			ack, k.owed = false, 0
		default:
			if wrong := m.sends(s); wrong != "" {
				differ("%s: %s", wrong, k.show(s, m.ISS, m.IRS))
			}
			ack, k.owed = false, 0
		}
		k.follow(s, differ)
	}
	for _, s := range want {
		differ("missing: %s", k.show(s, m.ISS, m.IRS))
	}
	if ack {
		differ("missing: an ACK of RCV.NXT")
	}
}

// follow tells the model of the window that a segment offers.
func (k *lockstep) follow(s segment, differ func(string, ...any)) {
	m := k.m
	switch {
	case s.has(wire.RST):
	case !s.has(wire.ACK):
		m.RCV.WND = s.WND
	case s.ACK == m.RCV.NXT:
		// SHLD-14: the right edge is not moved to the left.
		if s.ACK.Add(s.WND).Before(m.edge()) {
			differ("the window shrinks by %d", m.edge().From(s.ACK.Add(s.WND)))
		}
		m.RCV.WND = s.WND
	}
}

// checkState compares the state and, while there is a connection, its sequence
// variables.
func (k *lockstep) checkState(differ func(string, ...any)) {
	want := k.m.State
	if want == tcp.Closed && k.listen >= 0 {
		want = tcp.Listen // the listener goes on
	}
	if got := k.state(); got != want {
		differ("the state is %v, the model's %v", got, want)
		return
	}
	c := k.s.Find(&k.tuple)
	if c == nil || k.m.State == tcp.Closed || k.m.State == tcp.Listen {
		return
	}
	v, m := c.View(), k.m
	for _, x := range []struct {
		name      string
		got, want uint32
	}{
		{"SND.UNA", uint32(v.Send.UNA - m.ISS), uint32(m.SND.UNA - m.ISS)},
		{"SND.NXT", uint32(v.Send.NXT - m.ISS), uint32(m.SND.NXT - m.ISS)},
		{"SND.WND", uint32(v.Send.WND), uint32(m.SND.WND)},
		{"RCV.NXT", uint32(v.Receive.NXT - m.IRS), uint32(m.RCV.NXT - m.IRS)},
		{"RCV.WND", uint32(v.Receive.WND), uint32(m.RCV.WND)},
	} {
		if m.State == tcp.SynSent && strings.HasPrefix(x.name, "RCV") {
			continue // not set yet
		}
		if x.got != x.want {
			differ("%s is %d, the model's %d", x.name, x.got, x.want)
		}
	}
}

// checkUser compares what the user learns.
func (k *lockstep) checkUser(differ func(string, ...any)) {
	m := k.m
	var what core.ReadyMask
	acceptable := false
	for r, ok := k.s.NextReady(); ok; r, ok = k.s.NextReady() {
		if r.Listener != nil {
			acceptable = true
		} else if r.Conn.Slot() == k.user {
			what |= r.What
		}
	}
	told := m.out.Signals
	if m.Gone {
		if acceptable {
			differ("there is something to accept")
		}
		return
	}
	if m.Passive && k.user < 0 {
		if got, want := acceptable, told&established != 0; got != want {
			differ("there is something to accept: %v, in the model %v", got, want)
		}
		if !acceptable {
			return
		}
		c, err := k.s.Listener(k.listen).Accept(k.now)
		if err != nil {
			differ("accept: %v", err)
			return
		}
		k.user = c.Slot()
		if len(k.drain()) != 0 {
			differ("accept sends")
		}
		what = core.Connected // the rest its user looks up
		if c.UrgentLeft() > 0 {
			what |= core.Urgent
		}
		if len(m.out.Text) > 0 || told&closing != 0 {
			what |= core.Readable
		}
	}
	c := k.conn()
	if c == nil {
		return
	}
	if got, want := what&core.Connected != 0, told&established != 0; got != want {
		differ("the user is told of the connection: %v, by the model %v", got, want)
	}
	if got, want := what&core.Urgent != 0, told&urgentData != 0; got != want {
		differ("the user is told of urgent data: %v, by the model %v", got, want)
	}
	if (len(m.out.Text) > 0 && m.out.Error == "" && told != 0 || told&closing != 0) && what&core.Readable == 0 {
		differ("the user is not told that there is something to read")
	}
	if got, want := c.Readable(), len(m.Unread); m.State != tcp.Closed && (got == 0) != (want == 0) || got != want && !m.Urgent {
		differ("%d octets can be read, in the model %d", got, want)
	}
	if m.State == tcp.Closed {
		want := error(nil)
		switch {
		case told&reset != 0:
			want = tcp.ErrReset
		case told&refused != 0:
			want = tcp.ErrRefused
		case told&timedOut != 0:
			want = tcp.ErrTimeout
		}
		if c.Err() != want {
			differ("the user is told %v, by the model %v", c.Err(), want)
		}
	} else if c.Err() != nil {
		differ("the user is told %v", c.Err())
	}
}

// show writes a segment with numbers relative to where its sender began.
func (k *lockstep) show(s segment, mine, theirs seq.Value) string {
	t := fmt.Sprintf("%v %d(%d)", s.CTL, int32(s.SEQ-mine), len(s.Text))
	if s.has(wire.ACK) {
		t += fmt.Sprintf(" ack %d", int32(s.ACK-theirs))
	}
	if s.has(wire.URG) {
		t += fmt.Sprintf(" up %d", s.UP)
	}
	return t + fmt.Sprintf(" win %d", s.WND)
}

func (k *lockstep) note(line string) { k.trace = append(k.trace, line) }

// The events.

func (k *lockstep) arrive(s segment) error {
	return k.step("< "+k.show(s, k.m.IRS, k.m.ISS), func() string {
		k.s.Input(k.now, k.packet(s))
		return ""
	}, func(m *tcb) { m.arrives(s) })
}

func (k *lockstep) openPassive() error {
	return k.step("OPEN, passive", func() string {
		l, err := k.s.Listen(k.now, k.tuple.Local, core.ListenOptions{Backlog: 4})
		if err != nil {
			return err.Error()
		}
		k.listen = l.Slot()
		return ""
	}, (*tcb).openPassive)
}

func (k *lockstep) openActive() error {
	return k.step("OPEN, active", func() string {
		c, err := k.s.Dial(k.now, k.tuple.Local, k.tuple.Remote, nil)
		if err != nil {
			return err.Error()
		}
		k.user = c.Slot()
		return ""
	}, (*tcb).openActive)
}

// answer is what a call's error is called in §3.10.
func answer(err error) string {
	switch err {
	case nil:
		return ""
	case tcp.ErrWouldBlock:
		return errQueued
	case tcp.ErrEOF, tcp.ErrPipe, tcp.ErrClosing:
		return errClosing
	case tcp.ErrNotExist, tcp.ErrNotConnected:
		return errNone
	}
	return err.Error()
}

func (k *lockstep) send(b []byte) error {
	n := 0
	return k.step(fmt.Sprintf("SEND %d", len(b)), func() string {
		var err error
		n, err = k.conn().Write(k.now, b)
		return answer(err)
	}, func(m *tcb) { m.send(b[:n]) })
}

func (k *lockstep) receive(n int) error {
	var got []byte
	err := k.step(fmt.Sprintf("RECEIVE %d", n), func() string {
		b := make([]byte, n)
		for {
			// A Read does not cross the urgent mark, RFC 6093 §6.
			read, err := k.conn().Read(k.now, b[len(got):])
			got = b[:len(got)+read]
			if err != nil && len(got) > 0 || len(got) == n {
				return ""
			}
			if err != nil {
				return answer(err)
			}
		}
	}, func(m *tcb) { m.receive(n) })
	if err == nil && !bytes.Equal(got, k.m.out.Text) {
		err = fmt.Errorf("the user receives %q, in the model %q", got, k.m.out.Text)
	}
	return err
}

func (k *lockstep) close(both bool) error {
	what := "CLOSE"
	if both {
		what = "CLOSE, both ways"
	}
	return k.step(what, func() string {
		if both {
			c := k.conn()
			k.user = -1
			return answer(c.Close(k.now))
		}
		return answer(k.conn().CloseWrite(k.now))
	}, func(m *tcb) { m.close(both) })
}

func (k *lockstep) abort() error {
	return k.step("ABORT", func() string {
		k.conn().Abort(k.now)
		k.user = -1
		return ""
	}, (*tcb).abort)
}

// pass lets time pass, and the timeouts of §3.10.8 expire.
func (k *lockstep) pass(d clock.Duration) error {
	end := k.now.Add(d)
	for at := k.s.Deadline(); at <= end; at = k.s.Deadline() {
		k.now = max(k.now, at)
		err := k.step("a timer expires", func() string {
			k.s.Expire(k.now)
			return ""
		}, k.timeouts)
		if err != nil {
			return err
		}
		if err := k.late(); err != nil {
			return err
		}
	}
	k.now = end
	return k.late()
}

func (k *lockstep) late() error {
	if k.owed != 0 && k.now > k.owed {
		return errors.New("an acknowledgment was owed for half a second")
	}
	return nil
}

// timeouts is §3.10.8. Whether a timeout other than that of TIME-WAIT has expired is
// the engine's to say: it has given the connection up.
func (k *lockstep) timeouts(m *tcb) {
	m.timeWaitTimeout(k.now)
	if state := k.state(); state != tcp.Closed && state != tcp.Listen {
		return
	}
	if m.outstanding() {
		m.userTimeout()
	}
	m.finWait2Timeout()
}
