package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
	"github.com/tcpkit/tcpkit/internal/need"
)

// demoOverTUN runs the demo in a network of its own. A machine that is so busy
// that the kernel sends something again is asked anew.
func demoOverTUN(t *testing.T, args ...string) string {
	t.Helper()
	netnstest.Need(t)
	out := ""
	for range 5 {
		p := startProgram(t, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "COLUMNS=80") },
			append([]string{"demo", "--require-tun"}, args...)...)
		out = p.exits(exitOK)
		require.Empty(t, p.stderr())
		if !strings.Contains(out, "§3.8.1 ") && strings.Count(out, `"type":"segment"`) <= 22 {
			break
		}
		t.Log("a segment was sent again; once more")
	}
	return out
}

// normal takes out of a transcript what is the machine's: times, initial sequence
// numbers, what the kernel is called and how much it scales its window, and how
// long an acknowledgment waited.
func normal(s string) string {
	for _, r := range []struct{ from, to string }{
		{`(?m)^ *\d+\.\d{4}`, "  #.####"},
		{`ISN \d+`, "ISN ##########"},
		{`Linux \d+(\.\d+)*`, "Linux #.#"},
		{`(window scale|窗口扩大) \d+`, "$1 #"},
		{`(?m)^§3\.8\.6\.3 .*\n`, ""},
		{`(are left|还剩) (59|60)(\.\d)?|(that )(59|60)(\.\d)?`, "$1$4##"},
	} {
		s = regexp.MustCompile(r.from).ReplaceAllString(s, r.to)
	}
	return s
}

// The kernel's TCP and ours, over a TUN: every state of both ends, as told.
func TestDemoTUN(t *testing.T) {
	for name, args := range map[string]string{
		"tun-en.txt":  "--lang en --msl 50ms",
		"tun-zh.txt":  "--lang zh --msl 50ms",
		"tun-en6.txt": "--lang en --msl 50ms -6",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, "demo/"+name, normal(demoOverTUN(t, strings.Fields(args)...)))
		})
	}
}

// The states of both ends by segment, the kernel's short ones too.
func TestDemoStates(t *testing.T) {
	t.Parallel()
	var got [2][]string
	for line := range strings.Lines(demoOverTUN(t, "--json", "--msl", "20ms")) {
		var l recitalLine
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		if l.Type == "verdict" {
			require.True(t, *l.OK, line)
		}
		if l.Act == 0 || l.Peer == "" {
			continue
		}
		states := l.Peer + " " + l.Tcpkit
		if a := got[l.Act-1]; len(a) == 0 || a[len(a)-1] != states {
			got[l.Act-1] = append(a, states)
		}
	}
	require.Equal(t, []string{
		"CLOSED LISTEN", "SYN-SENT SYN-RECEIVED", "ESTABLISHED SYN-RECEIVED", "ESTABLISHED ESTABLISHED",
		"FIN-WAIT-1 CLOSE-WAIT", "FIN-WAIT-2 CLOSE-WAIT", "TIME-WAIT LAST-ACK", "TIME-WAIT CLOSED",
	}, got[0], "the kernel opens and closes first")
	require.Equal(t, []string{
		"LISTEN CLOSED", "SYN-RECEIVED SYN-SENT", "SYN-RECEIVED ESTABLISHED", "ESTABLISHED ESTABLISHED",
		"CLOSE-WAIT FIN-WAIT-1", "CLOSE-WAIT FIN-WAIT-2", "LAST-ACK TIME-WAIT", "CLOSED TIME-WAIT", "CLOSED CLOSED",
	}, got[1], "tcpkit opens and closes first")
}

// The capture of the demo is one that tshark has nothing against.
func TestDemoCaptureTshark(t *testing.T) {
	t.Parallel()
	tshark := need.Tool(t, "tshark", "tshark")
	file := filepath.Join(t.TempDir(), "demo.pcapng")
	demoOverTUN(t, "--msl", "20ms", "-w", file)
	read := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(tshark, append([]string{"-r", file, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"}, args...)...)
		out, err := cmd.Output()
		require.NoError(t, err)
		return string(out)
	}
	require.Empty(t, read("-Y", "_ws.malformed || tcp.checksum.status == Bad || ip.checksum.status == Bad || tcp.analysis.flags"))
	require.GreaterOrEqual(t, strings.Count(read("-Y", "tcp"), "\n"), 22)
	require.Contains(t, read("-Y", "tcp.flags.fin == 1", "-T", "fields", "-e", "frame.comment"), "FIN-WAIT-2 → TIME-WAIT")
	require.Equal(t, 2, strings.Count(read("-Y", "http.response.code == 200"), "\n"))
}

// A signal in the middle of TIME-WAIT ends the demo, and the network with it.
func TestDemoInterrupt(t *testing.T) {
	t.Parallel()
	netnstest.Need(t)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	p := startProgram(t, func(cmd *exec.Cmd) { cmd.Stdout = w }, "demo", "--require-tun", "--lang", "en", "--role", "client", "--msl", "10m")
	w.Close()
	found := false
	for s := bufio.NewScanner(r); !found && s.Scan(); {
		found = strings.Contains(s.Text(), "2MSL is 20 minutes")
	}
	require.True(t, found, "it comes as far as TIME-WAIT, and says so while it waits")
	p.signal(os.Interrupt)
	p.exits(exitInterrupt)
}

// without starts the demo by a shell in namespaces in which the script has taken
// something away.
func without(t *testing.T, script string, args ...string) *program {
	t.Helper()
	unshare := need.Tool(t, "unshare", "util-linux")
	need.Tool(t, "setpriv", "util-linux")
	netnstest.Need(t)
	return startProgram(t, func(cmd *exec.Cmd) {
		self, err := os.Executable()
		require.NoError(t, err)
		cmd.Path = unshare
		cmd.Args = append([]string{"unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", script, "sh", self, "demo"}, args...)
		cmd.Env = append(cmd.Env, "COLUMNS=80")
	})
}

// Where a TUN can't be had the demo says what forbids it and how to allow it,
// and plays in memory; or fails, if that was asked for.
func TestDemoWithoutTUN(t *testing.T) {
	memory, err := os.ReadFile("testdata/demo/en.txt")
	require.NoError(t, err)
	const noNamespaces = `exec setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$@"`
	for name, c := range map[string]struct {
		script       string
		english, cmd string
		chinese      string
	}{
		"no node": {
			`mount -t tmpfs none /dev/net; exec "$@"`,
			"/dev/net/tun: there is no such node", "sudo modprobe tun", "/dev/net/tun：没有这个设备节点",
		},
		"no user namespaces": {
			`echo 0 > /proc/sys/user/max_user_namespaces; ` + noNamespaces,
			"user.max_user_namespaces: user namespaces are switched off", "sudo sysctl -w user.max_user_namespaces=", "用户命名空间已被关闭",
		},
		"no network namespaces": {
			`echo 0 > /proc/sys/user/max_net_namespaces; exec "$@"`,
			"user.max_net_namespaces: network namespaces are switched off", "sudo sysctl -w user.max_net_namespaces=", "网络命名空间已被关闭",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := without(t, c.script, "--lang", "en")
			out := p.exits(exitOK)
			require.Contains(t, p.stderr(), "no TUN device can be had here: ")
			require.Contains(t, p.stderr(), c.english)
			require.Contains(t, p.stderr(), "    $ "+c.cmd)
			require.Contains(t, p.stderr(), "the same exchange runs between two stacks in memory")
			require.Equal(t, string(memory), out)

			p = without(t, c.script, "--lang", "zh", "--require-tun")
			require.Empty(t, p.exits(exitPermission))
			require.Contains(t, p.stderr(), "这里得不到 TUN 设备")
			require.Contains(t, p.stderr(), c.chinese)
			require.Contains(t, p.stderr(), "    $ "+c.cmd)
		})
	}
}

// A user without any right plays with the kernel all the same.
func TestDemoOrdinaryUser(t *testing.T) {
	t.Parallel()
	netnstest.Need(t)
	ids, err := os.ReadFile("/proc/self/uid_map")
	require.NoError(t, err)
	if f := strings.Fields(string(ids)); len(f) == 3 && f[2] == "1" {
		return // the one who runs the tests is one, and every test is this one
	}
	p := startProgram(t, func(cmd *exec.Cmd) {
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}, "demo", "--require-tun", "--lang", "en", "--msl", "20ms")
	out := p.exits(exitOK)
	require.Contains(t, out, "All was as RFC 9293 wants it")
}
