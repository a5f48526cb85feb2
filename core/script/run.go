package script

import (
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
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

	// Options are obeyed behind the script's own, as if they came from a command
	// line.
	Options []Option

	// MaxQuiet bounds how long the option final_quiet may look for packets; zero
	// does not.
	MaxQuiet clock.Duration

	// Trace asks for the packets of the run.
	Trace bool

	// Hook is that of the stack under test, which has a Clone of it, and Hooks the
	// steps that it is called at. Without one it is nil.
	Hook  tcp.Hook
	Hooks tcp.HookMask

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
	Packets []Traced

	// Upstream is Detail in the words of packetdrill, where it has any: what the
	// comment "Failure:" of a script for it asks for.
	Upstream string
}

// Traced is a packet of a run.
type Traced struct {
	At      clock.Instant
	Inbound bool // the script has sent it
	Bytes   []byte
	Packet  *Packet // with the script's numbers; nil if it is not readable
}

// A Problem is what ends a run before its last line.
type Problem struct {
	pos         Pos
	msg         string
	upstream    string // packetdrill's words for it
	unsupported bool
}

// How long the judge waits.
const (
	grace   = 2 * clock.Second      // for a packet that is late
	longest = 366 * 24 * clock.Hour // for one that comes at any time
)

// sent is a packet that the stack has sent and no line has expected yet.
type sent struct {
	at    clock.Instant
	bytes []byte
	flow  *flow // nil: not of a connection that the script knows
}

// judge plays a script: it has the order of the events, their times, what is
// expected, and how the script's numbers map to those on the wire. What it
// judges is a system.
type judge struct {
	Place
	script *Script
	cfg    Config
	sys    System

	nextPort                uint16 // of the next passive connection, on the script's side
	tsTick                  clock.Duration
	echoScaled, strict, psh bool
	perMille                int64
	quiet                   clock.Duration

	wantsISN, hasISN    bool // --isn; the stack's first SYN has gone out
	wantedISN, firstISN uint32

	flows []*flow
	flow  *flow // the connection under test

	foreign   bool // the script is for FreeBSD
	started   bool
	dry       bool     // --dry_run: the script is only read
	nonFatal  string   // --non_fatal: the kinds of events that may fail
	broken    *Problem // the first assert that did not hold
	listensAt uint16   // the port of the last listener; 0: there was none
	waiting   []sent
	blocked   *PendingCall
	scope     scope
	text      bool // the script has written something other than zeros

	base  clock.Instant // what relative times count from: when the event before happened
	rungs []rung
	trace []Traced
	rule  string // what ruled last, and the text of its rule
}

// Run plays a script on a stack of its own. It does not change s, which may be
// run any number of times; the same script and Config give the same Result.
func Run(s *Script, cfg Config) Result {
	j, p := play(s, cfg, 0)
	if j.wantsISN && j.hasISN {
		// Where the first connection begins is known only now: once more, so that it
		// begins where the script wants it.
		j, p = play(s, cfg, j.wantedISN-j.firstISN)
	}
	return j.result(p)
}

// RunOn plays a script on another system.
func RunOn(sys System, s *Script, cfg Config) Result {
	j := newJudge(sys, s, cfg)
	return j.result(j.run())
}

func newJudge(sys System, s *Script, cfg Config) *judge {
	return &judge{script: s, cfg: cfg, sys: sys, base: Origin, scope: scope{vars: map[string]value{}}}
}

// result is what the judge says of a run that p ended.
func (j *judge) result(p *Problem) Result {
	s := j.script
	res := Result{Ladder: j.ladder(), Output: string(j.scope.output), Packets: j.trace}
	if p == nil {
		return res
	}
	res.Outcome, res.Pos, res.Upstream = Failed, p.pos, p.upstream
	if p.unsupported {
		res.Outcome = Unsupported
	}
	res.Detail = (&Error{Name: s.Name, Pos: p.pos, Msg: p.msg}).Error()
	if res.Outcome == Failed && j.flow != nil {
		res.Detail += "\n  states    " + j.states()
	}
	if res.Outcome == Failed && j.rule != "" {
		res.Detail += "\n  rule      " + j.rule
	}
	if len(s.Title) > 0 {
		res.Detail += "\n  shows     " + strings.Join(s.Title, "\n            ")
	}
	return res
}

// play runs a script once, with initial sequence numbers that are larger by
// shift than they would be.
func play(s *Script, cfg Config, shift uint32) (*judge, *Problem) {
	sys := newRunner(cfg.Core)
	sys.isnShift = shift
	sys.hook, sys.hooks = cfg.Hook, cfg.Hooks
	j := newJudge(sys, s, cfg)
	return j, j.run()
}

func (j *judge) run() *Problem {
	if p := j.setup(); p != nil {
		return p
	}
	j.started = true
	if j.dry {
		return nil
	}
	p := j.events()
	// Code blocks are one program that runs behind the last event: the first assert
	// that does not hold fails the script, whatever has failed since.
	if j.broken != nil && (p == nil || !p.unsupported) {
		return j.broken
	}
	return p
}

func (j *judge) events() *Problem {
	for i := range j.script.Events {
		e := &j.script.Events[i]
		p := j.event(e)
		if p == nil || !p.unsupported && j.passesOver(e) {
			continue
		}
		if p.pos == (Pos{}) {
			p.pos = e.Pos
		}
		return p
	}
	p := j.finish()
	if p != nil && p.pos == (Pos{}) {
		p.pos = j.script.Events[len(j.script.Events)-1].Pos
	}
	return p
}

// passesOver reports whether the failure of an event is none, by --non_fatal.
func (j *judge) passesOver(e *Event) bool {
	return e.Packet != nil && strings.Contains(j.nonFatal, "packet") || e.Call != nil && strings.Contains(j.nonFatal, "syscall")
}

// finish is the judgement behind the last line: no call may still block, and
// the stack may have nothing more to say.
func (j *judge) finish() *Problem {
	if j.cfg.MaxQuiet > 0 {
		j.quiet = min(j.quiet, j.cfg.MaxQuiet)
	}
	if wait := max(j.quiet, j.sys.Lag()); wait > 0 {
		if p := j.advance(j.sys.Now().Add(wait)); p != nil {
			return p
		}
	}
	if b := j.blocked; b != nil {
		return &Problem{pos: b.event.Pos, msg: "the call has not returned at the end of the script"}
	}
	if len(j.waiting) > 0 && !j.cfg.Lenient {
		return &Problem{msg: "expected nothing more\n  actual    " + j.describe(&j.waiting[0])}
	}
	return nil
}

func unsupported(what string) *Problem { return &Problem{msg: what, unsupported: true} }

func failed(what string) *Problem { return &Problem{msg: what} }

// event waits for an event's time and does what it says.
func (j *judge) event(e *Event) *Problem {
	e = j.withCookies(e)
	if e.Packet != nil && !e.Packet.Inbound {
		return j.expect(e)
	}
	at, _ := j.when(&e.Time)
	tolerance := j.slack(at)
	if at.Add(tolerance).Before(j.sys.Now()) {
		return failed("expected at " + seconds(at) + ", but the event before it ended at " + seconds(j.sys.Now()))
	}
	if p := j.advance(at); p != nil {
		return p
	}
	j.base = j.sys.Now()
	if !j.cfg.Lenient && len(j.waiting) > 0 && j.waiting[0].at.Add(tolerance).Before(j.sys.Now()) {
		return failed("expected no packet before this line\n  actual    " + j.describe(&j.waiting[0]))
	}
	switch {
	case e.Packet != nil:
		return j.inject(e.Packet)
	case e.Call != nil:
		return j.call(e)
	case e.Code != nil:
		return j.code(e.Code)
	default:
		return j.command(e.Command)
	}
}

// when is the time of an event: the same instant twice, or a range.
func (j *judge) when(t *Time) (lo, hi clock.Instant) {
	base := Origin
	if t.Kind == Relative || t.Kind == RelativeRange {
		base = j.base
	}
	lo = base.Add(t.At)
	if t.Kind == AbsoluteRange || t.Kind == RelativeRange {
		return lo, base.Add(t.End)
	}
	return lo, lo
}

// slack is by how much an event may miss its time.
func (j *judge) slack(at clock.Instant) clock.Duration {
	return max(j.tolerance, at.Sub(j.base)/1000*clock.Duration(j.perMille))
}

// seconds is an instant as the script counts time.
func seconds(t clock.Instant) string {
	if t == clock.Never {
		return "never"
	}
	return string(appendFixed(nil, t.Sub(Origin)))
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

// advance lets time pass up to an instant.
func (j *judge) advance(to clock.Instant) *Problem {
	for {
		more, p := j.sys.Wait(to)
		if p != nil {
			return p
		}
		if !more {
			return j.overdue()
		}
	}
}

// overdue looks whether a call should have returned by now.
func (j *judge) overdue() *Problem {
	b := j.blocked
	if b == nil || !b.due.Add(b.slack).Before(j.sys.Now()) {
		return nil
	}
	return &Problem{pos: b.event.Pos, msg: "expected the call to return at " + seconds(b.due) + "\n  actual    it still waits at " + seconds(j.sys.Now())}
}

// Sent implements Judge: it notes a packet that the system has sent.
func (j *judge) Sent(at clock.Instant, b []byte) {
	s := sent{at: at, bytes: append([]byte(nil), b...)}
	var h wire.IP
	var t wire.TCP
	var k Packet
	if payload, bad := decode(s.bytes, &h, &k, &t); bad == "" && k.Kind == TCP {
		local, remote := wire.AddrPort{Addr: h.Src, Port: t.SrcPort}, wire.AddrPort{Addr: h.Dst, Port: t.DstPort}
		if s.flow = j.flowOf(local, remote); s.flow != nil {
			s.flow.learn(&t)
			if !j.hasISN && s.flow.ours.known {
				j.hasISN, j.firstISN = true, s.flow.ours.isn
			}
			s.flow.peer.receives(&t, len(payload))
		}
	} else if bad == "" {
		s.flow = j.flow
	}
	if j.cfg.Trace {
		j.trace = append(j.trace, Traced{at, false, s.bytes, j.packetOf(&s)})
	}
	j.waiting = append(j.waiting, s)
	j.climbPacket(&s)
}

// flowOf finds a connection by its addresses.
func (j *judge) flowOf(local, remote wire.AddrPort) *flow {
	for i := len(j.flows) - 1; i >= 0; i-- { // the newest of that name
		if f := j.flows[i]; f.local == local && f.remote == remote {
			return f
		}
	}
	return nil
}

// newFlow makes a connection known and puts it under test.
func (j *judge) newFlow(local, remote wire.AddrPort) *flow {
	f := &flow{local: local, remote: remote}
	j.flows = append(j.flows, f)
	j.flow = f
	return f
}

// Connects implements Judge.
func (j *judge) Connects(local, remote wire.AddrPort) { j.newFlow(local, remote) }

// Accepted implements Judge.
func (j *judge) Accepted(local, remote wire.AddrPort) {
	if j.flow = j.flowOf(local, remote); j.flow == nil {
		j.newFlow(local, remote)
	}
}

// Listening implements Judge.
func (j *judge) Listening(local wire.AddrPort) { j.flow, j.listensAt = nil, local.Port }

// flowFor is the connection that an inbound packet belongs to.
func (j *judge) flowFor(p *Packet) *flow {
	if p.Ports != nil {
		local := wire.AddrPort{Addr: j.local, Port: p.Ports.Dst}
		remote := wire.AddrPort{Addr: j.remote, Port: p.Ports.Src}
		f := j.flowOf(local, remote)
		if f == nil || opens(p) && !j.alive(f) {
			f = j.newFlow(local, remote)
		}
		j.flow = f
		return f
	}
	f := j.flow
	local := wire.AddrPort{Addr: j.local, Port: j.bindPort}
	if j.listensAt != 0 {
		local.Port = j.listensAt
	}
	if f == nil || opens(p) && !j.held(f) && !j.alive(f) && j.sys.Listens(local) {
		j.nextPort++
		f = j.newFlow(local, wire.AddrPort{Addr: j.remote, Port: j.nextPort})
	}
	return f
}

// opens reports whether p is a SYN that asks for a new connection.
func opens(p *Packet) bool { return p.TCP != nil && p.TCP.Flags&(SYN|ACK|RST) == SYN }

// held reports whether a descriptor of the script holds a connection.
func (j *judge) held(f *flow) bool {
	_, held := j.sys.State(f.local, f.remote)
	return held
}

// alive reports whether the system still has a connection, TIME-WAIT counted.
func (j *judge) alive(f *flow) bool {
	s, _ := j.sys.State(f.local, f.remote)
	return s != tcp.Closed && s != tcp.Listen
}

// inject gives an inbound packet to the system.
func (j *judge) inject(p *Packet) *Problem {
	if len(p.Encap) > 0 || p.Tunnel != nil {
		return unsupported("an encapsulated packet is not supported")
	}
	f := j.flowFor(p)
	if s := p.TCP; s != nil {
		if !j.echoScaled && !f.knowsEcho(s) {
			return failed("the segment echoes a timestamp that no line has expected from the stack before")
		}
		f.sent(s)
	}
	b, why := f.inject(p)
	if why != "" {
		return unsupported(why)
	}
	f.peerSends(b)
	if j.cfg.Trace {
		j.trace = append(j.trace, Traced{j.sys.Now(), true, b, p})
	}
	j.climbInbound(p)
	return j.sys.Inject(b)
}

// expect waits for an outbound packet and compares it.
func (j *judge) expect(e *Event) *Problem {
	if len(e.Packet.Encap) > 0 || e.Packet.Tunnel != nil {
		return unsupported("an encapsulated packet is not supported")
	}
	if e.Packet.Kind == UDP {
		return unsupported("UDP is not supported")
	}
	lo, hi := j.when(&e.Time)
	slack := j.slack(hi)
	limit := hi.Add(slack).Add(grace)
	if e.Time.Kind == Any {
		lo, hi, limit = j.sys.Now(), clock.Never, j.sys.Now().Add(longest)
	}
	var m match
	for !j.match(e.Packet, &m) {
		more, p := j.sys.Wait(limit)
		if p != nil {
			return p
		}
		if !more {
			at := ""
			if e.Time.Kind != Any {
				at = "  at " + seconds(lo)
			}
			why := "no packet"
			if j.sys.Idle() {
				why += ", and no timer runs that could send one"
			}
			p := failed("expected  " + e.packetText() + at + "\n  actual    " + why)
			p.upstream = "error handling packet: timed out waiting for packet"
			return p
		}
		if p := j.overdue(); p != nil {
			return p
		}
	}
	j.base = m.at
	if len(m.differs) > 0 {
		p := failed(j.sideBySide(e, &m, lo, hi))
		p.upstream = fieldWords(e.Packet, &m)
		return p
	}
	if e.Time.Kind != Any && (m.at.Add(slack).Before(lo) || hi.Add(slack).Before(m.at)) {
		m.differs = append(m.differs, "the time, by more than "+string(appendFixed(nil, slack))+" s")
		p := failed(j.sideBySide(e, &m, lo, hi))
		p.upstream = timeWords(lo, hi, m.at, slack)
		return p
	}
	return nil
}

// code runs a code block on the numbers of this moment. What it asserts is told when
// the script is over.
func (j *judge) code(c *Code) *Problem {
	if j.broken != nil {
		return nil
	}
	if f := j.flow; f != nil {
		j.sys.Snapshot(f.local, f.remote, func(name string, v uint64) { j.scope.vars[name] = intValue(int64(min(v, 1<<62))) })
	}
	f := j.scope.run(c.prog)
	if f == nil {
		return nil
	}
	p := &Problem{pos: f.pos, msg: f.msg, unsupported: f.unsupported, upstream: "AssertionError"}
	if p.unsupported {
		return p
	}
	j.climb("        * " + f.msg)
	j.broken = p
	return nil
}
