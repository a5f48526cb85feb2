package shift

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/wire"
)

// targets are the initial sequence numbers at which arithmetic modulo 2^32 may go
// wrong.
var targets = [...]uint32{0, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<32 - 1}

// A trace writes packets so that what may differ between two runs does not: names
// are numbered as they come, and what counts does so from its first value. All
// other octets stay as they are.
type trace struct {
	begin clock.Instant
	names map[string]int
	seqs  map[string]uint32 // by direction: where the sequence numbers begin
	times map[string]uint32 // and the timestamps
	lines []line
}

// A line is one packet. A reset with the sequence number 0 has that because it
// answers a segment without ACK (§3.10.7.1), or because it stands there: it has two
// spellings.
type line struct{ text, zero string }

func newTrace(begin clock.Instant) *trace {
	return &trace{begin: begin, names: map[string]int{}, seqs: map[string]uint32{}, times: map[string]uint32{}}
}

func (t *trace) name(s string) int {
	if _, ok := t.names[s]; !ok {
		t.names[s] = len(t.names)
	}
	return t.names[s]
}

// since is v relative to where the numbers of a direction began, or v itself where
// that is not known.
func since(base map[string]uint32, direction string, v uint32) string {
	if b, ok := base[direction]; ok {
		return fmt.Sprintf("+%d", v-b)
	}
	return fmt.Sprint(v)
}

// add writes one packet.
func (t *trace) add(at clock.Instant, packet []byte) {
	text := fmt.Sprintf("%v %s", at.Sub(t.begin), t.packet(slices.Clone(packet), false))
	t.lines = append(t.lines, line{text: text, zero: zeroSeq.ReplaceAllString(text, " seq zero")})
}

// packet takes the numbers out of a packet, or of what an ICMP error quotes of one.
func (t *trace) packet(b []byte, quoted bool) string {
	var ip wire.IP
	var q wire.QuotedTCP
	why := wire.ParseIP(b, &ip)
	if quoted {
		why = wire.ParseQuote(b, &ip, &q)
	}
	if why != rule.NotDropped {
		return fmt.Sprintf("%v %x", why, b)
	}
	if ip.Src.Is4() {
		clear(b[10:20]) // checksum, addresses
		if !ip.DontFragment {
			clear(b[4:6]) // the identification, a function of the addresses
		}
	} else {
		clear(b[8:40])
	}
	who := fmt.Sprintf("host %d > host %d", t.name(ip.Src.String()), t.name(ip.Dst.String()))
	upper := b[ip.HeaderLen:min(ip.TotalLen, len(b))]
	if ip.Protocol == wire.ProtocolTCP {
		return who + t.segment(&ip, upper, quoted) + fmt.Sprintf(" %x", b)
	}
	var m wire.ICMP
	if wire.ParseICMP(upper, &ip, &m) != rule.NotDropped {
		return who + fmt.Sprintf(" %x", b)
	}
	clear(upper[2:4])
	if wire.ParseQuote(m.Body, &ip, &q) == rule.NotDropped {
		who += " about " + t.packet(m.Body, true)
	}
	return who + fmt.Sprintf(" %x", b)
}

// segment takes the numbers out of a TCP header, or of as much of it as is quoted.
func (t *trace) segment(ip *wire.IP, b []byte, quoted bool) string {
	src := wire.AddrPort{Addr: ip.Src, Port: wire.Be16(b[0:2])}.String()
	dst := wire.AddrPort{Addr: ip.Dst, Port: wire.Be16(b[2:4])}.String()
	forth, back := src+" "+dst, dst+" "+src
	clear(b[0:4])
	sequence := wire.Be32(b[4:8])
	clear(b[4:8])
	ports := fmt.Sprintf(" port %d > port %d", t.name(src), t.name(dst))
	if len(b) < wire.TCPHeaderLen {
		return fmt.Sprintf("%s seq %s", ports, since(t.seqs, forth, sequence))
	}
	ack, flags := wire.Be32(b[8:12]), wire.Flags(b[13])
	clear(b[8:12])
	clear(b[16:18])
	if flags&wire.SYN != 0 && !quoted {
		if _, ok := t.seqs[forth]; !ok {
			t.seqs[forth] = sequence
		}
	}
	line := ports + " " + flags.String()
	line += " seq " + since(t.seqs, forth, sequence)
	if flags&wire.RST != 0 && sequence == 0 {
		line += " or zero"
	}
	if quoted {
		return line // RFC 792: eight octets are what has to be quoted
	}
	if flags&wire.ACK != 0 {
		line += " ack " + since(t.seqs, back, ack)
	} else {
		line += fmt.Sprint(" ack ", ack)
	}
	length := min(int(b[12]>>4)*4, len(b))
	return line + t.options(b[wire.TCPHeaderLen:max(length, wire.TCPHeaderLen)], forth, back)
}

// options takes the numbers out of options.
func (t *trace) options(o []byte, forth, back string) (line string) {
	const (
		end, nop, sack, timestamps = 0, 1, 5, 8
		fastOpen, experiment       = 34, 254
	)
	for len(o) > 1 && o[0] != end {
		if o[0] == nop {
			o = o[1:]
			continue
		}
		n := int(o[1])
		if n < 2 || n > len(o) {
			break
		}
		body := o[2:n]
		switch o[0] {
		case timestamps:
			value, echo := wire.Be32(body[0:4]), wire.Be32(body[4:8])
			if _, ok := t.times[forth]; !ok {
				t.times[forth] = value
			}
			line += " val " + since(t.times, forth, value)
			if echo == 0 { // which is how a SYN begins
				line += " ecr 0"
			} else {
				line += " ecr " + since(t.times, back, echo)
			}
			clear(body)
		case sack:
			for i := 0; i+4 <= len(body); i += 4 {
				line += " sack " + since(t.seqs, back, wire.Be32(body[i:]))
			}
			clear(body)
		case fastOpen, experiment:
			clear(body) // a function of the addresses
		}
		o = o[n:]
	}
	return line
}

// zeroSeq is a sequence number that may be a plain zero.
var zeroSeq = regexp.MustCompile(` seq [+0-9]+ or zero`)

func (l line) is(o line) bool {
	plain := func(s string) string { return strings.ReplaceAll(s, " or zero", "") }
	return plain(l.text) == plain(o.text) || l.zero == o.zero && l.zero != l.text
}

// differ tells of the first line in which two traces are not the same, "" if there
// is none.
func differ(a, b *trace) string {
	for i := range max(len(a.lines), len(b.lines)) {
		one, two := line{text: "nothing"}, line{text: "nothing"}
		if i < len(a.lines) {
			one = a.lines[i]
		}
		if i < len(b.lines) {
			two = b.lines[i]
		}
		if !one.is(two) {
			return strings.Join([]string{fmt.Sprintf("packet %d", i+1), one.text, two.text}, "\n\t")
		}
	}
	return ""
}
