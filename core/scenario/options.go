package scenario

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/wire"
)

// An Option is what is expected of one option of a segment's header: that it is
// there, with a value if one is given, or that it is Absent.
type Option struct {
	Is     wire.OptionSet
	Absent bool
	Value  Optional
}

// options are those that can be expected, and the numbers that some of them bring.
var options = [...]struct {
	name  string
	is    wire.OptionSet
	value func(o *wire.Options) int64 // nil: none that could be compared
}{
	{"mss", wire.HasMSS, func(o *wire.Options) int64 { return int64(o.MSS) }},
	{"window-scale", wire.HasWindowScale, func(o *wire.Options) int64 { return int64(o.WindowScale) }},
	{"sack-permitted", wire.HasSACKPermitted, nil},
	{"sack", wire.HasSACK, func(o *wire.Options) int64 { return int64(o.SACKCount) }}, // blocks
	{"timestamps", wire.HasTimestamps, nil},
	{"fast-open", wire.HasFastOpen, nil},
	{"user-timeout", wire.HasUserTimeout, nil},
}

// options reads NAME[=N],NAME,... as it stands behind with and without.
func (p *parser) options(to []Option, absent bool) []Option {
	text := p.want("options, such as mss=1460,timestamps")
	for p.err == nil && text != "" {
		end := 0
		for end < len(text) && text[end] != ',' {
			end++
		}
		o, ok := parseOption(text[:end])
		if o.Absent = absent; !ok || absent && o.Value.Given {
			names := make([]string, len(options))
			for i := range options {
				names[i] = options[i].name
			}
			p.failWord(quoted(text[:end])+" is no option that can be expected", nearest(text[:end], names, "give some of "+list(names)+"; with =N behind mss, window-scale and sack, if they are there"))
		}
		to = append(to, o)
		text = text[min(end+1, len(text)):]
	}
	return to
}

func parseOption(s string) (o Option, ok bool) {
	name := s
	for i := range len(s) {
		if s[i] == '=' {
			n, fits := parseDecimal(s[i+1:], 1, true)
			if !fits || n > 65535 {
				return o, false
			}
			name, o.Value = s[:i], Optional{Given: true, N: int64(n)}
			break
		}
	}
	for _, known := range options {
		if known.name == name {
			o.Is = known.is
			return o, !o.Value.Given || known.value != nil
		}
	}
	return o, false
}

// text is the option as it is written.
func (o Option) text() string {
	for _, known := range options {
		if known.is == o.Is && o.Value.Given {
			return known.name + "=" + strconv.FormatInt(o.Value.N, 10)
		} else if known.is == o.Is {
			return known.name
		}
	}
	return ""
}

// printOptions writes them in their order.
func printOptions(w *printer, all []Option) {
	for i := 0; i < len(all); {
		first, text := all[i], ""
		for ; i < len(all) && all[i].Absent == first.Absent; i++ {
			if text != "" {
				text += ","
			}
			text += all[i].text()
		}
		if first.Absent {
			w.words("without", text)
		} else {
			w.words("with", text)
		}
	}
}

// optionsOf gives the options that a packet has.
func optionsOf(packet []byte) (found []Option) {
	var ip wire.IP
	var t wire.TCP
	if wire.ParseIP(packet, &ip) != 0 || ip.Protocol != wire.ProtocolTCP || wire.ParseTCP(packet[ip.HeaderLen:ip.TotalLen], &t) != 0 {
		return nil
	}
	for _, known := range options {
		if t.Options.Has.Has(known.is) {
			o := Option{Is: known.is}
			if known.value != nil {
				o.Value = Optional{Given: true, N: known.value(&t.Options)}
			}
			found = append(found, o)
		}
	}
	return found
}

// holds compares with what was found.
func (o Option) holds(found []Option) bool {
	for _, f := range found {
		if f.Is == o.Is {
			return !o.Absent && (!o.Value.Given || o.Value == f.Value)
		}
	}
	return o.Absent
}
