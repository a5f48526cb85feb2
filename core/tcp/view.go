package tcp

import "github.com/tcpkit/tcpkit/core/seq"

// A View is what the invariants between a connection and what it puts on the
// wire are about. It is for simulators, which ask for it after every event.
type View struct {
	State     State
	Send      SendSpace
	Receive   ReceiveSpace
	MaxWindow seq.Size // the largest SND.WND so far
	MSS       uint32   // effective send MSS, octets
	Cwnd      uint32   // octets
	InFlight  uint32   // octets thought to be on their way
	Scale     uint8    // Rcv.Wind.Shift
	Probe     bool     // new data went out as a tail loss probe, whatever Cwnd said
}

// View gives a picture of the connection now.
func (c *TCB) View() View {
	return View{
		State: c.state, Send: c.sendSpace(), Receive: c.receiveSpace(), MaxWindow: c.snd.maxWnd,
		MSS: uint32(c.mss), Cwnd: c.cc.Cwnd, InFlight: c.inFlight(), Scale: c.rcv.scale,
		Probe: c.loss.tlp.out && !c.loss.tlp.again,
	}
}
