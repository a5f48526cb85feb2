package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/clock"
)

const open = `0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0  bind(3, ..., ...) = 0
+0  listen(3, 1) = 0
+0  < S 0:0(0) win 65535 <mss 1000>
+0  > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
+0  accept(3, ..., ...) = 4
`

func runText(t *testing.T, src string, cfg Config) Result {
	t.Helper()
	s, err := Parse("x", src)
	require.NoError(t, err)
	return Run(s, cfg)
}

// TestJudge has scripts that must not pass, and what the runner must say of
// them: a runner that lets everything pass would pass all other tests.
func TestJudge(t *testing.T) {
	const data = open + "+0 write(4, ..., 1000) = 1000\n"
	for _, c := range []struct{ name, src, want string }{
		{"flags", data + "+0 > . 1:1001(1000) ack 1",
			"x:9:1: expected  > . 1:1001(1000) ack 1             at 0.100000\n" +
				"  actual    > P. 1:1001(1000) ack 1 win 65535  at 0.100000\n" +
				"  differs   the flags"},
		{"sequence number", data + "+0 > P. 2:1002(1000) ack 1", "differs   the sequence number"},
		{"length", data + "+0 > P. 1:901(900) ack 1", "differs   the length"},
		{"acknowledgment", data + "+0 > P. 1:1001(1000) ack 2", "differs   the acknowledgment number"},
		{"window", data + "+0 > P. 1:1001(1000) ack 1 win 5", "differs   the window"},
		{"urgent", data + "+0 > P. 1:1001(1000) ack 1 urg 5", "differs   the urgent pointer"},
		{"options", data + "+0 > P. 1:1001(1000) ack 1 <nop,nop,nop,nop>", "differs   the options"},
		{"TTL", data + "+0 > [ttl 5] P. 1:1001(1000) ack 1", "differs   the hop limit"},
		{"ECN", data + "+0 > [ect0] P. 1:1001(1000) ack 1", "differs   ECN"},
		{"TOS", data + "+0 > [tos 0x10] P. 1:1001(1000) ack 1", "differs   the type of service"},
		{"kind", data + "+0 > icmp echo_reply", "differs   the kind of packet"},
		{"connection", data + "+0 > 8080 > 5 P. 1:1001(1000) ack 1", "differs   the connection"},
		{"more than came", data + "+0 > P. 1:2001(2000) ack 1", "x:9:1: expected"},
		{"early", data + "+.1 > P. 1:1001(1000) ack 1", "differs   the time, by more than 0.001000 s"},
		{"late", data + "+0 > P. 1:1001(1000) ack 1\n+.2 > P. 1:1001(1000) ack 1",
			"x:10:1: expected  > P. 1:1001(1000) ack 1            at 0.300000\n" +
				"  actual    > P. 1:1001(1000) ack 1 win 65535  at 0.400000\n" +
				"  differs   the time, by more than 0.001000 s"},
		{"outside the range", data + "+0 > P. 1:1001(1000) ack 1\n+.1~+.2 > P. 1:1001(1000) ack 1", "at 0.200000 to 0.300000"},
		{"nothing comes", open + "+0 > . 1:1(0) ack 1", "actual    no packet, and no timer runs that could send one"},
		{"star", open + "* > . 1:1(0) ack 1", "actual    no packet, and no timer runs that could send one"},
		{"much later", data + "+0 > P. 1:1001(1000) ack 1\n+0 < . 1:1(0) ack 1001 win 0\n+0 write(4, ..., 10) = 10\n+.1 > P. 1001:1011(10) ack 1", "differs   the flags"},
		{"more at the end", data, "x:8:1: expected nothing more\n  actual    > P. 1:1001(1000) ack 1 win 65535  at 0.100000"},
		{"more in the middle", data + "+.1 < . 1:1(0) ack 1001 win 65535", "x:9:1: expected no packet before this line\n  actual    > P. 1:1001(1000) ack 1 win 65535  at 0.100000"},
		{"more after the end", "--final_quiet=1\n" + data + "+0 > P. 1:1001(1000) ack 1", "expected nothing more\n  actual    > P. 1:1001(1000) ack 1 win 65535  at 0.400000"},
		{"result", open + "+0 write(4, ..., 10) = 11", "x:8:1: expected  write = 11\n  actual    write = 10"},
		{"errno", open + "+0 read(5, ..., 10) = -1 EAGAIN", "expected  read = -1 EAGAIN\n  actual    read = -1 EBADF"},
		{"no errno", open + "+0 write(4, ..., 10) = -1 EAGAIN", "actual    write = 10"},
		{"would block", open + "+0 read(4, ..., 10) = 10", "expected the call to return at once\n  actual    it would block"},
		{"returns early", open + "+0...1 read(4, ..., 10) = 10\n+.1 < P. 1:11(10) ack 1 win 5", "x:8:1: expected  read to return at 1.100000\n  actual    it returned at 0.200000"},
		{"returns late", open + "+0...0.1 read(4, ..., 10) = 10\n+.5 < P. 1:11(10) ack 1 win 5", "x:8:1: expected the call to return at 0.200000\n  actual    it still waits at 0.600000"},
		{"does not return", open + "+0...1 read(4, ..., 10) = 10", "x:8:1: the call has not returned at the end of the script"},
		{"assert", open + "+0 %{\nassert 1 == 1\nassert tcpi_state == TCP_CLOSE, 'state %d' % tcpi_state\n}%", "x:10:1: assert tcpi_state == TCP_CLOSE does not hold with tcpi_state = 1: state 1"},
		{"getsockopt", open + "+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0", "expected  TCP_NODELAY = [1]\n  actual    TCP_NODELAY = 0"},
		{"read text", open + "+0 < P. 1:4(3) ack 1 win 5\n+0 > . 1:1(0) ack 4\n+0 read(4, \"abc\", 3) = 3", `expected  the octets "abc"`},
		{"poll", open + "+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1", "expected  revents = 0x1\n  actual    revents = 0x4"},
		{"unknown echo", strings.ReplaceAll(open, "<mss 1000>", "<mss 1000,nop,nop,TS val 1 ecr 9>"), "x:4:1: the segment echoes a timestamp that no line has expected"},
		{"descriptor", open + "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4", "expected a descriptor that is not in use"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runText(t, c.src, Config{})
			require.Equal(t, Failed, r.Outcome, r.Detail)
			require.Contains(t, r.Detail, c.want)
			require.NotEmpty(t, r.Ladder)
		})
	}
}

func TestStampJudge(t *testing.T) {
	const ts = `--tcp_ts_tick_usecs=1000
0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0  bind(3, ..., ...) = 0
+0  listen(3, 1) = 0
+0  < S 0:0(0) win 65535 <mss 1000,nop,nop,TS val 7 ecr 0>
+0  > S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val 100 ecr 7>
+.1 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 8 ecr 100>
+0  accept(3, ..., ...) = 4
+0  write(4, ..., 10) = 10
`
	r := runText(t, ts+"+0 > P. 1:11(10) ack 1 <nop,nop,TS val 200 ecr 8>", Config{})
	require.Equal(t, Passed, r.Outcome, r.Detail)
	r = runText(t, ts+"+0 > P. 1:11(10) ack 1 <nop,nop,TS val 205 ecr 8>", Config{})
	require.Contains(t, r.Detail, "differs   the timestamp")
	r = runText(t, ts+"+0 > P. 1:11(10) ack 1 <nop,nop,TS val 200 ecr 9>", Config{})
	require.Contains(t, r.Detail, "differs   the echoed timestamp")
	r = runText(t, ts+"+0 > P. 1:11(10) ack 1 <nop,nop,TS val 200 ecr 9>", Config{Lenient: true})
	require.Equal(t, Passed, r.Outcome, "packetdrill does not compare it")
}

func TestUnsupported(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"call", "0 psp_assoc(1) = 3", "x:1:1: the call psp_assoc is not supported"},
		{"unknown call", open + "+0 frob(4) = 3", "x:8:1: the call frob is not supported"},
		{"socket", "0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3", "only TCP sockets are supported"},
		{"sysctl", "`sysctl net.ipv4.tcp_frob=1`\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3", "x:1:1: the setting net.ipv4.tcp_frob=1 is not supported"},
		{"command", "`reboot now`\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3", "x:1:1: the command reboot now is not supported"},
		{"option", "--frob=1\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3", "x:1:1: the option --frob is not supported"},
		{"profile", "--profile=frob\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3", "there is no profile frob"},
		{"socket option", open + "+0 setsockopt(4, SOL_TCP, TCP_MD5SIG, [1], 4) = 0", "the socket option TCP_MD5SIG is not supported"},
		{"field", open + "+0 %{ assert tcpi_frob == 1 }%", "x:8:14: the name tcpi_frob is not known here"},
		{"encapsulation", "0 < ipv4 1.2.3.4 > 5.6.7.8: . 1:1(0) win 1", "an encapsulated packet is not supported"},
		{"udp", "0 < udp (5)", "UDP is not supported"},
		{"md5", "0 < . 1:1(0) win 1 <md5 valid,nop,nop>", "md5 is not supported"},
		{"icmp", "0 < icmp frob", "the ICMP message frob  is not known"},
		{"flag", open + "+0 recv(4, ..., 10, MSG_CONFIRM) = 10", "this recv is not supported"},
		{"address", "--local_ip=5\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3", "the local address 5 is not an IP address"},
		{"mtu", "--mtu=20\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3", "a stack cannot be made with this configuration"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runText(t, c.src, Config{})
			require.Equal(t, Unsupported, r.Outcome, r.Detail)
			require.Contains(t, r.Detail, c.want)
		})
	}
}

// TestSettings has the spellings of settings that scripts use.
func TestSettings(t *testing.T) {
	for _, command := range []string{
		"sysctl -q net.ipv4.tcp_timestamps=0",
		"sysctl -e -w net/ipv4/tcp_timestamps=0 net.ipv4.tcp_sack=0",
		"./../common/defaults.sh\n./../common/set_sysctls.py /proc/sys/net/ipv4/tcp_timestamps=0 \\\n  /proc/sys/net/ipv4/tcp_sack=0",
		"sysctl -q net.ipv4.tcp_timestamps=0; sysctl -q net.ipv4.tcp_wmem=\"4096,16384,65536\" # and so on",
		"../common/defaults.sh && sysctl net.ipv4.tcp_timestamps=0\ntc qdisc replace dev tun0 root pfifo",
	} {
		r := runText(t, "`"+command+"`\n"+`0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0  bind(3, ..., ...) = 0
+0  listen(3, 1) = 0
+0  < S 0:0(0) win 65535 <mss 1000,nop,nop,TS val 1 ecr 0>
+0  > S. 0:0(0) ack 1 <mss 1460>
`+"`/tmp/sysctl_restore_${PPID}.sh`", Config{})
		require.Equal(t, Passed, r.Outcome, "%s: %s", command, r.Detail)
	}
	r := runText(t, "`../common/defaults.sh`\n"+`0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0  bind(3, ..., ...) = 0
+0  listen(3, 1) = 0
+0  < S 0:0(0) win 65535 <mss 1000,sackOK,nop,nop,nop,wscale 7>
+0  > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK,nop,wscale 8>`, Config{})
	require.Equal(t, Passed, r.Outcome, "15 MiB of buffer need a window scale of 8: %s", r.Detail)
}

// TestLenient has what packetdrill itself lets pass.
func TestLenient(t *testing.T) {
	lenient := Config{Lenient: true, Tolerance: 4 * clock.Millisecond, TolerancePerMille: 125}
	for _, c := range []struct{ name, src string }{
		{"more at the end", open + "+0 write(4, ..., 1000) = 1000"},
		{"tolerance", open + "+0 write(4, ..., 1000) = 1000\n+.003 > P. 1:1001(1000) ack 1"},
		{"percentage", open + "+0 write(4, ..., 1000) = 1000\n+0 > P. 1:1001(1000) ack 1\n+.33 > P. 1:1001(1000) ack 1"},
		{"push of merged segments", open + "+0 write(4, ..., 3000) = 3000\n+0 > . 1:3001(3000) ack 1"},
	} {
		r := runText(t, c.src, lenient)
		require.Equal(t, Passed, r.Outcome, "%s: %s", c.name, r.Detail)
	}
	r := runText(t, open+"+0 write(4, ..., 3000) = 3000\n+0 > . 1:3001(3000) ack 1", Config{StrictPush: true})
	require.Contains(t, r.Detail, "differs   the flags", "PSH of merged segments can be compared")
	r = runText(t, "--strict_segments\n"+open+"+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3001(3000) ack 1", lenient)
	require.Contains(t, r.Detail, "the length: expected 3000, actual 1000", "merging can be switched off")
}

func TestProfileOfConfig(t *testing.T) {
	c, err := core.Profile("rfc9293")
	require.NoError(t, err)
	r := runText(t, open+`+0 write(4, ..., 1000) = 1000
+0 > P. 1:1001(1000) ack 1
+1 > P. 1:1001(1000) ack 1`, Config{Core: c})
	require.Equal(t, Passed, r.Outcome, r.Detail)
}

// FuzzRun looks that no script makes the runner or the engine panic or go on
// for ever.
func FuzzRun(f *testing.F) {
	files, err := filepath.Glob("../../scripts/*/*.pkt")
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		src, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(src))
	}
	for _, part := range strings.Split(callScripts, "/// ")[1:] {
		_, src, _ := strings.Cut(part, "\n")
		f.Add(strings.NewReplacer("OPEN", open, "CONNECTING", connecting, "CONNECTED", connected).Replace(src))
	}
	f.Fuzz(func(t *testing.T, src string) {
		s, err := Parse("fuzz", src)
		if err != nil {
			return
		}
		for i := range s.Options {
			// A large number of small steps is slow, and shows nothing new.
			if s.Options[i].Name == "set" || s.Options[i].Name == "mtu" {
				return
			}
		}
		r := Run(s, Config{})
		require.True(t, r.Outcome == Passed || r.Detail != "", "a run that does not pass says why")
	})
}
