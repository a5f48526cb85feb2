package script

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/wire"
)

// match is what came for an outbound line.
type match struct {
	at      clock.Instant // of the last packet
	actual  Packet
	count   int // packets that were merged
	differs []string
	names   [2]string // of what is expected and what is actual, if they have others
}

// match compares want with what the stack has sent, and takes from the queue
// what it has used. It returns false while there is not enough to tell.
func (j *judge) match(want *Packet, m *match) bool {
	f := j.flow
	if want.Ports != nil {
		f = j.flowOf(wire.AddrPort{Addr: j.local, Port: want.Ports.Src}, wire.AddrPort{Addr: j.remote, Port: want.Ports.Dst})
		if f != nil {
			j.flow = f
		}
	}
	for j.cfg.Lenient && len(j.waiting) > 0 && j.waiting[0].flow != f {
		j.waiting = j.waiting[1:]
	}
	if len(j.waiting) == 0 {
		return false
	}
	*m = match{}
	head := j.waiting[0]
	m.at, m.count = head.at, 1
	var h wire.IP
	var t wire.TCP
	payload, bad := decode(head.bytes, &h, &m.actual, &t)
	if bad == "" && head.flow != f {
		bad = "the connection"
	}
	if bad == "" && m.actual.Kind != want.Kind {
		bad = "the kind of packet"
	}
	switch {
	case bad != "":
		m.differs = append(m.differs, bad)
	case want.Kind == ICMP:
		m.compareICMP(want.ICMP, h.Src.Family())
	default:
		if want.TCP.Flags&SYN != 0 && f.ours.known {
			f.ours.script = want.TCP.Seq
		}
		f.toScript(m.actual.TCP)
		more := j.merge(want.TCP, m, &h, &payload)
		if more {
			return false
		}
		j.compareTCP(f, want.TCP, m, payload)
	}
	m.compareIP(want.IP, &h)
	j.waiting = j.waiting[m.count:]
	return true
}

// merge adds the segments that follow until there are as many octets as want
// has, as a link with segmentation offload shows them. Sequence number and CWR
// are those of the first, PSH and FIN those of the last. It returns true when
// more segments are needed and have not come.
func (j *judge) merge(want *Segment, m *match, first *wire.IP, payload *[]byte) (more bool) {
	got := m.actual.TCP
	if j.strict || got.Flags&(SYN|RST) != 0 {
		return false
	}
	size := got.Len
	last := got.Len
	for got.Len < want.Len && last == size && size > 0 {
		if m.count == len(j.waiting) {
			return true
		}
		next := j.waiting[m.count]
		if next.flow != j.waiting[0].flow {
			return false
		}
		var k Packet
		var h wire.IP
		var t wire.TCP
		data, bad := decode(next.bytes, &h, &k, &t)
		if bad != "" || k.Kind != TCP {
			return false
		}
		next.flow.toScript(k.TCP)
		s := k.TCP
		const free = FIN | PSH | CWR
		if s.Flags&^free != got.Flags&^free || s.Seq != got.End() || s.Len == 0 || s.Len > size || s.Ack != got.Ack || s.Win != got.Win ||
			s.Urg != got.Urg || h.TOS != first.TOS || h.TTL != first.TTL || len(s.Options) != len(got.Options) || got.Flags&FIN != 0 ||
			int(got.Len)+int(s.Len) > int(want.Len) {
			return false
		}
		for i := range s.Options {
			if !s.Options[i].equal(&got.Options[i]) {
				return false
			}
		}
		got.Flags = got.Flags&^(FIN|PSH) | s.Flags&(FIN|PSH)
		got.Len += s.Len
		last = s.Len
		*payload = append(append([]byte(nil), *payload...), data...)
		m.at = next.at
		m.count++
	}
	return false
}

func (o *TCPOption) equal(p *TCPOption) bool {
	return o.Kind == p.Kind && o.Value == p.Value && o.Ecr == p.Ecr && o.sameBody(p)
}

// sameBody compares all but a timestamp's numbers.
func (o *TCPOption) sameBody(p *TCPOption) bool {
	if o.Kind != p.Kind || len(o.Blocks) != len(p.Blocks) || string(o.Hex) != string(p.Hex) || len(o.Counts) != len(p.Counts) {
		return false
	}
	for i := range o.Blocks {
		if o.Blocks[i] != p.Blocks[i] {
			return false
		}
	}
	for i := range o.Counts {
		if o.Counts[i] != p.Counts[i] {
			return false
		}
	}
	return o.Kind == OptTimestamps || o.Value == p.Value
}

// differ notes a field that is not as it should be.
func (m *match) differ(same bool, what, want, got string) {
	if same {
		return
	}
	a, b := "expected", "actual"
	if m.names[0] != "" {
		a, b = m.names[0], m.names[1]
	}
	m.differs = append(m.differs, what+": "+a+" "+want+", "+b+" "+got)
}

// number compares a field that is a number.
func (m *match) number(what string, want, got uint32) {
	if want != got {
		m.differ(false, what, strconv.FormatUint(uint64(want), 10), strconv.FormatUint(uint64(got), 10))
	}
}

// flagsOnWire are the flags with the ACE field in its place.
func (s *Segment) flagsOnWire() Flags {
	if s.HasACE {
		return s.Flags | Flags(s.ACE)<<6
	}
	return s.Flags
}

func (j *judge) compareTCP(f *flow, want *Segment, m *match, payload []byte) {
	got := m.actual.TCP
	flags := want.flagsOnWire() ^ got.Flags
	if m.count > 1 && !j.psh {
		// Where the script's author saw one large segment with offload, PSH says
		// how the sender cut it.
		flags &^= PSH
	}
	if flags != 0 {
		m.differ(false, "the flags", string(want.appendFlags(nil)), string(got.appendFlags(nil)))
	}
	m.number("the sequence number", want.Seq, got.Seq)
	m.number("the length", uint32(want.Len), uint32(got.Len))
	// RFC 9293 §3.10.7.1: a reset without ACK has the acknowledgment number 0;
	// nothing else goes without ACK but a SYN, which has it too.
	m.number("the acknowledgment number", want.Ack, got.Ack)
	if want.HasWin {
		m.number("the window", uint32(want.Win), uint32(got.Win))
	}
	m.number("the urgent pointer", uint32(want.Urg), uint32(got.Urg))
	if !want.AnyOptions {
		j.compareOptions(f, want, m)
	}
	if !j.text {
		for i, c := range payload {
			if c != 0 {
				m.differ(false, "the payload", "zeros", "octet "+strconv.Itoa(i)+" is "+strconv.Itoa(int(c)))
				break
			}
		}
	}
}

func (j *judge) compareOptions(f *flow, want *Segment, m *match) {
	got := m.actual.TCP
	if j.foreign && want.Flags&SYN != 0 {
		got.Options = inOrderOf(want.Options, got.Options)
	}
	same := len(want.Options) == len(got.Options)
	for i := 0; same && i < len(want.Options); i++ {
		same = want.Options[i].sameBody(&got.Options[i])
	}
	if !same {
		m.differ(false, "the options", want.optionsText(), got.optionsText())
		return
	}
	for i := range want.Options {
		if a, b := &want.Options[i], &got.Options[i]; a.Kind == OptTimestamps {
			j.compareStamp(f, a, b, m)
		}
	}
}

// inOrderOf puts options into the order of want, with its padding, if they are the
// same kinds but for that. FreeBSD has another order than Linux.
func inOrderOf(want, got []TCPOption) []TCPOption {
	left, list := slices.Clone(got), make([]TCPOption, 0, len(want))
	isPad := func(o TCPOption) bool { return o.Kind == OptNOP || o.Kind == OptEOL }
	for _, o := range want {
		if isPad(o) {
			list = append(list, o)
			continue
		}
		i := slices.IndexFunc(left, func(p TCPOption) bool { return p.Kind == o.Kind })
		if i < 0 {
			return got
		}
		list = append(list, left[i])
		left = slices.Delete(left, i, i+1)
	}
	if !slices.ContainsFunc(left, func(o TCPOption) bool { return !isPad(o) }) {
		return list
	}
	return got
}

// optionsText is the options alone.
func (s *Segment) optionsText() string {
	if len(s.Options) == 0 {
		return "none"
	}
	return string(s.appendOptions(nil))
}

// compareStamp compares TS options. The first val that is expected fixes how
// the script's ticks map to the stack's.
func (j *judge) compareStamp(f *flow, want, got *TCPOption, m *match) {
	if !j.cfg.Lenient {
		m.number("the echoed timestamp", want.Ecr, got.Ecr)
	}
	live := got.Value
	if f.hasStamps {
		live += f.stampOffset
	} else {
		f.hasStamps, f.stampOffset = true, live-want.Value
		got.Value = want.Value
	}
	if j.tsTick > 0 {
		off := clock.Duration(int32(got.Value-want.Value)) * j.tsTick
		if max(off, -off) > max(j.tolerance, m.at.Sub(Origin)/1000*clock.Duration(j.perMille)) {
			m.number("the timestamp", want.Value, got.Value)
		}
	}
	if len(f.stamps) == maxStamps {
		f.stamps = f.stamps[1:]
	}
	f.stamps = append(f.stamps, stamp{want.Value, live})
}

func (m *match) compareICMP(want *ICMPMessage, family wire.Family) {
	got := m.actual.ICMP
	wantType, wantCode, ok := want.numbers(family)
	gotType, gotCode, _ := got.numbers(family)
	m.differ(ok && wantType == gotType, "the type", want.Type, got.Type)
	m.differ(ok && wantCode == gotCode, "the code", want.Code, got.Code)
	if want.HasMTU {
		m.number("the MTU", want.MTU, got.MTU)
	}
	if want.HasID {
		m.number("the identifier", want.ID, got.ID)
	}
}

// compareIP checks what the line asks of the IP header, and shows it.
func (m *match) compareIP(want []IPField, h *wire.IP) {
	for _, x := range want {
		got := x
		switch x.Name {
		case "noecn", "ect1", "ect0", "ce", "ect01":
			name := [4]string{"noecn", "ect1", "ect0", "ce"}[h.TOS&3]
			if x.Name != "ect01" || name == "ce" || name == "noecn" {
				m.differ(name == x.Name, "ECN", x.Name, name)
			}
			got.Name = name
		case "tos":
			got.Value = uint32(h.TOS)
			m.number("the type of service", x.Value, got.Value)
		case "dscp":
			got.Value = uint32(h.TOS >> 2)
			m.number("the DSCP", x.Value, got.Value)
		case "ttl", "hlim":
			got.Value = uint32(h.TTL)
			m.number("the hop limit", x.Value, got.Value)
		case "flowlabel":
			got.Value = h.FlowLabel
			m.number("the flow label", x.Value, got.Value)
		}
		m.actual.IP = append(m.actual.IP, got)
	}
}

// packetText is the packet of an event in the notation.
func (e *Event) packetText() string { return string(e.Packet.append(nil)) }

// sideBySide shows what was expected above what came.
func (j *judge) sideBySide(e *Event, m *match, lo, hi clock.Instant) string {
	want := e.packetText()
	got := m.actual.String()
	width := max(len(want), len(got))
	b := append([]byte(nil), "expected  "...)
	b = append(append(b, want...), spaces(width-len(want))...)
	if e.Time.Kind != Any {
		b = append(append(b, "  at "...), seconds(lo)...)
		if hi != lo {
			b = append(append(b, " to "...), seconds(hi)...)
		}
	}
	b = append(append(b, "\n  actual    "...), got...)
	b = append(append(b, spaces(width-len(got))...), "  at "...)
	b = append(b, seconds(m.at)...)
	if m.count > 1 {
		b = append(b, " (merged of "...)
		b = strconv.AppendInt(b, int64(m.count), 10)
		b = append(b, " segments)"...)
	}
	b = append(b, "\n  differs   "...)
	return string(append(b, strings.Join(m.differs, "\n            ")...))
}

func spaces(n int) string { return strings.Repeat(" ", max(n, 0)) }

// String is the packet in the notation, or what there is of it.
func (k *Packet) String() string {
	if k == nil || k.Kind == TCP && k.TCP == nil || k.Kind == ICMP && k.ICMP == nil {
		return "> (not readable)"
	}
	return string(k.append(nil))
}

// describe is a packet that was not expected, with its time.
func (j *judge) describe(s *sent) string { return j.textOf(s) + "  at " + seconds(s.at) }

// textOf is a packet of the stack with the script's numbers.
func (j *judge) textOf(s *sent) string {
	k, bad := j.read(s)
	if bad != "" {
		return "> " + bad
	}
	return k.String()
}

// packetOf is a packet of the stack with the script's numbers; nil if it is not
// readable.
func (j *judge) packetOf(s *sent) *Packet {
	k, bad := j.read(s)
	if bad != "" {
		return nil
	}
	return k
}

func (j *judge) read(s *sent) (k *Packet, bad string) {
	var h wire.IP
	var t wire.TCP
	k = &Packet{}
	if _, bad := decode(s.bytes, &h, k, &t); bad != "" {
		return nil, bad
	}
	if k.Kind == TCP && s.flow != nil {
		s.flow.toScript(k.TCP)
	}
	if k.Kind == TCP && s.flow != j.flow {
		k.Ports = &Ports{t.SrcPort, t.DstPort}
	}
	return k, ""
}
