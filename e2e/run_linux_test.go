package e2e

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tcpkit/tcpkit/core/wire"
)

// A run is a situation with its players: what they do is said step by step, and each
// step ends when all that it has caused is over.
type run struct {
	line    *line
	parties [2]party
	addrs   [2]netip.AddrPort
	socks   [2]sock
	listens acceptor
	options [2][]option // of who connects and of who listens
	others  []sock      // that were held before
	family  int
	backlog int
	mark    mark

	sent, read [2]int // octets of the role's stream
}

// A stop is why a run can't go on, which is told as a part of its trace.
type stop struct{ why string }

const (
	serverPort = 8080
	clientPort = 40001
	runLimit   = 10 * time.Second // for one wait
)

var runs atomic.Uint32

// say notes what was done and what came of it.
func (r *run) say(format string, args ...any) {
	r.mark.did = append(r.mark.did, fmt.Sprintf(format, args...))
}

// fail ends the run.
func (r *run) fail(format string, args ...any) { panic(stop{fmt.Sprintf(format, args...)}) }

// step ends a step, whatever is still under way.
func (r *run) step() {
	m := r.mark
	r.line.endStep(&m)
	r.mark = mark{}
}

// settle waits until all that was sent is acknowledged, and ends the step.
func (r *run) settle() {
	r.await("everything acknowledged", func() bool { return r.line.settled() })
	r.step()
}

// await waits for what must happen.
func (r *run) await(what string, done func() bool) {
	tick := time.NewTicker(4 * time.Millisecond)
	defer tick.Stop()
	for end, good := time.Now().Add(runLimit), 0; good < 2; <-tick.C {
		if done() {
			good++
		} else {
			good = 0
		}
		if time.Now().After(end) {
			r.fail("waited in vain for: %s", what)
		}
	}
}

// pause lets time pass.
func (r *run) pause(d time.Duration) { <-time.After(d) }

// seen waits until an end has sent so many segments of a kind.
func (r *run) seen(who role, k kind, n int) {
	r.await(fmt.Sprintf("%v %v %d", who, k, n), func() bool { return r.line.count(who, k) >= n })
}

// listen has the server listen.
func (r *run) listen() {
	l, err := r.parties[server].listen(r.addrs[server], r.backlog, r.options[server]...)
	if err != nil {
		r.fail("server: listen = %s", outcome(err))
	}
	r.listens = l
}

// dial has the client connect, and notes how that ends.
func (r *run) dial() error {
	s, err := r.dialWith(0, nil)
	r.say("client: connect = %s", outcome(err))
	if err == nil {
		r.hold(client, s)
	}
	return err
}

// dialWith connects from the n-th port of the client's, with data by Fast Open.
func (r *run) dialWith(n int, data []byte) (sock, error) {
	from := netip.AddrPortFrom(r.addrs[client].Addr(), r.addrs[client].Port()+uint16(n))
	return r.parties[client].dial(from, r.addrs[server], data, r.options[client]...)
}

// hold makes a connection the one that the role's calls are about.
func (r *run) hold(who role, s sock) {
	if old := r.socks[who]; old != nil {
		r.others = append(r.others, old)
	}
	r.socks[who] = s
	r.sent[who], r.read[who.other()] = 0, 0
	r.sent[who.other()], r.read[who] = 0, 0
}

func (r *run) accept() {
	s, err := r.listens.accept()
	r.say("server: accept = %s", outcome(err))
	if err != nil {
		r.fail("no connection")
	}
	r.hold(server, s)
}

// open opens a connection.
func (r *run) open() {
	r.listen()
	r.connect()
}

func (r *run) connect() {
	if r.dial() != nil {
		r.fail("no connection")
	}
	r.accept()
	r.settle()
}

// write has an end write the next n octets of its stream.
func (r *run) write(who role, n int) { r.send(who, n, 0) }

func (r *run) send(who role, n int, f flags) {
	m, err := r.socks[who].send(r.next(who, n), f)
	name := map[flags]string{0: "write", oob: "write urgent", more: "write more", dontWait: "write at once"}[f]
	r.sent[who] += m
	switch {
	case m == n:
		r.say("%v: %s %d = %s", who, name, n, outcome(err))
	case m == 0:
		r.say("%v: %s %d = %s", who, name, n, outcome(err))
	default: // how much fits is the buffer's
		r.say("%v: %s %d = some, %s", who, name, n, outcome(err))
	}
}

// next is what an end writes next.
func (r *run) next(who role, n int) []byte {
	return stream(uint64(who)+1, r.sent[who]+n)[r.sent[who]:]
}

// receive has an end read exactly n octets, or to the end of the stream.
func (r *run) receive(who role, n int) {
	r.say("%s", r.drain(who, r.socks[who], n))
}

// ends has an end read once, which gives no data.
func (r *run) ends(who role) {
	n, err := r.socks[who].recv(make([]byte, 1), 0)
	if n > 0 {
		r.say("%v: read = %d octets", who, n)
		return
	}
	r.say("%v: read = %s", who, outcome(err))
}

// transfer has both ends write their streams at once, each to its end, and read that
// of the other.
func (r *run) transfer(n [2]int) {
	r.mark.bulk = true
	said := [2]chan string{make(chan string, 1), make(chan string, 1)}
	for who, s := range r.socks {
		b := r.next(role(who), n[who])
		r.sent[who] += n[who]
		go func() {
			m, err := s.send(b, 0)
			said[who] <- fmt.Sprintf("%v: write %d = %d, %s", role(who), len(b), m, outcome(err))
		}()
	}
	var wg sync.WaitGroup
	var got [2]string
	for who, s := range r.socks {
		wg.Add(1)
		go func() {
			defer wg.Done()
			got[who] = r.drain(role(who), s, n[1-who])
		}()
	}
	wg.Wait()
	for who := range said {
		r.say("%s", <-said[who])
		r.say("%s", got[who])
	}
}

// drain reads n octets of the other end's stream.
func (r *run) drain(who role, s sock, n int) string {
	b := make([]byte, n)
	got := 0
	var err error
	for got < n && err == nil {
		var m int
		m, err = s.recv(b[got:], 0)
		got += m
	}
	from := r.read[who]
	r.read[who] += got
	right := "right"
	if string(b[:got]) != string(stream(uint64(who.other())+1, from+got)[from:]) {
		right = "wrong"
	}
	return fmt.Sprintf("%v: read %d = %d %s, %s", who, n, got, right, outcome(err))
}

func (r *run) close(who role) {
	r.say("%v: close = %s", who, outcome(r.socks[who].close()))
	r.socks[who] = nil
}

// abort is close with SO_LINGER of 0.
func (r *run) abort(who role) {
	r.set(who, "SO_LINGER", 0)
	r.close(who)
}

func (r *run) closeWrite(who role) {
	r.say("%v: shutdown(SHUT_WR) = %s", who, outcome(r.socks[who].shutdown(false, true)))
}

func (r *run) set(who role, name string, value int) {
	if err := r.socks[who].set(option{name, value}); err != nil {
		r.say("%v: %s = %s", who, name, outcome(err))
	}
}

// states waits until the ends are in these states, which it notes.
func (r *run) states(c, s string) {
	want, got := [2]string{c, s}, [2]string{}
	for end := time.Now().Add(3 * time.Second); got != want && time.Now().Before(end); r.pause(4 * time.Millisecond) {
		for who := range got {
			got[who] = r.parties[who].state(r.addrs[who], r.addrs[1-who])
		}
	}
	r.say("states: %s, %s", got[client], got[server])
}

// A played is the trace of a run, in normal form.
type played struct {
	lines []string
	busy  bool // the machine was so late that times say little
}

// tooLate is how late the machine may be with a packet: beyond that the round trip is
// not what it should be, and what takes a round trip may look like a timeout.
const tooLate = delay

// play plays a situation once.
func (s *bout) play(w *world, c cast, n uint32) (p played) {
	l := &line{world: w, begin: time.Now()}
	r := &run{line: l, backlog: 16, family: c.family}
	addrs := addresses(c.family, n)
	for who := range addrs {
		p := uint16(clientPort)
		if role(who) == server {
			p = serverPort
		}
		r.addrs[who] = netip.AddrPortFrom(addrs[who], p)
		if l.ends[who], _ = wire.ParseAddr(addrs[who].String()); !l.ends[who].IsValid() {
			return played{lines: []string{"broken: no address"}}
		}
	}
	if s.faults != nil {
		l.faults = s.faults()
	}
	if c.impaired {
		l.faults = append(l.faults, s.impaired()...)
	}
	w.join(l)
	defer l.close()
	mtu := s.settings.mtu
	if mtu == 0 {
		mtu = 1500
	}
	for who := range r.parties {
		if c.tcpkit != role(who) {
			r.parties[who] = &kernelParty{w.ends[who]}
			continue
		}
		l.ports[who] = newPort(l, role(who), mtu)
		k, err := newTCPkitParty(l.ports[who], addrs[who], s.settings.ends[who])
		if err != nil {
			return played{lines: []string{"broken: " + err.Error()}}
		}
		r.parties[who] = k
	}
	defer r.clean()
	defer func() {
		switch why := recover().(type) {
		case nil:
		case stop:
			r.say("stopped: %s", why.why)
		default:
			panic(why)
		}
		if len(r.mark.did) > 0 {
			r.step()
		}
		p.lines = l.normal()
		l.mu.Lock()
		defer l.mu.Unlock()
		p.busy = l.late > tooLate
	}()
	s.script(r)
	return p
}

// clean gives back what the run has opened, without a word on the line.
func (r *run) clean() {
	r.line.close()
	for _, s := range append(r.others, r.socks[:]...) {
		if s != nil {
			_ = s.set(option{"SO_LINGER", 0}) // what is left is thrown away
			_ = s.close()
		}
	}
	if r.listens != nil {
		_ = r.listens.close()
	}
	for _, p := range r.parties {
		p.close()
	}
}
