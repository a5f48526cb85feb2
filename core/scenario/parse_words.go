package scenario

import (
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Each of these reads one word, or what belongs to it, as a value.

func (p *parser) name(what string) string {
	w := p.want(what)
	if p.err == nil && !isName(w) {
		p.failWord(quoted(w)+" is no name", "give "+what+"; letters, digits, and . - _ within")
	}
	return w
}

// names reads at least one, up to the end of the line.
func (p *parser) names(to []string, what string) []string {
	for {
		to = append(to, p.name(what))
		if p.err != nil || p.i >= len(p.words) {
			return to
		}
	}
}

func (p *parser) number(what string, most uint64) uint64 {
	w := p.want(what)
	n, ok := parseSize(w)
	if p.err == nil && (!ok || n > most) {
		p.failWord(quoted(w)+" is not "+what, "give a number of at most "+strconv.FormatUint(most, 10))
	}
	return n
}

// uint reads 64 bits.
func (p *parser) uint(what string) uint64 {
	w := p.want(what)
	n, ok := uint64(0), w != ""
	for i := range len(w) {
		digit := uint64(w[i] - '0')
		ok = ok && digit <= 9 && n <= (1<<64-1-digit)/10
		n = 10*n + digit
	}
	if p.err == nil && !ok {
		p.failWord(quoted(w)+" is not "+what, "give a number below 2 to the 64")
	}
	return n
}

func (p *parser) duration(what string) clock.Duration {
	w := p.want(what)
	d, ok := parseDuration(w)
	if p.err == nil && !ok {
		p.failWord(quoted(w)+" is not "+what, "give a time of at most 1000h, such as 200ms, 1.5s or 2h")
	}
	return d
}

func (p *parser) percent(what string) uint32 {
	w := p.want(what)
	n, ok := parsePercent(w)
	if p.err == nil && !ok {
		p.failWord(quoted(w)+" is not "+what, "give one from 0% to 100%, such as 0.5%")
	}
	return n
}

func (p *parser) port() uint16 {
	n := p.number("a port", 65535)
	if p.err == nil && n == 0 {
		p.failWord("0 is no port", "give one from 1 to 65535")
	}
	return uint16(n)
}

func (p *parser) hostNames() []string {
	names := make([]string, len(p.s.Hosts))
	for i := range names {
		names[i] = p.s.Hosts[i].Name
	}
	return names
}

func (p *parser) findHost(name string) int {
	for i := range p.s.Hosts {
		if p.s.Hosts[i].Name == name {
			return i
		}
	}
	if len(p.s.Hosts) == 0 {
		p.failWord("host "+quoted(name)+" is not defined", "add a line above: host "+name+" 10.0.0.1")
	} else {
		p.failWord("host "+quoted(name)+" is not defined", "the hosts are "+list(p.hostNames()))
	}
	return 0
}

func (p *parser) hostName(what string) int {
	if w := p.want(what); p.err == nil {
		return p.findHost(w)
	}
	return 0
}

// endpoint reads HOST:PORT.
func (p *parser) endpoint() (host int, port uint16) {
	w := p.want("HOST:PORT, such as server:80")
	if p.err != nil {
		return 0, 0
	}
	colon := len(w)
	for i := range len(w) {
		if w[i] == ':' {
			colon = i
		}
	}
	if colon == len(w) {
		p.failWord(quoted(w)+" has no port", "give HOST:PORT, such as "+w+":80")
		return 0, 0
	}
	n, ok := parseDecimal(w[colon+1:], 1, true)
	if !ok || n == 0 || n > 65535 {
		p.failWord(quoted(w[colon+1:])+" is no port", "give one from 1 to 65535")
		return 0, 0
	}
	return p.findHost(w[:colon]), uint16(n)
}

// way reads A -> B.
func (p *parser) way() (from, to int) {
	from = p.hostName("the host that sends")
	if p.err == nil && !p.accept("->") {
		p.want("-> and the host that receives")
		p.failWord("an arrow is missing", "write: "+p.s.Hosts[from].Name+" -> HOST")
	}
	to = p.hostName("the host that receives")
	if p.err == nil && from == to {
		p.failWord("a host sends nothing to itself", "give two hosts")
	}
	return from, to
}

func (p *parser) state() tcp.State {
	w := p.want("a state of RFC 9293")
	var names []string
	for s := tcp.Closed; s <= tcp.TimeWait; s++ {
		if s.String() == w {
			return s
		}
		names = append(names, s.String())
	}
	if p.err == nil {
		p.failWord("there is no state "+quoted(w), nearest(w, names, "the states are "+list(names)))
	}
	return 0
}

func (p *parser) rule() rule.ID {
	w := p.want("the name of a rule")
	var names []string
	for _, r := range rule.Rows() {
		if r.Name == w && r.ID != rule.None {
			return r.ID
		}
		names = append(names, r.Name)
	}
	if p.err == nil {
		p.failWord("there is no rule "+quoted(w), nearest(w, names, "tcpkit explain rules lists them"))
	}
	return 0
}

func (p *parser) drop() rule.Drop {
	w := p.want("why it is dropped")
	var names []string
	for d := rule.NotDropped + 1; d < rule.DropCount; d++ {
		if d.String() == w {
			return d
		}
		names = append(names, d.String())
	}
	if p.err == nil {
		p.failWord("nothing is dropped for "+quoted(w), nearest(w, names, "the reasons are "+list(names)))
	}
	return 0
}

func (p *parser) timer() uint8 {
	w := p.want("a timer, such as retransmit")
	var names []string
	for t := range uint8(tcp.TimerSlots) {
		if tcp.TimerName(t) == w {
			return t
		}
		names = append(names, tcp.TimerName(t))
	}
	if p.err == nil {
		p.failWord("there is no timer "+quoted(w), nearest(w, names, "the timers are "+list(names)))
	}
	return 0
}

// flagNames are the words for flags, in the order in which they are written.
var flagNames = [...]struct {
	name string
	flag wire.Flags
}{
	{"SYN", wire.SYN}, {"FIN", wire.FIN}, {"RST", wire.RST}, {"PSH", wire.PSH}, {"ACK", wire.ACK}, {"URG", wire.URG},
	{"ECE", wire.ECE}, {"CWR", wire.CWR}, {"DATA", 0},
}

// parseMatch reads SYN, SYN+ACK, DATA, FIN+DATA and so on, and ANY.
func parseMatch(w string) (m sim.Match, ok bool) {
	if w == "ANY" {
		return m, true
	}
	for w != "" {
		end := 0
		for end < len(w) && w[end] != '+' {
			end++
		}
		found := false
		for _, f := range flagNames {
			if f.name == w[:end] {
				found = true
				m.Flags |= f.flag
				m.Data = m.Data || f.flag == 0
			}
		}
		if !found || end+1 == len(w) {
			return m, false
		}
		w = w[min(end+1, len(w)):]
	}
	return m, m.Data || m.Flags != 0
}

func appendMatch(b []byte, m sim.Match) []byte {
	start := len(b)
	for _, f := range flagNames {
		if f.flag != 0 && m.Flags.Has(f.flag) || f.flag == 0 && m.Data {
			if len(b) > start {
				b = append(b, '+')
			}
			b = append(b, f.name...)
		}
	}
	if len(b) == start {
		return append(b, "ANY"...)
	}
	return b
}

func (p *parser) match() sim.Match {
	w := p.want("what kind of segment, such as SYN+ACK")
	m, ok := parseMatch(w)
	if p.err == nil && !ok {
		p.failWord(quoted(w)+" is no kind of segment", "give ANY, DATA, or flags such as SYN, SYN+ACK, ACK, FIN, RST")
	}
	return m
}

// errorNames are the words for how a connection ends, as programs know them.
var errorNames = [...]struct {
	name string
	errs []tcp.Error
}{
	{"none", []tcp.Error{tcp.NoError, tcp.ErrEOF}},
	{"ECONNRESET", []tcp.Error{tcp.ErrReset}},
	{"ECONNREFUSED", []tcp.Error{tcp.ErrRefused}},
	{"ETIMEDOUT", []tcp.Error{tcp.ErrTimeout, tcp.ErrUserTimeout}},
	{"EPIPE", []tcp.Error{tcp.ErrPipe}},
	{"ECONNABORTED", []tcp.Error{tcp.ErrAborted}},
	{"EHOSTUNREACH", []tcp.Error{tcp.ErrHostUnreachable, tcp.ErrProhibited}},
	{"ENETUNREACH", []tcp.Error{tcp.ErrNetUnreachable}},
	{"ENOPROTOOPT", []tcp.Error{tcp.ErrProtocolUnreachable}},
	{"EMSGSIZE", []tcp.Error{tcp.ErrMessageSize}},
	{"EADDRINUSE", []tcp.Error{tcp.ErrAddrInUse, tcp.ErrExists}},
	{"EADDRNOTAVAIL", []tcp.Error{tcp.ErrAddrNotAvail}},
	{"ENOBUFS", []tcp.Error{tcp.ErrResources}},
}

// ErrorName is the word that programs know an error by, "ECONNRESET".
func ErrorName(e tcp.Error) string {
	for i := range errorNames {
		for _, have := range errorNames[i].errs {
			if have == e {
				return errorNames[i].name
			}
		}
	}
	return "EINVAL"
}
