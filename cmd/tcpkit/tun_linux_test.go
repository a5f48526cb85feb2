package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"

	"github.com/tcpkit/tcpkit/internal/need"
)

// kernelDial connects one of the kernel's sockets.
func kernelDial(t *testing.T, host, port string) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), patience)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return c.(*net.TCPConn)
}

// kernelListen opens one of the kernel's ports on an address that the TUN has
// only once the program runs.
func kernelListen(t *testing.T) (l net.Listener, port string) {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	_, port, err = net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return l, port
}

func noDevice(t *testing.T, name string) {
	t.Helper()
	_, err := netlink.LinkByName(name)
	require.ErrorAs(t, err, new(netlink.LinkNotFoundError), "no device is left")
}

// Ctrl-C once: a FIN to everybody, a summary, and nothing left.
//
// Proves: H02
func TestInterruptOnce(t *testing.T) {
	for name, c := range map[string]struct {
		signal os.Signal
		code   int
	}{"SIGINT": {os.Interrupt, exitInterrupt}, "SIGTERM": {syscall.SIGTERM, exitTerminated}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNet(t)
			p := n.program(t, "listen", ":7", "--echo").says("listening")
			k := kernelDial(t, n.local4, "7")
			k.Write([]byte("before"))
			b := make([]byte, 6)
			_, err := io.ReadFull(k, b)
			require.NoError(t, err)
			p.signal(c.signal)
			rest, err := io.ReadAll(k)
			require.NoError(t, err, "the end is a FIN")
			require.Empty(t, rest)
			k.Close()
			p.says("closed").exits(c.code)
			require.Contains(t, p.stderr(), "connections=1 received=\"6 B\" sent=\"6 B\"")
			noDevice(t, n.tun)
		})
	}
}

// Ctrl-C twice: the peer that does not say goodbye is reset.
//
// Proves: H02
func TestInterruptTwice(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	p := n.program(t, "listen", ":7", "--echo").says("listening")
	k := kernelDial(t, n.local6, "7")
	k.Write([]byte("x"))
	_, err := k.Read(make([]byte, 1))
	require.NoError(t, err, "it is accepted")
	p.signal(os.Interrupt)
	_, err = k.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err, "first a FIN")
	p.says("once more resets")
	p.signal(os.Interrupt)
	p.exits(exitInterrupt)
	_, err = k.Write([]byte("x"))
	if err == nil { // the reset may have come after the write
		_, err = k.Read(make([]byte, 1))
	}
	require.Error(t, err)
	noDevice(t, n.tun)
}

// SIGKILL leaves nothing that the kernel does not clean up.
func TestKill(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	p := n.program(t, "listen", ":7", "--echo").says("listening")
	kernelDial(t, n.local4, "7")
	p.signal(os.Kill)
	<-p.ended
	noDevice(t, n.tun)
}

// dial sends stdin, then a FIN, and goes on reading until the other FIN.
func TestDial(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	l, port := kernelListen(t)
	for _, peer := range []string{n.peer4, n.peer6} {
		p := n.program(t, "dial", net.JoinHostPort(peer, port))
		io.WriteString(p.stdin, "hello")
		p.stdin.Close()
		k, err := l.Accept()
		require.NoError(t, err)
		got, err := io.ReadAll(k)
		require.NoError(t, err)
		require.Equal(t, "hello", string(got))
		answer := bytes.Repeat([]byte("answer"), 100_000)
		k.Write(answer)
		k.Close()
		require.True(t, string(answer) == p.exits(exitOK))
		noDevice(t, n.tun)
	}
}

func TestDialFails(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	l, port := kernelListen(t)
	p := n.program(t, "dial", net.JoinHostPort(n.peer4, "1"))
	p.exits(exitRefused)
	require.Contains(t, p.stderr(), "connection refused")

	p = n.program(t, "dial", net.JoinHostPort(n.elsewhere4, "1"), "--timeout", "50ms")
	p.exits(exitTimeout)

	p = n.program(t, "dial", net.JoinHostPort(n.peer4, port))
	k, err := l.Accept()
	require.NoError(t, err)
	reset(k)
	p.exits(exitReset)
	require.Contains(t, p.stderr(), "reset")
}

// A stdout that nobody reads ends the command as SIGPIPE would, and the peer
// is told.
func TestStdoutGone(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	l, port := kernelListen(t)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	p := startProgram(t, func(cmd *exec.Cmd) { cmd.Stdout = w }, append([]string{"dial", net.JoinHostPort(n.peer4, port)}, n.flags...)...)
	w.Close()
	r.Close()
	k, err := l.Accept()
	require.NoError(t, err)
	k.Write([]byte("for nobody"))
	p.exits(exitPipe)
	_, err = k.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

// listen joins one connection to stdin and stdout, with -k one after the other.
func TestListenStdio(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	p := n.program(t, "listen", ":9").says("listening")
	k := kernelDial(t, n.local4, "9")
	io.WriteString(p.stdin, "out")
	b := make([]byte, 3)
	_, err := io.ReadFull(k, b)
	require.NoError(t, err)
	k.Write([]byte("in"))
	k.CloseWrite()
	p.stdin.Close()
	_, err = io.ReadAll(k)
	require.NoError(t, err)
	require.Equal(t, "in", p.exits(exitOK))

	p = n.program(t, "listen", ":9", "-k").says("listening")
	for range 3 {
		k := kernelDial(t, n.local4, "9")
		k.Write([]byte("again "))
		k.CloseWrite()
		_, err = io.ReadAll(k)
		require.NoError(t, err)
	}
	p.signal(os.Interrupt)
	require.Equal(t, "again again again ", p.exits(exitInterrupt))
}

// A TUN that goes away ends the command with a word on it.
func TestTUNDisappears(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	p := n.program(t, "listen", ":7", "--echo").says("listening")
	kernelDial(t, n.local4, "7")
	link, err := netlink.LinkByName(n.tun)
	require.NoError(t, err)
	require.NoError(t, netlink.LinkDel(link))
	p.exits(exitRuntime)
	require.Contains(t, p.stderr(), "the device is gone")
}

func TestTUNInUse(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	n.program(t, "listen", ":7", "--echo").says("listening")
	other := newNet(t)
	p := startProgram(t, nil, append([]string{"listen", ":7"}, append(other.flags, "--tun", n.tun)...)...)
	p.exits(exitRuntime)
	require.Contains(t, p.stderr(), "a device of that name is in use")
	p = startProgram(t, nil, append([]string{"listen", ":7"}, append(n.flags, "--tun", other.tun)...)...)
	p.exits(exitRuntime)
	require.Contains(t, p.stderr(), "address in use")
	require.Contains(t, p.stderr(), "that "+n.tun+" has already")
}

func TestListenElsewhere(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	for host, says := range map[string]string{n.peer4: "it is not tcpkit's", "localhost": "knows no names"} {
		p := n.program(t, "listen", net.JoinHostPort(host, "7"))
		p.exits(exitUsage)
		require.Contains(t, p.stderr(), says)
	}
}

// Without the right to a TUN: which one is missing, and what works without.
func TestNoPermission(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	// In a user namespace without a network of its own nobody may make a TUN.
	p := startProgram(t, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
		}
	}, append([]string{"listen", ":7"}, n.flags...)...)
	p.exits(exitPermission)
	require.Contains(t, p.stderr(), "CAP_NET_ADMIN")
	require.Contains(t, p.stderr(), "without it: \"tcpkit demo\"")
}

// stat shows what another process is doing.
func TestStat(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	dir := t.TempDir()
	here := func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+dir) }
	p := startProgram(t, here, append([]string{"listen", ":7", "--echo"}, n.flags...)...).says("listening")
	kernelDial(t, n.local4, "7").Write([]byte("x"))
	out := startProgram(t, here, "stat").exits(exitOK)
	require.Regexp(t, `ESTABLISHED`, out)
	require.Contains(t, out, "on "+n.tun)
	out = startProgram(t, here, "stat", "--json").exits(exitOK)
	require.Contains(t, out, `"tun":"`+n.tun+`"`)
	require.Contains(t, out, `"controller":"cubic"`)
	require.Contains(t, out, `"passive-opens":1`)
	p.signal(os.Interrupt)
}

// The capture has comments, no malformed packet and no bad checksum.
func TestCaptureTshark(t *testing.T) {
	t.Parallel()
	tshark := need.Tool(t, "tshark", "tshark")
	n := newNet(t)
	file := filepath.Join(t.TempDir(), "a.pcapng")
	p := n.program(t, "listen", ":7", "--echo", "-w", file).says("listening")
	for _, host := range []string{n.local4, n.local6} {
		k := kernelDial(t, host, "7")
		go func() {
			k.Write(make([]byte, 200_000))
			k.CloseWrite()
		}()
		got, err := io.ReadAll(k)
		require.NoError(t, err)
		require.Len(t, got, 200_000)
	}
	p.signal(os.Interrupt)
	p.exits(exitInterrupt)
	read := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(tshark, append([]string{"-r", file, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"}, args...)...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		require.NoError(t, err, errs.String())
		return string(out)
	}
	require.Empty(t, read("-Y", "_ws.malformed || tcp.checksum.status == Bad || ip.checksum.status == Bad"))
	require.Contains(t, read("-Y", "tcp.flags.fin == 1", "-T", "fields", "-e", "frame.comment"), "→")
	all := read("-Y", "tcp", "-T", "fields", "-e", "frame.number")
	require.Greater(t, bytes.Count([]byte(all), []byte("\n")), 300)
}

// A full disk costs the capture, a word, and the exit code; no connection.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	l, port := kernelListen(t)
	p := n.program(t, "dial", net.JoinHostPort(n.peer4, port), "-w", "/dev/full")
	p.stdin.Close()
	k, err := l.Accept()
	require.NoError(t, err)
	answer := bytes.Repeat([]byte("x"), 1<<20)
	k.Write(answer)
	k.Close()
	require.True(t, string(answer) == p.exits(exitRuntime))
	require.Contains(t, p.stderr(), "no space left on device")
	require.Contains(t, p.stderr(), "connections go on")
}

// A FIFO without a reader is refused, and one whose reader sleeps holds up
// nothing.
func TestCaptureFIFO(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	p := n.program(t, "listen", ":7", "-w", fifo)
	p.exits(exitRuntime)
	require.Contains(t, p.stderr(), "start the reader of the FIFO first")

	r, err := os.OpenFile(fifo, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	defer r.Close()
	l, port := kernelListen(t)
	p = n.program(t, "dial", net.JoinHostPort(n.peer4, port), "-w", fifo)
	p.stdin.Close()
	k, err := l.Accept()
	require.NoError(t, err)
	answer := bytes.Repeat([]byte("x"), 1<<20)
	k.Write(answer)
	k.Close()
	require.True(t, string(answer) == p.exits(exitRuntime))
	require.Contains(t, p.stderr(), "the capture stops: whoever reads it has stopped reading")
}

// A bad link slows down and spoils nothing.
func TestImpair(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	n.program(t, "listen", ":7", "--echo", "--impair", "loss=2%,delay=1ms,jitter=1ms,dup=1%,reorder=1%,corrupt=0.5%,seed=7").says("listening")
	k := kernelDial(t, n.local4, "7")
	want := bytes.Repeat([]byte("0123456789abcdef"), 8<<10)
	go func() {
		k.Write(want)
		k.CloseWrite()
	}()
	got, err := io.ReadAll(k)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got))
}

// A command that runs has no right left, whoever started it.
//
// Proves: H01
func TestNoRightsLeft(t *testing.T) {
	t.Parallel()
	n := newNet(t)
	for flag, dropped := range map[string]bool{"--keep-rights=false": true, "--keep-rights": false} {
		p := n.program(t, "listen", ":7", "--echo", flag).says("listening")
		status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "status"))
		require.NoError(t, err)
		require.Equal(t, dropped, statusField(string(status), "CapEff") == "0000000000000000", flag)
		p.signal(os.Interrupt)
		p.exits(exitInterrupt)
	}
}
