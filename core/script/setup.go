package script

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/wire"
)

// setup makes the system that the script's options and its first command ask
// for.
func (j *judge) setup() *problem {
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
		var p *problem
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
	return j.sys.Start(j.place, j)
}

// address has the addresses of packetdrill: those of RFC 5737, and for IPv6 of
// RFC 4193 in use upstream.
func (j *judge) address(ipv6 bool, local, remote string) *problem {
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
func (j *judge) option(o *Option) *problem {
	n, err := strconv.ParseInt(o.Value, 10, 64)
	number := err == nil && n >= 0 && n < 1<<40
	switch o.Name {
	case "title", "verbose", "non_fatal", "dry_run", "wire_client_dev", "wire_server_dev", "persistent_tun_dev",
		"init_scripts", "code_command", "code_format", "code_sockopt", "send_omit_free", "tcp_md5_secret", "debug", "speed":
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
	case "tolerance_percent":
		j.perMille = min(n, 100) * 10
	case "tcp_ts_tick_usecs":
		j.tsTick = clock.Duration(n) * clock.Microsecond
	case "mtu":
		j.mtu = int(min(n, 65535))
	case "mss": // of injected packets, which may be of any size here
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

// command does what a shell would do with the script's command, as far as
// configuration goes.
func (j *judge) command(c *Command) *problem {
	text := strings.ReplaceAll(c.Text, "\\\r\n", " ")
	text = strings.ReplaceAll(text, "\\\n", " ")
	text = strings.ReplaceAll(text, "&&", "\n")
	for _, line := range strings.FieldsFunc(text, func(c rune) bool { return c == '\n' || c == ';' }) {
		words := strings.Fields(line)
		for i, w := range words {
			if w[0] == '#' {
				words = words[:i]
				break
			}
		}
		if len(words) == 0 {
			continue
		}
		if p := j.shell(words); p != nil {
			return p
		}
	}
	return nil
}

// shell does one command. What sets a number is carried out; what has nothing
// to act on here is passed over.
func (j *judge) shell(words []string) *problem {
	name := words[0]
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	switch {
	case name == "defaults.sh":
		return j.defaults()
	case name == "sysctl" || name == "set_sysctls.py":
		for _, w := range words[1:] {
			if w[0] == '-' || w[0] == '>' || strings.HasPrefix(w, "2>") {
				continue
			}
			// "a.b = v w x" is one setting, whose value has spaces in quotes.
			if p := j.sys.Set(strings.Trim(w, `"'`)); p != nil {
				return p
			}
		}
		return nil
	case strings.HasPrefix(name, "sysctl_restore"):
		return nil
	case name == "true", name == "sleep", name == "ethtool", name == "echo", name == "modprobe":
		return nil
	case name == "ip" && slices.Contains(words, "tcp_metrics") && slices.Contains(words, "flush"):
		return j.sys.Set("fastopen_flush=1")
	case name == "ip" && len(words) > 1 && (words[1] == "tcp_metrics" || words[1] == "-6" || words[1] == "-4"):
		return nil
	case name == "tc" && strings.Contains(strings.Join(words, " "), "qdisc"):
		return nil
	}
	return unsupported("the command " + strings.Join(words, " ") + " is not supported")
}

// defaults is what the defaults.sh of upstream scripts sets.
func (j *judge) defaults() *problem {
	for _, s := range [...]string{
		"tcp_rmem=4096,540000,15728640", "tcp_wmem=4096,262144,4194304", "tcp_timestamps=1", "tcp_syn_retries=5",
		"tcp_synack_retries=5", "tcp_sack=1", "tcp_reordering=3", "tcp_congestion_control=cubic",
		"tcp_slow_start_after_idle=0", "tcp_syncookies=1", "tcp_fastopen=0x70403", "tcp_fastopen_key=" + fastOpenKey,
	} {
		if p := j.sys.Set(s); p != nil {
			return p
		}
	}
	return nil
}

// Set implements System. A setting is one number: name=value, where the name may be a path in /proc or
// have dots, and a value of several numbers has commas, spaces or tabs.
func (r *runner) Set(s string) *problem {
	i := strings.IndexByte(s, '=')
	if i < 0 {
		return unsupported("the setting " + s + " is not supported")
	}
	name, value := strings.TrimSpace(s[:i]), strings.Trim(strings.TrimSpace(s[i+1:]), `"'`)
	if j := strings.LastIndexAny(name, "./"); j >= 0 {
		name = name[j+1:]
	}
	if done, ok := r.setFastOpen(name, value); done {
		if !ok {
			return unsupported("the setting " + s + " is not supported")
		}
		return nil
	}
	if r.stack != nil {
		return unsupported("the setting " + s + " in the middle of a script is not supported")
	}
	t := &r.core.TCP
	switch name {
	case "tcp_congestion_control":
		if value == "reno" {
			value = "newreno"
		}
		c, ok := cc.ByName(value)
		if !ok {
			return unsupported("the congestion control " + value + " is not supported")
		}
		t.Controller = c
		return nil
	case "tcp_rmem", "tcp_wmem":
		f := strings.FieldsFunc(value, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' })
		if len(f) == 3 {
			def, err1 := strconv.ParseUint(f[1], 10, 30)
			most, err2 := strconv.ParseUint(f[2], 10, 30)
			if err1 == nil && err2 == nil && def > 0 && most > 0 {
				if name == "tcp_rmem" {
					// Linux counts the overhead of its buffers in; half is for data.
					t.ReceiveBuffer, t.ReceiveBufferMax = uint32(def/2), uint32(most)
				} else {
					t.SendBuffer, t.SendBufferMax = uint32(def), uint32(most)
				}
				return nil
			}
		}
		return unsupported("the setting " + s + " is not supported")
	}
	v, err := strconv.ParseInt(value, 0, 64)
	if err != nil || v < -1 || v > 1<<40 {
		return unsupported("the setting " + s + " is not supported")
	}
	return r.number(s, name, v)
}

// passed are settings that mean nothing here, with the values that this is true
// for: at most the number.
var passed = [...]struct {
	name string
	most int64
}{
	{"tcp_fack", 0}, {"tcp_frto", 2}, {"tcp_ecn_option", 3},
	{"tcp_fastopen_cookies", 1},
	{"tcp_tso_win_divisor", 1 << 20}, {"tcp_min_tso_segs", 1 << 20}, {"tcp_tso_rtt_log", 1 << 20}, {"tcp_no_metrics_save", 1}, {"tcp_moderate_rcvbuf", 1},
	{"tcp_adv_win_scale", 31}, {"tcp_mtu_probing", 0}, {"tcp_base_mss", 1 << 20}, {"tcp_autocorking", 1}, {"tcp_limit_output_bytes", 1 << 40},
	{"tcp_min_rtt_wlen", 1 << 20}, {"tcp_comp_sack_nr", 1 << 20}, {"tcp_shrink_window", 0}, {"ip_forward", 1}, {"tcp_challenge_ack_limit", 1 << 40},
}

// number sets a number of the configuration by its name as a sysctl. Names
// without tcp_ are ours, for what has no sysctl.
func (r *runner) number(s, name string, v int64) *problem {
	t := &r.core.TCP
	on := v == 1
	boolean, octet := v == 0 || v == 1, v >= 0 && v <= 255
	ms, sec := clock.Duration(v)*clock.Millisecond, clock.Duration(v)*clock.Second
	positive := v > 0 && v < 1<<31
	switch {
	case name == "tcp_timestamps" && v >= 0 && v <= 2:
		t.Timestamps = v != 0
	case name == "tcp_ecn" && v >= 0 && v <= 2:
		t.ECN = uint8(v)
	case name == "tcp_pacing_ss_ratio" && v >= 0 && v <= 1000:
		t.PacingSlowStart = uint16(v)
	case name == "tcp_pacing_ca_ratio" && v >= 0 && v <= 1000:
		t.PacingAvoidance = uint16(v)
	case name == "tcp_notsent_lowat":
		t.NotSentLowAt = 0
		if v > 0 && v < 1<<31 { // else it bounds nothing
			t.NotSentLowAt = uint32(v)
		}
	case name == "tcp_stdurg" && boolean:
		t.UrgentAtLast = on
	case name == "tcp_sack" && boolean:
		t.SACK = on
	case name == "tcp_recovery" && boolean:
		t.RACK = on
	case name == "tcp_early_retrans" && v >= 0 && v <= 4:
		t.TLP = v >= 3
	case name == "tcp_dsack" && boolean:
		t.DSACK = on
	case name == "tcp_window_scaling" && boolean:
		t.WindowScaling = on
	case name == "tcp_syn_retries" && octet:
		t.SynRetries = uint8(v)
	case name == "tcp_synack_retries" && octet:
		t.SynAckRetries = uint8(v)
	case name == "tcp_syn_linear_timeouts" && octet:
		t.SynLinear = uint8(v)
	case name == "tcp_retries1" && octet:
		t.R1 = uint8(v)
	case name == "tcp_retries2" && octet:
		t.R2 = uint8(v)
	case name == "tcp_orphan_retries" && octet:
		t.OrphanRetries = uint8(v)
		if v == 0 {
			t.OrphanRetries = 8 // what 0 stands for
		}
	case name == "tcp_rto_max_ms" && positive:
		t.RTOMax = ms
	case name == "tcp_rto_min_us" && positive:
		t.RTOMin = clock.Duration(v) * clock.Microsecond
	case name == "tcp_keepalive_time" && positive:
		t.KeepaliveIdle = sec
	case name == "tcp_keepalive_intvl" && positive:
		t.KeepaliveInterval = sec
	case name == "tcp_keepalive_probes" && octet:
		t.KeepaliveCount = uint8(v)
	case name == "tcp_fin_timeout" && positive:
		t.FinWait2 = sec
	case name == "tcp_rfc1337" && boolean:
		t.RFC1337 = on
	case name == "tcp_slow_start_after_idle" && boolean:
		t.SlowStartAfterIdle = on
	case name == "tcp_reordering" && octet && v > 0:
		t.DupThresh = uint8(v)
	case name == "tcp_invalid_ratelimit" && v >= 0:
		t.ChallengeInterval = ms
	case name == "tcp_syncookies" && boolean:
		r.core.SynCookies = on
	case name == "tcp_max_syn_backlog" && positive:
		r.core.SynBacklog = int(v)
	case name == "somaxconn" && positive:
		r.core.MaxBacklog = int(v)
	case name == "tcp_max_tw_buckets" && positive:
		r.core.MaxTimeWait = int(v)
	case name == "ip_default_ttl" && octet && v > 0:
		t.TTL = uint8(v)
	case name == "ip_no_pmtu_disc" && boolean:
		t.PathMTU = !on
	case name == "min_adv_mss" || name == "min_snd_mss" || name == "tcp_min_snd_mss":
		if !positive || v > 65535 {
			return unsupported("the setting " + s + " is not supported")
		}
		t.MinMSS = uint16(v)

	// Ours.
	case name == "initial_window" && positive:
		t.InitialWindow = uint32(v)
	case name == "quick_acks" && octet:
		t.QuickAcks = uint8(v)
	case name == "ack_every" && octet && v > 0:
		t.AckEvery = uint8(v)
	case name == "delayed_ack_ms" && positive:
		t.DelayedAck = ms
	case name == "time_wait_ms" && positive:
		t.TimeWait = ms
	case name == "receive_buffer" && positive:
		t.ReceiveBuffer, t.ReceiveBufferMax = uint32(v), uint32(v)
	case name == "send_buffer" && positive:
		t.SendBuffer, t.SendBufferMax = uint32(v), uint32(v)
	case name == "max_mss" && positive && v <= 65535:
		t.MaxMSS = uint16(v)
	case name == "linux_errors" && boolean:
		t.LinuxErrors = on
	case name == "keepalive" && boolean:
		t.Keepalive = on
	case name == "nagle" && boolean:
		t.Nagle = on
	case name == "memory" && positive:
		r.core.Memory = int(v)
	default:
		for _, x := range passed {
			if x.name == name && v <= x.most {
				return nil
			}
		}
		return unsupported("the setting " + s + " is not supported")
	}
	return nil
}
