package script

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
)

// TestSocketOptions sets and gets each socket option, as a table: what getsockopt
// gives of a new socket, a value and what getsockopt gives then, and a value that is
// refused with its errno.
func TestSocketOptions(t *testing.T) {
	for _, c := range []struct{ level, name, first, set, then, bad, errno string }{
		{"SOL_SOCKET", "SO_REUSEADDR", "[0]", "[1]", "[1]", "", ""},
		{"SOL_SOCKET", "SO_REUSEPORT", "[0]", "[1]", "[1]", "", ""},
		{"SOL_SOCKET", "SO_DEBUG", "[0]", "[1]", "[1]", "", ""},
		{"SOL_SOCKET", "SO_PRIORITY", "[0]", "[3]", "[3]", "", ""},
		{"SOL_SOCKET", "SO_MARK", "[0]", "[42]", "[42]", "", ""},
		{"SOL_SOCKET", "SO_KEEPALIVE", "[0]", "[1]", "[1]", "", ""},
		{"SOL_SOCKET", "SO_OOBINLINE", "[0]", "[1]", "[1]", "", ""},
		{"SOL_SOCKET", "SO_SNDBUF", "[262144]", "[20000]", "[40000]", "", ""},
		{"SOL_SOCKET", "SO_SNDBUF", "[262144]", "[1]", "[4608]", "", ""},
		{"SOL_SOCKET", "SO_SNDBUF", "[262144]", "[1000000]", "[2000000]", "", ""},
		{"SOL_SOCKET", "SO_SNDBUF", "[262144]", "[10000000]", "[8388608]", "", ""},
		{"SOL_SOCKET", "SO_SNDBUFFORCE", "[262144]", "[10000000]", "[20000000]", "", ""},
		{"SOL_SOCKET", "SO_RCVBUF", "[262144]", "[20000]", "[40000]", "", ""},
		{"SOL_SOCKET", "SO_RCVBUF", "[262144]", "[1]", "[2304]", "", ""},
		{"SOL_SOCKET", "SO_RCVBUF", "[262144]", "[10000000]", "[8388608]", "", ""},
		{"SOL_SOCKET", "SO_RCVLOWAT", "[1]", "[100]", "[100]", "", ""},
		{"SOL_SOCKET", "SO_SNDLOWAT", "[1]", "", "", "[5]", "ENOPROTOOPT"},
		{"SOL_SOCKET", "SO_TYPE", "[1]", "", "", "[5]", "ENOPROTOOPT"},
		{"SOL_SOCKET", "SO_PROTOCOL", "[6]", "", "", "[5]", "ENOPROTOOPT"},
		{"SOL_SOCKET", "SO_DOMAIN", "[AF_INET]", "", "", "[5]", "ENOPROTOOPT"},
		{"SOL_SOCKET", "SO_ERROR", "[0]", "", "", "[5]", "ENOPROTOOPT"},
		{"SOL_SOCKET", "SO_ACCEPTCONN", "[0]", "", "", "[5]", "ENOPROTOOPT"},
		{"SOL_SOCKET", "SO_ZEROCOPY", "[0]", "[1]", "[1]", "[2]", "EINVAL"},
		{"SOL_SOCKET", "SO_TIMESTAMPING", "[0]", "[SOF_TIMESTAMPING_TX_ACK]", "[SOF_TIMESTAMPING_TX_ACK]", "[SOF_TIMESTAMPING_OPT_ID]", "EINVAL"},
		{"SOL_SOCKET", "SO_MAX_PACING_RATE", "[-1]", "[100000]", "[100000]", "", ""},
		{"SOL_SOCKET", "SO_LINGER", "{onoff=0, linger=0}", "{onoff=1, linger=5}", "{onoff=1, linger=5}", "[1]", "EINVAL"},
		{"SOL_SOCKET", "SO_RCVTIMEO", "{tv_sec=0, tv_usec=0}", "{tv_sec=2, tv_usec=5}", "{tv_sec=2, tv_usec=5}", "[1]", "EINVAL"},
		{"SOL_SOCKET", "SO_SNDTIMEO", "{tv_sec=0, tv_usec=0}", "{tv_sec=2, tv_usec=5}", "{tv_sec=2, tv_usec=5}", "[1]", "EINVAL"},
		{"SOL_SOCKET", "SO_BINDTODEVICE", `""`, `"tun0"`, `"tun0"`, "", ""},
		{"SOL_SOCKET", "SO_BUSY_POLL", "[0]", "[50]", "[50]", "[-1]", "EINVAL"},
		{"SOL_SOCKET", "999", "", "", "", "[1]", "ENOPROTOOPT"},
		{"SOL_TCP", "TCP_NODELAY", "[0]", "[1]", "[1]", "", ""},
		{"SOL_TCP", "TCP_CORK", "[0]", "[1]", "[1]", "", ""},
		{"SOL_TCP", "TCP_MAXSEG", "[536]", "[1000]", "[1000]", "[87]", "EINVAL"},
		{"SOL_TCP", "TCP_MAXSEG", "[536]", "[0]", "[536]", "[32768]", "EINVAL"},
		{"SOL_TCP", "TCP_KEEPIDLE", "[7200]", "[20]", "[20]", "[0]", "EINVAL"},
		{"SOL_TCP", "TCP_KEEPIDLE", "[7200]", "[32767]", "[32767]", "[32768]", "EINVAL"},
		{"SOL_TCP", "TCP_KEEPINTVL", "[75]", "[5]", "[5]", "[0]", "EINVAL"},
		{"SOL_TCP", "TCP_KEEPCNT", "[9]", "[3]", "[3]", "[128]", "EINVAL"},
		{"SOL_TCP", "TCP_SYNCNT", "[6]", "[2]", "[2]", "[0]", "EINVAL"},
		{"SOL_TCP", "TCP_LINGER2", "[60]", "[5]", "[5]", "", ""},
		{"SOL_TCP", "TCP_LINGER2", "[60]", "[-5]", "[-1]", "", ""},
		{"SOL_TCP", "TCP_LINGER2", "[60]", "[500]", "[120]", "", ""},
		{"SOL_TCP", "TCP_DEFER_ACCEPT", "[0]", "[5]", "[7]", "", ""},
		{"SOL_TCP", "TCP_WINDOW_CLAMP", "[0]", "[5000]", "[5000]", "", ""},
		{"SOL_TCP", "TCP_QUICKACK", "[1]", "", "", "", ""},
		{"SOL_TCP", "TCP_CONGESTION", `"cubic"`, `"reno"`, `"reno"`, `"nonesuch"`, "ENOENT"},
		{"SOL_TCP", "TCP_USER_TIMEOUT", "[0]", "[5000]", "[5000]", "[-1]", "EINVAL"},
		{"SOL_TCP", "TCP_NOTSENT_LOWAT", "[0]", "[9000]", "[9000]", "", ""},
		{"SOL_TCP", "TCP_INQ", "[0]", "[1]", "[1]", "[2]", "EINVAL"},
		{"SOL_TCP", "TCP_TIMESTAMP", "", "", "", "[1]", "EPERM"},
		{"SOL_TCP", "TCP_RTO_MAX_MS", "[120000]", "[1000]", "[1000]", "[999]", "EINVAL"},
		{"SOL_TCP", "TCP_SAVE_SYN", "[0]", "[1]", "[1]", "[3]", "EINVAL"},
		{"SOL_TCP", "999", "", "", "", "[1]", "ENOPROTOOPT"},
		{"SOL_IP", "IP_TOS", "[0]", "[0x28]", "[0x28]", "", ""},
		{"SOL_IP", "IP_TTL", "[64]", "[7]", "[7]", "[256]", "EINVAL"},
		{"SOL_IP", "IP_TTL", "[64]", "[-1]", "[64]", "[0]", "EINVAL"},
		{"SOL_IP", "IP_MTU_DISCOVER", "[IP_PMTUDISC_WANT]", "[IP_PMTUDISC_DO]", "[IP_PMTUDISC_DO]", "[6]", "EINVAL"},
		{"SOL_IP", "IP_RECVERR", "[0]", "[1]", "[1]", "", ""},
		{"SOL_IP", "IP_FREEBIND", "[0]", "[1]", "[1]", "", ""},
		{"SOL_IP", "IP_MTU", "", "", "", "[1]", "ENOPROTOOPT"},
		{"SOL_IPV6", "IPV6_TCLASS", "[0]", "[0x28]", "[0x28]", "[256]", "EINVAL"},
		{"SOL_IPV6", "IPV6_UNICAST_HOPS", "[64]", "[7]", "[7]", "[256]", "EINVAL"},
		{"SOL_IPV6", "IPV6_RECVERR", "[0]", "[1]", "[1]", "", ""},
		{"SOL_IPV6", "IPV6_V6ONLY", "[0]", "[1]", "[1]", "", ""},
		{"SOL_TCP", "TCP_NOPUSH", "[0]", "[1]", "[1]", "", ""},
		{"SOL_SOCKET", "SO_NOSIGPIPE", "[0]", "[1]", "[1]", "", ""},
		{"SOL_TCP", "TCP_MAXUNACKTIME", "[0]", "[5]", "[5]", "", ""},
	} {
		t.Run(c.name+c.set, func(t *testing.T) {
			src := "`sysctl tcp_wmem=4096,262144,4194304 tcp_rmem=4096,262144,4194304`\n0 socket(..., SOCK_STREAM, 0) = 3\n"
			line := func(call, value, result string) {
				if value == "" {
					return
				}
				size := "4"
				switch {
				case strings.HasPrefix(value, "{on"):
					size = "8"
				case strings.HasPrefix(value, "{"), strings.HasPrefix(value, `"`):
					size = "16"
				}
				if call == "getsockopt" {
					size = "[" + size + "]"
				}
				src += "+0 " + call + "(3, " + c.level + ", " + c.name + ", " + value + ", " + size + ") = " + result + "\n"
			}
			line("getsockopt", c.first, "0")
			line("setsockopt", c.set, "0")
			line("getsockopt", c.then, "0")
			line("setsockopt", c.bad, "-1 "+c.errno)
			r := runText(t, src, Config{IPv6: c.level == "SOL_IPV6"})
			require.Equal(t, Passed, r.Outcome, r.Detail)
		})
	}
	r := runText(t, open+`+0 getsockopt(4, SOL_IPV6, IPV6_TCLASS, [0], [4]) = -1 EOPNOTSUPP
+0 setsockopt(4, SOL_IPV6, IPV6_TCLASS, [0], 4) = -1 ENOPROTOOPT
+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 2) = -1 EINVAL
+0 setsockopt(4, SOL_TCP, TCP_NODELAY, NULL, 4) = -1 EFAULT
+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [0], -1) = -1 EINVAL
+0 getsockopt(4, SOL_IP, IP_MTU, [1500], [4]) = 0
+0 getsockopt(3, SOL_IP, IP_MTU, [1500], [4]) = -1 ENOTCONN
+0 getsockopt(4, SOL_TCP, TCP_MAXSEG, [1000], [4]) = 0
+0 getsockopt(9, SOL_TCP, TCP_MAXSEG, [1000], [4]) = -1 EBADF`, Config{})
	require.Equal(t, Passed, r.Outcome, r.Detail)
}

// Options of a listener go to its children.
func TestListenerOptions(t *testing.T) {
	r := runText(t, `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 setsockopt(3, SOL_IP, IP_TTL, [9], 4) = 0
+0 setsockopt(3, SOL_TCP, TCP_NODELAY, [1], 4) = 0
+0 setsockopt(3, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0
+0 setsockopt(3, SOL_TCP, TCP_KEEPIDLE, [20], 4) = 0
+0 < S 0:0(0) win 65535 <mss 1000>
+0 > [ttl 9] S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0
+0 getsockopt(4, SOL_IP, IP_TTL, [9], [4]) = 0
+20 > . 0:0(0) ack 1`, Config{})
	require.Equal(t, Passed, r.Outcome, r.Detail)
}

// TestSysctls has each setting that acts, and what it makes of the configuration.
func TestSysctls(t *testing.T) {
	for _, c := range []struct {
		set  string
		want func(c *core.Config, f *tcp.Config) bool
	}{
		{"net.ipv4.tcp_timestamps=0", func(c *core.Config, f *tcp.Config) bool { return !f.Timestamps }},
		{"/proc/sys/net/ipv4/tcp_sack=0", func(c *core.Config, f *tcp.Config) bool { return !f.SACK }},
		{"net/ipv4/tcp_dsack=0", func(c *core.Config, f *tcp.Config) bool { return !f.DSACK }},
		{"net.ipv4.tcp_window_scaling=0", func(c *core.Config, f *tcp.Config) bool { return !f.WindowScaling }},
		{"net.ipv4.tcp_ecn=1", func(c *core.Config, f *tcp.Config) bool { return f.ECN == 1 }},
		{"rack=0", func(c *core.Config, f *tcp.Config) bool { return !f.RACK }},
		{"net.ipv4.tcp_early_retrans=0", func(c *core.Config, f *tcp.Config) bool { return !f.TLP }},
		{"net.ipv4.tcp_wmem=4096 10000 20000", func(c *core.Config, f *tcp.Config) bool { return f.SendBuffer == 10000 && f.SendBufferMax == 20000 }},
		{"net.ipv4.tcp_rmem=4096\t10000\t20000", func(c *core.Config, f *tcp.Config) bool {
			return f.ReceiveBuffer == 5000 && f.ReceiveBufferMax == 20000
		}},
		{"net.ipv4.tcp_congestion_control=reno", func(c *core.Config, f *tcp.Config) bool { return f.Controller.Name() == "newreno" }},
		{"net.ipv4.tcp_slow_start_after_idle=0", func(c *core.Config, f *tcp.Config) bool { return !f.SlowStartAfterIdle }},
		{"net.ipv4.tcp_notsent_lowat=9000", func(c *core.Config, f *tcp.Config) bool { return f.NotSentLowAt == 9000 }},
		{"net.ipv4.tcp_invalid_ratelimit=0", func(c *core.Config, f *tcp.Config) bool { return f.ChallengeInterval == 0 }},
		{"net.ipv4.tcp_rto_max_ms=1000", func(c *core.Config, f *tcp.Config) bool { return f.RTOMax == clock.Second }},
		{"net.ipv4.tcp_rto_min_us=5000", func(c *core.Config, f *tcp.Config) bool { return f.RTOMin == 5*clock.Millisecond }},
		{"net.ipv4.tcp_syn_linear_timeouts=0", func(c *core.Config, f *tcp.Config) bool { return f.SynLinear == 0 }},
		{"net.ipv4.tcp_reordering=7", func(c *core.Config, f *tcp.Config) bool { return f.DupThresh == 7 }},
		{"net.ipv4.tcp_syncookies=0", func(c *core.Config, f *tcp.Config) bool { return !c.SynCookies }},
		{"net.ipv4.tcp_syn_retries=2", func(c *core.Config, f *tcp.Config) bool { return f.SynRetries == 2 }},
		{"net.ipv4.tcp_synack_retries=2", func(c *core.Config, f *tcp.Config) bool { return f.SynAckRetries == 2 }},
		{"net.ipv4.tcp_retries1=2", func(c *core.Config, f *tcp.Config) bool { return f.R1 == 2 }},
		{"net.ipv4.tcp_retries2=6", func(c *core.Config, f *tcp.Config) bool { return f.R2 == 6 }},
		{"net.ipv4.tcp_orphan_retries=3", func(c *core.Config, f *tcp.Config) bool { return f.OrphanRetries == 3 }},
		{"net.ipv4.tcp_fin_timeout=5", func(c *core.Config, f *tcp.Config) bool { return f.FinWait2 == 5*clock.Second }},
		{"net.ipv4.tcp_keepalive_time=5", func(c *core.Config, f *tcp.Config) bool { return f.KeepaliveIdle == 5*clock.Second }},
		{"net.ipv4.tcp_keepalive_intvl=5", func(c *core.Config, f *tcp.Config) bool { return f.KeepaliveInterval == 5*clock.Second }},
		{"net.ipv4.tcp_keepalive_probes=5", func(c *core.Config, f *tcp.Config) bool { return f.KeepaliveCount == 5 }},
		{"net.ipv4.tcp_rfc1337=1", func(c *core.Config, f *tcp.Config) bool { return f.RFC1337 }},
		{"net.ipv4.tcp_stdurg=1", func(c *core.Config, f *tcp.Config) bool { return f.UrgentAtLast }},
		{"net.ipv4.tcp_moderate_rcvbuf=0", func(c *core.Config, f *tcp.Config) bool { return f.ReceiveBufferMax == f.ReceiveBuffer }},
		{"net.ipv4.tcp_pacing_ss_ratio=150", func(c *core.Config, f *tcp.Config) bool { return f.PacingSlowStart == 150 }},
		{"net.ipv4.tcp_pacing_ca_ratio=110", func(c *core.Config, f *tcp.Config) bool { return f.PacingAvoidance == 110 }},
		{"net.ipv4.tcp_max_syn_backlog=5", func(c *core.Config, f *tcp.Config) bool { return c.SynBacklog == 5 }},
		{"net.core.somaxconn=5", func(c *core.Config, f *tcp.Config) bool { return c.MaxBacklog == 5 }},
		{"net.ipv4.ip_default_ttl=5", func(c *core.Config, f *tcp.Config) bool { return f.TTL == 5 }},
		{"net.ipv4.ip_no_pmtu_disc=1", func(c *core.Config, f *tcp.Config) bool { return !f.PathMTU }},
		{"net.ipv4.ip_local_port_range=5000 5010", func(c *core.Config, f *tcp.Config) bool { return c.PortLow == 5000 && c.PortHigh == 5010 }},
		{"net.inet.tcp.rfc1323=2", func(c *core.Config, f *tcp.Config) bool { return f.WindowScaling && !f.Timestamps }},
		{"net.inet.tcp.sack.enable=0", func(c *core.Config, f *tcp.Config) bool { return !f.SACK }},
		{"net.inet.tcp.ecn.enable=1", func(c *core.Config, f *tcp.Config) bool { return f.ECN == 1 }},
		{"net.inet.tcp.delayed_ack=0", func(c *core.Config, f *tcp.Config) bool { return f.AckEvery == 1 }},
		{"net.inet.tcp.delacktime=100", func(c *core.Config, f *tcp.Config) bool { return f.DelayedAck == 100*clock.Millisecond }},
		{"net.inet.tcp.always_keepalive=1", func(c *core.Config, f *tcp.Config) bool { return f.Keepalive }},
		{"net.inet.tcp.keepidle=5000", func(c *core.Config, f *tcp.Config) bool { return f.KeepaliveIdle == 5*clock.Second }},
		{"net.inet.tcp.msl=1000", func(c *core.Config, f *tcp.Config) bool { return f.TimeWait == 2*clock.Second }},
		{"net.inet.tcp.syncookies=0", func(c *core.Config, f *tcp.Config) bool { return !c.SynCookies }},
		{"net.inet.tcp.initcwnd_segments=4", func(c *core.Config, f *tcp.Config) bool { return f.InitialWindow == 4 }},
		{"net.inet.tcp.recvspace=10000", func(c *core.Config, f *tcp.Config) bool { return f.ReceiveBuffer == 10000 }},
		{"net.inet.tcp.drop_synfin=0", func(c *core.Config, f *tcp.Config) bool { return !c.DropSynFin }},
		{"net.inet.tcp.cc.algorithm=newreno", func(c *core.Config, f *tcp.Config) bool { return f.Controller.Name() == "newreno" }},
		{"net.inet.ip.ttl=9", func(c *core.Config, f *tcp.Config) bool { return f.TTL == 9 }},
	} {
		t.Run(c.set, func(t *testing.T) {
			r := newRunner(core.Config{})
			require.False(t, c.want(&r.core, &r.core.TCP), "the setting changes something")
			require.Nil(t, r.Set(c.set))
			require.True(t, c.want(&r.core, &r.core.TCP))
		})
	}
	for _, set := range []string{
		"net.ipv4.tcp_min_tso_segs=4", "net.ipv4.tcp_tso_win_divisor=1", "net.ipv4.tcp_frto=0", "net.ipv4.tcp_base_mss=1000", "net.ipv4.tcp_mtu_probing=0",
		"net.ipv4.tcp_no_metrics_save=1", "net.ipv4.tcp_autocorking=0", "net.ipv4.tcp_limit_output_bytes=1000000", "net.ipv4.tcp_challenge_ack_limit=1000",
		"net.ipv4.tcp_adv_win_scale=-2", "net.ipv4.tcp_app_win=31", "net.ipv4.tcp_backlog_ack_defer=0", "net.ipv4.tcp_notsent_lowat=4294967295", "net.ipv6.conf.all.forwarding=1",
		"net.ipv4.conf.all.rp_filter=0", "net.core.default_qdisc=fq", "kernel.printk=1", "net.ipv4.tcp_tw_reuse=1", "net.ipv4.tcp_abort_on_overflow=0",
		"net.inet.tcp.hostcache.purgenow=1", "net.inet.tcp.log_in_vain=1", "net.inet.tcp.functions_default=freebsd", "kern.ipc.maxsockbuf=1000000",
		"net.inet.icmp.icmplim=0", "net.inet6.ip6.hlim=64",
	} {
		require.Nil(t, newRunner(core.Config{}).Set(set), set)
	}
	for _, set := range []string{
		"net.ipv4.tcp_frob=1", "net.ipv4.tcp_mtu_probing=2", "net.ipv4.tcp_abort_on_overflow=1", "net.ipv4.tcp_syncookies=2", "net.ipv4.tcp_rmem=5",
		"net.ipv4.tcp_congestion_control=bbr", "net.ipv4.tcp_ecn=3", "net.ipv4.tcp_timestamps=x", "net.ipv4.tcp_timestamps", "net.ipv4.tcp_shrink_window=1",
		"net.inet.tcp.frob=1", "net.inet.tcp.functions_default=rack", "net.inet.tcp.blackhole=2", "net.ipv4.ip_local_port_range=9 5",
	} {
		p := newRunner(core.Config{}).Set(set)
		require.NotNil(t, p, set)
		require.True(t, p.unsupported, set)
		require.Contains(t, p.msg, " is not supported", set)
	}
}

// A sysctl in the middle of a script counts for what comes, and where Linux looks at
// it while connections run for those too, but not over what their options say.
func TestSysctlInTheMiddle(t *testing.T) {
	for _, c := range []struct{ name, src string }{
		{"a new connection", open + "+0 `sysctl -q net.ipv4.ip_default_ttl=9`\n" + `+0 close(4) = 0
+0 > F. 1:1(0) ack 1
+0 socket(..., SOCK_STREAM, 0) = 5
+0 fcntl(5, F_SETFL, O_NONBLOCK) = 0
+0 connect(5, ..., ...) = -1 EINPROGRESS
+0 > [ttl 9] S 0:0(0) <...>`},
		{"of a listener", `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 ` + "`echo 0 > /proc/sys/net/ipv4/tcp_timestamps`" + `
+0 < S 0:0(0) win 65535 <mss 1000,nop,nop,TS val 1 ecr 0>
+0 > S. 0:0(0) ack 1 <mss 1460>`},
		{"live", open + `+0 setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0
+0 setsockopt(4, SOL_TCP, TCP_KEEPINTVL, [5], 4) = 0
+0 setsockopt(4, SOL_TCP, TCP_KEEPIDLE, [20], 4) = 0
+0 ` + "`sysctl -w net.ipv4.tcp_keepalive_time=10 net.ipv4.tcp_keepalive_intvl=7`" + `
+0 getsockopt(4, SOL_TCP, TCP_KEEPIDLE, [20], [4]) = 0
+20 > . 0:0(0) ack 1
+5 > . 0:0(0) ack 1`},
		{"live without an option", open + "+0 `sysctl net.ipv4.tcp_retries2=5`\n" + `+0 getsockopt(4, SOL_TCP, TCP_KEEPCNT, [9], [4]) = 0
+0 ` + "`sysctl net.ipv4.tcp_keepalive_probes=3`" + `
+0 getsockopt(4, SOL_TCP, TCP_KEEPCNT, [3], [4]) = 0`},
		{"not live", open + "+0 `sysctl net.ipv4.tcp_rto_max_ms=1000`\n" + `+0 getsockopt(4, SOL_TCP, TCP_RTO_MAX_MS, [120000], [4]) = 0
+0 socket(..., SOCK_STREAM, 0) = 5
+0 getsockopt(5, SOL_TCP, TCP_RTO_MAX_MS, [1000], [4]) = 0`},
		{"tcpdrop", open + "+0 `tcpdrop 192.168.0.1 8080 192.0.2.1 40000`\n" + `+0 > R. 1:1(0) ack 1
+0 read(4, ..., 10) = -1 ECONNABORTED`},
		{"sleep", open + "+0 `sleep 1`\n" + `1.1 write(4, ..., 10) = 10
+0 > P. 1:11(10) ack 1`},
	} {
		r := runText(t, c.src, Config{})
		require.Equal(t, Passed, r.Outcome, "%s: %s\n%s", c.name, r.Detail, r.Ladder)
	}
}

// TestCommands has what a shell is asked for, and which of it is known.
func TestCommands(t *testing.T) {
	const rest = "\n0 socket(..., SOCK_STREAM, 0) = 3\n"
	for _, text := range []string{
		"./defaults.sh", "../common/defaults.sh", "/usr/lib/x/defaults.sh\nsysctl -q net.ipv4.tcp_sack=0", ". ./defaults.sh", "sh ../defaults.sh || true",
		"./common/set_sysctls.py /proc/sys/net/ipv4/tcp_sack=0 \\\n   /proc/sys/net/ipv4/tcp_dsack=0", "/tmp/sysctl_restore_${PPID}.sh",
		"sysctl -w net.ipv4.tcp_rmem=\"4096 87380 6291456\" > /dev/null 2>&1", "sysctl -w net.ipv4.tcp_rmem = '4096 87380 6291456'",
		"sysctl -q net.ipv4.tcp_rmem=4096 87380 6291456", "sysctl -n net.ipv4.tcp_sack", "echo 1 > /proc/sys/net/ipv4/tcp_sack; echo done # and so on",
		"echo 1 | tee /proc/sys/net/ipv4/tcp_sack", "ip tcp_metrics flush all", "ip -6 tcp_metrics flush", "tc qdisc replace dev tun0 root pfifo",
		"tc qdisc add dev tun0 root fq && ethtool -K tun0 tso off gso off", "nstat -n", "nstat > /dev/null", "kldload -n tcp_rack", "modprobe tcp_bbr || true",
		"ip route replace 192.0.2.1 dev tun0 initcwnd 4", "sysctl net.inet.tcp.rfc1323=1", "sockstat -4 -P tcp > /dev/null", "LANG=C sysctl net.ipv4.tcp_sack=1",
	} {
		r := runText(t, "`"+text+"`"+rest, Config{})
		require.Equal(t, Passed, r.Outcome, "%s: %s", text, r.Detail)
	}
	for _, text := range []string{
		"nstat | grep TcpExtTCPFastOpen", "grep x /proc/net/netstat", "tc qdisc add dev tun0 root netem delay 10ms", "ip link set dev tun0 mtu 1200",
		"echo 1 > /tmp/x", "sysctl -n net.ipv4.tcp_sack | grep 1", "sockstat -ss | grep LISTEN", "ip route add 1.2.3.4 mtu 500", "reboot",
	} {
		r := runText(t, "`"+text+"`"+rest, Config{})
		require.Equal(t, Unsupported, r.Outcome, text)
		require.Contains(t, r.Detail, strings.Fields(text)[0])
	}
	r := runText(t, "`false`"+rest, Config{})
	require.Equal(t, Failed, r.Outcome, "a command that fails is an assertion that does not hold")
}

// TestRunnerOptions has packetdrill's options, and which of them say what cannot be.
func TestRunnerOptions(t *testing.T) {
	const rest = "\n0 socket(..., SOCK_STREAM, 0) = 3\n"
	for _, o := range []string{
		"--ip_version=ipv4", "--ip_version=ipv6", "--ip_version=ipv4-mapped-ipv6", "--local_ip=10.0.0.1 --remote_ip=10.0.0.2/16", "--gateway_ip=10.0.0.1",
		"--netmask_ip=255.255.0.0", "--bind_port=80", "--connect_port=80", "--mtu=1400", "--mss=1000", "--tolerance_usecs=1000", "--tolerance_percent=12.5",
		"--tcp_ts_tick_usecs=1000", "--tcp_ts_ecr_scaled", "--strict_segments", "--non_fatal=packet,syscall", "--init_scripts=./defaults.sh", "--speed=10",
		"--send_omit_free", "--dry_run", "--so_filename=x.so", "--verbose", "--debug", "--tcp_md5_secret=x", "--code_command=python3",
	} {
		r := runText(t, o+rest, Config{})
		require.Equal(t, Passed, r.Outcome, "%s: %s", o, r.Detail)
	}
	for _, o := range []string{"--wire_client", "--wire_server_dev=eth0", "--udp_encapsulation=tcp", "--frob", "--ip_version=5"} {
		r := runText(t, o+rest, Config{})
		require.Equal(t, Unsupported, r.Outcome, o)
	}
	wrong := open + "+0 write(4, ..., 10) = 11\n+0 > P. 1:12(11) ack 1\n+0 write(4, ..., 10) = 10\n"
	require.Equal(t, Failed, runText(t, wrong, upstream).Outcome)
	require.Equal(t, Failed, runText(t, "--non_fatal=packet\n"+wrong, upstream).Outcome)
	require.Equal(t, Passed, runText(t, "--non_fatal=packet,syscall\n"+wrong, upstream).Outcome)
	require.Equal(t, Passed, runText(t, "--dry_run\n"+wrong, upstream).Outcome)
}

// Asserts are told behind the last event, and not at all where the script cannot be
// run to its end.
func TestAssertsAreToldLast(t *testing.T) {
	src := open + "+0 %{ assert tcpi_state == TCP_CLOSE }%\n+0 write(4, ..., 10) = 10\n"
	r := runText(t, src, upstream)
	require.Contains(t, r.Detail, "x:8:7: assert tcpi_state == TCP_CLOSE does not hold")
	require.Contains(t, r.Ladder, "write(4", "the script went on")
	r = runText(t, src+"+0 psp_assoc(4) = 0\n", upstream)
	require.Equal(t, Unsupported, r.Outcome)
	r = runText(t, src+"+0 write(4, ..., 10) = 11\n", upstream)
	require.Contains(t, r.Detail, "assert", "what failed first")
	r = runText(t, open+"+0 %{ assert tcpi_state == TCPS_ESTABLISHED == TCPI_ESTABLISHED }%", upstream)
	require.Equal(t, Passed, r.Outcome, "the states as FreeBSD calls them")
}

// TestUpstreamWords has what comments "Failure:" may ask for.
func TestUpstreamWords(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"0 socket(..., SOCK_STREAM, 0) = -1 EINVAL", "runtime error in socket call: Expected result -1 but got 0"},
		{"0 accept(3, ..., ...) = 0", "Expected result 0 but got -1 with errno 9 (Bad file descriptor)"},
		{"0 accept(3, ..., ...) = -1 EINVAL", "Expected errno 22 (Invalid argument) but got 9 (Bad file descriptor)"},
		{open + "+0 write(4, ..., 10) = 10\n+.1 > P. 1:11(10) ack 1", "timing error: expected outbound packet at 0.200000 sec but happened at 0.100000 sec"},
		{open + "+0 write(4, ..., 10) = 10\n+.1~+.2 > P. 1:11(10) ack 1", "timing error: expected outbound packet in time range"},
		{open + "+0 write(4, ..., 10) = 10\n+0 > . 1:11(10) ack 1", "live packet field tcp_psh: expected: 0 (0x0) vs actual: 1 (0x1)"},
		{open + "+0 write(4, ..., 10) = 10\n+0 > P. 2:12(10) ack 1", "live packet field tcp_seq: expected: 2 (0x2) vs actual: 1 (0x1)"},
		{open + "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 win 5", "live packet field tcp_window: expected: 5 (0x5)"},
		{open + "+0 write(4, ..., 10) = 10\n+0 > P. 1:10(9) ack 1", "live packet payload: expected 9 bytes vs actual 10 bytes"},
		{open + "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 <nop,nop,nop,nop>", "bad outbound TCP options"},
		{open + "+0 > P. 1:11(10) ack 1", "timed out waiting for packet"},
		{"0 %{ assert 1 == 2 }%", "AssertionError"},
	} {
		r := runText(t, c.src, upstream)
		require.Equal(t, Failed, r.Outcome)
		require.Contains(t, r.Upstream, c.want, r.Detail)
	}
}

// A script that sets FreeBSD's sysctls is one for FreeBSD: its numbers, its buffers,
// its names of states, and another order of options in a SYN.
func TestForeign(t *testing.T) {
	const src = `--ip_version=ipv4
0.00 ` + "`kldload -n tcp_rack`\n+0.00 `sysctl -w net.inet.tcp.hostcache.purgenow=1`\n+0.00 `sysctl -w net.inet.tcp.syncookies_only=0`" + `
+0.00 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0.00 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0.00 getsockopt(3, SOL_SOCKET, SO_RCVBUF, [65536], [4]) = 0
+0.00 bind(3, ..., ...) = 0
+0.00 listen(3, 1) = 0
+0.00 < S 0:0(0) win 65535 <mss 1460,nop,wscale 6,sackOK,TS val 100 ecr 0>
+0.00 > S. 0:0(0) ack 1 win 65535 <mss 1460,nop,wscale 6,sackOK,TS val 100 ecr 100>
+0.10 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 200 ecr 100>
+0.00 accept(3, ..., ...) = 4
+0.00 < P. 1:101(100) ack 1 win 65535 <nop,nop,TS val 200 ecr 100>
+0.04 > . 1:1(0) ack 101 win 1022 <nop,nop,TS val 140 ecr 200>
+0.00 %{ assert tcpi_state == TCPS_ESTABLISHED }%
+0.00 close(3) = 0
`
	r := runText(t, src, upstream)
	require.Equal(t, Passed, r.Outcome, "%s\n%s", r.Detail, r.Ladder)
	r = runText(t, strings.Replace(src, "> S. 0:0(0) ack 1 win 65535 <mss 1460,", "> S. 0:0(0) ack 1 win 65535 <mss 1461,", 1), upstream)
	require.Contains(t, r.Detail, "the options: expected <mss 1461", "they are compared")
	r = runText(t, strings.Replace(src, "nop,wscale 6,sackOK,TS val 100 ecr 100", "nop,wscale 6,nop,nop,TS val 100 ecr 100", 1), upstream)
	require.Contains(t, r.Detail, "the options: expected", "and what is too many is seen")
}
