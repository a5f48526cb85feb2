package packet

// End is one end of a pipe, and an IO that never blocks: ReadPacket returns
// ErrEmpty when there is nothing. Packets arrive whole and in order.
type End struct {
	peer   *End
	link   Link
	slots  []Packet // a ring of what was sent to this end; slots keep their room
	first  int
	count  int
	closed bool
}

// NewPipe returns the ends of a pipe that holds up to slots packets each way. It
// panics if that is none.
func NewPipe(link Link, slots int) (a, b *End) {
	if slots < 1 {
		panic("packet: a pipe needs a slot")
	}
	a = &End{link: link, slots: make([]Packet, slots)}
	b = &End{link: link, slots: make([]Packet, slots)}
	a.peer, b.peer = b, a
	return a, b
}

// Link says what the pipe can do.
func (e *End) Link() Link { return e.link }

// Len returns how many packets wait to be read.
func (e *End) Len() int { return e.count }

// ReadPacket moves the oldest packet that waits into p. When there is none it
// returns ErrEmpty, or ErrClosed if none will come.
func (e *End) ReadPacket(p *Packet) error {
	if e.count == 0 {
		if e.closed || e.peer.closed {
			return ErrClosed
		}
		return ErrEmpty
	}
	p.Set(&e.slots[e.first])
	e.first++
	if e.first == len(e.slots) {
		e.first = 0
	}
	e.count--
	return nil
}

// WritePacket sends p to the other end.
func (e *End) WritePacket(p *Packet) error {
	if e.closed || e.peer.closed {
		return ErrClosed
	}
	if err := e.link.check(p); err != 0 {
		return err
	}
	return e.peer.push(p)
}

func (e *End) push(p *Packet) error {
	if e.count == len(e.slots) {
		return ErrFull
	}
	i := e.first + e.count
	if i >= len(e.slots) {
		i -= len(e.slots)
	}
	e.slots[i].Set(p)
	e.count++
	return nil
}

// Close closes both directions. The other end may still read what was sent.
func (e *End) Close() error {
	e.closed = true
	e.count = 0
	return nil
}

// check returns why the link does not take p, or 0.
func (l Link) check(p *Packet) Error {
	switch {
	case p.Partial && !l.Checksum, p.SegmentSize > 0 && l.MaxSuper == 0:
		return ErrOffload
	case p.SegmentSize > 0:
		if len(p.Bytes) > l.MaxSuper {
			return ErrSize
		}
	case l.MTU > 0 && len(p.Bytes) > l.MTU:
		return ErrSize
	}
	return 0
}
