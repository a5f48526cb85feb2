package core

import "github.com/tcpkit/tcpkit/core/tcp"

// A ReadyMask is what has become possible.
type ReadyMask uint8

// What can become possible. All but Acceptable belong to connections.
const (
	Readable   = ReadyMask(tcp.ReadyRead)      // Read would not block
	Writable   = ReadyMask(tcp.ReadyWrite)     // Write would not block
	Connected  = ReadyMask(tcp.ReadyConnected) // the open has succeeded
	Closed     = ReadyMask(tcp.ReadyClosed)    // the connection has ended; Err says how
	SoftError  = ReadyMask(tcp.ReadyError)     // see Info
	Urgent     = ReadyMask(tcp.ReadyUrgent)    // urgent data was announced
	Acceptable = ReadyMask(1 << 7)             // Accept would not block
)

// Ready tells what became possible on a connection or a listener since its user
// was last told.
type Ready struct {
	Conn     *Conn     // nil if it is about a listener
	Listener *Listener // nil if it is about a connection
	What     ReadyMask
}

// NextReady returns what became possible next, and false when nothing has. What
// happens to one connection several times is told once.
func (s *Stack) NextReady() (Ready, bool) {
	if c := s.first(&s.ready); c != nil {
		s.remove(&s.ready, queueReady, c)
		r := Ready{Conn: c, What: c.ready}
		c.ready = 0
		return r, true
	}
	if len(s.readyListeners) > 0 {
		l := s.listeners[s.readyListeners[0]]
		n := copy(s.readyListeners, s.readyListeners[1:])
		s.readyListeners = s.readyListeners[:n]
		l.ready = false
		return Ready{Listener: l, What: Acceptable}, true
	}
	return Ready{}, false
}
