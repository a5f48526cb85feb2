package script

import (
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/wire"
)

// flow is one connection as the script sees it: its addresses, and how the
// numbers of the script map to those on the wire.
//
//	            script              wire
//	SYN         as written          as written inbound; learnt outbound
//	all else    relative            initial sequence number + relative
type flow struct {
	local, remote wire.AddrPort

	ours   numbers // of what the stack sends
	theirs numbers // of what the script sends

	lastSyn    uint32 // sequence number of the last SYN that was injected
	lastSynLen uint32 // and its text's length
	hasLastSyn bool
	synced     bool // the stack has acknowledged theirs.isn

	peer peer // the script's end

	stampOffset uint32 // wire minus script, of the stack's timestamps
	hasStamps   bool
	stamps      []stamp // the pairs seen so far
	stampScript uint32  // the first pair, for checking the ticks
	stampAt     int64   // when it was, in nanoseconds
}

// numbers is one direction's sequence space.
type numbers struct {
	known  bool
	isn    uint32 // on the wire
	script uint32 // what the script wrote in the SYN
}

// stamp is a timestamp in both spellings.
type stamp struct{ script, wire uint32 }

// maxStamps bounds how many timestamps an inbound ecr may go back.
const maxStamps = 4096

func (n *numbers) toWire(v uint32) uint32 {
	if n.known {
		return n.isn + v
	}
	return v
}

func (n *numbers) toScript(v uint32) uint32 {
	if n.known {
		return v - n.isn
	}
	return v
}

// Kinds of TCP options on the wire.
const (
	wireEOL, wireNOP, wireMSS, wireWScale = 0, 1, 2, 3
	wireSACKPermitted, wireSACK           = 4, 5
	wireTimestamps, wireMD5               = 8, 19
	wireFastOpen, wireExperiment          = 34, 254
	wireAccECN0, wireAccECN1              = 172, 174
	fastOpenMagic                         = 0xf989
)

func append16(b []byte, v uint16) []byte { return append(b, byte(v>>8), byte(v)) }

func append32(b []byte, v uint32) []byte {
	return append(b, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

// inject builds the packet p that the script sends on f. A text says what
// cannot be done.
func (f *flow) inject(p *Packet) (b []byte, why string) {
	h := wire.IP{Src: f.remote.Addr, Dst: f.local.Addr, TTL: 64, Protocol: wire.ProtocolTCP, DontFragment: true}
	for _, x := range p.IP {
		switch x.Name {
		case "noecn":
			h.TOS &^= 3
		case "ect1":
			h.TOS = h.TOS&^3 | 1
		case "ect0":
			h.TOS = h.TOS&^3 | 2
		case "ce":
			h.TOS |= 3
		case "tos":
			h.TOS = uint8(x.Value)
		case "dscp":
			h.TOS = h.TOS&3 | uint8(x.Value)<<2
		case "ttl", "hlim":
			h.TTL = uint8(x.Value)
		case "flowlabel":
			h.FlowLabel = x.Value
		}
	}
	switch p.Kind {
	case UDP:
		return nil, "UDP is not supported"
	case ICMP:
		return f.injectICMP(p.ICMP, &h)
	case TCP:
	}
	s := p.TCP
	body := f.appendSegment(nil, s)
	if body == nil {
		return nil, "md5 is not supported"
	}
	body = append(body, make([]byte, s.Len)...)
	if len(body)+wire.IPv6HeaderLen > 65535 {
		return nil, "a segment that does not fit an IP packet"
	}
	b = wire.AppendIP(nil, &h, len(body))
	off := len(b)
	b = append(b, body...)
	wire.FinishTCP(b, &h, off, false)
	return b, ""
}

// appendSegment appends the TCP header of an inbound segment, without its
// checksum; nil if it has an option that cannot be made.
func (f *flow) appendSegment(b []byte, s *Segment) []byte {
	seq, ack := s.Seq, s.Ack
	if s.Flags&SYN == 0 {
		seq = f.theirs.toWire(seq)
	}
	if s.Flags&ACK != 0 {
		ack = f.ours.toWire(ack)
	}
	start := len(b)
	b = append16(b, f.remote.Port)
	b = append16(b, f.local.Port)
	b = append32(b, seq)
	b = append32(b, ack)
	flags := uint16(s.Flags)
	if s.HasACE {
		flags |= uint16(s.ACE) << 6
	}
	b = append16(b, flags)
	b = append16(b, s.Win)
	b = append32(b, uint32(s.Urg)) // a checksum of zero, then the pointer
	for i := range s.Options {
		if b = f.appendOption(b, &s.Options[i]); b == nil {
			return nil
		}
	}
	b[start+12] |= byte((len(b)-start)/4) << 4
	return b
}

func (f *flow) appendOption(b []byte, o *TCPOption) []byte {
	switch o.Kind {
	case OptEOL:
		return append(b, wireEOL)
	case OptNOP:
		return append(b, wireNOP)
	case OptMSS:
		return append16(append(b, wireMSS, 4), uint16(o.Value))
	case OptWScale:
		return append(b, wireWScale, 3, byte(o.Value))
	case OptSACKPermitted:
		return append(b, wireSACKPermitted, 2)
	case OptSACK:
		b = append(b, wireSACK, byte(o.size()))
		for _, r := range o.Blocks {
			b = append32(append32(b, f.ours.toWire(r.Left)), f.ours.toWire(r.Right))
		}
		return b
	case OptTimestamps:
		return append32(append32(append(b, wireTimestamps, 10), o.Value), f.echo(o.Ecr))
	case OptMD5:
		return nil
	case OptFastOpen:
		return append(append(b, wireFastOpen, byte(o.size())), o.Hex...)
	case OptFastOpenExp:
		return append(append16(append(b, wireExperiment, byte(o.size())), fastOpenMagic), o.Hex...)
	case OptAccECN:
		kind := byte(wireAccECN0)
		if len(o.Counts) > 0 && o.Counts[0].Name == "e1b" {
			kind = wireAccECN1
		}
		b = append(b, kind, byte(o.size()))
		for _, n := range o.Counts {
			b = append(b, byte(n.Value>>16), byte(n.Value>>8), byte(n.Value))
		}
		return b
	case OptOther:
		return append(append(b, byte(o.Value), byte(o.size())), o.Hex...)
	}
	return nil
}

// echo is the wire's spelling of a timestamp that the stack sent before.
func (f *flow) echo(script uint32) uint32 {
	for i := len(f.stamps) - 1; i >= 0; i-- {
		if f.stamps[i].script == script {
			return f.stamps[i].wire
		}
	}
	if f.hasStamps {
		return script + f.stampOffset
	}
	return script
}

// knowsEcho reports whether the stack has sent the timestamp that each TS
// option of s echoes. Zero is the echo of who has nothing to echo.
func (f *flow) knowsEcho(s *Segment) bool {
	for i := range s.Options {
		if o := &s.Options[i]; o.Kind == OptTimestamps && o.Ecr != 0 {
			known := false
			for _, p := range f.stamps {
				known = known || p.script == o.Ecr
			}
			if !known {
				return false
			}
		}
	}
	return true
}

// peerSends tells the script's end what it sends.
func (f *flow) peerSends(b []byte) {
	var h wire.IP
	var t wire.TCP
	if wire.ParseIP(b, &h) == rule.NotDropped && h.Protocol == wire.ProtocolTCP && wire.ParseTCP(b[h.HeaderLen:], &t) == rule.NotDropped {
		f.peer.sends(&t, len(b)-h.HeaderLen-t.HeaderLen)
	}
}

// sent notes what an inbound segment means for the numbers.
func (f *flow) sent(s *Segment) {
	if s.Flags&SYN == 0 {
		return
	}
	f.lastSyn, f.lastSynLen, f.hasLastSyn = s.Seq, uint32(s.Len), true
	if !f.theirs.known {
		f.theirs = numbers{known: true, isn: s.Seq, script: s.Seq}
	}
}

// learn notes what an outbound segment means for the numbers: a SYN begins
// ours; an ACK of the script's last SYN says which of them counts.
func (f *flow) learn(t *wire.TCP) {
	fresh := false // a new connection with the addresses of the old
	if t.Flags&wire.ACK != 0 && t.Flags&wire.RST == 0 && f.hasLastSyn && (uint32(t.Ack) == f.lastSyn+1 || uint32(t.Ack) == f.lastSyn+1+f.lastSynLen) && (!f.synced || t.Flags&wire.SYN != 0) {
		fresh = f.theirs.isn != f.lastSyn
		f.theirs = numbers{known: true, isn: f.lastSyn, script: f.lastSyn}
		f.synced = t.Flags&wire.SYN == 0
	}
	if t.Flags&wire.SYN != 0 && (!f.ours.known || fresh && f.ours.isn != uint32(t.Seq)) {
		f.ours = numbers{known: true, isn: uint32(t.Seq)}
		f.hasStamps, f.stamps = false, nil
	}
}

// decode reads the packet b, which the stack has sent, into the notation. text
// says why it is not a packet that a stack may send.
func decode(b []byte, h *wire.IP, p *Packet, t *wire.TCP) (payload []byte, text string) {
	if why := wire.ParseIP(b, h); why != rule.NotDropped {
		return nil, "an IP header that is wrong: " + why.String()
	}
	if h.TotalLen != len(b) {
		return nil, "an IP packet with octets beyond its end"
	}
	b = b[h.HeaderLen:]
	switch h.Protocol {
	case wire.ProtocolTCP:
	case wire.ProtocolICMP, wire.ProtocolICMPv6:
		var m wire.ICMP
		if why := wire.ParseICMP(b, h, &m); why != rule.NotDropped {
			return nil, "an ICMP message that is wrong: " + why.String()
		}
		p.Kind, p.ICMP = ICMP, describeICMP(h.Src.Family(), &m)
		return m.Body, ""
	default:
		return nil, "a packet that is neither TCP nor ICMP"
	}
	if why := wire.ParseTCP(b, t); why != rule.NotDropped {
		return nil, "a TCP header that is wrong: " + why.String()
	}
	if !wire.VerifyTCP(b, h) {
		return nil, "a TCP checksum that is wrong"
	}
	p.Kind = TCP
	p.TCP = &Segment{
		Flags: Flags(t.Flags), Seq: uint32(t.Seq), Len: uint16(len(b) - t.HeaderLen),
		HasAck: t.Flags&wire.ACK != 0, Ack: uint32(t.Ack), HasWin: true, Win: t.Window,
		HasUrg: t.Flags&wire.URG != 0 || t.Urgent != 0, Urg: t.Urgent,
	}
	var ok bool
	if p.TCP.Options, ok = decodeOptions(b[wire.TCPHeaderLen:t.HeaderLen]); !ok {
		return nil, "TCP options that are malformed"
	}
	return b[t.HeaderLen:], ""
}

// decodeOptions reads options in their order, with the wire's numbers.
func decodeOptions(b []byte) (list []TCPOption, ok bool) {
	for len(b) > 0 {
		if b[0] <= wireNOP {
			list = append(list, TCPOption{Kind: OptionKind(b[0])}) // OptEOL and OptNOP are 0 and 1
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return list, false
		}
		list = append(list, decodeOption(b[0], b[2:b[1]]))
		b = b[b[1]:]
	}
	return list, true
}

func decodeOption(kind byte, v []byte) TCPOption {
	switch {
	case kind == wireMSS && len(v) == 2:
		return TCPOption{Kind: OptMSS, Value: uint32(wire.Be16(v))}
	case kind == wireWScale && len(v) == 1:
		return TCPOption{Kind: OptWScale, Value: uint32(v[0])}
	case kind == wireSACKPermitted && len(v) == 0:
		return TCPOption{Kind: OptSACKPermitted}
	case kind == wireSACK && len(v) > 0 && len(v)%8 == 0:
		o := TCPOption{Kind: OptSACK}
		for ; len(v) > 0; v = v[8:] {
			o.Blocks = append(o.Blocks, SeqRange{wire.Be32(v), wire.Be32(v[4:])})
		}
		return o
	case kind == wireTimestamps && len(v) == 8:
		return TCPOption{Kind: OptTimestamps, Value: wire.Be32(v), Ecr: wire.Be32(v[4:])}
	case kind == wireMD5 && len(v) == 16:
		return TCPOption{Kind: OptMD5, Hex: v}
	case kind == wireFastOpen:
		return TCPOption{Kind: OptFastOpen, Hex: v}
	case kind == wireExperiment && len(v) >= 2 && wire.Be16(v) == fastOpenMagic:
		return TCPOption{Kind: OptFastOpenExp, Hex: v[2:]}
	case (kind == wireAccECN0 || kind == wireAccECN1) && len(v)%3 == 0 && len(v) <= 9:
		o := TCPOption{Kind: OptAccECN}
		names := [3]string{"e0b", "ceb", "e1b"}
		if kind == wireAccECN1 {
			names = [3]string{"e1b", "ceb", "e0b"}
		}
		for i := 0; len(v) > 0; i, v = i+1, v[3:] {
			o.Counts = append(o.Counts, ECNNumber{names[i], uint32(v[0])<<16 | uint32(v[1])<<8 | uint32(v[2])})
		}
		return o
	}
	return TCPOption{Kind: OptOther, Value: uint32(kind), Hex: v}
}

// toScript turns the wire's numbers of an outbound segment into the script's.
func (f *flow) toScript(s *Segment) {
	if s.Flags&SYN != 0 && f.ours.known {
		s.Seq = s.Seq - f.ours.isn + f.ours.script
	} else {
		s.Seq = f.ours.toScript(s.Seq)
	}
	if s.Flags&ACK != 0 {
		s.Ack = f.theirs.toScript(s.Ack)
	}
	for i := range s.Options {
		o := &s.Options[i]
		for j := range o.Blocks {
			r := &o.Blocks[j]
			r.Left, r.Right = f.theirs.toScript(r.Left), f.theirs.toScript(r.Right)
		}
		if o.Kind == OptTimestamps && f.hasStamps {
			o.Value -= f.stampOffset
		}
	}
}
