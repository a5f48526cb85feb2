package script

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
)

// Named is a run of a script with the name of its system.
type Named struct {
	Name   string
	Result *Result
}

// maxDifferences is how many differences of two runs are told.
const maxDifferences = 5

// Compare tells where the packets differ that two systems have sent in a run of
// the same script: each difference has the packet of either and the fields. The
// window, the clock of timestamps and PSH, which says how a sender cuts what it
// is given, are each system's own and are not looked at. Times are compared since the packet before, within tolerance or so many
// thousandths. Both runs were made with Config.Trace.
func Compare(a, b Named, tolerance clock.Duration, perMille int64) (differences []string) {
	x, y := a.Result.Packets, b.Result.Packets
	for i := 0; i < len(x) && i < len(y) && len(differences) < maxDifferences; i++ {
		p, q := &x[i], &y[i]
		if p.Inbound && q.Inbound {
			continue
		}
		if p.Inbound != q.Inbound {
			// One of the two sends nothing here; what follows does not belong together.
			quiet, other, s := a, b, q
			if q.Inbound {
				quiet, other, s = b, a, p
			}
			return append(differences, pair(other.Name, s)+"\n"+pad(quiet.Name)+"nothing")
		}
		m := match{names: [2]string{a.Name, b.Name}}
		switch {
		case p.Packet == nil || q.Packet == nil || p.Packet.Kind != q.Packet.Kind:
			m.differ(false, "the kind of packet", p.Packet.String(), q.Packet.String())
		case p.Packet.Kind == TCP:
			m.segments(p.Packet.TCP, q.Packet.TCP)
		case p.Packet.Kind == ICMP:
			m.differ(*p.Packet.ICMP == *q.Packet.ICMP, "the message", p.Packet.String(), q.Packet.String())
		}
		m.ip(p.Bytes, q.Bytes)
		if i > 0 {
			since, took := p.At.Sub(x[i-1].At), q.At.Sub(y[i-1].At)
			if off := since - took; max(off, -off) > max(tolerance, max(since, took)/1000*clock.Duration(perMille)) {
				m.differ(false, "the time since the packet before", string(appendFixed(nil, since)), string(appendFixed(nil, took)))
			}
		}
		if len(m.differs) > 0 {
			text := pair(a.Name, p) + "\n" + pair(b.Name, q)
			for _, d := range m.differs {
				text += "\n" + pad("differs") + d
			}
			differences = append(differences, text)
		}
	}
	return differences
}

func pad(name string) string { return name + spaces(10-len(name)) }

// pair is a packet of one of the two, with its time.
func pair(name string, t *Traced) string {
	return pad(name) + t.Packet.String() + "  at " + seconds(t.At)
}

// segments compares all of two segments but windows, the clock of timestamps
// and PSH.
func (m *match) segments(a, b *Segment) {
	if (a.Flags^b.Flags)&^PSH != 0 {
		m.differ(false, "the flags", string(a.appendFlags(nil)), string(b.appendFlags(nil)))
	}
	m.number("the sequence number", a.Seq, b.Seq)
	m.number("the length", uint32(a.Len), uint32(b.Len))
	m.number("the acknowledgment number", a.Ack, b.Ack)
	m.number("the urgent pointer", uint32(a.Urg), uint32(b.Urg))
	same := len(a.Options) == len(b.Options)
	for i := 0; same && i < len(a.Options); i++ {
		o, p := &a.Options[i], &b.Options[i]
		same = o.sameBody(p) && (o.Kind != OptTimestamps || o.Ecr == p.Ecr)
	}
	m.differ(same, "the options", a.optionsText(), b.optionsText())
}

// ip compares what a script may ask of IP headers.
func (m *match) ip(a, b []byte) {
	if len(a) < 20 || len(b) < 20 {
		return
	}
	if a[0]>>4 == 6 {
		m.number("the traffic class", uint32(a[0]&15)<<4|uint32(a[1]>>4), uint32(b[0]&15)<<4|uint32(b[1]>>4))
		m.number("the hop limit", uint32(a[7]), uint32(b[7]))
		return
	}
	m.differ(a[1] == b[1], "the type of service", "0x"+strconv.FormatUint(uint64(a[1]), 16), "0x"+strconv.FormatUint(uint64(b[1]), 16))
	m.number("the TTL", uint32(a[8]), uint32(b[8]))
	m.number("the flag DF", uint32(a[6]>>6&1), uint32(b[6]>>6&1))
}
