package script

import (
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// knob is a setting that is a number. An empty set means that there is nothing to act
// on, for values within its bounds.
type knob struct {
	name      string
	low, high int64
	live      bool // Linux looks at it while connections run, else when a socket is made
	set       func(c *core.Config, v int64)
}

// knobs are the settings that are numbers, by what is left of their names: Linux's
// behind net.ipv4 and net.core, FreeBSD's with their whole name, and ours.
var knobs = knobTable(linuxKnobs(), passedKnobs(), foreignKnobs(), ownKnobs())

func knobTable(tables ...[]knob) map[string]knob {
	m := map[string]knob{}
	for _, table := range tables {
		for _, k := range table {
			m[k.name] = k
		}
	}
	return m
}

const (
	count   = 1<<31 - 1 // the largest int of Linux
	boolean = 1
	octet   = 255
)

// flagged, numbered and timed are knobs that are one field of the configuration.
func flagged(name string, field func(c *tcp.Config) *bool) knob {
	return knob{name: name, high: boolean, live: true, set: func(c *core.Config, v int64) { *field(&c.TCP) = v != 0 }}
}

func numbered(name string, low int64, live bool, field func(c *tcp.Config) *uint8) knob {
	return knob{name: name, low: low, high: octet, live: live, set: func(c *core.Config, v int64) { *field(&c.TCP) = uint8(v) }}
}

func timed(name string, low, high int64, unit clock.Duration, live bool, field func(c *tcp.Config) *clock.Duration) knob {
	return knob{name: name, low: low, high: high, live: live, set: func(c *core.Config, v int64) { *field(&c.TCP) = clock.Duration(v) * unit }}
}

func linuxKnobs() []knob {
	return []knob{
		{"tcp_timestamps", 0, 2, true, func(c *core.Config, v int64) { c.TCP.Timestamps = v != 0 }},
		flagged("tcp_sack", func(c *tcp.Config) *bool { return &c.SACK }),
		flagged("tcp_dsack", func(c *tcp.Config) *bool { return &c.DSACK }),
		flagged("tcp_window_scaling", func(c *tcp.Config) *bool { return &c.WindowScaling }),
		flagged("tcp_rfc1337", func(c *tcp.Config) *bool { return &c.RFC1337 }),
		flagged("tcp_slow_start_after_idle", func(c *tcp.Config) *bool { return &c.SlowStartAfterIdle }),
		flagged("tcp_stdurg", func(c *tcp.Config) *bool { return &c.UrgentAtLast }),
		flagged("tcp_mtu_probing", func(c *tcp.Config) *bool { return &c.MTUProbing }),
		{"tcp_base_mss", 48, 65535, true, func(c *core.Config, v int64) { c.TCP.BaseMSS = uint16(v) }},
		{"tcp_recovery", 0, 7, true, func(c *core.Config, v int64) {}}, // since 6.17 RACK can't be switched off: "rack" does
		{"tcp_frto", 0, 2, true, func(c *core.Config, v int64) { c.TCP.FRTO = v != 0 }},
		{"tcp_early_retrans", 0, 4, true, func(c *core.Config, v int64) { c.TCP.TLP = v >= 3 }},
		{"tcp_ecn", 0, 2, true, func(c *core.Config, v int64) { c.TCP.ECN = uint8(v) }},
		{"tcp_pacing_ss_ratio", 0, 1000, true, func(c *core.Config, v int64) { c.TCP.PacingSlowStart = uint16(v) }},
		{"tcp_pacing_ca_ratio", 0, 1000, true, func(c *core.Config, v int64) { c.TCP.PacingAvoidance = uint16(v) }},
		{"tcp_notsent_lowat", -1, 1<<32 - 1, true, func(c *core.Config, v int64) {
			c.TCP.NotSentLowAt = 0
			if v > 0 && v <= count { // else it bounds nothing
				c.TCP.NotSentLowAt = uint32(v)
			}
		}},
		{"tcp_syn_retries", 1, 127, true, func(c *core.Config, v int64) { c.TCP.SynRetries = uint8(v) }},
		numbered("tcp_synack_retries", 0, true, func(c *tcp.Config) *uint8 { return &c.SynAckRetries }),
		numbered("tcp_syn_linear_timeouts", 0, true, func(c *tcp.Config) *uint8 { return &c.SynLinear }),
		numbered("tcp_retries1", 1, true, func(c *tcp.Config) *uint8 { return &c.R1 }),
		numbered("tcp_retries2", 0, true, func(c *tcp.Config) *uint8 { return &c.R2 }),
		{"tcp_orphan_retries", 0, octet, true, func(c *core.Config, v int64) {
			if c.TCP.OrphanRetries = uint8(v); v == 0 {
				c.TCP.OrphanRetries = 8 // what 0 stands for
			}
		}},
		{"tcp_reordering", 1, octet, false, func(c *core.Config, v int64) { c.TCP.DupThresh = uint8(v) }},
		timed("tcp_rto_max_ms", 1000, 120000, clock.Millisecond, false, func(c *tcp.Config) *clock.Duration { return &c.RTOMax }),
		timed("tcp_rto_min_us", 1, count, clock.Microsecond, false, func(c *tcp.Config) *clock.Duration { return &c.RTOMin }),
		timed("tcp_keepalive_time", 1, 32767, clock.Second, true, func(c *tcp.Config) *clock.Duration { return &c.KeepaliveIdle }),
		timed("tcp_keepalive_intvl", 1, 32767, clock.Second, true, func(c *tcp.Config) *clock.Duration { return &c.KeepaliveInterval }),
		numbered("tcp_keepalive_probes", 1, true, func(c *tcp.Config) *uint8 { return &c.KeepaliveCount }),
		timed("tcp_fin_timeout", 1, count, clock.Second, true, func(c *tcp.Config) *clock.Duration { return &c.FinWait2 }),
		timed("tcp_invalid_ratelimit", 0, count, clock.Millisecond, true, func(c *tcp.Config) *clock.Duration { return &c.ChallengeInterval }),
		{"tcp_moderate_rcvbuf", 0, boolean, false, func(c *core.Config, v int64) {
			if v == 0 {
				c.TCP.ReceiveBufferMax = c.TCP.ReceiveBuffer
			}
		}},
		{"tcp_syncookies", 0, boolean, true, func(c *core.Config, v int64) { c.SynCookies = v != 0 }},
		{"tcp_max_syn_backlog", 1, count, true, func(c *core.Config, v int64) { c.SynBacklog = int(v) }},
		{"somaxconn", 0, count, true, func(c *core.Config, v int64) { c.MaxBacklog = int(max(v, 1)) }},
		{"tcp_max_tw_buckets", 1, count, true, func(c *core.Config, v int64) { c.MaxTimeWait = int(v) }},
		{"ip_default_ttl", 1, octet, true, func(c *core.Config, v int64) { c.TCP.TTL = uint8(v) }},
		{"ip_no_pmtu_disc", 0, boolean, true, func(c *core.Config, v int64) { c.TCP.PathMTU = v == 0 }},
		{"tcp_min_snd_mss", 8, 65535, true, func(c *core.Config, v int64) { c.TCP.MinMSS = uint16(v) }},
		{"min_adv_mss", 8, 65535, true, func(c *core.Config, v int64) {}},
	}
}

// passedKnobs have nothing to act on here, for these values.
func passedKnobs() (list []knob) {
	for _, x := range [...]struct {
		high  int64
		names string
	}{
		{0, `tcp_shrink_window tcp_abort_on_overflow tcp_thin_linear_timeouts tcp_workaround_signed_windows tcp_migrate_req
			tcp_reflect_tos tcp_plb_enabled`},
		{boolean, `tcp_fack tcp_no_metrics_save tcp_no_ssthresh_metrics_save tcp_autocorking tcp_early_demux tcp_fastopen_cookies
			tcp_ecn_fallback tcp_thin_dupack tcp_fwmark_accept tcp_l3mdev_accept tcp_backlog_ack_defer tcp_low_latency tcp_avoid_reordering
			ip_forward ip_nonlocal_bind ip_early_demux ip_dynaddr ip_autobind_reuse fwmark_reflect`},
		{2, "tcp_tw_reuse"},
		{3, "tcp_ecn_option tcp_ecn_option_beacon"},
		{count, `tcp_tso_win_divisor tcp_min_tso_segs tcp_tso_rtt_log tcp_mtu_probe_floor tcp_limit_output_bytes tcp_min_rtt_wlen
			tcp_comp_sack_nr tcp_comp_sack_delay_ns tcp_comp_sack_slack_ns tcp_comp_sack_rtt_percent tcp_challenge_ack_limit tcp_adv_win_scale tcp_app_win
			tcp_max_reordering tcp_max_orphans tcp_max_ssthresh tcp_probe_interval tcp_probe_threshold tcp_tw_reuse_delay tcp_child_ehash_entries
			tcp_ehash_entries tcp_pingpong_thresh tcp_plb_idle_rehash_rounds tcp_plb_rehash_rounds tcp_plb_suspend_rto_sec tcp_plb_cong_thresh
			tcp_rcvbuf_low_rtt ip_unprivileged_port_start netdev_max_backlog netdev_budget optmem_max rmem_default wmem_default dev_weight
			ip_local_reserved_ports icmp_ratelimit icmp_ratemask icmp_msgs_per_sec icmp_msgs_burst`},
	} {
		for _, name := range strings.Fields(x.names) {
			list = append(list, knob{name: name, low: -count, high: x.high})
		}
	}
	return list
}

// ownKnobs are for what has no sysctl.
func ownKnobs() []knob {
	return []knob{
		{"initial_window", 1, count, false, func(c *core.Config, v int64) { c.TCP.InitialWindow = uint32(v) }},
		numbered("quick_acks", 0, false, func(c *tcp.Config) *uint8 { return &c.QuickAcks }),
		numbered("ack_every", 1, false, func(c *tcp.Config) *uint8 { return &c.AckEvery }),
		timed("delayed_ack_ms", 1, count, clock.Millisecond, false, func(c *tcp.Config) *clock.Duration { return &c.DelayedAck }),
		timed("time_wait_ms", 1, count, clock.Millisecond, false, func(c *tcp.Config) *clock.Duration { return &c.TimeWait }),
		{"receive_buffer", 1, count, false, func(c *core.Config, v int64) { c.TCP.ReceiveBuffer, c.TCP.ReceiveBufferMax = uint32(v), uint32(v) }},
		{"send_buffer", 1, count, false, func(c *core.Config, v int64) { c.TCP.SendBuffer, c.TCP.SendBufferMax = uint32(v), uint32(v) }},
		{"max_mss", 1, 65535, false, func(c *core.Config, v int64) { c.TCP.MaxMSS = uint16(v) }},
		flagged("linux_errors", func(c *tcp.Config) *bool { return &c.LinuxErrors }),
		flagged("keepalive", func(c *tcp.Config) *bool { return &c.Keepalive }),
		flagged("rack", func(c *tcp.Config) *bool { return &c.RACK }),
		flagged("nagle", func(c *tcp.Config) *bool { return &c.Nagle }),
		{"memory", 1, count, false, func(c *core.Config, v int64) { c.Memory = int(v) }},
	}
}

// Set implements System. A setting is name=value, where the name may be a path in
// /proc or have dots, and a value of several numbers has commas, spaces or tabs.
func (r *runner) Set(s string) *Problem {
	i := strings.IndexByte(s, '=')
	if i < 0 {
		return unsupported("the setting " + s + " is not supported")
	}
	name, value := strings.TrimSpace(s[:i]), strings.Trim(strings.TrimSpace(s[i+1:]), `"'`)
	name = strings.TrimPrefix(name, "/proc/sys/")
	name = strings.ReplaceAll(strings.Trim(name, "/"), "/", ".")
	if isForeign(name) {
		r.foreign = r.foreign || strings.HasPrefix(name, "net.inet")
		return r.setForeign(s, name, value)
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	if done, ok := r.setFastOpen(last, value); done {
		if !ok {
			return unsupported("the setting " + s + " is not supported")
		}
		return nil
	}
	for _, prefix := range [...]string{"net.ipv6.", "net.ipv4.conf.", "net.ipv4.neigh.", "net.netfilter.", "kernel.", "vm.", "fs."} {
		if strings.HasPrefix(name, prefix) {
			return nil
		}
	}
	switch last {
	case "tcp_congestion_control":
		return r.setController(s, value)
	case "tcp_rmem", "tcp_wmem":
		return r.setMemory(s, last == "tcp_wmem", value)
	case "rmem_max", "wmem_max":
		v, err := strconv.ParseInt(value, 0, 32)
		if err != nil || v <= 0 {
			return unsupported("the setting " + s + " is not supported")
		}
		if last == "rmem_max" {
			r.receiveMost = v
		} else {
			r.sendMost = v
		}
		return nil
	case "ip_local_port_range":
		f := listOf(value)
		if len(f) != 2 || f[0] < 1 || f[1] > 65535 || f[0] > f[1] {
			return unsupported("the setting " + s + " is not supported")
		}
		return r.change(s, false, func(c *core.Config) { c.PortLow, c.PortHigh = uint16(f[0]), uint16(f[1]) })
	case "tcp_mem", "tcp_allowed_congestion_control", "default_qdisc", "tcp_rx_skb_cache", "tcp_available_congestion_control", "flow_limit_cpu_bitmap":
		return nil
	}
	return r.setNumber(s, last, value)
}

// setNumber sets a knob.
func (r *runner) setNumber(s, name, value string) *Problem {
	v, err := strconv.ParseInt(value, 0, 64)
	k, ok := knobs[name]
	if err != nil || !ok || v < k.low || v > k.high {
		return unsupported("the setting " + s + " is not supported")
	}
	if k.set == nil {
		return nil
	}
	return r.change(s, k.live, func(c *core.Config) { k.set(c, v) })
}

// listOf is the numbers of a value that has several; nil: it has something else.
func listOf(value string) (list []int64) {
	for _, f := range strings.FieldsFunc(value, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' }) {
		v, err := strconv.ParseInt(f, 10, 32)
		if err != nil {
			return nil
		}
		list = append(list, v)
	}
	return list
}

// change changes the configuration: before the stack is made, or of a stack that
// runs. What is live reaches sockets that are there, but not what their options say.
func (r *runner) change(s string, live bool, set func(c *core.Config)) *Problem {
	set(&r.core)
	if r.stack == nil {
		return nil
	}
	if err := r.stack.SetConfig(r.core); err != nil {
		return unsupported("the setting " + s + " is not supported: " + err.Error())
	}
	if !live {
		return nil
	}
	r.sockets(func(x *socket) {
		c := core.Config{TCP: *x.config()}
		set(&c)
		own := c.TCP
		for _, option := range x.own {
			option(&own)
		}
		r.configure(x, &own)
	})
	return nil
}

func (r *runner) setController(s, name string) *Problem {
	c, ok := controllerOf(name)
	if !ok {
		return unsupported("the congestion control " + name + " is not supported")
	}
	return r.change(s, false, func(cfg *core.Config) { cfg.TCP.Controller = c })
}

// setMemory is tcp_rmem and tcp_wmem. Linux counts the overhead of its buffers in;
// half of what is for receiving is for data.
func (r *runner) setMemory(s string, sends bool, value string) *Problem {
	f := listOf(value)
	if len(f) != 3 || f[1] <= 0 || f[2] <= 0 {
		return unsupported("the setting " + s + " is not supported")
	}
	return r.change(s, false, func(c *core.Config) {
		if sends {
			c.TCP.SendBuffer, c.TCP.SendBufferMax = uint32(f[1]), uint32(f[2])
		} else {
			c.TCP.ReceiveBuffer, c.TCP.ReceiveBufferMax = uint32(max(f[1]/2, 1)), uint32(f[2])
		}
	})
}
