package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
)

// A testNet is one TUN's worth of addresses, so that tests don't meet.
type testNet struct {
	tun                    string
	local4, peer4          string
	local6, peer6          string
	flags                  []string
	elsewhere4, elsewhere6 string // in the prefix, and nobody's
}

var nets atomic.Int32

func newNet(t *testing.T) testNet {
	t.Helper()
	netnstest.Need(t)
	n := nets.Add(1)
	v := testNet{
		tun:    fmt.Sprintf("tk%d", n),
		local4: fmt.Sprintf("10.78.%d.2", n), peer4: fmt.Sprintf("10.78.%d.1", n), elsewhere4: fmt.Sprintf("10.78.%d.9", n),
		local6: fmt.Sprintf("fd78:%x::2", n), peer6: fmt.Sprintf("fd78:%x::1", n), elsewhere6: fmt.Sprintf("fd78:%x::9", n),
	}
	v.flags = []string{"--tun", v.tun, "--local", v.local4 + "/24," + v.local6 + "/64"}
	return v
}

// A program is the command, running.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   bytes.Buffer // stdout, once it has ended
	ended chan struct{}

	mu    sync.Mutex
	lines []string // of stderr
	said  chan struct{}
}

// program starts the command on the net. Its stdin stays open until closed.
func (n testNet) program(t *testing.T, args ...string) *program {
	t.Helper()
	return startProgram(t, nil, append(args, n.flags...)...)
}

func startProgram(t *testing.T, change func(*exec.Cmd), args ...string) *program {
	t.Helper()
	p := &program{t: t, ended: make(chan struct{}), said: make(chan struct{}, 1)}
	p.cmd = exec.Command("/proc/self/exe", args...)
	p.cmd.Env = append(os.Environ(), beTheProgram+"=1")
	p.cmd.Stdout = &p.out
	if change != nil {
		change(p.cmd)
	}
	var err error
	p.stdin, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	errs, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() {
		for s := bufio.NewScanner(errs); s.Scan(); {
			p.mu.Lock()
			p.lines = append(p.lines, s.Text())
			p.mu.Unlock()
			select {
			case p.said <- struct{}{}:
			default:
			}
		}
		p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("tcpkit %s:\n%s", strings.Join(args, " "), p.stderr())
		}
	})
	return p
}

func (p *program) stderr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

// says waits for a line of stderr.
func (p *program) says(what string) *program {
	p.t.Helper()
	late := time.After(patience)
	for !strings.Contains(p.stderr(), what) {
		select {
		case <-p.said:
		case <-p.ended:
			require.Contains(p.t, p.stderr(), what, "it has ended")
		case <-late:
			require.Contains(p.t, p.stderr(), what)
		}
	}
	return p
}

// exits waits for the end and wants the code.
func (p *program) exits(code int) string {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		require.Fail(p.t, "the program does not end", p.stderr())
	}
	require.Equal(p.t, code, p.cmd.ProcessState.ExitCode(), p.stderr())
	return p.out.String()
}

func (p *program) signal(s os.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
}
