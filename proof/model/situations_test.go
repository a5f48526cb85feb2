package model

import (
	"bytes"

	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// The peer begins here, so that its window spans the wrap of sequence numbers.
const peerISS = 1<<32 - 600

// A situation is a state, reached by an exchange.
type situation struct {
	name  string
	state tcp.State
	reach func(k *lockstep) error
}

// next is a segment that follows on what the peer has sent, and acknowledges all.
func (k *lockstep) next(ctl wire.Flags, text string) segment {
	return segment{SEQ: k.m.RCV.NXT, ACK: k.m.SND.NXT, WND: 8000, CTL: ctl, Text: []byte(text)}
}

// all runs the events of an exchange in turn.
func all(events ...func() error) error {
	for _, event := range events {
		if err := event(); err != nil {
			return err
		}
	}
	return nil
}

func (k *lockstep) in(ctl wire.Flags, text string) func() error {
	return func() error { return k.arrive(k.next(ctl, text)) }
}

func (k *lockstep) syn() func() error {
	return func() error { return k.arrive(segment{SEQ: peerISS, WND: 8000, CTL: wire.SYN}) }
}

func (k *lockstep) synAck() error {
	return k.arrive(segment{SEQ: peerISS, ACK: k.m.SND.NXT, WND: 8000, CTL: wire.SYN | wire.ACK})
}

// passive is an accepted connection, active one that was opened from here.
func (k *lockstep) passive() error { return all(k.openPassive, k.syn(), k.in(wire.ACK, "")) }

func (k *lockstep) active() error { return all(k.openActive, k.synAck) }

// flight has two segments on their way.
func (k *lockstep) flight() error { return k.send(bytes.Repeat([]byte("0123456789abcdef"), 67)) }

func (k *lockstep) half() error { return k.close(false) }
func (k *lockstep) both() error { return k.close(true) }

const fin = wire.FIN | wire.ACK

// situations are the eleven states, each by the ways into it that may matter.
var situations = []situation{
	{"nothing is open", tcp.Closed, func(k *lockstep) error { return nil }},
	{"a listener", tcp.Listen, (*lockstep).openPassive},
	{"SYN sent", tcp.SynSent, (*lockstep).openActive},
	{"SYN came", tcp.SynReceived, func(k *lockstep) error { return all(k.openPassive, k.syn()) }},
	{"SYNs crossed", tcp.SynReceived, func(k *lockstep) error { return all(k.openActive, k.syn()) }},
	{"accepted, text in flight", tcp.Established, func(k *lockstep) error { return all(k.passive, k.flight) }},
	{"connected, idle", tcp.Established, (*lockstep).active},
	{"a gap", tcp.Established, func(k *lockstep) error {
		return all(k.passive, func() error {
			s := k.next(wire.ACK, "early")
			s.SEQ = s.SEQ.Add(8)
			return k.arrive(s)
		})
	}},
	{"a gap before a FIN", tcp.Established, func(k *lockstep) error {
		return all(k.active, func() error {
			s := k.next(fin, "early")
			s.SEQ = s.SEQ.Add(8)
			return k.arrive(s)
		})
	}},
	{"the window is full", tcp.Established, func(k *lockstep) error {
		return all(k.passive, k.flight, k.in(wire.ACK, string(make([]byte, 1000))), func() error {
			return k.arrive(k.next(wire.ACK, string(make([]byte, k.m.RCV.WND))))
		})
	}},
	{"FIN in flight", tcp.FinWait1, func(k *lockstep) error { return all(k.passive, k.flight, k.half) }},
	{"FIN in flight, given back", tcp.FinWait1, func(k *lockstep) error { return all(k.active, k.flight, k.both) }},
	{"FIN acknowledged", tcp.FinWait2, func(k *lockstep) error { return all(k.passive, k.flight, k.half, k.in(wire.ACK, "")) }},
	{"FIN acknowledged, given back", tcp.FinWait2, func(k *lockstep) error { return all(k.active, k.both, k.in(wire.ACK, "")) }},
	{"FIN came, text in flight", tcp.CloseWait, func(k *lockstep) error { return all(k.passive, k.flight, k.in(fin, "")) }},
	{"FIN came with unread text", tcp.CloseWait, func(k *lockstep) error { return all(k.active, k.in(fin, "text")) }},
	{"FINs crossed", tcp.Closing, func(k *lockstep) error {
		return all(k.passive, k.flight, k.half, func() error {
			s := k.next(fin, "")
			s.ACK = k.m.SND.UNA
			return k.arrive(s)
		})
	}},
	{"FINs crossed, given back", tcp.Closing, func(k *lockstep) error {
		return all(k.active, k.both, func() error {
			s := k.next(fin, "")
			s.ACK = k.m.SND.UNA
			return k.arrive(s)
		})
	}},
	{"FIN came, ours in flight", tcp.LastAck, func(k *lockstep) error { return all(k.passive, k.flight, k.in(fin, ""), k.half) }},
	{"FIN came, given back", tcp.LastAck, func(k *lockstep) error { return all(k.active, k.in(fin, ""), k.both) }},
	{"closed first, still held", tcp.TimeWait, func(k *lockstep) error { return all(k.passive, k.half, k.in(wire.ACK, ""), k.in(fin, "")) }},
	{"closed first, given back, a listener", tcp.TimeWait, func(k *lockstep) error { return all(k.passive, k.both, k.in(wire.ACK, ""), k.in(fin, "")) }},
	{"closed first, given back", tcp.TimeWait, func(k *lockstep) error { return all(k.active, k.both, k.in(wire.ACK, ""), k.in(fin, "")) }},
}
