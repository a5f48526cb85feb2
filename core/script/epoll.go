package script

import (
	"slices"
	"strconv"

	"github.com/tcpkit/tcpkit/core/tcp"
)

// epoll is what epoll_create makes: descriptors and what is to be told of each.
type epoll struct{ watches []*watch }

// watch is one descriptor of an epoll.
type watch struct {
	fd     int64
	d      descriptor
	wanted int64 // EPOLLIN and so on, EPOLLET, EPOLLONESHOT
	data   int64 // what the user gets back
	ready  bool  // something has happened since it was last told, for EPOLLET
}

func (e *epoll) events() int64 {
	for _, w := range e.watches {
		if w.now() != 0 {
			return pollIn
		}
	}
	return 0
}

// now is what epoll_wait would tell of a descriptor.
func (w *watch) now() int64 {
	if w.wanted&constants["EPOLLET"] != 0 && !w.ready || w.disabled() {
		return 0
	}
	return ask(w.d, w.wanted)
}

// disabled reports whether EPOLLONESHOT has told its one event.
func (w *watch) disabled() bool {
	flags := constants["EPOLLET"] | constants["EPOLLONESHOT"] | constants["EPOLLEXCLUSIVE"] | constants["EPOLLWAKEUP"]
	return w.wanted&^flags == 0 && w.wanted&constants["EPOLLONESHOT"] != 0
}

// forget takes a descriptor out that was closed.
func (e *epoll) forget(d descriptor) {
	e.watches = slices.DeleteFunc(e.watches, func(w *watch) bool { return w.d == d })
}

// epollCreate is epoll_create and epoll_create1.
func (r *runner) epollCreate(p *PendingCall) CallResult {
	n, ok := arg(p.call, 0, 1)
	switch {
	case !ok:
		return notThis(p.call)
	case p.call.Name == "epoll_create" && n <= 0, p.call.Name == "epoll_create1" && n&^constants["EPOLL_CLOEXEC"] != 0:
		return fails("EINVAL")
	}
	return r.open(p.call, &epoll{})
}

// epollCtl is epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}).
func (r *runner) epollCtl(p *PendingCall) CallResult {
	c := p.call
	op, ok := arg(c, 1, 0)
	if !ok || len(c.Args) < 3 {
		return notThis(c)
	}
	x, bad := r.descriptorOf(c, 0)
	if x == nil {
		return bad
	}
	d, bad := r.descriptorOf(c, 2)
	if d == nil {
		return bad
	}
	e, isEpoll := x.(*epoll)
	_, isFile := d.(*file)
	switch {
	case isFile:
		return fails("EPERM")
	case !isEpoll || x == d:
		return fails("EINVAL")
	}
	fd, _ := arg(c, 2, 0)
	i := slices.IndexFunc(e.watches, func(w *watch) bool { return w.fd == fd && w.d == d })
	if op == constants["EPOLL_CTL_DEL"] {
		if i < 0 {
			return fails("ENOENT")
		}
		e.watches = slices.Delete(e.watches, i, i+1)
		return returns(0)
	}
	if len(c.Args) < 4 || isNull(&c.Args[3]) {
		return fails("EFAULT")
	}
	what := single(&c.Args[3])
	wanted, ok1 := number(what, "events")
	data, ok2 := number(what, "fd", "ptr", "u32", "u64")
	if what.Kind != Struct || !ok1 || !ok2 {
		return notThis(c)
	}
	w := &watch{fd: fd, d: d, wanted: wanted, data: data, ready: true} // it is looked at once, whatever has happened
	switch {
	case op == constants["EPOLL_CTL_ADD"] && i >= 0:
		return fails("EEXIST")
	case op == constants["EPOLL_CTL_ADD"]:
		e.watches = append(e.watches, w)
	case op == constants["EPOLL_CTL_MOD"] && i < 0:
		return fails("ENOENT")
	case op == constants["EPOLL_CTL_MOD"]:
		e.watches[i] = w
	default:
		return fails("EINVAL")
	}
	w.ready = ask(d, wanted) != 0
	if s, ok := d.(*socket); ok {
		s.seen = r.look(s)
	}
	return returns(0)
}

// told is what epoll_wait gives to its user.
type told struct{ events, data int64 }

// epollWait is epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 1000).
func (r *runner) epollWait(p *PendingCall) CallResult {
	c := p.call
	most, ok1 := arg(c, 2, 1)
	timeout, ok2 := arg(c, 3, -1)
	if !ok1 || !ok2 || len(c.Args) < 4 {
		return notThis(c)
	}
	d, bad := r.descriptorOf(c, 0)
	if d == nil {
		return bad
	}
	e, ok := d.(*epoll)
	if !ok || most <= 0 {
		return fails("EINVAL")
	}
	p.until(timeout)
	var list []told
	for _, w := range e.watches {
		if int64(len(list)) == most {
			break
		}
		v := w.now()
		w.ready = false
		if v == 0 {
			continue
		}
		list = append(list, told{v, w.data})
		if w.wanted&constants["EPOLLONESHOT"] != 0 {
			w.wanted = constants["EPOLLONESHOT"]
		}
	}
	if len(list) == 0 && timeout != 0 && r.now.Before(p.wake) {
		return blocks
	}
	return CallResult{ret: int64(len(list)), differ: compareTold(&c.Args[1], list)}
}

// compareTold compares what epoll_wait has told with the script, in any order.
func compareTold(e *Expr, list []told) string {
	if e.Kind == Default || len(list) == 0 {
		return ""
	}
	items := []Expr{*e}
	if e.Kind == List {
		items = e.Items
	}
	left := slices.Clone(list)
	for i := range items[:min(len(items), len(list))] {
		x := &items[i]
		events, ok1 := number(x, "events")
		data, ok2 := number(x, "fd", "ptr", "u32", "u64")
		hasData := field(x, "fd", "ptr", "u32", "u64") != nil
		k := slices.IndexFunc(left, func(t told) bool { return ok1 && ok2 && t.events == events && (!hasData || t.data == data) })
		if k < 0 {
			return "expected  " + x.String() + "\n  actual    {events=0x" + strconv.FormatInt(left[0].events, 16) + ", fd=" + strconv.FormatInt(left[0].data, 10) + "}"
		}
		left = slices.Delete(left, k, k+1)
	}
	return ""
}

// seen is what a socket was like when it was last looked at.
type seen struct {
	received uint64
	state    tcp.State
	failed   bool
	reports  int
	waiting  int
	urgent   bool
}

// look is what a socket is like now.
func (r *runner) look(s *socket) seen {
	now := seen{reports: len(s.reports), failed: s.error() != ""}
	if s.listener != nil {
		now.waiting = s.listener.Waiting()
	}
	if s.conn != nil {
		now.received, now.state, now.urgent = s.conn.Info(r.now).BytesReceived, s.conn.State(), s.conn.UrgentReady()
	}
	return now
}

// noticeEpoll tells the epolls what has happened to sockets, as Linux's callbacks do:
// data has come, there is room for a writer who found none, the state has changed.
func (r *runner) noticeEpoll() {
	watched := false
	for _, d := range r.fds {
		_, ok := d.(*epoll)
		watched = watched || ok
	}
	if !watched {
		return
	}
	r.sockets(func(s *socket) {
		was, now, happened := s.seen, r.look(s), int64(0)
		s.seen = now
		if s.conn != nil && s.noSpace && s.writeable() {
			s.noSpace = false
			happened |= pollOut
		}
		if now.received != was.received || now.waiting > was.waiting {
			happened |= pollIn
		}
		if now.urgent && !was.urgent {
			happened |= pollPri
		}
		if now.reports > was.reports || now.failed && !was.failed {
			happened |= pollErr
		}
		if now.state != was.state {
			happened = -1
		}
		if happened == 0 {
			return
		}
		for _, d := range r.fds {
			e, ok := d.(*epoll)
			if !ok {
				continue
			}
			for _, w := range e.watches {
				if w.d == descriptor(s) && happened&(w.wanted|pollErr|pollHup) != 0 {
					w.ready = true
				}
			}
		}
	})
}
