package drill

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/script"
	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
)

func TestMain(m *testing.M) { netnstest.Run(m) }

// shared is how a script is judged on a machine that has other things to do.
var shared = script.Config{Tolerance: 30 * clock.Millisecond, TolerancePerMille: 200}

func play(t *testing.T, name, src string, cfg script.Config, o Options) script.Result {
	t.Helper()
	return begin(t, name, src, cfg, o)()
}

// begin plays a script beside others: in real time they do little but wait.
func begin(t *testing.T, name, src string, cfg script.Config, o Options) (end func() script.Result) {
	t.Helper()
	s, err := script.Parse(name, src)
	require.NoError(t, err)
	done := make(chan script.Result, 1)
	fail := make(chan error, 1)
	go func() {
		res, err := Run(s, cfg, o)
		fail <- err
		done <- res
	}()
	return func() script.Result {
		require.NoError(t, <-fail)
		return <-done
	}
}

// Scripts that the linux profile passes, the kernel passes too.
func TestScriptsOnKernel(t *testing.T) {
	netnstest.Need(t)
	type run struct {
		name string
		end  func() script.Result
	}
	var runs []run
	for _, name := range []string{
		"ack/quick_start", "backlog/listener_close_resets", "calls/shutdown_read", "calls/poll", "challenge/syn", "close/passive", "handshake/passive",
		"handshake/refused", "icmp/connect_port", "linger/zero_is_abort", "mss/own_link", "nagle/small_waits", "options/mirrored", "pathmtu/ipv4",
		"persist/no_data", "recovery/fast_retransmit_sack", "reset/closed_port", "sack/two_holes", "sequence/out_of_order", "timestamps/paws",
		"urgent/in_line",
	} {
		src, err := os.ReadFile(filepath.Join("../../../scripts", name+".pkt"))
		require.NoError(t, err)
		for _, version := range []string{"ipv4", "ipv6"} {
			if strings.Contains(string(src), "--ip_version=") && !strings.Contains(string(src), "--ip_version="+version) {
				continue
			}
			cfg := shared
			cfg.IPv6 = version == "ipv6"
			runs = append(runs, run{name + "/" + version, begin(t, name, string(src), cfg, Options{Limit: 20 * time.Second, Retries: 3})})
		}
	}
	for _, r := range runs {
		t.Run(r.name, func(t *testing.T) {
			res := r.end()
			require.Equal(t, script.Passed, res.Outcome, "%s\n%s", res.Detail, res.Ladder)
		})
	}
}

const open4 = `0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0  bind(3, ..., ...) = 0
+0  listen(3, 1) = 0
+0  < S 0:0(0) win 65535 <mss 1000>
+0  > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
+0  accept(3, ..., ...) = 4
`

// The kernel is judged: what is not so fails, with both sides.
func TestJudge(t *testing.T) {
	netnstest.Need(t)
	cases := []struct{ name, src, want string }{
		{"flags", open4 + "+0 close(4) = 0\n+0 > R. 1:1(0) ack 1", "the flags: expected R., actual F."},
		{"sequence number", open4 + "+0 write(4, ..., 10) = 10\n+0 > P. 2:12(10) ack 1", "the sequence number: expected 2, actual 1"},
		{"time", open4 + "+0 close(4) = 0\n+.3 > F. 1:1(0) ack 1", "the time, by more than"},
		{"nothing comes", open4 + "+0 > . 1:1(0) ack 1", "actual    no packet"},
		{"more comes", open4 + "+0 close(4) = 0", "expected nothing more"},
		{"errno", open4 + "+0 write(5, ..., 10) = -1 EPIPE", "expected  write = -1 EPIPE\n  actual    write = -1 EBADF"},
		{"blocks", open4 + "+0 read(4, ..., 10) = 10", "expected the call to return at once"},
		{"still blocks", open4 + "+0...0.2 read(4, ..., 10) = 10\n+.5 write(4, ..., 1) = 1", "expected the call to return at"},
		{"connect blocks", "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0...0.2 connect(3, ..., ...) = 0\n+0 > S 0:0(0) <...>", "the call has not returned"},
		{"assert", open4 + "+0 %{ assert tcpi_snd_cwnd == 11 }%", "with tcpi_snd_cwnd = 10"},
		{"getsockopt", open4 + "+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0", "expected  TCP_NODELAY = [1]\n  actual    TCP_NODELAY = 0"},
		{"read text", open4 + "+0 < P. 1:4(3) ack 1 win 5\n+0 > . 1:1(0) ack 4\n+0 read(4, \"abc\", 3) = 3", `expected  the octets "abc"`},
	}
	var ends []func() script.Result
	for _, c := range cases {
		ends = append(ends, begin(t, "x", c.src, shared, Options{}))
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			res := ends[i]()
			require.Equal(t, script.Failed, res.Outcome, res.Detail)
			require.Contains(t, res.Detail, c.want)
			require.Contains(t, res.Ladder, "Linux")
		})
	}
}

// What the kernel has no place for is not a failure.
func TestUnsupported(t *testing.T) {
	netnstest.Need(t)
	for _, c := range []struct{ name, src, want string }{
		{"profile", "--profile=rfc9293\n" + open4, "the kernel has no profile rfc9293"},
		{"own setting", "`sysctl tcpkit.quick_acks=1`\n" + open4, "the kernel has no setting tcpkit/quick_acks"},
		{"no setting", "`sysctl net.ipv4.tcp_frob=1`\n" + open4, "the kernel has no setting net/ipv4/tcp_frob"},
		{"another tree", "`sysctl net.ipv4.../../../kernel/hostname=x`\n" + open4, "the kernel has no setting"},
		{"the machine's", "`sysctl kernel.hostname=x`\n" + open4, "the kernel has no setting"},
		{"command", "`reboot`\n" + open4, "the command reboot is not supported"},
		{"too long", open4 + "+7200 write(4, ..., 1) = 1", "it takes 2h0m0s in real time, and the limit is 1m0s"},
		{"a socket of another kind", "0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3", "only TCP sockets are supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := play(t, "x", c.src, shared, Options{})
			require.Equal(t, script.Unsupported, res.Outcome, res.Detail)
			require.Contains(t, res.Detail, c.want)
		})
	}
}

// A sysctl acts in the run's own namespace: the next run begins anew.
func TestSettings(t *testing.T) {
	netnstest.Need(t)
	const scaled = `+0  bind(3, ..., ...) = 0
+0  listen(3, 1) = 0
+0  < S 0:0(0) win 65535 <mss 1000,nop,wscale 7>
`
	res := play(t, "x", "`../common/defaults.sh\nsysctl -q net.ipv4.tcp_window_scaling=0`\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"+scaled+"+0 > S. 0:0(0) ack 1 <mss 1460>", shared, Options{})
	require.Equal(t, script.Passed, res.Outcome, res.Detail)
	res = play(t, "x", "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"+scaled+"+0 > S. 0:0(0) ack 1 <mss 1460,nop,wscale 7>", shared, Options{})
	require.Equal(t, script.Passed, res.Outcome, res.Detail)
}

// A run leaves no goroutine behind, even if calls were blocked at its end.
func TestLeavesNothing(t *testing.T) {
	netnstest.Need(t)
	before := runtime.NumGoroutine()
	play(t, "x", open4+"+0 read(4, ..., 10) = 10", shared, Options{})
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 10*time.Second, 10*time.Millisecond)
}

func TestLength(t *testing.T) {
	s, err := script.Parse("x", "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+1 close(3) = 0\n5 close(3) = 0\n+1~+2 > . 1:1(0)\n* > . 1:1(0)\n10~12 > . 1:1(0)")
	require.NoError(t, err)
	require.Equal(t, 12*clock.Second, Length(s))
}
