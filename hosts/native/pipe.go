package native

import (
	"sync"

	"github.com/tcpkit/tcpkit/core/packet"
)

// PipeEnd is one end of a link in memory. It is a packet.IO that blocks.
type PipeEnd struct {
	*pipeState
	end     *packet.End
	arrived *sync.Cond // there is something to read, or there never will be
	room    *sync.Cond // there is room to write
	peer    *PipeEnd
}

// pipeState is what both ends share.
type pipeState struct {
	mu     sync.Mutex
	slots  int
	closed bool // by either end
}

// NewPipe returns the two ends of a link in memory that holds up to slots
// packets each way.
func NewPipe(link packet.Link, slots int) (a, b *PipeEnd) {
	state := &pipeState{slots: slots}
	x, y := packet.NewPipe(link, slots)
	end := func(e *packet.End) *PipeEnd {
		return &PipeEnd{pipeState: state, end: e, arrived: sync.NewCond(&state.mu), room: sync.NewCond(&state.mu)}
	}
	a, b = end(x), end(y)
	a.peer, b.peer = b, a
	return a, b
}

// Link says what the link can do.
func (p *PipeEnd) Link() packet.Link { return p.end.Link() }

// ReadPacket blocks until there is a packet.
func (p *PipeEnd) ReadPacket(q *packet.Packet) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		err := p.end.ReadPacket(q)
		if err != packet.ErrEmpty {
			p.peer.room.Signal()
			return err
		}
		p.arrived.Wait()
	}
}

// ReadPackets blocks until there is a packet, and takes what else is there.
func (p *PipeEnd) ReadPackets(qs []packet.Packet) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for n < len(qs) && err == nil {
			if err = p.end.ReadPacket(&qs[n]); err == nil {
				n++
			}
		}
		switch {
		case n > 0:
			p.peer.room.Signal()
			return n, nil
		case err != packet.ErrEmpty:
			return 0, err
		}
		err = nil
		p.arrived.Wait()
	}
}

// WritePacket sends q to the other end, or returns packet.ErrFull.
func (p *PipeEnd) WritePacket(q *packet.Packet) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.end.WritePacket(q)
	if err == nil {
		p.peer.arrived.Signal()
	}
	return err
}

// WaitWritable blocks while the link is full.
func (p *PipeEnd) WaitWritable() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.closed && p.peer.end.Len() == p.slots {
		p.room.Wait()
	}
	if p.closed {
		return packet.ErrClosed
	}
	return nil
}

// Close closes both directions. The other end may still read what was sent.
func (p *PipeEnd) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, e := range []*PipeEnd{p, p.peer} {
		e.arrived.Broadcast()
		e.room.Broadcast()
	}
	return p.end.Close()
}
