package script

import (
	"math"
	"strings"
)

// packet is what follows the time: a direction, headers outside of the packet,
// what its IP header says, and one of TCP, UDP and ICMP.
func (p *parser) packet() *Packet {
	k := &Packet{Inbound: p.next().text == "<"}
	for {
		t := p.look()
		if t.kind != tokWord || t.text != "ipv4" && t.text != "ipv6" && t.text != "gre" && t.text != "mpls" {
			break
		}
		p.take(t)
		k.Encap = append(k.Encap, p.encap(t.text))
	}
	k.IP = p.ipInfo(k.Inbound)

	t := p.look()
	if v, ok := parseUint(t); ok && v <= math.MaxUint16 {
		if gt := p.peek(t.end); gt.kind == tokPunct && gt.text == ">" {
			k.Ports = p.ports()
		}
	}
	switch t = p.look(); t.text {
	case "sctp", "udplite", "dccp": // with a grammar of their own
		p.unsupported(t, "the protocol "+t.text)
	}
	switch {
	case p.acceptWord("udp"):
		k.Kind = UDP
		p.expect("(", "( and the size of the UDP payload")
		k.Len = uint16(p.number("the size of the UDP payload", math.MaxUint16))
		p.expect(")", ") behind the size of the UDP payload")
	case p.acceptWord("icmp"):
		k.Kind = ICMP
		k.ICMP = p.icmp()
	default:
		k.TCP = p.segment(k.Inbound)
	}
	if p.accept("/") {
		if t := p.look(); !p.acceptWord("udp") {
			p.failWant(t, "udp(SOURCE > DESTINATION) behind the /")
		}
		p.expect("(", "( and the ports of the UDP tunnel")
		k.Tunnel = p.ports()
		p.expect(")", ") behind the ports of the UDP tunnel")
	}
	return k
}

func (p *parser) ports() *Ports {
	var r Ports
	r.Src = uint16(p.number("a source port", math.MaxUint16))
	p.expect(">", "> between the ports")
	r.Dst = uint16(p.number("a destination port", math.MaxUint16))
	return &r
}

// encap is an outer header up to its colon.
func (p *parser) encap(kind string) Encap {
	e := Encap{Kind: kind}
	switch kind {
	case "ipv4", "ipv6":
		e.Src = p.address()
		p.expect(">", "> between the addresses")
		e.Dst = p.address()
	case "mpls":
		for p.is("(") {
			e.Labels = append(e.Labels, p.label())
		}
		if len(e.Labels) == 0 {
			p.failWant(p.look(), "(label N, tc N, [S,] ttl N)")
		}
	case "gre":
		for !p.is(":") {
			t := p.word("the name of a GRE field, or a :")
			e.GRE = append(e.GRE, IPNumber{t.text, uint32(p.number("the number of that GRE field", math.MaxUint32))})
			p.accept(",")
		}
	}
	p.expect(":", ": behind an outer header")
	return e
}

// address takes the raw text of an IP address; a colon at its end belongs to
// the outer header.
func (p *parser) address() string {
	p.cur = p.skip(p.cur)
	start := p.cur
	c := start
	for c.off < len(p.src) && (isWordByte(p.src[c.off]) || p.src[c.off] == '.' || p.src[c.off] == ':') {
		c = p.step(c, 1)
	}
	text := p.src[start.off:c.off]
	if strings.HasSuffix(text, ":") && !strings.HasSuffix(text, "::") || strings.HasSuffix(text, ":::") {
		text = text[:len(text)-1]
	}
	if text == "" {
		p.failWant(p.look(), "an IP address")
	}
	p.cur = p.step(start, len(text))
	return text
}

// label is one MPLS label stack entry.
func (p *parser) label() Label {
	var l Label
	p.expect("(", "( and a label")
	for first := true; first || p.accept(","); first = false {
		t := p.word("label, tc, S or ttl")
		switch t.text {
		case "label":
			l.Label = uint32(p.number("a label", 1<<20-1))
		case "tc":
			l.TC = uint8(p.number("a traffic class", 7))
		case "ttl":
			l.TTL = uint8(p.number("a time to live", 255))
		case "S":
			l.Bottom = true
		default:
			p.failWant(t, "label, tc, S or ttl")
		}
	}
	p.expect(")", ") behind a label")
	return l
}

// ecnNames are the words that ask for ECN bits.
var ecnNames = [...]string{"noecn", "ect0", "ect1", "ect01", "ce"}

// ipNumbers are the words that ask for a number in the IP header.
var ipNumbers = [...]struct {
	name string
	max  uint64
}{{"tos", 255}, {"ttl", 255}, {"flowlabel", 1<<20 - 1}, {"dscp", 63}, {"hlim", 255}}

// dscpOf is a DSCP by its name: RFC 2474, RFC 2597, RFC 3246, RFC 5865, RFC 8622.
func dscpOf(s string) (uint32, bool) {
	switch s {
	case "le":
		return 1, true
	case "va":
		return 44, true
	case "ef":
		return 46, true
	}
	if len(s) == 3 && s[:2] == "cs" && s[2] >= '0' && s[2] <= '7' {
		return uint32(s[2]-'0') << 3, true
	}
	if len(s) == 4 && s[:2] == "af" && s[2] >= '1' && s[2] <= '4' && s[3] >= '1' && s[3] <= '3' {
		return uint32(s[2]-'0')<<3 | uint32(s[3]-'0')<<1, true
	}
	return 0, false
}

// ipInfo is a list in brackets, parentheses or braces.
func (p *parser) ipInfo(inbound bool) []IPField {
	closing := ""
	switch {
	case p.accept("["):
		closing = "]"
	case p.accept("("):
		closing = ")"
	case p.accept("{"):
		closing = "}"
	default:
		return nil
	}
	const want = "noecn, ect0, ect1, ect01, ce, tos N, ttl N, flowlabel N, dscp N or hlim N"
	var list []IPField
	for first := true; first || p.accept(","); first = false {
		t := p.word(want)
		f := IPField{Name: t.text}
		known := false
		for _, n := range ecnNames {
			known = known || n == f.Name
		}
		for _, n := range ipNumbers {
			if n.name == f.Name {
				known = true
				p.accept("=")
				if v, ok := dscpOf(p.look().text); ok && f.Name == "dscp" {
					p.next()
					f.Value = v
					continue
				}
				f.Value = uint32(p.number("the number of "+n.name, n.max))
			}
		}
		if v, ok := dscpOf(f.Name); ok {
			known, f = true, IPField{"dscp", v}
		}
		if !known {
			p.failWant(t, want)
		}
		if f.Name == "ect01" && inbound {
			p.fail(t.pos, "expected one exact ECN value: only an outbound packet may have ect01")
		}
		for _, g := range list {
			if g.Name == f.Name {
				p.failWant(t, "each item of IP information once")
			}
		}
		list = append(list, f)
	}
	p.expect(closing, closing+" behind the IP information")
	return list
}

// icmp is TYPE [CODE] [mtu N] [id N] [what is quoted].
func (p *parser) icmp() *ICMPMessage {
	m := &ICMPMessage{Type: p.word("the type of the ICMP message").text}
	t := p.look()
	if t.kind == tokWord && t.text != "mtu" && t.text != "id" {
		// A number on the next line is the time of the next event.
		if _, ok := parseUint(t); !ok || t.pos.Line == p.cur.pos.Line {
			p.take(t)
			m.Code = t.text
		}
	}
	if p.acceptWord("mtu") {
		m.HasMTU = true
		m.MTU = uint32(p.number("an MTU", math.MaxUint32))
	}
	if p.acceptWord("id") {
		m.HasID = true
		m.ID = uint32(p.number("an identifier", math.MaxUint16))
	}
	if !p.accept("[") {
		return m
	}
	switch {
	case p.acceptWord("udp"):
		m.Quote = QuoteUDP
		m.QuoteLen = p.quoteLen()
	case p.acceptWord("raw"):
		m.Quote = QuoteRaw
		m.QuoteLen = p.quoteLen()
	default:
		m.Quote = QuoteTCP
		m.QuoteSeq, m.QuoteLen = p.sequence()
	}
	p.expect("]", "] behind what is quoted")
	return m
}

func (p *parser) quoteLen() uint16 {
	p.expect("(", "( and a size")
	n := uint16(p.number("a size", math.MaxUint16))
	p.expect(")", ") behind a size")
	return n
}

// sequence is SEQ:END(LEN).
func (p *parser) sequence() (seq uint32, size uint16) {
	t := p.look()
	seq = uint32(p.number("a sequence number, SEQ:END(LEN)", math.MaxUint32))
	p.expect(":", ": behind the first sequence number")
	end := uint32(p.number("the sequence number of the end", math.MaxUint32))
	p.expect("(", "( and the size of the payload")
	size = uint16(p.number("the size of the payload", math.MaxUint16))
	p.expect(")", ") behind the size of the payload")
	if seq+uint32(size) != end {
		p.fail(t.pos, "expected an END that is SEQ+LEN (SYN and FIN are not counted)")
	}
	return seq, size
}

// segment is FLAGS SEQ:END(LEN) [ack N] [win N] [urg N] [<options>].
func (p *parser) segment(inbound bool) *Segment {
	s := &Segment{}
	p.flags(s)
	s.Seq, s.Len = p.sequence()
	for {
		t := p.look()
		var has *bool
		switch {
		case t.kind != tokWord:
		case t.text == "ack":
			has = &s.HasAck
		case t.text == "win":
			has = &s.HasWin
		case t.text == "urg":
			has = &s.HasUrg
		}
		if has == nil {
			break
		}
		if *has {
			p.failWant(t, t.text+" only once")
		}
		*has = true
		p.take(t)
		switch t.text {
		case "ack":
			s.Ack = uint32(p.number("an acknowledgment number", math.MaxUint32))
		case "win":
			s.Win = uint16(p.number("a window", math.MaxUint16))
		case "urg":
			s.Urg = uint16(p.number("an urgent pointer", math.MaxUint16))
		}
	}
	if inbound && !s.HasWin {
		p.failWant(p.look(), "win N: an inbound segment needs a window")
	}
	if p.is("<") { // it cannot belong to the next event, which starts with its time
		p.tcpOptions(s, inbound)
	}
	return s
}

// flags is a run of letters, dots and at most one digit without a space, or -.
func (p *parser) flags(s *Segment) {
	const want = "TCP flags: letters of FSRPEWAU, . for ACK, or - for none"
	first := p.look()
	if p.accept("-") {
		return
	}
	n := 0
	for t := first; n == 0 || t.glued; t = p.look() {
		if t.kind == tokPunct && t.text == "." {
			p.flag(t, s, ACK)
		} else if t.kind == tokWord {
			for i := 0; i < len(t.text); i++ {
				c := t.text[i]
				f := flagOf(c)
				switch {
				case f != 0:
					p.flag(t, s, f)
				case '0' <= c && c <= '7' && !s.HasACE:
					s.HasACE, s.ACE = true, c-'0'
				default:
					p.failWant(t, want)
				}
			}
		} else {
			break
		}
		p.take(t)
		n++
	}
	if n == 0 {
		p.failWant(first, want)
	}
	if s.HasACE && s.Flags&(AE|CWR|ECE) != 0 {
		p.fail(first.pos, "expected either a digit for the ACE field or the flags E, W and A, not both")
	}
}

func (p *parser) flag(t token, s *Segment, f Flags) {
	if s.Flags&f != 0 {
		p.failWant(t, "each TCP flag once")
	}
	s.Flags |= f
}

// tcpOptions is <...> or <list>.
func (p *parser) tcpOptions(s *Segment, inbound bool) {
	p.next()
	if t := p.look(); p.accept("...") {
		if inbound {
			p.fail(t.pos, "expected a list of TCP options: only an outbound packet may have <...>")
		}
		s.AnyOptions = true
		p.expect(">", "> behind the TCP options")
		return
	}
	if p.accept(">") {
		return
	}
	start := p.look()
	for first := true; first || p.accept(","); first = false {
		s.Options = append(s.Options, p.tcpOption())
	}
	p.expect(">", ", or > behind a TCP option")
	size := 0
	for i := range s.Options {
		size += s.Options[i].size()
	}
	if size%4 != 0 || size > 40 {
		p.fail(start.pos, "expected TCP options with a total size that is a multiple of 4 and at most 40; pad with nop or eol")
	}
}

// size is how many octets the option takes.
func (o *TCPOption) size() int {
	switch o.Kind {
	case OptEOL, OptNOP:
		return 1
	case OptMSS:
		return 4
	case OptWScale:
		return 3
	case OptSACKPermitted:
		return 2
	case OptSACK:
		return 2 + 8*len(o.Blocks)
	case OptTimestamps:
		return 10
	case OptMD5:
		return 18
	case OptFastOpen:
		return 2 + o.cookieSize()
	case OptFastOpenExp:
		return 4 + o.cookieSize()
	case OptAccECN:
		return 2 + 3*len(o.Counts)
	case OptOther:
		return 2 + len(o.Hex)
	}
	panic("script: a TCP option of kind " + string(rune('0'+o.Kind)) + "; expected one that the parser makes")
}

// tcpOption is one option by its name.
func (p *parser) tcpOption() TCPOption {
	t := p.word("a TCP option")
	switch t.text {
	case "eol":
		return TCPOption{Kind: OptEOL}
	case "nop":
		return TCPOption{Kind: OptNOP}
	case "mss":
		return TCPOption{Kind: OptMSS, Value: uint32(p.number("a maximum segment size", math.MaxUint16))}
	case "wscale":
		return TCPOption{Kind: OptWScale, Value: uint32(p.number("a window scale", 255))}
	case "sackOK":
		return TCPOption{Kind: OptSACKPermitted}
	case "sack":
		return p.sackOption()
	case "TS":
		o := TCPOption{Kind: OptTimestamps}
		if u := p.look(); !p.acceptWord("val") {
			p.failWant(u, "val N ecr N behind TS")
		}
		o.Value = uint32(p.number("a timestamp", math.MaxUint32))
		if u := p.look(); !p.acceptWord("ecr") {
			p.failWant(u, "ecr N behind TS val N")
		}
		o.Ecr = uint32(p.number("a timestamp", math.MaxUint32))
		return o
	case "md5":
		if p.acceptWord("valid") {
			return TCPOption{Kind: OptMD5, Valid: true}
		}
		o := TCPOption{Kind: OptMD5, Hex: p.hex(16)}
		if len(o.Hex) != 16 && len(o.Hex) != 0 {
			p.fail(t.pos, "expected an MD5 digest of 32 hexadecimal digits, or none")
		}
		return o
	case "FO":
		return p.cookie(OptFastOpen, 38)
	case "FOEXP":
		return p.cookie(OptFastOpenExp, 36)
	case "ECN", "eceb", "ee0b":
		return p.accECN(t)
	case "kind":
		o := TCPOption{Kind: OptOther, Value: uint32(p.number("the kind of an option", 255))}
		if o.Value < 2 {
			p.failWant(t, "a kind other than 0 and 1, which are eol and nop")
		}
		o.Hex = p.hex(38)
		return o
	}
	switch t.text { // of other dialects, and what Linux has grown since
	case "exp", "EXP", "tarr", "TARR", "mptcp", "mp_capable", "mp_join", "dss", "add_address", "ao", "AO", "tcpao", "smc", "SMC":
		p.unsupported(t, "the TCP option "+t.text)
	}
	p.failWant(t, "mss, wscale, sackOK, sack, TS, nop, eol, md5, FO, FOEXP, ECN or kind")
	return TCPOption{}
}

func (p *parser) sackOption() TCPOption {
	o := TCPOption{Kind: OptSACK}
	for t := p.look(); t.kind == tokWord; t = p.look() {
		var r SeqRange
		r.Left = uint32(p.number("the left edge of a SACK block", math.MaxUint32))
		p.expect(":", ": between the edges of a SACK block")
		r.Right = uint32(p.number("the right edge of a SACK block", math.MaxUint32))
		o.Blocks = append(o.Blocks, r)
		if len(o.Blocks) > 4 {
			p.fail(t.pos, "expected at most 4 SACK blocks")
		}
	}
	if len(o.Blocks) == 0 {
		p.failWant(p.look(), "a SACK block LEFT:RIGHT")
	}
	return o
}

// accECN is ECN with counters, or in the other dialect eceb N and ee0b N.
func (p *parser) accECN(t token) TCPOption {
	o := TCPOption{Kind: OptAccECN}
	if t.text != "ECN" {
		o.Word = t.text
	}
	for u := p.look(); u.kind == tokWord && len(o.Counts) < 3; u = p.look() {
		n := ECNNumber{Name: u.text}
		if _, number := parseUint(u); o.Word != "" && number {
			n.Name = ""
		} else if u.text == "e0b" || u.text == "e1b" || u.text == "ceb" {
			p.take(u)
		} else {
			p.failWant(u, "e0b N, e1b N or ceb N")
		}
		n.Value = uint32(p.number("a counter", 1<<24-1))
		o.Counts = append(o.Counts, n)
	}
	return o
}

// hex takes a word of hexadecimal digits, if one follows: at most max octets.
// cookie reads a Fast Open cookie, or the word for one.
func (p *parser) cookie(kind OptionKind, most int) TCPOption {
	if t := p.look(); t.kind == tokWord && isCookieWord(t.text) {
		p.take(t)
		return TCPOption{Kind: kind, Word: t.text}
	}
	return TCPOption{Kind: kind, Hex: p.hex(most)}
}

func (p *parser) hex(max int) []byte {
	t := p.look()
	if t.kind != tokWord {
		return nil
	}
	if len(t.text)%2 != 0 || len(t.text) > 2*max {
		p.failWant(t, "an even number of hexadecimal digits that fits a TCP option")
	}
	b := make([]byte, 0, len(t.text)/2)
	for i := 0; i < len(t.text); i += 2 {
		hi, lo := hexDigit(t.text[i]), hexDigit(t.text[i+1])
		if hi < 0 || lo < 0 {
			p.failWant(t, "hexadecimal digits")
		}
		b = append(b, byte(hi<<4|lo))
	}
	p.take(t)
	return b
}
