package script

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// What poll and epoll tell, by the numbers of Linux.
const (
	pollIn   = 0x1 | 0x40  // POLLIN, POLLRDNORM
	pollOut  = 0x4 | 0x100 // POLLOUT, POLLWRNORM
	pollPri  = 0x2
	pollErr  = 0x8
	pollHup  = 0x10
	pollNval = 0x20
	readHup  = 0x2000 // POLLRDHUP
)

// events is Linux's tcp_poll.
func (s *socket) events() (v int64) {
	if len(s.reports) > 0 || s.error() != "" {
		v |= pollErr
	}
	switch {
	case s.listener != nil:
		if s.listener.Waiting() > 0 {
			v |= pollIn
		}
		return v
	case s.fast.deferred:
		return v | pollOut
	case s.conn == nil:
		return v | pollOut | pollHup
	}
	state := s.conn.State()
	readShut := s.readShut || peerClosed(s.conn) || state == tcp.Closed
	writeShut := s.writeShut || state == tcp.Closed
	if readShut && writeShut {
		v |= pollHup
	}
	if readShut {
		v |= pollIn | readHup
	}
	if state == tcp.SynSent || state == tcp.SynReceived && !s.connected {
		return v
	}
	if int64(s.conn.Readable()) >= max(s.lowat, 1) {
		v |= pollIn
	}
	if writeShut || s.writeable() {
		v |= pollOut
	}
	if s.conn.UrgentReady() {
		v |= pollPri
	}
	return v
}

// writeable reports whether there is room enough to wake a writer for: a third of
// the buffer, and half of what TCP_NOTSENT_LOWAT lets wait.
func (s *socket) writeable() bool {
	if low := int64(s.conn.NotSentLowAt()); low > 0 && 2*int64(s.conn.Unsent()) >= low {
		return false
	}
	return s.conn.Writable() > 0 && 2*s.conn.Writable() >= s.conn.Unacked()
}

// ask polls a descriptor for events. Who finds no room is woken when there is some.
func ask(d descriptor, wanted int64) int64 {
	v := d.events()
	if s, ok := d.(*socket); ok && s.conn != nil && v&pollOut == 0 {
		s.noSpace = true
	}
	return v & (wanted | pollErr | pollHup)
}

// until makes a call end by itself after so many milliseconds; less than 0: never.
func (p *PendingCall) until(timeout int64) {
	if timeout >= 0 && p.wake == clock.Never {
		p.wake = p.began.Add(clock.Duration(min(timeout, 1<<31)) * clock.Millisecond)
	}
}

// poll looks at sockets: poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 1000).
func (r *runner) poll(p *PendingCall) CallResult {
	c := p.call
	timeout, ok := arg(c, 2, -1)
	if !ok || len(c.Args) != 3 || c.Args[0].Kind != List {
		return notThis(c)
	}
	p.until(timeout)
	ready, differ := int64(0), ""
	for i := range c.Args[0].Items {
		item := &c.Args[0].Items[i]
		fd, ok1 := number(item, "fd")
		wanted, ok2 := number(item, "events")
		want, ok3 := number(item, "revents")
		if item.Kind != Struct || !ok1 || !ok2 || !ok3 {
			return notThis(c)
		}
		got := int64(0)
		if d := r.fd(fd); d != nil {
			got = ask(d, wanted)
		} else if fd >= 0 {
			got = pollNval
		}
		if got != 0 {
			ready++
		}
		if got != want && field(item, "revents") != nil {
			differ = "expected  revents = 0x" + strconv.FormatInt(want, 16) + "\n  actual    revents = 0x" + strconv.FormatInt(got, 16)
		}
	}
	if ready == 0 && timeout != 0 && r.now.Before(p.wake) {
		return blocks
	}
	return CallResult{ret: ready, differ: differ}
}
