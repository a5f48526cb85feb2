package plugins

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// A filter says for what a hook is called. It is looked at before the plugin is,
// which costs a fraction of a call.
type filter struct {
	hooks         hookSet
	states, to    uint16 // bits of old and new states; 0: any
	mask, value   wire.Flags
	in, out       bool // both or neither: any direction
	ports         [filterPorts]portRange
	nports        uint8
	least, most   uint32 // octets of payload
	boundsPayload bool
}

const filterPorts = 8

// A portRange is some ports of one end, or of either.
type portRange struct {
	low, high     uint16
	local, remote bool
}

func (p *portRange) has(t *tcp.Tuple) bool {
	return p.local && p.low <= t.Local.Port && t.Local.Port <= p.high ||
		p.remote && p.low <= t.Remote.Port && t.Remote.Port <= p.high
}

// matches reports whether all conditions hold. Those about a segment do where
// there is none, and those about ports where there is no connection.
func (f *filter) matches(r *tcp.Record) bool {
	if f.states != 0 && f.states>>r.From&1 == 0 || f.to != 0 && f.to>>r.To&1 == 0 {
		return false
	}
	if f.nports > 0 && (r.Tuple.Local.Port|r.Tuple.Remote.Port) != 0 && !f.matchesPort(&r.Tuple) {
		return false
	}
	if !r.Segment {
		return true
	}
	if f.in != f.out && f.out != r.Leaving {
		return false
	}
	n := uint32(len(r.Payload))
	return r.TCP.Flags&f.mask == f.value && (!f.boundsPayload || f.least <= n && n <= f.most)
}

func (f *filter) matchesPort(t *tcp.Tuple) bool {
	for i := range f.ports[:f.nports] {
		if f.ports[i].has(t) {
			return true
		}
	}
	return false
}

var conditions = []string{"port", "local-port", "remote-port", "state", "to", "flags", "direction", "payload"}

// parseFilter reads what stands behind "filter": hooks, or * for all, and
// conditions, of which all must hold. Of several filters for a hook one must.
func parseFilter(text string) (f filter, err error) {
	which, rest := cut(text)
	if which == "*" {
		f.hooks = ^hookSet(0)
	} else if f.hooks, err = parseHooks(which); err != nil {
		return f, err
	}
	if rest == "" {
		return f, Error("the filter has no condition; add one, such as port=80")
	}
	for _, word := range words(rest, false) {
		key, value, ok := cutAt(word, '=')
		if !ok {
			return f, Error(quote(word) + " is no condition; write one as port=80")
		}
		if err := f.condition(key, value); err != nil {
			return f, err
		}
	}
	return f, nil
}

func (f *filter) condition(key, value string) (err error) {
	switch key {
	case "port":
		return f.addPorts(value, true, true)
	case "local-port":
		return f.addPorts(value, true, false)
	case "remote-port":
		return f.addPorts(value, false, true)
	case "state":
		f.states, err = parseStates(value)
	case "to":
		f.to, err = parseStates(value)
	case "flags":
		set, mask, has := cutAt(value, '/')
		if f.value, err = parseFlags(set); err != nil {
			return err
		}
		f.mask = f.value
		if has {
			f.mask, err = parseFlags(mask)
		}
		if err == nil && f.value&^f.mask != 0 {
			err = Error("flags=" + value + " can never hold: what is behind the stroke are the flags that are looked at, which must include those before it")
		}
	case "direction":
		f.in, f.out = value == "in", value == "out"
		if f.in == f.out {
			err = Error("the direction " + quote(value) + " is neither in nor out")
		}
	case "payload":
		f.boundsPayload = true
		f.least, f.most, err = parseRange(value, 1<<16)
	default:
		err = Error("there is no condition " + quote(key) + slip(key, conditions))
	}
	return err
}

func (f *filter) addPorts(value string, local, remote bool) error {
	for _, part := range split(value, ',') {
		low, high, err := parseRange(part, 1<<16-1)
		if err != nil {
			return err
		}
		if int(f.nports) == filterPorts {
			return Error("a filter has room for " + strconv.Itoa(filterPorts) + " ports or ranges of them; write a second filter")
		}
		f.ports[f.nports] = portRange{uint16(low), uint16(high), local, remote}
		f.nports++
	}
	return nil
}

// parseRange reads "80", "80-90", "80-" or "-90".
func parseRange(text string, limit uint32) (low, high uint32, err error) {
	first, last, isRange := cutAt(text, '-')
	bound := func(s string, open uint32) (uint32, bool) {
		if s == "" && isRange && text != "-" {
			return open, true
		}
		n, ok := parseUint(s)
		return uint32(n), ok && n <= uint64(limit)
	}
	low, ok := bound(first, 0)
	high, also := low, true
	if isRange {
		high, also = bound(last, limit)
	}
	if !ok || !also || low > high {
		return 0, 0, Error(quote(text) + " is no number or range up to " + strconv.FormatUint(uint64(limit), 10) + ", such as 80 or 8000-8080")
	}
	return low, high, nil
}

func parseStates(value string) (set uint16, err error) {
	names := make([]string, tcp.TimeWait+1)
	for s := range names {
		names[s] = tcp.State(s).String()
	}
words:
	for _, word := range split(value, ',') {
		for s, name := range names {
			if name == upper(word) {
				set |= 1 << s
				continue words
			}
		}
		return 0, Error("there is no state " + quote(word) + slip(upper(word), names))
	}
	return set, nil
}

var flagNames = []string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"}

// parseFlags reads "SYN+ACK", or "0" for none.
func parseFlags(value string) (set wire.Flags, err error) {
	if value == "0" {
		return 0, nil
	}
words:
	for _, word := range split(value, '+') {
		for i, name := range flagNames {
			if name == upper(word) {
				set |= 1 << i
				continue words
			}
		}
		return 0, Error("there is no flag " + quote(word) + slip(upper(word), flagNames))
	}
	return set, nil
}
