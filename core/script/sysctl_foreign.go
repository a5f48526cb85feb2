package script

import (
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// isForeign reports whether a setting is one of FreeBSD's.
func isForeign(name string) bool {
	for _, prefix := range [...]string{"net.inet.", "net.inet6.", "kern.", "hw.", "security.", "debug.", "dev.", "net.link.", "net.isr.", "net.bpf."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// setForeign carries out FreeBSD's settings whose meaning is the same here.
func (r *runner) setForeign(s, name, value string) *Problem {
	const tcpPrefix = "net.inet.tcp."
	if !strings.HasPrefix(name, tcpPrefix) {
		if _, ok := knobs[name]; ok {
			return r.setNumber(s, name, value)
		}
		return nil
	}
	switch short := name[len(tcpPrefix):]; {
	case short == "cc.algorithm":
		return r.setController(s, value)
	case short == "functions_default":
		if value == "freebsd" || value == "default" {
			return nil
		}
		return unsupported("the TCP stack " + value + " is not supported")
	case short == "fastopen.client_enable" || short == "fastopen.server_enable":
		bit := core.FastOpenMode(core.FastOpenClient)
		if short == "fastopen.server_enable" {
			bit = core.FastOpenServer
		}
		if value != "0" && value != "1" {
			return unsupported("the setting " + s + " is not supported")
		}
		return r.change(s, true, func(c *core.Config) {
			if c.FastOpen &^= bit; value == "1" {
				c.FastOpen |= bit
			}
		})
	}
	for _, prefix := range [...]string{"hostcache.", "log_", "reass.", "bb.", "sack.", "cc.", "lro.", "hpts.", "rack.", "bbr.", "syncache.", "fastopen.", "soreceive_stream"} {
		_, known := knobs[name]
		if strings.HasPrefix(name[len(tcpPrefix):], prefix) && !known {
			return nil
		}
	}
	if _, err := strconv.ParseInt(value, 0, 64); err != nil { // a name, a list
		return unsupported("the setting " + s + " is not supported")
	}
	return r.setNumber(s, name, value)
}

func foreignKnobs() (list []knob) {
	const ms = clock.Millisecond
	tcpKnob := func(k knob) { k.name = "net.inet.tcp." + k.name; list = append(list, k) }
	for _, k := range [...]knob{
		{"rfc1323", 0, 3, true, func(c *core.Config, v int64) {
			c.TCP.WindowScaling, c.TCP.Timestamps = v == 1 || v == 2, v == 1 || v == 3
		}},
		flagged("sack.enable", func(c *tcp.Config) *bool { return &c.SACK }),
		{"ecn.enable", 0, 2, true, func(c *core.Config, v int64) { c.TCP.ECN = uint8(v) }},
		{"delayed_ack", 0, boolean, true, func(c *core.Config, v int64) {
			if c.TCP.AckEvery = 1; v != 0 {
				c.TCP.AckEvery = 2
			}
		}},
		timed("delacktime", 1, 499, ms, true, func(c *tcp.Config) *clock.Duration { return &c.DelayedAck }),
		flagged("always_keepalive", func(c *tcp.Config) *bool { return &c.Keepalive }),
		timed("keepidle", 1, count, ms, true, func(c *tcp.Config) *clock.Duration { return &c.KeepaliveIdle }),
		timed("keepintvl", 1, count, ms, true, func(c *tcp.Config) *clock.Duration { return &c.KeepaliveInterval }),
		numbered("keepcnt", 1, true, func(c *tcp.Config) *uint8 { return &c.KeepaliveCount }),
		{"msl", 1, count, true, func(c *core.Config, v int64) { c.TCP.TimeWait = 2 * clock.Duration(v) * ms }},
		timed("finwait2_timeout", 1, count, ms, true, func(c *tcp.Config) *clock.Duration { return &c.FinWait2 }),
		{"syncookies", 0, boolean, true, func(c *core.Config, v int64) { c.SynCookies = v != 0 }},
		// FreeBSD adds 200 ms, its rexmit_slop, to what it computes.
		{"rexmit_min", 1, count, true, func(c *core.Config, v int64) { c.TCP.RTOMin = max(clock.Duration(v)*ms, 200*ms) }},
		timed("rexmit_initial", 1, count, ms, true, func(c *tcp.Config) *clock.Duration { return &c.RTOInitial }),
		numbered("retries", 1, true, func(c *tcp.Config) *uint8 { return &c.R2 }),
		{"initcwnd_segments", 1, octet, true, func(c *core.Config, v int64) { c.TCP.InitialWindow = uint32(v) }},
		{"sendspace", 1, count, false, func(c *core.Config, v int64) {
			c.TCP.SendBuffer, c.TCP.SendBufferMax = uint32(v), max(uint32(v), c.TCP.SendBufferMax)
		}},
		{"recvspace", 1, count, false, func(c *core.Config, v int64) {
			c.TCP.ReceiveBuffer, c.TCP.ReceiveBufferMax = uint32(v), max(uint32(v), c.TCP.ReceiveBufferMax)
		}},
		{"sendbuf_max", 1, count, false, func(c *core.Config, v int64) { c.TCP.SendBufferMax = max(uint32(v), c.TCP.SendBuffer) }},
		{"recvbuf_max", 1, count, false, func(c *core.Config, v int64) { c.TCP.ReceiveBufferMax = max(uint32(v), c.TCP.ReceiveBuffer) }},
		{"sendbuf_auto", 0, boolean, false, func(c *core.Config, v int64) {
			if v == 0 {
				c.TCP.SendBufferMax = c.TCP.SendBuffer
			}
		}},
		{"recvbuf_auto", 0, boolean, false, func(c *core.Config, v int64) {
			if v == 0 {
				c.TCP.ReceiveBufferMax = c.TCP.ReceiveBuffer
			}
		}},
		{"minmss", 8, 65535, true, func(c *core.Config, v int64) { c.TCP.MinMSS = uint16(v) }},
		flagged("path_mtu_discovery", func(c *tcp.Config) *bool { return &c.PathMTU }),
		{"drop_synfin", 0, boolean, true, func(c *core.Config, v int64) { c.DropSynFin = v != 0 }},
		{"tolerate_missing_ts", 0, boolean, true, func(c *core.Config, v int64) { c.TCP.RequireTimestamps = v == 0 }},
		flagged("icmp_may_rst", func(c *tcp.Config) *bool { return &c.ICMPEndsOpen }),
		{"abc_l_var", 0, octet, true, func(c *core.Config, v int64) { c.TCP.ByteCountingLimit = uint32(v) }},
	} {
		tcpKnob(k)
	}
	for _, x := range [...]struct {
		high  int64
		names string
	}{
		{0, "blackhole insecure_rst insecure_syn insecure_ack syncookies_only udp_tunneling_port pmtud_blackhole_detection"},
		{boolean, `sack.revised sack.lrd fast_finwait2_recycle rfc3042 rfc3390 rfc3465 rfc6675_pipe newreno_enable do_lrd nolocaltimewait tso per_cpu_timers
			do_tcpdrain require_unique_port ts_offset_per_conn rexmit_drop_options experimental.initcwnd10 pacing_limit delay_ack_is_2`},
		{count, `do_prr do_prr_conservative sack.maxholes sack.globalmaxholes sack.globalholes ecn.maxretries maxtcptw mssdflt v6mssdflt isn_reseed_interval sendbuf_inc
			recvbuf_inc rexmit_slop tcbhashsize persmin persmax slowstart_flightsize local_slowstart_flightsize hostcache.purgenow hostcache.enable
			hostcache.expire hostcache.prune map_limit split_limit msl_local`},
	} {
		for _, name := range strings.Fields(x.names) {
			tcpKnob(knob{name: name, low: 0, high: x.high})
		}
	}
	for _, name := range [...]string{"kern.ipc.somaxconn", "kern.ipc.soacceptqueue"} {
		list = append(list, knob{name, 1, count, true, func(c *core.Config, v int64) { c.MaxBacklog = int(v) }})
	}
	return append(list, knob{"net.inet.ip.ttl", 1, octet, true, func(c *core.Config, v int64) { c.TCP.TTL = uint8(v) }})
}
