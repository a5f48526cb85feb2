package sim

import (
	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// An End says what the application at one end of a flow does. It writes Send
// octets as fast as it may, reads all that comes, and closes when it has seen
// the other end's FIN and written all, unless it is told otherwise.
type End struct {
	Send      uint32
	HalfClose bool           // send the FIN as soon as all is written, without waiting for the other's
	CloseAt   clock.Duration // close so long after the open, whatever is left; 0: never
	Abort     bool           // CloseAt aborts
	ReadStep  uint32         // read at most so much at once; 0: all
	ReadEvery clock.Duration // and that seldom; 0: at once
	NeverRead bool
}

// A Flow is a connection that an application opens, and what both ends do.
type Flow struct {
	From, To int           // hosts
	At       clock.Instant // when it is opened
	Port     uint16        // at To, whose listener must be there
	Cross    bool          // To opens as well, at the same time and between the same ports: a simultaneous open
	Client   End
	Server   End
}

// side is one end at work.
type side struct {
	End
	host    int
	slot    int // of the connection, -1 before and after
	opened  clock.Instant
	readAt  clock.Instant // when it may read again
	wrote   uint32
	read    uint32
	shut    bool
	done    bool
	eof     bool
	err     tcp.Error
	pending bool // looked at again at readAt or CloseAt
}

// flow is a Flow at work; side 0 is the one that opens.
type flow struct {
	Flow
	id     uint32
	opened bool
	ends   [2]side
	key    uint32 // client's port, by which the server's end is found
}

// octet is what stands at an offset of a stream: the reader knows it without
// being told.
func octet(flow uint32, dir int, off uint32) byte {
	x := (off + flow*0x9e3779b9 + uint32(dir)*0x85ebca6b) * 0xc2b2ae35
	return byte(x >> 24)
}

// attach notes that a side's connection is there.
func (w *World) attach(f, dir int, c *core.Conn) {
	s := &w.flows[f].ends[dir]
	s.slot = c.Slot()
	s.opened = w.now
	h := &w.hosts[s.host]
	for len(h.owner) <= c.Slot() {
		h.owner = append(h.owner, 0)
	}
	h.owner[c.Slot()] = int32(f)*2 + int32(dir) + 1
}

// detach ends a side. The handle is not used any more.
func (w *World) detach(f, dir int) {
	s := &w.flows[f].ends[dir]
	w.hosts[s.host].owner[s.slot] = 0
	s.slot, s.done = -1, true
	w.flowsLeft--
}

// act lets the application at one end do what it can.
func (w *World) act(f, dir int) {
	s := &w.flows[f].ends[dir]
	if s.slot < 0 || s.done {
		return
	}
	c := w.hosts[s.host].stack.Conn(s.slot)
	if s.CloseAt > 0 && w.now >= s.opened.Add(s.CloseAt) {
		if s.Abort {
			c.Abort(w.now)
		} else {
			c.Close(w.now)
		}
		w.detach(f, dir)
		return
	}
	w.writeSome(f, dir, c)
	w.readSome(f, dir, c)
	switch {
	case s.err != tcp.NoError:
		c.Close(w.now)
		w.detach(f, dir)
	case s.wrote == s.Send && (s.eof || s.NeverRead):
		c.Close(w.now)
		w.detach(f, dir)
	case s.wrote == s.Send && s.HalfClose && !s.shut:
		if c.CloseWrite(w.now) == nil {
			s.shut = true
		}
	}
}

func (w *World) writeSome(f, dir int, c *core.Conn) {
	s := &w.flows[f].ends[dir]
	for s.wrote < s.Send && !s.shut {
		b := w.scratch[:min(uint32(len(w.scratch)), s.Send-s.wrote)]
		for i := range b {
			b[i] = octet(w.flows[f].id, dir, s.wrote+uint32(i))
		}
		n, err := c.Write(w.now, b)
		s.wrote += uint32(n)
		w.Written += uint64(n)
		if err != nil && err != error(tcp.ErrWouldBlock) {
			s.fail(err)
		}
		if n < len(b) {
			return
		}
	}
}

func (w *World) readSome(f, dir int, c *core.Conn) {
	s := &w.flows[f].ends[dir]
	if s.NeverRead || s.eof {
		return
	}
	if w.now < s.readAt {
		w.remind(s.readAt, f, dir)
		return
	}
	for {
		b := w.scratch[:]
		if s.ReadStep > 0 {
			b = b[:min(uint32(len(b)), s.ReadStep)]
		}
		n, err := c.Read(w.now, b)
		for i := range b[:n] {
			// The stream that is read is a prefix of the one that was written.
			if b[i] != octet(w.flows[f].id, 1-dir, s.read+uint32(i)) {
				w.fail("a wrong octet was delivered", w.flows[f].id)
				return
			}
		}
		s.read += uint32(n)
		w.Delivered += uint64(n)
		if s.read > w.flows[f].ends[1-dir].wrote {
			w.fail("more was delivered than was written", w.flows[f].id)
			return
		}
		switch err {
		case nil:
		case error(tcp.ErrWouldBlock):
			return
		case error(tcp.ErrEOF):
			s.eof = true
			if o := &w.flows[f].ends[1-dir]; s.read != o.wrote && o.err == tcp.NoError && !o.cut() {
				w.fail("the stream ended before its end", w.flows[f].id)
			}
			return
		default:
			s.fail(err)
			return
		}
		if s.ReadEvery > 0 {
			s.readAt = w.now.Add(s.ReadEvery)
			w.remind(s.readAt, f, dir)
			return
		}
	}
}

// cut reports whether the application may have left octets unwritten.
func (s *side) cut() bool { return s.CloseAt > 0 }

func (s *side) fail(err error) {
	if e, ok := err.(tcp.Error); ok {
		s.err = e
	} else {
		s.err = tcp.ErrAborted
	}
}
