package script

import (
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core/clock"
)

// A PendingCall is a call in progress.
type PendingCall struct {
	event *Event
	call  *Call
	began clock.Instant
	due   clock.Instant // when a blocking call must return
	slack clock.Duration
	over  bool

	// For the runner, which runs a handler again whenever something has happened,
	// until it no longer would block.
	wake  clock.Instant // when it ends by itself; Never
	done  int           // octets so far, or another sign of progress
	sock  *socket       // of a close that lingers
	opens bool          // it has opened the connection that it waits for
}

// A CallResult is what a call has come to.
type CallResult struct {
	ret    int64
	errno  string
	block  bool
	differ string // an out parameter that is not as the script says
	stop   *Problem
}

// call begins the system call of an event.
func (j *judge) call(e *Event) *Problem {
	c := e.Call
	// packetdrill lets a second blocking call wait for up to a second.
	for limit := j.sys.Now().Add(clock.Second); c.Blocking && j.blocked != nil; {
		more, p := j.sys.Wait(limit)
		if p != nil {
			return p
		}
		if !more {
			return failed("expected the call before this one to have returned")
		}
	}
	now := j.sys.Now()
	p := &PendingCall{event: e, call: c, began: now, due: now, wake: clock.Never}
	if c.Blocking {
		p.due = Origin.Add(c.End)
		if e.Time.Kind == Relative {
			p.due = now.Add(c.End - e.Time.At)
		}
		p.slack = max(j.tolerance, p.due.Sub(now)/1000*clock.Duration(j.perMille))
	}
	if _, text, ok := size(c); ok && (strings.HasPrefix(c.Name, "write") || strings.HasPrefix(c.Name, "send")) {
		j.text = j.text || strings.Trim(text, "\x00") != ""
	}
	j.climb(string(c.append(nil)))
	if c.Blocking {
		j.blocked = p
	}
	if bad := j.sys.Call(p); bad != nil {
		return bad
	}
	if !p.over && !c.Blocking {
		return failed("expected the call to return at once\n  actual    it would block")
	}
	return nil
}

// Returned implements Judge: it compares what a call has come to with what the script says.
func (j *judge) Returned(p *PendingCall, at clock.Instant, o CallResult) *Problem {
	p.over = true
	if j.blocked == p {
		j.blocked = nil
		j.climb("... " + p.call.Name + " returns")
	}
	fail := func(bad *Problem) *Problem {
		bad.pos = p.event.Pos
		return bad
	}
	if o.stop != nil {
		return fail(o.stop)
	}
	want := &p.call.Result
	same := true
	if want.Kind != Default {
		v, ok := intOf(want)
		if !ok {
			return fail(unsupported("the result " + want.String() + " is not known"))
		}
		same = v == o.ret && (p.call.Errno == "" || constants[p.call.Errno] == constants[o.errno] && o.errno != "")
	}
	if !same {
		text := "expected  " + p.call.Name + " = " + want.String()
		if p.call.Errno != "" {
			text += " " + p.call.Errno
		}
		text += "\n  actual    " + p.call.Name + " = " + strconv.FormatInt(o.ret, 10)
		if o.errno != "" {
			text += " " + o.errno
		}
		bad := failed(text)
		if v, ok := intOf(want); ok {
			bad.upstream = resultWords(p.call, v, &o)
		}
		return fail(bad)
	}
	if o.differ != "" {
		return fail(failed(o.differ))
	}
	if off := at.Sub(p.due); p.call.Blocking && max(off, -off) > p.slack {
		return fail(failed("expected  " + p.call.Name + " to return at " + seconds(p.due) + "\n  actual    it returned at " + seconds(at)))
	}
	return nil
}
