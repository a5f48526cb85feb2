package script

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core/clock"
)

// String is the script in the notation. Parsing it gives the same script, but
// for positions; comments are gone and definitions are carried out.
func (s *Script) String() string { return string(s.Append(nil)) }

// Append appends the script in the notation.
func (s *Script) Append(b []byte) []byte {
	for _, line := range s.Title {
		b = append(b, "// "...)
		b = append(b, line...)
		b = append(b, '\n')
	}
	if s.Failure != "" && !slices.ContainsFunc(s.Title, func(line string) bool { return strings.HasPrefix(line, "Failure:") }) {
		b = append(append(append(b, "// Failure: "...), s.Failure...), '\n')
	}
	for i := range s.Options {
		b = s.Options[i].append(b)
		b = append(b, '\n')
	}
	if s.Init != nil {
		b = s.Init.append(b)
		b = append(b, '\n')
	}
	for i := range s.Events {
		b = s.Events[i].Append(b)
		b = append(b, '\n')
	}
	if s.Final != nil {
		b = s.Final.append(b)
		b = append(b, '\n')
	}
	return b
}

func (o *Option) append(b []byte) []byte {
	b = append(b, "--"...)
	b = append(b, o.Name...)
	if !o.HasValue {
		return b
	}
	b = append(b, '=')
	quote := o.Value != "" && o.Value[0] == '"'
	for i := 0; i < len(o.Value); i++ {
		quote = quote || isSpace(o.Value[i])
	}
	if quote {
		return appendString(b, o.Value)
	}
	return append(b, o.Value...)
}

func (c *Command) append(b []byte) []byte {
	b = append(b, '`')
	b = append(b, c.Text...)
	return append(b, '`')
}

// String is the event in the notation.
func (e *Event) String() string { return string(e.Append(nil)) }

// Append appends the event in the notation, without a newline behind it.
func (e *Event) Append(b []byte) []byte {
	start := len(b)
	b = e.Time.append(b)
	if e.Call != nil && e.Call.Blocking {
		b = append(b, "..."...)
		if 0 < e.Call.End && e.Call.End < clock.Second {
			b = append(b, '0') // four dots in a row are hard to read
		}
		b = appendSeconds(b, e.Call.End)
	}
	b = append(b, ' ')
	for len(b) < start+6 { // so that most lines line up
		b = append(b, ' ')
	}
	switch {
	case e.Packet != nil:
		return e.Packet.append(b)
	case e.Call != nil:
		return e.Call.append(b)
	case e.Code != nil:
		b = append(b, "%{"...)
		b = append(b, e.Code.Text...)
		return append(b, "}%"...)
	case e.Command != nil:
		return e.Command.append(b)
	}
	return b
}

func (t Time) append(b []byte) []byte {
	switch t.Kind {
	case Absolute:
		b = appendSeconds(b, t.At)
	case Relative:
		b = appendSeconds(append(b, '+'), t.At)
	case Any:
		b = append(b, '*')
	case AbsoluteRange:
		b = appendSeconds(append(appendSeconds(b, t.At), '~'), t.End)
	case RelativeRange:
		b = appendSeconds(append(appendSeconds(append(b, '+'), t.At), "~+"...), t.End)
	}
	return b
}

// appendSeconds appends d with as many decimals as it needs.
func appendSeconds(b []byte, d clock.Duration) []byte {
	if d < 0 {
		b = append(b, '-')
		d = -d
	}
	whole, us := int64(d/clock.Second), int64(d%clock.Second/clock.Microsecond)
	if whole != 0 || us == 0 {
		b = strconv.AppendInt(b, whole, 10)
	}
	if us == 0 {
		return b
	}
	b = append(b, '.')
	for digit := int64(100000); us > 0; digit /= 10 {
		b = append(b, byte('0'+us/digit))
		us %= digit
	}
	return b
}

func (k *Packet) append(b []byte) []byte {
	if k.Inbound {
		b = append(b, "< "...)
	} else {
		b = append(b, "> "...)
	}
	for i := range k.Encap {
		b = k.Encap[i].append(b)
		b = append(b, ' ')
	}
	if len(k.IP) > 0 {
		b = append(b, '[')
		for i, f := range k.IP {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(b, f.Name...)
			for _, n := range ipNumbers {
				if n.name == f.Name {
					b = append(b, " 0x"...)
					b = strconv.AppendUint(b, uint64(f.Value), 16)
				}
			}
		}
		b = append(b, "] "...)
	}
	if k.Ports != nil {
		b = k.Ports.append(b)
		b = append(b, ' ')
	}
	switch k.Kind {
	case UDP:
		b = append(b, "udp ("...)
		b = strconv.AppendUint(b, uint64(k.Len), 10)
		b = append(b, ')')
	case ICMP:
		b = k.ICMP.append(b)
	case TCP:
		b = k.TCP.append(b)
	}
	if k.Tunnel != nil {
		b = append(b, "/udp("...)
		b = k.Tunnel.append(b)
		b = append(b, ')')
	}
	return b
}

func (r *Ports) append(b []byte) []byte {
	b = strconv.AppendUint(b, uint64(r.Src), 10)
	b = append(b, " > "...)
	return strconv.AppendUint(b, uint64(r.Dst), 10)
}

func (e *Encap) append(b []byte) []byte {
	b = append(b, e.Kind...)
	switch e.Kind {
	case "ipv4", "ipv6":
		b = append(b, ' ')
		b = append(b, e.Src...)
		b = append(b, " > "...)
		b = append(b, e.Dst...)
	}
	for _, l := range e.Labels {
		b = append(b, " (label "...)
		b = strconv.AppendUint(b, uint64(l.Label), 10)
		b = append(b, ", tc "...)
		b = strconv.AppendUint(b, uint64(l.TC), 10)
		if l.Bottom {
			b = append(b, ", S"...)
		}
		b = append(b, ", ttl "...)
		b = strconv.AppendUint(b, uint64(l.TTL), 10)
		b = append(b, ')')
	}
	for i, f := range e.GRE {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, ' ')
		b = append(b, f.Name...)
		b = append(b, ' ')
		b = strconv.AppendUint(b, uint64(f.Value), 10)
	}
	return append(b, ':')
}

func (m *ICMPMessage) append(b []byte) []byte {
	b = append(b, "icmp "...)
	b = append(b, m.Type...)
	if m.Code != "" {
		b = append(b, ' ')
		b = append(b, m.Code...)
	}
	if m.HasMTU {
		b = append(b, " mtu "...)
		b = strconv.AppendUint(b, uint64(m.MTU), 10)
	}
	if m.HasID {
		b = append(b, " id "...)
		b = strconv.AppendUint(b, uint64(m.ID), 10)
	}
	switch m.Quote {
	case QuoteTCP:
		b = append(b, " ["...)
		b = appendSequence(b, m.QuoteSeq, m.QuoteLen)
		b = append(b, ']')
	case QuoteUDP:
		b = append(b, " [udp ("...)
		b = strconv.AppendUint(b, uint64(m.QuoteLen), 10)
		b = append(b, ")]"...)
	case QuoteRaw:
		b = append(b, " [raw ("...)
		b = strconv.AppendUint(b, uint64(m.QuoteLen), 10)
		b = append(b, ")]"...)
	}
	return b
}

func appendSequence(b []byte, seq uint32, size uint16) []byte {
	b = strconv.AppendUint(b, uint64(seq), 10)
	b = append(b, ':')
	b = strconv.AppendUint(b, uint64(seq+uint32(size)), 10)
	b = append(b, '(')
	b = strconv.AppendUint(b, uint64(size), 10)
	return append(b, ')')
}

func (s *Segment) append(b []byte) []byte {
	b = s.appendFlags(b)
	b = append(b, ' ')
	b = appendSequence(b, s.Seq, s.Len)
	if s.HasAck {
		b = append(b, " ack "...)
		b = strconv.AppendUint(b, uint64(s.Ack), 10)
	}
	if s.HasWin {
		b = append(b, " win "...)
		b = strconv.AppendUint(b, uint64(s.Win), 10)
	}
	if s.HasUrg {
		b = append(b, " urg "...)
		b = strconv.AppendUint(b, uint64(s.Urg), 10)
	}
	switch {
	case s.AnyOptions:
		return append(b, " <...>"...)
	case len(s.Options) == 0:
		return b
	}
	return s.appendOptions(append(b, ' '))
}

// appendOptions appends the options, if there are any.
func (s *Segment) appendOptions(b []byte) []byte {
	for i := range s.Options {
		if i == 0 {
			b = append(b, '<')
		} else {
			b = append(b, ',')
		}
		b = s.Options[i].append(b)
		if i == len(s.Options)-1 {
			b = append(b, '>')
		}
	}
	return b
}

// appendFlags appends the flags in their usual order, the dot at the end.
func (s *Segment) appendFlags(b []byte) []byte {
	const order = "FSRPEWAU."
	if s.Flags == 0 && !s.HasACE {
		return append(b, '-')
	}
	for i := 0; i < len(order); i++ {
		if order[i] == '.' && s.HasACE {
			b = append(b, '0'+s.ACE)
		}
		if s.Flags&flagOf(order[i]) != 0 {
			b = append(b, order[i])
		}
	}
	return b
}

// flagOf is the flag of a letter.
func flagOf(c byte) Flags {
	const letters = "FSRP.UEWA" // in the order of the bits
	for i := 0; i < len(letters); i++ {
		if letters[i] == c {
			return FIN << i
		}
	}
	return 0
}

func (o *TCPOption) append(b []byte) []byte {
	switch o.Kind {
	case OptEOL:
		b = append(b, "eol"...)
	case OptNOP:
		b = append(b, "nop"...)
	case OptMSS:
		b = append(b, "mss "...)
		b = strconv.AppendUint(b, uint64(o.Value), 10)
	case OptWScale:
		b = append(b, "wscale "...)
		b = strconv.AppendUint(b, uint64(o.Value), 10)
	case OptSACKPermitted:
		b = append(b, "sackOK"...)
	case OptSACK:
		b = append(b, "sack"...)
		for _, r := range o.Blocks {
			b = append(b, ' ')
			b = strconv.AppendUint(b, uint64(r.Left), 10)
			b = append(b, ':')
			b = strconv.AppendUint(b, uint64(r.Right), 10)
		}
	case OptTimestamps:
		b = append(b, "TS val "...)
		b = strconv.AppendUint(b, uint64(o.Value), 10)
		b = append(b, " ecr "...)
		b = strconv.AppendUint(b, uint64(o.Ecr), 10)
	case OptMD5:
		b = append(b, "md5"...)
		if o.Valid {
			b = append(b, " valid"...)
		}
		b = appendHex(b, o.Hex)
	case OptFastOpen:
		b = append(b, "FO"...)
		b = o.appendCookie(b)
	case OptFastOpenExp:
		b = append(b, "FOEXP"...)
		b = o.appendCookie(b)
	case OptOther:
		b = append(b, "kind "...)
		b = strconv.AppendUint(b, uint64(o.Value), 10)
		b = appendHex(b, o.Hex)
	case OptAccECN:
		if o.Word != "" {
			b = append(b, o.Word...)
		} else {
			b = append(b, "ECN"...)
		}
		for _, n := range o.Counts {
			b = append(b, ' ')
			if n.Name != "" {
				b = append(b, n.Name...)
				b = append(b, ' ')
			}
			b = strconv.AppendUint(b, uint64(n.Value), 10)
		}
	}
	return b
}

func appendHex(b, hex []byte) []byte {
	const digits = "0123456789abcdef"
	if len(hex) > 0 {
		b = append(b, ' ')
	}
	for _, v := range hex {
		b = append(b, digits[v>>4], digits[v&15])
	}
	return b
}

// String is the call in the notation.
func (c *Call) String() string { return string(c.append(nil)) }

func (c *Call) append(b []byte) []byte {
	b = append(b, c.Name...)
	b = append(b, '(')
	b = appendList(b, c.Args)
	b = append(b, ") = "...)
	b = c.Result.append(b)
	if c.Errno != "" {
		b = append(b, ' ')
		b = append(b, c.Errno...)
	}
	if c.HasText {
		b = append(b, " ("...)
		b = append(b, c.Text...)
		b = append(b, ')')
	}
	if c.HasNote {
		b = append(b, " ("...)
		b = append(b, c.Note...)
		b = append(b, ')')
	}
	return b
}

func appendList(b []byte, list []Expr) []byte {
	for i := range list {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = list[i].append(b)
	}
	return b
}

// String is the expression in the notation.
func (e *Expr) String() string { return string(e.append(nil)) }

func (e *Expr) append(b []byte) []byte {
	switch e.Kind {
	case Default:
		b = append(b, "..."...)
	case Int:
		if e.Hex {
			b = append(b, "0x"...)
			return strconv.AppendUint(b, uint64(e.Int), 16)
		}
		b = strconv.AppendInt(b, e.Int, 10)
	case Word:
		b = append(b, e.Text...)
	case String:
		b = appendString(b, e.Text)
	case Or:
		for i := range e.Items {
			if i > 0 {
				b = append(b, '|')
			}
			b = e.Items[i].append(b)
		}
	case List:
		b = append(b, '[')
		b = appendList(b, e.Items)
		b = append(b, ']')
	case Struct:
		b = append(b, '{')
		b = appendList(b, e.Items)
		b = append(b, '}')
	case Apply:
		b = append(b, e.Text...)
		b = append(b, '(')
		b = appendList(b, e.Items)
		b = append(b, ')')
	case Assign:
		b = e.Items[0].append(b)
		b = append(b, '=')
		b = e.Items[1].append(b)
	}
	return b
}

// appendString appends s in double quotes, in plain ASCII.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c < ' ' || c > '~':
			b = append(b, `\x`...)
			b = append(b, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
