package script

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// descriptor is what a number of the script stands for: a *socket, *epoll, *pipe or
// *file.
type descriptor interface {
	// events is what poll tells of it now, all that can be asked for.
	events() int64
}

// socket is Linux's socket, as far as scripts see it, around the engine's connection
// or listener.
type socket struct {
	fd       int
	domain   int64
	nonblock bool
	bound    bool
	local    wire.AddrPort
	cfg      *tcp.Config         // what its options have made of the configuration
	own      []func(*tcp.Config) // those options, for when the configuration changes under them
	listener *core.Listener
	conn     *core.Conn
	stored   []stored // options that mean nothing here, for getsockopt
	device   string   // SO_BINDTODEVICE
	fast     fastSocket

	sendBuffer, receiveBuffer int64          // what SO_SNDBUF and SO_RCVBUF have asked for; 0: nothing
	sendTimeout, recvTimeout  clock.Duration // 0: none
	lowat                     int64          // SO_RCVLOWAT; 0 and 1: one octet
	inq                       bool           // TCP_INQ
	recvErr                   bool           // IP_RECVERR
	zerocopy                  bool           // SO_ZEROCOPY
	corked, slowAck           bool           // TCP_CORK; TCP_QUICKACK was switched off
	linger2, deferAccept      int64          // TCP_LINGER2, TCP_DEFER_ACCEPT
	clamp                     int64          // TCP_WINDOW_CLAMP
	stamping                  int64          // SO_TIMESTAMPING
	read, written             int64          // octets that the user has read and written
	connected                 bool           // connect has told of its success, or accept of it
	errTaken                  bool           // Linux tells an error once
	why, pending              string         // what ICMP said: why the connection ended, and an error that it has survived
	readShut, writeShut       bool
	noSpace                   bool // somebody waits for room
	seen                      seen
	limits                    limits
	reports                   []report // the error queue
	zeroID                    uint32
	zeros                     []zeroSend
	stampBase                 int64
	stamps                    []stampSend
	arrivals                  []arrival
}

// stored is an option that is accepted and given back.
type stored struct{ level, name, value int64 }

// pipe is both ends of a pipe, which holds nothing but zeros.
type pipe struct {
	held     *int64
	nonblock bool
	writes   bool
}

// file is a file that was opened: zeros without end.
type file struct{ at int64 }

// pipeSize is how much a pipe holds.
const pipeSize = 65536

func (p *pipe) events() int64 {
	const in, out = 1 | 0x40, 4 | 0x100
	switch {
	case p.writes && *p.held < pipeSize:
		return out
	case !p.writes && *p.held > 0:
		return in
	}
	return 0
}

func (f *file) events() int64 { return 1 | 4 | 0x40 | 0x100 }

// maxFD bounds descriptors.
const maxFD = 1 << 12

// fd is the descriptor of a number.
func (r *runner) fd(n int64) descriptor {
	if n < 0 || n >= int64(len(r.fds)) {
		return nil
	}
	return r.fds[n]
}

// sockets calls f for each socket of the script.
func (r *runner) sockets(f func(s *socket)) {
	for _, d := range r.fds {
		if s, ok := d.(*socket); ok {
			f(s)
		}
	}
}

// open binds the descriptor that the script names in a call's result to d.
func (r *runner) open(c *Call, d descriptor) CallResult {
	fd, ok := intOf(&c.Result)
	if c.Result.Kind == Default {
		fd, ok = int64(len(r.fds)), true
	}
	if !ok || fd < 0 {
		return returns(int64(len(r.fds))) // it has succeeded, the script says it fails
	}
	return r.openAt(fd, d)
}

func (r *runner) openAt(fd int64, d descriptor) CallResult {
	switch {
	case fd < 0 || fd >= maxFD:
		return cannot("a descriptor of " + strconv.FormatInt(fd, 10) + " is not supported")
	case r.fd(fd) != nil:
		return CallResult{stop: failed("expected a descriptor that is not in use")}
	}
	for int64(len(r.fds)) <= fd {
		r.fds = append(r.fds, nil)
	}
	if s, ok := d.(*socket); ok {
		s.fd = int(fd)
	}
	r.fds[fd] = d
	return returns(fd)
}

// drop gives a descriptor back, and takes it out of every epoll.
func (r *runner) drop(fd int64) {
	d := r.fds[fd]
	r.fds[fd] = nil
	for _, x := range r.fds {
		if e, ok := x.(*epoll); ok {
			e.forget(d)
		}
	}
}

// config is what a socket goes by. It must not be changed.
func (s *socket) config() *tcp.Config {
	if s.conn != nil {
		return s.conn.Config()
	}
	return s.cfg
}

// adjust changes what a socket goes by, for good: also when a sysctl changes the
// configuration under it.
func (r *runner) adjust(s *socket, change func(*tcp.Config)) {
	s.own = append(s.own, change)
	own := *s.config()
	change(&own)
	r.configure(s, &own)
}

// configure makes a socket go by cfg.
func (r *runner) configure(s *socket, cfg *tcp.Config) {
	s.cfg = cfg
	switch {
	case s.listener != nil:
		s.listener.SetConfig(cfg)
	case s.conn != nil:
		_ = s.conn.SetConfig(r.now, cfg) // it may be over
	}
}

func (s *socket) store(level, name, value int64) {
	for i := range s.stored {
		if s.stored[i].level == level && s.stored[i].name == name {
			s.stored[i].value = value
			return
		}
	}
	s.stored = append(s.stored, stored{level, name, value})
}
