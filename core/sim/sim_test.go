package sim

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	wires "github.com/tcpkit/tcpkit/core/wire"
)

// mostEvents ends a run that would go on for ever.
const mostEvents = 5_000_000

// flowsEach is how many flows one random world has.
const flowsEach = 20

func connections(t *testing.T) int {
	if s := os.Getenv("TCPKIT_SIM_CONNS"); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(t, err, "TCPKIT_SIM_CONNS is a number of connections")
		return n
	}
	if testing.Short() {
		return 200
	}
	return 2000
}

// repeat is the command that runs one seed again.
func repeat(seed uint64) string {
	return fmt.Sprintf("TCPKIT_SIM_SEED=%d go test ./core/sim -run TestRandom -v", seed)
}

func runRandom(t *testing.T, seed uint64) *World {
	w, err := New(Random(seed, flowsEach))
	require.NoError(t, err)
	w.Run(mostEvents)
	require.Empty(t, w.Failed(), repeat(seed))
	require.Less(t, w.Events, uint64(mostEvents), "it does not end: %s", repeat(seed))
	require.Empty(t, w.Ended(), repeat(seed))
	return w
}

// Under faults what is read is a prefix of what was written; once the faults
// stop every connection ends, and gives everything back.
func TestRandom(t *testing.T) {
	if s := os.Getenv("TCPKIT_SIM_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		runRandom(t, seed)
		return
	}
	var edges Edges
	var events, packets, delivered uint64
	n := connections(t)
	for seed := range uint64(max(1, n/flowsEach)) {
		w := runRandom(t, seed)
		edges.Add(w.Edges())
		events, packets, delivered = events+w.Events, packets+w.Packets, delivered+w.Delivered
	}
	// An abort in SYN-RECEIVED takes more luck than these have: the SYNs have
	// crossed, and their ACKs have not arrived.
	rare := two(t, false, Flow{Port: 90, Cross: true, Client: End{CloseAt: 15 * clock.Millisecond, Abort: true}})
	rare.Run(mostEvents)
	require.Empty(t, rare.Failed()+rare.Ended())
	edges.Add(rare.Edges())
	t.Logf("%d connections, %d events, %d packets, %d octets delivered", n, events, packets, delivered)
	var missing []string
	for _, e := range edges.Missing() {
		if reason, known := unreached[[2]tcp.State{e.From, e.To}]; known {
			t.Logf("not seen: %v to %v: %s", e.From, e.To, reason)
			continue
		}
		missing = append(missing, e.From.String()+" to "+e.To.String())
	}
	if n >= 2000 {
		require.Empty(t, missing, "edges of Figure 5 that no run has taken")
	}
}

// unreached are the edges of Figure 5 that these worlds cannot take.
var unreached = map[[2]tcp.State]string{
	{tcp.Closed, tcp.Listen}:         "a listener is not a connection here",
	{tcp.Listen, tcp.Closed}:         "likewise",
	{tcp.Listen, tcp.SynSent}:        "SEND on a listener is not offered",
	{tcp.SynReceived, tcp.FinWait1}:  "a close in SYN-RECEIVED waits for ESTABLISHED",
	{tcp.SynReceived, tcp.CloseWait}: "the ACK that comes with the FIN establishes first",
	{tcp.FinWait1, tcp.TimeWait}:     "the ACK of our FIN leads to FIN-WAIT-2 first, in the same segment",
}

// A copy made half-way ends like the original, event by event.
func TestClonedHalfWay(t *testing.T) {
	for seed := range uint64(20) {
		w, err := New(Random(seed, flowsEach))
		require.NoError(t, err)
		whole, err := New(Random(seed, flowsEach))
		require.NoError(t, err)
		whole.Run(mostEvents)
		w.Run(whole.Events / 2)
		c := w.Clone()
		require.Equal(t, w.Fingerprint(), c.Fingerprint())
		c.Run(mostEvents)
		require.NotEqual(t, c.Hash(), w.Hash(), "the original has not moved")
		w.Run(mostEvents)
		require.Empty(t, w.Failed()+c.Failed())
		require.Equal(t, whole.Hash(), w.Hash(), "stopping half-way changes nothing, seed %d", seed)
		require.Equal(t, whole.Hash(), c.Hash(), "the copy ends like the original, seed %d", seed)
	}
}

// two is a calm world of two hosts and one flow that sends both ways.
func two(t *testing.T, six bool, f Flow, plan ...Planned) *World {
	cfg, err := core.Profile("linux")
	require.NoError(t, err)
	cfg.TCP.Keepalive, cfg.TCP.KeepaliveIdle, cfg.TCP.KeepaliveInterval = true, clock.Minute, clock.Second
	a, b := "10.1.0.1/24", "10.1.0.2/24"
	if six {
		a, b = "fd00::1/64", "fd00::2/64"
	}
	pa, _ := wires.ParsePrefix(a)
	pb, _ := wires.ParsePrefix(b)
	f.To, f.At = 1, clock.Instant(2*clock.Second)
	if f.Port == 0 {
		f.Port = 80
	}
	w, err := New(Config{
		Seed: 9, Hosts: []Host{{Core: cfg, Addr: pa}, {Core: cfg, Addr: pb, Ports: []uint16{80}}},
		Link: Link{Delay: 10 * clock.Millisecond}, Flows: []Flow{f}, Plan: plan,
	})
	require.NoError(t, err)
	return w
}

// Each packet of an exchange in turn is lost, doubled, delayed and spoilt; the
// exchange ends well all the same, with everything delivered.
func TestEachPacketInTurn(t *testing.T) {
	flows := map[string]Flow{
		"four-way":  {Client: End{Send: 5000, HalfClose: true}, Server: End{Send: 3000}},
		"crossing":  {Client: End{Send: 100, HalfClose: true}, Server: End{Send: 100, HalfClose: true}},
		"both open": {Port: 90, Cross: true, Client: End{Send: 2000, HalfClose: true}, Server: End{Send: 2000, HalfClose: true}},
	}
	for name, f := range flows {
		for _, six := range []bool{false, true} {
			calm := two(t, six, f)
			calm.Run(mostEvents)
			require.Empty(t, calm.Failed()+calm.Ended(), name)
			require.Equal(t, uint64(f.Client.Send+f.Server.Send), calm.Delivered, name)
			for from := range 2 {
				n := calm.links[from*2+1-from].ordinal
				require.GreaterOrEqual(t, n, uint32(3))
				for ordinal := range n {
					for fault := Lose; fault <= Late; fault++ {
						by := []clock.Duration{30 * clock.Millisecond, 3 * clock.Second, 90 * clock.Second}
						for _, by := range by[:1+2*int(fault/Late)] {
							w := two(t, six, f, Planned{From: from, To: 1 - from, Ordinal: ordinal, Fault: fault, By: by})
							w.Run(mostEvents)
							what := fmt.Sprintf("%s, v6 %v, packet %d from %d, fault %d by %v", name, six, ordinal, from, fault, by)
							require.Empty(t, w.Failed()+w.Ended(), what)
							require.Equal(t, calm.Delivered, w.Delivered, what)
						}
					}
				}
			}
		}
	}
}

// hashes are those of the first seeds, as every machine must find them.
func hashes() string {
	var b strings.Builder
	for seed := range uint64(20) {
		w, err := New(Random(seed, flowsEach))
		if err != nil {
			return err.Error()
		}
		w.Run(mostEvents)
		fmt.Fprintf(&b, "%d %016x %s\n", seed, w.Hash(), w.Failed())
	}
	return b.String()
}

// TestPrintHashes is what TestHashesOn386 runs elsewhere.
func TestPrintHashes(t *testing.T) {
	file := os.Getenv("TCPKIT_SIM_HASHES")
	if file == "" {
		file = filepath.Join(t.TempDir(), "hashes")
	}
	require.NoError(t, os.WriteFile(file, []byte(hashes()), 0o600))
}

// The same seeds give the same events on a machine with 32 bits.
func TestHashesOn386(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Logf("only linux/amd64 runs both; this is %s/%s", runtime.GOOS, runtime.GOARCH)
		return
	}
	if testing.Short() {
		t.Log("builds a second test binary: not with -short")
		return
	}
	dir := t.TempDir()
	bin, file := filepath.Join(dir, "sim386"), filepath.Join(dir, "hashes")
	build := exec.Command("go", "test", "-c", "-o", bin, ".")
	build.Env = append(os.Environ(), "GOARCH=386", "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	run := exec.Command(bin, "-test.run", "^TestPrintHashes$")
	run.Env = append(os.Environ(), "TCPKIT_SIM_HASHES="+file)
	out, err = run.CombinedOutput()
	require.NoError(t, err, "%s", out)
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, hashes(), string(got))
}

// A world that delivers a wrong octet, or holds a broken invariant, says so:
// the checks can fail.
func TestChecksCanFail(t *testing.T) {
	w := two(t, false, Flow{Client: End{Send: 100}})
	for w.Delivered == 0 && w.Step() {
		w.flows[0].ends[1].read = 1 // the reader expects the second octet first
	}
	require.Contains(t, w.Failed(), "wrong octet")

	w = two(t, false, Flow{Client: End{Send: 100}})
	w.inspect([]byte{0x45, 0}, false)
	require.Contains(t, w.Failed(), "cannot be read")
}
