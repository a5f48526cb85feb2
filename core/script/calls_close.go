package script

import (
	"errors"

	"github.com/tcpkit/tcpkit/core/tcp"
)

// closeSocket gives a descriptor back. With a linger time it waits until the peer has
// acknowledged everything, or the time is over.
func (r *runner) closeSocket(s *socket, p *PendingCall) CallResult {
	if p.sock == nil {
		r.drop(int64(s.fd))
		if s.listener != nil {
			s.listener.Close(r.now)
			s.listener = nil
			return returns(0)
		}
		if s.conn == nil {
			return returns(0)
		}
		linger := s.config().Linger
		wait := s.config().LingerTime
		if err := s.conn.Close(r.now); err != nil && !errors.Is(err, tcp.ErrNotExist) {
			return failsWith(err)
		}
		if !linger || wait == 0 {
			return returns(0)
		}
		p.sock, p.wake = s, r.now.Add(wait)
	}
	state, _ := r.State(s.conn.Local(), s.conn.Remote())
	if waits := state == tcp.FinWait1 || state == tcp.Closing || state == tcp.LastAck; waits && r.now.Before(p.wake) {
		return blocks
	}
	return returns(0)
}

// shutdown ends sending, reading or both. What has arrived can be read after
// SHUT_RD too, as on Linux.
func (r *runner) shutdown(s *socket, p *PendingCall) CallResult {
	how, ok := arg(p.call, 1, -1)
	if !ok || how < 0 || how > 2 {
		return fails("EINVAL")
	}
	reads, writes := how != constants["SHUT_WR"], how != constants["SHUT_RD"]
	if s.listener != nil {
		if reads { // it listens no more
			s.listener.Close(r.now)
			s.listener = nil
		}
		return returns(0)
	}
	if s.fast.deferred { // as in SYN-SENT
		s.fast.deferred = false
		return returns(0)
	}
	if s.conn == nil || s.conn.State() == tcp.Closed {
		return fails("ENOTCONN")
	}
	if s.conn.State() == tcp.SynSent { // Linux gives the open up, whatever was asked for
		r.unconnect(s)
		return returns(0)
	}
	s.readShut = s.readShut || reads
	if writes && !s.writeShut {
		s.writeShut = true
		if err := s.conn.CloseWrite(r.now); err != nil {
			return failsWith(err)
		}
	}
	if s.readShut && s.writeShut && s.conn.Readable() == 0 {
		// Nothing is left to be read: data that comes is answered with a reset (RFC 9293
		// §3.6.1 SHLD-3).
		_ = s.conn.CloseRead(r.now) // it may be over
	}
	return returns(0)
}
