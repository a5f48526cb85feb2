package cctest

import (
	"errors"
	"fmt"
	"math/rand"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
)

// MSS is the segment size of the tests.
const MSS = 1460

// Traits is what Run cannot know about a controller.
type Traits struct {
	// Keep is the share of the flight, in thousandths, that becomes Ssthresh
	// on a loss. 0 leaves it to the controller, up to 900.
	Keep uint32
}

// T is what a test needs of *testing.T.
type T interface {
	require.TestingT
	Helper()
}

// A test is for all controllers, or for those alone that go by RFC 5681: whose
// window in recovery is not their own.
var tests = []struct {
	name    string
	rfc5681 bool
	run     func(T, cc.Controller, Traits)
}{
	{"Init", false, testInit},
	{"SlowStart", true, testSlowStart},
	{"ByteCounting", true, testByteCounting},
	{"NoGrowth", true, testNoGrowth},
	{"Avoidance", true, testAvoidance},
	{"Loss", true, testLoss},
	{"Timeout", true, testTimeout},
	{"ECN", true, testECN},
	{"Undo", true, testUndo},
	{"Idle", true, testIdle},
	{"Reports", false, testReports},
	{"Random", false, testRandom},
	{"Repeats", false, testRepeats},
	{"Allocations", false, testAllocations},
}

// Run puts c through all tests that are for it.
func Run(t *testing.T, c cc.Controller, traits Traits) {
	for _, test := range tests {
		if applies(c, test.rfc5681) {
			t.Run(test.name, func(t *testing.T) { test.run(t, c, traits) })
		}
	}
}

func applies(c cc.Controller, rfc5681 bool) bool { return !rfc5681 || !c.Wants().Has(cc.OwnsWindow) }

// Failures returns the names of the tests that c does not pass, and for each what
// was wrong.
func Failures(c cc.Controller, traits Traits) map[string]string {
	found := map[string]string{}
	for _, test := range tests {
		if applies(c, test.rfc5681) {
			if what := failure(func(t T) { test.run(t, c, traits) }); what != "" {
				found[test.name] = what
			}
		}
	}
	return found
}

// notes is a T that keeps the first failure.
type notes struct{ what string }

func (n *notes) Helper()  {}
func (n *notes) FailNow() { panic(n) }
func (n *notes) Errorf(format string, args ...any) {
	n.what = fmt.Sprintf(format, args...)
}

func failure(run func(T)) (what string) {
	var n notes
	defer func() {
		if r := recover(); r != nil && r != &n {
			what = fmt.Sprint("panic: ", r)
		}
	}()
	defer func() { what = n.what }()
	run(&n)
	return ""
}

// Flow is one connection that always has data to send, over a path of fixed RTT.
type Flow struct {
	cc.State
	Controller cc.Controller
	Now        clock.Instant
	RTT        clock.Duration
	PerAck     uint32 // segments that one ACK covers
	Total      uint64 // octets acknowledged
}

// NewFlow starts a flow with an initial window of ten segments, RFC 6928 §2, an
// RTT of 100 ms and an ACK for each segment.
func NewFlow(c cc.Controller) *Flow {
	f := &Flow{Controller: c, RTT: 100 * clock.Millisecond, PerAck: 1}
	f.State = cc.NewState(c, 10*MSS, MSS, 0)
	c.Init(&f.State, f.Now)
	return f
}

// Ack returns an ACK of n octets, now, that may grow the window.
func (f *Flow) Ack(n uint32) cc.Ack {
	f.Total += uint64(n)
	return cc.Ack{
		Now: f.Now, Acked: n, InFlight: f.Cwnd, RTT: f.RTT, SRTT: f.RTT, MinRTT: f.RTT, CwndLimited: true,
		Delivered: uint64(f.Cwnd), Interval: f.RTT, Total: f.Total,
	}
}

// Round takes one round trip, in which one Cwnd is acknowledged at an even pace.
func (f *Flow) Round() {
	segments := max(f.Cwnd/f.MSS, 1)
	start := f.Now
	for sent := uint32(0); sent < segments; {
		n := min(f.PerAck, segments-sent)
		sent += n
		f.Now = start.Add(f.RTT * clock.Duration(sent) / clock.Duration(segments))
		ack := f.Ack(n * f.MSS)
		ack.Round = sent == n
		f.Controller.OnAck(&f.State, &ack)
	}
}

// Clone copies the flow.
func (f *Flow) Clone() *Flow {
	g := *f
	g.State = f.State.Clone()
	return &g
}

// Lose takes a loss in a full window, and the recovery from it.
func (f *Flow) Lose() {
	f.Controller.OnLoss(&f.State, f.Now, f.Cwnd)
	f.Now = f.Now.Add(f.RTT)
	f.Cwnd = f.Ssthresh
	f.Controller.OnRecoveryExit(&f.State, f.Now)
}

// avoiding returns a flow in congestion avoidance after a loss at segments.
func avoiding(c cc.Controller, segments uint32) *Flow {
	f := NewFlow(c)
	f.Cwnd = segments * MSS
	f.Lose()
	f.Round()
	return f
}

func testInit(t T, c cc.Controller, _ Traits) {
	require.NotEmpty(t, c.Name())
	f := NewFlow(c)
	require.Equal(t, uint32(10*MSS), f.Cwnd, "the initial window is the connection's choice")
	require.False(t, f.Failed)
	require.Greater(t, f.Ssthresh, uint32(65535*64), "RFC 5681 §3.1: ssthresh starts high")
	dirty := cc.NewState(c, 10*MSS, MSS, 0)
	dirty.Ssthresh = 7
	if dirty.More == nil {
		dirty.Priv = [8]uint64{1, 2, 3, 4, 5, 6, 7, 8}
	}
	c.Init(&dirty, 0)
	require.Equal(t, f.State, dirty, "nothing of an earlier connection stays")
}

func testSlowStart(t T, c cc.Controller, _ Traits) {
	for _, perAck := range []uint32{1, 2, 3} {
		for _, limit := range []uint32{0, MSS, 2 * MSS} {
			f := NewFlow(c)
			f.PerAck, f.Limit = perAck, limit
			for range 6 {
				before := f.Cwnd
				f.Round()
				require.LessOrEqual(t, f.Cwnd, 2*before, "RFC 3465 §2.4: at most double in a round trip")
				require.GreaterOrEqual(t, f.Cwnd, before+before/4, "it grows fast, with L=1 and delayed ACKs too")
				if limit == 0 || perAck == 1 {
					require.Equal(t, 2*before, f.Cwnd, "with nothing in the way it doubles")
				}
			}
			f.Limit = min(f.Limit, MSS)
			before := f.Cwnd
			ack := f.Ack(9 * MSS)
			c.OnAck(&f.State, &ack)
			if limit != 0 {
				require.LessOrEqual(t, f.Cwnd, before+MSS, "RFC 3465 §2.2: at most L by one ACK")
			}
		}
	}
}

func testByteCounting(t T, c cc.Controller, _ Traits) {
	divide := func(f *Flow) uint32 {
		before := f.Cwnd
		for range MSS {
			ack := f.Ack(1)
			c.OnAck(&f.State, &ack)
		}
		return f.Cwnd - before
	}
	require.LessOrEqual(t, divide(NewFlow(c)), uint32(MSS), "RFC 3465 §3.3: ACK division gains nothing in slow start")
	require.LessOrEqual(t, divide(avoiding(c, 20)), uint32(MSS), "nor in congestion avoidance")
	f := NewFlow(c)
	before := f.Cwnd
	for range 1000 {
		ack := f.Ack(0)
		c.OnAck(&f.State, &ack)
	}
	require.Equal(t, before, f.Cwnd, "RFC 5681 §3.1: an ACK of nothing new grows nothing")
}

func testNoGrowth(t T, c cc.Controller, _ Traits) {
	for name, f := range map[string]*Flow{"slow start": NewFlow(c), "avoidance": avoiding(c, 40)} {
		for why, spoil := range map[string]func(*cc.Ack){
			"RFC 9438 §5.8: an unused window does not grow": func(a *cc.Ack) { a.CwndLimited, a.AppLimited, a.InFlight = false, true, MSS },
			"RFC 5681 §3.2: recovery has its own window":    func(a *cc.Ack) { a.InRecovery = true },
			"RFC 3168 §6.1.2: ECN-Echo":                     func(a *cc.Ack) { a.ECE = true },
		} {
			before := f.Cwnd
			for range 200 {
				f.Now = f.Now.Add(10 * clock.Millisecond)
				ack := f.Ack(MSS)
				spoil(&ack)
				c.OnAck(&f.State, &ack)
			}
			require.Equal(t, before, f.Cwnd, "%s: %s", name, why)
		}
	}
}

func testAvoidance(t T, c cc.Controller, _ Traits) {
	for _, segments := range []uint32{4, 20, 100, 1000} {
		f := avoiding(c, segments)
		start := f.Cwnd
		for range 100 {
			before := f.Cwnd
			f.Round()
			require.GreaterOrEqual(t, f.Cwnd, before, "an ACK never shrinks the window")
			require.LessOrEqual(t, f.Cwnd, before+before/2+before/4+MSS, "beyond ssthresh the window grows slower than in slow start")
		}
		require.Greater(t, f.Cwnd, start, "it looks for more")
	}
}

func testLoss(t T, c cc.Controller, traits Traits) {
	for _, flight := range []uint32{0, 1, MSS, 3 * MSS, 10 * MSS, 50 * MSS, 99*MSS + 7, 100 * MSS} {
		f := NewFlow(c)
		f.Cwnd = 100 * MSS
		c.OnLoss(&f.State, f.Now, flight)
		require.Equal(t, uint32(100*MSS), f.Cwnd, "the window in recovery is the connection's")
		checkKept(t, f.Ssthresh, flight, traits)
	}
	f := NewFlow(c)
	c.OnLoss(&f.State, f.Now, f.Cwnd+2*MSS)
	want := f.Ssthresh
	f = NewFlow(c)
	c.OnLoss(&f.State, f.Now, f.Cwnd)
	require.Equal(t, f.Ssthresh, want, "RFC 5681 §3.2 step 2: what limited transmit sent is not counted")
}

func checkKept(t T, ssthresh, flight uint32, traits Traits) {
	t.Helper()
	require.GreaterOrEqual(t, ssthresh, uint32(2*MSS), "RFC 5681 §3.1 (4): ssthresh >= 2 MSS")
	keep := traits.Keep
	if keep == 0 {
		keep = 900
	}
	want := max(flight*keep/1000, 2*MSS)
	require.LessOrEqual(t, ssthresh, want, "RFC 5681 §3.1 (4): a share of the flight of %d, not of the window", flight)
	if traits.Keep != 0 {
		require.GreaterOrEqual(t, ssthresh, want-1, "no less of the flight of %d than this algorithm keeps", flight)
	}
}

func testTimeout(t T, c cc.Controller, traits Traits) {
	f := NewFlow(c)
	f.Cwnd, f.Limit = 100*MSS, 2*MSS
	c.OnRTO(&f.State, f.Now, 80*MSS)
	checkKept(t, f.Ssthresh, 80*MSS, traits)
	f.Cwnd = MSS
	once := f.Ssthresh
	c.OnRTO(&f.State, f.Now.Add(clock.Second), MSS)
	require.Equal(t, once, f.Ssthresh, "RFC 5681 §3.1: a second timeout of the same segment holds ssthresh")

	f.Now = f.Now.Add(2 * clock.Second)
	ack := f.Ack(20 * MSS)
	c.OnAck(&f.State, &ack)
	require.LessOrEqual(t, f.Cwnd, uint32(2*MSS), "RFC 3465 §2.3: after a timeout L is one MSS")
	for rounds := 0; f.Cwnd < f.Ssthresh; rounds++ {
		require.Less(t, rounds, 20, "slow start leads back to ssthresh")
		f.Round()
	}
	require.LessOrEqual(t, f.Cwnd, once+once/8+MSS, "and ends there")
	c.OnRTO(&f.State, f.Now, 10*MSS)
	require.Less(t, f.Ssthresh, once, "a timeout of another segment reduces")
}

func testECN(t T, c cc.Controller, traits Traits) {
	f := NewFlow(c)
	f.Cwnd = 100 * MSS
	c.OnECN(&f.State, f.Now, 50*MSS)
	checkKept(t, f.Ssthresh, 50*MSS, traits)
	require.LessOrEqual(t, f.Cwnd, f.Ssthresh, "RFC 3168 §6.1.2: the window falls at once")
	before := f.Cwnd
	c.Undo(&f.State, f.Now)
	require.Equal(t, before, f.Cwnd, "a mark is never spurious")
}

func testUndo(t T, c cc.Controller, _ Traits) {
	shrink := map[string]func(*Flow){
		"loss": func(f *Flow) { c.OnLoss(&f.State, f.Now, f.Cwnd); f.Cwnd = f.Ssthresh },
		"RTO":  func(f *Flow) { c.OnRTO(&f.State, f.Now, f.Cwnd); f.Cwnd = MSS },
		"two RTOs": func(f *Flow) {
			c.OnRTO(&f.State, f.Now, f.Cwnd)
			f.Cwnd = MSS
			c.OnRTO(&f.State, f.Now, f.Cwnd)
		},
	}
	for name, event := range shrink {
		for _, warm := range []bool{false, true} {
			f := NewFlow(c)
			if warm {
				f = avoiding(c, 200)
			}
			straight := f.Clone()
			event(f)
			require.Less(t, f.Ssthresh, straight.Ssthresh, name)
			c.Undo(&f.State, f.Now)
			require.Equal(t, straight.Cwnd, f.Cwnd, "%s: cwnd is back", name)
			require.Equal(t, straight.Ssthresh, f.Ssthresh, "%s: ssthresh is back", name)
			for range 8 {
				straight.Round()
				f.Round()
			}
			require.InEpsilon(t, straight.Cwnd, f.Cwnd, 0.02, "%s: it goes on as if nothing had been", name)
			at := f.Cwnd
			c.Undo(&f.State, f.Now)
			require.Equal(t, at, f.Cwnd, "%s: there is nothing more to undo", name)
		}
	}
}

func testIdle(t T, c cc.Controller, _ Traits) {
	f := avoiding(c, 200)
	before := f.State
	c.OnIdle(&f.State, f.Now.Add(clock.Second), clock.Second, clock.Second)
	require.Equal(t, before.Cwnd, f.Cwnd, "RFC 5681 §4.1: an idle time up to the RTO changes nothing")
	f.Now = f.Now.Add(clock.Hour)
	c.OnIdle(&f.State, f.Now, clock.Hour, clock.Second)
	require.LessOrEqual(t, f.Cwnd, uint32(10*MSS), "RFC 5681 §4.1: no more than the restart window")
	require.GreaterOrEqual(t, f.Ssthresh, before.Ssthresh, "idleness is no congestion")
	f.Cwnd = 3 * MSS
	c.OnIdle(&f.State, f.Now, clock.Hour, clock.Second)
	require.Equal(t, uint32(3*MSS), f.Cwnd, "RFC 5681 §4.1: min(IW, cwnd)")
}

// What a controller is told beyond ACKs and congestion changes nothing that the
// connection keeps, and the last call leaves nothing to be done.
func testReports(t T, c cc.Controller, _ Traits) {
	f := NewFlow(c)
	for range 20 {
		f.Round()
		if !c.Wants().Has(cc.WantsReport | cc.WantsSent) {
			continue
		}
		before := f.Clone()
		c.OnReport(&f.State, &cc.Report{
			Now: f.Now, Since: f.Now.Add(-f.RTT), Acks: 10, Acked: uint64(f.Cwnd), MinRTT: f.RTT, MaxRTT: f.RTT, SRTT: f.RTT,
			InFlight: f.Cwnd, Delivered: uint64(f.Cwnd), Interval: f.RTT,
		})
		require.NoError(t, check("OnReport", &before.State, &f.State))
		c.OnSent(&f.State, &cc.Sent{Now: f.Now, Octets: f.MSS, InFlight: f.Cwnd})
		require.NoError(t, check("OnSent", &before.State, &f.State))
	}
	c.OnRelease(&f.State, f.Now)
	require.False(t, f.Failed)
}

func testRandom(t T, c cc.Controller, _ Traits) {
	for seed := range int64(200) {
		calls := make([]byte, 800)
		rand.New(rand.NewSource(seed)).Read(calls)
		_, err := Drive(c, calls)
		require.NoError(t, err, "seed %d", seed)
	}
}

func testRepeats(t T, c cc.Controller, _ Traits) {
	calls := make([]byte, 4000)
	rand.New(rand.NewSource(1)).Read(calls)
	first, err := Drive(c, calls)
	require.NoError(t, err)
	_, err = Drive(c, calls[1:])
	require.NoError(t, err)
	second, err := Drive(c, calls)
	require.NoError(t, err)
	require.Equal(t, first, second, "a controller has no memory of its own")
}

func testAllocations(t T, c cc.Controller, _ Traits) {
	f := avoiding(c, 100)
	ack := f.Ack(MSS)
	report, sent := cc.Report{Now: f.Now, Acks: 1, Acked: MSS, Delivered: MSS, Interval: f.RTT}, cc.Sent{Now: f.Now, Octets: MSS}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if c.Wants() != 0 {
			c.OnSent(&f.State, &sent)
			c.OnReport(&f.State, &report)
			c.OnTimer(&f.State, ack.Now)
		}
		ack.Now = ack.Now.Add(clock.Millisecond)
		c.OnAck(&f.State, &ack)
		c.OnLoss(&f.State, ack.Now, f.Cwnd)
		c.Undo(&f.State, ack.Now)
		c.OnRecoveryExit(&f.State, ack.Now)
	}))
}

// callSize is how many bytes Drive takes for a call.
const callSize = 8

// Drive makes the calls that the bytes of calls choose, wild values among them,
// and checks after each what must hold after any. It returns where they led.
func Drive(c cc.Controller, calls []byte) (cc.State, error) {
	s := cc.NewState(c, 10*MSS, MSS, 0)
	var now clock.Instant
	c.Init(&s, now)
	for i := 0; i+callSize <= len(calls); i += callSize {
		b := calls[i:]
		octets := uint32(b[1]) | uint32(b[2])<<8
		if b[3]&1 != 0 {
			octets <<= b[3] >> 1 & 31
		}
		now = now.Add(clock.Duration(uint64(b[4])<<(b[5]&31)) * clock.Microsecond)
		span := clock.Duration(uint64(b[6])<<(b[7]&31)) * clock.Microsecond
		before := s.Clone()
		what := step(c, &s, now, b[0], octets, span, b[7])
		if err := check(what, &before, &s); err != nil {
			return s, fmt.Errorf("call %d, %s: %w\nbefore %+v\nafter  %+v", i/callSize, what, err, before, s)
		}
	}
	return s, nil
}

func step(c cc.Controller, s *cc.State, now clock.Instant, call byte, octets uint32, span clock.Duration, bits byte) string {
	call %= 16
	if s.More == nil && call < 3 {
		call = 3
	}
	switch call {
	case 0:
		c.OnSent(s, &cc.Sent{Now: now, Octets: octets, InFlight: octets * 3, Again: bits&1 != 0})
		return "OnSent"
	case 1:
		c.OnReport(s, &cc.Report{
			Now: now, Since: now.Add(-span), Acks: octets, Acked: uint64(octets) << bits, Losses: uint64(bits),
			MinRTT: span, MaxRTT: 2 * span, SRTT: span, InFlight: octets, Delivered: uint64(octets) << bits, Interval: span,
		})
		return "OnReport"
	case 2:
		c.OnTimer(s, now)
		return "OnTimer"
	default:
		c.OnAck(s, &cc.Ack{
			Now: now, Acked: octets, InFlight: s.Cwnd, RTT: span, SRTT: span, MinRTT: span,
			ECE: bits>>5 == 1, InRecovery: bits>>5 == 2, CwndLimited: bits>>5 != 3,
			Delivered: uint64(octets) << (bits & 31), Interval: span, Total: uint64(now), Losses: octets >> 3,
			AppLimited: bits>>5 == 4, Round: bits&1 != 0,
		})
		return "OnAck"
	case 10:
		c.OnLoss(s, now, octets)
		return "OnLoss"
	case 11:
		c.OnRTO(s, now, octets)
		s.Cwnd = s.MSS
		return "OnRTO"
	case 12:
		c.OnECN(s, now, octets)
		return "OnECN"
	case 13:
		s.Cwnd = s.Ssthresh
		c.OnRecoveryExit(s, now)
		return "OnRecoveryExit"
	case 14:
		c.OnIdle(s, now, span, clock.Second)
		return "OnIdle"
	case 15:
		c.Undo(s, now)
		return "Undo"
	}
}

func check(what string, before, after *cc.State) error {
	least := 2 * after.MSS
	if after.Wants.Has(cc.OwnsWindow) {
		least = 0 // ssthresh means nothing
	}
	switch {
	case after.Failed:
		return errors.New("it gives up")
	case after.Cwnd < after.MSS:
		return errors.New("cwnd is below one MSS")
	case after.Ssthresh < least:
		return errors.New("ssthresh is below two MSS")
	case after.Cwnd > cc.MaxWindow:
		return errors.New("cwnd is beyond any window")
	case (what == "OnLoss" || what == "OnECN") && after.Cwnd > before.Cwnd:
		return errors.New("the window grows by a loss")
	case after.MSS != before.MSS || after.Limit != before.Limit || after.MinCwnd != before.MinCwnd || after.Wants != before.Wants:
		return errors.New("the connection's own fields are changed")
	case before.More == nil && after.More == nil:
		return nil
	case before.More == nil || after.More == nil || after.More.Armed != before.More.Armed || after.More.Report != before.More.Report ||
		!reflect.DeepEqual(after.More.Rate, before.More.Rate):
		return errors.New("the connection's own books are changed")
	}
	return nil
}
