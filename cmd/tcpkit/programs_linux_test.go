package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/need"
	"github.com/tcpkit/tcpkit/internal/release"
)

// command runs a program to its end and gives its stdout.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	require.NoError(t, err, "%s %s: %s%s", filepath.Base(name), strings.Join(args, " "), out, errs.String())
	return string(out)
}

// curl fetches from listen --http over both families: all of a large file,
// ranges of it, several over one connection, and fifty at once.
func TestCurl(t *testing.T) {
	t.Parallel()
	curl := need.Tool(t, "curl", "curl")
	n := newNet(t)
	size := release.Count(16<<20, 200<<20)
	dir, got := t.TempDir(), t.TempDir()
	big := make([]byte, size)
	rand.NewChaCha8([32]byte{1}).Read(big)
	small := big[:1<<20]
	require.NoError(t, os.WriteFile(filepath.Join(dir, "big"), big, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "small"), small, 0o644))
	n.program(t, "listen", ":80", "--http", dir).says("listening")
	same := func(want []byte, file string) {
		t.Helper()
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("%x", sha256.Sum256(want)), fmt.Sprintf("%x", sha256.Sum256(b)), file)
		require.NoError(t, os.Remove(file))
	}
	for _, host := range []string{n.local4, "[" + n.local6 + "]"} {
		url, file := "http://"+host+"/", filepath.Join(got, "file")
		command(t, curl, "-gsSf", "-o", file, url+"big")
		same(big, file)

		command(t, curl, "-gsSf", "-o", file, "-r", "1000000-3999999", url+"big")
		same(big[1_000_000:4_000_000], file)
		command(t, curl, "-gsSf", "-o", file, "-r", "-1000", url+"big")
		same(big[size-1000:], file)

		out := command(t, curl, "-gsSf", "-w", "%{num_connects} ", "-o", os.DevNull, url+"small", "-o", os.DevNull, url+"small", "-o", os.DevNull, url+"small")
		require.Equal(t, "1 0 0 ", out, "one connection serves all three")

		args := []string{"-gsSf", "--parallel", "--parallel-immediate", "--parallel-max", "50"}
		for i := range 50 {
			args = append(args, "-o", fmt.Sprint(file, i), fmt.Sprintf("%ssmall?%d", url, i))
		}
		command(t, curl, args...)
		for i := range 50 {
			same(small, fmt.Sprint(file, i))
		}
	}
}

// background starts a server among the kernel's and waits until it says so. What
// it gives waits until it says so again.
func background(t *testing.T, says, name string, args ...string) (again func()) {
	t.Helper()
	cmd := exec.Command(name, args...)
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = cmd.Stdout
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return waitForLine(t, pipe, says)
}

// freePort is a port of the kernel's that nobody has.
func freePort(t *testing.T) string {
	t.Helper()
	l := loopback(t)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

func amount() string {
	if testing.Short() {
		return "8M"
	}
	return "100M"
}

// iperf3 both ways through listen --proxy.
func TestProxyIperf3(t *testing.T) {
	t.Parallel()
	iperf3 := need.Tool(t, "iperf3", "iperf3")
	n := newNet(t)
	port := freePort(t)
	again := background(t, "Server listening", iperf3, "-s", "--forceflush", "-B", "127.0.0.1", "-p", port)
	n.program(t, "listen", ":5201", "--proxy", "127.0.0.1:"+port).says("listening")
	for _, host := range []string{n.local4, n.local6} {
		for _, extra := range [][]string{{}, {"-R"}, {"-P", "8"}} {
			out := command(t, iperf3, append([]string{"-c", host, "-n", amount()}, extra...)...)
			require.Contains(t, out, "receiver")
			again()
		}
	}
}

// OpenSSL's client and server through listen --proxy.
func TestProxyOpenSSL(t *testing.T) {
	t.Parallel()
	openssl := need.Tool(t, "openssl", "openssl")
	n := newNet(t)
	dir := t.TempDir()
	key, cert := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	command(t, openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tcpkit", "-keyout", key, "-out", cert)
	port := freePort(t)
	background(t, "ACCEPT", openssl, "s_server", "-accept", "127.0.0.1:"+port, "-key", key, "-cert", cert, "-www")
	n.program(t, "listen", ":443", "--proxy", "127.0.0.1:"+port).says("listening")
	for _, host := range []string{n.local4, "[" + n.local6 + "]"} {
		cmd := exec.CommandContext(t.Context(), openssl, "s_client", "-connect", host+":443", "-CAfile", cert, "-verify_return_error", "-quiet")
		cmd.Stdin = strings.NewReader("GET / HTTP/1.0\r\n\r\n")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "HTTP/1.0 200 ok")
	}
}

// iperf3 is the other end of perf, in both roles and directions.
func TestPerfOverTUN(t *testing.T) {
	t.Parallel()
	iperf3 := need.Tool(t, "iperf3", "iperf3")
	n := newNet(t)
	p := n.program(t, "perf", "server").says("listening")
	for _, extra := range [][]string{{}, {"-R"}, {"-P", "4"}} {
		command(t, iperf3, append([]string{"-c", n.local4, "-n", amount()}, extra...)...)
	}
	p.signal(os.Interrupt)
	require.Contains(t, p.exits(exitInterrupt), "receiver")

	port := freePort(t)
	again := background(t, "Server listening", iperf3, "-s", "--forceflush", "-p", port)
	for _, extra := range [][]string{{}, {"-R"}, {"-P", "4", "--json"}} {
		args := append([]string{"perf", "client", net.JoinHostPort(n.peer6, port), "-n", amount()}, extra...)
		require.Contains(t, n.program(t, args...).exits(exitOK), "sum")
		again()
	}
}
