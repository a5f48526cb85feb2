package script

import (
	"errors"

	"github.com/tcpkit/tcpkit/core/tcp"
)

// send is write and its kin on a socket.
func (r *runner) send(s *socket, p *PendingCall) CallResult {
	t, ok := transferOf(p.call)
	const known = 0x1 | 0x4 | 0x40 | 0x80 | 0x4000 | 0x8000 | 0x4000000 | 0x20000000 // what Linux takes, or passes over
	if !ok || t.flags&^known != 0 {
		return notThis(p.call)
	}
	if t.msg == nil && t.null && p.call.Name == "sendmsg" {
		return fails("EFAULT")
	}
	b := make([]byte, t.n)
	copy(b, t.text)
	fast := b
	if t.null && t.n > 0 {
		fast = nil // nothing can go with the SYN, which is all that happens for now
	}
	if o, done := r.sendFast(s, p, t.flags, fast); done {
		s.written += max(o.ret, 0)
		return o
	}
	if s.conn == nil {
		return fails("EPIPE")
	}
	dontWait := s.nonblock || t.flags&constants["MSG_DONTWAIT"] != 0
	opening := !s.connected && (s.conn.State() == tcp.SynSent || s.conn.State() == tcp.SynReceived)
	switch {
	case s.conn.Err() != nil || s.writeShut || s.pending != "":
		if p.done > 0 {
			return returns(int64(p.done))
		}
		// An error is told once, then there is only a broken pipe.
		if errno := s.takeError(); errno != "" {
			return fails(errno)
		}
		return fails("EPIPE")
	case opening && dontWait:
		return fails("EAGAIN")
	case t.null && t.n > 0:
		return fails("EFAULT")
	}
	if _, errno := s.sendStamping(t.control); errno != "" {
		return fails(errno)
	}
	for p.done < len(b) {
		put, err := r.write(s, b[p.done:], t.flags)
		p.done += put
		s.written += int64(put)
		switch {
		case errors.Is(err, tcp.ErrWouldBlock):
			s.noSpace = true
			o := r.would(s, p, t.flags, s.sendTimeout, "EAGAIN")
			if p.done > 0 && !o.block {
				return r.sent(s, p, &t)
			}
			return o
		case err != nil && p.done > 0:
			return r.sent(s, p, &t)
		case err != nil:
			return failsWith(err)
		}
	}
	if opening { // the data is queued; the call waits for the connection
		return blocks
	}
	return r.sent(s, p, &t)
}

// write gives octets to the connection, with what the flags say of them.
func (r *runner) write(s *socket, b []byte, flags int64) (int, error) {
	switch {
	case flags&constants["MSG_OOB"] != 0:
		return s.conn.WriteUrgent(r.now, b)
	case flags&constants["MSG_EOR"] != 0:
		return s.conn.WriteEOR(r.now, b)
	case flags&constants["MSG_MORE"] != 0:
		return s.conn.WriteMore(r.now, b)
	}
	return s.conn.Write(r.now, b)
}

// sent is the end of a call that has written something.
func (r *runner) sent(s *socket, p *PendingCall, t *transfer) CallResult {
	stamping, _ := s.sendStamping(t.control)
	if p.done > 0 {
		r.noteZero(s, t.flags, p.done)
		r.noteStamp(s, stamping)
	}
	return returns(int64(p.done))
}

// sendStamping is what is to be reported of a call: what SO_TIMESTAMPING has asked
// for, and what msg_control adds for this call alone.
func (s *socket) sendStamping(control *Expr) (flags int64, errno string) {
	flags = s.stamping
	if control == nil {
		return flags, ""
	}
	for i := range control.Items {
		c := &control.Items[i]
		level, ok1 := number(c, "cmsg_level")
		kind, ok2 := number(c, "cmsg_type")
		v, ok3 := number(c, "cmsg_data")
		if !ok1 || !ok2 || level != constants["SOL_SOCKET"] {
			continue // of another layer
		}
		switch kind {
		case constants["SO_TIMESTAMPING"]:
			if !ok3 {
				return 0, "EINVAL"
			}
			flags |= v
		case constants["SO_MARK"], constants["SO_PRIORITY"], constants["SCM_TXTIME"]:
		default:
			return 0, "EINVAL"
		}
	}
	return flags, ""
}
