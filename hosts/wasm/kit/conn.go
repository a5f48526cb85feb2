package kit

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins"
)

// Listen opens the port and perhaps address that the buffer holds, as ":80" or
// "10.0.0.1:80", and returns a listener. A negative backlog is the default.
func (k *Kit) Listen(handle int32, now int64, backlog int32, size uint32) int32 {
	text, err := k.text(size)
	if err != nil {
		return k.fail(err)
	}
	local, err := parseEndpoint(text)
	if err != nil {
		return k.fail(err)
	}
	s, t, err := k.at(handle, now)
	if err != nil {
		return k.fail(err)
	}
	l, err := s.Listen(t, local, core.ListenOptions{Backlog: int(backlog)})
	if err != nil {
		return k.fail(err)
	}
	n := s.listeners.add(l, 1<<placeBits-1)
	if n == 0 {
		l.Close(t)
		return k.fail(tcp.ErrResources)
	}
	return n
}

// Dial opens a connection to the endpoint that the buffer holds, from a local one that
// may stand behind it and a blank. It returns the connection's number.
func (k *Kit) Dial(handle int32, now int64, size uint32) int32 {
	text, err := k.text(size)
	if err != nil {
		return k.fail(err)
	}
	to, from := cut(text, ' ')
	remote, err := parseEndpoint(to)
	if err != nil {
		return k.fail(err)
	}
	if from == "" {
		from = ":0"
	}
	local, err := parseEndpoint(from)
	if err != nil {
		return k.fail(err)
	}
	s, t, err := k.at(handle, now)
	if err != nil {
		return k.fail(err)
	}
	c, err := s.Dial(t, local, remote, nil)
	if err != nil {
		return k.fail(err)
	}
	return k.hold(s, t, c)
}

// hold returns the number of a connection that the caller has from now on.
func (k *Kit) hold(s *stack, now clock.Instant, c *core.Conn) int32 {
	id := c.ID()
	if int32(id) <= 0 {
		c.Abort(now)
		return k.fail(tcp.ErrResources)
	}
	s.conns[id] = c
	return int32(id)
}

// listener finds a listener of a stack.
func (k *Kit) listener(handle, listener int32, now int64) (*stack, *core.Listener, clock.Instant, error) {
	s, t, err := k.at(handle, now)
	if err != nil {
		return nil, nil, 0, err
	}
	l := s.listeners.find(listener)
	if l == nil {
		return nil, nil, 0, errHandle
	}
	return s, l.value, t, nil
}

// Accept returns the number of the next connection, Again without one.
func (k *Kit) Accept(handle, listener int32, now int64) int32 {
	s, l, t, err := k.listener(handle, listener, now)
	if err != nil {
		return k.fail(err)
	}
	c, err := l.Accept(t)
	if err != nil {
		return k.number(0, err)
	}
	return k.hold(s, t, c)
}

// Unlisten closes a listener.
func (k *Kit) Unlisten(handle, listener int32, now int64) int32 {
	s, l, t, err := k.listener(handle, listener, now)
	if err != nil {
		return k.fail(err)
	}
	l.Close(t)
	s.listeners.remove(listener)
	return 0
}

// conn finds a connection of a stack.
func (k *Kit) conn(handle, conn int32, now int64) (*stack, *core.Conn, clock.Instant, error) {
	s, t, err := k.at(handle, now)
	if err != nil {
		return nil, nil, 0, err
	}
	c := s.conns[uint32(conn)]
	if c == nil {
		return nil, nil, 0, tcp.ErrNotExist
	}
	return s, c, t, nil
}

// Read leaves at most so many octets in the buffer and returns how many: 0 at the end
// of the stream, Again if there are none yet.
func (k *Kit) Read(handle, conn int32, now int64, most uint32) int32 {
	_, c, t, err := k.conn(handle, conn, now)
	if err != nil {
		return k.fail(err)
	}
	k.Room(uint32(min(int64(most), int64(c.Readable()), bufferMost)))
	n, err := c.Read(t, k.Buffer[:min(int64(most), int64(len(k.Buffer)))])
	if err == tcp.ErrEOF {
		return 0
	}
	return k.number(n, err)
}

// Write returns how many of the octets in the buffer were taken, Again if none
// could be.
func (k *Kit) Write(handle, conn int32, now int64, size uint32) int32 {
	b, err := k.given(size)
	if err != nil {
		return k.fail(err)
	}
	_, c, t, err := k.conn(handle, conn, now)
	if err != nil {
		return k.fail(err)
	}
	return k.number(c.Write(t, b))
}

// What Shutdown ends.
const (
	ShutRead  = 1
	ShutWrite = 2
)

// Shutdown ends one direction of a connection.
func (k *Kit) Shutdown(handle, conn int32, now int64, what uint32) int32 {
	_, c, t, err := k.conn(handle, conn, now)
	switch {
	case err != nil:
	case what == ShutRead:
		err = c.CloseRead(t)
	case what == ShutWrite:
		err = c.CloseWrite(t)
	default:
		err = tcp.ErrInvalid
	}
	return k.done(err)
}

// Close closes a connection, which the caller does not hold any more then.
func (k *Kit) Close(handle, conn int32, now int64) int32 {
	s, c, t, err := k.conn(handle, conn, now)
	if err == nil {
		delete(s.conns, uint32(conn))
		err = c.Close(t)
	}
	return k.done(err)
}

// Abort resets a connection, which the caller does not hold any more then.
func (k *Kit) Abort(handle, conn int32, now int64) int32 {
	s, c, t, err := k.conn(handle, conn, now)
	if err == nil {
		delete(s.conns, uint32(conn))
		c.Abort(t)
	}
	return k.done(err)
}

// ConnError leaves in the buffer why a connection has ended: nothing if it has not, or
// if all was well.
func (k *Kit) ConnError(handle, conn int32) int32 {
	s := k.stacks.find(handle)
	if s == nil {
		return k.fail(errHandle)
	}
	c := s.value.conns[uint32(conn)]
	if c == nil {
		return k.fail(tcp.ErrNotExist)
	}
	if err := c.Err(); err != nil {
		return k.give([]byte(err.Error()))
	}
	return 0
}

// The options of a connection, as Set calls them.
const (
	OptionNoDelay = 1 + iota
	OptionCork
	OptionKeepalive
	OptionQuickAck
	OptionUserTimeout
	OptionLinger
	OptionSendBuffer
	OptionReceiveBuffer
	OptionTTL
	OptionTOS
)

// Set changes an option: a value is 0 or 1, octets or nanoseconds. A negative
// linger is none.
func (k *Kit) Set(handle, conn int32, now int64, option uint32, value int64) int32 {
	_, c, t, err := k.conn(handle, conn, now)
	if err != nil {
		return k.fail(err)
	}
	most := int64(1)
	switch option {
	case OptionUserTimeout, OptionLinger:
		most = int64(clock.Never) >> 1
	case OptionSendBuffer, OptionReceiveBuffer:
		most = 1 << 30
	case OptionTTL, OptionTOS:
		most = 255
	}
	if value > most || value < 0 && option != OptionLinger {
		return k.fail(tcp.ErrInvalid)
	}
	switch on := value != 0; option {
	case OptionNoDelay:
		err = c.SetNoDelay(t, on)
	case OptionCork:
		err = c.SetCork(t, on)
	case OptionKeepalive:
		err = c.SetKeepalive(t, on, 0, 0, 0)
	case OptionQuickAck:
		err = c.SetQuickAck(t, on)
	case OptionUserTimeout:
		err = c.SetUserTimeout(t, clock.Duration(value))
	case OptionLinger:
		err = c.SetLinger(t, value >= 0, clock.Duration(max(value, 0)))
	case OptionSendBuffer:
		err = c.SetSendBuffer(t, uint32(value))
	case OptionReceiveBuffer:
		err = c.SetReceiveBuffer(t, uint32(value))
	case OptionTTL:
		err = c.SetTTL(t, uint8(max(value, 1)))
	case OptionTOS:
		err = c.SetTOS(t, uint8(value))
	default:
		err = plugins.Error("there is no such option")
	}
	return k.done(err)
}
