package scenario

import (
	"slices"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/sim"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// An Order is what a Loader is asked for: the plugins of one host.
type Order struct {
	Host  string
	Specs []string // NAME,key=value as they stand in the text
	Key   siphash.Key
	MTU   int
}

// A Loader makes the hook of a host's plugins, and says at which steps it is called. It
// is asked again when the cursor of a run goes back, and gives plugins anew then; what
// has a method Close() error is closed when it is not needed any more.
type Loader func(o *Order) (tcp.Hook, tcp.HookMask, error)

// start is the time of the world at which a run begins.
const start = clock.Instant(clock.Second)

// usualHold is how long a link that reorders holds a packet back at most, unless it says so.
const usualHold = 20 * clock.Millisecond

// link finds the link of two hosts, and whether from and to are its A and B.
func (s *Scenario) link(from, to int) (index int, along bool) {
	i := slices.IndexFunc(s.Links, func(l Link) bool { return l.A == min(from, to) && l.B == max(from, to) })
	return i, from < to
}

// direction is that of the world from one host to another.
func (s *Scenario) direction(from, to int) int {
	i, along := s.link(from, to)
	if along {
		return 2 * i
	}
	return 2*i + 1
}

// reach looks whether all that talk to each other can.
func (p *parser) reach() {
	s := p.s
	joined := func(a, b int) {
		if i, _ := s.link(a, b); i < 0 && p.err == nil {
			names := s.Hosts[a].Name + " " + s.Hosts[b].Name
			p.fail(0, "there is no link between "+s.Hosts[a].Name+" and "+s.Hosts[b].Name, "add a line such as: link "+names+" delay 50ms")
		}
	}
	for i := range s.Flows {
		f := &s.Flows[i]
		joined(f.Hosts[0], f.Hosts[1])
		for _, h := range f.Hosts {
			if !s.Hosts[h].address(f.Six).IsValid() && p.err == nil {
				p.fail(0, "host "+s.Hosts[h].Name+" has no address for flow "+f.Name, "give it one of IPv4, or of IPv6 if the flow is ipv6")
			}
		}
	}
	for i := range s.Faults {
		if f := &s.Faults[i]; f.Packet == 0 {
			joined(f.From, f.To)
		}
	}
	for i := range s.Cuts {
		joined(s.Cuts[i].A, s.Cuts[i].B)
	}
}

// address is the host's first of a family.
func (h *Host) address(six bool) wire.Addr {
	for _, a := range h.Addrs {
		if a.Is6() == six {
			return a
		}
	}
	return wire.Addr{}
}

// config is the world of the scenario.
func (s *Scenario) config(load Loader) (*sim.Config, error) {
	cfg := &sim.Config{Seed: s.Seed, Start: start, Tolerate: s.Tolerate, KeepStrangers: true}
	for i := range s.Hosts {
		h, err := s.host(i, load)
		if err != nil {
			return nil, err
		}
		cfg.Hosts = append(cfg.Hosts, h)
	}
	for _, l := range s.Links {
		cfg.Links = append(cfg.Links, sim.Link{A: l.A, B: l.B, AB: channel(l.Ways[0]), BA: channel(l.Ways[1])})
	}
	for _, l := range s.Listens {
		h := &cfg.Hosts[l.Host]
		h.Listens = append(h.Listens, sim.Listen{Port: l.Port, Backlog: l.Backlog, Deaf: l.Deaf})
	}
	for i := range s.Flows {
		cfg.Flows = append(cfg.Flows, s.flows(i)...)
	}
	for i := range s.Faults {
		cfg.Plan = append(cfg.Plan, s.planned(&s.Faults[i]))
	}
	for _, c := range s.Cuts {
		o := sim.Outage{Direction: s.direction(c.A, c.B), From: start.Add(c.From), Until: start.Add(c.Until), Told: c.Told}
		cfg.Outages = append(cfg.Outages, o)
		if o.Direction = s.direction(c.B, c.A); !c.OneWay {
			cfg.Outages = append(cfg.Outages, o)
		}
	}
	for _, t := range s.Turns {
		cfg.Turns = append(cfg.Turns, sim.Turn{At: start.Add(t.At), Host: t.Host, What: t.What})
	}
	for _, f := range s.Floods {
		to := wire.AddrPort{Addr: s.Hosts[f.Host].Addrs[0], Port: f.Port}
		cfg.Floods = append(cfg.Floods, sim.Flood{At: start.Add(f.At), Every: f.Every, Count: f.Count, To: to, Flags: f.Flags})
	}
	return cfg, nil
}

// channel is one way of a link. Packets that may overtake others need time for it.
func channel(c sim.Channel) sim.Channel {
	if c.Reorder > 0 && c.Hold == 0 {
		c.Hold = usualHold
	}
	return c
}

func (s *Scenario) host(i int, load Loader) (sim.Host, error) {
	h := &s.Hosts[i]
	c, err := core.Profile(h.Profile)
	if err != nil {
		return sim.Host{}, &Error{What: "there is no profile " + quoted(h.Profile)}
	}
	for k := range h.Sets {
		if what, do := set(&c, &h.Sets[k]); what != "" {
			return sim.Host{}, &Error{What: "host " + h.Name + ": " + what, Do: do}
		}
	}
	made := sim.Host{Core: c, Link: packet.Link{MTU: h.MTU}}
	if _, err := core.New(c, made.Link); err != nil {
		return made, &Error{What: "no TCP can go by the settings of host " + h.Name, Do: "leave out the last that was set"}
	}
	for _, a := range h.Addrs {
		bits := uint8(24)
		if a.Is6() {
			bits = 64
		}
		made.Addrs = append(made.Addrs, wire.Prefix{Addr: a, Bits: bits})
	}
	if len(h.Plugins) == 0 {
		return made, nil
	}
	if load == nil {
		return made, &Error{What: "host " + h.Name + " has plugins, and nobody here can load them", Do: "leave them out: plugin " + h.Name + " off"}
	}
	made.Changes = true
	made.Hook, made.Hooks, err = load(&Order{Host: h.Name, Specs: h.Plugins, Key: siphash.Key{K0: s.Seed, K1: uint64(i)}, MTU: h.MTU})
	if err != nil {
		return made, &Error{What: "the plugins of host " + h.Name + ": " + err.Error()}
	}
	return made, nil
}

// flows are the connections of flow i.
func (s *Scenario) flows(i int) (list []sim.Flow) {
	f := &s.Flows[i]
	made := sim.Flow{At: start.Add(f.At), Port: f.Port, LocalPort: f.LocalPort, Meet: f.Meet, Skew: f.Skew, Family: wire.IPv4}
	if f.Six {
		made.Family = wire.IPv6
	}
	for side := range made.Users {
		u := &made.Users[side]
		u.Host, u.Steps = f.Hosts[side], f.Steps[side]
		for len(u.Steps) > 0 && u.Steps[0].Op == sim.SetPace {
			u.Pace = sim.Pace{Chunk: u.Steps[0].Chunk, Every: u.Steps[0].For, Never: u.Steps[0].N == 1}
			u.Steps = u.Steps[1:]
		}
		if side == 0 || f.Meet {
			u.Steps = connected(u.Steps)
		}
	}
	for range max(1, f.Times) {
		list = append(list, made)
		made.At = made.At.Add(f.Every)
	}
	return list
}

// connected has a program wait for its connection before it goes on, behind the
// options that it sets, unless it begins by waiting or giving up. Who closes in
// SYN-SENT has no connection.
func connected(steps []sim.Step) []sim.Step {
	i := 0
	for i < len(steps) && steps[i].Op >= sim.SetPace && steps[i].Op <= sim.SetLinger {
		i++
	}
	if i < len(steps) {
		switch steps[i].Op {
		case sim.Wait, sim.Close, sim.Abort, sim.AwaitConnected, sim.Hold:
			return steps
		}
	}
	return slices.Insert(slices.Clone(steps), i, sim.Step{Op: sim.AwaitConnected})
}

func (s *Scenario) planned(f *Fault) sim.Planned {
	p := sim.Planned{Packet: f.Packet, Fate: f.Fate, By: f.By}
	if f.Packet == 0 {
		p.Some, p.Match, p.Nth = true, f.Match, f.Nth
		p.Direction = s.direction(f.From, f.To)
		p.From = start.Add(f.Since)
		if f.Until > 0 {
			p.Until = start.Add(f.Until)
		}
	}
	return p
}
