package scenario

import (
	"slices"
	"strconv"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/wire"
)

// reserved are words that stand where a host's name could.
var reserved = []string{"packet", "all", "flow"}

// host reads a host, or more of one that is there.
func (p *parser) host() {
	name := p.name("the host's name")
	if p.err != nil {
		return
	}
	i := slices.IndexFunc(p.s.Hosts, func(h Host) bool { return h.Name == name })
	if i < 0 {
		if p.full(len(p.s.Hosts), maxHosts, "hosts") {
			return
		}
		if slices.Contains(reserved, name) {
			p.failWord("a host cannot be called "+name, "the language has that word already; call it client or server")
			return
		}
		i = len(p.s.Hosts)
		p.s.Hosts = append(p.s.Hosts, Host{Name: name, Profile: "linux", MTU: 1500})
		p.address(i)
	}
	h := &p.s.Hosts[i]
	for p.err == nil && p.i < len(p.words) {
		switch {
		case p.accept("profile"):
			h.Profile = p.want("a profile")
			if _, err := core.Profile(h.Profile); err != nil && p.err == nil {
				p.failWord("there is no profile "+quoted(h.Profile), "the profiles are "+list(core.Profiles()))
			}
		case p.accept("mtu"):
			h.MTU = int(p.number("an MTU", 65535))
			if p.err == nil && h.MTU < 68 {
				p.failWord("no link has an MTU of "+strconv.Itoa(h.MTU), "give 68 at least; 1500 is usual")
			}
		case p.accept("set"):
			p.setting(h)
		case p.accept("plugin"):
			p.addPlugin(h)
		default:
			p.address(i)
		}
	}
}

// address reads an address of host i.
func (p *parser) address(i int) {
	w := p.want("an address, such as 10.0.0.1 or fd00::1")
	if p.err != nil {
		return
	}
	a, err := wire.ParseAddr(w)
	if err != nil || a.IsMulticast() || a.IsLoopback() || a.IsUnspecified() || a.IsBroadcast() {
		p.failWord(quoted(w)+" is neither an address nor profile, set, plugin or mtu", "give an address such as 10.0.0.1 or fd00::1")
		return
	}
	for _, h := range p.s.Hosts {
		if slices.Contains(h.Addrs, a) {
			p.failWord(w+" is the address of "+h.Name+" already", "give each host its own")
			return
		}
	}
	if h := &p.s.Hosts[i]; !p.full(len(h.Addrs), maxAddrs, "addresses of one host") {
		h.Addrs = append(h.Addrs, a)
	}
}

func (p *parser) setting(h *Host) {
	w := p.want("NAME=VALUE, such as time-wait=60s")
	if p.err != nil {
		return
	}
	equals := 0
	for equals < len(w) && w[equals] != '=' {
		equals++
	}
	if equals == 0 || equals >= len(w)-1 {
		p.failWord(quoted(w)+" is not NAME=VALUE", "write it like time-wait=60s")
		return
	}
	s := Setting{w[:equals], w[equals+1:]}
	c, _ := core.Profile(h.Profile)
	if what, do := set(&c, &s); what != "" {
		p.failWord(what, do)
		return
	}
	i := slices.IndexFunc(h.Sets, func(o Setting) bool { return o.Name == s.Name })
	if i >= 0 {
		h.Sets[i] = s
	} else if !p.full(len(h.Sets), maxSettings, "settings") {
		h.Sets = append(h.Sets, s)
	}
}

// plugin is a line of its own: a plugin more, or off for none.
func (p *parser) plugin() {
	h := p.hostName("the host that gets it")
	if p.err != nil {
		return
	}
	if p.accept("off") {
		p.s.Hosts[h].Plugins = nil
		return
	}
	p.addPlugin(&p.s.Hosts[h])
}

func (p *parser) addPlugin(h *Host) {
	spec := p.want("a plugin, such as two-way,allow=lab")
	if p.err == nil && spec == "" {
		p.failWord("a plugin has a name", "give one such as two-way,allow=lab")
	}
	if !p.full(len(h.Plugins), maxPlugins, "plugins on one host") {
		h.Plugins = append(h.Plugins, spec)
	}
}

// link reads what a link is like, both ways or one.
func (p *parser) link() {
	a := p.hostName("the host at one end")
	oneWay := p.accept("->")
	b := p.hostName("the host at the other end")
	if p.err == nil && a == b {
		p.failWord("a link joins two hosts", "give two that differ")
	}
	if p.err != nil {
		return
	}
	i := slices.IndexFunc(p.s.Links, func(l Link) bool { return l.A == min(a, b) && l.B == max(a, b) })
	if i < 0 {
		i = len(p.s.Links)
		p.s.Links = append(p.s.Links, Link{A: min(a, b), B: max(a, b)})
	}
	ways := &p.s.Links[i].Ways
	way, other := &ways[0], &ways[1]
	if a > b {
		way, other = other, way
	}
	start := p.i
	p.channel(way)
	if !oneWay {
		p.i = start
		p.channel(other)
	}
}

func (p *parser) channel(c *sim.Channel) {
	for p.err == nil && p.i < len(p.words) {
		switch {
		case p.accept("delay"):
			c.Delay = p.duration("a delay")
		case p.accept("jitter"):
			c.Jitter = p.duration("a jitter")
		case p.accept("rate"):
			c.Rate = p.number("a rate, octets a second", 1<<40)
		case p.accept("queue"):
			c.Queue = int(p.number("a queue, octets", 1<<30))
		case p.accept("mtu"):
			c.MTU = int(p.number("an MTU", 65535))
		case p.accept("silent"):
			c.Silent = true
		case p.accept("loss"):
			c.Loss = p.percent("a loss")
		case p.accept("duplicate"):
			c.Duplicate = p.percent("a chance of duplicates")
		case p.accept("reorder"):
			c.Reorder = p.percent("a chance of reordering")
		case p.accept("corrupt"):
			c.Corrupt = p.percent("a chance of corruption")
		case p.accept("hold"):
			c.Hold = p.duration("how long at most a packet is held back")
		default:
			p.next()
			p.failWord("a link has no "+quoted(p.words[p.i-1].text), "it has delay, jitter, rate, queue, mtu, silent, loss, duplicate, reorder, hold and corrupt")
		}
	}
}

func (p *parser) listen() {
	l := Listen{Host: p.hostName("the host that listens"), Port: p.port(), Backlog: 8}
	for p.err == nil && p.i < len(p.words) {
		switch {
		case p.accept("backlog"):
			l.Backlog = int(p.number("a backlog", 65535))
		case p.accept("deaf"):
			l.Deaf = true
		default:
			p.next()
			p.failWord("a listener has no "+quoted(p.words[p.i-1].text), "it has backlog and deaf")
		}
	}
	i := slices.IndexFunc(p.s.Listens, func(o Listen) bool { return o.Host == l.Host && o.Port == l.Port })
	if i >= 0 {
		p.s.Listens[i] = l
	} else if !p.full(len(p.s.Listens), maxListens, "listeners") {
		p.s.Listens = append(p.s.Listens, l)
	}
}

func (p *parser) cut() {
	c := Cut{A: p.hostName("the host at one end")}
	c.OneWay = p.accept("->")
	c.B = p.hostName("the host at the other end")
	if p.err == nil && c.A == c.B {
		p.failWord("a cut is between two hosts", "give two that differ")
	}
	c.Until = longest
	for p.err == nil && p.i < len(p.words) {
		switch {
		case p.accept("from"):
			c.From = p.duration("when it begins")
		case p.accept("until"):
			c.Until = p.duration("when it ends")
		case p.accept("unreachable"):
			c.Told = true
		default:
			p.next()
			p.failWord("a cut has no "+quoted(p.words[p.i-1].text), "it has from, until and unreachable")
		}
	}
	if p.err == nil && c.Until <= c.From {
		p.failWord("the cut ends before it begins", "write: cut A B from 1s until 20s")
	}
	if !p.full(len(p.s.Cuts), maxCuts, "cuts") {
		p.s.Cuts = append(p.s.Cuts, c)
	}
}

func (p *parser) turn(what string) {
	t := Turn{Host: p.hostName("the host")}
	for k := sim.Crash; k.String() != "unknown"; k++ {
		if k.String() == what {
			t.What = k
		}
	}
	if p.err == nil && !p.accept("at") {
		p.want("at and the time")
		p.failWord("the time is missing", "write: "+what+" "+p.s.Hosts[t.Host].Name+" at 10s")
	}
	t.At = p.duration("when it happens")
	if !p.full(len(p.s.Turns), maxTurns, "turns of hosts") {
		p.s.Turns = append(p.s.Turns, t)
	}
}

func (p *parser) flood() {
	var f Flood
	f.Host, f.Port = p.endpoint()
	f.Count, f.Flags = 1, wire.SYN
	for p.err == nil && p.i < len(p.words) {
		switch {
		case p.accept("at"):
			f.At = p.duration("when it begins")
		case p.accept("count"):
			f.Count = uint32(p.number("how many segments", maxFlood))
		case p.accept("every"):
			f.Every = p.duration("the time between two of them")
		case p.accept("flags"):
			if m := p.match(); m.Data && p.err == nil {
				p.failWord("a flood brings no data", "give flags such as SYN or RST")
			} else {
				f.Flags = m.Flags
			}
		default:
			p.next()
			p.failWord("a flood has no "+quoted(p.words[p.i-1].text), "it has at, count, every and flags")
		}
	}
	if !p.full(len(p.s.Floods), maxFloods, "floods") {
		p.s.Floods = append(p.s.Floods, f)
	}
}

func (p *parser) fault() {
	f := Fault{Nth: 1}
	if p.accept("packet") {
		f.Packet, f.Nth = p.ordinal("the id of a packet, from 1"), 0
	} else {
		f.From, f.To = p.way()
		if w := p.look(); w != "all" && w != "" && (w[0] < '0' || w[0] > '9') {
			f.Match = p.match()
		}
		if p.accept("all") {
			f.Nth = 0
		} else {
			f.Nth = p.ordinal("the how manieth one, or all")
		}
	}
	p.fate(&f)
	for p.err == nil && p.i < len(p.words) && f.Packet == 0 {
		switch {
		case p.accept("from"):
			f.Since = p.duration("from when on")
		case p.accept("until"):
			f.Until = p.duration("until when")
		default:
			p.next()
			p.failWord("a fault has no "+quoted(p.words[p.i-1].text), "behind lose, delay, double or spoil there may be from and until")
		}
	}
	if p.err == nil && f.Until != 0 && f.Until <= f.Since {
		p.failWord("the fault ends before it begins", "write: from 1s until 20s")
	}
	if !p.full(len(p.s.Faults), maxFaults, "faults") {
		p.s.Faults = append(p.s.Faults, f)
	}
}

func (p *parser) fate(f *Fault) {
	switch w := p.want("what becomes of it: lose, delay, double or spoil"); w {
	case "lose":
		f.Fate = sim.Lose
	case "spoil":
		f.Fate = sim.Spoil
	case "delay":
		f.Fate, f.By = sim.Delay, p.duration("how much later it comes")
	case "double":
		f.Fate = sim.Double
		if w := p.look(); w != "" && w != "from" && w != "until" {
			f.By = p.duration("how much later its double comes")
		}
	default:
		if p.err == nil {
			p.failWord("a fault cannot "+quoted(w), "give lose, delay TIME, double TIME or spoil")
		}
	}
}

// ordinal reads a number from 1.
func (p *parser) ordinal(what string) uint32 {
	n := p.number(what, 1<<31)
	if p.err == nil && n == 0 {
		p.failWord("0 is not "+what, "the first is 1")
	}
	return uint32(n)
}
