package script

import (
	"errors"
	"strconv"

	"github.com/tcpkit/tcpkit/core/tcp"
)

// recv is read and its kin on a socket.
func (r *runner) recv(s *socket, p *PendingCall) CallResult {
	t, ok := transferOf(p.call)
	const known = 0x1 | 0x2 | 0x4 | 0x20 | 0x40 | 0x80 | 0x100 | 0x2000 | 0x4000 | 0x8000 | 0x40000000 // what Linux takes, or passes over
	if !ok || t.flags&^known != 0 {
		return notThis(p.call)
	}
	if t.msg == nil && t.null && p.call.Name == "recvmsg" {
		return fails("EFAULT")
	}
	switch {
	case t.flags&constants["MSG_ERRQUEUE"] != 0:
		return r.recvReport(s, p, &t)
	case s.fast.deferred:
		return r.would(s, p, t.flags, s.recvTimeout, "EAGAIN")
	case s.conn == nil:
		return fails("ENOTCONN")
	case t.flags&constants["MSG_OOB"] != 0:
		return r.recvUrgent(s, &t)
	}
	b, o, done := r.recvText(s, p, &t)
	if !done {
		return o
	}
	o = returns(int64(p.done))
	if want := t.text; want != "" && b != nil && string(b[:min(p.done, len(want))]) != want[:min(p.done, len(want))] {
		o.differ = "expected  the octets " + strconv.Quote(want) + "\n  actual    " + strconv.Quote(string(b[:p.done]))
	}
	if o.differ == "" && t.msg != nil {
		o.differ = r.compareMessage(&t, 0, r.ancillary(s, p.done))
	}
	return o
}

// recvText moves or copies octets that have arrived. done: the call is over, with
// p.done octets; else the outcome says how it goes on.
func (r *runner) recvText(s *socket, p *PendingCall, t *transfer) (b []byte, o CallResult, done bool) {
	peek := t.flags&constants["MSG_PEEK"] != 0
	n := int(t.n)
	target := int(min(max(s.lowat, 1), t.n))
	if t.flags&constants["MSG_WAITALL"] != 0 {
		target = n
	}
	if n == 0 {
		return nil, o, true
	}
	if t.null && t.flags&constants["MSG_TRUNC"] == 0 && s.conn.Readable() > 0 {
		return nil, fails("EFAULT"), false
	}
	b = make([]byte, n)
	if peek {
		p.done = 0
	}
	for p.done < n {
		if p.done > 0 && s.conn.AtMark() { // no read crosses the mark of urgent data
			return b, o, true
		}
		var got int
		var err error
		if peek {
			if got = s.conn.Peek(p.done, b[p.done:]); got == 0 {
				if p.done > 0 {
					break
				}
				if _, err = s.conn.Read(r.now, nil); err == nil {
					err = tcp.ErrWouldBlock
				}
			}
		} else {
			got, err = s.conn.Read(r.now, b[p.done:])
			s.read += int64(got)
		}
		p.done += got
		switch {
		case err == nil && got > 0:
			continue
		case p.done >= target, p.done > 0 && err != nil && !errors.Is(err, tcp.ErrWouldBlock):
			return b, o, true
		case s.pending != "" && p.done == 0:
			return b, fails(s.takeError()), false
		case (errors.Is(err, tcp.ErrWouldBlock) || err == nil) && s.readShut:
			return b, o, true // 0, or what there was
		case errors.Is(err, tcp.ErrWouldBlock) || err == nil:
			if o = r.would(s, p, t.flags, s.recvTimeout, "EAGAIN"); p.done > 0 && !o.block {
				return b, o, true
			}
			return b, o, false
		case errors.Is(err, tcp.ErrEOF):
			return b, o, true
		}
		if errno := s.takeError(); errno != "" {
			return b, fails(errno), false
		}
		return b, o, true // the error was told before
	}
	return b, o, true
}

// recvUrgent is recv with MSG_OOB: the urgent octet that is not in the stream.
func (r *runner) recvUrgent(s *socket, t *transfer) CallResult {
	if t.n == 0 {
		return returns(0)
	}
	b, err := s.conn.ReadUrgent(r.now, t.flags&constants["MSG_PEEK"] != 0)
	switch {
	case errors.Is(err, tcp.ErrEOF):
		return returns(0)
	case err != nil:
		return failsWith(err)
	}
	o := returns(1)
	if t.text != "" && t.text[0] != b {
		o.differ = "expected  the octet " + strconv.Quote(t.text[:1]) + "\n  actual    " + strconv.Quote(string(rune(b)))
	}
	if t.msg != nil && o.differ == "" {
		o.differ = r.compareMessage(t, constants["MSG_OOB"], nil)
	}
	return o
}
