package script

import (
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/wire"
)

// setup makes the system that the script's options and its first command ask
// for.
func (j *judge) setup() *Problem {
	j.tolerance, j.perMille = j.cfg.Tolerance, j.cfg.TolerancePerMille
	if j.tolerance == 0 {
		j.tolerance = clock.Millisecond
	}
	j.psh = j.cfg.StrictPush
	j.bindPort, j.connectPort, j.nextPort = 8080, 8080, 39999
	j.mtu = 1500
	ipv6 := j.cfg.IPv6
	fixed, sized, exact := false, false, false
	local, remote := "", ""
	for i := range len(j.script.Options) + len(j.cfg.Options) {
		var o *Option
		n := len(j.script.Options)
		if i < n {
			o = &j.script.Options[i]
		} else {
			o = &j.cfg.Options[i-n]
		}
		var p *Problem
		switch o.Name {
		case "mtu":
			sized, exact = i < n, i >= n
			p = j.option(o)
		case "ip_version":
			fixed = i < n
			switch o.Value {
			case "ipv4":
				ipv6 = false
			case "ipv6":
				ipv6 = true
			case "ipv4-mapped-ipv6":
				ipv6, j.mapped = false, true
			default:
				p = unsupported("the IP version " + o.Value + " is not supported")
			}
		case "local_ip":
			local = o.Value
		case "remote_ip":
			remote = o.Value
		default:
			p = j.option(o)
		}
		if p != nil {
			p.pos = o.Pos
			return p
		}
	}
	if c := j.script.Init; c != nil {
		if p := j.command(c); p != nil {
			p.pos = c.Pos
			return p
		}
	}
	// Over IPv6 segments are as large as in IPv4, unless the MTU is one for IPv6.
	if ipv6 && !exact && !(fixed && sized) {
		j.mtu += 20
	}
	if p := j.address(ipv6, local, remote); p != nil {
		return p
	}
	return j.sys.Start(j.Place, j)
}

// address has the addresses of packetdrill: those of RFC 5737, and for IPv6 of
// RFC 4193 in use upstream.
func (j *judge) address(ipv6 bool, local, remote string) *Problem {
	if ipv6 {
		local, remote = orElse(local, "fd3d:0a0b:17d6::1"), orElse(remote, "fd3d:fa7b:d17d::1")
	} else {
		local, remote = orElse(local, "192.168.0.1"), orElse(remote, "192.0.2.1")
	}
	var err error
	if j.local, err = wire.ParseAddr(cutPrefix(local)); err != nil {
		return unsupported("the local address " + local + " is not an IP address")
	}
	if j.remote, err = wire.ParseAddr(cutPrefix(remote)); err != nil || j.local.Family() != j.remote.Family() {
		return unsupported("the remote address " + remote + " is not an IP address of the same version as the local one")
	}
	return nil
}

func orElse(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// cutPrefix takes the prefix length off an address.
func cutPrefix(s string) string {
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return s[:i]
	}
	return s
}

// option is one --name=value of the script, apart from addresses.
func (j *judge) option(o *Option) *Problem {
	n, err := strconv.ParseInt(o.Value, 10, 64)
	number := err == nil && n >= 0 && n < 1<<40
	switch o.Name {
	case "title", "verbose", "debug", "gateway_ip", "netmask_ip", "live_gateway_ip", "local_linux_ip", "prefix_len", "persistent_tun_dev", "tun_dev", "is_anyip",
		"code_command", "code_format", "code_sockopt", "send_omit_free", "so_filename", "so_flags", "tcp_md5_secret", "speed", "mss":
		return nil
	case "wire_client", "wire_server", "wire_client_dev", "wire_server_dev", "wire_server_ip", "wire_server_port", "udp_encapsulation":
		return unsupported("the option --" + o.Name + " is not supported")
	case "dry_run":
		j.dry = o.Value != "false" && o.Value != "0"
		return nil
	case "non_fatal":
		j.nonFatal = o.Value
		return nil
	case "init_scripts":
		return j.command(&Command{Text: strings.NewReplacer(",", "\n", ":", "\n").Replace(o.Value)})
	case "tolerance_percent":
		d, ok := parseSeconds(o.Value) // which may have decimals
		if !ok {
			return unsupported("expected a number for tolerance_percent")
		}
		j.perMille = int64(min(d, 100*clock.Second) / (100 * clock.Millisecond))
		return nil
	case "strict_segments":
		j.strict = true
		return nil
	case "tcp_ts_ecr_scaled":
		j.echoScaled = true
		return nil
	case "psh":
		j.psh = o.Value == "strict"
		return nil
	case "profile":
		return j.sys.Profile(o.Value)
	case "set": // ours: --set=name=value, as in a sysctl
		return j.sys.Set(o.Value)
	case "final_quiet": // ours: how long nothing more may come behind the last line, in seconds
		d, ok := parseSeconds(o.Value)
		if !ok {
			return unsupported("expected a number of seconds for final_quiet")
		}
		j.quiet = d
		return nil
	}
	if !number {
		return unsupported("the option --" + o.Name + "=" + o.Value + " is not supported")
	}
	switch o.Name {
	case "tolerance_usecs":
		j.tolerance = clock.Duration(n) * clock.Microsecond
	case "tcp_ts_tick_usecs":
		j.tsTick = clock.Duration(n) * clock.Microsecond
	case "mtu":
		j.mtu = int(min(n, 65535))
	case "isn": // ours: the initial sequence number of the stack's first connection
		j.wantsISN, j.wantedISN = true, uint32(n)
	case "bind_port":
		j.bindPort = uint16(n)
	case "connect_port":
		j.connectPort = uint16(n)
	default:
		return unsupported("the option --" + o.Name + " is not supported")
	}
	return nil
}

// parseSeconds reads a plain decimal number of seconds.
func parseSeconds(s string) (clock.Duration, bool) {
	p := &parser{lexer: lexer{src: s, cur: cursor{pos: Pos{1, 1}}}}
	defer func() { _ = recover() }()
	for i := range s {
		if s[i] != '.' && (s[i] < '0' || s[i] > '9') {
			return 0, false
		}
	}
	return p.seconds(""), s != ""
}
