//go:build linux

package netns_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/hosts/native/netns"
)

// The test binary plays the program that runs itself again.
func TestMain(m *testing.M) {
	switch os.Getenv("NETNS_TEST") {
	case "outer":
		code, err := netns.Run(&netns.Options{Args: []string{}, Env: []string{"NETNS_TEST=" + os.Getenv("NETNS_INNER")}})
		if err != nil {
			os.Stderr.WriteString(netns.Explain(err))
			os.Exit(99)
		}
		os.Exit(code)
	case "loopback":
		os.Exit(loopback())
	case "signal":
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		select {}
	}
	os.Exit(m.Run())
}

// loopback is what runs inside: an empty network with the loopback up.
func loopback() int {
	ifaces, err := net.Interfaces()
	if err != nil || len(ifaces) != 1 || ifaces[0].Flags&net.FlagUp == 0 {
		return 10
	}
	l, err := net.Listen("tcp", "127.0.0.1:80") // a port for root alone
	if err != nil {
		return 11
	}
	l.Close()
	if !netns.Inside() || os.Getenv("TCPKIT_NETNS") != "" {
		return 12
	}
	return 42
}

func outer(t *testing.T, inner string) (code int, stderr string) {
	cmd := exec.Command(os.Args[0])
	var errs strings.Builder
	cmd.Stderr = &errs
	cmd.Env = append(os.Environ(), "NETNS_TEST=outer", "NETNS_INNER="+inner)
	if err := cmd.Run(); err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError))
	}
	if cmd.ProcessState.ExitCode() == 99 {
		if os.Getenv("TCPKIT_REQUIRE_ALL") == "1" {
			t.Fatal(errs.String())
		}
		t.Skip(errs.String())
	}
	return cmd.ProcessState.ExitCode(), errs.String()
}

func TestRunGivesAnEmptyNetworkAndTheExitCode(t *testing.T) {
	code, stderr := outer(t, "loopback")
	require.Equal(t, 42, code, stderr)
}

func TestRunTellsTheSignal(t *testing.T) {
	code, stderr := outer(t, "signal")
	require.Equal(t, 128+int(syscall.SIGTERM), code, stderr)
}

func TestExplainNamesTheSwitch(t *testing.T) {
	err := errors.New("what failed")
	require.Contains(t, netns.Explain(err), "what failed")
	require.Contains(t, netns.Explain(syscall.EPERM), "allow", "says how to allow it")
}
