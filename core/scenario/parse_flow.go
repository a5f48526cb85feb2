package scenario

import (
	"slices"
	"strconv"

	"github.com/tcpkit/tcpkit/core/sim"
)

// openFlow reads a flow, or more of one that is there: its fields are overridden,
// and the steps of a host, if any follow, replaced.
func (p *parser) openFlow() {
	name := p.name("the flow's name")
	if p.err != nil {
		return
	}
	i := slices.IndexFunc(p.s.Flows, func(f Flow) bool { return f.Name == name })
	if i < 0 {
		if p.full(len(p.s.Flows), maxFlows, "flows") {
			return
		}
		f := Flow{Name: name, Times: 1}
		f.Hosts[0] = p.hostName("the host that opens it")
		f.Hosts[1], f.Port = p.endpoint()
		if p.err == nil && f.Hosts[0] == f.Hosts[1] {
			p.failWord("a flow is between two hosts", "give two that differ")
		}
		i = len(p.s.Flows)
		p.s.Flows = append(p.s.Flows, f)
	}
	f := &p.s.Flows[i]
	p.flow, p.begun = i, [2]bool{}
	for p.err == nil && p.i < len(p.words) {
		switch {
		case p.accept("at"):
			f.At = p.duration("when it is opened")
		case p.accept("port"):
			f.LocalPort = p.port()
		case p.accept("meet"):
			f.Meet = true
		case p.accept("skew"):
			f.Meet, f.Skew = true, p.duration("how much later the other opens")
		case p.accept("ipv6"):
			f.Six = true
		case p.accept("times"):
			if n := p.ordinal("how many connections"); n > maxConns {
				p.failWord("no flow is "+strconv.FormatUint(uint64(n), 10)+" connections", "all flows together are "+strconv.Itoa(maxConns)+" at most")
			} else {
				f.Times = int(n)
			}
		case p.accept("every"):
			f.Every = p.duration("the time between two of them")
		default:
			p.next()
			p.failWord("a flow has no "+quoted(p.words[p.i-1].text), "it has at, port, meet, skew, ipv6, times and every")
		}
	}
	if p.err == nil && f.Meet && f.LocalPort == 0 {
		p.fail(1, "who meets has to know both ports", "add: port 40000")
	}
}

// stepNames are what a program does, with what belongs to it.
var stepNames = []string{
	"write", "write-urgent", "wait", "await-connected", "await-read", "await-eof", "close-write", "close-read", "close", "abort",
	"hold", "pace", "never-read", "read-on", "set-keepalive", "set-user-timeout", "set-no-delay", "set-linger",
}

// step reads an indented line: HOST and what its program does next.
func (p *parser) step(name string) {
	f := &p.s.Flows[p.flow]
	host := p.findHost(name)
	side := slices.Index(f.Hosts[:], host)
	if p.err == nil && side < 0 {
		p.failWord("host "+quoted(name)+" has no part in flow "+f.Name, "its hosts are "+p.s.Hosts[f.Hosts[0]].Name+" and "+p.s.Hosts[f.Hosts[1]].Name)
	}
	if p.err != nil {
		return
	}
	if !p.begun[side] {
		p.begun[side], f.Steps[side] = true, nil
	}
	if s := p.action(); !p.full(len(f.Steps[side]), maxSteps, "steps of one program") {
		f.Steps[side] = append(f.Steps[side], s)
	}
}

func (p *parser) action() (s sim.Step) {
	switch w := p.want("what the program does, such as write 500"); w {
	case "write", "write-urgent":
		if s.Op = sim.Write; w == "write-urgent" {
			s.Op = sim.WriteUrgent
		}
		s.N = p.number("how many octets", maxWrite)
		for p.err == nil && p.i < len(p.words) {
			switch {
			case p.accept("chunk"):
				s.Chunk = p.ordinal("how many octets at a time")
			case p.accept("every"):
				s.For = p.duration("the time between two chunks")
			default:
				p.next()
				p.failWord("write has no "+quoted(p.words[p.i-1].text), "it has chunk and every")
			}
		}
	case "wait":
		s.Op, s.For = sim.Wait, p.duration("how long")
	case "await-connected":
		s.Op = sim.AwaitConnected
	case "await-read":
		s.Op, s.N = sim.AwaitRead, p.number("how many octets in all", 1<<40)
	case "await-eof":
		s.Op = sim.AwaitEOF
	case "close-write":
		s.Op = sim.CloseWrite
	case "close-read":
		s.Op = sim.CloseRead
	case "close":
		s.Op = sim.Close
	case "abort":
		s.Op = sim.Abort
	case "hold":
		s.Op = sim.Hold
	case "pace":
		s.Op, s.Chunk, s.For = sim.SetPace, p.ordinal("how many octets at a time"), p.duration("the time between two reads")
	case "never-read":
		s.Op, s.N = sim.SetPace, 1
	case "read-on":
		s.Op = sim.SetPace
	case "set-keepalive":
		s.Op, s.For = sim.SetKeepalive, p.duration("how long it may be idle")
		if p.err == nil && p.i < len(p.words) {
			s.Every = p.duration("the time between two probes")
		}
		if p.err == nil && p.i < len(p.words) {
			s.N = p.number("how many probes", 255)
		}
	case "set-user-timeout":
		s.Op, s.For = sim.SetUserTimeout, p.duration("how long data may be unacknowledged")
	case "set-no-delay":
		s.Op = sim.SetNoDelay
	case "set-linger":
		s.Op, s.For = sim.SetLinger, p.duration("how long close waits; 0s resets")
	default:
		if p.err == nil {
			p.failWord("no program does "+quoted(w), nearest(w, stepNames, "it does one of "+list(stepNames)))
		}
	}
	return s
}

// findFlow is the index of a flow among all connections: NAME is its first, NAME.2
// its second of so many times.
func (s *Scenario) findFlow(name string) int {
	n := 0
	for i := range s.Flows {
		f := &s.Flows[i]
		times := max(1, f.Times)
		for k := range times {
			if name == f.Name && k == 0 || times > 1 && name == f.Name+"."+strconv.Itoa(k+1) {
				return n + k
			}
		}
		n += times
	}
	return -1
}

// FlowName is the name of a connection.
func (s *Scenario) FlowName(index int) string {
	for i := range s.Flows {
		f := &s.Flows[i]
		times := max(1, f.Times)
		if index < times && index >= 0 {
			if times == 1 {
				return f.Name
			}
			return f.Name + "." + strconv.Itoa(index+1)
		}
		index -= times
	}
	return ""
}
