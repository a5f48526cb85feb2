package script

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/tcp"
)

// openFile is open: what it names is a file of zeros without end.
func (r *runner) openFile(p *PendingCall) CallResult {
	if len(p.call.Args) < 2 {
		return notThis(p.call)
	}
	return r.open(p.call, &file{})
}

// pipeCall is pipe([3, 4]).
func (r *runner) pipeCall(p *PendingCall) CallResult {
	c := p.call
	if len(c.Args) < 1 || c.Args[0].Kind != List || len(c.Args[0].Items) != 2 {
		return notThis(c)
	}
	flags, ok := arg(c, 1, 0)
	in, ok1 := intOf(&c.Args[0].Items[0])
	out, ok2 := intOf(&c.Args[0].Items[1])
	if !ok || !ok1 || !ok2 {
		return notThis(c)
	}
	held := new(int64)
	nonblock := flags&constants["O_NONBLOCK"] != 0
	if o := r.openAt(in, &pipe{held: held, nonblock: nonblock}); o.stop != nil {
		return o
	}
	if o := r.openAt(out, &pipe{held: held, nonblock: nonblock, writes: true}); o.stop != nil {
		return o
	}
	return returns(0)
}

// readFile and writeFile are read and write of what is not a socket.
func (r *runner) readFile(d descriptor, p *PendingCall) CallResult {
	return transferFile(d, p.call, false)
}
func (r *runner) writeFile(d descriptor, p *PendingCall) CallResult {
	return transferFile(d, p.call, true)
}

func transferFile(d descriptor, c *Call, write bool) CallResult {
	t, ok := transferOf(c)
	if !ok {
		return notThis(c)
	}
	switch d := d.(type) {
	case *file:
		d.at += t.n
		return returns(t.n)
	case *pipe:
		return d.transfer(t.n, write)
	}
	return fails("EINVAL")
}

// transfer moves up to n octets into the pipe or out of it.
func (d *pipe) transfer(n int64, write bool) CallResult {
	room, way := *d.held, int64(-1)
	if write {
		room, way = pipeSize-*d.held, 1
	}
	switch moved := min(n, room); {
	case write != d.writes:
		return fails("EBADF")
	case moved > 0 || n == 0:
		*d.held += way * moved
		return returns(moved)
	case d.nonblock:
		return fails("EAGAIN")
	}
	return blocks
}

func (r *runner) closeFile(d descriptor, p *PendingCall) CallResult {
	fd, _ := arg(p.call, 0, -1)
	r.drop(fd)
	return returns(0)
}

// sendfile is sendfile(out, in, [offset], count).
func (r *runner) sendfile(p *PendingCall) CallResult {
	c := p.call
	to, bad := r.descriptorOf(c, 0)
	if to == nil {
		return bad
	}
	from, bad := r.descriptorOf(c, 1)
	if from == nil {
		return bad
	}
	n, ok := arg(c, 3, 0)
	if !ok || n < 0 || n > maxTransfer {
		return notThis(c)
	}
	f, isFile := from.(*file)
	s, isSocket := to.(*socket)
	if !isFile || !isSocket {
		return fails("EINVAL")
	}
	o := r.sendZeros(s, p, n, false)
	if o.ret > 0 && !o.block {
		f.at += o.ret
	}
	return o
}

// splice moves octets from or to a pipe: splice(in, NULL, out, NULL, n, flags).
func (r *runner) splice(p *PendingCall) CallResult {
	c := p.call
	from, bad := r.descriptorOf(c, 0)
	if from == nil {
		return bad
	}
	to, bad := r.descriptorOf(c, 2)
	if to == nil {
		return bad
	}
	n, ok1 := arg(c, 4, 0)
	flags, ok2 := arg(c, 5, 0)
	if !ok1 || !ok2 || n < 0 || n > maxTransfer {
		return notThis(c)
	}
	nonblock := flags&constants["SPLICE_F_NONBLOCK"] != 0
	in, fromPipe := from.(*pipe)
	out, toPipe := to.(*pipe)
	switch {
	case fromPipe && in.writes || toPipe && !out.writes:
		return fails("EBADF")
	case fromPipe && toPipe:
		n = min(n, *in.held, pipeSize-*out.held)
		*in.held -= n
		*out.held += n
		return returns(n)
	case fromPipe:
		n = min(n, *in.held)
		s, ok := to.(*socket)
		if !ok || n == 0 {
			*in.held -= n
			return returns(n)
		}
		o := r.sendZeros(s, p, n, nonblock)
		*in.held -= max(o.ret, 0)
		return o
	case !toPipe:
		return fails("EINVAL")
	}
	n = min(n, pipeSize-*out.held)
	if s, ok := from.(*socket); ok {
		t := transfer{n: n}
		if nonblock {
			t.flags = constants["MSG_DONTWAIT"]
		}
		if s.conn == nil {
			return fails("ENOTCONN")
		}
		if _, o, done := r.recvText(s, p, &t); !done {
			return o
		}
		n = int64(p.done)
	}
	*out.held += n
	return returns(n)
}

// sendZeros is a send of n zeros.
func (r *runner) sendZeros(s *socket, p *PendingCall, n int64, nonblock bool) CallResult {
	flags := Expr{Kind: Int}
	if nonblock {
		flags.Int = constants["MSG_DONTWAIT"]
	}
	c := Call{Name: "send", Args: []Expr{{}, {Kind: Default}, {Kind: Int, Int: n}, flags}}
	q := *p
	q.call = &c
	o := r.send(s, &q)
	p.done, p.wake = q.done, q.wake
	return o
}

func (r *runner) fcntl(s *socket, p *PendingCall) CallResult {
	return fcntl(p.call, &s.nonblock)
}

func (r *runner) fcntlFile(d descriptor, p *PendingCall) CallResult {
	if d, ok := d.(*pipe); ok {
		return fcntl(p.call, &d.nonblock)
	}
	return fcntl(p.call, new(bool))
}

func fcntl(c *Call, nonblock *bool) CallResult {
	cmd, ok1 := arg(c, 1, -1)
	value, ok2 := arg(c, 2, 0)
	switch {
	case !ok1 || !ok2:
	case cmd == constants["F_GETFL"]:
		v := constants["O_RDWR"]
		if *nonblock {
			v |= constants["O_NONBLOCK"]
		}
		return returns(v)
	case cmd == constants["F_SETFL"]:
		*nonblock = value&constants["O_NONBLOCK"] != 0
		return returns(0)
	case cmd == constants["F_GETFD"] || cmd == constants["F_SETFD"] || cmd == constants["F_SETOWN"] || cmd == constants["F_GETOWN"]:
		return returns(0)
	case cmd < 0 || cmd > 1100:
		return fails("EINVAL")
	}
	return notThis(c)
}

// ioctl tells how much can be read, or has not been acknowledged or sent.
func (r *runner) ioctl(s *socket, p *PendingCall) CallResult {
	c := p.call
	request, ok := arg(c, 1, -1)
	if !ok || len(c.Args) != 3 {
		return notThis(c)
	}
	var v int64
	switch request {
	case constants["FIONBIO"]:
		on, ok := arg(c, 2, 0)
		s.nonblock = on != 0
		if !ok {
			return notThis(c)
		}
		return returns(0)
	case constants["SIOCINQ"], constants["SIOCOUTQ"], constants["SIOCOUTQNSD"], constants["SIOCATMARK"]:
		if s.listener != nil {
			return fails("EINVAL")
		}
		if s.conn == nil {
			break
		}
		opening := s.conn.State() == tcp.SynSent || s.conn.State() == tcp.SynReceived
		switch {
		case request == constants["SIOCATMARK"]:
			v = flag(s.conn.AtMark())
		case opening:
		case request == constants["SIOCINQ"]:
			v = int64(s.conn.InQueue())
		case request == constants["SIOCOUTQ"]:
			v = int64(s.conn.OutQueue())
		default:
			v = int64(s.conn.NotSent())
		}
	default:
		return notThis(c)
	}
	o := returns(0)
	want := single(&c.Args[2])
	if isNull(want) {
		return fails("EFAULT")
	}
	if n, ok := intOf(want); ok && n != v {
		o.differ = "expected  " + strconv.FormatInt(n, 10) + "\n  actual    " + strconv.FormatInt(v, 10)
	}
	return o
}

func (r *runner) ioctlFile(d descriptor, p *PendingCall) CallResult {
	request, ok := arg(p.call, 1, -1)
	if q, isPipe := d.(*pipe); ok && isPipe && request == constants["FIONREAD"] && len(p.call.Args) == 3 {
		o := returns(0)
		if n, ok := arg(p.call, 2, 0); ok && n != *q.held {
			o.differ = differs("FIONREAD", p.call.Args[2].String(), *q.held)
		}
		return o
	}
	return fails("ENOTTY")
}
