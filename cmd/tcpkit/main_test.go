package main

import (
	"bufio"
	"bytes"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
)

// beTheProgram in the environment makes the test binary the command itself, so
// that tests can start it without building it.
const beTheProgram = "TCPKIT_TEST_BE_THE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(beTheProgram) != "" {
		main()
	}
	netnstest.Run(m)
}

// patience bounds what a test waits for; nothing waits that long but a bug.
const patience = 30 * time.Second

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test ./cmd/tcpkit -update writes it")
	require.Equal(t, string(want), got, "go test ./cmd/tcpkit -update writes it anew")
}

// try runs the command in this process.
func try(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

// tryIn is try in a folder: as a program of its own, so that several run at once.
func tryIn(t *testing.T, dir string, args ...string) (code int, out, errs string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	var o, e bytes.Buffer
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), beTheProgram+"=1"), &o, &e
	if err := cmd.Run(); err != nil {
		require.IsType(t, new(exec.ExitError), err)
	}
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}

func TestHelp(t *testing.T) {
	for _, words := range []string{"", "listen", "dial", "perf", "perf server", "perf client", "stat", "script", "explore", "explain", "sim", "sim run", "sim list", "sim check", "trace", "trace show", "trace convert", "trace verify", "trace replay", "plugin", "plugin new", "plugin build", "plugin check", "plugin inspect", "plugin run", "plugin bench", "plugin list", "sim compare", "playground", "doctor", "version"} {
		t.Run("tcpkit "+words, func(t *testing.T) {
			code, out, errs := try(append(strings.Fields(words), "--help")...)
			require.Equal(t, exitOK, code)
			require.Empty(t, errs)
			golden(t, "help/"+strings.ReplaceAll("tcpkit "+words, " ", "-")+".txt", out)
		})
	}
}

// What makes no sense is refused before anything is opened, with a word on what
// is wrong and one on what would be right.
//
// Proves: H06
func TestWrongInvocations(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, c := range []struct{ args, says string }{
		{"", "Usage:"},
		{"fly", `unknown command "fly"`},
		{"--fly", "unknown flag: --fly"},
		{"version now", `"now" is one word too many: the form is 'tcpkit version'`},
		{"listen", "something is missing: the form is 'tcpkit listen [HOST]:PORT'"},
		{"listen :1 :2", `":2" is one word too many`},
		{"listen :0", `bad port in ":0": "0" is not a number from 1 to 65535`},
		{"listen :65536", `"65536" is not a number from 1 to 65535`},
		{"listen :http", `"http" is not a number`},
		{"listen 1:2:3", `bad address "1:2:3"`},
		{"listen fd77::2:80", "an IPv6 host in brackets"},
		{"listen :80 --echo --discard", "--echo and --discard exclude each other"},
		{"listen :80 --chargen --http .", "--chargen and --http exclude each other"},
		{"listen :80 --http /no/such/folder", "bad --http"},
		{"listen :80 --http " + file, "it is not a folder"},
		{"listen :80 --http=", "no folder given"},
		{"listen :80 --proxy 80", `bad address "80"`},
		{"listen :80 --proxy :80", "no host to connect to"},
		{"listen :80 --backlog 0", "bad --backlog 0"},
		{"listen :80 --mtu 67", "bad --mtu 67: with these addresses a link has 1280 to 65535"},
		{"listen :80 --mtu 1000", "leave IPv6 out"},
		{"listen :80 --mtu 65536", "bad --mtu 65536"},
		{"listen :80 --mtu many", `bad --mtu "many": give a whole number`},
		{"listen :80 --queues 2", "bad --queues 2: this tcpkit drives one queue"},
		{"listen :80 --queues 0", "bad --queues 0"},
		{"listen :80 --offload on", `bad --offload "on": give auto or off`},
		{"listen :80 --profile fast", `bad --profile "fast": give one of linux, rfc9293`},
		{"listen :80 --set rto-min", `bad --set "rto-min": not KEY=VALUE`},
		{"listen :80 --set warp=9", `there is no "warp"; --set help`},
		{"listen :80 --set rto-min=fast", `"fast" is no time`},
		{"listen :80 --set rto-min=-1s", `"-1s" is no time`},
		{"listen :80 --set ttl=256", "256 is too large; at most 255"},
		{"listen :80 --set nagle=maybe", "neither true nor false"},
		{"listen :80 --set controller=warp", "no such congestion control; give one of"},
		{"listen :80 --set initial-window=x", "is no size"},
		{"listen :80 --plugin ,n=3", "no file; give one like"},
		{"listen :80 --tun a/b", "bad --tun"},
		{"listen :80 --tun a-name-that-is-too-long", "1 to 15 characters"},
		{"listen :80 --tun=", "bad --tun"},
		{"listen :80 --tun ..", "bad --tun"},
		{"listen :80 --local 10.0.0.1", "not an address with the link's prefix"},
		{"listen :80 --local=", "no address given"},
		{"listen :80 --local 10.0.0.1/32", "no room for the kernel's address"},
		{"listen :80 --local 10.0.0.0/24", "the prefix itself"},
		{"listen :80 --local 10.0.0.255/24", "the broadcast address"},
		{"listen :80 --local 224.0.0.1/24", "no host has this address"},
		{"listen :80 --local 127.0.0.1/8", "no host has this address"},
		{"listen :80 --local 0.0.0.0/8", "no host has this address"},
		{"listen :80 --local ::ffff:10.0.0.1/120", "IPv4-mapped"},
		{"listen :80 --local 10.0.0.1/24,10.0.1.1/24", "one address for each family"},
		{"listen :80 --local 10.0.0.1/24 --peer 10.0.0.1", "tcpkit has this address itself"},
		{"listen :80 --local 10.0.0.1/24 --peer 10.0.1.1", "not in the link's prefix"},
		{"listen :80 --local 10.0.0.1/24 --peer 10.0.0.255", "no host can have this address"},
		{"listen :80 --local 10.0.0.1/24 --peer fd00::1", "has no --local of its family"},
		{"listen :80 --local 10.0.0.1/24 --peer 10.0.0.2,10.0.0.3", "one address for each family"},
		{"listen :80 --peer x", "not an address"},
		{"listen :80 --impair loss=200%", "bad --impair"},
		{"listen :80 --impair bad=1%", "bad --impair"},
		{"listen :80 -w -", "stdout is for data"},
		{"listen :80 -w x --write-max big", "is no size"},
		{"listen :80 --write-max 5M", "there is no capture to bound"},
		{"dial", "something is missing: the form is 'tcpkit dial HOST:PORT'"},
		{"dial :80", "no host to connect to"},
		{"dial 10.0.0.1", "give HOST:PORT"},
		{"dial 10.0.0.1:0", "bad port"},
		{"dial 10.0.0.1:80 --timeout -1s", "bad --timeout"},
		{"dial 10.0.0.1:80 --echo", "unknown flag: --echo"},
		{"perf", "perf needs one of: server, client"},
		{"perf both", `unknown command "both"`},
		{"perf client", "something is missing"},
		{"perf client 10.0.0.1 -t 0", "bad -t 0"},
		{"perf client 10.0.0.1 -t 5 -n 1M", "-t and -n exclude each other"},
		{"perf client 10.0.0.1 -n 0", "bad -n 0"},
		{"perf client 10.0.0.1 -n much", "bad -n much"},
		{"perf client 10.0.0.1 -P 0", "bad -P 0"},
		{"perf client 10.0.0.1 -P 129", "give 1 to 128 streams"},
		{"perf client 10.0.0.1 -i 0.01", "bad -i 0.01"},
		{"perf client 10.0.0.1 --compare cubic,vegas", `no congestion controller "vegas": built in are cubic, newreno, tcpkit comes with the plugins aimd, bbr-lite`},
		{"perf client 10.0.0.1 --compare aimd,cubic -R", "--compare and -R exclude each other"},
		{"perf client 10.0.0.1 --compare aimd,cubic,", "no file"},
		{"perf server -i -1", "bad -i -1"},
		{"sim compare --loss much", `bad --loss "much": give a number such as 0.5`},
		{"sim compare --delay 5", `bad --delay "5": give a time such as 200ms`},
		{"sim compare --rate 1", "bad --rate 1: give 0, or at least 1k"},
		{"sim compare vegas", `no congestion controller "vegas"`},
		{"plugin", "plugin needs one of: "},
		{"plugin mend", `unknown command "mend"`},
		{"plugin new", "something is missing: the form is 'tcpkit plugin new NAME'"},
		{"plugin new ../x", "no good for files"},
		{"plugin new --lang rust x", `no language "rust": there are go, wat, as, c`},
		{"plugin build a b", `"b" is one word too many`},
		{"stat me", `bad PID "me"`},
		{"stat 0", `bad PID "0"`},
	} {
		t.Run(c.args, func(t *testing.T) {
			code, out, errs := try(strings.Fields(c.args)...)
			require.Equal(t, exitUsage, code, errs)
			require.Contains(t, errs, c.says)
			require.Empty(t, out, "stdout is for data")
		})
	}
}

func TestSetHelp(t *testing.T) {
	code, out, _ := try("listen", ":80", "--set", "help")
	require.Equal(t, exitOK, code)
	for _, line := range []string{"rto-min ", "controller ", "cubic", "time-wait ", "1m0s", "max-conns ", "dup-thresh "} {
		require.Contains(t, out, line)
	}
	require.NotContains(t, strings.ToLower(out), "secret")
}

func TestVersion(t *testing.T) {
	code, out, errs := try("version")
	require.Equal(t, exitOK, code)
	require.Empty(t, errs)
	require.Regexp(t, `^tcpkit \S+.*, go\S+ \w+/\w+\n$`, out)
	code, out, _ = try("version", "--json")
	require.Equal(t, exitOK, code)
	require.Contains(t, out, `"arch":`)
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, out, _ := try("completion", shell)
		require.Equal(t, exitOK, code)
		require.Contains(t, out, "tcpkit")
	}
	code, out, _ := try("__complete", "listen", "--profile", "")
	require.Equal(t, exitOK, code)
	require.Contains(t, out, "rfc9293\n")
}

// waitForLine reads until a line has the words. What it gives waits for the next
// such line.
func waitForLine(t *testing.T, r io.Reader, words string) (again func()) {
	t.Helper()
	found := make(chan struct{}, 1000)
	go func() {
		defer close(found)
		for s := bufio.NewScanner(r); s.Scan(); {
			if strings.Contains(s.Text(), words) {
				found <- struct{}{}
			}
		}
	}()
	again = func() {
		t.Helper()
		select {
		case _, ok := <-found:
			require.True(t, ok, "no line with %q", words)
		case <-time.After(patience):
			require.Fail(t, "no line in time", words)
		}
	}
	again()
	return again
}
