package script

import (
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// peer is the end of a connection that the script plays. The script has no state
// machine; the state is the one that RFC 9293 Figure 5 gives an end that sends
// and receives these segments.
type peer struct {
	state    tcp.State
	fin      uint32 // the acknowledgment number that acknowledges our FIN
	theirFin uint32 // and the system's: the script has seen it when it says so
	finCame  bool
}

// sends follows a segment of the script, with the wire's numbers.
func (p *peer) sends(t *wire.TCP, size int) {
	flags := t.Flags
	if p.finCame && flags&wire.ACK != 0 && uint32(t.Ack) == p.theirFin {
		p.finCame = false
		switch p.state {
		case tcp.SynReceived, tcp.Established:
			p.state = tcp.CloseWait
		case tcp.FinWait1:
			p.state = tcp.Closing
		case tcp.FinWait2:
			p.state = tcp.TimeWait
		}
	}
	switch {
	case flags&wire.RST != 0:
		p.state = tcp.Closed
	case flags&wire.SYN != 0:
		p.state, p.finCame = tcp.SynSent, false
		if flags&wire.ACK != 0 {
			p.state = tcp.SynReceived
		}
	}
	if flags&wire.FIN != 0 {
		p.fin = uint32(t.Seq) + uint32(size) + 1
		switch p.state {
		case tcp.SynReceived, tcp.Established:
			p.state = tcp.FinWait1
		case tcp.CloseWait:
			p.state = tcp.LastAck
		}
	}
}

// receives follows a segment of the system.
func (p *peer) receives(t *wire.TCP, size int) {
	flags := t.Flags
	acked := flags&wire.ACK != 0 && uint32(t.Ack) == p.fin
	switch {
	case flags&wire.RST != 0:
		p.state = tcp.Closed
	case flags&wire.SYN != 0 && p.state == tcp.SynSent && flags&wire.ACK != 0:
		p.state = tcp.Established
	case flags&wire.SYN != 0 && p.state == tcp.SynSent:
		p.state = tcp.SynReceived
	case flags&wire.SYN != 0 && p.state == tcp.Closed:
		p.state = tcp.Listen
	case flags&(wire.SYN|wire.ACK) == wire.ACK && p.state == tcp.SynReceived:
		p.state = tcp.Established
	case acked && p.state == tcp.FinWait1:
		p.state = tcp.FinWait2
	case acked && p.state == tcp.Closing:
		p.state = tcp.TimeWait
	case acked && p.state == tcp.LastAck:
		p.state = tcp.Closed
	}
	if flags&wire.FIN != 0 {
		p.theirFin, p.finCame = uint32(t.Seq)+uint32(size)+1, true
	}
}
