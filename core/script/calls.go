package script

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
)

func returns(v int64) CallResult { return CallResult{ret: v} }

func fails(errno string) CallResult { return CallResult{ret: -1, errno: errno} }

func failsWith(err error) CallResult { return fails(errnoOf(err)) }

func cannot(what string) CallResult { return CallResult{stop: unsupported(what)} }

var blocks = CallResult{block: true}

// would is what a call comes to that has nothing to do now: EAGAIN where it may not
// block, or has blocked for as long as it may; else it waits for others.
func (r *runner) would(s *socket, p *PendingCall, flags int64, limit clock.Duration, errno string) CallResult {
	if s.nonblock || flags&constants["MSG_DONTWAIT"] != 0 {
		return fails(errno)
	}
	if limit > 0 {
		p.wake = p.began.Add(limit)
		if !r.now.Before(p.wake) {
			return fails(errno)
		}
	}
	return blocks
}

// call is a system call that works on a descriptor.
type call struct {
	socket func(r *runner, s *socket, p *PendingCall) CallResult    // on a socket
	other  func(r *runner, d descriptor, p *PendingCall) CallResult // on something else; nil: it must be a socket
}

// calls are the system calls that begin with a descriptor.
var calls = map[string]call{
	"bind": {socket: (*runner).bind}, "listen": {socket: (*runner).listen}, "connect": {socket: (*runner).connect},
	"accept": {socket: (*runner).accept}, "accept4": {socket: (*runner).accept},
	"read": {(*runner).recv, (*runner).readFile}, "readv": {(*runner).recv, (*runner).readFile},
	"recv": {socket: (*runner).recv}, "recvfrom": {socket: (*runner).recv}, "recvmsg": {socket: (*runner).recv},
	"write": {(*runner).send, (*runner).writeFile}, "writev": {(*runner).send, (*runner).writeFile},
	"send": {socket: (*runner).send}, "sendto": {socket: (*runner).send}, "sendmsg": {socket: (*runner).send},
	"close": {(*runner).closeSocket, (*runner).closeFile}, "shutdown": {socket: (*runner).shutdown},
	"setsockopt": {socket: (*runner).setsockopt}, "getsockopt": {socket: (*runner).getsockopt},
	"getsockname": {socket: (*runner).getname}, "getpeername": {socket: (*runner).getname},
	"fcntl": {(*runner).fcntl, (*runner).fcntlFile}, "ioctl": {(*runner).ioctl, (*runner).ioctlFile},
}

// otherCalls are the system calls that do not.
var otherCalls = map[string]func(r *runner, p *PendingCall) CallResult{
	"socket": (*runner).socketCall, "poll": (*runner).poll, "open": (*runner).openFile, "pipe": (*runner).pipeCall, "pipe2": (*runner).pipeCall,
	"sendfile": (*runner).sendfile, "splice": (*runner).splice, "cap_set": (*runner).capSet,
	"epoll_create": (*runner).epollCreate, "epoll_create1": (*runner).epollCreate, "epoll_ctl": (*runner).epollCtl, "epoll_wait": (*runner).epollWait,
}

// do runs the handler of a call.
func (r *runner) do(p *PendingCall) CallResult {
	if h, ok := otherCalls[p.call.Name]; ok {
		return h(r, p)
	}
	h, ok := calls[p.call.Name]
	if !ok {
		return cannot("the call " + p.call.Name + " is not supported")
	}
	if p.sock != nil { // a close that lingers
		return h.socket(r, p.sock, p)
	}
	d, bad := r.descriptorOf(p.call, 0)
	if d == nil {
		return bad
	}
	if s, ok := d.(*socket); ok {
		return h.socket(r, s, p)
	}
	if h.other == nil {
		return fails("ENOTSOCK")
	}
	return h.other(r, d, p)
}

// descriptorOf is what the i-th argument stands for; nil: the outcome says why not.
func (r *runner) descriptorOf(c *Call, i int) (descriptor, CallResult) {
	fd, ok := arg(c, i, -1)
	if !ok || len(c.Args) <= i {
		return nil, cannot("the call " + c.Name + " needs a descriptor")
	}
	d := r.fd(fd)
	if d == nil {
		return nil, fails("EBADF")
	}
	return d, CallResult{}
}

// capSet gives up rights, which nothing here asks for.
func (r *runner) capSet(p *PendingCall) CallResult { return returns(0) }

// notThis is a call with arguments that are not understood.
func notThis(c *Call) CallResult {
	return cannot("this " + c.Name + " is not supported: " + string(c.append(nil)))
}

// differs says that an out parameter is not as the script has it.
func differs(what string, want string, got int64) string {
	return "expected  " + what + " = " + want + "\n  actual    " + what + " = " + strconv.FormatInt(got, 10)
}
