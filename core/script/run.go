package script

import (
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Config says how a script is run. What the script's options say goes before it.
type Config struct {
	// Core is the stack under test. The zero Config stands for the profile linux.
	Core core.Config

	// IPv6 runs the script over IPv6, with an MTU that is 20 larger, so that
	// segments are of the same size.
	IPv6 bool

	// A time may be off by Tolerance, or by so many thousandths of the time since
	// the event before, if that is more. No Tolerance stands for a millisecond.
	Tolerance         clock.Duration
	TolerancePerMille int64

	// Lenient is how packetdrill itself judges, for scripts that are written for
	// it: what comes from another connection or behind the last line passes, and
	// the echoes of timestamps are not compared.
	Lenient bool

	// StrictPush compares PSH on segments that were merged to be as long as the
	// script's, too. The option --strict_segments merges none.
	StrictPush bool
}

// Outcome is how a run ended.
type Outcome uint8

// The outcomes.
const (
	Passed Outcome = iota
	Failed
	Unsupported // the script asks for something that this runner does not do
)

func (o Outcome) String() string {
	switch o {
	case Passed:
		return "passed"
	case Failed:
		return "failed"
	case Unsupported:
		return "unsupported"
	}
	return "unknown"
}

// Result tells of a run.
type Result struct {
	Outcome Outcome
	Pos     Pos    // of the line that ended the run; zero if it passed
	Detail  string // why it ended: where, what was expected, what happened
	Ladder  string // the run so far, a line for each thing that happened
	Output  string // of print
}

// problem is what ends a run before its last line.
type problem struct {
	pos         Pos
	msg         string
	unsupported bool
}

// The origin of a run on the virtual clock. It is not zero, so that nothing
// takes "at the origin" for "never".
const origin = clock.Instant(1000 * clock.Second)

// How a run is kept finite.
const (
	maxSteps   = 1 << 20               // timers in one run
	maxInstant = 4096                  // calls of Expire that leave the clock where it is
	maxPackets = 1 << 16               // packets out at one instant
	grace      = 2 * clock.Second      // how long to look for a packet that is late
	longest    = 366 * 24 * clock.Hour // how long a * may wait
)

// sent is a packet that the stack has sent and no line has expected yet.
type sent struct {
	at    clock.Instant
	bytes []byte
	flow  *flow // nil: not of a connection that the script knows
}

type runner struct {
	script *Script
	cfg    Config
	core   core.Config
	stack  *core.Stack
	pkt    packet.Packet

	now   clock.Instant
	steps int

	local, remote           wire.Addr
	localPrefix             uint8
	bindPort, connectPort   uint16
	nextPort                uint16 // of the next passive connection, on the script's side
	tsTick                  clock.Duration
	echoScaled, strict, psh bool
	tolerance               clock.Duration
	perMille                int64
	mtu                     int
	quiet                   clock.Duration
	ignoreFailure           bool

	socks   []*socket // by the script's descriptor; nil where there is none
	flows   []*flow
	flow    *flow // the connection under test
	waiting []sent
	blocked *pendingCall
	scope   scope
	text    bool // the script has written something other than zeros

	rungs  []rung
	events []event.Event
	status []core.Status
}

// Run plays a script on a stack of its own. It does not change s, which may be
// run any number of times; the same script and Config give the same Result.
func Run(s *Script, cfg Config) Result {
	r := &runner{script: s, cfg: cfg, now: origin, scope: scope{vars: map[string]value{}}}
	p := r.run()
	res := Result{Ladder: r.ladder(), Output: string(r.scope.output)}
	if p == nil {
		return res
	}
	res.Outcome, res.Pos = Failed, p.pos
	if p.unsupported {
		res.Outcome = Unsupported
	}
	res.Detail = (&Error{Name: s.Name, Pos: p.pos, Msg: p.msg}).Error()
	if len(s.Title) > 0 {
		res.Detail += "\n  shows     " + strings.Join(s.Title, "\n            ")
	}
	return res
}

func (r *runner) run() *problem {
	if p := r.setup(); p != nil {
		return p
	}
	for i := range r.script.Events {
		e := &r.script.Events[i]
		if p := r.event(e); p != nil {
			if p.pos == (Pos{}) {
				p.pos = e.Pos
			}
			return p
		}
	}
	last := r.script.Events[len(r.script.Events)-1].Pos
	if p := r.finish(); p != nil {
		if p.pos == (Pos{}) {
			p.pos = last
		}
		return p
	}
	return nil
}

// finish is the judgement behind the last line: no call may still block, and
// the stack may have nothing more to say.
func (r *runner) finish() *problem {
	if r.quiet > 0 {
		if p := r.advance(r.now.Add(r.quiet)); p != nil {
			return p
		}
	}
	if b := r.blocked; b != nil {
		return &problem{pos: b.event.Pos, msg: "the call has not returned at the end of the script"}
	}
	if len(r.waiting) > 0 && !r.cfg.Lenient {
		return &problem{msg: "expected nothing more\n  actual    " + r.describe(&r.waiting[0])}
	}
	return nil
}

func unsupported(what string) *problem { return &problem{msg: what, unsupported: true} }

func failed(what string) *problem { return &problem{msg: what} }

// event waits for an event's time and does what it says.
func (r *runner) event(e *Event) *problem {
	if e.Packet != nil && !e.Packet.Inbound {
		return r.expect(e)
	}
	at, _ := r.when(&e.Time)
	tolerance := r.slack(at)
	if at.Add(tolerance).Before(r.now) {
		return failed("expected at " + seconds(at) + ", but the event before it ended at " + seconds(r.now))
	}
	if p := r.advance(at); p != nil {
		return p
	}
	if !r.cfg.Lenient && len(r.waiting) > 0 && r.waiting[0].at.Add(tolerance).Before(r.now) {
		return failed("expected no packet before this line\n  actual    " + r.describe(&r.waiting[0]))
	}
	switch {
	case e.Packet != nil:
		return r.inject(e.Packet)
	case e.Call != nil:
		return r.call(e)
	case e.Code != nil:
		return r.code(e.Code)
	default:
		return r.command(e.Command)
	}
}

// when is the time of an event: the same instant twice, or a range.
func (r *runner) when(t *Time) (lo, hi clock.Instant) {
	base := origin
	if t.Kind == Relative || t.Kind == RelativeRange {
		base = r.now
	}
	lo = base.Add(t.At)
	if t.Kind == AbsoluteRange || t.Kind == RelativeRange {
		return lo, base.Add(t.End)
	}
	return lo, lo
}

// slack is by how much an event may miss its time.
func (r *runner) slack(at clock.Instant) clock.Duration {
	return max(r.tolerance, at.Sub(r.now)/1000*clock.Duration(r.perMille))
}

// seconds is an instant as the script counts time.
func seconds(t clock.Instant) string {
	if t == clock.Never {
		return "never"
	}
	return string(appendFixed(nil, t.Sub(origin)))
}

// appendFixed appends a span in seconds, to the microsecond.
func appendFixed(b []byte, d clock.Duration) []byte {
	if d < 0 {
		b = append(b, '-')
		d = -d
	}
	b = strconv.AppendInt(b, int64(d/clock.Second), 10)
	b = append(b, '.')
	us := int64(d % clock.Second / clock.Microsecond)
	for unit := int64(100000); unit > 0; unit /= 10 {
		b = append(b, byte('0'+us/unit%10))
	}
	return b
}

// advance lets time pass up to an instant: each timer that falls due on the way
// is served at its own time.
func (r *runner) advance(to clock.Instant) *problem {
	for {
		next := r.stack.Deadline()
		if b := r.blocked; b != nil && b.wake.Before(next) {
			next = b.wake
		}
		if next == clock.Never || next.After(to) {
			break
		}
		if p := r.serve(next); p != nil {
			return p
		}
	}
	if r.now.Before(to) {
		r.now = to
	}
	return r.overdue()
}

// serve lets the timers of one instant fire.
func (r *runner) serve(at clock.Instant) *problem {
	if r.now.Before(at) {
		r.now = at
	}
	for n := 0; n == 0 || !r.stack.Deadline().After(r.now); n++ {
		r.stack.Expire(r.now)
		if r.steps++; r.steps > maxSteps || n > maxInstant {
			return failed("the stack keeps its timers busy without end")
		}
		if p := r.drain(); p != nil {
			return p
		}
	}
	return nil
}

// drain takes what the stack wants to send, and lets a call that waits go on.
func (r *runner) drain() *problem {
	for n := 0; ; n++ {
		r.note()
		for r.stack.Output(r.now, &r.pkt) {
			r.take(&r.pkt)
			r.note()
			if n++; n > maxPackets {
				return failed("the stack sends packets without end")
			}
		}
		for _, ok := r.stack.NextReady(); ok; _, ok = r.stack.NextReady() {
			// Who waits looks for itself.
		}
		r.note()
		if r.blocked == nil {
			return nil
		}
		progress, p := r.retry()
		if p != nil || !progress {
			return p
		}
	}
}

// overdue looks whether a call should have returned by now.
func (r *runner) overdue() *problem {
	b := r.blocked
	if b == nil || !b.due.Add(b.slack).Before(r.now) {
		return nil
	}
	return &problem{pos: b.event.Pos, msg: "expected the call to return at " + seconds(b.due) + "\n  actual    it still waits at " + seconds(r.now)}
}

// take notes a packet of the stack.
func (r *runner) take(p *packet.Packet) {
	s := sent{at: r.now, bytes: append([]byte(nil), p.Bytes...)}
	var h wire.IP
	var t wire.TCP
	var k Packet
	if _, bad := decode(s.bytes, &h, &k, &t); bad == "" && k.Kind == TCP {
		local, remote := wire.AddrPort{Addr: h.Src, Port: t.SrcPort}, wire.AddrPort{Addr: h.Dst, Port: t.DstPort}
		if s.flow = r.flowOf(local, remote); s.flow != nil {
			s.flow.learn(&t)
		}
	} else if bad == "" {
		s.flow = r.flow
	}
	r.waiting = append(r.waiting, s)
	r.climbPacket(&s)
}

// flowOf finds a connection by its addresses.
func (r *runner) flowOf(local, remote wire.AddrPort) *flow {
	for i := len(r.flows) - 1; i >= 0; i-- { // the newest of that name
		if f := r.flows[i]; f.local == local && f.remote == remote {
			return f
		}
	}
	return nil
}

// newFlow makes a connection known and puts it under test.
func (r *runner) newFlow(local, remote wire.AddrPort) *flow {
	f := &flow{local: local, remote: remote}
	r.flows = append(r.flows, f)
	r.flow = f
	return f
}

// flowFor is the connection that an inbound packet belongs to.
func (r *runner) flowFor(p *Packet) *flow {
	if p.Ports != nil {
		local := wire.AddrPort{Addr: r.local, Port: p.Ports.Dst}
		remote := wire.AddrPort{Addr: r.remote, Port: p.Ports.Src}
		f := r.flowOf(local, remote)
		if f == nil || opens(p) && !r.alive(f) {
			f = r.newFlow(local, remote)
		}
		r.flow = f
		return f
	}
	f := r.flow
	if f == nil || opens(p) && f.sock == nil && !r.alive(f) && r.listens() {
		r.nextPort++
		f = r.newFlow(wire.AddrPort{Addr: r.local, Port: r.bindPort}, wire.AddrPort{Addr: r.remote, Port: r.nextPort})
	}
	return f
}

// opens reports whether p is a SYN that asks for a new connection.
func opens(p *Packet) bool { return p.TCP != nil && p.TCP.Flags&(SYN|ACK|RST) == SYN }

// alive reports whether the stack still has a connection, TIME-WAIT counted.
func (r *runner) alive(f *flow) bool {
	s, ok := r.statusOf(f)
	return ok && s.State != tcp.Closed && s.State != tcp.Listen
}

// statusOf is what the stack tells of a connection. Of several that have had its
// addresses it is the last one that is not closed.
func (r *runner) statusOf(f *flow) (found core.Status, ok bool) {
	r.status = r.stack.AppendStatus(r.now, r.status[:0])
	for _, s := range r.status {
		if s.ID != 0 && s.Local == f.local && s.Remote == f.remote && (!ok || s.State != tcp.Closed) {
			found, ok = s, true
		}
	}
	return found, ok
}

// inject gives an inbound packet to the stack.
func (r *runner) inject(p *Packet) *problem {
	if len(p.Encap) > 0 || p.Tunnel != nil {
		return unsupported("an encapsulated packet is not supported")
	}
	f := r.flowFor(p)
	if s := p.TCP; s != nil {
		if !r.echoScaled && !f.knowsEcho(s) {
			return failed("the segment echoes a timestamp that no line has expected from the stack before")
		}
		f.sent(s)
	}
	b, why := f.inject(p)
	if why != "" {
		return unsupported(why)
	}
	in := packet.Packet{Bytes: b}
	r.climbInbound(f, p)
	r.stack.Input(r.now, &in)
	return r.drain()
}

// expect waits for an outbound packet and compares it.
func (r *runner) expect(e *Event) *problem {
	if len(e.Packet.Encap) > 0 || e.Packet.Tunnel != nil {
		return unsupported("an encapsulated packet is not supported")
	}
	if e.Packet.Kind == UDP {
		return unsupported("UDP is not supported")
	}
	lo, hi := r.when(&e.Time)
	slack := r.slack(hi)
	limit := hi.Add(slack).Add(grace)
	if e.Time.Kind == Any {
		lo, hi, limit = r.now, clock.Never, r.now.Add(longest)
	}
	var m match
	for !r.match(e.Packet, &m) {
		next := r.stack.Deadline()
		if b := r.blocked; b != nil && b.wake.Before(next) {
			next = b.wake
		}
		if next == clock.Never || next.After(limit) {
			at := ""
			if e.Time.Kind != Any {
				at = "  at " + seconds(lo)
			}
			why := "no packet"
			if next == clock.Never {
				why += ", and no timer runs that could send one"
			}
			return failed("expected  " + e.packetText() + at + "\n  actual    " + why)
		}
		if p := r.serve(next); p != nil {
			return p
		}
		if p := r.overdue(); p != nil {
			return p
		}
	}
	if len(m.differs) > 0 {
		return failed(r.sideBySide(e, &m, lo, hi))
	}
	if e.Time.Kind != Any && (m.at.Add(slack).Before(lo) || hi.Add(slack).Before(m.at)) {
		m.differs = append(m.differs, "the time, by more than "+string(appendFixed(nil, slack))+" s")
		return failed(r.sideBySide(e, &m, lo, hi))
	}
	return nil
}

// code runs a code block on the numbers of this moment.
func (r *runner) code(c *Code) *problem {
	r.snapshot()
	if f := r.scope.run(c.prog); f != nil {
		return &problem{pos: f.pos, msg: f.msg, unsupported: f.unsupported}
	}
	return nil
}
