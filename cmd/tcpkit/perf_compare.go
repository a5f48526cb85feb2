package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
)

// A perfRow is how a test went with one congestion controller.
type perfRow struct {
	Controller  string  `json:"controller"`
	Seconds     float64 `json:"seconds"`
	Bytes       int64   `json:"bytes"` // that the server has received
	BitsPerSec  float64 `json:"bits_per_second"`
	Retransmits int64   `json:"retransmits"`
	RTT         float64 `json:"rtt_ms"` // means over the test and its connections
	Cwnd        float64 `json:"cwnd_segments"`
	Fallback    bool    `json:"fallback"` // it has failed, and CUBIC went on
}

// comparePerf runs the test once with each controller, and prints how it went side by
// side.
func (s *session) comparePerf(host, port string, p iperfParams, every time.Duration) error {
	rows := []perfRow{}
	for i, k := range s.compared() {
		name := s.flags.compare[i].text
		if !s.app.json {
			fmt.Fprintf(s.app.out, "--- %s\n", name)
		}
		row, begun, err := s.perfWith(k, host, port, p, every)
		for until := time.Now().Add(iperfWait); i > 0 && !begun && notYet(err) && time.Now().Before(until); {
			select {
			case <-time.After(iperfAgain):
			case <-s.stop.soft.Done():
				return err
			}
			row, begun, err = s.perfWith(k, host, port, p, every)
		}
		if err != nil {
			return fmt.Errorf("with %s: %w", name, err)
		}
		row.Controller = name
		rows = append(rows, row)
	}
	return s.app.printPerfRows(rows)
}

// iperfAgain is how long a client waits before it asks a server again that is not
// ready.
const iperfAgain = 100 * time.Millisecond

// notYet reports whether the server is not done with the test before: iperf3 then
// closes its port and opens it again, which resets who has come in between.
func notYet(err error) bool {
	for _, e := range [...]error{errIperfBusy, syscall.ECONNRESET, syscall.ECONNREFUSED, io.EOF} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// compared are the controllers of --compare, of which the plugins are the last in the
// session's set.
func (s *session) compared() (all []cc.Controller) {
	at := len(s.plan.plugins) - s.plan.compared
	for _, spec := range s.flags.compare {
		k := spec.built
		if k == nil {
			s.plugins.locked(func(clock.Instant) { k = s.plugins.set.ControllerOf(s.plugins.names[at]) })
			at++
		}
		all = append(all, k)
	}
	return all
}

// perfWith runs one test. begun says whether data has flowed.
func (s *session) perfWith(k cc.Controller, host, port string, p iperfParams, every time.Duration) (r perfRow, begun bool, err error) {
	cfg := s.plan.core.TCP
	cfg.Controller = k
	look := pathLook{stop: make(chan struct{})}
	dial := func(ctx context.Context) (net.Conn, error) {
		c, err := s.dialWith(ctx, &cfg, host, port)
		if err != nil {
			return nil, err
		}
		return c, look.add(c)
	}
	report := newPerfReport(s.app)
	if s.app.json {
		report.out = io.Discard
	}
	before := s.host.Stats().Fallbacks
	look.begin()
	err = iperfClient(s.stop.soft, dial, p, every, report)
	look.end()
	sent, got := &report.End.Sent, &report.End.Received
	r = perfRow{Seconds: got.Seconds, Bytes: got.Bytes, BitsPerSec: got.BitsPerSec, Fallback: s.host.Stats().Fallbacks > before}
	if sent.Retransmits != nil {
		r.Retransmits = *sent.Retransmits
	}
	r.RTT, r.Cwnd = look.means()
	return r, report.Start.Remote != "", err
}

// A pathLook looks at the connections of a test while that runs.
type pathLook struct {
	stop chan struct{}
	done sync.WaitGroup

	mu           sync.Mutex
	control      bool // the control connection, which is the first, has come
	conns        []*sessionConn
	looks        int
	rtt, windows float64 // sums
}

// lookEvery is how often it looks.
const lookEvery = 20 * time.Millisecond

// add takes a connection in. What one for data has not sent when the test is over is
// thrown away with it, so that it does not fill the path of the next test.
func (l *pathLook) add(c *sessionConn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.control {
		l.control = true
		return nil
	}
	l.conns = append(l.conns, c)
	return c.SetLinger(0)
}

func (l *pathLook) begin() {
	l.done.Add(1)
	go func() {
		defer l.done.Done()
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				l.look()
			case <-l.stop:
				return
			}
		}
	}()
}

func (l *pathLook) end() {
	close(l.stop)
	l.done.Wait()
}

func (l *pathLook) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		info := c.Info()
		if info.BytesSent < iperfCookieLen+1 {
			continue // it has not begun
		}
		l.looks++
		l.rtt += float64(info.RTT) / 1000
		l.windows += float64(info.SndCwnd)
	}
}

// means are the smoothed round trip in milliseconds and the window in segments.
func (l *pathLook) means() (rtt, windows float64) {
	n := float64(max(l.looks, 1))
	return l.rtt / n, l.windows / n
}

func (a *app) printPerfRows(rows []perfRow) error {
	if a.json {
		return a.printJSON(rows)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\ncontroller\tgoodput\ttransfer\tseconds\tsent again\trtt ms\tcwnd\t")
	for _, r := range rows {
		name := r.Controller
		if r.Fallback {
			name += " (fallback)"
		}
		fmt.Fprintf(w, "%s\t%.1f Mbit/s\t%s\t%.2f\t%d\t%.2f\t%.0f\t\n",
			name, r.BitsPerSec/1e6, formatSize(r.Bytes), r.Seconds, r.Retransmits, r.RTT, r.Cwnd)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errStdout, err)
	}
	return nil
}
