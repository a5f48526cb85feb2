package scenario

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// The hosts and the link of most scenarios here.
const net = `host client 10.0.0.1 profile linux
host server 10.0.0.2 profile linux
link client server delay 50ms
listen server 80
`

const threeWay = "scenario H1\n" + net + `flow web client server:80 at 0s port 40000
  client write 500
  client await-eof
  server await-read 500
  server write 1000
  server close
expect path client SYN-SENT ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED
expect path server SYN-RECEIVED ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED
expect segment 1 client -> server SYN seq 0 len 0 at 0s
expect segment 2 server -> client SYN+ACK seq 0 ack 1 at 50ms
expect segment 3 client -> server ACK seq 1 ack 1 at 100ms
expect segment 4 client -> server DATA seq 1 ack 1 len 500
expect edge client SYN-SENT ESTABLISHED rule syn-sent-syn-ack at 100ms
expect edge server SYN-RECEIVED ESTABLISHED rule ack-establishes at 150ms
expect state server LISTEN at 0s
expect state server SYN-RECEIVED at 50ms
expect state server ESTABLISHED at 150ms
expect know client nothing at 0s
expect know server receive at 50ms
expect know client both at 100ms
expect know server receive at 149ms
expect know server both at 150ms
expect count client -> server SYN = 1
expect count server -> client SYN+ACK = 1
expect retransmits client 0
expect read server 500
expect read client 1000
expect stream server whole
expect stream client whole
expect error client none
expect conns server 1 at 200ms
expect conns server 0
expect time-waits server 1 at 10s
expect held server 0
expect held server 768 at 50ms
expect ghosts server 0
expect tcb client ISS >= 1 at 0s
expect tcb client SND.UNA 0 at 0s
expect tcb client SND.UNA 1 at 100ms
expect tcb client srtt = 100ms at 100ms
expect silence from 1s
expect violation 0
say h1.start on start
say h1.syn on segment 1
say h1.come on arrive 1
say h1.done on state client ESTABLISHED
say h1.time on time 120ms
say h1.end on end
`

func run(t testing.TB, text string, extra ...string) *Run {
	t.Helper()
	r, err := New(parse(t, text, extra...), nil)
	require.NoError(t, err)
	r.Finish()
	return r
}

// text is the expectation as a line of the language.
func (e *Expect) text(s *Scenario) string {
	w := &printer{}
	s.printExpect(w, e)
	return string(w.b[:len(w.b)-1])
}

// held runs a scenario, and has every expectation hold.
func held(t testing.TB, text string, extra ...string) *Run {
	t.Helper()
	r := run(t, text, extra...)
	for _, o := range r.Check() {
		require.True(t, o.Held, "line %d: %s: found %q %d at %s (none: %v)", o.Where.Line, r.s.Expects[o.Index].text(r.s), o.Text, o.Found, o.At, o.None)
	}
	return r
}

func TestThreeWay(t *testing.T) {
	r := held(t, threeWay)
	require.NoError(t, r.Failure())
	var said []string
	for _, i := range r.Items(0) {
		if i.Kind == Said {
			said = append(said, r.s.Says[i.A].ID)
		}
	}
	require.Equal(t, []string{"h1.start", "h1.syn", "h1.come", "h1.done", "h1.time", "h1.end"}, said)
}

func TestSynLost(t *testing.T) {
	held(t, "scenario H10\n"+net+`flow web client server:80
  client close-write
fault client -> server SYN 1 lose
expect segment 1 client -> server SYN seq 0 at 0s
expect segment 2 client -> server SYN seq 0 at 1s
expect lost client -> server SYN 1
expect retransmits client 1
expect timer client retransmit fired 1
expect edge client SYN-SENT ESTABLISHED at 1.1s
`)
	held(t, "scenario H11\n"+net+`flow web client server:80
host client set syn-retries=5 set syn-linear=0
fault client -> server SYN all lose
expect count client -> server SYN 6
expect error client ETIMEDOUT at 63s
expect state client CLOSED
expect edge client SYN-SENT CLOSED rule syn-limit at 63s
expect quiet-at 63s
`)
}

// H7: an old SYN, delayed past the close, is answered by a SYN+ACK, and that by a
// reset. Nothing stays.
func TestOldSyn(t *testing.T) {
	r := held(t, "scenario H7\n"+net+`host server set time-wait=1s
host client set time-wait=1s
flow web client server:80 port 40000
  client write 10
  server await-read 10
fault client -> server SYN 1 delay 30s
expect count server -> client SYN+ACK 2
expect count client -> server RST 1
expect edge server SYN-RECEIVED LISTEN rule reset-syn-received at 30.15s within 50ms
expect ghosts server 0
expect conns server 0
expect path server SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED
`)
	last := Item{}
	for _, i := range r.Items(0) {
		if i.Kind == Send {
			last = i
		}
	}
	require.Equal(t, "R", last.Flags().String())
	require.EqualValues(t, 1, last.Seq(), "numbers count from those of the old SYN")
}

// W2: a FIN that comes again starts the 2 MSL again, and the timeline says so. The wait
// is a record by then.
func TestTimeWaitAnew(t *testing.T) {
	r := held(t, "scenario W2\n"+net+`host client set time-wait=10s
flow web client server:80
  client close-write
  client await-eof
  server await-eof
  server wait 1s
  server close
fault client -> server ACK 2 lose
expect count server -> client FIN 2
`)
	var due []clock.Duration
	for _, i := range r.Items(0) {
		if i.Kind == Timer && i.Into == TimerArmed && i.By == tcp.TimerWait {
			require.Equal(t, i.At+10*clock.Second, clock.Duration(i.A))
			due = append(due, clock.Duration(i.A))
		}
	}
	require.Len(t, due, 2, "once when the FIN came, once when it came again")
	require.Greater(t, due[1], due[0])
}

// K2b and K2c: who has crashed leaves its peer with a ghost, until keepalive finds out.
func TestCrashWithKeepalive(t *testing.T) {
	const idle = net + `flow web client server:80
  client hold
  server set-keepalive 2h 75s 9
  server hold
crash client at 10s
`
	held(t, "scenario K2b\n"+idle+`expect ghosts server 0 at 9s
expect ghosts server 1 at 1h
expect know client both at 9s
expect know client nothing at 11s
expect state client CLOSED at 11s
expect segment 4 server -> client ACK seq 0 ack 1 len 0 at 7200.15s within 10ms
expect count server -> client ACK 9
expect lost server -> client ANY 10
expect error server ETIMEDOUT at 7875.15s within 10ms
expect silence from 1s until 2h
expect ghosts server 0
`)
	held(t, "scenario K2c\n"+idle+`boot client at 20s
expect error server ECONNRESET at 7200.25s within 10ms
expect count client -> server RST 1
expect ghosts server 0
`)
}

// A host that floods half-open connections, and what they hold.
func TestFlood(t *testing.T) {
	held(t, "scenario H12\n"+net+`host server set syn-cookies=false
listen server 80 backlog 4
flood server:80 at 1s count 20 every 1ms
end 2s
expect half-open server >= 4 at 2s
expect drop server backlog-full >= 1
`)
}

// Wrong expectations don't hold.
func TestWrongExpectationsFail(t *testing.T) {
	base := parse(t, threeWay)
	for i := range base.Expects {
		s := parse(t, threeWay)
		e := &s.Expects[i]
		switch e.Kind {
		case ExpectPath:
			e.States = e.States[1:]
		case ExpectState, ExpectEdge:
			e.States[0] = 9 // LAST-ACK
		case ExpectSegment:
			e.Seq = Optional{true, 7}
		case ExpectError:
			e.Word = "ECONNRESET"
		case ExpectStream:
			e.Word = "wrong"
		case ExpectKnow:
			e.Word = "send"
		case ExpectSilence:
			e.From = 0
		default:
			e.N, e.Compare = e.N+1e9, Equal
		}
		r, err := New(s, nil)
		require.NoError(t, err)
		r.Finish()
		for k, o := range r.Check() {
			require.Equal(t, k != i, o.Held, "line %d", o.Where.Line)
		}
	}
}

// Everything in the language runs, and its timeline is JSON.
func TestEverythingRuns(t *testing.T) {
	r := run(t, everything, "plugin server off\ntolerate")
	var j struct {
		Scenario string
		Hash     string
		Items    []map[string]any
	}
	b := r.AppendJSON(nil, 0, -1)
	require.NoError(t, json.Unmarshal(b, &j), "%s", b)
	require.Equal(t, "H1-all", j.Scenario)
	require.Len(t, j.Hash, 16)
	require.Len(t, j.Items, len(r.Items(0)))
	var checks []struct {
		Line  int
		Held  *bool
		Found any
	}
	require.NoError(t, json.Unmarshal(r.AppendCheck(nil), &checks))
	require.Len(t, checks, len(r.s.Expects))
	require.NotNil(t, checks[0].Held)
	require.Equal(t, r.s.Expects[0].Where.Line, checks[0].Line)
}

var update = flag.Bool("update", false, "write the golden timelines anew")

// The timeline of a handshake, as the page reads it: whoever changes it sees what.
func TestGoldenTimeline(t *testing.T) {
	r := run(t, threeWay)
	got := r.AppendJSON(nil, 0, -1)
	if *update {
		require.NoError(t, os.WriteFile("testdata/three-way.json", append(got, '\n'), 0o644))
	}
	want, err := os.ReadFile("testdata/three-way.json")
	require.NoError(t, err)
	require.Equal(t, strings.Split(strings.TrimSpace(string(want)), "\n"), strings.Split(string(got), "\n"))
}

// roomy lets one end write, and the other take, all at once.
const roomy = `host client set send-buffer=64M set send-buffer-max=64M set memory=1G set initial-window=4294967295 set initial-octets=4294967295
host client set initial-window-max=4294967295 set pacing=false
host server set receive-buffer=64M set receive-buffer-max=64M set memory=1G
`

// What would be more than a tab can bear ends at a bound, and says so; within a step
// too, since one can be all of it.
func TestBounds(t *testing.T) {
	for name, c := range map[string]struct{ why, lines string }{
		"bit by bit":     {"items", "flow web\n  client write 63M\n  client close-write\n  server await-eof"},
		"octets at once": {"octets", roomy + "flow web\n  client write 63M"},
		"octet by octet": {"items", roomy + "flow web\n  client write 63M chunk 1"},
		"read, likewise": {"items", roomy + "flow web\n  client write 1M\n  server never-read\n  server wait 10s\n  server pace 1 0s\n  server await-eof"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, threeWay, c.lines)
			last := r.Items(0)[len(r.Items(0))-1]
			require.Equal(t, Ended, last.Kind)
			require.Equal(t, c.why, last.Text)
			require.NoError(t, r.Failure())
			require.LessOrEqual(t, len(r.Items(0)), maxRunItems+10)
			require.LessOrEqual(t, len(r.rec.octets), maxRunOctets+100_000)
			hash := r.Hash()
			r.Seek(r.Steps() / 2)
			r.Finish()
			require.Equal(t, hash, r.Hash())
			// A capture takes as long as there are items, not their square.
			begin := time.Now()
			require.NotEmpty(t, r.AppendPcapng(nil, 0))
			require.Less(t, time.Since(begin), 15*time.Second)
		})
	}
}

// A ticker has a timer that runs out each millisecond, for nothing.
type ticker struct{ at clock.Instant }

func (h *ticker) At(*tcp.Record) tcp.Verdict { return tcp.Pass }
func (h *ticker) Deadline() clock.Instant    { return max(h.at, 1) }
func (h *ticker) Expire(now clock.Instant, _ *tcp.Beside, _ *event.Log) {
	h.at = now.Add(clock.Millisecond)
}
func (h *ticker) Clone() tcp.Hook                          { c := *h; return &c }
func (h *ticker) Fingerprint(*siphash.Hash, clock.Instant) {}

// One that goes on without anything to be seen ends after so many steps.
func TestStepsAreBounded(t *testing.T) {
	r, err := New(parse(t, threeWay, "plugin client ticker"), func(*Order) (tcp.Hook, tcp.HookMask, error) { return &ticker{}, 0, nil })
	require.NoError(t, err)
	r.Finish()
	require.Equal(t, maxRunSteps, r.Steps())
	require.Equal(t, "steps", r.Items(0)[len(r.Items(0))-1].Text)
}

// A run that ends at a broken invariant says so.
func TestViolationEnds(t *testing.T) {
	text := "scenario X\n" + net + "host client set rto-max=0s\nflow web client server:80\nfault client -> server SYN all lose\n"
	r := run(t, text)
	require.Error(t, r.Failure())
	items := r.Items(0)
	require.Equal(t, "violation", items[len(items)-1].Text)
	violations := 0
	for _, i := range items {
		if i.Kind == Violation {
			violations++
		}
	}
	require.Equal(t, 1, violations)
}

// Both open at once, over IPv6; urgent octets; several connections of one flow.
func TestFlows(t *testing.T) {
	held(t, `scenario meet
host client fd00::1
host server fd00::2
link client server delay 50ms
flow web client server:1001 port 1000 meet ipv6
  client close-write
  client await-eof
  server close-write
  server await-eof
expect path client SYN-SENT SYN-RECEIVED ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT CLOSED
expect path server SYN-SENT SYN-RECEIVED ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT CLOSED
expect error server none
`)
	held(t, "scenario urgent\n"+net+`host server set urgent-inline=true
flow web client server:80
  client write 10
  client write-urgent 1
  client write 10
  server await-eof
expect count client -> server URG >= 1
expect stream server whole
expect read server 21
`)
	held(t, "scenario many\n"+net+`flow web client server:80 times 5 every 1s
  client write 10
  server await-eof
expect read server 10 flow web.5
expect count client -> server SYN 5
expect time-waits client 5 at 10s
expect state client CLOSED at 3.9s flow web.5
expect state client SYN-SENT at 4s flow web.5
`)
	held(t, "scenario refused\n"+net+`flow web client server:81
expect error client ECONNREFUSED at 100ms
expect segment 2 server -> client RST+ACK seq 0 ack 1
`)
	held(t, "scenario deaf\n"+net+`listen server 80 backlog 1 deaf
flow web client server:80 times 4
  client hold
end 10s
expect conns client 4
expect drop server accept-queue-full >= 1
`)
	held(t, "scenario shut\n"+net+`flow web client server:80
  client await-eof
  server hold
shut server at 5s
expect path server SYN-RECEIVED ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED
`)
}

// A link that is only said to reorder does so: packets overtake others.
func TestReorderWithoutHold(t *testing.T) {
	const text = "scenario S\nseed 1\n" + net + "flow web client server:80\n  client write 30000\n  client close\n"
	with := func(line string) uint64 { return run(t, text, line).Hash() }
	require.NotEqual(t, run(t, text).Hash(), with("link client server reorder 50%"))
	require.Equal(t, with("link client server reorder 50% hold 20ms"), with("link client server reorder 50%"))
}
