package scenario

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/pcapng"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// Epoch is when runs begin for who reads a capture, counted from 1970: the first of
// January 2026.
const Epoch = 1767225600 * clock.Second

// AppendPcapng appends what was recorded as a capture at one host: what it has sent,
// whether it arrived or not, and what has arrived there, each with the rules that it
// was handled by.
func (r *Run) AppendPcapng(b []byte, host int) []byte {
	w := pcapng.Writer{
		Application: "tcpkit", Interface: r.s.Hosts[host].Name,
		Comment: "scenario " + r.s.ID + ", seed " + strconv.FormatUint(r.s.Seed, 10),
		Epoch:   Epoch,
	}
	b = w.AppendHeader(b)
	because, named := "", rule.None // what the next segment of the host is due to, and the rule named last
	step := uint32(0)
	for k := range r.rec.items {
		i := &r.rec.items[k]
		if i.Step != step {
			step, because, named = i.Step, "", rule.None
		}
		if int(i.Host) != host {
			continue
		}
		switch i.Kind {
		case Send:
			if i.Rule != named {
				because += why(i)
			}
			b = w.AppendPacket(b, clock.Instant(i.At), r.Packet(i.Packet), pcapng.Outbound, trimmed(r.fateOf(k)+because))
			because = ""
		case Arrive:
			b = w.AppendPacket(b, clock.Instant(i.At), r.Arrived(i), pcapng.Inbound, trimmed(r.handling(k)))
		default:
			if i.Packet == 0 {
				because += why(i)
			}
			if i.Rule != rule.None {
				named = i.Rule
			}
		}
	}
	return b
}

// trimmed leaves out the end of the last line.
func trimmed(s string) string { return s[:max(0, len(s)-1)] }

// Arrived is what an Arrive item brings: the packet as it was sent, unless it was
// spoiled on its way or comes from a router. It must not be changed.
func (r *Run) Arrived(i *Item) []byte {
	if i.A > 0 {
		return r.rec.octetsOf(&r.rec.arrived[i.A-1])
	}
	return r.Packet(i.Packet)
}

// fateOf says when a packet is lost, which is told before the next Send.
func (r *Run) fateOf(k int) string {
	send := &r.rec.items[k]
	for k++; k < len(r.rec.items) && r.rec.items[k].Kind != Send && r.rec.items[k].Step == send.Step; k++ {
		if i := &r.rec.items[k]; i.Kind == Lose && i.Packet == send.Packet {
			return "lost: " + sim.Loss(i.Why).String() + "\n"
		}
	}
	return ""
}

// handling is what is due to the arrival at index k.
func (r *Run) handling(k int) (s string) {
	arrival := &r.rec.items[k]
	for k++; k < len(r.rec.items) && r.rec.items[k].Step == arrival.Step; k++ {
		i := &r.rec.items[k]
		if i.Kind == Arrive {
			break
		}
		if i.Packet == arrival.Packet && i.Host == arrival.Host {
			s += why(i)
		}
	}
	return s
}

// why is a line for an item that cites a rule: its name, where it stands, and what it
// has led to.
func why(i *Item) string {
	s := ""
	switch i.Kind {
	case State:
		s = tcp.State(i.From).String() + " to " + tcp.State(i.Into).String()
	case Drop:
		s = "dropped, " + rule.Drop(i.By).String()
	}
	if row, ok := rule.Lookup(i.Rule); ok {
		if s != "" {
			s += ": "
		}
		s += row.Name + ", " + i.Rule.String()
	}
	if s != "" {
		s += "\n"
	}
	return s
}
