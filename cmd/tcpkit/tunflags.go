package main

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/hosts/native"
)

// tunFlags are the flags of every command that works on a TUN.
type tunFlags struct {
	name    string
	local   []string
	peer    []string
	mtu     int
	queues  int
	offload string
	profile string
	set     []string
	plugins []string
	write   string
	cap     string
	impair  string
	rights  bool

	compare []controllerSpec // no flag of all commands: whose plugins are loaded too
}

var defaultLocal = []string{"10.77.0.2/24", "fd77::2/64"}

const (
	defaultTUN = "tcpkit%d" // the kernel fills in the number
	maxMTU     = 65535
	minMTU4    = 68   // RFC 791
	minMTU6    = 1280 // RFC 8200 §5
)

func (t *tunFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&t.name, "tun", defaultTUN, "`NAME` of the TUN; %d becomes a free number")
	f.StringSliceVar(&t.local, "local", defaultLocal, "tcpkit's own address with the link's prefix, `CIDR`; once for each family")
	f.StringSliceVar(&t.peer, "peer", nil, "the kernel's address on the link, `ADDR` (default: the first free one of --local's prefix)")
	f.IntVar(&t.mtu, "mtu", 1500, "MTU of the link")
	f.IntVar(&t.queues, "queues", 1, "queues of the TUN")
	f.StringVar(&t.offload, "offload", "auto", "let the kernel cut and sum packets where it can: auto or off")
	f.StringVar(&t.profile, "profile", "linux", "defaults of the engine: "+strings.Join(core.Profiles(), ", "))
	f.StringArrayVar(&t.set, "set", nil, "change one number of the profile, `KEY=VALUE`, like rto-min=50ms; --set help lists them")
	f.StringArrayVar(&t.plugins, "plugin", nil, "load a plugin, `FILE[,KEY=VALUE]`, or one of those that 'tcpkit plugin list' names; SIGHUP loads them again")
	f.StringVarP(&t.write, "write", "w", "", "write a capture with comments to `FILE.pcapng`")
	f.StringVar(&t.cap, "write-max", "1G", "stop the capture at this `SIZE`; 0: never")
	f.StringVar(&t.impair, "impair", "", "a worse link both ways, `SPEC`: loss=1%,delay=20ms,jitter=5ms,dup=0.1%,reorder=1%,corrupt=0.1%,seed=7")
	f.BoolVar(&t.rights, "keep-rights", false, "keep the capabilities of the start; else they are given up once all is open")
	cmd.RegisterFlagCompletionFunc("profile", cobra.FixedCompletions(core.Profiles(), cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("offload", cobra.FixedCompletions([]string{"auto", "off"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("set", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var keys []string
		for _, s := range configKeys(&core.Config{}) {
			keys = append(keys, s.key+"=")
		}
		return keys, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
}

// A tunPlan is what the flags mean, before anything has been opened.
type tunPlan struct {
	local    []netip.Prefix
	tun      native.TUNConfig
	core     core.Config
	plugins  []pluginSpec // the last so many of them are only for comparing
	compared int
	impair   *native.ImpairConfig
	write    string
	writeMax int64
}

// errSetHelp says that --set help was given: the plan's Config is to be shown.
var errSetHelp = errors.New("--set help")

// plan checks all flags and opens nothing; its errors are of the command line.
func (t *tunFlags) plan() (*tunPlan, error) {
	p := &tunPlan{write: t.write}
	var err error
	if p.plugins, err = parsePlugins(t.plugins); err != nil {
		return nil, err
	}
	for _, s := range t.compare {
		if s.built == nil {
			p.plugins = append(p.plugins, s.plugin)
			p.compared++
		}
	}
	if n := t.name; n == "" || len(n) > 15 || strings.ContainsAny(strings.Replace(n, "%d", "", 1), "/ \t\n%:") || n == "." || n == ".." {
		return nil, usagef("bad --tun %q: a device name has 1 to 15 characters without space, slash or colon; give one like tcpkit0", n)
	}
	if t.queues != 1 {
		return nil, usagef("bad --queues %d: this tcpkit drives one queue; leave --queues out or give 1", t.queues)
	}
	if t.offload != "auto" && t.offload != "off" {
		return nil, usagef("bad --offload %q: give auto or off", t.offload)
	}
	if err := p.addresses(t); err != nil {
		return nil, err
	}
	floor := minMTU4
	if slices.ContainsFunc(p.local, func(l netip.Prefix) bool { return l.Addr().Is6() }) {
		floor = minMTU6
	}
	if t.mtu < floor || t.mtu > maxMTU {
		hint := "give one between, like 1500"
		if t.mtu >= minMTU4 && t.mtu < minMTU6 {
			hint = "leave IPv6 out with --local 10.77.0.2/24, or give at least 1280"
		}
		return nil, usagef("bad --mtu %d: with these addresses a link has %d to %d; %s", t.mtu, floor, maxMTU, hint)
	}
	p.tun.Name, p.tun.MTU = t.name, t.mtu
	if p.core, err = core.Profile(t.profile); err != nil {
		return nil, usagef("bad --profile %q: give one of %s", t.profile, strings.Join(core.Profiles(), ", "))
	}
	for _, kv := range t.set {
		if kv == "help" {
			return p, errSetHelp
		}
		if err := setConfig(&p.core, kv); err != nil {
			return nil, err
		}
	}
	if t.impair != "" {
		cfg, err := native.ParseImpair(t.impair)
		if err != nil {
			return nil, usagef("bad --impair %q: %v; give like loss=1%%,delay=20ms,seed=7", t.impair, err)
		}
		p.impair = &cfg
	}
	if t.write == "-" {
		return nil, usagef("bad -w -: stdout is for data; name a file or a FIFO")
	}
	if p.writeMax, err = parseSize(t.cap); err != nil {
		return nil, usagef("bad --write-max: %v", err)
	}
	if t.write == "" && t.cap != "1G" {
		return nil, usagef("--write-max without -w: there is no capture to bound; add -w FILE.pcapng")
	}
	return p, nil
}

// addresses fills in tcpkit's addresses and the kernel's.
func (p *tunPlan) addresses(t *tunFlags) error {
	for _, s := range t.local {
		l, err := netip.ParsePrefix(s)
		if err != nil {
			return usagef("bad --local %q: not an address with the link's prefix; give one like 10.77.0.2/24", s)
		}
		a := l.Addr()
		switch {
		case a.Is4In6(), a.Zone() != "":
			return usagef("bad --local %q: neither an IPv4-mapped address nor a zone can be an address of tcpkit; give a plain one", s)
		case a.IsUnspecified(), a.IsMulticast(), a.IsLoopback():
			return usagef("bad --local %q: no host has this address on a link; give a unicast one like 10.77.0.2/24", s)
		case l.Bits() > a.BitLen()-1:
			return usagef("bad --local %q: the prefix has no room for the kernel's address; give one like %s/24", s, a)
		case a.Is4() && l.Bits() < 31 && a == broadcast4(l):
			return usagef("bad --local %q: this is the broadcast address of its prefix; give another", s)
		case l.Bits() < a.BitLen()-1 && a == l.Masked().Addr():
			return usagef("bad --local %q: this is the prefix itself and no host in it; give another", s)
		}
		for _, other := range p.local {
			if other.Addr().Is4() == a.Is4() {
				return usagef("bad --local %q: one address for each family; %s is given already", s, other)
			}
		}
		p.local = append(p.local, l)
	}
	if len(p.local) == 0 {
		return usagef("bad --local: no address given; give one like 10.77.0.2/24")
	}
	peers := make(map[bool]netip.Addr) // by "is IPv4"
	for _, s := range t.peer {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return usagef("bad --peer %q: not an address; give one like 10.77.0.1", s)
		}
		if _, twice := peers[a.Is4()]; twice {
			return usagef("bad --peer %q: one address for each family", s)
		}
		peers[a.Is4()] = a
	}
	for _, l := range p.local {
		is4 := l.Addr().Is4()
		a, given := peers[is4]
		delete(peers, is4)
		if !given {
			a = firstPeer(l)
		}
		if a == l.Addr() {
			return usagef("bad --peer %s: tcpkit has this address itself (--local %s); give the kernel another", a, l)
		}
		if !l.Contains(a) {
			return usagef("bad --peer %s: not in the link's prefix %s; give one that is, or change --local", a, l.Masked())
		}
		if a.IsMulticast() || a.Is4() && l.Bits() < 31 && (a == broadcast4(l) || a == l.Masked().Addr()) {
			return usagef("bad --peer %s: no host can have this address in %s; give another", a, l.Masked())
		}
		p.tun.Peer = append(p.tun.Peer, netip.PrefixFrom(a, l.Bits()))
	}
	for _, a := range peers {
		return usagef("--peer %s has no --local of its family; add one", a)
	}
	return nil
}

// only4 leaves IPv6 out.
func (p *tunPlan) only4() {
	is6 := func(a netip.Prefix) bool { return a.Addr().Is6() }
	p.local = slices.DeleteFunc(p.local, is6)
	p.tun.Peer = slices.DeleteFunc(p.tun.Peer, is6)
}

// broadcast4 is the last address of an IPv4 prefix.
func broadcast4(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// firstPeer is the first host address in the prefix that is not tcpkit's own.
func firstPeer(l netip.Prefix) netip.Addr {
	a := l.Masked().Addr()
	if l.Bits() < a.BitLen()-1 {
		a = a.Next()
	}
	if a == l.Addr() {
		a = a.Next()
	}
	return a
}
