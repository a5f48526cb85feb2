package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// The protocol of iperf3, as far as TCP tests need it, so that the program
// that everybody has can be the other end. One control connection carries
// one-octet states and length-prefixed JSON; each data connection begins with
// the control connection's cookie.

type iperfState int8

const (
	iperfTestStart       iperfState = 1
	iperfTestRunning     iperfState = 2
	iperfTestEnd         iperfState = 4
	iperfParamExchange   iperfState = 9
	iperfCreateStreams   iperfState = 10
	iperfServerTerminate iperfState = 11
	iperfClientTerminate iperfState = 12
	iperfExchangeResults iperfState = 13
	iperfDisplayResults  iperfState = 14
	iperfDone            iperfState = 16
	iperfAccessDenied    iperfState = -1
	iperfServerError     iperfState = -2
)

const (
	iperfPort      = "5201"
	iperfCookieLen = 37 // 36 characters and a zero
	iperfMaxJSON   = 1 << 20
	iperfBlock     = 128 << 10
	iperfWait      = 10 * time.Second // for the other side's next word
	iperfLate      = 2 * time.Second  // for data after the last word
)

type iperfCookie [iperfCookieLen]byte

func newIperfCookie() (c iperfCookie) {
	copy(c[:iperfCookieLen-1], rand.Text()+rand.Text()) // base 32, as iperf3's
	return c
}

// iperfParams is what the client asks for.
type iperfParams struct {
	TCP      bool   `json:"tcp"`
	Omit     int    `json:"omit"`
	Time     int    `json:"time"`
	Num      int64  `json:"num"`
	Blocks   int64  `json:"blockcount"`
	Parallel int    `json:"parallel"`
	Len      int    `json:"len"`
	Reverse  bool   `json:"reverse,omitempty"`
	Bidir    bool   `json:"bidirectional,omitempty"`
	UDP      bool   `json:"udp,omitempty"`
	Pacing   int    `json:"pacing_timer"`
	Client   string `json:"client_version"`
}

// iperfResults is what each side tells the other at the end.
type iperfResults struct {
	CPUTotal       float64             `json:"cpu_util_total"`
	CPUUser        float64             `json:"cpu_util_user"`
	CPUSystem      float64             `json:"cpu_util_system"`
	HasRetransmits iperfInt            `json:"sender_has_retransmits"`
	Streams        []iperfStreamResult `json:"streams"`
}

type iperfStreamResult struct {
	ID          int      `json:"id"`
	Bytes       iperfInt `json:"bytes"`
	Retransmits iperfInt `json:"retransmits"`
	Jitter      float64  `json:"jitter"`
	Errors      int      `json:"errors"`
	Packets     int      `json:"packets"`
	Start       float64  `json:"start_time"`
	End         float64  `json:"end_time"`
}

// An iperfInt is an integer as iperf3 writes it, whose -1 is 2^64-1 in some
// versions.
type iperfInt int64

// UnmarshalJSON reads it.
func (n *iperfInt) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no number", b)
	case f >= 1<<63 || f < 0:
		*n = -1
	default:
		*n = iperfInt(f)
	}
	return nil
}

// iperfStreamID is iperf3's numbering: 1, 3, 4, 5, ...
func iperfStreamID(i int) int {
	if i == 0 {
		return 1
	}
	return i + 2
}

// An iperfControl is the control connection.
type iperfControl struct{ net.Conn }

func (c iperfControl) sendState(s iperfState) error {
	_, err := c.Write([]byte{byte(s)})
	return err
}

func (c iperfControl) readState() (iperfState, error) {
	var b [1]byte
	_, err := io.ReadFull(c, b[:])
	return iperfState(b[0]), err
}

// expect reads a state and wants it to be s.
func (c iperfControl) expect(s iperfState) error {
	c.SetReadDeadline(time.Now().Add(iperfWait))
	defer c.SetReadDeadline(time.Time{})
	got, err := c.readState()
	switch {
	case err != nil:
		return fmt.Errorf("perf: control connection: %w", err)
	case got == s:
		return nil
	case got == iperfAccessDenied:
		return errIperfBusy
	case got == iperfServerError:
		return errors.New("perf: the server reports an error and ends the test")
	case got == iperfServerTerminate, got == iperfClientTerminate:
		return errIperfTerminated
	}
	return fmt.Errorf("perf: the other side says state %d where %d is due; is it iperf3?", got, s)
}

var (
	errIperfTerminated = errors.New("perf: the other side was stopped")
	errIperfBusy       = errors.New("perf: the server is busy with another test; try again when it has ended")
)

func (c iperfControl) sendJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	return err
}

func (c iperfControl) readJSON(v any) error {
	c.SetReadDeadline(time.Now().Add(iperfWait))
	defer c.SetReadDeadline(time.Time{})
	var n [4]byte
	if _, err := io.ReadFull(c, n[:]); err != nil {
		return fmt.Errorf("perf: control connection: %w", err)
	}
	size := binary.BigEndian.Uint32(n[:])
	if size > iperfMaxJSON {
		return fmt.Errorf("perf: the other side announces %d octets of JSON; is it iperf3?", size)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(c, b); err != nil {
		return fmt.Errorf("perf: control connection: %w", err)
	}
	return json.Unmarshal(b, v)
}

// An iperfStream is one data connection and what went through it.
type iperfStream struct {
	id    int
	conn  net.Conn
	bytes atomic.Int64
	done  chan error // what ended its loop
}

// retransmitsOf asks a connection how many segments it sent again.
func (s *iperfStream) retransmits() int64 {
	if c, ok := s.conn.(interface{ Retransmits() int64 }); ok {
		return c.Retransmits()
	}
	return -1
}

// An iperfTest is one test in progress, in either role.
type iperfTest struct {
	params  iperfParams
	sending bool // this side sends
	streams []*iperfStream
	began   time.Time
	budget  atomic.Int64 // octets left to send, where params.Num bounds them
	stopped atomic.Bool
	full    chan struct{} // closed when params.Num octets have gone through
	fullOne sync.Once
}

func newIperfTest(p iperfParams, sending bool) *iperfTest {
	t := &iperfTest{params: p, sending: sending, full: make(chan struct{})}
	t.budget.Store(p.Num)
	return t
}

func (t *iperfTest) add(c net.Conn) {
	t.streams = append(t.streams, &iperfStream{id: iperfStreamID(len(t.streams)), conn: c, done: make(chan error, 1)})
}

// start lets the data flow.
func (t *iperfTest) start() {
	t.began = time.Now()
	for _, s := range t.streams {
		go func() {
			if t.sending {
				s.done <- t.send(s)
			} else {
				s.done <- t.receive(s)
			}
		}()
	}
}

func (t *iperfTest) send(s *iperfStream) error {
	buf := make([]byte, min(max(t.params.Len, 1), 1<<20))
	rand.Read(buf)
	for !t.stopped.Load() {
		b := buf
		if t.params.Num > 0 {
			left := t.budget.Add(-int64(len(b)))
			if left < 0 {
				b = b[:max(0, int64(len(b))+left)]
			}
			if len(b) == 0 {
				return nil // the rest is with other streams
			}
		}
		n, err := s.conn.Write(b)
		t.count(s, n)
		if err != nil {
			if t.stopped.Load() {
				return nil
			}
			return err
		}
	}
	return nil
}

func (t *iperfTest) receive(s *iperfStream) error {
	buf := make([]byte, 256<<10)
	for {
		n, err := s.conn.Read(buf)
		if !t.stopped.Load() {
			t.count(s, n)
		}
		if err != nil {
			if err == io.EOF || t.stopped.Load() {
				return nil
			}
			return err
		}
	}
}

// count adds to a stream, and notes when the test's amount has gone through.
func (t *iperfTest) count(s *iperfStream, n int) {
	s.bytes.Add(int64(n))
	if t.params.Num > 0 && t.total() >= t.params.Num {
		t.fullOne.Do(func() { close(t.full) })
	}
}

// catchUp lets a receiver count what the sender says it has sent and is still
// under way: the word that the test is over may overtake the data.
func (t *iperfTest) catchUp(sent *iperfResults) {
	if t.sending {
		return
	}
	var want int64
	for _, s := range sent.Streams {
		want += int64(s.Bytes)
	}
	giveUp := time.NewTimer(iperfLate)
	defer giveUp.Stop()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for t.total() < want {
		select {
		case <-look.C:
		case <-giveUp.C:
			return
		}
	}
}

// stop ends the counting; senders stop, receivers go on draining.
func (t *iperfTest) stop() time.Duration {
	t.stopped.Store(true)
	span := time.Since(t.began)
	if !t.sending {
		return span
	}
	for _, s := range t.streams {
		s.conn.SetWriteDeadline(time.Unix(1, 0))
	}
	for _, s := range t.streams {
		err := <-s.done // what it wrote last is counted now
		s.done <- err
	}
	return span
}

func (t *iperfTest) total() (n int64) {
	for _, s := range t.streams {
		n += s.bytes.Load()
	}
	return n
}

func (t *iperfTest) close() {
	for _, s := range t.streams {
		s.conn.Close()
	}
}

func (t *iperfTest) results(span time.Duration) iperfResults {
	r := iperfResults{HasRetransmits: -1}
	for _, s := range t.streams {
		one := iperfStreamResult{ID: s.id, Bytes: iperfInt(s.bytes.Load()), Retransmits: -1, End: span.Seconds()}
		if t.sending {
			if one.Retransmits = iperfInt(s.retransmits()); one.Retransmits >= 0 {
				r.HasRetransmits = 1
			}
		}
		r.Streams = append(r.Streams, one)
	}
	return r
}

// failed gives the error of a stream that has ended before its time.
func (t *iperfTest) failed() error {
	for _, s := range t.streams {
		select {
		case err := <-s.done:
			s.done <- nil
			if err != nil {
				return fmt.Errorf("perf: stream %d: %w", s.id, err)
			}
		default:
		}
	}
	return nil
}

// watch reports every interval until one of: the test's time is over or its
// amount has gone through (the client decides that, with decide), the control
// connection said something, ctx ended, a stream failed.
func (t *iperfTest) watch(ctx context.Context, decide bool, every time.Duration, word <-chan error, rep *perfReport) error {
	var over, tick <-chan time.Time
	var full <-chan struct{}
	if decide {
		full = t.full
	}
	if decide && t.params.Num == 0 {
		timer := time.NewTimer(time.Duration(t.params.Time) * time.Second)
		defer timer.Stop()
		over = timer.C
	}
	if every > 0 {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		tick = ticker.C
	}
	health := time.NewTicker(100 * time.Millisecond)
	defer health.Stop()
	for {
		select {
		case <-over:
			return nil
		case <-full:
			return nil
		case err := <-word:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick:
			rep.interval(t)
		case <-health.C:
			if err := t.failed(); err != nil {
				return err
			}
		}
	}
}

// iperfClient runs one test against a server.
func iperfClient(ctx context.Context, dial func(context.Context) (net.Conn, error), p iperfParams, every time.Duration, rep *perfReport) error {
	nc, err := dial(ctx)
	if err != nil {
		return err
	}
	ctl := iperfControl{nc}
	defer ctl.Close()
	endWait := context.AfterFunc(ctx, func() { ctl.SetReadDeadline(time.Now().Add(iperfWait)) })
	defer endWait()
	cookie := newIperfCookie()
	if _, err := ctl.Write(cookie[:]); err != nil {
		return err
	}
	if err := ctl.expect(iperfParamExchange); err != nil {
		return err
	}
	if err := ctl.sendJSON(p); err != nil {
		return err
	}
	if err := ctl.expect(iperfCreateStreams); err != nil {
		return err
	}
	t := newIperfTest(p, !p.Reverse)
	defer t.close()
	for range p.Parallel {
		c, err := dial(ctx)
		if err != nil {
			return err
		}
		t.add(c)
		if _, err := c.Write(cookie[:]); err != nil {
			return err
		}
	}
	if err := ctl.expect(iperfTestStart); err != nil {
		return err
	}
	if err := ctl.expect(iperfTestRunning); err != nil {
		return err
	}
	rep.begin(t, nc)
	t.start()
	// During the test the server speaks only to end it.
	word := make(chan error, 1)
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		switch s, err := ctl.readState(); {
		case errors.Is(err, os.ErrDeadlineExceeded):
		case err != nil:
			word <- fmt.Errorf("perf: control connection: %w", err)
		case s == iperfServerTerminate:
			word <- errIperfTerminated
		default:
			word <- fmt.Errorf("perf: the server says state %d in the middle of the test", s)
		}
	}()
	err = t.watch(ctx, true, every, word, rep)
	span := t.stop()
	ctl.SetReadDeadline(time.Unix(1, 0)) // the reader of words ends
	<-reading
	ctl.SetReadDeadline(time.Time{})
	if err != nil && ctx.Err() == nil {
		return err
	}
	asked := err // an interrupted test still shows its results
	if err := ctl.sendState(iperfTestEnd); err != nil {
		return err
	}
	if err := ctl.expect(iperfExchangeResults); err != nil {
		return err
	}
	ours := t.results(span)
	if err := ctl.sendJSON(ours); err != nil {
		return err
	}
	var theirs iperfResults
	if err := ctl.readJSON(&theirs); err != nil {
		return err
	}
	if err := ctl.expect(iperfDisplayResults); err != nil {
		return err
	}
	if err := ctl.sendState(iperfDone); err != nil {
		return err
	}
	rep.end(t, span, ours, theirs)
	return asked
}

// An iperfServer runs tests one after the other; who comes in between is told
// that it is busy.
type iperfServer struct {
	every  time.Duration
	report func() *perfReport
	ending atomic.Bool // the test has its results, and is about to be over
}

// serve accepts on l until it is closed. With once it ends after one test and
// gives that test's error.
func (s *iperfServer) serve(ctx context.Context, l net.Listener, once bool, ended func(error)) error {
	type arrival struct {
		conn   net.Conn
		cookie iperfCookie
	}
	arrivals := make(chan arrival)
	gone := make(chan struct{})
	defer close(gone)
	failed := make(chan error, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				failed <- err
				return
			}
			go func() {
				var a arrival
				a.conn = c
				c.SetReadDeadline(time.Now().Add(iperfWait))
				if _, err := io.ReadFull(c, a.cookie[:]); err != nil {
					c.Close()
					return
				}
				c.SetReadDeadline(time.Time{})
				select {
				case arrivals <- a:
				case <-gone:
					c.Close()
				}
			}()
		}
	}()
	var current iperfCookie
	var data chan net.Conn
	finished := make(chan error, 1)
	running := false
	over := func(err error) {
		running = false
		s.ending.Store(false)
		for len(data) > 0 {
			(<-data).Close()
		}
		ended(err)
	}
	for {
		select {
		case a := <-arrivals:
			if running && a.cookie != current && s.ending.Load() && !once {
				over(<-finished) // its client has just come back with the next test
			}
			switch {
			case !running:
				running, current = true, a.cookie
				data = make(chan net.Conn, 128)
				go func() { finished <- s.test(ctx, iperfControl{a.conn}, data) }()
			case a.cookie == current:
				select {
				case data <- a.conn:
				default:
					a.conn.Close()
				}
			default:
				iperfControl{a.conn}.sendState(iperfAccessDenied)
				a.conn.Close()
			}
		case err := <-finished:
			if once || ctx.Err() != nil {
				return err
			}
			over(err)
		case err := <-failed:
			if running {
				err = errors.Join(<-finished, err)
			}
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
	}
}

const iperfMaxStreams = 128 // iperf3's own limit

func (s *iperfServer) test(ctx context.Context, ctl iperfControl, data <-chan net.Conn) error {
	defer ctl.Close()
	if err := ctl.sendState(iperfParamExchange); err != nil {
		return err
	}
	var p iperfParams
	if err := ctl.readJSON(&p); err != nil {
		return err
	}
	if p.Num == 0 {
		p.Num = p.Blocks * int64(p.Len)
	}
	if p.UDP || p.Bidir || p.Parallel < 1 || p.Parallel > iperfMaxStreams || p.Num < 0 || p.Time < 0 {
		ctl.sendState(iperfServerError)
		ctl.Write(make([]byte, 8)) // iperf3's error number and errno
		return errors.New("perf: the client asks for what this server has not: TCP one way at a time, with 1 to 128 streams")
	}
	if err := ctl.sendState(iperfCreateStreams); err != nil {
		return err
	}
	t := newIperfTest(p, p.Reverse)
	defer t.close()
	wait := time.NewTimer(iperfWait)
	defer wait.Stop()
	for range p.Parallel {
		select {
		case c := <-data:
			t.add(c)
		case <-wait.C:
			return fmt.Errorf("perf: %d of %d data connections came within %v", len(t.streams), p.Parallel, iperfWait)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := ctl.sendState(iperfTestStart); err != nil {
		return err
	}
	if err := ctl.sendState(iperfTestRunning); err != nil {
		return err
	}
	rep := s.report()
	rep.begin(t, ctl.Conn)
	t.start()
	// The client ends the test; its time and amount are for itself.
	word := make(chan error, 1)
	go func() {
		switch st, err := ctl.readState(); {
		case err != nil:
			word <- fmt.Errorf("perf: control connection: %w", err)
		case st == iperfTestEnd:
			word <- nil
		case st == iperfClientTerminate:
			word <- errIperfTerminated
		default:
			word <- fmt.Errorf("perf: the client says state %d in the middle of the test", st)
		}
	}()
	if err := t.watch(ctx, false, s.every, word, rep); err != nil {
		if ctx.Err() != nil {
			ctl.sendState(iperfServerTerminate)
		}
		span := t.stop()
		rep.end(t, span, t.results(span), iperfResults{})
		return err
	}
	if err := ctl.sendState(iperfExchangeResults); err != nil {
		return err
	}
	var theirs iperfResults
	if err := ctl.readJSON(&theirs); err != nil {
		return err
	}
	t.catchUp(&theirs)
	span := t.stop()
	ours := t.results(span)
	if err := ctl.sendJSON(ours); err != nil {
		return err
	}
	rep.end(t, span, ours, theirs)
	s.ending.Store(true)
	if err := ctl.sendState(iperfDisplayResults); err != nil {
		return err
	}
	if err := ctl.expect(iperfDone); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
